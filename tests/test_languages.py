import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.languages import language_of

KNOWN = {"", "en", "de", "fr", "es", "it", "pt", "nl", "sv", "pl", "tr", "ru", "zh", "ja", "ko", "ar", "el", "he"}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("When does the ferry leave for the island?", "en"),
        ("how many lockers are there in the hall", "en"),
        ("Do I have to return the key?", "en"),
        ("Wann fährt die Fähre zur Insel?", "de"),
        ("Wie lange ist die Garantie auf den Motor?", "de"),
        ("Darf man im Lesesaal essen?", "de"),
        ("Was kostet das Ticket für einen Tag?", "de"),
        ("Welche Farbe hat das Schild?", "de"),
        ("Combien de chaises y a-t-il ?", "fr"),
        ("Quand part le bateau pour l'île ?", "fr"),
        ("Qui a écrit la préface de ce livre ?", "fr"),
        ("Est-ce que je peux rendre les clés demain ?", "fr"),
        ("¿Cuándo sale el barco?", "es"),
        ("Cuántos empleados tiene la empresa y dónde están", "es"),
        ("Quando parte il traghetto per l'isola?", "it"),
        ("Chi ha scritto la prefazione del libro?", "it"),
        ("Quando é que o barco sai do porto?", "pt"),
        ("Quem não pode entrar na sala?", "pt"),
        ("Wanneer vertrekt de boot naar het eiland?", "nl"),
        ("Mag ik mijn fiets in de gang zetten en waar moet hij staan?", "nl"),
        ("När går båten till ön?", "sv"),
        ("Hur många rum finns det i huset?", "sv"),
        ("Kiedy jest otwarta biblioteka i czy można wejść z psem?", "pl"),
        ("Bu kitap ne zaman basıldı ve yazarı kim?", "tr"),
        ("Когда уходит паром на остров?", "ru"),
        ("渡轮什么时候开?", "zh"),
        ("フェリーは何時に出ますか", "ja"),
        ("図書館の開館時間は?", "ja"),
        ("페리는 언제 출발합니까?", "ko"),
        ("متى تغادر العبارة؟", "ar"),
        ("Πότε φεύγει το πλοίο;", "el"),
        ("מתי יוצאת המעבורת?", "he"),
    ],
)
def test_a_question_tells_its_language(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "lease notice period",
        "maximum line length",
        "die casting",
        "man page",
        "war pension",
        "no such file or directory",
        "en passant rule",
        "Los Angeles office",
        "de facto standard",
        "El Niño years",
        "Müller report 2021",
        "São Paulo branch address",
        "van der Waals forces",
        "on call rota",
        "a la carte menu",
        "Las Vegas de la Cruz invoice",
        "curriculum vitae",
        "résumé format",
        "par value",
        "i18n",
        "is Rust fast",
        "Le Corbusier",
        "per diem",
        "die temperature of the chip",
        "la la land cast",
        "sin and cos",
        "hoe handle",
        "Kim Basinger films",
        "chi square test",
        "qui tam lawsuit",
        "comment syntax",
    ],
)
def test_keywords_and_names_are_not_taken_for_another_language(text: str) -> None:
    assert language_of(text) in ("", "en")


@pytest.mark.parametrize("text", ["", "?", "1234", "Kündigungsfrist", "PEP 8", "Привіт, як справи?"])
def test_what_tells_too_little_is_no_language(text: str) -> None:
    assert language_of(text) == ""


def test_a_foreign_name_in_an_english_question_changes_nothing() -> None:
    assert language_of("When was the Москва river station opened and who built it?") == "en"
    assert language_of("What does 東京 mean in the report?") == "en"


def test_an_english_term_in_a_foreign_question_changes_nothing() -> None:
    assert language_of("Wie ist die Borrow Checker Fehlermeldung zu lesen, und was ist ein Lifetime?") == "de"
    assert language_of("Rustの所有権とは何ですか") == "ja"


def test_letters_of_two_parts_are_the_same_as_in_one() -> None:
    assert (
        language_of("Na\u0308r ga\u030ar ba\u030aten till o\u0308n?") == language_of("När går båten till ön?") == "sv"
    )


@given(st.text(max_size=200))
def test_any_text_has_a_known_language_or_none(text: str) -> None:
    assert language_of(text) in KNOWN
