"""Reading questions with known answers: what every field becomes, and every fault told before anything slow."""

from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.questions import Question, occurrences, read_questions
from indexer.errors import UsageError

ROW: dict[str, Any] = {"question": "Who sat?", "context": "A cat sat.", "answers": ["A cat"]}


def lines(file: Path, *rows: Any) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def squad(file: Path, *paragraphs: Any, title: str = "Old_cats") -> Path:
    file.write_text(json.dumps({"version": "2.0", "data": [{"title": title, "paragraphs": list(paragraphs)}]}))
    return file


def question(text: str = "Who sat?", document: str = "cats", **others: Any) -> Question:
    fields = {"id": text, "title": "", "passage": "A cat sat.", "answers": ("A cat",), **others}
    return Question(text=text, document=document, **fields)


# JSON lines


def test_a_line_needs_a_question_a_context_and_answers(tmp_path: Path) -> None:
    (found,) = read_questions(lines(tmp_path / "data.jsonl", {**ROW, "question": "  Who sat?\n"}))
    assert (found.id, found.text, found.title, found.passage, found.answers) == (
        "line 1", "Who sat?", "", "A cat sat.", ("A cat",),
    )  # fmt: skip


def test_what_else_a_line_says_is_kept(tmp_path: Path) -> None:
    row = {**ROW, "id": 7, "title": "Cats", "answers": ["A cat", "cat", "A cat", " "], "kind": "more"}
    (found,) = read_questions(lines(tmp_path / "data.jsonl", row))
    assert found == Question("7", "Who sat?", "Cats", "A cat sat.", ("A cat", "cat"), "Cats")


def test_a_question_may_ask_whether_something_is_so(tmp_path: Path) -> None:
    rows = [{**ROW, "answers": ["Yes"], "yes_no": True}, {**ROW, "answers": [], "answerable": False, "yes_no": True}]
    said, unsaid = read_questions(lines(tmp_path / "data.jsonl", *rows))
    assert (said.answers, said.yes_no, unsaid.answers, unsaid.yes_no) == (("Yes",), True, (), True)
    with pytest.raises(UsageError, match='line 1 has "yes_no": true and no answer "yes" or "no"'):
        read_questions(lines(tmp_path / "other.jsonl", {**ROW, "yes_no": True}))


def test_empty_lines_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_bytes(b"\xef\xbb\xbf\r\n" + json.dumps(ROW).encode() + b"\r\n\r\n" + json.dumps(ROW).encode())
    assert [each.passage for each in read_questions(file)] == ["A cat sat.", "A cat sat."]


def test_a_gzipped_file_is_read_alike(tmp_path: Path) -> None:
    plain = lines(tmp_path / "data.jsonl", ROW, {**ROW, "question": "What sat?"})
    packed = tmp_path / "data.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_questions(packed) == read_questions(plain)


def test_without_a_title_the_passage_is_the_document(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "question": "What sat?"}, {**ROW, "context": "A dog sat."}]
    one, two, other = read_questions(lines(tmp_path / "data.jsonl", *rows))
    assert one.document == two.document != other.document


@pytest.mark.parametrize(
    "row",
    [{**ROW, "answers": []}, {**ROW, "answerable": False}, {"question": "Who?", "context": "A.", "answerable": False}],
)
def test_an_unanswerable_question_has_no_answers(row: dict[str, Any], tmp_path: Path) -> None:
    (found,) = read_questions(lines(tmp_path / "data.jsonl", row))
    assert found.answers == ()


def test_a_question_whose_answers_are_empty_words_is_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="finetune.questions"):
        (found,) = read_questions(lines(tmp_path / "data.jsonl", {**ROW, "answers": ["", " "]}, ROW))
    assert found.id == "line 2"
    assert "line 1 is left out: its answers are empty" in caplog.text


# SQuAD


def test_squad_files_give_a_question_for_each_entry(tmp_path: Path) -> None:
    entries = [
        {"id": "a", "question": "Who sat?", "answers": [{"text": "cat", "answer_start": 2}, {"text": "A cat"}]},
        {
            "id": "b",
            "question": "Who ran?",
            "answers": [],
            "is_impossible": True,
            "plausible_answers": [{"text": "cat"}],
        },
    ]
    found = read_questions(squad(tmp_path / "data.json", {"context": "A cat sat.", "qas": entries}))
    assert found == [
        Question("a", "Who sat?", "Old cats", "A cat sat.", ("cat", "A cat"), "article Old cats"),
        Question("b", "Who ran?", "Old cats", "A cat sat.", (), "article Old cats", refused=True),
    ]


def test_ids_that_occur_twice_are_told_apart_and_the_same_question_is_one(tmp_path: Path) -> None:
    def entry(text: str, answer: str) -> dict[str, Any]:
        return {"id": "a", "question": text, "answers": [{"text": answer}]}

    first = {"context": "A cat sat.", "qas": [entry("Who?", "cat"), entry("What?", "sat"), entry("Who?", "A cat")]}
    second = {"context": "A dog sat.", "qas": [entry("Who?", "dog"), entry("What?", "sat")]}
    found = read_questions(squad(tmp_path / "data.json", first, second))
    assert [(each.id, each.text, each.answers) for each in found] == [
        ("a", "Who?", ("cat", "A cat")), ("a#2", "What?", ("sat",)),
        ("a#3", "Who?", ("dog",)), ("a#4", "What?", ("sat",)),
    ]  # fmt: skip


# Faults

FAULTS: list[tuple[str, str]] = [
    ('{"question": 1', "line 1 is no JSON"),
    ("[" * 100_000, "line 1 is no JSON"),
    ("[1]", "line 1 is no JSON object"),
    ('{"context": "A.", "answers": []}', "line 1 has no question"),
    ('{"question": " ", "context": "A.", "answers": []}', "line 1 has no question"),
    ('{"question": "Who?", "context": 5, "answers": []}', "line 1 has no context"),
    ('{"question": "Who?", "context": "A."}', "line 1 has no list of answers"),
    ('{"question": "Who?", "context": "A.", "answer": ["A"]}', "line 1 has no list of answers"),
    ('{"question": "Who?", "context": "A.", "answers": "A"}', "line 1 has no list of answers"),
    ('{"question": "Who?", "context": "A.", "answers": ["A", 5]}', "line 1 has an answer that is no text"),
    ('{"question": "Who?", "context": "A.", "answers": [{"start": 5}]}', "line 1 has an answer that is no text"),
    (r'{"question": "Who?", "context": "A\ud800.", "answers": []}', "line 1 holds half of a surrogate pair"),
    (r'{"question": "Who?", "context": "A.", "answers": ["\udfff"]}', "line 1 holds half of a surrogate pair"),
    (r'{"question": "Who?", "context": "A.", "answers": [], "title": "\ud800"}', "line 1 holds half"),
    ('{"data": 5}', "data is no list of objects"),
    ('{"data": [5]}', "data is no list of objects"),
    ('{"data": [{"title": "T"}]}', "article 1: paragraphs is no list of objects"),
    ('{"data": [{"paragraphs": [{"context": "A."}]}]}', "article 1, paragraph 1: qas is no list of objects"),
    ('{"data": [{"paragraphs": [{"qas": [{"question": "Who?"}]}]}]}', "article 1, paragraph 1 has no context"),
    ('{"data": [{"paragraphs": [{"context": "A.", "qas": ["x"]}]}]}', "article 1, paragraph 1: qas is no list"),
    ('{"data": []}', "holds no questions"),
    ("", "holds no questions"),
    (" \n", "holds no questions"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "said"), FAULTS, ids=[f"{said}-{n}" for n, (_, said) in enumerate(FAULTS)])
def test_a_fault_is_told_with_its_place(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        read_questions(file)
    assert str(file) in caught.value.message


def test_the_first_of_several_faults_is_told_with_their_number(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text("\n".join([json.dumps(ROW), "{", json.dumps(ROW), "[]", "{}"]))
    with pytest.raises(UsageError, match="has 3 faults; the first: line 2 is no JSON"):
        read_questions(file)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gone.json", None),
        ("latin.jsonl", b"\xe9"),
        ("plain.jsonl.gz", b"not gzip"),
        ("short.jsonl.gz", gzip.compress(b"{}" * 999)[:-10]),
        ("spoiled.jsonl.gz", gzip.compress(b"abc")[:10] + b"\xff" * 20),
    ],
    ids=["gone", "not UTF-8", "not gzip", "cut off", "spoiled"],
)
def test_a_file_that_does_not_open_is_told_with_its_name(name: str, content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"{name} cannot be read"):
        read_questions(tmp_path / name)


# Occurrences


@pytest.mark.parametrize(
    ("passage", "answer", "expected"),
    [
        ("cat, cats and a cat", "cat", [0, 16]),
        ("cats", "cat", [0]),  # it tears a word, and there is no other place
        ("in 1920s, in 1920.", "1920", [13]),
        ("75,000 or 75", "75", [10]),
        ("aaa", "aa", [0, 1]),
        ("a cat", "dog", []),
        ("a cat", "", []),
        ("Cat", "cat", []),
        ("", "cat", []),
    ],
)
def test_an_answer_occurs_where_it_tears_no_word(passage: str, answer: str, expected: list[int]) -> None:
    assert occurrences(passage, answer) == expected


@settings(deadline=None, max_examples=100)
@given(st.text("ab 1,", max_size=20), st.text("ab 1,", min_size=1, max_size=3))
def test_every_occurrence_is_one_and_none_is_missed_that_is_whole(passage: str, answer: str) -> None:
    found = occurrences(passage, answer)
    every = [at for at in range(len(passage)) if passage.startswith(answer, at)]
    assert set(found) <= set(every)
    assert bool(found) == bool(every)
    padded = f" {passage} "
    alone = [at for at in every if padded[at] == " " and padded[at + len(answer) + 1] == " "]
    assert set(alone) <= set(found)
