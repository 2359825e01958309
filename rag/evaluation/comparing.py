"""Did a change make it better? Two runs over the same questions, compared question by question.

What is measured is what `scores` and `retrieval` measure, under the same names; how a difference is told from chance is
`pairs`. Runs that did not answer the same questions are not compared at all.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from indexer.errors import UsageError
from indexer.types import Progress, silent
from rag.evaluation import metrics
from rag.evaluation.measures import ANSWER_MEASURES, counted, mean
from rag.evaluation.pairs import Columns, Effect, Statistic, exchange_test, holm, paired_bootstrap, sign_flip_test
from rag.evaluation.rows import RetrievalRow, Row
from rag.evaluation.runs import RunFolder

Verdict = Literal["worse", "better", "no difference shown"]

ALPHA = 0.05
"""How often, at most, a difference may be called one where there is none."""
FIRST = 10
"""A query is found, as flips count it, when something relevant is among so many."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of both runs: what it was, what it became, and whether that is more than chance."""

    measure: str
    n: int
    """The questions that it is measured over."""
    effect: Effect
    p: float
    """Two-sided; nan where the measure is not defined."""
    direction: int
    """1 where larger is better, -1 where smaller is, 0 where neither is, as of the share that is answered."""

    def verdict(self, alpha: float = ALPHA) -> Verdict:
        """Return which way it went, if that is shown at this level."""
        moved = self.direction * self.effect.difference.value
        if not self.p < alpha or not moved:
            return "no difference shown"
        return "better" if moved > 0 else "worse"

    def to_json(self, alpha: float = ALPHA) -> dict[str, Any]:
        """Return the form that `eval diff --json` prints."""
        return {
            "n": self.n,
            "before": self.effect.before.to_json(),
            "after": self.effect.after.to_json(),
            "effect": self.effect.difference.to_json(),
            "p": None if math.isnan(self.p) else round(self.p, 6),
            "verdict": self.verdict(alpha),
        }


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that was right and is wrong, or the other way round."""

    id: str
    question: str
    answers: tuple[str, ...]
    """The gold answers; of a query the relevant documents."""
    before: str
    """The answer that counts, "" for a refusal; of a query where the first relevant document stood."""
    after: str

    def to_json(self) -> dict[str, Any]:
        """Return the form that `eval diff --json` prints."""
        return {
            "id": self.id,
            "question": self.question,
            "answers": list(self.answers),
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs over the same questions."""

    n: int
    differences: tuple[Difference, ...]
    deciding: tuple[str, ...]
    """The measures that the verdict hangs on, chosen before looking."""
    gained: tuple[Flip, ...]
    """Wrong before and right now, in the order of the questions."""
    lost: tuple[Flip, ...]
    both_right: int
    alpha: float = ALPHA

    @property
    def both_wrong(self) -> int:
        """How many questions were wrong before, and still are."""
        return self.n - self.both_right - len(self.gained) - len(self.lost)

    @property
    def verdict(self) -> Verdict:
        """Worse when a deciding measure is; else better when one is.

        With several deciding measures their p are corrected for being several, by `pairs.holm`.
        """
        named = {difference.measure: difference for difference in self.differences}
        chosen = [named[measure] for measure in self.deciding if measure in named]
        found = {
            Difference(each.measure, each.n, each.effect, p, each.direction).verdict(self.alpha)
            for each, p in zip(chosen, holm([each.p for each in chosen]), strict=True)
        }
        order: tuple[Verdict, ...] = ("worse", "better")
        return next((verdict for verdict in order if verdict in found), "no difference shown")

    def to_json(self, examples: int | None = None) -> dict[str, Any]:
        """Return the form that `eval diff --json` prints, with so many flips of each sort; None: all."""
        return {
            "n": self.n,
            "verdict": self.verdict,
            "deciding": list(self.deciding),
            "alpha": self.alpha,
            "scores": {difference.measure: difference.to_json(self.alpha) for difference in self.differences},
            "flips": {
                "gained": len(self.gained),
                "lost": len(self.lost),
                "both_right": self.both_right,
                "both_wrong": self.both_wrong,
            },
            "gained": [flip.to_json() for flip in self.gained[:examples]],
            "lost": [flip.to_json() for flip in self.lost[:examples]],
        }


def compare_runs(
    before: RunFolder,
    after: RunFolder,
    *,
    deciding: Sequence[str] = (),
    alpha: float = ALPHA,
    arms: tuple[str, str] = ("hybrid", "hybrid"),
    progress: Progress = silent,
) -> Comparison:
    """Compare two runs; `arms` says which arm of either is meant, where they are runs of a search.

    Raises UsageError when the one is a run of answers and the other of a search, and as `compare_answers` and
    `compare_rankings` do.
    """
    kinds = [run.command for run in (before, after)]
    if kinds[0] != kinds[1]:
        raise UsageError(
            f"{before.path} is a run of eval {kinds[0]} and {after.path} one of eval {kinds[1]}.",
            "Compare two runs of the same command.",
        )
    if kinds[0] != "retrieval":
        return compare_answers(before.rows(), after.rows(), deciding=deciding, alpha=alpha, progress=progress)
    one, other = (
        [row for row in run.rankings() if row.arm == arm] for run, arm in zip((before, after), arms, strict=True)
    )
    return compare_rankings(one, other, deciding=deciding, alpha=alpha)


# Answers


def compare_answers(
    before: Sequence[Row],
    after: Sequence[Row],
    *,
    deciding: Sequence[str] = (),
    alpha: float = ALPHA,
    progress: Progress = silent,
) -> Comparison:
    """Compare the answers of two runs to the same questions, in whichever order they lie.

    The verdict hangs on the `deciding` measures, by default on F1. A flip is a question whose exact match changed: of
    the best answer where every question has one, else of the answer that is given. Raises UsageError when the questions
    or their gold answers are not the same, when there are none, and for a measure that there is not.
    """
    old, new = _paired(before, after, lambda row: (row.question, row.answers), "gold answers")
    told = counted(old)
    differences = []
    for done, (name, measure) in enumerate(ANSWER_MEASURES.items()):
        progress("comparing", done, len(ANSWER_MEASURES))
        differences += _difference(
            name, measure.statistic, measure.direction, measure.columns(old), measure.columns(new)
        )
    progress("comparing", len(ANSWER_MEASURES), len(ANSWER_MEASURES))
    right = [[metrics.exact_match(told(row), row.answers) == 1 for row in rows] for rows in (old, new)]
    flips = [
        Flip(one.id, one.question, one.answers, told(one), told(other)) for one, other in zip(old, new, strict=True)
    ]
    return _comparison(differences, flips, right[0], right[1], deciding or ("f1",), alpha)


# Rankings


def compare_rankings(
    before: Sequence[RetrievalRow],
    after: Sequence[RetrievalRow],
    *,
    deciding: Sequence[str] = (),
    alpha: float = ALPHA,
) -> Comparison:
    """Compare what two searches, one arm of each, found for the same queries.

    The verdict hangs by default on nDCG@10. A flip is a query for which something relevant is among the first ten in
    one of the two only. Raises UsageError when queries or judgements are not the same, when there are none, and for a
    measure that there is not.
    """
    from rag.evaluation.retrieval import query_scores  # which asks ir_measures

    keyed = [{row.query_id: row for row in rows} for rows in (before, after)]
    old, new = _paired(before, after, lambda row: (tuple(sorted(row.relevant.items())),), "judgements")
    scores = [query_scores(rows) for rows in (old, new)]
    differences = []
    for name in scores[0]:
        columns = [[np.array([found[name][row.query_id] for row in old])] for found in scores]
        differences += _difference(name, mean, 1, columns[0], columns[1])
    places = [[_first_relevant(keyed[side][row.query_id]) for row in old] for side in (0, 1)]
    flips = [
        Flip(
            row.query_id,
            row.question,
            tuple(sorted(doc for doc, grade in row.relevant.items() if grade > 0)),
            _told(one),
            _told(other),
        )
        for row, one, other in zip(old, *places, strict=True)
    ]
    right = [[place <= FIRST for place in found] for found in places]
    return _comparison(differences, flips, right[0], right[1], deciding or ("ndcg@10",), alpha)


def _first_relevant(row: RetrievalRow) -> float:
    """Return the rank of the first relevant document, from 1; inf where there is none."""
    ranks = (rank for rank, (document, _) in enumerate(row.ranking, 1) if row.relevant.get(document, 0) > 0)
    return next(ranks, math.inf)


def _told(rank: float) -> str:
    return f"rank {rank:.0f}" if rank < math.inf else "not found"


# Both


AnyRow = TypeVar("AnyRow", Row, RetrievalRow)


def _key(row: Row | RetrievalRow) -> str:
    return row.id if isinstance(row, Row) else row.query_id  # two arms of one search are a pair too


def _paired(
    before: Sequence[AnyRow], after: Sequence[AnyRow], data: Callable[[AnyRow], object], what: str
) -> tuple[list[AnyRow], list[AnyRow]]:
    """Return both runs in the order of the first. Raises UsageError when they are not about the same data."""
    old, new = ({_key(row): row for row in rows} for rows in (before, after))
    if len(old) < len(before) or len(new) < len(after):
        raise UsageError("A run has several rows for one question.", "Make it again in a new folder.")
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    changed = [key for key in old if key in new and data(old[key]) != data(new[key])]
    if gone or come or changed:
        found = [
            (gone, "only in the first"),
            (come, "only in the second"),
            (changed, f"with another text or other {what}"),
        ]
        parts = [f"{len(keys):,} {how} ({_some(keys)})" for keys, how in found if keys]
        raise UsageError(
            f"The runs are not about the same questions: {len(old):,} and {len(new):,}, of them {'; '.join(parts)}.",
            "Run both on the same data, with the same --limit, to the end.",
        )
    if not old:
        raise UsageError("There are no questions in these runs.", "Give two runs that have finished.")
    return list(old.values()), [new[key] for key in old]


def _some(keys: Sequence[str]) -> str:
    return ", ".join(map(repr, keys[:3])) + (", ..." if len(keys) > 3 else "")


def _difference(name: str, statistic: Statistic, direction: int, before: Columns, after: Columns) -> list[Difference]:
    """Return the difference in a measure; none where it is not defined on these questions."""
    if not len(before[0]) or math.isnan(statistic(*before)) or math.isnan(statistic(*after)):
        return []
    if statistic is mean:
        p = sign_flip_test((after[0] - before[0]).tolist())
    else:
        p = exchange_test(statistic, before, after)
    effect = paired_bootstrap(statistic, before, after)
    return [Difference(name, len(before[0]), effect, p, direction)]


def _comparison(
    differences: Sequence[Difference],
    flips: Sequence[Flip],
    before: Sequence[bool],
    after: Sequence[bool],
    deciding: Sequence[str],
    alpha: float,
) -> Comparison:
    names = [difference.measure for difference in differences]
    if missing := [measure for measure in deciding if measure not in names]:
        raise UsageError(f"There is no measure {missing[0]!r} in these runs.", f"There are: {', '.join(names)}.")
    return Comparison(
        n=len(flips),
        differences=tuple(differences),
        deciding=tuple(deciding),
        gained=tuple(itertools.compress(flips, (new and not old for old, new in zip(before, after, strict=True)))),
        lost=tuple(itertools.compress(flips, (old and not new for old, new in zip(before, after, strict=True)))),
        both_right=sum(old and new for old, new in zip(before, after, strict=True)),
        alpha=alpha,
    )
