import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from indexer.collection import Collection
from indexer.errors import GeneratorError, NotFound, UsageError
from rag import Answer, Engine, Found, Passage, Writing
from rag.generator import Draft, Generator, Streaming, Words, Written, drafted
from rag.types import Event
from rag.writing.drafting import draft_of, threshold
from rag.writing.endpoint_generator import EndpointGenerator
from tests.chat_server import Request, serving
from tests.test_engine import Drafting
from tests.worlds import WordEncoder, collection_of

QUESTION = "At what heat is green tea steeped?"
SAYS = ("Green tea is", " steeped at eighty degrees [9].", " It is", " cheap.")
ANSWER = "Green tea is steeped at eighty degrees. It is cheap."


@dataclass
class Telling:
    """A generator that writes `says`, piece by piece, then fails when it is told to, and notes how far it came."""

    says: Sequence[str] = SAYS
    error: Exception | None = None
    name: str = "telling"
    written: list[str] = field(default_factory=list)
    closed: bool = False

    def threshold(self, max_error: float | None) -> float:
        return threshold(self.name, max_error)

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        return drafted(self.stream(question, passages))

    def stream(self, question: str, passages: Sequence[Passage]) -> Words:
        try:
            for text in self.says:
                self.written.append(text)
                yield text
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True
        return draft_of("".join(self.says), question, passages)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collection_of(tmp_path_factory.mktemp("world"))


def events(collection: Collection, generator: Generator, question: str = QUESTION) -> list[Event]:
    return list(Engine(collection, generator).stream(question))


def test_first_come_the_passages_then_the_text_and_at_last_the_answer(collection: Collection) -> None:
    assert isinstance(Telling(), Streaming)
    found, *writings, answer = events(collection, Telling())
    assert isinstance(found, Found)
    assert isinstance(answer, Answer)
    assert writings == [Writing(text) for text in SAYS]
    assert found.passages == answer.passages
    assert answer.text == ANSWER
    assert [answer.text[slice(*span)] for span in answer.unsupported] == ["It is cheap."]
    (citation,) = answer.citations
    assert citation.quote == "Green tea is steeped at eighty degrees."


@pytest.mark.parametrize(
    "generator",
    [Telling(), Telling(("The passages do not say.",)), Telling(()), Drafting((Written("Yes."),)), Drafting()],
    ids=["answers", "refuses", "is silent", "does not stream", "does not stream and refuses"],
)
def test_the_last_event_is_what_ask_returns(collection: Collection, generator: Generator) -> None:
    engine = Engine(collection, generator)
    options = {"k": 2, "filters": ["source=*.md"], "explain": True}
    *_, answer = engine.stream(QUESTION, **options)  # type: ignore[arg-type]
    asked = engine.ask(QUESTION, **options)  # type: ignore[arg-type]
    assert isinstance(answer, Answer)
    assert replace(answer, timings_ms={}) == replace(asked, timings_ms={})
    assert list(answer.timings_ms) == list(asked.timings_ms)
    assert len(answer.passages) == 2


def test_a_generator_that_does_not_stream_gives_passages_and_answer(collection: Collection) -> None:
    found, answer = events(collection, Drafting((Written("Yes."),)))
    assert isinstance(found, Found)
    assert isinstance(answer, Answer)
    assert answer.text == "Yes."


def test_what_was_written_is_withdrawn_when_the_passages_do_not_bear_it_out(collection: Collection) -> None:
    *_, writing, answer = events(collection, Telling(("It is steeped at 95 degrees.",)))
    assert writing == Writing("It is steeped at 95 degrees.")
    assert isinstance(answer, Answer)
    assert (answer.answered, answer.text, answer.citations) == (False, "", ())


def test_nothing_is_written_before_the_passages_were_taken(collection: Collection) -> None:
    generator = Telling()
    stream = Engine(collection, generator).stream(QUESTION)
    assert isinstance(next(stream), Found)
    assert generator.written == []
    assert next(stream) == Writing(SAYS[0])
    assert generator.written == [SAYS[0]]


@pytest.mark.parametrize("taken", [2, 3])
def test_closing_the_stream_ends_the_writing(collection: Collection, taken: int) -> None:
    generator = Telling()
    stream = Engine(collection, generator).stream(QUESTION)
    for _ in range(taken):
        next(stream)
    assert not generator.closed
    stream.close()
    assert generator.closed
    assert generator.written == list(SAYS[: taken - 1])
    assert list(stream) == []


def test_a_stream_that_is_closed_before_the_writing_asks_no_model(collection: Collection) -> None:
    generator = Telling()
    for taken in (0, 1):
        stream = Engine(collection, generator).stream(QUESTION)
        for _ in range(taken):
            next(stream)
        stream.close()
    assert generator.written == []


def test_an_error_in_the_middle_comes_behind_what_was_written_before_it(collection: Collection) -> None:
    generator = Telling(SAYS[:2], GeneratorError("The server hung up.", "Ask again."))
    stream = Engine(collection, generator).stream(QUESTION)
    assert [type(next(stream)) for _ in range(3)] == [Found, Writing, Writing]
    with pytest.raises(GeneratorError, match="The server hung up"):
        next(stream)
    assert list(stream) == []
    assert generator.closed


@pytest.mark.parametrize(("question", "share"), [("?!", None), (QUESTION, 2.0), (QUESTION, 0.1)])
def test_what_cannot_be_asked_is_refused_before_the_first_event(
    collection: Collection, question: str, share: float | None
) -> None:
    with pytest.raises(UsageError, match=r"no word|between 0 and 1|not calibrated"):
        Engine(collection, Telling()).stream(question, max_error=share)


def test_a_collection_that_is_not_there_is_told_before_the_first_event(collection: Collection) -> None:
    with pytest.raises(NotFound, match="There is no collection 'nothing'"):
        Engine(Collection("nothing", collection.home, WordEncoder()), Telling()).stream(QUESTION)


def test_when_nothing_is_found_there_is_nothing_to_write(collection: Collection) -> None:
    found, answer = Engine(collection, EndpointGenerator("http://127.0.0.1:9/v1")).stream(
        QUESTION, filters=["source=nothing.md"]
    )
    assert found == Found(())
    assert isinstance(answer, Answer)
    assert not answer.answered


@contextmanager
def halting(free: threading.Event) -> Iterator[str]:
    """Serve a model that halts after its first words until `free` is set."""

    def answer(request: Request) -> None:
        request.stream(SAYS[:1], ends=False)
        assert free.wait(20)
        for text in SAYS[1:] * 100:
            request.event({"choices": [{"delta": {"content": text}}]})

    with serving(answer) as server:
        yield server.address
        assert server.gone.wait(20)


def test_text_arrives_while_the_model_writes_and_a_listener_who_goes_ends_it(collection: Collection) -> None:
    free = threading.Event()
    with halting(free) as address:
        stream = Engine(collection, address).stream(QUESTION)
        next(stream)
        assert next(stream) == Writing(SAYS[0])
        stream.close()
        free.set()
