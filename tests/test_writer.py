"""The writer: each method is one transaction, and what it leaves is whole."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from indexer import schema, segments
from indexer.collection import Collection
from indexer.doctor import examine
from indexer.dump import content_hash
from indexer.errors import Busy, NotFound
from indexer.segments import manifest
from indexer.sync import Given
from indexer.types import Chunk, Document, Skip
from indexer.view import Made
from indexer.writer import Prepared, Writer, write
from tests.worlds import DIM, WordEncoder, article

MADE = Made("words", WordEncoder().fingerprint, DIM, 60, 1)


@pytest.fixture
def world(tmp_path: Path) -> Collection:
    collection = Collection("world", tmp_path, encoder=WordEncoder())
    collection.add([Given(f"n{number}", article(f"topic{number}", 2)) for number in range(4)])
    return collection


def digest_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def prepared(writer: Writer, source: str, text: str) -> Prepared:
    vectors = writer.as_bytes(WordEncoder().embed_passages([text]))
    document = Document(source, "0" * 64, source, text)
    return Prepared(document, "given", None, [Chunk(0, len(text), text)], [digest_of(text)], vectors)


def count(writer: Writer, name: str) -> int:
    with writer.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.tables.tables[name])).scalar_one())


def test_a_batch_is_stored_whole_or_not_at_all(world: Collection) -> None:
    before, generation = content_hash(world), world.generation
    with write(world, purpose="test") as writer:
        good = prepared(writer, "good", "a good text")
        bad = replace(prepared(writer, "bad", "a bad text"), digests=[])  # one is missing
        with pytest.raises(ValueError, match="zip"):
            writer.put([good, bad], removed=["n0"], skips=[Skip("x", "binary")])
    assert (content_hash(world), world.generation) == (before, generation)
    assert world.status().skipped == []


def test_each_put_raises_the_generation_by_one(world: Collection) -> None:
    with write(world, purpose="test") as writer:
        generation = writer.generation
        assert writer.put([prepared(writer, "a", "text")]) == generation + 1
        assert writer.remove(["a"]) == generation + 2
    assert world.generation == generation + 2


def test_a_writer_knows_what_is_stored(world: Collection) -> None:
    with write(world, purpose="test") as writer:
        writer.put([prepared(writer, "a", "text")], skips=[Skip("b", "binary")])
        assert writer.known()["a"] == "0" * 64
        assert writer.known_skips() == {"b": "binary"}
        stored = writer.stored_vectors([digest_of("text"), digest_of("other")])
        assert np.frombuffer(stored[digest_of("text")].vector, "<f4") == pytest.approx(
            WordEncoder().embed_passages(["text"])[0]
        )
        assert len(stored) == 1


def test_ids_of_removed_chunks_are_never_used_again(world: Collection) -> None:
    with write(world, purpose="test") as writer:
        writer.put([prepared(writer, "a", "text")])
        with writer.reading() as connection:
            before = connection.execute(select(func.max(schema.chunks.c.id))).scalar_one()
        writer.put([prepared(writer, "a", "text")])
        with writer.reading() as connection:
            assert connection.execute(select(func.max(schema.chunks.c.id))).scalar_one() == before + 1


def test_tombstones_are_kept_only_of_chunks_in_a_segment(world: Collection) -> None:
    """Those of chunks that no segment held once piled up with every edit of a small collection."""
    with write(world, purpose="test") as writer:
        for _ in range(5):
            writer.put([prepared(writer, "a", "text")])
        assert count(writer, "tombstones") == 0
        writer.publish(all_of_it=True)
        writer.put([prepared(writer, "a", "text")])
        writer.put([prepared(writer, "a", "text")])
        assert count(writer, "tombstones") == 1
        writer.publish(all_of_it=True)
        assert count(writer, "tombstones") == 0
    assert all(finding.healthy for finding in examine(world))


def test_unsealed_counts_what_no_segment_covers(world: Collection) -> None:
    with write(world, purpose="test") as writer:
        chunks = count(writer, "chunks")
        assert writer.unsealed() == chunks
        writer.publish(all_of_it=True)
        assert writer.unsealed() == 0
        writer.put([prepared(writer, "a", "text")])
        assert writer.unsealed() == 1


def test_only_the_damaged_segment_is_made_again(world: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEAL_AT", 1)
    with write(world, purpose="test") as writer:
        writer.publish()
        writer.put([prepared(writer, f"a{number}", f"text {number}") for number in range(3)])
        writer.publish()
        folder = writer.folder / "segments"
        with writer.reading() as connection:
            first, second = [segment.file for segment in manifest(connection)]
        kept = (folder / second).stat()
        (folder / first).write_bytes(b"cut")
        writer.publish()
        assert (folder / second).stat().st_ino == kept.st_ino
        with writer.reading() as connection:
            assert [segment.file for segment in manifest(connection)] == [first, second]
    assert all(finding.healthy for finding in examine(world))


def test_only_one_writer_of_a_process_at_a_time(world: Collection) -> None:
    with write(world, purpose="first"), pytest.raises(Busy, match="first"), write(world, purpose="second"):
        pass


def test_a_writer_of_nothing_needs_to_know_how_to_make_it(tmp_path: Path) -> None:
    collection = Collection("new", tmp_path)
    with pytest.raises(NotFound, match="no collection 'new'"), write(collection, purpose="test"):
        pass
    assert not collection.folder.exists()
    with write(collection, purpose="test", made=MADE) as writer:
        assert writer.made == MADE
    assert collection.made == MADE


def test_a_fresh_epoch_counts_only_after_the_switch(world: Collection) -> None:
    before = content_hash(world)
    with write(world, purpose="test", made=MADE, fresh=True) as writer:
        writer.put([prepared(writer, "a", "text")])
        assert content_hash(world) == before
        writer.switch()
        assert [entry.source for entry in world.documents()] == ["a"]
    assert world.generation > 1
    assert [path.name for path in world.folder.glob("epoch-*")] == ["epoch-000002"]


def test_an_epoch_made_otherwise_is_not_taken_up(world: Collection) -> None:
    for made in (MADE, Made("other", "f" * 64, DIM, 60, 1)):
        with write(world, purpose="test", made=made, fresh=True) as writer:
            assert count(writer, "documents") == 0
            writer.put([prepared(writer, "a", "text")])
    with write(world, purpose="test", made=Made("other", "f" * 64, DIM, 60, 1), fresh=True) as writer:
        assert count(writer, "documents") == 1


def test_a_damaged_epoch_is_not_taken_up(world: Collection) -> None:
    with write(world, purpose="test", made=MADE, fresh=True) as writer:
        database = writer.folder / "truth.db"
    database.write_bytes(b"not a database" * 500)
    with write(world, purpose="test", made=MADE, fresh=True) as writer:
        assert count(writer, "documents") == 0


def test_a_document_of_more_chunks_than_are_stored_at_once_is_stored_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n\n".join(f"Berth{number} is let to boat{number}. " * 12 for number in range(23))
    hashes = []
    for at_once in (1000, 3):
        monkeypatch.setattr("indexer.writer.AT_ONCE", at_once)
        collection = Collection("berths", tmp_path / str(at_once), encoder=WordEncoder())
        assert collection.add([Given("a", text)]).chunks > 6
        assert all(finding.healthy for finding in examine(collection))
        hashes.append(content_hash(collection))
    assert hashes[0] == hashes[1]
