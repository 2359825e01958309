"""What a call from Python gets wrong is told in Python's words, and one path is as good as a list of one."""

from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from indexer.errors import UsageError
from rag import AsyncEngine, Engine, Given, collections
from tests.serving import FirstSentence
from tests.worlds import WordEncoder, collection_of, write_folder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(collection_of(tmp_path_factory.mktemp("world")), FirstSentence())


@pytest.mark.parametrize(
    ("call", "arguments", "said", "hint"),
    [
        ("search", {"query": "tea", "k": 0}, "k must be a whole number of at least 1, not 0.", "For example: k=5"),
        ("search", {"query": "tea", "k": 2.5}, "k must be a whole number of at least 1, not 2.5.", "For example: k=5"),
        ("search", {"query": "tea", "k": True}, "k must be a whole number", "For example: k=5"),
        ("search", {"query": "tea", "mode": "magic"},
         "mode must be one of 'hybrid', 'dense', 'words', 'feedback', not 'magic'.", "For example: mode='hybrid'"),
        ("search", {"query": "tea", "filters": "format=pdf"},
         "filters must be a list, not 'format=pdf'.", "Write: filters=['format=pdf']"),
        ("search", {"query": ["tea"]}, "A question must be a text, not ['tea'].", 'For example: ask("When did it'),
        ("search_many", {"queries": "tea"}, "queries must be a list, not 'tea'.", "Write: queries=['tea']"),
        ("ask", {"question": "tea?", "k": -1}, "k must be a whole number of at least 1, not -1.", "For example: k=5"),
        ("ask", {"question": "tea?", "form": "poem"}, "form must be one of 'fact', 'yes-no',", "form='fact'"),
        ("ask", {"question": "tea?", "max_error": 1.5},
         "max_error must lie between 0 and 1, not 1.5.", "For example: max_error=0.1"),
        ("ask", {"question": "And black?", "history": "How hot is green tea?"},
         "history must be a list, not 'How hot is green tea?'.", "Write: history=['How hot is green tea?']"),
        ("ask_many", {"questions": "tea?"}, "questions must be a list, not 'tea?'.", "Write: questions=['tea?']"),
        ("ask_many", {"questions": None}, "questions must be a list, not None.", "Write: questions=[None]"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named_with_what_to_write(
    engine: Engine, call: str, arguments: dict[str, Any], said: str, hint: str
) -> None:
    with pytest.raises(UsageError) as told:
        getattr(engine, call)(**arguments)
    assert said in told.value.message
    assert hint in told.value.hint


@pytest.mark.parametrize("name", ["include", "exclude"])
def test_patterns_are_a_list(tmp_path: Path, name: str) -> None:
    patterns: dict[str, Any] = {name: "*.md"}
    with pytest.raises(UsageError, match=f"{name} must be a list, not '\\*.md'"):
        Collection("world", tmp_path, encoder=WordEncoder()).sync(tmp_path, **patterns)


def test_given_texts_are_a_list(tmp_path: Path) -> None:
    one: Any = Given("tea", "Green tea is steeped at eighty degrees.")
    with pytest.raises(UsageError, match="given must be a list, not Given"):
        Collection("world", tmp_path, encoder=WordEncoder()).add(one)


def test_an_engine_takes_what_it_is_named_for(engine: Engine) -> None:
    wrong: Any = "default"
    with pytest.raises(UsageError, match="Engine takes a Collection, not 'default'") as told:
        Engine(wrong)
    assert told.value.hint == "Write: Engine(Collection('default'))"
    wrong = engine.collection
    with pytest.raises(UsageError, match="AsyncEngine takes an Engine, not Collection") as told:
        AsyncEngine(wrong)
    assert told.value.hint == 'Write: AsyncEngine(Engine(Collection("NAME")))'


def test_one_path_is_as_good_as_a_list_of_one(tmp_path: Path) -> None:
    """`sync("docs")` once looked for the files "d", "o", "c" and "s", and said that there is no file d."""
    folder = write_folder(tmp_path / "docs")
    world = Collection("world", tmp_path, encoder=WordEncoder())
    assert world.sync(str(folder)).added == 4
    assert world.sync(folder).unchanged == 4
    assert world.sync([folder]).unchanged == 4
    assert [Path(source).name for source in world.remove("pump.md")] == ["pump.md"]
    assert [Path(source).name for source in world.remove(["tea.md", "bees.txt"])] == ["tea.md", "bees.txt"]


def test_collections_are_listed_by_name(tmp_path: Path) -> None:
    assert collections(tmp_path) == []
    for name in ("sky", "earth"):
        collection_of(tmp_path, name=name).close()
    found = collections(tmp_path)
    assert [each.name for each in found] == ["earth", "sky"]
    assert [len(each.documents()) for each in found] == [4, 4]


def test_objects_say_what_they_are(engine: Engine, tmp_path: Path) -> None:
    papers = Collection("papers", tmp_path)
    assert repr(papers) == f"Collection('papers', home='{tmp_path}')"
    assert str(papers) == "papers"
    assert not papers.exists  # looking makes nothing
    assert repr(Engine(papers)) == f"Engine({papers!r})"
    assert repr(Engine(papers, "quoting", "none")) == f"Engine({papers!r}, generator='quoting', reranker='none')"
    assert repr(engine) == str(engine) == f"Engine({engine.collection!r}, generator='first-sentence')"
    assert repr(AsyncEngine(engine)) == f"AsyncEngine({engine!r})"
