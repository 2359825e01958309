"""Open collections: found again, opened anew when they are others, and closed when there are too many."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.errors import NotFound, UsageError
from indexer.sync import Given
from rag.service.documents import document_id, holds, source_of
from rag.service.library import LOOK_AGAIN, MOST_OPEN, Library
from tests.serving import FirstSentence
from tests.worlds import WordEncoder, collection_of


def library_of(home: Path, generator: FirstSentence | None = None) -> Library:
    return Library(home, "world", generator, WordEncoder())


def test_a_collection_is_opened_once(tmp_path: Path) -> None:
    collection_of(tmp_path).close()
    books = library_of(tmp_path, FirstSentence())
    assert books.at_hand() is None
    engine = books.engine()
    assert books.at_hand() is engine is books.engine("world") is books.at_hand("world")
    assert books.names() == ["world"]
    books.forget("world")
    assert books.at_hand() is None
    assert books.engine() is not engine


def test_one_that_was_rebuilt_or_made_anew_is_opened_anew(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    books = library_of(tmp_path, FirstSentence())
    first = books.engine()
    collection.add([Given("salt", "Salt is white.")])
    assert books.engine() is first  # a generation more is seen by the engine itself
    assert first.search("salt")[0].text == "Salt is white."
    collection.sync([], rebuild=True)
    assert books.at_hand() is None
    second = books.engine()
    assert second is not first
    assert second.search("salt")[0].text == "Salt is white."
    collection.delete()
    with pytest.raises(NotFound, match="There is no collection 'world'"):
        books.engine()
    collection_of(tmp_path, {"new.txt": "Pepper is black.\n"})
    assert books.engine().search("pepper")[0].text == "Pepper is black."


def test_another_generator_is_noticed_within_a_second(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    books = library_of(tmp_path)
    first = books.engine()
    collection.choose_generator("quoting")
    time.sleep(LOOK_AGAIN)
    assert books.engine() is not first
    assert books.engine().generator.name == "quoting"


def test_the_one_not_used_for_longest_is_closed(tmp_path: Path) -> None:
    books = library_of(tmp_path, FirstSentence())
    for number in range(MOST_OPEN + 1):
        Collection(f"c{number}", tmp_path, WordEncoder()).add([])
    engines = [books.engine(f"c{number}") for number in range(MOST_OPEN)]
    books.engine("c0")
    books.engine(f"c{MOST_OPEN}")
    assert books.at_hand("c0") is engines[0]
    assert books.at_hand("c1") is None
    assert engines[1].search("anything") == []  # whoever has it still uses it


def test_threads_that_open_at_once_all_get_an_engine(tmp_path: Path) -> None:
    collection_of(tmp_path).close()
    books = library_of(tmp_path, FirstSentence())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: books.engine().search("tea", 1)[0].source, range(16)))
    assert len(set(found)) == 1


@pytest.mark.parametrize("name", ["..", "a/b", "", "\x00", "a" * 65, "\ud800"])
def test_what_is_no_name_opens_nothing(tmp_path: Path, name: str) -> None:
    books = library_of(tmp_path)
    with pytest.raises((UsageError, NotFound), match=r"cannot be the name|There is no collection"):
        books.engine(name)
    assert list(tmp_path.iterdir()) == []


def test_documents_are_found_by_ids_made_of_their_sources(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    for entry in collection.documents():
        assert source_of(collection, document_id(entry.source)) == entry.source
        assert holds(collection, entry.source)
        assert not holds(collection, entry.source[1:])
    for wanted in ("", "0" * 24, "../" * 8, entry.source, document_id("elsewhere").upper()):
        with pytest.raises(NotFound, match="There is no document of that id in collection 'world'"):
            source_of(collection, wanted)


def test_warming_without_a_collection_is_no_error(tmp_path: Path) -> None:
    library_of(tmp_path).warm()
