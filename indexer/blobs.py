"""Runs of text that nobody reads: encoded bytes (Base64, hexadecimal) and minified code.

They cost minutes to embed and answer no question. Time is linear; line ends stay, so that line numbers hold.
"""

from __future__ import annotations

import re

_RUN = re.compile(r"(?:data:[\w/+.-]{1,60};base64,)?[A-Za-z0-9+/_-]{200,}={0,2}")
_ENCODED_LINE = re.compile(r"\s{0,20}[A-Za-z0-9+/_-]{40,199}={0,2}\s{0,9}")
"""A line of encoded bytes that were wrapped."""
_MIN_LINES = 4
_MIN_ENCODED, _MIN_RUN = 40, 200
_MINIFIED = 3_000
"""Characters of a line of ASCII, hardly any of them blanks, that no person wrote."""
_BLANKS, _SIGNS = 0.06, 0.05
"""Most share of blanks, and least share of the signs of code."""


def without_blobs(text: str) -> tuple[str, int]:
    """Return `text` without encoded or minified runs, and how many characters these had."""
    if len(text) < _MIN_LINES * _MIN_ENCODED:
        return text, 0
    kept: list[str] = []
    wrapped: list[str] = []
    left_out = 0
    for line in text.split("\n"):
        if len(line) >= _MIN_ENCODED and " " not in line[20:40] and _ENCODED_LINE.fullmatch(line):
            wrapped.append(line)
            continue
        if wrapped:
            left_out += _end(wrapped, kept)
            wrapped = []
        if len(line) >= _MIN_RUN:
            shorter = _RUN.sub(lambda run: "" if _is_encoded(run[0]) else run[0], line)
            shorter = "" if _is_minified(shorter) else shorter
            left_out += len(line) - len(shorter)
            line = shorter
        kept.append(line)
    left_out += _end(wrapped, kept)
    return ("\n".join(kept), left_out) if left_out else (text, 0)


def _end(wrapped: list[str], kept: list[str]) -> int:
    """Append the wrapped lines to `kept`, empty where they are encoded; return how many characters were left out."""
    is_blob = len(wrapped) >= _MIN_LINES and _is_encoded("".join(wrapped))
    kept.extend("" if is_blob else line for line in wrapped)
    return sum(map(len, wrapped)) if is_blob else 0


def _is_encoded(run: str) -> bool:
    """Tell encoded bytes from a long name: letters of both cases and digits all through it, or hexadecimal digits."""
    digits = sum(map(str.isdigit, run))
    if digits < 0.05 * len(run):
        return False
    upper, lower = sum(map(str.isupper, run)), sum(map(str.islower, run))
    is_hexadecimal = not set(run.lower()) - set("0123456789abcdef \t")
    return (min(upper, lower) > 0.15 * len(run) and digits < 0.5 * len(run)) or (is_hexadecimal and upper + lower > 0)


def _is_minified(line: str) -> bool:
    if len(line) < _MINIFIED or not line.isascii() or line.count(" ") + line.count("\t") >= _BLANKS * len(line):
        return False
    return sum(map(line.count, "();=")) >= _SIGNS * len(line)
