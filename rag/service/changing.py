"""Changes to collections: one after the other for each collection, in a thread; their progress can be listened to."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from indexer.types import Progress
from rag.service.batching import Full
from rag.service.errors import ServiceError

Result = TypeVar("Result")
MOST_WAITING = 64
"""Changes that wait, over all collections."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a change is."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """What came of a change."""

    result: Result


class Stopped(ServiceError):
    """Nobody waits for the change any more; what was committed stays."""

    def __init__(self) -> None:
        super().__init__(499, "stopped", "The client has gone.", "What was committed is kept.")


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Changing:
    """Runs changes. Used from one event loop."""

    def __init__(self, threads: int = 2) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="change")
        self._turns: dict[str, _Turn] = {}
        self._waiting = 0

    async def run(self, collection: str, change: Callable[[Progress], Result]) -> Result:
        """Return what `change` returns; cancelling this stops it at its next step."""
        async with contextlib.aclosing(self.listen(collection, change)) as steps:
            async for step in steps:
                if isinstance(step, Done):
                    return step.result
        raise RuntimeError("a change did not end")  # it always does

    async def listen(
        self, collection: str, change: Callable[[Progress], Result]
    ) -> AsyncGenerator[Step | Done[Result], None]:
        """Yield the steps of a change, and at last what it returns; closing this stops it at its next step.

        Raises what `change` raises, and Full when too many wait.
        """
        if self._waiting >= MOST_WAITING:
            raise Full(self._waiting, 10.0)
        self._waiting += 1
        turn = self._turns.setdefault(collection, _Turn())
        turn.wanted += 1
        try:
            async with turn.lock, contextlib.aclosing(self._listen(change)) as steps:
                async for step in steps:
                    yield step
        finally:
            self._waiting -= 1
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[collection]

    async def _listen(self, change: Callable[[Progress], Result]) -> AsyncGenerator[Step | Done[Result], None]:
        loop = asyncio.get_running_loop()
        told: asyncio.Queue[Step] = asyncio.Queue()
        stopped = threading.Event()

        def progress(what: str, done: int, total: int) -> None:
            if stopped.is_set():
                raise Stopped
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(told.put_nowait, Step(what, done, total))

        working = loop.run_in_executor(self._threads, change, progress)
        try:
            while not working.done():
                step = asyncio.ensure_future(told.get())
                await asyncio.wait((working, step), return_when=asyncio.FIRST_COMPLETED)
                if step.done():
                    yield step.result()
                else:
                    step.cancel()
            while not told.empty():
                yield told.get_nowait()
            yield Done(await working)
        finally:
            stopped.set()
            if not working.done():  # the next change must not find this one still writing
                with contextlib.suppress(Exception):
                    await asyncio.shield(working)

    def close(self) -> None:
        """Take nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
