"""Rows of an evaluation for tests, with everything that a test does not speak of left plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.evaluation.rows import NOTHING_SAID, Cited, Read, RetrievalRow, Row

TOWER = "The Eiffel Tower in Paris was finished in March 1889 and is 330 metres tall."


def read(text: str, source: str = "tower.md", rank: int = 1) -> Read:
    """Return a passage as it was read."""
    return Read(source, source.partition(".")[0], 0, text, 1.0 / rank, rank)


def row(
    id: str = "q1",
    answers: Sequence[str] = ("Paris",),
    said: str = "",
    *,
    answered: bool | None = None,
    confidence: float | None = None,
    question: str = "Where is the tower?",
    passages: Sequence[Read | str] = (TOWER,),
    quotes: Sequence[str] = (),
    sources: Sequence[str] = (),
    kind: str = "",
    timings: Mapping[str, float] | None = None,
    bears: bool = False,
) -> Row:
    """Return a row; what it says is cited from the first passage that holds it, and answered unless it says nothing."""
    texts = tuple(read(each, rank=rank) if isinstance(each, str) else each for rank, each in enumerate(passages, 1))
    places = [(number, each.text.find(said)) for number, each in enumerate(texts) if said and said in each.text]
    return Row(
        id=id,
        question=question,
        answers=tuple(answers),
        kind=kind,
        said=said,
        answered=bool(said) if answered is None else answered,
        confidence=(0.75 if said else NOTHING_SAID) if confidence is None else confidence,
        spans=tuple(Cited(number, start, start + len(said), said) for number, start in places[:1]),
        passages=texts,
        gold_sources=tuple(sources),
        gold_quotes=tuple(quotes),
        timings_ms=timings or {},
        bears=bears,
    )


def ranked(query: str, ranking: Sequence[str], relevant: Mapping[str, int], arm: str = "hybrid") -> RetrievalRow:
    """Return what an arm found for a query, best first."""
    return RetrievalRow(query, arm, tuple((document, 1 / rank) for rank, document in enumerate(ranking, 1)), relevant)
