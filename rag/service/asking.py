"""Questions of many clients, searched, read and answered together; language models write for one after the other.

Two stages, each with its own queue and thread: while one batch is answered, the next one is embedded and searched.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from indexer.types import Vectors
from rag.engine import Engine, Reading
from rag.generator import Streaming
from rag.retriever import Mode, checked_question
from rag.service.batching import Batcher, Full
from rag.stopping import Wanted
from rag.types import Answer, Event, Form, Found, Passage


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and how."""

    engine: Engine
    query: str
    k: int
    mode: Mode = "hybrid"
    filters: tuple[str, ...] = ()
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how."""

    engine: Engine
    text: str
    k: int
    filters: tuple[str, ...] = ()
    max_error: float | None = None
    explain: bool = False
    history: tuple[str, ...] = ()
    """The questions before it, oldest first."""
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to embed."""

    engine: Engine
    texts: tuple[str, ...]
    as_queries: bool


@dataclass(frozen=True, slots=True)
class _Read:
    engine: Engine
    reading: Reading


OnBatch = Callable[[str, int, float], None]
"""Told of each batch: the stage, how many there were, and how many seconds it took."""


class Asking:
    """Answers for many clients at once. Used from one event loop."""

    def __init__(
        self, *, size: int, wait: float, most_waiting: int, writers: int, on_batch: OnBatch = lambda *_: None
    ) -> None:
        def told(stage: str) -> Callable[[int, float], None]:
            return lambda items, seconds: on_batch(stage, items, seconds)

        self._search = Batcher[Search, list[Passage]](
            "search", _search, group=lambda each: replace(each, query=""), size=size, wait=wait,
            most_waiting=most_waiting, on_batch=told("search"),
        )  # fmt: skip
        self._read = Batcher[Question, Reading](
            "read", _read, group=lambda each: replace(each, text="", history=()), size=size, wait=wait,
            most_waiting=most_waiting, on_batch=told("read"),
        )  # fmt: skip
        self._answer = Batcher[_Read, Answer](
            "answer", _answer, group=lambda each: each.engine, size=size, wait=wait,
            most_waiting=2 * most_waiting, on_batch=told("answer"),
        )  # fmt: skip
        self._embed = Batcher[Texts, Vectors](
            "embed", _embed, group=lambda each: (each.engine, each.as_queries), size=size, wait=wait,
            most_waiting=most_waiting, on_batch=told("embed"),
        )  # fmt: skip
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="write")
        self._writing: set[Wanted] = set()
        self._most_writing = most_waiting

    @property
    def waiting(self) -> int:
        """How many requests wait for a thread."""
        return sum(stage.waiting for stage in (self._search, self._read, self._answer, self._embed))

    def check(self, question: Question) -> None:
        """Raise what would be raised for the question at once: it says nothing, or too many wait."""
        for text in (question.text, *question.history):
            checked_question(text)
        question.engine.collection.filters(question.filters)
        self._read.check_room()

    async def search(self, search: Search) -> list[Passage]:
        """Return the passages that fit best. Raises what `Engine.search` does, and Full."""
        return await self._search(replace(search, query=checked_question(search.query)))

    async def embed(self, texts: Texts) -> Vectors:
        """Return a unit row a text, float32, shape (n, dim)."""
        return await self._embed(texts)

    async def ask(self, question: Question) -> Answer:
        """Return the answer. Cancelling this ends the writing. Raises what `Engine.ask` does, and Full."""
        async with contextlib.aclosing(self.listen(question)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
        raise RuntimeError("an engine said nothing")  # it always does

    async def listen(self, question: Question) -> AsyncGenerator[Event, None]:
        """Yield what `Engine.stream` does: the passages, words as they are written, the answer."""
        begun = time.perf_counter()
        history = tuple(map(checked_question, question.history))
        reading = await self._read(replace(question, text=checked_question(question.text), history=history))
        waited = (time.perf_counter() - begun) * 1000 - sum(reading.clock.laps.values())
        engine = question.engine
        if isinstance(engine.generator, Streaming):
            async with contextlib.aclosing(self._written(engine, reading)) as events:
                async for event in events:
                    yield _timed(event, waited)
            return
        yield Found(reading.passages)
        begun = time.perf_counter()
        answer = await self._answer(_Read(engine, reading))
        took = sum(answer.timings_ms.get(stage, 0.0) for stage in ("generate", "cite"))
        yield _timed(answer, waited + (time.perf_counter() - begun) * 1000 - took)

    async def _written(self, engine: Engine, reading: Reading) -> AsyncGenerator[Event, None]:
        """Yield what a language model's engine tells, from a thread; it stops writing when this is closed."""
        if len(self._writing) >= self._most_writing:
            raise Full(len(self._writing), 10.0 * len(self._writing))
        loop = asyncio.get_running_loop()
        told: asyncio.Queue[Event | Exception] = asyncio.Queue()
        work = Wanted()

        def tell(event: Event | Exception) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody listens
                loop.call_soon_threadsafe(told.put_nowait, event)

        def write() -> None:
            if work.stopped:
                return
            try:
                with work.working(), contextlib.closing(engine.listen(reading)) as events:
                    for event in events:
                        tell(event)
                        if work.stopped:
                            return
            except Exception as error:
                tell(error)

        self._writing.add(work)
        try:
            self._writers.submit(write)
            while True:
                event = await told.get()
                if isinstance(event, Exception):
                    raise event
                yield event
                if isinstance(event, Answer):
                    return
        finally:
            work.stop()
            self._writing.discard(work)

    def close(self) -> None:
        """Take nothing more, and stop what is being written."""
        for stage in (self._search, self._read, self._answer, self._embed):
            stage.close()
        for work in tuple(self._writing):
            work.stop()
        self._writers.shutdown(wait=False, cancel_futures=True)


def _timed(event: Event, waited: float) -> Event:
    if not isinstance(event, Answer):
        return event
    return replace(event, timings_ms={"queue": max(0.0, waited), **event.timings_ms})


def _search(items: Sequence[Search]) -> list[list[Passage]]:
    one = items[0]
    return one.engine.search_many(
        [each.query for each in items], one.k, mode=one.mode, filters=one.filters, explain=one.explain
    )


def _read(items: Sequence[Question]) -> list[Reading]:
    one = items[0]
    return one.engine.read_many(
        [each.text for each in items],
        one.k,
        filters=one.filters,
        max_error=one.max_error,
        explain=one.explain,
        histories=[each.history for each in items],
        form=one.form,
    )


def _answer(items: Sequence[_Read]) -> list[Answer]:
    return items[0].engine.answer_many([each.reading for each in items])


def _embed(items: Sequence[Texts]) -> list[Vectors]:
    """Embed the texts of several requests in one go, and give each its rows."""
    encoder = items[0].engine.collection.encoder
    texts = [text for each in items for text in each.texts]
    rows = encoder.embed_queries(texts) if items[0].as_queries else encoder.embed_passages(texts)
    ends = [sum(len(each.texts) for each in items[: n + 1]) for n in range(len(items))]
    return [rows[end - len(each.texts) : end] for each, end in zip(items, ends, strict=True)]
