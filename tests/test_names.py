"""What counts as an identifier, and by which forms it and a document are found."""

import pytest

from indexer.names import (
    PART,
    WHOLE,
    document_names,
    forms,
    identifiers,
    inner_words,
    names_in,
    normal_form,
    passage_names,
)
from indexer.words import bigrams
from tests.worlds import PASSAGES


@pytest.mark.parametrize(
    "token",
    [
        "2.3.1", "v2.3.1", "4.2", "AX-4410-B", "AX4410B", "E-1007", "0x80070057", "allocateBerth", "max_tokens", "B12",
        "price2023", "ERR_CONN_RESET_77", "os.path", "README.md", "2024-03-12", "utf-8", "COVID-19",
    ],
)  # fmt: skip
def test_what_is_written_in_one_way_on_purpose_is_an_identifier(token: str) -> None:
    assert identifiers(f"See ({token}), please.") == [token]


@pytest.mark.parametrize(
    "ordinary",
    [
        "in the 1990s", "on the 21st", "a 5kg bag at 10am", "a 24-hour stay", "10th-century", "mid-1990s",
        "pages 10-20", "e.g. the U.S. and a Ph.D.", "well-known", "McDonald's iPhone", "75,000 people", "2023", "GDPR",
        "End.Begin",
    ],
)  # fmt: skip
def test_ordinary_words_and_quantities_are_none(ordinary: str) -> None:
    assert identifiers(ordinary) == []
    assert names_in(ordinary).identifiers == ()


def test_separators_and_capitals_do_not_matter_but_between_figures() -> None:
    assert {normal_form(way) for way in ("AX-4410-B", "AX4410-B", "ax4410b", "AX_4410.B", "AX‐4410‐B")} == {"ax4410b"}
    assert normal_form("v2.3.1") == normal_form("2.3.1") == "2.3.1"
    assert len({normal_form(each) for each in ("2.3.1", "2.3.10", "3.2.1", "23.1", "231")}) == 5


def test_an_identifier_is_found_whole_and_by_runs_of_its_pieces() -> None:
    assert forms("AX-4410-B") == {"ax4410b": WHOLE, "ax4410": PART, "4410b": PART}
    assert forms("release-v2.3.1") == {"releasev2.3.1": WHOLE, "2.3.1": PART}
    assert forms("2.3.10") == {"2.3.10": WHOLE}


def test_an_identifier_may_be_asked_for_in_words() -> None:
    assert "ax4410b" in names_in("Where is AX 4410 B kept?").identifiers
    assert names_in("price 2023").identifiers == ("price2023",)
    assert names_in("What was it in 1994?").identifiers == ()


@pytest.mark.parametrize(
    ("question", "chiefly"),
    [
        ("AX-4410-B", True),
        ("What is part AX-4410-B?", True),
        ("What should I do about error 0x80070057?", True),
        ("Is AX-4410-B or AX-4410-C the one for the hatch?", True),
        ("Does AX-4410-B swing without noise in winter?", False),
        ("How are hinges kept from rust?", False),
    ],
)
def test_a_question_is_chiefly_its_names_or_mentions_them(question: str, chiefly: bool) -> None:
    assert names_in(question).chiefly is chiefly


def test_a_document_is_called_by_its_file_its_title_and_its_fields() -> None:
    called = document_names("/notes/harbour-plan_v3.md", "The plan", {"author": "Ada Holm", "pages": 4})
    assert called["harbourplanv3"] == called["harbourplanv3md"] == called["theplan"] == called["adaholm"] == WHOLE
    assert names_in("the Plan").phrase == "theplan"
    assert names_in("café_ü.md").phrase in document_names("/cafe\u0301_u\u0308.md", "", {})  # as a Mac writes them


def test_a_passage_is_called_by_its_identifiers_and_its_heading() -> None:
    assert passage_names("Order AX-1 now.", "Handbook > Spare parts") == {"ax1": WHOLE, "spareparts": WHOLE}


def test_the_words_inside_of_names_can_be_found() -> None:
    assert inner_words("Call allocateBerth or HTTPServerError, see price2023.") == (
        "allocate Berth HTTP Server Error price 2023"
    )


def test_full_text_search_sees_of_ordinary_text_what_it_saw_before() -> None:
    for text in [*PASSAGES.values(), "A 24-hour stay in 1994. 東京は日本の首都です。", "Mr McDonald has 2.5 t of hay."]:
        assert inner_words(text) == bigrams(text)
