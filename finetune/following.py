"""Fits the resolver of follow-up questions: whether a question depends on earlier ones, and which phrase it means.

    python -m finetune.following CANARD.jsonl.gz --alone QUESTIONS.tsv.gz --out rag/following.json

Two logistic regressions. CANARD (Elgohary et al. 2019) has questions of a dialogue, each with a rewrite that stands
alone; the rewrites of the earlier questions are the history, as `rag.following` has it. Dialogues are split by title:
four fifths teach, one fifth is measured. Questions that people typed alone teach what needs nothing.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from indexer import storage
from rag.following import MOST_TURNS, MOST_WORDS, candidates, dependence, depends, linear, meaning, standalone
from rag.phrases import Mention, Phrase, Reading, content_stems, read

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FollowingOptions:
    """How the resolver of follow-up questions is fitted."""

    held_out: float = 0.2
    """Share of the titles, and of the questions that stand alone, that are measured and do not teach."""
    penalty: float = 1.0
    """Weight of the L2 penalty."""
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of a dialogue, with the earlier ones."""

    title: str
    question: str
    rewrite: str
    raw: tuple[str, ...]
    """The earlier questions as they were asked, oldest first."""
    resolved: tuple[str, ...]
    """Their rewrites."""
    answers: tuple[str, ...]
    """Their answers: they label what an earlier question asked for, and are never read otherwise."""

    @property
    def missing(self) -> frozenset[str]:
        """The stems of the words that the rewrite adds."""
        return content_stems(self.rewrite) - content_stems(self.question)


def read_turns(file: Path) -> list[Turn]:
    """Return the turns of a CANARD file in JSON lines; the rows of a dialogue stand one after the other."""
    turns: list[Turn] = []
    resolved: list[str] = []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            history = row["history"]
            if not history:
                resolved = []
            turns.append(
                Turn(
                    row["title"],
                    row["question"],
                    row["rewrite"],
                    tuple(history[::2]),
                    tuple(resolved),
                    tuple(history[1::2]),
                )
            )
            resolved.append(row["rewrite"])
    return turns


def read_alone(file: Path) -> list[str]:
    """Return the questions in the first column of a tab-separated file, gzipped; "" lines are left out."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        return [row[0] for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if row and row[0].strip()]


def fit(data: Path, alone: Path, options: FollowingOptions = FollowingOptions()) -> dict[str, Any]:
    """Return the model that `rag/following.json` holds."""
    turns, standing = read_turns(data), read_alone(alone)
    chance = random.Random(options.seed)
    titles = sorted({turn.title for turn in turns})
    measured_titles = set(chance.sample(titles, round(options.held_out * len(titles))))
    measured_alone = set(chance.sample(range(len(standing)), round(options.held_out * len(standing))))
    teaching = [turn for turn in turns if turn.title not in measured_titles]
    measured = [turn for turn in turns if turn.title in measured_titles]
    alone_teaching = [each for i, each in enumerate(standing) if i not in measured_alone]
    alone_measured = [each for i, each in enumerate(standing) if i in measured_alone]
    model: dict[str, Any] = {"name": "following"}
    model["depends"] = _fit_dependence(teaching, alone_teaching, options)
    rows = list(_meaning_rows(teaching))
    model["meaning"] = _fitted_choice(rows, options.penalty)
    model["card"] = {
        "data": "CANARD dev (CC BY-SA 4.0); questions that stand alone: CLAPNQ train (Apache-2.0)",
        "measured": "titles held out of the same files, for development; not a score of CANARD",
        "sha256": {"data": _sha256(data), "alone": _sha256(alone)},
        "options": asdict(options),
        "teaching": {
            "titles": len(titles) - len(measured_titles),
            "questions": len(teaching),
            "phrases": len(rows),
            "alone": len(alone_teaching),
        },
        "held_out": _measured(measured, alone_measured, model, chance),
    }
    return model


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read_all(earlier: Sequence[str]) -> list[Reading]:
    return [read(each, MOST_WORDS) for each in earlier[-MOST_TURNS:]]


# Does it depend?

_AGAINST = frozenset(["named", "new"])


def _fit_dependence(turns: Sequence[Turn], alone: Sequence[str], options: FollowingOptions) -> dict[str, Any]:
    """Return bias and weights of a logistic regression with L2 penalty.

    A rewrite and a question typed alone need nothing; a question whose rewrite adds words does. No sign that a question
    depends has a negative weight: it would be one of the dialogues' habits.
    """
    rows = [(turn.question, turn.resolved, True) for turn in turns if turn.missing]
    rows += [(turn.rewrite, turn.resolved, False) for turn in turns] + [(question, (), False) for question in alone]
    features = [dependence(read(question, MOST_WORDS), _read_all(earlier)) for question, earlier, _ in rows]
    names = sorted(features[0])
    x = np.array([[1.0, *(row[name] for name in names)] for row in features])  # (n, 1 + features)
    y = np.where([needs for _, _, needs in rows], 1.0, -1.0)

    def loss(w: Any) -> tuple[float, Any]:
        margin = y * (x @ w)
        slope = -y / (1 + np.exp(np.clip(margin, -500, 500)))
        penalised = np.concatenate([[0.0], w[1:]])
        value = np.logaddexp(0, -margin).sum() + options.penalty * (penalised @ penalised) / 2
        return float(value), x.T @ slope + options.penalty * penalised

    bounds = [(None, None)] + [(None, 0.0) if name in _AGAINST else (0.0, None) for name in names]
    found = _minimum(loss, len(names) + 1, bounds)
    weights = {name: round(float(weight), 4) for name, weight in zip(names, found[1:], strict=True)}
    return {"bias": round(float(found[0]), 4), "weights": weights}


# Which phrase?


@dataclass(frozen=True, slots=True)
class Choice:
    """The phrases that a mention may mean, by their features, and which of them are right."""

    features: tuple[dict[str, float], ...]
    right: tuple[bool, ...]


def _meaning_rows(turns: Sequence[Turn]) -> Iterator[Choice]:
    """Yield each mention, or each question that has none, whose missing words some phrase holds."""
    for turn in turns:
        missing, before = turn.missing, _read_all(turn.resolved or (turn.title,))
        if not missing:
            continue
        question = read(turn.question, MOST_WORDS)
        mentions: Sequence[Mention | None] = question.mentions or (None,)
        phrases = candidates(before)
        likeness = [_likeness(phrase, ago, missing, turn) for ago, phrase in phrases]
        best = max(likeness, default=0.0)
        if best >= 0.5:
            yield Choice(
                tuple(meaning(question, mentions[0], ago, phrase, before) for ago, phrase in phrases),
                tuple(value == best for value in likeness),
            )


def _likeness(phrase: Phrase, ago: int, missing: frozenset[str], turn: Turn) -> float:
    """Return F1 of a phrase's stems against the missing ones; for what was asked, that of its answer."""
    answer = len(turn.answers) - 1 - ago
    if "asked" in phrase.marks and 0 <= answer < len(turn.answers):
        return _f1(content_stems(turn.answers[answer]), missing)
    return _f1(content_stems(phrase.text), missing)


def _f1(found: frozenset[str], right: frozenset[str]) -> float:
    return 2 * len(found & right) / max(1, len(found) + len(right))


def _fitted_choice(rows: Sequence[Choice], penalty: float) -> dict[str, Any]:
    """Return the weights of a softmax over the phrases of each row (a conditional logit; McFadden 1974)."""
    names = sorted({name for row in rows for features in row.features for name in features})
    x = np.array([[features.get(name, 0.0) for name in names] for row in rows for features in row.features])
    right = np.array([each for row in rows for each in row.right])
    starts = np.cumsum([0, *(len(row.features) for row in rows)])[:-1]
    sizes = [len(row.features) for row in rows]

    def loss(w: Any) -> tuple[float, Any]:
        scores = x @ w
        scores = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
        of_all = scores / np.repeat(np.add.reduceat(scores, starts), sizes)
        good = scores * right
        of_right = good / np.repeat(np.add.reduceat(good, starts), sizes)
        likely = np.add.reduceat(of_all * right, starts)
        value = -np.log(likely + 1e-300).sum() + penalty * (w @ w) / 2
        return float(value), x.T @ (of_all - of_right) + penalty * w

    found = _minimum(loss, len(names), [(None, None)] * len(names))
    return {"weights": {name: round(float(weight), 4) for name, weight in zip(names, found, strict=True)}}


def _minimum(
    loss: Callable[[Any], tuple[float, Any]], size: int, bounds: Sequence[tuple[float | None, float | None]]
) -> Any:
    from scipy.optimize import minimize

    return minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B", bounds=bounds).x


# What was held out


def _measured(
    turns: Sequence[Turn], alone: Sequence[str], model: dict[str, Any], chance: random.Random
) -> dict[str, Any]:
    """Return how often dependence and phrases are right, and what part of the missing words is added."""
    rows = list(_meaning_rows(turns))
    chosen = [_best(row, model) for row in rows]
    later = [turn for turn in turns if turn.resolved]
    needing = [turn for turn in later if turn.missing]
    strangers = [chance.choice(turns).rewrite for _ in alone]
    changed = [standalone(each, [other], model) != each for each, other in zip(alone, strangers, strict=True)]
    rewrites = [standalone(turn.rewrite, turn.resolved, model) != turn.rewrite for turn in later]
    return {
        "titles": len({turn.title for turn in turns}),
        "questions": len(later),
        "needing": len(needing),
        "seen": _share([depends(read(turn.question, MOST_WORDS), _read_all(turn.resolved), model) for turn in needing]),
        "rewrites_changed": _share(rewrites),
        "alone": len(alone),
        "alone_changed": _share(changed),
        "phrase_right": _share([row.right[best] for row, best in zip(rows, chosen, strict=True)]),
        "phrase_right_by_chance": round(float(np.mean([sum(row.right) / len(row.right) for row in rows])), 3),
        "phrases": len(rows),
        "missing_words": {
            "after rewrites": _added(needing, lambda turn: standalone(turn.question, turn.resolved, model)),
            "after title and questions": _added(
                needing, lambda turn: standalone(turn.question, (turn.title, *turn.raw), model)
            ),
            "last rewrite and question joined": _added(needing, lambda turn: f"{turn.resolved[-1]} {turn.question}"),
        },
    }


def _best(row: Choice, model: dict[str, Any]) -> int:
    scores = [linear(model["meaning"], features) for features in row.features]
    return max(range(len(scores)), key=lambda i: (scores[i], i))


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / max(1, len(values)), 3)


def _added(turns: Sequence[Turn], rewrite: Callable[[Turn], str]) -> dict[str, float]:
    """Return precision, recall and F1 of the words added, over all turns together."""
    counts: Counter[str] = Counter()
    for turn in turns:
        added = content_stems(rewrite(turn)) - content_stems(turn.question)
        counts.update(added=len(added), missing=len(turn.missing), both=len(added & turn.missing))
    precision, recall = counts["both"] / max(1, counts["added"]), counts["both"] / max(1, counts["missing"])
    return {
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 3),
    }


@click.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--alone",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Questions that stand alone: the first column of a gzipped TSV.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The model file to write.")
def main(data: Path, alone: Path, out: Path) -> None:
    """Fit the resolver of follow-up questions on CANARD."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model = fit(data, alone)
    storage.write_file(out, (json.dumps(model, indent=2) + "\n").encode())
    log.info("%s", json.dumps(model, indent=2))


if __name__ == "__main__":
    main()
