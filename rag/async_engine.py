"""The engine for event loops: what `Engine` does can be awaited, and the loop is never held up.

Only waiting is done here. The work goes to threads of its own, where `rag.engine` does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias, TypeVar

from indexer.arguments import check_count
from indexer.errors import UsageError
from rag.engine import Engine
from rag.retriever import Mode
from rag.stopping import Wanted
from rag.types import Answer, Event, Events, Form, Passage

T = TypeVar("T")
AsyncEvents: TypeAlias = AsyncGenerator[Event, None]


class AsyncEngine:
    """Answers questions from one collection, for web applications and other asyncio programs.

        async with AsyncEngine(Engine(Collection("papers"))) as engine:
            answer = await engine.ask("When was the archive opened?")

    One serves any number of tasks of one event loop. What exceeds `threads` waits its turn; who is cancelled while he
    waits is never served. Every method takes and raises what its namesake of `Engine` does.
    """

    def __init__(self, engine: Engine, threads: int = 2) -> None:
        """`threads`: how many questions are worked on at once; more than there are cores gains nothing."""
        if not isinstance(engine, Engine):
            raise UsageError(
                f"AsyncEngine takes an Engine, not {engine!r:.80}.", 'Write: AsyncEngine(Engine(Collection("NAME")))'
            )
        check_count("threads", threads)
        self.engine = engine
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="footnote")

    def __repr__(self) -> str:
        return f"AsyncEngine({self.engine!r})"

    async def __aenter__(self) -> AsyncEngine:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let what was asked be answered, and end the threads. Nothing can be asked afterwards."""
        await asyncio.to_thread(self._pool.shutdown)

    async def search(
        self, query: str, k: int = 10, *, mode: Mode = "hybrid", filters: Sequence[str] = (), explain: bool = False
    ) -> list[Passage]:
        """Return the `k` passages that fit `query` best, best first; see `Engine.search`."""
        return await self._run(lambda: self.engine.search(query, k, mode=mode, filters=filters, explain=explain))

    async def ask(
        self,
        question: str,
        k: int = 6,
        *,
        filters: Sequence[str] = (),
        max_error: float | None = None,
        explain: bool = False,
        history: Sequence[str] = (),
        form: Form | None = None,
    ) -> Answer:
        """Answer `question` from the `k` best passages, or show the closest evidence; see `Engine.ask`."""
        return await self._run(
            lambda: self.engine.ask(
                question, k, filters=filters, max_error=max_error, explain=explain, history=history, form=form
            )
        )

    async def ask_many(
        self,
        questions: Sequence[str],
        k: int = 6,
        *,
        filters: Sequence[str] = (),
        max_error: float | None = None,
        form: Form | None = None,
    ) -> list[Answer]:
        """Answer each question, in their order, read together; see `Engine.ask_many`."""
        return await self._run(
            lambda: self.engine.ask_many(questions, k, filters=filters, max_error=max_error, form=form)
        )

    async def stream(
        self,
        question: str,
        k: int = 6,
        *,
        filters: Sequence[str] = (),
        max_error: float | None = None,
        explain: bool = False,
        history: Sequence[str] = (),
        form: Form | None = None,
    ) -> AsyncEvents:
        """Answer as `ask` does, and tell on the way; see `Engine.stream`, whose first errors come with the first event.

        Who stops listening before the end closes this (`contextlib.aclosing`, or the cancellation of the task), and the
        model stops before its next word.
        """
        begin = functools.partial(
            self.engine.stream,
            question,
            k,
            filters=filters,
            max_error=max_error,
            explain=explain,
            history=history,
            form=form,
        )
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[Event | None] = asyncio.Queue()
        work = Wanted()

        def tell(event: Event | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed, and nobody listens
                loop.call_soon_threadsafe(arrived.put_nowait, event)

        working = self._submit(lambda: _pass_on(begin, tell, work), work)
        working.add_done_callback(lambda _: arrived.put_nowait(None))
        try:
            while (event := await arrived.get()) is not None:
                yield event
            await working  # raises what ended the writing
        finally:
            work.stop()
            working.cancel()

    async def _run(self, do: Callable[[], T]) -> T:
        work = Wanted()
        try:
            return await self._submit(do, work)
        finally:
            work.stop()  # whoever is cancelled waits for no server

    def _submit(self, do: Callable[[], T], work: Wanted) -> asyncio.Future[T]:
        """Begin work in a thread that sees the caller's context, so that traces hang together."""

        def done() -> T:
            with work.working():
                return do()

        return asyncio.get_running_loop().run_in_executor(self._pool, contextvars.copy_context().run, done)


def _pass_on(begin: Callable[[], Events], tell: Callable[[Event], None], work: Wanted) -> None:
    """Tell every event until there is none, or until the listener has gone."""
    if work.stopped:
        return
    with contextlib.closing(begin()) as events:
        for event in events:
            tell(event)
            if work.stopped:
                return
