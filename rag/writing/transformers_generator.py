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
from rag.types import Passage
from rag.writing.drafting import draft_of, threshold
from rag.writing.language_model import find_language_model, kind_of, load, longest_input
from rag.writing.prompt_tokens import MAX_NEW_TOKENS, PromptTokens
from rag.writing.prompting import Prompt, Shot
from rag.writing.soft_prompt import is_soft_prompt, read_soft_prompt

_NEXT_QUESTION = "\nQuestion:"
"""Where a model without chat template goes on with a question of its own."""


class TransformersGenerator:
    """Writes answers with a model of Hugging Face. Calls from several threads wait for each other."""

    def __init__(
        self,
        name: str,
        *,
        device: str | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
        shots: Callable[[str], Sequence[Shot]] = lambda question: (),
    ) -> None:
        """Load the model called `name`: a folder (of a soft prompt, too), or a name in the hub's cache on this machine.

        By default it runs on a GPU where there is one. `shots` gives the examples to show before a question, best
        first. Raises GeneratorError when there is no such model, or its folder holds what cannot or must not be loaded.
        """
        folder = find_language_model(name)
        self._name = folder.name if Path(name).expanduser().is_dir() else name
        soft = read_soft_prompt(folder) if is_soft_prompt(folder) else None
        folder = soft.base if soft else folder
        self._causal = kind_of(folder) == "causal"
        tokenizer, self._model = load(folder, causal=self._causal, device=device, most=max_new_tokens)
        self._soft = soft.rows(self._model) if soft else None  # (n, width)
        self._tokens = PromptTokens(
            tokenizer,
            self._name,
            causal=self._causal,
            reads=longest_input(tokenizer, self._model),
            writes=max_new_tokens,
            before=0 if self._soft is None else len(self._soft),
        )
        self._model.generation_config.max_new_tokens = self._tokens.writes
        self._shots = shots
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
            listener = _Listener(self._tokens.decoded, hear, gone, chats=self._tokens.chats)
            if not gone.is_set():
                self._write(self.ids(prompt), listener)
        return draft_of(listener.text, question, passages[: prompt.shown], listener.mean_log_probability)

    # The prompt

    def prompt(self, question: str, passages: Sequence[Passage]) -> Prompt:
        """Return the prompt for a question and passages, cut to what the model reads."""
        return self._tokens.prompt(question, passages, self._shots(question))

    def ids(self, prompt: Prompt) -> list[int]:
        """Return the tokens of a prompt, in the model's chat template where it has one."""
        return self._tokens.ids(prompt)

    # The model

    def _write(self, ids: Sequence[int], listener: _Listener) -> None:
        import torch

        given = torch.tensor([ids], device=self._model.device)  # (1, n)
        read: dict[str, Any] = {"input_ids": given, "attention_mask": torch.ones_like(given)}
        listener.begins = len(ids) if self._causal else 1
        if self._soft is not None:
            vectors = torch.cat([self._soft[None], self._model.get_input_embeddings()(given)], dim=1)
            read = {"inputs_embeds": vectors, "attention_mask": torch.ones(vectors.shape[:2], device=given.device)}
            listener.begins = 0 if self._causal else 1  # what is read as vectors is not given back
        try:
            with torch.inference_mode():
                self._model.generate(
                    **read,
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
