import gzip
import json
import math
import random
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.polarity import (
    NEITHER,
    NO,
    SETS,
    YES,
    JudgedSet,
    PolarityOptions,
    fit,
    nearest,
    read_judged,
)
from indexer.errors import UsageError
from rag.polarity import MODEL_FILE, Polarity, chances, polarity
from rag.polarity_signs import denies, signs_of

LEAST = 0.5


@pytest.mark.parametrize(
    ("question", "evidence", "word"),
    [
        ("May visitors feed the ducks?", "Visitors must not feed the ducks.", "no"),
        ("May visitors feed the ducks?", "Visitors may feed the ducks in the afternoon.", "yes"),
        ("Can I bring a dog into the reading room?", "Dogs are not allowed in the reading room.", "no"),
        ("Is smoking permitted on the terrace?", "Smoking on the terrace is prohibited.", "no"),
        ("Can the members borrow a boat?", "Members are able to borrow a boat at weekends.", "yes"),
        ("Do I have to book a table?", "It is not necessary to book a table.", "no"),
        ("Is a helmet mandatory in the workshop?", "A helmet is optional in the workshop.", "no"),
        ("Must drivers sign the log book?", "Drivers must sign the log book before they leave.", "yes"),
        ("Does the lift work at night?", "At night the lift does not work.", "no"),
        ("Is there a cure for leaf blight?", "There is no cure for leaf blight.", "no"),
        ("Are all rooms heated?", "Not all rooms are heated.", "no"),
        ("Is parking free for guests?", "No. Guests pay for parking.", "no"),
        ("Can children swim in the lake alone?", "No child may swim in the lake alone.", "no"),
        ("Ist das Parken im Hof erlaubt?", "Das Parken im Hof ist nicht erlaubt.", "no"),
        ("Darf man im Lesesaal essen?", "Im Lesesaal darf man nicht essen.", "no"),
        ("Est-il permis de fumer dans la cour ?", "Il est interdit de fumer dans la cour.", "no"),
    ],
)
def test_a_sentence_that_says_what_is_asked_says_yes_or_no(question: str, evidence: str, word: str) -> None:
    assert polarity(question, evidence).word(LEAST) == word


@pytest.mark.parametrize(
    ("question", "evidence"),
    [
        ("May visitors feed the ducks?", "The pond was dug in 1911."),
        ("Is the library open on Sundays?", "The kitchen does not serve soup."),
        ("Do members get a discount?", ""),
        ("", "Dogs are not allowed."),
        ("?", "?"),
    ],
)
def test_a_sentence_about_something_else_says_neither(question: str, evidence: str) -> None:
    assert polarity(question, evidence).word(LEAST) == ""


def test_the_answer_below_a_frequent_question_begins_with_its_word() -> None:
    assert polarity("Do you have a garden?", "Yes, behind the house.", "Do you have a garden?").word(LEAST) == "yes"
    assert polarity("Do you have a garden?", "No, only a yard.", "Do you have a garden?").word(LEAST) == "no"


def test_who_asks_whether_something_is_forbidden_is_told_so_with_yes() -> None:
    assert denies("Is it forbidden to feed the ducks?")
    assert polarity("Is it forbidden to feed the ducks?", "Feeding the ducks is prohibited.").word(LEAST) == "yes"
    assert polarity("Is it forbidden to feed the ducks?", "You are allowed to feed the ducks.").word(LEAST) == "no"


@pytest.mark.parametrize(
    ("question", "denied"),
    [
        ("Is it allowed to smoke?", False),
        ("Isn't it allowed to smoke?", False),
        ("Is smoking not allowed?", True),
        ("Is it prohibited to smoke?", True),
        ("Do people who never smoke live longer?", False),
        ("Ist es verboten zu rauchen?", True),
        ("Is the water warm or not?", False),
    ],
)
def test_a_denial_turns_a_question_round_unless_it_only_begins_it(question: str, denied: bool) -> None:
    assert denies(question) is denied


def test_a_denial_in_another_clause_does_not_reach_the_one_that_answers() -> None:
    said = polarity("May guests use the sauna?", "Guests may use the sauna, but they can not bring food.")
    assert said.yes > said.no


def test_except_what_is_asked_lowers_the_yes() -> None:
    """Everything is allowed there but what is asked for."""
    question = "Are bicycles allowed in the park?"
    plain = polarity(question, "All vehicles are allowed in the park.")
    excepted = polarity(question, "All vehicles are allowed in the park except bicycles.")
    assert excepted.yes / excepted.no < plain.yes / plain.no


def test_only_something_else_lowers_the_yes() -> None:
    question = "Can visitors enter the archive?"
    plain = polarity(question, "Visitors can enter the archive.")
    limited = polarity(question, "The archive can be entered by visitors only with written consent.")
    assert limited.yes / limited.no < plain.yes / plain.no


def test_another_number_lowers_the_yes() -> None:
    question = "Does the hall seat 300 people?"
    same = polarity(question, "The hall seats 300 people.")
    other = polarity(question, "The hall seats 120 people.")
    assert other.yes / other.no < same.yes / same.no


def test_one_is_not_two() -> None:
    question = "Can a user have two accounts?"
    assert "one of many" in signs_of(question, "A user can have exactly one account.").weakness
    assert "one of many" not in signs_of(question, "A user can have two accounts.").weakness
    assert polarity(question, "A user can have exactly one account.").word(LEAST) == "no"


def test_an_opposite_turns_what_is_said_round() -> None:
    assert polarity("Is the gate open at night?", "The gate is closed at night.").no > 0.4
    said = polarity("Is the gate open at night?", "The gate is open at night.")
    assert said.yes > said.no


def test_the_line_above_a_list_counts_for_its_items() -> None:
    question = "May I take umbrellas into the gallery?"
    forbidden = polarity(question, "umbrellas and bags", "It is forbidden to take into the gallery:")
    allowed = polarity(question, "umbrellas and bags", "You may take into the gallery:")
    assert (forbidden.word(LEAST), allowed.word(LEAST)) == ("no", "yes")


def test_what_stands_above_makes_the_answer_surer() -> None:
    question = "May the night porter accept parcels?"
    evidence = "Parcels may not be accepted."
    assert polarity(question, evidence, "The night porter").no > polarity(question, evidence).no


def test_marks_of_emphasis_and_curly_apostrophes_change_nothing() -> None:
    question = "Can't members vote by post?"
    written = "Members **can’t** vote by `post`."
    assert polarity(question, written) == polarity(question, "Members can't vote by post.")


def test_a_word_is_said_only_from_the_least_probability_on() -> None:
    assert Polarity(0.7, 0.2, 0.1).word(0.7) == "yes"
    assert Polarity(0.7, 0.2, 0.1).word(0.71) == ""
    assert Polarity(0.1, 0.6, 0.3).word(0.5) == "no"
    assert Polarity(0.45, 0.45, 0.1).word(0.4) == ""


TEXT = st.text(alphabet=st.sampled_from("not may no only a, .:?()'é3 visitors\n"), max_size=120) | st.text(max_size=60)


@given(TEXT, TEXT, TEXT)
def test_probabilities_sum_to_one_whatever_the_text(question: str, evidence: str, around: str) -> None:
    said = polarity(question, evidence, around)
    assert math.isclose(said.yes + said.no + said.neither, 1)
    assert min(said.yes, said.no, said.neither) >= 0


def test_a_hostile_text_takes_no_long_time() -> None:
    """Each pattern is bounded: 100,000 characters of cues took 0.6 s when this was written."""
    assert polarity("May I?", "no not may " * 9000).word(0.99) in ("", "yes", "no")


def test_the_weights_name_what_they_were_fitted_on() -> None:
    card = json.loads(MODEL_FILE.read_text(encoding="utf-8"))["card"]
    assert [each["file"] for each in card["sets"]] == [each.file for each in SETS]
    assert all(each["licence"] and re.fullmatch("[0-9a-f]{64}", each["sha256"]) for each in card["sets"])
    assert set(card["held_out"]) == {each.kind for each in SETS}


# Fitting


def test_the_sentence_nearest_to_the_question_is_read() -> None:
    passage = "The pond is old. Visitors may not feed the ducks. The ducks sleep."
    assert nearest("May visitors feed the ducks?", passage) == ("Visitors may not feed the ducks.", "The pond is old.")
    assert nearest("Which?", "One. Two.") == ("One.", "")


def rows_of(folder: Path, judged: JudgedSet, *rows: Mapping[str, object]) -> None:
    path = folder / judged.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def test_rows_of_every_form_are_read(tmp_path: Path) -> None:
    frequent, asked, _, claims, _ = SETS
    rows_of(
        tmp_path,
        frequent,
        {"id": "1", "entity": "Inn", "question": "Do you have a lift?", "answer": "No, the inn has no lift."},
        {"id": "2", "entity": "Inn", "question": "Do you have a lift?", "answer": "No lift is to be found."},
        {"id": "3", "entity": "Inn", "question": "Where is the lift?", "answer": "Yes, it is downstairs."},
    )
    rows_of(
        tmp_path,
        asked,
        {"kind": "yesno", "title": "Ducks", "context": "Ducks swim.", "question": "do ducks swim", "answers": ["yes"]},
        {"kind": "extractive", "title": "Ducks", "context": "Ducks swim.", "question": "who", "answers": ["Ducks"]},
    )
    rows_of(tmp_path, claims, {"claim": "Ducks fly.", "evidence": ["Ducks never fly."], "label": "refuted"})
    read = read_judged(tmp_path, frequent)
    assert {(row.question, row.label) for row in read} == {("Do you have a lift?", NO)}
    assert read[0].evidence == "the inn has no lift."  # "No lift is to be found." begins with no answer
    (row,) = read_judged(tmp_path, asked)
    assert (row.question, row.evidence, row.label) == ("do ducks swim?", "Ducks swim.", YES)
    (row,) = read_judged(tmp_path, claims)
    assert (row.question, row.label) == ("Ducks fly.", NO)


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no file .*dstc9_faq"):
        read_judged(tmp_path, SETS[0])


def test_a_fit_learns_that_not_means_no(tmp_path: Path) -> None:
    """Of 400 made-up houses half allow what is asked, and the model tells which from the held-out ones' sentences."""
    chance = random.Random(5)
    rows = []
    for number in range(400):
        thing = chance.choice(["dogs", "bikes", "skates", "drones", "barbecues"])
        allowed = number % 2 == 0
        answer = f"Yes, {thing} are allowed here." if allowed else f"No, {thing} are not allowed here."
        rows.append(
            {"id": str(number), "entity": f"House {number}", "question": f"Are {thing} allowed?", "answer": answer}
        )
    rows_of(tmp_path, SETS[0], *rows)
    model = fit(tmp_path, PolarityOptions(l2=1.0), SETS[:1])
    scores = model["card"]["held_out"]["frequent questions"]
    assert scores["accuracy"] == 1.0
    assert all(
        weight >= 0 for name, weight in model["direction"].items() if "claim" not in name and "twice" not in name
    )
    yes, no, neither = chances(model, signs_of("Are tents allowed?", "Tents are not allowed."))
    assert no > yes
    assert math.isclose(yes + no + neither, 1)
    assert NEITHER not in (YES, NO)


@pytest.mark.parametrize(
    ("question", "evidence", "expected"),
    [
        (
            "Is oak the wood that they used?",
            "The millers used oak, cut for each wheel and not for each mill.",
            "yes",
        ),
        ("Are dogs allowed on deck?", "Dogs may travel on deck and not in the cabin.", "yes"),
        ("Are dogs allowed in the cabin?", "Dogs may travel on deck and not in the cabin.", "no"),
        ("Is the ferry heated?", "The ferry is old and not heated.", "no"),
    ],
)
def test_and_not_denies_only_what_stands_behind_it(question: str, evidence: str, expected: str) -> None:
    """ "Bosun used Tesseract 5, chosen for each manual and not for each page" said no to whether it used Tesseract."""
    assert polarity(question, evidence).word(0.5) == expected


@pytest.mark.parametrize(
    ("question", "evidence", "expected"),
    [
        ("Does the licence cover patents?", "The licence excludes patents.", "no"),
        ("Is VAT included in the quoted fee?", "All fees exclude VAT.", "no"),
        ("Is the deposit refundable?", "The deposit is nonrefundable.", "no"),
        ("Are tickets refundable?", "Tickets are non-refundable once printed.", "no"),
        ("Is the museum open on Mondays?", "The museum is open every day except Monday.", "no"),
        ("Is registration required?", "Registration: optional", "no"),
        ("Is registration required?", "Registration: required", "yes"),
        ("Is wifi free for guests?", "Wifi costs 3 euro an hour for guests.", "no"),
        ("Is wifi free for guests?", "Guests use wifi free of charge.", "yes"),
        ("Is the contract still in force?", "The contract expired on 31 March 2020.", "no"),
        ("Is German an official language?", "Languages: German (official), French, Italian", "yes"),
        ("Is photography allowed?", "Photography without flash is welcome in all rooms.", "yes"),
        ("Can one account hold several projects?", "An account can hold many projects, but only one owner.", "yes"),
        ("Is the library open to the public?", "The library is open to members only.", "no"),
        ("Can I sell my berth?", "A berth is tied to the boat; it cannot be sold.", "no"),
        (
            "May I take other work?",
            "**May I take on other work?** Yes, up to eight hours a week, if it does not compete.",
            "yes",
        ),
    ],
)
def test_what_excludes_limits_or_prices_a_thing_says_so(question: str, evidence: str, expected: str) -> None:
    """ "Yes." stood before "excludes", "non-refundable" and "except Monday"."""
    assert polarity(question, evidence).word(LEAST) == expected
