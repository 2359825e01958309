"""Where a run fails, and so what to mend next: each question by the stage at which it went wrong.

Knows rows, and nothing of how they came about. The stages follow the way of a question: found, read, cut out, given.
Telling retrieval's failures from the reader's needs the gold evidence, as in Barnett et al. 2024, "Seven failure points
when engineering a retrieval augmented generation system", https://arxiv.org/abs/2401.05856.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from indexer.errors import UsageError
from rag.evaluation import metrics
from rag.evaluation.intervals import Score, share
from rag.evaluation.places import overlaps_gold, retrieved
from rag.evaluation.rows import Row
from rag.question import answer_type

HALF = 0.5
"""The F1 from which on an answer that is not exact is a near miss."""

Stage = Literal["right", "near miss", "cut", "not read", "not retrieved", "wrongly refused", "wrongly answered"]

MEND: Mapping[Stage, str] = {
    "right": "",
    "near miss": "The words around the answer differ from the gold ones: look at examples before changing anything.",
    "cut": "The reader finds the place and not its borders: train on more spans, or on longer or shorter ones.",
    "not read": "The passage was there: train the reader on such questions, or give it fewer passages.",
    "not retrieved": "No passage held the answer: read more of them, cut them otherwise, or change the encoder.",
    "wrongly refused": "A good answer was held back: fit the confidence again, or allow more errors.",
    "wrongly answered": "There was nothing to say: train on unanswerable questions, or allow fewer errors.",
}
"""What to try, by stage. Its order is that of the tables."""

STAGES: tuple[Stage, ...] = tuple(MEND)


def stage_of(row: Row) -> Stage:
    """Return where a question went wrong, or "right".

    A question without an answer is right when it is refused, else *wrongly answered*. One with an answer is *right*
    when the exact answer is given, a *near miss* when one of F1 >= 0.5 is given, *wrongly refused* when either was
    held back. Of the others, which are worse, *not retrieved* are those for which no passage held the evidence
    (`places.retrieved`), *cut* those with F1 > 0 that overlap a place of the gold answer, and *not read* the rest:
    those may have been refused, and rightly so, but the reader is what to mend.
    """
    if not row.answers:
        return "wrongly answered" if row.answered else "right"
    overlap = metrics.f1(row.said, row.answers)
    if overlap >= HALF:
        if not row.answered:
            return "wrongly refused"
        return "right" if metrics.exact_match(row.said, row.answers) else "near miss"
    if not retrieved(row):
        return "not retrieved"
    return "cut" if overlap > 0 and overlaps_gold(row) else "not read"


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that went wrong, and where."""

    row: Row
    stage: Stage

    def to_json(self) -> dict[str, Any]:
        """Return what a person needs to look it up and to judge it."""
        row = self.row
        return {
            "id": row.id,
            "stage": self.stage,
            "question": row.question,
            "answers": list(row.answers),
            "said": row.said,
            "answered": row.answered,
            "confidence": round(row.confidence, 4),
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that are alike, and how many of them ended at which stage."""

    name: str
    n: int
    right: Score
    """The share that is right, with its interval (`rag.evaluation.intervals.share`)."""
    stages: Mapping[Stage, int]

    def to_json(self) -> dict[str, Any]:
        """Return the form that `eval errors --json` prints."""
        return {"n": self.n, "right": self.right.to_json(), "stages": dict(self.stages)}


@dataclass(frozen=True, slots=True)
class Failures:
    """Where a run fails: in all, by kinds of questions, and with examples."""

    overall: Group
    tables: Mapping[str, tuple[Group, ...]]
    """By what the questions are told apart, such as "question word"; the groups in the order to show."""
    examples: Mapping[Stage, tuple[Failure, ...]]
    """Those that were surest first: an error with high confidence is the worst."""

    @property
    def mend_next(self) -> tuple[Stage, ...]:
        """The stages at which questions fail, the most frequent first."""
        failing = [stage for stage in STAGES if stage != "right" and self.overall.stages[stage]]
        return tuple(sorted(failing, key=lambda stage: -self.overall.stages[stage]))

    def to_json(self) -> dict[str, Any]:
        """Return the form that `eval errors --json` prints."""
        return {
            **self.overall.to_json(),
            "mend_next": [{"stage": stage, "advice": MEND[stage]} for stage in self.mend_next],
            "by": {by: {group.name: group.to_json() for group in groups} for by, groups in self.tables.items()},
            "examples": {stage: [each.to_json() for each in found] for stage, found in self.examples.items()},
        }


def failures(rows: Sequence[Row], examples: int = 3) -> Failures:
    """Return where these questions went wrong, with so many examples of each stage.

    Raises UsageError when there are no rows.
    """
    if not rows:
        raise UsageError("There are no questions in this run.", "Give a run that has finished.")
    staged = [Failure(row, stage_of(row)) for row in rows]
    tables = {by: _table(staged, name_of, order) for by, (name_of, order) in GROUPINGS.items()}
    if any(row.kind for row in rows):
        tables["kind of question"] = _table(staged, lambda row: row.kind or "(none)", ())
    wrong = sorted((each for each in staged if each.stage != "right"), key=lambda each: worst_first(each.row))
    return Failures(
        overall=_group("all", staged),
        tables=tables,
        examples={stage: tuple(each for each in wrong if each.stage == stage)[:examples] for stage in STAGES[1:]},
    )


def worst_first(row: Row) -> tuple[float, str]:
    """Return what to sort errors by: the surest come first, ties by id."""
    return -row.confidence, row.id


def _table(staged: Sequence[Failure], name_of: Callable[[Row], str], order: Sequence[str]) -> tuple[Group, ...]:
    """Return the groups in the order given; names that are not in it follow, the largest first."""
    members: dict[str, list[Failure]] = defaultdict(list)
    for each in staged:
        members[name_of(each.row)].append(each)
    others = sorted(members.keys() - set(order), key=lambda name: (-len(members[name]), name))
    return tuple(_group(name, members[name]) for name in (*order, *others) if name in members)


def _group(name: str, staged: Sequence[Failure]) -> Group:
    counts = Counter(each.stage for each in staged)
    return Group(name, len(staged), share(counts["right"], len(staged)), {stage: counts[stage] for stage in STAGES})


# By what questions are told apart

_ASKING = re.compile(r"\b(how (?:many|much)|what|which|who(?:se|m)?|when|where|why|how)\b", re.IGNORECASE)
_SAME = {"how much": "how many", "whose": "who", "whom": "who"}
_LENGTHS = ((0, "no answer"), (1, "1 word"), (2, "2 words"), (4, "3 to 4 words"), (9, "5 to 9 words"))
_LONGEST = "10 words or more"


def question_word(question: str) -> str:
    """Return the first of who, what, which, when, where, why, how and how many that stands in it, else "other".

    "Whose" and "whom" count as who, "how much" as how many.
    """
    match = _ASKING.search(question)
    word = match.group().lower() if match else "other"
    return _SAME.get(word, word)


def answer_length(answers: Sequence[str]) -> str:
    """Return how many words the shortest gold answer has, articles apart, as the name of a group."""
    words = min((len(metrics.normalized(answer).split()) or 1 for answer in answers), default=0)
    return next((name for most, name in _LENGTHS if words <= most), _LONGEST)


GROUPINGS: Mapping[str, tuple[Callable[[Row], str], tuple[str, ...]]] = {
    "question word": (
        lambda row: question_word(row.question),
        ("who", "what", "which", "when", "where", "why", "how", "how many", "other"),
    ),
    "type of answer": (lambda row: answer_type(row.question), ("date", "number", "name", "any")),
    "answer length": (lambda row: answer_length(row.answers), (*(name for _, name in _LENGTHS), _LONGEST)),
}
"""By what: what names a question's group, and the order of the names."""
