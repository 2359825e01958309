"""Prompts in the tokens of a model: how much is read and written, and how an answer is to begin and end."""

from pathlib import Path
from typing import Any

import pytest

from rag.writing.prompt_tokens import MAX_NEW_TOKENS, PromptTokens
from tests.answers import passage
from tests.parrot import END, write_parrot

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # transformers' and torch's own, at import
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def tokenizer_of(folder: Path, *, chat: bool) -> Any:
    from transformers import AutoTokenizer

    opened: Any = AutoTokenizer
    return opened.from_pretrained(write_parrot(folder, ["x"], chat=chat))


def test_a_model_that_reads_little_writes_a_quarter_of_it(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(tmp_path, chat=False)
    assert PromptTokens(tokenizer, "m", causal=True, reads=512).writes == 128
    assert PromptTokens(tokenizer, "m", causal=True, reads=4096).writes == MAX_NEW_TOKENS
    assert PromptTokens(tokenizer, "m", causal=True, reads=None).writes == MAX_NEW_TOKENS
    assert PromptTokens(tokenizer, "m", causal=False, reads=512).writes == MAX_NEW_TOKENS


@pytest.mark.parametrize(
    ("chat", "causal", "expected"), [(False, True, " 1921"), (True, True, "1921"), (False, False, "1921")]
)
def test_an_answer_begins_as_the_prompt_ends(chat: bool, causal: bool, expected: str, tmp_path: Path) -> None:
    """After "Answer:" there is a space; after a template's mark none; an encoder's prompt is not gone on with."""
    tokenizer = tokenizer_of(tmp_path, chat=chat)
    tokens = PromptTokens(tokenizer, "m", causal=causal, reads=4096)
    ids = tokens.answer_ids("1921")
    assert tokenizer.decode(ids[:-1]) == expected
    assert ids[-1] == tokenizer.convert_tokens_to_ids(END)


def test_what_looks_like_a_special_token_in_an_answer_is_text(tmp_path: Path) -> None:
    tokens = PromptTokens(tokenizer_of(tmp_path, chat=True), "m", causal=True, reads=4096)
    ids = tokens.answer_ids(f"a {END} b")
    assert ids.count(ids[-1]) == 1


def test_vectors_before_the_prompt_take_their_room(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(tmp_path, chat=False)
    long = [passage("The archive was opened in 1921. " * 400)]
    whole, less = (PromptTokens(tokenizer, "m", causal=True, reads=2000, before=before) for before in (0, 100))
    lengths = [len(each.ids(each.prompt("When?", long))) for each in (whole, less)]
    assert 90 <= lengths[0] - lengths[1] <= 110
