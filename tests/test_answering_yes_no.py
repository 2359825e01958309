"""Yes or no, and the sentence that says so."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rag.answering import yes_no as yes_no_form
from rag.answering.composing import Shown
from rag.answering.evidence import Evidence
from rag.answering.yes_no import UNDECIDED, verdict, yes_no
from rag.generator import Written
from rag.polarity import Polarity
from rag.types import Passage
from tests.seen import chances_of, document, evidence, shown_text

READ = document("Dogs may come aboard. Smoking is not allowed on the ferry. Tickets are sold at the pier.")


def shown(question: str, likely: dict[str, float], read: Passage = READ) -> tuple[Shown, str]:
    seen = evidence(question, read)
    found = yes_no(seen, *chances_of(seen, likely))
    assert found.form == "yes-no"
    return found, shown_text(found, seen.passages)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("May dogs come aboard?", "Yes. Dogs may come aboard."),
        ("Is smoking allowed on the ferry?", "No. Smoking is not allowed on the ferry."),
        ("Is smoking forbidden on the ferry?", "Yes. Smoking is not allowed on the ferry."),
    ],
)
def test_the_word_is_given_with_the_sentence_that_says_so(question: str, expected: str) -> None:
    found, text = shown(question, {expected.split(". ")[1][:10]: 0.9})
    assert text == expected
    assert 0.5 < found.share <= 1


def test_a_likelier_sentence_decides_before_a_less_likely_one() -> None:
    _, text = shown("Is smoking allowed on the ferry?", {"Smoking": 0.9, "Dogs": 0.8})
    assert text == "No. Smoking is not allowed on the ferry."


def test_an_unlikely_sentence_does_not_decide() -> None:
    """One of less than 0.4 times the chance of the likeliest is not looked at."""
    question = "Is the ferry heated in winter?"
    read = document("The timetable of the winter hangs at the pier. The ferry is not heated.")
    _, text = shown(question, {"The timetable": 0.9, "The ferry": 0.3}, read)
    assert "not heated" not in text


def test_where_no_sentence_decides_there_is_no_word_and_half_the_confidence() -> None:
    read = document("A list of the crew hangs at the pier.")
    found, text = shown("Is smoking allowed?", {"A list": 0.9}, read)
    assert text == "A list of the crew hangs at the pier."
    assert found.share == UNDECIDED == 0.5


@pytest.mark.parametrize(
    ("lead", "expected"),
    [("These are allowed on the ferry:", "Yes. - smoking"), ("These are not allowed on the ferry:", "No. - smoking")],
)
def test_an_item_is_read_with_what_introduces_its_list(lead: str, expected: str) -> None:
    items = "- smoking\n- fishing"
    read = document(f"{lead}\n\n{items}", (lead, "paragraph"), (items, "paragraph"))
    _, text = shown("Is smoking allowed on the ferry?", {"- smoking": 0.9}, read)
    assert text == expected


@pytest.mark.parametrize(("clearly", "likely", "word"), [(0.45, 0.5, True), (0.45, 0.1, False), (0.7, 0.1, True)])
def test_an_unlikely_sentence_has_to_say_it_clearly(
    monkeypatch: pytest.MonkeyPatch, clearly: float, likely: float, word: bool
) -> None:
    """ "Yes." stood before whatever was nearest to a question that the documents do not answer."""
    monkeypatch.setattr(yes_no_form, "polarity", lambda *_: Polarity(clearly, 0.05, 0.95 - clearly))
    assert shown("Is the ferry heated?", {"Smoking": likely})[1].startswith("Yes.") == word


# The network's say

DOGS = "Dogs may come aboard."
SMOKING = "Smoking is not allowed on the ferry."


def judged(question: str, said: dict[str, tuple[float, float]], read: Passage = READ) -> Evidence:
    """Return what is seen where the network says yes and no of these sentences (log-odds), by their first words."""
    seen = evidence(question, read)
    odds = [said.get(seen.text(each.unit), (-9.0, -9.0)) for each in seen.all()]
    units = [replace(each, yes=yes, no=no) for each, (yes, no) in zip(seen.all(), odds, strict=True)]
    return replace(seen, seen=(tuple(units),))


def test_the_network_decides_where_the_words_do_not() -> None:
    question, likely = "Do crossings get cancelled?", {"Tickets": 0.9}
    sold = "Tickets are sold at the pier."
    assert shown(question, likely)[1] == sold
    seen = judged(question, {sold: (-4.0, 5.0)})
    assert shown_text(yes_no(seen, *chances_of(seen, likely)), seen.passages) == f"No. {sold}"


def test_where_words_and_network_disagree_neither_word_is_given() -> None:
    seen = judged("Is smoking allowed on the ferry?", {SMOKING: (6.0, -6.0)})
    assert shown_text(yes_no(seen, *chances_of(seen, {"Smoking": 0.9})), seen.passages) == SMOKING


def test_of_given_passages_the_sentence_that_says_it_most_is_the_evidence() -> None:
    seen = judged("May dogs come?", {DOGS: (3.0, -2.0), SMOKING: (-1.0, 0.0)})
    draft = verdict(seen)
    assert draft is not None
    (said,) = draft.pieces
    assert isinstance(said, Written)
    (quote,) = said.evidence
    assert (said.text, READ.text[quote.start : quote.end]) == ("Yes", DOGS)
    odds = [math.exp(3.0) + math.exp(-1.0) + math.exp(-9.0), math.exp(-2.0) + math.exp(0.0) + math.exp(-9.0), 1.0]
    assert draft.confidence == pytest.approx(odds[0] / sum(odds))


def test_without_a_network_that_says_so_there_is_no_verdict() -> None:
    assert verdict(evidence("May dogs come?", READ)) is None


def test_of_likely_sentences_the_one_that_says_it_more_clearly_decides() -> None:
    read = document(
        "Names of boats may be reused, not always visibly. Attempts to sell a name of a boat are prohibited."
    )
    _, text = shown("Can I sell the name of my boat?", {"Names of": 0.7, "Attempts": 0.6}, read)
    assert text == "No. Attempts to sell a name of a boat are prohibited."


def test_a_hint_is_enough_for_a_sentence_that_is_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it answers at all is in its chance; a yes has to stand in a sentence without a denial."""
    monkeypatch.setattr(yes_no_form, "polarity", lambda *_: Polarity(0.2, 0.02, 0.78))
    read = document("The change is compatible with older boats.")
    assert shown("Is it compatible?", {"The change": 0.8}, read)[1].startswith("Yes. ")
    assert not shown("Is it compatible?", {"The change": 0.2}, read)[1].startswith("Yes. ")
    denied = document("The change is not large, and compatible.")
    assert not shown("Is it compatible?", {"The change": 0.8}, denied)[1].startswith("Yes. ")
