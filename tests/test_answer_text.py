"""An answer as it is printed, and as notebooks show it."""

import html.parser
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.types import Section
from rag.answer_html import answer_html
from rag.types import Answer, Citation, CopiedText, Outcome, given_passage

HOSTILE = 'See <script>alert("1")</script> ![pixel](http://evil.example/?q=1) & <img src=x onerror=\'y\'> "quoted".'
TEA = "Green tea is steeped at eighty degrees."


def answer(text: str = "eighty degrees", outcome: Outcome = "answer", quote: str = TEA, **more: Any) -> Answer:
    start = max(0, quote.find(text))
    citation = Citation(
        1, "/docs/tea.md", "0" * 64, None, 7, 7 + len(quote), quote, line=3, title=more.pop("title", "Tea"),
        marks=((start, start + len(text)),), claims=((0, len(text)),),
    )  # fmt: skip
    citations = () if outcome == "none" else (citation,)
    return Answer("How hot?", text, outcome, 0.75, citations, more.pop("passages", ()), "copying", "world", 3, **more)


def spanned(text: str = "eighty degrees", quote: str = TEA) -> Answer:
    """Return an answer that says which words of its quote it copied."""
    start = quote.index(text)
    return answer(text, quote=quote, copied=(CopiedText(0, len(text), 1, start, start + len(text)),))


def test_an_answer_is_told_in_one_line() -> None:
    assert repr(answer()) == "<Answer 'eighty degrees': answer, confidence 0.75, 1 citation>"
    assert repr(answer("", "none")) == "<Answer '': none, confidence 0.75, 0 citations>"
    long = repr(answer("x" * 1000))
    assert long == f"<Answer '{'x' * 80} …': answer, confidence 0.75, 1 citation>"
    assert "\n" not in repr(answer("one\ntwo"))


def test_an_answer_is_printed_with_its_footnotes() -> None:
    sure = "confidence 75%, by the copying generator"
    assert str(spanned()) == f"{TEA} [1]\n\n{sure}\n\n[1] Tea, /docs/tea.md, line 3: “{TEA}”"
    assert f"{spanned()}" == str(spanned())
    bold = TEA.replace("eighty degrees", "**eighty degrees**")
    markdown = f"{bold}[^1]\n\n*{sure}*\n\n[^1]: Tea, /docs/tea.md, line 3: “{bold}”"
    assert spanned().to_markdown() == spanned()._repr_markdown_() == markdown
    hostile = replace(spanned(HOSTILE, HOSTILE).citations[0], source="/docs/tea.txt")
    assert str(replace(spanned(HOSTILE, HOSTILE), citations=(hostile,))).startswith(f"{HOSTILE} [1]")


def test_plain_text_holds_no_mark_of_markdown() -> None:
    """Copied as plain text, an answer kept the fences around its code."""
    text = "To *set* it:\n\n```sh\nset `x`\n```\n\nThen **go**."
    start = text.index("```sh")
    read = replace(given_passage(text, source="/docs/tea.md"), sections=(Section(start, text.rindex("\n\n"), "code"),))
    whole = answer(text, quote=text, passages=(read,), copied=(CopiedText(0, len(text), 1, 0, len(text)),))
    placed = replace(whole, citations=(replace(whole.citations[0], start=0, end=len(text)),), form="steps")
    assert str(placed).startswith("To set it:\n\nset `x`\n\nThen go. [1]\n\nconfidence")
    html = answer_html(placed)
    assert ">To set it:</p><pre><code>set `x`</code></pre><p " in html
    assert ">Then go.<sup>[1]</sup></p>" in html
    assert placed.to_markdown().startswith("To set it:\n\n```\nset `x`\n```\n\nThen go.[^1]\n\n*confidence")


def test_what_is_not_sure_says_so() -> None:
    unsure = answer(outcome="unsure", read_as="How hot is tea?", notes=("Read by its words only.",))
    assert str(unsure).split("\n\n") == [
        "read as: How hot is tea?",
        "Not sure. The closest is:",
        "eighty degrees [1]",
        "Read by its words only.",
        "confidence 75%, by the copying generator",
        f"[1] Tea, /docs/tea.md, line 3: “{TEA}”",
    ]
    assert "<strong>Not sure. The closest is:</strong>" in answer_html(unsure)
    assert "Read as: How hot is tea?" in answer_html(unsure)
    assert "Read by its words only." in answer_html(unsure)
    doubt = replace(answer("Yes.", "unsure"), form="yes-no")
    assert "Yes." not in str(doubt)
    assert "Yes." not in answer_html(doubt)


def test_where_nothing_is_found_the_nearest_is_shown() -> None:
    nothing = answer("", "none", passages=(given_passage(TEA, source="/docs/tea.md"),), meant="How hot is tea?")
    shown = ["Nothing in these documents bears on this.", "Did you mean: How hot is tea?"]
    confidence = "confidence 75%, by the copying generator"
    assert str(nothing).split("\n\n") == [*shown, confidence, "The nearest passages:", f"- /docs/tea.md: {TEA}"]
    for part in [*shown, "The nearest:", f'<span title="/docs/tea.md">tea.md</span>: {TEA}']:
        assert part in answer_html(nothing)


def test_a_notebook_shows_the_words_in_their_sentence() -> None:
    shown = answer()._repr_html_()
    assert shown.startswith('<div class="footnote-answer">')
    assert "eighty degrees<sup>[1]</sup></p>" in shown
    footnote = '<li value="1"><span title="/docs/tea.md">Tea, line 3</span>: '
    assert f"{footnote}“Green tea is steeped at <b>eighty degrees</b>.”</li>" in shown
    assert "Confidence 75%, by the copying generator" in shown


def test_code_stands_in_a_block_of_its_own() -> None:
    code = "if a < b:\n    swap(a, b)"
    text = f"Write:\n\n{code}\n\nThen go."
    start = text.index(code)
    read = replace(given_passage(text, source="/docs/tea.md"), sections=(Section(start, start + len(code), "code"),))
    whole = answer(text, quote=text, passages=(read,), copied=(CopiedText(0, len(text), 1, 0, len(text)),))
    placed = replace(whole, citations=(replace(whole.citations[0], start=0, end=len(text)),))
    assert "<pre><code>if a &lt; b:\n    swap(a, b)</code></pre>" in answer_html(placed)
    assert f"\n\n```\n{code}\n```\n" in placed.to_markdown()
    assert f"\n\n{code}\n" in str(placed)


class Elements(html.parser.HTMLParser):
    """Collects the elements and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, tuple[str, ...]]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, tuple(name for name, _ in attrs)))


OURS = {
    ("div", ("class",)), ("p", ()), ("p", ("style",)), ("strong", ()), ("sup", ()), ("ol", ()), ("li", ()),
    ("li", ("value",)), ("span", ("title",)), ("b", ()), ("pre", ()), ("code", ()),
}  # fmt: skip


def elements(shown: str) -> set[tuple[str, tuple[str, ...]]]:
    parser = Elements()
    parser.feed(shown)
    return parser.found


@pytest.mark.parametrize("outcome", ["answer", "unsure", "none"])
def test_no_document_makes_an_element(outcome: Outcome) -> None:
    read = given_passage(HOSTILE, title=HOSTILE, source=HOSTILE)
    made = answer(
        "" if outcome == "none" else HOSTILE, outcome, HOSTILE, title=HOSTILE, passages=(read,),
        meant=HOSTILE, read_as=HOSTILE, notes=(HOSTILE,),
    )  # fmt: skip
    assert elements(f"<p>{HOSTILE}</p>") - OURS  # unescaped, it would
    assert not elements(answer_html(made)) - OURS


@given(st.text(alphabet="<>&\"'/ab =", max_size=30))
def test_no_text_makes_an_element(text: str) -> None:
    assert not elements(answer_html(answer(text, quote=text, title=text))) - OURS
