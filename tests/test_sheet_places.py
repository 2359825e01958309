"""Where an answer stands in a file of sheets or slides: on which one, by number and name, and never on two."""

from __future__ import annotations

import io
from pathlib import Path

from openpyxl import Workbook

from indexer.collection import Collection
from indexer.pages import on_two, page_place
from indexer.screen import place
from rag.engine import Engine
from tests.worlds import WordEncoder


def workbook(path: Path) -> None:
    book = Workbook()
    first = book.worksheets[0]
    first.title = "Fees"
    for row in (["Berth", "Fee"], ["North pier", 14], ["South pier", 9]):
        first.append(row)
    second = book.create_sheet("Keepers")
    for row in (["Lamp", "Keeper"], ["North", "Mira"], ["South", "Ann"]):
        second.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    path.write_bytes(buffer.getvalue())


def test_a_passage_of_a_sheet_names_it_and_is_joined_with_no_other(tmp_path: Path) -> None:
    workbook(tmp_path / "pier.xlsx")
    collection = Collection("pier", tmp_path / "home", encoder=WordEncoder())
    collection.sync([tmp_path / "pier.xlsx"])
    found = Engine(collection).ask("Which keeper and which fee has the north?").passages
    assert {each.page_name for each in found} == {"Fees", "Keepers"}
    assert not any("Fee:" in each.text and "Keeper:" in each.text for each in found)


def test_places_are_told_by_what_the_pages_are() -> None:
    assert place("/a/pier.xlsx", 2, None, "Keepers") == "/a/pier.xlsx, sheet 2 (Keepers)"
    assert page_place("talk.pptx", 3) == "slide 3"
    assert page_place("book.pdf", 3, "Chapter") == "page 3"
    assert on_two("pier.xlsx", 1, 2)
    assert not on_two("pier.xlsx", None, 2)
    assert not on_two("book.pdf", 1, 2)
