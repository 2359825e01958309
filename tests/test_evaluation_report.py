import base64
import hashlib
import itertools
import json
import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import NotFound
from rag.evaluation.intervals import Score
from rag.evaluation.report import answers_report, search_report, write_report
from rag.evaluation.rows import Row
from rag.evaluation.runs import Receipt, RunFolder
from tests.evaluation_rows import TOWER, ranked, row
from tests.pages import Node, parsed

CSS = resources.files("rag.evaluation").joinpath("report.css").read_text(encoding="utf-8")
EVIL = "</style></title><script>alert(1)</script><img src=//e.vil/x onerror=alert(2)>\"'><iframe src=javascript:x>"
TIMES = {"embed": 8.0, "retrieve": 4.0, "generate": 30.0}
MANIFEST = {
    "command": "qa",
    "data": {"name": "handbook.jsonl", "sha256": "ab" * 32},
    "generator": {"name": "copying"},
    "collection": None,
    "options": {"given": True, "limit": None},
}


def number(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, float | None]:
    return {"value": value, "low": value if low is None else low, "high": value if high is None else high}


SCORES = {
    "em": number(0.25, 0.1, 0.4),
    "f1": number(0.5),
    "ece": number(None),
    "ece (f1>=0.5)": number(0.125),
    "coverage@precision=0.9": number(0.1),
    "coverage@precision=0.9, answerable": number(0.2),
}
SPEED = {
    "asked_alone": 4,
    "latency_ms": {"ask": {"p50": 42.0, "p95": 50.5}},
    "questions_per_second": 1234.5,
    "peak_memory_mb": 800.0,
}
RECEIPTS = [Receipt(40, 1, together=36, seconds=1.8)]


def some(n: int = 40) -> list[Row]:
    chance = random.Random(n)
    said = ["Paris", "330 metres", "Eiffel Tower in Paris", ""]
    return [
        row(
            f"q{i}",
            chance.choice([["Paris"], ["London"], []]),
            chance.choice(said),
            confidence=chance.random(),
            timings=TIMES,
        )
        for i in range(n)
    ]


def answers(
    rows: Sequence[Row] | None = None, scores: Mapping[str, Any] = SCORES, manifest: Mapping[str, Any] = MANIFEST
) -> str:
    rows = some() if rows is None else rows
    return answers_report("run-1", manifest, {"scores": scores, "n": len(rows)}, rows, SPEED, RECEIPTS)


def tables(page: Node) -> dict[str, list[list[str]]]:
    """Return the cells of every table's rows, by caption."""
    found = {}
    for each in page.all("table"):
        (body,) = each.all("tbody")
        cells = [[cell.text for cell in line.children if isinstance(cell, Node)] for line in body.all("tr")]
        found[next(each.all("caption")).text] = cells
    return found


# What it says


def test_it_is_called_after_its_data_and_says_what_answered() -> None:
    page = parsed(answers())
    assert next(page.all("title")).text == "Evaluation: handbook.jsonl"
    assert [each.text for each in page.all("h1")] == ["Evaluation: handbook.jsonl"]
    subtitle = next(page.all("p")).text
    assert subtitle.startswith("40 questions, answered by copying, from the passages given.")


def test_every_score_stands_there_with_its_interval_and_its_meaning() -> None:
    found = tables(parsed(answers()))
    cells = {line[0]: line[1:3] for line in found["Scores of all questions"]}
    assert cells["emexactly a gold answer, punctuation, case and articles apart"] == ["25.0 %", "10.0 to 40.0"]
    assert [value for name, value in cells.items() if name.startswith("ece")] == [["–", ""]]
    assert [line[1] for line in found["Other criteria"]] == ["12.5 %"]


def test_the_first_scores_stand_in_large_figures() -> None:
    (tiles,) = parsed(answers()).all("dl", "tiles")
    assert [
        (each.children[0].text, next(each.all(class_="large")).text)
        for each in tiles.all("div")
        if isinstance(each.children[0], Node)
    ] == [
        ("em", "25.0 %"),
        ("f1", "50.0 %"),
        ("coverage@precision=0.9", "10.0 %"),
    ]


def test_the_table_of_stages_tells_what_to_mend_next() -> None:
    rows = [row("a", said="Paris"), row("b", ["London"], "330"), row("c", ["London"], "330"), row("d", [], "Paris")]
    stages = tables(parsed(answers(rows)))["Questions by the stage at which they went wrong"]
    assert [(line[0].partition("No passage")[0].partition("There was")[0], *line[1:3]) for line in stages] == [
        ("right", "1", "25.0 %"),
        ("not retrieved", "2", "50.0 %"),
        ("wrongly answered", "1", "25.0 %"),
    ]


def test_the_surest_errors_are_shown_with_their_passages() -> None:
    rows = [row(f"q{i}", ["London"], "330", confidence=i / 20, question=f"Question {i}?") for i in range(20)]
    page = parsed(answers(rows))
    assert [each.text for each in page.all("h4")] == [f"Question {i}?" for i in (19, 18, 17, 16, 15)]
    assert all(TOWER.partition("330")[0] in each.text for each in page.all("article"))


def test_a_run_without_errors_says_so() -> None:
    page = parsed(answers([row(said="Paris")]))
    assert "There are none." in page.text


def test_the_curves_come_with_their_numbers() -> None:
    rows = [row("a", said="Paris", confidence=0.95), row("b", said="330", confidence=0.95), row("c", said="")]
    found = tables(parsed(answers(rows)))
    assert found["Reliability"] == [["93 to 100 %", "2", "95.0 %", "50.0 %", "50.0 %", "50.0 %"]]
    assert found["Share wrong, by the share answered at least"][5:7] == [
        ["60 %"] + ["50.0 %"] * 3,
        ["70 %"] + ["–"] * 3,
    ]


def test_how_long_it_took_is_told() -> None:
    page = parsed(answers())
    assert "Questions a second, in batches: 1,234.5" in page.text
    assert tables(page)["Milliseconds"] == [["ask", "42.0", "50.5"]]
    assert (
        len([each for each in page.all("svg") if "Latency" in each.attributes.get("aria-label", "")]) == 2
    )  # asked alone, and in batches


def test_what_was_not_measured_is_left_out() -> None:
    page = parsed(answers_report("x", {}, {"scores": {}, "n": 0}, []))
    assert [each.text for each in page.all("h2")] == ["Scores", "How it was made"]
    page = parsed(answers([row(said=""), row("b", [], said="")]))
    assert "What the confidence is worth" not in page.text


def test_the_manifest_stands_there_a_row_a_value() -> None:
    made = tables(parsed(answers()))["Manifest: with the same, a run gives the same numbers to the last digit"]
    assert ["data.name", "handbook.jsonl"] in made
    assert ["options.limit", "null"] in made


# A search


def searched() -> str:
    rows = [
        each
        for query, places in {"q1": (1, 2), "q2": (2, 0), "q3": (3, 1)}.items()
        for arm, place in zip(("words", "hybrid"), places, strict=True)
        for each in [ranked(query, ["d"] * (place - 1) + ["gold"] if place else ["d"], {"gold": 1, "no": 0}, arm)]
    ]
    arms = {"words": {"ndcg@10": number(0.5)}, "hybrid": {"ndcg@10": number(0.75, 0.5, 1.0)}}
    speed = {"latency_ms": {"words": {"p50": 1.0, "p95": 2.0}}}
    return search_report("run-2", {"command": "retrieval"}, {"scores": arms, "n": 3}, rows, speed)


def test_a_search_is_told_arm_by_arm() -> None:
    page = parsed(searched())
    found = tables(page)
    (ndcg,) = found["Scores by arm of the search, with 95 % intervals"]
    assert ndcg[0].startswith("ndcg@10")
    assert ndcg[1:] == ["50.0 %50.0 to 50.0", "75.0 %50.0 to 100.0"]
    assert found["Milliseconds"] == [["words", "1.0", "2.0"]]
    assert "3 queries" in page.text


def test_the_queries_that_the_fusion_finds_last_come_first() -> None:
    hardest = tables(parsed(searched()))["Where the first relevant document stands"]
    assert hardest == [["q2", "2", "–", "gold"], ["q1", "1", "2", "gold"], ["q3", "3", "1", "gold"]]


# What it must not do


def hostile() -> str:
    rows = [
        row(f"{EVIL}{i}", [EVIL, "Paris"], "330", question=EVIL, kind=EVIL, passages=[f"{EVIL} Paris 330 {EVIL}"])
        for i in range(3)
    ]
    manifest = {"data": {"name": EVIL, EVIL: EVIL}, "generator": {"name": EVIL}, "collection": {"name": EVIL}}
    scores = {EVIL: number(0.5), f"{EVIL} (x)": number(0.5)}
    speed = {"latency_ms": {EVIL: {"p50": 1.0, "p95": 2.0}}}
    return answers_report(EVIL, manifest, {"scores": scores, "n": 3}, rows, speed)


@pytest.mark.parametrize("made", [hostile, answers, searched])
def test_nothing_in_it_can_run_or_reach_out(made: Any) -> None:
    page = parsed(made())
    names = {each.name for each in page.all()}
    assert not names & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "link",
        "base",
        "image",
        "use",
        "foreignobject",
    }
    for each in page.all():
        assert not [name for name in each.attributes if name.startswith("on") or name in ("style", "src", "srcset")]
        assert each.attributes.get("href", "#").startswith("#")


def test_what_a_hostile_document_says_is_there_to_be_read() -> None:
    page = parsed(hostile())
    assert next(page.all("title")).text == f"Evaluation: {EVIL}"
    assert {each.text for each in page.all("h4")} == {EVIL}
    assert len(list(page.all("style"))) == 1


def test_the_page_forbids_itself_whatever_it_does_not_need() -> None:
    page = parsed(answers())
    policy = next(
        each.attributes["content"]
        for each in page.all("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    digest = base64.b64encode(hashlib.sha256(next(page.all("style")).text.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_a_hundred_long_passages_make_no_large_file() -> None:
    rows = [row(f"q{i}", ["Paris"], "330", passages=[TOWER + "x" * 100_000] * 5) for i in range(200)]
    assert len(answers(rows)) < 200_000


# Who it is for


@pytest.mark.parametrize("made", [answers, searched])
def test_it_can_be_found_through_without_seeing_it(made: Any) -> None:
    page = parsed(made())
    ids = [each.attributes["id"] for each in page.all() if "id" in each.attributes]
    assert len(set(ids)) == len(ids)
    for each in page.all():
        if "aria-labelledby" in each.attributes:
            assert each.attributes["aria-labelledby"] in ids
        if each.name == "a":
            assert each.attributes["href"][1:] in ids
        if each.name == "svg":
            assert each.attributes.get("aria-hidden") == "true" or each.attributes["aria-label"]
        if each.name == "th":
            assert each.text.strip()
    levels = [int(each.name[1]) for each in page.all() if re.fullmatch("h[1-6]", each.name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert next(page.all("html")).attributes["lang"] == "en"
    assert len(list(page.all("main"))) == 1


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", css))


LIGHT = colours(CSS.partition("@media")[0])
DARK = LIGHT | colours(CSS.partition("@media (prefers-color-scheme: dark)")[2].partition("* {")[0])


def contrast(one: str, other: str) -> float:
    """Return the contrast of WCAG 2.2: (L1 + 0.05) / (L2 + 0.05), with the relative luminances of sRGB."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_of_contrast_is_the_known_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_everything_can_be_read_in_light_and_in_dark(scheme: dict[str, str]) -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for what a picture needs to be understood."""
    for ground in ("ground", "panel"):
        for ink in ("ink", "soft", "link"):
            assert contrast(scheme[ink], scheme[ground]) >= 4.5, (ink, ground)
        for ink in ("control", "line-0", "line-1", "line-2", "strong"):
            assert contrast(scheme[ink], scheme[ground]) >= 3, (ink, ground)
    for mark in ("gold", "said", "both", "bare"):
        assert contrast(scheme["ink"], scheme[mark]) >= 4.5, mark


def test_both_schemes_have_their_own_colours() -> None:
    assert len(LIGHT) == len(colours(CSS.partition("@media (prefers-color-scheme: dark)")[2])) > 10


def test_every_class_of_the_page_is_known_to_its_style() -> None:
    used = {name for each in parsed(answers()).all() for name in each.attributes.get("class", "").split()}
    assert {name for name in used if f".{name}" not in CSS} <= {"mark-0", "large", "small"}


# Folders


def test_it_is_written_into_a_run_that_has_finished_and_only_there(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", MANIFEST)
    with run.writing():
        run.append(some(10))
    with pytest.raises(NotFound, match="has not finished"):
        write_report(run)
    run.finish({"em": Score(0.5, 0.25, 0.75), "auroc": Score(math.nan, math.nan, math.nan)})
    file = write_report(run)
    assert file == tmp_path / "run" / "report.html"
    assert "50.0 %" in parsed(file.read_text(encoding="utf-8")).text
    once = file.read_bytes()
    assert write_report(run).read_bytes() == once


def test_lone_surrogates_in_a_run_do_not_stop_its_report(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {"command": "qa", "data": {"name": json.loads('"\\ud800"')}})
    with run.writing():
        run.append([row("a", ["\ud800"], "330", passages=["330 \ud800"])])
    run.finish({"em": Score(0.0, 0.0, 0.0)})
    assert "\ufffd" in write_report(run).read_text(encoding="utf-8")


def test_questions_that_were_read_together_have_a_histogram_of_their_own() -> None:
    """Of a run that asked nothing alone, there was no picture of its speed at all."""
    untimed = [replace(each, timings_ms={}) for each in some()]
    written = answers_report("x", {}, {"scores": {}, "n": 40}, untimed, {}, RECEIPTS)
    assert "The 36 questions that were read in batches" in written
    assert "and not how long anybody waits" in written
    assert "asked alone" not in written
    assert "read in batches" not in answers_report("x", {}, {"scores": {}, "n": 40}, untimed)


def test_kinds_of_questions_are_told_apart() -> None:
    rows = [row("a", said="Paris", kind="direct"), row("b", [], said="Rome", kind="far")]
    written = tables(parsed(answers(rows)))["Scores by kind of question, em and f1 of what is given"]
    assert [cells[:2] for cells in written] == [["direct", "1"], ["far", "1"], ["all answerable", "1"]]
    assert "Scores by kind of question, em and f1 of what is given" not in tables(parsed(answers(rows[:1])))
