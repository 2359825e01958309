"""Where gold answers and gold quotes stand in the passages that were read. Pure text, for telling errors apart.

`metrics.holds` says that a passage holds an answer; this says at which characters, as far as that can be said of
text that is not normalized: case and the width of gaps do not count, punctuation inside the answer does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.evaluation import metrics
from rag.evaluation.rows import Read, Row

Span = tuple[int, int]
"""Half-open, in characters."""


def found_spans(text: str, wanted: Iterable[str]) -> list[Span]:
    """Return where one of the wanted strings stands in `text` as whole words, in order; overlapping places are joined.

    A string without any letter or digit stands nowhere.
    """
    places = [match.span() for each in wanted for match in _matches(text, each)]
    return joined(places)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that overlap made one, and those that hold nothing left out."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _matches(text: str, wanted: str) -> Iterable[re.Match[str]]:
    if not any(map(str.isalnum, wanted)):
        return ()
    words = r"\s+".join(map(re.escape, wanted.split()))
    return re.finditer(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE)


def same_source(read: str, gold: str) -> bool:
    """Return whether a gold source is the source that was read: the same name, or a path that ends in it."""
    return read == gold or read.endswith("/" + gold)


def retrieved(row: Row) -> bool:
    """Return whether what was read holds the evidence: each gold quote, or else a gold answer.

    Where gold sources are told, a gold answer counts only in a passage of one of them: a bare number stands in many
    documents, and the right one may still not have been found.
    """
    if row.gold_quotes and all(_quoted(quote, row.passages) for quote in row.gold_quotes):
        return True
    return any(metrics.holds(passage.text, row.answers) for passage in row.passages if _is_gold(passage, row))


def overlaps_gold(row: Row) -> bool:
    """Return whether one of the spans that the answer rests on overlaps a place where a gold answer stands."""
    return any(
        span.start < end and start < span.end
        for span in row.spans
        if 0 <= span.passage < len(row.passages)
        for start, end in found_spans(row.passages[span.passage].text, row.answers)
    )


def _is_gold(passage: Read, row: Row) -> bool:
    sources = (passage.source, *passage.also_in)
    return not row.gold_sources or any(same_source(read, gold) for read in sources for gold in row.gold_sources)


def _quoted(quote: str, passages: Sequence[Read]) -> bool:
    plain = " ".join(quote.split())
    return any(plain in " ".join(passage.text.split()) for passage in passages)
