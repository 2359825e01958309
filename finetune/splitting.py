"""Which documents are held out: chosen by a hash of their names alone, the same ones in every run.

Not by a run's seed, nor by its other data: a model that goes on from another (`--base`, `--from`) would then be
measured, and its confidence be fitted, on documents which that one has learnt from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from finetune.card import Source
from finetune.questions import Question, read_questions


def place(name: str, draw: int = 1) -> float:
    """Return where a document stands, from 0 to below 1; those below a share are held out.

    Another `draw` orders the documents anew, to split again what was held out.
    """
    digest = hashlib.sha256(f"{draw}/{name}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def read_split(
    source: Source, number: int, held_out: float, *, answers_needed: bool = True
) -> tuple[list[Question], list[Question]]:
    """Return (to learn from, held out) of one file of a run, the ids and documents marked with its `number`.

    Two files may use the same ids; the same documents of both are held out all the same. `held_out` is the share, of
    files that take part in it. Raises UsageError for what does not read.
    """
    asked = read_questions(source.path, answers_needed=answers_needed)
    kept, held = (
        [replace(each, id=f"{number}/{each.id}", document=f"{number}/{each.document}") for each in part]
        for part in split_by_document(asked, held_out if source.held_out else 0.0)
    )
    return kept, held


def split_by_document(
    questions: Sequence[Question], share: float, draw: int = 1
) -> tuple[list[Question], list[Question]]:
    """Return (the rest, held out): about `share` of the questions, whole documents. `draw` is as in `place`."""
    kept: list[Question] = []
    held: list[Question] = []
    for question in questions:
        (held if place(question.document, draw) < share else kept).append(question)
    return kept, held
