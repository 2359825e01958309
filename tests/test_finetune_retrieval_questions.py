import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from finetune.card import Source
from finetune.retrieval.pairs import read_pairs
from finetune.retrieval.questions import Options, train_questions
from indexer.collection import Collection
from indexer.errors import UsageError
from indexer.sync import Given
from rag.types import Passage
from tests.worlds import WordEncoder

PLACES = [f"place{n}" for n in range(30)]


def text_on(place: str, number: int) -> str:
    return (
        f"The old mill of {place} was replaced by the council in {1900 + number}. "
        f"The harbour master counted {40 + number} wooden boats near the market of {place}. "
        f"Some people still remember the narrow road that led from {place} to the windy northern cliffs."
    )


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = Collection("c", tmp_path_factory.mktemp("home"), WordEncoder(dim=256))
    made.add([Given(place, text_on(place, number), f"About {place}") for number, place in enumerate(PLACES)])
    return made


def years(questions: Sequence[str], passages: Sequence[Passage]) -> list[str]:
    """Answer every question with the year of the first sentence."""
    return [passage.text[: passage.text.index(".")][-4:] for passage in passages]


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]


def test_a_question_is_kept_where_the_answer_agrees_and_the_passage_is_found(
    collection: Collection, tmp_path: Path
) -> None:
    report = train_questions(collection, tmp_path, Options(per_passage=2), answering=years)
    made = rows(tmp_path)
    assert len(made) == report.kept > 20
    assert {row["kind"] for row in made} == {"question", "keywords"}
    for row in made:
        (answer,) = row["answers"]
        assert answer in str(row["context"])
        assert str(row["document"]) in str(row["context"])
        assert row["kind"] == "keywords" or answer[:2] == "19"
    assert any(
        row["question"] == f"When was the old mill of {row['document']} replaced by the council?" for row in made
    )
    counts = report.counts["question"]
    assert counts["made"] > counts["answered alike"] >= counts["found"] >= counts["kept"] > 0
    assert report.examples["answered otherwise"]
    assert "Questions made from documents" in (tmp_path / "README.md").read_text()


def test_the_same_seed_makes_the_same_questions(collection: Collection, tmp_path: Path) -> None:
    for name in ("one", "two"):
        train_questions(collection, tmp_path / name, Options(), answering=years)
    assert (tmp_path / "one" / "questions.jsonl").read_bytes() == (tmp_path / "two" / "questions.jsonl").read_bytes()


def test_an_encoder_can_learn_from_them_split_by_document(collection: Collection, tmp_path: Path) -> None:
    train_questions(collection, tmp_path, Options(), answering=years)
    pairs = read_pairs([Source(tmp_path / "questions.jsonl")], 0.4, 1)
    assert {each.document.partition("/")[2] for each in (*pairs.learn, *pairs.held)} <= set(PLACES)
    assert not {each.document for each in pairs.learn} & {each.document for each in pairs.held}


def test_titles_and_sentences_ask_for_the_passage_without_them(collection: Collection, tmp_path: Path) -> None:
    report = train_questions(collection, tmp_path, Options(kinds=("title", "sentence")))
    made = rows(tmp_path)
    assert {row["kind"] for row in made} == {"title", "sentence"}
    for row in made:
        assert str(row["question"]) not in str(row["context"])
        assert row["answers"] == []
        assert row["kind"] == "sentence" or row["title"] == ""
    assert report.counts["title"]["kept"] == sum(row["kind"] == "title" for row in made)


def test_no_more_are_made_than_asked_for(collection: Collection, tmp_path: Path) -> None:
    assert train_questions(collection, tmp_path, Options(limit=5), answering=years).kept == 5


def test_a_dry_run_writes_nothing(collection: Collection, tmp_path: Path) -> None:
    told: list[int] = []
    train_questions(
        collection, tmp_path / "out", Options(), answering=years, dry_run=True, announce=lambda n, s: told.append(n)
    )
    assert told == [30]
    assert not (tmp_path / "out").exists()


def test_unknown_kinds_and_empty_collections_are_refused(collection: Collection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no kind of question called 'riddle'"):
        train_questions(collection, tmp_path, Options(kinds=("riddle",)))
    small = Collection("small", tmp_path, WordEncoder())
    small.add([Given("a", "Too short to ask about.")])
    with pytest.raises(UsageError, match="has no passage of 200 characters or more"):
        train_questions(small, tmp_path / "out", Options(), answering=years)


def test_passages_that_give_no_question_are_told(tmp_path: Path) -> None:
    words = Collection("words", tmp_path, WordEncoder())
    words.add([Given("a", "a note on ferrite modulators " * 10)])  # no sentence ends, as in lists of words
    with pytest.raises(UsageError, match=r"None of the 1 passages gave a question that passed: keywords: 0 made"):
        train_questions(words, tmp_path / "out", Options(kinds=("keywords",)), answering=years)
    assert not (tmp_path / "out").exists()


def test_the_estimate_ends_where_the_limit_is_reached(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight passages take a second by this clock; each gives four questions, so two passages give eight of them."""
    monkeypatch.setattr("time.perf_counter", count().__next__)
    told: list[float] = []
    for limit in (10_000, 8):
        options = Options(per_passage=2, limit=limit)
        train_questions(
            collection, tmp_path, options, answering=years, dry_run=True, announce=lambda n, s: told.append(s)
        )
    assert told[0] == pytest.approx(30 / 8)
    assert told[1] < told[0] / 4
