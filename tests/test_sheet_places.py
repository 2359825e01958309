"""Where an answer stands in a file of sheets or slides: on which one, by number and name, and never on two."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from openpyxl import Workbook
from pptx import Presentation

from indexer.collection import Collection
from indexer.pages import on_two, page_place
from indexer.screen import place
from rag.adapters.passages import passage_metadata
from rag.engine import Engine
from rag.generator import Copied, Draft
from rag.service import schemas
from rag.types import Passage
from rag.verification import verify
from tests.serving import client_of, service_of
from tests.test_pdf_pages import printed
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


def test_a_footnote_in_a_sheet_has_its_name_in_python_json_and_over_http(tmp_path: Path) -> None:
    workbook(tmp_path / "pier.xlsx")
    with closing(Collection("world", tmp_path / "home", encoder=WordEncoder())) as collection:
        collection.sync([tmp_path / "pier.xlsx"])
        answer = Engine(collection, OneRow()).ask("Which keeper has the north?")
        (citation,) = answer.citations
        assert (citation.page, citation.page_name, citation.quote) == (2, "Keepers", "Lamp: North; Keeper: Mira")
        told = json.loads(json.dumps(answer.to_json()))
        assert told["citations"][0]["page_name"] == "Keepers"
        assert {(each["page"], each["page_name"]) for each in told["passages"]} >= {(2, "Keepers")}
        assert passage_metadata(answer.passages[0])["page_name"] == answer.passages[0].page_name
        assert verify(told).holds
        told["citations"][0]["page_name"] = "Fees"
        assert verify(told).checks[0].reason == "the quote stands on sheet 2, which is not called 'Fees'"
    with client_of(service_of(tmp_path / "home", OneRow())) as client:
        body = client.post("/v1/ask", json={"question": "Which keeper has the north?"}).json()
        footnote = schemas.AskResponse.model_validate(body).citations[0]
        assert (footnote.page, footnote.page_name) == (2, "Keepers")
        found = client.post("/v1/search", json={"query": "north keeper"}).json()
        assert schemas.SearchResponse.model_validate(found).passages[0].page_name == "Keepers"
        assert client.post("/v1/verify", json=body).json()["holds"] is True
        body["citations"][0]["page_name"] = "Fees"
        assert client.post("/v1/verify", json=body).json()["holds"] is False


class OneRow:
    """Quotes the row of Mira."""

    name = "one-row"

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        row = "Lamp: North; Keeper: Mira"
        number, start = next((at, each.text.index(row)) for at, each in enumerate(passages) if row in each.text)
        return Draft((Copied(number, start, start + len(row)),), 0.9)

    def threshold(self, max_error: float | None) -> float:
        return 0.5


def test_a_slide_without_a_title_has_no_name_and_pages_have_none(tmp_path: Path) -> None:
    """It once had that of the slide before it."""
    deck = Presentation()
    titled = deck.slides.add_slide(deck.slide_layouts[5])
    titled.shapes.title.text = "Harbour rules"
    bare = deck.slides.add_slide(deck.slide_layouts[6])
    bare.shapes.add_textbox(0, 0, 9_000_000, 900_000).text_frame.text = "Zeppelins moor at the mast."
    deck.save(str(tmp_path / "deck.pptx"))
    (tmp_path / "pier.pdf").write_bytes(bytes(printed([(20, 20, "Zeppelins leave at dawn.")]).output()))
    with closing(Collection("pier", tmp_path / "home", encoder=WordEncoder())) as collection:
        collection.sync([tmp_path])
        found = Engine(collection).search("Zeppelins", mode="words")
    assert sorted((each.page, each.page_name) for each in found) == [(1, ""), (2, "")]


def test_places_are_told_by_what_the_pages_are() -> None:
    assert place("/a/pier.xlsx", 2, None, "Keepers") == "/a/pier.xlsx, sheet 2 (Keepers)"
    assert page_place("talk.pptx", 3) == "slide 3"
    assert page_place("book.pdf", 3, "Chapter") == "page 3"
    assert on_two("pier.xlsx", 1, 2)
    assert not on_two("pier.xlsx", None, 2)
    assert not on_two("book.pdf", 1, 2)
