"""From scores to actions, against the slow obvious way: every span of every window, one after another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.encoders.graph import Floats
from rag.copying.decoding import HESITATION, KEPT, Decoded, Part, Span, Step, Token, decode
from rag.copying.layout import Window, Words
from rag.copying.reader import WindowRead

WIDTH, RANK, VOCABULARY = 3, 2, 5
SEEDS = st.integers(0, 2**32 - 1)
patient = settings(deadline=None, max_examples=100)


def words_of(
    count: int,
    opens: Sequence[bool] | None = None,
    closes: Sequence[bool] | None = None,
    stretches: Sequence[int] | None = None,
) -> Words:
    """Return `count` tokens of two characters, a space after each: token n stands at [3n, 3n + 2)."""
    offsets = np.array([(3 * n, 3 * n + 2) for n in range(count)], dtype=np.int32).reshape(-1, 2)
    whole = np.ones(count, dtype=bool)
    return Words(
        list(range(count)),
        offsets,
        whole if opens is None else np.array(opens, dtype=bool),
        whole if closes is None else np.array(closes, dtype=bool),
        np.array(stretches if stretches is not None else [0] * count, dtype=np.int64),
    )


def part_of(
    words: Words,
    chance: np.random.Generator,
    *,
    passage: int = 0,
    begin: int = 0,
    end: int | None = None,
    first: int = 3,
    start: Sequence[float] | None = None,
    scale: float = 1.0,
) -> Part:
    """Return a window over tokens `begin` to `end` whose reading is random, or whose span scores are `start` alone."""
    end = len(words.ids) if end is None else end
    length = first + end - begin + 1
    window = Window([0] * length, [0] * length, first, begin, end)

    def random(*shape: int) -> Floats:
        return (scale * chance.normal(size=shape)).astype(np.float32)

    read = WindowRead(random(length, WIDTH), random(length), random(length), random(length, RANK), random(length, RANK))
    if start is not None:
        placed = np.full(length, 50.0, dtype=np.float32)  # where nothing may begin, it would win
        placed[first : first + end - begin] = start
        zeros = np.zeros((length, RANK), dtype=np.float32)
        read = WindowRead(read.hidden, placed, np.zeros(length, dtype=np.float32), zeros, zeros)
    return Part(passage, window, words, read)


def random_parts(chance: np.random.Generator) -> list[Part]:
    """Return one to three passages, read in overlapping windows, with some places where nothing begins or ends."""
    parts = []
    for passage in range(int(chance.integers(1, 4))):
        count = int(chance.integers(0, 9))
        borders = np.cumsum(chance.random(count) < 0.2)
        words = words_of(count, list(chance.random(count) < 0.8), list(chance.random(count) < 0.8), list(borders))
        room = int(chance.integers(2, 9))
        for begin in range(0, max(1, count - 1), max(1, room - 1)):
            end = min(count, begin + room)
            parts.append(
                part_of(words, chance, passage=passage, begin=begin, end=end, first=int(chance.integers(1, 5)))
            )
    return parts


Scores = list[tuple[float, tuple[int, int, int], tuple[int, int, int]]]


def every_span(
    parts: Sequence[Part], span_tokens: int, start: Floats | None = None, end: Floats | None = None
) -> Scores:
    """Return (score, (passage, characters), (part, tokens)) of every legal span of every window, each by itself."""
    found: Scores = []
    for number, part in enumerate(parts):
        window, words, read = part.window, part.words, part.read
        for i in range(window.begin, window.end):
            for j in range(i, min(window.end, i + span_tokens)):
                if not (words.opens[i] and words.closes[j] and words.stretches[i] == words.stretches[j]):
                    continue
                a, b = window.first + i - window.begin, window.first + j - window.begin
                score = float(read.start[a]) + float(read.end[b]) + float(np.dot(read.first[a], read.last[b]))
                score += 0.0 if start is None else float(np.dot(read.hidden[a], start))
                score += 0.0 if end is None else float(np.dot(read.hidden[b], end))
                key = (part.passage, int(words.offsets[i][0]), int(words.offsets[j][1]))
                found.append((score, key, (number, a, b)))
    return found


def log_sum(values: Sequence[float]) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))


def key(span: Span) -> tuple[int, int, int]:
    return span.passage, span.start, span.end


@dataclass
class Scripted:
    """Says at the n-th step what it was told to say, and remembers what it was asked."""

    said: Sequence[tuple[Floats, Floats, Floats, float]]
    asked: list[tuple[list[int], Floats, Floats, list[int], Floats]] = field(default_factory=list)

    def __call__(
        self, kinds: Sequence[int], firsts: Floats, lasts: Floats, tokens: Sequence[int], memory: Floats
    ) -> tuple[Floats, Floats, Floats, float]:
        self.asked.append((list(kinds), firsts, lasts, list(tokens), memory))
        return self.said[len(kinds) - 1]


def says(written: Sequence[float], stop: float, move: float = 0.0) -> tuple[Floats, Floats, Floats, float]:
    """Return one step's saying: the same query for start and end, scores of the five tokens, and that of stopping."""
    query = np.full(WIDTH, move, dtype=np.float32)
    return query, query, np.array(written, dtype=np.float32), stop


NEVER = [-90.0] * VOCABULARY


# One span


@patient
@given(SEEDS, st.integers(1, 5))
def test_without_a_decoder_the_best_of_all_spans_is_copied(seed: int, span_tokens: int) -> None:
    parts = random_parts(np.random.default_rng(seed))
    found = decode(parts, span_tokens, None, 8, None)
    every = every_span(parts, span_tokens)
    if not every:
        assert found == Decoded((), (), 0.0, 0.0)
        return
    best: dict[tuple[int, int, int], float] = {}
    for score, place, _ in every:
        best[place] = max(score, best.get(place, -math.inf))
    order = sorted(best, key=lambda place: -best[place])[:KEPT]
    assert [key(span) for span in found.spans] == order
    assert [span.score for span in found.spans] == pytest.approx([best[place] for place in order], abs=1e-4)
    assert found.actions == found.spans[:1]
    total = log_sum([score for score, _, _ in every])
    assert found.log_answer == pytest.approx(total - log_sum([total, 0.0]), abs=1e-4)
    assert found.log_actions == pytest.approx(best[order[0]] - total, abs=1e-4)


@patient
@given(SEEDS, st.integers(1, 5))
def test_of_every_place_the_best_span_that_begins_there_is_remembered(seed: int, span_tokens: int) -> None:
    """Whoever shows more than the best span looks there for the best of each sentence."""
    parts = random_parts(np.random.default_rng(seed))
    best: dict[tuple[int, int], float] = {}
    for score, (passage, start, _), _ in every_span(parts, span_tokens):
        best[passage, start] = max(score, best.get((passage, start), -math.inf))
    found: dict[tuple[int, int], float] = {}
    legal = {place for _, place, _ in every_span(parts, span_tokens)}
    for each in decode(parts, span_tokens, None, 8, None).starts:
        for start, end, score in zip(each.starts, each.ends, each.scores, strict=True):
            place = each.passage, int(start)
            assert (*place, int(end)) in legal
            found[place] = max(float(score), found.get(place, -math.inf))
    assert found == pytest.approx(best, abs=1e-4)


@patient
@given(SEEDS, st.integers(1, 5))
def test_every_candidate_is_a_legal_span_of_its_window(seed: int, span_tokens: int) -> None:
    parts = random_parts(np.random.default_rng(seed))
    for span in decode(parts, span_tokens, None, 8, None).spans:
        part = parts[span.part]
        first, last = (place - part.window.first + part.window.begin for place in (span.first, span.last))
        assert part.window.begin <= first <= last < part.window.end
        assert last - first < span_tokens
        assert part.words.opens[first]
        assert part.words.closes[last]
        assert part.words.stretches[first] == part.words.stretches[last]
        assert key(span) == (part.passage, part.words.offsets[first][0], part.words.offsets[last][1])


def test_probabilities_of_three_spans_by_hand() -> None:
    """The spans of "aa bb" are "aa", "bb" and "aa bb": e to the scores are 2, 3 and 2, beside 1 for refusing."""
    part = part_of(words_of(2), np.random.default_rng(0), start=[math.log(2), math.log(3)])
    found = decode([part], 2, None, 8, None)
    assert [(key(span), round(math.exp(span.score))) for span in found.spans] == [
        ((0, 3, 5), 3), ((0, 0, 2), 2), ((0, 0, 5), 2),
    ]  # fmt: skip
    assert math.exp(found.log_answer) == pytest.approx(7 / 8)
    assert math.exp(found.log_actions) == pytest.approx(3 / 7)


def test_probabilities_with_words_to_write_by_hand() -> None:
    """Spans make 2 + 3 + 2, the tokens 4 * 1, stopping 4, refusing 1; then stopping 6 against 7 and 5."""
    part = part_of(words_of(2), np.random.default_rng(0), start=[math.log(2), math.log(3)])
    logs = [math.log(weight) for weight in (1, 1, 1, 1)]
    step = Scripted([says(logs, math.log(4)), says([0.0, *logs], math.log(6))])
    found = decode([part], 2, step, 8, None)
    assert found.actions == found.spans[:1]
    assert math.exp(found.log_answer) == pytest.approx(15 / 16)
    assert math.exp(found.log_actions) == pytest.approx(3 / 15 * 6 / 18)


def test_what_two_windows_share_is_one_span_with_the_better_score() -> None:
    chance, words = np.random.default_rng(0), words_of(3)
    one = part_of(words, chance, begin=0, end=2, start=[1.0, 2.0], first=3)
    two = part_of(words, chance, begin=1, end=3, start=[5.0, 0.0], first=1)
    found = decode([one, two], 1, None, 8, None)
    assert [(key(span), span.score, span.part, span.first) for span in found.spans] == [
        ((0, 3, 5), 5.0, 1, 1), ((0, 0, 2), 1.0, 0, 3), ((0, 6, 8), 0.0, 1, 2),
    ]  # fmt: skip


def test_the_same_place_in_two_passages_is_two_spans() -> None:
    chance, words = np.random.default_rng(0), words_of(1)
    parts = [part_of(words, chance, passage=n, start=[float(n)]) for n in range(2)]
    assert [key(span) for span in decode(parts, 4, None, 8, None).spans] == [(1, 0, 2), (0, 0, 2)]


def test_equal_scores_are_ordered_by_place() -> None:
    parts = [part_of(words_of(3), np.random.default_rng(0), passage=n, start=[1.0] * 3) for n in (1, 0)]
    assert [key(span) for span in decode(parts, 1, None, 8, None).spans] == [
        (passage, start, start + 2) for passage in (0, 1) for start in (0, 3, 6)
    ]


def test_at_most_twenty_candidates_are_kept() -> None:
    part = part_of(words_of(40), np.random.default_rng(0), start=[float(n) for n in range(40)])
    found = decode([part], 1, None, 8, None).spans
    assert [span.score for span in found] == [float(n) for n in range(39, 19, -1)]


# Several actions


@patient
@given(SEEDS, st.integers(1, 5), st.integers(1, 4))
def test_with_a_decoder_the_likeliest_next_action_is_taken_until_stop(
    seed: int, span_tokens: int, max_actions: int
) -> None:
    chance = np.random.default_rng(seed)
    parts = random_parts(chance)

    def random(*shape: int) -> Floats:
        return chance.normal(size=shape).astype(np.float32)

    said = [(random(WIDTH), random(WIDTH), 3 * random(VOCABULARY), float(3 * random(1)[0])) for _ in range(max_actions)]
    forbidden = chance.random(VOCABULARY) < 0.3
    continuing = chance.random(VOCABULARY) < 0.3
    found = decode(parts, span_tokens, Scripted(said), max_actions, forbidden, continuing)

    expected: list[tuple[int, int, int] | int] = []
    log_answer = log_actions = 0.0
    for start, end, written, stop in said:
        every = every_span(parts, span_tokens, start, end)
        if not every:
            break
        after_word = bool(expected) and isinstance(expected[-1], int)
        choices: list[tuple[float, tuple[int, int, int] | int | None]] = [(score, place) for score, place, _ in every]
        choices += [
            (float(score), token)
            for token, score in enumerate(written)
            if not forbidden[token] and (after_word or not continuing[token])
        ]
        choices += [(stop + HESITATION, None)] if expected else []
        total = log_sum([*(score for score, _, _ in every), *map(float, written), stop])
        if not expected:
            log_answer = total - log_sum([total, 0.0])
        score, action = max(choices, key=lambda choice: choice[0])
        log_actions += (stop if action is None else score) - total
        if action is None:
            break
        if isinstance(action, tuple) and action[1:] in [each[1:] for each in expected if isinstance(each, tuple)]:
            while isinstance(expected[-1], int):
                expected.pop()
            break
        expected.append(action)
    assert [key(action) if isinstance(action, Span) else action.id for action in found.actions] == expected
    assert found.log_answer == pytest.approx(log_answer, abs=1e-4)
    assert found.log_actions == pytest.approx(log_actions, abs=1e-3)


def test_the_decoder_is_shown_what_was_done_and_all_that_was_read() -> None:
    chance = np.random.default_rng(1)
    words = words_of(3, opens=[True, False, False], closes=[False, False, True])
    parts = [part_of(words, chance, passage=n, start=[4.0 * n, -9.0, -9.0], first=2) for n in range(2)]
    first_span = [-90.0, -90.0, -90.0, 20.0, -90.0]
    step = Scripted([says(NEVER, -90.0), says(first_span, -90.0), says(NEVER, 90.0)])
    found = decode(parts, 3, step, 8, None)
    span, token = found.actions
    assert isinstance(span, Span)
    assert (span.part, span.first, span.last, token) == (1, 2, 4, Token(3))
    hidden = parts[1].read.hidden
    kinds, firsts, lasts, tokens, memory = step.asked[2]
    assert (kinds, tokens) == ([0, 1, 2], [0, 0, 3])
    assert firsts.tolist() == [[0.0] * WIDTH, hidden[2].tolist(), [0.0] * WIDTH]
    assert lasts.tolist() == [[0.0] * WIDTH, hidden[4].tolist(), [0.0] * WIDTH]
    assert memory.tolist() == [*parts[0].read.hidden.tolist(), *hidden.tolist()]
    assert [asked[0] for asked in step.asked] == [[0], [0, 1], [0, 1, 2]]


def test_an_answer_ends_after_so_many_actions() -> None:
    part = part_of(words_of(2), np.random.default_rng(0), start=[1.0, 2.0])
    step = Scripted([says([20.0, -90.0, -90.0, -90.0, -90.0], -90.0)] * 3)
    assert len(decode([part], 1, step, 3, None).actions) == 3


def test_where_one_thing_is_asked_one_span_is_the_answer() -> None:
    part = part_of(words_of(2), np.random.default_rng(0), start=[1.0, 2.0])
    written = [20.0, -90.0, -90.0, -90.0, -90.0]
    step = Scripted([says(NEVER, -90.0), says(written, -90.0), says(written, -90.0)])
    assert len(decode([part], 1, step, 3, None, several=False).actions) == 1
    assert len(step.asked) == 1
    assert len(decode([part], 1, step, 3, None, several=True).actions) == 3


def test_what_was_said_is_not_said_again() -> None:
    """The same two tokens in another passage: they and the "and" before them are left out."""
    parts = [part_of(words_of(2), np.random.default_rng(n), passage=n, start=[-9.0, 2.0]) for n in range(2)]
    step = Scripted([says(NEVER, -90.0), says([20.0, -90.0, -90.0, -90.0, -90.0], -90.0), says(NEVER, -90.0)])
    (only,) = decode(parts, 1, step, 8, None).actions
    assert isinstance(only, Span)
    assert (only.start, only.end) == (3, 5)


@pytest.mark.parametrize(("lead", "actions"), [(HESITATION - 0.1, 1), (HESITATION + 0.1, 2)])
def test_going_on_must_be_clearly_likelier_than_stopping(lead: float, actions: int) -> None:
    part = part_of(words_of(1), np.random.default_rng(0), start=[1.0])
    going_on = [lead, -90.0, -90.0, -90.0, -90.0]
    step = Scripted([says(NEVER, -90.0), says(going_on, 0.0)])
    assert len(decode([part], 1, step, 2, None).actions) == actions


def test_a_special_token_and_half_a_word_are_not_written() -> None:
    """Token 0 is special, 1 the rest of a word, 2 a word: after it the rest may follow, after a copied span not."""
    part = part_of(words_of(1), np.random.default_rng(0), start=[0.0])
    forbidden, continuing = np.arange(VOCABULARY) == 0, np.arange(VOCABULARY) == 1
    scores = [9.0, 8.0, 7.0, -9.0, -9.0]
    step = Scripted([says(scores, -9.0), says(scores, -9.0), says(NEVER, 9.0)])
    assert decode([part], 1, step, 8, forbidden, continuing).actions == (Token(2), Token(1))
    step = Scripted([says(NEVER, -9.0), says(scores, -9.0), says(scores, -9.0), says(NEVER, 9.0)])
    span, *rest = decode([part], 1, step, 8, forbidden, continuing).actions
    assert isinstance(span, Span)
    assert rest == [Token(2), Token(1)]


# Nothing to copy


@pytest.mark.parametrize("step", [None, Scripted([says([9.0] * VOCABULARY, 9.0)] * 8)], ids=["spans", "decoder"])
def test_where_nothing_was_read_nothing_is_answered(step: Step | None) -> None:
    """A decoder once wrote words about passages in which there was nothing to read."""
    chance = np.random.default_rng(0)
    empty = part_of(words_of(0), chance)
    illegal = part_of(words_of(2, [False, False]), chance, passage=1)
    for parts in ([empty], [illegal], [empty, illegal]):
        assert decode(parts, 3, step, 8, None) == Decoded((), (), 0.0, 0.0)


def test_an_empty_passage_beside_another_changes_nothing_but_what_is_remembered() -> None:
    chance = np.random.default_rng(0)
    empty, full = part_of(words_of(0), chance), part_of(words_of(2), chance, passage=1, start=[0.0, 1.0])
    both, alone = decode([empty, full], 2, None, 8, None), decode([full], 2, None, 8, None)
    assert [key(span) for span in both.spans] == [key(span) for span in alone.spans]
    assert (both.log_answer, both.log_actions) == pytest.approx((alone.log_answer, alone.log_actions))


@patient
@given(SEEDS)
def test_very_large_and_very_small_scores_stay_numbers(seed: int) -> None:
    chance = np.random.default_rng(seed)
    parts = [part_of(words_of(4), chance, passage=n, scale=60.0) for n in range(2)]
    found = decode(parts, 3, None, 8, None)
    assert math.isfinite(found.log_answer)
    assert found.log_answer <= 0.0
    assert -1e5 < found.log_actions <= 1e-6


# Yes and no


def test_what_each_word_says_stands_at_its_characters() -> None:
    chance = np.random.default_rng(1)
    words = words_of(5, [True] * 5, [True] * 5, [0] * 5)
    parts = [part_of(words, chance, begin=0, end=3), part_of(words, chance, passage=1, begin=2, end=5, first=4)]
    said = [chance.normal(size=(len(part.window.ids), 2)).astype(np.float32) for part in parts]
    parts = [replace(part, read=replace(part.read, polarity=own)) for part, own in zip(parts, said, strict=True)]
    one, other = decode(parts, 6, None, 1, None).verdicts
    assert (one.passage, other.passage) == (0, 1)
    assert np.array_equal(one.starts, words.offsets[:3, 0])
    assert np.array_equal(other.ends, words.offsets[2:, 1])
    assert np.array_equal(one.scores, said[0][3:6])
    assert np.array_equal(other.scores, said[1][4:7])


def test_a_network_that_does_not_say_has_no_verdicts() -> None:
    words = words_of(5, [True] * 5, [True] * 5, [0] * 5)
    assert decode([part_of(words, np.random.default_rng(1))], 6, None, 1, None).verdicts == ()
