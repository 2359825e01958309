"""Fits answering in forms: which unit of the passages answers, and how sure to be of what is shown.

    python -m finetune.answering --set QUESTIONS DOCUMENTS [--set …] --out rag/answering/answering.json

A question set is a file of JSON lines: `question`, `kind`, `answerable`, `must` (groups of alternatives; what is shown
has to hold one of each group), `evidence` (a list of objects with `source`, the end of a document's path) and, for a
follow-up, `previous` questions. Beside it `documents.txt` may name the files under DOCUMENTS that are indexed.

Two logistic regressions of units, for forms that show a sentence and for those that show passages, and one confidence
for all forms. The confidence of a set is fitted on answers made with units that were fitted on the other sets.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from finetune.copying.confidence import fitted, logistic_regression
from indexer import storage
from indexer.collection import Collection
from rag.answering.evidence import Evidence, Seen
from rag.answering.generator import AnsweringGenerator
from rag.answering.signals import UNIT, able, unit_signals
from rag.answering.weighing import Models, group
from rag.engine import Engine, cited
from rag.generator import Draft
from rag.retriever import Retriever
from rag.types import Passage

log = logging.getLogger(__name__)

ONE_THING = frozenset({"fact", "number-or-table", "metadata", "yesno", "followup"})
"""Kinds of questions that ask for one thing: what is shown is looked at up to 500 characters, else up to 1,500."""
AT_MOST = (500, 1500)
READ = 6
"""Passages that are read for each question."""
EVERY = 3
"""Of so many answerable questions one is asked again without its documents, to be held back."""
THRESHOLD, CLOSEST = 0.5, 0.1
"""Confidence from which on to answer, and from which on to show the closest evidence."""
PENALTY = 4.0
"""L2 penalty of the confidence: it has few questions and many signals."""


@dataclass(frozen=True, slots=True)
class Row:
    """A question of a set, and what an answer to it has to show."""

    question: str
    kind: str
    answerable: bool
    must: tuple[tuple[str, ...], ...]
    sources: tuple[str, ...]
    previous: tuple[str, ...]

    @property
    def polarity(self) -> str:
        """The word that a yes/no question is answered by; "" for any other."""
        first = self.must[0] if self.must else ()
        return first[0] if self.kind == "yesno" and len(first) == 1 and first[0] in ("yes", "no") else ""

    @property
    def wanted(self) -> tuple[tuple[str, ...], ...]:
        """What the evidence has to say: `must` without yes or no."""
        return self.must[1:] if self.polarity else self.must


@dataclass(frozen=True, slots=True)
class AskedSet:
    """The questions of a set, and what was seen for each."""

    name: str
    rows: tuple[Row, ...]
    evidence: tuple[Evidence, ...]
    generator: AnsweringGenerator
    collection: Collection


def read_rows(file: Path) -> list[Row]:
    """Return the questions of a set."""
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip():
            row = json.loads(line)
            sources = tuple(each["source"] for each in row.get("evidence") or ())
            must = tuple(tuple(group) for group in row["must"])
            rows.append(
                Row(row["question"], row["kind"], row["answerable"], must, sources, tuple(row.get("previous") or ()))
            )
    return rows


def open_set(questions: Path, documents: Path, home: Path) -> AskedSet:
    """Index the documents of a set under `home`, where that is not done yet, and look at each question's evidence."""
    name = f"{questions.parent.name}-{questions.stem}".lower()
    collection = Collection(re.sub(r"[^a-z0-9-]", "-", name), home)
    collection.sync([_chosen(questions, documents, home / "documents" / collection.name)])
    engine = Engine(collection)
    generator = engine.generator
    if not isinstance(generator, AnsweringGenerator):
        raise TypeError(f"The generator {generator.name} does not answer in forms.")
    rows = read_rows(questions)
    readings = engine.read_many([row.question for row in rows], READ, histories=[row.previous for row in rows])
    asked = [each.stands_alone for each in readings]
    read: list[Sequence[Passage]] = [each.passages for each in readings]
    for place in range(0, len(rows), EVERY):
        if rows[place].answerable:
            rows.append(replace(rows[place], answerable=False))
            asked.append(asked[place])
            read.append(_without(collection, asked[place], rows[place].sources))
    evidence: list[Evidence] = []
    for begin in range(0, len(rows), 64):
        part = slice(begin, begin + 64)
        evidence += generator.evidence(asked[part], read[part], [None] * len(asked[part]))
        log.info("%s: %d of %d questions", name, len(evidence), len(rows))
    return AskedSet(name, tuple(rows), tuple(evidence), generator, collection)


def _without(collection: Collection, question: str, sources: Sequence[str]) -> list[Passage]:
    """Return what is read for a question where the documents that answer it are missing."""
    vector = collection.encoder.embed_queries([question])[0]
    with collection.view() as view:
        return Retriever().read(
            view, question, vector, READ, leave_out=lambda passage: passage.source.endswith(tuple(sources))
        )


def _chosen(questions: Path, documents: Path, folder: Path) -> Path:
    """Return the folder to index: `documents`, or a copy of those files in it that `documents.txt` names."""
    listed = questions.with_name("documents.txt")
    if not listed.is_file():
        return documents
    for name in listed.read_text(encoding="utf-8").splitlines():
        to = folder / name.strip()
        if name.strip() and not to.exists():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(documents / name.strip(), to)
    return folder


def plain(text: str) -> str:
    """Return a text as it is compared: small letters, no marks of emphasis or quotation, no commas, single spaces."""
    bare = re.sub(r"[*_`\u2018\u2019\u201c\u201d\"']", "", text.lower().replace("\u00a0", " ").replace(",", ""))
    return " ".join(bare.split())


def shows(text: str, wanted: Sequence[Sequence[str]]) -> bool:
    """Tell whether a text holds one alternative of every group."""
    return all(any(plain(each) in text for each in group) for group in wanted)


def is_useful(row: Row, draft: Draft, evidence: Evidence) -> bool:
    """Tell whether what is shown answers a question: its text, and the quotes that are not in it already."""
    if not row.answerable or not draft.pieces:
        return False
    made = cited(draft, draft.passages or evidence.passages)
    text = made.text
    for citation in made.citations:
        if plain(citation.quote) not in plain(text):
            text += "\n" + citation.quote
    most = AT_MOST[row.kind not in ONE_THING]
    said = not row.polarity or re.match(rf"{row.polarity}\b", plain(made.text)) is not None
    return said and shows(plain(text[:most]), row.wanted)


def unit_labels(row: Row, evidence: Evidence, units: Sequence[Seen]) -> list[bool]:
    """Return for each unit whether it is part of an answer: it stands in a gold document and says what is wanted.

    Of a question for one thing it says all of it, of another at least some of it.
    """
    if not row.answerable or not row.wanted:
        return [False] * len(units)
    every = all if row.kind in ONE_THING else any
    return [
        evidence.passages[seen.unit.passage].source.endswith(row.sources)
        and every(any(plain(each) in plain(evidence.text(seen.unit)) for each in group) for group in row.wanted)
        for seen in units
    ]


def fit_units(sets: Sequence[AskedSet]) -> dict[str, Any]:
    """Return the models of units, by group; questions whose passages hold no answer teach nothing here."""
    made = {}
    for name in ("sentence", "passage"):
        rows, labels = [], []
        for asked_set in sets:
            for row, evidence in zip(asked_set.rows, asked_set.evidence, strict=True):
                if group(evidence.asked.form) != name:
                    continue
                units = able(evidence)
                right = unit_labels(row, evidence, units)
                if any(right):
                    rows.append(unit_signals(evidence, units))
                    labels += right
        bias, weights = logistic_regression(np.concatenate(rows), np.array(labels))
        made[name] = {
            "bias": round(bias, 5),
            "weights": {key: round(float(each), 5) for key, each in zip(UNIT, weights, strict=True)},
            "units": len(labels),
            "right": int(sum(labels)),
        }
    return made


def fit(sets: Sequence[AskedSet]) -> dict[str, Any]:
    """Return what `rag/answering/answering.json` holds."""
    cases: list[tuple[Mapping[str, float], bool]] = []
    for asked_set in sets:
        others = [each for each in sets if each is not asked_set] or list(sets)
        cases += _cases(asked_set, Models({"units": fit_units(others), "shown": {}}))
    shown = fitted([signals for signals, _ in cases], [right for _, right in cases], PENALTY)
    return {
        "units": fit_units(sets),
        "shown": {key: shown[key] for key in ("bias", "weights", "fitted_on")},
        "threshold": THRESHOLD,
        "closest": CLOSEST,
        "risk_coverage": shown["risk_coverage"],
    }


def _cases(asked_set: AskedSet, models: Models) -> list[tuple[Mapping[str, float], bool]]:
    """Return of each question the signals of what is shown, and whether that is useful."""
    cases = []
    generator = AnsweringGenerator(asked_set.generator.reader, asked_set.collection, models)
    for row, evidence in zip(asked_set.rows, asked_set.evidence, strict=True):
        draft = generator.draft(evidence)
        if draft.pieces and draft.evidence:
            cases.append((draft.evidence, is_useful(row, draft, evidence)))
    return cases


@click.command()
@click.option(
    "--set",
    "sets",
    type=(click.Path(exists=True, path_type=Path), click.Path(exists=True, path_type=Path)),
    multiple=True,
    required=True,
    metavar="QUESTIONS DOCUMENTS",
    help="A question set and its documents.",
)
@click.option("--home", type=click.Path(path_type=Path), help="Where the collections are kept; default: nowhere.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The model file to write.")
def main(sets: Sequence[tuple[Path, Path]], home: Path | None, out: Path) -> None:
    """Fit answering in forms."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as nowhere:
        opened = [open_set(questions, documents, home or Path(nowhere)) for questions, documents in sets]
        model = fit(opened)
    card = {each.name: len(each.rows) for each in opened}
    storage.write_file(out, (json.dumps({**model, "card": {"questions": card}}, indent=1) + "\n").encode())
    log.info("%s", json.dumps({key: model[key] for key in ("threshold",)}))


if __name__ == "__main__":
    main()
