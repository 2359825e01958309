"""The FAISS cache: immutable, checksummed files made from the truth, and exact search over what they miss.

A *segment* covers a range of chunk ids. What the manifest (the `segments` table) does not name does not exist; what
does not agree with it is not used. So the cache can be lost, cut or swapped at any time: the answer stays right, and
only slower, because the range in question is then read from SQL. FAISS files have no checksum of their own: of 250
random bit flips, 27 loaded silently with wrong results.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, func, insert, select

from indexer import native, precisions, storage
from indexer.errors import InvalidVectors
from indexer.schema import segments, tombstones, vectors
from indexer.types import Hit, Vectors

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

log = logging.getLogger(__name__)

Ids = npt.NDArray[np.int64]

SEAL_AT = 1024
"""Vectors outside any segment that make a new one worth writing; fewer are read from SQL at each opening (1.5 MB)."""
FAN_IN = 4
"""The newest segments are merged, this many at once, while none outweighs the others: each vector is rewritten
O(log n) times in its life, as in a log-structured merge tree."""
EXACT_UP_TO = 200_000
"""Vectors up to which a segment is searched exactly: about 15 ms a query on one core at 384 dimensions."""
UNIT_TOLERANCE = 1e-3
_FILE = re.compile(r"\d{9,}-\d{9,}-[0-9a-f]{8}\.faiss")


def checked(rows: Any, dim: int) -> Vectors:
    """Return `rows` as float32 of shape (n, dim), C-contiguous.

    Raises InvalidVectors for another shape, for values that are not finite, and for rows that are not of length one.
    FAISS accepts NaN, and its own check of the dimension is an `assert` that `python -O` removes.
    """
    array = np.asarray(rows)
    if array.ndim != 2 or array.shape[1] != dim or array.dtype.kind != "f":
        raise InvalidVectors(f"Expected float vectors of shape (n, {dim}), got {array.dtype} of shape {array.shape}.")
    unit = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(unit).all():
        raise InvalidVectors(f"{int((~np.isfinite(unit)).any(axis=1).sum())} of {len(unit)} vectors are not finite.")
    lengths = np.linalg.norm(unit, axis=1)
    if len(unit) and np.abs(lengths - 1).max() > UNIT_TOLERANCE:
        raise InvalidVectors(f"A vector has length {float(lengths[np.abs(lengths - 1).argmax()]):.4f}, not 1.")
    return unit


@dataclass(frozen=True, slots=True)
class Segment:
    """One row of the manifest: the file, the chunk ids it covers (both ends included), and what it must be."""

    file: str
    first_chunk: int
    last_chunk: int
    count: int
    dim: int
    kind: str
    bytes: int
    sha256: str
    fingerprint: str
    precision: str
    """Those that its vectors were made in, separated by commas; see `indexer.precisions`."""


def is_own_name(file: str) -> bool:
    """True for the name of a segment as they are made here; any other in the manifest is no path to read or remove."""
    return _FILE.fullmatch(file) is not None


def manifest(connection: Connection) -> list[Segment]:
    """Return the published segments, in the order of their chunk ids."""
    columns = [segments.c[name] for name in Segment.__slots__]
    return [Segment(*row) for row in connection.execute(select(*columns).order_by(segments.c.first_chunk))]


def read_vectors(connection: Connection, first: int, last: int | None, dim: int) -> tuple[Ids, Vectors]:
    """Return ids (n,) and vectors (n, dim) of the chunks from `first` to `last` (included; None: to the end)."""
    query = select(vectors.c.chunk_id, vectors.c.vector).where(vectors.c.chunk_id >= first)
    if last is not None:
        query = query.where(vectors.c.chunk_id <= last)
    rows = connection.execute(query.order_by(vectors.c.chunk_id)).all()
    ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    flat = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4")
    if flat.size != len(rows) * dim:
        raise InvalidVectors(
            f"{len(rows)} stored vectors hold {flat.size} numbers, not {len(rows) * dim}.",
            "Run: footnote doctor --repair",
        )
    return ids, flat.reshape(len(rows), dim).astype(np.float32, copy=False)


def build(ids: Ids, rows: Vectors, exact_up_to: int = EXACT_UP_TO) -> Any:
    """Return a FAISS index over `rows` (n, dim) that answers with `ids` (n,): flat, or IVF above `exact_up_to`."""
    faiss = native.faiss()

    rows = checked(rows, rows.shape[1])
    if len(np.unique(ids)) != len(ids) or (len(ids) and ids.min() < 0):
        raise InvalidVectors("Chunk ids must be distinct and not negative.")
    flat = faiss.IndexFlatIP(rows.shape[1])
    if len(rows) <= exact_up_to:
        index: Any = faiss.IndexIDMap(flat)
        index.add_with_ids(rows, ids)
        return index
    lists = int(4 * len(rows) ** 0.5)
    index = faiss.IndexIVFFlat(flat, rows.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = 1
    index.train(rows[:: max(1, len(rows) // (lists * 64))])
    index.add_with_ids(rows, ids)
    index.nprobe = max(8, lists // 16)
    return index


# Writing: called by the one writer, who holds the lock.


def publish(
    connection: Connection,
    folder: Path,
    fingerprint: str,
    dim: int,
    *,
    damaged: Collection[str] = (),
    all_of_it: bool = False,
    exact_up_to: int = EXACT_UP_TO,
) -> list[str]:
    """Bring the segments up to date with the truth at a cost in proportion to the change.

    A new segment is written for the vectors no segment covers, neighbours of like size are merged, and a segment of
    which a third is gone is rewritten, as are those whose files are named in `damaged`. `all_of_it` makes one segment
    of everything. The files are complete and on disk before their rows are committed by the caller. Returns the files
    that the manifest no longer names.
    """
    present = manifest(connection)
    newest = connection.execute(select(func.max(vectors.c.chunk_id))).scalar() or 0
    covered = present[-1].last_chunk if present else 0
    runs = [
        _Run(s.first_chunk, s.last_chunk, _alive(connection, s), s.count, None if s.file in damaged else s)
        for s in present
    ]
    loose = _count(connection, covered + 1, newest)
    if loose >= SEAL_AT or (all_of_it and loose):
        runs.append(_Run(covered + 1, newest, loose, 0, None))
    wanted = [_merged(runs)] if all_of_it and runs else _compacted(runs)
    for segment in present:
        if not any(run.segment is segment for run in wanted):
            connection.execute(delete(segments).where(segments.c.file == segment.file))
    for run in wanted:
        if run.segment is None:
            connection.execute(delete(tombstones).where(tombstones.c.chunk_id.between(run.first, run.last)))
            if run.alive:
                row = _write(connection, folder, run, fingerprint, dim, exact_up_to)
                connection.execute(insert(segments).values(**row))
    named = {segment.file for segment in manifest(connection)}
    return [each.file for each in present if each.file not in named and is_own_name(each.file)]


@dataclass(frozen=True, slots=True)
class _Run:
    first: int
    last: int
    alive: int
    stored: int
    segment: Segment | None  # None: to be written


def _alive(connection: Connection, segment: Segment) -> int:
    # By the tombstones: counting the vectors themselves would read every page of them.
    gone = select(func.count()).where(tombstones.c.chunk_id.between(segment.first_chunk, segment.last_chunk))
    return segment.count - int(connection.execute(gone).scalar() or 0)


def _count(connection: Connection, first: int, last: int) -> int:
    return int(connection.execute(select(func.count()).where(vectors.c.chunk_id.between(first, last))).scalar() or 0)


def _merged(runs: Sequence[_Run]) -> _Run:
    return _Run(runs[0].first, runs[-1].last, sum(run.alive for run in runs), 0, None)


def _compacted(runs: Sequence[_Run]) -> list[_Run]:
    """Rewrite runs of which a third is gone, then merge from the newest end while the sizes are alike."""
    kept = [run if run.segment is None or run.alive * 3 > run.stored * 2 else _merged([run]) for run in runs]
    while len(kept) >= FAN_IN:
        tail = kept[-FAN_IN:]
        if tail[0].alive > sum(run.alive for run in tail[1:]):
            break
        kept[-FAN_IN:] = [_merged(tail)]
    return kept


def _write(
    connection: Connection, folder: Path, run: _Run, fingerprint: str, dim: int, exact_up_to: int
) -> dict[str, Any]:
    faiss = native.faiss()

    ids, rows = read_vectors(connection, run.first, run.last, dim)
    index = build(ids, rows, exact_up_to)
    serialized: Any = faiss.serialize_index(index)
    data = memoryview(serialized)
    storage.make_folder(folder)
    digest = hashlib.sha256(data).hexdigest()
    name = f"{run.first:09d}-{run.last:09d}-{digest[:8]}.faiss"
    if (folder / name).is_dir():
        storage.remove_folder(folder / name)
    storage.write_file(folder / name, data, kill_point="publish")  # also over a damaged file of this name
    storage.touch("publish.before_manifest")
    kind = "flat" if len(rows) <= exact_up_to else "ivf"
    precision = precisions.between(connection, run.first, run.last)
    row = Segment(name, run.first, run.last, len(ids), dim, kind, len(data), digest, fingerprint, precision)
    return {field: getattr(row, field) for field in Segment.__slots__}


# Reading: any number of readers, no lock.


def load(folder: Path, segment: Segment) -> Any:
    """Return the FAISS index of a published segment; raises ValueError or OSError when it is not what was published."""
    faiss = native.faiss()

    if not is_own_name(segment.file):
        raise ValueError("its name is none that a segment has")
    path = folder / segment.file
    if not path.is_file():  # also keeps us from waiting on a FIFO
        raise ValueError("the file is missing")
    data = path.read_bytes()
    if len(data) != segment.bytes or hashlib.sha256(data).hexdigest() != segment.sha256:
        raise ValueError("its checksum is not the manifest's")
    index = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
    if index.ntotal != segment.count or index.d != segment.dim:
        raise ValueError("its size is not the manifest's")
    return index


class DenseIndex:
    """All vectors of one state of the truth, searchable; never changed once made.

    Segments that hold are loaded, those already loaded in `previous` are taken over, and every other vector is read
    from SQL. Raises InvalidVectors only when the truth itself holds vectors of a wrong size.
    """

    def __init__(
        self, connection: Connection, folder: Path, fingerprint: str, dim: int, previous: DenseIndex | None = None
    ) -> None:
        self.dim = dim
        self.healed: list[str] = []
        """Segments that did not agree with the manifest and were replaced by what SQL holds."""
        self._loaded: dict[str, Any] = {}
        gone = connection.execute(select(tombstones.c.chunk_id).order_by(tombstones.c.chunk_id)).scalars().all()
        self._gone: Ids = np.asarray(gone, dtype=np.int64)
        covered = 0
        for segment in manifest(connection):
            self._loaded[segment.file] = self._open(connection, folder, fingerprint, segment, previous)
            covered = segment.last_chunk
        ids, rows = read_vectors(connection, covered + 1, None, dim)
        if len(ids):
            self._loaded[""] = build(ids, rows, exact_up_to=len(ids))

    def _open(
        self, connection: Connection, folder: Path, fingerprint: str, segment: Segment, previous: DenseIndex | None
    ) -> Any:
        if previous is not None and segment.file in previous._loaded:
            return previous._loaded[segment.file]
        try:
            if (segment.fingerprint, segment.dim) != (fingerprint, self.dim):
                raise ValueError("it was made with another encoder")
            return load(folder, segment)
        except (ValueError, OSError, RuntimeError) as error:
            self.healed.append(segment.file)
            log.warning("Search cache %s is not used (%s); its vectors come from the database.", segment.file, error)
            ids, rows = read_vectors(connection, segment.first_chunk, segment.last_chunk, self.dim)
            return build(ids, rows, exact_up_to=len(ids))

    def search(self, query: Vectors, k: int, allowed: Ids | None = None) -> list[Hit]:
        """Return the `k` chunks nearest to `query` (dim,) or (1, dim), best first, ties by id.

        `allowed` restricts the search to those chunk ids.
        """
        faiss = native.faiss()

        row = checked(query.reshape(1, -1), self.dim)
        hits: list[Hit] = []
        for index in self._loaded.values():
            selector: Any = None
            if allowed is not None:
                selector = faiss.IDSelectorBatch(allowed)
            elif len(self._gone):
                selector = faiss.IDSelectorNot(faiss.IDSelectorBatch(self._gone))
            wanted = min(index.ntotal, k + 16)  # a few more, so that a tie at the edge is broken by id
            if wanted < 1:
                continue
            scores, ids = index.search(row, wanted, params=_parameters(index, selector, every=allowed is not None))
            found = zip(ids[0].tolist(), scores[0].tolist(), strict=True)
            hits += [Hit(chunk_id, score) for chunk_id, score in found if chunk_id >= 0]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))[: max(k, 0)]


def _parameters(index: Any, selector: Any, *, every: bool) -> Any:
    """Return the search parameters; `every` probes all lists, since few allowed chunks may stand in unlikely ones."""
    faiss = native.faiss()
    if isinstance(index, faiss.IndexIVF):
        return faiss.SearchParametersIVF(sel=selector, nprobe=index.nlist if every else index.nprobe)
    return faiss.SearchParameters(sel=selector) if selector is not None else None
