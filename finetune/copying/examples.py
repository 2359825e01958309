"""Training examples of the copying generator, and the batches they are read in.

An example is a question, the passages that compete for it, and the actions that answer it; no actions: it is refused.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from rag.copying.layout import Tokens, Window, Words, token_span

COPY, WRITE, STOP, REFUSE = 1, 2, 3, 4
NOT_ASKED, NEITHER, YES, NO = -1, 0, 1, 2
"""What passages say to a question that asks whether something is so; of other questions that is not asked."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy one of these spans, each (passage, start, end) in characters: all of them are right."""

    spans: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Write:
    """Write these words."""

    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """See the module."""

    question: str
    passages: tuple[tuple[str, str], ...]
    """Context and text of each."""
    actions: tuple[Copy | Write, ...]
    verdict: int = NOT_ASKED
    """`YES` or `NO`: nothing is learnt of spans, since which of them decides is not known. `NEITHER`: refused, too."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example in tokens: one window a passage."""

    windows: tuple[Window, ...]
    words: tuple[Words, ...]
    steps: tuple[tuple[int, tuple[tuple[int, int, int], ...], int], ...]
    """(kind, spans as (passage, first, last) token of the window, token to write)."""
    verdict: int = NOT_ASKED

    @property
    def length(self) -> int:
        """Tokens of the longest window."""
        return max(len(window.ids) for window in self.windows)


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples with the same number of passages, as arrays: g examples, p passages, t tokens, s steps, k spans."""

    ids: Ints
    """Shape (g * p, t)."""
    types: Ints
    mask: Ints
    opens: npt.NDArray[np.bool_]
    """Shape (g * p, t)."""
    closes: npt.NDArray[np.bool_]
    inside: npt.NDArray[np.bool_]
    """Where there is a token of a passage."""
    kinds: Ints
    """Shape (g, s): COPY, WRITE, STOP, REFUSE, or 0 after the end."""
    spans: Ints
    """Shape (g, s, k, 3): passage, first and last token; -1 where there are fewer."""
    tokens: Ints
    """Shape (g, s)."""
    verdicts: Ints
    """Shape (g,)."""
    passages: int


@dataclass
class Encoder:
    """Turns examples into tokens, each passage once."""

    tokens: Tokens
    span_tokens: int
    max_actions: int = 8
    """Most actions of an answer, as in the model's configuration."""
    writes: bool = True
    """Whether the model can string actions; without, an answer is one span."""
    _words: dict[str, Words] = field(default_factory=dict)

    def encode(self, example: Example, chance: random.Random) -> Encoded | None:
        """Return the example in tokens; None where the model cannot give its answer: too long, or outside every window.

        Of a passage with several windows, one that serves as many of the actions as can be is read.
        """
        words = [self._words_of(text) for _, text in example.passages]
        wanted: list[list[tuple[int, int, int]]] = []
        steps: list[tuple[str | None, list[tuple[int, int, int]]]] = []
        for action in example.actions:
            if isinstance(action, Write):
                steps.append((action.text, []))
                continue
            found = [(passage, token_span(words[passage], start, end)) for passage, start, end in action.spans]
            near = [(passage, *span) for passage, span in found if span and span[1] - span[0] < self.span_tokens]
            spans = list(dict.fromkeys(near))  # two answers may be one span of tokens: its probability counts once
            if not spans:
                return None
            wanted.append(spans)
            steps.append((None, spans))
        windows = []
        for number, (context, _) in enumerate(example.passages):
            head = self.tokens.head(example.question, context)
            choices = self.tokens.windows(head, words[number])
            served = [sum(_holds(window, number, spans) for spans in wanted) for window in choices]
            windows.append(chance.choice([w for w, count in zip(choices, served, strict=True) if count == max(served)]))
        if example.verdict in (YES, NO):
            return Encoded(tuple(windows), tuple(words), (), example.verdict)
        placed = self._placed(windows, words, steps)
        return placed and replace(placed, verdict=example.verdict)

    def _words_of(self, text: str) -> Words:
        if text not in self._words:
            self._words[text] = self.tokens.words(text)
        return self._words[text]

    def _placed(
        self,
        windows: Sequence[Window],
        words: Sequence[Words],
        steps: Sequence[tuple[str | None, list[tuple[int, int, int]]]],
    ) -> Encoded | None:
        done: list[tuple[int, tuple[tuple[int, int, int], ...], int]] = []
        for text, spans in steps:
            if text is not None:
                done += [(WRITE, (), token) for token in self.tokens.ids(text)]
                continue
            placed = tuple(
                (p, windows[p].first + first - windows[p].begin, windows[p].first + last - windows[p].begin)
                for p, first, last in spans
                if windows[p].begin <= first and last < windows[p].end
            )
            if not placed:
                return None
            done.append((COPY, placed, 0))
        copies_once = [kind for kind, _, _ in done] in ([], [COPY])
        if len(done) > self.max_actions or not (self.writes or copies_once):
            return None
        done.append((STOP, (), 0) if done else (REFUSE, (), 0))
        return Encoded(tuple(windows), tuple(words), tuple(done))


def _holds(window: Window, passage: int, spans: Sequence[tuple[int, int, int]]) -> bool:
    """Return whether a window of a passage holds one of the spans (passage, first, last)."""
    return any(number == passage and window.begin <= first and last < window.end for number, first, last in spans)


def plan(encoded: Sequence[Encoded], budget: int, chance: random.Random, pool: int = 4096) -> list[list[int]]:
    """Return batches as lists of indices: shuffled, alike in length within, at most `budget` padded tokens each."""
    order = list(range(len(encoded)))
    chance.shuffle(order)
    planned = []
    for begin in range(0, len(order), pool):
        made: list[list[int]] = []
        part = order[begin : begin + pool]
        for number in sorted({len(encoded[i].windows) for i in part}):
            alike = sorted((i for i in part if len(encoded[i].windows) == number), key=lambda i: encoded[i].length)
            group: list[int] = []
            for i in alike:
                if group and (len(group) + 1) * number * encoded[i].length > budget:
                    made.append(group)
                    group = []
                group.append(i)
            made.append(group)
        chance.shuffle(made)
        planned += made
    return planned


def collate(examples: Sequence[Encoded], pad_id: int) -> Batch:
    """Return examples with the same number of passages as one batch."""
    windows = [(w, x) for example in examples for w, x in zip(example.windows, example.words, strict=True)]
    length = max(len(window.ids) for window, _ in windows)
    shape = (len(windows), length)
    ids, types, mask = np.full(shape, pad_id), np.zeros(shape, int), np.zeros(shape, int)
    opens, closes, inside = np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(shape, bool)
    for row, (window, words) in enumerate(windows):
        ids[row, : len(window.ids)] = window.ids
        types[row, : len(window.ids)] = window.types
        mask[row, : len(window.ids)] = 1
        place = slice(window.first, window.first + window.end - window.begin)
        opens[row, place] = words.opens[window.begin : window.end]
        closes[row, place] = words.closes[window.begin : window.end]
        inside[row, place] = True
    steps = max(1, max(len(example.steps) for example in examples))
    most = max(1, max((len(spans) for example in examples for _, spans, _ in example.steps), default=1))
    kinds, tokens = np.zeros((len(examples), steps), int), np.zeros((len(examples), steps), int)
    placed = np.full((len(examples), steps, most, 3), -1)
    for row, example in enumerate(examples):
        for step, (kind, spans, token) in enumerate(example.steps):
            kinds[row, step], tokens[row, step] = kind, token
            if spans:
                placed[row, step, : len(spans)] = spans
    verdicts = np.array([example.verdict for example in examples])
    return Batch(ids, types, mask, opens, closes, inside, kinds, placed, tokens, verdicts, len(examples[0].windows))
