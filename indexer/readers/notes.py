"""Notes on what a reader left out of a document, counted."""

from __future__ import annotations

from collections.abc import Mapping


def counted(counts: Mapping[str, int], what: str = "left out") -> tuple[str, ...]:
    """Return a note for each kind that occurred: {"comments": 1, "tags": 0} gives ("1 comment left out",)."""
    found = sorted((kind, count) for kind, count in counts.items() if count)
    return tuple(f"{count:,} {kind.removesuffix('s') if count == 1 else kind} {what}" for kind, count in found)
