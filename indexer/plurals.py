"""Numbers with what they count, in the singular and in the plural."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 passage", "1,204 passages"; `plural` where that is not the noun and an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
