"""Data frames as Python prints them, turned back into tables: "site   pH" above "0  Elm field  6.3"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_SHAPE = re.compile(r"\[\d+ rows x \d+ columns\]")
_NAME = re.compile(r"\S+(?: \S+)*")
_INDEX = re.compile(r"(\S+(?: \S+)*)\s{2,}(\S.*)")
_MAX_LINES = 300


def table_of(text: str) -> str:
    """Return the printed frame `text` as rows of cells set apart by " | ", or "" when it is none.

    A frame prints its columns right-aligned, two spaces or more apart. An index that only counts is left out.
    """
    lines = [line.rstrip() for line in text.split("\n") if line.strip() and not _SHAPE.fullmatch(line.strip())]
    if not 2 <= len(lines) <= _MAX_LINES or not lines[0].startswith(" "):
        return ""
    found = list(_NAME.finditer(lines[0]))
    names, ends = [name[0] for name in found], [name.end() for name in found]
    index_name = lines[1].strip() if len(lines) > 2 and len(lines[1]) < found[0].start() else ""
    rows = [_cells(line, ends) for line in lines[2 if index_name else 1 :]]
    if not rows or not all(rows):
        return ""
    counts = not index_name and all(row[0].isdigit() for row in rows)
    table = [names, *(row[1:] for row in rows)] if counts else [[index_name, *names], *rows]
    return "\n".join(" | ".join(row) for row in table)


def _cells(line: str, ends: Sequence[int]) -> list[str]:
    """Return the index and the cells of a row, [] where the line does not fit under names that end at `ends`."""
    if len(line) > ends[-1]:
        return []
    first = _INDEX.fullmatch(line[: ends[0]].strip())
    if first is None:
        return []
    cells = [first[1], first[2]]
    for left, right in pairwise(ends):
        if line[left : left + 1].strip():
            return []
        cells.append(line[left:right].strip())
    return cells if all(cells) else []
