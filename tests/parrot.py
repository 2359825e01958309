"""Small language models that say what they are told to, token by token, whatever they read: for tests.

The weights are set by hand: the embedding is the identity, attention adds nothing, and the head (in T5, whose head is
its embedding, the last layer) maps each token to the one that is to follow it. Reading is real all the same: tokenizer,
template, cache and decoding are transformers' own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing

from tests.small_encoder import write_json

START, END, PAD, SEP = SPECIAL = ("<|im_start|>", "<|im_end|>", "<pad>", "[SEP]")
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SURELY = 9.0
"""Logit of the token that is to follow, the others having 0: it is then a matter of e^9 against some 270."""


def write_parrot(
    folder: Path,
    pieces: Sequence[str],
    kind: str = "llama",
    *,
    chat: bool = True,
    reads: int = 4096,
    own_end: bool = True,
) -> Path:
    """Write a model ("llama", "gpt2" or "t5") that says `pieces`, one token each, into `folder`, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(pieces, ends=kind == "t5")
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "pad_token": PAD, "sep_token": SEP,
        "additional_special_tokens": [START], "model_max_length": reads,
    }  # fmt: skip
    write_json(folder / "tokenizer_config.json", config | ({"chat_template": CHAT} if chat else {}))
    before = PAD if kind == "t5" else "\u010a" if chat else ":"  # what stands at the end of the prompt
    said = [tokenizer.get_vocab()[token] for token in (before, *pieces, END)]
    _save_model(folder, kind, tokenizer.get_vocab_size(), list(pairwise(said)), reads, own_end)
    return folder


def _tokenizer(pieces: Sequence[str], ends: bool) -> Tokenizer:
    letters = sorted(ByteLevel.alphabet())
    tokenizer = Tokenizer(BPE({letter: number for number, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in pieces])
    if ends:
        tokenizer.post_processor = TemplateProcessing(
            single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
        )
    return tokenizer


def _save_model(
    folder: Path, kind: str, vocabulary: int, follows: Sequence[tuple[int, int]], reads: int, own_end: bool
) -> None:
    import torch
    import transformers

    library: Any = transformers
    size = -(-vocabulary // 8) * 8
    end, pad = follows[-1][1], follows[0][0]
    ends = {"eos_token_id": end if own_end else None, "pad_token_id": pad, "bos_token_id": None}
    common: dict[str, Any] = {"vocab_size": size, "tie_word_embeddings": False, **ends}
    if kind == "llama":
        heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8}
        config = library.LlamaConfig(hidden_size=size, max_position_embeddings=reads, **heads, **common)
        model, silent = library.LlamaForCausalLM(config), ("o_proj", "down_proj")
    elif kind == "gpt2":
        config = library.GPT2Config(n_embd=size, n_layer=1, n_head=2, n_positions=reads, **common)
        model, silent = library.GPT2LMHeadModel(config), ("c_proj", "wpe")
    else:
        sizes = {"d_model": size, "d_kv": 8, "d_ff": size, "num_layers": 1, "num_heads": 2}
        config = library.T5Config(decoder_start_token_id=pad, **sizes, **common)
        model, silent = library.T5ForConditionalGeneration(config), (".o.", ".wo.")
    mapping = torch.zeros(size, size)
    for token, following in follows:
        mapping[following, token] = SURELY / size**0.5  # a norm makes of a one-hot vector one of length sqrt(size)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if any(part in name for part in silent):
                weight.zero_()
        model.get_input_embeddings().weight.copy_(torch.eye(size))
        if kind == "t5":
            last = model.decoder.block[-1].layer[-1].DenseReluDense
            last.wi.weight.copy_(torch.eye(size))
            last.wo.weight.copy_(mapping)
        else:
            model.get_output_embeddings().weight.copy_(mapping)
    model.save_pretrained(folder)
