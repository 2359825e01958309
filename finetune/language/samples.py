"""Shows what a language model says while it learns: text gone on with, or masks and spans filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from finetune.language.architecture import Objective
from finetune.language.objectives import IGNORED, Ids, masked_words, spans_taken_out
from finetune.language.tokens import sentinels

SHOWN = 3
"""Samples that are made at a time."""
_GIVEN, _WRITTEN = 12, 60
"""Tokens that a text begins with, and that are written on."""


@torch.no_grad()
def samples(model: Any, tokenizer: Any, objective: Objective, held: Sequence[Ids], seed: int) -> list[str]:
    """Return what the model makes of the beginnings of some held-out windows, with the same chance each time.

    What the model says stands behind " ⟶ ". Written words are drawn at temperature 0.8 from the 40 likeliest; masks
    and spans are filled with the likeliest.
    """
    chosen = [held[len(held) * number // SHOWN] for number in range(min(SHOWN, len(held)))]
    make = {"next": _continued, "masked": _filled, "spans": _spans_said}[objective]
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        return [make(model, tokenizer, row, np.random.default_rng(seed)) for row in chosen]


def _continued(model: Any, tokenizer: Any, row: Ids, chance: np.random.Generator) -> str:
    given = row[:_GIVEN]
    room = min(_WRITTEN, tokenizer.model_max_length - len(given))
    written = model.generate(
        **_as_input(model, given), do_sample=True, temperature=0.8, top_k=40, max_new_tokens=room,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return _shown(tokenizer, given, written[0, len(given) :].tolist())


def _filled(model: Any, tokenizer: Any, row: Ids, chance: np.random.Generator) -> str:
    batch = masked_words(
        row[None, : _GIVEN + _WRITTEN], chance, tokenizer.mask_token_id, len(tokenizer), tokenizer.all_special_ids
    )
    logits = model(**_as_input(model, batch.ids[0])).logits[0]
    asked = np.flatnonzero(batch.labels[0] != IGNORED)
    return _shown(tokenizer, batch.ids[0], [int(logits[place].argmax()) for place in asked])


def _spans_said(model: Any, tokenizer: Any, row: Ids, chance: np.random.Generator) -> str:
    batch = spans_taken_out(row[None, : _GIVEN + _WRITTEN], chance, sentinels(tokenizer), tokenizer.eos_token_id)
    said = model.generate(**_as_input(model, batch.ids[0]), do_sample=False, max_new_tokens=_WRITTEN)
    return _shown(tokenizer, batch.ids[0], said[0].tolist())


def _as_input(model: Any, ids: Ids) -> dict[str, Any]:
    given = torch.from_numpy(ids[None].astype(np.int64)).to(model.device)
    return {"input_ids": given, "attention_mask": torch.ones_like(given)}


def _shown(tokenizer: Any, given: Ids, said: Sequence[int]) -> str:
    kept = ([each for each in ids if each != tokenizer.pad_token_id] for ids in (given, said))
    return " ⟶ ".join(tokenizer.decode(ids, clean_up_tokenization_spaces=False) for ids in kept)
