"""Windows over a text: each token is predicted once, and with all that stands before it as long as that fits."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import GeneratorError, UsageError
from rag.evaluation.texts import Text, TextRow
from rag.evaluation.windows import LanguageModelReader, Window, windows
from tests.parrot import END, START, SURELY, write_parrot
from tests.small_encoder import write_json

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # transformers' and torch's own, at import
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

PIECES = ("ONE", "TWO", "TEN")
VOCABULARY = 264
"""256 bytes, four special tokens and three pieces, rounded up to a multiple of eight."""
SAID = SURELY / math.sqrt(1 + 1e-6 * VOCABULARY)
"""The logit of what the parrot says, a little less than what it was made for: its norm adds 1e-6 to the mean square."""
UNTOLD = math.log(VOCABULARY)
"""What a token costs of which the parrot says nothing: all are equally likely."""
TOLD = math.log(math.exp(SAID) + VOCABULARY - 1) - SAID
"""What the one costs that it says."""
SURPRISING = TOLD + SAID
"""What another one costs in its place."""


@pytest.fixture(scope="module")
def parrot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says, after ":", ONE TWO TEN and its end, and of all other tokens does not know what follows."""
    return write_parrot(tmp_path_factory.mktemp("parrot"), PIECES, chat=False, reads=16)


# Windows


def test_what_fits_is_read_at_once() -> None:
    assert list(windows(5, 8, 4)) == [Window(0, 5, 1)]
    assert list(windows(8, 8, 4)) == [Window(0, 8, 1)]


def test_what_is_longer_is_read_in_windows_that_overlap() -> None:
    # Tokens 0 to 10; the second window scores 6, 7 from 3 to 5 on, the third 8, 9, 10 of which all were in none before.
    assert list(windows(11, 6, 3)) == [Window(0, 6, 1), Window(3, 9, 6), Window(6, 11, 9)]


def test_nothing_is_predicted_of_one_token_or_none() -> None:
    assert list(windows(0, 4, 2)) == list(windows(1, 4, 2)) == []


@given(st.integers(0, 60), st.integers(2, 12), st.data())
def test_each_token_but_the_first_is_predicted_once(length: int, window: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, window - 1))
    found = list(windows(length, window, stride))
    assert [token for each in found for token in range(each.predicted, each.end)] == list(range(1, length))
    for each in found:
        assert each.start < each.predicted < each.end <= each.start + window
        assert each.start == 0 or each.predicted - each.start >= window - stride  # what it is at least predicted from


# Reading, with values worked by hand


def test_each_token_costs_what_the_model_thinks_of_it(parrot: Path) -> None:
    # Before the text stands the end token, after which anything may come: ":" costs as much as any other.
    row = LanguageModelReader(str(parrot)).read(Text("t", ":ONETWOTEN"))
    assert row == TextRow("t", row.nats, tokens=4, bytes=10)
    assert row.nats == pytest.approx(UNTOLD + 3 * TOLD, rel=1e-5)


def test_what_the_model_did_not_expect_costs_more(parrot: Path) -> None:
    row = LanguageModelReader(str(parrot)).read(Text("t", ":TWO"))
    assert row.nats == pytest.approx(UNTOLD + SURPRISING, rel=1e-5)


def test_bytes_are_counted_and_not_characters(parrot: Path) -> None:
    row = LanguageModelReader(str(parrot)).read(Text("t", "é€"))
    assert (row.tokens, row.bytes) == (5, 5)
    assert row.nats == pytest.approx(5 * UNTOLD, rel=1e-5)


@pytest.mark.parametrize(("window", "stride"), [(2, 1), (3, 1), (5, 2), (5, 4), (16, 8)])
def test_windows_do_not_change_what_depends_on_the_token_before_alone(parrot: Path, window: int, stride: int) -> None:
    text = ":ONETWOTEN:ONETWOTEN:ONETEN"  # 11 tokens: each ":" costs UNTOLD or SURPRISING, after the end or after TEN
    row = LanguageModelReader(str(parrot), window, stride).read(Text("t", text))
    # After TEN the parrot expects its end: the second and the third ":" surprise it, and TEN after ONE.
    assert row.nats == pytest.approx(UNTOLD + 7 * TOLD + 3 * SURPRISING, rel=1e-5)
    assert (row.tokens, row.bytes) == (11, 27)


def test_windows_say_what_reading_token_by_token_says(tmp_path: Path) -> None:
    """The slow and obvious way: for each token, the text before it that its window holds, and one prediction."""
    import torch

    folder = random_model(tmp_path)
    reader = LanguageModelReader(str(folder), 7, 3)
    text = "pump and gate and pump"
    ids = [reader._tokenizer.eos_token_id, *reader._tokenizer(text, add_special_tokens=False).input_ids]
    slow = 0.0
    for place in range(1, len(ids)):
        start = 0 if place < 7 else (place - 7) // 3 * 3 + 3  # the first window to hold it
        with torch.inference_mode():
            logits = reader._model(input_ids=torch.tensor([ids[start:place]])).logits[0, -1]
        slow -= float(logits.log_softmax(-1)[ids[place]])
    assert reader.read(Text("t", text)).nats == pytest.approx(slow, rel=1e-5)


def test_what_looks_like_a_special_token_is_text(parrot: Path) -> None:
    row = LanguageModelReader(str(parrot)).read(Text("t", f"a{START}{END}"))
    assert row.tokens == row.bytes == 1 + len(START) + len(END)


def test_a_text_is_read_twice_with_the_same_digits(parrot: Path) -> None:
    reader = LanguageModelReader(str(parrot))
    assert reader.read(Text("t", "some text")) == reader.read(Text("t", "some text"))


def test_without_a_mark_at_the_beginning_the_first_token_is_not_scored(tmp_path: Path) -> None:
    write_parrot(tmp_path, PIECES, chat=False)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64}
    write_json(tmp_path / "tokenizer_config.json", settings)
    reader = LanguageModelReader(str(tmp_path))
    row = reader.read(Text("t", "éONE"))  # two bytes, one token each, and a piece
    assert row.tokens == 2
    assert row.nats == pytest.approx(2 * UNTOLD, rel=1e-5)
    told = reader.read(Text("t", ":ONETWO"))
    assert (told.tokens, told.bytes) == (2, 6)
    assert told.nats == pytest.approx(2 * TOLD, rel=1e-5)
    assert reader.read(Text("t", "a")) == TextRow("t", 0.0, tokens=0, bytes=0)


# Sizes


def test_a_window_is_what_the_model_reads_and_half_of_it_is_new(parrot: Path) -> None:
    reader = LanguageModelReader(str(parrot))
    assert (reader.window, reader.stride) == (16, 8)
    assert (LanguageModelReader(str(parrot), 5).stride, LanguageModelReader(str(parrot), 2).stride) == (2, 1)


def test_a_window_is_not_all_that_a_long_reader_reads(tmp_path: Path) -> None:
    assert LanguageModelReader(str(write_parrot(tmp_path, PIECES, reads=4096))).window == 1024


@pytest.mark.parametrize("window", [1, 17])
def test_a_window_that_the_model_cannot_read_is_refused(parrot: Path, window: int) -> None:
    with pytest.raises(UsageError, match=f"A window of {window} tokens cannot be read") as caught:
        LanguageModelReader(str(parrot), window)
    assert caught.value.hint == "Give from 2 to 16 tokens."


@pytest.mark.parametrize("stride", [4, 5, -1])
def test_a_stride_that_leaves_a_token_alone_is_refused(parrot: Path, stride: int) -> None:
    with pytest.raises(UsageError, match=rf"Windows of 4 tokens, {stride} apart") as caught:
        LanguageModelReader(str(parrot), 4, stride)
    assert caught.value.hint == "Give a stride from 1 to 3."


# Models that will not do


def test_a_model_that_is_not_there_is_told() -> None:
    with pytest.raises(GeneratorError, match="There is no generator 'nobody/nothing' on this machine"):
        LanguageModelReader("nobody/nothing")


def test_a_sequence_to_sequence_model_has_no_perplexity(tmp_path: Path) -> None:
    folder = write_parrot(tmp_path, PIECES, "t5", chat=False)
    with pytest.raises(GeneratorError, match="is a sequence-to-sequence model"):
        LanguageModelReader(str(folder))


def test_probabilities_that_are_not_finite_are_told(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = write_parrot(tmp_path, PIECES, chat=False)
    weights: dict[str, Any] = load_file(folder / "model.safetensors")
    weights["lm_head.weight"][:] = math.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(GeneratorError, match="gives no finite probabilities for t"):
        LanguageModelReader(str(folder)).read(Text("t", "abc"))


def random_model(folder: Path) -> Path:
    """Write a small model with random weights, whose predictions depend on all that stands before."""
    import torch
    import transformers

    write_parrot(folder, PIECES, chat=False)
    torch.manual_seed(3)
    config = transformers.GPT2Config(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=32)
    config.bos_token_id = config.eos_token_id = None
    model: Any = transformers.GPT2LMHeadModel(config)
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.5)
    model.save_pretrained(folder)
    return folder
