"""Formulas of web pages: told in words on a line, where they were left out without a word."""

from __future__ import annotations

import pytest

from indexer.readers import read


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("<mi>v</mi><mo>=</mo><mfrac><mi>s</mi><mi>t</mi></mfrac>", "v = s/t"),
        ("<mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup>", "E = mc^2"),
        ("<msub><mi>x</mi><mi>i</mi></msub><mo>+</mo><msqrt><mn>2</mn></msqrt>", "x_i + √(2)"),
        ("<semantics><mi>x</mi><annotation encoding='application/x-tex'>\\x</annotation></semantics>", "x"),
        ("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac>", "(a + b)/2"),
    ],
)
def test_formulas_are_words_on_a_line(formula: str, expected: str) -> None:
    page = f"<html><body><p>So <math>{formula}</math> holds.</p></body></html>"
    assert [block.text for block in read("a.html", page.encode()).blocks] == [f"So {expected} holds."]


def test_a_formula_nested_without_end_is_left_out() -> None:
    page = f"<html><body><p>So it is.</p><math>{'<mrow>' * 200}<mi>x</mi>{'</mrow>' * 200}</math></body></html>"
    assert [block.text for block in read("a.html", page.encode()).blocks] == ["So it is."]
