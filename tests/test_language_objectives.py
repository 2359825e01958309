"""What is predicted of a text, and the windows that it is read in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.language.objectives import IGNORED, masked_words, next_words, spans_taken_out
from finetune.language.windows import Windows, in_order
from indexer.errors import UsageError

ROWS = np.arange(10, 90).reshape(2, 40)


def test_each_word_but_the_first_is_to_be_said() -> None:
    batch = next_words(np.array([[7, 8, 9]]))
    assert batch.labels.tolist() == [[IGNORED, 8, 9]]
    assert batch.predicted == 2


@given(st.integers(0, 10_000))
def test_masks_hide_what_is_to_be_said_and_nothing_else(seed: int) -> None:
    batch = masked_words(ROWS, np.random.default_rng(seed), mask=1, vocabulary=100, special=[10, 49])
    said = batch.labels != IGNORED
    assert 1 <= said.sum() < 40
    assert (batch.labels[said] == ROWS[said]).all()
    assert (batch.ids[~said] == ROWS[~said]).all()
    assert not said[:, 0][ROWS[:, 0] == 10].any()


def test_four_in_five_of_the_chosen_are_masked() -> None:
    rows = np.full((100, 200), 50)
    batch = masked_words(rows, np.random.default_rng(0), mask=1, vocabulary=40, special=[])
    said = batch.labels != IGNORED
    assert said.mean() == pytest.approx(0.15, abs=0.01)
    assert (batch.ids[said] == 1).mean() == pytest.approx(0.8, abs=0.03)
    assert (batch.ids[said] == 50).mean() == pytest.approx(0.1, abs=0.03)


@given(st.integers(0, 10_000), st.integers(8, 300))
def test_spans_put_back_make_the_text_again(seed: int, length: int) -> None:
    row = np.arange(1000, 1000 + length)
    sentinels, end = list(range(100, 200)), 1
    batch = spans_taken_out(row[None], np.random.default_rng(seed), sentinels, end)
    read, said = batch.ids[0].tolist(), batch.labels[0].tolist()
    assert read[-1] == said[-1] == end
    spans: dict[int, list[int]] = {}
    for token in said[:-1]:
        if token in sentinels:
            spans[token] = []
            last = token
        else:
            spans[last].append(token)
    whole = [token for part in read[:-1] for token in spans.get(part, [part])]
    assert whole == row.tolist()
    assert sum(map(len, spans.values())) == min(max(1, round(0.15 * length)), length - 1)
    assert all(spans.values())


# Windows


def test_a_pass_reads_each_window_once_and_the_next_in_another_order() -> None:
    windows = Windows(np.arange(100, dtype=np.int32), 10, seed=3)
    assert windows.count == 9
    starts = [windows.rows(number, 1)[0, 0] for number in range(18)]
    for one in (starts[:9], starts[9:]):
        assert sorted(one) == list(range(min(one), min(one) + 90, 10))
    assert starts[:9] != starts[9:]


def test_a_window_depends_on_its_number_alone() -> None:
    stream = np.arange(500, dtype=np.int32)
    forward = Windows(stream, 7, seed=1)
    later = Windows(stream, 7, seed=1)
    rows = forward.rows(60, 30)
    for number in reversed(range(30)):
        assert (later.rows(60 + number, 1)[0] == rows[number]).all()


def test_too_little_text_says_so() -> None:
    with pytest.raises(UsageError, match="only 19 tokens to learn from, less than two windows of 10"):
        Windows(np.arange(19, dtype=np.int32), 10, seed=0)


@given(st.integers(2, 200), st.integers(2, 20))
def test_in_order_each_token_but_the_first_is_predicted_once(length: int, window: int) -> None:
    found = in_order(np.arange(length, dtype=np.int32), window)
    assert [token for row in found for token in row[1:].tolist()] == list(range(1, length))
    assert all(len(row) <= window for row in found)
