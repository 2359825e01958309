"""A number and what it counts agree, wherever one may be one."""

import re
from pathlib import Path

import pytest

import cli
from indexer.plurals import counted

ROOT = Path(cli.__file__).parent
NOUNS = "documents|passages|questions|segments|citations|vectors|texts|folders"


def test_one_is_one_and_the_rest_are_many() -> None:
    assert [counted(number, "passage") for number in (0, 1, 2, 1204)] == [
        "0 passages", "1 passage", "2 passages", "1,204 passages",
    ]  # fmt: skip
    assert (counted(1, "entry", "entries"), counted(2, "entry", "entries")) == ("1 entry", "2 entries")


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "cli.py",
        *(ROOT / "indexer").glob("*command*.py"),
        *(ROOT / "rag").glob("*command.py"),
        *(ROOT / "finetune" / "commands").glob("*.py"),
        ROOT / "rag" / "showing.py",
        ROOT / "rag" / "answer_text.py",
        ROOT / "rag" / "evaluation" / "showing.py",
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_what_is_counted_for_a_person_goes_by_the_number(path: Path) -> None:
    """`status` said "1 segments", and `ls` "1 passages"."""
    said = re.findall(rf"\{{[^{{}}]*\}} (?:{NOUNS})\b[^\n]*", path.read_text(encoding="utf-8"))
    assert not said, f"write counted(number, noun) from indexer.plurals: {said}"
