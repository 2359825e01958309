"""A source is a text that anybody may have given a document: wherever it becomes a path, it reaches no other file.

The attacker writes an export file or the lines of `index -`, and calls the service. He may not read, compare, list or
remove what the collection was not made of.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from indexer import segments
from indexer.collection import Collection
from indexer.doctor import examine
from indexer.encoder import stored_name
from indexer.errors import EncoderError
from indexer.schema import connect
from indexer.schema import segments as segments_table
from indexer.sync import Given
from indexer.transfer import export_collection, import_collection
from rag.adapters.mcp_server import Library as McpLibrary
from rag.service.service import Service
from rag.service.uploads import Uploads
from tests.serving import client_of, service_of
from tests.test_mcp_server import call
from tests.test_transfer import members_of, rewritten
from tests.worlds import WordEncoder, write_folder

SECRET = "The secret number is 4711."
LABEL = "a stranger's label"
_opened: list[str] | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event in ("open", "os.listdir", "os.scandir", "os.remove", "shutil.rmtree"):
        _opened.append(os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | Path) else "")


sys.addaudithook(_note)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Note every path that this process opens, lists or removes."""
    global _opened
    _opened = []
    yield _opened
    _opened = None


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Return a folder that no collection was made of, with files worth reading."""
    files = {"secret.pem": SECRET, "precious.txt": SECRET, "precious.name": LABEL, "0123456789abcdef-0.txt": SECRET}
    return write_folder(tmp_path / "victim", files)


def hostile_sources(home: Path, victim: Path, upload: str) -> list[str]:
    """Return sources that lead out of where they seem to be, the last one to a file uploaded to another collection."""
    uploads = home / "uploads"
    own = f"{uploads}/world/{'0' * 16}-{'1' * 16}"
    (uploads / "world").mkdir(parents=True, exist_ok=True)
    (uploads / "world" / "link").symlink_to(victim)
    (Path(f"{own}.name")).symlink_to(victim / "precious.name")
    return [
        f"{victim}/secret.pem",
        f"{uploads}/../../victim/precious.txt",
        f"{uploads}/world/../../../victim/precious.txt",
        f"{uploads}/world/link/precious.txt",
        f"{uploads}//world/{'0' * 16}-{'1' * 16}/../../../../victim/precious.txt",
        f"{uploads}/{victim}/precious.txt",
        f"{uploads}/world",
        f"{uploads}",
        f"{own}.txt",  # beside which a link lies that leads to a stranger's label
        os.path.relpath(victim / "precious.txt"),
        "~/precious.txt",
        upload,
    ]


def given(home: Path, sources: list[str]) -> Collection:
    """Return the collection that `index -` makes."""
    collection = Collection("world", home, WordEncoder())
    collection.add([Given(source, f"Paper {n} is about whales.") for n, source in enumerate(sources)])
    return collection


def imported(home: Path, sources: list[str]) -> Collection:
    """Return the collection that `import` makes of a file which says that all of these are files."""
    maker = Collection("maker", home, WordEncoder())
    maker.add([Given(source, f"Paper {n} is about whales.") for n, source in enumerate(sources)])
    file = home / "hostile.footnote"
    export_collection(maker, file)
    members = members_of(file)
    rows = [json.loads(line) | {"origin": "file"} for line in members["documents.jsonl"].splitlines()]
    members["documents.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    collection = Collection("world", home, WordEncoder())
    import_collection(rewritten(file, members), collection)
    return collection


def uploaded_to_another(service: Service) -> str:
    """Upload a file to a collection of somebody else, and return its source."""
    with client_of(service) as client:
        client.post("/v1/collections", json={"name": "other"})
        made = client.post("/v1/collections/other/documents", params={"name": LABEL}, content=SECRET.encode())
    return str(made.json()["document"]["source"])


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("arrived", [given, imported])
def test_no_stored_source_leads_to_another_file(
    arrived: Callable[[Path, list[str]], Collection], tmp_path: Path, victim: Path, opened: list[str]
) -> None:
    """Uploads were told by a prefix, and documents of an import were read again as files of this machine.

    `HOME/uploads/../../victim/precious.txt` was so removed by DELETE, its neighbour `.name` shown as its label; an
    imported `/…/secret.pem` was read into the collection by `POST …/index`, and /v1/verify told what is in it.
    """
    home = tmp_path / "home"
    service = service_of(home)
    upload = uploaded_to_another(service)
    sources = hostile_sources(home, victim, upload)
    with closing(arrived(home, sources)):
        pass
    before = tree(victim) | {upload: Path(upload).read_bytes()}
    opened.clear()
    told = []
    path = "/v1/collections/world"
    with client_of(service_of(home)) as client:
        listed = client.get(f"{path}/documents", params={"limit": 1000}).json()["documents"]
        assert {each["source"] for each in listed} == set(sources)
        assert {each["origin"] for each in listed} == {"given"}
        told += [client.get(f"{path}/documents/{each['id']}").text for each in listed]
        told.append(client.get(path).text)
        told.append(client.post("/v1/search", json={"query": "whales", "k": 100}).text)
        told.append(client.post("/v1/ask", json={"question": "What about whales?", "k": 20}).text)
        told.append(
            client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "whales"}]}).text
        )
        answer = {"answer": SECRET, "answered": True}
        for each in listed:  # does that file hold those words?
            cited = {"number": 1, "source": each["source"], "sha256": "0" * 64, "start": 0, "end": 26, "quote": SECRET}
            said = client.post("/v1/verify", json={**answer, "citations": [cited]}).json()["citations"][0]
            assert said["reason"] == "the source has changed since it was indexed; the quote is no longer in it"
        for how in ({}, {"rebuild": True}):
            told.append(client.post(f"{path}/index", json=how).text)
    reader = McpLibrary(home, ["world"])
    told += [json.dumps(call(reader, "read_source", source=source)) for source in sources]
    assert not [
        finding for finding in examine(Collection("world", home, WordEncoder()), repair=True) if not finding.healthy
    ]
    with client_of(service_of(home)) as client:
        for each in listed:
            assert client.delete(f"{path}/documents/{each['id']}").status_code == 200
        assert client.delete(path).status_code == 200
    assert not [name for name in opened if str(victim) in os.path.realpath(name) or name == upload]
    assert tree(victim) | {upload: Path(upload).read_bytes()} == before
    assert not [answer for answer in told if "4711" in answer or LABEL in answer]


def test_an_imported_document_is_a_file_again_once_its_path_is_named(tmp_path: Path) -> None:
    """Whoever indexes a path says that he wants what lies there; what the export file said of it counts no longer."""
    files = write_folder(tmp_path / "files")
    first = Collection("first", tmp_path, WordEncoder())
    first.sync([files])
    export_collection(first, tmp_path / "first.zip")
    members = members_of(tmp_path / "first.zip")
    forged = members["documents.jsonl"].replace(b"sixty thousand", b"forty thousand")
    chunks = members["chunks.jsonl"].replace(b"sixty thousand", b"forty thousand")
    rewritten(tmp_path / "first.zip", members | {"documents.jsonl": forged, "chunks.jsonl": chunks})
    copy = Collection("copy", tmp_path, WordEncoder())
    import_collection(tmp_path / "first.zip", copy)
    bees = str(files / "bees.txt")
    assert {each.origin for each in copy.documents()} == {"given"}
    assert "forty thousand" in copy.document(bees).text
    report = copy.sync([files])
    assert (report.changed, report.unchanged, report.removed) == (4, 0, 0)
    assert {each.origin for each in copy.documents()} == {"file"}
    assert "sixty thousand" in copy.document(bees).text
    assert copy.sync([files]).unchanged == 4


@pytest.mark.parametrize("name", ["0" * 16 + "-" + "1" * 16, "0" * 16 + "-" + "1" * 16 + ".pdf"])
def test_an_upload_is_told_by_its_folder_and_its_made_name(tmp_path: Path, name: str) -> None:
    uploads = Uploads(tmp_path)
    own = f"{tmp_path}/uploads/world/{name}"
    assert uploads.is_upload("world", own)
    for other in (
        f"{tmp_path}/uploads/other/{name}", f"{tmp_path}/uploads/world/deeper/{name}", f"{own}/", f"{own}/.", f" {own}",
        f"{tmp_path}/uploads/world/./{name}", f"{tmp_path}/uploads//world/{name}", f"{own}.name", f"{own}\n",
        f"{tmp_path}/uploads/world/../world/{name}", f"uploads/world/{name}", name, f"{tmp_path}/uploads/world/x{name}",
    ):  # fmt: skip
        assert not uploads.is_upload("world", other), other


def test_an_upload_called_like_a_label_file_keeps_its_label(tmp_path: Path) -> None:
    """The bytes of `list.name` were written over the label beside them."""
    uploads = Uploads(tmp_path)
    with uploads.receiving("world", "list.name") as (path, file):
        file.write(b"Ada")
    assert (path.suffix, path.read_bytes(), uploads.label("world", str(path))) == ("", b"Ada", "list.name")


def test_a_segment_named_outside_of_its_folder_is_not_read_and_not_removed(tmp_path: Path, opened: list[str]) -> None:
    collection = Collection("world", tmp_path, WordEncoder())
    collection.add([Given(f"text {n}", f"Whale number {n}.") for n in range(20)])
    victim = tmp_path / "victim.faiss"
    victim.write_bytes(b"mine")
    engine = connect(collection.database, write=True)
    with engine.begin() as connection:
        row = segments.Segment(
            "../../../../victim.faiss", 1, 20, 20, 32, "flat", 4, "0" * 64, collection.made.fingerprint, ""
        )
        connection.execute(insert(segments_table).values({name: getattr(row, name) for name in row.__slots__}))
    engine.dispose()
    opened.clear()
    with collection.view() as view:
        assert len(view.dense(WordEncoder().embed_queries(["whale"])[0], 5)) == 5
    assert [finding.check for finding in examine(collection) if not finding.healthy] == ["segments"]
    assert all(finding.healthy for finding in examine(collection, repair=True))
    assert not [name for name in opened if name.endswith("victim.faiss")]
    assert victim.read_bytes() == b"mine"


def test_an_encoder_named_by_a_collection_is_no_folder_to_read_a_model_from(tmp_path: Path) -> None:
    """An export file may name any folder as its encoder, and `index` opened it as a model."""
    assert stored_name("all-MiniLM-L6-v2", "0" * 64, tmp_path) == "all-MiniLM-L6-v2"
    with pytest.raises(EncoderError, match="never opened here"):
        stored_name(str(tmp_path), "0" * 64, tmp_path)
