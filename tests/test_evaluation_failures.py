import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import UsageError
from rag.evaluation.failures import MEND, STAGES, Stage, answer_length, failures, question_word, stage_of
from rag.evaluation.rows import Row
from tests.evaluation_rows import TOWER, row

patient = settings(deadline=None, max_examples=30)
LONG = "the archive that was opened by the mayor of the town in the spring of 1889"


@pytest.mark.parametrize(
    ("asked", "stage"),
    [
        (row(said="Paris"), "right"),
        (row(said="the Paris."), "right"),
        (row(said="Paris", answered=False), "wrongly refused"),
        # Said: eiffel, tower, paris, of which one is the gold answer: F1 = 2 * 1 / (3 + 1) = 0.5.
        (row(answers=["Paris"], said="Eiffel Tower in Paris"), "cut"),  # four words: 2 * 1 / (4 + 1) = 0.4
        (row(answers=["Tower in Paris"], said="Eiffel Tower in Paris"), "near miss"),  # 2 * 3 / (4 + 3)
        (row(answers=["Tower in Paris"], said="Eiffel Tower in Paris", answered=False), "wrongly refused"),
        (row(answers=["Paris"], said="330 metres"), "not read"),
        (row(answers=["Paris"], said="330 metres", answered=False), "not read"),  # rightly held back, wrongly read
        (row(answers=["Paris"], said=""), "not read"),
        (row(answers=["London"], said="Paris"), "not retrieved"),
        (row(answers=["London"], said=""), "not retrieved"),
        (row(answers=["Paris"], said="Paris", passages=[]), "right"),
        (row(answers=[], said="Paris"), "wrongly answered"),
        (row(answers=[], said="Paris", answered=False), "right"),
        (row(answers=[], said=""), "right"),
    ],
)
def test_a_question_goes_wrong_at_the_first_stage_that_failed(asked: Row, stage: Stage) -> None:
    assert stage_of(asked) == stage


def test_words_of_the_answer_elsewhere_are_not_read_and_not_cut() -> None:
    # F1 = 2 * 1 / (1 + 5), for the year; but what was copied is another year's place.
    text = f"In 1889 it rained. It was {LONG}."
    asked = row(answers=[LONG], said="1889", passages=[text])
    assert asked.spans[0].start == 3
    assert stage_of(asked) == "not read"
    assert stage_of(row(answers=[LONG], said="1889", passages=[f"It was {LONG}."])) == "cut"


def test_the_table_counts_each_question_once_in_each_grouping() -> None:
    rows = [
        row("a", said="Paris"),
        row("b", said="Paris", answered=False),
        row("c", ["London"], "Paris", question="In which town is it?"),
        row("d", [], "Paris", question="How much is it?"),
    ]
    found = failures(rows)
    assert found.overall.n == 4
    assert found.overall.right.value == 0.25
    expected = {"right": 1, "wrongly refused": 1, "not retrieved": 1, "wrongly answered": 1}
    assert found.overall.stages == {stage: expected.get(stage, 0) for stage in STAGES}
    words = {group.name: (group.n, group.stages["right"]) for group in found.tables["question word"]}
    assert words == {"which": (1, 0), "where": (2, 1), "how many": (1, 0)}
    lengths = [group.name for group in found.tables["answer length"]]
    assert lengths == ["no answer", "1 word"]
    assert list(found.tables) == ["question word", "type of answer", "answer length"]


def test_what_the_set_calls_its_questions_is_a_grouping_too() -> None:
    found = failures([row("a", kind="direct"), row("b"), row("c", kind="direct")])
    assert [(group.name, group.n) for group in found.tables["kind of question"]] == [("direct", 2), ("(none)", 1)]


def test_what_fails_most_often_is_to_be_mended_next() -> None:
    rows = [row("a", ["London"], "Paris"), row("b", ["Paris"], "330"), row("c", ["Paris"], "330")]
    found = failures(rows)
    assert found.mend_next == ("not read", "not retrieved")
    assert [each["advice"] for each in found.to_json()["mend_next"]] == [MEND["not read"], MEND["not retrieved"]]


def test_the_surest_errors_are_the_examples_and_ties_go_by_id() -> None:
    rows = [
        row(name, ["Paris"], "330", confidence=sure) for name, sure in zip("dcba", (0.2, 0.9, 0.9, 0.5), strict=True)
    ]
    assert [each.row.id for each in failures(rows).examples["not read"]] == ["b", "c", "a"]
    assert [each.row.id for each in failures(rows, examples=1).examples["not read"]] == ["b"]


def test_a_run_without_questions_is_refused() -> None:
    with pytest.raises(UsageError, match="no questions"):
        failures([])


@patient
@given(
    st.permutations([row("a", said="Paris"), row("b", ["London"], "Paris"), row("c", [], "330"), row("d", kind="x")])
)
def test_the_order_of_the_rows_changes_nothing(rows: list[Row]) -> None:
    assert failures(rows).to_json() == failures(sorted(rows, key=lambda each: each.id)).to_json()


@patient
@given(st.lists(st.sampled_from(["Paris", "330", "Eiffel Tower in Paris", ""]), min_size=1, max_size=8), st.booleans())
def test_stages_add_up_in_every_group(saids: list[str], answered: bool) -> None:
    rows = [row(str(i), said=said, answered=answered and bool(said)) for i, said in enumerate(saids)]
    found = failures(rows)
    for groups in found.tables.values():
        assert sum(group.n for group in groups) == len(rows)
        for group in groups:
            assert sum(group.stages.values()) == group.n
            assert group.right.value == group.stages["right"] / group.n


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Who began it?", "who"),
        ("Whose idea was it?", "who"),
        ("In what year, and where?", "what"),
        ("HOW MUCH is it?", "how many"),
        ("How was it built?", "how"),
        ("The show was somewhat late", "other"),
        ("Is it tall?", "other"),
    ],
)
def test_a_question_is_called_by_its_first_question_word(question: str, word: str) -> None:
    assert question_word(question) == word


@pytest.mark.parametrize(
    ("answers", "length"),
    [
        ([], "no answer"),
        (["the Paris", "the town of Paris"], "1 word"),
        (["March 1889"], "2 words"),
        (["a b c d"], "3 to 4 words"),  # the article goes
        (["one two three four five six seven eight nine"], "5 to 9 words"),
        ([TOWER], "10 words or more"),
        (["—"], "1 word"),
        (["the"], "1 word"),
    ],
)
def test_an_answer_is_as_long_as_its_shortest_form(answers: list[str], length: str) -> None:
    assert answer_length(answers) == length
