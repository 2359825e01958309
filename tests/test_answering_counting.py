"""How many documents, or which: all of them are looked at, and each that counts is named and cited."""

from __future__ import annotations

import pytest

from indexer.collection import Collection
from rag.answering.composing import Shown
from rag.answering.counting import BY_HEAD, BY_TEXT, MOST, counting
from rag.generator import Copied
from tests.seen import chances_of, evidence, retrieved, shown_text
from tests.worlds import collection_of

FILLER = "The water is calm and the bank is green. " * 40
PAGES = {
    "mill.md": "# The old mill\n\nAuthor: Petra Holm\n\nThe mill grinds rye.\n",
    "weir.md": "# The weir\n\nAuthor: Jon Berg\n\nThe weir holds back the water.\n",
    "ferry.md": "# The ferry\n\nAuthor: Petra Holm\nDate: 2021-04-05\n\nThe ferry passes the weir. "
    + FILLER
    + "\n\nAt last the eel trap is told of.\n",
    "lock.md": "# The lock\n\nAuthor: Jon Berg\n\nPetra Holm paid for it.\n",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collection_of(tmp_path_factory.mktemp("world"), PAGES)


def shown(world: Collection, question: str) -> tuple[Shown, str]:
    seen = evidence(question, *retrieved(world, question))
    found = counting(seen, *chances_of(seen, {"The mill": 0.5}), world)
    return found, shown_text(found, seen.passages)


def test_the_documents_of_an_author_are_named_with_the_line_that_says_so(world: Collection) -> None:
    found, text = shown(world, "Which documents did Petra Holm write?")
    assert text == "2 of 4 documents:\nThe ferry: Author: Petra Holm\nThe old mill: Author: Petra Holm"
    assert (found.form, found.documents, found.sure) == ("count", 4, BY_HEAD)


def test_a_date_counts_too(world: Collection) -> None:
    assert shown(world, "How many documents are from 2021?")[1] == "1 of 4 documents:\nThe ferry: Date: 2021-04-05"


def test_what_is_mentioned_is_looked_for_in_the_whole_text(world: Collection) -> None:
    found, text = shown(world, "Which documents mention the eel trap?")
    assert text == "1 of 4 documents:\nThe ferry: At last the eel trap is told of."
    assert found.sure == BY_TEXT


def test_each_named_document_is_quoted_from_itself(world: Collection) -> None:
    found, _ = shown(world, "Which documents mention the weir?")
    assert found.passages is not None
    copied = [piece for piece in found.pieces if isinstance(piece, Copied)]
    assert [found.passages[piece.passage].title for piece in copied] == ["The ferry", "The weir"]
    for piece in copied:
        passage = found.passages[piece.passage]
        with world.view() as view:
            text, _ = view.part(passage.document_id, passage.start, passage.end)
        assert text == passage.text


def test_where_no_document_matches_none_is_counted(world: Collection) -> None:
    found, text = shown(world, "Which documents are about castles?")
    assert found.documents == 0
    assert "documents:" not in text


def test_a_question_that_names_nothing_counts_nothing(world: Collection) -> None:
    assert shown(world, "Which documents are there?")[0].documents == 0


def test_of_many_documents_the_first_are_named_and_all_are_counted(tmp_path_factory: pytest.TempPathFactory) -> None:
    pages = {
        f"letter-{number:02d}.md": f"# Letter {number}\n\nFrom: Petra Holm\n\nAll is well.\n" for number in range(20)
    }
    world = collection_of(tmp_path_factory.mktemp("letters"), pages)
    found, text = shown(world, "Which letters are from Petra Holm?")
    first, *named = text.split("\n")
    assert first == "20 of 20 documents:"
    assert named == [f"Letter {number}: From: Petra Holm" for number in range(MOST)]
    assert found.documents == 20


def test_words_beside_a_common_name_count_too(world: Collection) -> None:
    """The name alone was looked for, and every document with "Python" in its title added the match statement."""
    found, text = shown(world, "Which letters by Petra Holm are about eel traps?")
    assert text == "1 of 4 documents:\nThe ferry: Author: Petra Holm"
    assert found.sure == BY_TEXT
    assert not shown(world, "Which document by Petra Holm describes the lighthouse?")[1].startswith("2 of")


def test_who_is_only_named_in_a_document_did_not_write_it(world: Collection) -> None:
    assert "The lock" not in shown(world, "Which documents are by Petra Holm?")[1]
