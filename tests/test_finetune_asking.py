import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.questions import Question
from finetune.retrieval.asking import keywords, questions_of, read_asker, turned, way_of_asking
from finetune.retrieval.asking_fit import learnt
from finetune.retrieval.spans import Span, candidate_spans
from indexer.errors import UsageError

ASKER = read_asker()


def span_of(sentence: str, answer: str) -> Span:
    start = sentence.index(answer)
    own = Span(start, start + len(answer), "any")
    kind = next((each.kind for each in candidate_spans(sentence) if each.start == start), own.kind)
    return replace(own, kind=kind)


def asked(sentence: str, answer: str) -> str:
    return turned(sentence, span_of(sentence, answer), "", ASKER)


def test_dates_numbers_names_and_phrases_can_be_asked_about() -> None:
    sentence = "In 1921 the archive was opened by Maria Olsen with 400 books."
    found = {sentence[span.start : span.end]: span.kind for span in candidate_spans(sentence)}
    assert found["1921"] == "date"
    assert found["400"] == "number"
    assert found["Maria Olsen"] == "name"
    assert found["archive"] == "any"


def test_marks_of_the_sentence_are_no_part_of_a_number() -> None:
    sentence = "They add up to 42."
    assert [sentence[span.start : span.end] for span in candidate_spans(sentence)] == ["42"]


def test_a_part_of_a_word_is_not_asked_about() -> None:
    sentence = "The ratio is equal to two-thirds of 109-placements of 7 knots."
    assert [sentence[span.start : span.end] for span in candidate_spans(sentence) if span.kind == "number"] == ["7"]


def test_text_without_capitals_is_taken_apart_at_marks_that_stand_alone() -> None:
    passage = "the old pump of the mill was replaced in 1921 . the council counted 40 wooden boats near the market ."
    found = {made.question for made in questions_of(passage, "", ASKER) if made.kind == "question"}
    assert "When was the old pump of the mill replaced?" in found
    assert not any("pump" in question and "boats" in question for question in found)


def test_an_auxiliary_comes_before_the_subject() -> None:
    assert asked("The old pump was replaced on 3 March 2021.", "3 March 2021") == "When was the old pump replaced?"


def test_a_verb_in_the_past_is_asked_with_did() -> None:
    assert asked("The council replaced the roof in 1921.", "1921") == "When did the council replace the roof?"
    assert asked("The council built the hall in 1921.", "1921") == "When did the council build the hall?"


def test_what_is_counted_moves_with_its_number() -> None:
    question = asked("The town library holds 400 books about bees.", "400")
    assert question == "The town library holds how many books about bees?"


def test_where_the_subject_is_asked_for_the_order_stays() -> None:
    question = asked("Maria Olsen opened the archive in the town hall.", "Maria Olsen")
    assert question.split(" ", 1)[1] == "opened the archive in the town hall?"


def test_keywords_are_words_of_the_sentence_in_their_order() -> None:
    sentence = "The council replaced the leaking roof of the town archive in 1921."
    words = keywords(sentence, span_of(sentence, "1921"), "", ASKER).split()
    assert "1921" not in words
    assert words == [word for word in sentence.rstrip(".").split() if word in words]


@given(st.text(max_size=300))
def test_whatever_the_passage_answers_stand_where_they_are_said_to(passage: str) -> None:
    for made in questions_of(passage, "", ASKER):
        assert 0 <= made.start < made.end <= len(passage)
        assert made.question.strip()


def test_a_sentence_that_leans_on_the_one_before_is_not_asked_about() -> None:
    assert questions_of("It was replaced by the council on 3 March 2021 in the town.", "", ASKER) == []


def test_how_people_ask_is_learnt() -> None:
    """Here whatever stands after "by" is asked for with "who", and the year always."""
    years = [(n, f"The hall {n} was built by Ann Bell in {1900 + n % 90}.") for n in range(150)]
    questions = [
        Question(str(n), f"In what year was hall {n} built?", "", text, (text[-5:-1],), "d") for n, text in years
    ]
    questions += [Question(f"b{n}", f"Who built hall {n}?", "", text, ("Ann Bell",), "d") for n, text in years]
    asker = learnt(questions)
    sentence = "The mill was built by Ann Bell in 1950."
    assert way_of_asking(sentence, span_of(sentence, "Ann Bell"), asker) == "who"
    assert way_of_asking(sentence, span_of(sentence, "1950"), asker) == "in what year"
    assert json.loads(json.dumps(asker)) == asker


def test_too_few_questions_to_learn_from_are_told() -> None:
    with pytest.raises(UsageError, match="Only 0 questions have an answer that stands in its passage"):
        learnt([Question("1", "Why?", "", "Because.", ("no",), "d")])


def test_a_file_that_is_no_question_maker_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "asking.json"
    file.write_text("{}")
    with pytest.raises(UsageError, match=r"asking\.json holds no question maker"):
        read_asker(file)
