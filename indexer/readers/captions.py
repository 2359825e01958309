"""Captions of films (SubRip, WebVTT): what is said, put together into running text without times and marks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from indexer.readers.encoding import decode
from indexer.readers.text import reading_of
from indexer.types import Block, Reading

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_CUE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_VOICE = re.compile(r"<v(?:\.[\w.-]+)?\s+([^<>]{1,80})>")
_MARK = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<\d[\d:.]{0,20}>|\{\\[^{}]{0,100}\}")
_PAUSE = 4.0
"""Seconds of silence that end a paragraph."""
_LONG = 600
"""Characters after which the end of a sentence ends the paragraph."""


@dataclass(frozen=True, slots=True)
class _Cue:
    text: str
    line: int
    begin: float
    end: float


def read(name: str, data: bytes) -> Reading:
    """Read captions; a paragraph ends at a pause, or where it is long and a sentence ends."""
    decoded = decode(data)
    return reading_of(decoded, "captions", _paragraphs(_cues(decoded.text.split("\n"))))


def is_captions(head: str) -> bool:
    """Tell captions by their head: the mark of WebVTT, or a number above two times."""
    return head.startswith("WEBVTT") or re.match(rf"\s*\d+\s*\n{_CUE.pattern}", head) is not None


def _cues(lines: Sequence[str]) -> Iterator[_Cue]:
    place = 0
    while place < len(lines):
        timed = _CUE.match(lines[place])
        place += 1
        if not timed:
            continue
        begin = place
        while place < len(lines) and lines[place].strip() and not _CUE.match(lines[place]):
            place += 1
        text = _plain(lines[begin:place])
        if text:
            numbers = [float(each or 0) for each in timed.groups()]
            yield _Cue(text, begin + 1, _seconds(numbers[:4]), _seconds(numbers[4:]))


def _seconds(parts: Sequence[float]) -> float:
    hours, minutes, seconds, thousandths = parts
    return 3600 * hours + 60 * minutes + seconds + thousandths / 1000


def _plain(lines: Sequence[str]) -> str:
    text = _VOICE.sub(r"\1: ", " ".join(lines))
    return " ".join(unescape(_MARK.sub("", text)).split())


def _paragraphs(cues: Iterator[_Cue]) -> Iterator[Block]:
    pending: list[_Cue] = []
    length = 0
    for cue in cues:
        if pending and cue.text == pending[-1].text:
            continue  # shown again while the next line rolls in
        if pending:
            ends = pending[-1].text.endswith((".", "!", "?", "…", "。"))
            pause = cue.begin - pending[-1].end
            if ends and (pause >= _PAUSE or length >= _LONG):
                yield _block(pending)
                pending, length = [], 0
        pending.append(cue)
        length += len(cue.text)
    if pending:
        yield _block(pending)


def _block(cues: Sequence[_Cue]) -> Block:
    return Block(" ".join(cue.text for cue in cues), line=cues[0].line)
