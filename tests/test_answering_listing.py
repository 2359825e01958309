"""All items of a list or a table, in order, with the line that introduces it."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.collection import Collection
from rag.answering.composing import Shown
from rag.answering.listing import LIST, listing
from tests.seen import chances_of, evidence, retrieved, shown_text
from tests.worlds import collection_of

BIRDS = [f"- bird number {number} of those that swim on it" for number in range(60)]
PAGES = {
    "rules.md": "# Rules\n\nThe rules of the harbour are these:\n\n1. Tie up your boat.\n2. Lower the sail.\n"
    "3. Pay the fee.\n\nThe harbour is old.\n",
    "tools.md": "# Shed\n\nIt is locked.\n\n## Tools for the mill\n\n* hammer\n* oil can\n* brush\n",
    "teas.md": "# Teas\n\n| tea | degrees |\n|---|---|\n| green | 80 |\n| black | 100 |\n",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collection_of(tmp_path_factory.mktemp("world"), PAGES)


def shown(world: Collection, question: str, likely: dict[str, float]) -> tuple[Shown, str]:
    seen = evidence(question, *retrieved(world, question), form="list")
    found = listing(seen, *chances_of(seen, likely), world)
    return found, shown_text(found, seen.passages)


def test_all_items_are_shown_in_order_with_their_line(world: Collection) -> None:
    found, text = shown(world, "What are the rules of the harbour?", {"2. Lower": 0.3})
    assert found.form == "list"
    assert text == ("The rules of the harbour are these:\n1. Tie up your boat.\n2. Lower the sail.\n3. Pay the fee.")


def test_the_likeliest_item_is_what_it_was_chosen_for(world: Collection) -> None:
    found, _ = shown(world, "What are the rules of the harbour?", {"2. Lower": 0.3})
    seen = found.chosen[0]
    assert found.passages is not None
    assert found.passages[seen.unit.passage].text[seen.unit.start :].startswith("2. Lower")


def test_a_heading_introduces_and_is_not_shown(world: Collection) -> None:
    _, text = shown(world, "Which tools are there for the mill?", {"* oil can": 0.3})
    assert text == "* hammer\n* oil can\n* brush"


def test_the_rows_of_a_table_are_a_list(world: Collection) -> None:
    _, text = shown(world, "Which teas are there?", {"| black": 0.3})
    assert text == "| green | 80 |\n| black | 100 |"


def test_a_list_goes_on_behind_its_passage_and_ends_with_an_item(tmp_path: Path) -> None:
    """Sixty birds fill more than one chunk; as many are shown as there is room for, none of them cut."""
    world = collection_of(tmp_path, {"birds.md": "# Birds\n\nThe birds of the lake are:\n\n" + "\n".join(BIRDS) + "\n"})
    question = "What are the birds of the lake?"
    first = next(each for each in retrieved(world, question) if "The birds of the lake" in each.text)
    assert BIRDS[-1] not in first.text
    seen = evidence(question, first, form="list")
    found = listing(seen, *chances_of(seen, {"- bird number 1 ": 0.3}), world)
    text = shown_text(found, seen.passages)
    lead, *items = text.split("\n")
    assert lead == "The birds of the lake are:"
    assert items == BIRDS[: len(items)]
    assert LIST - len(BIRDS[0]) - 3 < len(text) <= LIST


def test_where_other_text_is_likelier_it_is_shown(world: Collection) -> None:
    _, text = shown(world, "Which of the piers of the harbour is old?", {"The harbour is old": 0.9})
    assert text.startswith("The harbour is old.")


def test_one_item_is_no_list(tmp_path: Path) -> None:
    world = collection_of(tmp_path, {"a.md": "# Bag\n\nTake this:\n\n- a net\n\nThe bag is brown.\n"})
    found, _ = shown(world, "What must I take?", {"- a net": 0.3})
    assert not found.passages
