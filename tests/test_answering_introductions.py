"""A sentence that ends in a colon introduces the answer: it is shown with its list, its table or its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.collection import Collection
from rag.answering.composing import Shown
from rag.answering.introductions import fact_or_list
from tests.seen import chances_of, evidence, quotes, retrieved, shown_text
from tests.worlds import collection_of

PAGES = {
    "orchard.md": "# The orchard\n\nEvery spring the orchard gives to the school:\n\n- seedlings\n- a beehive\n"
    "- old ladders\n\nThe wall is of brick.\n",
    "press.md": "# The press\n\nThe parts of the cider press weigh:\n\n```\nscrew    41 kg\nframe   180 kg\n"
    "total   221 kg\n```\n\nIt stands in the shed, which has 3 doors:\n\n- the red one\n- the small one\n",
    "trees.txt": "Height of the trees as measured:\n\n"
    "=======  ======\nTree     Height\n=======  ======\npear     4 m\nwalnut   11 m\n"
    "=======  ======\n\nThe walnut is old.\n",
    "prices.md": "# Prices\n\nA bottle of juice at the gate:\n\n| juice | crowns |\n|---|---|\n| apple | 30 |\n"
    "| quince | 55 |\n",
    "pump.toml": "[pump]\n# depth of the well below the yard\nmargin = 17\n# colour of the lamp\nlamp = 'green'\n",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collection_of(tmp_path_factory.mktemp("world"), PAGES)


def what_is_shown(
    world: Collection, question: str, likely: str, spans: dict[str, float]
) -> tuple[Shown, str, list[str]]:
    seen = evidence(question, *retrieved(world, question), spans=spans, form="fact")
    found = fact_or_list(seen, *chances_of(seen, {likely: 0.6}), world)
    return found, shown_text(found, seen.passages), quotes(found.also, seen.passages)


def test_a_list_is_shown_with_its_introduction(world: Collection) -> None:
    question = "What does the orchard give to the school?"
    found, text, _ = what_is_shown(world, question, "Every spring", {"the school": 2.0})
    assert found.form == "list"
    assert text == "Every spring the orchard gives to the school:\n- seedlings\n- a beehive\n- old ladders"


def test_code_is_shown_with_its_introduction(world: Collection) -> None:
    found, text, _ = what_is_shown(world, "How heavy is the whole cider press?", "The parts", {"the cider press": 2.0})
    assert found.form == "explanation"
    assert text.startswith("The parts of the cider press weigh:\n\n```\nscrew    41 kg")
    assert "total   221 kg" in text


def test_a_drawn_table_keeps_its_columns(world: Collection) -> None:
    _, text, _ = what_is_shown(world, "What is the height of the walnut?", "Height of", {"the trees": 2.0})
    assert "walnut   11 m" in text


def test_the_row_that_the_question_names_answers(world: Collection) -> None:
    found, text, also = what_is_shown(world, "juice at the gate, quince", "A bottle", {"juice at the gate": 2.0})
    assert (found.form, text) == ("fact", "| quince | 55 |")
    assert also == ["A bottle of juice at the gate:"]


def test_a_number_in_the_sentence_itself_answers(world: Collection) -> None:
    found, text, _ = what_is_shown(world, "How many doors has the shed?", "It stands", {"3": 2.0})
    assert (found.form, text) == ("fact", "3")


def test_a_comment_introduces_the_line_below_it(world: Collection) -> None:
    _, text, also = what_is_shown(world, "depth of the well", "depth of the well", {"the yard": 2.0})
    assert (text, also) == ("17", ["depth of the well below the yard"])


def test_a_sentence_that_introduces_nothing_is_shown_alone(tmp_path: Path) -> None:
    world = collection_of(tmp_path, {"end.md": "# The end\n\nThe wall of the orchard is made of brick and says:\n"})
    found, text, _ = what_is_shown(world, "What is the wall made of?", "The wall", {"brick": 2.0})
    assert (found.form, text) == ("fact", "brick")
