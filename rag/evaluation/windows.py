"""Reads texts with a causal language model of Hugging Face, in windows that slide over what it cannot read at once.

torch and transformers are imported when a model is loaded.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import GeneratorError, UsageError
from rag.evaluation.texts import Text, TextRow

WINDOW = 1024
"""Tokens that are read at once, at most, where nothing else is asked for: the logits of more may not fit."""


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens [start, end) are read together; those from `predicted` on were in no window before, and are scored."""

    start: int
    end: int
    predicted: int


def windows(length: int, window: int, stride: int) -> Iterator[Window]:
    """Yield windows over `length` tokens, in which each token but the first is predicted once, from those before it.

    A window begins `stride` tokens after the one before, and stride < window; so each token is predicted from at least
    `window - stride` others, but for those at the beginning. Press et al. 2021, https://arxiv.org/abs/2012.15832, and
    "Perplexity of fixed-length models" in the documentation of transformers.
    """
    predicted = 1
    for start in range(0, length, stride):
        end = min(start + window, length)
        if predicted < end:
            yield Window(start, end, predicted)
        predicted = end
        if end == length:
            return


class LanguageModelReader:
    """A causal language model, loaded, that reads texts in sliding windows."""

    def __init__(
        self, model: str, window: int | None = None, stride: int | None = None, device: str | None = None
    ) -> None:
        """See `evaluate_perplexity`."""
        from rag.writing.language_model import find_language_model, kind_of, load, longest_input

        folder = find_language_model(model)
        if kind_of(folder) != "causal":
            raise GeneratorError(
                f"{folder} is a sequence-to-sequence model, which has no perplexity of a text alone.",
                "Take a causal language model.",
            )
        self.name = folder.name if Path(model).expanduser().is_dir() else model
        self._tokenizer, self._model = load(folder, causal=True, device=device, most=1)
        self.window, self.stride = _sizes(longest_input(self._tokenizer, self._model), window, stride)
        marks = (self._tokenizer.bos_token_id, self._tokenizer.eos_token_id)
        self._begins: list[int] = [mark for mark in marks if mark is not None][:1]
        self._keeps = "logits_to_keep" in inspect.signature(self._model.forward).parameters

    def read(self, text: Text) -> TextRow:
        """Return what the model makes of a text.

        Before it stands the token that begins a text (or ends one, where none begins it), so that the first token is
        predicted too; where there is neither, the first token is not scored, nor are its bytes. What looks like a
        special token in the text is read as text. Raises GeneratorError when a prediction is not finite, or there is
        not enough memory for a window.
        """
        encoded = self._tokenizer(
            text.text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True, verbose=False
        )
        ids: list[int] = encoded.input_ids
        first = 0 if self._begins else 1
        scored = ids[first:]
        nats = self._nats([*self._begins, *ids])
        if not math.isfinite(nats):
            raise GeneratorError(
                f"{self.name} gives no finite probabilities for {text.id}.", "Save it in float32 or bfloat16."
            )
        begins = encoded.offset_mapping[first][0] if scored and first else 0
        return TextRow(
            id=text.id,
            nats=nats,
            tokens=len(scored),
            bytes=len(text.text[begins:].encode()) if scored else 0,
            unknown=scored.count(self._tokenizer.unk_token_id),
        )

    def _nats(self, ids: Sequence[int]) -> float:
        """Return the sum of -ln p over all tokens but the first."""
        import torch

        try:
            with torch.inference_mode():
                return math.fsum(self._window_nats(ids, each) for each in windows(len(ids), self.window, self.stride))
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and "memory" not in str(error) and "alloc" not in str(error):
                raise
            raise GeneratorError(
                f"Not enough memory for {self.name} to read {self.window} tokens at once.",
                f"Close other programs, or read less at once: --window {max(2, self.window // 4)}",
            ) from error

    def _window_nats(self, ids: Sequence[int], window: Window) -> float:
        import torch

        given = torch.tensor([ids[window.start : window.end]], device=self._model.device)  # (1, n)
        predicted = window.end - window.predicted
        kept = {"logits_to_keep": predicted + 1} if self._keeps else {}
        logits = self._model(input_ids=given, attention_mask=torch.ones_like(given), use_cache=False, **kept).logits
        logits = logits[0, -predicted - 1 : -1].float()  # (predicted, v): each says what comes after its own token
        return float(torch.nn.functional.cross_entropy(logits, given[0, -predicted:], reduction="sum"))


def _sizes(longest: int | None, window: int | None, stride: int | None) -> tuple[int, int]:
    """Return window and stride, in tokens. Raises UsageError for what the model cannot read, or would leave out."""
    chosen = window or min(WINDOW, longest or WINDOW)
    if chosen < 2 or (longest is not None and chosen > longest):
        raise UsageError(
            f"A window of {chosen} tokens cannot be read by this model.",
            f"Give from 2 to {longest} tokens." if longest else "Give 2 tokens or more.",
        )
    step = stride or max(1, chosen // 2)
    if not 1 <= step < chosen:
        raise UsageError(
            f"Windows of {chosen} tokens, {step} apart, leave tokens without any before them.",
            f"Give a stride from 1 to {chosen - 1}.",
        )
    return chosen, step
