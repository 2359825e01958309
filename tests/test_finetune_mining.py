import json
from collections.abc import Sequence
from pathlib import Path

from finetune.copying.negatives import passage_id, passages_collection
from finetune.questions import Question
from finetune.retrieval.mining import Mined, mined, negatives_of
from finetune.retrieval.pairs import Pairs
from tests.worlds import WordEncoder

PASSAGES = {
    "right": "The pump in hall two was replaced in March by the council of the town.",
    "answers too": "In March the pump of hall nine was replaced as well, says the council.",
    "wrong": "The pump in hall two was painted in April by the council of the town.",
    "same document": "The pump in hall two hums in summer, say the people of the town.",
    "far": "Bees dance to tell each other where flowers stand.",
}


def question(answers: Sequence[str]) -> Question:
    return Question("q", "When was the pump in hall two replaced?", "", PASSAGES["right"], tuple(answers), "one")


def world(tmp_path: Path, answers: Sequence[str], margin: float) -> Mined:
    asked = question(answers)
    others = [
        Question(name, "?", "", text, (), "one" if name == "same document" else "other")
        for name, text in PASSAGES.items() if name != "right"
    ]  # fmt: skip
    known = [asked, *others]
    pairs = Pairs([asked], [], {passage_id(each.passage): each for each in known})
    collection = passages_collection(known, tmp_path, WordEncoder(dim=512))
    return mined(collection, [asked], pairs, tmp_path / "mined.jsonl", margin=margin)["q"]


def names(ids: Sequence[str]) -> list[str]:
    by_id = {passage_id(text): name for name, text in PASSAGES.items()}
    return [by_id[id] for id in ids]


def test_what_holds_the_answer_is_no_negative(tmp_path: Path) -> None:
    found = world(tmp_path, ["March"], 10.0)
    assert set(names([id for id, _ in found.found])) == set(PASSAGES)
    assert set(names(found.near)) == {"wrong", "same document", "far"}


def test_without_an_answer_the_same_document_is_none_either(tmp_path: Path) -> None:
    found = world(tmp_path, [], 10.0)
    assert set(names(found.near)) == {"answers too", "wrong", "far"}


def test_what_is_nearly_as_near_as_the_right_one_is_left_out(tmp_path: Path) -> None:
    near = names(world(tmp_path, ["March"], 0.5).near)
    assert "wrong" not in near  # it shares nearly all words with the question, as the right one does
    assert "far" in near


def test_a_run_that_was_cut_short_goes_on_without_asking_again(tmp_path: Path) -> None:
    first = world(tmp_path, ["March"], 10.0)
    file = tmp_path / "mined.jsonl"
    row = json.loads(file.read_text())
    file.write_text(json.dumps({**row, "near": row["near"][:1]}) + '\n{"id": "cut o')
    assert world(tmp_path, ["March"], 10.0).near == first.near[:1]


def test_each_use_of_a_question_takes_other_negatives() -> None:
    found = {"q": Mined((), ("a", "b", "c"))}
    asked = question(["March"])
    assert [negatives_of(asked, found, 2, number) for number in range(3)] == [["a", "b"], ["c", "a"], ["b", "c"]]
    assert negatives_of(asked, found, 5, 0) == ["a", "b", "c"]
    assert negatives_of(asked, {}, 2, 0) == []
