"""The nearest of some names to the one that was typed: what "Did you mean" offers. Knows nothing of what they name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

MOST = 3
"""Names that are offered at once."""
_COMPARED = 20_000
"""Names that are compared letter by letter, at most: 20,000 take a fifth of a second."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return "Did you mean: ...?" with the nearest names, or "" where none is near."""
    found = nearest(name, names)
    return f"Did you mean: {', '.join(found)}?" if found else ""


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return the names nearest to `name`, the nearest first: those that begin with it or hold it, else those like it.

    Capitals do not count, and of a path its last part is compared as well, with its ending and without.
    """
    wanted = name.casefold()
    if not wanted:
        return []
    spelled = {each: _spellings(each) for each in dict.fromkeys(names)}
    holding = [
        (not any(text.startswith(wanted) for text in texts), min(len(text) for text in texts if wanted in text), each)
        for each, texts in spelled.items()
        if any(wanted in text for text in texts)
    ]
    if holding:
        return [each for *_, each in sorted(holding)[:MOST]]
    from difflib import get_close_matches

    of: dict[str, str] = {}
    for each in list(spelled)[:_COMPARED]:
        for text in spelled[each]:
            of.setdefault(text, each)
    slips = [text for text in of if len(wanted) > 2 and _is_one_slip(wanted, text)]
    close = slips or get_close_matches(wanted, of, n=2 * MOST, cutoff=0.7)
    return list(dict.fromkeys(of[text] for text in close))[:MOST]


def _is_one_slip(typed: str, name: str) -> bool:
    """Tell whether a letter was left out, doubled, hit wrongly or changed places with the next: "aks" for "ask"."""
    if abs(len(typed) - len(name)) > 1:
        return False
    same = next((at for at, (one, other) in enumerate(zip(typed, name, strict=False)) if one != other), None)
    if same is None:
        return True
    one, other = typed[same:], name[same:]
    swapped = one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]


def _spellings(name: str) -> tuple[str, ...]:
    path = PurePath(name)
    return tuple(dict.fromkeys((name.casefold(), path.name.casefold(), path.stem.casefold())))
