"""The generator that answers by default: it reads passages and shows what the question asks for, word for word.

The copying network reads and finds spans, the collection's encoder compares sentences, the structure of the text says
what belongs together; a form makes what is shown of them, and a fitted model says how sure to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from indexer.collection import Collection
from indexer.languages import language_of
from rag.answering.amounts import is_another_amount
from rag.answering.asked import Asked, asked
from rag.answering.evidence import Evidence, Seen, gather
from rag.answering.forms import FORMS
from rag.answering.heads import with_heads
from rag.answering.kinds import contradicts
from rag.answering.named import about_another
from rag.answering.signals import Signals, able
from rag.answering.unit_vectors import UnitVectors
from rag.answering.weighing import SHORT_FORMS, Models, shipped
from rag.answering.yes_no import verdict
from rag.copying.confidence import retrieved
from rag.copying.generator import CopyingGenerator
from rag.generator import Draft
from rag.types import Form, Passage

CONTRADICTED = 0.4
"""What is left of the confidence where the evidence tells of another unit, year, amount, part or version than asked."""
SURE = 0.93
"""Confidence from which on one sentence is enough, and none is shown beside it."""
SAID = 0.3
"""Weight of the question's words from which on a quotation is shown for a question in another language than English."""
TOGETHER = 64
"""Questions whose evidence is held in memory at once."""


class AnsweringGenerator:
    """Answers in the form that a question asks for. Safe in threads."""

    def __init__(self, reader: CopyingGenerator, collection: Collection, models: Models | None = None) -> None:
        """`models` None: those that ship."""
        self.reader = reader
        self._collection = collection
        self._models = models or shipped()
        self._vectors = UnitVectors()

    @property
    def name(self) -> str:
        """How it is named in the answer: as the network that reads."""
        return self.reader.name

    @property
    def precision(self) -> str:
        """What the network computes in."""
        return self.reader.precision

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        """See `rag.generator.Generator`."""
        return self.generate_formed([question], [passages], [None])[0]

    def generate_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        """See `rag.generator.Batching`."""
        return self.generate_formed(questions, passages, [None] * len(questions))

    def generate_formed(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], forms: Sequence[Form | None]
    ) -> list[Draft]:
        """See `rag.generator.Forming`. A passage that no search found is read for its best span, or for yes or no."""
        drafts: dict[int, Draft] = {}
        given = [place for place, read in enumerate(passages) if not retrieved(read)]
        judged = [place for place in given if _taken_apart(questions[place], forms[place]).form == "yes-no"]
        for place in judged if self.reader.says_yes_no else ():
            if draft := self._judged(questions[place], passages[place]):
                drafts[place] = draft
        given = [place for place in given if place not in drafts]
        spans = self.reader.generate_many([questions[place] for place in given], [passages[place] for place in given])
        drafts.update(zip(given, spans, strict=True))
        found = [place for place, read in enumerate(passages) if retrieved(read)]
        for begin in range(0, len(found), TOGETHER):
            part = found[begin : begin + TOGETHER]
            evidence = self.evidence(
                [questions[place] for place in part], [passages[place] for place in part], [forms[p] for p in part]
            )
            drafts.update((place, self.draft(each)) for place, each in zip(part, evidence, strict=True))
        return [drafts[place] for place in range(len(questions))]

    def evidence(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], forms: Sequence[Form | None]
    ) -> list[Evidence]:
        """Return what is seen for each question; what the confidence is fitted on."""
        wanted = [_taken_apart(question, form) for question, form in zip(questions, forms, strict=True)]
        read = [with_heads(self._collection, each, own) for each, own in zip(wanted, passages, strict=True)]
        decoded = self.reader.decode_many(questions, read, most_actions=1)
        return gather(wanted, read, decoded, self._collection.encoder, self._vectors)

    def _judged(self, question: str, passages: Sequence[Passage]) -> Draft | None:
        decoded = self.reader.decode_many([question], [passages], most_actions=1)
        (evidence,) = gather([asked(question)], [passages], decoded, None, self._vectors)
        return verdict(evidence)

    def threshold(self, max_error: float | None) -> float:
        """Return the least confidence to answer at."""
        return self._models.threshold(max_error)

    def draft(self, evidence: Evidence) -> Draft:
        """Return what is shown for a question, with its confidence."""
        units = able(evidence)
        if not units:
            return Draft((), 0.0)
        likely = self._models.chances(evidence, units)
        shown = FORMS[evidence.asked.form](evidence, units, likely, self._collection)
        if not shown.pieces or not shown.chosen:
            return Draft((), 0.0)
        foreign = _foreign(evidence.asked.question)
        seen = Signals(evidence, shown.chosen, likely)
        signals = seen.numbers
        sure = self._models.confidence(signals) if shown.sure is None else shown.sure
        sure *= shown.share
        top = shown.chosen[0]
        if _contradicts(evidence, shown.form, top, seen.in_context(top)):
            sure *= CONTRADICTED
        return Draft(
            shown.pieces,
            sure,
            signals,
            form=shown.form,
            also=() if sure >= SURE and shown.form != "conflict" else shown.also,
            bears=sure >= self._models.closest or (bool(foreign) and shown.chosen[0].words >= SAID),
            documents=shown.documents,
            notes=(*shown.notes, *foreign),
            passages=shown.passages or evidence.passages,
        )


def _taken_apart(question: str, form: Form | None) -> Asked:
    taken = asked(question)
    return taken if form is None else replace(taken, form=form)


def _contradicts(evidence: Evidence, form: Form, top: Seen, in_context: str) -> bool:
    """Tell whether the best unit tells of something else than the question: a unit, a year, a part, an amount."""
    question = evidence.asked.question
    if about_another(evidence, top):
        return True
    if form not in SHORT_FORMS:
        return False
    in_row = top.unit.kind in ("row", "field")
    return contradicts(question, in_context) or (
        form != "yes-no" and is_another_amount(question, evidence.text(top.unit), in_row)
    )


def _foreign(question: str) -> tuple[str, ...]:
    """Return what to say of a question in a language that reader and encoder know less well."""
    language = language_of(question)
    if language in ("", "en"):
        return ()
    return (f"The question seems to be in another language ({language}); encoder and reader know English best.",)
