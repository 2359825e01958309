"""Which characters a stored text may hold, and how the others are repaired; knows strings only.

What is removed has no glyph of its own, so hidden prompts written in it (zero-width, bidirectional,
tag characters) do not reach a reader, a prompt or a database.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)?|[@-Z\\^_])|\x9b[0-?]{0,64}[@-~]"
)
_OVERSTRIKES = re.compile(r"[^\n\x08]\x08")
_SEPARATORS = re.compile("[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffe\uffff\ufdd0-\ufdef\ufff9-\ufffb]|\r")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SOFT_HYPHENS = re.compile("\u00ad")
_ZERO_WIDTH = re.compile("[\u200b\u2060-\u2064\ufeff\u180e\u034f\u115f\u1160\u3164\uffa0]")
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u206f\u061c]")
_TAGS = re.compile(
    "(\U0001f3f4[\U000e0020-\U000e007f]{1,32})|[\U000e0000-\U000e007f]|(?<![\u3400-\u9fff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
)
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad]|[^\x00-\u02ff]")
"""Any of this asks for a closer look; texts of plain Latin letters have none of it."""
_JOINERS = re.compile("[\u200c\u200d]+")
_JOINABLE = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc\ufe0f"
    "\u2190-\u2bff\u3030\u303d\u00a9\u00ae\u2122\U0001f000-\U0001faff]"
)
"""Letters and emoji which a joiner or non-joiner changes visibly: Arabic, Indic, South-East Asian scripts."""
_VIRAMAS = frozenset("\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2")
_MAX_MARKS = 30
"""Combining marks on one letter, as in the Stream-Safe Text Format (UAX #15); more only costs time."""
_ROUNDS = 8
_FEW_LINES = 20


def clean(text: str, repairs: Counter[str], *, mojibake: bool) -> str:
    """Return `text` in NFC without invisible or undecodable characters; its line ends stay where they are.

    Adds to `repairs` how often it changed what. `mojibake` asks for its repair as well, see `is_mojibake`.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not _ODD.search(text) and (text.isascii() or not mojibake):
        return unicodedata.normalize("NFC", text)
    for _ in range(_ROUNDS):  # a repair may uncover the next one
        before = text
        text = _one_round(text, repairs, mojibake)
        if text == before:
            break
    return text


def is_mojibake(texts: Iterable[str]) -> bool:
    """Tell whether a document as a whole was decoded with the wrong code page, such as "cafÃ©" for "café".

    A document that has "café" as well, or only one strange line among many, rather speaks about the
    matter, and repairing it would destroy its examples.
    """
    lines = strange = foreign = 0
    for text in texts:
        lines += text.count("\n") + 1
        if text.isascii():
            continue
        from ftfy.badness import is_bad

        for line in text.split("\n"):
            if not line.isascii():
                foreign += 1
                strange += bool(is_bad(line))
    return strange > 0 and 2 * strange >= foreign and (strange > 1 or lines < _FEW_LINES)


def _one_round(text: str, repairs: Counter[str], mojibake: bool) -> str:
    for name, repair in _REPAIRS:
        text, count = repair(text)
        if count:
            repairs[name] += count
    if text.isascii():
        return text
    text = _join_only_what_joins(_limit_marks(text, repairs), repairs)
    if mojibake:
        text = _repair_mojibake(text, repairs)
    if not unicodedata.is_normalized("NFC", text):
        repairs["decomposed characters"] += 1
        text = unicodedata.normalize("NFC", text)
    return text


def _removing(pattern: re.Pattern[str], replacement: str = "") -> Callable[[str], tuple[str, int]]:
    return lambda text: pattern.subn(replacement, text)


def _remove_tags(text: str) -> tuple[str, int]:
    """Remove tag characters outside of flags, and variation selectors that select nothing."""
    count = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        count += not match[1]
        return match[1] or ""

    return _TAGS.sub(replace, text), count


_REPAIRS: tuple[tuple[str, Callable[[str], tuple[str, int]]], ...] = (
    ("lone surrogates", _removing(_SURROGATES)),
    ("terminal escapes", _removing(_ESCAPES)),
    ("overstrikes", _removing(_OVERSTRIKES)),
    ("line separators", _removing(_SEPARATORS, " ")),
    ("control characters", _removing(_CONTROLS)),
    ("soft hyphens", _removing(_SOFT_HYPHENS)),
    ("zero-width characters", _removing(_ZERO_WIDTH)),
    ("bidirectional controls", _removing(_BIDI)),
    ("tag characters", _remove_tags),
)


def _join_only_what_joins(text: str, repairs: Counter[str]) -> str:
    if "\u200c" not in text and "\u200d" not in text:
        return text
    removed = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal removed
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        joins = bool(_JOINABLE.match(before)) and (bool(_JOINABLE.match(after)) or before in _VIRAMAS)
        kept = match[0][0] if joins else ""
        removed += len(match[0]) - len(kept)
        return kept

    text = _JOINERS.sub(replace, text)
    if removed:
        repairs["zero-width characters"] += removed
    return text


def _limit_marks(text: str, repairs: Counter[str]) -> str:
    import regex

    text, count = regex.subn(rf"(\p{{M}}{{{_MAX_MARKS}}})\p{{M}}+", r"\1", text)
    if count:
        repairs["combining marks"] += count
    return text


def _repair_mojibake(text: str, repairs: Counter[str]) -> str:
    """Undo text decoded with the wrong code page, line by line, so that one line cannot spoil another."""
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    if not is_bad(text):
        return text
    fixed = []
    for line in text.split("\n"):
        better = fix_encoding(line).replace("\n", " ").replace("\r", " ") if is_bad(line) else line
        repairs["mojibake"] += better != line
        fixed.append(better)
    if not repairs["mojibake"]:
        del repairs["mojibake"]
    return "\n".join(fixed)
