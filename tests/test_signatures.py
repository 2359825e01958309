"""Signatures: near-duplicates are found, figures keep passages apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.signatures import near_duplicates, signature

PROSE = (
    "The sluice gate at the upper mill was repaired in the spring, and the miller paid for the oak himself; "
    "the account book does not say where the iron came from, but the smith signed for it in the same week."
)


@given(st.text(max_size=300))
def test_a_signature_fits_into_the_columns_and_is_repeatable(text: str) -> None:
    simhash, figures = signature(text)
    assert -(2**63) <= simhash < 2**63
    assert 0 <= figures < 2**32
    assert signature(text) == (simhash, figures)
    assert near_duplicates(signature(text), signature(text))


def test_a_signature_never_changes() -> None:
    """Signatures are stored, so a new version must give the old numbers."""
    assert signature("one two three four") == (19157964980099634, 309448485)


def test_case_space_and_punctuation_do_not_count() -> None:
    assert near_duplicates(signature(PROSE), signature(PROSE.upper().replace(" ", "\n ").replace(",", " --")))


def test_another_text_is_no_near_duplicate() -> None:
    assert not near_duplicates(signature(PROSE), signature("Bread is baked on Tuesday. " + PROSE[100:]))
    assert not near_duplicates(signature("a b c d"), signature("d c b a"))


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_rows_that_differ_in_a_figure_are_never_near_duplicates(one: int, other: int) -> None:
    rows = [signature(f"{PROSE} Pump | 12.5 | {figure}") for figure in (one, other)]
    assert near_duplicates(rows[0], rows[1]) == (one == other)


def test_the_number_of_times_a_figure_stands_counts() -> None:
    assert signature("7 and 7")[1] != signature("7")[1]
    assert signature("7 and 8")[1] == signature("8 then 7")[1]
    assert signature("-7")[1] != signature("7")[1]


def test_bits_are_compared_as_64_whatever_the_sign() -> None:
    """-1 has 64 set bits, -8 has 61 of them: three differ; -16 differs in four."""
    assert near_duplicates((-1, 5), (-8, 5))
    assert not near_duplicates((-1, 5), (-16, 5))
    assert not near_duplicates((-1, 5), (-1, 6))


def test_scripts_without_spaces_are_compared_by_their_characters() -> None:
    assert signature("東京は日本の首都です")[0] == signature("東京 は 日本 の 首都 です")[0]


def test_no_words_give_zero() -> None:
    assert signature(" ... ")[0] == signature("")[0] == 0
