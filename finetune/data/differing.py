"""Writes what cleaning changed as a unified diff that one can read, a document after the other."""

from __future__ import annotations

import difflib
from pathlib import Path
from types import TracebackType
from typing import IO, Self

MOST = 20_000_000
"""Characters after which nothing more is written."""
_MOST_LINES = 20_000
"""Lines of a document that are compared at once; comparing takes longer than in proportion."""


class Diff:
    """A file of differences; a context manager."""

    def __init__(self, file: Path) -> None:
        self._stream: IO[str] = file.open("w", encoding="utf-8", errors="backslashreplace", newline="\n")
        self._written = 0
        self.cut = False
        """Whether something was left out, since the file would have become too long."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.close()

    def add(self, id: str, before: str, after: str) -> None:
        """Write what changed from `before` to `after`; nothing where nothing did."""
        if before.strip() == after or self.cut:
            return
        old, new = before.strip().split("\n"), after.split("\n")
        for start in range(0, max(len(old), len(new)), _MOST_LINES):
            pair = (old[start : start + _MOST_LINES], new[start : start + _MOST_LINES])
            for line in difflib.unified_diff(*pair, f"a/{id}", f"b/{id}", n=0, lineterm=""):
                shown = "".join(c if c.isprintable() or c == "\t" else f"\\u{ord(c):04x}" for c in line)
                self._stream.write(shown + "\n")
                self._written += len(shown) + 1
            if self._written > MOST:
                self.cut = True
                return
