import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.places import found_spans, joined, overlaps_gold, retrieved, same_source
from tests.evaluation_rows import TOWER, read, row

patient = settings(deadline=None, max_examples=50)
spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)))


def test_an_answer_is_found_whatever_its_case_and_the_gaps_in_it() -> None:
    text = "the eiffel\n  TOWER and the Eiffel Tower"
    assert [text[start:end] for start, end in found_spans(text, ["Eiffel Tower"])] == [
        "eiffel\n  TOWER",
        "Eiffel Tower",
    ]


def test_a_part_of_a_word_is_no_answer() -> None:
    assert found_spans("1969 is not 19691 nor x1969", ["1969"]) == [(0, 4)]


def test_signs_of_patterns_are_letters_like_any_other() -> None:
    assert found_spans("costs $5.00 (net)", ["$5.00 (net)"]) == [(6, 17)]
    assert found_spans("costs $5x00", ["5.00"]) == []


@pytest.mark.parametrize("nothing", ["", " ", "--", "."])
def test_what_has_no_letter_stands_nowhere(nothing: str) -> None:
    assert found_spans("a -- b . c", [nothing]) == []


def test_two_golds_in_one_place_are_one_place() -> None:
    assert found_spans("in March 1889.", ["1889", "March 1889", "in March"]) == [(0, 13)]


@patient
@given(spans)
def test_joined_spans_are_in_order_apart_and_cover_what_the_spans_cover(found: list[tuple[int, int]]) -> None:
    merged = joined(found)
    assert all(start < end for start, end in merged)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(merged))
    covered = {place for start, end in found for place in range(start, end)}
    assert {place for start, end in merged for place in range(start, end)} == covered


@patient
@given(st.text(), st.text())
def test_what_is_found_is_what_was_wanted(text: str, wanted: str) -> None:
    for around in (text, f"{text} {wanted} {text}"):
        for start, end in found_spans(around, [wanted]):
            assert re.fullmatch(re.escape(" ".join(wanted.split())), " ".join(around[start:end].split()), re.IGNORECASE)


def test_a_gold_source_may_be_told_from_the_corpus_down() -> None:
    assert same_source("/home/a/corpora/data/tower.md", "data/tower.md")
    assert same_source("tower.md", "tower.md")
    assert not same_source("/home/a/watchtower.md", "tower.md")


def test_the_evidence_is_there_when_a_passage_holds_a_gold_answer() -> None:
    assert retrieved(row(answers=["paris"]))
    assert not retrieved(row(answers=["London"]))
    assert not retrieved(row(answers=["Paris"], passages=[]))


def test_every_gold_quote_must_be_there_and_gaps_do_not_count() -> None:
    first, second = read("Half of\nthe pages, 94, came back."), read("On Monday 263 went.")
    quotes = ["Half of the pages, 94,", "263 went"]
    assert retrieved(row(answers=["169"], quotes=quotes, passages=[first, second]))
    assert not retrieved(row(answers=["169"], quotes=quotes, passages=[first]))


def test_an_answer_counts_only_in_a_passage_of_a_gold_source() -> None:
    """A bare number stands in many documents."""
    other, right = read("It took 16 days.", "other.md"), read("In 16 days.", "/c/right.md")
    assert not retrieved(row(answers=["16"], sources=["right.md"], passages=[other]))
    assert retrieved(row(answers=["16"], sources=["right.md"], passages=[other, right]))


def test_an_answer_overlaps_the_gold_one_by_its_place_not_by_its_words() -> None:
    assert overlaps_gold(row(answers=["March 1889"], said="in March"))
    # "in" stands before Paris first, which is not the place of the gold answer.
    assert not overlaps_gold(row(answers=["in March 1889"], said="in"))
    assert not overlaps_gold(row(answers=["March 1889"], said="330 metres", passages=[TOWER]))
