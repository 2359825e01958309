"""Warm `ask` with five passages, over the handbook: how long a question takes once everything is loaded.

    python -m tests.benchmarks.bench_ask [--home DIR] [--generator FOLDER] [--questions 100] [--rounds 3] [--json]

Printed: median and 95th percentile of each stage and of all together, and the peak memory of the process. Exit 1 when
the median is above the bar.
"""

from __future__ import annotations

import json
import resource
import sys

import click

from indexer.collection import Collection
from rag.engine import Engine
from tests.benchmarks import reporting
from tests.benchmarks.answering import Forced, ask, open_generator
from tests.benchmarks.eval_handbook import CORPORA
from tests.benchmarks.given import json_lines, limited


@click.command()
@click.option("--home", help="Where collections and converted models are kept.")
@click.option("--generator", help='"quoting", "copying", or the folder of a copying one; else what `ask` uses.')
@click.option("--questions", "count", default=100, show_default=True, type=click.IntRange(1))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--bar", default=350.0, show_default=True, help="Milliseconds that the median may take.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(home: str | None, generator: str | None, count: int, rounds: int, bar: float, as_json: bool) -> None:
    """Measure warm questions."""
    collection = Collection("handbook", home)
    collection.sync([CORPORA])
    forced = Forced(open_generator(generator, collection))
    engine = Engine(collection, forced)
    questions = limited(json_lines(CORPORA, "questions.jsonl"), count)
    for question in questions[:3]:
        engine.ask(question.question)
    asked = [ask(engine, forced, question)[0] for _ in range(rounds) for question in questions]
    taken = reporting.latencies(asked)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if as_json:
        found = {"generator": forced.name, "n": len(asked), "latency_ms": taken, "peak_mb": round(megabytes)}
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(f"{forced.name}: {len(questions)} questions, {rounds} rounds, peak {megabytes:.0f} MB")
        for stage, times in taken.items():
            click.echo(f"  {stage:10}p50 {times['p50']:7.1f} ms   p95 {times['p95']:7.1f} ms")
    sys.exit(0 if taken["ask"]["p50"] <= bar else 1)


if __name__ == "__main__":
    main()
