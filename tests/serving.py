"""The service for tests: in this process behind a client that speaks ASGI, or on a port of its own in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from rag.generator import Copied, Draft
from rag.quoting.quotable import quotable
from rag.service.app import guarded
from rag.service.library import Library
from rag.service.service import Service, make_service
from rag.service.settings import Settings
from rag.types import Form, Passage
from tests.worlds import WordEncoder

LOCAL = "http://127.0.0.1:8000"


@dataclass
class FirstSentence:
    """Copies the first sentence that shares a long word with the question; where there is none, it says nothing."""

    sizes: list[int] = field(default_factory=list)
    """How many questions came at once."""
    seconds: float = 0.0
    """That each batch takes."""
    name: str = "first-sentence"

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        return self.generate_many([question], [passages])[0]

    def generate_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        self.sizes.append(len(questions))
        time.sleep(self.seconds)
        return [self._draft(question, read) for question, read in zip(questions, passages, strict=True)]

    def threshold(self, max_error: float | None) -> float:
        return 0.5 if max_error is None else 1 - max_error

    def _draft(self, question: str, passages: Sequence[Passage]) -> Draft:
        words = {word for word in question.lower().strip("?").split() if len(word) > 3}
        for number, passage in enumerate(passages):
            for start, end, kind in quotable(passage):
                if kind == "paragraph" and words & set(passage.text[start:end].lower().split()):
                    return Draft((Copied(number, start, end),), 0.9)
        return Draft((), 0.1)


@dataclass
class Formed:
    """Drafts what `make` makes of the passages, and remembers what it was asked, and in which form."""

    make: Callable[[Sequence[Passage]], Draft]
    asked: list[tuple[str, Form | None]] = field(default_factory=list)
    name: str = "formed"

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        return self.generate_formed([question], [passages], [None])[0]

    def generate_formed(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], forms: Sequence[Form | None]
    ) -> list[Draft]:
        self.asked += zip(questions, forms, strict=True)
        return [self.make(read) for read in passages]

    def threshold(self, max_error: float | None) -> float:
        return 0.5


def closest(read: Sequence[Passage], confidence: float = 0.3) -> Draft:
    """Quote the last sentence of the first passage, as what comes closest."""
    *_, (start, end, _) = quotable(read[0])
    return Draft((Copied(0, start, end),), confidence, bears=True, notes=("Read by its words only.",))


def service_of(home: Path, generator: Any = None, name: str = "world", **settings: Any) -> Service:
    """Return a service over the collections under `home`, with encoders and generators without a model."""
    chosen = Settings(home=str(home), collection=name, **settings)
    return make_service(chosen, Library(home, name, generator or FirstSentence(), WordEncoder()))


@contextlib.contextmanager
def client_of(service: Service, base_url: str = LOCAL, **options: Any) -> Iterator[TestClient]:
    """Hand out a client of a service that runs in this process."""
    with TestClient(guarded(service), base_url, **options) as client:
        yield client


def events_of(text: str) -> list[tuple[str, Any]]:
    """Return the server-sent events in a body: name and data."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("event", ""), json.loads(fields["data"]) if fields["data"] != "[DONE]" else None))
    return found


@contextlib.contextmanager
def listening(service: Service) -> Iterator[tuple[str, int]]:
    """Serve on a free port of this machine, in a thread, and hand out host and port."""
    from rag.service.server import bound, server_of

    listener = bound("127.0.0.1", 0)
    server = server_of(service)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        for _ in range(500):
            if server.started:
                break
            time.sleep(0.01)
        yield listener.getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
