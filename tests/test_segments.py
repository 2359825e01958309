"""The FAISS cache against the slow obvious version: every pair compared, on values."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from indexer import schema, segments
from indexer.errors import InvalidVectors
from indexer.segments import DenseIndex, build, manifest, publish
from indexer.types import Hit, Vectors

DIM = 8
faiss: Any = importlib.import_module("faiss")  # its type stubs do not know what its wrappers take


def units(count: int, seed: int = 0, dim: int = DIM) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def brute_force(rows: dict[int, Vectors], query: Vectors, k: int) -> list[Hit]:
    hits = [Hit(chunk_id, float(row @ query)) for chunk_id, row in rows.items()]
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))[:k]


def assert_same(found: list[Hit], expected: list[Hit]) -> None:
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-5)
    gaps = [abs(a.score - b.score) > 1e-5 for a, b in itertools.pairwise(expected)]
    if all(gaps):
        assert [hit.chunk_id for hit in found] == [hit.chunk_id for hit in expected]


class Truth:
    """A database of vectors without documents, and the same vectors in a dict."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.connection, self.folder = connection, folder
        self.rows: dict[int, Vectors] = {}
        self.next = 1

    def add(self, rows: Vectors) -> None:
        for row in rows:
            self.connection.execute(insert(schema.vectors).values(chunk_id=self.next, vector=row.tobytes()))
            self.rows[self.next] = row
            self.next += 1

    def remove(self, ids: list[int]) -> None:
        covered = max((segment.last_chunk for segment in manifest(self.connection)), default=0)
        for chunk_id in ids:
            self.connection.execute(delete(schema.vectors).where(schema.vectors.c.chunk_id == chunk_id))
            if chunk_id <= covered:
                self.connection.execute(insert(schema.tombstones).values(chunk_id=chunk_id))
            del self.rows[chunk_id]

    def publish(self, **options: object) -> None:
        for name in publish(self.connection, self.folder, "made", DIM, **options):  # type: ignore[arg-type]
            (self.folder / name).unlink()

    def index(self, previous: DenseIndex | None = None) -> DenseIndex:
        return DenseIndex(self.connection, self.folder, "made", DIM, previous)

    def check(self, k: int = 5, previous: DenseIndex | None = None) -> DenseIndex:
        index = self.index(previous)
        for query in units(3, seed=99):
            assert_same(index.search(query, k), brute_force(self.rows, query, k))
        return index


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[Truth]:
    schema.migrate(tmp_path / "truth.db")
    engine = schema.connect(tmp_path / "truth.db", write=True)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        yield Truth(connection, tmp_path / "segments")
        connection.rollback()
    engine.dispose()


def test_a_few_vectors_are_found_without_any_file(truth: Truth) -> None:
    truth.add(units(20))
    truth.publish()
    truth.check()
    assert manifest(truth.connection) == []
    assert not truth.folder.exists()


def test_an_empty_collection_finds_nothing(truth: Truth) -> None:
    assert truth.index().search(units(1)[0], 5) == []


def test_segment_and_loose_vectors_are_searched_together(truth: Truth) -> None:
    truth.add(units(50))
    truth.publish(all_of_it=True)
    truth.add(units(30, seed=1))
    assert [segment.count for segment in manifest(truth.connection)] == [50]
    truth.check(k=40)


def test_removed_vectors_are_not_found_at_once(truth: Truth) -> None:
    truth.add(units(40))
    truth.publish(all_of_it=True)
    nearest = truth.index().search(units(1, seed=5)[0], 3)
    truth.remove([hit.chunk_id for hit in nearest])
    truth.check(k=40)


def test_filters_restrict_the_search_to_what_is_allowed(truth: Truth) -> None:
    truth.add(units(60))
    truth.publish(all_of_it=True)
    truth.add(units(10, seed=3))
    allowed = np.arange(1, 71, 3)
    query = units(1, seed=7)[0]
    expected = brute_force({each: truth.rows[each] for each in allowed.tolist()}, query, 10)
    assert_same(truth.index().search(query, 10, allowed), expected)


def test_equal_vectors_come_in_the_order_of_their_ids(truth: Truth) -> None:
    truth.add(np.repeat(units(1), 30, axis=0))
    truth.publish(all_of_it=True)
    truth.add(np.repeat(units(1), 30, axis=0))
    assert [hit.chunk_id for hit in truth.index().search(units(1)[0], 35)] == list(range(1, 36))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "publish", "all"]), st.integers(1, 30)), max_size=12))
def test_any_history_answers_as_brute_force_does(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    schema.migrate(folder / "truth.db")
    engine = schema.connect(folder / "truth.db", write=True)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        truth, previous = Truth(connection, folder / "segments"), None
        for step, (action, count) in enumerate(history):
            if action == "add":
                truth.add(units(count, seed=step))
            elif action == "remove":
                truth.remove(sorted(truth.rows)[:: max(2, count // 4)])
            else:
                truth.publish(all_of_it=action == "all")
            previous = truth.check(k=7, previous=previous)
            assert previous.healed == []
        connection.rollback()
    engine.dispose()


def test_publishing_costs_in_proportion_to_the_change(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 additions of 16 vectors: 1,024 in all. Rewriting everything each time would write 33,280 vectors."""
    monkeypatch.setattr(segments, "SEAL_AT", 16)
    written, seen = 0, set()
    for step in range(64):
        truth.add(units(16, seed=step))
        truth.publish()
        for segment in manifest(truth.connection):
            written += 0 if segment.file in seen else segment.count
            seen.add(segment.file)
    assert written <= 1024 * 5  # log4(64) merges and the first writing, with some room
    assert len(manifest(truth.connection)) <= 10
    assert sum(segment.count for segment in manifest(truth.connection)) == 1024
    truth.check(k=20)


def test_a_segment_of_which_much_is_gone_is_written_again(truth: Truth) -> None:
    truth.add(units(90))
    truth.publish(all_of_it=True)
    truth.remove(list(range(1, 20)))
    truth.publish()
    assert [segment.count for segment in manifest(truth.connection)] == [90]
    truth.remove(list(range(20, 40)))
    truth.publish()
    assert [segment.count for segment in manifest(truth.connection)] == [51]
    assert truth.connection.execute(select(schema.tombstones)).all() == []
    truth.remove(list(range(40, 91)))
    truth.publish()
    assert manifest(truth.connection) == []
    assert list(truth.folder.iterdir()) == []


def test_publishing_everything_twice_keeps_the_file(truth: Truth) -> None:
    """The second writing has the same name as the first: it was once removed as if it were the old one."""
    truth.add(units(20))
    truth.publish(all_of_it=True)
    truth.publish(all_of_it=True)
    assert truth.check().healed == []


def test_a_damaged_segment_of_the_same_size_is_written_again(truth: Truth) -> None:
    """Its content gives the same name, and a file of that name was once taken for written already."""
    truth.add(units(20))
    truth.publish(all_of_it=True)
    path = next(truth.folder.iterdir())
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    assert truth.check().healed == [path.name]
    truth.publish(damaged={path.name})
    assert path.read_bytes() == sound
    assert truth.check().healed == []


def test_a_segment_of_another_encoder_is_not_used(truth: Truth) -> None:
    truth.add(units(20))
    truth.publish(all_of_it=True)
    other = DenseIndex(truth.connection, truth.folder, "other", DIM)
    assert len(other.healed) == 1


def test_a_new_view_takes_over_what_is_loaded(truth: Truth) -> None:
    truth.add(units(20))
    truth.publish(all_of_it=True)
    first = truth.index()
    next(truth.folder.iterdir()).unlink()
    assert truth.index(previous=first).healed == []
    assert len(truth.index().healed) == 1


def test_above_the_limit_an_inverted_file_is_built_and_finds_nearly_all(truth: Truth) -> None:
    truth.add(units(2000))
    truth.publish(all_of_it=True, exact_up_to=500)
    assert [segment.kind for segment in manifest(truth.connection)] == ["ivf"]
    index = truth.index()
    found = expected = 0
    for query in units(20, seed=11):
        best = {hit.chunk_id for hit in brute_force(truth.rows, query, 10)}
        found += len(best & {hit.chunk_id for hit in index.search(query, 10)})
        expected += 10
        # With a filter every list is probed, so that it is exact.
        assert_same(index.search(query, 10, np.arange(1, 2001)), brute_force(truth.rows, query, 10))
    assert found / expected > 0.7  # vectors without structure are the hardest for it
    truth.remove(list(range(1, 2001, 2)))
    hits = truth.index().search(units(1, seed=12)[0], 50)
    assert all(hit.chunk_id % 2 == 0 for hit in hits)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (np.zeros((2, DIM + 1), np.float32), "shape"),
        (np.zeros(DIM, np.float32), "shape"),
        (np.eye(DIM, dtype=np.int64), "int64"),
        (np.full((3, DIM), np.nan, np.float32), "3 of 3 vectors are not finite"),
        (np.full((1, DIM), np.inf, np.float32), "not finite"),
        (np.zeros((1, DIM), np.float32), "length 0.0000, not 1"),
        (np.eye(DIM, dtype=np.float32) * 2, "length 2.0000, not 1"),
        ([["a"] * DIM], "<U1"),
    ],
)  # fmt: skip
def test_vectors_that_must_not_be_stored_are_refused(rows: object, why: str) -> None:
    with pytest.raises(InvalidVectors, match=why):
        segments.checked(rows, DIM)


def test_good_vectors_come_out_as_contiguous_float32() -> None:
    rows = np.eye(2 * DIM, dtype=np.float64)[::2, ::2]
    checked = segments.checked(rows, DIM)
    assert (checked.dtype, checked.shape, checked.flags["C_CONTIGUOUS"]) == (np.dtype(np.float32), (DIM, DIM), True)
    assert segments.checked(np.zeros((0, DIM), np.float32), DIM).shape == (0, DIM)


@pytest.mark.parametrize("ids", [[1, 1], [-1, 2]])
def test_ids_are_distinct_and_not_negative(ids: list[int]) -> None:
    with pytest.raises(InvalidVectors, match="distinct and not negative"):
        build(np.asarray(ids), units(2))


# Facts of FAISS that the design rests on: when one of these fails, read `segments.py` again.


def test_fact_a_flat_index_shifts_the_ids_after_a_removed_one() -> None:
    index = faiss.IndexFlatIP(DIM)
    index.add(units(3))
    index.remove_ids(np.array([0]))
    assert index.search(units(3)[1:2], 1)[1][0, 0] == 0  # it was 1


def test_fact_hnsw_cannot_remove() -> None:
    index = faiss.IndexHNSWFlat(DIM, 4, faiss.METRIC_INNER_PRODUCT)
    index.add(units(3))
    with pytest.raises(RuntimeError, match="remove_ids not implemented"):
        index.remove_ids(np.array([0]))


def test_fact_duplicate_ids_and_nan_are_accepted() -> None:
    index = faiss.IndexIDMap(faiss.IndexFlatIP(DIM))
    index.add_with_ids(np.full((2, DIM), np.nan, np.float32), np.array([7, 7]))
    assert index.ntotal == 2


def test_fact_a_flipped_bit_may_load_in_silence() -> None:
    index = faiss.IndexFlatIP(DIM)
    index.add(units(3))
    data = faiss.serialize_index(index)
    data[-2] ^= 1
    assert faiss.deserialize_index(data).ntotal == 3
