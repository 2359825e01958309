"""Hard negatives: near the question, without its answer, out of passages that may be learned from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.copying.negatives import KEPT, near_passages, passage_id, passages_collection, read_passages
from finetune.questions import Question
from indexer.collection import Collection
from indexer.errors import UsageError
from rag.evaluation.metrics import holds
from tests.worlds import WordEncoder

TEXTS = {
    "pump": "The pump in hall two was replaced in March.",
    "other pump": "The pump in hall three was replaced in June.",
    "again": "In hall two the pump was replaced in March of that year, by night.",
    "tea": "Green tea is steeped at eighty degrees.",
    "bees": "Bees dance to tell where flowers stand.",
}


def question(name: str, text: str, *answers: str, title: str = "") -> Question:
    return Question(f"{name}: {text}", text, title or name, TEXTS[name], answers, name)


PUMP = question("pump", "When was the pump in hall two replaced?", "March", "in March")
ASKED = [
    PUMP,
    question("other pump", "When was the pump in hall three replaced?", "June"),
    question("again", "By what time of day was the pump replaced?", "night"),
    question("tea", "At how many degrees is green tea steeped?", "eighty"),
    question("bees", "Why do bees dance?"),
]


class CountingQueries(WordEncoder):
    """Remembers the questions it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str]
        object.__setattr__(self, "asked", [])

    def embed_queries(self, texts):  # type: ignore[no-untyped-def]
        self.asked.extend(texts)
        return super().embed_queries(texts)


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return passages_collection(ASKED, tmp_path / "home", WordEncoder())


# The collection


def test_each_distinct_passage_is_there_once(tmp_path: Path) -> None:
    twice = [*ASKED, question("pump", "Where is the pump?", "hall two")]
    collection = passages_collection(twice, tmp_path, WordEncoder())
    entries = list(collection.documents())
    assert {entry.source for entry in entries} == {passage_id(text) for text in TEXTS.values()}
    assert {entry.title for entry in entries} == set(TEXTS)


# Near passages


def test_what_holds_the_answer_and_the_own_passage_are_no_negatives(collection: Collection, tmp_path: Path) -> None:
    near = near_passages(collection, ASKED, ASKED, tmp_path / "near.jsonl")
    assert set(near) == {each.id for each in ASKED}
    for each in ASKED:
        texts = [text for _, text in near[each.id]]
        assert each.passage not in texts
        assert not any(holds(text, each.answers) for text in texts)
        assert len(set(texts)) == len(texts)
    assert near[PUMP.id][0] == ("other pump", TEXTS["other pump"])  # nearest first, with its title
    assert TEXTS["again"] not in [text for _, text in near[PUMP.id]]


def test_only_passages_that_are_known_are_given(collection: Collection, tmp_path: Path) -> None:
    """Passages of held-out documents are in the collection too, and must not be learned from."""
    known = [each for each in ASKED if each.document != "other pump"]
    near = near_passages(collection, [PUMP], known, tmp_path / "near.jsonl")
    assert TEXTS["other pump"] not in [text for _, text in near[PUMP.id]]


def test_at_most_five_are_kept(tmp_path: Path) -> None:
    many = [
        Question(str(n), "Which pump?", "", f"The pump number {n} stands in a hall of {word}.", (word,), str(n))
        for n, word in enumerate(["amber", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbour", "iris"])
    ]
    near = near_passages(passages_collection(many, tmp_path, WordEncoder()), many, many, tmp_path / "near.jsonl")
    assert {len(each) for each in near.values()} == {KEPT}


def test_what_was_found_is_not_looked_for_again(tmp_path: Path) -> None:
    encoder = CountingQueries()
    collection = passages_collection(ASKED, tmp_path / "home", encoder)
    first = near_passages(collection, ASKED[:2], ASKED, tmp_path / "near.jsonl")
    assert encoder.asked == [each.text for each in ASKED[:2]]
    again = near_passages(collection, ASKED, ASKED, tmp_path / "near.jsonl")
    assert encoder.asked == [each.text for each in ASKED]
    assert {id: again[id] for id in first} == first
    assert near_passages(collection, ASKED, ASKED, tmp_path / "near.jsonl") == again
    assert len(encoder.asked) == len(ASKED)


def test_a_line_that_a_kill_cut_off_is_made_again(collection: Collection, tmp_path: Path) -> None:
    """What came after it was once written on the same line, which no later run could read."""
    whole = near_passages(collection, ASKED, ASKED, tmp_path / "whole.jsonl")
    lines = (tmp_path / "whole.jsonl").read_bytes().splitlines(keepends=True)
    for cut in (1, len(lines[2]) - 1):
        file = tmp_path / f"{cut}.jsonl"
        file.write_bytes(lines[0] + lines[1] + lines[2][:cut])
        for _ in range(2):
            assert near_passages(collection, ASKED, ASKED, file) == whole
        assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [each.id for each in ASKED]


def test_no_question_needs_no_search(collection: Collection, tmp_path: Path) -> None:
    assert near_passages(collection, [], ASKED, tmp_path / "near.jsonl") == {}


# What is read


def test_what_ask_would_read_is_read(collection: Collection) -> None:
    found = read_passages(collection, PUMP, 2)
    assert found[0].text == TEXTS["pump"]
    assert len(found) == 2
    assert all(each.origin.dense_rank or each.origin.words_rank for each in found)


def test_whatever_holds_an_answer_can_be_taken_away(collection: Collection) -> None:
    found = read_passages(collection, PUMP, 3, without_answer=True)
    texts = [each.text for each in found]
    assert texts[0] == TEXTS["other pump"]
    assert not any("March" in text for text in texts)
    assert len(texts) == 3


def test_the_own_passage_is_taken_away_even_when_its_answer_is_said_otherwise(collection: Collection) -> None:
    unanswered = question("pump", "When was the pump in hall two replaced?", "in spring")
    assert TEXTS["pump"] not in [each.text for each in read_passages(collection, unanswered, 5, without_answer=True)]


def test_a_question_without_a_word_is_refused(collection: Collection) -> None:
    with pytest.raises(UsageError, match="holds no word"):
        read_passages(collection, question("pump", "?!", "March"))
