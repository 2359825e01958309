"""The report of a run for a person: one file of HTML that needs nothing else, and runs nothing.

No script, no picture and no font comes from anywhere; the page forbids itself all of it (Content-Security-Policy), so
that even a mistake in escaping could do nothing. The same run gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from indexer import storage
from rag.evaluation import failure_tables, sections
from rag.evaluation.failures import failures
from rag.evaluation.markup import Html, element, page, style
from rag.evaluation.rows import RetrievalRow, Row
from rag.evaluation.runs import REPORT, RunFolder
from rag.evaluation.sections import Numbers

EXAMPLES = 5
"""Errors shown of each stage."""


def write_report(run: RunFolder) -> Path:
    """Write report.html into a run that has finished, and return where it is. Raises NotFound for one that has not."""
    done = run.scores
    if run.manifest.get("command") == "retrieval":
        written = search_report(run.path.name, run.manifest, done, run.rankings())
    else:
        written = answers_report(run.path.name, run.manifest, done, run.rows())
    file = run.path / REPORT
    storage.write_file(file, written.encode())
    return file


def answers_report(name: str, manifest: Mapping[str, Any], done: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Return the report of a run of answers; `done` is what its scores.json holds, and `name` what to call it."""
    scores = done["scores"]
    found = failures(rows, EXAMPLES) if rows else None
    parts: dict[str, tuple[str, Sequence[Html]]] = {
        "scores": ("Scores", [sections.score_table(scores)]),
        "confidence": ("What the confidence is worth", sections.confidence(rows)),
        "speed": ("Speed", sections.answer_times(done.get("speed") or {}, rows)),
        "failures": ("Where it fails", failure_tables.stage_tables(found) if found else []),
        "errors": ("Worst errors", failure_tables.errors(found) if found else []),
        "made": ("How it was made", [sections.manifest_table(manifest)]),
    }
    tiles = [key for key in ("em", "f1", "answered", "coverage@precision=0.9") if key in scores]
    return _page(name, f"{done['n']:,} questions", {key: scores[key] for key in tiles}, parts)


def search_report(
    name: str, manifest: Mapping[str, Any], done: Mapping[str, Any], rankings: Sequence[RetrievalRow]
) -> str:
    """Return the report of a run of a search; `done` is what its scores.json holds, and `name` what to call it."""
    arms = done["scores"]
    parts: dict[str, tuple[str, Sequence[Html]]] = {
        "scores": ("Scores", [sections.arm_table(arms)]),
        "speed": ("Speed", [sections.arm_times(done["speed"])] if done.get("speed") else []),
        "errors": ("Hardest queries", [sections.hardest(rankings)]),
        "made": ("How it was made", [sections.manifest_table(manifest)]),
    }
    tiles = {f"ndcg@10, {arm}": scores["ndcg@10"] for arm, scores in arms.items() if "ndcg@10" in scores}
    return _page(name, f"{done['n']:,} queries", tiles, parts)


# The page


def _page(name: str, size: str, tiles: Mapping[str, Numbers], parts: Mapping[str, tuple[str, Sequence[Html]]]) -> str:
    css = resources.files("rag.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    kept = {key: (title, content) for key, (title, content) in parts.items() if content}
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"Evaluation: {name}"),
        style(css),
    )
    links = [element("li", element("a", title, href=f"#{key}")) for key, (title, _) in kept.items()]
    header = element(
        "header",
        element("a", "Skip to the scores", href="#main", class_="skip"),
        element("h1", "Evaluation: ", element("bdi", name)),
        element("p", f"{size}. Intervals are 95 %, by resampling them.", class_="soft"),
        element("nav", element("ul", *links), aria_label="Parts of the report"),
        element("dl", *(sections.tile(key, score) for key, score in tiles.items()), class_="tiles"),
    )
    body = [
        element("section", element("h2", title, id=key), *content, aria_labelledby=key)
        for key, (title, content) in kept.items()
    ]
    footer = element("footer", element("p", "Made by Footnote."))
    return page(head, element("body", header, element("main", *body, id="main"), footer))
