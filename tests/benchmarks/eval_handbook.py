"""The handbook's own questions, end to end: what is found, what is read, what is answered, and whether it is right.

    python -m tests.benchmarks.eval_handbook [--home DIR]

Printed by kind of question: recall@5 of the gold sources and of the gold quotes, the share of quotes in what `ask`
read, how often it answered, and how often that was right. An answer is right when the quoted sentence holds a gold
answer; on a
question that the handbook does not answer, a refusal is.
"""

from __future__ import annotations

import json
import re
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

import click

from indexer.collection import Collection
from rag.engine import Engine
from rag.types import Passage

CORPORA = Path(__file__).resolve().parents[2] / "corpora"


def plain(text: str) -> str:
    """Return text with every run of spaces and line ends as one space."""
    return " ".join(text.split())


def recall(evidence: list[dict[str, str]], found: list[Passage], *, quotes: bool) -> float:
    """Return the share of the evidence whose source, or whose very quote, is among the passages."""
    hits = [
        any(
            passage.source == str(CORPORA / each["source"])
            and (not quotes or plain(each["quote"]) in plain(passage.text))
            for passage in found
        )
        for each in evidence
    ]
    return sum(hits) / len(hits)


@click.command()
@click.option("--home", help="Where the collection is kept.")
def main(home: str | None) -> None:
    """Ask the handbook its questions."""
    collection = Collection("handbook", home)
    collection.sync([CORPORA])
    engine = Engine(collection)
    lines = (CORPORA / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    times = []
    for row in map(json.loads, lines):
        answer = engine.ask(row["question"])
        times.append(sum(answer.timings_ms.values()))
        right = _right(answer.text, row["answers"]) if row["answerable"] else not answer.answered
        for kind in (row["kind"], "answerable" if row["answerable"] else "unanswerable questions"):
            scores = measured[kind]
            scores["answered"].append(answer.answered)
            scores["right"].append(right and (answer.answered or not row["answerable"]))
            if row["answerable"]:
                found = engine.search(row["question"], 5)
                scores["source@5"].append(recall(row["evidence"], found, quotes=False))
                scores["quote@5"].append(recall(row["evidence"], found, quotes=True))
                scores["quote read"].append(recall(row["evidence"], list(answer.passages), quotes=True))
    columns = ("source@5", "quote@5", "quote read", "answered", "right")
    click.echo(f"{'kind':24}{'n':>5}" + "".join(f"{column:>12}" for column in columns))
    for kind, scores in measured.items():
        cells = (f"{statistics.mean(scores[c]):12.3f}" if scores[c] else f"{'':12}" for c in columns)
        click.echo(f"{kind:24}{len(scores['answered']):5}" + "".join(cells))
    asked = [scores for kind, scores in measured.items() if kind in ("answerable", "unanswerable questions")]
    answered = sum(sum(scores["answered"]) for scores in asked)
    rights = sum(measured["answerable"]["right"])
    click.echo(f"of {answered:.0f} answers {rights:.0f} hold a gold answer ({rights / answered:.3f})")
    times.sort()
    click.echo(f"warm ask: p50 {times[len(times) // 2]:.0f} ms, p95 {times[len(times) * 95 // 100]:.0f} ms")


def _right(text: str, answers: list[Any]) -> bool:
    said = plain(text).casefold()
    return any(re.search(rf"(?<!\w){re.escape(plain(str(gold)).casefold())}(?!\w)", said) for gold in answers)


if __name__ == "__main__":
    main()
