"""Excerpts: the sentences that fit a question, and its words in them."""

import itertools

import pytest

from rag.excerpts import around, excerpt, matches
from tests.answers import passage

FAR = "The office opens at nine. Coffee is on the second floor. " * 12
LEASE = FAR + "The notice period of the lease is three months. It begins on the first of a month. Keys are handed back."


def shown(text: str, question: str, length: int = 400) -> list[str]:
    found = excerpt(passage(text), question, length)
    return [text[start:end] for start, end in found]


def test_the_best_sentence_is_shown_and_not_the_first_characters() -> None:
    assert shown(LEASE, "What is the notice period of the lease?") == [
        "The notice period of the lease is three months.",
        "It begins on the first of a month.",
    ]


def test_a_second_sentence_is_shown_where_it_adds_words_of_the_question() -> None:
    text = "Tea is grown in Assam. Nothing happened in May. Its harvest begins in March. The rest is silence."
    assert shown(text, "When does the tea harvest begin in Assam?") == [
        "Tea is grown in Assam.",
        "Its harvest begins in March.",
    ]


def test_a_heading_lends_its_words_to_what_stands_under_it() -> None:
    text = "# Opening hours\n\nFrom nine to five.\n\n# Prices\n\nTwo crowns."
    assert shown(text, "prices") == ["Two crowns."]
    assert excerpt(passage("Prices\n\nTwo crowns.", ("Prices", "heading")), "prices") == [(8, 19)]


def test_without_a_common_word_it_is_the_beginning() -> None:
    assert shown("Alpha beta gamma. Delta epsilon zeta. Eta theta iota.", "zeppelin") == [
        "Alpha beta gamma.",
        "Delta epsilon zeta.",
    ]


def test_rows_of_a_table_are_shown_by_themselves() -> None:
    table = "| fruit | price |\n| apple | 3 |\n| pear | 4 |"
    found = excerpt(passage(table, (table, "table")), "What does a pear cost?")
    assert [table[start:end] for start, end in found] == ["| pear | 4 |"]


def test_a_long_sentence_is_cut_around_the_words_of_the_question() -> None:
    text = "alpha " * 60 + "the kettle boils at dawn " + "omega " * 30
    (piece,) = shown(text, "When does the kettle boil?", 80)
    assert "kettle boils" in piece
    assert len(piece) <= 80


@pytest.mark.parametrize("text", ["", " ", "—", "||"])
def test_what_says_nothing_has_at_most_itself_to_show(text: str) -> None:
    assert "".join(shown(text, "tea")) in ("", text)


def test_spans_are_in_order_apart_and_short() -> None:
    for question in ("lease", "coffee office", "month", "x", "The first floor of the office?", "?"):
        spans = excerpt(passage(LEASE), question)
        assert spans == sorted(spans)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
        assert sum(end - start for start, end in spans) <= 400


def test_words_match_by_their_stems() -> None:
    text = "Planned visits were paid; a plan is a visit."
    assert [text[start:end] for start, end in matches(text, "Which visit did they plan and pay?")] == [
        "Planned",
        "visits",
        "paid",
        "plan",
        "visit",
    ]


def test_scripts_without_spaces_match_by_pairs_of_characters() -> None:
    assert matches("这是绿茶的温度。", "绿茶") == [(2, 4)]
    assert matches("这是绿茶的温度。", "绿茶的温") == [(2, 6)]


def test_a_window_keeps_its_marks_and_its_words_whole() -> None:
    text = "one two three four five six seven"
    assert around(text, [(14, 18)], 100) == (0, 33)
    start, end = around(text, [(14, 18)], 15)
    assert (text[start:end].strip(), end - start <= 15) == ("four five", True)
    assert around("x" * 50, [], 10) == (0, 10)
    assert around("x" * 50, [(40, 45)], 10) == (38, 48)
