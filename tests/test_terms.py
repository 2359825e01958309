import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.terms import terms


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("75,000 letters", {"75000"}),
        ("seventy-five thousand letters", {"75000"}),
        ("One hundred and five men", {"105"}),
        ("1.5 million", {"1500000"}),
        ("1.50 litres", {"1.5"}),
        ("in 007 places, 2,000.50 each", {"7", "2000.5"}),
        ("on 3.4.2021", {"3", "4", "2021"}),
        ("2021-04-03", {"2021", "4", "3"}),
        ("the 21st of May", {"21"}),
        ("one of them", set()),
        ("twenty one", {"21"}),
        ("one million", {"1000000"}),
        ("two, three and 4", {"2", "3", "4"}),
        ("٣ books", {"3"}),
        ("no number at all", set()),
    ],
)
def test_numbers_are_the_same_however_they_are_written(text: str, numbers: set[str]) -> None:
    assert terms(text).numbers == numbers
    assert numbers <= terms(text).words


def test_words_are_stems_of_what_says_something() -> None:
    assert terms("The pumps were replaced, weren't they? It's a PUMP.").words == {"pump", "replac"}


def test_a_script_without_spaces_is_told_in_pairs() -> None:
    assert terms("首都は東京").words == {"首都", "都は", "は東", "東京"}


def test_names_are_words_with_capitals() -> None:
    assert terms("Yesterday Ada Lovelace wrote to Paris.").names == {"yesterday", "ada", "lovelac", "paris"}
    assert terms("Yesterday Ada wrote.", {"yesterday"}).names == {"ada"}
    assert terms("However, the Hall was shut.").names == {"however", "hall"}
    assert terms("The hall was shut.").names == frozenset()
    assert terms("Finally it stopped.").names == frozenset()


@pytest.mark.parametrize(
    ("text", "denies", "denied"),
    [
        ("It was not opened in May.", True, {"open", "may"}),
        ("It wasn't opened.", True, {"open"}),
        ("It was never replaced by anyone.", True, {"replac", "anyon"}),
        ("No. 5 stands in hall No 7.", False, set()),
        ("It was opened.", False, set()),
        ("A notable knot.", False, set()),
    ],
)
def test_what_is_denied_is_known(text: str, denies: bool, denied: set[str]) -> None:
    found = terms(text)
    assert found.denies == denies
    assert found.denied == denied
    assert not found.words & {"not", "never", "no"}


@given(st.text(max_size=200))
def test_numbers_and_names_are_among_the_words(text: str) -> None:
    found = terms(text)
    assert found.numbers | found.names <= found.words
