"""Files that come over the network: kept under names of our own making, with the name they came by beside them.

HOME/uploads/COLLECTION/LABEL-NUMBER.pdf   the bytes; LABEL is a hash of the name it came by, NUMBER is random
HOME/uploads/COLLECTION/LABEL-NUMBER.name  the name it came by: to show, and never a path

A document's source is a text that anybody may have given it. It counts as an upload, to be read or removed, only where
it is the path of a direct child of the collection's own folder, under a name as they are made here.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

from indexer import storage
from indexer.collection import Collection
from indexer.errors import NotFound, Unreadable, UsageError
from indexer.folders import read_file
from indexer.home import collection_folder
from indexer.sync import Report
from indexer.types import Progress
from rag.service.documents import holds

MAX_NAME = 200
"""Longest name of an upload, in characters."""
_GATHERED = 1 << 20
"""Bytes of an upload that are written at once."""
_SUFFIX = re.compile(r"\.(?!name$)[a-z0-9]{1,10}")
_OWN_NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}" rf"(?:{_SUFFIX.pattern})?")


class Uploads:
    """The uploaded files of all collections under one home folder."""

    def __init__(self, home: Path) -> None:
        self._root = home / "uploads"
        self._home = home

    def is_upload(self, collection: str, source: str) -> bool:
        """True when a source is the path of a file that was uploaded to this collection."""
        path = Path(source)
        is_made_here = path.parent == self._folder(collection) and _OWN_NAME.fullmatch(path.name) is not None
        return is_made_here and str(path) == source

    def label(self, collection: str, source: str) -> str:
        """Return the name that a file was uploaded to this collection by; "" for any other source."""
        return _read_label(source) if self.is_upload(collection, source) else ""

    @contextlib.contextmanager
    def receiving(self, collection: str, label: str) -> Iterator[tuple[Path, IO[bytes]]]:
        """Hand out a file for the bytes of an upload, which is there whole once the block ends.

        Raises UsageError for a label that is none: empty, too long, or with characters that cannot be printed.
        """
        label = checked_label(label)
        folder = self._folder(collection)
        storage.make_folder(folder)
        stem = f"{_hash(label)}-{secrets.token_hex(8)}"
        suffix = Path(label.replace("\\", "/")).suffix.lower()
        path = folder / f"{stem}{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        storage.write_file(folder / f"{stem}.name", label.encode())
        try:
            with storage.new_file(path) as file:
                yield path, file
        except BaseException:
            self.drop(collection, str(path))
            raise

    def of_label(self, collection: str, label: str) -> list[str]:
        """Return the files that came to this collection by this name."""
        found = self._folder(collection).glob(f"{_hash(checked_label(label))}-*")
        return sorted(str(path) for path in found if self.is_upload(collection, str(path)))

    def drop(self, collection: str, source: str) -> None:
        """Remove a file that was uploaded to this collection and its label; anything else is left alone."""
        if self.is_upload(collection, source):
            storage.remove_file(Path(source))
            storage.remove_file(_label_file(source))

    def drop_unless_held(self, source: str, collection: Collection) -> None:
        """Remove an uploaded file that never became a document, or whose collection is gone."""
        with contextlib.suppress(NotFound):
            if holds(collection, source):
                return
        self.drop(collection.name, source)

    def drop_all(self, collection: str) -> None:
        """Remove all that was uploaded to a collection."""
        storage.remove_folder(self._folder(collection))

    def _folder(self, collection: str) -> Path:
        return self._root / collection_folder(self._home, collection).name


async def received(uploads: Uploads, collection: str, label: str, pieces: AsyncIterator[bytes]) -> Path:
    """Return the file that holds the pieces of an upload, once they are all on the disk; see `Uploads.receiving`.

    The disk is only waited for in threads. Where the pieces break off, nothing is left.
    """
    opened = uploads.receiving(collection, label)
    path, file = await asyncio.to_thread(opened.__enter__)
    try:
        gathered = bytearray()
        async for piece in pieces:
            gathered += piece
            if len(gathered) >= _GATHERED:
                await asyncio.to_thread(file.write, bytes(gathered))
                gathered.clear()
        await asyncio.to_thread(file.write, bytes(gathered))
    except BaseException as error:
        with contextlib.suppress(Exception):  # what broke off is told, and nothing else
            await asyncio.to_thread(opened.__exit__, type(error), error, error.__traceback__)
        raise
    await asyncio.to_thread(opened.__exit__, None, None, None)
    return path


def checked_label(label: str) -> str:
    """Return the name of an upload. Raises UsageError."""
    if not label.strip() or len(label) > MAX_NAME or not label.isprintable():
        raise UsageError(
            f"An upload needs a name of at most {MAX_NAME} printable characters.", "For example: ?name=report.pdf"
        )
    return label


def take_in(
    uploads: Uploads, collection: Collection, path: Path, label: str, progress: Progress
) -> tuple[str, bool, Report]:
    """Index an uploaded file in place of those that came by the same name; return source, whether it replaced, report.

    The very same bytes under the same name change nothing. Raises Unreadable, and keeps what there was, when there is
    no text in it; then nothing of the file is left.
    """
    try:
        stored = {entry.source: entry.sha256 for entry in collection.documents()}
        of_name = uploads.of_label(collection.name, label)
        older = [source for source in of_name if source != str(path) and source in stored]
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if same := next((source for source in older if stored[source] == sha256), None):
            uploads.drop(collection.name, str(path))
            return same, False, collection.sync([same], prune=False, progress=progress)
        report = collection.sync([path], prune=False, progress=progress)
        if report.skipped:
            _clear_skip(collection, str(path))
            raise Unreadable(f"{label!r} could not be read: {report.skipped[0].reason}.")
    except BaseException:
        uploads.drop_unless_held(str(path), collection)
        raise
    if older:
        collection.remove(older)
        for source in older:
            uploads.drop(collection.name, source)
    return str(path), bool(older), report


def _clear_skip(collection: Collection, source: str) -> None:
    """Forget that a file was skipped: it is gone, and its client was told."""
    from indexer.writer import write

    with write(collection, purpose="upload") as writer:
        writer.remove([source])
        writer.publish()


@functools.lru_cache(maxsize=10_000)
def _read_label(source: str) -> str:
    """Return the label of an uploaded file; it never changes, since every upload gets a name of its own."""
    try:
        return read_file(_label_file(source), limit=4 * MAX_NAME).decode()[:MAX_NAME]
    except (Unreadable, ValueError):
        return ""


def _label_file(source: str) -> Path:
    path = Path(source)
    return path.with_name(f"{path.name.partition('.')[0]}.name")


def _hash(label: str) -> str:
    return hashlib.sha256(label.encode(errors="surrogatepass")).hexdigest()[:16]
