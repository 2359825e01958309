"""`eval all`: everything that the README reports, on a folder of data sets and on the handbook's own questions.

    squad/dev-v1.1.json.gz, squad/dev-v2.0.json.gz     the passages given, without their titles, as others read them
    squad/open-2000.txt                                ids of v1.1 dev, asked of the passages of train and dev together
    qed/dev.jsonl.gz                                   likewise
    beir/*                                             each folder in the BEIR layout, searched
    corpora/questions.jsonl                            of this project: searched, and asked end to end

What is not there is skipped, and said to be.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from indexer import storage
from indexer.errors import UsageError
from indexer.types import Progress, silent
from rag.evaluation.qa import Options, evaluate
from rag.evaluation.recording import record_retrieval
from rag.evaluation.report import write_report
from rag.evaluation.runs import RunFolder
from rag.evaluation.scores import by_kind

CORPORA = Path(__file__).resolve().parents[2] / "corpora"
"""The handbook, in a checkout of this project."""
TABLE = "table.md"
ALL = Options()
"""Every question, as it is asked by default."""
ANSWERS = (
    "em", "f1", "contains", "answered", "answered_or_shown", "precision", "precision@max_error=0.1",
    "coverage@precision=0.9", "refusal_recall", "ece", "auroc", "offsets",
)  # fmt: skip
"""Columns of the table of answers."""
SEARCH = ("ndcg@10", "recall@10", "recall@100", "mrr@10")
"""Columns of the table of search."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the evaluations."""

    name: str
    data: Path
    options: Options
    search: bool = False
    """Whether the search is evaluated, rather than answers."""
    index_passages: bool = False
    also: tuple[Path, ...] = ()
    ids: Path | None = None

    @property
    def missing(self) -> list[Path]:
        """The files that are needed and not there."""
        needed = (self.data, *self.also, *((self.ids,) if self.ids else ()))
        return [path for path in needed if not path.exists()]


@dataclass(frozen=True, slots=True)
class Everything:
    """What came of all of them."""

    runs: Mapping[str, RunFolder]
    """Those that were done, by name."""
    skipped: Mapping[str, str]
    """Those that were not, with the reason."""
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What each run's scores.json holds, by name."""

    def to_json(self) -> dict[str, Any]:
        """Return the form that `eval all --json` prints."""
        return {"runs": dict(self.scores), "skipped": dict(self.skipped)}


def parts_of(data: Path | None, corpora: Path = CORPORA, options: Options = ALL) -> list[Part]:
    """Return what is to be evaluated, whether it is there or not; `data` None: the handbook alone."""
    spans = replace(options, form="fact")  # their gold answers are spans
    given = replace(spans, given=True, titles=False)
    handbook = corpora / "questions.jsonl"
    found = [
        Part("handbook search", handbook, options, search=True),
        Part("handbook", handbook, replace(options, given=False), index_passages=True),
    ]
    if data is None:
        return found
    train, dev = data / "squad" / "train-v1.1.json.gz", data / "squad" / "dev-v1.1.json.gz"
    found += [
        Part("SQuAD v1.1 given", dev, given),
        Part("SQuAD v2.0 given", data / "squad" / "dev-v2.0.json.gz", given),
        Part("QED given", data / "qed" / "dev.jsonl.gz", given),
        *(Part(f"{folder.name} search", folder, options, search=True) for folder in sorted((data / "beir").glob("*/"))),
        Part(
            "open SQuAD",
            dev,
            replace(spans, given=False),
            index_passages=True,
            also=(train,),
            ids=data / "squad" / "open-2000.txt",
        ),
    ]
    return found


def evaluate_all(
    parts: Sequence[Part],
    out: Path,
    *,
    generator: str | None = None,
    home: str | os.PathLike[str] | None = None,
    tell: Callable[[str], None] = lambda line: None,
    progress: Progress = silent,
) -> Everything:
    """Do every part whose data is there, each in a run folder of its own under `out`, and write the table.

    What was done before is not done again, as in `rag.evaluation.qa.evaluate`. `tell` is called with a line before each
    part. Raises UsageError when no data is there at all, and what the parts raise.
    """
    runs: dict[str, RunFolder] = {}
    skipped = {part.name: f"{part.missing[0]} is not there" for part in parts if part.missing}
    if len(skipped) == len(parts):
        raise UsageError(
            "None of the data sets is there: " + "; ".join(dict.fromkeys(skipped.values())),
            "Give the folder that holds squad, qed and beir.",
        )
    for part in parts:
        if part.name in skipped:
            tell(f"{part.name}: skipped, {skipped[part.name]}")
            continue
        tell(part.name)
        runs[part.name] = _done(part, out / _plain(part.name), generator, home, progress)
        write_report(runs[part.name])
    found = Everything(runs, skipped, {name: run.scores for name, run in runs.items()})
    storage.write_file(out / TABLE, table(found).encode())
    return found


def _done(
    part: Part, folder: Path, generator: str | None, home: str | os.PathLike[str] | None, progress: Progress
) -> RunFolder:
    if part.search:
        return record_retrieval(part.data, limit=part.options.limit, out=folder, home=home, progress=progress)
    return evaluate(
        part.data,
        part.options,
        generator=generator,
        index_passages=part.index_passages,
        also=part.also,
        ids=read_ids(part.ids) if part.ids else None,
        out=folder,
        home=home,
        progress=progress,
    ).run


def read_ids(path: Path) -> list[str]:
    """Return the ids in a file, one a line. Raises UsageError where it does not read."""
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise UsageError(f"The ids in {path} do not read: {error}", "Give a text file with one id a line.") from error


def _plain(name: str) -> str:
    return "".join(character if character.isalnum() or character in "." else "-" for character in name)


# The table


def table(found: Everything) -> str:
    """Return the scores as tables in Markdown, in per cent, with the 95 % interval of each; then by kinds."""
    answers: list[tuple[str, int, Mapping[str, Any]]] = []
    search: list[tuple[str, int, Mapping[str, Any]]] = []
    for name, done in found.scores.items():
        if found.runs[name].command == "retrieval":
            search += [(f"{name}, {arm}", done["n"], scores) for arm, scores in done["scores"].items()]
        else:
            answers.append((name, done["n"], done["scores"]))
    tables = [_table(rows, columns) for rows, columns in ((answers, ANSWERS), (search, SEARCH)) if rows]
    kinds = [_kinds_table(name, run) for name, run in found.runs.items() if run.command == "qa"]
    return "\n".join([*tables, *filter(None, kinds)])


def _kinds_table(name: str, run: RunFolder) -> str:
    found = by_kind(run.rows())
    if not found:
        return ""
    measures = next(iter(found.values()))[1]
    head = f"| {name} | n | {' | '.join(measures)} |\n|---|---|{'---|' * len(measures)}\n"
    lines = (
        f"| {kind} | {n:,} | {' | '.join(_number(value) for value in values.values())} |"
        for kind, (n, values) in found.items()
    )
    return head + "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{100 * value:.1f}"


def _table(rows: Sequence[tuple[str, int, Mapping[str, Any]]], columns: Sequence[str]) -> str:
    head = f"| | n | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}\n"
    lines = (
        f"| {name} | {n:,} | {' | '.join(_cell(scores.get(each)) for each in columns)} |" for name, n, scores in rows
    )
    return head + "\n".join(lines) + "\n"


def _cell(score: Mapping[str, float | None] | None) -> str:
    if score is None or score["value"] is None:
        return ""
    if score["low"] is None or score["high"] is None:
        return f"{100 * score['value']:.1f}"
    return f"{100 * score['value']:.1f} ({100 * score['low']:.1f} to {100 * score['high']:.1f})"
