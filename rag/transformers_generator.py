"""Any causal or sequence-to-sequence language model of Hugging Face, as a generator: from a folder, without network.

Only safetensors and JSON are read, and no code of the model's own is run. Decoding is greedy.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from indexer.errors import GeneratorError
from rag.generator import Draft, Words
from rag.language_model import find_language_model, kind_of, load, longest_input
from rag.prompting import BUDGET, Prompt, prompt_for
from rag.types import Passage
from rag.written import draft_of, threshold

MAX_NEW_TOKENS = 200
_SPARE = 16
"""Tokens that a prompt may grow by when its parts are tokenized together."""
_NEXT_QUESTION = "\nQuestion:"
"""Where a model without chat template goes on with a question of its own."""


class TransformersGenerator:
    """Writes answers with a model of Hugging Face. Calls from several threads wait for each other."""

    def __init__(self, name: str, *, device: str | None = None, max_new_tokens: int = MAX_NEW_TOKENS) -> None:
        """Load the model called `name`: a folder, or a name in the hub's cache on this machine.

        By default it runs on a GPU where there is one. Raises GeneratorError when there is no such model, or its
        folder holds what cannot or must not be loaded.
        """
        folder = find_language_model(name)
        self._name = folder.name if Path(name).expanduser().is_dir() else name
        self._max_new_tokens = max_new_tokens
        self._causal = kind_of(folder) == "causal"
        self._tokenizer, self._model = load(folder, causal=self._causal, device=device, most=max_new_tokens)
        self._special = [str(token) for token in self._tokenizer.added_tokens_decoder.values() if token.special]
        self._special += self._tokenizer.all_special_tokens
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """How it is named in the answer."""
        return self._name

    def threshold(self, max_error: float | None) -> float:
        """See `rag.generator.Generator`. Raises UsageError for a share of errors: this confidence is not calibrated."""
        return threshold(self._name, max_error)

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        """See `rag.generator.Generator`."""
        if not passages:
            return Draft((), 0.0)
        return self._drafted(question, passages, lambda _: None, threading.Event())

    def stream(self, question: str, passages: Sequence[Passage]) -> Words:
        """See `rag.generator.Streaming`. When it is closed, the model stops after the token that it is at."""
        if not passages:
            return Draft((), 0.0)
        heard: queue.SimpleQueue[str | Draft | BaseException] = queue.SimpleQueue()
        gone = threading.Event()

        def write() -> None:
            try:
                heard.put(self._drafted(question, passages, heard.put, gone))
            except BaseException as error:
                heard.put(error)

        threading.Thread(target=write, name="footnote-generator", daemon=True).start()
        try:
            while isinstance(said := heard.get(), str):
                yield said
        finally:
            gone.set()
        if isinstance(said, BaseException):
            raise said
        return said

    def _drafted(
        self, question: str, passages: Sequence[Passage], hear: Callable[[str], None], gone: threading.Event
    ) -> Draft:
        with self._lock:
            prompt = self.prompt(question, passages)
            listener = _Listener(self._decoded, hear, gone, chats=self._chats)
            if not gone.is_set():
                self._write(self.ids(prompt), listener)
        return draft_of(listener.text, question, passages[: prompt.shown], listener.mean_log_probability)

    # The prompt

    @property
    def _chats(self) -> bool:
        return bool(self._tokenizer.chat_template)

    def prompt(self, question: str, passages: Sequence[Passage]) -> Prompt:
        """Return the prompt for a question and passages, cut to what the model reads."""
        frame = len(self.ids(Prompt("", 0)))
        budget = self._reads - frame - _SPARE - (self._max_new_tokens if self._causal else 0)
        return prompt_for(question, passages, special=self._special, count=self._count, budget=max(0, budget))

    @property
    def _reads(self) -> int:
        """Most tokens that the model reads, with those it has written where it is causal."""
        return longest_input(self._tokenizer, self._model) or BUDGET + self._max_new_tokens

    def _count(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids)

    def ids(self, prompt: Prompt) -> list[int]:
        """Return the tokens of a prompt, in the model's chat template where it has one."""
        ids: list[int]
        if not self._chats:
            ids = self._tokenizer(prompt.plain, verbose=False).input_ids
            ends = self._causal and ids and ids[-1] == self._tokenizer.eos_token_id
            return ids[:-1] if ends else ids
        said = [{"role": "user", "content": prompt.text}]
        try:
            text = self._tokenizer.apply_chat_template(
                said, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        except Exception as error:  # a template is a program, and raises what it likes
            raise GeneratorError(
                f"The chat template of {self._name} fails: {error}.", "Mend chat_template in its tokenizer's files."
            ) from error
        ids = self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids  # the template has them
        return ids

    # The model

    def _write(self, ids: Sequence[int], listener: _Listener) -> None:
        import torch

        given = torch.tensor([ids], device=self._model.device)  # (1, n)
        listener.begins = len(ids) if self._causal else 1
        try:
            with torch.inference_mode():
                self._model.generate(
                    input_ids=given,
                    attention_mask=torch.ones_like(given),
                    logits_processor=[_Surety(listener)],
                    stopping_criteria=[listener],
                )
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and "memory" not in str(error) and "alloc" not in str(error):
                raise
            raise GeneratorError(
                f"Not enough memory for {self._name} to read {len(ids)} tokens.",
                "Close other programs, ask for fewer passages (-k 3), or take a smaller model.",
            ) from error

    def _decoded(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


class _Listener:
    """Called by transformers after each token: hands the text on as it grows, and says when it is enough."""

    def __init__(
        self, decode: Callable[[Sequence[int]], str], hear: Callable[[str], None], gone: threading.Event, *, chats: bool
    ) -> None:
        self._decode, self._hear, self._gone, self._chats = decode, hear, gone, chats
        self.begins = 0
        """Where the written tokens begin."""
        self.text = ""
        self.log_probabilities: list[float] = []

    @property
    def mean_log_probability(self) -> float | None:
        """Of the tokens written, natural logarithm."""
        return sum(self.log_probabilities) / len(self.log_probabilities) if self.log_probabilities else None

    def __call__(self, ids: Any, _: object, **__: object) -> Any:
        import torch

        text = self._decode(ids[0, self.begins :].tolist())
        beyond = -1 if self._chats else text.find(_NEXT_QUESTION)
        text = text[:beyond] if beyond >= 0 else text
        if text.startswith(self.text) and not text.endswith("\ufffd"):  # else a character is not whole yet
            if text != self.text:
                self._hear(text[len(self.text) :])
            self.text = text
        enough = self._gone.is_set() or beyond >= 0
        return torch.full((len(ids),), enough, device=ids.device)


class _Surety:
    """Called by transformers with each token's scores (1, v): notes how likely the likeliest is, which is taken."""

    def __init__(self, listener: _Listener) -> None:
        self._listener = listener

    def __call__(self, ids: Any, scores: Any) -> Any:
        self._listener.log_probabilities.append(float(scores.float().log_softmax(-1).max()))
        return scores
