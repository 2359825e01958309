import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.question import AnswerType, answer_type, may_ask_twice, spans_of_type, stem, stems


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When was the archive opened?", "date"),
        ("In what year did it close?", "date"),
        ("Which month is the wettest?", "date"),
        ("How many people came?", "number"),
        ("how long does it take", "number"),
        ("What percentage was lost?", "number"),
        ("Who leads the project?", "name"),
        ("Where does the river rise?", "name"),
        ("What is the capital?", "any"),
        ("Is it raining?", "any"),
        ("Whenever it rains, is the hatch closed?", "any"),
    ],
)
def test_question_words_tell_the_type_of_answer(question: str, kind: AnswerType) -> None:
    assert answer_type(question) == kind


def found(text: str, kind: AnswerType, question: str = "") -> list[str]:
    return [text[start:end] for start, end in spans_of_type(text, kind, question)]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("It opened on 3 May 1921 and closed in 1950.", ["3 May 1921", "1950"]),
        ("Since March 4, 2019; updated 2024-05-06 at 9:30.", ["March 4, 2019", "2024-05-06", "9:30"]),
        ("In the 1990s, room 3000 was free.", ["1990s"]),
        ("No date here, only 12 apples.", []),
    ],
)
def test_dates_are_found(text: str, dates: list[str]) -> None:
    assert found(text, "date") == dates


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It cost £1,200.50 in all.", ["£1,200.50"]),
        ("Twelve of 40% came twice.", ["Twelve", "40%", "twice"]),
        ("Someone and everyone.", []),
    ],
)
def test_numbers_are_found(text: str, numbers: list[str]) -> None:
    assert found(text, "number") == numbers


def test_names_are_found_but_not_the_capital_that_begins_a_sentence() -> None:
    assert found("Yesterday we met Ada Lovelace and J. S. Mill.", "name") == ["Ada Lovelace and J. S. Mill"]
    assert found("She was Mary of Modena.", "name") == ["Mary of Modena"]


def test_the_questions_own_words_are_no_answer_to_it() -> None:
    assert found("In 1921 Ada Lovelace met Charles Babbage.", "name", "Who met Charles Babbage?") == ["Ada Lovelace"]
    assert found("Of 40 people 12 came.", "number", "How many of the 40 people came?") == ["12"]


def test_a_question_for_anything_points_at_nothing() -> None:
    assert found("In 1921 Ada Lovelace met 12 people.", "any") == []


@pytest.mark.parametrize(
    "forms",
    [("index", "indexes", "indexing", "indexed"), ("query", "queries"), ("close", "closed", "closing", "closes")],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize("word", ["bus", "glass", "red", "sing", "this", "as"])
def test_short_words_and_words_that_only_look_like_plurals_stay_whole(word: str) -> None:
    assert stem(word) == word


def test_stems_are_of_the_words_that_carry_meaning() -> None:
    assert stems("What are the indexes of THE libraries?") == {stem("index"), stem("library")}


@given(st.text(max_size=80), st.sampled_from(["date", "number", "name", "any"]))
def test_spans_lie_in_the_text_in_order_and_apart(text: str, kind: AnswerType) -> None:
    before = 0
    for start, end in spans_of_type(text, kind, "who was it"):
        assert before <= start < end <= len(text)
        before = end


@pytest.mark.parametrize(
    ("one", "other"),
    [("began", "begin"), ("beginning", "begun"), ("planned", "plan"), ("running", "ran"), ("wrote", "writing"),
     ("added", "add"), ("missed", "miss"), ("queries", "query")],
)  # fmt: skip
def test_forms_of_one_verb_have_one_stem(one: str, other: str) -> None:
    """A question asked when a project did begin; the sentence said that it began, and was passed over."""
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("question", "twice"),
    [
        ("When was the pump replaced?", False),
        ("When was the pump replaced, and by whom?", True),
        ("When? Who?", True),
        ("Who dug it? ", False),
        ("Which sand is it?", False),
        ("What is the height; the width", True),
        ("", False),
    ],
)
def test_a_question_for_several_things_says_so(question: str, twice: bool) -> None:
    assert may_ask_twice(question) == twice
