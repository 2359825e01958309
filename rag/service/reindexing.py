"""Bringing a collection up to date with the files that it was made of, wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from indexer.collection import Collection
from indexer.sync import Report, sync_files
from indexer.types import Progress, Skip

GONE = "the file is gone; its stored text is kept"


def brought_up_to_date(
    collection: Collection, *, rebuild: bool, progress: Progress, folders: Sequence[Path] = (), prune: bool = False
) -> Report:
    """Index the collection's files again, as far as they are still there, and return what changed.

    Only documents that were read from a file are looked for on the disk: an imported one is a text until somebody
    indexes its path. A file that is gone is told as skipped and keeps its stored text: its disk may only be away.
    New files of `folders` are taken in, and with `prune` documents whose files are gone from them are removed.
    `rebuild` reads and embeds everything anew beside the old state, then switches.
    """
    sources = [entry.source for entry in collection.documents() if entry.origin == "file"]
    under = tuple(f"{str(folder).rstrip('/')}/" for folder in folders)
    present = [source for source in sources if Path(source).is_file() and not (under and source.startswith(under))]
    paths = [*folders, *map(Path, present)]  # none of a collection of texts: then nothing is to be done
    report = sync_files(collection, paths, prune=prune, rebuild=rebuild, progress=progress)
    kept = {entry.source for entry in collection.documents()}
    gone = [Skip(source, GONE) for source in sources if source in kept and not Path(source).is_file()]
    return replace(report, skipped=(*report.skipped, *gone))
