"""Two things compared: which they are, and one quote for each."""

from __future__ import annotations

import pytest

from rag.answering.comparing import comparison, sides
from rag.generator import Copied
from tests.seen import chances_of, document, evidence, shown_text

SLUICE = "A sluice is a gate in a canal that holds back the water."
WEIR = "A weir is a low wall across a river that raises the water."


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the difference between a sluice and a weir?", ("a sluice", "a weir")),
        ("How does a sluice differ from a weir?", ("a sluice", "a weir")),
        ("sluice vs weir", ("sluice", "weir")),
        ("sluice versus the old weir", ("sluice", "the old weir")),
        ("Compare the sluice and the weir", ("the sluice", "the weir")),
        ("Compare the sluice with the weir!", ("the sluice", "the weir")),
        ("Which is older, the mill or the weir?", ("mill", "the weir")),
        ("Was ist der Unterschied zwischen Wehr und Schleuse?", ("Wehr", "Schleuse")),
        ("Quelle est la différence entre un barrage et une écluse ?", ("un barrage", "une écluse")),
    ],
)
def test_the_two_sides_are_read_off_the_question(question: str, expected: tuple[str, str]) -> None:
    assert sides(question) == expected


@pytest.mark.parametrize("question", ["What is the difference?", "How do they differ?", "", "and"])
def test_a_question_may_name_no_two_sides(question: str) -> None:
    assert sides(question) is None


def test_there_is_one_quote_for_each_side_in_the_order_of_the_question() -> None:
    """The likelier one is the second: the order is the question's all the same."""
    weir, sluice = document(WEIR, number=1, name="weir.md"), document(SLUICE, number=2, name="sluice.md")
    seen = evidence("What is the difference between a sluice and a weir?", weir, sluice)
    found = comparison(seen, *chances_of(seen, {"A weir": 0.6, "A sluice": 0.3}))
    assert (found.form, shown_text(found, seen.passages)) == ("comparison", f"{SLUICE}\n\n{WEIR}")
    assert [piece.passage for piece in found.pieces if isinstance(piece, Copied)] == [1, 0]


def test_what_one_side_shows_is_not_shown_again_for_the_other() -> None:
    both = "A sluice is opened, and a weir is not."
    seen = evidence("What is the difference between a sluice and a weir?", document(f"{both} The mill is old."))
    text = shown_text(comparison(seen, *chances_of(seen, {"A sluice": 0.9})), seen.passages)
    assert text.count(both) == 1


def test_without_two_sides_it_is_explained() -> None:
    seen = evidence("What is the difference?", document(SLUICE), form="comparison")
    found = comparison(seen, *chances_of(seen, {"A sluice": 0.6}))
    assert (found.form, shown_text(found, seen.passages)) == ("comparison", SLUICE)


def test_a_sentence_that_names_both_sides_comes_first() -> None:
    """Each side had its own quote, and the sentence with both numbers was cut off or came last."""
    ford, carter = document("Ford was a careful man."), document("Carter grew peanuts.", number=2, name="b.md")
    votes = document("Carter got 297 votes and Ford 240.", number=3, name="c.md")
    seen = evidence("electoral votes of Carter vs Ford", ford, carter, votes)
    found = comparison(seen, *chances_of(seen, {"Ford was": 0.4, "Carter got": 0.4, "Carter grew": 0.3}))
    assert shown_text(found, seen.passages).startswith("Carter got 297 votes and Ford 240.")
