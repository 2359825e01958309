"""The one writer of a collection: each of its methods is one transaction, and all of them happen under the lock.

It keeps documents, chunks, vectors and words in step, raises the generation, publishes the FAISS cache, and switches
epochs. It knows nothing of files, readers or encoders: what it stores is handed to it finished.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from indexer import precisions, schema, segments, storage
from indexer.collection import Collection, lost_epochs, spoken_in, without_current
from indexer.errors import EncoderMismatch, StorageError
from indexer.schema import chunks, documents, names, settings, skipped, tombstones, vectors
from indexer.types import Chunk, Document, Skip, Vectors
from indexer.view import Made

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


DOCUMENT_NAMES = (documents.c.id, documents.c.source, documents.c.title, documents.c.metadata)
"""What the names of a document are made of, beside its chunks."""
AT_ONCE = 2000
"""Chunks of one document that are stored together: a sheet may have a hundred thousand, each of some kilobytes."""
WORD_COLUMNS = (
    chunks.c.id, chunks.c.context, chunks.c.text, chunks.c.bigrams, chunks.c.language, chunks.c.stems,
)  # fmt: skip
"""What the words and names of a chunk are made of, and the former as they are stored."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be stored: its chunks in order and one vector each."""

    document: Document
    origin: str
    """"file" or "given"."""
    modified: str | None
    chunks: Sequence[Chunk]
    digests: Sequence[bytes]
    """SHA-256 of what the encoder read for each chunk: equal digests have equal vectors."""
    vectors: Sequence[bytes]
    """One a chunk, as `Writer.as_bytes` made it."""
    precisions: Sequence[str] = ()
    """In which each vector was made; none where that is not known of any."""


@dataclass(frozen=True, slots=True)
class StoredVector:
    """A vector as it is stored, and the precision in which it was made."""

    vector: bytes
    precision: str


@contextlib.contextmanager
def write(collection: Collection, *, purpose: str, made: Made | None = None, fresh: bool = False) -> Iterator[Writer]:
    """Hold the collection's lock and hand out its writer.

    `made` creates the collection when there is none. With `fresh`, the writer fills a new epoch beside the one that
    counts (taking up what an interrupted run with the same `made` left there), and `Writer.switch` makes it count.
    Raises Busy when another process is writing, NotFound when there is no collection and no `made`, EncoderMismatch
    when `made` names another encoder than the collection's and it is not `fresh`.
    """
    if made is None:
        collection.epoch()
    with storage.exclusive_lock(collection.folder / "LOCK", purpose):
        folder = _epoch_to_write(collection, made, fresh)
        writer = Writer(collection, folder)
        try:
            if made is not None:  # only now, under the lock, can no one else create or rebuild it
                check_encoder(collection.name, writer.made, made)
            writer.tidy()
            yield writer
        finally:
            writer.close()


def migrate(collection: Collection) -> None:
    """Bring an older database to this version's schema, keeping a copy of it beside."""
    with storage.exclusive_lock(collection.folder / "LOCK", "migrate"):
        schema.migrate(collection.database)


def check_encoder(name: str, present: Made, asked: Made) -> None:
    """Raise EncoderMismatch when a collection made as `present` is to be written as `asked`."""
    if present.fingerprint != asked.fingerprint:
        raise EncoderMismatch(
            f"Collection {name!r} was indexed with {present.encoder} ({present.fingerprint[:12]}), "
            f"and you asked with {asked.encoder} ({asked.fingerprint[:12]}).",
            f"Leave out --encoder, or run: footnote index --rebuild --collection {name} --encoder {asked.encoder}",
        )


def _epoch_to_write(collection: Collection, made: Made | None, fresh: bool) -> Path:
    if made is None or (collection.exists and not fresh):
        schema.migrate(collection.database)
        return collection.epoch()
    if not collection.exists:
        return create(collection, made)
    number = int(collection.epoch().name.removeprefix("epoch-")) + 1
    folder = collection.folder / f"epoch-{number:06d}"
    if not _is_made_as(folder, made):
        storage.remove_folder(folder)
        _build_epoch(collection, folder, made, collection.generation)
    schema.migrate(folder / "truth.db")
    return folder


def create(collection: Collection, made: Made, fill: Callable[[Writer], None] | None = None) -> Path:
    """Make a collection, complete with what `fill` writes into it or not at all; the caller holds the lock.

    Raises Damaged when there is one whose CURRENT is lost: nothing of it is overwritten.
    """
    if lost := lost_epochs(collection.folder):
        raise without_current(lost)
    for folder in collection.folder.glob("epoch-*"):  # left by a killed creation, which never counted
        storage.remove_folder(folder)
    folder = collection.folder / "epoch-000001"
    _build_epoch(collection, folder, made, 0, fill)
    storage.write_file(collection.folder / "CURRENT", folder.name.encode(), kill_point="current")
    return folder


def _build_epoch(
    collection: Collection, folder: Path, made: Made, generation: int, fill: Callable[[Writer], None] | None = None
) -> None:
    building = folder.with_name(f".{folder.name}.part")
    storage.remove_folder(building)
    try:
        storage.make_folder(building)
        schema.migrate(building / "truth.db")
        engine = schema.connect(building / "truth.db", write=True)
        with engine.begin() as connection:
            values = {"made": asdict(made), "generation": generation}
            rows = [{"key": key, "value": json.dumps(value)} for key, value in values.items()]
            connection.execute(insert(settings), rows)
        engine.dispose()
        if fill is not None:
            writer = Writer(collection, building)
            try:
                fill(writer)
                writer.publish()
                writer.restart(generation)
            finally:
                writer.close()
        storage.rename_folder(building, folder)
    except BaseException:
        with contextlib.suppress(StorageError):
            storage.remove_folder(building)
        raise


def _is_made_as(folder: Path, made: Made) -> bool:
    """True when an interrupted run left an epoch there that can be taken up again."""
    try:
        return (folder / "truth.db").is_file() and _made_in(folder) == made
    except StorageError:
        return False


def _made_in(folder: Path) -> Made:
    engine = schema.connect(folder / "truth.db", write=False)
    try:
        with engine.connect() as connection:
            value = connection.execute(select(settings.c.value).where(settings.c.key == "made")).scalar()
    finally:
        engine.dispose()
    if value is None:
        raise schema.damaged(folder / "truth.db", "its settings are missing")
    return Made(**json.loads(value))


class Writer:
    """Changes one epoch of a collection. Made by `write`, which holds the lock."""

    def __init__(self, collection: Collection, folder: Path) -> None:
        self.collection, self.folder = collection, folder
        self.made = _made_in(folder)
        self._engine = schema.connect(folder / "truth.db", write=True)

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    # What is there

    def known(self) -> dict[str, str]:
        """Return the SHA-256 of every stored document by source."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(documents.c.source, documents.c.sha256))
            return {row.source: row.sha256 for row in rows}

    def known_skips(self) -> dict[str, str]:
        """Return the noted reason of every skipped source."""
        with self._engine.connect() as connection:
            return {row.source: row.reason for row in connection.execute(select(skipped))}

    def origins(self) -> dict[str, str]:
        """Return by source whether each stored document came from a file ("file") or was given as text ("given")."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(documents.c.source, documents.c.origin))
            return {row.source: row.origin for row in rows}

    def stored_vectors(self, digests: Iterable[bytes]) -> dict[bytes, StoredVector]:
        """Return the vectors that are stored for these digests already."""
        wanted, found = list(dict.fromkeys(digests)), {}
        with self._engine.connect() as connection:
            for i in range(0, len(wanted), 500):
                query = select(chunks.c.digest, vectors.c.vector, vectors.c.precision).join(vectors)
                rows = connection.execute(query.where(chunks.c.digest.in_(wanted[i : i + 500])))
                found.update({bytes(row.digest): StoredVector(bytes(row.vector), row.precision) for row in rows})
        return found

    def languages(self) -> dict[str, int]:
        """Return in how many documents there are passages in each language, by its ISO 639-1 code."""
        with self._engine.connect() as connection:
            return spoken_in(connection)

    @property
    def generation(self) -> int:
        """The generation of the epoch that is being written."""
        with self._engine.connect() as connection:
            return _generation(connection)

    # Changing it: each is one transaction

    def as_bytes(self, rows: Vectors) -> list[bytes]:
        """Return each row of `rows` (n, dim) as it is stored. Raises InvalidVectors for rows that must not be."""
        return [row.astype("<f4", copy=False).tobytes() for row in segments.checked(rows, self.made.dim)]

    def put(self, prepared: Sequence[Prepared], removed: Sequence[str] = (), skips: Sequence[Skip] = ()) -> int:
        """Store these documents in place of those of the same source, remove others, and return the generation.

        Everything of all of them is there when this returns, and nothing of any of them when it raises.
        """
        with self._engine.begin() as connection:
            self._delete(connection, [each.document.source for each in prepared] + list(removed))
            for document in prepared:
                self._insert(connection, document)
            for skip in skips:
                connection.execute(delete(skipped).where(skipped.c.source == skip.source))
                connection.execute(insert(skipped).values(source=skip.source, reason=skip.reason, seen=time.time()))
            generation = _generation(connection) + 1
            _set(connection, "generation", generation)
        storage.touch("commit.after")
        return generation

    def restart(self, generation: int) -> None:
        """Count generations from this one on, as a collection that was filled in one piece does."""
        with self._engine.begin() as connection:
            _set(connection, "generation", generation)

    def remove(self, sources: Sequence[str]) -> int:
        """Remove these documents and return the generation."""
        return self.put([], removed=sources)

    def settle(self, pipeline: int) -> None:
        """Note that all documents are now as this version of the pipeline makes them."""
        if self.made.pipeline != pipeline:
            self.made = replace(self.made, pipeline=pipeline)
            with self._engine.begin() as connection:
                _set(connection, "made", asdict(self.made))

    def choose_generator(self, name: str | None) -> None:
        """Note which generator answers from the collection, None for the default; its content stays as it is."""
        self._choose("generator", name)

    def choose_reranker(self, name: str | None) -> None:
        """Note which reranker orders what the collection's search finds, None for none; its content stays as it is."""
        self._choose("reranker", name)

    def _choose(self, key: str, name: str | None) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(settings).where(settings.c.key == key))
            if name is not None:
                connection.execute(insert(settings).values(key=key, value=json.dumps(name)))

    def note_likeness(self, likeness: Mapping[str, Sequence[float]]) -> None:
        """Note how like single precision others are, as measured where vectors are made in them: mean and least."""
        with self._engine.begin() as connection:
            known = precisions.likeness_in(connection)
            if (both := precisions.together(known, likeness)) != known:
                connection.execute(delete(settings).where(settings.c.key == precisions.LIKENESS))
                connection.execute(insert(settings).values(key=precisions.LIKENESS, value=json.dumps(both)))

    def replace_vectors(self, rows: Mapping[int, bytes], precision: str = precisions.UNKNOWN) -> None:
        """Store these vectors (as `as_bytes` made them) by chunk id in place of damaged or missing ones."""
        with self._engine.begin() as connection:
            for chunk_id, row in rows.items():
                connection.execute(delete(vectors).where(vectors.c.chunk_id == chunk_id))
                connection.execute(insert(vectors).values(chunk_id=chunk_id, vector=row, precision=precision))
            _set(connection, "generation", _generation(connection) + 1)

    def rebuild_words(self) -> None:
        """Make the full-text index again from the chunks."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO words(words) VALUES ('rebuild')")
            _set(connection, "generation", _generation(connection) + 1)

    def replace_names(self) -> None:
        """Make the names of all documents again from what is stored, and what full-text search needs beside them."""
        from indexer.findable import names_of, word_columns

        with self._engine.begin() as connection:
            connection.execute(delete(names))
            for document in connection.execute(select(*DOCUMENT_NAMES).order_by(documents.c.id)).all():
                query = select(*WORD_COLUMNS).where(chunks.c.document_id == document.id).order_by(chunks.c.id)
                pieces = connection.execute(query).all()
                if rows := names_of(document, pieces):
                    connection.execute(insert(names), rows)
                right = word_columns([(piece.context, piece.text) for piece in pieces])
                for piece, columns in zip(pieces, right, strict=True):
                    if any(getattr(piece, name) != value for name, value in columns.items()):
                        connection.execute(update(chunks).where(chunks.c.id == piece.id).values(**columns))
            _set(connection, "generation", _generation(connection) + 1)

    def check_words(self) -> None:
        """Compare the full-text index with the chunks; raises Damaged when they differ. Changes nothing."""
        with self._engine.connect() as connection:  # a statement that writes, so it is taken back
            connection.exec_driver_sql("INSERT INTO words(words, rank) VALUES ('integrity-check', 1)")
            connection.rollback()

    def _delete(self, connection: Connection, sources: Sequence[str]) -> None:
        for i in range(0, len(sources), 500):
            gone = select(documents.c.id).where(documents.c.source.in_(sources[i : i + 500]))
            of_them = select(chunks.c.id).where(chunks.c.document_id.in_(gone))
            # Only of chunks that a segment holds: the others are read from SQL, and need none.
            sealed = select(func.coalesce(func.max(schema.segments.c.last_chunk), 0)).scalar_subquery()
            connection.execute(insert(tombstones).from_select(["chunk_id"], of_them.where(chunks.c.id <= sealed)))
            # Chunks first and by name: the triggers that keep the words in step see each of them.
            connection.execute(delete(chunks).where(chunks.c.document_id.in_(gone)))
            connection.execute(delete(documents).where(documents.c.source.in_(sources[i : i + 500])))
            connection.execute(delete(skipped).where(skipped.c.source.in_(sources[i : i + 500])))

    def _insert(self, connection: Connection, prepared: Prepared) -> None:
        from indexer.findable import word_columns
        from indexer.names import document_names, name_rows, passage_names
        from indexer.signatures import signature

        document = prepared.document
        key = connection.execute(insert(documents), _document_row(prepared)).inserted_primary_key or (0,)
        if not prepared.chunks:
            return
        used = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'").scalar() or 0
        found_by = word_columns([(chunk.context, chunk.text) for chunk in prepared.chunks])
        by_place = {0: document_names(document.source, document.title, document.metadata)}
        for first in range(0, len(prepared.chunks), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            pieces, columns = prepared.chunks[part], found_by[part]
            ids = range(used + 1 + first, used + 1 + first + len(pieces))
            stored: list[dict[str, Any]] = []
            for chunk_id, chunk, digest, own in zip(ids, pieces, prepared.digests[part], columns, strict=True):
                simhash, numbers = signature(chunk.text)
                stored.append(
                    {
                        "id": chunk_id,
                        "document_id": key[0],
                        "start": chunk.start,
                        "end": chunk.end,
                        "page": document.first_page(chunk.start, chunk.end),
                        "line": document.line_at(chunk.start),
                        "digest": digest,
                        "simhash": simhash,
                        "numbers": numbers,
                        "context": chunk.context,
                        "text": chunk.text,
                        **own,
                    }
                )
                by_place[chunk_id] = passage_names(chunk.text, chunk.context)
            connection.execute(insert(chunks), stored)
            made_in = prepared.precisions[part] or [precisions.UNKNOWN] * len(pieces)
            rows = [
                {"chunk_id": chunk_id, "vector": vector, "precision": precision}
                for chunk_id, vector, precision in zip(ids, prepared.vectors[part], made_in, strict=True)
            ]
            connection.execute(insert(vectors), rows)
        if found := name_rows(key[0], by_place):
            connection.execute(insert(names), found)

    def publish(self, *, damaged: Iterable[str] = (), all_of_it: bool = False) -> None:
        """Bring the FAISS cache up to date with the truth, at a cost in proportion to what has changed.

        Segments named in `damaged` are made again, as are those whose file is gone or has another size.
        """
        folder = self.folder / "segments"
        with self._engine.begin() as connection:
            unfit = {*damaged, *(each.file for each in segments.manifest(connection) if not _is_there(folder, each))}
            dropped = segments.publish(
                connection, folder, self.made.fingerprint, self.made.dim, damaged=unfit, all_of_it=all_of_it
            )
        storage.touch("publish.after_manifest")
        for name in dropped:
            _remove(folder / name)

    def unsealed(self) -> int:
        """Return how many vectors no segment covers."""
        with self._engine.connect() as connection:
            published = segments.manifest(connection)
            newest = published[-1].last_chunk if published else 0
            return int(connection.execute(select(func.count()).where(vectors.c.chunk_id > newest)).scalar() or 0)

    def switch(self) -> None:
        """Make this epoch the one that counts, with what was chosen for the one before it, and remove that."""
        self.choose_generator(self.collection.generator)
        self.choose_reranker(self.collection.reranker)
        storage.touch("switch.before")
        storage.write_file(self.collection.folder / "CURRENT", self.folder.name.encode(), kill_point="current")
        self.tidy()

    def tidy(self) -> None:
        """Remove what killed processes left behind."""
        for path in unnamed(self):
            _remove(path)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open the state of the epoch that is being written."""
        with self._engine.connect() as connection:
            yield connection


def unnamed(writer: Writer) -> list[Path]:
    """Return what killed processes left behind: temporary files, segments without a name, epochs that do not count."""
    folder = writer.collection.folder
    keep = {writer.folder, writer.collection.epoch()}
    epochs = [path for path in folder.glob("epoch-*") if path not in keep]
    with writer.reading() as connection:
        named = {segment.file for segment in segments.manifest(connection)}
    cache = writer.folder / "segments"
    loose = [path for path in sorted(cache.iterdir()) if path.name not in named] if cache.is_dir() else []
    return [*epochs, *storage.leftovers(folder), *loose]


def _is_there(folder: Path, segment: segments.Segment) -> bool:
    """True when a segment's file has the right size; `doctor` also compares checksums."""
    path = folder / segment.file
    return segments.is_own_name(segment.file) and path.is_file() and path.stat().st_size == segment.bytes


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        storage.remove_folder(path)
    else:
        storage.remove_file(path)


def _generation(connection: Connection) -> int:
    return int(connection.execute(select(settings.c.value).where(settings.c.key == "generation")).scalar_one())


def _set(connection: Connection, key: str, value: object) -> None:
    connection.execute(update(settings).where(settings.c.key == key).values(value=json.dumps(value)))


def _document_row(prepared: Prepared) -> dict[str, Any]:
    document = prepared.document
    sections = [[s.start, s.end, s.kind, s.level, s.page, s.line] for s in document.sections]
    return {
        "source": document.source,
        "sha256": document.sha256,
        "origin": prepared.origin,
        "title": document.title,
        "format": document.format,
        "modified": prepared.modified,
        "metadata": json.dumps(dict(document.metadata), ensure_ascii=False),
        "notes": json.dumps(list(document.notes), ensure_ascii=False),
        "repairs": json.dumps(dict(document.repairs)),
        "sections": json.dumps(sections),
        "text": document.text,
    }
