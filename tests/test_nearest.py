"""What is offered for a name that was typed wrong."""

import pytest

from indexer.nearest import did_you_mean, nearest

NAMES = ["pep-0008.rst", "pep-0020.rst", "pep-0257.rst", "README.md", "notes/Archive of 1921.txt"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("pep-0008", ["pep-0008.rst"]),
        ("PEP-0020.RST", ["pep-0020.rst"]),
        ("readme", ["README.md"]),
        ("raedme.md", ["README.md"]),
        ("archive", ["notes/Archive of 1921.txt"]),
        ("pep-0251.rst", ["pep-0257.rst"]),
        ("zeppelin", []),
        ("", []),
    ],
)
def test_the_nearest_name_is_the_one_that_holds_it_or_is_spelled_like_it(typed: str, expected: list[str]) -> None:
    assert nearest(typed, NAMES)[: len(expected) or None] == expected


def test_of_many_names_that_hold_it_the_shortest_that_begin_with_it_come_first() -> None:
    names = ["old-report.md", "report-2019-final.md", "report-2.md", "report.md"]
    assert nearest("report", names) == ["report.md", "report-2.md", "report-2019-final.md"]


def test_a_question_is_asked_only_where_there_is_something_near() -> None:
    assert did_you_mean("pep-0008", NAMES) == "Did you mean: pep-0008.rst?"
    assert did_you_mean("zeppelin", NAMES) == ""
