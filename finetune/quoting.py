"""Fits the quoting generator: which sentence answers, and how sure to be, from questions with known answers.

    python -m finetune.quoting SQUAD_TRAIN.json.gz --out rag/quoting/quoting.json

Two logistic regressions, on questions split by article: one half teaches which sentence answers, the
other what confidence its score deserves. A third of the second half's questions are asked with their own paragraph
taken away, and a fifth belong to articles that are not in the collection at all, so that refusing is learned too.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import random
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from indexer import storage
from indexer.collection import Collection
from indexer.encoder import open_encoder
from indexer.home import home_folder
from indexer.schema import documents
from indexer.sync import Given
from rag.quoting.generator import candidates, confidence_features, linear
from rag.retriever import Retriever
from rag.types import Passage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QuotingOptions:
    """How the quoting generator is fitted."""

    articles: int = 80
    """Articles whose paragraphs form the collection; half teach sentences, half confidence."""
    questions: int = 1500
    """Questions on those articles, at most."""
    strangers: int = 400
    """Questions on other articles, which the collection cannot answer."""
    passages: int = 5
    """Passages read for each question."""
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its gold answers, and the paragraph that holds them."""

    question: str
    answers: tuple[str, ...]
    article: int
    paragraph: str


@dataclass(frozen=True, slots=True)
class Article:
    """An article of a SQuAD-format file."""

    title: str
    paragraphs: tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]
    """Paragraphs as (text, ((question, answers), ...))."""


def read_squad(file: Path) -> list[Article]:
    """Return the articles of a SQuAD v1.1 file, gzipped or not."""
    content = file.read_bytes()
    data = json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)["data"]
    return [
        Article(
            article["title"].replace("_", " "),
            tuple(
                (
                    paragraph["context"],
                    tuple((qa["question"], tuple(each["text"] for each in qa["answers"])) for qa in paragraph["qas"]),
                )
                for paragraph in article["paragraphs"]
            ),
        )
        for article in data
    ]


def fit(data: Path, options: QuotingOptions = QuotingOptions()) -> dict[str, Any]:
    """Return the model that `rag/quoting/quoting.json` holds, fitted on a SQuAD-format training file."""
    articles = read_squad(data)
    chance = random.Random(options.seed)
    chosen = chance.sample(range(len(articles)), options.articles)
    others = sorted(set(range(len(articles))) - set(chosen))
    asked = _questions(articles, chosen)
    asked = chance.sample(asked, min(options.questions, len(asked)))
    strangers = chance.sample(_questions(articles, others), options.strangers)
    teaching = set(chosen[: len(chosen) // 2])
    with tempfile.TemporaryDirectory() as home:
        collection = Collection("quoting", home, open_encoder(None, home_folder()))
        paragraphs = [
            Given(f"{article}/{number}", paragraph, articles[article].title)
            for article in chosen
            for number, (paragraph, _) in enumerate(articles[article].paragraphs)
        ]
        log.info("embedding %d paragraphs", len(paragraphs))
        collection.add(paragraphs)
        sentence_rows = list(_sentence_rows(collection, [q for q in asked if q.article in teaching], options))
        sentence = _fitted([features for features, _ in sentence_rows], [right for _, right in sentence_rows])
        rest = [q for q in asked if q.article not in teaching]
        confidence_rows = list(_confidence_rows(collection, rest, strangers, sentence, options))
    confidence = _fitted([features for features, _ in confidence_rows], [right for _, right in confidence_rows])
    sure = [1 / (1 + np.exp(-linear(confidence, features))) for features, _ in confidence_rows]
    right = [right for _, right in confidence_rows]
    return {
        "name": "quoting",
        "threshold": round(_best_threshold(sure, right), 4),
        "sentence": sentence,
        "confidence": confidence,
        "risk_coverage": _risk_coverage(sure, right),
        "card": {
            "data": "SQuAD v1.1 train (CC BY-SA 4.0)",
            "sha256": hashlib.sha256(data.read_bytes()).hexdigest(),
            "options": asdict(options),
            "sentences": len(sentence_rows),
            "questions_for_sentences": len(asked) - len(rest),
            "questions_for_confidence": len(confidence_rows),
            "of_them_right": int(sum(right)),
        },
    }


def _questions(articles: Sequence[Article], chosen: Sequence[int]) -> list[Asked]:
    return [
        Asked(question, answers, article, f"{article}/{number}")
        for article in chosen
        for number, (_, questions) in enumerate(articles[article].paragraphs)
        for question, answers in questions
    ]


def _read(collection: Collection, asked: Asked, options: QuotingOptions, *, without_gold: bool) -> list[Passage]:
    where = documents.c.source != asked.paragraph if without_gold else None
    vector = collection.encoder.embed_queries([asked.question])[0]
    with collection.view() as view:
        return Retriever(where=where).read(view, asked.question, vector, options.passages)


def _holds(text: str, answers: Sequence[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text) for answer in answers)


def _sentence_rows(
    collection: Collection, asked: Sequence[Asked], options: QuotingOptions
) -> Iterator[tuple[Mapping[str, float], bool]]:
    """Yield each candidate sentence with whether it answers: it stands in the gold paragraph and holds an answer."""
    for done, each in enumerate(asked):
        if done % 100 == 0:
            log.info("sentences: %d of %d questions", done, len(asked))
        read = _read(collection, each, options, without_gold=False)
        for candidate in candidates(each.question, read, collection.encoder):
            passage = read[candidate.passage]
            holds = _holds(passage.text[candidate.start : candidate.end], each.answers)
            yield candidate.features, holds and passage.source == each.paragraph


def _confidence_rows(
    collection: Collection,
    asked: Sequence[Asked],
    strangers: Sequence[Asked],
    sentence: Mapping[str, Any],
    options: QuotingOptions,
) -> Iterator[tuple[Mapping[str, float], bool]]:
    """Yield what each question's best sentence looks like, with whether it answers."""
    cases = [(each, i % 3 == 2) for i, each in enumerate(asked)] + [(each, False) for each in strangers]
    for done, (each, without_gold) in enumerate(cases):
        if done % 100 == 0:
            log.info("confidence: %d of %d questions", done, len(cases))
        read = _read(collection, each, options, without_gold=without_gold)
        found = candidates(each.question, read, collection.encoder)
        if not found:
            continue
        scores = [linear(sentence, candidate.features) for candidate in found]
        order = sorted(range(len(found)), key=lambda i: (-scores[i], found[i].passage, found[i].start))
        best = found[order[0]]
        text = read[best.passage].text[best.start : best.end]
        right = read[best.passage].source == each.paragraph and _holds(text, each.answers)
        yield confidence_features(each.question, read, found, scores, order), right


def _fitted(rows: Sequence[Mapping[str, float]], right: Sequence[bool]) -> dict[str, Any]:
    """Return bias and weights of a logistic regression with L2 penalty and no negative weight.

    Every feature is one of which more should speak for a sentence; features that say nearly the same would otherwise
    get weights of opposite signs, which do harm on text of another kind.
    """
    from scipy.optimize import minimize

    names = sorted(rows[0])
    x = np.array([[row[name] for name in names] for row in rows])  # (n, features)
    y = np.where(np.array(right), 1.0, -1.0)
    scale = x.std(axis=0) + 1e-9
    x = np.column_stack([np.ones(len(x)), x / scale])

    def loss(w: Any) -> tuple[float, Any]:
        margin = y * (x @ w)
        slope = -y / (1 + np.exp(np.clip(margin, -500, 500)))
        penalised = np.concatenate([[0.0], w[1:]])
        return float(np.logaddexp(0, -margin).sum() + penalised @ penalised / 2), x.T @ slope + penalised

    bounds = [(None, None)] + [(0.0, None)] * len(names)
    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = found[1:] / scale
    return {
        "bias": round(float(found[0]), 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(names, weights, strict=True)},
    }


def _best_threshold(sure: Sequence[float], right: Sequence[bool]) -> float:
    """Return the confidence at which answering gains most, when a wrong answer costs as much as a right one gives."""
    order = sorted(zip(sure, right, strict=True), reverse=True)
    best, best_gain, gain = 1.0, 0, 0
    for confidence, is_right in order:
        gain += 1 if is_right else -1
        if gain > best_gain:
            best, best_gain = confidence, gain
    return best


def _risk_coverage(sure: Sequence[float], right: Sequence[bool]) -> list[dict[str, float]]:
    """Return, for each share of questions answered, the least confidence that answers them and the share wrong."""
    order = sorted(zip(sure, right, strict=True), reverse=True)
    rows = []
    for percent in range(5, 101, 5):
        kept = order[: max(1, len(order) * percent // 100)]
        wrong = sum(not is_right for _, is_right in kept) / len(kept)
        rows.append({"coverage": percent / 100, "threshold": round(kept[-1][0], 4), "error": round(wrong, 4)})
    return rows


@click.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The model file to write.")
@click.option("--questions", default=QuotingOptions().questions, show_default=True)
def main(data: Path, out: Path, questions: int) -> None:
    """Fit the quoting generator on a SQuAD-format training file."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model = fit(data, QuotingOptions(questions=questions))
    storage.write_file(out, (json.dumps(model, indent=2) + "\n").encode())
    log.info("%s", json.dumps({"threshold": model["threshold"], "card": model["card"]}, indent=2))


if __name__ == "__main__":
    main()
