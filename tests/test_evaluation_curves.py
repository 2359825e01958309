import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation import curves
from tests.pages import Node, parsed

patient = settings(deadline=None, max_examples=40)
judged = st.lists(st.tuples(st.sampled_from([-math.inf, 0.0, 0.3, 0.5, 1.0]), st.booleans()), min_size=1, max_size=30)

# The picture's frame: x runs from 58 to 340 for 0 to 1, y from 216 up to 36.
X0, X1, Y0, Y1 = 58, 340, 216, 36


def points(node: Node) -> list[tuple[float, ...]]:
    return [tuple(map(float, pair.split(","))) for pair in node.attributes["points"].split()]


def line(svg: Node, kind: str) -> list[tuple[float, ...]]:
    return points(list(svg.all("polyline", kind))[-1])


def bars(svg: Node) -> list[float]:
    return [float(each.attributes["height"]) for each in svg.all("rect", "bar")]


def test_a_point_of_the_reliability_curve_stands_at_its_mean_and_its_share_right() -> None:
    # Four questions: 0.2 once right and once wrong, 0.9 right twice.
    svg = parsed(curves.reliability({"exact": ([0.2, 0.2, 0.9, 0.9], [True, False, True, True])}, bins=10).source)
    (low, high) = line(svg, "line-0")
    assert low == pytest.approx((X0 + 0.2 * 282, Y0 - 0.5 * 180), abs=0.05)
    assert high == pytest.approx((X0 + 0.9 * 282, Y1), abs=0.05)
    assert bars(svg) == [curves.STRIP, curves.STRIP]  # two questions in either


def test_questions_without_an_answer_promise_nothing_and_still_count_as_not_covered() -> None:
    sure, right = [0.5, 0.5, -math.inf, -math.inf], [True, False, False, False]
    svg = parsed(curves.reliability({"exact": (sure, right)}).source)
    assert len(bars(svg)) == 1
    # Half of the questions can be answered, at a risk of one half; the scale goes to 0.6.
    svg = parsed(curves.risk_coverage({"exact": (sure, right)}).source)
    (point,) = line(svg, "line-0")
    assert point == pytest.approx((X0 + 0.5 * 282, Y0 - 0.5 / 0.6 * 180), abs=0.05)


def test_the_risk_curve_goes_through_every_threshold() -> None:
    svg = parsed(curves.risk_coverage({"x": ([0.9, 0.8, 0.7, 0.6], [True, True, False, True])}).source)
    heights = [round((Y0 - y) / 180 * 0.4, 3) for _, y in line(svg, "line-0")]  # risks 0, 0, 1/3, 1/4; scale to 0.4
    assert heights == pytest.approx([0, 0, 1 / 3, 1 / 4], abs=0.002)


def test_ten_thousand_points_are_thinned_and_the_ends_stay() -> None:
    sure = [i / 10_000 for i in range(10_000)]
    svg = parsed(curves.risk_coverage({"x": (sure, [True] * 5000 + [False] * 5000)}).source)
    drawn = line(svg, "line-0")
    assert len(drawn) == curves.MOST_POINTS
    assert drawn[0][0] == pytest.approx(X0, abs=0.1)
    assert drawn[-1] == (X1, Y0 - 0.5 * 180)  # the surest are wrong, so the scale goes to 1


def test_lines_differ_in_their_marks_and_not_in_colour_alone() -> None:
    one = ([0.5, 0.9], [True, False])
    svg = parsed(curves.reliability({"a": one, "b": one, "c": one}).source)
    names = [[each.name for each in svg.all(class_=f"mark-{number}")] for number in range(3)]
    assert [set(each) for each in names] == [{"circle"}, {"rect"}, {"polygon"}]
    assert {"a", "b", "c"} <= {each.text for each in svg.all("text")}


def test_a_picture_is_named_for_who_does_not_see_it() -> None:
    for made in (curves.reliability({}), curves.risk_coverage({}), curves.histogram([1.0])):
        (svg,) = parsed(made.source).children
        assert isinstance(svg, Node)
        assert svg.attributes["role"] == "img"
        assert svg.attributes["aria-label"]


def test_the_histogram_counts_every_question() -> None:
    # Scale: the 99th percentile of these is 22, rounded up to 40; 24 bars of 1.67 ms. 3 at 1 to 1.5, 1 at 22.
    svg = parsed(curves.histogram([1.0, 1.2, 1.5, 22.0]).source)
    tallest, smallest = 180 / 1.05, 180 / 1.05 / 3
    assert bars(svg) == pytest.approx([tallest, smallest], abs=0.06)
    assert {"0", "10", "20", "30", "40", "3", "p50", "p95"} <= {each.text for each in svg.all("text")}
    assert line(svg, "line-0")[0][0] == pytest.approx(X0 + 1.35 / 40 * 282, abs=0.05)  # the median


@pytest.mark.parametrize("taken", [[0.0], [0.0, 0.0], [1e-9], [5.0] * 100, [1e9, 1.0]])
def test_any_times_can_be_drawn(taken: list[float]) -> None:
    assert bars(parsed(curves.histogram(taken).source))


@patient
@given(st.dictionaries(st.text(max_size=5), judged, max_size=3))
def test_whatever_was_measured_lies_within_the_picture(found: dict[str, list[tuple[float, bool]]]) -> None:
    series = {name: ([each for each, _ in rows], [right for _, right in rows]) for name, rows in found.items()}
    for made in (curves.reliability(series), curves.risk_coverage(series)):
        assert "nan" not in re.sub(r">[^<]*<", "", made.source)
        for each in parsed(made.source).all("polyline"):
            for x, y in points(each):
                assert 0 <= x <= curves.WIDTH
                assert 0 <= y <= curves.HEIGHT


def test_an_interval_is_drawn_from_end_to_end() -> None:
    svg = parsed(curves.interval(0.5, 0.25, 1.0).source)
    (whisker,) = svg.all("line", "whisker")
    assert (whisker.attributes["x1"], whisker.attributes["x2"]) == ("27", "96")  # 4 + 92 * 0.25, 4 + 92
    (dot,) = svg.all("circle")
    assert dot.attributes["cx"] == "50"
    assert next(svg.all("svg")).attributes["aria-hidden"] == "true"


def test_a_share_is_drawn_as_wide_as_it_is() -> None:
    (bar,) = parsed(curves.proportion(0.25).source).all("rect", "strong")
    assert bar.attributes["width"] == "25"
