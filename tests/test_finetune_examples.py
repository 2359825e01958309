"""Examples in tokens and in batches: which spans are right, which window is read, what is padded."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.copying.examples import COPY, REFUSE, STOP, WRITE, Copy, Encoded, Encoder, Example, Write, collate, plan
from rag.copying.layout import Tokens
from tests.small_generator import LAYOUT, small_tokens

TEXT = "the cat sat on a mat 75,000"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="module")
def tokens(folder: Path) -> Tokens:
    return small_tokens(folder)


@pytest.fixture
def encoder(tokens: Tokens) -> Encoder:
    return Encoder(tokens, span_tokens=6, max_actions=4)


def at(text: str, part: str, passage: int = 0) -> tuple[int, int, int]:
    start = text.index(part)
    return passage, start, start + len(part)


def encoded(encoder: Encoder, example: Example, seed: int = 0) -> Encoded:
    found = encoder.encode(example, random.Random(seed))
    assert found is not None
    return found


def copied(example: Example, done: Encoded, step: int = 0) -> list[str]:
    """Return what the right spans of a step say in the passages."""
    said = []
    for passage, first, last in done.steps[step][1]:
        window, offsets = done.windows[passage], done.words[passage].offsets
        start, end = (place - window.first + window.begin for place in (first, last))
        said.append(example.passages[passage][1][offsets[start][0] : offsets[end][1]])
    return said


# Steps


def test_a_copied_span_is_then_stopped_after(encoder: Encoder) -> None:
    example = Example("the cat?", (("a mat", TEXT),), (Copy((at(TEXT, "sat on"),)),))
    done = encoded(encoder, example)
    assert [step[0] for step in done.steps] == [COPY, STOP]
    assert copied(example, done) == ["sat on"]
    # [CLS] the cat ? [SEP] a mat [SEP] are eight tokens, "the cat" two more
    assert done.steps[0][1] == ((0, 10, 11),)
    assert done.length == 8 + len(done.words[0].ids) + 1


def test_an_example_without_actions_is_refused(encoder: Encoder) -> None:
    assert encoded(encoder, Example("the cat?", (("", TEXT),), ())).steps == ((REFUSE, (), 0),)


def test_written_words_are_one_step_a_token(encoder: Encoder, tokens: Tokens) -> None:
    done = encoded(encoder, Example("a?", (("", TEXT),), (Write("sating"),)))
    assert done.steps == (*((WRITE, (), token) for token in tokens.ids("sating")), (STOP, (), 0))


def test_every_occurrence_is_right_and_the_same_tokens_count_once(encoder: Encoder) -> None:
    """Three places lie in the one number: their probability would be added up three times."""
    text = "75,000 mat 75,000"
    spans = (*(at(text, part) for part in ("75", "000", "75,000")), (0, 11, 17))
    example = Example("a?", (("", text),), (Copy(spans),))
    done = encoded(encoder, example)
    assert copied(example, done) == ["75,000", "75,000"]
    assert len(set(done.steps[0][1])) == 2


def test_spans_in_two_passages_keep_their_passage(encoder: Encoder) -> None:
    example = Example("a?", (("", "on a mat"), ("the", TEXT)), (Copy((at(TEXT, "mat", 1), (0, 5, 8))),))
    done = encoded(encoder, example)
    assert [span[0] for span in done.steps[0][1]] == [1, 0]
    assert copied(example, done) == ["mat", "mat"]


def test_two_parts_are_two_copies_with_a_word_between(encoder: Encoder, tokens: Tokens) -> None:
    text = "a cat and a mat"
    example = Example("a?", (("", text),), (Copy((at(text, "cat"),)), Write("a"), Copy((at(text, "mat"),))))
    done = encoded(encoder, example)
    assert [step[0] for step in done.steps] == [COPY, WRITE, COPY, STOP]
    assert (copied(example, done, 0), done.steps[1][2], copied(example, done, 2)) == (
        ["cat"], tokens.ids("a")[0], ["mat"],
    )  # fmt: skip


# What cannot be learned


def test_an_answer_that_is_too_long_or_has_no_tokens_is_left_out(encoder: Encoder) -> None:
    chance = random.Random(0)
    six, seven = "a cat sat on a mat", "a cat sat on a mat ."
    assert encoder.encode(Example("a?", (("", six),), (Copy((at(six, six),)),)), chance)
    assert encoder.encode(Example("a?", (("", seven),), (Copy((at(seven, seven),)),)), chance) is None
    assert encoder.encode(Example("a?", (("", "a  b"),), (Copy(((0, 1, 2),)),)), chance) is None
    both = Copy((at(seven, seven), at(seven, "mat")))
    example = Example("a?", (("", seven),), (both,))
    assert copied(example, encoded(encoder, example)) == ["mat"]


def test_an_answer_of_more_actions_than_the_decoder_has_places_for_is_left_out(encoder: Encoder) -> None:
    """A gold answer that is not in its passage is written: a long one once made the network fail."""
    chance = random.Random(0)
    assert len(encoded(encoder, Example("a?", (("", TEXT),), (Write("a b c d"),))).steps) == 5
    assert encoder.encode(Example("a?", (("", TEXT),), (Write("a b c d e"),)), chance) is None
    longer = (Copy((at(TEXT, "cat"),)), Write("a b c"), Copy((at(TEXT, "mat"),)))
    assert encoder.encode(Example("a?", (("", TEXT),), longer), chance) is None


def test_a_model_that_does_not_write_learns_from_single_spans_and_refusals_alone(tokens: Tokens) -> None:
    encoder, chance = Encoder(tokens, 6, max_actions=4, writes=False), random.Random(0)
    cat, mat = Copy((at(TEXT, "cat"),)), Copy((at(TEXT, "mat"),))
    for actions, kept in (((cat,), True), ((), True), ((Write("a"),), False), ((cat, Write("a"), mat), False)):
        assert (encoder.encode(Example("a?", (("", TEXT),), actions), chance) is not None) == kept
    assert encoder.encode(Example("a?", (("", TEXT),), (cat, mat)), chance) is None


# Windows


def test_the_window_that_holds_the_answer_is_read(encoder: Encoder) -> None:
    """Room for 40 - 4 - 1 = 35 of the 91 tokens: the answer stands in the second and the third window."""
    text = "a " * 60 + "mat " + "b " * 30
    example = Example("a?", (("", text),), (Copy((at(text, "mat"),)),))
    seen = set()
    for seed in range(20):
        done = encoded(encoder, example, seed)
        assert copied(example, done) == ["mat"]
        assert len(done.windows[0].ids) <= LAYOUT.window
        seen.add(done.windows[0].begin)
    assert seen <= {27, 54, 56}
    assert len(seen) > 1


def test_of_a_passage_to_refuse_any_window_is_read(encoder: Encoder) -> None:
    text = "a " * 90
    begins = {encoded(encoder, Example("a?", (("", text),), ()), seed).windows[0].begin for seed in range(40)}
    assert begins == {0, 27, 54, 55}


def test_an_answer_in_two_parts_is_read_in_a_window_that_holds_both(encoder: Encoder) -> None:
    """The window from 27 holds the cat alone, those from 54 and 56 hold both."""
    text = "a " * 58 + "cat " + "a " * 5 + "mat " + "b " * 26
    first, second = Copy((at(text, "cat"),)), Copy((at(text, "mat"),))
    example = Example("a?", (("", text),), (first, Write("a"), second))
    for seed in range(10):
        done = encoded(encoder, example, seed)
        assert (copied(example, done, 0), copied(example, done, 2)) == (["cat"], ["mat"])


def test_parts_that_no_window_holds_together_are_left_out(encoder: Encoder) -> None:
    text = "cat " + "a " * 88 + "mat"
    first, second = Copy((at(text, "cat"),)), Copy((at(text, "mat"),))
    assert encoder.encode(Example("a?", (("", text),), (first, Write("a"), second)), random.Random(0)) is None


words = st.lists(st.sampled_from(["cat", "mat", "75,000", "sating", ".", "a"]), min_size=1, max_size=80)


@settings(deadline=None, max_examples=60)
@given(words, st.data(), st.integers(0, 99))
def test_whatever_is_marked_right_covers_the_answer(
    tokens: Tokens, passage: list[str], data: st.DataObject, seed: int
) -> None:
    text = " ".join(passage)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    example = Example("a?", (("", text),), (Copy(((0, start, end),)),))
    done = Encoder(tokens, span_tokens=6).encode(example, random.Random(seed))
    if done is None:  # with the whole words that it stands in, the answer is longer than a span may be
        words = text[text.rfind(" ", 0, start + 1) + 1 : (text + " ").index(" ", end - 1)]
        assert len(tokens.ids(words)) > 6 or not text[start:end].strip()
    else:
        (said,) = copied(example, done)
        assert text[start:end].strip() in said
        assert set(said.split()) <= set(passage)


# Batches


def test_a_batch_is_padded_and_says_where_spans_may_begin_and_end(encoder: Encoder) -> None:
    short, long = "75,000 mat", "the cat sat on a mat"
    done = [
        encoded(encoder, Example("a?", (("", short),), (Copy((at(short, "mat"),)),))),
        encoded(encoder, Example("a?", (("", long),), (Copy((at(long, "cat"), at(long, "mat"))), Write("a"))), 1),
    ]
    batch = collate(done, pad_id=9)
    lengths = [each.length for each in done]
    assert batch.ids.shape == (2, max(lengths))
    for row, each in enumerate(done):
        window = each.windows[0]
        rest = max(lengths) - lengths[row]
        assert batch.ids[row].tolist() == window.ids + [9] * rest
        assert batch.types[row].tolist() == window.types + [0] * rest
        assert batch.mask[row].tolist() == [1] * lengths[row] + [0] * rest
    # [CLS] a ? [SEP] 7 ##5 , 0 ##0 ##0 mat [SEP]
    assert np.flatnonzero(batch.opens[0]).tolist() == [4, 10]
    assert np.flatnonzero(batch.closes[0]).tolist() == [9, 10]
    assert np.flatnonzero(batch.opens[1]).tolist() == [4, 5, 6, 7, 8, 9]
    assert batch.kinds.tolist() == [[COPY, STOP, 0], [COPY, WRITE, STOP]]
    assert batch.tokens[:, 1].tolist() == [0, done[1].steps[1][2]]
    assert batch.spans[0].tolist() == [[[0, 10, 10], [-1] * 3], [[-1] * 3] * 2, [[-1] * 3] * 2]
    assert batch.spans[1, 0].tolist() == [[0, 5, 5], [0, 9, 9]]
    assert batch.passages == 1


def test_the_passages_of_an_example_stand_in_neighbouring_rows(encoder: Encoder) -> None:
    two = [encoded(encoder, Example("a?", (("", f"cat {n}"), ("", f"mat {n}")), ()), n) for n in range(2)]
    batch = collate(two, 0)
    assert batch.ids.shape[0] == 4
    assert batch.passages == 2
    windows = [window for each in two for window in each.windows]
    assert [row[: len(w.ids)].tolist() for row, w in zip(batch.ids, windows, strict=True)] == [w.ids for w in windows]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 3)), max_size=40), st.integers(10, 200), st.integers(1, 50)
)
def test_a_plan_takes_each_example_once_and_keeps_the_budget(
    tokens: Tokens, sizes: list[tuple[int, int]], budget: int, pool: int
) -> None:
    encoder = Encoder(tokens, 6)
    done = [encoded(encoder, Example("a?", (("", "a " * size),) * passages, ())) for size, passages in sizes]
    planned = plan(done, budget, random.Random(1), pool)
    assert sorted(i for batch in planned for i in batch) == list(range(len(done)))
    assert planned == plan(done, budget, random.Random(1), pool)
    for batch in planned:
        assert len({len(done[i].windows) for i in batch}) == 1
        padded = sum(len(done[i].windows) for i in batch) * max(done[i].length for i in batch)
        assert padded <= budget or len(batch) == 1


def test_a_plan_without_examples_is_empty() -> None:
    assert plan([], 100, random.Random(0)) == []


def test_a_passage_is_turned_into_tokens_once(tokens: Tokens) -> None:
    encoder = Encoder(tokens, 6)
    one, two = (encoded(encoder, Example(text, (("", TEXT),), ())) for text in ("a?", "the?"))
    assert one.words[0] is two.words[0]


def test_the_default_of_actions_is_the_networks() -> None:
    from rag.copying.model import CopyingConfig

    assert Encoder.max_actions == CopyingConfig().max_actions
