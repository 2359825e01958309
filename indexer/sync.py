"""From files to a collection: read what changed, parse, chunk, embed what is new, and store it batch by batch.

The order is the promise: a batch is committed whole or not at all, documents that are gone are removed last (so that a
moved file finds its vectors), and the FAISS cache is published after the truth.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import math
import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from indexer import precisions
from indexer.collection import Collection
from indexer.errors import UsageError
from indexer.types import Block, Chunk, Document, Metadata, Progress, Reading, Skip, silent
from indexer.view import Made
from indexer.writer import Prepared, StoredVector, Writer, check_encoder, write

if TYPE_CHECKING:
    from indexer.encoder import Encoder

PIPELINE = 5
"""Version of reading, cleaning and chunking: raise it when the same bytes would give other text or other chunks."""
BATCH_CHUNKS = 256
"""New chunks that are embedded together and committed in one transaction; a kill loses at most this much work."""
BATCH_DOCUMENTS = 500
"""Documents in one transaction, when they need little embedding."""
UNSEALED_AT_MOST = 8192
"""Vectors that a long run leaves to be read from SQL before it publishes in between."""

MAX_ID = 1000
"""Longest id of a given text, in characters."""

Committed = Callable[[Sequence[str], int], None]
"""Called with the sources and the generation of each batch once it is durable."""


@dataclass(frozen=True, slots=True)
class Given:
    """A text that has no file; `id` names it in the collection."""

    id: str
    text: str
    title: str = ""
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What one run of indexing did, in documents and chunks."""

    added: int
    changed: int
    removed: int
    unchanged: int
    skipped: tuple[Skip, ...]
    chunks: int
    """Chunks in the documents that were added or changed."""
    chunks_embedded: int
    """Chunks the encoder had to read; the others' vectors were there already."""
    seconds: float
    generation: int
    repairs: Mapping[str, int] = field(default_factory=dict)
    """What cleaning repaired in the documents that were added or changed, and how often."""
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What was not read, or read by a fallback, in the documents that were added or changed: source -> notes."""
    not_read: Mapping[str, int] = field(default_factory=dict)
    """How many files were not read, by ending: those skipped with a reason and those ignored for their names."""
    unmatched: Sequence[str] = ()
    """The patterns of `include` that no file matches."""
    unknown_languages: Mapping[str, int] = field(default_factory=dict)
    """How many documents of the collection are in each language that the encoder does not know; none if none changed.

    By ISO 639-1 code. They are found by their words, and hardly by their meaning.
    """

    def to_json(self) -> dict[str, object]:
        """Return the report in the form that `index --json` prints."""
        return {
            "added": self.added,
            "changed": self.changed,
            "removed": self.removed,
            "unchanged": self.unchanged,
            "skipped": [{"source": skip.source, "reason": skip.reason} for skip in self.skipped],
            "notes": {source: list(notes) for source, notes in self.notes.items()},
            "not_read": dict(self.not_read),
            "unmatched": list(self.unmatched),
            "unknown_languages": dict(self.unknown_languages),
            "chunks": self.chunks,
            "chunks_embedded": self.chunks_embedded,
            "seconds": round(self.seconds, 3),
            "generation": self.generation,
        }


@dataclass(frozen=True, slots=True)
class _Read:
    document: Document
    origin: str
    modified: str | None


def sync_files(
    collection: Collection,
    paths: Sequence[Path],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    *,
    prune: bool = True,
    rebuild: bool = False,
    progress: Progress = silent,
    committed: Committed | None = None,
) -> Report:
    """Make the collection hold what `paths` hold now; see `Collection.sync`."""
    from indexer.folders import ending, find, named_file, unmatched_patterns

    started = time.monotonic()
    given = (Path(os.path.abspath(Path(path).expanduser())) for path in paths)  # noqa: PTH100 - as `find` names files
    roots = [named_file(path) for path in given]
    not_read: Counter[str] = Counter()
    found = list(find(roots, include, exclude, not_read))
    files = {str(path): path for path in found if isinstance(path, Path)}
    skips = [each for each in found if isinstance(each, Skip)]
    unmatched = unmatched_patterns(include, files.values(), roots)
    if unmatched and not files:
        prune = False  # a pattern with a typing error in it must not empty the collection
    encoder, made = _encoder_for(collection, progress, rebuild=rebuild)
    with write(collection, purpose="index", made=made, fresh=rebuild) as writer:
        run = _Run(writer, encoder, progress, committed)
        run.expected = _sizes(files.values())
        before = {entry.source: entry.origin for entry in collection.documents()} if rebuild else writer.origins()
        with_file = [source for source, origin in before.items() if origin == "file"]
        gone = _gone(with_file, files, skips, roots) if prune else []
        if rebuild:
            # What an interrupted rebuild left in the new epoch counts; what is not on disk comes from the old truth.
            kept = set(before) - set(files) - set(gone)
            gone = [source for source in run.known if source not in files and source not in kept]
            run.take(_stored_elsewhere(collection, kept, run))
        run.take(_changed_files(files, run, skips, progress))
        if prune and not rebuild:
            gone = [
                *gone,
                *_moved_away(run.hashes(), set(files) - set(before), set(with_file) - set(files) - set(gone)),
            ]
        unreadable = {skip.source for skip in skips}
        gone = [*gone, *(source for source in files if source in unreadable and source in run.known)]
        cleared = _gone(writer.known_skips(), files, [], roots)
        run.finish(removed=gone, skips=skips, cleared=[source for source in cleared if source not in unreadable])
        if rebuild:
            writer.switch()
        not_read.update(ending(Path(skip.source)) for skip in skips)
        return replace(run.report(time.monotonic() - started, not_read), unmatched=unmatched)


def sync_given(
    collection: Collection,
    given: Iterable[Given],
    *,
    progress: Progress = silent,
    committed: Committed | None = None,
) -> Report:
    """Store texts that have no file; see `Collection.add`. Of a bad text, those before it are stored.

    Of a list in which something is no `Given`, nothing is.
    """
    for each in given if isinstance(given, Sequence) else ():
        _check_texts(each)
    started = time.monotonic()
    encoder, made = _encoder_for(collection, progress, rebuild=False)
    with write(collection, purpose="add", made=made) as writer:
        run = _Run(writer, encoder, progress, committed)
        try:
            run.take(_changed_texts(given, run, progress))
        except UsageError:
            run.finish()  # the texts before the bad one are kept, as they are when there are many
            raise
        run.finish()
        return run.report(time.monotonic() - started)


def copy_documents(collection: Collection, to: Collection, *, progress: Progress = silent) -> Report:
    """Make `to` hold the documents that `collection` holds, cut up and embedded by the encoder of `to`.

    No file is read: both hold the same texts. Raises NotFound when there is no such collection, EncoderMismatch when
    `to` is there and was made with another encoder.
    """
    started = time.monotonic()
    encoder, made = _encoder_for(to, progress, rebuild=False)
    kept = {entry.source for entry in collection.documents()}
    with write(to, purpose="copy", made=made) as writer:
        run = _Run(writer, encoder, progress, None)
        gone = [source for source in run.known if source not in kept]
        run.take(_stored_elsewhere(collection, kept, run))
        run.finish(removed=gone)
        return run.report(time.monotonic() - started)


def _encoder_for(collection: Collection, progress: Progress = silent, *, rebuild: bool) -> tuple[Encoder, Made]:
    """Return the encoder to index with. Raises EncoderMismatch when the collection was made with another one."""
    from indexer.encoder import open_encoder, stored_name

    present = collection.made if collection.exists else None
    wanted = collection.wanted_encoder
    if wanted is None and present is not None:
        wanted = stored_name(present.encoder, present.fingerprint, collection.home)
    encoder = (
        open_encoder(wanted, collection.home, progress, collection.precision)
        if wanted is None or isinstance(wanted, str)
        else wanted
    )
    made = Made(encoder.name, encoder.fingerprint, encoder.dim, encoder.max_tokens, PIPELINE)
    if present is not None and not rebuild:
        check_encoder(collection.name, present, made)
    return encoder, made


def _sizes(files: Iterable[Path]) -> int:
    """Return the bytes of these files together; one that is gone meanwhile has none."""
    total = 0
    for path in files:
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


class _Run:
    """One run of indexing: gathers documents into batches, and counts."""

    def __init__(self, writer: Writer, encoder: Encoder, progress: Progress, committed: Committed | None) -> None:
        self.writer, self.encoder, self.progress, self.committed = writer, encoder, progress, committed
        self.expected = 0
        """How much will be looked at, in bytes or characters: by it the passages to come are counted; 0: not known."""
        self.seen = 0
        """How much of it was looked at so far, changed or not."""
        self._cut = 0
        self.stale = writer.made.pipeline != PIPELINE
        self.known, self._origins = writer.known(), writer.origins()
        self.added = self.changed = self.removed = self.unchanged = self.chunks = self.embedded = 0
        self.skips: list[Skip] = []
        self.repairs: Counter[str] = Counter()
        self.notes: dict[str, Sequence[str]] = {}
        self._outdated = set(self.known) if self.stale else set()
        collection = writer.collection
        self._running = precisions.running(encoder.fingerprint, collection.home, encoder)
        with writer.reading() as connection:
            precisions.check(connection, self._running, collection.name)
        self._batch: dict[str, tuple[_Read, list[Chunk], list[bytes]]] = {}
        self._new: dict[bytes, str] = {}

    def is_unchanged(self, source: str, sha256: str, origin: str) -> bool:
        """True, and counted, when the collection holds this very source already, from a file or given as now."""
        waiting = self._batch.get(source)
        if waiting:
            present = (waiting[0].document.sha256, waiting[0].origin)
        else:
            present = (self.known.get(source, ""), self._origins.get(source, ""))
        same = present == (sha256, origin) and (not self.stale or waiting is not None)
        self.unchanged += same
        self._outdated.discard(source)
        return same

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every document by source, those that wait for their commit included."""
        return self.known | {source: read.document.sha256 for source, (read, _, _) in self._batch.items()}

    def take(self, reads: Iterable[_Read]) -> None:
        """Chunk what was read and commit it batch by batch."""
        from indexer.chunker import chunk, passage_text

        for read in reads:
            pieces = chunk(read.document, self.encoder)
            texts = [passage_text(piece) for piece in pieces]
            digests = [hashlib.sha256(text.encode()).digest() for text in texts]
            self._cut += len(pieces)
            self._batch[read.document.source] = (read, pieces, digests)  # of two of the same name the later counts
            self._new.update(zip(digests, texts, strict=True))
            if len(self._new) >= BATCH_CHUNKS or len(self._batch) >= BATCH_DOCUMENTS:
                self._commit()

    def finish(self, removed: Sequence[str] = (), skips: Sequence[Skip] = (), cleared: Sequence[str] = ()) -> None:
        """Commit what is left, remove what is gone, and publish the cache.

        `skips` are all that this run met, `cleared` the sources skipped before and met no longer.
        """
        self.skips = sorted(skips, key=lambda skip: skip.source)
        noted = self.writer.known_skips() if skips else {}
        news = [skip for skip in self.skips if noted.get(skip.source) != skip.reason]
        gone = [source for source in dict.fromkeys(removed) if source in self.known]
        self._commit(gone, news, cleared)
        self.removed = len(gone)
        if not self._outdated.difference(gone):  # else the others are still as an older version made them
            self.writer.settle(PIPELINE)
        self.writer.publish()

    def _commit(self, removed: Sequence[str] = (), skips: Sequence[Skip] = (), cleared: Sequence[str] = ()) -> None:
        if not (self._batch or removed or skips or cleared):
            return
        vectors = self._vectors()
        prepared = [
            Prepared(
                read.document,
                read.origin,
                read.modified,
                pieces,
                digests,
                [vectors[each].vector for each in digests],
                [vectors[each].precision for each in digests],
            )
            for read, pieces, digests in self._batch.values()
        ]
        sources = [each.document.source for each in prepared]
        generation = self.writer.put(prepared, [*removed, *cleared], skips)
        for each in prepared:
            source = each.document.source
            self.changed += source in self.known
            self.added += source not in self.known
            self.known[source], self._origins[source] = each.document.sha256, each.origin
            self.chunks += len(each.chunks)
            self.repairs.update(each.document.repairs)
            if each.document.notes:
                self.notes[source] = each.document.notes
        self._batch, self._new = {}, {}
        if self.committed is not None:
            self.committed([*sources, *removed], generation)
        if self.writer.unsealed() > UNSEALED_AT_MOST:
            self.writer.publish()

    def _vectors(self) -> dict[bytes, StoredVector]:
        """Return the vector of every chunk of the batch, embedding only what no stored chunk has in common with it."""
        have = self.writer.stored_vectors(self._new)
        missing = [digest for digest in self._new if digest not in have]
        if missing:
            stored = self._cut - len(missing)  # these have their vectors already, or are committed

            def tell(_: str, done: int, __: int) -> None:
                self.progress("passages", stored + done, self._passages_in_all())

            tell("embedding", 0, 0)
            rows = self.encoder.embed_passages([self._new[digest] for digest in missing], tell)
            tell("embedding", len(missing), 0)
            name = self._running.name
            if not self.embedded and name in self._running.likeness:
                self.writer.note_likeness({name: self._running.likeness[name]})
            self.embedded += len(missing)
            made = [StoredVector(row, name) for row in self.writer.as_bytes(rows)]
            have.update(zip(missing, made, strict=True))
        return have

    def _passages_in_all(self) -> int:
        """Return how many passages there will be, going by those that were cut so far; 0 where that is not known."""
        if not self.expected:
            return 0
        return max(self._cut, round(self._cut * self.expected / self.seen)) if self.seen else self._cut

    def report(self, seconds: float, not_read: Mapping[str, int] | None = None) -> Report:
        """Return what this run did."""
        return Report(
            self.added, self.changed, self.removed, self.unchanged, tuple(self.skips), self.chunks, self.embedded,
            seconds, self.writer.generation, dict(sorted(self.repairs.items())), dict(sorted(self.notes.items())),
            dict(sorted((not_read or {}).items())),
            unknown_languages=self._unknown_languages() if self.added or self.changed else {},
        )  # fmt: skip

    def _unknown_languages(self) -> dict[str, int]:
        from indexer.encoders.known_languages import unknown_languages

        spoken, home = self.writer.languages(), self.writer.collection.home
        return {each: spoken[each] for each in unknown_languages(spoken, self.encoder.fingerprint, home)}


def _changed_files(files: dict[str, Path], run: _Run, skips: list[Skip], progress: Progress) -> Iterator[_Read]:
    """Yield the documents of files whose content the collection does not hold; note in `skips` what cannot be read."""
    from indexer.sandbox import Sandbox

    waiting: dict[str, _Waiting] = {}
    with Sandbox() as sandbox:
        for result in sandbox.parse_many(_contents(files, run, skips, waiting, progress)):
            was = waiting.pop(result.source, None)
            run.seen += was.size if was is not None else 0
            if isinstance(result, Skip):
                skips.append(result)
            else:
                yield _Read(result, "file", was.modified if was is not None else None)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A file that was read, and waits to be parsed: many are, at once."""

    size: int
    modified: str


def _contents(
    files: dict[str, Path], run: _Run, skips: list[Skip], waiting: dict[str, _Waiting], progress: Progress
) -> Iterator[tuple[str, bytes]]:
    """Yield source and bytes of the files whose hash is new. Only the content decides: clocks and sizes may lie."""
    from indexer.errors import Unreadable
    from indexer.folders import read_file

    for done, (source, path) in enumerate(files.items()):
        progress("files", done, len(files))
        try:
            data = read_file(path)
            stamp = path.stat().st_mtime
        except (Unreadable, OSError) as error:
            reason = error.reason if isinstance(error, Unreadable) else (error.strerror or str(error))
            skips.append(Skip(source, reason))
            run.seen += _sizes([path])
            continue
        if run.is_unchanged(source, hashlib.sha256(data).hexdigest(), "file"):
            run.seen += len(data)
            continue
        modified = datetime.datetime.fromtimestamp(stamp, datetime.UTC).isoformat(timespec="seconds")
        waiting[source] = _Waiting(len(data), modified)
        yield source, data
    progress("files", len(files), len(files))


def _gone(known: Iterable[str], files: dict[str, Path], skips: Sequence[Skip], roots: Sequence[Path]) -> list[str]:
    """Return the known sources under `roots` that are not among `files`.

    What lies under a folder that could not be listed counts as still there. Texts without a file are never among
    `known`, whatever path their id looks like.
    """
    kept = tuple(f"{skip.source}/" for skip in skips if _may_be_folder(Path(skip.source)))
    under = tuple(f"{str(root).rstrip('/')}/" for root in roots)
    named = {str(root) for root in roots}
    return [
        source
        for source in sorted(known)
        if (source.startswith(under) or source in named) and source not in files and not source.startswith(kept)
    ]


def _moved_away(known: Mapping[str, str], new: set[str], others: set[str]) -> list[str]:
    """Return the sources of `others` whose file is gone from the disk, and came back among `new` ones elsewhere.

    A file is the same by its content and its name: that is how a folder which was moved as a whole is recognised.
    """
    arrived = {(known[source], _bare_name(source)) for source in new if source in known}
    return [
        source
        for source in sorted(others)
        if (known.get(source), _bare_name(source)) in arrived and not os.path.lexists(source)
    ]


def _bare_name(source: str) -> str:
    return normalize("NFC", source.rpartition("/")[2])


def _may_be_folder(path: Path) -> bool:
    """Tell whether a path is a folder, or may be one for all that the disk says of it."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:  # too long, or not to be looked at
        return True


def _stored_elsewhere(collection: Collection, kept: set[str], run: _Run) -> Iterator[_Read]:
    """Yield the documents of the collection that a rebuild keeps without reading them again from disk."""
    entries = [entry for entry in collection.documents() if entry.source in kept]
    run.expected += sum(entry.characters for entry in entries)
    for entry in entries:
        run.seen += entry.characters
        if not run.is_unchanged(entry.source, entry.sha256, entry.origin):
            yield _Read(collection.document(entry.source), entry.origin, entry.modified)


def _changed_texts(given: Iterable[Given], run: _Run, progress: Progress) -> Iterator[_Read]:
    from indexer.cleaner import assemble
    from indexer.readers.text import paragraphs

    if isinstance(given, Sequence):
        run.expected = sum(len(each.text) for each in given)
    total = len(given) if isinstance(given, Sequence) else 0
    for done, each in enumerate(given, 1):
        progress("texts", done, total)
        _check_texts(each)
        run.seen += len(each.text)
        _check(each)
        row = {"id": each.id, "title": each.title, "text": each.text, "metadata": dict(each.metadata)}
        sha256 = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
        if run.is_unchanged(each.id, sha256, "given"):
            continue
        blocks: tuple[Block, ...] = tuple(replace(block, line=None) for block in paragraphs(each.text))
        reading = Reading(blocks, "text", each.title, each.metadata)
        yield _Read(assemble(each.id, sha256, reading), "given", None)


def _check_texts(given: Given) -> None:
    """Raise UsageError for what is no `Given`, and for one whose id, text or title is no text."""
    if not isinstance(given, Given):
        raise UsageError(
            f"A text is given as Given(id, text), not as {given!r:.80}.",
            'For example: add([Given("note-17", "The boiler was replaced in May 2021.")])',
        )
    for name in ("id", "text", "title"):
        value = getattr(given, name)
        if not isinstance(value, str):
            raise UsageError(
                f"The {name} of a Given must be a text, not {value!r:.80}.",
                'For example: Given("note-17", "The boiler was replaced in May 2021.", title="Boiler")',
            )


def _check(given: Given) -> None:
    if not isinstance(given.metadata, Mapping):
        raise UsageError(
            f"The metadata of {given.id!r} must be a dictionary, not {given.metadata!r:.80}.",
            'For example: metadata={"house": "Elm Street", "year": 2021}',
        )
    if not given.id.strip() or not given.id.isprintable() or len(given.id) > MAX_ID:
        raise UsageError(
            f"{given.id[:80]!r} cannot be the id of a text.",
            f"Each text needs an id of at most {MAX_ID} printable characters that names it in the collection.",
        )
    for key, value in given.metadata.items():
        if not isinstance(key, str):
            raise UsageError(
                f"The metadata of {given.id!r} has the key {key!r}, which is no text.", f'Write: {{"{key}": {value!r}}}'
            )
        if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
            raise UsageError(
                f"The metadata {key!r} of {given.id!r} is {value!r}.", "Use texts, finite numbers, true and false."
            )
