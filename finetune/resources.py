"""What a run takes of this machine, checked before it begins and said as a person says it."""

from __future__ import annotations

import shutil
from pathlib import Path

from indexer.errors import StorageError


def require_free(folder: Path, needed: int) -> None:
    """Raise StorageError unless the disk that `folder` is, or will be, on has `needed` bytes free."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise StorageError(
            f"{folder} needs {size(needed)}, and its disk has {size(free)} free.",
            "Free some space, or choose another --out.",
        )


def size(count: int) -> str:
    """Return a number of bytes in the unit that suits it: "1.5 GB"."""
    for unit, bytes_ in (("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
        if count >= bytes_:
            return f"{count / bytes_:.1f} {unit}"
    return f"{count} bytes"


def duration(seconds: float) -> str:
    """Return a time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
