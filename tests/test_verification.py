import copy
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from indexer.errors import UsageError
from indexer.sync import Given
from rag import Check, Engine, verify
from rag.quoting.generator import QuotingGenerator
from tests.worlds import WordEncoder, collection_of

QUESTION = "How many bees does a hive hold?"


@pytest.fixture
def world(tmp_path: Path) -> Collection:
    return collection_of(tmp_path)


def answer_of(collection: Collection, model: Path, question: str = QUESTION) -> dict[str, Any]:
    """Return an answer as `ask --json` prints it and a program reads it back."""
    answer = Engine(collection, QuotingGenerator(collection, model)).ask(question)
    assert answer.answered
    loaded: dict[str, Any] = json.loads(json.dumps(answer.to_json()))
    return loaded


def reason(answer: dict[str, Any], home: Path) -> str:
    (check,) = verify(answer, home)
    assert not check.holds
    return check.reason


def test_a_fresh_answer_holds(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    source = answer["citations"][0]["source"]
    assert verify(answer, world.home) == [Check(1, source, True, "")]


def test_it_holds_without_the_collection(world: Collection, quoting_model: Path, tmp_path: Path) -> None:
    """Only the source itself is read: an answer can be checked where nothing was ever indexed."""
    answer = answer_of(world, quoting_model)
    assert verify(answer, tmp_path / "nowhere")[0].holds


def test_one_changed_byte_far_from_the_quote_fails(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    path = Path(answer["citations"][0]["source"])
    path.write_bytes(path.read_bytes().replace(b"Bees dance", b"Bees Dance"))
    assert reason(answer, world.home) == "the source has changed since it was indexed; the quote still occurs in it"


def test_a_changed_quote_in_the_source_fails(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    path = Path(answer["citations"][0]["source"])
    path.write_bytes(path.read_bytes().replace(b"sixty", b"forty"))
    assert reason(answer, world.home) == "the source has changed since it was indexed; the quote is no longer in it"


def test_only_the_citation_of_the_changed_source_fails(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    tea = answer_of(world, quoting_model, "At what heat is green tea steeped?")
    answer["citations"].append({**tea["citations"][0], "number": 2})
    Path(answer["citations"][1]["source"]).write_text("Coffee.\n")
    assert [(check.number, check.holds) for check in verify(answer, world.home)] == [(1, True), (2, False)]


def test_a_gone_file_is_named(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    Path(answer["citations"][0]["source"]).unlink()
    assert reason(answer, world.home) == "the file is gone"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"quote": "A hive holds up to forty thousand bees."}, "the quote stands nowhere in the source"),
        ({"start": 0, "end": 39}, "the source says 'Bees dance.*the quote stands elsewhere in the source"),
        ({"start": -1}, "the span -1-.* lies outside the text"),
        ({"end": 10**9}, "lies outside the text of"),
        ({"start": 60, "end": 50}, "the span 60-50 lies outside"),
        ({"sha256": "0" * 64}, "the source has changed"),
    ],
)
def test_a_changed_answer_fails(world: Collection, quoting_model: Path, change: dict[str, Any], expected: str) -> None:
    answer = answer_of(world, quoting_model)
    answer["citations"][0].update(change)
    assert re.search(expected, reason(answer, world.home))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/dev/zero", "the file cannot be read: "),
        ("/proc/self/mem", "the file cannot be read: "),
        ("/tmp", "the file cannot be read: "),
        ("/etc/\x00passwd", "the file is gone"),
        ("/" + "x" * 5000, "the file is gone"),
        ("bees.txt", "it has no file, and "),
        ("files/bees.txt", "it has no file, and "),
        ("../bees.txt", "it has no file, and "),
        ("", "it has no file, and "),
    ],
)
def test_a_forged_source_fails_and_nothing_else_happens(
    world: Collection, quoting_model: Path, source: str, expected: str
) -> None:
    answer = answer_of(world, quoting_model)
    answer["citations"][0]["source"] = source
    assert reason(answer, world.home).startswith(expected)


def test_a_pipe_is_not_waited_for(world: Collection, quoting_model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    answer = answer_of(world, quoting_model)
    answer["citations"][0]["source"] = str(tmp_path / "pipe")
    assert reason(answer, world.home).startswith("the file cannot be read: ")


def test_an_answer_without_citations_has_nothing_that_fails(tmp_path: Path) -> None:
    assert verify({"citations": []}, tmp_path) == []


@pytest.mark.parametrize("answer", [{}, [], None, "text", 3, {"citations": None}, {"citations": {"number": 1}}])
def test_what_is_no_answer_is_refused(answer: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="This is no answer"):
        verify(answer, tmp_path)


GOOD = {"number": 1, "source": "/a", "sha256": "0", "page": None, "start": 0, "end": 1, "quote": "x"}


@pytest.mark.parametrize("name", ["number", "source", "sha256", "start", "end", "quote"])
@pytest.mark.parametrize("value", [None, True, [], {}, 1.5])
def test_a_field_of_a_wrong_type_is_named(tmp_path: Path, name: str, value: Any) -> None:
    citation = copy.deepcopy(GOOD)
    citation[name] = value
    with pytest.raises(UsageError, match=f"as its '{name}'"):
        verify({"citations": [citation]}, tmp_path)
    del citation[name]
    with pytest.raises(UsageError, match=f"None as its '{name}'"):
        verify({"citations": [citation]}, tmp_path)


@pytest.mark.parametrize("citation", [None, 3, "text", ["number"]])
def test_a_citation_that_is_no_object_is_refused(tmp_path: Path, citation: Any) -> None:
    with pytest.raises(UsageError, match="None as its 'number'"):
        verify({"citations": [citation]}, tmp_path)


# Texts without a file


@pytest.fixture
def texts(tmp_path: Path) -> Collection:
    collection = Collection("texts", tmp_path, WordEncoder())
    collection.add(
        [Given("bees", "A hive holds sixty thousand bees."), Given("/wiki/tea", "Black tea is boiling hot.")]
    )
    return collection


def test_a_given_text_is_looked_up_in_its_collection(texts: Collection, quoting_model: Path) -> None:
    answer = answer_of(texts, quoting_model)
    assert answer["citations"][0]["source"] == "bees"
    assert verify(answer, texts.home)[0].holds


def test_a_given_text_that_changed_or_went_fails(texts: Collection, quoting_model: Path) -> None:
    answer = answer_of(texts, quoting_model)
    texts.add([Given("bees", "A hive holds forty thousand bees.")])
    assert reason(answer, texts.home).startswith("the source has changed since it was indexed")
    texts.remove(["bees"])
    assert reason(answer, texts.home) == "it has no file, and 'bees' is not in collection 'texts'."


def test_a_given_text_without_its_collection_fails(texts: Collection, quoting_model: Path, tmp_path: Path) -> None:
    answer = answer_of(texts, quoting_model)
    assert reason(answer, tmp_path / "elsewhere").startswith("it has no file, and there is no collection 'texts'")


def test_an_id_that_looks_like_a_path_is_still_an_id(texts: Collection, quoting_model: Path) -> None:
    answer = answer_of(texts, quoting_model, "Is black tea boiling hot?")
    assert answer["citations"][0]["source"] == "/wiki/tea"
    assert verify(answer, texts.home)[0].holds


def test_a_forged_collection_is_no_way_out_of_home(texts: Collection, quoting_model: Path) -> None:
    answer = answer_of(texts, quoting_model)
    answer["collection"] = "../../etc"
    assert "cannot be the name of a collection" in reason(answer, texts.home)
