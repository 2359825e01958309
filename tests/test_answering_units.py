"""What a passage consists of: units in order, what introduces them, and texts that are hard to take apart."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rag.answering.counting
import rag.answering.cues
import rag.answering.evidence
import rag.answering.fields
import rag.answering.overview
import rag.answering.rules
from indexer.types import BlockKind, Section
from rag.answering.cells import cells
from rag.answering.cues import defines, gives_a_reason
from rag.answering.fields import has_field
from rag.answering.rules import with_its_unit
from rag.answering.units import Unit, units
from rag.quoting.quotable import MAX_QUOTE
from rag.types import Passage
from tests.answers import passage

KINDS: tuple[BlockKind, ...] = ("heading", "paragraph", "code", "table", "row")


def of(read: Passage) -> list[Unit]:
    return units([read])[0]


def said(read: Passage) -> list[tuple[str, str]]:
    """Return kind and text of each unit."""
    return [(unit.kind, read.text[unit.start : unit.end]) for unit in of(read)]


def in_blocks(*parts: tuple[str, BlockKind]) -> Passage:
    """Return a passage of these blocks, an empty line between two of them."""
    return passage("\n\n".join(text for text, _ in parts), *parts)


# Kinds


def test_prose_is_taken_apart_into_sentences() -> None:
    assert said(passage("Tea is hot. Ice is cold!")) == [("sentence", "Tea is hot."), ("sentence", "Ice is cold!")]


@pytest.mark.parametrize(
    "item", ["- a net", "* a net", "• a net", "1. a net", "(2) a net", "b) a net", "☐ a net", "A: a net", "#. a net"]
)
def test_a_mark_at_the_beginning_makes_an_item(item: str) -> None:
    assert said(passage(item)) == [("item", item)]


def test_every_line_of_a_list_is_an_item() -> None:
    read = passage("1. Open the gate.\n2. Wait.\n3. Close it.")
    assert said(read) == [("item", "1. Open the gate."), ("item", "2. Wait."), ("item", "3. Close it.")]
    assert len({unit.block for unit in of(read)}) == 1


def test_a_question_is_none_of_what_may_answer() -> None:
    read = in_blocks(("May I fish?", "paragraph"), ("Yes, with a rod.", "paragraph"))
    assert said(read) == [("question", "May I fish?"), ("sentence", "Yes, with a rod.")]


def test_headings_are_known_by_their_block_or_by_their_marks() -> None:
    assert said(in_blocks(("The mill", "heading"), ("It grinds rye.", "paragraph"))) == [
        ("heading", "The mill"),
        ("sentence", "It grinds rye."),
    ]
    assert said(passage("# The mill\nIt grinds rye.\n== Hours\nIt opens at nine.")) == [
        ("heading", "# The mill"),
        ("sentence", "It grinds rye."),
        ("heading", "== Hours"),
        ("sentence", "It opens at nine."),
    ]


def test_a_heading_stands_above_all_until_the_next() -> None:
    read = passage("# The mill\nIt grinds rye.\n## Hours:\nIt opens at nine.")
    assert [unit.heading for unit in of(read)] == ["The mill", "The mill", "Hours", "Hours"]


def test_a_field_stands_alone_in_prose() -> None:
    read = passage("Author: Petra Holm\nDate: 2021-03-04\n\nThe mill stands.")
    assert said(read) == [
        ("field", "Author: Petra Holm"),
        ("field", "Date: 2021-03-04"),
        ("sentence", "The mill stands."),
    ]
    assert said(passage("**Price**: 4 crowns")) == [("field", "**Price**: 4 crowns")]
    assert said(passage("It says so at http://mill.example/a: look.")) == [
        ("sentence", "It says so at http://mill.example/a: look.")
    ]


def test_a_field_that_is_indented_goes_on() -> None:
    fields = "Author: Petra Holm\nNotes: the first line\n  goes on here\nVersion: 3"
    assert said(passage(fields, (fields, "row"))) == [
        ("field", "Author: Petra Holm"),
        ("field", "Notes: the first line\n  goes on here"),
        ("field", "Version: 3"),
    ]


def test_a_line_of_several_cells_is_a_row() -> None:
    line = "Fish: trout; Net: two"
    assert said(passage(line, (line, "row"))) == [("row", line)]


def test_the_header_of_a_table_is_no_row() -> None:
    table = "| tea | degrees |\n|---|---|\n| green | 80 |\n| black | 100 |"
    read = passage(f"How hot.\n\n{table}\n\nThe end.", (table, "table"))
    assert said(read) == [
        ("sentence", "How hot."),
        ("heading", "| tea | degrees |"),
        ("row", "| green | 80 |"),
        ("row", "| black | 100 |"),
        ("sentence", "The end."),
    ]
    assert [unit.lead for unit in of(read)] == [None, None, 1, 1, None]


def test_the_header_of_a_table_is_no_heading_behind_it() -> None:
    """It once stood above all that followed the table, as if the rest of the page were about its columns."""
    table = "| tea | degrees |\n|---|---|\n| green | 80 |"
    read = in_blocks(("Heat", "heading"), (table, "table"), ("Let it cool.", "paragraph"))
    assert [(unit.kind, unit.heading) for unit in of(read)] == [
        ("heading", "Heat"),
        ("heading", "| tea | degrees |"),
        ("row", "| tea | degrees |"),
        ("sentence", "Heat"),
    ]


def test_a_first_row_with_figures_is_no_header_unless_a_rule_says_so() -> None:
    bare, ruled = "tea | 80\nice | 0", "mill | 12\n-----|----\nrye | 40"
    assert [kind for kind, _ in said(passage(bare, (bare, "table")))] == ["row", "row"]
    assert [kind for kind, _ in said(passage(ruled, (ruled, "table")))] == ["heading", "row"]
    years = "tea | 2021 | 2022\ngreen | 80 | 81"  # years are what columns are called
    assert [kind for kind, _ in said(passage(years, (years, "table")))] == ["heading", "row"]


def test_short_code_is_one_unit_and_long_code_is_its_lines() -> None:
    code = "def open():\n    return 1"
    assert said(passage(code, (code, "code"))) == [("code", code)]
    long = "\n".join(f"line_{number:03d} = {number}" for number in range(100))
    assert len(long) > MAX_QUOTE
    assert said(passage(long, (long, "code"))) == [("code", line) for line in long.split("\n")]


@pytest.mark.parametrize(
    "text",
    ["", " \n\n", "---", "***", "```", ".. code-block:: python", "WEBVTT", "| | |", "```rust,ignore", "///", "####",
     "{{#include ../listing.rs:here}}", "```rust\n{{#rustdoc_include a.rs}}\n```", "<!-- an older manuscript -->"],
)  # fmt: skip
def test_marks_includes_and_comments_say_nothing(text: str) -> None:
    for kind in KINDS:
        assert said(passage(text, (text, kind))) == []


def test_what_stands_behind_an_include_says_something() -> None:
    include = "{{#include ../listing.rs:here}}"
    assert said(in_blocks((include, "code"), ("The wheel turns.", "paragraph"))) == [("sentence", "The wheel turns.")]


def test_a_long_sentence_is_cut() -> None:
    read = passage("word " * 400)
    assert all(unit.end - unit.start <= MAX_QUOTE for unit in of(read))
    assert " ".join(text for _, text in said(read)).split() == ["word"] * 400


# What introduces


def test_a_list_is_introduced_by_a_colon_a_heading_or_a_question() -> None:
    items = "- a net\n- a rope"
    for first in (("You need:", "paragraph"), ("Tools", "heading"), ("What do I need?", "paragraph")):
        assert [unit.lead for unit in of(in_blocks(first, (items, "paragraph")))] == [None, 0, 0]
    assert [unit.lead for unit in of(in_blocks(("It rains.", "paragraph"), (items, "paragraph")))] == [None] * 3


def test_all_paragraphs_behind_a_question_answer_it() -> None:
    read = in_blocks(
        ("May I fish?", "paragraph"),
        ("Yes, with a rod.", "paragraph"),
        ("Only at night.", "paragraph"),
        ("What of nets?", "paragraph"),
        ("No.", "paragraph"),
    )
    assert [(unit.kind, unit.lead) for unit in of(read)] == [
        ("question", None),
        ("sentence", 0),
        ("sentence", 0),
        ("question", None),
        ("sentence", 3),
    ]


def test_two_paragraphs_are_two_blocks() -> None:
    first, second = of(in_blocks(("Tea is hot.", "paragraph"), ("Ice is cold.", "paragraph")))
    assert first.block != second.block


# Laws


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    """Draw a text out of words and marks of many layouts, cut into blocks of any kind."""
    pieces = [
        "mill", "Mr. Holm", "a: b", ": ", "- ", "1. ", "# ", "| ", "|", "---", "?", ". ", "\n", "\n\n", "  ", "```",
        "{{#include x}}", "<!--", "-->", "Q: ", "; ", "42", "ä", "\u00a0", "👩\u200d👧", "x" * 700,
    ]  # fmt: skip
    text = "".join(draw(st.lists(st.sampled_from(pieces), max_size=60)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=5)))
    ends = [*cuts, len(text)]
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=len(ends), max_size=len(ends)))
    parts = zip([0, *cuts], ends, kinds, strict=True)
    sections = tuple(Section(start, end, kind) for start, end, kind in parts if start < end)
    return replace(passage(text), sections=sections)


@given(passages())
def test_units_lie_in_order_inside_the_text_and_do_not_overlap(read: Passage) -> None:
    end = 0
    for place, unit in enumerate(of(read)):
        assert end <= unit.start < unit.end <= len(read.text)
        assert unit.end - unit.start <= MAX_QUOTE
        text = read.text[unit.start : unit.end]
        assert text == text.strip()
        assert any(map(str.isalnum, text))
        assert unit.lead is None or 0 <= unit.lead < place
        end = unit.end


@given(st.lists(passages(), max_size=3))
def test_passages_are_taken_apart_each_by_itself(read: list[Passage]) -> None:
    found = units(read)
    for number, (own, one) in enumerate(zip(found, read, strict=True)):
        assert [(unit.start, unit.end, unit.kind) for unit in own] == [(u.start, u.end, u.kind) for u in of(one)]
        assert all(unit.passage == number for unit in own)


# Hostile texts

PIECES = (
    "*", "#", "-", "|", "_", "`", ":", "a: ", "a:", "?", "? ", "?\" ", ". ", "1. ", "- \n", "# a\n", "a: b\n", "a\n\n",
    "\n", " \n", "Q: a?\n", "```\n", "{{#a}}\n", "<!--", "; a: ", "**a ", "a.", "a ", "(", "==== ", "| a |\n", "\u00a0",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_a_hundred_thousand_marks_are_taken_apart_in_a_moment(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    for kind in KINDS:
        began = time.perf_counter()
        units([passage(text, (text, kind))])
        assert time.perf_counter() - began < 3


def patterns() -> dict[str, re.Pattern[str]]:
    """Return the patterns that are searched for in text."""
    modules = (rag.answering.counting, rag.answering.cues, rag.answering.evidence, rag.answering.overview,
               rag.answering.rules)  # fmt: skip
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }


@pytest.mark.parametrize("pattern", patterns().values(), ids=patterns())
def test_no_pattern_backtracks(pattern: re.Pattern[str]) -> None:
    words = {f"{word} " for word in re.findall(r"[a-zà-ÿ]{2,}", pattern.pattern)}
    for piece in (*PIECES, *sorted(words)):
        text = (piece * 50_000)[:50_000]
        began = time.perf_counter()
        pattern.search(text)
        pattern.search(f"{text}x")
        assert time.perf_counter() - began < 3, piece


@pytest.mark.parametrize("piece", PIECES)
def test_rows_fields_units_and_cues_are_read_in_a_moment(piece: str) -> None:
    """A line of underscores took the square of its length, for each name that a field may have."""
    text = (piece * 50_000)[:50_000]
    names = list(rag.answering.fields._NAMED)
    for read in (
        lambda: cells(text, text),
        lambda: [has_field(text, name) for name in names],
        lambda: with_its_unit(text, f"7{text}", 0, 1),
        lambda: with_its_unit(text, f"{text}7", len(text), len(text) + 1),
        lambda: defines("mill", text),
        lambda: gives_a_reason(text),
    ):
        began = time.perf_counter()
        read()
        assert time.perf_counter() - began < 3  # a square would take minutes
