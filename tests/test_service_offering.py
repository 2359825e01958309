"""What is offered of a collection: questions to try, recent documents, fields; sorted lists; files as they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from indexer.collection import Collection
from indexer.sync import Given
from rag.generator import Copied, Draft
from rag.service import schemas
from rag.service.service import Service
from tests.serving import Formed, client_of, events_of, service_of
from tests.worlds import WordEncoder, collection_of, write_folder

PAPERS = {
    "roof.md": (
        "---\nauthor: Ada\ndate: 2024-05-01\n---\n# The roof\n\nIt is old.\n\n## How to mend a tile\n\n"
        "Press it down until it holds.\n"
    ),
    "rules.md": (
        "---\nauthor: Ada\n---\n# House rules\n\nThey are few.\n\n## Quiet hours\n\nFrom ten to six.\n\n"
        "## Introduction\n\nNo.\n"
    ),
    "pay.md": "---\nauthor: Per\n---\n# Pay\n\nIt comes on Friday.\n\n## When does the pay come?\n\nOn Friday.\n",
}
LIST = "/v1/collections/world/documents"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    files = write_folder(tmp_path / "files", PAPERS)
    for age, name in enumerate(PAPERS):
        os.utime(files / name, (1_700_000_000 - 86_400 * age, 1_700_000_000 - 86_400 * age))
    collection = Collection("world", tmp_path / "home", WordEncoder())
    collection.sync([files])
    collection.add([Given("note-1", "A note without a heading.")])
    return service_of(tmp_path / "home")


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with client_of(service) as client:
        yield client


def offered(client: TestClient) -> schemas.Offer:
    return schemas.Offer.model_validate(client.get("/v1/collections/world/offer").json())


def test_questions_to_try_and_one_about_a_document_are_offered(client: TestClient) -> None:
    assert offered(client).questions == ["How do I mend a tile?", "What is “The roof” about?"]


def test_the_newest_documents_and_the_fields_that_there_are_are_offered(client: TestClient) -> None:
    offer = offered(client)
    assert [entry.name for entry in offer.recent] == ["The roof", "House rules", "Pay", "note-1"]
    fields = {field.key: field for field in offer.fields}
    assert [(each.value, each.documents) for each in fields["author"].values] == [("Ada", 2), ("Per", 1)]
    assert fields["date"].is_date
    assert (fields["modified"].is_date, fields["modified"].documents) == (True, 3)
    assert {each.value for each in fields["format"].values} == {"markdown", "text"}
    for key, field in fields.items():  # every one of them may be filtered by
        value = field.values[0].value if field.values else "2020-01-01"
        found = client.post("/v1/search", json={"query": "roof", "filters": [f"{key}={value}"]})
        assert found.status_code == 200, found.text


def test_a_field_whose_values_all_differ_is_not_offered(tmp_path: Path) -> None:
    many = {f"{n}.md": f"---\nserial: number-{n}\nauthor: Ada\n---\n# Paper {n}\n\nText {n}.\n" for n in range(40)}
    collection_of(tmp_path, many).close()
    with client_of(service_of(tmp_path)) as client:
        keys = {field.key for field in offered(client).fields}
    assert "author" in keys
    assert "serial" not in keys


def test_fields_that_only_a_program_reads_are_not_offered(tmp_path: Path) -> None:
    """Positions, layouts and addresses of a site stood among the fields, and each date twice."""
    head = (
        "author: Ada\ndate: 2024-05-01\ncreated: 2024-05-01\nlayout: default\nnav_order: 3\npermalink: /roof\n"
        "slug: roof\ndraft: false\nhomepage: https://example.org/roof\ncover_image: a.png\nproject: Harbour"
    )
    collection_of(tmp_path, {"roof.md": f"---\n{head}\n---\n# The roof\n\nIt is old.\n"}).close()
    with client_of(service_of(tmp_path)) as client:
        assert {field.key for field in offered(client).fields} == {"author", "date", "format", "modified", "project"}


@pytest.mark.parametrize(
    ("sort", "descending", "names"),
    [
        ("name", False, ["House rules", "note-1", "Pay", "The roof"]),
        ("modified", True, ["The roof", "House rules", "Pay", "note-1"]),
        ("format", False, ["Pay", "The roof", "House rules", "note-1"]),
        ("source", True, ["note-1", "House rules", "The roof", "Pay"]),
    ],
)
def test_documents_are_listed_in_order(client: TestClient, sort: str, descending: bool, names: list[str]) -> None:
    listed = client.get(LIST, params={"sort": sort, "descending": descending}).json()
    assert [entry["name"] for entry in listed["documents"]] == names


def test_a_row_tells_its_folder_and_what_a_person_should_know(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "latin.txt").write_bytes("Café crème brûlée, naïve façade, déjà vu.\n".encode("latin-1"))
    Collection("world", tmp_path, WordEncoder()).sync([tmp_path / "files"])
    with client_of(service_of(tmp_path)) as client:
        [entry] = schemas.Documents.model_validate(client.get(LIST).json()).documents
        assert entry.folder == str(tmp_path / "files")
        assert entry.label == entry.source
        assert len(entry.warnings) == 1
        assert "encoding" in entry.warnings[0]
        made = client.post(LIST, params={"name": "notes/tea.md"}, content=b"# Tea\n\nGreen tea.\n").json()["document"]
        assert (made["label"], made["folder"]) == ("notes/tea.md", "notes")
        assert client.get(LIST, params={"find": "uploads"}).json()["total"] == 0  # names of storage are no names


def test_a_citation_of_an_upload_has_no_title_that_storage_gave(tmp_path: Path) -> None:
    """The name of its file in storage stood as its title above the footnote."""
    collection_of(tmp_path, {"a.md": "# A\n\nText.\n"}).close()
    with client_of(service_of(tmp_path)) as client:
        client.post(LIST, params={"name": "ferry times.txt"}, content=b"The ferry leaves at seven in the morning.\n")
        answer = client.post("/v1/ask", json={"question": "When does the ferry leave?"}).json()
        [cited] = [each for each in answer["citations"] if each["name"] == "ferry times.txt"]
        assert cited["title"] == ""
        assert cited["label"] == "ferry times.txt"
        assert client.post("/v1/verify", json=answer).json()["holds"]
        Path(cited["source"]).unlink()
        report = client.post("/v1/collections/world/index", json={}).json()
        assert [skip["source"] for skip in report["skipped"]] == ["ferry times.txt"]


def ids(client: TestClient) -> dict[str, str]:
    return {entry["name"]: entry["id"] for entry in client.get(LIST).json()["documents"]}


def test_the_file_of_a_document_is_given_as_it_is(client: TestClient, tmp_path: Path) -> None:
    found = client.get(f"{LIST}/{ids(client)['Pay']}/file")
    assert found.content == (tmp_path / "files" / "pay.md").read_bytes()
    assert found.headers["content-type"] == "text/plain; charset=utf-8"
    assert found.headers["content-disposition"] == "inline; filename*=UTF-8''pay.md"
    assert found.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_page_of_html_is_saved_and_never_shown(client: TestClient) -> None:
    made = client.post(
        LIST, params={"name": "a b.html"}, content=b"<html><body><p>Some words to read.</p></body></html>"
    )
    found = client.get(f"{LIST}/{made.json()['document']['id']}/file")
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.html"


def test_a_file_that_is_gone_or_another_one_is_not_given(client: TestClient, tmp_path: Path) -> None:
    known = ids(client)
    (tmp_path / "files" / "pay.md").unlink()
    (tmp_path / "files" / "roof.md").write_text("Another text.", encoding="utf-8")
    (tmp_path / "files" / "rules.md").unlink()
    (tmp_path / "files" / "rules.md").symlink_to("/etc/passwd")
    for name, reason in {
        "Pay": "cannot be read", "The roof": "has changed", "House rules": "cannot be read", "note-1": "from no file",
    }.items():  # fmt: skip
        refused = client.get(f"{LIST}/{known[name]}/file")
        assert refused.status_code == 404
        assert reason in refused.json()["error"]["message"]


def test_a_question_names_a_generator_that_comes_along_and_no_other(client: TestClient) -> None:
    asked: dict[str, Any] = {"question": "When does the pay come?", "generator": "quoting"}
    assert client.post("/v1/ask", json=asked).json()["generator"] == "quoting"
    assert client.post("/v1/ask", json={**asked, "generator": None}).json()["generator"] == "first-sentence"
    for name in ("os:system", "/etc", "http://127.0.0.1:9/v1#m", "nonsense"):
        refused = client.post("/v1/ask", json={**asked, "generator": name})
        assert (refused.status_code, refused.json()["error"]["type"]) == (422, "usage"), name


def test_a_citation_tells_what_it_is_from(tmp_path: Path) -> None:
    table = "# Wages\n\n| Trade | Wage |\n|---|---|\n| mason | twelve |\n| baker | nine |\n"
    collection_of(tmp_path, {"wages.md": table}).close()

    def baker(read: Any) -> Draft:
        start = read[0].text.index("| baker")
        return Draft((Copied(0, start, len(read[0].text)),), 0.9)

    with client_of(service_of(tmp_path, Formed(baker))) as client:
        [cited] = client.post("/v1/ask", json={"question": "What is a baker's wage?"}).json()["citations"]
    assert (cited["kind"], cited["header"]) == ("table", "| Trade | Wage |")
    assert cited["label"] == cited["source"]


def test_the_passages_of_a_stream_say_which_part_fits(client: TestClient) -> None:
    events = events_of(client.post("/v1/ask", json={"question": "When does the pay come?", "stream": True}).text)
    passages = next(data for name, data in events if name == "passages")["passages"]
    assert passages[0]["excerpt"] != []
