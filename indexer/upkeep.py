"""Whole collections: deleted with what was uploaded to them, or given another name."""

from __future__ import annotations

from indexer import storage
from indexer.collection import Collection
from indexer.errors import UsageError
from indexer.home import uploads_folder


def delete_collection(collection: Collection) -> None:
    """Remove a collection from the disk, and the copies of files that were uploaded to it; no other file is touched.

    Raises NotFound when there is none, Busy when another process is writing to it.
    """
    collection.delete()
    storage.remove_folder(uploads_folder(collection.home, collection.name))


def rename_collection(collection: Collection, name: str) -> Collection:
    """Give a collection another name, and return it under that name. All that is in it stays as it is.

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
    return renamed
