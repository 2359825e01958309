"""Warm `ask` with five passages, over the handbook: how long a question takes once everything is loaded.

    python -m tests.benchmarks.bench_ask [--home DIR] [--generator NAME] [--questions 100] [--rounds 3] [--json]

Printed: median and 95th percentile of each stage and of all together, and the peak memory of the process. Exit 1 when
the median is above the bar.
"""

from __future__ import annotations

import json
import sys

import click

from indexer.collection import Collection
from rag.engine import Engine
from rag.evaluation.asking import Asker, in_collection
from rag.evaluation.data import read_questions
from rag.evaluation.everything import CORPORA
from rag.evaluation.qa import chosen
from rag.evaluation.runs import peak_memory_mb
from rag.evaluation.scores import speed

K = 6
"""Passages that are read, as `ask` reads by default."""


@click.command()
@click.option("--home", help="Where collections and converted models are kept.")
@click.option("--generator", metavar="NAME", help="What answers; by default what `ask` uses.")
@click.option("--questions", "count", default=100, show_default=True, type=click.IntRange(1))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--bar", default=350.0, show_default=True, help="Milliseconds that the median may take.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(home: str | None, generator: str | None, count: int, rounds: int, bar: float, as_json: bool) -> None:
    """Measure warm questions."""
    collection = Collection("handbook", home)
    collection.sync([CORPORA])
    engine = Engine(collection, generator)
    asker = Asker(engine.generator, in_collection(engine, K), engine.generator.threshold(None))
    questions = chosen(read_questions(CORPORA / "questions.jsonl").questions, None, count)
    for question in questions[:3]:
        asker.alone(question)
    rows = [asker.alone(question) for _ in range(rounds) for question in questions]
    taken = speed(rows, [])["latency_ms"]
    megabytes = peak_memory_mb()
    if as_json:
        found = {
            "generator": engine.generator.name,
            "n": len(rows),
            "latency_ms": taken,
            "peak_mb": round(megabytes),
        }
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(f"{engine.generator.name}: {len(questions)} questions, {rounds} rounds, peak {megabytes:.0f} MB")
        for stage, times in taken.items():
            click.echo(f"  {stage:10}p50 {times['p50']:7.1f} ms   p95 {times['p95']:7.1f} ms")
    sys.exit(0 if taken["ask"]["p50"] <= bar else 1)


if __name__ == "__main__":
    main()
