"""Questions with the passage that answers each: what encoders and rerankers learn from, and how it is split."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finetune.card import Source
from finetune.copying.negatives import passage_id
from finetune.questions import Question
from finetune.splitting import read_split
from indexer.errors import UsageError
from rag.reranking.reranker import text_read

MIN_HELD_OUT = 10
"""Held-out questions below which a choice of weights would be a throw of dice."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The questions of a run; passages by id."""

    learn: list[Question]
    held: list[Question]
    """Of other documents than those that are learnt from."""
    passages: Mapping[str, Question]
    """By passage id, a question that was asked about it: for its title and text."""

    def text(self, passage: str) -> str:
        """Return what a model reads of the passage with this id: the title above it, as the index has it."""
        return passage_text(self.passages[passage])


def asked_in(pairs: Pairs, batches: Sequence[Sequence[int]]) -> list[Question]:
    """Return the questions of the batches, in order."""
    return [pairs.learn[number] for batch in batches for number in batch]


def passage_text(question: Question) -> str:
    """Return what a model reads of a question's own passage."""
    return text_read(question.title, question.passage)


def read_pairs(sources: Sequence[Source], held_out: float, seed: int) -> Pairs:
    """Read questions with their passages from `sources`, and hold out about this share of them by document.

    A question whose passage is said not to answer it is left out. A source's weight below one takes a part of its
    questions, above one takes them several times. Raises UsageError for data that does not read, or is too little.
    """
    chance = random.Random(seed)
    learn: list[Question] = []
    held: list[Question] = []
    known: list[Question] = []
    for number, source in enumerate(sources):
        parts = read_split(source, number, held_out, answers_needed=False)
        kept, out = ([each for each in part if not each.refused] for part in parts)
        known += kept + out
        learn += [each for each in kept for _ in range(_times(source.weight, chance))]
        held += out
    if not learn:
        raise UsageError("There is no question with a passage to learn from.", "Give lines with question and context.")
    if len(held) < MIN_HELD_OUT:
        raise UsageError(
            f"Only {len(held)} of {len(learn) + len(held)} questions could be held out; {MIN_HELD_OUT} are needed.",
            "Give more questions, on more documents, or a larger --held-out.",
        )
    return Pairs(learn, held, {passage_id(each.passage): each for each in known})


def _times(weight: float, chance: random.Random) -> int:
    return int(weight) + (chance.random() < weight % 1.0)


def planned(questions: Sequence[Question], batch_size: int, chance: random.Random) -> list[list[int]]:
    """Return the questions of one pass by number, in batches in which no passage and no question stands twice.

    A passage that is one question's answer would otherwise be taken for another's wrong one. A batch that could not be
    filled is left out, unless there is no other.
    """
    order = list(range(len(questions)))
    chance.shuffle(order)
    whole: list[list[int]] = []
    open_ones: list[tuple[list[int], set[str]]] = []
    for number in order:
        marks = {questions[number].passage, questions[number].text.casefold()}
        batch = next((each for each in open_ones if not each[1] & marks), None)
        if batch is None:
            batch = ([], set())
            open_ones.append(batch)
        batch[0].append(number)
        batch[1].update(marks)
        if len(batch[0]) == batch_size:
            whole.append(batch[0])
            open_ones.remove(batch)
    left = [each for each, _ in open_ones if len(each) > max(1, batch_size // 2)]
    return whole + left or [each for each, _ in open_ones[:1]]


def batches_of(
    questions: Sequence[Question], batch_size: int, epochs: float, steps: int | None, chance: random.Random
) -> list[list[int]]:
    """Return the batches of all passes, in order: as many as `steps`, or as `epochs` make."""
    first = planned(questions, batch_size, chance)
    wanted = steps or max(1, round(epochs * len(first)))
    batches = first
    while len(batches) < wanted:
        batches = batches + planned(questions, batch_size, chance)
    return batches[:wanted]
