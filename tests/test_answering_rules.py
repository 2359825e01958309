"""What may not be an answer, whatever the reader likes: one test for each rule, and the span that is shown instead."""

from __future__ import annotations

import pytest

from rag.answering.composing import span
from rag.answering.evidence import UNREAD, Evidence
from rag.answering.kinds import contradicts
from rag.answering.rules import (
    allowed,
    announces,
    fits,
    is_caption,
    off_the_row,
    only_an_address,
    repeats,
    says_something,
    with_its_unit,
    without_torn_brackets,
)
from rag.answering.signals import able, keys_asked_for
from rag.types import Passage
from tests.answers import passage
from tests.seen import document, evidence, quotes, unit_of

TABLE = "| tea | degrees |\n|---|---|\n| green | 80 |\n| black | 100 |"


def answer(seen: Evidence, unit: str) -> str:
    """Return the span that is the answer in the unit that begins with this text."""
    return quotes([span(seen, unit_of(seen, unit))], seen.passages)[0]


# Rows, cells and lines


def test_no_span_reaches_from_one_row_into_the_next() -> None:
    read = document(TABLE, (TABLE, "table"))
    seen = evidence("How many degrees for green tea?", read, spans={"80 |\n| black": 9.0})
    assert all(each.span is None for each in seen.all())
    assert answer(seen, "| green") == "80"


def test_no_span_reaches_from_one_cell_into_the_next() -> None:
    read = document(TABLE, (TABLE, "table"))
    seen = evidence("How is it steeped?", read, spans={"green | 80": 9.0})
    assert unit_of(seen, "| green").read == 9.0
    assert answer(seen, "| green") == "green"


def test_no_span_reaches_from_one_sentence_or_item_into_the_next() -> None:
    read = document("The mill has two wheels. The weir has three gates.\n\n- a net\n- a rope")
    seen = evidence(
        "What is there?", read, spans={"two wheels. The weir": 9.0, "net\n- a rope": 8.0, "three gates": 1.0}
    )
    assert [each.read for each in seen.all()] == [UNREAD, 1.0, UNREAD, UNREAD]


def test_no_span_reaches_from_one_field_into_the_next() -> None:
    fields = "Author: Petra Holm\nVersion: 3"
    seen = evidence("Who wrote it?", document(fields, (fields, "row")), spans={"Petra Holm\nVersion: 3": 9.0})
    assert answer(seen, "Author") == "Petra Holm"


def test_a_header_is_no_value() -> None:
    seen = evidence("How many degrees for green tea?", document(TABLE, (TABLE, "table")), spans={"degrees": 9.0})
    assert [seen.text(each.unit) for each in able(seen)] == ["| green | 80 |", "| black | 100 |"]


def test_only_the_row_that_the_question_names_may_answer() -> None:
    seen = evidence("How many degrees for black tea?", document(TABLE, (TABLE, "table")), spans={"80": 9.0})
    assert off_the_row(seen, unit_of(seen, "| green"))
    assert not off_the_row(seen, unit_of(seen, "| black"))
    units = able(seen)
    assert dict(zip([seen.text(each.unit) for each in units], allowed(seen, units), strict=True)) == {
        "| green | 80 |": False,
        "| black | 100 |": True,
    }


def test_prose_is_never_off_the_row() -> None:
    seen = evidence("How hot is black tea?", document("Green tea is cool. Black tea is hot."))
    assert allowed(seen, seen.all()) == [True, True]


# What says nothing


@pytest.mark.parametrize("text", ["", "#", "///", " * ", "—", "```", "…", "¿?", "👍"])
def test_marks_alone_say_nothing(text: str) -> None:
    assert not says_something(text)


@pytest.mark.parametrize("text", ["a", "4", "é", "茶", "§ 4"])
def test_a_letter_or_a_digit_says_something(text: str) -> None:
    assert says_something(text)


def test_a_span_of_marks_gives_way_to_its_sentence() -> None:
    seen = evidence("What turns?", document("*** The wheel turns."), spans={"***": 9.0})
    assert answer(seen, "***") == "*** The wheel turns."


def test_in_a_comment_there_is_no_answer() -> None:
    read = document("The wheel <!-- of oak --> is of iron.")
    seen = evidence("What is the wheel made of?", read, spans={"oak": 9.0, "iron": 1.0})
    assert answer(seen, "The wheel") == "iron"


# What repeats the question


def test_a_span_of_the_questions_words_repeats_it() -> None:
    assert repeats("When does the mill open?", "the mill opens")
    assert not repeats("When does the mill open?", "the mill opens at nine")
    assert not repeats("When does the mill open?", "the")  # it says nothing at all


def test_a_span_that_repeats_the_question_gives_way_to_its_sentence() -> None:
    seen = evidence("When does the mill open?", document("The mill opens at nine."), spans={"The mill": 9.0})
    assert answer(seen, "The mill") == "The mill opens at nine."


def test_in_a_faq_the_answer_is_what_follows_the_question() -> None:
    question, reply = "When does the mill open?", "At nine."
    read = document(f"{question}\n\n{reply}", (question, "paragraph"), (reply, "paragraph"))
    seen = evidence(question, read, spans={"the mill open": 9.0})
    assert [seen.text(each.unit) for each in able(seen)] == [reply]
    assert able(seen)[0].around == pytest.approx(1.0)  # of the question's words, by what it answers


# Numbers


@pytest.mark.parametrize(
    ("question", "text", "number", "expected"),
    [
        ("How far is it?", "It is 12 km away.", "12", "12 km"),
        ("How hot?", "at 80 °C for long", "80", "80 °C"),
        ("How many?", "some 12 % of all", "12", "12 %"),
        ("How old?", "it is 40 years old", "40", "40 years"),
        ("How much?", "It costs $ 40 a day.", "40", "$ 40"),
        ("How much?", "EUR 40 a day", "40", "EUR 40"),
        ("How much?", "40 crowns a day", "40", "40 crowns"),
        ("How fast?", "up to 50 km/h there", "50", "50 km/h"),
        ("How fast?", "some 3 m/s", "3", "3 m/s"),
        ("How strong?", "take 5 g/l.", "5", "5 g/l"),
        ("How large?", "about 5 m² each", "5", "5 m²"),
        ("Wie alt ist sie?", "seit 12 Jahren", "12", "12 Jahren"),
        ("Combien ?", "il faut 3 heures", "3", "3 heures"),
        ("How many?", "The 12 mills stand.", "12", "12"),
        ("How many?", "12 major ones", "12", "12"),  # a word that begins like a unit is none
    ],
)
def test_a_number_keeps_its_unit(question: str, text: str, number: str, expected: str) -> None:
    start, end = with_its_unit(question, text, text.index(number), text.index(number) + len(number))
    assert text[start:end] == expected


def test_a_unit_that_the_question_names_is_left_out() -> None:
    text = "It is 12 kilometres away."
    assert with_its_unit("How many kilometres is it?", text, 6, 8) == (6, 8)
    assert with_its_unit("How far is it?", text, 6, 8) == (6, 19)


def test_the_unit_lies_in_the_same_cell() -> None:
    seen = evidence("How far is the weir?", document("The weir is 12 km away."), spans={"12": 9.0})
    assert answer(seen, "The weir") == "12 km"


# The reader


def test_a_span_far_behind_the_best_is_no_answer() -> None:
    """A unit may be chosen for its words: what the reader likes in it then says little, and the whole is shown."""
    read = document("The mill opens at nine. The weir was built in 1911.")
    seen = evidence("When does the mill open?", read, spans={"1911": 9.0, "mill": 3.0})
    assert answer(seen, "The mill") == "The mill opens at nine."
    assert answer(seen, "The weir") == "1911"


def test_of_a_field_the_value_is_the_answer() -> None:
    seen = evidence("Who wrote it?", passage("**Author:** Petra Holm"))
    assert answer(seen, "**Author") == "Petra Holm"


# What announces


@pytest.mark.parametrize(
    "text",
    ["By the end of this chapter, you will be able to open a sluice.", "Table of contents", "See also the weir."],
)
def test_what_only_announces_is_no_answer(text: str) -> None:
    seen = evidence("How do I open a sluice?", passage(text))
    assert allowed(seen, seen.all()) == [False]
    assert announces(seen, seen.all()[0])


def test_what_stands_under_learning_objectives_announces() -> None:
    text = "# Learning objectives\n\n- Open a sluice\n- Close it\n\nA sluice is opened by its wheel."
    seen = evidence("How do I open a sluice?", document(text))
    assert announces(seen, unit_of(seen, "- Open"))
    assert not announces(seen, unit_of(seen, "A sluice"))  # the chapter begins, under no heading of its own


def test_the_kind_that_is_asked_for_fits() -> None:
    assert fits("When was it built?", "in May 1911")
    assert not fits("When was it built?", "by the river")
    assert fits("How many gates?", "three")
    assert not fits("How many gates?", "of oak")
    assert fits("What is it?", "anything")


def test_the_field_that_a_question_names_by_its_key_is_likely() -> None:
    text = "Elevation.highest point: Old Tor 812 m\nElevation.lowest point: Mud Flats -3 m\nMotto: Onward"
    seen = evidence("lowest point of Tarnland", document(text, title="Tarnland", name="tarnland.yaml"))
    chances = dict(zip([seen.text(each.unit) for each in able(seen)], keys_asked_for(seen, able(seen)), strict=True))
    assert [key for key, chance in chances.items() if chance > 0.5] == ["Elevation.lowest point: Mud Flats -3 m"]


def test_a_key_of_a_document_that_is_not_named_is_not_asked_for() -> None:
    seen = evidence("lowest point of Egypt", document("Elevation.lowest point: Mud Flats -3 m", title="Tarnland"))
    assert keys_asked_for(seen, able(seen)) == [0.0]


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("What does the lamp cost in crowns or in dollars?", "an incredibly low price", True),
        ("What does the lamp cost in dollars?", "It costs $35.", False),
        ("What does the lamp cost in dollars?", "It costs 35.", False),
        ("How many litres does the tank hold?", "It takes 200 watts.", True),
        ("How many litres does the tank hold?", "It holds 40 l.", False),
        ("How far is it in miles?", "It is 42 km away.", True),
        ("What was paid in 2021?", "In 2022 it was ten crowns.", True),
        ("Who lives in town?", "Petra Holm.", False),
    ],
)
def test_a_unit_or_a_year_that_is_asked_for_is_told(question: str, text: str, expected: bool) -> None:
    assert contradicts(question, text) == expected


def test_a_heading_with_a_date_says_when_something_was_released() -> None:
    text = (
        "# Changelog\n\n## 1.1.0 - 2019-02-15\n\n- A lamp for the stern.\n\n## 1.0.0 - 2017-06-20\n\n- The first boat."
    )
    dated = evidence("When was 1.1.0 released?", document(text))
    assert "## 1.1.0 - 2019-02-15" in [dated.text(each.unit) for each in able(dated)]
    other = evidence("What came with 1.1.0?", document(text))
    assert not any(each.unit.kind == "heading" for each in able(other))


def row(text: str, number: int, name: str = "fees.csv") -> Passage:
    """Return a passage that is one row of a sheet; those of one document differ in where they stand."""
    return document(text, (text, "row"), number=number, name=name)


def test_a_row_of_another_passage_that_holds_the_name_answers_instead() -> None:
    """A later part of a sheet has the berth that was named; the first part has one that says other words of it."""
    first = row("Berth: North; Fee per year: 900; note: estimated fee of a year", 1)
    seen = evidence("estimated fee per year of berth SeaGate", first, row("Berth: SeaGate; Fee per year: 120", 2))
    assert [off_the_row(seen, each) for each in seen.all()] == [True, False]
    other = evidence(
        "estimated fee per year of berth SeaGate", first, row("Berth: SeaGate; Fee per year: 80", 2, "old.csv")
    )
    assert [off_the_row(other, each) for each in other.all()] == [False, False]


def test_a_web_address_answers_only_who_asks_for_one() -> None:
    address = "- https://example.org/minutes/label"
    assert only_an_address("Who was present at the meeting?", address)
    assert not only_an_address("Where are the minutes?", address)
    assert not only_an_address("What is the link to the minutes?", address)
    assert not only_an_address("Who was present?", f"Anna Holm {address}")


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("- [2019](./fund/2019.md)", "[2019", "2019"),
        ("(see box.png)", "box.png)", "box.png"),
        ("a net (of hemp) and a rope", "a net (of hemp)", "a net (of hemp)"),
        ("the list [a, b] ends", "[a, b]", "[a, b]"),
        ("f(x)", "f(x", "f(x"),
        ("[[", "[[", ""),
    ],
)
def test_a_span_does_not_begin_or_end_with_half_a_pair_of_brackets(text: str, span: str, expected: str) -> None:
    begin = text.index(span)
    start, end = without_torn_brackets(text, begin, begin + len(span))
    assert text[start:end] == expected


def test_a_picture_that_is_a_link_says_nothing() -> None:
    assert only_an_address("Which mark is on the board?", "[![](mark.png)](https://example.org/mark)")
    assert not only_an_address("Which mark is on the board?", "[![mark of the mill](mark.png)](https://example.org)")
    assert not only_an_address("When was it?", "- [2019](./fund/2019.md)")


def test_the_number_of_an_item_is_no_answer() -> None:
    read = document("Within 90 days each office does this:\n\n2. Name a keeper.\n3. Publish a policy for the weir.")
    seen = evidence("How many days are there to publish a policy?", read, spans={"3": 9.0, "90 days": 2.0})
    assert unit_of(seen, "3. Publish").read == UNREAD
    assert answer(seen, "Within") == "90 days"
    dated = document("Der Beginn:\n\n3. Mai 1921, mittags")
    assert unit_of(evidence("Wann begann es?", dated, spans={"3. Mai 1921": 9.0}), "3. Mai").read == 9.0


def test_a_line_of_the_references_is_only_an_address() -> None:
    assert only_an_address("Who was present at the meeting?", "[21] https://example.org/minutes/11524.html")
    assert only_an_address("Who was present?", ".. [3] https://example.org/minutes")
    assert not only_an_address("Who was present?", "[21] Anna Holm, https://example.org/minutes")


@pytest.mark.parametrize(
    "text",
    [
        "Table 3-1: Kinds of Apples in the Orchard",
        '<span class="caption">Table 3-1: Kinds of Apples</span>',
        "Figure 2. The press in winter",
        "Abbildung 4: Die Presse",
        "Table 3-1 shows\nthe kinds of apples.",
        "The following table lists the apples.",
    ],
)
def test_a_caption_and_a_pointer_to_a_table_are_no_answer(text: str) -> None:
    assert is_caption("Which apple keeps longest?", text)
    assert not is_caption("What does table 3 show?", text)


def test_what_a_table_shows_is_an_answer() -> None:
    assert not is_caption("Which apple keeps longest?", "Table 3 shows that the russet keeps longest.")
    assert not is_caption("Which apple keeps longest?", "The table in the hall is of oak.")
