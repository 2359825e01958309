"""EM and F1 on SQuAD dev with the right paragraph given; with --v2 also what refusing and confidence are worth.

    python -m tests.benchmarks.eval_squad [DATA] [--v2] [--generator FOLDER] [--limit N] [--out ROWS.jsonl]

DATA holds squad/dev-v1.1.json.gz and squad/dev-v2.0.json.gz. Intervals are 95 %, by resampling questions. `em` and `f1`
are the official ones: on v1.1 of the best answer whatever its confidence, on v2.0 of what is given at the default
threshold. "points" is the share of answers each of whose words lies at the offsets given. On v2.0 an answer to an
unanswerable question is wrong; "coverage" answers the surest questions, as many as there can be with nine in ten
answers right, and is given both as a share of all questions (half of them have no answer) and of the answerable.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import click

from rag.generator import Generator
from rag.intervals import Score
from tests.benchmarks import reporting
from tests.benchmarks.answering import Asked, evaluation_collection, open_generator, read_given
from tests.benchmarks.given import limited, squad


@click.command()
@reporting.data_argument
@click.option("--v2", is_flag=True, help="SQuAD v2.0 rather than v1.1.")
@click.option("--titles/--no-titles", default=True, help="Whether the article's title is read, as `ask` reads it.")
@reporting.shared_options
def main(
    data: Path,
    v2: bool,
    titles: bool,
    home: str | None,
    generator: str | None,
    limit: int | None,
    **output: Unpack[reporting.Output],
) -> None:
    """Measure answers on SQuAD dev, its paragraphs given."""
    version = "2.0" if v2 else "1.1"
    questions = limited(squad(data, f"squad/dev-v{version}.json.gz"), limit)
    reader = open_generator(generator, evaluation_collection(home))
    asked, rate = read_given(reader, questions, titles=titles)
    facts = {"generator": reader.name, "questions/s": round(rate, 1)}
    scores = v2_scores(asked, reader) if v2 else v1_scores(asked)
    reporting.report(f"SQuAD v{version} dev, paragraph given", asked, scores, facts, **output)
    if v2 and not output["as_json"]:
        reporting.show_reliability(asked)


def v1_scores(asked: Sequence[Asked]) -> dict[str, Score]:
    """Return the scores where every question has an answer."""
    return {**reporting.answer_scores(asked), "points": reporting.points_score(asked)}


def v2_scores(asked: Sequence[Asked], generator: Generator) -> dict[str, Score]:
    """Return the scores where half of the questions have none."""
    answerable = [each for each in asked if each.question.answers]
    others = [each for each in asked if not each.question.answers]
    return {
        **reporting.given_scores(asked),
        **reporting.given_scores(answerable, ", answerable"),
        "refused, answerable": reporting.mean(not each.answered for each in answerable),
        "refused, unanswerable": reporting.mean(not each.answered for each in others),
        **reporting.confidence_scores(asked, generator.threshold(0.1)),
    }


if __name__ == "__main__":
    main()
