"""How much faster many questions are answered together than one by one, with the same answers.

    python -m tests.benchmarks.bench_many QUESTIONS.jsonl [--collection NAME] [--home DIR] [--generator NAME]

Three ways are timed: a process for each question (`footnote ask`, a few of them), one engine asked one by one, and
`Engine.ask_many`. With --given the passages that the questions bring are read, one by one and together.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click

import cli
from indexer.collection import Collection
from indexer.sync import Given
from rag.engine import Engine
from rag.evaluation.asking import passage_of
from rag.evaluation.data import read_questions
from rag.evaluation.qa import chosen
from rag.generator import drafts
from rag.types import Answer

Made = TypeVar("Made")
PROCESSES = 5
"""Questions that are asked in a process each."""


@click.command()
@click.argument("questions", type=click.Path(exists=True, path_type=Path))
@click.option("--collection", default="default")
@click.option("--home")
@click.option("--generator")
@click.option("--given", is_flag=True, help="Read the questions' own passages.")
@click.option("--limit", default=128, show_default=True)
def main(questions: Path, collection: str, home: str | None, generator: str | None, given: bool, limit: int) -> None:
    """Time both ways, and print the ratio."""
    asked = chosen(read_questions(questions).questions, None, limit)
    texts = [each.text for each in asked]
    if given:
        small = Collection("evaluation-given", home)
        small.add([Given("nothing", "The passages are given.")])
        reader = Engine(small, generator).generator
        passages = [[passage_of(each)] for each in asked]
        reader.generate(texts[0], passages[0])
        alone, one = timed(lambda: [reader.generate(*each) for each in zip(texts, passages, strict=True)])
        together, many = timed(lambda: drafts(reader, texts, passages))
        show(reader.name, len(asked), {"one by one": alone, "together": together}, one == many)
        return
    engine = Engine(Collection(collection, home), generator)
    engine.ask(texts[0])
    alone, answers = timed(lambda: [engine.ask(text) for text in texts])
    together, same = timed(lambda: engine.ask_many(texts))
    spawned = processes(texts[:PROCESSES], collection, home, generator) * len(texts)
    ways = {"a process each": spawned, "one by one": alone, "together": together}
    show(engine.generator.name, len(asked), ways, untimed(answers) == untimed(same))


def timed(work: Callable[[], Made]) -> tuple[float, Made]:
    """Return the seconds that the work took, and what came of it."""
    started = time.perf_counter()
    made = work()
    return time.perf_counter() - started, made


def processes(texts: Sequence[str], collection: str, home: str | None, generator: str | None) -> float:
    """Return the seconds that a question takes in a process of its own."""
    options = ["--collection", collection]
    options += ["--home", home] if home else []
    options += ["--generator", generator] if generator else []
    program = str(Path(cli.__file__))
    started = time.perf_counter()
    for text in texts:
        subprocess.run([sys.executable, program, "ask", *options, "--", text], capture_output=True, check=False)
    return (time.perf_counter() - started) / len(texts)


def untimed(answers: Sequence[Answer]) -> list[Answer]:
    """Return the answers without what differs from one run to the next."""
    return [replace(answer, timings_ms={}) for answer in answers]


def show(generator: str, n: int, seconds: dict[str, float], same: bool) -> None:
    """Print milliseconds a question and how many times as fast asking together is."""
    print(f"{n} questions, {generator} generator, answers {'identical' if same else 'NOT identical'}")
    for way, taken in seconds.items():
        ratio = taken / seconds["together"]
        print(f"  {way:16}{1000 * taken / n:8.1f} ms a question{n / taken:8.1f} a second   {ratio:.2f} times as long")


if __name__ == "__main__":
    main()
