"""Fits what tells whether a sentence says yes or no to a question, on questions and claims that people judged.

    python -m finetune.polarity DATA_FOLDER --out rag/polarity.json

A multinomial logistic regression over the signs of `rag.polarity_signs`. Of a passage, the sentence that shares most
words with its question is read. A question beside the likest sentence of another passage teaches what says neither.
What is held out is chosen by passage.
"""

from __future__ import annotations

import gzip
import json
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from finetune.splitting import place
from indexer import storage
from indexer.errors import UsageError
from indexer.sentences import sentences
from rag.copying.folder import file_hash
from rag.polarity import CLASSES, chances
from rag.polarity_signs import Signs, denies, signs_of
from rag.question import stems

log = logging.getLogger(__name__)

YES, NO, NEITHER = range(3)


@dataclass(frozen=True, slots=True)
class PolarityOptions:
    """How the polarity is fitted."""

    held_out: float = 0.2
    """Share of the passages that are not learnt from."""
    least_share: float = 0.3
    """Share of a question's words below which the sentence nearest to it teaches neither yes nor no."""
    strangers: float = 0.6
    """Weight of a question beside a sentence of another passage, of that of its set."""
    l2: float = 3.0
    """Strength of the L2 penalty on standardised signs."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question or claim, a text that holds what there is to read, and what that says."""

    group: str
    """What rows share of which all or none are held out."""
    question: str
    evidence: str
    around: str
    label: int
    """YES, NO or NEITHER."""
    stranger: bool = False
    """Whether the evidence belongs to another question."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A file of questions or claims with their evidence."""

    file: str
    """Below the data folder."""
    licence: str
    weight: float
    """Of each of its rows in the fit."""
    read: Callable[[Mapping[str, Any]], Iterator[Judged]]
    """Takes a row apart."""
    kind: str = "questions"


def _question(row: Mapping[str, Any]) -> Iterator[Judged]:
    if row["kind"] != "yesno":
        return
    question = str(row.get("asked") or row["question"]).rstrip(" ?") + "?"
    passage = row.get("context") or " ".join(each["text"] for each in row["passages"])
    evidence, before = nearest(question, passage)
    label = {"yes": YES, "no": NO, "": NEITHER}["".join(row["answers"])]
    group = str(row.get("group") or row["title"] or passage)
    yield Judged(group, question, evidence, f"{row['title']}\n{before}", label)


def _claim(row: Mapping[str, Any]) -> Iterator[Judged]:
    claim = row.get("claim") or row["hypothesis"]
    evidence, before = nearest(claim, row.get("premise") or " ".join(row["evidence"]))
    label = _CLAIMED[row["label"]]
    group = str(row.get("group") or row.get("title") or row.get("premise") or evidence)
    yield Judged(group, claim, evidence, f"{row.get('title', '')}\n{before}", label)


_CLAIMED = {"supported": YES, "refuted": NO, "entailment": YES, "contradiction": NO, "neutral": NEITHER}


def _answered(row: Mapping[str, Any]) -> Iterator[Judged]:
    """Yield a frequent question whose answer begins with Yes or No: without that word, and every fourth with it too."""
    match = ANSWER_WORD.match(row["answer"])
    if not match or not ASKS_WHETHER.match(row["question"]):
        return
    judged = Judged(row["entity"], row["question"], match[2], row["entity"], YES if match[1].lower() == "yes" else NO)
    yield judged
    if place(row["id"]) < 0.25:
        yield replace(judged, evidence=row["answer"])


ANSWER_WORD = re.compile(r"\s*(yes|no)\s*[,.!:;-]\s*(\w.{8,})", re.IGNORECASE | re.DOTALL)
ASKS_WHETHER = re.compile(
    r"\W*(?:is|are|do|does|can|could|may|will|would|should|must|has|have|am|did|was|were)\b", re.IGNORECASE
)

SETS = (
    JudgedSet("questions/dstc9_faq.jsonl.gz", "Apache-2.0", 1.0, _answered, "frequent questions"),
    JudgedSet("yesno/boolq.jsonl.gz", "CC BY-SA 3.0", 0.5, _question),
    JudgedSet("yesno/condaqa.jsonl.gz", "Apache-2.0", 0.2, _question),
    JudgedSet("support/fever_symmetric.jsonl.gz", "CC BY-SA 3.0", 1.0, _claim, "claims"),
    JudgedSet("support/cad_nli.jsonl.gz", "Apache-2.0, of SNLI CC BY-SA 4.0", 0.1, _claim, "claims"),
)
"""What is learnt from. Left out, since words tell nothing there: rules applied to a case that only the question tells,
answers that need several facts, claims written to mislead by a single word. See docs/experiments.md."""


def read_judged(folder: Path, judged: JudgedSet) -> list[Judged]:
    """Return the rows of one set that can be learnt from. Raises UsageError where the file is missing."""
    path = folder / judged.file
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", "Give the folder that holds yesno/, support/ and questions/.")
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    return [row for line in lines for row in judged.read(json.loads(line))]


def nearest(question: str, passage: str) -> tuple[str, str]:
    """Return the sentence of `passage` that shares most words with `question` and the one before it, or ""."""
    found = [passage[start:end] for start, end in sentences(passage)] or [passage]
    asked = stems(question)
    best = max(range(len(found)), key=lambda i: (len(asked & stems(found[i])), -i))
    return found[best], found[best - 1] if best else ""


def strangers(rows: Sequence[Judged], *, of_own_group: bool) -> Iterator[Judged]:
    """Yield each question beside the likest evidence that is not its own.

    `of_own_group`: of the same group, where other questions are asked; otherwise of another group.
    """
    texts = list({row.evidence: row for row in rows}.values())
    holding: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(texts):
        for each in (*stems(row.evidence), f"\0{row.group}"):
            holding[each].append(number)
    for row in rows:
        votes: Counter[int] = Counter()
        own = set(holding[f"\0{row.group}"])
        for each in sorted(stems(row.question)):
            if len(holding[each]) < 400 or of_own_group:
                votes.update(number for number in holding[each] if (number in own) == of_own_group)
        fit = [number for number in votes if texts[number].question != row.question]
        if fit:
            other = texts[min(fit, key=lambda number: (-votes[number], number))]
            if not of_own_group or len(stems(other.question) & stems(row.question)) <= 1:
                yield Judged(row.group, row.question, other.evidence, other.around, NEITHER, stranger=True)


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a fit, side by side."""

    judged: Sequence[Judged]
    sets: Sequence[JudgedSet]
    signs: Sequence[Signs]
    labels: Any
    """int, shape (n,): of the question without its denial."""
    held_out: Any
    """bool, shape (n,)."""


def read_rows(folder: Path, options: PolarityOptions, sets: Sequence[JudgedSet] = SETS) -> Rows:
    """Return the rows of all sets, without those whose evidence shares too few words with its question."""
    judged: list[Judged] = []
    belongs: list[JudgedSet] = []
    for each in sets:
        own = read_judged(folder, each)
        if each.kind != "claims":
            own += list(strangers(own, of_own_group=each.read is _answered))
        judged += own
        belongs += [each] * len(own)
        log.info("%s: %d rows", each.file, len(own))
    signs = [signs_of(row.question, row.evidence, row.around) for row in judged]
    keep = [
        number
        for number, (row, sign) in enumerate(zip(judged, signs, strict=True))
        if row.label == NEITHER or sign.weakness.get("share", 0.0) >= options.least_share
    ]
    return Rows(
        [judged[i] for i in keep],
        [belongs[i] for i in keep],
        [signs[i] for i in keep],
        np.array([_undenied(judged[i]) for i in keep]),
        np.array([place(judged[i].group) < options.held_out for i in keep]),
    )


def _undenied(row: Judged) -> int:
    return {YES: NO, NO: YES, NEITHER: NEITHER}[row.label] if denies(row.question) else row.label


def _weights(rows: Rows, options: PolarityOptions) -> Any:
    """Return the weight of each row, (n,): yes and no weigh alike in every set, however frequent they are in it."""
    counts = Counter((each.file, int(label)) for each, label in zip(rows.sets, rows.labels, strict=True))
    weights = []
    for row, own, label in zip(rows.judged, rows.sets, rows.labels, strict=True):
        either = counts[own.file, YES] + counts[own.file, NO]
        share = 1.0 if label == NEITHER else either / 2 / counts[own.file, int(label)]
        weights.append(own.weight * share * (options.strangers if row.stranger else 1.0))
    return np.array(weights)


_EITHER_WAY = frozenset(["claim", "claim, share", "turned twice"])
"""Directions of which it is not known beforehand whether they speak for yes or no."""


def fitted(rows: Rows, options: PolarityOptions) -> dict[str, Any]:
    """Return the weights, fitted on the rows that are not held out.

    A direction has one weight, for yes and against no, and that is not negative: a sign that speaks for yes
    may be worthless, but must not speak for no by what happens to be frequent in one set.
    """
    from scipy.optimize import minimize

    learnt = [int(i) for i in np.flatnonzero(~rows.held_out)]
    names = sorted({name for sign in rows.signs for name in sign.direction})
    others = sorted({name for sign in rows.signs for name in sign.weakness})
    d = np.array([[rows.signs[i].direction.get(name, 0.0) for name in names] for i in learnt])  # (n, directions)
    v = np.array([[rows.signs[i].weakness.get(name, 0.0) for name in others] for i in learnt])  # (n, weaknesses)
    weights, hot = _weights(rows, options)[learnt], np.eye(3)[rows.labels[learnt]]
    reach, middle, scale = np.maximum(d.std(axis=0), 0.05), v.mean(axis=0), np.maximum(v.std(axis=0), 0.05)
    d, z = d / reach, np.column_stack([np.ones(len(v)), (v - middle) / scale])

    def loss(w: Any) -> tuple[float, Any]:
        towards, away = d @ w[: len(names)], z @ w[len(names) :]
        scores = np.stack([towards, -towards, away], axis=1)  # (n, 3)
        logs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        error = (np.exp(logs) - hot) * weights[:, None]
        penalised = w.copy()
        penalised[len(names)] = 0  # the bias
        slope = np.concatenate([d.T @ (error[:, YES] - error[:, NO]), z.T @ error[:, NEITHER]]) + options.l2 * penalised
        return float(-(logs * hot).sum(axis=1) @ weights + options.l2 * (penalised @ penalised) / 2), slope

    bounds = [(None if name in _EITHER_WAY else 0.0, None) for name in names] + [(None, None)] * z.shape[1]
    found = minimize(
        loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1000}
    ).x
    direction, weakness = found[: len(names)] / reach, found[len(names) + 1 :] / scale
    return {
        "bias": round(float(found[len(names)] - weakness @ middle), 4),
        "direction": _named(names, direction),
        "weakness": _named(others, weakness),
    }


def _named(names: Sequence[str], values: Any) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True) if abs(value) >= 5e-5}


POINTS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Least probabilities of a "yes" or "no" at which precision and coverage are measured."""


def held_out_scores(rows: Rows, model: Mapping[str, Any], sets: Collection[JudgedSet]) -> dict[str, Any]:
    """Return how the model does on the held-out rows of some sets, beside always saying what is more frequent.

    Accuracy and coverage are of rows that are yes or no, and whose evidence does not begin with that word. `strangers`
    is the share of sentences that belong to other questions and are taken for a yes or a no.
    """
    held = [int(i) for i in np.flatnonzero(rows.held_out)]
    own = [i for i in held if rows.sets[i] in sets and "says it" not in rows.signs[i].weakness]
    chance = np.array([chances(model, rows.signs[i]) for i in own])  # (rows, classes)
    labels, stranger = rows.labels[own], np.array([rows.judged[i].stranger for i in own])
    decided = labels != NEITHER
    sure = chance[:, :NEITHER].max(axis=1)
    right = chance[:, :NEITHER].argmax(axis=1) == labels
    curve = []
    for least in POINTS:
        said = decided & (sure >= least)
        curve.append(
            {
                "least": least,
                "coverage": _mean(sure[decided] >= least),
                "precision": _mean(right[said]),
                **({"strangers": _mean(sure[stranger] >= least)} if stranger.any() else {}),
            }
        )
    return {
        "rows": int(decided.sum()),
        "majority": _mean(labels[decided] == np.bincount(labels[decided], minlength=2).argmax()),
        "accuracy": _mean(right[decided]),
        "curve": curve,
    }


def _mean(values: Any) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None


def fit(folder: Path, options: PolarityOptions = PolarityOptions(), sets: Sequence[JudgedSet] = SETS) -> dict[str, Any]:
    """Return what `rag/polarity.json` holds, fitted on the sets in `folder`."""
    rows = read_rows(folder, options, sets)
    model = fitted(rows, options)
    for each in sets:
        log.info("%s held out: %s", each.file, held_out_scores(rows, model, [each]))
    counts = Counter((each.file, int(label)) for each, label in zip(rows.sets, rows.labels, strict=True))
    return model | {
        "card": {
            "sets": [
                {
                    "file": each.file,
                    "licence": each.licence,
                    "sha256": file_hash(folder / each.file),
                    "weight": each.weight,
                    "rows": {name: counts[each.file, label] for label, name in enumerate(CLASSES)},
                }
                for each in sets
            ],
            "options": asdict(options),
            "held_out": {
                kind: held_out_scores(rows, model, [each for each in sets if each.kind == kind])
                for kind in dict.fromkeys(each.kind for each in sets)
            },
        }
    }


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def main(folder: Path, out: Path) -> None:
    """Fit on the sets in FOLDER and write the weights to --out."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    storage.write_file(out, (json.dumps(fit(folder), indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
