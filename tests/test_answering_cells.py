"""The cells of a row, and which of them a question asks for."""

from __future__ import annotations

import pytest

from rag.answering.cells import Cell, asked_cell, cell_at, cells

HEADER = "| tea | degrees | minutes |"
ROW = "| green | 80 | 3 |"


def named(row: str, header: str = "") -> list[tuple[str, str]]:
    return [(cell.name, row[cell.start : cell.end]) for cell in cells(row, header)]


def test_cells_between_bars_are_named_by_the_header() -> None:
    assert named(ROW, HEADER) == [("tea", "green"), ("degrees", "80"), ("minutes", "3")]
    assert cells(ROW, HEADER)[1] == Cell("degrees", 10, 12)


def test_bars_at_the_ends_may_be_missing() -> None:
    assert named("green | 80", "tea | degrees") == [("tea", "green"), ("degrees", "80")]


def test_an_empty_cell_is_a_cell() -> None:
    assert named("| green | | 3 |", HEADER) == [("tea", "green"), ("degrees", ""), ("minutes", "3")]


def test_a_header_of_another_width_names_nothing() -> None:
    assert named(ROW, "| tea | degrees |") == [("", "green"), ("", "80"), ("", "3")]
    assert named(ROW) == [("", "green"), ("", "80"), ("", "3")]
    assert named(ROW, "How teas are steeped") == [("", "green"), ("", "80"), ("", "3")]


def test_names_may_stand_in_the_row() -> None:
    row = "tea: green; degrees: 80; hint: cool it first"
    assert named(row) == [("tea", "green"), ("degrees", "80"), ("hint", "cool it first")]


def test_marks_of_emphasis_are_no_part_of_a_name() -> None:
    assert named("| green | 80 |", "| **tea** | `degrees` |") == [("tea", "green"), ("degrees", "80")]


@pytest.mark.parametrize("row", ["", "|", "||", "a", "; ", ":", "|||"])
def test_what_is_no_row_has_no_named_cell(row: str) -> None:
    assert all(cell.name == "" for cell in cells(row, row))


@pytest.mark.parametrize(
    ("question", "cell"),
    [
        ("How many degrees for green tea?", "80"),
        ("How many minutes does green tea take?", "3"),
        ("Which tea takes 80 degrees?", "green"),  # 80 is what the question names, not what it asks for
    ],
)
def test_the_cell_of_the_column_that_is_named_is_asked_for(question: str, cell: str) -> None:
    found = asked_cell(question, ROW, HEADER)
    assert found is not None
    assert ROW[found.start : found.end] == cell


def test_no_cell_is_asked_for_where_no_column_is_named_or_two_are() -> None:
    assert asked_cell("What about green?", ROW, HEADER) is None
    assert asked_cell("How many degrees and minutes for green?", ROW, HEADER) is None
    assert asked_cell("How many degrees for green tea?", ROW) is None


def test_an_empty_cell_is_not_asked_for() -> None:
    assert asked_cell("How many degrees?", "| green | | 3 |", HEADER) is None


def test_a_place_lies_in_one_cell_or_in_none() -> None:
    found = cell_at(ROW, ROW.index("80"), HEADER)
    assert found is not None
    assert found.name == "degrees"
    assert cell_at(ROW, 0, HEADER) is None


def test_a_number_without_a_column_name_is_called_by_the_cell_before_it() -> None:
    """ "What did the hall cost?" was answered by the first number of the row."""
    row = "fund of the club; €15,000.00; Hall - rent; €2,450.10; paid"
    assert named(row) == [("fund of the club", "€15,000.00"), ("Hall - rent", "€2,450.10")]
    cell = asked_cell("What was the rent of the hall for the club day?", row)
    assert cell is not None
    assert row[cell.start : cell.end] == "€2,450.10"
    assert named("first; second; third") == []
    assert named("costs 1,200 euro in 2020") == []


def test_a_value_between_quotation_marks_is_one_cell() -> None:
    row = "ID: R-1; Rationale: “In 10 minutes; note: 3”; Owner: Mira; Link: a;b"
    assert named(row) == [("ID", "R-1"), ("Rationale", "In 10 minutes; note: 3"), ("Owner", "Mira"), ("Link", "a;b")]
    found = asked_cell("What is the note of R-1's owner?", row)
    assert found is not None
    assert row[found.start : found.end] == "Mira"


CARD = "vendor: Holm; item: Alder card; memory_gb: 48; power_watts: 350; price_gbp: 4350; delivery_days: 45"


@pytest.mark.parametrize("question", ["What does the Alder card cost?", "How much is charged for the Alder card?"])
def test_the_price_is_the_column_of_money_whatever_it_is_called(question: str) -> None:
    """The watts were told, at 79 per cent."""
    cell = asked_cell(question, CARD)
    assert cell is not None
    assert CARD[cell.start : cell.end] == "4350"
    assert asked_cell("How much is charged for it?", CARD + "; fee_gbp: 20") is None
    assert asked_cell("What does the card cost?", CARD + "; cost_gbp: 20") == Cell("cost_gbp", 111, 113)
    assert asked_cell("Which colour is the Alder card?", CARD) is None


def test_who_owns_it_asks_for_the_owner() -> None:
    row = "ID: R-1; Requirement: The pump starts by itself; Owner: Petra Holm; Reviewer: Jon Berg"
    for question, name in (("Who owns R-1?", "Petra Holm"), ("Who reviews R-1?", "Jon Berg")):
        cell = asked_cell(question, row)
        assert cell is not None
        assert row[cell.start : cell.end] == name
