"""The chunker: laws for any document, and where cuts fall in documents worked out by hand."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from indexer.chunker import ChunkOptions, chunk, passage_text
from indexer.cleaner import assemble
from indexer.types import Block, BlockKind, Chunk, Document, Reading, Section


class Words:
    """A fake encoder: each word of at most eight letters, and each mark, is one token."""

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w{1,8}|[^\w\s]", text)]


def document(*blocks: tuple[BlockKind, int, str], title: str = "", gap: str = "\n\n") -> Document:
    """Build a document of (kind, level, text) blocks."""
    text, sections = "", []
    for kind, level, content in blocks:
        start = len(text) + (len(gap) if text else 0)
        text += (gap if text else "") + content
        sections.append(Section(start, len(text), kind, level))
    return Document("s", "0" * 64, title, text, tuple(sections))


def plain(text: str) -> Document:
    return Document("s", "0" * 64, "", text)


def texts(chunks: Sequence[Chunk]) -> list[str]:
    return [each.text for each in chunks]


KINDS = st.sampled_from(["heading", "paragraph", "code", "table", "row"])
CONTENT = st.text(st.sampled_from("ab c.,|-\n1Aé。京ก้\u0301\u200d👩\r🇩🇪한"), min_size=1, max_size=120)
DOCUMENTS = st.builds(
    lambda blocks, title, gap: document(*blocks, title=title, gap=gap),
    st.lists(st.tuples(KINDS, st.integers(1, 4), CONTENT), max_size=12),
    st.text(st.sampled_from("Tt é"), max_size=30),
    st.sampled_from(["\n\n", "\n", " between ", ""]),
)
OPTIONS = st.builds(
    ChunkOptions,
    max_tokens=st.none() | st.integers(1, 40),
    overlap_tokens=st.integers(0, 20),
    context_tokens=st.integers(0, 20),
    min_tokens=st.integers(0, 30),
)


@given(DOCUMENTS, OPTIONS, st.integers(1, 40))
def test_the_laws_of_chunks(doc: Document, options: ChunkOptions, max_tokens: int) -> None:
    encoder = Words(max_tokens)
    chunks = chunk(doc, encoder, options)
    limit = min(options.max_tokens or max_tokens, max_tokens)
    borders = {0, *(match.end() for match in regex.finditer(r"\X", doc.text))}
    covered = set[int]()
    for each in chunks:
        assert each.text == doc.text[each.start : each.end]
        assert each.text.strip()
        covered.update(range(each.start, each.end))
        if len(regex.findall(r"\X", each.text)) > 1 or {each.start, each.end} <= borders:
            assert {each.start, each.end} <= borders
            if len(regex.findall(r"\X", each.text)) > 1:
                assert len(encoder.token_spans(passage_text(each))) <= limit
    assert all(position in covered or doc.text[position].isspace() for position in range(len(doc.text)))
    assert [each.start for each in chunks] == sorted({each.start for each in chunks})
    assert chunk(doc, encoder, options) == chunks


@given(DOCUMENTS)
def test_a_document_that_fits_whole_is_one_chunk(doc: Document) -> None:
    chunks = chunk(doc, Words(3000))
    found = [text.strip() for text in texts(chunks)]  # a space that carries a mark is one grapheme with it, and stays
    assert found == ([doc.text.strip()] if doc.text.strip() else [])


def test_context_is_title_and_headings_without_those_that_the_text_begins_with() -> None:
    doc = document(
        ("heading", 1, "# Mill"),
        ("paragraph", 0, "a b c d e f."),
        ("heading", 2, "## Gate"),
        ("paragraph", 0, "g h i j k l."),
        ("paragraph", 0, "m n o p q r."),
        title="Book",
    )
    chunks = chunk(doc, Words(18), ChunkOptions(min_tokens=5, overlap_tokens=0))
    assert [(each.context, each.text) for each in chunks] == [
        ("Book", "# Mill\n\na b c d e f."),
        ("Book > Mill", "## Gate\n\ng h i j k l."),
        ("Book > Mill > Gate", "m n o p q r."),
    ]


def test_a_title_that_is_the_first_heading_is_not_said_twice() -> None:
    doc = document(("heading", 1, "# Mill"), ("paragraph", 0, "a b c d."), ("paragraph", 0, "e f g h."), title="Mill")
    chunks = chunk(doc, Words(9), ChunkOptions(overlap_tokens=0, context_tokens=3))
    assert [(each.context, each.text) for each in chunks] == [("", "# Mill\n\na b c d."), ("Mill", "e f g h.")]


def test_a_heading_stays_with_what_follows() -> None:
    doc = document(
        ("paragraph", 0, "a b c d e f g h."), ("heading", 2, "## Gate"), ("paragraph", 0, "i j k l m n o p q r s.")
    )
    chunks = chunk(doc, Words(16), ChunkOptions(context_tokens=0, min_tokens=4))
    assert texts(chunks) == ["a b c d e f g h.", "## Gate\n\ni j k l m n o p q r s."]


def test_small_sections_are_put_together_and_large_ones_are_not() -> None:
    doc = document(*(block for name in "ABCD" for block in (("heading", 1, f"# {name}"), ("paragraph", 0, "x y z."))))
    assert len(chunk(doc, Words(20), ChunkOptions(min_tokens=10, context_tokens=0))) == 2
    assert len(chunk(doc, Words(20), ChunkOptions(min_tokens=5, context_tokens=0))) == 4


def test_a_table_is_kept_whole_or_its_header_row_is_repeated() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |"
    doc = document(("paragraph", 0, "x. " * 6), ("table", 0, table))
    assert texts(chunk(doc, Words(40), ChunkOptions(context_tokens=0)))[-1] == table
    rows = chunk(doc, Words(26), ChunkOptions(context_tokens=8))
    assert [(each.context, each.text) for each in rows[1:]] == [("", table[:39]), ("| a | b |", "| 5 | 6 |")]


def test_sentences_are_repeated_in_prose_and_nowhere_else() -> None:
    prose = "A b c. D e f. G h i. J k l. M n o."
    options = ChunkOptions(overlap_tokens=4, context_tokens=0)
    assert texts(chunk(plain(prose), Words(12), options)) == ["A b c. D e f. G h i.", "G h i. J k l. M n o."]
    lines = document(("code", 0, prose.replace(". ", ".\n")))
    assert texts(chunk(lines, Words(12), options)) == ["A b c.\nD e f.\nG h i.", "J k l.\nM n o."]


def test_cuts_fall_between_words_then_between_graphemes() -> None:
    assert texts(chunk(plain("one two three four five"), Words(2), ChunkOptions(context_tokens=0))) == [
        "one two",
        "three four",
        "five",
    ]
    family = "👩‍👩‍👧"
    chunks = chunk(plain(family * 6), Words(8), ChunkOptions(context_tokens=0))
    assert {each.text for each in chunks} <= {family * n for n in range(1, 7)}


def test_a_paragraph_without_sections_is_found_by_its_blank_line() -> None:
    chunks = chunk(plain("a b c d e.\n\nf g h i j."), Words(9), ChunkOptions(context_tokens=0))
    assert texts(chunks) == ["a b c d e.", "f g h i j."]


@pytest.mark.parametrize(
    "text",
    ["a" * 10**6, "\n" * 10**6, "a." * 10**5, "A. " * 10**5, '"(' * 10**5, "京" * 10**5, "e" + "\u0301" * 10**5],
    ids=["no space", "newlines", "dots", "initials", "quotes", "CJK", "marks"],
)
def test_hostile_text_takes_linear_time_and_gives_bounded_chunks(text: str) -> None:
    started = time.perf_counter()
    chunks = chunk(plain(text), Words(254))
    assert time.perf_counter() - started < 10
    assert max((len(each.text) for each in chunks), default=0) <= 254 * 16


def test_many_headings_take_linear_time() -> None:
    blocks: list[tuple[BlockKind, int, str]] = [("heading", 1 + n, f"h{n}") for n in range(20_000)]
    started = time.perf_counter()
    assert chunk(document(*blocks), Words(254))
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    ("form", "expected"), [("xlsx", ["One\n\nred", "Two\n\nblue"]), ("pdf", ["One\n\nred\n\nTwo\n\nblue"])]
)
def test_no_passage_reaches_over_two_sheets_or_slides(form: str, expected: list[str]) -> None:
    blocks = (Block("One", "heading", 1, 1), Block("red", page=1), Block("Two", "heading", 1, 2), Block("blue", page=2))
    document = assemble("a", "", Reading(blocks, form))
    assert [piece.text for piece in chunk(document, Words(60))] == expected


def test_the_parts_of_a_long_row_know_what_the_row_is_called() -> None:
    """The end of a long cell stood alone, with the cells behind it, and its first words passed for the row's name."""
    cell = " ".join(f"Sentence {number} tells why; point: {number}." for number in range(40))
    row = f"ID: R-1; Rationale: “{cell}”; Owner: Mira"
    chunks = chunk(document(("row", 0, row), ("row", 0, "ID: R-2; Owner: Jon")), Words(60))
    assert [each.context for each in chunks] == ["", *["ID: R-1"] * (len(chunks) - 1)]
    assert len(chunks) > 3
    assert chunks[-1].text.endswith("Owner: Jon")
