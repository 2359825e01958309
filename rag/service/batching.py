"""Dynamic batching: what comes in while others are worked on is worked on together, by a few threads.

Knows items, threads and a bounded queue, and nothing of questions. What is alone is begun at once; where there is
company, a batch waits a moment for more of it. The event loop only ever hands over and takes back.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rag.service.errors import ServiceError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Full(ServiceError):
    """More work waits than will be done in reasonable time; the client is told when to come again."""

    def __init__(self, waiting: int, seconds: float) -> None:
        wait = str(max(1, min(60, math.ceil(seconds))))
        super().__init__(
            429, "busy", f"{waiting} requests are waiting already.", f"Try again in {wait} s.", {"Retry-After": wait}
        )


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    group: Hashable
    done: asyncio.Future[Result]
    since: float = field(default_factory=time.perf_counter)


class Batcher(Generic[Item, Result]):
    """Does `work` on items in batches of one group each. Used from one event loop."""

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        group: Callable[[Item], Hashable],
        size: int,
        wait: float = 0.0,
        most_waiting: int,
        threads: int = 1,
        on_batch: Callable[[int, float], None] = lambda size, seconds: None,
    ) -> None:
        """`wait` is in seconds; `on_batch` is told how many items a batch had and how long it took."""
        self._work, self._group, self._size, self._wait = work, group, size, wait
        self._most_waiting, self._on_batch = most_waiting, on_batch
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._free = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._timer: asyncio.TimerHandle | None = None
        self._company = 1
        self._item_seconds = 0.1  # of one item, smoothed; a guess until there was one
        self._closed = False

    def check_room(self) -> None:
        """Raise Full when too many wait."""
        if self._closed or len(self._queue) >= self._most_waiting:
            raise Full(len(self._queue), len(self._queue) * self._item_seconds)

    @property
    def waiting(self) -> int:
        """How many items wait."""
        return len(self._queue)

    async def __call__(self, item: Item) -> Result:
        """Return what `work` makes of `item`; cancelling this takes it out of the queue.

        Raises Full when too many wait, and what `work` raises for it.
        """
        self.check_room()
        waiting = _Waiting[Item, Result](item, self._group(item), asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._look_soon()
        try:
            return await waiting.done
        finally:
            if not waiting.done.done() or waiting.done.cancelled():
                with contextlib.suppress(ValueError):
                    self._queue.remove(waiting)

    def close(self) -> None:
        """Take nothing more, and let go of the threads once they are done with what they have begun."""
        self._closed = True
        for waiting in self._queue:
            waiting.done.cancel()
        self._queue.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look_soon(self) -> None:
        """Look at the queue once all that is ready now has put in its items, or company has had its time to come."""
        if self._timer is None and self._free and self._queue:
            wait = self._wait if self._company > 1 and len(self._queue) < self._size else 0.0
            self._timer = asyncio.get_running_loop().call_later(wait, self._begin)

    def _begin(self) -> None:
        self._timer = None
        batch = self._next_batch()
        if not batch:
            return
        self._free -= 1
        self._company = len(batch)
        begun = time.perf_counter()
        working = asyncio.get_running_loop().run_in_executor(
            self._threads, _outcomes, self._work, [each.item for each in batch]
        )
        working.add_done_callback(lambda done: self._finish(batch, done, time.perf_counter() - begun))
        self._look_soon()

    def _next_batch(self) -> list[_Waiting[Item, Result]]:
        """Take the oldest item, and those of its group, in order; the others stay."""
        batch: list[_Waiting[Item, Result]] = []
        left: deque[_Waiting[Item, Result]] = deque()
        for each in self._queue:
            if each.done.done():
                continue  # nobody waits for it any more
            fits = not batch or (each.group == batch[0].group and len(batch) < self._size)
            (batch if fits else left).append(each)
        self._queue = left
        return batch

    def _finish(
        self,
        batch: Sequence[_Waiting[Item, Result]],
        working: asyncio.Future[list[Result | Exception]],
        seconds: float,
    ) -> None:
        self._free += 1
        self._item_seconds += 0.2 * (seconds / len(batch) - self._item_seconds)
        self._on_batch(len(batch), seconds)
        outcomes: Sequence[Result | Exception]
        try:
            outcomes = working.result()
        except BaseException as error:  # the threads were let go of
            outcomes = [ServiceError(503, "stopping", f"The service stops ({type(error).__name__}).")] * len(batch)
        for each, outcome in zip(batch, outcomes, strict=True):
            if each.done.done():
                continue
            if isinstance(outcome, Exception):
                each.done.set_exception(outcome)
            else:
                each.done.set_result(outcome)
        self._look_soon()


def _outcomes(work: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]) -> list[Result | Exception]:
    """Return the results; where the batch fails for no reason that all of it shares, each item is tried alone."""
    try:
        return list(work(items))
    except Exception as error:
        if len(items) == 1:
            return [error]
    return [outcome for item in items for outcome in _outcomes(work, [item])]
