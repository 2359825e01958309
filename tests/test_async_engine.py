"""The engine in an event loop: the loop goes on, what nobody waits for ends, and the answers are the engine's own."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from indexer.errors import GeneratorError, NotFound, UsageError
from rag import Answer, AsyncEngine, Engine, Found, Passage, Writing
from rag.generator import Copied, Draft, Written
from rag.quoting.generator import QuotingGenerator
from tests.worlds import WordEncoder, collection_of

BEES = "How many bees does a hive hold?"


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collection_of(tmp_path_factory.mktemp("world"))


@dataclass
class Waiting:
    """A generator that writes only when it is let, and remembers what it was asked."""

    name: str = "waiting"
    let: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        self.asked.append(question)
        assert self.let.wait(30)
        return Draft((Copied(0, 0, 3),), 0.9)

    def threshold(self, max_error: float | None) -> float:
        return 0.5


@dataclass
class Endless:
    """A generator that writes without an end, and says when it was stopped."""

    name: str = "endless"
    stopped: threading.Event = field(default_factory=threading.Event)

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        raise AssertionError("it is to be listened to")

    def stream(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        try:
            while not self.stopped.wait(0.001):
                yield "and "
        finally:
            self.stopped.set()

    def threshold(self, max_error: float | None) -> float:
        return 0.5


class Failing(Endless):
    """A generator that fails after its first word."""

    def stream(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        yield "Well"
        raise GeneratorError("The model has gone.", "Start it again.")


class Writes(Endless):
    """A generator that writes two words, of which nothing is borne out."""

    def stream(self, question: str, passages: Sequence[Passage]) -> Any:
        yield "so "
        yield "many"
        return Draft((Written("so many"),), 0.9)


def run(engine: Engine, use: Callable[[AsyncEngine], Coroutine[Any, Any, Any]], threads: int = 2) -> Any:
    """Return what `use` makes of an asynchronous engine, in a loop of its own, within half a minute."""

    async def main() -> Any:
        async with asyncio.timeout(30), AsyncEngine(engine, threads) as asked:
            return await use(asked)

    return asyncio.run(main())


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.001)


def test_it_answers_and_finds_what_the_engine_does(collection: Collection, quoting_model: Path) -> None:
    engine = Engine(collection, QuotingGenerator(collection, quoting_model))

    async def use(asked: AsyncEngine) -> None:
        answer = await asked.ask(BEES, max_error=0.4, explain=True)
        assert answer.to_json() | {"timings_ms": {}} == engine.ask(BEES, max_error=0.4, explain=True).to_json() | {
            "timings_ms": {}
        }
        assert answer.text == "A hive holds up to sixty thousand bees."
        assert await asked.search("tea", 2, mode="words", filters=["source=*.md"], explain=True) == engine.search(
            "tea", 2, mode="words", filters=["source=*.md"], explain=True
        )
        follow = await asked.ask("And is black tea?", history=["At what heat is green tea steeped?"], form="fact")
        assert follow.read_as == engine.ask("And is black tea?", history=["At what heat is green tea steeped?"]).read_as
        assert follow.read_as not in ("", follow.question)
        many = await asked.ask_many([BEES, "When does the library open?"], k=3)
        assert [each.text for each in many] == [each.text for each in engine.ask_many([e.question for e in many], k=3)]

    run(engine, use)


def test_the_loop_goes_on_while_an_answer_is_made(collection: Collection) -> None:
    generator = Waiting()

    async def use(asked: AsyncEngine) -> None:
        asking = asyncio.create_task(asked.ask(BEES))
        await until(lambda: bool(generator.asked))  # it works, in its thread, and we are here
        assert not asking.done()
        generator.let.set()
        assert (await asking).answered

    run(Engine(collection, generator), use)


def test_who_is_cancelled_while_he_waits_is_never_served(collection: Collection) -> None:
    generator = Waiting()

    async def use(asked: AsyncEngine) -> None:
        first = asyncio.create_task(asked.ask(BEES))
        await until(lambda: bool(generator.asked))
        second = asyncio.create_task(asked.ask("Who waits?"))
        listener = asyncio.create_task(anext(asked.stream("Who listens?")))
        await asyncio.sleep(0)
        for task in (second, listener):
            task.cancel()
        for task in (second, listener):
            with pytest.raises(asyncio.CancelledError):
                await task
        generator.let.set()
        await first

    run(Engine(collection, generator), use, threads=1)
    assert generator.asked == [BEES]


def test_the_events_are_those_of_the_engine(collection: Collection) -> None:
    async def use(asked: AsyncEngine) -> list[Any]:
        return [event async for event in asked.stream(BEES, k=2)]

    found, *writings, answer = run(Engine(collection, Writes()), use)
    assert isinstance(found, Found)
    assert len(found.passages) == 2
    assert writings == [Writing("so "), Writing("many")]
    assert isinstance(answer, Answer)
    assert (answer.text, answer.unsupported) == ("so many", ((0, 7),))


def test_an_abandoned_stream_stops_the_model(collection: Collection) -> None:
    generator = Endless()

    async def use(asked: AsyncEngine) -> None:
        async with contextlib.aclosing(asked.stream(BEES)) as events:
            async for event in events:
                if isinstance(event, Writing):
                    break
        await asyncio.to_thread(generator.stopped.wait, 10)

    run(Engine(collection, generator), use)
    assert generator.stopped.is_set()


def test_a_cancelled_listener_stops_the_model(collection: Collection) -> None:
    generator = Endless()

    async def use(asked: AsyncEngine) -> None:
        heard: list[Any] = []

        async def listen() -> None:
            async with contextlib.aclosing(asked.stream(BEES)) as events:
                async for event in events:
                    heard.append(event)

        listening = asyncio.create_task(listen())
        await until(lambda: len(heard) > 2)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        assert await asyncio.to_thread(generator.stopped.wait, 10)

    run(Engine(collection, generator), use)


def test_a_model_that_fails_is_told_of_between_the_events(collection: Collection) -> None:
    async def use(asked: AsyncEngine) -> None:
        events = asked.stream(BEES)
        assert isinstance(await anext(events), Found)
        assert await anext(events) == Writing("Well")
        with pytest.raises(GeneratorError, match="The model has gone"):
            await anext(events)

    run(Engine(collection, Failing()), use)


def test_what_cannot_be_asked_is_told_as_by_the_engine(collection: Collection, tmp_path: Path) -> None:
    async def empty(asked: AsyncEngine) -> None:
        with pytest.raises(UsageError, match="holds no word"):
            await asked.ask("  ")
        with pytest.raises(UsageError, match="holds no word"):
            await anext(asked.stream("  "))

    async def missing(asked: AsyncEngine) -> None:
        with pytest.raises(NotFound, match="There is no collection 'none'"):
            await asked.search("anything")

    run(Engine(collection, Waiting()), empty)
    run(Engine(Collection("none", tmp_path, encoder=WordEncoder()), Waiting()), missing)


def test_closing_lets_what_was_asked_be_answered(collection: Collection) -> None:
    generator = Waiting()

    async def main() -> None:
        engine = AsyncEngine(Engine(collection, generator), threads=1)
        asked = [asyncio.create_task(engine.ask(question)) for question in (BEES, "Who waits?")]
        await until(lambda: bool(generator.asked))
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0.01)
        assert not closing.done()
        generator.let.set()
        await closing
        assert [(await each).question for each in asked] == [BEES, "Who waits?"]
        with pytest.raises(RuntimeError, match="after shutdown"):
            await engine.ask(BEES)

    asyncio.run(main())


def test_the_thread_sees_the_context_of_the_task(collection: Collection) -> None:
    from contextvars import ContextVar

    trace: ContextVar[str] = ContextVar("trace", default="none")
    seen: list[str] = []

    class Looking(Waiting):
        def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
            seen.append(trace.get())
            return Draft((), 0.0)

    async def use(asked: AsyncEngine) -> None:
        trace.set("of this request")
        await asked.ask(BEES)
        async for _ in asked.stream(BEES):
            pass

    run(Engine(collection, Looking()), use)
    assert seen == ["of this request"] * 2
