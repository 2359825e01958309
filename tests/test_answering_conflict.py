"""Where documents differ and carry dates or versions, the newest is answered and the others stand beside it."""

from __future__ import annotations

import pytest

from rag.answering.composing import Shown
from rag.answering.conflict import newest
from rag.types import Passage
from tests.seen import chances_of, document, evidence, quotes, shown_text

OLD = document("The fare is 8 crowns.", number=1, name="fares-2021.md")
NEW = document("The fare is 9 crowns.", number=2, name="fares-2022.md")


def shown(question: str, *read: Passage, likely: dict[str, float] | None = None) -> tuple[Shown, str, list[str]]:
    """Return what is shown where the first passage is the likeliest, its text, and the quotes beside it."""
    fares = {"8 crowns": 5.0, "9 crowns": 4.0}
    spans = {fare: score for fare, score in fares.items() if any(fare in each.text for each in read)}
    seen = evidence(question, *read, spans=spans)
    found = newest(seen, *chances_of(seen, likely or {"The fare is 8": 0.8, "The fare is 9": 0.7}))
    return found, shown_text(found, seen.passages), quotes(found.also, seen.passages)


def test_the_newest_is_answered_and_the_others_are_named() -> None:
    found, text, beside = shown("What is the fare?", OLD, NEW)
    assert (found.form, text, beside) == ("conflict", "9 crowns", ["The fare is 8 crowns."])


def test_the_newest_comes_first_though_it_is_the_likeliest_already() -> None:
    found, text, beside = shown("What is the fare?", OLD, NEW, likely={"The fare is 9": 0.8, "The fare is 8": 0.7})
    assert (found.form, text, beside) == ("conflict", "9 crowns", ["The fare is 8 crowns."])


def test_a_question_that_names_a_year_is_answered_for_that_year() -> None:
    found, text, _ = shown("What was the fare in 2021?", OLD, NEW)
    assert (found.form, text) == ("fact", "8 crowns")


def test_a_year_in_the_question_outweighs_the_likelier_sentence() -> None:
    """The fare of 2022 was told as that of 2021, where the reader liked it a little better."""
    likely = {"The fare is 9": 0.8, "The fare is 8": 0.7}
    found, text, beside = shown("What was the fare in 2021?", OLD, NEW, likely=likely)
    assert (found.form, text, beside) == ("fact", "8 crowns", ["The fare is 9 crowns."])
    assert shown("What was the fare in 1999?", OLD, NEW, likely=likely)[1] == "9 crowns"


def test_without_a_date_nothing_is_newest() -> None:
    undated = document("The fare is 9 crowns.", number=2, name="fares.md")
    found, text, _ = shown("What is the fare?", OLD, undated)
    assert (found.form, text) == ("fact", "8 crowns")


def test_an_unlikely_sentence_is_no_rival() -> None:
    found, text, _ = shown("What is the fare?", OLD, NEW, likely={"The fare is 8": 0.8, "The fare is 9": 0.1})
    assert (found.form, text) == ("fact", "8 crowns")


def test_one_document_does_not_contradict_itself() -> None:
    found, text, _ = shown("What is the fare?", document("The fare is 8 crowns. The fare is 9 crowns.", name="2021.md"))
    assert (found.form, text) == ("fact", "8 crowns")


def test_sentences_about_other_things_are_no_rivals() -> None:
    other = document("A crossing with a bicycle costs 9 crowns.", number=2, name="fares-2022.md")
    found, text, _ = shown("What is the fare?", OLD, other, likely={"The fare": 0.8, "A crossing": 0.7})
    assert (found.form, text) == ("fact", "8 crowns")


def test_the_same_number_is_no_conflict() -> None:
    again = document("The fare is 8 crowns.", number=2, name="fares-2022.md")
    assert shown("What is the fare?", OLD, again)[0].form == "fact"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (document("Of 2021: the fare is 8 crowns.", number=1), document("Of 2023: the fare is 9 crowns.", number=2)),
        (document("Version 2.9: the fare is 8 crowns."), document("Version 2.10: the fare is 9 crowns.", number=2)),
        (
            document("The fare is 8 crowns.", name="a.md", title="Fares v1.2"),
            document("The fare is 9 crowns.", number=2, name="b.md", title="Fares v1.10"),
        ),
        (
            document("The fare is 8 crowns.", name="fares_2022-03-04.md"),
            document("The fare is 9 crowns.", number=2, name="fares_2022-11-04.md"),
        ),
    ],
)
def test_dates_and_versions_are_compared_as_numbers(old: Passage, new: Passage) -> None:
    """Version 2.10 comes after 2.9, wherever it stands: in the sentence, the title or the name of the file."""
    likely = {old.text[:10]: 0.8, new.text[:10]: 0.8}
    found, text, beside = shown("What is the fare?", old, new, likely=likely)
    assert (found.form, text, beside) == ("conflict", "9 crowns", [old.text])


def test_of_many_the_next_three_are_named_newest_first() -> None:
    read = [
        document(f"The fare is {year - 2010} crowns.", number=year, name=f"{year}.md") for year in range(2015, 2021)
    ]
    seen = evidence("What is the fare?", *read)
    found = newest(seen, *chances_of(seen, {"The fare": 0.5}))
    assert shown_text(found, seen.passages) == "The fare is 10 crowns."
    assert quotes(found.also, seen.passages) == [f"The fare is {crowns} crowns." for crowns in (9, 8, 7)]
