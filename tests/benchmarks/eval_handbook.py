"""The handbook's own questions, end to end: what is found, what is read, what is answered, and whether it is right.

    python -m tests.benchmarks.eval_handbook [--home DIR] [--generator FOLDER] [--limit N] [--out ROWS.jsonl]

Printed by kind of question: recall@5 of the gold sources and of the gold quotes, the share of quotes in what `ask`
read, how often it answered, how often that was right, and EM and F1 of what was answered, a refusal counting as wrong.
An answer is right when it holds a gold answer; on a question that the handbook does not answer, a refusal is.
"""

from __future__ import annotations

import json
import re
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import click

from indexer.collection import Collection
from rag import metrics
from rag.engine import Engine
from rag.intervals import Score
from rag.types import Passage
from tests.benchmarks import reporting
from tests.benchmarks.answering import Asked, Forced, ask, open_generator
from tests.benchmarks.given import Question, json_lines, limited

CORPORA = Path(__file__).resolve().parents[2] / "corpora"
COLUMNS = ("source@5", "quote@5", "quote read", "answered", "right", "em", "f1")


@click.command()
@reporting.shared_options
def main(home: str | None, generator: str | None, limit: int | None, **output: Unpack[reporting.Output]) -> None:
    """Ask the handbook its questions."""
    collection = Collection("handbook", home)
    collection.sync([CORPORA])
    forced = Forced(open_generator(generator, collection))
    engine = Engine(collection, forced)
    questions = limited(json_lines(CORPORA, "questions.jsonl"), limit)
    engine.ask(questions[0].question)  # what is loaded at first use is not measured
    evidence = gold_evidence()
    asked = [_asked(engine, forced, each, evidence[each.id]) for each in reporting.counted(questions, "asking")]
    facts = {"generator": forced.name, "latency_ms": reporting.latencies(asked)}
    reporting.report("handbook", asked, scores(asked, forced.generator.threshold(0.1)), facts, **output)
    if not output["as_json"]:
        _show_kinds(asked)


def gold_evidence() -> dict[str, list[dict[str, str]]]:
    """Return, by id, the sources and quotes that hold the answers."""
    lines = (CORPORA / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row["evidence"] for row in map(json.loads, lines)}


def scores(asked: Sequence[Asked], max_error_threshold: float) -> dict[str, Score]:
    """Return F1 and EM of what is answered, what is refused, and what the confidence is worth."""
    answerable = [each for each in asked if each.question.answers]
    others = [each for each in asked if not each.question.answers]
    given = [each for each in asked if each.answered]
    return {
        **reporting.given_scores(answerable, ", answerable"),
        "f1 of the best answer, answerable": reporting.mean(metrics.f1(e.said, e.question.answers) for e in answerable),
        "answered, answerable": reporting.mean(each.answered for each in answerable),
        "refused, unanswerable": reporting.mean(not each.answered for each in others),
        "answers that hold a gold one": reporting.mean(right(each.given, each.question.answers) for each in given),
        "points": reporting.points_score(asked),
        **reporting.confidence_scores(asked, max_error_threshold),
    }


def right(said: str, answers: Sequence[str]) -> bool:
    """Return whether an answer holds a gold answer, whole words, whatever their case."""
    words = plain(said).casefold()
    return any(re.search(rf"(?<!\w){re.escape(plain(gold).casefold())}(?!\w)", words) for gold in answers)


def plain(text: str) -> str:
    """Return text with every run of spaces and line ends as one space."""
    return " ".join(text.split())


def recall(evidence: Sequence[Mapping[str, str]], found: Sequence[Passage], *, quotes: bool) -> float:
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


def _asked(engine: Engine, forced: Forced, question: Question, evidence: Sequence[Mapping[str, str]]) -> Asked:
    asked, answer = ask(engine, forced, question)
    golds = question.answers
    columns: dict[str, float] = {"answered": asked.answered}
    columns["right"] = right(asked.given, golds) if golds else not asked.answered
    if golds:
        found = engine.search(question.question, 5)
        columns["source@5"] = recall(evidence, found, quotes=False)
        columns["quote@5"] = recall(evidence, found, quotes=True)
        columns["quote read"] = recall(evidence, answer.passages, quotes=True)
        columns["em"] = metrics.exact_match(asked.given, golds)
        columns["f1"] = metrics.f1(asked.given, golds)
    passages = [{"source": each.source, "text": each.text} for each in answer.passages]
    return replace(asked, more={"columns": columns, "passages": passages})


def _show_kinds(asked: Sequence[Asked]) -> None:
    kinds: dict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        kinds[each.question.kind].append(each)
        if each.question.answers:
            kinds["all answerable"].append(each)
    click.echo(f"\n{'kind':16}{'n':>5}" + "".join(f"{column:>12}" for column in COLUMNS))
    for kind, rows in kinds.items():
        click.echo(f"{kind:16}{len(rows):5}" + "".join(_cell(rows, column) for column in COLUMNS))


def _cell(rows: Sequence[Asked], column: str) -> str:
    values = [each.more["columns"][column] for each in rows if column in each.more["columns"]]
    return f"{100 * statistics.mean(values):12.1f}" if values else f"{'':12}"


if __name__ == "__main__":
    main()
