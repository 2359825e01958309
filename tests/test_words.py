"""The words arm: whatever a person types is ordinary text, and scripts without spaces are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.collection import Collection
from indexer.sync import Given
from indexer.words import MAX_TERMS, STOP_WORDS, bigrams, content_words, match_expression
from tests.worlds import WordEncoder

TEXTS = {
    "pump": "The pump was replaced in March 2024; it's O'Brien's pump.",
    "bees": "Bees dance near the hive. NOT every bee dances.",
    "tokyo": "東京は日本の首都です。人口は多い。",
    "bangkok": "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย",
    "cafe": "Le café près de la gare ouvre à huit heures.",
    "code": "SELECT * FROM words WHERE x = 'y'; -- drop",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    collection = Collection("world", tmp_path_factory.mktemp("words"), encoder=WordEncoder())
    collection.add([Given(name, text) for name, text in TEXTS.items()])
    return collection


def found(world: Collection, question: str) -> list[str]:
    with world.view() as view:
        return [view.chunks([hit.chunk_id])[0].source for hit in view.words(question, 10)]


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("pump", "pump"), ("PUMPS replaced?", "pump"), ("dancing bee", "bees"), ("首都", "tokyo"),
        ("日本の首都はどこ", "tokyo"),
        ("เมืองหลวง", "bangkok"), ("cafe", "cafe"), ("café", "cafe"), ("O'Brien", "pump"), ("2024", "pump"),
        ("select from words", "code"),
    ],
)  # fmt: skip
def test_words_are_found_in_any_form_and_script(world: Collection, question: str, source: str) -> None:
    assert found(world, question)[0] == source


@pytest.mark.parametrize(
    "question",
    [
        '"', '""', "NEAR(", "NEAR(pump bees, 5)", "text:pump", "bigrams:x", "pump*", "^pump", "-pump", "pump AND", "OR",
        "NOT", "AND OR NOT", "pump OR OR bees", "(pump", "pump)", "{pump bees}:x", "pump + bees", "'; DROP TABLE words",
        "\x00pump", "pump\x00", "rowid:1", "* pump", "pump^2", ":", ";", "--", "/*", "%", "_", "\\", "\ufeffpump", "😀",
        "",
    ],
)  # fmt: skip
def test_the_query_language_of_fts5_is_ordinary_text(world: Collection, question: str) -> None:
    assert ("pump" in found(world, question)) == ("pump" in question)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
@example("\u0301")
@example('"\u0301" OR "')
def test_no_question_breaks_the_search(world: Collection, question: str) -> None:
    with world.view() as view:
        for hit in view.words(question.encode(errors="ignore").decode(), 3):
            assert hit.score > 0 or hit.score <= 0  # a number, not NaN


def test_a_question_of_five_thousand_words_asks_for_the_first_few() -> None:
    many = match_expression(" ".join(f"word{number}" for number in range(5000)))
    assert len(many.split(" OR ")) == MAX_TERMS
    assert match_expression("字" * 5000).count("bigrams:") == 1
    assert match_expression("".join(map(chr, range(0x4E00, 0x4E00 + 500)))).count("bigrams:") == MAX_TERMS


def test_stop_words_are_left_out_unless_nothing_else_is_there() -> None:
    assert content_words("Where is the pump of the hall?") == ["pump", "hall"]
    assert content_words("Who are you?") == ["who", "are", "you"]
    assert {"the", "who"} <= STOP_WORDS


def test_bigrams_are_the_overlapping_pairs_of_each_run() -> None:
    assert bigrams("a 日本語 b 字 c") == "日本 本語 字"
    assert bigrams("plain words") == ""


def test_the_rarer_word_counts_for_more(world: Collection) -> None:
    assert found(world, "the hive")[0] == "bees"
    assert found(world, "nothing of this kind") == []


def test_matched_words_are_told_as_they_are_written(world: Collection) -> None:
    with world.view() as view:
        hits = view.words("bee dancing", 5)
        matched = view.matched_words("bee dancing", [hit.chunk_id for hit in hits])
    assert matched[hits[0].chunk_id] == ["bee", "bees", "dance", "dances"]


def test_a_term_is_found_again_after_its_document_is_replaced(tmp_path: Path) -> None:
    collection = Collection("world", tmp_path, encoder=WordEncoder())
    collection.add([Given("a", "The old valve.")])
    collection.add([Given("a", "The new pump.")])
    assert (found(collection, "valve"), found(collection, "pump")) == ([], ["a"])
    collection.remove(["a"])
    assert found(collection, "pump") == []
