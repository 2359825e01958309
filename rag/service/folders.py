"""Folders that are bound to a collection: which they are, and what indexing them again would change.

HOME/folders/COLLECTION.json   their absolute paths, as a list

Nothing is indexed here, and no file is opened whose date is the stored one.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer import storage
from indexer.collection import Collection, DocumentEntry
from indexer.errors import NotFound, Unreadable, UsageError
from indexer.folders import find, read_file
from indexer.home import collection_folder
from indexer.types import Skip

MOST_FOLDERS = 50
"""Folders bound to one collection."""
MOST_NAMED = 100
"""Files of each sort that `changes` names."""


class Folders:
    """The folders of all collections under one home."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def of(self, collection: str) -> list[str]:
        """Return the folders of a collection, in the order in which they were bound."""
        try:
            listed = json.loads(read_file(self._file(collection)))
        except (Unreadable, ValueError):
            return []
        return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []

    def bind(self, collection: str, path: str) -> str:
        """Bind a folder and return its absolute path; one that is bound already stays as it is.

        Raises UsageError for a path that is none, NotFound where no folder is there.
        """
        folder = _folder(path)
        bound = self.of(collection)
        if folder not in bound:
            if len(bound) >= MOST_FOLDERS:
                raise UsageError(f"{len(bound)} folders are bound to {collection!r} already.", "Take one away first.")
            self._write(collection, [*bound, folder])
        return folder

    def unbind(self, collection: str, path: str) -> None:
        """Take a folder away; its documents stay in the collection. Raises NotFound for one that is not bound."""
        bound = self.of(collection)
        if path not in bound:
            raise NotFound(f"The folder {path!r} is not bound to {collection!r}.", "Which are: GET .../folders")
        self._write(collection, [each for each in bound if each != path])

    def drop(self, collection: str) -> None:
        """Forget the folders of a collection that is gone."""
        storage.remove_file(self._file(collection))

    def _write(self, collection: str, bound: list[str]) -> None:
        storage.make_folder(self._home / "folders")
        storage.write_file(self._file(collection), json.dumps(bound, ensure_ascii=False).encode())

    def _file(self, collection: str) -> Path:
        return self._home / "folders" / f"{collection_folder(self._home, collection).name}.json"


@dataclass(frozen=True, slots=True)
class Changes:
    """What indexing the folders of a collection again would change."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: int
    not_read: dict[str, int]
    """Files that would not be read, by the endings of their names."""
    missing: list[str]
    """Bound folders that are not there: nothing of them would be removed."""

    def to_json(self) -> dict[str, Any]:
        """Return `schemas.FolderChanges`; of each sort the first files are named."""
        sorts = {"added": self.added, "changed": self.changed, "removed": self.removed}
        return {
            **{name: sorted(sources)[:MOST_NAMED] for name, sources in sorts.items()},
            "counts": {**{name: len(sources) for name, sources in sorts.items()}, "unchanged": self.unchanged},
            "not_read": self.not_read,
            "missing": self.missing,
        }


def present(folders: list[str]) -> list[Path]:
    """Return those of the folders that are on the disk."""
    return [Path(each) for each in folders if Path(each).is_dir()]


def changes(collection: Collection, folders: list[str]) -> Changes:
    """Return what indexing these folders again would change; a file whose date is the stored one counts as unchanged.

    It is an outlook: a file that is new and cannot be read is found out when it is indexed.
    """
    there = present(folders)
    ignored: Counter[str] = Counter()
    found = list(find(there, ignored=ignored)) if there else []
    files = {str(each): each for each in found if isinstance(each, Path)}
    ignored.update(Path(each.source).suffix.lower() or "without ending" for each in found if isinstance(each, Skip))
    stored = {entry.source: entry for entry in _documents(collection) if entry.origin == "file"}
    under = tuple(f"{str(each).rstrip('/')}/" for each in there)
    kept = tuple(f"{each.source}/" for each in found if isinstance(each, Skip))
    skipped = _skipped(collection)
    known = [source for source in files if source in stored]
    changed = [source for source in known if _is_changed(files[source], stored[source])]
    return Changes(
        added=[source for source in files if source not in stored and source not in skipped],
        changed=changed,
        removed=[
            source for source in stored if source.startswith(under) and source not in files
            and not source.startswith(kept)
        ],
        unchanged=len(known) - len(changed),
        not_read=dict(sorted(ignored.items())),
        missing=[each for each in folders if Path(each) not in there],
    )  # fmt: skip


def _documents(collection: Collection) -> list[DocumentEntry]:
    return collection.documents() if collection.exists else []


def _skipped(collection: Collection) -> set[str]:
    """Return the files that were met before and could not be read."""
    return {skip.source for skip in collection.status().skipped} if collection.exists else set()


def _is_changed(path: Path, entry: DocumentEntry) -> bool:
    """Tell whether a file's content is another one; it is only read where its date is."""
    try:
        stamp = path.stat().st_mtime
        date = datetime.datetime.fromtimestamp(stamp, datetime.UTC).isoformat(timespec="seconds")
        return date != entry.modified and hashlib.sha256(read_file(path)).hexdigest() != entry.sha256
    except (OSError, Unreadable):
        return True


def _folder(path: str) -> str:
    """Return the absolute path of a folder that a person typed. Raises UsageError, NotFound."""
    typed = path.strip()
    if not typed or not typed.isprintable() or not (typed.startswith("~") or os.path.isabs(typed)):  # noqa: PTH117
        raise UsageError(f"{path!r} is no absolute path.", "For example: /home/ada/papers or ~/papers")
    try:
        folder = Path(os.path.normpath(Path(typed).expanduser()))
        is_folder = folder.is_dir()
    except (OSError, RuntimeError, ValueError):  # too long, or the home of nobody
        is_folder = False
    if not is_folder:
        raise NotFound(f"There is no folder {typed!r} on the machine where the service runs.", "Check the spelling.")
    if folder == Path(folder.anchor):
        raise UsageError("The whole disk is no folder of documents.", "Choose a folder below it.")
    return str(folder)
