"""The collection that a data set is searched in: built once, never with the answers in it, its documents named."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.errors import NotFound, UsageError
from indexer.sync import Given
from rag.evaluation.data import Asked, DataFaults, RetrievalSet, read_retrieval_set
from rag.evaluation.searched import check_evidence, collection_of, names_of
from tests.test_evaluation_data import write_beir, write_lines
from tests.worlds import collection_of as world


def sources_of(collection: Collection) -> list[str]:
    return [entry.source for entry in collection.documents()]


def test_the_documents_of_a_beir_set_are_indexed_once(home: Path, tmp_path: Path) -> None:
    seen: list[str] = []

    def progress(what: str, done: int, total: int) -> None:
        seen.append(what)

    found = read_retrieval_set(write_beir(tmp_path / "port"))
    built = collection_of(found, home, progress=progress)
    assert built.name == f"evaluation-{found.corpus_sha256[:16]}"
    assert sources_of(built) == ["d1", "d2", "d3"]
    assert "passages" in seen
    seen.clear()
    again = collection_of(found, home, progress=progress)
    assert (again.name, again.generation) == (built.name, built.generation)
    assert "passages" not in seen


def test_sets_with_the_same_documents_share_a_collection(home: Path, tmp_path: Path) -> None:
    one = read_retrieval_set(write_beir(tmp_path / "a"))
    other = read_retrieval_set(write_beir(tmp_path / "b", qrels=["q1\td1\t1"]))
    assert one.sha256 != other.sha256
    assert collection_of(one, home).name == collection_of(other, home).name


def test_the_folder_of_the_questions_is_indexed_without_them(home: Path, tmp_path: Path) -> None:
    """The file of questions holds every answer beside its question: nothing would be found as easily."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "port.md").write_text("Anna Holm designed it.\n")
    rows = [{"id": "1", "question": "Who?", "answers": ["Anna"], "evidence": [{"source": "port.md"}]}]
    file = write_lines(folder / "my [first] questions!.jsonl", *rows)
    built = collection_of(read_retrieval_set(file), home)
    assert sources_of(built) == [str(folder / "port.md")]
    (folder / "more.md").write_text("It was built in 1840.\n")
    again = collection_of(read_retrieval_set(file), home)
    assert (again.name, sources_of(again)) == (built.name, [str(folder / "more.md"), str(folder / "port.md")])


def test_two_folders_with_the_same_questions_have_a_collection_each(home: Path, tmp_path: Path) -> None:
    names = []
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "port.md").write_text("Anna Holm designed it.\n")
        row = {"id": "1", "question": "Who?", "sources": ["port.md"]}
        names.append(collection_of(read_retrieval_set(write_lines(tmp_path / part / "q.jsonl", row)), home).name)
    assert names[0] != names[1]


def test_a_collection_may_be_named(home: Path, tmp_path: Path) -> None:
    Collection("mine", home).add([Given("d1", "The harbour.")])
    found = read_retrieval_set(write_beir(tmp_path / "port"))
    assert sources_of(collection_of(found, home, name="mine")) == ["d1"]


def test_a_named_collection_must_be_there(home: Path, tmp_path: Path) -> None:
    found = read_retrieval_set(write_beir(tmp_path / "port"))
    with pytest.raises(NotFound, match="There is no collection 'other'"):
        collection_of(found, home, name="other")


def test_without_documents_a_collection_must_be_named(home: Path) -> None:
    with pytest.raises(UsageError, match="mine does not say where its documents are") as caught:
        collection_of(RetrievalSet("mine", "", None, {"q": "Who?"}, {"q": {"port.md": 1}}), home)
    assert "--collection NAME" in caught.value.hint


# Names of documents


def test_a_document_is_known_by_the_end_of_its_path(tmp_path: Path) -> None:
    collection = world(tmp_path)
    files = tmp_path / "files"
    assert names_of(["deep/tea.md", "./pump.md", str(files / "bees.txt")], collection) == {
        str(files / "deep" / "tea.md"): "deep/tea.md",
        str(files / "pump.md"): "./pump.md",
        str(files / "bees.txt"): str(files / "bees.txt"),
    }


def test_a_name_is_not_the_end_of_another_name(tmp_path: Path) -> None:
    collection = world(tmp_path, {"teapump.md": "Tea.\n", "deep/pump.md": "Pump.\n"})
    assert names_of(["pump.md"], collection) == {str(tmp_path / "files" / "deep" / "pump.md"): "pump.md"}


def test_names_of_nothing_and_of_several_documents_are_told(tmp_path: Path) -> None:
    collection = world(tmp_path, {"a/tea.md": "Green.\n", "b/tea.md": "Black.\n"})
    with pytest.raises(DataFaults, match="against collection 'world', has 2 faults") as caught:
        names_of(["tea.md", "coffee.md", "a/tea.md", "coffee.md"], collection)
    assert caught.value.counts == {
        "source that names several documents": 1,
        "source that is no document of the collection": 1,
    }


def test_quotes_must_stand_in_their_sources(tmp_path: Path) -> None:
    collection = world(tmp_path)
    right = Asked("1", "?", ("nine",), sources=("library.md",), quotes=("The library opens\nat  nine.",))
    check_evidence([right], collection)
    elsewhere = Asked("2", "?", ("nine",), sources=("pump.md",), quotes=("The library opens at nine.",))
    unknown = Asked("3", "?", ("nine",), quotes=("Nobody said so.",))
    with pytest.raises(DataFaults, match=r"question 2: quote that is not in its source \(The library opens") as caught:
        check_evidence([right, elsewhere, unknown], collection)
    assert caught.value.counts == {"quote that is not in its source": 1}


def test_the_quote_of_two_sources_may_stand_in_either(tmp_path: Path) -> None:
    both = ("library.md", "pump.md")
    quotes = ("The library opens at nine.", "It moves 12 litres a minute.")
    check_evidence([Asked("1", "?", ("nine",), sources=both, quotes=quotes)], world(tmp_path))
