import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.card import Source
from finetune.questions import Question
from finetune.retrieval.pairs import batches_of, planned, read_pairs
from finetune.retrieval.ranking import ndcg, rank_of
from indexer.errors import UsageError
from tests.small_pairs import write_pairs


def asked(number: int, passage: str) -> Question:
    return Question(str(number), f"question {number}", "", passage, (), "document")


def test_a_passage_stands_once_in_a_batch() -> None:
    questions = [asked(number, f"passage {number // 2}") for number in range(12)]
    for batch in planned(questions, 3, random.Random(0)):
        assert len({questions[number].passage for number in batch}) == len(batch)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 6), st.integers(0, 3))
def test_no_question_is_learnt_twice_in_a_pass(passages: list[int], size: int, seed: int) -> None:
    questions = [asked(number, f"passage {passage}") for number, passage in enumerate(passages)]
    learnt = [number for batch in planned(questions, size, random.Random(seed)) for number in batch]
    assert len(learnt) == len(set(learnt)) > 0


def test_steps_are_made_of_as_many_passes_as_they_take() -> None:
    questions = [asked(number, f"passage {number}") for number in range(8)]
    assert len(batches_of(questions, 4, 1.0, None, random.Random(0))) == 2
    assert len(batches_of(questions, 4, 0.5, None, random.Random(0))) == 1
    assert len(batches_of(questions, 4, 1.0, 7, random.Random(0))) == 7


def test_documents_are_on_one_side_of_the_split(tmp_path: Path) -> None:
    pairs = read_pairs([Source(write_pairs(tmp_path / "pairs.jsonl"))], 0.3, 1)
    assert not {each.document for each in pairs.learn} & {each.document for each in pairs.held}
    assert len(pairs.learn) + len(pairs.held) == 60


def test_a_weight_takes_a_part_of_the_questions_or_takes_them_again(tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    once, twice, half = (len(read_pairs([Source(file, weight)], 0.3, 1).learn) for weight in (1.0, 2.0, 0.5))
    assert twice == 2 * once
    assert 0 < half < once


def test_answers_are_not_needed_and_what_is_refused_is_left_out(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"question": f"What is {n}?", "context": f"It is {n}.", "title": f"t{n}"} for n in range(60)
    ]
    rows += [{"question": "And this?", "context": "No.", "answerable": False, "title": f"r{n}"} for n in range(9)]
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    pairs = read_pairs([Source(file)], 0.4, 1)
    assert len(pairs.learn) + len(pairs.held) == 60


def test_too_little_to_hold_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Only \d+ of 5 questions could be held out; 10 are needed"):
        read_pairs([Source(write_pairs(tmp_path / "pairs.jsonl", documents=1))], 0.1, 1)


def test_the_gain_of_a_rank() -> None:
    """1/log2(2) = 1, 1/log2(4) = 0.5; rank 11 and nothing gain nothing: 1.5 of 4."""
    assert ndcg([1, 3, 11, None]) == pytest.approx(37.5)
    assert rank_of("b", ["a", "b"]) == 2
    assert rank_of("c", ["a", "b"]) is None
