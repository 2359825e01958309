"""Compounds: a part finds the whole, and the whole its parts, in the languages that write them as one word."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.compounds import SHORTEST, beginning_with, ending_with, ends_of, is_end, parts_of
from indexer.stems import stem
from indexer.words import alternatives, match_expression, stems_in
from tests.worlds import WordEncoder, make_older, write_folder

FILES = {
    "vertrag.md": "Die Kündigungsfrist für den Liegeplatz ist ein Monat, und sie beginnt mit dem Brief.\n",
    "brief.md": "Die Frist für die Kündigung der Wohnung ist im Brief genannt, und sie ist nicht lang.\n",
    "hafen.md": "Der Hafenmeister öffnet die Schleuse am Morgen, und die Boote fahren dann aus dem Hafen.\n",
    "bibliothek.md": "Die Stadtbibliothek hat am Samstag nicht geöffnet, und die Bücher sind dann nicht da.\n",
    "brood.md": "Het roggebrood van de bakker is niet duur, en het zijn er veel voor een euro.\n",
    "port.md": "The notice period of the berth is a month, and the harbourmaster opens the lock.\n",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    collection = Collection("compounds", tmp_path_factory.mktemp("home"), encoder=WordEncoder())
    collection.sync([write_folder(tmp_path_factory.mktemp("files"), FILES)])
    return collection


def sources_of(world: Collection, question: str) -> list[str]:
    with world.view() as view:
        ids = [hit.chunk_id for hit in view.words(question, 10)]
        return list(dict.fromkeys(Path(chunk.source).stem for chunk in view.chunks(ids)))


@pytest.mark.parametrize(
    ("question", "sources"),
    [
        ("Frist", ["brief", "vertrag"]),  # the word itself first, then the compound
        ("Welche Fristen gibt es?", ["brief", "vertrag"]),
        ("Wie ist die Kündigung?", ["brief", "vertrag"]),
        ("Meister", ["hafen"]),
        ("Welche Bibliothek gibt es hier?", ["bibliothek"]),
        ("Wie ist die Kündigungsfrist?", ["vertrag", "brief"]),
        ("Wat kost het brood?", ["brood"]),
        ("Wie ist die Dignung?", []),  # a word neither begins nor ends with it
        ("harbour", []),  # English has no compounds to find
        ("Which master is there?", []),
    ],
)
def test_parts_find_compounds_and_compounds_their_parts(world: Collection, question: str, sources: list[str]) -> None:
    """ "Frist" found no Kündigungsfrist, since full-text search knows whole words only."""
    assert sources_of(world, question) == sources


def test_the_words_that_matched_are_told_as_they_are_written(world: Collection) -> None:
    with world.view() as view:
        ids = [hit.chunk_id for hit in view.words("Frist", 2)]
        assert list(view.matched_words("Frist", ids).values()) == [["frist"], ["kündigungsfrist"]]
        assert view.word_shares("Frist Kündigung Mond", ids) == {ids[0]: 2 / 3, ids[1]: 2 / 3}


def test_only_long_words_of_compounding_languages_are_stored_from_both_ends() -> None:
    assert stems_in("Die Frist ist kurz", "de") == "frist kurz"
    assert stems_in("Les bibliothèques", "fr") == "bibliothequ"
    assert stems_in("Kündigungsfrist", "de").split() == ["kundigungsfrist", *ends_of("kundigungsfrist")]
    assert ends_of("a" * (SHORTEST - 1)) == ()
    assert ends_of("2023-04-05-06") == ()
    begin, end = ends_of("kundigungsfrist")
    assert begin.startswith(beginning_with("kundig"))
    assert end.startswith(ending_with("frist"))
    assert beginning_with("übel") == beginning_with("ubel")  # as FTS5 leaves accents out
    assert begin != end
    assert is_end(begin)
    assert is_end(end)
    assert not is_end("frist")
    assert not is_end("")


def test_a_compound_is_taken_apart_where_both_parts_are_known() -> None:
    known = {"kundig", "frist", "haus", "tur"}.__contains__

    def parts(word: str) -> list[tuple[str, str]]:
        return list(parts_of(word, lambda part: stem(part, "de"), known))

    assert parts("kündigungsfristen") == [("kundig", "frist")]
    assert parts("haustür") == []  # "tur" is too short to tell
    assert parts("mietfrist") == []
    assert parts("frist") == []


def test_the_query_asks_for_compounds_in_compounding_languages_alone() -> None:
    assert match_expression("frist", ["de"]) == (
        f'"frist" OR stems:"frist" OR stems:"{ending_with("frist")}" * OR stems:"{beginning_with("frist")}" *'
    )
    assert "*" not in match_expression("frist", ["en", "fr"])
    both = alternatives("kündigungsfrist", ["de"], {"kundig", "frist"}.__contains__)
    assert '(stems:"kundig" AND stems:"frist")' in both[0]


def test_a_collection_of_an_older_version_finds_compounds_when_it_is_opened(tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files", FILES)
    collection = Collection("world", tmp_path, encoder=WordEncoder())
    collection.sync([files])
    columns = "SELECT id, bigrams, language, stems FROM chunks ORDER BY id"
    with sqlite3.connect(collection.database) as connection:
        now = connection.execute(columns).fetchall()
    connection.close()
    make_older(collection.database, "0004")
    opened = Collection("world", tmp_path, encoder=WordEncoder())
    assert sources_of(opened, "Meister") == ["hafen"]
    with sqlite3.connect(collection.database) as connection:
        assert connection.execute(columns).fetchall() == now
        connection.execute("INSERT INTO words(words, rank) VALUES ('integrity-check', 1)")
    connection.close()
