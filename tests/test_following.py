"""Follow-up questions: what is left alone, what a follow-up reads as, and what holds for any of them."""

from __future__ import annotations

import gzip
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.following import FollowingOptions, fit, read_turns
from rag.following import JOINING_WORDS, MOST_WORDS, standalone

LOOM = "What is the Tarn loom?"


# A pronoun becomes what it means


@pytest.mark.parametrize(
    ("earlier", "question", "read"),
    [
        (LOOM, "who built it?", "who built the Tarn loom?"),
        (LOOM, "and who paid for it?", "who paid for the Tarn loom?"),
        (LOOM, "what were its shuttles made of?", "what were the Tarn loom's shuttles made of?"),
        (LOOM, "why is it no longer used", "why is the Tarn loom no longer used"),
        ("what is scurvy", "how is it treated?", "how is scurvy treated?"),
        ("Was Ada Lovelace a nurse?", "where did she live?", "where did Ada Lovelace live?"),
        ("When did Jan van Eyck die?", "Who taught him?", "Who taught Jan van Eyck?"),
        (
            "What do the harbour pilots earn?",
            "how many of them are there?",
            "how many of the harbour pilots are there?",
        ),
        ("Where did I put the kettle?", "What did I pay for it?", "What did I pay for the kettle?"),
        ("where is a boat washed?", "who repairs it?", "who repairs the boat?"),
        ("what is the lock file called?", "which format is that file in?", "which format is the lock file in?"),
        ("What is the capital of Peru?", "what does its name mean?", "what does the capital of Peru's name mean?"),
    ],
)
def test_a_pronoun_becomes_the_phrase_that_it_means(earlier: str, question: str, read: str) -> None:
    assert standalone(question, [earlier]) == read


def test_a_second_pronoun_is_explained_by_the_first() -> None:
    read = standalone("did its author want it to be accepted?", ["What does PEP 9999 propose?"])
    assert read == "did PEP 9999's author want it to be accepted?"


# A question without a verb takes the frame of the one before


@pytest.mark.parametrize(
    ("earlier", "question", "read"),
    [
        ("How many kayaks were hired in 2024?", "and in 2025?", "How many kayaks were hired in 2025?"),
        ("Are cats allowed in the lobby?", "Does the same apply to dogs?", "dogs: are cats allowed in the lobby?"),
        ("May members borrow a boat?", "Is that also true for guests?", "guests: may members borrow a boat?"),
        ("How old is the jug?", "does it hold water?", "does the jug hold water?"),
        ("What is the population of Chad?", "what about Mali?", "What is the population of Mali?"),
        ("what's the frequency of theta waves?", "and beta waves?", "what's the frequency of beta waves?"),
        ("What's the highest point in Jordan?", "and the lowest?", "What's the lowest point in Jordan?"),
        ("When did the Tarn loom burn?", "and where?", "where did the Tarn loom burn?"),
        ("Was the loom ever repaired?", "when?", "when was the loom ever repaired?"),
        ("How long may a boat be?", "and how much draught?", "how much draught may a boat be?"),
        (
            "What does a family pay for the museum?",
            "what about students?",
            "students: what does a family pay for the museum?",
        ),
        (
            "What does the club charge for lessons?",
            "And for lockers?",
            "What does the club charge for lockers?",
        ),
    ],
)
def test_an_ellipsis_takes_the_frame_of_the_last_question(earlier: str, question: str, read: str) -> None:
    assert standalone(question, [earlier]) == read


def test_a_sentence_that_lacks_its_topic_gets_it_in_front() -> None:
    assert standalone("What was the cause?", ["How long was the Tarn loom closed?"]) == "Tarn loom: What was the cause?"


def test_a_chain_is_read_from_the_oldest_on() -> None:
    history = ["what is the Tarn loom?", "who built it?"]
    assert standalone("and when?", history).startswith("when")
    assert "Tarn loom" in standalone("and when?", history)
    assert standalone("why?", ["When did the Tarn loom burn?", "and where?"]) == "why did the Tarn loom burn?"


# German and French


@pytest.mark.parametrize(
    ("earlier", "question", "read"),
    [
        ("Wo steht der Webstuhl?", "Und seit wann?", "seit wann steht der Webstuhl?"),
        ("Wie hoch ist der Turm?", "Wann wurde er gebaut?", "Wann wurde der Turm gebaut?"),
        ("Wann öffnet das Museum?", "und warum?", "warum öffnet das Museum?"),
        ("Où est le moulin ?", "Quand a-t-il été construit ?", "Quand a le moulin été construit ?"),
        ("Quel est le prix du billet ?", "et pourquoi ?", "pourquoi est le prix du billet?"),
    ],
)
def test_german_and_french_are_read_modestly(earlier: str, question: str, read: str) -> None:
    assert standalone(question, [earlier]) == read


# What stands alone is left alone


@pytest.mark.parametrize(
    "question",
    [
        "What is scurvy?",
        "who wrote the Tarn loom handbook",
        "Is it true that bees sleep?",
        "does it rain much in Bergen",
        "how long does it take to boil an egg?",
        "is it possible to hire a kayak?",
        "How do I know that the kettle boils?",
        "which of the boats that were sold had a cabin?",
        "did the museum sell its tower?",
        "If a kettle leaks, who repairs it?",
        "What happens to a boat when it sinks?",
        "who lost his crown",
        "sleep spindles",
        "values for --check-hash",
        "Why does Ada think she is late?",
        "Wie viele Anteile muss ein Mitglied nehmen?",
        "Est-il vrai que les abeilles dorment ?",
        "Combien de kilos de miel l'association a-t-elle récoltés ?",
        "thanks!",
        "?",
        "",
    ],
)
def test_a_question_that_stands_alone_is_the_very_same(question: str) -> None:
    assert standalone(question, [LOOM, "When did the bakery open?"]) is question


def test_a_long_question_stands_alone() -> None:
    question = "and it " + "word " * MOST_WORDS
    assert standalone(question, [LOOM]) is question


# Laws

WORDS = """
and or so who when how many what about is was did does the a its it they that this these ones her file Tarn loom of in
for 2024 2025 first lowest people built paid, ? : " ' - ( und et il sie wann PEP 8 café 河
"""
ASKED = st.lists(st.sampled_from(WORDS.split()), max_size=14).map(" ".join)
TEXTS = st.one_of(ASKED, st.text(max_size=60))


@given(TEXTS)
def test_without_history_a_question_is_the_very_same(question: str) -> None:
    assert standalone(question, []) is question
    assert standalone(question, ["", " ?"]) is question


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(TEXTS, max_size=4))
def test_nothing_is_made_up_and_nothing_is_lost(question: str, history: list[str]) -> None:
    read = standalone(question, history)
    said = " ".join([question, *history]).casefold()
    made_up = set(re.findall(r"\w+", read.casefold())) - set(re.findall(r"\w+", said)) - JOINING_WORDS - {"s"}
    assert not made_up
    assert bool(read.strip()) == bool(question.strip())
    assert standalone(question, history) == read


@pytest.mark.parametrize(
    "question", ["who built it?", "what were its shuttles made of?", "and when?", "what was the cause?"]
)
def test_what_was_read_alone_stands_alone(question: str) -> None:
    read = standalone(question, ["Where did the Tarn loom burn?"])
    assert read != question
    assert standalone(read, ["Where did the Tarn loom burn?"]) == read


@pytest.mark.parametrize("piece", ["it its they them that file and ", ".", '"', "a_-", "a.", "Ab C. ", "-t-il "])
def test_long_questions_and_histories_take_no_time(piece: str) -> None:
    long = (piece * 4000)[:4000]
    started = time.perf_counter()
    for question in (long, "who wrote it, and why did they change that file?"):
        standalone(question, [long] * 50)
    assert time.perf_counter() - started < 2


# Fitting


def dialogues(file: Path) -> Path:
    rows: list[dict[str, Any]] = []
    for name in ("Ada Stone", "Jan Reed", "Eva Hill", "Tom Lake", "Ida Marsh", "Max Field", "Lea Brook", "Ben Wood"):
        asked = [
            (f"Where was {name} born?", f"Where was {name} born?", "In a mill"),
            ("When did they leave?", f"When did {name} leave?", "In May"),
            ("what was the cause?", f"what was the cause of the illness of {name}?", "A cold"),
        ]
        history: list[str] = []
        for question, rewrite, answer in asked:
            rows.append({"title": name, "history": history, "question": question, "rewrite": rewrite})
            history = [*history, question, answer]
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    return file


def test_a_turn_has_the_rewrites_before_it(tmp_path: Path) -> None:
    turn = read_turns(dialogues(tmp_path / "canard.jsonl.gz"))[2]
    assert turn.raw == ("Where was Ada Stone born?", "When did they leave?")
    assert turn.resolved == ("Where was Ada Stone born?", "When did Ada Stone leave?")
    assert turn.answers == ("In a mill", "In May")
    assert {"ada", "ston"} < turn.missing


def test_fitting_is_repeatable_and_holds_titles_out(tmp_path: Path) -> None:
    data, alone = dialogues(tmp_path / "canard.jsonl.gz"), tmp_path / "alone.tsv.gz"
    alone.write_bytes(
        gzip.compress(b"where is the mill of salt lake city\t1\nwhat is scurvy\t0\nhow do bees dance\t1\n" * 4)
    )
    options = FollowingOptions(held_out=0.25)
    model = fit(data, alone, options)
    assert model == fit(data, alone, options)
    assert model["card"]["teaching"]["titles"] == 6
    assert model["card"]["held_out"]["titles"] == 2
    assert standalone("When did they leave?", ["Where was Zoe Crane born?"], model) == "When did Zoe Crane leave?"
    assert standalone("what is scurvy", ["Where was Zoe Crane born?"], model) == "what is scurvy"
