"""The cells of a row: which of them a question asks for, by the names of the columns. Pure text.

A row is `cell | cell` under a header row, or `name: value; name: value` with the names in it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.kinds import wanted_kind
from rag.question import stem, stems

_PAIR = re.compile(r"(?:^|;\s)(?P<name>[^;:|“”]{1,80}?):\s(?P<value>“[^”]*”|(?:[^;]|;(?!\s))*)")
"""A value with a semicolon in it stands between quotation marks (`indexer.readers.rows`)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row: half-open, in characters of the row."""

    name: str
    """What its column is called; "" where nothing says."""
    start: int
    end: int


def cells(row: str, header: str = "") -> list[Cell]:
    """Return the cells of a row in order; `header` is the row with the names, where the row has none in it."""
    if "|" in row:
        names = [part.strip(" *_`") for part in _bare(header).split("|")] if "|" in header else []
        found = _split(row)
        aligned = len(names) == len(found)
        return [Cell(names[place] if aligned else "", *span) for place, span in enumerate(found)]
    named = [
        Cell(match["name"].strip(), *_unquoted(match)) for match in _PAIR.finditer(row) if match["value"].strip(" “”")
    ]
    return named or _beside(row)


def _unquoted(match: re.Match[str]) -> tuple[int, int]:
    start, value = match.start("value"), match["value"].rstrip()
    is_quoted = value.startswith("“") and value.endswith("”") and len(value) > 1
    return start + is_quoted, start + len(value) - is_quoted


_PART = re.compile(r"[^;\s][^;]*")
_NUMBER = re.compile(r"[^\w;]{0,4}\d[\d.,\s'%]*[^\w;]{0,4}(?:[A-Z]{3})?\s*")


def _beside(row: str) -> list[Cell]:
    """Return the numbers of a row without column names, each called by the words in the cell before it."""
    parts = list(_PART.finditer(row)) if ";" in row else []
    found = []
    for before, part in itertools.pairwise(parts):
        if _NUMBER.fullmatch(part[0]) and not _NUMBER.fullmatch(before[0]):
            found.append(Cell(before[0].strip(), part.start(), part.start() + len(part[0].rstrip())))
    return found


def _bare(line: str) -> str:
    return line.strip().removeprefix("|").removesuffix("|")


def _split(row: str) -> list[tuple[int, int]]:
    """Return where each cell between bars stands, without the space around it."""
    first = row.index("|") + 1 if row.lstrip().startswith("|") else 0
    last = row.rindex("|") if row.rstrip().endswith("|") else len(row)
    spans, start = [], first
    for part in row[first:last].split("|"):
        begin = start + len(part) - len(part.lstrip())
        spans.append((begin, begin + len(part.strip())))
        start += len(part) + 1
    return spans


def asked_cell(question: str, row: str, header: str = "") -> Cell | None:
    """Return the cell that a question asks for: that of the column whose name says most of what the row does not.

    Where no name says anything of the question, it is the one column of the kind that is asked for: "What does the
    card cost?" asks for "price_gbp". None where there is none, or two say as much.
    """
    wanted = stems(question)
    found = [cell for cell in cells(row, header) if cell.name and row[cell.start : cell.end].strip()]
    scored = []
    for cell in found:
        own = stems(row[cell.start : cell.end])
        if own and own <= wanted:
            continue  # it is what the question names
        named = stems(cell.name.replace("_", " ")) | _deeds(question, cell.name)
        scored.append((len(named & wanted) + 0.5 * len(named & wanted) / (len(named) or 1), cell))
    scored.sort(key=lambda each: (-each[0], each[1].start))
    if not scored or scored[0][0] <= 0:
        return _of_kind(question, row, [cell for _, cell in scored])
    if len(scored) > 1 and scored[1][0] == scored[0][0]:
        return None
    return scored[0][1]


_WHO = re.compile(r"\bwho\b", re.IGNORECASE)
_MONEY = re.compile(
    r"\b(?:prices?|costs?|fees?|fares?|charges?|amounts?|salary|wages?|rent|gbp|eur|usd|chf|euros?|pounds?|dollars?"
    r"|preis|kosten|gebühr|betrag|prix|tarif|montant)\b|[€$£]",
    re.IGNORECASE,
)


def _deeds(question: str, name: str) -> set[str]:
    """Return what one does who is called by the name of a column: "who owns it" asks for the "owner"."""
    if not _WHO.search(question):
        return set()
    words = re.findall(r"[^\W\d_]{5,}", name.casefold())
    return {stem(word[:-2]) for word in words if word.endswith(("er", "or"))}


def _of_kind(question: str, row: str, free: Sequence[Cell]) -> Cell | None:
    """Return the only cell with a number under the name of money, for a question that asks for money."""
    if wanted_kind(question) != "money":
        return None
    priced = [
        cell
        for cell in free
        if _MONEY.search(cell.name.replace("_", " ")) and any(map(str.isdigit, row[cell.start : cell.end]))
    ]
    return priced[0] if len(priced) == 1 else None


def cell_at(row: str, place: int, header: str = "") -> Cell | None:
    """Return the cell that holds this character of a row."""
    return next((cell for cell in cells(row, header) if cell.start <= place < cell.end), None)
