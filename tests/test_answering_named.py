"""The part, version or error that a question names, told from its neighbours."""

from __future__ import annotations

import pytest

from rag.answering.named import about_another, alike, codes
from rag.answering.rules import allowed
from rag.answering.signals import able
from tests.seen import document, evidence, unit_of

PARTS = (
    "Part QT-310-A: gasket of the pump. It lies on shelf 4.\n\n"
    "Part QT-301-A: valve of the pump. It lies on shelf 5.\n\n"
    "The pump stands in hall two."
)


def test_a_sentence_about_another_part_is_no_answer() -> None:
    seen = evidence("What is part QT-310-A?", document(PARTS))
    units = able(seen)
    assert dict(zip([seen.text(each.unit) for each in units], allowed(seen, units), strict=True)) == {
        "Part QT-310-A: gasket of the pump.": True,
        "It lies on shelf 4.": True,
        "Part QT-301-A: valve of the pump.": False,
        "It lies on shelf 5.": False,  # the sentence before it says of what
        "The pump stands in hall two.": True,
    }


@pytest.mark.parametrize("way", ["QT310A", "qt-310-a", "QT-310"])
def test_a_part_may_be_written_in_another_way_or_named_by_its_family(way: str) -> None:
    assert not about_another(
        evidence(f"What is {way}?", document(PARTS)), unit_of(evidence(way, document(PARTS)), "Part QT-310")
    )


def test_a_heading_says_what_the_text_under_it_is_about() -> None:
    read = document(
        "## K-17\n\nThe lid is open. Close it.\n\n## 0x8004\n\nThe disk is full. Empty it.",
        ("## K-17", "heading"),
        ("## 0x8004", "heading"),
    )
    seen = evidence("What should I do about error 0x8004?", read)
    assert about_another(seen, unit_of(seen, "Close it."))
    assert not about_another(seen, unit_of(seen, "Empty it."))


def test_a_row_is_about_its_own_code() -> None:
    table = "| code | action |\n|---|---|\n| K-17 | close the lid |\n| K-18 | empty the tray |"
    seen = evidence("What must be done for K-18?", document(table, (table, "table")))
    assert about_another(seen, unit_of(seen, "| K-17"))
    assert not about_another(seen, unit_of(seen, "| K-18"))


def test_a_question_without_a_code_rules_out_nothing() -> None:
    seen = evidence("What lies on shelf 4?", document(PARTS))
    assert not any(about_another(seen, each) for each in seen.all())


@pytest.mark.parametrize(
    ("one", "other"),
    [("2.3.1", "3.2.1"), ("2.3.1", "2.3.10"), ("qt310a", "zx999b"), ("utf8", "utf16"), ("k17", "k1718")],
)
def test_codes_of_one_kind_are_alike(one: str, other: str) -> None:
    assert alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("co2", "ch4"), ("qt310a", "2.3.1"), ("k17", "0x8004"), ("utf8", "rfc9309")]
)
def test_codes_of_two_kinds_are_not(one: str, other: str) -> None:
    assert not alike(one, other)


def test_decimals_and_dates_are_no_codes() -> None:
    assert codes("On 2024-03-12 it was 3.5 m; see QT-310-A in 2.3.1.") == ["QT-310-A", "2.3.1"]
