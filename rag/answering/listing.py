"""All items of a list, a table or an enumeration, in order, with the line that introduces it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from indexer.collection import Collection
from rag.answering.composing import Shown, passages
from rag.answering.evidence import Evidence, Seen
from rag.answering.layout import laid_out
from rag.answering.units import Unit, units
from rag.types import Passage

LIST = 1400
"""Most characters of a list that is shown whole; a longer one is cut after an item."""
READ_ON = 1600
"""Characters behind a passage in which its last list may go on."""
FEWEST = 2
"""Items of a list, at least."""
LIKELY = 0.5
"""Share of the likeliest unit's chance that a list must reach by its items or by what introduces it."""


def listing(evidence: Evidence, own: Sequence[Seen], chances: Sequence[float], collection: Collection) -> Shown:
    """Show the list that fits the question best; where none does, the passages that say most."""
    best = best_list(evidence, own, chances)
    return passages(evidence, own, chances) if best is None else whole_list(evidence, own, chances, best, collection)


def whole_list(
    evidence: Evidence, own: Sequence[Seen], chances: Sequence[float], best: Sequence[Seen], collection: Collection
) -> Shown:
    """Show a list from the line that introduces it to its last item, also where it goes on behind the passage."""
    number = best[0].unit.passage
    passage, block = read_on(collection, evidence.passages[number], number, best[-1].unit)
    first = block[0].start
    lead = block[0].lead
    whole = units([passage])[0]
    if lead is not None and whole[lead].kind != "heading" and first - whole[lead].start < LIST // 2:
        first = whole[lead].start
    last = max((unit.end for unit in block if unit.end - first <= LIST), default=block[0].end)
    shown = [replace(unit, passage=number) for unit in whole if first <= unit.start and unit.end <= last]
    read = (*evidence.passages[:number], passage, *evidence.passages[number + 1 :])
    chance = {id(each): value for each, value in zip(own, chances, strict=True)}
    chosen = sorted(best, key=lambda each: -chance.get(id(each), 0.0))
    return Shown("list", tuple(laid_out(shown)), tuple(chosen), passages=read)


def best_list(evidence: Evidence, own: Sequence[Seen], chances: Sequence[float]) -> list[Seen] | None:
    """Return the units of the list that fits best, or None where no list is as likely as other text."""
    lists: dict[tuple[int, int], list[Seen]] = defaultdict(list)
    chance = {id(each): value for each, value in zip(own, chances, strict=True)}
    for passage in evidence.seen:
        for seen in passage:
            if seen.unit.kind in ("item", "row") or (seen.unit.kind == "sentence" and seen.unit.lead is not None):
                lists[seen.unit.passage, seen.unit.block].append(seen)
    most = max(chances, default=0.0)
    found: list[tuple[float, tuple[int, int]]] = []
    for key, members in lists.items():
        items = [each for each in members if each.unit.kind in ("item", "row")]
        if len(items) < FEWEST:
            continue
        by_items = math.fsum(chance.get(id(each), 0.0) for each in items) / math.sqrt(len(items))
        lead = items[0].unit.lead
        introduced = evidence.seen[key[0]][lead] if lead is not None else None
        by_lead = 0.0 if introduced is None else introduced.around * max(chance.get(id(introduced), 0.0), most / 2)
        found.append((by_items + by_lead, key))
    if not found:
        return None
    score, key = max(found, key=lambda each: (each[0], (-each[1][0], -each[1][1])))
    return lists[key] if score >= LIKELY * most else None


def read_on(collection: Collection, passage: Passage, number: int, last: Unit) -> tuple[Passage, list[Unit]]:
    """Return the passage, longer where its list goes on behind it, and the whole list's units."""
    longer = passage
    if last.end >= len(passage.text) - 2:
        with collection.view() as view:
            text, sections = view.part(passage.document_id, passage.start, passage.end + READ_ON)
        if text.startswith(passage.text):
            longer = replace(passage, text=text, end=passage.start + len(text), sections=sections)
    found = [unit for unit in units([longer])[0] if unit.start <= last.start < unit.end]
    block = found[0].block if found else last.block
    members = [replace(unit, passage=number) for unit in units([longer])[0] if unit.block == block]
    return longer, members or [last]
