"""From bytes to characters: which encoding a text file is in, and what to tell the user when that was a guess.

Knows bytes and code pages only; it must not know what the text means.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from indexer.plurals import counted

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 200_000
"""Bytes shown to the detector; more does not make it better, only slower."""
_DETECTOR_NEEDS = 100
"""Bytes under which the detector is not asked: it called a 21-byte Latin-1 text cp1250."""
_WESTERN = frozenset(
    (
        *("Catalan", "Danish", "Dutch", "English", "Finnish", "French", "German", "Icelandic", "Indonesian"),
        *("Italian", "Norwegian", "Portuguese", "Spanish", "Swedish"),
    )
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The characters of a file, with "\\n" as the only line end."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(data: bytes, declared: str = "") -> Decoded:
    """Return the text of `data`: by its byte order mark, as UTF-8, as declared, by detection, as cp1252 last.

    `declared` is what the file says about itself (a meta tag, a mail header). It is believed only
    after strict UTF-8 has failed, and only if every byte fits, since such declarations often lie.
    UTF-7 is never tried: what it hides from other programs it would show to ours.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _finished(data[len(bom) :].decode(encoding, "replace"), encoding)
    if wide := _wide_encoding(data):
        return _finished(data.decode(wide, "replace"), wide, f"no byte order mark; read as {wide}")
    try:
        return _finished(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return _not_utf8(data, declared)


def _not_utf8(data: bytes, declared: str) -> Decoded:
    if declared and (text := _strictly(data, declared)):
        return _finished(text, declared.lower())
    escaped = data.decode("utf-8", "surrogateescape")
    broken = len(re.findall("[\udc80-\udcff]", escaped))
    whole = len(re.findall("[\x80-\ud7ff\ue000-\U0010ffff]", escaped))
    if whole >= 4 * broken:
        text = re.sub("[\udc80-\udcff]", lambda byte: _cp1252(byte[0].encode("utf-8", "surrogateescape")), escaped)
        were = f"{counted(broken, 'byte')} {'was' if broken == 1 else 'were'}"
        return _finished(text, "utf-8", f"{were} not UTF-8; read as cp1252")
    guess = _detected(data)
    if guess and (text := _strictly(data, guess)):
        return _finished(text, guess, f"encoding guessed: {guess}")
    return _finished(_cp1252(data), "cp1252", "encoding unknown; read as cp1252")


def _finished(text: str, encoding: str, *notes: str) -> Decoded:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Decoded(text.removeprefix("\ufeff"), encoding, notes)


def _strictly(data: bytes, encoding: str) -> str:
    """Return the text, or "" when some byte does not fit or no such text encoding exists."""
    try:
        return data.decode(encoding)
    except (LookupError, ValueError, AttributeError, TypeError):
        return ""


def _cp1252(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in data)


def _wide_encoding(data: bytes) -> str:
    """Return UTF-16 or UTF-32 without a byte order mark, told by where the zero bytes of Latin text stand."""
    head = data[:4096]
    head = head[: len(head) - len(head) % 4] or head
    if len(head) < 4 or b"\0" not in head:
        return ""
    zeros = [head[place::4].count(0) / len(head[place::4]) for place in range(4)]
    patterns = {
        "utf-32-le": (zeros[1:], zeros[:1]),
        "utf-32-be": (zeros[:3], zeros[3:]),
        "utf-16-le": (zeros[1::2], zeros[::2]),
        "utf-16-be": (zeros[::2], zeros[1::2]),
    }
    for encoding, (empty, full) in patterns.items():
        if min(empty) > 0.5 and max(full) < 0.1 and _strictly(data[: len(data) - len(data) % 4], encoding):
            return encoding
    return ""


def _detected(data: bytes) -> str:
    if len(data) < _DETECTOR_NEEDS:
        return ""
    from charset_normalizer import from_bytes

    sample = data[:_SAMPLE]
    if len(data) > _SAMPLE and b"\n" in sample:
        sample = sample[: sample.rindex(b"\n")]  # a character cut in two would mislead the detector
    best = from_bytes(sample).best()
    if best is None:
        return ""
    # Neighbouring single-byte pages fit Western text equally well, and cp1252 is by far the most common.
    if best.language in _WESTERN and not best.encoding.startswith("utf") and _strictly(sample, "cp1252"):
        return "cp1252"
    return best.encoding
