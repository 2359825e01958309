"""Questions as a language model is taught to answer them: in the layout of `rag.writing.prompting`, with the answer.

The right passage stands among others; where the passages do not hold the answer, the refusal is to be written.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from finetune.questions import Question
from indexer.errors import UsageError
from rag.types import Passage, given_passage
from rag.writing.few_shot import around
from rag.writing.prompt_tokens import PromptTokens
from rag.writing.prompting import REFUSAL, answer_citing, as_data

TOGETHER = 50
"""Steps whose instructions are made together, and batched by their length."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is read and what is to be written, in tokens."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    """With the token that ends it."""

    @property
    def length(self) -> int:
        """Tokens in all."""
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True, slots=True)
class Mixing:
    """Among which passages a question is asked."""

    passages: int = 3
    """Passages in a prompt, at most; from one up, each number as likely."""
    missing: float = 0.15
    """Share of the answerable questions that are asked of other passages, and are to be refused."""


class Instructions:
    """Makes instructions of questions, with other passages of the same data beside the right one."""

    def __init__(self, questions: Sequence[Question], tokens: PromptTokens, mixing: Mixing = Mixing()) -> None:
        self._tokens, self._mixing = tokens, mixing
        self._within: Mapping[str, list[Question]] = _by_document(questions)
        self._all = list(questions)

    def of(self, question: Question, chance: random.Random) -> Instruction | None:
        """Return the instruction for a question, by chance; None where the prompt has no room for the answer."""
        others = self._others(question, chance, chance.randrange(self._mixing.passages))
        if question.answers and others and chance.random() < self._mixing.missing:
            return self._made(question, others, REFUSAL)
        own = given_passage(question.passage, question.title)
        if not question.answers:
            return self._made(question, _shuffled([own, *others], chance), REFUSAL)
        answer = _best(question)
        shorter = given_passage(around(question.passage, answer, 600), question.title)
        for passages in (_shuffled([own, *others], chance), [own], [shorter]):
            number = next(number for number, each in enumerate(passages, 1) if each in (own, shorter))
            made = self._made(question, passages, answer_citing(answer, number), answer)
            if made is not None:
                return made
        return None

    def _made(
        self, question: Question, passages: Sequence[Passage], written: str, held: str = ""
    ) -> Instruction | None:
        """Return the instruction; None where the prompt was cut so that `held` is not in it."""
        prompt = self._tokens.prompt(question.text, passages)
        shown = " ".join(prompt.text.replace("\n> ", " ").split())
        if " ".join(as_data(held).split()) not in shown:
            return None
        return Instruction(tuple(self._tokens.ids(prompt)), tuple(self._tokens.answer_ids(written)))

    def _others(self, question: Question, chance: random.Random, count: int) -> list[Passage]:
        """Return passages of other questions that do not hold the answer: from the same document, then from any."""
        found: dict[str, Passage] = {}
        for pool in (self._within[question.document], self._all):
            for other in chance.sample(pool, min(len(pool), 4 * count)):
                if len(found) < count and other.passage != question.passage and not _holds(other.passage, question):
                    found[other.passage] = given_passage(other.passage, other.title)
        return list(found.values())


def _by_document(questions: Sequence[Question]) -> Mapping[str, list[Question]]:
    found: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        found[question.document].append(question)
    return found


def _holds(passage: str, question: Question) -> bool:
    return any(answer.casefold() in passage.casefold() for answer in question.answers)


def _best(question: Question) -> str:
    """Return the shortest answer that stands in the passage, else the first."""
    standing = [answer for answer in question.answers if answer in question.passage]
    return min(standing, key=lambda answer: (len(answer), answer)) if standing else question.answers[0]


def _shuffled(passages: Sequence[Passage], chance: random.Random) -> list[Passage]:
    return chance.sample(list(passages), len(passages))


MadeOf = Callable[[Question, random.Random], Instruction | None]
"""Makes the instruction for a question, by chance; None where the prompt has no room for the answer."""


class Lessons:
    """The instructions of each step, made by fifty steps when they are needed: by nothing but the seed and the step.

    Making them takes milliseconds each: all of them beforehand would be minutes in which nothing is learnt.
    """

    def __init__(self, drawn: Sequence[Question], made_of: MadeOf, batch: int, seed: int) -> None:
        """`drawn` are the questions in the order in which they are learnt, `batch` of them in a step."""
        self._drawn, self._made_of, self._batch, self._seed = drawn, made_of, batch, seed
        self.steps = -(-len(drawn) // batch)
        self._made: tuple[int, list[list[Instruction]]] = (-1, [])

    def of(self, step: int) -> list[Instruction]:
        """Return what is learnt in a step, at least one instruction. Raises UsageError where none of the first fit."""
        part, place = divmod(step, TOGETHER)
        if self._made[0] != part:
            self._made = part, self._part(part)
        return self._made[1][place]

    def _part(self, part: int) -> list[list[Instruction]]:
        chance = random.Random(f"{self._seed}/{part}")
        drawn = self._drawn[TOGETHER * self._batch * part : TOGETHER * self._batch * (part + 1)]
        found = [made for question in drawn if (made := self._made_of(question, chance)) is not None]
        count = -(-len(drawn) // self._batch)
        if not found and part > 0:  # a last few that do not fit must not end a run of hours
            return self._part(0)[:count]
        if not found:
            raise UsageError(
                f"None of {len(drawn)} passages with its answer fits into what the model reads.",
                "Take a model that reads more.",
            )
        return batches(found, count, chance)


def batches(found: Sequence[Instruction], count: int, chance: random.Random) -> list[list[Instruction]]:
    """Return `count` batches of about one length each, so that little is padded, in an order made by chance.

    Each instruction stands in one; where there are fewer than batches, some stand in several.
    """
    ordered = sorted(found, key=lambda each: each.length)
    while len(ordered) < count:
        ordered += ordered[: count - len(ordered)]
    cuts = [len(ordered) * number // count for number in range(count + 1)]
    return chance.sample([ordered[first:last] for first, last in pairwise(cuts)], count)
