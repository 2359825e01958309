"""What a call from Python may get wrong, told in Python's words: the argument, what it was, and what to write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from indexer.errors import UsageError

T = TypeVar("T")


def items_of(name: str, value: Iterable[T]) -> list[T]:
    """Return the items of a list. Raises UsageError for a text, whose items would be its letters, and for no list."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise UsageError(f"{name} must be a list, not {value!r:.80}.", f"Write: {name}=[{value!r:.80}]")
    return list(value)


def check_count(name: str, value: int) -> None:
    """Raise UsageError for what is no whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{name} must be a whole number of at least 1, not {value!r:.80}.", f"For example: {name}=5")


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise UsageError for a value that is not among the choices."""
    if value not in choices:
        known = ", ".join(map(repr, choices))
        raise UsageError(f"{name} must be one of {known}, not {value!r:.80}.", f"For example: {name}={choices[0]!r}")
