"""What is right, read and cited of one row: what the measures count. Pure functions of a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from rag.evaluation import metrics
from rag.evaluation.places import same_source
from rag.evaluation.rows import Row

HALF = 0.5
"""The F1 from which on an answer counts as right where less than an exact match will do."""
RIGHT: Mapping[str, Callable[[Row], bool]] = {
    "": lambda row: row.answerable and metrics.exact_match(row.said, row.answers) == 1,
    " (f1>=0.5)": lambda row: row.answerable and metrics.f1(row.said, row.answers) >= HALF,
    " (contains)": lambda row: metrics.holds(row.said, row.answers),
}
"""What counts as a right best answer: the strict criterion, which is the one that is meant, and what is added to the
names of scores by others. A quoted sentence that contains the answer is right by the last alone."""


def confidence_of(row: Row) -> float:
    """Return the confidence as `rag.evaluation.metrics` takes it: -inf where nothing was said."""
    return row.confidence if row.said and row.confidence >= 0 else -math.inf


def answer_read(row: Row) -> bool:
    """Return whether a passage that was read holds a gold answer (`rag.evaluation.metrics.holds`)."""
    return any(metrics.holds(passage.text, row.answers) for passage in row.passages)


def sources_read(row: Row) -> float:
    """Return the share of the gold sources of which a passage, or its near-duplicate, was read; nan for none."""
    read = [source for passage in row.passages for source in (passage.source, *passage.also_in)]
    return _share(any(same_source(each, gold) for each in read) for gold in row.gold_sources)


def quotes_read(row: Row) -> float:
    """Return the share of the gold quotes that stand in a passage, however spaces and line ends fall; nan for none."""
    texts = [" ".join(passage.text.split()) for passage in row.passages]
    return _share(any(" ".join(quote.split()) in text for text in texts) for quote in row.gold_quotes)


def _share(found: Iterable[bool]) -> float:
    listed = list(found)
    return sum(listed) / len(listed) if listed else math.nan


def helpful(row: Row) -> bool:
    """Return whether the given answer holds a gold one, or a question without an answer is refused."""
    return metrics.holds(row.given, row.answers) if row.answerable else not row.answered


def lies_at_its_offsets(row: Row) -> bool:
    """Return whether the letters and digits of the best answer are those of the passages at its spans, in order.

    Words that only join are left out, unless there is nothing else.
    """
    at_spans = "".join(row.passages[span.passage].text[span.start : span.end] for span in row.spans)
    copied, done = "", 0
    for start, end in row.joining:
        copied, done = copied + row.said[done:start], end
    return _letters(at_spans) in (_letters(row.said), _letters(copied + row.said[done:]))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def shows_evidence(row: Row) -> bool:
    """Return whether the row is unsure, and a quotation that is shown holds a gold answer."""
    return row.outcome == "unsure" and any(metrics.holds(note.text, row.answers) for note in row.footnotes)


def right_footnotes(row: Row) -> tuple[int, int]:
    """Return how many footnotes of the best answer quote a gold answer, and how many it has."""
    return sum(metrics.holds(note.text, row.answers) for note in row.footnotes), len(row.footnotes)


def cited_words(row: Row) -> tuple[int, int]:
    """Return how many words of the best answer stand under a footnote, and how many it has.

    A word is under one unless a part that no passage bears out overlaps it; an answer without footnotes has none.
    """
    words, end = [], 0
    for word in row.said.split():
        start = row.said.index(word, end)
        end = start + len(word)
        words.append((start, end))
    bare = sum(any(start < last and first < end for first, last in row.unsupported) for start, end in words)
    return (len(words) - bare if row.footnotes else 0), len(words)
