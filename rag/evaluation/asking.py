"""Puts questions of a data set to a generator, many at once or alone, and makes a row of what came of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from indexer.errors import UsageError
from rag.engine import Engine, cited
from rag.evaluation.data import Asked
from rag.evaluation.rows import NOTHING_SAID, Cited, Read, Row
from rag.generator import Copied, Draft, Generator, drafts
from rag.joining import is_joining
from rag.retriever import MAX_QUESTION
from rag.types import Citation, Form, Passage, given_passage

Found = tuple[list[Sequence[Passage]], list[bool], Mapping[str, float]]
"""What each question is answered from, whether it matches the question at all, and how long each stage of finding it
took for all together, in ms."""
Find = Callable[[Sequence[Asked]], Found]


def in_collection(engine: Engine, k: int) -> Find:
    """Return what finds the passages of questions as `engine` does when it is asked."""

    def find(questions: Sequence[Asked]) -> Found:
        readings = engine.read_many([text_of(each) for each in questions], k)
        return [each.passages for each in readings], [each.matches for each in readings], readings[0].clock.laps

    return find


def read_given(titles: bool) -> Find:
    """Return what hands each question its own passage, with or without its title."""
    return lambda questions: given(questions, titles)


def given(questions: Sequence[Asked], titles: bool = True) -> Found:
    """Return the passage that each question was asked about. Raises UsageError where one has none."""
    without = [each.id for each in questions if not each.passage]
    if without:
        raise UsageError(
            f"{len(without):,} of the questions bring no passage, the first is {without[0]}.",
            "Leave out --given, and name a collection: --collection NAME",
        )
    passages: list[Sequence[Passage]] = [
        [passage_of(each if titles else replace(each, title=""))] for each in questions
    ]
    return passages, [True] * len(questions), {}


def text_of(asked: Asked) -> str:
    """Return a question as it is put: what is longer than the engine reads is cut off."""
    return asked.text[:MAX_QUESTION]


def passage_of(asked: Asked) -> Passage:
    """Return a question's own passage as retrieval would hand it over: whole, and under its title."""
    return given_passage(asked.passage, asked.title, asked.sources[0] if asked.sources else asked.title or asked.id)


class Asker:
    """Asks questions, finding passages with `find`; what is answered at confidence `least` counts as given."""

    def __init__(self, generator: Generator, find: Find, least: float, form: Form | None = None) -> None:
        """`form` is the form to answer in; None: the one that each question asks for."""
        self.generator = generator
        self._find, self._least, self._form = find, least, form

    def together(self, questions: Sequence[Asked]) -> list[Row]:
        """Return a row for each question, in order; they are embedded, searched and read together."""
        return self._rows(questions)[0] if questions else []

    def alone(self, asked: Asked) -> Row:
        """Return the row of a question that is asked by itself, with the time of each stage."""
        (row,), timings_ms = self._rows([asked])
        return _timed(row, timings_ms)

    def _rows(self, questions: Sequence[Asked]) -> tuple[list[Row], dict[str, float]]:
        found, matches, laps = self._find(questions)
        started = time.perf_counter()
        made = drafts(self.generator, [text_of(each) for each in questions], found, [self._form] * len(questions))
        drafted = time.perf_counter()
        rows = [
            row_of(asked, draft if matched else replace(draft, pieces=()), passages, self._least)
            for asked, draft, passages, matched in zip(questions, made, found, matches, strict=True)
        ]
        done = time.perf_counter()
        return rows, {**laps, "generate": (drafted - started) * 1000, "cite": (done - drafted) * 1000}


def row_of(asked: Asked, draft: Draft, passages: Sequence[Passage], least: float) -> Row:
    """Return the row of a question: the best answer also where its confidence is below `least`."""
    made = cited(draft, draft.passages or passages)
    read, numbers = _with_looked_up(passages, draft.passages)
    names = {passage.name for passage in read}
    joins = [span for span in made.written if is_joining(made.text[slice(*span)], names)]
    return Row(
        id=asked.id,
        question=asked.text,
        answers=asked.answers,
        kind=asked.kind,
        said=made.text,
        answered=bool(draft.pieces) and draft.confidence >= least,
        confidence=float(draft.confidence) if draft.pieces else NOTHING_SAID,
        spans=tuple(_span(read, numbers[piece.passage], piece.start, piece.end) for piece in _copied(draft, names)),
        unsupported=made.unsupported,
        passages=tuple(_read(passage, rank) for rank, passage in enumerate(read, 1)),
        gold_sources=asked.sources,
        gold_quotes=asked.quotes,
        footnotes=tuple(_footnote(citation, read) for citation in made.citations),
        bears=draft.bears,
        form=draft.form,
        joining=tuple(joins),
    )


def _with_looked_up(
    passages: Sequence[Passage], looked_up: Sequence[Passage] | None
) -> tuple[list[Passage], list[int]]:
    """Return what was read, with what a generator looked up itself behind it; and where what it points into stands."""
    read = list(passages)
    if not looked_up:
        return read, list(range(len(read)))
    read += [passage for passage in looked_up if passage not in read]
    return read, [read.index(passage) for passage in looked_up]


def _copied(draft: Draft, names: Collection[str]) -> list[Copied]:
    """Return what the answer copies, or rests on; of words that only join, nothing but where there is nothing else."""
    said = [part for part in draft.pieces if isinstance(part, Copied) or not is_joining(part.text, names)]
    return [
        piece for part in said or draft.pieces for piece in ((part,) if isinstance(part, Copied) else part.evidence)
    ]


def _timed(row: Row, timings_ms: Mapping[str, float]) -> Row:
    return replace(row, timings_ms={stage: round(ms, 3) for stage, ms in timings_ms.items()})


def _span(passages: Sequence[Passage], number: int, start: int, end: int) -> Cited:
    return Cited(number, start, end, passages[number].text[start:end])


def _footnote(citation: Citation, passages: Sequence[Passage]) -> Cited:
    """Return where a footnote's quote stands among the passages; no two of them overlap in one source."""
    number = next(
        number
        for number, passage in enumerate(passages)
        if passage.source == citation.source and passage.start <= citation.start and citation.end <= passage.end
    )
    begin = passages[number].start
    return _span(passages, number, citation.start - begin, citation.end - begin)


def _read(passage: Passage, rank: int) -> Read:
    return Read(passage.source, passage.title, passage.start, passage.text, float(passage.score), rank, passage.also_in)
