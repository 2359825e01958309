"""What is dropped: poor prose, other languages, near-duplicates; and which misspellings are corrected."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.data.duplicates import NearDuplicates, Twin
from finetune.data.language import UNKNOWN, Languages
from finetune.data.quality import Bounds, fault
from finetune.data.records import Changes, Part, Record
from finetune.data.spelling import Speller, Words, words_in

PROSE = (
    "The archive was opened in the spring of 1921 by two teachers of the town, who had collected letters, maps and "
    "photographs for many years and wanted others to read them."
)


# Quality


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (PROSE, ""),
        ("Too short a text.", "too short"),
        ("a b c " * 20, "words too short or too long"),
        ("pneumonoultramicroscopic " * 30, "words too short or too long"),
        ("12345 67890 1234 987 " * 10, "few words with letters"),
        ("# Heading\n\n" + PROSE, ""),
        ("see #this and #that or more... " * 8, "many symbols"),
        ("\n".join(f"- item number {n} of the list" for n in range(10)), "nearly all bullets"),
        ("\n".join(f"{c}. This line of rather many words was cut before it had come to an end ..." for c in "abcd"),
         "many cut lines"),
        ("\n".join(["This line stands here again and again."] * 6 + [PROSE]), "repeated lines"),
        ("buy good tea here and " * 20, "repeated words"),
        ("茶は緑茶と紅茶に分けられる。" * 3, "too short"),
        ("茶は緑茶と紅茶に分けられる。" * 5, ""),
    ],
)  # fmt: skip
def test_poor_prose_is_told_by_its_fault(text: str, why: str) -> None:
    assert fault(text) == why


def test_the_least_words_can_be_chosen() -> None:
    assert fault("Only five words stand here.", Bounds(words=5, repeated_words=())) == ""


@given(st.text(max_size=300))
def test_any_text_has_a_verdict(text: str) -> None:
    assert isinstance(fault(text), str)


# Language


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (PROSE, "en"),
        ("Das Archiv wurde im Frühjahr von zwei Lehrern eröffnet, die lange Briefe und Karten gesammelt hatten.", "de"),
        ("Les archives furent ouvertes au printemps par deux instituteurs qui avaient réuni des lettres.", "fr"),
        ("Архив открыли весной двое учителей, которые много лет собирали письма и карты города.", "ru"),
        ("Too short.", UNKNOWN),
        ("0123 4567 " * 20, UNKNOWN),
    ],
)
def test_languages_are_told_apart(languages: Languages, text: str, language: str) -> None:
    assert languages.language(text) == language
    assert languages.language(text) == languages.language(text)


def test_the_languages_it_knows_are_codes(languages: Languages) -> None:
    assert {"en", "de", "fr", "zh-cn"} <= languages.known()


# Near-duplicates


def sentences(seed: int, count: int = 40) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choice("abcdefghij") * chance.randrange(1, 6) for _ in range(10)) for _ in range(count)]


def test_a_text_with_few_changes_is_a_near_duplicate_and_another_is_not() -> None:
    near = NearDuplicates(0.8)
    text = sentences(1)
    assert near.twin("a", ". ".join(text)) is None
    assert near.twin("b", ". ".join(sentences(2))) is None
    changed = ". ".join([*text[:-1], "something else stands at the end of it"])
    twin = near.twin("c", changed)
    assert twin is not None
    assert twin.id == "a"
    assert 0.9 < twin.similarity < 1
    assert near.twin("d", ". ".join(text).upper()) == Twin("a", 1.0)  # capitals and points do not count


def test_the_similarity_is_that_of_the_shingles() -> None:
    """Seven words make three runs of five; of those with another last word, two are shared: 2 / 4."""
    near = NearDuplicates(0.4)
    assert near.twin("a", "one two three four five six seven") is None
    assert near.twin("b", "one two three four five six eight") == Twin("a", 0.5)
    assert near.twin("c", "") is None


def test_below_the_similarity_asked_for_nothing_is_a_duplicate() -> None:
    near = NearDuplicates(0.6)
    assert near.twin("a", "one two three four five six seven") is None
    assert near.twin("b", "one two three four five six eight") is None


# Spelling


def corrected(text: str, corpus: str) -> str:
    words = Words()
    words.count(Record("corpus", (Part(corpus),)))
    words.count(Record("text", (Part(text),)))
    return Speller(words).step(text, Changes().noting(Record("text", ())))


PUMPS = "the assault of the government on the pyrimidine and the gasket of the kestrelware; " * 30


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("One asault, one assualt.", "One assault, one assault."),  # a letter not doubled, two swapped
        ("A gaskket.", "A gasket."),  # one doubled
        ("Of goverment and governmment.", "Of government and government."),  # one left out, one put in
        ("A pyramidine.", "A pyrimidine."),  # one vowel for another
        ("A pylimidine.", "A pylimidine."),  # a consonant for another: another word, more often than not
        ("A gasket, a gaskt, a gasketa.", "A gasket, a gaskt, a gasketa."),  # too short to tell; the word's end
        ("A kestralwere runs.", "A kestralwere runs."),  # two edits away
        ("The Goverment.", "The Goverment."),  # a name
        ("`goverment` goverment() my_goverment a/goverment", "`goverment` goverment() my_goverment a/goverment"),
        ("Two gaskets leaked.", "Two gaskets leaked."),  # another form
        ("A casket is no misspelling.", "A casket is no misspelling."),  # a real word
    ],
)  # fmt: skip
def test_misspellings_become_words_of_the_corpus(text: str, right: str) -> None:
    assert corrected(text, PUMPS) == right


def test_a_word_that_is_also_a_name_stays() -> None:
    assert corrected("A goverment. Goverment said so.", PUMPS) == "A goverment. Goverment said so."


def test_a_word_that_stands_often_stays() -> None:
    assert corrected("goverment here, goverment there, goverment of all", PUMPS).count("goverment") == 3


@pytest.mark.parametrize("word", ["analyzed", "labeling", "anesthetic", "somber", "filesystem", "repost", "undoable"])
def test_spellings_of_other_countries_and_compounds_stay(word: str) -> None:
    near = " ".join(["analysed labelling aesthetic sober filesystems report doable"] * 30)
    assert corrected(f"A {word} is here.", near) == f"A {word} is here."


def test_words_in_addresses_and_code_are_not_words() -> None:
    assert words_in("See http://exam.ple/word or `code word`, a_b, 3rd, it's me@there.org and (this).") == [
        "See", "or", "and", "this"
    ]  # fmt: skip
