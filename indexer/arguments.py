"""What a call from Python may get wrong, told in Python's words: the argument, what it was, and what to write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from indexer.errors import UsageError

T = TypeVar("T")


def items_of(name: str, value: Iterable[T], example: str = "") -> list[T]:
    """Return the items of a list. Raises UsageError for a text, whose items would be its letters, and for no list.

    `example` is what to write in place of something that is no item either.
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        write = f"{name}=[{value!r:.80}]" if isinstance(value, str) or not example else example
        raise UsageError(f"{name} must be a list, not {value!r:.80}.", f"Write: {write}")
    return list(value)


def texts_of(name: str, value: Iterable[str], example: str) -> list[str]:
    """Return the texts of a list. Raises UsageError for no list, and for a list with anything else in it."""
    texts = items_of(name, value, f"{name}=[{example!r}]")
    for each in texts:
        if not isinstance(each, str):
            raise UsageError(f"{name} must hold texts, not {each!r:.80}.", f"For example: {name}=[{example!r}]")
    return texts


def path_of(name: str, value: str | os.PathLike[str], example: str) -> Path:
    """Return a path. Raises UsageError for what is none, and for an empty one, which would be the working folder."""
    if not isinstance(value, str | os.PathLike):
        raise UsageError(f"{name} must be a path, not {value!r:.80}.", f"For example: {example}")
    if not os.fspath(value):
        raise UsageError(f"{name} is empty.", f'For example: {example}. The working folder is "."')
    return Path(value)


def paths_of(name: str, value: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], example: str) -> list[Path]:
    """Return the paths of one path or of a list of them, each as `path_of` takes it."""
    if not isinstance(value, str | os.PathLike) and (isinstance(value, bytes) or not isinstance(value, Iterable)):
        raise UsageError(f"{name} must be a path or a list of paths, not {value!r:.80}.", f"For example: {example}")
    several = [value] if isinstance(value, str | os.PathLike) else items_of(name, value, example)
    return [path_of(name, each, example) for each in several]


def check_text(name: str, value: str, example: str) -> None:
    """Raise UsageError for what is no text, or an empty one."""
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a text, not {value!r:.80}.", f"For example: {example}")
    if not value.strip():
        raise UsageError(f"{name} is empty.", f"For example: {example}")


def check_count(name: str, value: int) -> None:
    """Raise UsageError for what is no whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{name} must be a whole number of at least 1, not {value!r:.80}.", f"For example: {name}=5")


def check_share(name: str, value: float) -> None:
    """Raise UsageError for what is no number between 0 and 1."""
    if not isinstance(value, int | float) or not 0 < value < 1:
        hint = f"For example: {name}=0.1 (on the command line: --{name.replace('_', '-')} 0.1)"
        raise UsageError(f"{name} must lie between 0 and 1, not {value!r:.80}.", hint)


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise UsageError for a value that is not among the choices."""
    if value not in choices:
        known = ", ".join(map(repr, choices))
        raise UsageError(f"{name} must be one of {known}, not {value!r:.80}.", f"For example: {name}={choices[0]!r}")


def check_switches(**switches: bool) -> None:
    """Raise UsageError for what is neither True nor False: "no" would count as True."""
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise UsageError(f"{name} must be True or False, not {value!r:.80}.", f"For example: {name}=False")


def check_function(name: str, value: object, example: str) -> None:
    """Raise UsageError for what cannot be called."""
    if not callable(value):
        raise UsageError(f"{name} must be a function, not {value!r:.80}.", f"For example: {example}")


def check_parts(name: str, value: object, parts: Sequence[str], example: str) -> None:
    """Raise UsageError for an object that lacks a part that its protocol has."""
    missing = [part for part in parts if not hasattr(value, part)]
    if missing:
        raise UsageError(f"{name} cannot be {value!r:.80}: it has no {missing[0]}.", f"For example: {example}")
