"""Many questions at once get the answers that each gets alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.collection import Collection
from indexer.errors import NotFound, UsageError
from indexer.types import Vectors
from rag.engine import TOGETHER, Engine
from rag.generator import Batching, Copied, Draft, drafts
from rag.quoting.generator import QuotingGenerator
from rag.types import Answer, Passage
from tests.answers import passage
from tests.worlds import PASSAGES, CountingEncoder, article, collection_of

QUESTIONS = (
    "How many bees does a hive hold?",
    "When does the library open?",
    "At what heat is green tea steeped?",
    "Where do bees dance?",
    "Who won the football cup?",
    "How long may books be borrowed?",
    "What does the pump move in a minute?",
    "Tell me of amber3 and basalt5!",
)


@dataclass
class Batched:
    """Drafts the first character of the first passage, and remembers how many questions came at once."""

    sizes: list[int] = field(default_factory=list)
    name: str = "batched"

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        return self.generate_many([question], [passages])[0]

    def generate_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        self.sizes.append(len(questions))
        return [Draft((Copied(0, 0, 1),) if read else (), 0.9) for read in passages]

    def threshold(self, max_error: float | None) -> float:
        return 0.5 if max_error is None else 1 - max_error


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    passages = {**PASSAGES, "long.md": article("stones", 40)}
    return collection_of(tmp_path_factory.mktemp("world"), passages, encoder=CountingEncoder())


@pytest.fixture(scope="module")
def quoting(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Engine:
    return Engine(collection, QuotingGenerator(collection))


def untimed(answers: Sequence[Answer]) -> list[Answer]:
    return [replace(answer, timings_ms={}) for answer in answers]


def test_each_answer_is_the_one_that_asking_alone_gives(quoting: Engine) -> None:
    assert untimed(quoting.ask_many(QUESTIONS)) == untimed([quoting.ask(question) for question in QUESTIONS])


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    questions=st.lists(
        st.sampled_from(QUESTIONS) | st.text("abehilmnopstuy ", min_size=1).map("b{}".format), max_size=9
    ),
    k=st.integers(1, 7),
    max_error=st.none() | st.sampled_from([0.05, 0.2, 0.5]),
)
def test_whatever_is_asked_together_is_answered_as_alone(
    quoting: Engine, questions: list[str], k: int, max_error: float | None
) -> None:
    together = quoting.ask_many(questions, k, max_error=max_error)
    assert untimed(together) == untimed([quoting.ask(question, k, max_error=max_error) for question in questions])


def test_filters_hold_for_all(quoting: Engine) -> None:
    answers = quoting.ask_many(QUESTIONS, filters=["source=*tea.md"])
    assert untimed(answers) == untimed([quoting.ask(each, filters=["source=*tea.md"]) for each in QUESTIONS])
    assert {Path(each.source).name for answer in answers for each in answer.passages} == {"tea.md"}


def test_a_generator_that_can_is_handed_many_and_no_more_than_fit(collection: Collection) -> None:
    generator = Batched()
    answers = Engine(collection, generator).ask_many(["bees?"] * (TOGETHER + 3))
    assert generator.sizes == [TOGETHER, 3]
    assert [answer.answered for answer in answers] == [True] * (TOGETHER + 3)


def test_questions_are_embedded_together(collection: Collection) -> None:
    encoder = collection.encoder
    assert isinstance(encoder, CountingEncoder)
    calls: list[int] = []

    class Noting(CountingEncoder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            calls.append(len(texts))
            return encoder.embed_queries(texts)

    other = Collection(collection.name, collection.home, Noting())
    Engine(other, Batched()).ask_many(QUESTIONS)
    assert calls == [len(QUESTIONS)]


def test_no_questions_have_no_answers(quoting: Engine) -> None:
    assert quoting.ask_many([]) == []


def test_a_question_without_a_word_stops_them_all_before_any_is_asked(collection: Collection) -> None:
    generator = Batched()
    with pytest.raises(UsageError, match="The question holds no word"):
        Engine(collection, generator).ask_many(["bees?", "?!"])
    assert generator.sizes == []


def test_a_collection_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no collection"):
        Engine(Collection("absent", tmp_path), Batched()).ask_many(["bees?"])


def test_the_time_that_questions_took_together_is_shared_out(collection: Collection) -> None:
    answers = Engine(collection, Batched()).ask_many(QUESTIONS)
    assert [answer.timings_ms for answer in answers] == [answers[0].timings_ms] * len(QUESTIONS)
    assert list(answers[0].timings_ms) == ["load", "embed", "retrieve", "open", "generate", "cite"]


def test_drafts_are_made_one_by_one_where_the_generator_knows_no_other_way() -> None:
    class Single:
        name = "single"

        def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
            return Draft((), len(question) / 100)

        def threshold(self, max_error: float | None) -> float:
            return 0.5

    assert not isinstance(Single(), Batching)
    assert [draft.confidence for draft in drafts(Single(), ["a", "bc"], [[], []])] == [0.01, 0.02]


def test_many_searches_find_what_each_finds_alone(collection: Collection) -> None:
    engine = Engine(collection, Batched())
    for mode in ("hybrid", "dense", "words"):
        found = engine.search_many(QUESTIONS, 3, mode=mode, explain=True)
        assert found == [engine.search(question, 3, mode=mode, explain=True) for question in QUESTIONS]
    assert engine.search_many([]) == []


def test_questions_may_be_read_in_one_go_and_answered_in_another(collection: Collection) -> None:
    engine = Engine(collection, generator := Batched())
    readings = engine.read_many(QUESTIONS[:2]) + engine.read_many(QUESTIONS[2:])
    answers = engine.answer_many(readings)
    assert generator.sizes == [len(QUESTIONS)]
    assert [replace(each, timings_ms={}) for each in answers] == [
        replace(engine.ask(question), timings_ms={}) for question in QUESTIONS
    ]
    assert set(answers[0].timings_ms) == {"load", "embed", "retrieve", "open", "generate", "cite"}
    assert list(engine.listen(readings[3]))[-1].text == answers[3].text  # type: ignore[union-attr]


def test_a_sentence_that_several_questions_have_before_them_is_embedded_once() -> None:
    encoder = CountingEncoder()

    class World:
        def __init__(self) -> None:
            self.encoder = encoder

    tea = passage("Green tea is steeped at eighty degrees. Black tea takes boiling water.")
    generator = QuotingGenerator(World())  # type: ignore[arg-type]
    generator.generate_many(["How hot is tea?", "What takes water?", "Is there tea?"], [[tea], [tea], []])
    assert len([text for text in encoder.read if text.startswith("Green tea")]) == 1
