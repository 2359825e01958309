"""From units to what is shown: one sentence with its span, or the passages that explain, list or tell how.

Each form is one function of the same shape: evidence and chances in, a `Shown` out. No word is written here but those
that join.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.answering.cells import asked_cell, cell_at
from rag.answering.evidence import UNREAD, Evidence, Seen
from rag.answering.layout import apart, laid_out
from rag.answering.rules import repeats, says_something, with_its_unit, without_torn_brackets
from rag.answering.units import Unit
from rag.generator import Copied, Written
from rag.quoting.quotable import MAX_QUOTE
from rag.types import Form, Passage

ONE_SENTENCE = 480
"""Most characters of the sentences that are shown for one fact."""
KEYWORDS = 900
"""The same for a few keywords, which do not say what is asked for."""
CERTAIN = 0.9
"""Chance from which on one sentence is shown alone."""
FIRST_WINDOW = 500
"""Most characters of the first piece of an explanation."""
EXPLANATION = 1200
"""Most characters of an explanation, the steps or a list."""
PIECES = 4
SMALL = 0.02
"""Chance below which a further piece is not worth its place."""
BESIDE = 0.25
"""Share of the likeliest sentence's chance, squared, that a sentence beside it must have: the surer, the fewer."""
TORN = 0.1
"""What a run of units is worth less where it parts a list from the sentence that introduces it."""
FURTHER = 0.3
"""Share of the first piece's chances that a further piece must have."""
SHOWN = -math.inf
"""Worth of a unit that is shown already, or is not to be shown: nothing is shown that holds it."""
FAR_BEHIND = 5.0
"""Nats by which a unit's best span may lie behind the best of all and still be taken for the answer in it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown: the pieces of the text, quotes beside it, and the units it was chosen for, best first."""

    form: Form
    pieces: tuple[Copied | Written, ...]
    chosen: tuple[Seen, ...]
    also: tuple[Copied, ...] = ()
    notes: tuple[str, ...] = ()
    documents: int = 0
    share: float = 1.0
    """What the confidence is multiplied by: the chance of a word such as "Yes." that the evidence is read for."""
    sure: float | None = None
    """The confidence, where the form itself knows it; None: it is fitted."""
    passages: tuple[Passage, ...] | None = None
    """What the pieces point into, where it is not the passages of the evidence."""


def sentence(evidence: Evidence, units: Sequence[Seen], chances: Sequence[float]) -> Shown:
    """Show the likeliest sentence, its span as the text; further ones beside it where it is not certain."""
    order = sorted(range(len(units)), key=lambda place: (-chances[place], place))
    best = units[order[0]]
    kept, length = [best], best.unit.end - best.unit.start
    room = KEYWORDS if evidence.asked.kind == "keywords" else ONE_SENTENCE
    if chances[order[0]] < CERTAIN:
        for place in order[1:]:
            size = units[place].unit.end - units[place].unit.start + 1
            if length + size <= room and chances[place] >= max(SMALL, BESIDE * chances[order[0]] ** 2):
                kept.append(units[place])
                length += size
    also = tuple(_copied(each.unit) for each in kept[1:])
    return Shown("fact", (span(evidence, best),), tuple(kept), also)


def span(evidence: Evidence, seen: Seen) -> Copied:
    """Return the part of a unit that answers: the reader's span, or the whole where the reader finds none there."""
    unit, question = seen.unit, evidence.asked.question
    if unit.kind in ("row", "field") and (copied := _cell(evidence, seen)) is not None:
        return copied
    best = max((each.read for each in evidence.all()), default=UNREAD)
    if seen.span is None or seen.read < best - FAR_BEHIND:
        return _value(evidence, unit)
    text = evidence.passages[unit.passage].text
    start, end = with_its_unit(question, text, *seen.span)
    start, end = without_torn_brackets(text, max(start, unit.start), min(end, unit.end))
    if (
        not says_something(text[start:end])
        or repeats(question, text[start:end])
        or _in_a_tag(text, unit.start, start, end)
    ):
        return _value(evidence, unit)
    return Copied(unit.passage, start, end)


def _in_a_tag(text: str, first: int, start: int, end: int) -> bool:
    """Tell whether a span lies within a tag of HTML that opens behind `first`: its name and attributes say nothing."""
    opens = text.rfind("<", first, start + 1)
    return opens >= 0 and re.match(r"</?[a-z][^<>]*>", text[opens:]) is not None and end <= text.find(">", opens) + 1


def _cell(evidence: Evidence, seen: Seen) -> Copied | None:
    """Return the cell of a row that answers: of the column asked for, or the one that the reader's span is in."""
    unit, row = seen.unit, evidence.text(seen.unit)
    header = "" if unit.lead is None else evidence.text(evidence.seen[unit.passage][unit.lead].unit)
    question, text = evidence.asked.question, evidence.passages[unit.passage].text
    begin = text.rfind("\n", 0, unit.start) + 1
    end = text.find("\n", unit.end)
    whole = text[begin : len(text) if end < 0 else end]
    if unit.kind == "row" and len(whole) > MAX_QUOTE:  # a wide row is read in several units
        wide = asked_cell(question, whole, header)
        if wide is not None:
            return Copied(unit.passage, begin + wide.start, begin + wide.end)
    cell = asked_cell(question, row, header)
    if cell is None and seen.span is not None and unit.kind == "row":
        cell = cell_at(row, seen.span[0] - unit.start, header)
        if cell is not None and seen.span[1] <= unit.start + cell.end:
            return None  # the reader's span lies within one cell
    return None if cell is None else Copied(unit.passage, unit.start + cell.start, unit.start + cell.end)


def _value(evidence: Evidence, unit: Unit) -> Copied:
    """Return a unit as a whole; of a field the value alone."""
    if unit.kind == "field":
        text = evidence.text(unit)
        colon = text.index(":") + 1 if ":" in text else 0
        value = text[colon:].lstrip(" \t*_`:")
        if value.strip():
            return Copied(unit.passage, unit.end - len(value), unit.end)
    return _copied(unit)


def _copied(unit: Unit) -> Copied:
    return Copied(unit.passage, unit.start, unit.end, verbatim=unit.kind == "code")


def passages(
    evidence: Evidence, units: Sequence[Seen], chances: Sequence[float], most_of_all: int = EXPLANATION
) -> Shown:
    """Show the stretch of a passage that holds most of an answer, then others while there is room.

    At most `most_of_all` characters in all.
    """
    worth = {(each.unit.passage, each.unit.start): chance for each, chance in zip(units, chances, strict=True)}
    windows: list[_Window] = []
    room = most_of_all
    first: float | None = None
    best = max(worth, key=lambda key: (worth[key], -key[0], -key[1])) if worth else None
    while room > 60 and len(windows) < PIECES:
        window = _window(evidence, worth, min(FIRST_WINDOW, room), None if windows else best)
        if window is None:
            break
        total = _worth(evidence, worth, window)
        first = total if first is None else first
        if total < FURTHER * first:
            break  # filler
        windows.append(window)
        room -= _taken(evidence, worth, window)
    return _from_windows(evidence, windows, units, chances)


def _worth(evidence: Evidence, worth: Mapping[tuple[int, int], float], window: _Window) -> float:
    own = evidence.seen[window.passage][window.first : window.last + 1]
    return math.fsum(max(0.0, worth.get((each.unit.passage, each.unit.start), 0.0)) for each in own)


def stretch(
    evidence: Evidence,
    units: Sequence[Seen],
    chances: Sequence[float],
    worths: Sequence[Sequence[float]],
    most: int,
) -> Shown:
    """Show the stretch of at most `most` characters that is worth most by each of `worths`, in their order."""
    windows: list[_Window] = []
    taken: set[tuple[int, int]] = set()
    for values in worths:
        worth = {
            (each.unit.passage, each.unit.start): SHOWN if (each.unit.passage, each.unit.start) in taken else value
            for each, value in zip(units, values, strict=True)
        }
        left = [key for key, value in worth.items() if value != SHOWN]
        best = max(left, key=lambda key: (worth[key], -key[0], -key[1]), default=None)
        window = None if best is None else _window(evidence, worth, most, best)
        if window is not None:
            windows.append(window)
            _taken(evidence, worth, window)
            taken |= {key for key, value in worth.items() if value == SHOWN}
    return _from_windows(evidence, windows, units, chances)


def _taken(evidence: Evidence, worth: dict[tuple[int, int], float], window: _Window) -> int:
    """Mark the units of a window as shown, and return how many characters it takes."""
    own = evidence.seen[window.passage][window.first : window.last + 1]
    for each in own:
        worth[each.unit.passage, each.unit.start] = SHOWN
    return own[-1].unit.end - own[0].unit.start + 2


def _from_windows(
    evidence: Evidence, windows: Sequence[_Window], units: Sequence[Seen], chances: Sequence[float]
) -> Shown:
    likely = {(each.unit.passage, each.unit.start): chance for each, chance in zip(units, chances, strict=True)}
    runs = [evidence.seen[each.passage][each.first : each.last + 1] for each in windows]
    chosen = [each for own in runs for each in own if (each.unit.passage, each.unit.start) in likely]
    chosen.sort(key=lambda each: -likely[each.unit.passage, each.unit.start])
    pieces = apart([laid_out([each.unit for each in own]) for own in runs])
    return Shown(evidence.asked.form, pieces, tuple(chosen))


@dataclass(frozen=True, slots=True)
class _Window:
    """A run of units of one passage: places among its units, inclusive."""

    passage: int
    first: int
    last: int


def _window(
    evidence: Evidence, worth: Mapping[tuple[int, int], float], most: int, holds: tuple[int, int] | None
) -> _Window | None:
    """Return the run of units with the largest sum of chances within `most` characters; None where none is worth it.

    `holds` is a unit that it has to hold, by its passage and its start. A run that begins and ends with a paragraph, a
    list or a block of code is liked a little better, a longer one a little less.
    """
    best: _Window | None = None
    best_worth = SMALL if holds is None else -math.inf
    for number, own in enumerate(evidence.seen):
        if holds is not None and holds[0] != number:
            continue
        for begin in range(len(own)):
            if not _opens(own, begin) or (holds is not None and own[begin].unit.start > holds[1]):
                continue
            total = 0.0
            for end in range(begin, len(own)):
                length = own[end].unit.end - own[begin].unit.start
                if end > begin and own[end].unit.kind == "heading":
                    break  # what stands under another heading is about something else
                if length > most and (end > begin or length > EXPLANATION):
                    break
                joins = own[end].unit.kind in ("heading", "question")
                total += worth.get((number, own[end].unit.start), 0.0 if joins else SHOWN)
                if total == SHOWN:
                    break
                if holds is not None and own[end].unit.start < holds[1]:
                    continue
                value = total - 0.0002 * length + 0.02 * _closes(own, end) + 0.03 * _begins_block(own, begin)
                value -= TORN * (_leads(own, end) + _is_led(own, begin))
                if value > best_worth and own[end].unit.kind not in ("heading", "question"):
                    best, best_worth = _Window(number, begin, end), value
    return best


def _leads(own: Sequence[Seen], place: int) -> bool:
    """Tell whether a unit introduces the one behind it: a text that ends with it breaks off."""
    return place + 1 < len(own) and own[place + 1].unit.lead == place and own[place].unit.kind == "sentence"


def _is_led(own: Sequence[Seen], place: int) -> bool:
    """Tell whether a sentence before a unit introduces it: a text that begins with it does not say what it is."""
    lead = own[place].unit.lead
    return lead is not None and lead < place and own[lead].unit.kind == "sentence"


def _opens(own: Sequence[Seen], place: int) -> bool:
    return own[place].unit.kind != "heading"


def _begins_block(own: Sequence[Seen], place: int) -> bool:
    return place == 0 or own[place - 1].unit.block != own[place].unit.block


def _closes(own: Sequence[Seen], place: int) -> bool:
    return place == len(own) - 1 or own[place + 1].unit.block != own[place].unit.block
