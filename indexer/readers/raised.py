"""What small raised digits stand for, in whatever format: a power, a part of a unit, or the mark of a note."""

from __future__ import annotations

import re

_HIGH = str.maketrans("0123456789-−+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁺")
_UNITS = frozenset(
    ("m", "cm", "mm", "km", "dm", "s", "ft", "in", "yd", "µm", "nm", "x", "y", "n", "r", "R", "e", "c", "i")
)


_SUM = re.compile(r"[(\[][^()\[\]]{0,40}[-+−·*/×=][^()\[\]]{0,40}[)\]]$")
_VARIABLE = re.compile(r"(?:^|[\s(=+\-−·*/×\d])(?:[b-hj-zB-HJ-Z]|[b-df-hj-np-tv-z]{2,3}|[B-DF-HJ-NP-TV-Z]{2})$")
"""A letter that is no word, or two or three without a vowel."""


_EXPONENT = re.compile(r"[-−+]?\w{1,3}(?:[-−+]\w{1,3})?")
_ENDINGS = frozenset(
    ["th", "st", "nd", "rd", "e", "er", "re", "ère", "ème", "eme", "o", "a", "os", "as", "tm", "sm", "r", "c"]
)


def power(before: str, digits: str) -> str:
    """Return what raised `digits` are after `before`: "^6" after a number, "³" after a unit, else "": a note's mark.

    A variable ("mc", "k") and a sum in brackets have powers too: "^2".
    """
    if before[-1:].isdigit() or _SUM.search(before):
        return f"^{digits}"
    if before[-1:].isalpha() and _is_unit(before):
        return digits.translate(_HIGH)
    return f"^{digits}" if _VARIABLE.search(before) else ""


def printed_power(before: str, digits: str) -> str:
    """Return what raised `digits` are where marks of notes are told apart from them: always a power."""
    return power(before, digits) or f"^{digits}"


def raised_letters(before: str, letters: str) -> str | None:
    """Return what raised letters are after a number or a variable: "^n"; None for endings ("5th") and others."""
    if not _EXPONENT.fullmatch(letters) or letters.casefold() in _ENDINGS:
        return None
    is_base = before[-1:].isdigit() or _VARIABLE.search(before) or before.endswith((" e", "(e"))
    return f"^{letters}" if is_base else None


def is_signed_number(text: str) -> bool:
    """Tell digits, with a sign or without."""
    return text.lstrip("-−+").isdigit()


def _is_unit(before: str) -> bool:
    """Tell "m²" and "x²" from a word with the mark of a note."""
    word = before.split()[-1].rpartition("/")[2].lstrip("(0123456789.,") if before.split() else ""
    return word in _UNITS
