"""The n-gram baseline, against the slow obvious way to compute it."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.language.kneser_ney import KneserNey

WORDS = 5
streams = st.lists(st.integers(0, WORDS - 1), min_size=4, max_size=60)


def slow(tokens: Sequence[int], order: int, context: tuple[int, ...], word: int) -> float:
    """Return p(word | context) by Chen and Goodman's equation, counted with dictionaries, from the order down."""

    def grams(length: int) -> list[tuple[int, ...]]:
        return [tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1)]

    def counts(length: int) -> Counter[tuple[int, ...]]:
        if length == order:
            return Counter(grams(length))
        return Counter(gram[1:] for gram in set(grams(length + 1)))

    def discount(table: Counter[tuple[int, ...]], count: int) -> float:
        n = [sum(each == k for each in table.values()) for k in range(5)]
        if 0 in n[1:5]:
            return [0.0, 0.5, 1.0, 1.5][min(count, 3)]
        y, k = n[1] / (n[1] + 2 * n[2]), min(count, 3)
        return min(k, max(0.0, k - (k + 1) * y * n[k + 1] / n[k])) if k else 0.0

    def p(before: tuple[int, ...]) -> float:
        shorter = p(before[1:]) if before else 1 / WORDS
        table = counts(len(before) + 1)
        follow = {gram: count for gram, count in table.items() if gram[:-1] == before}
        total = sum(follow.values())
        if not total:
            return shorter
        count = follow.get((*before, word), 0)
        left = sum(discount(table, each) for each in follow.values())
        return (count - discount(table, count) + left * shorter) / total

    return p(context[max(0, len(context) - order + 1) :])


@settings(max_examples=40, deadline=None)
@given(streams, streams, st.integers(1, 3))
def test_it_agrees_with_the_slow_way(learnt: list[int], read: list[int], order: int) -> None:
    found = np.exp(KneserNey(np.array(learnt, dtype=np.int32), order, WORDS).log_probabilities(np.array(read)))
    for place, word in enumerate(read):
        assert found[place] == pytest.approx(slow(learnt, order, tuple(read[:place]), word), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(streams, st.lists(st.integers(0, WORDS - 1), max_size=6), st.integers(1, 5))
def test_after_any_words_the_probabilities_sum_to_one(learnt: list[int], before: list[int], order: int) -> None:
    model = KneserNey(np.array(learnt, dtype=np.int32), order, WORDS)
    total = sum(np.exp(model.log_probabilities(np.array([*before, word]))[-1]) for word in range(WORDS))
    assert total == pytest.approx(1.0)


def test_what_was_counted_often_is_likely() -> None:
    stream = np.array([0, 1, 2, 3] * 50, dtype=np.int32)
    model = KneserNey(stream, 3, WORDS)
    assert np.exp(model.log_probabilities(stream))[3:].min() > 0.9
