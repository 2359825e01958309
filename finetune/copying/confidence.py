"""Fits how sure a copying generator is, on held-out questions, for passages that are given and for those retrieved.

An answer counts as right when its F1 with a gold answer is at least `RIGHT`: training sets have one gold answer a
question, so that an exact match would call "75,000 pounds" for "75,000" as wrong as "1912". At one half, 75 % of the
best answers to held-out questions of SQuAD are right; at 0.8, 64 %, fewer than match one of three answers exactly.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finetune.copying.edits import Alike
from finetune.copying.mixing import one_of
from finetune.copying.negatives import Near, read_passages
from finetune.copying.unanswerable import unanswerable
from finetune.questions import Question
from indexer.collection import Collection
from indexer.errors import UsageError
from indexer.types import Progress, silent
from rag.copying import confidence
from rag.copying.generator import CopyingGenerator
from rag.engine import said
from rag.evaluation import metrics
from rag.generator import Draft
from rag.reranking.reranker import Reranker
from rag.types import Passage, given_passage

RIGHT = 0.5
FOLDS = 5
_TOGETHER = 64


@dataclass(frozen=True, slots=True)
class Case:
    """A question, what is read for it, and what would be right; without answers nothing is."""

    question: str
    passages: Sequence[Passage]
    answers: tuple[str, ...]


def given_cases(
    questions: Sequence[Question], near: Near, chance: random.Random, alike: Alike = lambda word: ()
) -> Iterator[Case]:
    """Yield each question with its own passage, and once more without an answer: edited, or with another passage.

    `alike` gives the words that a question is edited with, the same as in training.
    """
    for question in questions:
        own = given(question.title if chance.random() < 0.5 else "", question.passage)
        yield Case(question.text, [own], question.answers)
        edits = unanswerable(question.text, question.passage, question.answers, chance, alike)
        others = near.get(question.id, ())
        if edits and (not others or chance.random() < 0.75):
            yield Case(one_of(edits, chance).question, [own], ())
        elif others:
            title, text = chance.choice(others)
            yield Case(question.text, [given(title if own.context else "", text)], ())


def retrieved_cases(
    collection: Collection,
    questions: Sequence[Question],
    reranker: Reranker | None = None,
    missing: float = 1 / 3,
) -> Iterator[Case]:
    """Yield each question with what is retrieved for it; from a share `missing` whatever holds the answer is taken."""
    every = round(1 / missing)
    for number, question in enumerate(questions):
        away = number % every == every - 1
        found = read_passages(collection, question, without_answer=away, reranker=reranker)
        if found:
            yield Case(question.text, found, () if away else question.answers)


def given(title: str, text: str) -> Passage:
    """Return a passage that comes from no collection."""
    return given_passage(text, title)


def fit(generator: CopyingGenerator, cases: Sequence[Case], progress: Progress = silent) -> dict[str, Any]:
    """Return a confidence model (see `rag.copying.confidence`) fitted on `cases`.

    Its curve and its threshold come from predictions on folds that the weights were not fitted on.
    """
    rows, right = [], []
    for first in range(0, len(cases), _TOGETHER):
        part = cases[first : first + _TOGETHER]
        drafts = generator.decode_many([case.question for case in part], [case.passages for case in part])
        for case, decoded in zip(part, drafts, strict=True):
            if decoded.actions:
                rows.append(confidence.features(case.question, decoded, case.passages))
                text = said(Draft(generator.pieces(decoded), 0.0), case.passages)
                right.append(bool(case.answers) and metrics.f1(text, case.answers) >= RIGHT)
        progress("fitting the confidence", first + len(part), len(cases))
    return fitted(rows, right)


def fitted(rows: Sequence[Mapping[str, float]], right: Sequence[bool], penalty: float = 1.0) -> dict[str, Any]:
    """Return weights, curve and threshold of a logistic regression with L2 penalty on standardised features.

    Raises UsageError for fewer rows than folds.
    """
    if len(rows) < FOLDS:
        raise UsageError(
            f"Only {len(rows)} held-out questions could be answered at all; a confidence needs at least {FOLDS}.",
            "Give more questions, or a larger --held-out.",
        )
    names = sorted(rows[0])
    x = np.array([[row[name] for name in names] for row in rows])  # (n, features)
    y = np.array(right, dtype=bool)
    fold = np.arange(len(y)) % FOLDS
    sure = np.empty(len(y))
    for number in range(FOLDS):
        bias, weights = logistic_regression(x[fold != number], y[fold != number], penalty)
        sure[fold == number] = 1 / (1 + np.exp(-(bias + x[fold == number] @ weights)))
    bias, weights = logistic_regression(x, y, penalty)
    curve = metrics.risk_coverage(sure.tolist(), y.tolist())
    return {
        "bias": round(bias, 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(names, weights, strict=True)},
        "threshold": round(_threshold(curve, len(y)), 6),
        "risk_coverage": _thinned(curve),
        "fitted_on": {"questions": len(y), "right": int(y.sum()), "brier": round(float(((sure - y) ** 2).mean()), 4)},
    }


def logistic_regression(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.bool_], penalty: float = 1.0
) -> tuple[float, npt.NDArray[np.float64]]:
    """Return bias and weights, for `x` (n, features) as it is, of a logistic regression with L2 penalty.

    The penalty is on standardised features.
    """
    from scipy.optimize import minimize

    middle, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = np.column_stack([np.ones(len(x)), (x - middle) / scale])
    sign = np.where(y, 1.0, -1.0)

    def loss(w: Any) -> tuple[float, Any]:
        margin = sign * (z @ w)
        slope = -sign / (1 + np.exp(np.clip(margin, -500, 500)))
        penalised = np.concatenate([[0.0], w[1:]])
        cost = float(np.logaddexp(0, -margin).sum() + penalty * penalised @ penalised / 2)
        return cost, z.T @ slope + penalty * penalised

    found = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B").x
    weights = found[1:] / scale
    return float(found[0] - weights @ middle), weights


def _threshold(curve: Sequence[metrics.Operating], questions: int) -> float:
    """Return from which confidence on to answer, where a wrong answer costs what a right one gains.

    Of all thresholds whose gain is within one standard error of the largest, the most careful one (Breiman et al. 1984,
    section 3.4.3). The largest itself hangs on chance: the curve is flat there. Where answering would only lose, 1.0.
    """
    gains = [point.coverage * (1 - 2 * point.risk) for point in curve]  # of a question: +1, -1, or 0 when refused
    most = max(gains)
    if most <= 0:
        return 1.0
    error = math.sqrt((curve[gains.index(most)].coverage - most**2) / questions)
    enough = max(most - error, min(gain for gain in gains if gain > 0))
    return next(point.threshold for point, gain in zip(curve, gains, strict=True) if gain >= enough)


def _thinned(curve: Sequence[metrics.Operating], rows: int = 100) -> list[dict[str, float]]:
    """Return about `rows` points of a risk-coverage curve, from the surest on; the first ones stand for too few."""
    chosen, covered = [], 0.0
    for point in curve:
        if point.coverage >= covered + 1 / rows or point is curve[-1]:
            covered = point.coverage
            chosen.append(
                {
                    "coverage": round(point.coverage, 4),
                    "threshold": round(point.threshold, 6),
                    "error": round(point.risk, 4),
                }
            )
    return chosen
