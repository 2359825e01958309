"""How an error is shown: the question, the gold answers, what was said, and both marked in the passages read."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from rag.evaluation.failures import Failure
from rag.evaluation.markup import Html, element, text, together
from rag.evaluation.places import Span, found_spans
from rag.evaluation.rows import Read, Row

MOST = 2400
"""Characters of a passage that are shown, at most."""
BEFORE = 400
"""Of these, so many before the first mark, where the passage is longer."""
_NAMES = {"gold": "gold", "said": "said", "both": "gold, said", "bare": "no source"}


def error(failure: Failure) -> Html:
    """Return an article about a question that went wrong. Its passages are open where something is marked in them."""
    row = failure.row
    return element(
        "article",
        element("h4", element("bdi", row.question)),
        element(
            "dl",
            *_entry("Gold answer" if len(row.answers) == 1 else "Gold answers", _golds(row)),
            *_entry("Answer" if row.answered else "Held back", _said(row)),
            *_entry("Confidence", text(f"{100 * row.confidence:.0f} %" if row.confidence >= 0 else "none")),
            *_entry("Question id", element("bdi", row.id)),
        ),
        *(_passage(row, place) for place in range(len(row.passages))),
    )


def _entry(name: str, content: Html) -> tuple[Html, Html]:
    return element("dt", name), element("dd", content)


def _golds(row: Row) -> Html:
    if not row.answers:
        return element("em", "none: the passages do not tell")
    golds = [element("mark", element("bdi", answer), class_="gold") for answer in row.answers]
    return together(part for gold in golds for part in (gold, " "))


def _said(row: Row) -> Html:
    if not row.said:
        return element("em", "nothing")
    return element("bdi", marked(row.said, {"bare": row.unsupported}))


def _passage(row: Row, place: int) -> Html:
    passage = row.passages[place]
    said = [(span.start, span.end) for span in row.spans if span.passage == place]
    golds = found_spans(passage.text, (*row.answers, *row.gold_quotes))
    opened = {"open": ""} if golds or said else {}
    return element("details", element("summary", _title(passage)), _excerpt(passage.text, golds, said), **opened)


def _title(passage: Read) -> Html:
    name = PurePath(passage.source).name
    parts: list[Html | str] = [f"Passage {passage.rank}: ", element("bdi", passage.title or name)]
    if passage.title and passage.title != name:
        parts += [" ", element("span", "(", element("bdi", name), ")", class_="soft")]
    return together(parts)


def _excerpt(content: str, golds: Sequence[Span], said: Sequence[Span]) -> Html:
    """Return a passage, or of a long one what stands around its first mark."""
    first = min((start for start, _ in (*golds, *said)), default=0)
    begin = max(0, min(first - BEFORE, len(content) - MOST)) if len(content) > MOST else 0
    end = min(len(content), begin + MOST)
    inside = {
        kind: [(start - begin, last - begin) for start, last in spans]
        for kind, spans in (("gold", golds), ("said", said))
    }
    return element(
        "blockquote",
        *(["[…] "] if begin else []),
        marked(content[begin:end], inside),
        *([" […]"] if end < len(content) else []),
        dir="auto",
    )


def marked(content: str, spans: Mapping[str, Sequence[Span]]) -> Html:
    """Return text in which spans are marked, each kind by a line, a colour and its name.

    What is of the kinds "gold" and "said" at once is marked as both. Spans may reach beyond the text.
    """
    edges = {0, len(content)}
    clipped = {
        kind: [(max(0, start), min(len(content), end)) for start, end in places if start < len(content) and end > 0]
        for kind, places in spans.items()
    }
    edges.update(edge for places in clipped.values() for place in places for edge in place)
    parts: list[Html | str] = []
    order = sorted(edges)
    for start, end in itertools.pairwise(order):
        kinds = [
            kind for kind, places in clipped.items() if any(first <= start and end <= last for first, last in places)
        ]
        if not kinds:
            parts.append(content[start:end])
            continue
        kind = "both" if len(kinds) > 1 else kinds[0]
        parts.append(element("mark", content[start:end], element("small", _NAMES[kind]), class_=kind))
    return together(parts)
