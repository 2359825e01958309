"""Scores, comparisons and errors as text for a terminal. What documents and questions hold is shown, never obeyed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from indexer.plurals import counted
from indexer.screen import Screen, shortened
from rag.evaluation.comparing import Comparison
from rag.evaluation.failures import MEND, STAGES, Failures
from rag.evaluation.intervals import Score
from rag.evaluation.runs import REPORT, RunFolder
from rag.evaluation.scores import by_kind

Numbers = Mapping[str, float | None]
"""A score as scores.json has it: value, low and high."""
_SAID = 160
"""Characters of an answer that are shown: a model that says one thing over and over must not fill the window."""


def show_run(screen: Screen, run: RunFolder, *, err: bool = False) -> None:
    """Print the scores of a run with their intervals, in per cent but for perplexities, and what it took."""
    found = run.scores
    unit, digits = (1, 3) if run.command == "perplexity" else (100, 2)
    screen.say(flat(f"{found['n']:,} done, in {run.path}"), err=err)
    named = _by_name(found["scores"])
    width = max(map(len, named), default=0) + 2
    for name, score in named.items():
        value = score["value"]
        told = "none" if value is None else f"{unit * value:.{digits}f}"
        screen.say(f"  {name:{width}}{told:>8}  {_interval(score, unit, digits)}".rstrip(), err=err)
    if run.command == "qa":
        _show_kinds(screen, run, err)
    for name, measured in run.speed.items():
        screen.say(f"  {name:{width}}{_told(measured)}", err=err)
    if (run.path / REPORT).is_file():
        screen.say(flat(f"To look at: {run.path / REPORT}"), err=err)


def _show_kinds(screen: Screen, run: RunFolder, err: bool) -> None:
    """Print what is told of each kind of question, where there are several."""
    found = by_kind(run.rows())
    if not found:
        return
    measures = list(next(iter(found.values()))[1])
    width = max(map(len, found)) + 2
    screen.say(f"  {'':{width}}{'n':>7}  " + "  ".join(measures), err=err)
    for kind, (n, values) in found.items():
        cells = (f"{'' if math.isnan(values[name]) else f'{100 * values[name]:.1f}':>{len(name)}}" for name in measures)
        screen.say(flat(f"  {kind:{width}}{n:7,}  " + "  ".join(cells)), err=err)


def _by_name(scores: Mapping[str, Any]) -> dict[str, Numbers]:
    """Return the scores with the arm of a search before the measure."""
    found: dict[str, Numbers] = {}
    for name, each in scores.items():
        found |= {name: each} if "value" in each else {f"{name} {measure}": score for measure, score in each.items()}
    return found


def _interval(score: Numbers, unit: float, digits: int, sign: str = "") -> str:
    low, high = score["low"], score["high"]
    if low is None or high is None:
        return ""
    return f"[{unit * low:{sign}.{digits}f}, {unit * high:{sign}.{digits}f}]"


def _told(measured: Any) -> str:
    """Return a measurement of speed: a number, quantiles as p50/p95, or parts that have them."""
    if not isinstance(measured, dict):
        return f"{measured:>8,}"
    if "p50" in measured:
        return f"{measured['p50']:,.1f}/{measured['p95']:,.1f}"
    return ", ".join(f"{part} {_told(each)}" for part, each in measured.items())


def show_comparison(screen: Screen, found: Comparison, examples: int) -> None:
    """Print every measure of two runs, the questions that flipped, and the verdict."""
    width = max(len(each.measure) for each in found.differences) + 2
    screen.say(f"{'':{width}}{'before':>8}{'after':>9}{'difference':>12}{'':21}{'p':>7}")
    for each in found.differences:
        effect, verdict = each.effect, each.verdict(found.alpha)
        numbers = f"{_per_cent(effect.before)}{_per_cent(effect.after):>9}{_per_cent(effect.difference, '+'):>12}"
        interval = _interval(effect.difference.to_json(), 100, 2, "+")
        p = "-" if math.isnan(each.p) else f"{each.p:.4f}"
        told = "" if verdict == "no difference shown" else f"  {verdict}"
        screen.say(f"{each.measure:{width}}{numbers}  {interval:19}{p:>7}{told}")
    for name, flips in (("gained", found.gained), ("lost", found.lost)):
        screen.say(f"\n{name}: {len(flips):,}")
        for flip in flips[:examples]:
            screen.say(flat(f"  {flip.id}  {flip.question}"))
            screen.say(flat(f"    gold {' | '.join(flip.answers[:3]) or '(none)'}"))
            before, after = (shortened(said or "(refused)", _SAID) for said in (flip.before, flip.after))
            screen.say(flat(f"    {before}  ->  {after}"))
    questions = counted(found.n, "question")
    screen.say(f"\n{questions}, {found.both_right:,} right in both, {found.both_wrong:,} wrong in both")
    screen.say(f"Verdict on {', '.join(found.deciding)}: {found.verdict}.")


def _per_cent(score: Score, sign: str = "") -> str:
    return f"{'none':>8}" if math.isnan(score.value) else f"{100 * score.value:{sign}8.2f}"


def show_failures(screen: Screen, found: Failures) -> None:
    """Print where answers go wrong: shares by stage, for all and for kinds of questions, and examples of each stage."""
    tables = {"": (found.overall,), **found.tables}
    width = max(len(group.name) for groups in tables.values() for group in groups) + 2
    for by, groups in tables.items():
        screen.say(f"\n{by:{max(width, len(by) + 2)}}{'n':>7}" + "".join(f"{stage:>17}" for stage in STAGES))
        for group in groups:
            shares = "".join(f"{100 * group.stages[stage] / group.n:16.1f}%" for stage in STAGES)
            screen.say(f"{flat(group.name):{max(width, len(by) + 2)}}{group.n:7,}{shares}")
    for stage in found.mend_next:
        screen.say(f"\n{stage}: {found.overall.stages[stage]:,}. {MEND[stage]}")
        for each in found.examples.get(stage, ()):
            row = each.row
            screen.say(flat(f"  {row.id}  {row.question}"))
            said = shortened(row.said or "(nothing)", _SAID)
            held = " (held back)" if row.said and not row.answered else ""
            screen.say(flat(f"    gold {' | '.join(row.answers[:3]) or '(none)'}"))
            screen.say(flat(f"    said {said}{held}, confidence {max(0.0, row.confidence):.2f}"))


def flat(text: str) -> str:
    """Return text on one line."""
    return " ".join(text.splitlines())
