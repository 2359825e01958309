"""How a stretch of a passage is set as the text of an answer: paragraphs as one line, items and rows a line each.

A source breaks its lines where it likes; what is read should not. Code alone keeps its lines as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.units import Unit
from rag.generator import Copied, Written

Piece = Copied | Written
LINE, PARAGRAPH, SPACE = (Written(gap, supported=True) for gap in ("\n", "\n\n", " "))
_BY_LINES = ("item", "row", "field")


def laid_out(units: Sequence[Unit]) -> list[Piece]:
    """Return the pieces of a stretch, given its units in order; all of them are quoted by one footnote."""
    quoted = (units[0].start, units[-1].end)
    pieces: list[Piece] = []
    run: list[Unit] = []
    for unit in units:
        if run and not _goes_on(run[-1], unit):
            _add(pieces, run, quoted)
            run = []
        run.append(unit)
    _add(pieces, run, quoted)
    return pieces


def _goes_on(before: Unit, unit: Unit) -> bool:
    """Tell whether a unit stands in one line, or one block of code, with the unit before it."""
    return (
        before.block == unit.block and unit.kind not in _BY_LINES and (unit.kind == "code") == (before.kind == "code")
    )


def _add(pieces: list[Piece], run: Sequence[Unit], quoted: tuple[int, int]) -> None:
    first, last = run[0], run[-1]
    if pieces:
        before = pieces[-1]
        in_list = isinstance(before, Copied) and first.kind in _BY_LINES
        pieces.append(LINE if in_list else PARAGRAPH)
    pieces.append(Copied(first.passage, first.start, last.end, verbatim=first.kind == "code", quoted=quoted))


def apart(stretches: Sequence[Sequence[Piece]]) -> tuple[Piece, ...]:
    """Return the pieces of several stretches, with an empty line between two of them."""
    joined: list[Piece] = []
    for stretch in stretches:
        joined += [PARAGRAPH, *stretch] if joined else stretch
    return tuple(joined)
