"""Did you mean: which words of a question are spelled as the collection spells them, and which are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import cli
from indexer.collection import Collection
from indexer.sync import Given
from rag.engine import Engine
from rag.spelling import is_one_edit, meant
from tests.worlds import WordEncoder

TEXTS = {
    "library": "The Library of Kestrel opens at nine. The library lends atlases, and the librarian counts them.",
    "pump": "The gasket of the pump was replaced. Two gaskets were ordered for the evaluation of pumps.",
    "tea": "Tea is steeped; a naïve drinker boils it. The Tea museum of Łódź shows teapots.",
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    found = Collection("small", tmp_path_factory.mktemp("home"), WordEncoder())
    found.add([Given(name, text) for name, text in TEXTS.items()])
    return found


def test_it_speaks_the_questions_language_and_leaves_function_words(tmp_path: Path) -> None:
    collection = Collection("both", tmp_path, WordEncoder())
    german = "Wir backen das Brot am Freitag, und der Ofen ist dann noch warm. Das Mehl kommt von der Mühle."
    collection.add([Given("de", german), Given("en", "The tourist buys a ticket at the harbour, and he waits there.")])
    with collection.reading() as connection:
        assert meant(connection, "Wann wird das Brot am Frietag gebacken?") == "Wann wird das Brot am Freitag gebacken?"
        assert meant(connection, "Was ist ein Turist und wo ist er?") == ""  # "tourist" is English
        assert meant(connection, "Where is the turist?") == "Where is the tourist?"


@pytest.mark.parametrize(
    ("question", "better"),
    [
        ("Was kostet das Brtt, und wann ist es da?", ""),  # "Brot" ends otherwise
        ("Wann gibt es das Mehhl?", "Wann gibt es das Mehl?"),
        ("Wer hat ein Brotes gebacken?", ""),  # another form of what is there
        ("Wo sind die Öfen?", ""),
        ("Wie waren die Tage, und wer war da?", ""),
        ("Mehl tourst", ""),  # "Mehl" is in German, "tourist" in English
        ("ticket tourst", "ticket tourist"),
        ("tourst", "tourist"),  # nothing tells
        ("Who sees the angel?", "Who sees the angle?"),
    ],
)
def test_only_slips_of_the_questions_own_language_are_changed(tmp_path: Path, question: str, better: str) -> None:
    collection = Collection("both", tmp_path, WordEncoder())
    german = "Wir backen das Brot am Freitag, und der Ofen ist dann noch warm. Das Mehl kommt von der Mühle am Tag."
    english = "The tourist buys a ticket at the harbour, and he sees the angle of the sun. He waits there."
    collection.add([Given("de", german), Given("en", english)])
    with collection.reading() as connection:
        assert meant(connection, question) == better


LANGUAGES = {
    "de": "Die Kündigungsfrist ist ein Monat, und der Hafenmeister öffnet die Schleuse. Wir zahlen nicht für Straßen.",
    "fr": "La bibliothèque est ouverte le mardi, et les élèves ne sont pas admis dans la réserve pour les livres.",
    "es": "El autobús de la ciudad sale por la mañana, y los viajeros no pagan más que un billete para el puerto.",
    "it": "La biblioteca della città è aperta il lunedì, e il prestito non si paga per un mese con la tessera.",
    "nl": "De vergunning voor het parkeren is een jaar geldig, en de bewoners van de wijk betalen niet veel.",
    "pl": "Biblioteka jest otwarta w poniedziałek, a książki można wypożyczyć na miesiąc i nie trzeba za to płacić.",
    "ru": "Наша библиотека города открыта по понедельникам, и книги можно взять домой на месяц.",
    "en": "The library of the harbour is open on Monday, and the tourists are lent a lantern for the night.",
}


@pytest.fixture(scope="module")
def languages(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    found = Collection("languages", tmp_path_factory.mktemp("home"), WordEncoder())
    found.add([Given(name, text) for name, text in LANGUAGES.items()])
    return found


@pytest.mark.parametrize(
    ("question", "better"),
    [
        ("Wie lang ist die Kündigungsfirst?", "Wie lang ist die Kündigungsfrist?"),
        ("Wie lang ist die Kuendigungsfrist?", ""),  # it is found so
        ("Wer öffnet die Schleusse?", "Wer öffnet die Schleuse?"),
        ("Quand la bibliotèque est-elle ouverte ?", "Quand la bibliothèque est-elle ouverte ?"),
        ("Les éllèves sont-ils admis ?", "Les élèves sont-ils admis ?"),
        ("¿Cuándo sale el autobbús de la ciudad?", "¿Cuándo sale el autobús de la ciudad?"),
        ("Quando è aperta la bibilioteca?", "Quando è aperta la biblioteca?"),
        ("Wat betalen de bewooners van de wijk?", "Wat betalen de bewoners van de wijk?"),
        ("Kiedy biblioteka jest otwrata?", "Kiedy biblioteka jest otwarta?"),
        ("Когда открыта библотека?", "Когда открыта библиотека?"),
        ("When is the harbuor open?", "When is the harbour open?"),
        ("Wer ist der Meister?", ""),  # it has a compound of it
        ("Was wird für Strassen nicht gezahlt?", ""),  # as the Swiss write it
        ("Wo sind die Touristin und die Laterne?", ""),  # near words of English alone
        ("Où est la librairie ?", ""),  # "library" is English
        ("Quels livres sont ouverts ?", ""),  # other forms
        ("¿Quién paga los billetes?", ""),
        ("In welchen Häfen ist die Schleuse?", ""),
    ],
)
def test_each_language_is_put_right_from_its_own_words(languages: Collection, question: str, better: str) -> None:
    with languages.reading() as connection:
        assert meant(connection, question) == better


def test_what_is_a_word_is_not_changed_though_the_collection_lacks_it(tmp_path: Path) -> None:
    collection = Collection("sun", tmp_path, WordEncoder())
    collection.add([Given("en", "He sees the angle of the sun, and the library is closed.")])
    with collection.reading() as connection:
        assert meant(connection, "Who sees the angel?", {"angel"}.__contains__) == ""
        both = "Is the angel in the libary?"
        assert meant(connection, both, {"angel"}.__contains__) == "Is the angel in the library?"


def test_the_encoders_vocabulary_tells_what_is_a_word(home: Path, tmp_path: Path) -> None:
    collection = Collection("sun", home)
    collection.add([Given("en", "He sees the angle of the sun, and the library is closed.")])
    engine = Engine(collection, "quoting")
    assert engine.meant("Who sees the angel?") == ""
    assert engine.meant("Who sees the anglle in the libary?") == "Who sees the angle in the library?"


@pytest.mark.parametrize(
    ("question", "better"),
    [
        ("When was the gaskt replaced?", "When was the gasket replaced?"),  # a letter left out
        ("When was the gaskwet replaced?", "When was the gasket replaced?"),  # one too many
        ("When was the gasjet replaced?", "When was the gasket replaced?"),  # another one
        ("When was the gaskte replaced?", "When was the gasket replaced?"),  # two swapped
        ("Which libary opens?", "Which library opens?"),
        ("What does the LIBRARYN lend?", "What does the Library lend?"),
        ("Does Kestrle open?", "Does Kestrel open?"),
        ("Does kestrle open?", "Does Kestrel open?"),
        ("Evalution of qumps?", "Evaluation of qumps?"),
        ("A navie drinker of Łódz?", "A naïve drinker of Łódz?"),
        ("When was the gasket replaced?", ""),  # all is known
        ("Is it replacing gaskets?", ""),  # in another form
        ("When was the asket replaced?", ""),  # its first letter is another
        ("When was the gaasskeet replaced?", ""),  # more than one edit
        ("Who has the tee?", ""),  # too short to tell
        ("Ask gaskt@pump.org, gaskt_x or gaskt2.", ""),  # no words
        ("Gaskt zebra quokka wombat?", ""),  # rather about something else
        ("", ""),
        ('the "gaskt" NEAR( pumpx* -x', 'the "gasket" NEAR( pump* -x'),
    ],
)
def test_unknown_words_are_spelled_as_the_collection_does(collection: Collection, question: str, better: str) -> None:
    with collection.reading() as connection:
        assert meant(connection, question) == better


def test_short_frequent_words_do_not_stand_before_the_one_that_was_meant(tmp_path: Path) -> None:
    """ "Albnia" was left alone in a collection with "and", "all", "any", "an", "are" and "also" in every line."""
    lines = "And all and any of an apple are also at an ally, as all agree.\n" * 9
    collection = Collection("lands", tmp_path, encoder=WordEncoder())
    collection.add([Given("lands.txt", f"{lines}\nThe capital of Albania is Tirana.\n")])
    with collection.reading() as connection:
        assert meant(connection, "What is the capital of Albnia?") == "What is the capital of Albania?"


def test_looking_leaves_the_connection_unable_to_write(collection: Collection) -> None:
    with collection.reading() as connection:
        meant(connection, "the gaskt")
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1


def test_a_refusal_suggests_and_an_answer_does_not(collection: Collection) -> None:
    engine = Engine(collection, "quoting")
    refused = engine.ask("Which colour has the gaskt?", max_error=0.001)
    assert not refused.answered
    assert refused.question == "Which colour has the gaskt?"
    assert refused.meant == "Which colour has the gasket?"
    assert engine.ask("When does the Library of Kestrel open?").meant == ""


words = st.text(alphabet="abc", max_size=6)


@given(words, words)
def test_one_edit_is_what_one_finds_by_trying_all(one: str, other: str) -> None:
    alphabet = "abc"
    edits = {one[:i] + one[i + 1 :] for i in range(len(one))}
    edits |= {one[:i] + one[i + 1] + one[i] + one[i + 2 :] for i in range(len(one) - 1)}
    edits |= {one[:i] + letter + one[i + 1 :] for i in range(len(one)) for letter in alphabet}
    edits |= {one[:i] + letter + one[i:] for i in range(len(one) + 1) for letter in alphabet}
    assert is_one_edit(one, other) == (other in edits - {one})


def test_a_folder_that_may_not_be_written_to_is_read_all_the_same(tmp_path: Path) -> None:
    collection = Collection("small", tmp_path, WordEncoder())
    collection.add([Given("pump", TEXTS["pump"])])
    database = collection.database
    collection.close()
    database.chmod(0o444)
    with collection.reading() as connection:
        assert meant(connection, "the gaskt") == "the gasket"


def test_the_command_shows_what_may_have_been_meant(home: Path, tmp_path: Path) -> None:
    (tmp_path / "pump.txt").write_text(TEXTS["pump"])
    run = CliRunner().invoke
    assert run(cli.footnote, ["index", str(tmp_path / "pump.txt"), "--generator", "quoting"]).exit_code == 0
    done = run(cli.footnote, ["ask", "Which colour has the gaskt?", "--max-error", "0.001"])
    assert done.exit_code == 4
    assert "Nothing in these documents bears on this.\nDid you mean: Which colour has the gasket?\n" in done.output
