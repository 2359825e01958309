"""Questions that a paragraph no longer answers; paragraphs of our own writing."""

import random
import re
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.copying.antonyms import OPPOSITES, turns
from finetune.copying.capitals import names_in
from finetune.copying.negation import negated
from finetune.copying.unanswerable import Edited, unanswerable

HARBOUR = (
    "The harbour of Kelmouth was dug in 1784 by Anna Voss. It held sixty ships. A fire in 1802 burned the stores of "
    "Port Arden, a town to the north. Tobias Finch rebuilt the lighthouse there, and in March the fishermen paid for "
    "a bell."
)


Alike = Mapping[str, Sequence[str]]


def edits(question: str, context: str = HARBOUR, *answers: str, alike: Alike | None = None) -> dict[str, set[str]]:
    """Return every edit that forty seeds make, by kind."""
    found: dict[str, set[str]] = {}
    for seed in range(40):
        for edited in made_of(question, context, answers, seed, alike or {}):
            found.setdefault(edited.kind, set()).add(edited.question)
    return found


def edit(question: str, kind: str, context: str = HARBOUR, *answers: str, alike: Alike | None = None) -> set[str]:
    return edits(question, context, *answers, alike=alike).get(kind, set())


def made_of(question: str, context: str, answers: Sequence[str], seed: int, alike: Alike) -> list[Edited]:
    return unanswerable(question, context, answers, random.Random(seed), lambda word: alike.get(word, ()))


# Entity


def test_a_name_gives_way_to_another_of_the_paragraph() -> None:
    made = edit("Which bell did Tobias Finch hang?", "entity")
    assert made == {"Which bell did Anna Voss hang?", "Which bell did Port Arden hang?"}


def test_a_name_used_alike_comes_first() -> None:
    context = "Tobias Finch sailed to Kelmouth. The lamp at Arden, a gift of Voss, never burned."
    assert edit("What did they build at Kelmouth?", "entity", context) == {"What did they build at Arden?"}


def test_what_a_question_leaves_out_is_not_swapped() -> None:
    assert edit("Besides Tobias Finch, who hung the bell?", "entity") == set()


def test_the_answer_never_comes_into_the_question() -> None:
    made = edit("What did Tobias Finch rebuild?", "entity", HARBOUR, "Anna Voss")
    assert made
    assert not any("Voss" in question for question in made)


def test_a_name_that_the_paragraph_does_not_hold_stays() -> None:
    assert edit("What did Henry Ashdown rebuild?", "entity") == set()


def test_a_month_gives_way_to_a_month_only() -> None:
    context = "In March the fishermen of Kelmouth paid for a bell. The tower had fallen in October during a storm."
    made = edit("What did they pay for in March?", "entity", context)
    assert made == {"What did they pay for in October?"}


def test_a_swap_that_the_paragraph_answers_is_left_out() -> None:
    """Both died, and the paragraph tells when: asking for the other one is asking something it answers."""
    context = "Anna Voss died in 1790. Tobias Finch died in 1833."
    assert edit("When did Anna Voss die?", "entity", context, "1790") == set()


def test_names_told_together_are_not_swapped() -> None:
    """What is said of a list is said of each in it."""
    context = "Anna Voss, Tobias Finch and Ida Crane hung the bell of the harbour."
    assert edit("What was it that Tobias Finch did?", "entity", context) == set()


def test_an_article_follows_its_word() -> None:
    context = "A Roman coin lay in the sand of the bay. Later, an Irish sailor bought the boat."
    assert edit("Where did a Roman coin lie?", "entity", context) == {"Where did an Irish coin lie?"}


def test_a_sentence_beginning_is_no_name() -> None:
    names = [
        name.text
        for name in names_in("Ships came. Fog hid Kelmouth. The Old Mill of Port Arden stood. Kelmouth's bell rang.")
    ]
    assert names == ["Kelmouth", "Old Mill of Port Arden", "Kelmouth"]


def test_a_name_does_not_cross_a_sentence() -> None:
    names = [name.text for name in names_in("They saw Kelmouth. It rained on Dr. Voss and on J. Finch.")]
    assert names == ["Kelmouth", "Dr. Voss", "J. Finch"]


def test_a_name_says_where_it_stands_and_after_what() -> None:
    text = "They sailed to the Isle of Wren in May."
    isle, may = names_in(text)
    assert (isle.text, isle.before, isle.words, isle.shape) == ("Isle of Wren", "the", 3, "name")
    assert (may.text, may.before, may.shape) == ("May", "in", "month")
    assert text[isle.start : isle.end] == isle.text


# Number


def test_a_year_gives_way_to_a_year_that_is_not_answered() -> None:
    made = edit("What was dug in 1784?", "number", HARBOUR, "The harbour of Kelmouth")
    assert made == {f"What was dug in {year}?" for year in (1781, 1782, 1783, 1785, 1786, 1787, 1802)}


def test_a_year_that_another_sentence_answers_is_not_written() -> None:
    context = "A fire in 1802 burned the stores. A fire in 1811 burned the church."
    made = edit("What did a fire burn in 1802?", "number", context, "the stores")
    assert made == {f"What did a fire burn in {year}?" for year in (1799, 1800, 1801, 1803, 1804, 1805)}


@pytest.mark.parametrize(
    ("question", "made"),
    [
        ("What stood on 22nd Street?", {"19th", "20th", "21st", "23rd", "24th", "25th"}),
        ("Who sailed in the 1930s?", {"1900s", "1910s", "1920s", "1940s", "1950s", "1960s"}),
        ("Who sailed in the 1930's?", {"1900's", "1910's", "1920's", "1940's", "1950's", "1960's"}),
        ("Who owned 12,400 acres?", {"10,400", "11,400", "13,400", "14,400", "15,400"}),
        ("Who won eleven races?", {"eight", "nine", "ten", "twelve"}),
    ],
)
def test_a_number_keeps_its_form(question: str, made: set[str]) -> None:
    old = re.search(r"\d[\d,]*[\w']*|eleven", question)
    assert old is not None
    assert edit(question, "number", "Nothing is told.") == {question.replace(old.group(), new) for new in made}


@pytest.mark.parametrize(
    "question",
    [
        "Who owned more than 500 sheep?",
        "Who ruled between 1700 and 1720?",
        "What are the two parts of a bell?",
        "Which 3 ships sank?",
        "What did flight AB-123 carry?",
        "What costs $20.50?",
    ],
)
def test_a_number_that_bounds_or_lists_stays(question: str) -> None:
    assert edit(question, "number", "Nothing is told.") == set()


# Antonym


@pytest.mark.parametrize(
    ("question", "turned"),
    [
        ("Which was the largest ship?", "Which was the smallest ship?"),
        ("BEFORE THE FIRE WHO KEPT IT?", "AFTER THE FIRE WHO KEPT IT?"),
        ("Before the fire, who kept the stores?", "After the fire, who kept the stores?"),
        ("What lies in North Kelmouth?", "What lies in South Kelmouth?"),
        ("Which trade was a legal one?", "Which trade was an illegal one?"),
        ("What did the town import?", "What did the town export?"),
    ],
)
def test_a_word_gives_way_to_its_opposite(question: str, turned: str) -> None:
    assert edit(question, "antonym") == {turned}


@pytest.mark.parametrize(
    "question",
    [
        "How old was the largest-ever ship?",
        "What was her last name?",
        "What was the bell named after?",
        "Who wrote First Light?",
        "Who led the attack?",
        "How high was the tower?",
        "Who was she best known as?",
        "Who sold more than one boat?",
        "What do most ships carry?",
    ],
)
def test_a_word_in_a_set_phrase_or_a_name_stays(question: str) -> None:
    assert [turn.opposite for turn in turns(question) if turn.word != "sold"] == []


def test_an_opposite_that_the_paragraph_speaks_of_is_left_out() -> None:
    context = "Anna Voss won the race of 1801. Tobias Finch lost it."
    assert edit("Who won the race of 1801?", "antonym", context, "Anna Voss") == set()


def test_another_form_of_the_opposite_counts_as_spoken_of() -> None:
    context = "The town exports salt. Its wine was imported by Anna Voss."
    assert edit("Who imported wine?", "antonym", context, "Anna Voss") == set()


def test_a_comparison_tells_of_the_opposite_too() -> None:
    context = "The old pier carries more ships than the new one."
    assert edit("Which pier carries more ships?", "antonym", context, "The old pier") == set()


def test_a_span_of_years_answers_when_it_ended() -> None:
    assert edit("When was the guild founded?", "antonym", "The guild (1802–1861) met in Kelmouth.", "1802") == set()
    assert edit("When was the guild founded?", "antonym", "The guild of 1802 met in Kelmouth.", "1802")


def test_every_opposite_is_another_word_in_lower_case() -> None:
    assert len(OPPOSITES) > 240
    for word, others in OPPOSITES.items():
        assert others
        assert word not in others
        assert all(one == one.lower() and one.isalpha() for one in (word, *others))


# Negation


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who did Anna Voss meet?", "Who didn't Anna Voss meet?"),
        ("What can the bell do?", "What can't the bell do?"),
        ("Who wrote the report?", "Who never wrote the report?"),
        ("Who rescued the crew?", "Who never rescued the crew?"),
        ("What material was the tower built from?", "What material wasn't the tower built from?"),
        ("In which port did the ship land?", "In which port didn't the ship land?"),
    ],
)
def test_a_question_is_turned_into_its_negation(question: str, answer: str) -> None:
    assert negated(question) == answer


@pytest.mark.parametrize(
    "question",
    [
        "Who did not come?",
        "Why couldn't they land?",
        "In what year was it built?",
        "Who was the king?",
        "What was the tower called?",
        "Where is the tower built?",
        "How did it burn?",
        "Anna Voss met whom?",
        "What ship that had burned was sold?",
    ],
)
def test_what_negation_would_spoil_is_left(question: str) -> None:
    assert negated(question) is None


def test_a_no_in_the_paragraph_may_answer_the_negation() -> None:
    question = "Who did Anna Voss meet in Kelmouth?"
    assert edit(question, "negation", "Anna Voss met Tobias Finch in Kelmouth, but never met Ida Crane.") == set()
    assert edit(question, "negation", "Anna Voss met Tobias Finch in Kelmouth.")


# Word


def test_a_word_gives_way_to_one_that_is_told_apart_from_it() -> None:
    assert edit("Who rebuilt the lighthouse?", "word", alike={"lighthouse": ["windmill"]}) == {
        "Who rebuilt the windmill?"
    }
    assert edit("Who rebuilt the lighthouse?", "word") == set()


def test_half_of_the_new_words_are_the_paragraphs_own() -> None:
    alike = {"lighthouse": ["windmill", "harbour"]}
    made = [made_of("Who rebuilt the lighthouse?", HARBOUR, [], seed, alike)[0].question for seed in range(400)]
    assert set(made) == {"Who rebuilt the windmill?", "Who rebuilt the harbour?"}
    assert made.count("Who rebuilt the harbour?") == pytest.approx(200, abs=40)
    assert edit("Who rebuilt the lighthouse?", "word", alike={"lighthouse": ["harbour"]}) == {
        "Who rebuilt the harbour?"
    }


def test_of_words_from_elsewhere_only_the_twelve_likest_are_taken() -> None:
    likest = [
        "abbey",
        "bakery",
        "castle",
        "dairy",
        "engine",
        "farm",
        "garden",
        "hall",
        "inn",
        "jetty",
        "kiln",
        "library",
    ]
    alike = {"lighthouse": [*likest, "museum"]}
    made = {made_of("Who rebuilt the lighthouse?", HARBOUR, [], seed, alike)[0].question for seed in range(300)}
    assert made == {f"Who rebuilt the {word}?" for word in likest}


def test_a_new_word_that_the_paragraph_answers_is_left_out() -> None:
    """The sentence that says "rebuilt" says "bell" too, and that of the fire says nothing of rebuilding."""
    assert edit("Who rebuilt the lighthouse?", "word", alike={"lighthouse": ["bell"]}) == set()
    assert edit("Who rebuilt the lighthouse?", "word", alike={"lighthouse": ["bell", "fire"]}) == {
        "Who rebuilt the fire?"
    }


@pytest.mark.parametrize("other", ["lightship", "keeper", "keepers", "rebuilding"])
def test_a_new_word_is_not_spoken_of_nor_another_form_of_the_old(other: str) -> None:
    """It begins otherwise than the old one, and neither question nor answer has it, in whatever form."""
    question = "Who was rebuilding the lighthouse?"
    context = "The keeper was rebuilding the lighthouse."
    assert edit(question, "word", context, "The keeper", alike={"lighthouse": [other]}) == set()
    assert edit(question, "word", context, "The keeper", alike={"lighthouse": [other, "mill"]}) == {
        "Who was rebuilding the mill?"
    }


@pytest.mark.parametrize(
    "question",
    [
        "Who painted the chapel?",
        "What lighthouse did he see?",
        "How many fishermen paid?",
        "Which kinds of fishermen paid?",
        "What was its name?",
        "What is the lighthouse's height?",
        "Who built the lighthouse-keeper a house?",
        "Who saw the Lighthouse?",
    ],
)
def test_what_is_asked_for_and_what_the_paragraph_does_not_say_stays(question: str) -> None:
    alike = {word: ["windmill"] for word in ("chapel", "lighthouse", "fishermen", "name", "keeper")}
    assert edit(question, "word", f"{HARBOUR} A keeper of no name came.", alike=alike) == set()


def test_a_new_word_takes_its_article() -> None:
    assert edit("Who rebuilt a lighthouse?", "word", alike={"lighthouse": ["abbey"]}) == {"Who rebuilt an abbey?"}


# Modifier

FAMILIES = "In Kelmouth the average family owns four boats. By law an urban school owns a painted gate."


def test_what_is_asked_about_is_narrowed_by_a_word_said_of_something_else() -> None:
    """Of "average", "urban" and "painted" the first is asked about, and the last may be a verb."""
    assert edit("How many boats does the average family own?", "modifier", FAMILIES) == {
        "How many boats does the urban average family own?"
    }


def test_a_modifier_takes_the_article() -> None:
    """The paragraph says "average" of a family, and "urban" of something else."""
    assert edit("How many boats make a family rich?", "modifier", FAMILIES) == {
        "How many boats make an urban family rich?"
    }


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Which urban boats does the family own?", ""),
        ("What does the school own?", ""),
        ("What does the family own?", "four boats, the urban five"),
        ("What does the village own?", ""),
        ("What does every family own?", ""),
        ("What is the Family?", ""),
    ],
    ids=["in the question", "said of it", "in the answer", "not in the paragraph", "no article", "a name"],
)
def test_a_modifier_is_new_and_what_it_narrows_is_known(question: str, answer: str) -> None:
    context = FAMILIES.replace("average ", "")
    assert edit("What does the family own?", "modifier", context) == {"What does the urban family own?"}
    assert edit(question, "modifier", context, answer) == set()


def test_words_that_count_or_lead_modify_nothing() -> None:
    context = "A family owns four boats. He saw the first school, the other gate, the main road and the early bell."
    assert edit("What does the family own?", "modifier", context) == set()


# Laws


def test_a_question_for_yes_or_no_is_left() -> None:
    assert edits("Was the largest harbour dug in 1784 by Anna Voss?", alike={"harbour": ["airport"]}) == {}


def test_kinds_come_in_one_order_and_once() -> None:
    question = "Who did Tobias Finch meet before 1802 at the lighthouse in the largest inn?"
    context = f"{HARBOUR} By law a wooden chapel stood near."
    made = made_of(question, context, ["Ida"], 3, {"lighthouse": ["windmill"]})
    assert [one.kind for one in made] == ["entity", "number", "antonym", "negation", "word", "modifier"]


WORDS = (
    "who What did was the a first largest won before in 1784 two 22nd Kelmouth March May IBM NATO Irish Roman built "
    "not ship ships . ? ’s Ж urban school bell bells"
)
TOLD_APART = {"ship": ["boat", "bell"], "school": ["church", "urban", "bells"], "bell": ["ships", "horn", "school"]}
words = st.sampled_from([*WORDS.split(), "Anna Voss", "the urban school", "the bell", "\n"])
texts = st.lists(words, max_size=25).map(" ".join)


@settings(deadline=None)
@given(texts, texts, st.lists(texts, max_size=2), st.integers(0, 9))
def test_an_edit_changes_the_question_and_brings_no_answer(
    question: str, context: str, answers: list[str], seed: int
) -> None:
    made = made_of(question, context, answers, seed, TOLD_APART)
    assert made == made_of(question, context, answers, seed, TOLD_APART)
    assert len({one.kind for one in made}) == len(made)
    old = set(re.findall(r"\w+", question.lower()))
    said = set(re.findall(r"\w{4,}", " ".join(answers).lower()))
    for one in made:
        assert one.question != question
        new = set(re.findall(r"\w+", one.question.lower())) - old
        assert one.kind == "negation" or not new & said


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=200), st.integers(0, 3))
def test_any_text_is_borne(question: str, context: str, seed: int) -> None:
    for one in unanswerable(question, context, [], random.Random(seed)):
        assert one.question != question


@settings(deadline=None)
@given(texts)
def test_names_stand_where_they_say(text: str) -> None:
    for name in names_in(text):
        assert text[name.start : name.end] == name.text
