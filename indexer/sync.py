"""From files to a collection: read what changed, parse, chunk, embed what is new, and store it batch by batch.

The order is the promise: a batch is committed whole or not at all, documents that are gone are removed last (so that a
moved file finds its vectors), and the FAISS cache is published after the truth.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.collection import Collection
from indexer.errors import EncoderMismatch, UsageError
from indexer.types import Block, Chunk, Document, Metadata, Progress, Reading, Skip, silent
from indexer.view import Made
from indexer.writer import Prepared, Writer, write

if TYPE_CHECKING:
    from indexer.encoder import Encoder

PIPELINE = 1
"""Version of reading, cleaning and chunking: raise it when the same bytes would give other text or other chunks."""
BATCH_CHUNKS = 256
"""New chunks that are embedded together and committed in one transaction; a kill loses at most this much work."""
BATCH_DOCUMENTS = 500
"""Documents in one transaction, when they need little embedding."""
UNSEALED_AT_MOST = 8192
"""Vectors that a long run leaves to be read from SQL before it publishes in between."""

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

    def to_json(self) -> dict[str, object]:
        """Return the report in the form that `index --json` prints."""
        return {
            "added": self.added,
            "changed": self.changed,
            "removed": self.removed,
            "unchanged": self.unchanged,
            "skipped": [{"source": skip.source, "reason": skip.reason} for skip in self.skipped],
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
    from indexer.folders import find

    started = time.monotonic()
    roots = [Path(path).expanduser().absolute() for path in paths]
    found = list(find(roots, include, exclude))
    files = {str(path): path for path in found if isinstance(path, Path)}
    skips = [each for each in found if isinstance(each, Skip)]
    encoder, made = _encoder_for(collection, rebuild=rebuild)
    with write(collection, purpose="index", made=made, fresh=rebuild) as writer:
        run = _Run(writer, encoder, progress, committed)
        if rebuild:
            # What an interrupted rebuild left in the new epoch counts; what is not on disk comes from the old truth.
            run.take(_stored_elsewhere(collection, set(files)))
        run.take(_changed_files(files, run, skips, progress))
        gone = _gone(run.known, files, skips, roots) if prune else []
        run.finish(removed=gone, skips=skips)
        if rebuild:
            writer.switch()
        return run.report(time.monotonic() - started)


def sync_given(
    collection: Collection,
    given: Iterable[Given],
    *,
    progress: Progress = silent,
    committed: Committed | None = None,
) -> Report:
    """Store texts that have no file; see `Collection.add`."""
    started = time.monotonic()
    encoder, made = _encoder_for(collection, rebuild=False)
    with write(collection, purpose="add", made=made) as writer:
        run = _Run(writer, encoder, progress, committed)
        run.take(_changed_texts(given, run, progress))
        run.finish(removed=[], skips=[])
        return run.report(time.monotonic() - started)


def _encoder_for(collection: Collection, *, rebuild: bool) -> tuple[Encoder, Made]:
    """Return the encoder to index with. Raises EncoderMismatch when the collection was made with another one."""
    from indexer.encoder import open_encoder

    present = collection.made if collection.exists else None
    wanted = collection.wanted_encoder or (present.encoder if present else None)
    encoder = open_encoder(wanted, collection.home) if wanted is None or isinstance(wanted, str) else wanted
    made = Made(encoder.name, encoder.fingerprint, encoder.dim, encoder.max_tokens, PIPELINE)
    if present is not None and not rebuild and present.fingerprint != encoder.fingerprint:
        raise EncoderMismatch(
            f"Collection {collection.name!r} was indexed with {present.encoder} ({present.fingerprint[:12]}), "
            f"and you asked with {encoder.name} ({encoder.fingerprint[:12]}).",
            f"Leave out --encoder, or run: footnote index --rebuild --collection {collection.name} "
            f"--encoder {encoder.name}",
        )
    return encoder, made


class _Run:
    """One run of indexing: gathers documents into batches, and counts."""

    def __init__(self, writer: Writer, encoder: Encoder, progress: Progress, committed: Committed | None) -> None:
        self.writer, self.encoder, self.progress, self.committed = writer, encoder, progress, committed
        self.stale = writer.made.pipeline != PIPELINE
        self.known = writer.known()
        self.added = self.changed = self.removed = self.unchanged = self.chunks = self.embedded = 0
        self.skips: list[Skip] = []
        self._batch: list[tuple[_Read, list[Chunk], list[bytes]]] = []
        self._new: dict[bytes, str] = {}

    def is_unchanged(self, source: str, sha256: str) -> bool:
        """True, and counted, when the collection holds this very source already."""
        same = self.known.get(source) == sha256 and not self.stale
        self.unchanged += same
        return same

    def take(self, reads: Iterable[_Read]) -> None:
        """Chunk what was read and commit it batch by batch."""
        from indexer.chunker import chunk, passage_text

        for read in reads:
            pieces = chunk(read.document, self.encoder)
            texts = [passage_text(piece) for piece in pieces]
            digests = [hashlib.sha256(text.encode()).digest() for text in texts]
            self._batch.append((read, pieces, digests))
            self._new.update(zip(digests, texts, strict=True))
            if len(self._new) >= BATCH_CHUNKS or len(self._batch) >= BATCH_DOCUMENTS:
                self._commit([], [])

    def finish(self, removed: Sequence[str], skips: Sequence[Skip]) -> None:
        """Commit what is left, remove what is gone, and publish the cache."""
        self.skips = sorted(skips, key=lambda skip: skip.source)
        self._commit(removed, self.skips)
        self.removed = len(removed)
        self.writer.settle(PIPELINE)
        self.writer.publish()

    def _commit(self, removed: Sequence[str], skips: Sequence[Skip]) -> None:
        if not (self._batch or removed or skips):
            return
        vectors = self._vectors()
        prepared = [
            Prepared(read.document, read.origin, read.modified, pieces, digests, [vectors[each] for each in digests])
            for read, pieces, digests in self._batch
        ]
        sources = [each.document.source for each in prepared]
        generation = self.writer.put(prepared, removed, skips)
        for each in prepared:
            source = each.document.source
            self.changed += source in self.known
            self.added += source not in self.known
            self.known[source] = each.document.sha256
            self.chunks += len(each.chunks)
        self._batch, self._new = [], {}
        if self.committed is not None:
            self.committed([*sources, *removed], generation)
        if self.writer.unsealed() > UNSEALED_AT_MOST:
            self.writer.publish()

    def _vectors(self) -> dict[bytes, bytes]:
        """Return the vector of every chunk of the batch, embedding only what no stored chunk has in common with it."""
        have = self.writer.stored_vectors(self._new)
        missing = [digest for digest in self._new if digest not in have]
        if missing:
            rows = self.encoder.embed_passages([self._new[digest] for digest in missing])
            self.embedded += len(missing)
            self.progress("chunks", self.embedded, 0)
            have.update(zip(missing, self.writer.as_bytes(rows), strict=True))
        return have

    def report(self, seconds: float) -> Report:
        """Return what this run did."""
        return Report(
            self.added, self.changed, self.removed, self.unchanged, tuple(self.skips), self.chunks, self.embedded,
            seconds, self.writer.generation,
        )  # fmt: skip


def _changed_files(files: dict[str, Path], run: _Run, skips: list[Skip], progress: Progress) -> Iterator[_Read]:
    """Yield the documents of files whose content the collection does not hold; note in `skips` what cannot be read."""
    from indexer.sandbox import Sandbox

    dates: dict[str, str] = {}
    with Sandbox() as sandbox:
        for result in sandbox.parse_many(_contents(files, run, skips, dates, progress)):
            if isinstance(result, Skip):
                skips.append(result)
            else:
                yield _Read(result, "file", dates.get(result.source))


def _contents(
    files: dict[str, Path], run: _Run, skips: list[Skip], dates: dict[str, str], progress: Progress
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
            continue
        if run.is_unchanged(source, hashlib.sha256(data).hexdigest()):
            continue
        dates[source] = datetime.datetime.fromtimestamp(stamp, datetime.UTC).isoformat(timespec="seconds")
        yield source, data
    progress("files", len(files), len(files))


def _gone(known: dict[str, str], files: dict[str, Path], skips: Sequence[Skip], roots: Sequence[Path]) -> list[str]:
    """Return the stored sources under `roots` that are there no longer, or whose new content cannot be read."""
    unreadable = {skip.source for skip in skips}
    under = tuple(f"{root}/" for root in roots)
    named = {str(root) for root in roots}
    return [
        source
        for source in sorted(known)
        if (source.startswith(under) or source in named) and (source not in files or source in unreadable)
    ]


def _stored_elsewhere(collection: Collection, on_disk: set[str]) -> Iterator[_Read]:
    """Yield the documents of the collection that a rebuild does not read again from disk."""
    for entry in collection.documents():
        if entry.source not in on_disk:
            origin = "file" if Path(entry.source).is_absolute() else "given"
            yield _Read(collection.document(entry.source), origin, entry.modified)


def _changed_texts(given: Iterable[Given], run: _Run, progress: Progress) -> Iterator[_Read]:
    from indexer.cleaner import assemble
    from indexer.readers.text import paragraphs

    for done, each in enumerate(given, 1):
        progress("texts", done, 0)
        if not each.id.strip():
            raise UsageError("A text has an empty id.", "Each line needs an id that names it in the collection.")
        row = {"id": each.id, "title": each.title, "text": each.text, "metadata": dict(each.metadata)}
        sha256 = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
        if run.is_unchanged(each.id, sha256):
            continue
        blocks: tuple[Block, ...] = tuple(replace(block, line=None) for block in paragraphs(each.text))
        reading = Reading(blocks, "text", each.title, each.metadata)
        yield _Read(assemble(each.id, sha256, reading), "given", None)
