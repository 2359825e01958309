"""What a question asks for, read off its words: form, finer kind and subject, in English, German and French."""

from __future__ import annotations

import time

import pytest

from rag.answering.asked import LOOKED_AT, Asked, asked, looked_at
from rag.answering.comparing import sides
from rag.types import Form


@pytest.mark.parametrize(
    ("form", "question"),
    [
        ("fact", "When was the mill built?"),
        ("fact", "Who repairs the ferry?"),
        ("fact", "How many boats are in the harbour?"),
        ("fact", "How much does a ticket cost?"),
        ("fact", "Where is the key kept?"),
        ("fact", "What is the price of a ticket?"),
        ("fact", "Which mill is older?"),
        ("fact", "Is the mill a monument or a museum?"),
        ("fact", "Does the ferry leave at 9:30 or at 10?"),
        ("fact", "Is the fee paid monthly or yearly?"),
        ("fact", "Is the helmet optional or mandatory?"),
        ("yes-no", "May I bring dogs or cats?"),
        ("yes-no", "Is the mill closed on Sundays or holidays?"),
        ("fact", "What did the new sails of the mill cost?"),
        ("fact", "What were the rooms of the mill budgeted at?"),
        ("list", "What were the main goals of the repairs?"),
        ("overview", "What is the goal of the repairs?"),
        ("fact", "Was kostet die Fahrt?"),
        ("yes-no", "Is smoking allowed on the ferry?"),
        ("yes-no", "May I bring a dog?"),
        ("yes-no", "Isn't the mill closed?"),
        ("yes-no", "Was the mill closed in 1911?"),
        ("yes-no", "For members, is the boat free?"),
        ("yes-no", "If it rains, does the ferry run?"),
        ("yes-no", "Our boat is nine metres long, can it moor at the weir?"),
        ("fact", "How often is a new version of the handbook printed?"),
        ("yes-no", "Darf ich einen Hund mitbringen?"),
        ("yes-no", "Gibt es einen Aufzug?"),
        ("yes-no", "Est-ce que le moulin est ouvert ?"),
        ("yes-no", "Peut-on fumer à bord ?"),
        ("list", "What are the rules of the harbour?"),
        ("list", "Name the three mills"),
        ("list", "What are the opening hours?"),
        ("list", "Which tools does every miller keep?"),
        ("list", "Which files must I send?"),
        ("list", "Which valleys does the river pass?"),
        ("list", "Which boats need a licence?"),
        ("list", "Who are the members of the board?"),
        ("list", "Who is in the crew of the barge?"),
        ("fact", "Who took the minutes of the regatta in June?"),
        ("fact", "Since when are the rules of the harbour in force?"),
        ("fact", "Which tool finds leaks?"),
        ("comparison", "A sluice compared to a weir"),
        ("list", "List all tools"),
        ("list", "What tools do I need?"),
        ("list", "What do I need to bring?"),
        ("list", "Welche Boote gibt es?"),
        ("list", "Quels sont les outils ?"),
        ("steps", "How do I open the sluice?"),
        ("steps", "How to grease the axle"),
        ("steps", "Renew a ticket"),
        ("steps", "What should I do when the alarm rings?"),
        ("steps", "Wie kann ich ein Boot mieten?"),
        ("steps", "Comment ouvrir la vanne ?"),
        ("overview", "What is the report about?"),
        ("overview", "Summarise the report"),
        ("overview", "What is in this collection?"),
        ("overview", "The mill handbook in a nutshell"),
        ("overview", "Worum geht es im Bericht?"),
        ("overview", "Résumé du rapport"),
        ("comparison", "What is the difference between a sluice and a weir?"),
        ("comparison", "How does a sluice differ from a weir?"),
        ("comparison", "sluice vs weir"),
        ("comparison", "Which is older, the mill or the weir?"),
        ("comparison", "Was ist der Unterschied zwischen Wehr und Schleuse?"),
        ("comparison", "Quelle est la différence entre un barrage et une écluse ?"),
    ],
)
def test_the_form_is_read_off_the_words(form: Form, question: str) -> None:
    assert asked(question).form == form


@pytest.mark.parametrize(
    ("kind", "question"),
    [
        ("which", "Which documents mention the sluice?"),
        ("which", "Which of these letters did Petra Holm write?"),
        ("which", "In which chapter is the sluice explained?"),
        ("which", "List all letters by Petra Holm"),
        ("which", "Welche Dokumente nennen die Schleuse?"),
        ("which", "Quels documents parlent du moulin ?"),
        ("how many", "How many of these documents are about the mill?"),
        ("how many", "How many reports are there?"),
    ],
)
def test_documents_are_counted_or_named(kind: str, question: str) -> None:
    found = asked(question)
    assert (found.form, found.kind) == ("count", kind)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("author", "Who wrote the report?"),
        ("author", "Wer hat den Bericht geschrieben?"),
        ("author", "Qui a écrit le rapport ?"),
        ("author", "Qui a rédigé le rapport ?"),
        ("author", "Wer hat den Bericht verfasst?"),
        ("from", "Who sent the letter about the mill?"),
        ("sponsor", "Who sponsors the regatta?"),
        ("date", "When was the handbook last updated?"),
        ("version", "Which version of the mill handbook is current?"),
        ("status", "What is the status of the proposal?"),
        ("licence", "What is the license of the code?"),
        ("title", "What's the title of the report?"),
    ],
)
def test_a_question_for_a_field_names_it(name: str, question: str) -> None:
    found = asked(question)
    assert (found.form, found.kind) == ("field", name)


@pytest.mark.parametrize(
    ("subject", "question"),
    [
        ("sluice", "What is a sluice?"),
        ("tail race", "What is the tail race?"),
        ("tail race", 'What does "tail race" mean?'),
        ("tail race", "What is meant by tail race?"),
        ("millstones", "What are millstones?"),
        ("sluice", "Define a sluice"),
        ("sluice", "sluice definition"),
        ("tail race", "Explain the tail race"),
        ("Schleuse", "Was bedeutet Schleuse?"),
        ("bief", "Qu'est-ce que le bief ?"),
    ],
)
def test_a_definition_knows_what_is_to_be_defined(subject: str, question: str) -> None:
    assert asked(question) == Asked(question, "explanation", "definition", subject)


def test_was_in_german_is_what_and_asks_for_no_yes_or_no() -> None:
    """The English auxiliary is written the same: "Was ist eine Schleuse?" was answered with yes or no."""
    question = "Was ist eine Schleuse?"
    assert asked(question) == Asked(question, "explanation", "definition", "Schleuse")


def test_an_elided_que_still_asks_what_something_is() -> None:
    """Only "qu'est-ce que" was known, and "Qu'est-ce qu'une écluse" was taken for three keywords."""
    question = "Qu'est-ce qu'une écluse ?"
    assert asked(question) == Asked(question, "explanation", "definition", "écluse")


@pytest.mark.parametrize(
    "question",
    ["What is the price of a ticket?", "What is the deadline for entries?", "What is the capital of the valley?"],
)
def test_a_property_of_something_is_no_definition(question: str) -> None:
    assert asked(question) == Asked(question, "fact")


def test_a_person_is_no_definition() -> None:
    assert asked("Who is Petra Holm?").form == "fact"


@pytest.mark.parametrize(
    "question",
    ["Why was the mill closed?", "So, why is it closed?", "What is the reason for the closure?", "How come it stopped?",
     "Warum ist die Mühle zu?", "Pourquoi le moulin est-il fermé ?"],
)  # fmt: skip
def test_a_question_for_a_reason_is_explained(question: str) -> None:
    assert asked(question) == Asked(question, "explanation", "why")


def test_an_overview_knows_what_it_is_of() -> None:
    questions = ("What is the report about?", "Summarise the report", "Give me an overview of the report",
                 "What does the report cover?", "Tell me about the report")  # fmt: skip
    assert [asked(question).subject for question in questions] == ["report"] * 5
    assert asked("What is in this collection?").subject == ""


def test_a_few_words_without_a_question_are_keywords() -> None:
    assert asked("ferry timetable") == Asked("ferry timetable", "fact", "keywords", "ferry timetable")
    assert asked("oak") == Asked("oak", "fact", "keywords", "oak")
    assert asked("which colour has the flag").kind == ""
    assert asked("one two red four blue").kind == ""  # too many to be keywords


def test_spaces_and_marks_at_the_end_tell_nothing() -> None:
    question = "  What\n is  a sluice ?! "
    assert asked(question) == Asked(question, "explanation", "definition", "sluice")


def test_a_topic_before_the_question_leaves_its_form_alone() -> None:
    """A follow-up is read with its topic before it, and every "ferry: may dogs come aboard?" asked for a fact."""
    assert asked("ferry: may dogs come aboard?").form == "yes-no"
    assert asked("old mill: why is it closed?").kind == "why"
    assert asked("At 12:30 where is the ferry?").form == "fact"


@pytest.mark.parametrize("question", ["", "?", " \n", "???!!!", "\u200b", "。"])
def test_nothing_asks_for_a_fact(question: str) -> None:
    assert asked(question).form == "fact"


def test_of_a_long_question_the_last_sentence_asks() -> None:
    preamble = "The mill stands by the river. " * 20
    assert len(preamble) > LOOKED_AT
    found = asked(preamble + "What is a sluice?")
    assert (found.form, found.subject) == ("explanation", "sluice")
    assert looked_at("a" * 1000) == "a" * LOOKED_AT


HOSTILE = (
    "a", " ", "?.", "a-", "1. ", "which ", "which a or ", "which older x ", "difference ", "what is ", "is ", "a\n",
    "between a and, ", "compare ", "how do ", "when was ", "wer hat ", "documents by ", "welche ", "what does a ",
    "summary of ", "in a, ", "the ", "'", "a, ", "how does differ ", "both ", "what do ab ",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_question_takes_no_time(piece: str) -> None:
    """The patterns were tried from every place to every other: fifty thousand "which other " took minutes."""
    text = (piece * 50_000)[:50_000]
    for question in (text, f"which {text} x", f"what is {text}!", text[:LOOKED_AT]):
        began = time.perf_counter()
        asked(question)
        sides(question)
        assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("How many pages has the draft on the weir?", "fact"),
        ("how many chapters are in the handbook", "fact"),
        ("How many articles does the statute have?", "fact"),
        ("How many pages mention the weir?", "count"),
        ("How many notes are there in my folder?", "count"),
        ("How many letters did Anna Holm write?", "count"),
    ],
)
def test_the_parts_of_one_document_are_not_counted_as_documents(question: str, form: str) -> None:
    assert asked(question).form == form
