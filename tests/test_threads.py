"""One engine and one collection in several threads: the same answers as alone, also while another thread changes it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.errors import Busy
from rag import Answer, Engine, Given
from rag.quoting.generator import QuotingGenerator
from tests.worlds import PASSAGES, WordEncoder, collection_of

THREADS = 6
QUESTIONS = (
    "How many bees does a hive hold?",
    "When does the library open?",
    "At what heat is green tea steeped?",
    "How long may books be borrowed?",
)


def said(answer: Answer) -> tuple[object, ...]:
    return (answer.question, answer.text, answer.confidence, answer.citations, answer.passages, answer.generation)


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return collection_of(tmp_path)


def test_many_threads_are_answered_as_one_is(collection: Collection, quoting_model: Path) -> None:
    """The first questions come at once to an engine that has opened nothing yet."""
    alone = Engine(Collection("world", collection.home, encoder=WordEncoder()))
    alone = Engine(alone.collection, QuotingGenerator(alone.collection, quoting_model))
    expected = {question: said(alone.ask(question, max_error=0.4)) for question in QUESTIONS}
    fresh = Collection("world", collection.home, encoder=WordEncoder())
    engine = Engine(fresh, QuotingGenerator(fresh, quoting_model))
    together = threading.Barrier(THREADS)

    def ask(first: int) -> list[tuple[object, ...]]:
        together.wait(30)
        return [said(engine.ask(each, max_error=0.4)) for each in islice(cycle(QUESTIONS), first, first + 8)]

    with ThreadPoolExecutor(THREADS) as pool:
        for answers in pool.map(ask, range(THREADS)):
            assert answers == [expected[str(answer[0])] for answer in answers]


def test_searching_counting_and_reading_go_on_at_once(collection: Collection) -> None:
    engine = Engine(collection)
    searched, status, listed = engine.search("tea"), collection.status(), collection.documents()
    text = collection.document("bees.txt").text

    def use(turn: int) -> bool:
        match turn % 4:
            case 0:
                return engine.search("tea") == searched
            case 1:
                return collection.status() == status
            case 2:
                return collection.documents() == listed
            case _:
                return collection.document("bees.txt").text == text

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(use, range(48)))


def test_each_answer_comes_from_one_state_while_another_thread_changes_the_collection(
    collection: Collection, quoting_model: Path
) -> None:
    """What is added says in its text in which generation it came: never may a search mix two, nor see one half."""
    engine = Engine(collection, QuotingGenerator(collection, quoting_model))
    writer = Collection("world", collection.home, encoder=WordEncoder())
    stop = threading.Event()

    def change() -> None:
        for turn in range(12):
            writer.add([Given(f"{side}", f"The comet returned in year {turn}.") for side in ("left", "right")])
        stop.set()

    def ask() -> int:
        asked = 0
        while not stop.is_set():
            found = engine.search("comet returned year", 10)
            years = {passage.source: passage.text for passage in found if passage.source in ("left", "right")}
            twins = {passage.source: passage.also_in for passage in found}
            assert not years or len(years) == 2 or any(twins[source] for source in years)
            assert len(set(years.values())) <= 1
            asked += 1
        return asked

    with ThreadPoolExecutor(THREADS) as pool:
        asking = [pool.submit(ask) for _ in range(THREADS - 1)]
        changing = pool.submit(change)
        changing.result(60)
        assert sum(each.result(60) for each in asking) > 0
    (newest,) = {
        passage.text for passage in engine.search("comet returned year") if passage.source in ("left", "right")
    }
    assert newest == "The comet returned in year 11."


def test_of_two_threads_that_change_a_collection_one_is_told_to_wait(collection: Collection) -> None:
    """Whoever was told Busy has changed nothing; whoever was not has changed everything."""
    together = threading.Barrier(THREADS)

    def add(number: int) -> bool:
        together.wait(30)
        try:
            collection.add([Given(f"note-{number}-{part}", f"Note {number}, part {part}.") for part in range(20)])
        except Busy:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(add, range(THREADS)))
    assert any(done)
    stored = {entry.source for entry in collection.documents() if entry.origin == "given"}
    assert stored == {f"note-{number}-{part}" for number in range(THREADS) if done[number] for part in range(20)}
    assert len(collection.documents()) == len(PASSAGES) + len(stored)


def test_closing_a_collection_hurts_nobody_who_uses_it(collection: Collection) -> None:
    engine = Engine(collection)
    expected = engine.search("tea")

    def use(turn: int) -> bool:
        if turn % 5 == 0:
            collection.close()
            return True
        return engine.search("tea") == expected

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(use, range(60)))
