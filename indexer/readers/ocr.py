"""Scanned pages read by Tesseract, where it is installed: an image goes into a process of its own, words come back.

The process inherits the limits of the sandbox, is given no shell and no file, and is ended when it takes too long.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from statistics import median
from time import monotonic
from typing import Any

from indexer.readers.pdf_tables import Line

LANGUAGES = "FOOTNOTE_OCR_LANGUAGE"
"""The environment variable that names the languages of scans as Tesseract does: "eng", "deu+fra"."""
DPI = 300
_MAX_PIXELS = 40_000_000
_MAX_PAGES = 300
_PAGE_SECONDS = 25.0
_DOCUMENT_SECONDS = 900.0
_DOUBTFUL = 70.0
"""Confidence in percent below which a page is noted by its number."""
_CELL_GAP = 1.8
"""White between two words, in the height of the line, that makes them cells of a table."""
_LARGER = 1.35
"""Mean width of a line's characters, in that of the others, that makes it larger print."""
_SIZE = 10.0
"""Size in points that is told for running text; scans know sizes only by guess."""
_WORD_LEVEL = "5"
_INSTALL = (
    "to read scans, install Tesseract (Debian, Ubuntu: apt-get install tesseract-ocr; macOS: brew install tesseract)"
)

after_page: Callable[[], None] = lambda: None  # noqa: E731 - the sandbox puts its sign of life here
"""Called after each page that was recognised, since a long scan takes minutes."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as Tesseract read it; places in points from the upper left corner of the page as it is shown."""

    text: str
    confidence: float
    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width


@dataclass(slots=True)
class Scans:
    """The pages of one document that have no text: reads them, and keeps what is to be told of that."""

    languages: str = field(default_factory=lambda: os.environ.get(LANGUAGES, "") or "eng")
    engine: str = ""
    """Name and version, "" before the first page."""
    unread: list[int] = field(default_factory=list)
    confidences: dict[int, float] = field(default_factory=dict)
    """Page, counted from 1 -> mean confidence of its words in percent."""
    problem: str = ""
    """Why pages were not read, with what to do about it."""
    _started: float = field(default_factory=monotonic)

    def lines(self, page: Any, number: int) -> list[Line]:
        """Return the lines of a pypdfium2 page that shows pictures alone; none where it cannot be read."""
        words = self.words(page)
        if not words:
            self.unread.append(number)
            return []
        letters = sum(len(word.text) for line in words for word in line)
        weighed = sum(word.confidence * len(word.text) for line in words for word in line)
        self.confidences[number] = weighed / letters
        return list(_lines(words, page.get_height()))

    def notes(self) -> Iterator[str]:
        """Yield what a person should know: which pages were recognised, how surely, and which were not."""
        if self.confidences:
            sure = sum(self.confidences.values()) / len(self.confidences)
            yield f"{_scanned(list(self.confidences))} read by {self.engine} ({self.languages}), confidence {sure:.0f}%"
        if doubtful := [page for page, confidence in self.confidences.items() if confidence < _DOUBTFUL]:
            yield f"{_scanned(doubtful)} doubtful: confidence below {_DOUBTFUL:.0f}%"
        if self.unread:
            yield f"{_scanned(self.unread)} not read{f': {self.problem}' if self.problem else ''}"

    def fields(self) -> dict[str, str | int]:
        """Return engine and confidence, for the document's metadata."""
        if not self.confidences:
            return {}
        sure = sum(self.confidences.values()) / len(self.confidences)
        return {"ocr": f"{self.engine} ({self.languages})", "ocr confidence": round(sure)}

    def _is_ready(self) -> bool:
        if self.problem:
            return False
        if not self.engine:
            self.engine, self.problem = _engine(self.languages)
        elif len(self.confidences) + len(self.unread) >= _MAX_PAGES or monotonic() - self._started > _DOCUMENT_SECONDS:
            self.problem = (
                f"at most {_MAX_PAGES} pages and {_DOCUMENT_SECONDS / 60:.0f} minutes are spent on one document"
            )
        return not self.problem

    def words(self, page: Any) -> list[list[Word]]:
        """Return the words of each line of a pypdfium2 page; none where it cannot be read."""
        if not self._is_ready():
            return []
        width, height = page.get_size()
        dpi = min(DPI, 72 * (_MAX_PIXELS / max(width * height, 1)) ** 0.5)
        options = ["stdin", "stdout", "-l", self.languages, "--psm", "1", "--dpi", f"{dpi:.0f}", "tsv"]
        try:
            table = _run(options, _image(page, dpi))
        except (OSError, subprocess.SubprocessError, ValueError):
            return []
        finally:
            after_page()
        return _read_table(table, dpi)


def numbers(pages: Sequence[int], most: int = 20) -> str:
    """Return page numbers as a person writes them: "1-3, 7"."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(pages), lambda pair: pair[1] - pair[0])]
    told = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return ", ".join(told[:most]) + (" …" if len(told) > most else "")


def _scanned(pages: Sequence[int]) -> str:
    return f"scanned page{'s' if len(pages) > 1 else ''} {numbers(pages)}"


def _engine(languages: str) -> tuple[str, str]:
    """Return the engine's name with its version, and what is wrong with it ("" for nothing)."""
    if not re.fullmatch(r"[A-Za-z_]{2,30}(?:\+[A-Za-z_]{2,30}){0,5}", languages):
        return "", f"{languages!r} names no language of Tesseract; set {LANGUAGES} to one like eng or deu+fra"
    if shutil.which("tesseract") is None:
        return "", _INSTALL
    try:
        version = _run(["--version"]).partition("\n")[0].strip()
        installed = _run(["--list-langs"]).split()
    except (OSError, subprocess.SubprocessError) as error:
        return "", f"Tesseract does not start ({type(error).__name__})"
    missing = [each for each in languages.split("+") if each not in installed]
    if missing:
        package = missing[0].replace("_", "-").lower()
        return "", f"Tesseract has no {missing[0]!r}; Debian, Ubuntu: apt-get install tesseract-ocr-{package}"
    return version, ""


def _run(arguments: Sequence[str], image: bytes = b"") -> str:
    done = subprocess.run(
        ["tesseract", *arguments],
        input=image,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_PAGE_SECONDS,
        check=True,
    )
    return done.stdout.decode("utf-8", "replace")


def _image(page: Any, dpi: float) -> bytes:
    """Return a page as a grey picture in the PGM format, which is a line of text and the bytes."""
    bitmap = page.render(scale=dpi / 72, grayscale=True)
    rows = memoryview(bitmap.buffer).cast("B")
    pixels = b"".join(rows[row * bitmap.stride : row * bitmap.stride + bitmap.width] for row in range(bitmap.height))
    head = f"P5 {bitmap.width} {bitmap.height} 255\n".encode()
    bitmap.close()
    return head + pixels


def _read_table(table: str, dpi: float) -> list[list[Word]]:
    """Return the words of each line from Tesseract's table of tab separated values; places in points from the top."""
    rows = [line.split("\t") for line in table.splitlines()[1:]]
    words = [row for row in rows if len(row) == 12 and row[0] == _WORD_LEVEL and row[11].strip()]
    return [
        [Word(row[11].strip(), float(row[10]), *(float(each) * 72 / dpi for each in row[6:10])) for row in line]
        for _, line in groupby(words, lambda row: row[1:5])
    ]


def _lines(words: Sequence[Sequence[Word]], page_height: float) -> Iterator[Line]:
    """Yield the lines with cells apart, as those that are printed; larger print is told, other sizes are not."""
    heights = [max(word.height for word in line) for line in words]
    widths = [sum(word.width for word in line) / sum(len(word.text) for word in line) for line in words]
    usual, usual_width = median(heights), median(widths)
    for line, height, width in zip(words, heights, widths, strict=True):
        pieces, lefts = [line[0].text], [line[0].left]
        for before, word in pairwise(line):
            if word.left - before.right > _CELL_GAP * min(height, usual):
                pieces.append(" | ")
                lefts.append(word.left)
            else:
                pieces.append(" ")
            pieces.append(word.text)
        is_larger = width > _LARGER * usual_width and height > usual
        bottom = page_height - max(word.top + word.height for word in line)
        yield Line("".join(pieces), _SIZE * (_LARGER if is_larger else 1), False, bottom, tuple(lefts))
