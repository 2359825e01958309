"""The loss against the slow obvious way: one window at a time, one span at a time, one step at a time; and decoding."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from finetune.copying.examples import (
    COPY,
    NEITHER,
    NO,
    REFUSE,
    STOP,
    WRITE,
    YES,
    Copy,
    Encoded,
    Encoder,
    Example,
    Write,
    collate,
)
from finetune.copying.loss import loss, scored
from rag.copying.decoding import Span, decode
from rag.copying.layout import Tokens
from rag.copying.model import CopyingModel
from tests.small_generator import TorchStep, parts_of, read_window, small_config, small_model, small_tokens

QUESTION = "the cat?"
CAT, MAT, LONG = "the cat sat on a mat 75,000.", "a mat", "pump gate " * 9 + "cat"


def at(text: str, part: str, passage: int = 0, turn: int = 0) -> tuple[int, int, int]:
    start = -1
    for _ in range(turn + 1):
        start = text.index(part, start + 1)
    return passage, start, start + len(part)


ONE = {
    "a span": Example(QUESTION, (("", CAT),), (Copy((at(CAT, "cat"),)),)),
    "several right spans": Example(QUESTION, (("a", CAT),), (Copy((at(CAT, "cat sat"), at(CAT, "75,000"))),)),
    "refused": Example(QUESTION, (("", MAT),), ()),
    "written": Example(QUESTION, (("", MAT),), (Write("no gate"),)),
    "two parts": Example(
        QUESTION, (("mat", CAT),), (Copy((at(CAT, "cat"), at(CAT, "the cat"))), Write("a"), Copy((at(CAT, "mat"),)))
    ),
    "a long part and another": Example(
        QUESTION,
        (("", CAT),),
        (Copy((at(CAT, "cat sat on a"),)), Write("a"), Copy((at(CAT, "on a mat"),)), Write("gate")),
    ),
    "long": Example(QUESTION, (("", LONG),), (Copy((at(LONG, "pump", turn=3), at(LONG, "cat"))),)),
    "nothing to read": Example(QUESTION, (("", " "),), ()),
}
TWO = {
    "competing": Example(QUESTION, (("", MAT), ("", CAT)), (Copy((at(CAT, "mat", 1), at(MAT, "mat"))),)),
    "both refused": Example(QUESTION, (("cat", LONG), ("", MAT)), ()),
    "two parts of two": Example(
        QUESTION, (("", CAT), ("", MAT)), (Copy((at(CAT, "sat"),)), Write("a"), Copy((at(MAT, "mat", 1),)))
    ),
    "one is empty": Example(QUESTION, (("", ""), ("", MAT)), (Copy((at(MAT, "a mat", 1),)),)),
}
ALL = {**ONE, **TWO}
SPANS_ONLY = [name for name, each in ALL.items() if [type(action) for action in each.actions] in ([], [Copy])]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return small_tokens(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def model(tokens: Tokens) -> CopyingModel:
    return small_model(small_config(len(tokens.never_written())))


@pytest.fixture(scope="module")
def spans_only(tokens: Tokens) -> CopyingModel:
    return small_model(small_config(len(tokens.never_written()), writes=False))


def encoded(tokens: Tokens, example: Example) -> Encoded:
    found = Encoder(tokens, span_tokens=6, max_actions=4).encode(example, random.Random(0))
    assert found is not None
    return found


Step = tuple[int, tuple[tuple[int, int, int], ...], int]
Action = tuple[str, int, int, int] | tuple[str, int] | tuple[str]


def slow(model: CopyingModel, example: Encoded) -> list[dict[Action, float]]:
    """Return, for each step, the score of every possible action; the right ones before it taken."""
    reads = [read_window(model, window) for window in example.windows]
    memory = np.concatenate([read.hidden for read in reads])
    step = TorchStep(model) if model.config.writes else None
    nowhere = np.zeros(memory.shape[1], dtype=np.float32)
    kinds, firsts, lasts, tokens = [0], [nowhere], [nowhere], [0]
    steps: list[dict[Action, float]] = []
    for kind, gold, token in example.steps:
        scores: dict[Action, float] = {}
        plain: dict[tuple[int, int, int], float] = {}
        start = end = nowhere
        if step is not None:
            start, end, vocabulary, stop = step(kinds, np.stack(firsts), np.stack(lasts), tokens, memory)
            scores.update({("write", number): float(score) for number, score in enumerate(vocabulary)})
            scores[("stop",)] = stop
        for passage, (window, words, read) in enumerate(zip(example.windows, example.words, reads, strict=True)):
            for i in range(window.begin, window.end):
                for j in range(i, min(window.end, i + model.config.span_tokens)):
                    if words.opens[i] and words.closes[j]:
                        a, b = window.first + i - window.begin, window.first + j - window.begin
                        score = float(read.start[a] + read.end[b] + read.first[a] @ read.last[b])
                        plain[passage, a, b] = score
                        moved = score + float(read.hidden[a] @ start + read.hidden[b] @ end)
                        scores[("copy", passage, a, b)] = moved
        if not steps:
            scores[("refuse",)] = 0.0
        steps.append(scores)
        taken = max(gold, key=lambda place: plain[place]) if gold else None
        kinds.append(1 if kind == COPY else 2)
        firsts.append(reads[taken[0]].hidden[taken[1]] if taken else nowhere)
        lasts.append(reads[taken[0]].hidden[taken[2]] if taken else nowhere)
        tokens.append(token)
    return steps


def right_ones(step: Step) -> list[Action]:
    kind, gold, token = step
    named: dict[int, list[Action]] = {
        COPY: [("copy", *place) for place in gold],
        WRITE: [("write", token)],
        STOP: [("stop",)],
        REFUSE: [("refuse",)],
    }
    return named[kind]


def probability(scores: dict[Action, float], actions: Sequence[Action]) -> float:
    return sum(math.exp(scores[each]) for each in actions) / sum(math.exp(score) for score in scores.values())


def slow_loss(model: CopyingModel, example: Encoded) -> float:
    """Return the negative log-probability of all right actions, computed with nothing but loops."""
    total = 0.0
    for step, scores in zip(example.steps, slow(model, example), strict=True):
        if step[0] == STOP and not model.config.writes:
            continue  # an answer is one span: there is nothing to decide after it
        total -= math.log(probability(scores, right_ones(step)))
    return total


def probabilities(model: CopyingModel, examples: Sequence[Encoded]) -> Tensor:
    """Return the probability that the loss gives to the right actions of each step, (g, s)."""
    with torch.no_grad():
        steps = scored(model, collate(examples, pad_id=7))
    return (steps.right - steps.total).exp()


# Values


@pytest.mark.parametrize("name", ALL)
def test_the_loss_is_what_adding_up_every_action_gives(name: str, model: CopyingModel, tokens: Tokens) -> None:
    example = encoded(tokens, ALL[name])
    assert loss(model, collate([example], 0)).item() == pytest.approx(slow_loss(model, example), abs=1e-4)


@pytest.mark.parametrize("name", SPANS_ONLY)
def test_without_a_decoder_an_answer_is_one_span_and_costs_nothing_more(
    name: str, spans_only: CopyingModel, tokens: Tokens
) -> None:
    example = encoded(tokens, ALL[name])
    assert loss(spans_only, collate([example], 0)).item() == pytest.approx(slow_loss(spans_only, example), abs=1e-4)


@pytest.mark.parametrize("name", ["two parts", "written", "a long part and another", "two parts of two"])
def test_without_a_decoder_several_actions_are_refused(name: str, spans_only: CopyingModel, tokens: Tokens) -> None:
    with pytest.raises(ValueError, match="can only copy one span"):
        loss(spans_only, collate([encoded(tokens, ALL[name])], 0))


@pytest.mark.parametrize("group", [ONE, TWO], ids=["one passage", "two passages"])
def test_padding_and_neighbours_change_nothing(group: dict[str, Example], model: CopyingModel, tokens: Tokens) -> None:
    """Beside longer windows, more steps and more right spans, each step of each example is what it is alone."""
    examples = [encoded(tokens, example) for example in group.values()]
    together = probabilities(model, examples)
    assert len({example.length for example in examples}) > 2
    for row, example in zip(together, examples, strict=True):
        alone = [
            probability(scores, right_ones(step))
            for step, scores in zip(example.steps, slow(model, example), strict=True)
        ]
        assert row[: len(alone)].tolist() == pytest.approx(alone, abs=1e-5)
    expected = sum(slow_loss(model, example) for example in examples) / len(examples)
    assert loss(model, collate(examples, 7)).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("group", [ONE, TWO], ids=["one passage", "two passages"])
def test_the_order_within_a_batch_changes_nothing(
    group: dict[str, Example], model: CopyingModel, tokens: Tokens
) -> None:
    examples = [encoded(tokens, example) for example in group.values()]
    there, back = (loss(model, collate(each, 0)).item() for each in (examples, examples[::-1]))
    assert there == pytest.approx(back, abs=1e-4)


def test_the_passages_of_an_example_compete_in_whatever_order(model: CopyingModel, tokens: Tokens) -> None:
    """With one step there is nothing that remembers an order."""
    one = Example(QUESTION, (("", MAT), ("a", CAT)), (Copy((at(CAT, "sat", 1),)),))
    other = Example(QUESTION, (("a", CAT), ("", MAT)), (Copy((at(CAT, "sat", 0),)),))
    first, second = (float(probabilities(model, [encoded(tokens, each)])[0, 0]) for each in (one, other))
    assert first == pytest.approx(second, rel=1e-4)
    alone = Example(QUESTION, (("a", CAT),), (Copy((at(CAT, "sat", 0),)),))
    assert first != pytest.approx(float(probabilities(model, [encoded(tokens, alone)])[0, 0]), rel=1e-3)


def test_refusing_scores_nothing(spans_only: CopyingModel, tokens: Tokens) -> None:
    steps = scored(spans_only, collate([encoded(tokens, ONE["refused"])], 0))
    assert steps.right[0, 0].item() == 0.0
    spans = steps.spans[0, 0].flatten()
    legal = spans[spans > -1000]
    assert len(legal) == 3  # "a", "mat", "a mat"
    assert steps.total[0, 0].item() == pytest.approx(math.log(1 + legal.exp().sum().item()), abs=1e-5)


# A distribution


@pytest.mark.parametrize("before", [(), ((COPY, ((0, 6, 6),), 0),), ((WRITE, (), 9),)], ids=["first", "copy", "write"])
def test_the_probabilities_of_all_actions_add_up_to_one(
    before: tuple[Step, ...], model: CopyingModel, tokens: Tokens
) -> None:
    example = encoded(tokens, Example(QUESTION, (("", "a mat"), ("", "gate")), ()))
    head = example.windows[0].first
    spans = [(0, head, head), (0, head, head + 1), (0, head + 1, head + 1), (1, head, head)]
    actions: list[Step] = [(COPY, (span,), 0) for span in spans]
    actions += [(WRITE, (), token) for token in range(len(tokens.never_written()))]
    actions += [(STOP, (), 0)] if before else [(STOP, (), 0), (REFUSE, (), 0)]
    each = [replace(example, steps=(*before, action)) for action in actions]
    total = probabilities(model, each)[:, len(before)].sum().item()
    assert total == pytest.approx(1.0, abs=1e-4)


def test_several_right_spans_add_their_probabilities(model: CopyingModel, tokens: Tokens) -> None:
    def chance(*parts: str) -> float:
        example = Example(QUESTION, (("", CAT),), (Copy(tuple(at(CAT, part) for part in parts)),))
        return float(probabilities(model, [encoded(tokens, example)])[0, 0])

    assert chance("cat", "75,000") == pytest.approx(chance("cat") + chance("75,000"), rel=1e-4)
    assert chance("75", "000") == pytest.approx(chance("75,000"), rel=1e-4)


# Learning


def test_every_part_of_the_network_learns(model: CopyingModel, tokens: Tokens) -> None:
    model.zero_grad()
    (loss(model, collate([encoded(tokens, each) for each in ONE.values()], 0))).backward()  # type: ignore[no-untyped-call]
    still = [name for name, each in model.named_parameters() if each.grad is None or not each.grad.abs().sum() > 0]
    model.zero_grad()
    assert still == []


def test_a_few_steps_make_the_right_answer_likelier(tokens: Tokens) -> None:
    model = small_model(small_config(len(tokens.never_written())), deviation=0.1)
    batch = collate([encoded(tokens, ONE["two parts"]), encoded(tokens, ONE["refused"])], 0)
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(25):
        adam.zero_grad()
        value = loss(model, batch)
        value.backward()  # type: ignore[no-untyped-call]
        adam.step()
        losses.append(value.item())
    assert losses[-1] < 0.4 * losses[0]


def test_half_precision_gives_about_the_same_loss(tokens: Tokens) -> None:
    config = small_config(len(tokens.never_written()))
    batch = collate([encoded(tokens, each) for each in TWO.values()], 0)
    whole, half = small_model(config, deviation=0.1), small_model(config, deviation=0.1).bfloat16()
    assert loss(half, batch).item() == pytest.approx(loss(whole, batch).item(), rel=0.05)


# Decoding


@pytest.mark.parametrize(("seed", "kinds"), [(0, "wwww"), (1, "ww."), (5, "c."), (7, "w.")])
def test_decoding_gives_its_actions_the_probability_that_the_loss_gives_them(
    seed: int, kinds: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`kinds` says what these weights do: copy, write, stop."""
    monkeypatch.setattr("rag.copying.decoding.HESITATION", 0.0)  # weights drawn by chance seldom go on by themselves
    model = small_model(small_config(len(tokens.never_written())), seed=seed)
    with torch.no_grad():
        model.decoder.rarely.fill_(-2.0)
        model.decoder.stop.bias.fill_(1.0)
    passages = (("mat", CAT), ("", MAT))
    parts = parts_of(model, tokens, QUESTION, passages)
    assert len(parts) == 2
    found = decode(parts, 6, TorchStep(model), 4, None)
    steps: list[Step] = [
        (COPY, ((action.passage, action.first, action.last),), 0)
        if isinstance(action, Span)
        else (WRITE, (), action.id)
        for action in found.actions
    ]
    if len(steps) < 4:
        steps.append((STOP, (), 0))
    assert "".join({COPY: "c", WRITE: "w", STOP: "."}[step[0]] for step in steps) == kinds
    example = Encoded(tuple(part.window for part in parts), tuple(part.words for part in parts), tuple(steps))
    chances = probabilities(model, [example])[0]
    assert found.log_answer + found.log_actions == pytest.approx(float(chances.log().sum()), abs=1e-3)
    refused = probabilities(model, [replace(example, steps=((REFUSE, (), 0),))])[0, 0]
    assert 1 - math.exp(found.log_answer) == pytest.approx(float(refused), abs=1e-4)
    best = scored(model, collate([example], 0)).spans[0, 0].max().item()
    assert found.spans[0].score == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_decoding_without_a_decoder_agrees_with_the_loss_too(seed: int, tokens: Tokens) -> None:
    model = small_model(small_config(len(tokens.never_written()), writes=False), seed=seed)
    parts = parts_of(model, tokens, QUESTION, (("", CAT), ("", MAT)))
    found = decode(parts, 6, None, 4, None)
    (span,) = found.actions
    assert isinstance(span, Span)
    steps = ((COPY, ((span.passage, span.first, span.last),), 0), (STOP, (), 0))
    example = Encoded(tuple(part.window for part in parts), tuple(part.words for part in parts), steps)
    assert found.log_answer + found.log_actions == pytest.approx(-loss(model, collate([example], 0)).item(), abs=1e-4)


# Yes, no and neither


@pytest.fixture(scope="module")
def judging(tokens: Tokens) -> CopyingModel:
    return small_model(small_config(len(tokens.never_written()), polarity=True))


def slow_verdict(model: CopyingModel, example: Encoded) -> float:
    """Return the negative log-probability of the verdict, token by token."""
    odds = [1.0, 0.0, 0.0]
    for window in example.windows:
        read = read_window(model, window)
        assert read.polarity is not None
        for token in range(window.begin, window.end):
            yes, no = read.polarity[window.first + token - window.begin]
            odds[YES] += math.exp(yes)
            odds[NO] += math.exp(no)
    return -math.log(odds[example.verdict] / sum(odds))


@pytest.mark.parametrize("verdict", [YES, NO])
@pytest.mark.parametrize("texts", [(CAT,), (CAT, MAT)])
def test_a_verdict_costs_what_its_words_say_and_no_span_is_learnt(
    verdict: int, texts: Sequence[str], judging: CopyingModel, tokens: Tokens
) -> None:
    example = encoded(tokens, Example(QUESTION, tuple(("", text) for text in texts), (), verdict))
    assert loss(judging, collate([example], 0)).item() == pytest.approx(slow_verdict(judging, example), abs=1e-4)


def test_where_the_text_says_neither_it_is_refused_too(judging: CopyingModel, tokens: Tokens) -> None:
    example = encoded(tokens, Example(QUESTION, (("", CAT),), (), NEITHER))
    expected = slow_verdict(judging, example) + slow_loss(judging, example)
    assert loss(judging, collate([example], 0)).item() == pytest.approx(expected, abs=1e-4)


def test_a_question_that_does_not_ask_whether_costs_no_verdict(judging: CopyingModel, tokens: Tokens) -> None:
    example, other = encoded(tokens, ALL["a span"]), encoded(tokens, Example(QUESTION, (("", CAT),), (), YES))
    both = loss(judging, collate([example, other], 0)).item()
    assert both == pytest.approx((slow_loss(judging, example) + slow_verdict(judging, other)) / 2, abs=1e-4)
