"""The handbook and its questions: that they are whole, that each answer stands in the text, and that it is found."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from rag import Engine
from tests.conftest import new_home

CORPORA = Path(__file__).parent.parent / "corpora"
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (CORPORA / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]
KINDS = Counter(question["kind"] for question in QUESTIONS)


@pytest.fixture(scope="session")
def handbook(tmp_path_factory: pytest.TempPathFactory, converted: Path) -> Collection:
    """The handbook, indexed with the default encoder."""
    collection = Collection("handbook", new_home(tmp_path_factory.mktemp("handbook") / "home", converted))
    report = collection.sync([CORPORA])
    assert report.skipped == ()
    return collection


def collapsed(text: str) -> str:
    return " ".join(text.split())


def test_there_are_enough_questions_of_every_kind() -> None:
    assert len(QUESTIONS) >= 300
    assert set(KINDS) == {"direct", "paraphrase", "two-passage", "unanswerable"}
    assert KINDS["unanswerable"] >= 60
    assert KINDS["two-passage"] >= 40
    assert KINDS["paraphrase"] >= 40


def test_every_question_is_asked_once() -> None:
    assert max(Counter(question["id"] for question in QUESTIONS).values()) == 1
    assert max(Counter(question["question"].casefold() for question in QUESTIONS).values()) == 1


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_a_question_has_what_its_kind_needs(question: dict[str, Any]) -> None:
    assert set(question) == {"id", "question", "answers", "answerable", "kind", "evidence"}
    assert question["answerable"] == (question["kind"] != "unanswerable")
    assert bool(question["answers"]) == question["answerable"]
    assert all(answer.strip() == answer != "" for answer in question["answers"])
    wanted = {"unanswerable": 0, "two-passage": 2}.get(question["kind"], 1)
    assert len(question["evidence"]) >= wanted if wanted else question["evidence"] == []
    for evidence in question["evidence"]:
        assert set(evidence) == {"source", "quote"}
        assert (CORPORA / evidence["source"]).is_file()


def test_there_are_sixty_documents_in_many_formats(handbook: Collection) -> None:
    status = handbook.status()
    assert status.documents >= 60
    assert {"markdown", "html", "pdf", "docx", "csv", "notebook"} <= set(status.formats)
    words = sum(len(handbook.document(entry.source).text.split()) for entry in handbook.documents())
    assert words >= 55_000


def test_the_questions_are_not_indexed_with_the_documents(handbook: Collection) -> None:
    assert not any(Path(entry.source).name in ("questions.jsonl", "README.md") for entry in handbook.documents())


def test_every_quote_occurs_in_the_stored_text_of_its_source(handbook: Collection) -> None:
    texts = {entry.source: collapsed(handbook.document(entry.source).text) for entry in handbook.documents()}
    missing = [
        (question["id"], evidence["quote"])
        for question in QUESTIONS
        for evidence in question["evidence"]
        if collapsed(evidence["quote"]) not in texts[str(CORPORA / evidence["source"])]
    ]
    assert missing == []


def test_every_link_between_documents_resolves() -> None:
    broken = []
    for path in CORPORA.rglob("*.md"):
        text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" not in target and not target.startswith(("#", "mailto:")):
                file = (path.parent / target.split("#")[0]).resolve()
                if not (file.is_file() and file.is_relative_to(CORPORA)):
                    broken.append((path.name, target))
    assert broken == []


def recall(handbook: Collection, questions: list[dict[str, Any]], k: int = 5) -> float:
    """Return which share of the questions' gold sources are among the sources of the `k` best passages, on average."""
    engine = Engine(handbook)
    total = 0.0
    for question in questions:
        gold = {str(CORPORA / evidence["source"]) for evidence in question["evidence"]}
        found = {
            each for passage in engine.search(question["question"], k) for each in (passage.source, *passage.also_in)
        }
        total += len(gold & found) / len(gold)
    return total / len(questions)


def test_the_gold_sources_are_among_the_five_best(handbook: Collection) -> None:
    answerable = [question for question in QUESTIONS if question["answerable"]]
    assert recall(handbook, answerable) >= 0.90


def test_questions_in_other_words_are_not_found_less_often_than_they_were(handbook: Collection) -> None:
    """Measured 0.63 when this was written: what is said in other words is where retrieval must still learn."""
    assert recall(handbook, [question for question in QUESTIONS if question["kind"] == "paraphrase"]) >= 0.60
