"""Texts to learn a language from: files and folders read, some of it held out. Plain text and JSON lines only.

Other formats, cleaning and duplicates are the matter of `footnote train data`, whose folders are read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.data.records import TEXTS
from finetune.splitting import place
from indexer.errors import UsageError
from rag.evaluation.texts import Text, read_texts

ENDINGS = (".txt", ".md", ".rst", ".jsonl", ".txt.gz", ".md.gz", ".jsonl.gz")
FEW = 20
"""Documents below which not whole ones are held out, but the end of each."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts, those to learn from apart from those that are held out."""

    sha256: str
    """Of the texts as they were read."""
    documents: int
    learn: tuple[str, ...]
    held: tuple[str, ...]


def read_corpus(paths: Sequence[Path], held_out: float) -> Corpus:
    """Return the texts of files (a document each, or JSON lines with a `text` each) and of the folders' files.

    About a share `held_out` is kept apart: whole documents, chosen by a hash of their text; of fewer than `FEW`
    documents, the end of each. Raises NotFound for what is not there, DataFaults with the places of bad lines,
    UsageError where there is too little.
    """
    found = read_texts([file for path in paths for file in text_files(path)])
    learn, held = _split(found.texts, held_out)
    if sum(map(len, learn)) < 1000 or not "".join(held).strip():
        raise UsageError(
            f"There are only {sum(len(text.text) for text in found.texts):,} characters in {found.name}.",
            "Give more text, or a larger --held-out.",
        )
    return Corpus(found.sha256, len(found.texts), tuple(learn), tuple(held))


def text_files(path: Path) -> list[Path]:
    """Return the files that are read for a path: itself, the texts of a data set, or all below a folder, in order."""
    if not path.is_dir():
        return [path]
    if (path / TEXTS).is_file():  # beside its report, which is not to be learnt
        return [path / TEXTS]
    files = [file for file in sorted(path.rglob("*")) if file.name.lower().endswith(ENDINGS) and file.is_file()]
    if not files:
        raise UsageError(
            f"{path} holds no text files ({', '.join(ENDINGS[:4])}).", f"Run: footnote train data {path} --out FOLDER"
        )
    return files


def _split(texts: Sequence[Text], share: float) -> tuple[list[str], list[str]]:
    learn: list[str] = []
    held: list[str] = []
    if len(texts) < FEW:
        for text in texts:
            cut = _paragraph_before(text.text, int(len(text.text) * (1 - share)))
            learn.append(text.text[:cut])
            held.append(text.text[cut:])
        return learn, held
    places = [place(text.text) for text in texts]
    bound = max(min(places), share)  # one at least
    for text, own in zip(texts, places, strict=True):
        (held if own <= bound else learn).append(text.text)
    return learn, held


def _paragraph_before(text: str, at: int) -> int:
    """Return where to cut near `at`: after a blank line, else after a line, else there."""
    for end in ("\n\n", "\n"):
        found = text.rfind(end, at // 2, at)
        if found >= 0:
            return found + len(end)
    return at
