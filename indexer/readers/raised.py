"""What small raised digits stand for, in whatever format: a power, a part of a unit, or the mark of a note."""

from __future__ import annotations

_HIGH = str.maketrans("0123456789-−+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁺")
_UNITS = frozenset(
    ("m", "cm", "mm", "km", "dm", "s", "ft", "in", "yd", "µm", "nm", "x", "y", "n", "r", "R", "e", "c", "i")
)


def power(before: str, digits: str) -> str:
    """Return what raised `digits` are after `before`: "^6" after a number, "³" after a unit, else "": a note's mark."""
    if before[-1:].isdigit():
        return f"^{digits}"
    return digits.translate(_HIGH) if before[-1:].isalpha() and _is_unit(before) else ""


def is_signed_number(text: str) -> bool:
    """Tell digits, with a sign or without."""
    return text.lstrip("-−+").isdigit()


def _is_unit(before: str) -> bool:
    """Tell "m²" and "x²" from a word with the mark of a note."""
    word = before.split()[-1].rpartition("/")[2].lstrip("(0123456789.,") if before.split() else ""
    return word in _UNITS
