"""Words that one text writes as one and another as several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.compounds import TAKEN_APART, WITHIN, share_held
from rag.question import stems
from tests.seen import document, evidence, unit_of


@pytest.mark.parametrize(
    ("stem", "said", "share"),
    [
        ("kündigungsfrist", "die Frist für die Kündigung", TAKEN_APART),
        ("heizkosten", "Kosten der Heizung", 0.0),
        ("kündigung", "die Kündigungsfrist beträgt sechs Monate", WITHIN),
        ("frist", "die Kündigungsfrist beträgt sechs Monate", WITHIN),
        ("frist", "die Frist beträgt sechs Monate", 1.0),
        ("rat", "der Verwaltungsrat", 0.0),
        ("verwaltung", "", 0.0),
    ],
)
def test_a_compound_is_held_by_its_parts_and_a_part_by_its_compound(stem: str, said: str, share: float) -> None:
    assert share_held(stem, stems(said)) == share


@given(st.text(min_size=1), st.sets(st.text(min_size=1)))
def test_a_share_is_between_nothing_and_all(stem: str, said: set[str]) -> None:
    assert 0.0 <= share_held(stem, said) <= 1.0
    assert share_held(stem, said | {stem}) == 1.0


def test_a_german_question_finds_the_sentence_that_says_its_compound_in_two_words() -> None:
    read = document(
        "Die Frist für die Kündigung der Mitgliedschaft beträgt sechs Monate. "
        "Eine Verlängerung der Kündigungsfrist muss ein Jahr vorher beschlossen werden."
    )
    seen = evidence("Wie lange ist die Kündigungsfrist der Mitgliedschaft?", read)
    assert unit_of(seen, "Die Frist").words > unit_of(seen, "Eine Verlängerung").words
    english = evidence("How long is the Kündigungsfrist of the membership?", read)
    assert unit_of(english, "Die Frist").words < unit_of(english, "Eine Verlängerung").words
