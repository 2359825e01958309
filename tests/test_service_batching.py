"""Batches: together what comes together, alone what is alone, and a queue that has an end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.service.batching import Batcher, Full

Result = TypeVar("Result")


def batcher(work: Callable[[Sequence[Any]], Sequence[Any]], **options: Any) -> Batcher[Any, Any]:
    chosen: dict[str, Any] = {"group": lambda item: 0, "size": 4, "most_waiting": 100, **options}
    return Batcher("test", work, **chosen)


class Doubling:
    """Doubles numbers, slowly, and remembers the batches."""

    def __init__(self, seconds: float = 0.02) -> None:
        self.batches: list[list[int]] = []
        self.seconds = seconds
        self.threads: set[int] = set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.threads.add(threading.get_ident())
        time.sleep(self.seconds)
        return [2 * item for item in items]


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    async def main() -> Result:
        return await work()

    return asyncio.run(main())


def test_what_comes_while_a_batch_is_worked_on_becomes_the_next() -> None:
    doubling = Doubling()

    async def work() -> list[int]:
        double = batcher(doubling)
        first = asyncio.ensure_future(double(0))
        await asyncio.sleep(0.01)
        others: list[int] = await asyncio.gather(*(double(n) for n in range(1, 10)))
        return [await first, *others]

    assert run(work) == [2 * n for n in range(10)]
    assert doubling.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]
    assert len(doubling.threads) == 1
    assert threading.get_ident() not in doubling.threads


def test_groups_are_never_mixed_and_none_waits_for_ever() -> None:
    doubling = Doubling(0.001)

    async def work() -> list[int]:
        double = batcher(doubling, group=lambda item: item % 2)
        made: list[int] = await asyncio.gather(*(double(n) for n in range(9)))
        return made

    assert run(work) == [2 * n for n in range(9)]
    assert doubling.batches == [[0, 2, 4, 6], [1, 3, 5, 7], [8]]


def test_one_that_is_alone_does_not_wait_for_company() -> None:
    async def work() -> float:
        double = batcher(Doubling(0.0), wait=5.0)
        begun = time.perf_counter()
        await double(1)
        return time.perf_counter() - begun

    assert run(work) < 1.0


def test_where_there_was_company_a_batch_waits_for_more() -> None:
    doubling = Doubling(0.01)

    async def work() -> None:
        double = batcher(doubling, wait=0.2)

        async def late(n: int) -> None:
            await asyncio.sleep(0.02 * n)
            await double(n)

        await asyncio.gather(*(double(n) for n in range(4)))
        await asyncio.gather(*(late(n) for n in range(3)))

    run(work)
    assert doubling.batches == [[0, 1, 2, 3], [0, 1, 2]]


def test_a_full_queue_refuses_and_says_when_to_come_again() -> None:
    async def work() -> Full:
        double = batcher(Doubling(0.3), size=1, most_waiting=2)
        waiting = [asyncio.ensure_future(double(0))]
        await asyncio.sleep(0.005)
        waiting += [asyncio.ensure_future(double(n)) for n in (1, 2)]
        await asyncio.sleep(0.005)
        with pytest.raises(Full, match="2 requests are waiting already") as refused:
            await double(3)
        assert await asyncio.gather(*waiting) == [0, 2, 4]
        return refused.value

    assert int(run(work).headers["Retry-After"]) >= 1


def test_whoever_gives_up_leaves_the_queue_and_is_not_worked_for() -> None:
    doubling = Doubling()

    async def work() -> int:
        double = batcher(doubling)
        first = asyncio.ensure_future(double(0))
        await asyncio.sleep(0.005)
        second, third = asyncio.ensure_future(double(1)), asyncio.ensure_future(double(2))
        await asyncio.sleep(0.005)
        second.cancel()
        await asyncio.gather(first, third)
        return double.waiting

    assert run(work) == 0
    assert doubling.batches == [[0], [2]]


def test_a_bad_item_fails_alone() -> None:
    def inverse(items: Sequence[int]) -> list[float]:
        return [1 / item for item in items]

    async def work() -> list[Any]:
        return await asyncio.gather(*map(batcher(inverse), (1, 0, 2)), return_exceptions=True)

    one, failed, half = run(work)
    assert (one, half) == (1.0, 0.5)
    assert isinstance(failed, ZeroDivisionError)


def test_the_event_loop_is_never_blocked() -> None:
    """A watchdog ticks every five milliseconds while batches of 300 are worked on."""

    async def work() -> float:
        double = batcher(Doubling(0.3))
        longest, last = 0.0, time.perf_counter()
        working = asyncio.gather(*(double(n) for n in range(8)))
        while not working.done():
            await asyncio.sleep(0.005)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        await working
        return longest

    assert run(work) < 0.2


def test_a_closed_batcher_takes_nothing() -> None:
    async def work() -> None:
        double = batcher(Doubling())
        first = asyncio.ensure_future(double(0))
        await asyncio.sleep(0.005)
        waiting = asyncio.ensure_future(double(1))
        await asyncio.sleep(0)
        double.close()
        with pytest.raises(Full, match="requests are waiting"):
            await double(2)
        assert await first == 0
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(work)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 5), st.integers(1, 3))
def test_every_item_gets_its_own_result_once(groups: list[int], size: int, threads: int) -> None:
    seen: list[list[tuple[int, int]]] = []

    def note(items: Sequence[tuple[int, int]]) -> list[int]:
        seen.append(list(items))
        return [number for number, _ in items]

    async def work() -> list[int]:
        numbered = batcher(note, group=lambda item: item[1], size=size, threads=threads)
        return list(await asyncio.gather(*(numbered(item) for item in enumerate(groups))))

    assert run(work) == list(range(len(groups)))
    assert sorted(item for batch in seen for item in batch) == list(enumerate(groups))
    assert all(len(batch) <= size and len({group for _, group in batch}) == 1 for batch in seen)
