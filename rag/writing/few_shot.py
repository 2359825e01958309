"""Few-shot prompting: answered questions out of a file, those most like the question that is asked.

Similarity is the encoder's (Liu et al. 2022, "What makes good in-context examples for GPT-3?"). The file's questions
are embedded once, and kept under the home folder.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer import storage
from indexer.encoder import Encoder
from indexer.errors import UsageError
from indexer.sentences import sentences
from indexer.types import Progress, Vectors, silent
from rag.evaluation.questions import Asked
from rag.writing.prompting import REFUSAL, Shot

log = logging.getLogger(__name__)

AROUND = 320
"""Characters of a passage that an example shows, about, around its answer."""


@dataclass(frozen=True, slots=True)
class FewShot:
    """How many examples, and out of which file."""

    count: int
    file: Path


class SimilarShots:
    """Examples for a question, the most similar first. Safe to use from several threads."""

    def __init__(self, given: FewShot, encoder: Encoder, home: Path, progress: Progress = silent) -> None:
        """Read the file, SQuAD or JSON lines with question, context and answers, and embed its questions once.

        Raises DataFaults for a file with faults, UsageError when no question brings a passage.
        """
        from rag.evaluation.data import read_questions

        found = read_questions(given.file)
        self._asked = [asked for asked in found.questions if asked.passage and (asked.answers or not asked.quotes)]
        if not self._asked:
            raise UsageError(
                f"No question of {given.file} brings a passage.", "Give lines with question, context and answers."
            )
        self._count, self._encoder = given.count, encoder
        key = hashlib.sha256(f"{found.sha256}/{encoder.fingerprint}".encode()).hexdigest()[:32]
        self._vectors = _embedded(self._asked, encoder, home / "shots" / f"{key}.npy", progress)  # (n, dim)

    def of(self, question: str) -> list[Shot]:
        """Return the examples most like `question`, best first; the question itself is none of them."""
        scores = self._vectors @ self._encoder.embed_queries([question])[0]  # (n,)
        shots: list[Shot] = []
        for place in np.argsort(-scores, kind="stable"):
            asked = self._asked[int(place)]
            if len(shots) == self._count:
                break
            if _letters(asked.text) != _letters(question):
                shots.append(_shot(asked))
        return shots


def _embedded(asked: Sequence[Asked], encoder: Encoder, file: Path, progress: Progress) -> Vectors:
    if file.is_file():
        try:
            kept: Vectors = np.load(file, allow_pickle=False)
        except (OSError, ValueError) as error:
            log.info("%s does not read (%s) and is made again", file, error)
        else:
            if kept.dtype == np.float32 and kept.shape == (len(asked), encoder.dim):
                return kept
    parts = []
    for first in range(0, len(asked), 256):
        progress("embedding examples", first, len(asked))
        parts.append(encoder.embed_queries([each.text for each in asked[first : first + 256]]))
    vectors: Vectors = np.concatenate(parts)
    content = io.BytesIO()
    np.save(content, vectors, allow_pickle=False)
    storage.make_folder(file.parent)
    storage.write_file(file, content.getvalue())
    return vectors


def _shot(asked: Asked) -> Shot:
    answer = asked.answers[0] if asked.answers else REFUSAL
    return Shot(asked.text, asked.title, around(asked.passage, answer), answer)


def around(passage: str, answer: str, length: int = AROUND) -> str:
    """Return the sentences of `passage` around the first place of `answer`, about `length` characters.

    Where the answer does not stand there, the beginning.
    """
    spans = sentences(passage)
    at = max(0, passage.find(answer))
    middle = next((number for number, (start, end) in enumerate(spans) if start <= at < end), 0)
    first = last = middle
    while spans and (first > 0 or last < len(spans) - 1):
        before = spans[first - 1][0] if first > 0 else spans[first][0]
        after = spans[last + 1][1] if last < len(spans) - 1 else spans[last][1]
        if first > 0 and spans[last][1] - before <= length:
            first -= 1
        elif last < len(spans) - 1 and after - spans[first][0] <= length:
            last += 1
        else:
            break
    return passage[spans[first][0] : spans[last][1]] if spans else passage[:length]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
