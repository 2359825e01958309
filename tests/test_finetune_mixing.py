"""What questions become: answered, refused, competing, in two parts; each kind by itself, and its share."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.copying.examples import NEITHER, NO, YES, Copy, Example, Write
from finetune.copying.mixing import Mixture, Near, examples, one_of
from finetune.copying.unanswerable import Edited, unanswerable
from finetune.questions import Question

NOTHING = Mixture(titled=0, competing=0, missing=0, edited=0, two_part=0, tables=0)
PASSAGE = "Anna Finch led the army in 1920. The army of Bern had 75,000 men."
OTHER = ("Rome", "The fleet had 12 ships.")


def question(
    text: str = "Who led the army in 1920?",
    answers: Sequence[str] = ("Anna Finch",),
    *,
    id: str = "1",
    passage: str = PASSAGE,
    title: str = "Bern",
    document: str = "bern",
) -> Question:
    return Question(id, text, title, passage, tuple(answers), document)


def made(
    asked: Sequence[Question],
    mixture: Mixture,
    near: Near | None = None,
    seed: int = 0,
) -> list[Example]:
    return list(examples(asked, near or {}, mixture, random.Random(seed)))


def navy(word: str) -> Sequence[str]:
    """Tell armies from navies."""
    return ("navy",) if word == "army" else ()


def copied(example: Example) -> list[list[str]]:
    """Return what each action copies or writes."""
    return [
        [action.text]
        if isinstance(action, Write)
        else [example.passages[passage][1][start:end] for passage, start, end in action.spans]
        for action in example.actions
    ]


# Each question


def test_a_question_is_answered_by_every_place_of_every_answer() -> None:
    passage = "75,000 men, 75,000 in all: 75"
    (example,) = made([question("How many?", ["75,000", "75", "75,000 men"], passage=passage)], NOTHING)
    assert example == Example("How many?", (("", passage),), (Copy(((0, 0, 6), (0, 12, 18), (0, 27, 29), (0, 0, 10))),))


def test_an_unanswerable_question_is_refused() -> None:
    assert made([question(answers=[])], NOTHING) == [Example("Who led the army in 1920?", (("", PASSAGE),), ())]


@pytest.mark.parametrize(("answers", "verdict"), [(["Yes"], YES), (["no"], NO), ([], NEITHER)])
def test_a_question_whether_something_is_so_has_a_verdict_and_no_span(answers: list[str], verdict: int) -> None:
    passage = "No army had horses."
    asked = replace(question("Had the army horses?", answers, passage=passage), yes_no=True)
    assert made([asked], NOTHING) == [Example("Had the army horses?", (("", passage),), (), verdict)]


def test_an_answer_that_the_passage_does_not_say_is_written() -> None:
    (example,) = made([question("Did she lead it?", ["yes", "she did"])], NOTHING)
    assert example.actions == (Write("yes"),)
    (mixed,) = made([question("Did she lead it?", ["yes", "led"])], NOTHING)
    assert copied(mixed) == [["led"]]


def test_the_title_is_shown_as_often_as_asked() -> None:
    assert [example.passages[0][0] for example in made([question()] * 3, Mixture(1, 0, 0, 0, 0, 0))] == ["Bern"] * 3
    shown = [example.passages[0][0] for example in made([question()] * 1000, Mixture(0.3, 0, 0, 0, 0, 0))]
    assert shown.count("Bern") == pytest.approx(300, abs=60)


# Hard negatives


def test_one_to_three_passages_compete_and_the_own_one_stands_anywhere() -> None:
    several = [("", f"Passage {number}.") for number in range(5)]
    both = made([question()] * 400, Mixture(0, 1, 0, 0, 0, 0), {"1": several})
    sizes = Counter(len(example.passages) for example in both)
    assert set(sizes) == {2, 3, 4}
    assert sizes[2] > sizes[3] > sizes[4]
    places = {example.passages.index(("", PASSAGE)) for example in both}
    assert places == {0, 1, 2, 3}
    for example in both:
        (copy,) = example.actions
        assert isinstance(copy, Copy)
        assert {passage for passage, _, _ in copy.spans} == {example.passages.index(("", PASSAGE))}
        assert len(set(example.passages)) == len(example.passages)


@pytest.mark.parametrize("titled", [0.0, 1.0])
def test_a_competing_passage_stands_on_either_side_and_its_title_tells_nothing(titled: float) -> None:
    both = made([question()] * 40, Mixture(titled, 1, 0, 0, 0, 0), {"1": [OTHER]})
    assert len(both) == 40
    places = set()
    for example in both:
        own = [text for _, text in example.passages].index(PASSAGE)
        places.add(own)
        assert example.passages[1 - own][1] == OTHER[1]
        assert {bool(title) for title, _ in example.passages} == {bool(titled)}
        assert copied(example) == [["Anna Finch"]]
        assert isinstance(example.actions[0], Copy)
        assert {passage for passage, _, _ in example.actions[0].spans} == {own}
    assert places == {0, 1}


def test_a_question_is_asked_once_more_of_a_passage_without_its_answer() -> None:
    answered, refused = made([question()], Mixture(1, 0, 1, 0, 0, 0), {"1": [OTHER]})
    assert copied(answered) == [["Anna Finch"]]
    assert refused == Example("Who led the army in 1920?", (OTHER,), ())


def test_only_what_was_found_for_the_question_itself_is_taken() -> None:
    assert len(made([question(id="2")], Mixture(0, 1, 1, 0, 0, 0), {"1": [OTHER]})) == 1
    assert len(made([question(id="1")], Mixture(0, 1, 1, 0, 0, 0), {"1": []})) == 1


def test_unanswerable_questions_and_written_answers_are_left_alone() -> None:
    everything = Mixture(1, 1, 1, 1, 1, 0)
    assert len(made([question(answers=[])], everything, {"1": [OTHER]})) == 1
    assert len(made([question("Did she?", answers=["yes"])], everything, {"1": [OTHER]})) == 1


# Edits


def test_an_edited_question_is_refused_on_the_same_passage() -> None:
    texts = set()
    for seed in range(10):
        answered, refused = made([question()], Mixture(0, 0, 0, 1, 0, 0), seed=seed)
        assert copied(answered) == [["Anna Finch"]]
        assert refused.passages == (("", PASSAGE),)
        assert refused.actions == ()
        texts.add(refused.question)
    assert texts <= {
        edited.question
        for seed in range(200)
        for edited in unanswerable(question().text, PASSAGE, ["Anna Finch"], random.Random(seed))
    }
    assert question().text not in texts


def test_a_question_is_edited_with_the_words_that_are_told_apart() -> None:
    asked = [question("Who commands the army?")] * 20
    assert len(made(asked, Mixture(0, 0, 0, 1, 0, 0))) == 20
    found = list(examples(asked, {}, Mixture(0, 0, 0, 1, 0, 0), random.Random(0), navy))
    assert [example.question for example in found] == ["Who commands the army?", "Who commands the navy?"] * 20
    assert [bool(example.actions) for example in found] == [True, False] * 20


def test_a_modifier_is_taken_less_often_than_another_edit_and_always_where_it_is_the_only_one() -> None:
    """Weights 1, 0.4 and 1: of 2400 draws 1000, 400 and 1000."""
    edits = [Edited("Who led the navy?", "word"), Edited("Who led the late army?", "modifier"), Edited("?", "entity")]
    chance = random.Random(0)
    drawn = [edits.index(one_of(edits, chance)) for _ in range(2400)]
    assert [drawn.count(place) for place in range(3)] == pytest.approx([1000, 400, 1000], abs=80)
    assert one_of(edits[1:2], chance) == edits[1]


def test_a_question_that_no_edit_spoils_is_asked_once() -> None:
    assert unanswerable("Who?", "A cat.", ["A cat"], random.Random(0)) == []
    assert len(made([question("Who?", ["A cat"], passage="A cat.")], Mixture(0, 0, 0, 1, 0, 0))) == 1


# Two parts

SECOND = question("How many men had it?", ["75,000"], id="2")


def test_two_questions_on_one_passage_are_asked_at_once() -> None:
    joined = [example for example in made([question(), SECOND], Mixture(0, 0, 0, 0, 1, 0)) if len(example.actions) > 1]
    assert joined
    for example in joined:
        first, word, second = copied(example)
        assert example.passages == (("", PASSAGE),)
        assert word == ["and"]
        assert (first, second) in ((["Anna Finch"], ["75,000"]), (["75,000"], ["Anna Finch"]))
        asked = "Who led" in example.question.split("?")[0].split(" and ")[0].split(", ")[0]
        assert (first == ["Anna Finch"]) == asked


def test_two_passages_of_one_document_are_read_side_by_side_and_answered_in_the_order_asked() -> None:
    beside = question("How many ships?", ["12"], id="2", passage=OTHER[1], title="Rome")
    orders = set()
    for seed in range(30):
        for example in made([question(), beside], Mixture(1, 0, 0, 0, 1, 0), seed=seed):
            if len(example.actions) == 1:
                continue
            texts = [text for _, text in example.passages]
            assert dict(example.passages) == {"Bern": PASSAGE, "Rome": OTHER[1]}
            first, _, second = copied(example)
            assert (first == ["Anna Finch"]) == example.question.startswith("Who led")
            assert sorted(first + second) == ["12", "Anna Finch"]
            orders.add((texts[0] == PASSAGE, first == ["Anna Finch"]))
    assert len(orders) == 4


@pytest.mark.parametrize(
    "other",
    [
        question("How many men had it?", ["75,000"], id="2", document="elsewhere"),
        question("How many men had it?", [], id="2"),
        question("How many men had it?", ["nobody knows"], id="2"),
        question("Who was its leader?", ["Anna Finch"], id="2"),
        question("Had it men?", ["75,000"], id="2"),
    ],
    ids=["another document", "unanswerable", "not said", "the same answer", "no wh-word"],
)
def test_what_does_not_join_is_not_joined(other: Question) -> None:
    for seed in range(10):
        found = made([question(), other], Mixture(0, 0, 0, 0, 1, 0), seed=seed)
        assert [len(example.actions) for example in found] == [1, int(bool(other.answers))]


# All together

words = st.sampled_from(["Anna Finch", "75,000", "the army", "1920", "Bern", "nobody"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(words, max_size=3), min_size=1, max_size=6), st.integers(0, 99))
def test_whatever_is_made_points_at_answers_and_equal_seeds_make_the_same(answers: list[list[str]], seed: int) -> None:
    asked = [question(answers=each, id=str(number)) for number, each in enumerate(answers)]
    near = {each.id: [OTHER] for each in asked}
    everything = Mixture(0.5, 0.5, 0.5, 0.5, 0.5)
    found = list(examples(asked, near, everything, random.Random(seed), navy))
    assert found == list(examples(asked, near, everything, random.Random(seed), navy))
    golds = {answer for each in asked for answer in each.answers}
    for example in found:
        assert 1 <= len(example.passages) <= 2
        for said in copied(example):
            assert said
            assert set(said) <= golds | {"and"}


def test_the_default_shares_are_those_that_are_told() -> None:
    asked = [question(id=str(number)) for number in range(4000)]
    found = made(asked, Mixture(), {each.id: [OTHER] for each in asked})
    competing = sum(len(example.passages) == 2 for example in found)
    missing = sum(example.passages[0][1] == OTHER[1] and not example.actions for example in found)
    edited = sum(example.passages[0][1] == PASSAGE and not example.actions for example in found)
    assert [competing, missing, edited] == pytest.approx([600, 480, 2000], abs=90)
