"""Joining two questions into one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.copying.two_part import MOST_WORDS, TEMPLATES, WH_WORDS, two_part

FIRST, SECOND = "When was the battle fought?", "Who led the army?"


def test_both_questions_are_asked_in_the_order_given() -> None:
    joined = {two_part(FIRST, SECOND, random.Random(seed)) for seed in range(100)}
    assert joined == {
        "When was the battle fought, and who led the army?",
        "When was the battle fought and who led the army?",
        "When was the battle fought, and also who led the army?",
        "When was the battle fought? And who led the army?",
        "When was the battle fought? Who led the army?",
    }
    assert len(joined) == len(TEMPLATES)


def test_only_the_first_letter_is_lowered() -> None:
    joined = {two_part(FIRST, "Who was Queen ANNE?", random.Random(seed)) for seed in range(100)}
    assert "When was the battle fought, and who was Queen ANNE?" in joined


def test_stray_space_and_marks_go() -> None:
    joined = {two_part("When  was\nit fought ?", "who won ??", random.Random(seed)) for seed in range(100)}
    assert "When was it fought, and who won?" in joined
    assert all("  " not in str(one) and " ?" not in str(one) and "??" not in str(one) for one in joined)


@pytest.mark.parametrize(
    "other",
    [
        "The army was led by whom?",
        "In what year was it fought?",
        "Did they win?",
        "Who?",
        "",
        "?",
        "Who won? Who lost?",
        "when was the battle fought ?",
        "What " + "very " * MOST_WORDS + "long?",
    ],
)
def test_what_does_not_join_is_left(other: str) -> None:
    assert two_part(FIRST, other, random.Random(0)) is None
    assert two_part(other, FIRST, random.Random(0)) is None


def test_a_question_of_twenty_words_still_joins() -> None:
    longest = "What " + "very " * (MOST_WORDS - 2) + "long?"
    assert two_part(longest, SECOND, random.Random(0)) is not None


questions = st.lists(st.sampled_from(["who", "What", "and", "is", "Rome", "was", "42", "?", "."]), max_size=24).map(
    " ".join
)


@given(questions, questions, st.integers(0, 9))
def test_the_words_of_both_stay(first: str, second: str, seed: int) -> None:
    joined = two_part(first, second, random.Random(seed))
    assert joined == two_part(first, second, random.Random(seed))
    if joined is None:
        return
    assert joined.split()[0].lower() in WH_WORDS
    assert joined.endswith("?")
    words = [word.lower() for word in joined.replace("?", " ").replace(",", " ").replace(".", " ").split()]
    for part in (first, second):
        theirs = part.lower().replace("?", " ").replace(".", " ").split()
        assert any(words[at : at + len(theirs)] == theirs for at in range(len(words)))
