import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import UserError
from rag.evaluation.rows import Cited, Read, RetrievalRow, Row, from_lines, to_line
from tests.evaluation_rows import ranked, row

texts = st.text(max_size=20)
numbers = st.integers(0, 1000)
shares = st.floats(0, 1)
cited = st.builds(Cited, numbers, numbers, numbers, texts)
reads = st.builds(Read, texts, texts, numbers, texts, st.floats(allow_nan=False), numbers, st.tuples(texts))
rows = st.builds(
    Row,
    id=texts,
    question=texts,
    answers=st.lists(texts, max_size=2).map(tuple),
    kind=texts,
    said=texts,
    answered=st.booleans(),
    confidence=shares | st.just(-1.0),
    spans=st.lists(cited, max_size=2).map(tuple),
    unsupported=st.lists(st.tuples(numbers, numbers), max_size=2).map(tuple),
    passages=st.lists(reads, max_size=2).map(tuple),
    gold_sources=st.lists(texts, max_size=2).map(tuple),
    gold_quotes=st.lists(texts, max_size=2).map(tuple),
    timings_ms=st.dictionaries(texts, shares, max_size=2),
    footnotes=st.lists(cited, max_size=2).map(tuple),
)
rankings = st.builds(
    RetrievalRow,
    texts,
    texts,
    st.lists(st.tuples(texts, st.floats(allow_nan=False, allow_infinity=False)), max_size=3).map(tuple),
    st.dictionaries(texts, st.integers(-1, 4), max_size=3),
    st.dictionaries(texts, shares, max_size=2),
)


@given(rows)
def test_a_row_comes_back_as_it_was_written(row: Row) -> None:
    if any(read.score in (float("inf"), float("-inf")) for read in row.passages):
        with pytest.raises(ValueError, match="JSON compliant"):
            to_line(row)
    else:
        assert list(from_lines(iter([to_line(row)]), Row.from_json, "answers.jsonl")) == [row]


@given(rankings)
def test_a_ranking_comes_back_as_it_was_written(row: RetrievalRow) -> None:
    assert list(from_lines(iter([to_line(row)]), RetrievalRow.from_json, "rankings.jsonl")) == [row]


def test_a_row_is_one_line_whatever_it_holds() -> None:
    line = to_line(row("a\nb", said="two\r\nlines  \ud800"))
    assert line.count(b"\n") == 1
    assert b"\\ud800" in line


def test_a_refused_answer_is_not_given() -> None:
    assert row(said="Paris", answered=False).given == ""
    assert row(said="Paris").given == "Paris"
    assert not row(answers=()).answerable


def test_the_arms_of_a_query_are_rows_of_their_own() -> None:
    assert ranked("7", ["a"], {}, "words").id != ranked("7", ["a"], {}, "dense").id


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fields: fields.pop("said"),
        lambda fields: fields.update(spans=[7]),
        lambda fields: fields.update(confidence="high"),
        lambda fields: fields.update(timings_ms=[]),
    ],
)
def test_a_line_that_is_no_row_is_told_by_its_number(spoil: Callable[[dict[str, Any]], object]) -> None:
    fields: Mapping[str, Any] = row().to_json()
    spoilt = json.loads(json.dumps(fields))
    spoil(spoilt)
    lines = [to_line(row()), json.dumps(spoilt).encode()]
    with pytest.raises(UserError, match=r"Line 2 of answers\.jsonl is not a row of an evaluation"):
        list(from_lines(iter(lines), Row.from_json, "answers.jsonl"))
