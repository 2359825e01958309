"""Passages made by hand, for tests of what reads them."""

from __future__ import annotations

from indexer.types import BlockKind, Section
from rag.types import Origin, Passage


def passage(
    text: str, *blocks: tuple[str, BlockKind], start: int = 0, context: str = "", dense: float | None = None
) -> Passage:
    """Return a passage of this text; `blocks` are its parts that are no prose, each named by its own text."""
    sections = tuple(
        Section(start + text.index(part), start + text.index(part) + len(part), kind) for part, kind in blocks
    )
    return Passage(
        source="/files/source.md",
        sha256="0" * 64,
        title="Source",
        context=context,
        page=None,
        line=1,
        start=start,
        end=start + len(text),
        text=text,
        score=1.0,
        chunk_id=1,
        document_id=1,
        origin=Origin(dense_rank=1, dense_score=dense),
        sections=sections,
    )
