"""Cleaning: what is repaired, what is left alone, and that offsets, lines and pages stay right."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.cleaner import assemble
from indexer.types import Block, Document, Reading


def cleaned(*blocks: Block, form: str = "text") -> Document:
    return assemble("/docs/a file.txt", "0" * 64, Reading(blocks, form))


def text_of(text: str) -> str:
    return cleaned(Block(text)).text


def pieces(document: Document) -> list[str]:
    return [document.text[section.start : section.end] for section in document.sections]


def as_reading(document: Document) -> Reading:
    """Return the Reading that a reader would give of the cleaned blocks."""
    blocks = (
        Block(document.text[part.start : part.end], part.kind, part.level, part.page, part.line)
        for part in document.sections
    )
    return Reading(tuple(blocks), document.format, document.title, document.metadata)


def test_blocks_are_joined_by_a_blank_line_and_rows_by_a_line_end() -> None:
    document = cleaned(Block("One"), Block("a: 1", "row"), Block("a: 2", "row"), Block("Two"))
    assert document.text == "One\n\na: 1\na: 2\n\nTwo"
    assert [(part.start, part.end) for part in document.sections] == [(0, 3), (5, 9), (10, 14), (16, 19)]


def test_a_title_is_never_made_from_the_name_of_the_file() -> None:
    assert cleaned(Block("One")).title == ""
    assert assemble("x", "", Reading((Block("One"),), "text", " My\x00\n title ")).title == "My title"


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff", "\u200b\u200b"])
def test_a_text_of_nothing_is_empty_and_says_so(text: str) -> None:
    document = cleaned(Block(text))
    assert (document.text, document.sections, document.notes) == ("", (), ("empty",))


def test_lines_still_point_at_the_source() -> None:
    document = cleaned(Block("\x00\n \nfirst\nsec\u200bond", line=10), Block("third", line=20))
    assert document.text == "first\nsecond\n\nthird"
    assert [document.line_at(document.text.index(word)) for word in ("first", "second", "third")] == [12, 13, 20]


@pytest.mark.parametrize(
    ("dirty", "clean", "repair"),
    [
        ("a\x00b\x07c", "abc", "control characters"),
        ("a\ud800b", "ab", "lone surrogates"),
        ("\x1b[31mred\x1b[0m", "red", "terminal escapes"),
        ("N\x08NA\x08A", "NA", "overstrikes"),
        ("a\x0cb\u2028c", "a b c", "line separators"),
        ("zero\u200b\ufeffwidth", "zerowidth", "zero-width characters"),
        ("a\u200db", "ab", "zero-width characters"),
        ("abc\u202edef\u2066", "abcdef", "bidirectional controls"),
        ("so\u00adft", "soft", "soft hyphens"),
        ("hi\U000e0049\U000e0067", "hi", "tag characters"),
        ("hi\U000e0101\U000e0102", "hi", "tag characters"),
        ("e\u0301", "é", "decomposed characters"),
        ("CafÃ© crÃ¨me â€“ naÃ¯ve", "Café crème – naïve", "mojibake"),
    ],
)
def test_repairs_are_made_and_counted(dirty: str, clean: str, repair: str) -> None:
    document = cleaned(Block(dirty))
    assert document.text == clean
    assert document.repairs[repair] > 0
    assert list(document.repairs) == [repair]


@pytest.mark.parametrize(
    "text",
    [
        "“Curly” quotes, an ellipsis… and ﬁ ligatures, Ｆｕｌｌ width",
        "👩‍👩‍👧 and 🏴󠁧󠁢󠁥󠁮󠁧󠁿 and ✈️",
        "می‌خواهم",
        "क्‍ष and ന്‍",
        "首都は東京です。",
        "  indented in the middle\n\tand tabs",
    ],
)
def test_what_is_meant_is_left_alone(text: str) -> None:
    document = cleaned(Block("x\n" + text))
    assert document.text == "x\n" + unicodedata.normalize("NFC", text)
    assert not document.repairs


def test_mojibake_is_left_alone_in_code_and_in_texts_about_it() -> None:
    """A chapter on encodings lost its examples when every strange line was repaired."""
    assert cleaned(Block("x = 'CafÃ©'", "code")).text == "x = 'CafÃ©'"
    about = [Block(f"Café number {number}") for number in range(30)]
    assert "cafÃ©" in cleaned(*about, Block('"café" becomes "cafÃ©"')).text


def test_endless_combining_marks_are_cut() -> None:
    document = cleaned(Block("Z" + "\u0335" * 1000 + "algo"))
    assert document.text == "Z" + "\u0335" * 30 + "algo"
    assert document.repairs == {"combining marks": 1}


def test_metadata_is_cleaned_and_bounded() -> None:
    reading = Reading((), "text", metadata={"a\x00": "b\u202e" + "c" * 5000, "n": 3, "empty": "\x00"})
    document = assemble("x", "", reading)
    assert document.metadata == {"a": "b" + "c" * 999, "n": 3}


# Printed pages


def page(number: int, *lines: str) -> Block:
    return Block("\n".join(lines) + "\n", page=number)


def test_lines_of_a_page_become_paragraphs() -> None:
    document = cleaned(
        page(1, "The valve is", "closed by hand.", "", "The pump runs", "by night.", "• one", "• two"), form="pdf"
    )
    assert pieces(document) == ["The valve is closed by hand.", "The pump runs by night.", "• one", "• two"]


def test_words_broken_at_line_ends_are_joined_but_not_those_with_a_hyphen_of_their_own() -> None:
    document = cleaned(
        page(1, "A regu-", "lation of well-", "known pumps and a well", "for known water, soft\u00ad", "ware too"),
        form="pdf",
    )
    assert document.text == "A regulation of well-known pumps and a well for known water, software too"
    assert document.repairs == {"hyphenated line ends": 2}


def test_running_headers_footers_and_page_numbers_are_removed() -> None:
    body = ["Pumps move water", "Valves hold it back", "Pipes lead it on", "Tanks keep it cool"]
    pages = [page(n, "The Handbook", line, "More of it follows here.", f"{n} of 4") for n, line in enumerate(body, 1)]
    document = cleaned(*pages, form="pdf")
    assert pieces(document) == [f"{line} More of it follows here." for line in body]
    assert [document.page_at(document.text.index(line)) for line in body] == [1, 2, 3, 4]
    assert document.repairs == {"running headers and footers": 8}


def test_a_header_is_found_where_a_heading_follows_it() -> None:
    """Headings split a page into blocks, and a header alone in its block was kept."""
    blocks = []
    for number in range(1, 5):
        blocks += [page(number, "The Handbook"), Block(f"Part {'abcd'[number - 1]}\n", "heading", 1, number)]
        blocks += [page(number, "Text of this part.", "and more", "and more still")]
    assert "Handbook" not in cleaned(*blocks, form="pdf").text


def test_letters_of_one_wording_keep_it_and_what_stands_around_it() -> None:
    """Text that was the same on each page was taken for a footer, and the total below it went with it."""
    wording = [
        "The harbour opens at six and its lock is served by two",
        "keepers who take turns all day long until the last boat",
    ]
    pages = [
        page(n, f"Invoice {2002 + n}", *wording, *wording, f"Total: {100 + 7 * n}.50", f"Confidential {n} of 4")
        for n in range(1, 5)
    ]
    text = cleaned(*pages, form="pdf").text
    assert [
        line for line in ("Total: 107.50", "Total: 128.50", "Invoice 2003", "Invoice 2006") if line not in text
    ] == []
    assert text.count("keepers who take turns") == 8
    assert "Confidential" not in text


def test_a_chapters_heading_between_header_and_text_stays() -> None:
    blocks = []
    for number in range(1, 6):
        blocks += [page(number, "The Handbook", f"Chapter {number}", "All keepers read this.")]
        blocks += [page(number, f"Line {'abcde'[number - 1]} of the text", "and more of it", "and the end", "of it")]
    document = cleaned(*blocks, form="pdf")
    assert [f"Chapter {number}" in document.text for number in range(1, 6)] == [True] * 5
    assert "Handbook" not in document.text


def test_what_repeats_on_two_pages_of_a_short_document_stays() -> None:
    assert "Dear Ann" in cleaned(page(1, "Dear Ann", "a", "b"), page(2, "Dear Ann", "c", "d"), form="pdf").text


# Laws

CHARACTERS = st.one_of(
    st.characters(),
    st.sampled_from(
        "\n\n \t\r\x00\x08\x0c\x1b[m\u200b\u200c\u200d\u202e\u00ad\ufeff\u0301\u0335-é\ufe0f🏴👩क\u094d\U000e0067Ãâ€™"
    ),
)
TEXTS = st.text(CHARACTERS, max_size=60)
BLOCKS = st.builds(
    Block,
    text=TEXTS,
    kind=st.sampled_from(["heading", "paragraph", "code", "table", "row"]),
    page=st.none() | st.integers(1, 4),
    line=st.none() | st.integers(1, 99),
)


@settings(max_examples=300, deadline=None)
@given(blocks=st.lists(BLOCKS, max_size=8), form=st.sampled_from(["text", "pdf"]))
def test_cleaning_what_is_clean_changes_nothing(blocks: list[Block], form: str) -> None:
    once = cleaned(*blocks, form=form)
    again = assemble(once.source, once.sha256, as_reading(once))
    assert again.text == once.text
    assert again.sections == once.sections
    assert again.title == once.title
    assert not again.repairs


@settings(max_examples=200, deadline=None)
@given(blocks=st.lists(BLOCKS, max_size=8))
def test_sections_lie_in_order_within_the_text_and_the_text_can_be_stored(blocks: list[Block]) -> None:
    document = cleaned(*blocks)
    document.text.encode("utf-8")
    assert "\x00" not in document.text
    assert unicodedata.is_normalized("NFC", document.text)
    end = 0
    for part in document.sections:
        assert end <= part.start < part.end <= len(document.text)
        assert not document.text[end : part.start].strip()
        end = part.end


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.sampled_from(["a", "b\u200b", "\x00", " ", "é", ""]), max_size=30))
def test_line_numbers_hold_whatever_is_removed(words: list[str]) -> None:
    text = "\n".join([*words, "needle"])
    document = cleaned(Block(text, line=1))
    assert document.line_at(document.text.index("needle")) == len(words) + 1


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "\n" * 1_000_000,
        " " * 1_000_000 + "a",
        "a." * 100_000,
        "\u200d" * 500_000,
        "a\u0301\u0316" + "\u0301\u0316" * 300_000,
        "\x1b[" * 300_000,
        "é\u200d" * 200_000,
        "a-\n" * 200_000,
    ],
)
@pytest.mark.parametrize("form", ["text", "pdf"])
def test_hostile_texts_take_linear_time(text: str, form: str) -> None:
    start = time.process_time()
    cleaned(Block(text), form=form)
    assert time.process_time() - start < 5


def encoded(size: int) -> str:
    import base64
    import random

    return base64.b64encode(random.Random(7).randbytes(size)).decode()


def test_encoded_bytes_and_minified_code_are_left_out_with_a_note() -> None:
    """400 KB of Base64 took two minutes to embed."""
    large = Block(f"See ![x](data:image/png;base64,{encoded(9000)}) here.")
    assert assemble("a", "", Reading((large,), "text")).text == "See ![x]() here."
    blob = encoded(600)
    wrapped = "\n".join(blob[place : place + 76] for place in range(0, len(blob), 76))
    told = assemble("a", "", Reading((Block(f"See ![x](data:image/png;base64,{blob}) here."),), "text"))
    assert told.text == "See ![x]() here."
    assert told.notes == ("822 characters of encoded or minified text left out",)
    document = assemble("a", "", Reading((Block(f"Key:\n{wrapped}\nkept", line=3), Block("After.")), "text"))
    assert document.text == "Key:" + "\n" * 12 + "kept\n\nAfter."
    assert document.line_at(document.text.index("kept")) == 15
    script = ";".join(f"var a{n}=function(b,c){{return b+c*{n}}}" for n in range(200))
    assert assemble("a", "", Reading((Block(f"// head\n{script}", "code"),), "code")).text == "// head"


@pytest.mark.parametrize(
    "text",
    [
        "ACGT" * 100,
        "/".join(["some", "Long", "path2"] * 30),
        "東京" * 3000,
        "\n".join(["a_very_long_name_of_a_function_in_a_test_of_names"] * 6),
        "\n".join(["3.14159265358979323846264338327950288419716939937510"] * 6),
        "=" * 500,
        "word " * 2000,
    ],
)
def test_long_runs_that_are_no_encoded_bytes_stay(text: str) -> None:
    document = assemble("a", "", Reading((Block(text),), "text"))
    assert document.text == text.strip()
    assert document.notes == ()
