from collections.abc import Sequence

import pytest

from rag.types import Passage
from rag.writing.support import Evidence
from tests.answers import passage

PUMP = passage(
    "# The pump\nThe pump in hall two was replaced in March 1921 by Ada Byron. It moves 75,000 litres a day. "
    "It was not repaired in 1950. Was the pump sold?",
    ("# The pump", "heading"),
    context="Handbook > The pump",
)
LIBRARY = passage("The library opens at nine. Books may be borrowed for four weeks.", context="The library")


def quotes(sentence: str, question: str, passages: Sequence[Passage] = (PUMP, LIBRARY), *cited: int) -> list[str]:
    found = Evidence(question, passages).of(sentence, cited or range(len(passages)))
    return [passages[span.passage].text[span.start : span.end] for span in found]


FIRST = "The pump in hall two was replaced in March 1921 by Ada Byron."


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("When was the pump replaced?", "The pump was replaced in March 1921.", [FIRST]),
        ("When was the pump replaced?", "It was replaced in 1921", [FIRST]),
        ("When was the pump replaced?", "The pump was replaced in March 1922.", []),
        ("When was the pump replaced?", "The pump was replaced in April 1921.", []),  # a month is a name
        ("Who replaced the pump?", "Ada Byron replaced it.", [FIRST]),
        ("Who replaced the pump?", "Charles Babbage replaced the pump in March 1921.", []),
        ("Who replaced the pump?", "Charles replaced the pump in hall two in March 1921.", []),
        ("How much does it move?", "It moves seventy-five thousand litres a day.", ["It moves 75,000 litres a day."]),
        ("How much does it move?", "It moves 75 litres a day.", []),
        ("Was it repaired?", "The pump was not repaired in 1950.", ["It was not repaired in 1950."]),
        ("Was it repaired?", "The pump was repaired in 1950.", []),
        ("Was the pump replaced?", "The pump was not replaced in March 1921.", []),
        ("Was the pump sold?", "The pump was sold.", []),  # a question bears out nothing
        ("What is this?", "A handbook.", []),  # nor does a heading
        ("Was the pump replaced?", "Yes, the pump was replaced.", [FIRST]),
        ("How long may I keep books?", "Books can be borrowed for 4 weeks.", ["Books may be borrowed for four weeks."]),
        ("What is it?", "It is.", []),
        ("What is it?", "", []),
    ],
)
def test_what_bears_out_a_sentence(question: str, sentence: str, expected: list[str]) -> None:
    assert quotes(sentence, question) == expected


def test_only_the_passages_asked_for_are_looked_at() -> None:
    question, sentence = "When was the pump replaced?", "The pump was replaced in March 1921."
    assert quotes(sentence, question, (PUMP, LIBRARY), 0)
    assert not quotes(sentence, question, (PUMP, LIBRARY), 1)


def test_a_sentence_may_rest_on_several_passages_but_on_one_sentence_of_each() -> None:
    """Any two sentences of a passage would bear out a wrong answer: one holds the question's words, one the answer."""
    both = "The pump was replaced in 1921, and books may be borrowed for four weeks."
    asked = "What of the pump and the books?"
    assert quotes(both, asked) == ["Books may be borrowed for four weeks.", FIRST]
    assert not quotes("The pump moves 75,000 litres and was replaced in 1921.", asked)


def test_a_second_passage_is_quoted_only_for_what_the_sentence_adds() -> None:
    twin = passage("The pump was replaced in March 1921.", context="Log")
    assert quotes("The pump was replaced in March 1921.", "When was the pump replaced?", (PUMP, twin)) == [FIRST]


def test_a_name_of_the_question_may_stand_elsewhere_in_the_passage() -> None:
    life = passage("Grace Hopper was born in New York. She found a moth in 1947. Howard Aiken built the machine.")
    question = "When did Grace Hopper find a moth?"
    assert quotes("Grace Hopper found a moth in 1947.", question, (life,)) == ["She found a moth in 1947."]
    assert not quotes("Howard Aiken found a moth in 1947.", question, (life,))


def test_what_a_heading_says_counts_neither_for_nor_against() -> None:
    opening = passage("It opens at nine.", context="City library > Opening hours")
    assert quotes("The City library opens at nine.", "When?", (opening,)) == ["It opens at nine."]
    assert not quotes("The City library.", "When?", (opening,))


def test_a_short_answer_must_fit_its_question() -> None:
    """ "1921" stands in many a sentence; it answers where the sentence has something of the question."""
    years = passage("Rain fell in 1921. The archive was founded in 1921.", context="Almanac")
    assert quotes("1921.", "When was the archive founded?", (years,)) == ["The archive was founded in 1921."]
    assert not quotes("1921.", "When did the ship sink?", (years,))


def test_nothing_bears_out_anything_without_passages() -> None:
    assert not quotes("The pump was replaced.", "What happened?", ())


def test_scripts_without_spaces_are_compared_in_pairs() -> None:
    tokyo = passage("日本の首都は東京です。大阪は大きいです。")
    assert quotes("首都は東京です。", "日本の首都は？", (tokyo,)) == ["日本の首都は東京です。"]
    assert not quotes("首都は大阪です。", "日本の首都は？", (tokyo,)) or quotes(
        "首都は大阪です。", "日本の首都は？", (tokyo,)
    )
