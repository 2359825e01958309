"""What the copying generator is trained on, made of questions: answered, refused, competing, in two parts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from finetune.copying.edits import Alike
from finetune.copying.examples import NEITHER, NO, YES, Copy, Example, Write
from finetune.copying.tables import tables
from finetune.copying.two_part import two_part
from finetune.copying.unanswerable import Edited, unanswerable
from finetune.questions import Question, occurrences

Near = Mapping[str, Sequence[tuple[str, str]]]
"""For a question's id: passages (title, text) that retrieval finds for it and that do not hold its answer."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Shares of the answerable questions that something more is made of."""

    titled: float = 0.5
    """Shown with the title of their document."""
    competing: float = 0.15
    """Read beside one to three passages that retrieval finds and that do not hold the answer."""
    missing: float = 0.12
    """Asked once more with such passages alone: to be refused."""
    edited: float = 0.5
    """Asked once more with a small change that leaves them without an answer: to be refused."""
    two_part: float = 0.03
    """Joined with another question on the same document: two spans to copy."""
    tables: float = 0.03
    """As many made-up questions on made-up tables are added."""


def examples(
    questions: Sequence[Question],
    near: Near,
    mixture: Mixture,
    chance: random.Random,
    alike: Alike = lambda word: (),
) -> Iterator[Example]:
    """Yield what `questions` give; where no answer occurs in the passage, the first is to be written, not copied.

    `alike` gives the words that a question is edited with (see `finetune.copying.neighbours`).
    """
    by_document: dict[str, list[Question]] = {}
    for question in questions:
        by_document.setdefault(question.document, []).append(question)
    for question in questions:
        own = (question.title if chance.random() < mixture.titled else "", question.passage)
        if question.yes_no:
            yield Example(question.text, (own,), (), _verdict(question))
            continue
        if not question.answers:
            yield Example(question.text, (own,), ())
            continue
        spans = _spans(question)
        if not spans:
            yield Example(question.text, (own,), (Write(question.answers[0]),))
            continue
        others = near.get(question.id, ())
        if others and chance.random() < mixture.competing:
            yield _competing(question.text, own, _some(others, chance), spans, chance)
        else:
            yield Example(question.text, (own,), (Copy(tuple((0, *span) for span in spans)),))
        if others and chance.random() < mixture.missing:
            yield Example(question.text, tuple(_titled(other, own) for other in _some(others, chance)), ())
        if chance.random() < mixture.edited:
            edits = unanswerable(question.text, question.passage, question.answers, chance, alike)
            if edits:
                yield Example(one_of(edits, chance).question, (own,), ())
        if chance.random() < mixture.two_part:
            yield from _two_part(question, own, spans, chance.choice(by_document[question.document]), chance)
    yield from tables(round(mixture.tables * len(questions)), chance)


def one_of(edits: Sequence[Edited], chance: random.Random) -> Edited:
    """Return one of the edits; those that sometimes limp are the rarer."""
    return chance.choices(edits, [0.4 if edit.kind == "modifier" else 1.0 for edit in edits])[0]


def _verdict(question: Question) -> int:
    return (YES if question.answers[0].strip().lower() == "yes" else NO) if question.answers else NEITHER


def _spans(question: Question) -> list[tuple[int, int]]:
    """Return every place of every answer: which occurrence was meant is not recorded, or not reliably."""
    return [(at, at + len(answer)) for answer in question.answers for at in occurrences(question.passage, answer)][:16]


def _titled(other: tuple[str, str], own: tuple[str, str]) -> tuple[str, str]:
    """Show the other passage's title only where the own one's is shown: it must not give away which is which."""
    return (other[0] if own[0] else "", other[1])


def _some(others: Sequence[tuple[str, str]], chance: random.Random) -> list[tuple[str, str]]:
    """Return one to three of the passages, seldom three: each costs as much as another question."""
    count = chance.choices((1, 2, 3), (0.6, 0.25, 0.15))[0]
    return chance.sample(others, min(count, len(others)))


def _competing(
    text: str,
    own: tuple[str, str],
    others: Sequence[tuple[str, str]],
    spans: Sequence[tuple[int, int]],
    chance: random.Random,
) -> Example:
    passages = [_titled(other, own) for other in others]
    place = chance.randrange(len(passages) + 1)
    passages.insert(place, own)
    return Example(text, tuple(passages), (Copy(tuple((place, *span) for span in spans)),))


def _two_part(
    question: Question, own: tuple[str, str], spans: Sequence[tuple[int, int]], other: Question, chance: random.Random
) -> Iterator[Example]:
    text = two_part(question.text, other.text, chance)
    found = _spans(other)
    if text is None or not found or other.answers == question.answers:
        return
    first, second = Copy(tuple((0, *span) for span in spans)), Copy(tuple((0, *span) for span in found))
    if other.passage == question.passage:
        yield Example(text, (own,), (first, Write("and"), second))
        return
    beside = (other.title if own[0] else "", other.passage)
    place = chance.randrange(2)
    passages = (own, beside) if place == 0 else (beside, own)
    first = Copy(tuple((place, *span) for span in spans))
    second = Copy(tuple((1 - place, *span) for span in found))
    yield Example(text, passages, (first, Write("and"), second))
