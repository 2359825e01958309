"""What sets of their own forms become, for the trainer of the generator."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from finetune.questions import occurrences, read_questions
from finetune.reading_sets import TABLE_CHARACTERS, main, tables

TABLE = [["Year", "Ship", "Length\n(m)"], *([str(1900 + n), f"Ship {n}", f"{n}.5"] for n in range(200))]
READING = {"title": "T", "context": "The cat sat.", "question": "Who sat?", "answers": ["The cat"], "answerable": True}


def zipped(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(content.encode()))


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, out = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("out")
    articles = [{"title": "Old_Cats", "paragraphs": [{"context": "one", "qas": []}, {"context": "two", "qas": []}]}]
    zipped(data / "squad/train-v1.1.json.gz", json.dumps({"data": articles}))
    zipped(data / "unanswerable/squad2_train.jsonl.gz", lines({"id": "u", "paragraph": 1, "question": "Who flew?"}))
    for name in ("fairytaleqa", "timeqa", "nq_web"):
        zipped(
            data / f"reading/{name}.jsonl.gz",
            lines(
                {**READING, "id": "1", "kind": "extractive"},
                {**READING, "id": "2", "kind": "free", "answers": ["someone"]},
                {**READING, "id": "3", "kind": "unanswerable", "answers": [], "answerable": False},
            ),
        )
    asked = {"title": "Ships", "table": TABLE, "group": "g", "answerable": True}
    zipped(
        data / "tables/wikitablequestions.jsonl.gz",
        lines(
            {**asked, "id": "a", "question": "How long was ship 77?", "answers": ["77.5"], "kind": "table-cell"},
            {**asked, "id": "b", "question": "How many ships?", "answers": ["200"], "kind": "table-computed"},
        ),
    )
    passages = [{"title": "", "text": "Sales rose by 4 %."}, {"title": "", "text": "Costs fell."}]
    zipped(
        data / "tables/tatqa.jsonl.gz",
        lines(
            {"id": "s", "group": 1, "passages": passages, "question": "By how much?", "answers": ["4 %"], "kind": "x"}
        ),
    )
    sentence = "It is made of the bark of the oak that grows beside the water where the mill once stood before it fell."
    section = {"title": "T", "context": f"This is a cord. {sentence}", "question": "What is it made of?"}
    zipped(data / "reading/selqa.jsonl.gz", lines({**section, "id": "1", "evidence": ["This is a cord.", sentence]}))
    zipped(
        data / "questions/dstc9_faq.jsonl.gz",
        lines(
            *(
                {
                    "id": f"{house}-{n}",
                    "domain": "hotel",
                    "entity": house,
                    "question": f"Is {n} there?",
                    "answer": f"{n} is.",
                }
                for house in ("North", "South")
                for n in range(9)
            )
        ),
    )
    result = CliRunner().invoke(main, [str(data), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return out


def test_an_unanswerable_question_is_read_with_its_paragraph_and_split_with_its_article(made: Path) -> None:
    (found,) = read_questions(made / "unanswerable.jsonl")
    assert (found.passage, found.answers, found.refused) == ("two", (), True)
    assert (found.title, found.document) == ("Old Cats", "article Old Cats")


@pytest.mark.parametrize("name", ["stories", "times", "web"])
def test_answers_in_other_words_are_left_out(name: str, made: Path) -> None:
    assert [question.id for question in read_questions(made / f"{name}.jsonl")] == ["1", "3"]


def test_sentences_are_answers_and_a_long_one_may_be_named_by_its_beginning_or_its_end(made: Path) -> None:
    (found,) = read_questions(made / "sections.jsonl")
    whole, beginning, end = found.answers
    assert whole == "This is a cord."
    assert beginning.startswith("It is made of")
    assert end.endswith("before it fell.")
    assert all(occurrences(found.passage, answer) for answer in found.answers)


def test_a_frequent_question_is_read_among_the_answers_of_its_own_house(made: Path) -> None:
    found = read_questions(made / "answer_lists.jsonl")
    assert len(found) == 18
    for question in found:
        assert occurrences(question.passage, question.answers[0])
        assert 6 <= question.passage.count(" is.") <= 7
    assert any(question.text in question.passage for question in found)
    assert any(question.text not in question.passage for question in found)


def test_a_report_is_read_by_the_paragraph_that_holds_the_answer(made: Path) -> None:
    (found,) = read_questions(made / "reports.jsonl")
    assert found.passage == "Sales rose by 4 %."


def test_of_a_long_table_the_rows_around_the_answer_are_shown(made: Path) -> None:
    found = {question.id: question for question in read_questions(made / "tables.jsonl")}
    own = found["a"]
    assert "b" not in found
    assert occurrences(own.passage, "77.5")
    assert 0.8 * TABLE_CHARACTERS < len(own.passage) <= TABLE_CHARACTERS
    assert "Length (m)" in own.passage


def test_both_layouts_are_made_and_what_is_absent_is_absent() -> None:
    row = {"id": "a", "title": "", "table": TABLE, "group": "g", "question": "How long is Ship 77?",
           "answers": ["77.5"], "kind": "table-cell"}  # fmt: skip
    found = list(tables(iter([row] * 40), random.Random(1), absent=1.0))
    shown = [each["context"] for each in found if each["answerable"]]
    assert {context[:2] for context in shown} == {"| ", "Ye"}
    absent = [each for each in found if not each["answerable"]]
    assert absent
    assert all("77.5" not in each["context"] for each in absent)


def test_a_question_that_names_no_row_is_not_asked_without_its_answer() -> None:
    row = {"id": "a", "title": "", "table": TABLE, "group": "g", "question": "Which is the last?", "answers": ["77.5"],
           "kind": "table-cell"}  # fmt: skip
    assert all(each["answerable"] for each in tables(iter([row] * 40), random.Random(1), absent=1.0))
