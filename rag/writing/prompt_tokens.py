"""The prompt in the tokens of one model: the same when it is trained and when it is asked.

Knows a tokenizer and how much its model reads, and not the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexer.errors import GeneratorError
from rag.types import Passage
from rag.writing.prompting import BUDGET, Prompt, Shot, prompt_for

MAX_NEW_TOKENS = 200
_SPARE = 16
"""Tokens that a prompt may grow by when its parts are tokenized together."""


class PromptTokens:
    """Lays questions and passages out, and turns them into tokens."""

    def __init__(
        self,
        tokenizer: Any,
        name: str,
        *,
        causal: bool,
        reads: int | None,
        writes: int = MAX_NEW_TOKENS,
        before: int = 0,
    ) -> None:
        """`name` is the model's, for errors; it reads `reads` tokens (None: it does not say), `before` of which stand
        before the prompt, and where it is causal writes into them too: `writes` of them, but not over a quarter.
        """
        self._tokenizer, self._name, self._causal = tokenizer, name, causal
        self.writes = min(writes, reads // 4) if causal and reads else writes
        """Tokens that an answer may have."""
        self._reads = (reads or BUDGET + self.writes) - before
        self._special = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
        self._special += tokenizer.all_special_tokens

    @property
    def chats(self) -> bool:
        """Whether the model has a chat template."""
        return bool(self._tokenizer.chat_template)

    def prompt(self, question: str, passages: Sequence[Passage], shots: Sequence[Shot] = ()) -> Prompt:
        """Return the prompt for a question and passages, cut to what the model reads. Raises as `prompt_for` does."""
        frame = len(self.ids(Prompt("", 0)))
        budget = self._reads - frame - _SPARE - (self.writes if self._causal else 0)
        return prompt_for(
            question, passages, special=self._special, count=self._count, budget=max(0, budget), shots=shots
        )

    def ids(self, prompt: Prompt) -> list[int]:
        """Return the tokens of a prompt, in the model's chat template where it has one."""
        ids: list[int]
        if not self.chats:
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

    def answer_ids(self, text: str) -> list[int]:
        """Return the tokens of an answer as the model is to write it after the prompt, with the token that ends it."""
        lead = " " if self._causal and not self.chats else ""
        encoded = self._tokenizer(lead + text, add_special_tokens=False, split_special_tokens=True, verbose=False)
        return [*encoded.input_ids, self._tokenizer.eos_token_id]

    def decoded(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, special ones left out."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _count(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids)
