"""Other languages: a word is found in another of its forms, by the stemmer of the language of its passage."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.stems import LONGEST, STEMMERS, languages_of, stem, stems, stems_of
from indexer.sync import Given
from indexer.words import MAX_TERMS, languages_in, match_expression
from tests.worlds import WordEncoder, collection_of, make_older, write_folder

FILES = {
    "stadt.md": "# Bibliotheken\n\nDie Bibliotheken der Stadt öffnen am Montag um neun, und sie schließen um acht.\n\n"
    "## Häuser am Hafen\n\nDie Häuser am Hafen werden von der Gemeinde vermietet. Wer sich bewirbt, zahlt nichts.\n",
    "ville.md": "# Les musées\n\nLes musées de la ville ouvrent le mardi. Les enfants ont une entrée réduite, et les "
    "chevaux ne sont pas admis dans la cour.\n",
    "ciudad.md": "# Los autobuses\n\nLos autobuses de la ciudad salen cada diez minutos. Las reservas se pueden "
    "cancelar por teléfono hasta el viernes, y los viajeros no pagan más.\n",
    "città.md": "# Le biblioteche\n\nLe biblioteche della città sono aperte il lunedì. I libri possono essere portati "
    "a casa per un mese, e non si paga nulla.\n",
    "город.md": "# Библиотеки\n\nБиблиотеки города открыты по понедельникам. Книги можно взять домой на месяц.\n",
    "town.md": "# Libraries\n\nThe libraries of the town open on Monday at nine. The houses are let by the harbour "
    "office, and those who apply pay nothing. The red chat is no cat, and a wag has art.\n",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    collection = Collection("towns", tmp_path_factory.mktemp("home"), encoder=WordEncoder())
    collection.sync([write_folder(tmp_path_factory.mktemp("files"), FILES)])
    return collection


def found(world: Collection, question: str) -> list[str]:
    with world.view() as view:
        ids = [hit.chunk_id for hit in view.words(question, 10)]
        return list(dict.fromkeys(Path(chunk.source).name for chunk in view.chunks(ids)))


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("Wann öffnet die Bibliothek?", "stadt.md"),
        ("Haus", "stadt.md"),
        ("Welches Haus kann man mieten, und wie ist die Bewerbung?", "stadt.md"),
        ("Quand le musée est-il ouvert ?", "ville.md"),
        ("enfant", "ville.md"),
        ("Est-ce que je peux venir à cheval ou avec un enfant ?", "ville.md"),
        ("autobús", "ciudad.md"),
        ("¿Cómo puedo cancelar mi reserva?", "ciudad.md"),
        ("viajero", "ciudad.md"),
        ("Quando apre la biblioteca?", "città.md"),
        ("в библиотеке", "город.md"),
        ("libraries", "town.md"),
        ("Which library is open?", "town.md"),
    ],
)
def test_an_inflected_word_is_found_in_another_form(world: Collection, question: str, source: str) -> None:
    """ "Haus" found none of the houses: German words were stemmed as if they were English."""
    assert found(world, question)[:1] == [source]


def test_a_stem_is_no_word_of_another_language(world: Collection) -> None:
    assert found(world, "chats") == ["town.md"]  # English, as FTS5 stems it
    assert found(world, "redes") == []  # whose Spanish stem is "red"
    assert found(world, "Wo ist der Wagen?") == []  # whose German stem is "wag"


def test_the_words_that_matched_are_told_as_they_are_written(world: Collection) -> None:
    with world.view() as view:
        hits = view.words("Wann öffnet die Bibliothek?", 1)
        assert view.matched_words("Wann öffnet die Bibliothek?", [hits[0].chunk_id]) == {
            hits[0].chunk_id: ["bibliotheken", "öffnen"]
        }


def test_a_collection_knows_its_languages(world: Collection) -> None:
    with world.reading() as connection:
        assert languages_in(connection) == ["de", "en", "es", "fr", "it", "ru"]
    assert world.status().languages == dict.fromkeys(["de", "en", "es", "fr", "it", "ru"], 1)


def test_an_english_question_or_collection_has_no_stems() -> None:
    assert match_expression("How are the houses let?", ["de", "en"]) == '"houses" OR "let"'
    assert match_expression("houses let", ["en"]) == '"houses" OR "let"'
    assert match_expression("chevaux noirs", ["fr", "en"]) == '"chevaux" OR "noirs" OR stems:"cheval" OR stems:"noir"'


def test_function_words_of_the_questions_language_do_not_count() -> None:
    assert match_expression("Quand est-ce que la maison est louée ?", ["fr"]) == (
        '"maison" OR "louée" OR stems:"maison" OR stems:"lou"'
    )
    assert match_expression("Wer ist wer?", []) == '"wer" OR "ist" OR "wer"'  # nothing else is there


def test_many_words_in_many_languages_are_no_endless_query() -> None:
    many = match_expression(" ".join(f"wort{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600)), [*STEMMERS])
    assert len(many.split(" OR ")) == 3 * MAX_TERMS  # as written, their stems, and compounds of them


def test_a_passage_that_does_not_tell_is_in_the_language_of_the_others() -> None:
    table = "Montag | 9-18\nDienstag | 9-20"
    german = "Die Bibliothek ist am Montag und am Dienstag geöffnet."
    assert languages_of([german, table, german]) == ["de", "de", "de"]
    assert languages_of([table]) == [""]
    assert languages_of([]) == []
    english = "The library is open on Monday, and it is closed on the other days."
    assert languages_of([german, english, english, table]) == ["de", "en", "en", "en"]


def test_every_stemmer_is_there_and_leaves_what_is_no_word() -> None:
    assert {language: stem("2023", language) for language in STEMMERS} == dict.fromkeys(STEMMERS, "2023")
    assert all(stem("a" * (LONGEST + 1), language) == "a" * (LONGEST + 1) for language in STEMMERS)
    assert stems(["die", "häuser", "sind", "2023"], "de") == ["haus", "2023"]
    assert stems(["the", "houses"], "en") == []
    assert stems_of("häuser", ["en", "de", "sv"]) == ["haus", "häus"]


def test_stemming_in_many_threads_is_stemming_in_one() -> None:
    """Snowball's stemmers keep the word that they work on, so that one must not be shared."""
    words = [f"häuser{a}{b}en" for a in "abcdefgh" for b in "abcdefgh"]
    made: list[list[str]] = []
    stem.cache_clear()
    threads = [threading.Thread(target=lambda: made.append([stem(word, "de") for word in words])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stem.cache_clear()
    assert made == [[stem(word, "de") for word in words]] * 8


def test_a_collection_of_an_older_version_finds_inflected_words_when_it_is_opened(tmp_path: Path) -> None:
    collection = collection_of(tmp_path, FILES)
    columns = "SELECT id, bigrams, language, stems FROM chunks ORDER BY id"
    with sqlite3.connect(collection.database) as connection:
        now = connection.execute(columns).fetchall()
    connection.close()
    make_older(collection.database, "0002")
    opened = Collection("world", tmp_path, encoder=WordEncoder())
    assert found(opened, "Wer vermietet ein Haus?") == ["stadt.md"]
    with sqlite3.connect(collection.database) as connection:
        assert connection.execute(columns).fetchall() == now
        connection.execute("INSERT INTO words(words, rank) VALUES ('integrity-check', 1)")
    connection.close()
    assert opened.add([Given("neu", "Der Schlüssel hängt im Flur, und die Tür ist zu.")]).added == 1
    assert found(opened, "Wo sind die Schlüssel?") == ["neu"]
    opened.remove(["neu"])
    assert found(opened, "Wo sind die Schlüssel?") == []
