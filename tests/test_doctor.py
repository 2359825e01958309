"""Each damage is found by the check that names it, and repaired where it can be; documents are never touched."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from indexer import segments
from indexer.collection import Collection
from indexer.doctor import Finding, examine
from indexer.dump import content_hash
from indexer.errors import Busy, NotFound
from indexer.storage import exclusive_lock
from indexer.writer import write
from tests.worlds import WordEncoder, collection_of


def ill(findings: list[Finding]) -> list[str]:
    return [finding.check for finding in findings if not finding.healthy]


def repaired(findings: list[Finding]) -> list[str]:
    return [finding.check for finding in findings if finding.repaired]


@pytest.fixture
def world(tmp_path: Path) -> Collection:
    collection = collection_of(tmp_path)
    with write(collection, purpose="test") as writer:
        writer.publish(all_of_it=True)
    return collection


def change(collection: Collection, statement: str, *values: object) -> None:
    with sqlite3.connect(collection.database) as connection:
        connection.execute(statement, values)
    connection.close()


def rows_of(collection: Collection, table: str, order: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(collection.database) as connection:
        rows: list[tuple[object, ...]] = connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
    connection.close()
    return rows


def segment_file(collection: Collection) -> Path:
    return next((collection.epoch() / "segments").glob("*.faiss"))


def test_a_sound_collection_has_only_healthy_findings(world: Collection) -> None:
    findings = examine(world)
    assert ill(findings) == []
    assert [finding.check for finding in findings] == [
        "current", "schema", "database", "foreign keys", "chunks", "names", "vectors", "segments", "search",
        "precision", "encoder", "words", "leftovers",
    ]  # fmt: skip


def files_of(collection: Collection) -> dict[Path, bytes]:
    found = (path for path in collection.folder.rglob("*") if path.is_file() and path.name != "LOCK")
    return {path: path.read_bytes() for path in found}


def test_examining_changes_nothing(world: Collection) -> None:
    before = files_of(world)
    examine(world)
    assert files_of(world) == before


def test_no_collection_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no collection 'nothing'"):
        examine(Collection("nothing", tmp_path))


def test_words_that_left_the_index_are_put_back(world: Collection) -> None:
    change(world, "INSERT INTO words(words) VALUES ('delete-all')")
    assert ill(examine(world)) == ["words"]
    assert repaired(examine(world, repair=True)) == ["words"]
    with world.view() as view:
        assert len(view.words("library", 5)) == 1


NAMED = {
    "hinge.md": "# Hinges\n\nThe hinge of the aft hatch is part AX-4410-B.\n",
    "mühle.md": "Die Mühlen am Fluss werden von der Gemeinde vermietet, und das Wasser treibt sie an.\n",
}


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM names",
        "DELETE FROM names WHERE form = 'ax4410b'",
        "UPDATE names SET form = 'bx4410b' WHERE form = 'ax4410b'",
        "UPDATE names SET match = 1 WHERE form = 'hinges'",
        "UPDATE names SET chunk_id = 77 WHERE form = 'ax4410b'",
        "INSERT INTO names(form, document_id, chunk_id, match) VALUES ('zx1', 1, 1, 2)",
        "UPDATE chunks SET bigrams = 'ax4410b' WHERE id = 1",
        "UPDATE chunks SET language = '' WHERE language = 'de'",
        "UPDATE chunks SET stems = '' WHERE language = 'de'",
    ],
)
def test_names_that_are_not_those_of_the_documents_are_made_again(tmp_path: Path, damage: str) -> None:
    """Nothing looked at this table: a part number that was lost from it was found by likeness alone."""
    world = collection_of(tmp_path, NAMED)
    before = rows_of(world, "names", "form, document_id, chunk_id"), content_hash(world)
    change(world, damage)
    findings = examine(world)
    assert ill(findings) == ["names"]
    assert "Run: footnote doctor --repair" in next(each.detail for each in findings if not each.healthy)
    assert repaired(examine(world, repair=True)) == ["names"]
    assert (rows_of(world, "names", "form, document_id, chunk_id"), content_hash(world)) == before
    with world.view() as view:
        assert set(view.named("AX4410-B", []).chunks) == {1}
        assert [hit.chunk_id for hit in view.words("Mühle", 5)] == [2]


def test_a_name_of_a_document_that_is_gone_is_removed(tmp_path: Path) -> None:
    world = collection_of(tmp_path, NAMED)
    before = rows_of(world, "names", "form, document_id, chunk_id")
    change(world, "INSERT INTO names(form, document_id, chunk_id, match) VALUES ('zx1', 99, 0, 2)")
    assert ill(examine(world)) == ["foreign keys", "names"]
    assert repaired(examine(world, repair=True)) == ["foreign keys", "names"]
    assert rows_of(world, "names", "form, document_id, chunk_id") == before


@pytest.mark.parametrize(
    "vector",
    [b"", b"\x00" * 128, np.full(32, np.nan, "<f4").tobytes(), np.eye(64, dtype="<f4")[0].tobytes(), b"\x00" * 7],
    ids=["empty", "zero", "nan", "too long", "odd"],
)
def test_a_bad_vector_is_embedded_again(world: Collection, vector: bytes) -> None:
    before = content_hash(world)
    change(world, "UPDATE vectors SET vector = ? WHERE chunk_id = 2", vector)
    assert "vectors" in ill(examine(world))
    findings = examine(world, repair=True)
    assert ill(findings) == []
    assert "vectors" in repaired(findings)
    assert content_hash(world) == before


def test_a_missing_vector_is_embedded_again(world: Collection) -> None:
    before = content_hash(world)
    change(world, "DELETE FROM vectors WHERE chunk_id = 3")
    assert "vectors" in ill(examine(world))
    assert ill(examine(world, repair=True)) == []
    assert content_hash(world) == before


def test_a_vector_that_drifted_from_its_segment_is_found(world: Collection) -> None:
    change(world, "UPDATE vectors SET vector = ? WHERE chunk_id = 1", np.eye(32, dtype="<f4")[3].tobytes())
    assert "segments" in ill(examine(world))
    assert ill(examine(world, repair=True)) == []


def test_a_flipped_bit_in_a_segment_is_found_and_repaired(world: Collection) -> None:
    path = segment_file(world)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    assert ill(examine(world)) == ["segments"]
    assert repaired(examine(world, repair=True)) == ["segments"]
    assert ill(examine(world)) == []


def test_a_chunk_that_is_not_its_text_is_found_and_left(world: Collection) -> None:
    change(world, "UPDATE chunks SET start = start + 1 WHERE id = 1")
    findings = examine(world, repair=True)
    assert ill(findings) == ["chunks"]
    assert "--rebuild" in next(finding.detail for finding in findings if not finding.healthy)


def test_leftovers_of_killed_processes_are_removed(world: Collection) -> None:
    (world.folder / ".CURRENT.123.part").write_bytes(b"x")
    (world.folder / "epoch-000007").mkdir()
    (world.epoch() / "segments" / "1-2.faiss").write_bytes(b"x")
    findings = examine(world)
    assert ill(findings) == ["leftovers"]
    assert "3 files" in findings[-1].detail
    assert repaired(examine(world, repair=True)) == ["leftovers"]
    assert not (world.folder / "epoch-000007").exists()


def test_a_lost_current_is_written_again(world: Collection) -> None:
    before = content_hash(world)
    (world.folder / "CURRENT").unlink()
    world.close()
    assert ill(examine(world)) == ["current"]
    assert repaired(examine(world, repair=True)) == ["current"]
    assert content_hash(world) == before


@pytest.mark.parametrize("garbage", [b"", b"epoch-000009", b"../../etc", b"\xff\xfe\x00"])
def test_a_current_that_names_nothing_is_written_again(world: Collection, garbage: bytes) -> None:
    (world.folder / "CURRENT").write_bytes(garbage)
    world.close()
    assert ill(examine(world)) == ["current"]
    assert repaired(examine(world, repair=True)) == ["current"]


def test_a_damaged_database_gives_the_way_back_and_is_left_alone(world: Collection) -> None:
    database = world.database
    world.close()
    database.write_bytes(b"not a database, and long enough to hold a header " * 10)
    before = database.read_bytes()
    findings = examine(world, repair=True)
    assert ill(findings) == ["database"]
    assert "import an export" in findings[-1].detail
    assert database.read_bytes() == before


def test_a_torn_page_is_found(world: Collection) -> None:
    database = world.database
    world.close()
    data = bytearray(database.read_bytes())
    data[4096 * 3 : 4096 * 3 + 2000] = b"\xff" * 2000
    database.write_bytes(data)
    assert "database" in ill(examine(world))


def test_an_encoder_that_is_not_here_is_found(world: Collection) -> None:
    elsewhere = Collection(world.name, world.home)
    findings = examine(elsewhere, repair=True)
    assert ill(findings) == ["encoder"]
    assert "not converted on this machine" in next(each.detail for each in findings if not each.healthy)


def test_another_encoder_does_not_mend_vectors(world: Collection) -> None:
    change(world, "DELETE FROM vectors WHERE chunk_id = 3")
    other = Collection(world.name, world.home, encoder=WordEncoder(salt="other"))
    findings = {finding.check: finding for finding in examine(other, repair=True)}
    assert not findings["vectors"].healthy
    assert "Not repaired" in findings["vectors"].detail


def test_while_another_writes_only_the_lock_free_checks_run(world: Collection) -> None:
    with exclusive_lock(world.folder / "LOCK", "index"):
        findings = {finding.check: finding for finding in examine(world)}
        assert "not checked" in findings["words"].detail
        assert findings["segments"].healthy
        change_file = segment_file(world)
        change_file.unlink()
        with pytest.raises(Busy, match="is writing to collection"):
            examine(world, repair=True)


def test_vectors_between_segments_are_found_and_covered(tmp_path: Path) -> None:
    collection = collection_of(tmp_path, {f"{n}.md": f"text number {n}" for n in range(12)})
    with write(collection, purpose="test") as writer:
        writer.publish(all_of_it=True)
    row = (
        "INSERT INTO segments SELECT id + 1, 'x', 100, 200, 1, dim, kind, bytes, sha256, fingerprint, '' FROM segments"
    )
    change(collection, row)
    change(collection, "UPDATE chunks SET id = 50 WHERE id = 12")
    change(collection, "UPDATE vectors SET chunk_id = 50 WHERE chunk_id = 12")
    assert "segments" in ill(examine(collection))
    assert ill(examine(collection, repair=True)) == []
    assert segments.SEAL_AT == 1024
