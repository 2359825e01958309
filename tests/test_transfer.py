"""A collection goes out and comes back the same; an export file that was tampered with is refused, each way of it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.doctor import examine
from indexer.dump import content_hash, dump
from indexer.errors import ImportRefused, NotFound, StorageError, UsageError
from indexer.sync import Given
from indexer.transfer import Exported, export_collection, import_collection
from tests.worlds import PASSAGES, WordEncoder, article

Members = dict[str, bytes]


@pytest.fixture
def world(tmp_path: Path) -> Collection:
    collection = Collection("world", tmp_path, encoder=WordEncoder())
    collection.add([Given(name, text, metadata={"year": 2020, "draft": True}) for name, text in PASSAGES.items()])
    collection.add([Given("long", article("kelp", 5)), Given("empty", "  "), Given("首都", "東京は日本の首都です。")])
    return collection


@pytest.fixture
def exported(world: Collection, tmp_path: Path) -> Path:
    export_collection(world, tmp_path / "world.zip")
    return tmp_path / "world.zip"


def opened(home: Path, name: str = "copy") -> Collection:
    return Collection(name, home, encoder=WordEncoder())


def members_of(file: Path) -> Members:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(file: Path, members: Members, *, describe: bool = True) -> Path:
    """Write the members back, with a manifest that fits them, as a careful forger would."""
    if describe:
        manifest = json.loads(members["manifest.json"])
        manifest["members"] = {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in members.items()
            if name != "manifest.json"
        }
        members = members | {"manifest.json": json.dumps(manifest).encode()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file


def changed_line(members: Members, name: str, change: Callable[[dict[str, Any]], object], line: int = 0) -> Members:
    lines = [json.loads(each) for each in members[name].splitlines()]
    change(lines[line])
    return members | {name: b"".join(json.dumps(each).encode() + b"\n" for each in lines)}


def test_a_round_trip_gives_the_same_content_and_the_same_answers(world: Collection, exported: Path) -> None:
    copy = opened(world.home)
    report = import_collection(exported, copy)
    assert report == Exported(str(exported), 7, len(list(_chunks(world))), exported.stat().st_size)
    assert list(dump(copy)) == list(dump(world))
    assert content_hash(copy) == content_hash(world)
    assert copy.made == world.made
    query = WordEncoder().embed_queries(["the pump moves water"])[0]
    with world.view() as old, copy.view() as new:
        for question in ("pump", "首都", "kelp paragraph 3"):
            found = [[(view.chunks([hit.chunk_id])[0].text, round(hit.score, 5)) for hit in view.words(question, 5)]
                     for view in (old, new)]  # fmt: skip
            assert found[0] == found[1] != []
        scores = [[round(hit.score, 5) for hit in view.dense(query, 20)] for view in (old, new)]
        assert scores[0] == scores[1]
    assert all(finding.healthy for finding in examine(copy))
    assert sorted(path.name for path in copy.folder.iterdir()) == ["CURRENT", "LOCK", "epoch-000001"]


def _chunks(collection: Collection) -> Any:
    return (chunk for document in dump(collection) for chunk in document["chunks"])


def test_the_same_content_gives_the_same_bytes(world: Collection, exported: Path, tmp_path: Path) -> None:
    copy = opened(world.home)
    import_collection(exported, copy)
    export_collection(copy, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == exported.read_bytes()


def test_an_imported_collection_goes_on_like_any_other(world: Collection, exported: Path) -> None:
    copy = opened(world.home)
    import_collection(exported, copy)
    assert copy.add([Given("long", article("kelp", 5))]).unchanged == 1
    copy.remove(["pump.md"])
    assert copy.generation == 1


def test_an_empty_collection_comes_back_empty(tmp_path: Path) -> None:
    empty = Collection("empty", tmp_path, encoder=WordEncoder())
    empty.add([])
    report = export_collection(empty, tmp_path / "empty.zip")
    assert (report.documents, report.chunks) == (0, 0)
    assert import_collection(tmp_path / "empty.zip", opened(tmp_path)).documents == 0


def test_nothing_is_exported_from_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no collection 'copy'"):
        export_collection(opened(tmp_path), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_an_export_to_no_folder_is_told(world: Collection, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"There is no folder .*/no to write x\.zip into"):
        export_collection(world, tmp_path / "no" / "x.zip")
    with pytest.raises(UsageError, match="is a folder"):
        export_collection(world, tmp_path)


def test_nothing_is_imported_over_a_collection(world: Collection, exported: Path) -> None:
    with pytest.raises(ImportRefused, match="There is a collection 'world' already"):
        import_collection(exported, world)


def refused(file: Path, home: Path, why: str) -> None:
    copy = opened(home)
    with pytest.raises(ImportRefused, match=why):
        import_collection(file, copy)
    assert not copy.exists
    assert not copy.folder.exists() or [path.name for path in copy.folder.iterdir()] == ["LOCK"]


@pytest.mark.parametrize("length", [0, 10, 500, -30])
def test_a_cut_file_is_refused(exported: Path, tmp_path: Path, length: int) -> None:
    exported.write_bytes(exported.read_bytes()[:length])
    refused(exported, tmp_path, "does not open as a zip file")


def test_every_flipped_byte_is_refused_or_changes_nothing(world: Collection, exported: Path, tmp_path: Path) -> None:
    sound = exported.read_bytes()
    imported = 0
    for place in range(3, len(sound), len(sound) // 60):
        exported.write_bytes(sound[:place] + bytes([sound[place] ^ 0x10]) + sound[place + 1 :])
        copy = opened(tmp_path, f"copy{place}")
        try:
            import_collection(exported, copy)
        except ImportRefused:
            assert not copy.exists
        else:
            imported += 1
            assert content_hash(copy) == content_hash(world)
    assert imported < 30


def test_a_missing_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"There is no file .*no\.zip to import"):
        import_collection(tmp_path / "no.zip", opened(tmp_path))
    with pytest.raises(StorageError, match=r"Cannot read .*: Is a directory"):
        import_collection(tmp_path, opened(tmp_path))


def test_another_zip_file_is_no_export(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("letter.txt", "Dear reader")
    refused(tmp_path / "other.zip", tmp_path, "it is no export of Footnote: it must hold manifest.json")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "extra.txt", "documents.jsonl/", "a\\b"])
def test_other_members_are_refused(exported: Path, tmp_path: Path, name: str) -> None:
    refused(rewritten(exported, members_of(exported) | {name: b"x"}), tmp_path, "and nothing else")


@pytest.mark.parametrize("name", ["manifest.json", "documents.jsonl", "chunks.jsonl", "vectors.f32"])
def test_missing_members_are_refused(exported: Path, tmp_path: Path, name: str) -> None:
    members = members_of(exported)
    del members[name]
    refused(rewritten(exported, members, describe=False), tmp_path, "and nothing else")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(exported: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(exported, "a") as archive:
        archive.writestr("chunks.jsonl", b"")
    refused(exported, tmp_path, "each once, and nothing else")


@pytest.mark.parametrize("name", ["documents.jsonl", "chunks.jsonl", "vectors.f32"])
def test_content_that_is_not_what_the_manifest_describes_is_refused(exported: Path, tmp_path: Path, name: str) -> None:
    members = members_of(exported)
    members[name] = members[name][:-5] + b"x" + members[name][-4:]
    refused(rewritten(exported, members, describe=False), tmp_path, f"{name} is damaged")


def changed_manifest(members: Members, values: dict[str, object]) -> Members:
    return members | {"manifest.json": json.dumps(json.loads(members["manifest.json"]) | values).encode()}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"version": 2}, "has format version 2; this version of Footnote reads 1"),
        ({"format": "zip"}, "not an export of Footnote"),
        ({"made": {}}, "manifest does not hold"),
        ({"made": None}, "manifest does not hold"),
        ({"counts": {"documents": -1, "chunks": 1}}, "a value in it cannot be"),
        ({"counts": {"documents": True, "chunks": 1}}, "a value in it cannot be"),
        ({"counts": {"documents": 7, "chunks": 10**9}}, "does not hold 1000000000 vectors"),
        ({"members": {}}, "a value in it cannot be"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(
    exported: Path, tmp_path: Path, values: dict[str, object], why: str
) -> None:
    refused(rewritten(exported, changed_manifest(members_of(exported), values), describe=False), tmp_path, why)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b"1", b"[" * 50_000, b" " * 200_000, b"\xff\xfe"])
def test_a_manifest_that_is_none_is_refused(exported: Path, tmp_path: Path, manifest: bytes) -> None:
    members = members_of(exported) | {"manifest.json": manifest}
    refused(rewritten(exported, members, describe=False), tmp_path, "manifest")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda row: row.update(text=5), "is not a document"),
        (lambda row: row.update(text="a\x00b"), "is not a document"),
        (lambda row: row.update(source="\ud800"), "is not a document"),
        (lambda row: row.update(source=""), "no source or no hash"),
        (lambda row: row.update(sha256="abc"), "no source or no hash"),
        (lambda row: row.update(origin="net"), "origin 'net'"),
        (lambda row: row.update(modified=3), "modified 3"),
        (lambda row: row.update(sections=[[0, 10**6, "paragraph", 0, None, None]]), "lies outside of the text"),
        (lambda row: row.update(sections=[[0, 1, "image", 0, None, None]]), "a section of kind 'image'"),
        (lambda row: row.update(sections=[[0, 1]]), "is not a document"),
        (lambda row: row.update(metadata={"a": [1]}), "is not a document"),
        (lambda row: row.update(metadata={"a": float("nan")}), "is not a document"),
        (lambda row: row.update(repairs={"a": "b"}), "is not a document"),
        (lambda row: row.pop("title"), "is not a document"),
        (lambda row: row.update(text="x" * len(row["text"])), "is not the text it stands for"),
    ],
)
def test_a_document_that_cannot_be_is_refused(
    exported: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], why: str
) -> None:
    refused(rewritten(exported, changed_line(members_of(exported), "documents.jsonl", change)), tmp_path, why)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda row: row.update(start=row["start"] + 1), "is not the text it stands for"),
        (lambda row: row.update(text=row["text"] + "!"), "is not the text it stands for"),
        (lambda row: row.update(start=-1), "is not a chunk"),
        (lambda row: row.update(end=row["start"], text=""), "is not a chunk"),
        (lambda row: row.update(start="0"), "is not a chunk"),
        (lambda row: row.update(start=1.0), "is not a chunk"),
        (lambda row: row.update(document=99), "names document 99|is not the text"),
        (lambda row: row.update(context=None), "is not a chunk"),
    ],
)
def test_a_chunk_that_cannot_be_is_refused(
    exported: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], why: str
) -> None:
    refused(rewritten(exported, changed_line(members_of(exported), "chunks.jsonl", change)), tmp_path, why)


@pytest.mark.parametrize("value", [np.nan, np.inf, 2.0])
def test_a_vector_that_cannot_be_is_refused(exported: Path, tmp_path: Path, value: float) -> None:
    members = members_of(exported)
    flat = np.frombuffer(members["vectors.f32"], "<f4").copy()
    flat[40] = value
    refused(rewritten(exported, members | {"vectors.f32": flat.tobytes()}), tmp_path, "vector of .* is none")


def test_lines_too_few_too_many_or_cut_are_refused(exported: Path, tmp_path: Path) -> None:
    members = members_of(exported)
    lines = members["documents.jsonl"].splitlines(keepends=True)
    for changed, why in (
        (lines[:-1], "out of order or not there|has 6 lines"),
        ([*lines, lines[-1].replace(b'"source": "', b'"source": "x')], "has 8 lines"),
        ([*lines, lines[-1]], "is in it twice"),
        ([*lines[:-1], lines[-1].rstrip(b"\n")], "is cut"),
        ([b"\n", *lines], "is not JSON"),
    ):
        refused(rewritten(exported, members | {"documents.jsonl": b"".join(changed)}), tmp_path, why)


def test_a_bomb_is_refused_by_what_it_would_take(exported: Path, tmp_path: Path) -> None:
    """A member that claims more than the disk has is not even read."""
    data = bytearray(exported.read_bytes())
    with zipfile.ZipFile(exported) as archive:
        size = archive.getinfo("documents.jsonl").file_size
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"documents.jsonl")) + 24
    assert int.from_bytes(data[place : place + 4], "little") == size
    data[place : place + 4] = (2**32 - 2).to_bytes(4, "little")
    exported.write_bytes(data)
    refused(exported, tmp_path, r"MB are free|is damaged|does not read")
