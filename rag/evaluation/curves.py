"""Curves of a report as inline SVG: reliability, risk against coverage, latencies. Knows numbers, and no run.

Colours come from the page's style sheet by class, so that a picture follows light and dark; lines differ in their
dashes and in their marks too, for who sees no colours. Drawn as wide as a telephone, and scaled up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.evaluation import metrics
from rag.evaluation.markup import Html, element, together

Judged = tuple[Sequence[float], Sequence[bool]]
"""Confidences, and whether each answer was right; -inf where there was nothing to say."""

WIDTH, HEIGHT = 360, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 20, 36, 44
"""Margins, in the picture's own units: about a pixel on a telephone."""
MOST_POINTS = 300
"""Of one line; more cannot be told apart."""
BARS = 24
STRIP = 34
"""Height of the bars under the reliability curve."""


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where numbers come to stand: x from 0 to `x_most`, y from 0 to `y_most`."""

    x_most: float
    y_most: float

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / self.x_most

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.y_most


def reliability(judged: Mapping[str, Judged], bins: int = 15) -> Html:
    """Return a reliability diagram: what was promised against what was kept, a line for each criterion of right.

    The points are those of `metrics.reliability` that hold a question; bars below say how many each holds.
    """
    axes = _Axes(1, 1)
    parts = [*_frame(axes, "confidence", "share right", _in_per_cent(0.25), _in_per_cent(0.25))]
    parts.append(_line([(axes.x(0), axes.y(0)), (axes.x(1), axes.y(1))], "ideal"))
    for number, (confidences, right) in enumerate(judged.values()):
        said = [(each, kept) for each, kept in zip(confidences, right, strict=True) if each >= 0]
        if not said:
            continue
        found = metrics.reliability([each for each, _ in said], [kept for _, kept in said], bins)
        if number == 0:
            most = max(each.count for each in found)
            parts += [_bar(axes, each.low, each.high, STRIP * each.count / most) for each in found if each.count]
        points = [(axes.x(each.confidence), axes.y(each.right)) for each in found if each.count]
        parts += [_line(points, f"line-{number}"), *(_mark(x, y, number) for x, y in points)]
    return _picture("Reliability: confidence against the share that is right", parts, list(judged))


def risk_coverage(judged: Mapping[str, Judged], risk: float = 0.1) -> Html:
    """Return the risk-coverage curve: the share wrong when the surest share is answered, with a line at `risk`."""
    lines = {name: metrics.risk_coverage(*each) if len(each[0]) else [] for name, each in judged.items()}
    worst = max((point.risk for points in lines.values() for point in points), default=0.0)
    axes = _Axes(1, min(1.0, max(0.2, math.ceil(worst * 10 + 0.5) / 10)))
    step = 0.1 if axes.y_most <= 0.5 else 0.2
    parts = [*_frame(axes, "share answered", "share wrong", _in_per_cent(0.25), _in_per_cent(step, axes.y_most))]
    parts.append(_line([(axes.x(0), axes.y(risk)), (axes.x(1), axes.y(risk))], "ideal"))
    for number, points in enumerate(lines.values()):
        places = [(axes.x(point.coverage), axes.y(point.risk)) for point in _thinned(points)]
        parts += [_line(places, f"line-{number}"), *(_mark(x, y, number) for x, y in places[-1:])]
    return _picture("Risk against coverage: the share wrong, by the share answered", parts, list(judged))


def histogram(milliseconds: Sequence[float]) -> Html:
    """Return how often a question took how long, with the median and the 95th percentile.

    The last bar holds all that took longer than the 99th percentile.
    """
    taken = np.asarray(milliseconds, dtype=np.float64)
    most = _round_up(float(np.quantile(taken, 0.99)))
    counts, edges = np.histogram(np.minimum(taken, most), BARS, (0, most))
    axes = _Axes(most, float(counts.max()) * 1.05)
    ticks = {most * i / 4: f"{most * i / 4:,.4g}" for i in range(5)}
    highest = int(counts.max())
    parts = [*_frame(axes, "milliseconds", "questions", ticks, {0: "0", highest: f"{highest:,}"})]
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        if count:
            parts.append(_bar(axes, float(low), float(high), axes.y(0) - axes.y(float(count)), "bar strong"))
    for number, (name, share) in enumerate((("p50", 0.5), ("p95", 0.95))):
        at, top = axes.x(min(most, float(np.quantile(taken, share)))), 18 + 14 * number
        parts.append(_line([(at, top - 8), (at, axes.y(0))], f"line-{number}"))
        parts.append(_text(at - 4, top, name, anchor="end"))
    return _picture("Latency: how many questions took how long", parts, [])


def interval(value: float, low: float, high: float, *, zero: bool = False) -> Html:
    """Return a score and its interval on a scale from 0 to 1, for a cell of a table which says the same in words.

    With `zero`, the middle is marked, for differences.
    """
    x = [4 + 92 * min(1.0, max(0.0, each)) for each in (low, value, high)]
    return element(
        "svg",
        element("line", x1=4, y1=7, x2=96, y2=7, class_="axis"),
        *([element("line", x1=50, y1=1, x2=50, y2=13, class_="axis")] if zero else []),
        element("line", x1=x[0], y1=7, x2=x[2], y2=7, class_="whisker"),
        element("circle", cx=x[1], cy=7, r=3.5, class_="dot"),
        viewBox="0 0 100 14",
        class_="interval",
        aria_hidden="true",
    )


def proportion(share: float) -> Html:
    """Return a share as a bar, for a cell of a table which says the same in words."""
    return element(
        "svg",
        element("rect", x=0, y=2, width=100, height=10, class_="track"),
        element("rect", x=0, y=2, width=100 * share, height=10, class_="bar strong"),
        viewBox="0 0 100 14",
        class_="interval",
        aria_hidden="true",
    )


def _picture(title: str, parts: Sequence[Html], names: Sequence[str]) -> Html:
    legend: list[Html] = []
    x = float(LEFT)
    for number, name in enumerate(names):
        legend += [_line([(x, 14), (x + 18, 14)], f"line-{number}"), _mark(x + 9, 14, number), _text(x + 23, 18, name)]
        x += 23 + 6.5 * len(name) + 12  # about the width of the name
    return element(
        "svg", together(legend), together(parts), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title
    )


def _frame(
    axes: _Axes, x_name: str, y_name: str, x_ticks: Mapping[float, str], y_ticks: Mapping[float, str]
) -> list[Html]:
    parts = []
    for value, name in y_ticks.items():
        parts.append(_line([(LEFT, axes.y(value)), (WIDTH - RIGHT, axes.y(value))], "grid"))
        parts.append(_text(LEFT - 6, axes.y(value) + 4, name, anchor="end"))
    for value, name in x_ticks.items():
        parts.append(_text(axes.x(value), HEIGHT - BOTTOM + 16, name, anchor="middle"))
    corner = [(LEFT, TOP), (LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM)]
    parts.append(_line([(float(x), float(y)) for x, y in corner], "axis"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_name, anchor="middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_text(11, middle, y_name, anchor="middle", transform=f"rotate(-90 11 {middle:g})"))
    return parts


def _line(points: Sequence[tuple[float, float]], kind: str) -> Html:
    return element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=kind)


def _text(x: float, y: float, content: str, anchor: str = "start", **more: str) -> Html:
    return element("text", content, x=x, y=y, text_anchor=anchor, **more)


def _bar(axes: _Axes, low: float, high: float, height: float, kind: str = "bar") -> Html:
    left, right = axes.x(low) + 0.5, axes.x(high) - 0.5
    height = max(height, 1.0)  # one question is seen, too
    return element("rect", x=left, y=axes.y(0) - height, width=right - left, height=height, class_=kind)


def _mark(x: float, y: float, number: int) -> Html:
    """Return a point: a disc, a square or a triangle, by the number of its line."""
    kind = f"mark-{number}"
    if number % 3 == 0:
        return element("circle", cx=x, cy=y, r=3.4, class_=kind)
    if number % 3 == 1:
        return element("rect", x=x - 3, y=y - 3, width=6.0, height=6.0, class_=kind)
    return element(
        "polygon", points=f"{x:.1f},{y - 4:.1f} {x - 4:.1f},{y + 3:.1f} {x + 4:.1f},{y + 3:.1f}", class_=kind
    )


def _thinned(points: Sequence[metrics.Operating]) -> list[metrics.Operating]:
    """Return so many of the points, evenly over them, the first and the last among them."""
    if len(points) <= MOST_POINTS:
        return list(points)
    places = np.linspace(0, len(points) - 1, MOST_POINTS).round().astype(int)
    return [points[place] for place in places]


def _in_per_cent(step: float, most: float = 1.0) -> dict[float, str]:
    values = np.arange(0, most + step / 2, step).round(6)
    return {float(value): f"{100 * value:g} %" for value in values if value <= most}


def _round_up(value: float) -> float:
    """Return the least of 1, 2, 4, 6, 8 or 10 times a power of ten that is not less."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(times * power for times in (1, 2, 4, 6, 8, 10) if times * power >= value * (1 - 1e-9))
