"""What a comparison found, for a person: differences with their intervals, and the questions that flipped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from indexer import storage
from indexer.plurals import counted
from rag.evaluation import curves
from rag.evaluation.comparing import Comparison, Difference, Flip
from rag.evaluation.intervals import Score
from rag.evaluation.markup import Html, element, named, table, text, together
from rag.evaluation.report import report_page
from rag.evaluation.sections import meaning, share

EXAMPLES = 10
"""Flips shown of either sort."""


def write_comparison(found: Comparison, before: str, after: str, file: Path) -> None:
    """Write a page about a comparison of the runs that are called `before` and `after`."""
    storage.write_file(file, comparison_page(found, before, after).encode())


def comparison_page(found: Comparison, before: str, after: str) -> str:
    """Return a page of HTML like that of a run; what it is made from is data, and shown as text."""
    deciding = [each for each in found.differences if each.measure in found.deciding]
    parts: dict[str, tuple[str, Sequence[Html]]] = {
        "verdict": ("Verdict", [_verdict(found, deciding)]),
        "differences": ("Differences", [_differences(found)]),
        "flips": ("Questions that flipped", [_counts(found)]),
        "lost": (f"Lost ({len(found.lost):,})", _flips(found.lost)),
        "gained": (f"Gained ({len(found.gained):,})", _flips(found.gained)),
    }
    size = f": {counted(found.n, 'question')} in both. Intervals are 95 %, by resampling the questions."
    subtitle = together([element("bdi", before), ", then ", element("bdi", after), size])
    return report_page(f"{before} and {after} compared", subtitle, {}, parts)


def _verdict(found: Comparison, deciding: Sequence[Difference]) -> Html:
    told = {
        "worse": "The second run is worse.",
        "better": "The second run is better.",
        "no difference shown": "No difference is shown.",
    }
    facts = [
        f"{each.measure} {_moved(each.effect.difference)} points ({_ends(each.effect.difference)}), p = {each.p:.4f}"
        for each in deciding
    ]
    return together([element("p", element("strong", told[found.verdict])), element("p", "; ".join(facts) + ".")])


def _differences(found: Comparison) -> Html:
    widest = max((_reach(each.effect.difference) for each in found.differences), default=0.0)
    return table(
        "Each measure, before and after",
        (
            "Measure",
            "Before",
            "After",
            "Difference",
            "95 % interval",
            "p",
            "Worse or better",
            f"± {100 * widest:.0f} points",
        ),
        (
            [
                named(each.measure, meaning(each.measure)),
                share(each.effect.before.value),
                share(each.effect.after.value),
                _moved(each.effect.difference),
                _ends(each.effect.difference),
                f"{each.p:.4f}",
                each.verdict(found.alpha) if each.direction else "neither",
                _bar(each.effect.difference, widest),
            ]
            for each in found.differences
        ),
        ("", *["number"] * 5, "", "picture"),
    )


def _moved(difference: Score) -> str:
    return _signed(difference.value)


def _ends(difference: Score) -> str:
    return f"{_signed(difference.low)} to {_signed(difference.high)}"


def _signed(of_one: float) -> str:
    return f"{round(100 * of_one, 1) + 0.0:+.1f}"  # no -0.0


def _reach(difference: Score) -> float:
    """Return how far from zero an interval goes; 0 where there is none."""
    return max((abs(each) for each in (difference.low, difference.high, difference.value) if each == each), default=0.0)


def _bar(difference: Score, widest: float) -> Html:
    """Return an interval on a scale with zero in its middle."""
    if not widest or difference.low != difference.low:
        return text("")
    value, low, high = ((each / widest + 1) / 2 for each in (difference.value, difference.low, difference.high))
    return curves.interval(value, low, high, zero=True)


def _counts(found: Comparison) -> Html:
    rows = [
        ["Right before", f"{found.both_right:,}", f"{len(found.lost):,}"],
        ["Wrong before", f"{len(found.gained):,}", f"{found.both_wrong:,}"],
    ]
    return table(
        "How many were right before, and are now",
        ("Questions", "Right now", "Wrong now"),
        rows,
        ("", "number", "number"),
    )


def _flips(flips: Sequence[Flip]) -> list[Html]:
    shown = [_flip(each) for each in flips[:EXAMPLES]]
    rest = len(flips) - len(shown)
    return [*shown, element("p", f"And {rest:,} more.", class_="soft")] if rest else shown


def _flip(flip: Flip) -> Html:
    golds: list[Html | str] = []
    for answer in flip.answers[:5]:
        golds += [element("mark", element("bdi", answer), class_="gold"), " "]
    entries = {
        "Gold": together(golds) if golds else element("em", "none"),
        "Before": element("bdi", flip.before) if flip.before else element("em", "refused"),
        "After": element("bdi", flip.after) if flip.after else element("em", "refused"),
        "Question id": element("bdi", flip.id),
    }
    parts = [part for name, content in entries.items() for part in (element("dt", name), element("dd", content))]
    return element("article", element("h3", element("bdi", flip.question or flip.id)), element("dl", *parts))
