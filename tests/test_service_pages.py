"""Pages of PDFs over HTTP: drawn and with the places of a quote, and refused where the file is not what was indexed."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from indexer.collection import Collection
from indexer.errors import Unreadable
from indexer.sandbox import Limits
from indexer.transfer import export_collection, import_collection
from rag.service import schemas
from rag.service.batching import Full
from rag.service.documents import document_id
from rag.service.pdf_pages import PdfPages, page_sections, stored_pdf
from rag.service.service import Service
from tests.serving import client_of, service_of
from tests.test_pdf_pages import HEIGHT, WIDTH, endless, printed
from tests.worlds import WordEncoder

PAGES = ([(20.0, 100.0, "Mira Salt keeps the lamp.")], [(30.0, 40.0, "The fee is fourteen crowns.")])
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs the limits of Linux")


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "pier.pdf").write_bytes(bytes(printed(*PAGES).output()))
    (tmp_path / "files" / "pier.md").write_text("# Pier\n\nThe fee is nine crowns.\n")
    with closing(Collection("world", tmp_path / "home", encoder=WordEncoder())) as collection:
        collection.sync([tmp_path / "files"])
    return service_of(tmp_path / "home")


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with client_of(service) as client:
        yield client


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    return tmp_path / "files" / "pier.pdf"


def pages(path: Path, collection: str = "world") -> str:
    return f"/v1/collections/{collection}/documents/{document_id(str(path))}/pages"


def refused(response: Any) -> tuple[int, str, str]:
    """Return status, type and message of a refusal."""
    error = response.json()["error"]
    assert set(error) == {"type", "message", "hint"}
    assert error["hint"]
    return response.status_code, error["type"], error["message"]


def test_a_page_is_drawn_at_the_scale_that_is_asked_for(client: TestClient, pdf: Path) -> None:
    for number, scale, size in ((1, None, (893, 1263)), (2, 1, (596, 842)), (2, 0.5, (298, 421))):
        response = client.get(f"{pages(pdf)}/{number}", params={} if scale is None else {"scale": scale})
        assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
        assert response.headers["cache-control"] == "no-store"
        assert Image.open(io.BytesIO(response.content)).size == size
    first = client.get(f"{pages(pdf)}/1").content
    assert first == client.get(f"{pages(pdf)}/1").content != client.get(f"{pages(pdf)}/2").content


def test_a_footnote_is_boxed_on_its_page(client: TestClient, pdf: Path) -> None:
    answer = client.post("/v1/ask", json={"question": "What does Mira keep?"}).json()
    citation = answer["citations"][0]
    place = {"start": citation["start"], "end": citation["end"]}
    response = client.get(f"{pages(pdf)}/{citation['page']}/boxes", params=place)
    found = schemas.PageBoxes.model_validate(response.json())
    assert (found.page, found.pages, round(found.width), round(found.height)) == (1, 2, 595, 842)
    ((left, top, right, bottom),) = found.boxes
    assert left == pytest.approx(20 / WIDTH, abs=0.004)
    assert top < 100 / HEIGHT < bottom
    assert left + 0.1 < right < 0.5
    assert client.get(f"{pages(pdf)}/2/boxes", params=place).json()["boxes"] == []
    assert client.get(f"{pages(pdf)}/1/boxes", params={"start": 0, "end": 0}).json()["boxes"] == []
    assert client.get(f"{pages(pdf)}/1/boxes", params={"start": 10**9, "end": 2**53}).json()["boxes"] == []


def test_what_is_no_page_of_a_pdf_is_not_found(client: TestClient, pdf: Path) -> None:
    other = pages(pdf.with_suffix(".md"))
    for route in ("", "/boxes?start=0&end=5"):
        assert refused(client.get(f"{pages(pdf)}/3{route}")) == (
            404,
            "not_found",
            "There is no page 3 in 'pier.pdf': it has 2 pages.",
        )
        assert refused(client.get(f"{pages(pdf)}/0{route}"))[:2] == (404, "not_found")
        assert refused(client.get(f"{other}/1{route}"))[2] == "'Pier' is no PDF, but markdown."
        assert refused(client.get(f"{pages(pdf / 'x')}/1{route}"))[:2] == (404, "not_found")
        assert refused(client.get(f"{pages(pdf, 'none')}/1{route}"))[:2] == (404, "not_found")


def test_what_is_no_number_in_its_limits_is_refused(client: TestClient, pdf: Path) -> None:
    for wrong in ("1?scale=0", "1?scale=9", "1?scale=nan", "one", f"{2**40}", "1/boxes", "1/boxes?start=-1&end=2"):
        assert refused(client.get(f"{pages(pdf)}/{wrong}"))[:2] == (422, "invalid_request"), wrong


def test_a_file_that_has_changed_or_gone_is_not_shown_even_from_memory(client: TestClient, pdf: Path) -> None:
    """A picture that is kept shows what was; a reader would take it for the file that is there."""
    routes = (f"{pages(pdf)}/1", f"{pages(pdf)}/1/boxes?start=0&end=40")
    before = [client.get(route).content for route in routes]
    pdf.write_bytes(pdf.read_bytes() + b"\n% another byte")
    for route in routes:
        assert refused(client.get(route))[2] == "The file of 'pier.pdf' has changed since it was indexed."
    client.post("/v1/collections/world/index", json={})
    assert [client.get(route).status_code for route in routes] == [200, 200]
    assert client.get(routes[1]).content == before[1]
    pdf.unlink()
    for route in routes:
        assert refused(client.get(route))[2] == "The file of 'pier.pdf' is gone."
    pdf.symlink_to(pdf.with_suffix(".md"))
    assert refused(client.get(routes[0]))[2].startswith("The file of 'pier.pdf' cannot be read")


def test_an_uploaded_file_is_shown_under_its_name(client: TestClient) -> None:
    data = bytes(printed(*PAGES).output())
    sent = client.post("/v1/collections/world/documents", params={"name": "fees.pdf"}, content=data).json()
    route = f"/v1/collections/world/documents/{sent['document']['id']}/pages"
    assert client.get(f"{route}/2").status_code == 200
    assert "'fees.pdf'" in refused(client.get(f"{route}/9"))[2]


def test_a_document_that_was_imported_leads_to_no_file(tmp_path: Path, service: Service, pdf: Path) -> None:
    """Its source is a text that anybody may have given it, and the file there is not what it was read from."""
    with closing(Collection("world", tmp_path / "home", encoder=WordEncoder())) as collection:
        export_collection(collection, tmp_path / "all.footnote")
    with closing(Collection("copy", tmp_path / "home", encoder=WordEncoder())) as copy:
        import_collection(tmp_path / "all.footnote", copy)
    with client_of(service) as client:
        assert refused(client.get(f"{pages(pdf, 'copy')}/1"))[2] == (
            "There is no file of 'pier.pdf': only its text was given."
        )


@linux_only
def test_a_page_that_takes_for_ever_is_given_up_while_others_are_served(tmp_path: Path, service: Service) -> None:
    path = tmp_path / "files" / "slow.pdf"
    path.write_bytes(endless())
    with closing(Collection("world", tmp_path / "home", encoder=WordEncoder())) as collection:
        collection.sync([path], prune=False)
    service.pages.close()
    service.pages = PdfPages(Limits(cpu=2, wall=4.0))
    with client_of(service) as client:
        answers: list[Any] = []
        slow = [
            threading.Thread(target=lambda: answers.append(client.get(f"{pages(path)}/1", params={"scale": 4})))
            for _ in range(3)
        ]
        for thread in slow:
            thread.start()
        begun = time.monotonic()
        assert client.get("/healthz").status_code == 200
        assert client.post("/v1/search", json={"query": "lamp"}).status_code == 200
        assert time.monotonic() - begun < 5
        for thread in slow:
            thread.join(60)
        assert {refused(each)[:2] for each in answers} == {(422, "unreadable")}
        assert "took" in refused(answers[0])[2]
        assert client.get(f"{pages(path.with_name('pier.pdf'))}/1").status_code == 200


@linux_only
def test_one_page_too_many_is_told_to_come_again(tmp_path: Path, service: Service) -> None:
    path = tmp_path / "files" / "slow.pdf"
    path.write_bytes(endless())
    with closing(Collection("world", tmp_path / "home", encoder=WordEncoder())) as collection:
        collection.sync([path], prune=False)
        pdf = stored_pdf(collection, document_id(str(path)), service.names("world"))
        assert [text for _, text in page_sections(collection, pdf, 1)] == ["Slow words."]

    async def many() -> list[Any]:
        small = PdfPages(Limits(cpu=2, wall=4.0), most_waiting=3)
        try:
            wanted = [small.picture(pdf, 1, 3 + number / 10) for number in range(4)]
            return list(await asyncio.gather(*wanted, return_exceptions=True))
        finally:
            small.close()

    assert sorted(type(each).__name__ for each in asyncio.run(many())) == [Full.__name__, *[Unreadable.__name__] * 3]
