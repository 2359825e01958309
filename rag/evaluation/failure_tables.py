"""The parts of a report that tell where a run fails: tables of stages, and the surest errors of each."""

from __future__ import annotations

from collections.abc import Sequence

from rag.evaluation import curves, passages
from rag.evaluation.failures import MEND, STAGES, Failures, Group
from rag.evaluation.markup import Html, element, named, table
from rag.evaluation.sections import share


def stage_tables(found: Failures) -> list[Html]:
    """Return how many questions went wrong at which stage: in all, and for each way of telling questions apart."""
    counts = found.overall.stages
    stages = table(
        "Questions by the stage at which they went wrong",
        ("Stage, and what to try", "Questions", "Share", "0 to 100 %"),
        (
            [
                named(stage, MEND[stage]),
                f"{counts[stage]:,}",
                share(counts[stage] / found.overall.n),
                curves.proportion(counts[stage] / found.overall.n),
            ]
            for stage in ("right", *found.mend_next)
        ),
        ("", "number", "number", "picture"),
    )
    return [stages, *(_groups(by, groups) for by, groups in found.tables.items())]


def _groups(by: str, groups: Sequence[Group]) -> Html:
    failing = [stage for stage in STAGES[1:] if any(group.stages[stage] for group in groups)]
    return table(
        f"By {by}",
        (by.capitalize(), "Questions", "Right", "95 % interval", *map(str.capitalize, failing)),
        (
            [
                group.name,
                f"{group.n:,}",
                share(group.right.value),
                f"{100 * group.right.low:.0f} to {100 * group.right.high:.0f}",
                *(f"{group.stages[stage]:,}" if group.stages[stage] else "–" for stage in failing),
            ]
            for group in groups
        ),
        ("", *["number"] * (3 + len(failing))),
    )


def errors(found: Failures) -> list[Html]:
    """Return the examples of each stage, the most frequent stage first."""
    legend = element(
        "p",
        "The surest of each stage. In the passages ",
        element("mark", "a gold answer or quote", element("small", "gold"), class_="gold"),
        " and ",
        element("mark", "what the answer copied", element("small", "said"), class_="said"),
        " are marked, and where they meet ",
        element("mark", "both", element("small", "gold, said"), class_="both"),
        ".",
    )
    parts = []
    for stage in found.mend_next:
        count = found.overall.stages[stage]
        parts.append(element("h3", f"{stage.capitalize()} ({count:,})"))
        parts += [passages.error(each) for each in found.examples[stage]]
    return [legend, *parts] if parts else [element("p", "There are none.")]
