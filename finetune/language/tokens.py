"""Tokenizers of language models, opened or learnt, with the special tokens an objective needs; texts into tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from finetune.language.architecture import Objective
from finetune.language.windows import Stream
from indexer.errors import UsageError
from indexer.model_files import keep_offline, refuse_settings_with_code
from indexer.types import Progress, silent

SENTINELS = 100
"""Spans of a text that can be taken out; T5's own number."""
SPECIAL: Mapping[Objective, Mapping[str, str]] = {
    "next": {"pad_token": "<|pad|>", "eos_token": "<|end|>"},
    "masked": {
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
    },
    "spans": {"pad_token": "<pad>", "eos_token": "</s>"},
}  # fmt: skip
"""The special tokens of each objective, by the name that transformers gives them."""
_KINDS: Mapping[Objective, Literal["bpe", "wordpiece", "unigram"]] = {
    "next": "bpe", "masked": "wordpiece", "spans": "unigram",
}  # fmt: skip
_AT_ONCE = 1_000_000
"""Characters that are tokenized together."""


def learn_tokenizer(texts: Sequence[str], objective: Objective, size: int, progress: Progress = silent) -> Any:
    """Return a tokenizer of `size` tokens learnt from texts, of the kind that its objective is used with.

    Byte-level BPE for the next word, WordPiece without capitals for masked words, Unigram for spans, whose sentinels
    come on top. The same texts give the same tokenizer.
    """
    from finetune.data.vocabularies import Options, trained

    progress("learning a tokenizer", 0, 0)
    return _wrapped(trained(texts, Options(_KINDS[objective], size, cased=objective != "masked")), objective)


def open_tokenizer(path: Path, objective: Objective) -> Any:
    """Return the tokenizer of a folder, or of a tokenizer.json; special tokens that it lacks are added.

    Raises UsageError when there is none, or it does not read.
    """
    keep_offline()
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise UsageError(f"There is no tokenizer in {path}.", "Run: footnote train tokenizer TEXT... --out FOLDER")
    from tokenizers import Tokenizer

    try:
        if (file.parent / "tokenizer_config.json").is_file():
            refuse_settings_with_code(file.parent)
            from transformers import AutoTokenizer

            opened: Any = AutoTokenizer
            return with_special(opened.from_pretrained(file.parent, local_files_only=True), objective)
        return _wrapped(Tokenizer.from_file(str(file)), objective)
    except UsageError:
        raise
    except Exception as error:  # tokenizers raises bare Exception
        raise UsageError(f"The tokenizer {file} does not read: {error}.", "Make it again, or take another.") from error


def with_special(tokenizer: Any, objective: Objective) -> Any:
    """Return the tokenizer with the special tokens of an objective, those that it has by their own names."""
    lacking = {name: token for name, token in SPECIAL[objective].items() if getattr(tokenizer, name) is None}
    if lacking:
        tokenizer.add_special_tokens(lacking)
    missing = [
        token for token in _sentinels(objective) if tokenizer.convert_tokens_to_ids(token) in (None, _unk(tokenizer))
    ]
    if missing:
        tokenizer.add_tokens(missing, special_tokens=True)
    return tokenizer


def sentinels(tokenizer: Any) -> list[int]:
    """Return the ids that stand for spans taken out, in order."""
    return [int(each) for each in tokenizer.convert_tokens_to_ids(_sentinels("spans"))]


def end_of(tokenizer: Any) -> int:
    """Return the id that ends a text."""
    return int(tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id)


def encoded(texts: Sequence[str], tokenizer: Any, progress: Progress = silent) -> Stream:
    """Return the tokens of texts, one after the other, an end token behind each.

    What looks like a special token in a text is read as text. Deterministic; takes 4 bytes a token and about 100 more
    for the texts that are being read.
    """
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()  # an encoder's tokenizer.json cuts texts to what it embeds, and fills up short ones
    backend.no_padding()
    before = backend.encode_special_tokens
    backend.encode_special_tokens = True
    end, parts = np.array([end_of(tokenizer)], dtype=np.int32), []
    try:
        for first, last in _portions(texts):
            progress("turning text into tokens", first, len(texts))
            for found in backend.encode_batch_fast(list(texts[first:last]), add_special_tokens=False):
                parts += [np.array(found.ids, dtype=np.int32), end]
    finally:
        backend.encode_special_tokens = before
    progress("turning text into tokens", len(texts), len(texts))
    return np.concatenate(parts) if parts else end[:0]


def _portions(texts: Sequence[str]) -> list[tuple[int, int]]:
    found, first, held = [], 0, 0
    for place, text in enumerate(texts, start=1):
        held += len(text)
        if held >= _AT_ONCE or place == len(texts):
            found.append((first, place))
            first, held = place, 0
    return found


def _wrapped(tokenizer: Any, objective: Objective) -> Any:
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    wrapper: Any = PreTrainedTokenizerFast
    known = {name: token for name, token in SPECIAL[objective].items() if tokenizer.token_to_id(token) is not None}
    ends = {"masked": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"), "spans": ("$A </s>", "$A </s> $B </s>")}
    if objective in ends and tokenizer.post_processor is None:
        single, pair = ends[objective]
        marks = [mark for mark in ("[CLS]", "[SEP]", "</s>") if mark in single]
        if all(tokenizer.token_to_id(mark) is not None for mark in marks):
            tokenizer.post_processor = TemplateProcessing(
                single=single, pair=pair, special_tokens=[(mark, tokenizer.token_to_id(mark)) for mark in marks]
            )
    return with_special(wrapper(tokenizer_object=tokenizer, **known), objective)


def _sentinels(objective: Objective) -> list[str]:
    return [f"<extra_id_{number}>" for number in range(SENTINELS)] if objective == "spans" else []


def _unk(tokenizer: Any) -> int | None:
    found: int | None = tokenizer.unk_token_id
    return found
