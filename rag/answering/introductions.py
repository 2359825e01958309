"""What a sentence introduces: a colon's list, table or code, and the line below a comment, which hold the answer.

"GPT-2 has these parameters:" is likest to the question of all sentences, and the table below it answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import PurePath

from indexer.collection import Collection
from rag.answering.amounts import counts_them, is_calculated, things_counted
from rag.answering.composing import EXPLANATION, Shown, span
from rag.answering.conflict import newest
from rag.answering.evidence import Evidence, Seen
from rag.answering.kinds import has_kind, wanted_kind
from rag.answering.layout import laid_out
from rag.answering.listing import FEWEST, whole_list
from rag.generator import Copied
from rag.question import answer_type

INTRODUCES = 0.4
"""Weight of the question's words that the line before a list says, at least, for all of its items to be the answer."""


def fact_or_list(evidence: Evidence, own: Sequence[Seen], chances: Sequence[float], collection: Collection) -> Shown:
    """Show one sentence, or the whole list where its introduction answers the question and no item more than another.

    "On Fridays we serve:" is asked for by "What is served on Fridays?", and each of its items is an answer.
    """
    shown = newest(evidence, own, chances)
    top = shown.chosen[0]
    if not _gives_it(evidence, top) and (behind := introduced_by(evidence, top)):
        return _with_what_follows(evidence, own, chances, top, behind, collection)
    if top.unit.kind != "item" or top.unit.lead is None or answer_type(evidence.asked.question) != "any":
        return shown
    lead = evidence.seen[top.unit.passage][top.unit.lead]
    block = [each for each in evidence.seen[top.unit.passage] if each.unit.block == top.unit.block]
    items = [each for each in block if each.unit.kind == "item"]
    if len(items) < FEWEST or lead.words < INTRODUCES or max(each.words for each in items) >= lead.words:
        return shown
    return whole_list(evidence, own, chances, block, collection)


_COMMENT = re.compile(r"(?:#|//|--|;|/?\*)\s?[^\W\d_].*(?<![;{])$")
"""A line of code or of a configuration that tells what stands below it."""
SETTINGS = frozenset((".cfg", ".conf", ".ini", ".properties", ".toml", ".yaml", ".yml"))
"""Endings of files of settings: a line of words there is a comment on what stands below it."""
_DRAWN = re.compile(r"[=+-]{3,}[=+ -]*\n")
"""The first line of a table that is drawn with signs."""


def introduced_by(evidence: Evidence, top: Seen) -> list[Seen]:
    """Return what a unit introduces: the list, the rows or the code behind its colon, the line below a comment.

    Nothing where it ends as a sentence, or where what stands behind it is text.
    """
    own, place = evidence.seen[top.unit.passage], evidence.place(top.unit)
    if place + 1 >= len(own):
        return []
    text, follows = evidence.text(top.unit).rstrip("*_ "), own[place + 1]
    said_of_setting = PurePath(evidence.passages[top.unit.passage].source).suffix in SETTINGS
    if top.unit.kind == "code" or (top.unit.kind == "sentence" and said_of_setting):
        is_comment = said_of_setting or _COMMENT.match(text)
        below = follows.unit.kind in ("code", "field") and not _COMMENT.match(evidence.text(follows.unit))
        return [follows] if is_comment and below else []
    if top.unit.kind not in ("sentence", "item") or not text.endswith(":"):
        return []
    if top.unit.kind == "item":  # the items below it, up to the next that introduces some
        rest = takewhile(lambda each: not evidence.text(each.unit).rstrip("*_ ").endswith(":"), own[place + 1 :])
        return [each for each in rest if each.unit.kind == "item" and each.unit.block == top.unit.block]
    if _DRAWN.match(evidence.text(follows.unit)):
        return [replace(follows, unit=replace(follows.unit, kind="code"))]  # its spaces hold the columns apart
    header = follows.unit.kind == "heading" and place + 2 < len(own) and own[place + 2].unit.kind == "row"
    return [each for each in own[place + 1 + header :] if each.unit.lead == place + header]


def _gives_it(evidence: Evidence, top: Seen) -> bool:
    """Tell whether the question asks for a kind of thing, an amount or a date, that the unit gives."""
    question, text = evidence.asked.question, evidence.text(top.unit)
    kind = wanted_kind(question)
    counts = counts_them(question, text) > 0 or not things_counted(question)
    return bool(kind) and has_kind(text, kind) and counts and not is_calculated(question, text)


def _with_what_follows(
    evidence: Evidence,
    own: Sequence[Seen],
    chances: Sequence[float],
    top: Seen,
    behind: Sequence[Seen],
    collection: Collection,
) -> Shown:
    """Show a unit with what it introduces: the row that names most of the question, or all of the list or the code."""
    if behind[0].unit.kind == "item" and len(behind) >= FEWEST and top.unit.kind != "item":
        return whole_list(evidence, own, chances, behind, collection)
    if behind[0].unit.kind in ("row", "field"):
        most = max(behind, key=lambda each: each.words)
        if len(behind) == 1 or (most.words > 0 and [each.words for each in behind].count(most.words) == 1):
            lead = Copied(top.unit.passage, top.unit.start, top.unit.end)
            return Shown("fact", (span(evidence, most),), (most, top), (lead,))
    first = top.unit.start
    shown = [top.unit, *(each.unit for each in behind if each is behind[0] or each.unit.end - first <= EXPLANATION)]
    return Shown("list" if behind[0].unit.kind == "item" else "explanation", tuple(laid_out(shown)), (top, *behind))
