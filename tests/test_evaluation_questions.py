"""Reading questions: what each layout holds, and that each kind of fault is told with its place and counted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.faults import DataFaults, Faults, Source
from rag.evaluation.questions import Asked, placed_questions, questions_of

HARBOUR = "The harbour was built in 1840. Anna Holm designed it."


def squad(*questions: Mapping[str, Any], context: str = HARBOUR) -> dict[str, Any]:
    paragraphs = [{"context": context, "qas": list(questions)}]
    return {"version": "1.1", "data": [{"title": "Old_Port", "paragraphs": paragraphs}]}


def asked_when(**changes: Any) -> dict[str, Any]:
    return {"id": "q0", "question": "When?", "answers": [{"text": "1840", "answer_start": 25}]} | changes


def line(**changes: Any) -> dict[str, Any]:
    row = {"id": "7", "question": "Who designed it?", "answers": ["Anna Holm"], "context": HARBOUR} | changes
    return {name: value for name, value in row.items() if value is not ...}


def read(file: Path, *, answers_needed: bool = True) -> list[Asked]:
    faults = Faults(file.name)
    found = questions_of(Source(file, faults), faults, answers_needed=answers_needed)
    faults.check()
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "questions.json"


def write_lines(file: Path, rows: Sequence[Any]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def faults_of(file: Path, rows: Sequence[Any]) -> DataFaults:
    with pytest.raises(DataFaults, match=r"has .* fault") as caught:
        read(write_lines(file, rows))
    return caught.value


# What is read


def test_a_squad_question_comes_with_its_paragraph_and_each_answer_once(file: Path) -> None:
    answers = [{"text": "1840", "answer_start": 25}, {"text": "in 1840", "answer_start": 22}]
    file.write_text(json.dumps(squad(asked_when(answers=[*answers, answers[0]], question=" When? "))))
    assert read(file) == [Asked("q0", "When?", ("1840", "in 1840"), "Old Port", HARBOUR)]


def test_squad_may_stand_on_many_lines_and_be_gzipped(file: Path) -> None:
    content = json.dumps(squad(asked_when()), indent=1)
    file.write_bytes(gzip.compress(content.encode()))
    assert [each.id for each in read(file)] == ["q0"]


def test_a_question_of_squad_v2_may_have_no_answer(file: Path) -> None:
    plausible = {"plausible_answers": [{"text": "1840", "answer_start": 25}]}
    file.write_text(json.dumps(squad(asked_when(answers=[], is_impossible=True, **plausible))))
    assert read(file)[0].answers == ()


def test_a_json_line_may_tell_where_its_answer_stands(file: Path) -> None:
    evidence = [
        {"source": "port.md", "quote": "Anna Holm designed it."},
        {"source": "people.md", "quote": "Holm, Anna"},
        {"source": "port.md"},
    ]
    row = line(title="Port", kind="direct", evidence=evidence, context=...)
    assert read(write_lines(file, [row])) == [
        Asked(
            id="7",
            text="Who designed it?",
            answers=("Anna Holm",),
            title="Port",
            kind="direct",
            sources=("port.md", "people.md"),
            quotes=("Anna Holm designed it.", "Holm, Anna"),
        )
    ]


def test_sources_may_be_a_plain_list(file: Path) -> None:
    assert read(write_lines(file, [line(sources=["a.md", "b.md", "a.md"])]))[0].sources == ("a.md", "b.md")


def test_a_beir_query_with_answers_is_a_question(file: Path) -> None:
    rows = [
        {"_id": "1", "text": "Who?", "answers": ["Anna Holm"]},
        {"_id": 2, "text": "When?", "metadata": {"answers": ["1840"]}},
    ]
    assert read(write_lines(file, rows)) == [Asked("1", "Who?", ("Anna Holm",)), Asked("2", "When?", ("1840",))]


def test_answers_as_the_datasets_library_writes_them_are_answers(file: Path) -> None:
    row = line(answers={"text": ["Anna Holm", "Holm"], "answer_start": [31, 36]})
    assert read(write_lines(file, [row]))[0].answers == ("Anna Holm", "Holm")


def test_a_question_without_id_keeps_its_own_when_a_line_is_put_before_it(file: Path) -> None:
    """Two runs are compared question by question, and a number of a line would pair what does not belong together."""
    (alone,) = read(write_lines(file, [line(id=...)]))
    before, after = read(write_lines(file, [line(id=..., question="Who sold it?"), line(id=...)]))
    assert after.id == alone.id != before.id
    assert len(alone.id) == 16


def test_a_byte_order_mark_and_blank_lines_are_no_faults(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(line()).encode() + b"\r\n\r\n  \n")
    assert [each.id for each in read(file)] == ["7"]


def test_an_answer_may_differ_from_its_context_as_squad_compares_them(file: Path) -> None:
    assert read(write_lines(file, [line(answers=["the anna  holm!"])]))[0].answers == ("the anna  holm!",)


@pytest.mark.parametrize("answer", ["yes", "No"])
def test_yes_and_no_stand_in_no_context(file: Path, answer: str) -> None:
    assert read(write_lines(file, [line(answers=[answer])]))[0].answers == (answer,)


def test_without_the_need_of_answers_a_line_may_have_none(file: Path) -> None:
    write_lines(file, [line(id="a", answers=...), line(id="b", answers=[], answerable=True)])
    assert [each.answers for each in read(file, answers_needed=False)] == [(), ()]


def test_the_hash_is_of_what_is_said_and_not_of_how_it_is_packed(tmp_path: Path) -> None:
    plain, packed, other = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"
    write_lines(plain, [line()])
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    write_lines(other, [line(id="8")])
    hashes = []
    for each in (plain, packed, other):
        source = Source(each, Faults("x"))
        assert len(list(source.lines())) == 1
        hashes.append(source.sha256)
    assert hashes[0] == hashes[1] != hashes[2]


# Each kind of fault, with its place


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (line(question=...), "no question"),
        (line(question=" "), "no question"),
        (line(question=7), "question is no text"),
        (line(question="?!"), "question without a word"),
        (line(answers=...), "no list of answers"),
        (line(answers="Anna Holm"), "no list of answers"),
        (line(answers={"text": ["a", "b"], "answer_start": [1]}), "no list of answers"),
        (line(answers=[7]), "answer that is no text"),
        (line(answers=[{"start": 7}]), "answer that is no text"),
        (line(answers=[" "]), "empty answer"),
        (line(answers=["Anna Berg"]), "answer outside its context"),
        (line(answers=[{"text": "Anna Holm", "answer_start": 30}]), "answer outside its context"),
        (line(answers=[{"text": "Anna Holm", "answer_start": -22}]), "answer_start is no place"),
        (line(answers=[{"text": "Anna Holm", "answer_start": "31"}]), "answer_start is no place"),
        (line(answers=[], answerable=True), "no answer to what is said to have one"),
        (line(answers=[], is_impossible=False), "no answer to what is said to have one"),
        (line(answerable=False), "answers to what is said to have none"),
        (line(is_impossible=True), "answers to what is said to have none"),
        (line(context=["a"]), "context is no text"),
        (line(title=7), "title is no text"),
        (line(kind=7), "kind is no text"),
        (line(id=""), "no id"),
        (line(id=1.5), "no id"),
        (line(id=True), "no id"),
        (line(sources="port.md"), "sources is no list of texts"),
        (line(sources=["port.md", ""]), "sources is no list of texts"),
        (line(evidence="port.md"), "no list of evidence"),
        (line(evidence=["port.md"]), "not an object in evidence"),
        (line(evidence=[{"quote": "Anna"}]), "no source"),
        (line(evidence=[{"source": "port.md", "quote": 7}]), "quote is no text"),
        (line(question="Who \ud800?"), "half of a surrogate pair"),
        (line(answers=["Anna \udc00"]), "half of a surrogate pair"),
        (["a", "list"], "not a JSON object"),
        ("a text", "not a JSON object"),
    ],
)
def test_a_line_that_is_wrong_is_told_by_its_number(file: Path, row: Any, kind: str) -> None:
    found = faults_of(file, [line(id="before"), row])
    assert found.counts == {kind: 1}
    assert [(fault.kind, fault.where.partition(",")[0]) for fault in found.faults] == [(kind, "line 2")]


def test_a_line_that_is_no_json_is_told_by_its_number(file: Path) -> None:
    file.write_text(json.dumps(line()) + "\n\n{'id': 7}\n")
    with pytest.raises(DataFaults, match=r"has 1 fault: 1 × not JSON\.\n  line 3: not JSON \(Expecting property name"):
        read(file)


def test_an_id_that_is_used_twice_is_told_with_both_places(file: Path) -> None:
    found = faults_of(file, [line(), line(id="8"), line(question="Why?")])
    assert str(found.faults[0]) == "line 3: id used twice (7, as in line 1)"


def test_the_same_question_twice_without_an_id_is_told(file: Path) -> None:
    assert faults_of(file, [line(id=...), line(id=...)]).counts == {"id used twice": 1}


def test_ids_that_are_used_twice_can_be_let_be(file: Path) -> None:
    faults = Faults("x")
    placed = placed_questions(Source(write_lines(file, [line(), line()]), faults), faults)
    assert [(where, asked.id) for where, asked in placed] == [("line 1", "7"), ("line 2", "7")]
    assert not faults.counts


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (asked_when(id=None), "no id"),
        (asked_when(question=None), "no question"),
        (asked_when(answers=None), "no list of answers"),
        (asked_when(answers=[{"text": "1840", "answer_start": 24}]), "answer outside its context"),
        (asked_when(answers=[{"text": "1841", "answer_start": 25}]), "answer outside its context"),
        (asked_when(answers=[{"text": "1841"}]), "answer outside its context"),
    ],
)
def test_a_question_of_squad_that_is_wrong_is_told_by_article_and_paragraph(
    file: Path, question: dict[str, Any], kind: str
) -> None:
    whole = squad()
    whole["data"][0]["paragraphs"].append({"context": HARBOUR, "qas": [asked_when(id="first"), question]})
    found = faults_of(file, [whole])
    assert found.counts == {kind: 1}
    assert found.faults[0].where == "article 1, paragraph 2, question 2"


@pytest.mark.parametrize(
    ("whole", "kind", "where"),
    [
        ({"data": {}}, "no list of data", "the whole file"),
        ({"data": ["x"]}, "not an object in data", "the whole file, number 1"),
        ({"data": [{"title": "x"}]}, "no list of paragraphs", "article 1"),
        ({"data": [{"paragraphs": [{"context": HARBOUR}]}]}, "no list of qas", "article 1, paragraph 1"),
        ({"data": [{"paragraphs": [{"qas": []}]}]}, "no context", "article 1, paragraph 1"),
        ({"data": [{"title": 7, "paragraphs": []}]}, "title is no text", "article 1"),
        ({"data": []}, "no questions", "the whole file"),
    ],
)
def test_squad_that_is_built_wrong_is_told_by_its_place(file: Path, whole: Any, kind: str, where: str) -> None:
    found = faults_of(file, [whole])
    assert [(fault.kind, fault.where) for fault in found.faults] == [(kind, where)]


def test_squad_that_is_cut_off_is_told_once_with_its_line(file: Path) -> None:
    """Each of a thousand lines of a broken file would be no JSON, which says nothing about where it broke."""
    lines = json.dumps(squad(asked_when()), indent=1).splitlines()
    file.write_text("\n".join(lines[:9]))
    with pytest.raises(DataFaults, match=r"1 fault: 1 × not JSON\.\n  line 9: not JSON \(column ") as caught:
        read(file)
    assert caught.value.counts == {"not JSON": 1}


def test_squad_on_one_line_that_is_cut_off_is_told(file: Path) -> None:
    file.write_text(json.dumps(squad(asked_when()))[:-9])
    with pytest.raises(DataFaults, match=r"line 1: not JSON \(column \d+: "):
        read(file)


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_questions_is_told(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(DataFaults, match="the whole file: no questions"):
        read(file)


def test_a_line_that_is_not_utf8_is_told_with_the_byte(file: Path) -> None:
    file.write_bytes(json.dumps(line()).encode() + b'\n{"id": "\xe9"}\n')
    with pytest.raises(DataFaults, match=r"line 2: not UTF-8 \(byte 9\)"):
        read(file)


def test_a_gzipped_file_that_is_cut_off_is_told(file: Path) -> None:
    whole = gzip.compress("".join(json.dumps(line(id=str(number))) + "\n" for number in range(500)).encode())
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataFaults, match=r"after line \d+: cannot be read \(Compressed file ended"):
        read(file)


def test_a_nesting_too_deep_to_read_is_told(file: Path) -> None:
    file.write_text("[" * 200_000 + "\n")
    with pytest.raises(DataFaults, match="line 1: not JSON"):
        read(file)


def test_ten_faults_are_told_and_all_are_counted(file: Path) -> None:
    rows = [line(id=str(number), answers=["Anna Berg"]) for number in range(1200)]
    found = faults_of(file, [*rows, line(question=...), line(question=...)])
    assert found.counts == {"answer outside its context": 1200, "no question": 2}
    assert found.message.startswith(
        "questions.json has 1,202 faults: 1,200 × answer outside its context, 2 × no question.\n"
        "  line 1: answer outside its context ('Anna Berg' is not in it)\n  line 2: "
    )
    assert found.message.endswith("line 10: answer outside its context ('Anna Berg' is not in it)\n  and 1,192 more")
    assert len(found.faults) == 10
    assert found.exit_code == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    *("id", "_id", "question", "text", "context", "answers", "answerable", "is_impossible", "title", "kind"),
    *("sources", "evidence", "metadata", "data"),
)


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), json_values, max_size=8) | json_values, max_size=4))
def test_whatever_a_file_holds_it_is_read_or_its_faults_are_told(rows: list[Any]) -> None:
    faults = Faults("x")

    class Lines(Source):
        def lines(self) -> Any:
            return iter([(f"line {number}", json.dumps(row)) for number, row in enumerate(rows, 1)])

    found = questions_of(Lines(Path("x"), faults), faults)
    assert found or faults.counts
    assert len({each.id for each in found}) == len(found)
    assert all(each.text and all(answer.strip() for answer in each.answers) for each in found)
