"""The parts of a report that tell scores, confidence and origin. Knows rows, and no page around them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.evaluation import curves, metrics
from rag.evaluation.judging import RIGHT, confidence_of
from rag.evaluation.markup import Html, element, more, named, table, text, together
from rag.evaluation.rows import RetrievalRow, Row
from rag.evaluation.scores import by_kind

HARDEST = 20
"""Queries shown of a search."""
_CRITERIA = {"": "exact", " (f1>=0.5)": "F1 ≥ 0.5", " (contains)": "contains it"}
_MEANINGS = {
    "em": "exactly a gold answer, punctuation, case and articles apart",
    "f1": "words shared with the nearest gold answer",
    "em@best": "the same of the best answer whatever its confidence, where there is one to find",
    "f1@best": "the same of the best answer whatever its confidence, where there is one to find",
    "em@given": "the same of what is given, a refusal being an empty answer",
    "f1@given": "the same of what is given, a refusal being an empty answer",
    "contains": "best answers that hold a gold answer, whole words",
    "answered": "questions that are answered and not refused",
    "helpful": "questions whose given answer holds a gold one, or that have none and are refused",
    "offsets": "best answers whose words stand in the passages where they say",
    "answered@max_error=0.1": "questions that are answered where one answer in ten may be wrong",
    "precision@max_error=0.1": "of these answers, those that are right",
    "precision": "given answers that are right",
    "answer_recall": "questions for which a passage read holds a gold answer",
    "source_recall": "gold sources of which a passage was read",
    "quote_recall": "gold quotes that stand in a passage read",
    "citation_precision": "footnotes whose quote holds a gold answer",
    "citation_recall": "words of given answers that stand under a footnote",
    "refusal_precision": "refused questions that have no answer",
    "refusal_recall": "questions without an answer that are refused",
    "answer, answerable": "questions with an answer that are answered",
    "unsure, answerable": "questions with an answer for which the closest evidence is shown",
    "none, answerable": "questions with an answer for which nothing is found",
    "answer, unanswerable": "questions without an answer that are answered",
    "unsure, unanswerable": "questions without an answer for which the closest evidence is shown",
    "none, unanswerable": "questions without an answer for which nothing is found",
    "unsure_precision": "of what is shown as the closest evidence, quotes that hold a gold answer",
    "answered_or_shown": "questions whose answer, or whose closest evidence, holds a gold answer",
    "ece": "how far confidence is from the share that is right (less is better)",
    "brier": "mean squared distance of confidence from right or wrong (less is better)",
    "auroc": "chance that a right answer has more confidence than a wrong one",
    "aurc": "mean share wrong, over all shares answered (less is better)",
    "coverage": "questions answered with that share of the answers right",
    "ndcg": "how far up what is relevant stands, of the best order there is",
    "recall": "relevant documents that are among so many",
    "mrr": "one over the rank of the first relevant document",
    "map": "precision at each relevant document, on average",
    "p": "of so many documents those that are relevant",
}
"""By the name of a score, up to what follows "@" or a criterion where it is not listed itself."""

Numbers = Mapping[str, Any]
"""A score as scores.json has it: value, low and high, null where it is not defined."""


def tile(name: str, score: Numbers) -> Html:
    """Return a score in large figures, for the top of the page."""
    return element(
        "div",
        element("dt", named(name)),
        element(
            "dd", element("span", percent(score), class_="large"), " ", element("span", ends(score), class_="small")
        ),
    )


# Scores


def percent(score: Numbers) -> str:
    """Return the value of a score in per cent, a dash where it is not defined."""
    return "–" if score.get("value") is None else f"{100 * score['value']:.1f} %"


def ends(score: Numbers) -> str:
    """Return the ends of the interval in per cent, "" where it is not defined."""
    if score.get("low") is None or score.get("high") is None:
        return ""
    return f"{100 * score['low']:.1f} to {100 * score['high']:.1f}"


def _bar(score: Numbers) -> Html:
    if any(score.get(key) is None for key in ("value", "low", "high")):
        return text("")
    return curves.interval(score["value"], score["low"], score["high"])


def meaning(name: str) -> str:
    """Return what a score says, in a few words; "" for one that is not known here."""
    name = name.partition(",")[0]
    return _MEANINGS.get(name) or _MEANINGS.get(name.partition("@")[0], "")


def score_table(scores: Mapping[str, Numbers]) -> Html:
    """Return all scores with their intervals and what they mean; those by other criteria of right are folded away."""
    strict = {name: score for name, score in scores.items() if not name.endswith(")")}
    others = {name: score for name, score in scores.items() if name.endswith(")")}
    columns = ("Score", "Value", "95 % interval", "0 to 100 %")
    kinds = ("", "number", "number", "picture")

    def listed(caption: str, chosen: Mapping[str, Numbers]) -> Html:
        return table(
            caption,
            columns,
            (
                [named(name, meaning(_plain(name))), percent(each), ends(each), _bar(each)]
                for name, each in chosen.items()
            ),
            kinds,
        )

    parts = [listed("Scores of all questions", strict)]
    if others:
        parts.append(more("The same where less than an exact match counts as right", listed("Other criteria", others)))
    return together(parts)


def kind_table(rows: Sequence[Row]) -> list[Html]:
    """Return what `scores.by_kind` tells as a table; [] where the questions are of one kind."""
    found = by_kind(rows)
    if not found:
        return []
    measures = list(next(iter(found.values()))[1])
    lines = (
        [kind, f"{n:,}", *("–" if math.isnan(values[name]) else share(values[name]) for name in measures)]
        for kind, (n, values) in found.items()
    )
    head = ("Kind", "Questions", *measures)
    return [
        table(
            "Scores by kind of question, em and f1 of what is given",
            head,
            lines,
            ("", *["number"] * (1 + len(measures))),
        )
    ]


def _plain(name: str) -> str:
    """Return the name of a score without its criterion of right."""
    return name.partition(" (")[0]


def arm_table(arms: Mapping[str, Mapping[str, Numbers]]) -> Html:
    """Return the scores of a search: a row a measure, a column an arm."""
    measures = list(dict.fromkeys(measure for scores in arms.values() for measure in scores))
    return table(
        "Scores by arm of the search, with 95 % intervals",
        ("Measure", *arms),
        (
            [named(measure, meaning(measure)), *(_told(scores.get(measure, {})) for scores in arms.values())]
            for measure in measures
        ),
        ("", *["number"] * len(arms)),
    )


def _told(score: Numbers) -> Html:
    return together([percent(score), element("br"), element("span", ends(score), class_="soft")])


# Confidence


def confidence(rows: Sequence[Row]) -> list[Html]:
    """Return the reliability and the risk-coverage curve by each criterion of right; [] where nothing was said."""
    sure = [confidence_of(row) for row in rows]
    if not any(each >= 0 for each in sure):
        return []
    judged = {_CRITERIA[key]: (sure, [is_right(row) for row in rows]) for key, is_right in RIGHT.items()}
    return [
        element(
            "div",
            _figure(
                curves.reliability(judged),
                "On the dotted line a confidence means what it says; above it, it is too modest, below it, too sure. "
                "Bars: how many questions have that confidence. What is right: see the legend.",
                _reliability_table(judged),
            ),
            _figure(
                curves.risk_coverage(judged),
                "The surest questions are answered first. Dotted: one answer in ten is wrong.",
                _coverage_table(judged),
            ),
            class_="figures",
        )
    ]


def _figure(picture: Html, caption: str, numbers: Html) -> Html:
    return element("figure", picture, element("figcaption", caption, more("The numbers", numbers)))


def _reliability_table(judged: Mapping[str, curves.Judged]) -> Html:
    tables = []
    for confidences, right in judged.values():
        said = [(each, kept) for each, kept in zip(confidences, right, strict=True) if each >= 0]
        tables.append(metrics.reliability([each for each, _ in said], [kept for _, kept in said]))
    return table(
        "Reliability",
        ("Confidence", "Questions", "Mean", *judged),
        (
            [
                f"{100 * row[0].low:.0f} to {100 * row[0].high:.0f} %",
                f"{row[0].count:,}",
                share(row[0].confidence),
                *(share(each.right) for each in row),
            ]
            for row in zip(*tables, strict=True)
            if row[0].count
        ),
        ("", *["number"] * (2 + len(judged))),
    )


def _coverage_table(judged: Mapping[str, curves.Judged]) -> Html:
    lines = [metrics.risk_coverage(*each) for each in judged.values()]

    def risk(points: Sequence[metrics.Operating], answered: float) -> str:
        reached = [point.risk for point in points if point.coverage >= answered]
        return share(reached[0]) if reached else "–"

    return table(
        "Share wrong, by the share answered at least",
        ("Answered", *judged),
        ([f"{tenth}0 %", *(risk(points, tenth / 10 - 1e-9) for points in lines)] for tenth in range(1, 11)),
        ("", *["number"] * len(judged)),
    )


def share(of_one: float) -> str:
    """Return a share of one in per cent."""
    return f"{100 * of_one:.1f} %"


# Queries


def hardest(rankings: Sequence[RetrievalRow]) -> Html:
    """Return the queries whose first relevant document stands furthest down in the last arm, which is the fusion."""
    arms = list(dict.fromkeys(row.arm for row in rankings))
    ranks: dict[str, dict[str, float]] = {}
    for row in rankings:
        places = (rank for rank, (document, _) in enumerate(row.ranking, 1) if row.relevant.get(document, 0) > 0)
        ranks.setdefault(row.query_id, {})[row.arm] = next(places, math.inf)
    asked = {row.query_id: row.question or row.query_id for row in rankings}
    relevant = {row.query_id: [doc for doc, grade in row.relevant.items() if grade > 0] for row in rankings}
    order = sorted(ranks, key=lambda query: (-ranks[query].get(arms[-1], math.inf), query))[:HARDEST]
    return table(
        "Where the first relevant document stands",
        ("Query", *arms, "Relevant"),
        (
            [
                asked[query],
                *(f"{ranks[query][arm]:.0f}" if ranks[query].get(arm, math.inf) < math.inf else "–" for arm in arms),
                ", ".join(relevant[query][:3]) + (", …" if len(relevant[query]) > 3 else ""),
            ]
            for query in order
        ),
        ("", *["number"] * len(arms), "path"),
    )


# How it was made


def manifest_table(manifest: Mapping[str, Any]) -> Html:
    """Return everything that a run was made with, a row a value."""
    return table(
        "Manifest: with the same, a run gives the same numbers to the last digit",
        ("Key", "Value"),
        ([key, value] for key, value in _flat(manifest)),
        ("", "path"),
    )


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, each in value.items():
        if isinstance(each, Mapping) and each:
            yield from _flat(each, f"{above}{key}.")
        else:
            yield f"{above}{key}", each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)
