"""Patterns of the gitignore kind, matched without backtracking: a hostile pattern costs no more than a tame one.

pathspec decides which pattern of several speaks, as git does; what one pattern matches is told here. In a glob each
wildcard may take the least it can, and need never take more: so each piece is an atomic group, as in CPython's
`fnmatch.translate`, and between parts `**` is the same one floor up. Knows patterns; knows nothing of the disk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pathspec import GitIgnoreSpec
from pathspec.pattern import RegexPattern

from indexer.errors import UsageError

MAX_LENGTH = 1_000
"""Characters of a pattern: matching takes time in proportion to them, and to the square of a path's length."""

_FOLDER = "(?P<ps_d>/)"  # pathspec's name for the end of a match that is a folder's
_END = rf"(?:{_FOLDER}|\Z)"
_PART_END = r"(?=/|\Z)"


def patterns(lines: Sequence[str]) -> GitIgnoreSpec:
    """Return compiled gitignore patterns. Raises UsageError for one that is malformed or very long."""
    return GitIgnoreSpec.from_lines(lines, _pattern, backend="simple")


def _pattern(line: str) -> RegexPattern:
    if len(line) > MAX_LENGTH:
        raise UsageError(
            f"The pattern {line[:80]!r} has {len(line):,} characters; at most {MAX_LENGTH:,} are matched.",
            hint="Use a simpler pattern, such as '*.md' or 'drafts/'.",
        )
    told = line if line.endswith("\\ ") else line.rstrip()
    if not told or told.startswith("#") or told == "/":
        return RegexPattern(None)
    include = not told.startswith("!")
    try:
        return RegexPattern(re.compile(_regex(told if include else told[1:])), include)
    except _NoRange:
        return RegexPattern(None)  # git leaves out what has a bracket without an end
    except (ValueError, re.error) as error:
        raise UsageError(
            f"Not a pattern of the gitignore kind: {line[:80]!r}: {error}", hint="For example: '*.md', 'drafts/'."
        ) from error


class _NoRange(ValueError):
    """A bracket is opened and not closed."""


def _regex(pattern: str) -> str:
    """Return a regular expression for a pattern without its "!", to be searched for in a relative path."""
    parts = _parts(pattern)
    folder = pattern.endswith("/")
    if parts in (["**"], ["**", "*", "**"]) and folder:
        return _FOLDER
    if parts in (["**"], ["**", "*"]):
        return "."
    blocks, anywhere = _blocks(parts)
    made = [r"\A"]
    for number, (block, floats) in enumerate(zip(blocks, anywhere, strict=True)):
        glob = "/".join(_part(part) for part in block)
        if number < len(blocks) - 1:
            made.append(f"(?>{'(?:[^/]+/)*?' if floats else ''}{glob}/)")
        else:  # the last place counts: pathspec asks whether a match ends with the path
            made.append(f"{'(?:[^/]+/)*' if floats else ''}{glob}")
    made.append((_FOLDER if folder else "/") if parts[-1] == "**" else _END)
    return "".join(made)


def _parts(pattern: str) -> list[str]:
    """Return the parts between slashes, where "**" stands for any number of them, also where git only means it."""
    parts = pattern.split("/")
    if not parts[0]:
        del parts[0]
    elif len([part for part in parts if part]) == 1 and len(parts) <= 2 and parts[0] != "**":
        parts.insert(0, "**")  # without a slash in front or within, it holds at every depth
    if not parts:
        raise ValueError("nothing is left of it")
    if not parts[-1]:
        parts[-1] = "**"
    return [part for number, part in enumerate(parts) if part != "**" or parts[number - 1 : number] != ["**"]]


def _blocks(parts: Sequence[str]) -> tuple[list[list[str]], list[bool]]:
    """Return the runs of parts between any "**", and whether each may stand at any depth after the one before."""
    blocks: list[list[str]] = []
    anywhere: list[bool] = []
    floats = opened = False
    for part in parts:
        if part == "**":
            floats, opened = True, False
        elif opened:
            blocks[-1].append(part)
        else:
            blocks.append([part])
            anywhere.append(floats)
            floats, opened = False, True
    return blocks, anywhere


def _part(glob: str) -> str:
    """Return an expression for one part of a path, which commits itself to what it matches."""
    if glob == "*":
        return "[^/]++"
    pieces = _pieces(glob)
    first, rest = pieces[0], pieces[1:]
    middle = "".join(f"(?>[^/]*?{piece})" for piece in rest[:-1] if piece)
    last = f"[^/]*{rest[-1]}" if rest else ""
    return f"(?>{first}{middle}{last}{_PART_END})"


def _pieces(glob: str) -> list[str]:
    """Return expressions for what stands between the stars of a glob; each matches a fixed number of characters."""
    pieces = [""]
    place = 0
    while place < len(glob):
        char = glob[place]
        place += 1
        if char == "*":
            pieces.append("")
        elif char == "?":
            pieces[-1] += "[^/]"
        elif char == "[":
            end = _bracket_end(glob, place)
            pieces[-1] += _bracket(glob[place:end])
            place = end + 1
        elif char == "\\":
            if place == len(glob):
                raise ValueError("nothing follows the backslash at its end")
            pieces[-1] += re.escape(glob[place])
            place += 1
        else:
            pieces[-1] += re.escape(char)
    return pieces


def _bracket_end(glob: str, start: int) -> int:
    """Return where the bracket that was opened before `start` is closed; a "]" that comes first is one of its own."""
    first = start + 1 if glob[start : start + 1] in ("!", "^") else start
    end = glob.find("]", first + 1)
    if end < 0:
        raise _NoRange("a bracket is not closed")
    return end


def _bracket(inside: str) -> str:
    """Return the class of characters of a bracket's inside; a slash is never one of them."""
    negated = inside[0] in "!^"
    chars = inside[1:] if negated else inside
    ranges = {at for at, char in enumerate(chars) if char == "-" and 0 < at < len(chars) - 1}
    escaped = "".join(char if at in ranges else re.escape(char) for at, char in enumerate(chars))
    escaped = escaped.replace("--", "-" + re.escape("-"))  # a range that ends with a hyphen, and no difference of sets
    return f"(?!/)[{'^' if negated else ''}{escaped}]"
