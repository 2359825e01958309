"""A language model behind a chat endpoint, as a generator: `http://127.0.0.1:8080/v1#model`.

The question and the passages are sent to that address. It is mostly a server on the same machine; another one is spoken
to because, and only because, the user named it.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Sequence

from rag.generator import Draft, Words, drafted
from rag.types import Passage
from rag.writing.drafting import MAX_TEXT, draft_of, threshold
from rag.writing.endpoint import KEY, chat, endpoint_at
from rag.writing.prompting import BUDGET, Shot, prompt_for

MAX_NEW_TOKENS = 256
CONNECT_S = 5.0
"""Seconds within which the server must be reached."""
TOTAL_S = 120.0
"""Seconds within which it must have answered."""

log = logging.getLogger(__name__)


class EndpointGenerator:
    """Writes answers with a model that a server runs; each question has its own connection."""

    def __init__(
        self,
        address: str,
        *,
        connect_s: float = CONNECT_S,
        total_s: float = TOTAL_S,
        shots: Callable[[str], Sequence[Shot]] = lambda question: (),
    ) -> None:
        """Nothing is sent before the first question. `shots` gives the examples to show before one, best first.

        Raises UsageError for an address that is none.
        """
        self._endpoint = endpoint_at(address)
        self._connect_s, self._total_s, self._shots = connect_s, total_s, shots
        local = self._endpoint.host in ("localhost", "::1") or self._endpoint.host.startswith("127.")
        if not local:
            log.info("Questions and passages will be sent to %s.", self._endpoint.address)
            if not self._endpoint.secure and os.environ.get(KEY):
                log.warning("The key in %s will be sent to %s unencrypted.", KEY, self._endpoint.address)

    @property
    def name(self) -> str:
        """How it is named in the answer."""
        return self._endpoint.model or self._endpoint.host

    def threshold(self, max_error: float | None) -> float:
        """See `rag.generator.Generator`. Raises UsageError for a share of errors: this confidence is not calibrated."""
        return threshold(self.name, max_error)

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        """See `rag.generator.Generator`. Raises GeneratorError when the server does not answer as it should."""
        return drafted(self.stream(question, passages))

    def stream(self, question: str, passages: Sequence[Passage]) -> Words:
        """See `rag.generator.Streaming`. When it is closed, the connection is."""
        if not passages:
            return Draft((), 0.0)
        prompt = prompt_for(question, passages, budget=BUDGET, shots=self._shots(question))
        limits = {"connect_s": self._connect_s, "total_s": self._total_s}
        text, sureness = "", list[float]()
        with contextlib.closing(chat(self._endpoint, prompt.text, most=MAX_NEW_TOKENS, **limits)) as replies:
            for said in replies:
                text += said.text
                sureness += said.log_probabilities
                if said.text:
                    yield said.text
                if len(text) > MAX_TEXT:
                    break
        mean = sum(sureness) / len(sureness) if sureness else None
        return draft_of(text, question, passages[: prompt.shown], mean)
