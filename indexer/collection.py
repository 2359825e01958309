"""A collection: documents, chunks, vectors and words on disk, opened for searching.

This file opens and lists. Searching is `view.py`'s, what changes a collection `writer.py`'s, and the flow from files to
chunks `sync.py`'s.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from sqlalchemy import func, select

from indexer import schema
from indexer.arguments import check_function, check_parts, check_switches, check_text, items_of, paths_of, texts_of
from indexer.errors import Damaged, NotFound, StorageError, UsageError
from indexer.filters import check_filters, match_notes, parse_filters
from indexer.home import DEFAULT_COLLECTION, collection_folder, collection_names, home_folder
from indexer.nearest import did_you_mean
from indexer.schema import chunks, documents, settings, skipped
from indexer.types import Document, Metadata, Progress, Section, Skip, silent
from indexer.view import CHUNKS, Made, StoredChunk, View, stored_chunk

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine, Row
    from sqlalchemy.sql.elements import ColumnElement

    from indexer.encoder import Encoder
    from indexer.segments import DenseIndex
    from indexer.sync import Given, Report

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A stored document without its text."""

    source: str
    sha256: str
    title: str
    format: str
    characters: int
    chunks: int
    modified: str | None
    metadata: Metadata
    origin: str
    """"file", or "given" for a text that came without one."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a collection holds."""

    name: str
    folder: str
    generation: int
    documents: int
    chunks: int
    near_duplicates: int
    """Chunks that say nearly the same as an earlier one."""
    characters: int
    formats: dict[str, int]
    repairs: dict[str, int]
    """How many characters or places cleaning repaired, by kind."""
    skipped: list[Skip]
    segments: int
    unsealed: int
    """Vectors that no segment covers yet; they are searched all the same."""
    bytes: int
    made: Made
    precisions: list[str]
    """In which the vectors were made; "" for those of an encoder that does not tell."""
    generator: str | None
    """The generator chosen for this collection; None: the default one."""
    languages: dict[str, int]
    """In how many documents there are passages in each language, by its ISO 639-1 code; see `indexer.languages`."""


class Collection:
    """The documents under one name, on disk. Nothing is read or made before it is needed.

    Searching is safe from several threads at once. One process at a time may change a collection; readers in any
    number of processes go on meanwhile and see each generation whole. After a fork, open a new one.
    """

    def __init__(
        self,
        name: str = DEFAULT_COLLECTION,
        home: str | os.PathLike[str] | None = None,
        encoder: str | os.PathLike[str] | Encoder | None = None,
        precision: str | None = None,
    ) -> None:
        """`precision` is what encoder, reader and reranker run in: "fp32", "bf16", "int8", or "auto" for the fastest.

        None: what the variable FOOTNOTE_PRECISION says, else "auto".
        """
        self.name = name
        self.home = home_folder(home)
        self.folder = collection_folder(self.home, name)
        if encoder is not None and not isinstance(encoder, str | os.PathLike):
            check_parts("encoder", encoder, ("fingerprint", "embed_passages"), 'encoder="/models/e5-small"')
        self.wanted_encoder = os.fspath(encoder) if isinstance(encoder, os.PathLike) else encoder
        """What to index with: a name, a folder, an encoder; None: what it was made with, or the default."""
        self.precision = precision
        """What models are to run in; see above."""
        if precision is not None:
            from indexer.encoders.precision import wanted

            wanted(precision)  # says at once that there is no such precision
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._encoder: Encoder | None = None

    def __repr__(self) -> str:
        return f"Collection({self.name!r}, home={str(self.home)!r})"

    def __str__(self) -> str:
        return self.name

    # Changing it

    def sync(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        prune: bool = True,
        rebuild: bool = False,
        progress: Progress = silent,
    ) -> Report:
        """Make the collection hold what these files and folders (or this one) hold now, and return what changed.

        The collection is created when there is none. Unchanged files (by content) cost no embedding; a file that cannot
        be read is skipped with its reason. With `prune`, documents that were under a given folder and are gone from it
        are removed. `rebuild` re-reads and re-embeds everything beside the old state and then switches; then there may
        be no paths. Raises Busy when another process is writing, EncoderMismatch when the collection was made with
        another encoder.
        """
        from indexer.sync import sync_files

        files = paths_of("paths", paths, _PATHS)
        if not files and not rebuild:
            raise UsageError("No file or folder was given: paths is empty.", f"For example: {_PATHS}")
        check_switches(prune=prune, rebuild=rebuild)
        check_function("progress", progress, "progress=lambda what, done, total: print(what, done, total)")
        return sync_files(
            self,
            files,
            texts_of("include", include, "*.md"),
            texts_of("exclude", exclude, "drafts/"),
            prune=prune,
            rebuild=rebuild,
            progress=progress,
        )

    def add(self, given: Sequence[Given], *, progress: Progress = silent) -> Report:
        """Store texts that have no file: each replaces the document of the same id. Returns what changed."""
        from indexer.sync import sync_given

        return sync_given(self, items_of("given", given, _GIVEN), progress=progress)

    def remove(self, sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[str]:
        """Remove these documents (or this one) and return the sources removed.

        Each is named by its full source or its end after a slash, by a folder that it lies in, or by a pattern with
        "*", "?" or "[...]" (a star stands for slashes as well).
        Raises NotFound, and removes nothing, when one of them is not in the collection.
        """
        from indexer.writer import write

        several = [sources] if isinstance(sources, str | os.PathLike) else items_of("sources", sources, _SOURCES)
        found = list(dict.fromkeys(each for source in several for each in self._named(_source(source))))
        with write(self, purpose="remove") as writer:
            writer.remove(found)
            writer.publish()
        return found

    def choose_generator(self, name: str | None) -> None:
        """Remember which generator answers from this collection where none is named; None: the default one.

        The name stays on this machine: an export does not hold it. Raises NotFound when there is no such collection.
        """
        from indexer.writer import write

        if name is not None:
            check_text("name", name, 'choose_generator("quoting")')
        with write(self, purpose="settings") as writer:
            writer.choose_generator(name)

    def choose_reranker(self, name: str | None) -> None:
        """Remember which reranker orders what hybrid search finds; None: none does. Otherwise as `choose_generator`."""
        from indexer.writer import write

        if name is not None:
            check_text("name", name, 'choose_reranker("/models/reranker")')
        with write(self, purpose="settings") as writer:
            writer.choose_reranker(name)

    def delete(self) -> None:
        """Remove the collection from the disk; the files that it was made of are not touched.

        Raises NotFound when there is none, Busy when another process is writing to it.
        """
        from indexer.storage import exclusive_lock, remove_folder

        if not self.folder.is_dir() or not (self.exists or lost_epochs(self.folder)):
            self.epoch()  # says that there is none
        with exclusive_lock(self.folder / "LOCK", "delete"):
            self.close()
            remove_folder(self.folder)

    # Reading it

    @property
    def exists(self) -> bool:
        """True when the collection is on disk."""
        return (self.folder / "CURRENT").is_file()

    def epoch(self) -> Path:
        """Return the folder of the epoch that counts.

        Raises NotFound when there is no such collection, Damaged when what counts cannot be found.
        """
        name = self._current()
        while not (_EPOCH.fullmatch(name) and (self.folder / name / "truth.db").is_file()):
            before, name = name, self._current()
            if name == before:  # else a rebuild has switched between the two looks
                raise Damaged(
                    f"{self.folder / 'CURRENT'} names {name!r}, which is not there.",
                    "Restore the folder from a backup, or move it away and index the documents again.",
                )
        return self.folder / name

    def _current(self) -> str:
        try:
            return (self.folder / "CURRENT").read_bytes().decode(errors="replace").strip()
        except FileNotFoundError as error:
            if lost := lost_epochs(self.folder):
                raise without_current(lost) from error
            raise NotFound(
                f"There is no collection {self.name!r} in {self.home}.",
                "Run: footnote index PATH" + ("" if self.name == DEFAULT_COLLECTION else f" --collection {self.name}"),
            ) from error
        except OSError as error:
            raise StorageError(
                f"Cannot read {self.folder / 'CURRENT'}: {error.strerror}.", "Check that you may read that file."
            ) from error

    @property
    def database(self) -> Path:
        """Where the truth lies."""
        return self.epoch() / "truth.db"

    @contextlib.contextmanager
    def view(self) -> Iterator[View]:
        """Open one state of the collection for searching."""
        opened, connection = self._connected()
        with connection:
            made, generation = made_in(connection)
            yield View(connection, opened.dense_index(connection, made, generation), generation, made)

    @property
    def made(self) -> Made:
        """How the collection's chunks and vectors were made."""
        with self.reading() as connection:
            return made_in(connection)[0]

    @property
    def generation(self) -> int:
        """A number that grows with every change."""
        with self.reading() as connection:
            return made_in(connection)[1]

    @property
    def generator(self) -> str | None:
        """The name of the generator that answers where none is named; None: the default one."""
        with self.reading() as connection:
            return chosen_generator(connection)

    @property
    def reranker(self) -> str | None:
        """The folder of the reranker that orders what hybrid search finds; None: none does."""
        with self.reading() as connection:
            return _chosen(connection, "reranker")

    @property
    def encoder(self) -> Encoder:
        """The encoder that made the vectors, opened without torch where it was converted before."""
        fingerprint = self.made.fingerprint
        with self._lock:
            if self._encoder is None or self._encoder.fingerprint != fingerprint:
                from indexer.encoder import open_converted

                own = self.wanted_encoder
                if own is not None and not isinstance(own, str) and own.fingerprint == fingerprint:
                    self._encoder = own
                else:
                    self._encoder = open_converted(fingerprint, self.home, self.precision)
            return self._encoder

    def filters(self, given: Sequence[str]) -> ColumnElement[bool] | None:
        """Return the condition of `key=value` filters for the methods of a view.

        Raises UsageError for one of another form, for a key that no document has, and for a date that is none.
        """
        wanted = texts_of("filters", given, "format=pdf")
        if wanted:
            with self.reading() as connection:
                check_filters(connection, wanted)
        return parse_filters(wanted)

    def match_count(self, given: Sequence[str]) -> str:
        """Return how many documents `key=value` filters keep, in words: "0 of 75 documents match author=Moss."."""
        return self.match_notes(given)[0]

    def match_notes(self, given: Sequence[str]) -> tuple[str, ...]:
        """Return how many documents `key=value` filters keep, and where that is none, which values there are.

        ("0 of 75 documents match author=Mos.", "Did you mean: Moss?", "Values of author: Moss (3), Hale (1).")
        """
        wanted = texts_of("filters", given, "format=pdf")
        with self.reading() as connection:
            return match_notes(connection, wanted)

    def resolve(self, source: str | os.PathLike[str]) -> str:
        """Return the stored source that `source` names: itself, its absolute path, or the only one that ends in it."""
        source = _source(source)
        with self.reading() as connection:
            exact = [source, os.path.abspath(source)]  # noqa: PTH100 - ../ goes as well
            rows = connection.execute(select(documents.c.source).where(documents.c.source.in_(exact))).scalars().all()
            if source in rows:
                return source
            if not rows:
                ending = documents.c.source.endswith(f"/{source}", autoescape=True)
                rows = connection.execute(select(documents.c.source).where(ending).limit(6)).scalars().all()
            if not rows and not source.isascii():  # accents may be stored as letters of their own, as macOS does
                named = {normalize("NFC", each) for each in (exact[1], f"/{source}")}
                every = connection.execute(select(documents.c.source)).scalars().all()
                rows = [each for each in every if normalize("NFC", each).endswith(tuple(named))]
        if len(rows) == 1:
            return str(rows[0])
        if rows:
            raise NotFound(f"{source!r} names several documents: {', '.join(rows[:5])}.", "Give more of the path.")
        meant = did_you_mean(source, self._names())
        raise NotFound(
            f"{source!r} is not in collection {self.name!r}.",
            f"{meant} ".lstrip() + "Run: footnote status --sources, to see what is.",
        )

    def _names(self) -> list[str]:
        """Return what documents are called that somebody may have meant: the names of files, and ids of texts."""
        with self.reading() as connection:
            sources = connection.execute(select(documents.c.source).order_by(documents.c.source)).scalars()
            return [each.rpartition("/")[2] or each for each in sources]

    def _named(self, source: str) -> list[str]:
        """Return the stored sources that `source` names: a document, all in a folder, or all that match a pattern."""
        try:
            return [self.resolve(source)]
        except NotFound:
            with self.reading() as connection:
                every = connection.execute(select(documents.c.source).order_by(documents.c.source)).scalars().all()
            path = normalize("NFC", os.path.abspath(source))  # noqa: PTH100 - ../ goes as well
            patterns = (path, normalize("NFC", source), f"*/{normalize('NFC', source)}")
            names = [(each, normalize("NFC", each)) for each in every]
            inside = [each for each, name in names if name.startswith(f"{path}/")]
            found = inside or [each for each, name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
            if not found:
                raise
            return found

    def document(self, source: str | os.PathLike[str]) -> Document:
        """Return a stored document whole. Raises NotFound."""
        resolved = self.resolve(source)
        with self.reading() as connection:
            row = connection.execute(select(documents).where(documents.c.source == resolved)).one()
        return document_from_row(row)

    def document_chunks(self, source: str | os.PathLike[str]) -> list[StoredChunk]:
        """Return the chunks of a stored document, in order."""
        resolved = self.resolve(source)
        with self.reading() as connection:
            rows = connection.execute(CHUNKS.where(documents.c.source == resolved).order_by(chunks.c.start))
            return [stored_chunk(row) for row in rows]

    def document_precisions(self, source: str | os.PathLike[str]) -> list[str]:
        """Return in which precisions the vectors of a stored document were made, as `Status.precisions` does."""
        from indexer.precisions import as_known, recorded_of, running

        resolved = self.resolve(source)
        with self.reading() as connection:
            key = connection.execute(select(documents.c.id).where(documents.c.source == resolved)).scalar_one()
            made, _ = made_in(connection)
            return as_known(recorded_of(connection, key), running(made.fingerprint, self.home))

    def near_duplicates(self, source: str | os.PathLike[str]) -> dict[int, list[str]]:
        """Return, for each chunk of a document that has near-duplicates, in which other sources they stand."""
        from indexer.signatures import near_duplicates

        found: dict[int, list[str]] = {}
        own = self.document_chunks(source)
        columns = select(documents.c.source, chunks.c.simhash, chunks.c.numbers).join(documents)
        with self.reading() as connection:
            for chunk in own:
                # The figures must agree, so only chunks with the same ones need comparing bit by bit.
                rows = connection.execute(columns.where(chunks.c.numbers == chunk.numbers).order_by(documents.c.source))
                alike = {row[0] for row in rows if near_duplicates((chunk.simhash, chunk.numbers), (row[1], row[2]))}
                if others := sorted(alike - {chunk.source}):
                    found[chunk.id] = others
        return found

    def documents(self) -> list[DocumentEntry]:
        """Return what is stored, by source, without the texts."""
        counted = select(chunks.c.document_id, func.count().label("n")).group_by(chunks.c.document_id).subquery()
        query = select(
            documents.c.source, documents.c.sha256, documents.c.title, documents.c.format,
            func.length(documents.c.text), func.coalesce(counted.c.n, 0), documents.c.modified, documents.c.metadata,
            documents.c.origin,
        ).join(counted, counted.c.document_id == documents.c.id, isouter=True)  # fmt: skip
        with self.reading() as connection:
            rows = connection.execute(query.order_by(documents.c.source)).all()
        return [DocumentEntry(*row[:7], metadata=json.loads(row[7]), origin=row[8]) for row in rows]

    def status(self) -> Status:
        """Return what the collection holds."""
        from indexer.precisions import as_known, recorded, running
        from indexer.segments import manifest
        from indexer.signatures import count_near_duplicates

        with self.reading() as connection:
            made, generation = made_in(connection)
            total, characters = connection.execute(
                select(func.count(), func.coalesce(func.sum(func.length(documents.c.text)), 0))
            ).one()
            formats = connection.execute(
                select(documents.c.format, func.count()).group_by(documents.c.format).order_by(documents.c.format)
            ).all()
            languages = spoken_in(connection)
            repairs: dict[str, int] = {}
            for (found,) in connection.execute(select(documents.c.repairs).where(documents.c.repairs != "{}")):
                for kind, count in json.loads(found).items():
                    repairs[kind] = repairs.get(kind, 0) + int(count)
            signatures = connection.execute(select(chunks.c.simhash, chunks.c.numbers).order_by(chunks.c.id)).all()
            published = manifest(connection)
            covered = published[-1].last_chunk if published else 0
            unsealed = connection.execute(select(func.count()).where(chunks.c.id > covered)).scalar() or 0
            generator = chosen_generator(connection)
            made_in_precisions = recorded(connection)
            skips = [Skip(row.source, row.reason) for row in connection.execute(select(skipped).order_by("source"))]
        size = sum(path.stat().st_size for path in self.epoch().rglob("*") if path.is_file())
        return Status(
            name=self.name,
            folder=str(self.folder),
            generation=generation,
            documents=total,
            chunks=len(signatures),
            near_duplicates=count_near_duplicates([(row[0], row[1]) for row in signatures]),
            characters=characters,
            formats={row[0]: row[1] for row in formats},
            repairs=dict(sorted(repairs.items())),
            skipped=skips,
            segments=len(published),
            unsealed=unsealed,
            bytes=size,
            made=made,
            precisions=as_known(made_in_precisions, running(made.fingerprint, self.home)),
            generator=generator,
            languages=languages,
        )

    def close(self) -> None:
        """Give back the database connections; the collection may be used again afterwards."""
        with self._lock:
            if self._opened is not None:
                self._opened.engine.dispose()
            self._opened = self._encoder = None

    # Inside

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open one state of the tables for reading."""
        _, connection = self._connected()
        with connection:
            yield connection

    def _connected(self) -> tuple[_Opened, Connection]:
        """Return the epoch that counts and a connection to it; the caller closes the connection."""
        while True:
            epoch = self.epoch()
            try:
                opened = self._open(epoch)
                return opened, opened.engine.connect()
            except StorageError:
                if self.epoch() == epoch:  # else a rebuild has switched, and removed what we were about to open
                    raise

    def _open(self, epoch: Path) -> _Opened:
        """Return this epoch, opened; an older one is left to those who still read it."""
        with self._lock:
            if self._opened is None or self._opened.folder != epoch:
                path = epoch / "truth.db"
                if schema.check_identity(path) != schema.REVISION:
                    from indexer.writer import migrate

                    migrate(self)
                if self._opened is not None:
                    self._opened.engine.dispose()  # its idle connections; those in use go on
                self._opened = _Opened(epoch, schema.connect(path, write=False))
            return self._opened


_PATHS = 'sync("~/papers") or sync(["notes.md", "report.pdf"])'
_SOURCES = 'sources=["notes.md"]'
_GIVEN = 'add([Given("note-17", "The boiler was replaced in May 2021.")])'


def _source(source: str | os.PathLike[str]) -> str:
    """Return a source as a text. Raises UsageError for what is none, and for an empty one, which would be a folder."""
    name = os.fspath(source) if isinstance(source, os.PathLike) else source
    check_text("source", name, '"notes.md", or its whole path')
    return name


def collections(home: str | os.PathLike[str] | None = None) -> list[Collection]:
    """Return the collections that are under `home` (None: the usual place), by name; none of them is opened."""
    folder = home_folder(home)
    return [Collection(name, folder) for name in collection_names(folder)]


class _Opened:
    """One epoch's database, open, and the newest index over its vectors."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.engine = folder, engine
        self._lock = threading.Lock()
        self._dense: DenseIndex | None = None
        self._state = (-1, -1)

    def dense_index(self, connection: Connection, made: Made, generation: int) -> DenseIndex:
        """Return the index of the generation that `connection`'s transaction sees."""
        from indexer.segments import DenseIndex

        newest = connection.execute(select(func.max(schema.segments.c.id))).scalar()
        state = (generation, int(newest or 0))
        with self._lock:
            if self._dense is not None and self._state == state:
                return self._dense
            dense = DenseIndex(connection, self.folder / "segments", made.fingerprint, made.dim, previous=self._dense)
            if state > self._state:
                self._dense, self._state = dense, state
            return dense


_EPOCH = re.compile(r"epoch-\d{6,}")


def lost_epochs(folder: Path) -> list[Path]:
    """Return the epochs in a collection's folder that were changed since they were made, lowest first.

    Where there is no CURRENT, they are what it must have named; one that was never changed may be a killed creation's.
    """
    return [epoch for epoch in sorted(folder.glob("epoch-*")) if _was_used(epoch / "truth.db")]


def _was_used(database: Path) -> bool:
    if not database.is_file():
        return False
    engine = schema.connect(database, write=False)
    try:
        with engine.connect() as connection:
            return made_in(connection)[1] > 0
    except StorageError:
        return True  # damaged, but perhaps all that is left
    finally:
        engine.dispose()


def without_current(lost: Sequence[Path]) -> Damaged:
    """Return the error for a collection whose CURRENT is lost while epochs of it are there."""
    return Damaged(
        f"{lost[0].parent / 'CURRENT'} is missing, though {lost[0].name} is there.",
        f"Run: footnote doctor --repair --collection {lost[0].parent.name}",
    )


def made_in(connection: Connection) -> tuple[Made, int]:
    """Return how the state that `connection` sees was made, and its generation."""
    values = {row.key: json.loads(row.value) for row in connection.execute(select(settings))}
    return Made(**values["made"]), int(values["generation"])


def spoken_in(connection: Connection) -> dict[str, int]:
    """Return in how many documents there are passages in each language, by its ISO 639-1 code."""
    counted = select(chunks.c.language, func.count(chunks.c.document_id.distinct())).group_by(chunks.c.language)
    return {row[0]: row[1] for row in connection.execute(counted) if row[0]}


def chosen_generator(connection: Connection) -> str | None:
    """Return the generator chosen for the collection in the state that `connection` sees, None for the default."""
    return _chosen(connection, "generator")


def _chosen(connection: Connection, key: str) -> str | None:
    value = connection.execute(select(settings.c.value).where(settings.c.key == key)).scalar()
    return None if value is None else str(json.loads(value))


def document_from_row(row: Row[Any]) -> Document:
    """Return the Document that a row of the documents table holds."""
    return Document(
        source=row.source,
        sha256=row.sha256,
        title=row.title,
        text=row.text,
        sections=tuple(Section(*section) for section in json.loads(row.sections)),
        metadata=json.loads(row.metadata),
        format=row.format,
        notes=tuple(json.loads(row.notes)),
        repairs=json.loads(row.repairs),
    )
