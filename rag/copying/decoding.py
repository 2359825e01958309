"""From scores to answers: the best sequence of actions, and what can be said of how sure it is.

Numbers only; knows nothing of models, files or collections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.encoders.graph import Floats
from rag.copying.layout import Window, Words
from rag.copying.reader import WindowRead

BEGIN, COPY, WRITE = 0, 1, 2
IMPOSSIBLE = np.float32(-30000.0)
KEPT = 20
"""Best spans that are kept as candidates."""
HESITATION = 2.0
"""How much likelier than stopping it must be to go on, in nats. Of held-out questions joined in two, nine in ten still
are answered in two parts (the middle one by 5 nats, a single question by -11); on text unlike that of training, a
second part is more often wrong than wanted."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """A window that was read, and the passage that it belongs to."""

    passage: int
    window: Window
    words: Words
    read: WindowRead


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a passage, half-open, in characters, and its score: the log-odds of copying it against refusing."""

    passage: int
    start: int
    end: int
    score: float
    part: int
    first: int
    """Its first and last token (inclusive), in its part's window."""
    last: int


@dataclass(frozen=True, slots=True)
class Token:
    """A written token."""

    id: int


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """Where spans of a passage may begin, in one window: for each place the best span that begins there, three (n,)."""

    passage: int
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    """In characters of the passage, half-open."""
    scores: Floats
    """Log-odds of copying it against refusing."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What the words of one window say to a question that asks whether something is so."""

    passage: int
    starts: npt.NDArray[np.int32]
    """Of each of n words or parts of words, in characters of the passage; shape (n,)."""
    ends: npt.NDArray[np.int32]
    scores: Floats
    """Shape (n, 2): log-odds of yes, and of no, against neither."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The best answer, whether it should be given or not."""

    actions: tuple[Span | Token, ...]
    spans: tuple[Span, ...]
    """The best spans for the first action, best first, no two of them the same characters."""
    log_answer: float
    """Log-probability of the first action being no refusal."""
    log_actions: float
    """Log-probability of all the actions, given that it is no refusal."""
    starts: tuple[Starts, ...] = ()
    """What every other part of the passages holds, for whoever shows more than the best span."""
    verdicts: tuple[Verdicts, ...] = ()
    """Of each window, where the network says yes and no."""


Step = Callable[[Sequence[int], Floats, Floats, Sequence[int], Floats], tuple[Floats, Floats, Floats, float]]
"""`rag.copying.reader.Decoder.step`."""


@dataclass
class _Scores:
    """Span scores of all parts before the decoder moves them."""

    parts: Sequence[Part]
    span_tokens: int

    def __post_init__(self) -> None:
        self.links = [_links(part, self.span_tokens) for part in self.parts]

    def spans(self, start: Floats | None = None, end: Floats | None = None) -> list[Floats]:
        """Return the scores of each part's spans, shape (t, span_tokens): [i, k] is the span from i to i + k.

        `start` and `end` (d,) are the decoder's queries.
        """
        return [
            links
            + _moved(part.read.start, part.read, start)[:, None]
            + _band(_moved(part.read.end, part.read, end), links)
            for part, links in zip(self.parts, self.links, strict=True)
        ]


def decode(
    parts: Sequence[Part],
    span_tokens: int,
    step: Step | None,
    max_actions: int,
    forbidden: Flags | None,
    continuing: Flags | None = None,
    several: bool = True,
) -> Decoded:
    """Return the best answer, greedily: the best first action that is no refusal, then the best next one until stop.

    `step` None: an answer is one span. `forbidden` (v,): tokens that may never be written; `continuing` (v,): those
    that may only follow a written one, being the rest of a word. Without `several`, one copied span is the whole
    answer. No span can be copied where nothing was read; the answer then has no actions.
    """
    scores = _Scores(parts, span_tokens)
    memory = np.concatenate([part.read.hidden for part in parts])  # (m, d)
    actions: list[Span | Token] = []
    spans: tuple[Span, ...] = ()
    starts: tuple[Starts, ...] = ()
    log_answer = log_actions = 0.0
    while len(actions) < max_actions:
        start, end, written, stop = _next(actions, parts, step, memory)
        moved = scores.spans(start, end)
        found = _best(moved, parts, 1 if actions else KEPT)
        if not actions:
            if not found:
                break
            spans, starts = found, tuple(map(_starts, moved, parts))
        choices: list[tuple[float, Span | Token | None]] = [(span.score, span) for span in found[:1]]
        options = [_log_sum([_log_sum(each) for each in moved])]
        if written is not None:
            allowed = written if forbidden is None else np.where(forbidden, IMPOSSIBLE, written)
            if continuing is not None and not (actions and isinstance(actions[-1], Token)):
                allowed = np.where(continuing, IMPOSSIBLE, allowed)
            best = int(allowed.argmax())
            choices.append((float(allowed[best]), Token(best)))
            options += [_log_sum(written), stop]
            if actions:
                choices.append((stop + HESITATION, None))
        score, action = max(choices, key=lambda choice: choice[0])
        total = _log_sum(options)
        if not actions:
            log_answer = total - float(np.logaddexp(total, 0.0))
        log_actions += (stop if action is None else score) - total
        if action is None:
            break
        if isinstance(action, Span) and _tokens(action, parts) in [
            _tokens(each, parts) for each in actions if isinstance(each, Span)
        ]:  # "June 2021 and June 2021": it has been said
            while isinstance(actions[-1], Token):
                actions.pop()
            break
        actions.append(action)
        if step is None or (isinstance(action, Span) and not several):
            break
    return Decoded(tuple(actions), spans, log_answer, log_actions, starts, _verdicts(parts))


def _starts(moved: Floats, part: Part) -> Starts:
    reach = moved.argmax(axis=1)  # (t,)
    best = moved[np.arange(len(moved)), reach]
    rows = np.flatnonzero(best > IMPOSSIBLE / 2)
    tokens = rows - part.window.first + part.window.begin
    offsets = part.words.offsets
    return Starts(part.passage, offsets[tokens, 0], offsets[tokens + reach[rows], 1], best[rows])


def _verdicts(parts: Sequence[Part]) -> tuple[Verdicts, ...]:
    found = []
    for part in parts:
        if part.read.polarity is not None:
            offsets = part.words.offsets[part.window.begin : part.window.end]
            place = slice(part.window.first, part.window.first + len(offsets))
            found.append(Verdicts(part.passage, offsets[:, 0], offsets[:, 1], part.read.polarity[place]))
    return tuple(found)


def _tokens(span: Span, parts: Sequence[Part]) -> list[int]:
    part = parts[span.part]
    begin = span.first - part.window.first + part.window.begin
    return part.words.ids[begin : begin + span.last - span.first + 1]


def _next(
    actions: Sequence[Span | Token], parts: Sequence[Part], step: Step | None, memory: Floats
) -> tuple[Floats | None, Floats | None, Floats | None, float]:
    if step is None:
        return None, None, None, float(IMPOSSIBLE)
    kinds = [BEGIN, *(COPY if isinstance(action, Span) else WRITE for action in actions)]
    nowhere = np.zeros(memory.shape[1], dtype=np.float32)
    firsts, lasts, tokens = [nowhere], [nowhere], [0]
    for action in actions:
        hidden = parts[action.part].read.hidden if isinstance(action, Span) else None
        firsts.append(nowhere if hidden is None or isinstance(action, Token) else hidden[action.first])
        lasts.append(nowhere if hidden is None or isinstance(action, Token) else hidden[action.last])
        tokens.append(action.id if isinstance(action, Token) else 0)
    return step(kinds, np.stack(firsts), np.stack(lasts), tokens, memory)


def _links(part: Part, span_tokens: int) -> Floats:
    """Return the bilinear part of the spans' scores, (t, span_tokens), IMPOSSIBLE where a span is not legal.

    Only the band of spans that are short enough is computed, and by no product that would wake the threads of BLAS:
    where other programs keep the cores busy, waiting for these takes ten times as long as the product.
    """
    length = len(part.window.ids)
    opens, closes = np.zeros(length, dtype=bool), np.zeros(length + span_tokens - 1, dtype=bool)
    place = slice(part.window.first, part.window.first + part.window.end - part.window.begin)
    opens[place] = part.words.opens[part.window.begin : part.window.end]
    closes[place] = part.words.closes[part.window.begin : part.window.end]
    stretches = np.zeros(length + span_tokens - 1, dtype=np.int64)
    stretches[place] = part.words.stretches[part.window.begin : part.window.end]
    lasts = np.zeros((length + span_tokens - 1, part.read.last.shape[1]), dtype=np.float32)
    lasts[:length] = part.read.last
    linked = (part.read.first[:, None, :] @ _from_each(lasts, span_tokens))[:, 0]  # (t, span_tokens)
    within = _from_each(stretches, span_tokens) == stretches[:length, None]
    legal = opens[:, None] & _from_each(closes, span_tokens) & within
    return np.where(legal, linked, IMPOSSIBLE)


def _from_each(rows: npt.NDArray[Any], reach: int) -> npt.NDArray[Any]:
    """Return, for each row but the last `reach` - 1, that row and those behind it, along a last axis of `reach`."""
    return np.lib.stride_tricks.sliding_window_view(rows, reach, axis=0)


def _moved(scores: Floats, read: WindowRead, query: Floats | None) -> Floats:
    return scores if query is None else scores + read.hidden @ query


def _band(ends: Floats, links: Floats) -> Floats:
    """Return `ends[i + k]` at [i, k], shape of `links`; 0 beyond the end, where no span is legal."""
    padded = np.concatenate([ends, np.zeros(links.shape[1], dtype=np.float32)])
    return np.lib.stride_tricks.sliding_window_view(padded, links.shape[1])[: len(ends)]


def _best(moved: Sequence[Floats], parts: Sequence[Part], count: int) -> tuple[Span, ...]:
    """Return the best spans of all parts, best first; what two windows of a passage share is one span."""
    found: dict[tuple[int, int, int], Span] = {}
    for number, (scores, part) in enumerate(zip(moved, parts, strict=True)):
        flat = scores.ravel()
        likely = np.argpartition(-flat, min(count, len(flat) - 1))[: count + 1]
        for place in likely.tolist():
            if flat[place] < IMPOSSIBLE / 2:
                continue
            first, reach = divmod(place, scores.shape[1])
            token = first - part.window.first + part.window.begin
            start, end = int(part.words.offsets[token][0]), int(part.words.offsets[token + reach][1])
            span = Span(part.passage, start, end, float(flat[place]), number, first, first + reach)
            key = (span.passage, start, end)
            if key not in found or found[key].score < span.score:
                found[key] = span
    order = sorted(found.values(), key=lambda span: (-span.score, span.passage, span.start, span.end))
    return tuple(order[:count])


def _log_sum(scores: Floats | Sequence[float]) -> float:
    """Return the log of the sum of the exponentials."""
    values = np.asarray(scores, dtype=np.float64)
    top = float(values.max(initial=float(IMPOSSIBLE)))
    return top + float(np.log(np.exp(values - top).sum()))
