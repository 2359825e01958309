"""What the evaluation scripts print, and the options they share. Scores are shares of one, printed in per cent."""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import click
import numpy as np

from rag import metrics
from rag.intervals import Score, bootstrap
from rag.plots import draw_confidence
from tests.benchmarks.answering import Asked
from tests.benchmarks.given import Question

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PRECISION = 0.9
RIGHT: Mapping[str, Callable[[Asked], bool]] = {"exact": lambda asked: asked.exact, "F1>=0.5": lambda asked: asked.near}
"""What counts as a right answer: the strict criterion, which is the one that is meant, and a lenient one beside it."""


def shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every evaluation has."""
    options = [
        click.option("--home", help="Where collections and converted models are kept."),
        click.option("--generator", help='"quoting", "copying", or the folder of a copying one; else what `ask` uses.'),
        click.option("--limit", type=click.IntRange(1), help="Ask only so many questions, evenly spread."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option(
            "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write a row a question, as JSONL."
        ),
        click.option(
            "--plot",
            "plot_file",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Draw what the confidence is worth.",
        ),
    ]
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


class Output(TypedDict):
    """What the shared options say about where results go."""

    as_json: bool
    out: Path | None
    plot_file: Path | None


data_argument = click.argument("data", default=DATA, type=click.Path(file_okay=False, path_type=Path))
"""The folder of data sets; by default `shared/data` beside the checkout."""


def mean(values: Iterable[float]) -> Score:
    """Return the mean with its bootstrap interval; nan for no values."""
    listed = [float(value) for value in values]
    return bootstrap(lambda drawn: float(np.mean(drawn)), listed) if listed else Score(math.nan, math.nan, math.nan)


def answer_scores(asked: Sequence[Asked]) -> dict[str, Score]:
    """Return EM and F1 of the best answer, whatever its confidence, and of what is given at the default threshold."""
    return {
        "em": mean(metrics.exact_match(each.said, each.question.answers) for each in asked),
        "f1": mean(metrics.f1(each.said, each.question.answers) for each in asked),
        **given_scores(asked, "@default threshold"),
        "answered@default threshold": mean(each.answered for each in asked),
    }


def given_scores(asked: Sequence[Asked], suffix: str = "") -> dict[str, Score]:
    """Return EM and F1 of what is given at the default threshold; a refusal is an empty answer."""
    return {
        f"em{suffix}": mean(metrics.exact_match(each.given, each.question.answers) for each in asked),
        f"f1{suffix}": mean(metrics.f1(each.given, each.question.answers) for each in asked),
    }


def confidence_scores(asked: Sequence[Asked], max_error_threshold: float) -> dict[str, Score]:
    """Return what the confidence is worth, for either criterion of right.

    The event is that the best answer is right. Where there was none, nothing was promised: calibration is measured
    over the others, while coverage counts all. `max_error_threshold` is the generator's own for one wrong in ten.
    """
    sure = [each.confidence if each.draft.pieces else -math.inf for each in asked]
    if max(sure) < 0:
        return {}
    answerable = [bool(each.question.answers) for each in asked]
    found: dict[str, Score] = {}
    for criterion, is_right in RIGHT.items():
        right = [is_right(each) for each in asked]
        promised = [(confidence, kept) for confidence, kept in zip(sure, right, strict=True) if confidence >= 0]
        columns = [row[0] for row in promised], [row[1] for row in promised]
        scores = {
            f"coverage@precision={PRECISION}, share of all questions": bootstrap(_coverage, sure, right),
            f"coverage@precision={PRECISION}, share of the answerable": bootstrap(_coverage, sure, right, answerable),
            "precision@max_error=0.1, generator's own threshold": bootstrap(
                functools.partial(_precision, threshold=max_error_threshold), sure, right
            ),
            "ece": bootstrap(metrics.expected_calibration_error, *columns),
            "brier": bootstrap(metrics.brier, *columns),
            "auroc": bootstrap(metrics.auroc, *columns),
            "aurc": bootstrap(metrics.area_under_risk_coverage, sure, right),
        }
        found |= {name if criterion == "exact" else f"{name} ({criterion})": score for name, score in scores.items()}
    given = [confidence >= max_error_threshold for confidence in sure]
    found["answered@max_error=0.1, share of all questions"] = mean(given)
    found["answered@max_error=0.1, share of the answerable"] = mean(
        each for each, counts in zip(given, answerable, strict=True) if counts
    )
    return found


def _coverage(sure: Sequence[float], right: Sequence[bool], of: Sequence[bool] | None = None) -> float:
    return metrics.coverage_at_precision(sure, right, PRECISION, of)


def _precision(sure: Any, right: Any, threshold: float) -> float:
    given = sure >= threshold
    return float(np.mean(right[given])) if given.any() else math.nan


def show_reliability(asked: Sequence[Asked]) -> None:
    """Print what was promised and what was kept, in 15 bins of confidence."""
    said = [each for each in asked if each.draft.pieces]
    confidences = [each.confidence for each in said]
    click.echo(f"\n{'confidence':>14}{'n':>8}{'mean':>8}" + "".join(f"{name:>10}" for name in RIGHT))
    tables = [metrics.reliability(confidences, [right(each) for each in said]) for right in RIGHT.values()]
    for row in zip(*tables, strict=True):
        if row[0].count:
            low, high, count, mean_confidence = row[0].low, row[0].high, row[0].count, row[0].confidence
            kept = "".join(f"{100 * each.right:10.1f}" for each in row)
            click.echo(f"{low:7.3f}-{high:.3f} {count:8,}{100 * mean_confidence:8.1f}{kept}")


def report(
    title: str,
    asked: Sequence[Asked],
    scores: Mapping[str, Score],
    facts: Mapping[str, object],
    *,
    as_json: bool,
    out: Path | None,
    plot_file: Path | None,
) -> None:
    """Print scores with their 95 % intervals and what else was found, and write the files that were asked for.

    A latency is told as p50/p95.
    """
    if as_json:
        shown = {name: score.to_json() for name, score in scores.items()}
        click.echo(json.dumps({"set": title, "n": len(asked), **facts, "scores": shown}, indent=2))
    else:
        click.echo(f"{title}: n {len(asked):,}, " + ", ".join(f"{name} {_told(fact)}" for name, fact in facts.items()))
        width = max(map(len, scores)) + 2
        for name, score in scores.items():
            click.echo(f"  {name:{width}}{_in_per_cent(score)}")
    write_rows(asked, out)
    plot(asked, plot_file, title)


def _told(fact: object) -> object:
    """Return a fact as one line tells it: of latencies the one of all stages together."""
    return "/".join(f"{value:.0f}" for value in fact["ask"].values()) if isinstance(fact, dict) else fact


def _in_per_cent(score: Score) -> str:
    if math.isnan(score.value):
        return "   none"
    return f"{100 * score.value:7.2f}   [{100 * score.low:.2f}, {100 * score.high:.2f}]"


def write_rows(asked: Sequence[Asked], out: Path | None) -> None:
    """Write a JSON object a question, one a line."""
    if out is not None:
        rows = (json.dumps(each.to_json(), ensure_ascii=False) + "\n" for each in asked)
        out.write_text("".join(rows), encoding="utf-8")


def plot(asked: Sequence[Asked], file: Path | None, title: str) -> None:
    """Draw the reliability and the risk-coverage curve, one line for each criterion of right."""
    if file is not None:
        sure = [each.confidence if each.draft.pieces else -math.inf for each in asked]
        judged = {name: (sure, [is_right(each) for each in asked]) for name, is_right in RIGHT.items()}
        draw_confidence(judged, file, title)


def points_score(asked: Sequence[Asked]) -> Score:
    """Return the share of answers each of whose words lies at the offsets that it gives."""
    return mean(each.points for each in asked if each.draft.pieces)


def counted(questions: Sequence[Question], label: str) -> Iterator[Question]:
    """Yield the questions and show on a terminal how many are done."""
    with click.progressbar(questions, label=label, file=sys.stderr) as bar:
        yield from bar


def latencies(asked: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """Return the median and the 95th percentile of each stage of asking, and of all together, in milliseconds."""
    timings = [each.timings_ms for each in asked]
    stages = {stage: [timing[stage] for timing in timings] for stage in timings[0]}
    stages["ask"] = [sum(timing.values()) for timing in timings]
    return {
        stage: {"p50": round(float(np.quantile(taken, 0.5)), 1), "p95": round(float(np.quantile(taken, 0.95)), 1)}
        for stage, taken in stages.items()
    }
