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
from indexer.plurals import counted
from rag.evaluation import failure_tables, sections, times
from rag.evaluation.failures import failures
from rag.evaluation.markup import Html, element, page, style, together
from rag.evaluation.rows import RetrievalRow, Row
from rag.evaluation.runs import REPORT, Receipt, RunFolder
from rag.evaluation.sections import Numbers

EXAMPLES = 5
"""Errors shown of each stage."""
NOTHING: Mapping[str, Any] = {}


def write_report(run: RunFolder) -> Path:
    """Write report.html into a run that has finished, and return where it is. Raises NotFound for one that has not."""
    done = run.scores
    if run.command == "retrieval":
        written = search_report(run.path.name, run.manifest, done, run.rankings(), run.speed)
    else:
        written = answers_report(run.path.name, run.manifest, done, run.rows(), run.speed, run.receipts())
    file = run.path / REPORT
    storage.write_file(file, written.encode())
    return file


def answers_report(
    name: str,
    manifest: Mapping[str, Any],
    done: Mapping[str, Any],
    rows: Sequence[Row],
    speed: Mapping[str, Any] = NOTHING,
    receipts: Sequence[Receipt] = (),
) -> str:
    """Return the report of a run of answers that is to be called `name`.

    `done` is what its scores.json holds, `speed` what its speed.json does.
    """
    scores = done["scores"]
    found = failures(rows, EXAMPLES) if rows else None
    parts: dict[str, tuple[str, Sequence[Html]]] = {
        "scores": ("Scores", [sections.score_table(scores), *sections.kind_table(rows)]),
        "confidence": ("What the confidence is worth", sections.confidence(rows)),
        "speed": ("Speed", times.answer_times(speed, rows, receipts)),
        "failures": ("Where it fails", failure_tables.stage_tables(found) if found else []),
        "errors": ("Worst errors", failure_tables.errors(found) if found else []),
        "made": ("How it was made", [sections.manifest_table(manifest)]),
    }
    tiles = {key: score for key, score in scores.items() if key in ("em", "f1", "answered") or _headline(key)}
    return report_page(_title(name, manifest), _subtitle(manifest, f"{counted(done['n'], 'question')}"), tiles, parts)


def search_report(
    name: str,
    manifest: Mapping[str, Any],
    done: Mapping[str, Any],
    rankings: Sequence[RetrievalRow],
    speed: Mapping[str, Any] = NOTHING,
) -> str:
    """Return the report of a run of a search that is to be called `name`.

    `done` is what its scores.json holds, `speed` what its speed.json does.
    """
    arms = done["scores"]
    parts: dict[str, tuple[str, Sequence[Html]]] = {
        "scores": ("Scores", [sections.arm_table(arms)]),
        "speed": ("Speed", times.arm_times(speed, rankings)),
        "errors": ("Hardest queries", [sections.hardest(rankings)]),
        "made": ("How it was made", [sections.manifest_table(manifest)]),
    }
    tiles = {f"ndcg@10, {arm}": scores["ndcg@10"] for arm, scores in arms.items() if "ndcg@10" in scores}
    return report_page(_title(name, manifest), _subtitle(manifest, f"{done['n']:,} queries"), tiles, parts)


def _headline(key: str) -> bool:
    return key.startswith("coverage@precision=") and "," not in key and "(" not in key


def _title(name: str, manifest: Mapping[str, Any]) -> str:
    data = manifest.get("data")
    return f"Evaluation: {(data.get('name') if isinstance(data, Mapping) else None) or name}"


def _subtitle(manifest: Mapping[str, Any], size: str) -> Html:
    """Return how many questions were answered by what and from what, as far as the manifest says."""
    parts: list[Html | str] = [size]
    for before, key in ((", answered by ", "generator"), (", from the collection ", "collection")):
        made = manifest.get(key)
        if isinstance(made, Mapping) and made.get("name"):
            parts += [before, element("bdi", str(made["name"]))]
    options = manifest.get("options")
    if isinstance(options, Mapping) and options.get("given"):
        parts.append(", from the passages given")
    return together([*parts, ". Intervals are 95 %, by resampling the questions."])


# The page


def report_page(
    title: str,
    subtitle: Html,
    tiles: Mapping[str, Numbers],
    parts: Mapping[str, tuple[str, Sequence[Html]]],
) -> str:
    """Return a page: scores in large figures, then parts with a heading each, by the name to link to.

    Parts without content are left out.
    """
    css = resources.files("rag.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    kept = {key: (heading, content) for key, (heading, content) in parts.items() if content}
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        style(css),
    )
    links = [element("li", element("a", heading, href=f"#{key}")) for key, (heading, _) in kept.items()]
    header = element(
        "header",
        element("a", "Skip to the scores", href="#main", class_="skip"),
        element("h1", element("bdi", title)),
        element("p", subtitle, class_="soft"),
        element("nav", element("ul", *links), aria_label="Parts of the report"),
        *(
            [element("dl", *(sections.tile(key, score) for key, score in tiles.items()), class_="tiles")]
            if tiles
            else []
        ),
    )
    body = [
        element("section", element("h2", heading, id=key), *content, aria_labelledby=key)
        for key, (heading, content) in kept.items()
    ]
    footer = element("footer", element("p", "Made by Footnote."))
    return page(head, element("body", header, element("main", *body, id="main"), footer))
