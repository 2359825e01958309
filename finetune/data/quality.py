"""Tells whether a text is worth learning from, by the rules of Gopher (Rae et al. 2021, section A.1.1 and table A1).

They ask whether it is prose that a person wrote: neither too short nor made of marks, lists or repetitions. Two bounds
are milder here, since a person's own files hold more tables and numbers than web pages do.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_BULLET = re.compile(r"^\s*(?:[-*•‣▪]|\d{1,3}[.)])\s")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a text must keep within; shares lie between 0 and 1."""

    words: int = 20
    """Least; of Gopher 50."""
    word_length: tuple[float, float] = (2.5, 12.0)
    """Least and greatest mean, in characters; of Gopher 3 and 10."""
    symbols: float = 0.1
    """Greatest number of ellipses and hash marks inside lines, for each word."""
    bullets: float = 0.9
    """Greatest share of lines that begin with a bullet."""
    ellipses: float = 0.3
    """Greatest share of lines that end with an ellipsis."""
    letters: float = 0.6
    """Least share of words with a letter; of Gopher 0.8."""
    repeated_lines: float = 0.3
    """Greatest share of lines that stood before, and of their characters."""
    repeated_words: tuple[tuple[int, float], ...] = ((2, 0.2), (3, 0.18), (4, 0.16))
    """Greatest share of the characters that the most frequent run of so many words may take."""


def fault(text: str, bounds: Bounds = Bounds()) -> str:
    """Return why a text is not worth learning from, in a few words; "" where it is."""
    words = text.split()
    unspaced = len(_UNSPACED.findall(text))
    if unspaced > 0.3 * len(text):  # a script without spaces has no words to count; two characters make about one
        return "too short" if unspaced < 2 * bounds.words else ""
    if len(words) < bounds.words:
        return "too short"
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return (
        _of_words(words, lines, bounds) or _of_lines(lines, bounds) or _of_repetition(words, bounds)
    )  # fmt: skip


def _of_words(words: list[str], lines: list[str], bounds: Bounds) -> str:
    mean = sum(map(len, words)) / len(words)
    if not bounds.word_length[0] <= mean <= bounds.word_length[1]:
        return "words too short or too long"
    if sum(any(c.isalpha() for c in word) for word in words) < bounds.letters * len(words):
        return "few words with letters"
    inside = "\n".join(line.lstrip("# ") for line in lines)
    if inside.count("#") + inside.count("…") + inside.count("...") > bounds.symbols * len(words):
        return "many symbols"
    return ""


def _of_lines(lines: list[str], bounds: Bounds) -> str:
    if sum(bool(_BULLET.match(line)) for line in lines) > bounds.bullets * len(lines):
        return "nearly all bullets"
    if sum(line.endswith(("…", "...")) for line in lines) > bounds.ellipses * len(lines):
        return "many cut lines"
    again = [line for line, count in Counter(lines).items() for _ in range(count - 1)]
    characters = sum(map(len, lines))
    if len(again) > bounds.repeated_lines * len(lines) and sum(map(len, again)) > bounds.repeated_lines * characters:
        return "repeated lines"
    return ""


def _of_repetition(words: list[str], bounds: Bounds) -> str:
    characters = sum(map(len, words))
    for size, most in bounds.repeated_words:
        runs = Counter(zip(*(words[start:] for start in range(size)), strict=False))
        run, count = max(runs.items(), key=lambda item: (item[1], item[0]))
        if count > 2 and count * sum(map(len, run)) > most * characters:
            return "repeated words"
    return ""
