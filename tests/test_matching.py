"""Which printed character each stored one is: cleaned, in another order, and never where two places are as likely."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.matching import matched


def told(stored: str, printed: str) -> str:
    """Return what is printed at the places that are found, "_" for none."""
    return "".join(printed[at] if at >= 0 else "_" for at in matched(stored, printed))


def test_mended_words_are_found_across_the_line_and_what_was_left_out_is_passed_over() -> None:
    stored = "The harbour was opened in 1911 by Mira Salt."
    printed = "Harbour news\nThe har-\nbour was opened in 19117 by\nMira Salt.\n"
    assert told(stored, printed) == stored.replace(" ", "_")
    places = matched(stored, printed)
    assert printed[places[4] : places[10] + 1] == "har-\nbour"


def test_columns_in_another_order_are_found() -> None:
    one, two = "Ropes are tarred twice a year, in May and June.", "Lamps are lit before dusk and never at noon."
    assert told(f"{one} {two}", f"{two}\n{one}") == f"{one} {two}".replace(" ", "_")


def test_a_value_that_stands_twice_is_told_by_its_neighbours() -> None:
    stored = "North pier | 14\nSouth pier | 14"
    printed = "North pier 14 South pier 14"
    places = matched(stored, printed)
    assert places[stored.index("14")] == printed.index("14")
    assert places[stored.rindex("14")] == printed.rindex("14")


def test_what_stands_twice_without_neighbours_is_not_certain() -> None:
    assert told("14", "14 crowns in May, 14 in June") == "__"


def test_accents_ligatures_and_signs_are_the_same() -> None:
    assert told("“Déjà vu”: five", "“De\u0301ja\u0300 vu”: \ufb01ve") == "“Deja_vu”:_\ufb01\ufb01ve"


def test_a_few_letters_of_a_word_are_no_place_of_it() -> None:
    """The letters "north" of "northerners" were once taken from another line, which drew a box there."""
    stored = "The keeper lit it at dusk. Northerners slept."
    printed = "The keeper lit it at dusk. North pier. Nothing else is told of it."
    assert told(stored, printed) == "The_keeper_lit_it_at_dusk." + "_" * 19


def test_a_text_without_end_or_sense_takes_no_time() -> None:
    assert set(matched("a" * 70_000, "a" * 70_000)) == {-1}
    assert len(matched("ab" * 2000, "ba" * 2500)) == 4000


words = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=14, max_size=30), min_size=1, max_size=8, unique=True)


@given(words)
def test_blocks_are_found_wherever_they_went(blocks: list[str]) -> None:
    shuffled = sorted(blocks, reverse=True)
    stored, printed = " ".join(blocks), "\n".join(shuffled)
    found = matched(stored, printed)
    for place, other in enumerate(found):
        assert other < 0 or stored[place] == printed[other]
    assert len({other for other in found if other >= 0}) == sum(other >= 0 for other in found)
    if not any(one[at : at + 12] in two for one in blocks for two in blocks if one != two for at in range(len(one))):
        placed = sum(other >= 0 for other in found)
        assert placed == sum(map(len, blocks))
