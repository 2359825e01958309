"""Whole collections: deleted with what was uploaded to them, or given another name."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from indexer import storage
from indexer.collection import Collection
from indexer.errors import StorageError, UsageError
from indexer.home import HISTORY, uploads_folder

log = logging.getLogger(__name__)


def delete_collection(collection: Collection) -> None:
    """Remove a collection from the disk, and the copies of files that were uploaded to it; no other file is touched.

    Raises NotFound when there is none, Busy when another process is writing to it.
    """
    collection.delete()
    storage.remove_folder(uploads_folder(collection.home, collection.name))


def rename_collection(collection: Collection, name: str) -> Collection:
    """Give a collection another name, and return it under that name. All that is in it stays as it is.

    The questions that were asked of it are questions to the new name.
    Raises NotFound when there is none, UsageError when the name is taken or is none, or when files were uploaded to the
    collection (they lie under its name), Busy when another process is writing to it.
    """
    renamed = Collection(name, collection.home)
    collection.epoch()  # says that there is none
    if renamed.folder.exists():
        raise UsageError(
            f"The name {name!r} is taken: {renamed.folder} is there.",
            f"Choose another name, or delete that collection: footnote collections delete {name}",
        )
    uploads = uploads_folder(collection.home, collection.name)
    if uploads.is_dir() and any(uploads.iterdir()):
        raise UsageError(
            f"Files were uploaded to {collection.name!r}, and lie in {uploads} under its name.",
            "Upload them to a new collection, or export this one and import it under the new name.",
        )
    with storage.exclusive_lock(collection.folder / "LOCK", "rename"):
        collection.close()
        storage.rename_folder(collection.folder, renamed.folder)
    _rename_in_history(collection.home / HISTORY, collection.name, name)
    return renamed


def _rename_in_history(file: Path, old: str, new: str) -> None:
    """Let the questions that were asked of a collection name it by its new name; what does not read stays as it is."""

    def renamed(line: bytes) -> bytes:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return line
        if not isinstance(row, dict) or row.get("collection") != old:
            return line
        return json.dumps({**row, "collection": new}).encode() + b"\n"

    try:
        storage.rewrite_lines(file, renamed)
    except StorageError as error:  # the collection has its new name all the same
        log.warning("The history still has the name %s. %s", old, error.message)
