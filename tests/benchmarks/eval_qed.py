"""EM and F1 on QED dev: questions that people typed into a search engine, with the paragraph given.

    python -m tests.benchmarks.eval_qed [DATA] [--generator FOLDER] [--limit N] [--out ROWS.jsonl]

DATA holds qed/dev.jsonl.gz. Every listed answer is a gold one. Each question has an answer in its paragraph; the scores
of confidence say how it fares away from the data it was fitted on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from tests.benchmarks import reporting
from tests.benchmarks.answering import evaluation_collection, open_generator, read_given
from tests.benchmarks.given import json_lines, limited


@click.command()
@reporting.data_argument
@click.option("--titles/--no-titles", default=True, help="Whether the article's title is read, as `ask` reads it.")
@reporting.shared_options
def main(
    data: Path,
    titles: bool,
    home: str | None,
    generator: str | None,
    limit: int | None,
    **output: Unpack[reporting.Output],
) -> None:
    """Measure answers on QED dev, its paragraphs given."""
    questions = limited(json_lines(data, "qed/dev.jsonl.gz"), limit)
    reader = open_generator(generator, evaluation_collection(home))
    asked, rate = read_given(reader, questions, titles=titles)
    scores = {
        **reporting.answer_scores(asked),
        "points": reporting.points_score(asked),
        **reporting.confidence_scores(asked, reader.threshold(0.1)),
    }
    facts = {"generator": reader.name, "questions/s": round(rate, 1)}
    reporting.report("QED dev, paragraph given", asked, scores, facts, **output)
    if not output["as_json"]:
        reporting.show_reliability(asked)


if __name__ == "__main__":
    main()
