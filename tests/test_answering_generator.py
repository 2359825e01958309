"""Answering end to end: a small collection, the encoder and the reader that ship, and an answer in each form."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.errors import UsageError
from rag import Engine, verify
from rag.answering.generator import AnsweringGenerator
from rag.answering.weighing import Models
from rag.generator import Batching, Forming
from rag.types import FORMS, Answer, Form
from tests.conftest import new_home
from tests.worlds import write_folder

pytestmark = pytest.mark.slow

PAGES = {
    "mill.md": """# The old mill

Author: Petra Holm
Date: 2021-04-05

The mill on the Aune was built in 1911 by the brothers Lind. It grinds rye and spelt. It is closed in winter because the
race freezes over.

## Opening the sluice

1. Take the brake off the wheel.
2. Turn the handle twelve times.
3. Lock the handle with its pin.
""",
    "ferry.md": """# The ferry

Author: Jon Berg

The ferry crosses the lake every hour from May to September. Dogs may come aboard on a lead. Smoking is not allowed on
the ferry.

| ticket | price |
|---|---|
| adult | 8 crowns |
| child | 3 crowns |
""",
    "weir.md": """# The weir

Author: Petra Holm

A weir is a low wall across a river that raises the water behind it. A sluice is a gate that can be opened to let water
through.
""",
    "tools.md": """# Tools of the mill

The tools that a miller keeps at hand are:

- a mill bill
- an oil can
- a goose feather

They hang beside the door.
""",
}
FERRIES = {
    "fares-2021.md": "# Fares of 2021\n\nThe fare for one person is 8 crowns.\n",
    "fares-2022.md": "# Fares of 2022\n\nThe fare for one person is 9 crowns.\n",
}


@pytest.fixture(scope="module")
def home(converted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_home(tmp_path_factory.mktemp("answering") / "home", converted)


@pytest.fixture(scope="module")
def engine(home: Path) -> Engine:
    collection = Collection("world", home)
    collection.sync([write_folder(home / "files", PAGES)])
    return Engine(collection)


def ask(engine: Engine, question: str, **options: object) -> Answer:
    """Return the answer to a question, of which every word has been checked against the sources."""
    answer = engine.ask(question, **options)  # type: ignore[arg-type]
    verdict = verify(json.loads(json.dumps(answer.to_json())), engine.collection.home)
    assert verdict.holds, verdict.proves
    return answer


@pytest.mark.parametrize(
    ("question", "form", "text"),
    [
        ("When was the mill built?", "fact", "1911"),
        ("What is the price of a child ticket?", "fact", "3 crowns"),
        ("May dogs come aboard?", "yes-no", "Yes. Dogs may come aboard on a lead."),
        ("Is smoking allowed on the ferry?", "yes-no", "No. Smoking is not allowed on the ferry."),
        (
            "Which documents did Petra Holm write?",
            "count",
            "2 of 4 documents:\nThe old mill: Author: Petra Holm\nThe weir: Author: Petra Holm",
        ),
    ],
)
def test_one_thing_is_answered_with_it_alone(engine: Engine, question: str, form: Form, text: str) -> None:
    answer = ask(engine, question)
    assert (answer.outcome, answer.form, answer.text) == ("answer", form, text)


@pytest.mark.parametrize(
    ("question", "form", "held"),
    [
        (
            "What are the tools of a miller?",
            "list",
            "The tools that a miller keeps at hand are:\n- a mill bill\n- an oil can\n- a goose feather",
        ),
        (
            "How do I open the sluice?",
            "steps",
            "1. Take the brake off the wheel.\n2. Turn the handle twelve times.\n3. Lock the handle with its pin.",
        ),
        ("What is a weir?", "explanation", "A weir is a low wall across a river that raises the water behind it."),
        ("Why is the mill closed in winter?", "explanation", "It is closed in winter because the"),
        ("What is The old mill about?", "overview", "The mill on the Aune was built in 1911 by the brothers Lind."),
        ("What is the difference between a weir and a sluice?", "comparison", "A sluice is a gate that can be opened"),
    ],
)  # fmt: skip
def test_what_takes_more_is_shown_as_it_stands(engine: Engine, question: str, form: Form, held: str) -> None:
    answer = ask(engine, question)
    assert (answer.outcome, answer.form) == ("answer", form)
    assert held in answer.text
    assert len(answer.text) <= 1600


def test_a_field_answers_who_wrote_it(engine: Engine) -> None:
    answer = ask(engine, "Who wrote The ferry?")
    assert (answer.outcome, answer.text) == ("answer", "Jon Berg")
    assert answer.citations[0].quote == "Author: Jon Berg"


def test_a_count_says_how_many_documents_it_looked_at(engine: Engine) -> None:
    answer = ask(engine, "How many documents are by Jon Berg?")
    assert answer.documents == 4
    assert answer.text == "1 of 4 documents:\nThe ferry: Author: Jon Berg"
    assert [Path(citation.source).name for citation in answer.citations] == ["ferry.md"]


def test_the_newest_of_two_is_answered_and_the_other_is_cited(home: Path) -> None:
    collection = Collection("fares", home)
    collection.sync([write_folder(home / "fares", FERRIES)])
    answer = ask(Engine(collection), "What is the fare for one person?")
    assert (answer.form, answer.text) == ("conflict", "9 crowns")
    assert [citation.quote for citation in answer.citations] == [
        "The fare for one person is 9 crowns.",
        "The fare for one person is 8 crowns.",
    ]


@pytest.mark.parametrize("question", ["What is the capital of Peru?", "Who won the cup of 1998?", "xyzzy plugh"])
def test_an_unrelated_question_gets_nothing(engine: Engine, question: str) -> None:
    answer = ask(engine, question)
    assert (answer.outcome, answer.text, answer.citations) == ("none", "", ())
    assert answer.passages  # what was read is shown all the same


@pytest.mark.parametrize("form", FORMS)
def test_any_form_can_be_asked_for(engine: Engine, form: Form) -> None:
    answer = ask(engine, "When was the mill built?", form=form)
    assert "1911" in answer.text + "".join(citation.quote for citation in answer.citations)


def test_the_form_that_is_asked_for_is_answered_in(engine: Engine) -> None:
    assert ask(engine, "When was the mill built?", form="explanation").form == "explanation"
    assert ask(engine, "What is a weir?", form="fact").form == "fact"


def test_a_stricter_limit_makes_it_unsure_and_shows_the_same(engine: Engine) -> None:
    question = "When was the mill built?"
    sure, unsure = ask(engine, question, max_error=0.3), ask(engine, question, max_error=0.0001)
    assert (sure.outcome, unsure.outcome) == ("answer", "unsure")
    assert (sure.text, sure.confidence, sure.citations) == (unsure.text, unsure.confidence, unsure.citations)
    with pytest.raises(UsageError, match="must lie between 0 and 1"):
        ask(engine, question, max_error=1.0)


def test_what_a_question_leaves_out_is_taken_from_the_one_before(engine: Engine) -> None:
    answer = ask(engine, "And may dogs come aboard?", history=["Is smoking allowed on the ferry?"])
    assert answer.text == "Yes. Dogs may come aboard on a lead."
    answer = ask(engine, "And who built it?", history=["When was the mill built?"])
    assert answer.read_as == "who built the mill?"
    assert answer.text == "the brothers Lind"


def test_many_questions_get_the_answers_of_each(engine: Engine) -> None:
    questions = ["When was the mill built?", "What is a weir?", "What is the capital of Peru?", "May dogs come aboard?"]
    alone = [engine.ask(question) for question in questions]
    together = engine.ask_many(questions)
    assert [each.text for each in together] == [each.text for each in alone]
    assert [each.outcome for each in together] == [each.outcome for each in alone]
    assert [each.confidence for each in together] == pytest.approx([each.confidence for each in alone], abs=0.02)


def test_many_threads_get_the_same_answer(engine: Engine) -> None:
    expected = engine.ask("When was the mill built?")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(engine.ask, ["When was the mill built?"] * 8))
    assert {(each.text, each.outcome) for each in found} == {(expected.text, expected.outcome)}


def test_of_two_equal_worlds_the_answers_are_equal(engine: Engine, home: Path) -> None:
    again = Collection("again", home)
    again.sync([home / "files"])
    for question in ("What is a weir?", "Which documents did Petra Holm write?"):
        one, other = engine.ask(question), Engine(again).ask(question)
        assert (one.text, one.confidence) == (other.text, other.confidence)


def test_an_empty_collection_answers_nothing(home: Path) -> None:
    empty = Collection("empty", home)
    empty.sync([write_folder(home / "void", {"void.md": "---\n"})])
    for question in ("What is a weir?", "Which documents are by Jon Berg?", "What is it about?"):
        assert Engine(empty).ask(question).outcome == "none"


def test_it_batches_and_takes_forms(engine: Engine) -> None:
    assert isinstance(engine.generator, AnsweringGenerator)
    assert isinstance(engine.generator, Batching)
    assert isinstance(engine.generator, Forming)
    assert engine.generator.name == "copying"


# The models


def test_the_threshold_is_the_least_confidence_at_which_few_enough_are_wrong() -> None:
    rows = [
        {"coverage": 0.2, "threshold": 0.9, "error": 0.0},
        {"coverage": 0.6, "threshold": 0.5, "error": 0.1},
        {"coverage": 1.0, "threshold": 0.0, "error": 0.3},
    ]
    models = Models({"threshold": 0.55, "risk_coverage": rows, "shown": {"fitted_on": {"questions": 1000}}})
    assert models.threshold(None) == 0.55
    assert [models.threshold(error) for error in (0.31, 0.2, 0.11, 0.05)] == [0.0, 0.5, 0.5, 0.9]
    assert models.threshold(0.001) == math.inf, "no error in 200 answers is no promise of one in a thousand"
    assert models.closest == 0.0


def test_the_confidence_is_a_logistic_function_of_the_signals() -> None:
    models = Models({"shown": {"bias": -1.0, "weights": {"words": 2.0, "cosine": 1.0}}})
    assert models.confidence({"words": 0.5, "cosine": 0.0, "other": 9.0}) == 0.5
    assert models.confidence({"words": 1.0, "cosine": 0.0}) == pytest.approx(0.7310586)  # 1 / (1 + exp(-1))
    assert Models({"shown": {}}).confidence({}) == 0.0
