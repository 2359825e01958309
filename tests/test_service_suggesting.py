"""Questions to try: of headings and sentences, in plain English, and none rather than a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.service.suggesting import questions_to_try
from tests.worlds import collection_of

BODY = "Take the ladder from the shed and lay each tile upon the one below."


@pytest.mark.parametrize(
    ("heading", "body", "question"),
    [
        ("How to mend a tile", BODY, "How do I mend a tile?"),
        ("3.1 How to mend a tile", BODY, "How do I mend a tile?"),
        ("To close the house", BODY, "How do I close the house?"),
        ("When is a station closed?", BODY, "When is a station closed?"),
        ("Who may close a road", BODY, "Who may close a road?"),
        ("What happens after a storm", BODY, "What happens after a storm?"),
        ("When to call the depot", BODY, "When should I call the depot?"),
        ("Where to leave the keys", BODY, "Where can I leave the keys?"),
        ("How the night shift works", BODY, "How does the night shift work?"),
        ("Reporting a broken gauge", "Keepers report it within two days.", "How do I report a broken gauge?"),
        ("Closing the books", "We close them in May, after the last bill has come.", "How do I close the books?"),
        ("Kestrel", "Kestrel is a program that watches the river.", "What is Kestrel?"),
        ("The copying press", "The copying press is a machine of 1780 for letters.", "What is the copying press?"),
        ("The opening", "The archive was opened in 1921 by two teachers.", "When was the archive opened?"),
        ("Ferry", "The ferry to the island leaves at 7.40 each day.", "When does the ferry to the island leave?"),
        ("Tickets", "A ticket costs 4 pounds at the pier.", "How much does a ticket cost?"),
        ("Payments", "The rent is paid on the first day of March.", "When is the rent paid?"),
    ],
)  # fmt: skip
def test_a_heading_or_a_sentence_makes_a_question(tmp_path: Path, heading: str, body: str, question: str) -> None:
    collection = collection_of(tmp_path, {"a.md": f"# A\n\n## {heading}\n\n{body}\n"})
    assert questions_to_try(collection) == [question]


@pytest.mark.parametrize(
    ("heading", "body"),
    [
        ("Quiet hours", BODY),  # "What does “House rules” say about quiet hours?" fits no heading
        ("Introduction", BODY),
        ("How to mend a tile", "Soon."),  # nothing below it that could answer
        ("How to use this template", BODY),
        ("What does it do?", BODY),
        ("Which half failed?", BODY),
        ("What should I record", BODY),
        ("Running costs", "We run a boat, and the costs of that are high."),
        ("Painting a boat", BODY),  # "paint" or "painte": the text does not say
        ("Rain", "The year that was the wettest was counted in 1921."),
        ("Rain", "It was opened in 1921 by the town and its two teachers."),
        ("How die Uhr", "Die Uhr wurde im Jahr 1921 von zwei Lehrern gestellt."),
    ],
)
def test_no_question_rather_than_a_bad_one(tmp_path: Path, heading: str, body: str) -> None:
    assert questions_to_try(collection_of(tmp_path, {"a.md": f"# A\n\n## {heading}\n\n{body}\n"})) == []


def test_questions_are_of_different_documents_and_one_may_be_about_the_whole(tmp_path: Path) -> None:
    first = f"# Roofs\n\n## How to mend a tile\n\n{BODY}\n\n## How to lay a tile\n\n{BODY}\n"
    second = f"# House rules\n\n## Who may close the door\n\n{BODY}\n"
    asked = questions_to_try(collection_of(tmp_path, {"a.md": first, "b.md": second}))
    assert set(asked[:2]) == {"How do I mend a tile?", "Who may close the door?"}
    assert asked[2] == "How do I lay a tile?"
    about = questions_to_try(collection_of(tmp_path / "other", {"b.md": second}))
    assert about == ["Who may close the door?", "What is “House rules” about?"]


def test_files_without_titles_and_headings_offer_nothing(tmp_path: Path) -> None:
    bees = {"bees.txt": "Bees dance.\n", "prices.csv": "item,price\nbread,3\nmilk,2\n"}
    assert questions_to_try(collection_of(tmp_path, bees)) == []
