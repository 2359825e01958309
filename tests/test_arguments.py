"""What a call from Python gets wrong is told in Python's words, and one path is as good as a list of one."""

import re
from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from indexer.errors import UsageError
from rag import AsyncEngine, Engine, Given, collections, evaluate, verify
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
        ("ask_many", {"questions": None}, "questions must be a list, not None.",
         'Write: questions=["When was the archive opened?"]'),
        ("search", {"query": "tea", "filters": [3]}, "filters must hold texts, not 3.",
         "For example: filters=['format=pdf']"),
        ("search", {"query": "tea", "filters": {"format": "pdf"}}, "filters must be a list, not {'format': 'pdf'}.",
         "Write: filters=['format=pdf']"),
        ("search", {"query": "tea", "explain": "no"}, "explain must be True or False, not 'no'.", "explain=False"),
        ("ask", {"question": "tea?", "filters": [None]}, "filters must hold texts, not None.",
         "For example: filters=['format=pdf']"),
        ("ask", {"question": "tea?", "max_error": "x"}, "max_error must lie between 0 and 1, not 'x'.", "=0.1"),
        ("ask", {"question": "and?", "history": [3]}, "history must hold texts, not 3.",
         "For example: history=['When was the archive opened?']"),
        ("stream", {"question": "and?", "history": [3]}, "history must hold texts, not 3.", "For example: history=["),
        ("ask_many", {"questions": ["tea?", 3]}, "A question must be a text, not 3.", "For example: ask("),
        ("ask_many", {"questions": ["tea?"], "filters": [3]}, "filters must hold texts, not 3.", "filters=['form"),
        ("read_many", {"questions": ["tea?"], "histories": 3}, "histories must be a list, not 3.", "=[[], []]"),
        ("read_many", {"questions": ["tea?"], "histories": [[], []]},
         "histories must hold one list for each question: 2 for 1.", "Give an empty list for a question that stands"),
        ("answer_many", {"readings": [3]}, "readings must hold what read_many returned, not 3.", "engine.read_many("),
        ("meant", {"question": 3}, "question must be a text, not 3.", "For example: meant("),
        ("unknown_language", {"question": 3}, "question must be a text, not 3.", "For example: unknown_language("),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named_with_what_to_write(
    engine: Engine, call: str, arguments: dict[str, Any], said: str, hint: str
) -> None:
    with pytest.raises(UsageError) as told:
        getattr(engine, call)(**arguments)
    assert said in told.value.message
    assert hint in told.value.hint


def test_questions_may_come_from_anything_that_is_walked(engine: Engine) -> None:
    """`ask_many` of a generator ended in "object of type 'generator' has no len()" after it had been walked."""
    wanted: Any = (f"At what heat is {drink} steeped?" for drink in ("green tea", "black tea"))
    assert [answer.question for answer in engine.ask_many(wanted)] == [
        "At what heat is green tea steeped?", "At what heat is black tea steeped?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        ({"name": 3}, "The name of a collection must be a text, not 3.", 'For example: Collection("papers").'),
        ({"name": None}, "The name of a collection must be a text, not None.", 'Collection("papers").sync("~/papers")'),
        ({"name": Path("docs")}, "The name of a collection must be a text, not PosixPath('docs').", "given to sync"),
        ({"home": 3}, "home must be a path, not 3.", 'For example: home="~/footnote"'),
        ({"encoder": 3}, "encoder cannot be 3: it has no fingerprint.", 'For example: encoder="/models/e5-small"'),
    ],
)  # fmt: skip
def test_a_collection_says_what_it_takes(arguments: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Collection(**arguments)
    assert refusal.value.message == said
    assert hint in refusal.value.hint


PATHS = 'For example: sync("~/papers") or sync(["notes.md", "report.pdf"])'
SOURCE = 'For example: "notes.md"'
GIVEN = 'add([Given("note-17", "The boiler was replaced in May 2021.")])'


@pytest.mark.parametrize(
    ("call", "arguments", "said", "hint"),
    [
        ("sync", [5], "paths must be a path or a list of paths, not 5.", PATHS),
        ("sync", [None], "paths must be a path or a list of paths, not None.", PATHS),
        ("sync", [[]], "No file or folder was given: paths is empty.", PATHS),
        ("sync", [["notes.md", 5]], "paths must be a path, not 5.", PATHS),
        ("sync", [""], "paths is empty.", 'The working folder is "."'),
        ("add", [["text"]], "A text is given as Given(id, text), not as 'text'.", GIVEN),
        ("add", [[{"id": "a", "text": "b"}]], "A text is given as Given(id, text), not as {'id': 'a',", GIVEN),
        ("add", [None], "given must be a list, not None.", f"Write: {GIVEN}"),
        ("add", [[Given(3, "b")]], "The id of a Given must be a text, not 3.", 'Given("note-17", "The boiler'),  # type: ignore[arg-type]
        ("add", [[Given("a", None)]], "The text of a Given must be a text, not None.", 'Given("note-17", '),  # type: ignore[arg-type]
        ("add", [[Given("a", "b", title=3)]], "The title of a Given must be a text, not 3.", 'title="Boiler"'),  # type: ignore[arg-type]
        ("add", [[Given("a", "b", metadata=3)]], "The metadata of 'a' must be a dictionary, not 3.", 'metadata={"'),  # type: ignore[arg-type]
        ("add", [[Given("a", "b", metadata={3: 1})]], "The metadata of 'a' has the key 3, which is no text.", '"3": 1'),  # type: ignore[dict-item]
        ("remove", [5], "sources must be a list, not 5.", 'Write: sources=["notes.md"]'),
        ("remove", [[5]], "source must be a text, not 5.", SOURCE),
        ("remove", [""], "source is empty.", SOURCE),
        ("document", [3], "source must be a text, not 3.", SOURCE),
        ("document_chunks", [None], "source must be a text, not None.", SOURCE),
        ("near_duplicates", [""], "source is empty.", SOURCE),
        ("filters", [[3]], "filters must hold texts, not 3.", "For example: filters=['format=pdf']"),
        ("match_count", ["format=pdf"], "filters must be a list, not 'format=pdf'.", "Write: filters=['format=pdf']"),
        ("choose_generator", [3], "name must be a text, not 3.", 'For example: choose_generator("quoting")'),
        ("choose_reranker", [""], "name is empty.", 'For example: choose_reranker("/models/reranker")'),
    ],
)  # fmt: skip
def test_a_collection_s_methods_say_what_they_take(
    engine: Engine, call: str, arguments: list[Any], said: str, hint: str
) -> None:
    """Most of these ended in a bare TypeError; `sync([])` did nothing, `remove("")` removed the working folder."""
    before = engine.collection.generation
    with pytest.raises(UsageError) as refusal:
        getattr(engine.collection, call)(*arguments)
    assert said in refusal.value.message
    assert hint in refusal.value.hint
    assert engine.collection.generation == before


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("prune", "no", "prune must be True or False, not 'no'."),
        ("rebuild", 1, "rebuild must be True or False, not 1."),
        ("progress", 3, "progress must be a function, not 3."),
        ("include", [3], "include must hold texts, not 3."),
        ("exclude", [None], "exclude must hold texts, not None."),
    ],
)
def test_the_options_of_sync_are_what_they_are(tmp_path: Path, name: str, value: Any, said: str) -> None:
    """`prune="no"` was taken for yes."""
    with pytest.raises(UsageError) as refusal:
        Collection("world", tmp_path, encoder=WordEncoder()).sync(tmp_path, **{name: value})
    assert refusal.value.message == said


def test_what_was_stored_is_rebuilt_without_paths(tmp_path: Path) -> None:
    world = collection_of(tmp_path)
    assert len(world.documents()) == 4
    world.sync([], rebuild=True)
    assert len(world.documents()) == 4


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
    for generator, reranker, said in [
        (3, None, "generator cannot be 3: it has no generate."),
        ("", None, "generator is empty."),
        (None, 3, "reranker cannot be 3: it has no scores."),
    ]:
        with pytest.raises(UsageError, match=re.escape(said)):
            Engine(engine.collection, generator, reranker)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="threads must be a whole number of at least 1, not 0"):
        AsyncEngine(engine, threads=0)
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
    paths: list[str | Path] = [folder / "deep" / "tea.md", "bees.txt"]
    assert [Path(source).name for source in world.remove(paths)] == ["tea.md", "bees.txt"]


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


def test_only_what_can_be_read_is_verified_and_measured(engine: Engine) -> None:
    answer: Any = engine.ask("At what heat is green tea steeped?")
    with pytest.raises(UsageError, match="An answer is checked in its JSON form, not as <Answer") as refusal:
        verify(answer)
    assert refusal.value.hint == "Write: answer.to_json()"
    number: Any = 3
    with pytest.raises(UsageError, match="data must be a path, not 3"):
        evaluate(number)
    with pytest.raises(UsageError, match="options must be Options, not 3"):
        evaluate("questions.jsonl", number)
