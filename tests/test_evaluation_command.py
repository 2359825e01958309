"""The commands `eval ...`, as a person or a program calls them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli
from rag.evaluation.everything import evaluate_all, parts_of
from rag.evaluation.qa import Options
from rag.evaluation.rows import Row
from tests.conftest import new_home
from tests.parrot import write_parrot
from tests.worlds import PASSAGES, write_folder

BEES = {"source": "bees.txt", "quote": "A hive holds up to sixty thousand bees."}
TEA = {"source": "deep/tea.md", "quote": "Green tea is steeped at eighty degrees."}
QUESTIONS: list[dict[str, Any]] = [
    {"id": "bees", "question": "How many bees does a hive hold?", "answers": ["sixty thousand"],
     "context": PASSAGES["bees.txt"], "evidence": [BEES]},
    {"id": "tea", "question": "At what heat is green tea steeped?", "answers": ["eighty degrees"],
     "context": PASSAGES["deep/tea.md"], "evidence": [TEA]},
    {"id": "cup", "question": "Which club won the football cup?", "answers": [], "context": PASSAGES["pump.md"]},
]  # fmt: skip
SALT = {"id": "s", "question": "What is salt?", "answers": [{"text": "white", "answer_start": 8}]}
SQUAD = {"data": [{"title": "Salt", "paragraphs": [{"context": "Salt is white.", "qas": [SALT]}]}]}
PROMISED = {
    "em", "f1", "ece", "brier", "auroc", "aurc", "coverage@precision=0.9", "answer_recall", "source_recall",
    "citation_precision", "citation_recall", "refusal_precision", "refusal_recall",
}  # fmt: skip


def run(*arguments: str, given: str | bytes = "") -> Result:
    """Run `footnote eval` in this process."""
    env = {"COLUMNS": "200", "NO_COLOR": "1"}
    return CliRunner().invoke(cli.footnote, ["eval", *arguments], given, env, prog_name="footnote")


def said(result: Result) -> Any:
    """Return what a command said with --json, once it went well."""
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def lines(questions: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(each) + "\n" for each in questions)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, converted: Path) -> Iterator[Path]:
    """A folder with documents and their questions, in a home where the documents are indexed, and two runs of them."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        new_home(folder / "home", converted, patch.setenv)
        (write_folder(folder / "files") / "questions.jsonl").write_text(lines(QUESTIONS))
        indexed = CliRunner().invoke(
            cli.footnote, ["index", str(folder / "files"), "--exclude", "questions.jsonl"], prog_name="footnote"
        )
        assert indexed.exit_code == 0, indexed.output
        for name, k in (("one", "3"), ("two", "1")):
            made = run("qa", str(folder / "files/questions.jsonl"), "-k", k, "--out", str(folder / name), "--json")
            assert made.exit_code == 0, (made.output, made.exception)
        yield folder


# qa


def test_scores_are_the_contract_and_the_same_as_in_the_run(world: Path) -> None:
    found = said(run("qa", str(world / "files/questions.jsonl"), "-k", "3", "--out", str(world / "one"), "--json"))
    assert set(found) == {"scores", "n", "run"}
    assert (found["n"], found["run"]) == (3, str(world / "one"))
    assert set(found["scores"]) >= PROMISED
    for score in found["scores"].values():
        assert set(score) == {"value", "low", "high"}
    assert found["scores"]["answer_recall"]["value"] == 1.0
    assert found == json.loads((world / "one" / "scores.json").read_text())
    assert (world / "one" / "report.html").read_text().startswith("<!doctype html>")
    assert json.loads((world / "one" / "manifest.json").read_text())["options"]["k"] == 3


def test_scores_are_told_in_per_cent_with_their_intervals(world: Path) -> None:
    told = run("qa", str(world / "files/questions.jsonl"), "-k", "3", "--out", str(world / "one"))
    assert told.exit_code == 0
    assert re.search(r"^  answer_recall +100\.00  \[100\.00, 100\.00\]$", told.stdout, re.MULTILINE)
    assert re.search(r"^  latency_ms +.*ask [\d.,]+/[\d.,]+", told.stdout, re.MULTILINE)
    assert told.stdout.splitlines()[0] == f"3 done, in {world / 'one'}"
    assert told.stdout.splitlines()[-1] == f"To look at: {world / 'one' / 'report.html'}"


def test_questions_come_by_standard_input_and_rows_go_to_standard_output(world: Path) -> None:
    piped = run("qa", "-", "--given", "--rows", "--out", str(world / "piped"), given=lines(QUESTIONS))
    assert piped.exit_code == 0, piped.output
    rows = [Row.from_json(json.loads(line)) for line in piped.stdout.splitlines()]
    assert [row.id for row in rows] == ["bees", "tea", "cup"]
    assert rows[0].passages[0].text == PASSAGES["bees.txt"]
    assert "  em " in piped.stderr
    again = run("qa", "-", "--given", "--rows", "--out", str(world / "piped"), given=lines(QUESTIONS))
    assert again.stdout == piped.stdout  # kept, so not even the times differ


def test_a_collection_is_made_of_the_passages_when_asked_for(world: Path) -> None:
    file, ids = world / "squad.json", world / "ids.txt"
    file.write_text(json.dumps(SQUAD))
    ids.write_text("s\n")
    also, out = str(world / "files/questions.jsonl"), world / "own"
    arguments = ["qa", str(file), "--index-passages", "--also", also, "--ids", str(ids), "--out", str(out)]
    found = said(run(*arguments, "--json"))
    assert (found["n"], found["scores"]["source_recall"]["value"]) == (1, 1.0)
    (row,) = (Row.from_json(json.loads(line)) for line in (out / "answers.jsonl").read_text().splitlines())
    read = {each.source for each in row.passages}
    assert read == {"squad/00000", "questions/00000", "questions/00001", "questions/00002"}


def test_a_picture_of_the_confidence_is_drawn(world: Path) -> None:
    file = world / "confidence.svg"
    drawn = run("qa", str(world / "files/questions.jsonl"), "-k", "3", "--out", str(world / "one"), "--plot", str(file))
    assert drawn.exit_code == 0, drawn.output
    assert "<svg" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["qa", "absent.jsonl"], "There is no absent.jsonl"),
        (["qa", "-", "--given"], "no questions"),
        (["diff", "WORLD/one", "WORLD/files"], "is no run of an evaluation"),
        (["errors", "WORLD/files"], "is no run of an evaluation"),
        (["all", "WORLD/files", "--only", "SQuAD v1.1", "--out", "WORLD/all"], "None of the data sets is there"),
        (["all", "--only", "zebra", "--out", "WORLD/all"], "No evaluation is called zebra"),
        (
            ["qa", "WORLD/files/questions.jsonl", "-k", "2", "--out", "WORLD/one"],
            "was made otherwise: .*options.k was 3",
        ),
    ],
)
def test_what_cannot_be_done_is_told_without_a_traceback(world: Path, arguments: list[str], told: str) -> None:
    failed = run(*(argument.replace("WORLD", str(world)) for argument in arguments))
    assert failed.exit_code in (1, 2)
    assert re.search(told, failed.stderr), failed.stderr
    assert "Traceback" not in failed.output
    assert failed.stdout == ""


def test_malformed_data_is_told_with_lines_and_counts(world: Path) -> None:
    bad = run("qa", "-", "--given", given=lines([QUESTIONS[0], {"id": "x"}, QUESTIONS[0]]))
    assert bad.exit_code == 2
    assert "line 2" in bad.stderr
    assert "line 3" in bad.stderr


# retrieval and perplexity


def test_every_arm_of_a_search_has_its_scores(world: Path) -> None:
    data = str(world / "files/questions.jsonl")
    found = said(run("retrieval", data, "--collection", "default", "--out", str(world / "search"), "--json"))
    assert set(found["scores"]) == {"words", "dense", "hybrid", "feedback"}
    assert {"ndcg@10", "recall@10", "recall@100", "mrr@10"} <= set(found["scores"]["hybrid"])
    assert found["scores"]["hybrid"]["recall@10"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["n"] == 2
    assert len((world / "search" / "rankings.jsonl").read_text().splitlines()) == 2 * 4
    queries = [json.loads(line) for line in (world / "search" / "queries.jsonl").read_text().splitlines()]
    assert [each["query"] for each in queries] == ["bees", "tea"]
    assert queries[0]["hybrid"]["recall@10"] == queries[0]["words"]["mrr@10"] == 1.0
    told = run("retrieval", data, "--collection", "default", "--out", str(world / "search"))
    assert re.search(r"^  hybrid ndcg@10 +100\.00  \[100\.00, 100\.00\]$", told.stdout, re.MULTILINE)


def test_a_set_is_searched_in_its_own_documents_and_goes_on_where_it_stopped(world: Path) -> None:
    arguments = ["retrieval", str(world / "files/questions.jsonl"), "--out", str(world / "own-search"), "--limit", "1"]
    first = said(run(*arguments, "--json"))
    assert first["n"] == 1
    assert said(run(*arguments, "--json"))["scores"] == first["scores"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_language_model_is_measured(world: Path, tmp_path: Path) -> None:
    model = write_parrot(tmp_path / "model", ("Salt",), "gpt2", chat=False, reads=32)
    (tmp_path / "text.txt").write_text("Salt is white. " * 9)
    arguments = ["perplexity", str(model), str(tmp_path / "text.txt"), "--out", str(tmp_path / "run")]
    found = said(run(*arguments, "--json"))
    assert found["n"] == 1
    assert found["scores"]["perplexity"]["value"] > 1
    assert re.search(r"^  perplexity +\d+\.\d{3}$", run(*arguments).stdout, re.MULTILINE)


# diff and errors


def test_a_run_does_not_differ_from_itself(world: Path) -> None:
    found = run("diff", str(world / "one"), str(world / "one"), "--fail-if", "worse")
    assert found.exit_code == 0, found.output
    assert "Verdict on f1: no difference shown." in found.stdout
    assert "gained: 0" in found.stdout


def test_a_planted_regression_fails_the_build(world: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    asked = [
        {"id": str(n), "question": f"What is {n}?", "answers": [f"{n}"], "context": f"It is {n}."} for n in range(40)
    ]
    said(run("qa", "-", "--given", "--generator", "tests.test_evaluation_command:Parrots", "--out", str(good), "--json",
             given=lines(asked)))  # fmt: skip
    said(run("qa", "-", "--given", "--generator", "tests.test_evaluation_command:Worse", "--out", str(bad), "--json",
             given=lines(asked)))  # fmt: skip
    found = run("diff", str(good), str(bad), "--fail-if", "worse", "--report", str(tmp_path / "diff.html"))
    assert found.exit_code == 1
    assert "Verdict on f1: worse." in found.stdout
    assert re.search(r"^em +100\.00 +75\.00 +-25\.00", found.stdout, re.MULTILINE)
    assert "lost: 10" in found.stdout
    assert "<!doctype html>" in (tmp_path / "diff.html").read_text()
    assert run("diff", str(bad), str(good), "--fail-if", "worse").exit_code == 0
    as_json = said(run("diff", str(good), str(bad), "--json", "--examples", "2"))
    assert (as_json["verdict"], len(as_json["lost"]), as_json["flips"]["lost"]) == ("worse", 2, 10)


def test_searches_are_compared_arm_with_arm(world: Path) -> None:
    data, out = str(world / "files/questions.jsonl"), str(world / "search-too")
    said(run("retrieval", data, "--collection", "default", "--out", out, "--json"))
    found = run("diff", out, out, "--arms", "words", "hybrid")
    assert "Verdict on ndcg@10: no difference shown." in found.stdout


def test_errors_are_told_by_stage(world: Path) -> None:
    told = run("errors", str(world / "one"))
    assert told.exit_code == 0, told.output
    assert "question word" in told.stdout
    assert "How many bees does a hive hold?" in told.stdout
    found = said(run("errors", str(world / "one"), "--json"))
    assert found["n"] == 3
    assert sum(found["stages"].values()) == 3


# all


def test_all_that_is_there_is_measured_and_the_rest_is_skipped(world: Path) -> None:
    data = world / "data"
    (data / "squad").mkdir(parents=True)
    for name in ("dev-v1.1", "train-v1.1"):
        (data / "squad" / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(SQUAD).encode()))
    (data / "squad" / "open-2000.txt").write_text("s\n")
    beir = data / "beir" / "small"
    (beir / "qrels").mkdir(parents=True)
    (beir / "corpus.jsonl").write_text(lines([{"_id": "a", "title": "", "text": "Salt is white."}]))
    (beir / "queries.jsonl").write_text(lines([{"_id": "q", "text": "white salt"}]))
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\n")
    arguments = ["all", str(data), "--only", "squad", "--only", "small", "--out", str(world / "all")]
    result = run(*arguments, "--json")
    found = said(result)
    assert set(found["runs"]) == {"SQuAD v1.1 given", "open SQuAD", "small search"}
    assert set(found["skipped"]) == {"SQuAD v2.0 given"}
    assert "SQuAD v2.0 given: skipped" in result.stderr
    assert found["runs"]["small search"]["scores"]["hybrid"]["ndcg@10"]["value"] == 1.0
    table = run(*arguments)
    assert table.stdout == (world / "all" / "table.md").read_text()
    assert "| small search, hybrid | 1 | 100.0 (100.0 to 100.0) |" in table.stdout
    assert (world / "all" / "open-SQuAD" / "report.html").is_file()


def test_the_handbook_is_measured_without_any_data(world: Path) -> None:
    parts = parts_of(None, world / "files", Options(limit=1, resamples=20))
    done = evaluate_all(parts, world / "handbook", home=world / "home")
    assert {name: run.scores["n"] for name, run in done.runs.items()} == {"handbook search": 1, "handbook": 1}
    assert done.scores["handbook"]["scores"]["source_recall"]["value"] == 1.0


def test_the_handbook_is_there() -> None:
    assert all(not part.missing for part in parts_of(None))


# Generators for these tests, named as a person names one of their own


class Parrots:
    """Says what the passage says it is."""

    def __init__(self, _: object) -> None:
        self.name = "parrots"

    def generate(self, question: str, passages: Any) -> Any:
        from rag.generator import Copied, Draft

        text = passages[0].text
        return Draft((Copied(0, text.index("is ") + 3, len(text) - 1),), 0.9)

    def threshold(self, max_error: float | None) -> float:
        return 0.5


class Worse(Parrots):
    """Is wrong on every fourth."""

    def generate(self, question: str, passages: Any) -> Any:
        from rag.generator import Copied, Draft

        number = int("".join(filter(str.isdigit, question)))
        return super().generate(question, passages) if number % 4 else Draft((Copied(0, 0, 2),), 0.9)
