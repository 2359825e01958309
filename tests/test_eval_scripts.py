"""The evaluation scripts, on data made up here: what they count, and that they run from end to end."""

import gzip
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from rag.engine import Engine
from rag.generator import Copied, Draft, Written
from rag.types import Passage
from tests.answers import passage
from tests.benchmarks import eval_handbook, eval_open_squad, eval_qed, eval_squad, reporting
from tests.benchmarks.answering import Asked, Forced, ask, drafted, points, read_given
from tests.benchmarks.given import Absent, Question, json_lines, limited, paragraphs, passage_of, squad
from tests.worlds import collection_of

HARBOUR = "The harbour was built in 1840. Anna Holm designed it."
LIGHTHOUSE = "The lighthouse stands on Gull Rock, 31 metres high."
ASKED: dict[str, list[tuple[str, list[str]]]] = {
    HARBOUR: [
        ("When was the harbour built?", ["1840", "in 1840", "1840"]),
        ("Who designed the harbour?", ["Anna Holm", "Holm"]),
        ("Who sold the harbour?", []),
    ],
    LIGHTHOUSE: [("How high is the lighthouse?", ["31 metres"]), ("Who keeps the lighthouse?", [])],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data folder laid out like the real one."""
    folder = tmp_path / "data"
    (folder / "squad").mkdir(parents=True)
    (folder / "qed").mkdir()
    for name, unanswerable in (("dev-v1.1", False), ("dev-v2.0", True), ("train-v1.1", False)):
        rows = json.dumps({"version": "made up", "data": [squad_article(unanswerable)]})
        (folder / "squad" / f"{name}.json.gz").write_bytes(gzip.compress(rows.encode()))
    (folder / "squad" / "open-2000.txt").write_text("q0\nq3\n")
    row = {
        "id": "7",
        "title": "Port",
        "context": HARBOUR,
        "question": "who designed it",
        "answers": ["Anna Holm"],
        "kind": "x",
    }
    (folder / "qed" / "dev.jsonl.gz").write_bytes(gzip.compress((json.dumps(row) + "\n").encode()))
    return folder


def squad_article(unanswerable: bool) -> dict[str, Any]:
    number, found = 0, []
    for context, questions in ASKED.items():
        rows = []
        for question, answers in questions:
            if answers or unanswerable:
                golds = [{"text": gold, "answer_start": context.index(gold)} for gold in answers]
                rows.append({"id": f"q{number}", "question": question, "answers": golds})
            number += 1
        found.append({"context": context, "qas": rows})
    return {"title": "Old_Port", "paragraphs": found}


@dataclass
class Finding:
    """A generator that copies the first of its answers that stands in the first passage, as sure as it is told."""

    answers: dict[str, float]
    name: str = "finding"
    together: list[int] = field(default_factory=list)

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        for answer, confidence in self.answers.items():
            start = passages[0].text.find(answer)
            if start >= 0:
                return Draft((Copied(0, start, start + len(answer)),), confidence, {"length": len(answer)})
        return Draft((), 0.0)

    def threshold(self, max_error: float | None) -> float:
        return 0.5 if max_error is None else 0.9


class FindingMany(Finding):
    """The same, for many questions at once; remembers how many."""

    def generate_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        self.together.append(len(questions))
        return [self.generate(question, read) for question, read in zip(questions, passages, strict=True)]


# Reading data


def test_squad_questions_come_with_distinct_answers_and_their_paragraph(data: Path) -> None:
    first, *_, last = squad(data, "squad/dev-v2.0.json.gz")
    assert first == Question("q0", "When was the harbour built?", ("1840", "in 1840"), HARBOUR, "Old Port")
    assert last == Question("q4", "Who keeps the lighthouse?", (), LIGHTHOUSE, "Old Port")


def test_a_paragraph_that_stands_in_two_files_is_one(data: Path) -> None:
    found = paragraphs(data, ["squad/train-v1.1.json.gz", "squad/dev-v1.1.json.gz"])
    assert found == {
        HARBOUR: ("squad/train-v1/00000", "Old Port"),
        LIGHTHOUSE: ("squad/train-v1/00001", "Old Port"),
    }


def test_rows_of_json_are_questions_too(data: Path) -> None:
    assert json_lines(data, "qed/dev.jsonl.gz") == [
        Question("7", "who designed it", ("Anna Holm",), HARBOUR, "Port", "x")
    ]


def test_a_missing_file_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(Absent, match=r"nothing\.json is not there"):
        squad(tmp_path, "nothing.json")


def test_a_limit_spreads_over_all_questions() -> None:
    questions = [Question(str(i), "?", ()) for i in range(10)]
    assert [each.id for each in limited(questions, 3)] == ["0", "3", "6"]
    assert limited(questions, None) == limited(questions, 10) == limited(questions, 99) == questions


def test_a_given_paragraph_is_a_passage_under_its_title() -> None:
    given = passage_of(Question("q", "?", (), HARBOUR, "Old Port"))
    assert (given.text, given.context, given.start, given.end) == (HARBOUR, "Old Port", 0, len(HARBOUR))
    assert passage_of(Question("q", "?", (), HARBOUR, "Old Port"), titles=False).context == ""


# Asking


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ((Copied(0, 0, 5),), True),
        ((Copied(0, 0, 5), Written(", "), Copied(0, 6, 9)), True),
        ((Written("yes"),), False),
        ((Copied(0, 0, 5), Written(" and so on")), False),
        ((Copied(0, 6, 99),), False),  # past the end, where slicing would not complain
        ((Copied(0, -3, 2),), False),
        ((Copied(0, 4, 4),), False),
        ((Copied(1, 0, 5),), False),
        ((Copied(0, 5, 6),), False),  # a space says nothing
        ((), False),
    ],
)
def test_an_answer_points_when_all_its_words_lie_at_its_offsets(
    pieces: tuple[Copied | Written, ...], expected: bool
) -> None:
    assert points(Draft(pieces, 0.5), [passage("Green tea.")]) is expected


def test_many_questions_are_read_together_where_the_generator_can() -> None:
    questions = [Question(str(i), "?", ("1840",), HARBOUR) for i in range(300)]
    many = FindingMany({"1840": 0.9})
    together, _ = read_given(many, questions)
    one_by_one, _ = read_given(Finding({"1840": 0.9}), questions)
    assert together == one_by_one
    assert many.together == [256, 44]


def test_the_best_answer_is_kept_beside_what_is_given() -> None:
    questions = [Question("a", "?", ("1840",), HARBOUR), Question("b", "?", ("31",), LIGHTHOUSE)]
    (sure, unsure), _ = read_given(Finding({"1840": 0.9, "31 metres": 0.4}), questions)
    assert (sure.said, sure.given, sure.answered, sure.exact, sure.near) == ("1840", "1840", True, True, True)
    # F1 of "31 metres" with the gold "31": 2 * 1 / (2 + 1).
    assert (unsure.said, unsure.given, unsure.answered, unsure.exact, unsure.near) == (
        "31 metres", "", False, False, True,
    )  # fmt: skip
    row = unsure.to_json()
    assert (row["f1"], row["em"], row["pieces"]) == (
        0.6667,
        0.0,
        [{"passage": 0, "start": 36, "end": 45, "mark": None}],
    )
    assert json.loads(json.dumps(row))["evidence"] == {"length": 9}


def test_an_engine_that_is_forced_tells_the_best_answer_too(tmp_path: Path) -> None:
    forced = Forced(Finding({"eighty degrees": 0.3}))
    engine = Engine(collection_of(tmp_path), forced)
    asked, answer = ask(engine, forced, Question("t", "At what heat is green tea steeped?", ("eighty degrees",)))
    assert (asked.said, asked.given, asked.exact) == ("eighty degrees", "", True)
    assert answer.answered
    assert list(asked.timings_ms) == list(answer.timings_ms)


# Scores


def asked_of(data: Path, answers: dict[str, float]) -> tuple[list[Asked], Finding]:
    generator = Finding(answers)
    asked, _ = read_given(generator, squad(data, "squad/dev-v2.0.json.gz"))
    return asked, generator


def test_what_the_scores_of_v2_count(data: Path) -> None:
    """Harbour: 1840 to all three, sure; lighthouse: "31" to both, unsure. Right to the word: the first alone."""
    asked, generator = asked_of(data, {"1840": 0.9, "31": 0.2})
    scores = {name: score.value for name, score in eval_squad.v2_scores(asked, generator).items()}
    assert scores["em"] == pytest.approx(2 / 5)  # the first, and the last, which is refused and has no answer
    assert scores["em, answerable"] == pytest.approx(1 / 3)
    assert scores["refused, answerable"] == pytest.approx(1 / 3)
    assert scores["refused, unanswerable"] == pytest.approx(1 / 2)
    # Bins: three at 0.9, one right; two at 0.2, none right.
    assert scores["ece"] == pytest.approx(3 / 5 * (0.9 - 1 / 3) + 2 / 5 * 0.2)
    # "31" for "31 metres" has an F1 of two thirds.
    assert scores["ece (F1>=0.5)"] == pytest.approx(3 / 5 * (0.9 - 1 / 3) + 2 / 5 * (1 / 2 - 0.2))
    assert scores["answered@max_error=0.1, share of all questions"] == pytest.approx(3 / 5)
    assert scores["answered@max_error=0.1, share of the answerable"] == pytest.approx(2 / 3)
    assert scores["precision@max_error=0.1, generator's own threshold"] == pytest.approx(1 / 3)
    assert scores["coverage@precision=0.9, share of all questions"] == 0.0


def test_coverage_is_told_of_all_questions_and_of_the_answerable(data: Path) -> None:
    asked, generator = asked_of(data, {"31 metres": 0.8})
    for each in asked:  # the harbour's questions get no answer at all, the lighthouse's get "31 metres"
        assert each.said == ("31 metres" if each.question.context == LIGHTHOUSE else "")
    scores = eval_squad.v2_scores(asked[:4], generator)
    assert scores["coverage@precision=0.9, share of all questions"].value == 1 / 4
    assert scores["coverage@precision=0.9, share of the answerable"].value == 1 / 3
    assert scores["ece"].value == pytest.approx(0.2)  # the three without an answer promised nothing


def test_a_generator_with_nothing_to_say_has_no_scores_of_confidence(data: Path) -> None:
    asked, generator = asked_of(data, {})
    scores = eval_squad.v2_scores(asked, generator)
    assert "ece" not in scores
    assert scores["refused, answerable"].value == 1.0
    assert math.isnan(eval_squad.v1_scores(asked)["points"].value)


def test_of_the_handbook_a_refusal_of_the_answerable_counts_as_wrong(data: Path) -> None:
    asked, _ = asked_of(data, {"1840": 0.9, "31 metres": 0.2})
    scores = eval_handbook.scores(asked, 0.9)
    assert scores["f1, answerable"].value == pytest.approx(1 / 3)
    assert scores["f1 of the best answer, answerable"].value == pytest.approx(2 / 3)
    assert scores["refused, unanswerable"].value == pytest.approx(1 / 2)
    assert scores["answers that hold a gold one"].value == pytest.approx(1 / 3)


def test_latencies_are_told_by_stage_and_together() -> None:
    asked = [
        Asked(Question("q", "?", ()), "", 0.0, False, False, Draft((), 0.0), {"a": ms, "b": 1.0}) for ms in (1, 2, 9)
    ]
    assert reporting.latencies(asked)["a"]["p50"] == 2
    assert reporting.latencies(asked)["ask"]["p50"] == 3


# The scripts themselves


def run(command: click.Command, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("command", "options", "n"),
    [
        (eval_squad.main, (), 3),
        (eval_squad.main, ("--v2",), 5),
        (eval_squad.main, ("--v2", "--limit", "2"), 2),
        (eval_qed.main, ("--no-titles",), 1),
        (eval_open_squad.main, (), 2),
    ],
)
def test_a_script_prints_scores_and_writes_rows(
    data: Path, home: Path, tmp_path: Path, command: click.Command, options: tuple[str, ...], n: int
) -> None:
    rows = tmp_path / "rows.jsonl"
    given = (str(data), "--generator", "quoting", "--home", str(home), *options)
    printed = json.loads(run(command, *given, "--json", "--out", str(rows)))
    assert printed["n"] == n
    assert printed["generator"] == "quoting"
    assert {"value", "low", "high"} == set(printed["scores"]["em"])
    assert [json.loads(line)["id"] for line in rows.read_text().splitlines()][:1] == ["7" if n == 1 else "q0"]
    assert len(rows.read_text().splitlines()) == n


def test_a_script_prints_a_table_and_draws(data: Path, home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "curves.svg"
    given = (str(data), "--generator", "quoting", "--home", str(home), "--v2", "--plot", str(picture))
    table = run(eval_squad.main, *given)
    assert "SQuAD v2.0 dev, paragraph given: n 5, generator quoting" in table
    assert "coverage@precision=0.9, share of the answerable" in table
    assert picture.read_text().count("F1&gt;=0.5") == 1


def test_open_squad_tells_what_was_read(data: Path, home: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    given = (str(data), "--generator", "quoting", "--home", str(home), "--json", "--out", str(rows))
    scores = json.loads(run(eval_open_squad.main, *given))["scores"]
    assert scores["holds"]["value"] == scores["gold paragraph"]["value"] == 1.0
    first = json.loads(rows.read_text().splitlines()[0])
    assert first["gold_source"] == first["passages"][first["gold_rank"] - 1]["source"] == "squad/train-v1/00000"


@pytest.mark.parametrize("command", [eval_squad.main, eval_qed.main, eval_open_squad.main])
def test_without_the_data_a_script_is_skipped_and_says_so(command: click.Command, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path / "nowhere")])
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "skipped: " in result.stderr
    assert "is not there. Give the data folder as the first argument." in result.stderr


def test_drafts_are_the_same_one_by_one() -> None:
    generator = Finding({"tea": 0.9})
    assert drafted(generator, ["a", "b"], [[passage("tea")], [passage("no")]]) == [
        Draft((Copied(0, 0, 3),), 0.9, {"length": 3}),
        Draft((), 0.0),
    ]
