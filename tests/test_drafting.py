import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import UsageError
from rag.generator import Copied, Draft, Written
from rag.writing.drafting import MAX_TEXT, THRESHOLD, Sentence, cited_sentences, draft_of, refuses, threshold
from rag.writing.prompting import REFUSAL
from tests.answers import passage

ARCHIVE = passage("The archive was opened in 1921. It holds 75,000 letters.", context="The archive")
BEES = passage("Bees dance. A hive holds up to sixty thousand bees.", context="Bees")
QUESTION = "When was the archive opened, and what does it hold?"


def drafted(text: str, question: str = QUESTION, surety: float | None = None) -> Draft:
    return draft_of(text, question, [BEES, ARCHIVE], surety)


def written(draft: Draft) -> list[tuple[str, list[str]]]:
    """Return each sentence with the quotes that bear it out."""
    passages = [BEES, ARCHIVE]
    found = []
    for piece in draft.pieces:
        assert isinstance(piece, Written)
        assert piece.supported == bool(piece.evidence)
        quotes = [passages[span.passage].text[span.start : span.end] for span in piece.evidence]
        found.append((piece.text, quotes))
    return found


OPENED, HOLDS = "The archive was opened in 1921.", "It holds 75,000 letters."


def test_each_sentence_gets_what_bears_it_out() -> None:
    draft = drafted("The archive was opened in 1921 [2]. It holds 75,000 letters [2].")
    assert written(draft) == [("The archive was opened in 1921. ", [OPENED]), ("It holds 75,000 letters.", [HOLDS])]
    assert draft.confidence == 1.0
    assert draft.evidence == {"supported": 1.0}


def test_a_sentence_that_nothing_bears_out_is_unsupported() -> None:
    draft = drafted("The archive was opened in 1921 [2]. It was shut in 1950 [2].")
    assert written(draft) == [("The archive was opened in 1921. ", [OPENED]), ("It was shut in 1950.", [])]
    assert draft.confidence == pytest.approx(32 / 52)  # characters, the space behind a sentence with it


@pytest.mark.parametrize("cited", ["", " [1]", " [7]", " [0]", " [1][7]", " [12, 13]"])
def test_a_wrong_or_missing_number_does_not_lose_the_evidence(cited: str) -> None:
    assert written(drafted(f"The archive was opened in 1921{cited}.")) == [(OPENED, [OPENED])]


def test_passages_cited_together_may_bear_out_a_sentence_together() -> None:
    together = "The archive was opened in 1921 and a hive holds sixty thousand bees"
    assert written(drafted(f"{together} [1][2].", "archive and hive?")) == [
        (f"{together}.", ["A hive holds up to sixty thousand bees.", OPENED])
    ]
    assert written(drafted(f"{together}.", "archive and hive?")) == [(f"{together}.", [])]


@pytest.mark.parametrize(
    "text", [REFUSAL, REFUSAL.upper(), "the passages do not say", f"{REFUSAL} [1]", "", "  \n", "[1]", "<think>Well"]
)
def test_a_refusal_has_no_pieces(text: str) -> None:
    assert drafted(text) == Draft((), 0.0)


@pytest.mark.parametrize(
    "sentence",
    [
        "The provided passages do not mention the roof.",
        "I cannot answer this question.",
        "This is not stated in the passages.",
        "The context doesn't provide that.",
        "There is not enough information.",
        "I don't know.",
        "The text contains no information about it.",
    ],
)
def test_usual_words_for_a_refusal_are_known(sentence: str) -> None:
    assert refuses(sentence)
    assert written(drafted(f"{OPENED} {sentence}")) == [(OPENED, [OPENED])]


@pytest.mark.parametrize(
    "sentence", ["The text is not from 1920.", "No one opened it.", "It did not open.", "The documents were not burnt."]
)
def test_a_claim_is_no_refusal(sentence: str) -> None:
    assert not refuses(sentence)


def test_what_passages_say_in_the_words_of_a_refusal_is_an_answer() -> None:
    log = passage("The old documents do not mention a roof.")
    draft = draft_of("The old documents do not mention a roof.", "What do the documents say of a roof?", [log])
    assert draft.pieces == (Written("The old documents do not mention a roof.", True, (Copied(0, 0, 40),)),)


def test_the_confidence_is_what_is_borne_out_times_how_surely_it_was_said() -> None:
    draft = drafted(OPENED, surety=math.log(0.8))
    assert draft.confidence == pytest.approx(0.8)
    assert draft.evidence == {"supported": 1.0, "token_probability": pytest.approx(0.8)}
    assert drafted(OPENED, surety=0.1).confidence == 1.0, "rounding cannot make it more than certain"
    assert drafted("It was shut in 1950.", surety=-0.1).confidence == 0.0 < THRESHOLD


def test_no_share_of_errors_is_promised() -> None:
    assert threshold("gpt", None) == THRESHOLD
    with pytest.raises(UsageError, match="confidence of the generator 'gpt' is not calibrated") as caught:
        threshold("gpt", 0.1)
    assert "--generator quoting" in caught.value.hint


# Sentences and citations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing [1]. Two things [2].", [("One thing. ", [1]), ("Two things.", [2])]),
        ("One thing. [1] Two things. [2]", [("One thing. ", [1]), ("Two things.", [2])]),
        ("One thing.[1][3] Two things.", [("One thing. ", [1, 3]), ("Two things.", [])]),
        ("One [1] and two [2].", [("One and two.", [1, 2])]),
        ("All of it [1, 3; 2 and 1].", [("All of it.", [1, 3, 2])]),
        ("All of it [2-4] [5–5].", [("All of it.", [2, 3, 4, 5])]),
        ("Backwards [4-2] and [1-2-3].", [("Backwards and.", [1, 2])]),
        ("[1] First line.\n[2] Second line.", [("First line.\n", [1]), ("Second line.", [2])]),
        ("- an item [1]\n- an item [2]", [("- an item\n", [1]), ("- an item", [2])]),
        ("It is so [Passage 2].", [("It is so.", [2])]),
        ("It is so [sources 1 and 2].", [("It is so.", [1, 2])]),
        ("It is so【3†source】.", [("It is so.", [3])]),
        ("It is so [^2].", [("It is so.", [2])]),
        ("Not [2021], [a1], [] or (3).", [("Not [2021], [a1], [] or (3).", [])]),
        ("Dr. No met Mr. Yes [1]. So.", [("Dr. No met Mr. Yes. ", [1]), ("So.", [])]),
        ("<think>\nI see [3].</think>\nIt is so.", [("It is so.", [])]),
        ("It\u202e is\x1b[31m  \t so\x00.", [("It is so.", [])]),
        ("[1]", []),
        ("", []),
    ],
)
def test_sentences_are_told_from_their_citations(text: str, expected: list[tuple[str, Sequence[int]]]) -> None:
    assert cited_sentences(text) == [Sentence(said, tuple(cites)) for said, cites in expected]


@given(st.text(alphabet="ab.[]1,-  \n【】†^!?", max_size=80))
def test_no_citation_is_left_in_the_text(text: str) -> None:
    found = cited_sentences(text)
    assert all(sentence.text.strip() for sentence in found)
    assert all(number >= 1 for sentence in found for number in sentence.cites)
    assert all("[1]" not in sentence.text for sentence in found) or "[[" in text or "[【" in text


@given(st.text(max_size=400), st.text(max_size=60))
def test_any_text_makes_a_draft(text: str, question: str) -> None:
    draft = draft_of(text, question, [BEES, ARCHIVE])
    assert 0 <= draft.confidence <= 1
    assert all(isinstance(piece, Written) and piece.text for piece in draft.pieces)


def test_a_text_without_end_is_cut() -> None:
    draft = drafted("It is so [1]. " * 100_000)
    assert sum(len(text) for text, _ in written(draft)) <= MAX_TEXT
