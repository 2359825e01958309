from hypothesis import given
from hypothesis import strategies as st

from indexer.types import BlockKind
from rag.quoting.quotable import MAX_QUOTE, quotable
from rag.types import Passage
from tests.answers import passage


def quotes(read: Passage) -> list[str]:
    return [read.text[start:end] for start, end, _ in quotable(read)]


def test_prose_is_quoted_by_sentence() -> None:
    assert quotes(passage("Tea is hot. Ice is cold!\n\nSnow falls.")) == ["Tea is hot.", "Ice is cold!", "Snow falls."]


def test_a_table_is_quoted_by_row() -> None:
    table = "| tea | degrees |\n|---|---|\n| green | 80 |\n| black | 100 |"
    read = passage(f"How hot.\n\n{table}\n\nThe end is near.", (table, "table"))
    assert quotes(read) == ["How hot.", "| tea | degrees |", "| green | 80 |", "| black | 100 |", "The end is near."]
    assert [kind for _, _, kind in quotable(read)] == ["paragraph", "table", "table", "table", "paragraph"]


def test_code_is_quoted_by_line_without_its_indentation() -> None:
    code = "def boil(tea):\n    return tea.heat(100)\n"
    assert quotes(passage(code, (code, "code"))) == ["def boil(tea):", "return tea.heat(100)"]


def test_what_says_nothing_is_not_quoted() -> None:
    assert quotes(passage("---\n\n* *\n\n42\n\nTea.")) == ["Tea."]
    assert quotes(passage("")) == []


def test_a_sentence_without_end_is_cut_at_a_line_then_at_a_word_then_anywhere() -> None:
    rows = "\n".join(f"row {number:03d} of many words" for number in range(60))
    assert all(quote.endswith("words") and quote.startswith("row") for quote in quotes(passage(rows)))
    words = "word " * 400
    assert set(" ".join(quotes(passage(words))).split()) == {"word"}
    letters = "a" * 1500
    assert [len(quote) for quote in quotes(passage(letters))] == [600, 600, 300]


def test_a_passage_that_begins_inside_a_section_is_read_from_its_own_beginning() -> None:
    table = "| green | 80 |\n| black | 100 |"
    read = passage(table, (table, "table"), start=1000)
    assert [(start, end) for start, end, _ in quotable(read)] == [(0, 14), (15, 30)]


KINDS: list[BlockKind] = ["heading", "paragraph", "code", "table", "row"]


@given(st.lists(st.tuples(st.text("ab. \n|#。", max_size=900), st.sampled_from(KINDS)), max_size=4))
def test_pieces_are_in_order_apart_bare_and_not_too_long(parts: list[tuple[str, BlockKind]]) -> None:
    read = passage("\n\n".join(text for text, _ in parts), *[(text, kind) for text, kind in parts[:1] if text])
    before = 0
    for start, end, _ in quotable(read):
        piece = read.text[start:end]
        assert before <= start < end <= len(read.text)
        assert end - start <= MAX_QUOTE
        assert piece == piece.strip()
        before = end


@given(st.lists(st.text("abc", min_size=3, max_size=500), min_size=1, max_size=9))
def test_no_word_is_lost(words: list[str]) -> None:
    assert "".join(quotes(passage(" ".join(words)))).replace(" ", "") == "".join(words)
