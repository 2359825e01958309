"""Fits anew how sure a copying generator is, for what one collection's search finds: after another retriever, it lies.

The weights stay; what is written is a copy of the generator's folder with another confidence in it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune.questions import Question
from indexer import storage
from indexer.errors import UsageError
from indexer.types import Progress, silent
from rag.copying.folder import CHECKED, CONFIDENCE, CopyingFolder, is_copying, read_folder, write_sums
from rag.generators import DEFAULT

if TYPE_CHECKING:
    from indexer.collection import Collection

LEAST = 100
"""Questions with answers below which a confidence would be a guess."""
MOST = 1500


def generator_of(collection: Collection) -> CopyingFolder:
    """Return the copying generator that answers from `collection`. Raises UsageError where another kind does."""
    name = collection.generator or DEFAULT
    if name in (DEFAULT, "copying"):
        return read_folder()
    if not is_copying(Path(name)):
        raise UsageError(
            f"Collection {collection.name!r} answers by {name}, which is no copying generator.",
            "Leave out --recalibrate: only a copying generator's confidence is fitted here.",
        )
    return read_folder(Path(name))


def check_questions(questions: Sequence[Question]) -> list[Question]:
    """Return the questions that a confidence can be fitted on. Raises UsageError where they are too few."""
    asked = [each for each in questions if each.answers][:MOST]
    if len(asked) < LEAST:
        raise UsageError(
            f"Only {len(asked)} held-out questions have answers; {LEAST} are needed to fit a confidence.",
            "Give questions of people: --questions FILE, or leave out --recalibrate.",
        )
    return asked


def recalibrate(
    collection: Collection, folder: CopyingFolder, questions: Sequence[Question], out: Path, progress: Progress = silent
) -> Path:
    """Fit the confidence of `folder` on what `collection` finds for `questions`, and leave a copy of it in `out`.

    What it finds is in the order of the reranker that it remembers, as whoever asks will read it.
    """
    from finetune.copying.confidence import fit, retrieved_cases
    from rag.copying.generator import open_copying
    from rag.reranking.reranker import open_reranker

    copied(folder, folder.confidence, out)
    generator = open_copying(out, collection.home, progress)
    reranker = open_reranker(None, collection, progress)
    fitted = fit(generator, list(retrieved_cases(collection, questions, reranker)), progress)
    return copied(folder, {**folder.confidence, "retrieved": fitted}, out)


def copied(folder: CopyingFolder, confidence: Mapping[str, Any], out: Path) -> Path:
    """Copy a generator's folder to `out` with this confidence in it."""
    storage.make_folder(out)
    for name in (*CHECKED, "README.md"):
        if name != CONFIDENCE and folder.path != out and (folder.path / name).is_file():
            shutil.copyfile(folder.path / name, out / name)
    storage.write_file(out / CONFIDENCE, (json.dumps(confidence, indent=1) + "\n").encode())
    write_sums(out)
    return out
