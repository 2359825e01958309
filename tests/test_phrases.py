"""What a question names and what it leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.phrases import read


def named(question: str) -> set[str]:
    return {phrase.with_article for phrase in read(question, 60).phrases if "asked" not in phrase.marks}


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        ("What does the Tarn loom weave?", {"the Tarn loom", "Tarn"}),
        ("Does the mill bill farmers for water?", {"the mill", "farmers", "water"}),
        ("what is the capital of Peru?", {"the capital", "the capital of Peru", "Peru"}),
        ("Was Jan van Eyck born in Maaseik?", {"Jan van Eyck", "Maaseik"}),
        ("where is a boat washed?", {"the boat"}),
        ("how do I hire a kayak", {"the kayak"}),
        ("explain Ada's third law", {"Ada", "Ada's third law", "third law"}),
    ],
)
def test_a_question_names_its_phrases_without_the_verbs(question: str, phrases: set[str]) -> None:
    assert phrases <= named(question)
    assert not {"weave", "bill", "washed", "hire"} & {word for phrase in named(question) for word in phrase.split()}


def test_what_is_asked_for_is_a_phrase_too() -> None:
    (asked,) = [phrase.text for phrase in read("Which dairy brings the milk?", 60).phrases if "asked" in phrase.marks]
    assert asked == "the dairy which brings the milk"


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("who built it?", ["it"]),
        ("did the ship hit it?", ["it"]),
        ("did the ship lose its mast?", []),
        ("Is it true that bees sleep?", []),
        ("which form do they take?", ["they"]),
        ("does that delete the code?", ["this"]),
        ("did you know that bees sleep?", []),
        ("does her boat leak?", ["his"]),
        ("Haben Sie Zeit?", []),
        ("Quand a-t-il fini ?", ["it"]),
    ],
)
def test_a_pronoun_is_open_unless_the_question_explains_it(question: str, kinds: list[str]) -> None:
    assert [mention.kind for mention in read(question, 60).mentions] == kinds


@given(st.text(max_size=200))
def test_every_word_and_phrase_stands_in_the_question(text: str) -> None:
    reading = read(text, 20)
    assert len(reading.words) <= 20
    for word in reading.words:
        assert text[word.start : word.end] == word.text
    for phrase in reading.phrases:
        assert 0 <= phrase.start < phrase.end <= len(reading.words)
        assert "asked" in phrase.marks or phrase.text in text
