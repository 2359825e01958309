"""The dial of language models, and the schedule they learn by."""

import math

import pytest

from finetune.language.architecture import OBJECTIVES, checkpoint_bytes, sizes, training_memory
from finetune.language.pretraining import Options, keeping_of
from finetune.schedule import Schedule
from indexer.errors import UsageError


def test_one_dial_sets_all_sizes() -> None:
    six = sizes("llama", 6)
    assert (six.width, six.heads, six.feed_forward) == (384, 6, 1024)  # 8 / 3 * 384
    assert six.lr == 3.2e-3
    assert six.batch_tokens == 4096  # the power of two below 6 * 1024
    assert sizes("gpt", 6).feed_forward == 4 * 384


def test_a_deeper_model_learns_more_slowly_from_larger_batches() -> None:
    small, large = sizes("gpt", 3), sizes("gpt", 12)
    assert large.lr == pytest.approx(small.lr / 2)  # four times as wide
    assert large.batch_tokens == 2 * small.batch_tokens


@pytest.mark.parametrize("arch", OBJECTIVES)
def test_heads_share_the_width(arch: str) -> None:
    for depth in (2, 5, 12):
        assert sizes(arch, depth).width % sizes(arch, depth).heads == 0


def test_what_is_no_architecture_or_no_depth() -> None:
    with pytest.raises(UsageError, match="no architecture 'rnn'"):
        sizes("rnn", 3)
    with pytest.raises(UsageError, match="A t5 of depth 1 is not made"):
        sizes("t5", 1)


def test_memory_and_disk_grow_with_parameters() -> None:
    """A parameter takes 20 bytes to train in bf16; 1,000 tokens of width 10 in 2 layers take 34 each, and logits."""
    assert training_memory(100, 10, 2, 50, 1000, bf16=True) == 100 * 20 + 1000 * (34 * 10 * 2 + 50 * 10)
    assert checkpoint_bytes(1000) == 36_000


def test_a_cosine_rises_and_falls_to_nothing() -> None:
    schedule = Schedule(warmup=10, shape="cosine")
    assert schedule.factor(4, 110) == 0.5
    assert schedule.factor(10, 110) == 1.0
    assert schedule.factor(35, 110) == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))
    assert schedule.factor(60, 110) == pytest.approx(0.5)
    assert schedule.factor(110, 110) == pytest.approx(0.0)


def test_a_short_run_is_not_measured_for_longer_than_it_learns() -> None:
    """Measuring 32,768 tokens takes as long as learning from a third of them: a tenth of 27 steps of 4,096."""
    options = Options(validation_tokens=32_768)
    assert keeping_of(options, 2700, 4096).validate_every == 135
    assert keeping_of(options, 60, 4096).validate_every == 27
    assert keeping_of(options, 5, 4096).validate_every == 5
