"""Questions asked in batches: into run folders that go on after a kill, with the same numbers each time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from indexer.errors import NotFound, UsageError
from rag.engine import Engine
from rag.evaluation import qa
from rag.evaluation.asking import Asker, given, in_collection, row_of
from rag.evaluation.data import Asked, DataFaults, read_questions
from rag.evaluation.judging import lies_at_its_offsets
from rag.evaluation.qa import Evaluation, Options, chosen, scored, spread
from rag.evaluation.rows import NOTHING_SAID, Row
from rag.evaluation.runs import RunFolder
from rag.generator import Copied, Draft, Written
from rag.types import Passage
from tests.answers import passage
from tests.serving import Formed, closest
from tests.worlds import PASSAGES, WordEncoder, collection_of

ROOT = Path(__file__).parents[1]
QUESTIONS: list[dict[str, Any]] = [
    {"id": "bees", "question": "How many bees does a hive hold?", "answers": ["sixty thousand"], "kind": "direct",
     "evidence": [{"source": "bees.txt", "quote": "A hive holds up to sixty thousand bees."}]},
    {"id": "tea", "question": "At what heat is green tea steeped?", "answers": ["eighty degrees"], "kind": "direct"},
    {"id": "books", "question": "How long may books be borrowed?", "answers": ["four weeks", "weeks"]},
    {"id": "dance", "question": "Where do bees dance?", "answers": []},
    {"id": "pump", "question": "When was the pump replaced?", "answers": ["March"], "kind": "direct"},
    {"id": "cup", "question": "Who won the football cup?", "answers": [], "kind": "far"},
    {"id": "opens", "question": "When does the library open?", "answers": ["nine"]},
]  # fmt: skip


@dataclass
class Knowing:
    """Copies an answer that it knows from the passages, with its confidence; says nothing where none is there."""

    known: Mapping[str, float] = field(
        default_factory=lambda: {"sixty thousand": 0.9, "eighty degrees": 0.8, "March": 0.3, "nine": 0.6}
    )
    name: str = "knowing"
    asked: list[list[str]] = field(default_factory=list)

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        return self.generate_many([question], [passages])[0]

    def generate_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        self.asked.append(list(questions))
        return [self._draft(*each) for each in zip(questions, passages, strict=True)]

    def _draft(self, question: str, passages: Sequence[Passage]) -> Draft:
        for number, each in enumerate(passages[:1]):
            for words, confidence in self.known.items():
                start = each.text.find(words)
                if start >= 0:
                    return Draft((Copied(number, start, start + len(words)),), confidence)
        return Draft((), 0.0)

    def threshold(self, max_error: float | None) -> float:
        return 0.5 if max_error is None else 1 - max_error


def write_questions(file: Path, questions: Sequence[Mapping[str, Any]] = QUESTIONS) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(each) + "\n" for each in questions), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collection_of(tmp_path_factory.mktemp("world"))


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return write_questions(tmp_path / "questions.jsonl")


DEFAULT = Options()


def evaluate(data: Path, options: Options = DEFAULT, **more: Any) -> Evaluation:
    """Evaluate, with intervals that are rough and soon there."""
    return qa.evaluate(data, replace(options, resamples=20), **more)


def untimed(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, timings_ms={}) for row in rows]


def kept_scores(found: Evaluation) -> str:
    return json.dumps(json.loads((found.run.path / "scores.json").read_text())["scores"])


# What a run holds


def test_every_question_has_a_row_in_order_and_scores_are_of_them(
    questions: Path, collection: Collection, tmp_path: Path
) -> None:
    found = evaluate(questions, collection=collection, generator=Knowing(), out=tmp_path / "run")
    assert [row.id for row in found.rows] == [each["id"] for each in QUESTIONS]
    by_id = {row.id: row for row in found.rows}
    assert (by_id["bees"].said, by_id["bees"].answered, by_id["bees"].confidence) == ("sixty thousand", True, 0.9)
    assert (by_id["pump"].said, by_id["pump"].answered, by_id["pump"].given) == ("March", False, "")
    assert (by_id["books"].said, by_id["books"].confidence) == ("nine", 0.6)
    assert by_id["bees"].kind == "direct"
    assert by_id["bees"].gold_sources == ("bees.txt",)
    assert by_id["bees"].gold_quotes == ("A hive holds up to sixty thousand bees.",)
    assert found.scores["source_recall"].value == 1.0
    assert found.scores["quote_recall"].value == 1.0
    assert found.n == 7
    assert found.to_json() == json.loads((tmp_path / "run" / "scores.json").read_text())
    assert set(found.to_json()) == {"scores", "n", "run"}


def test_spans_and_footnotes_point_into_the_passages(questions: Path, collection: Collection, tmp_path: Path) -> None:
    row = evaluate(questions, collection=collection, generator=Knowing(), out=tmp_path / "run").rows[0]
    (span,), (note,) = row.spans, row.footnotes
    assert row.passages[span.passage].text[span.start : span.end] == span.text == "sixty thousand"
    assert row.passages[note.passage].text[note.start : note.end] == note.text
    assert note.text == "A hive holds up to sixty thousand bees."
    read = row.passages[0]
    assert collection.document(read.source).text[read.start :].startswith(read.text)
    assert [each.rank for each in row.passages] == list(range(1, len(row.passages) + 1))


def test_rows_are_those_that_asking_gives(questions: Path, collection: Collection, tmp_path: Path) -> None:
    generator = Knowing()
    found = evaluate(questions, Options(k=2), collection=collection, generator=generator, out=tmp_path / "run")
    engine = Engine(collection, generator)
    for row in found.rows:
        answer = engine.ask(row.question, 2)
        assert (row.given, row.answered, max(0.0, row.confidence)) == (answer.text, answer.answered, answer.confidence)
        assert [each.text for each in row.passages] == [each.text for each in answer.passages]
        assert [each.text for each in row.footnotes if row.answered] == [each.quote for each in answer.citations]


def test_a_share_of_errors_moves_the_threshold(questions: Path, collection: Collection, tmp_path: Path) -> None:
    options = Options(max_error=0.15)
    found = evaluate(questions, options, collection=collection, generator=Knowing(), out=tmp_path / "run")
    assert [row.id for row in found.rows if row.answered] == [
        row.id for row in found.rows if row.confidence >= 1 - 0.15
    ]


def test_coverage_is_at_the_precision_that_is_asked_for(
    questions: Path, collection: Collection, tmp_path: Path
) -> None:
    options = Options(precision=0.6)
    found = evaluate(questions, options, collection=collection, generator=Knowing(), out=tmp_path / "run")
    assert "coverage@precision=0.6" in found.scores


# The passages given


def test_given_passages_are_read_and_nothing_is_searched(home: Path, tmp_path: Path) -> None:
    asked = [
        {"id": "1", "question": "How hot is tea?", "answers": ["eighty degrees"], "context": "It is eighty degrees."},
        {"id": "2", "question": "How many?", "answers": [], "context": "Nobody counted.", "title": "Counting"},
    ]
    file = write_questions(tmp_path / "given.jsonl", asked)
    found = evaluate(file, Options(given=True), generator=Knowing(), out=tmp_path / "run", home=home)
    assert [(row.said, row.answered) for row in found.rows] == [("eighty degrees", True), ("", False)]
    assert found.rows[1].confidence == NOTHING_SAID
    assert found.rows[1].passages[0].title == "Counting"
    assert found.scores["em"].value == 1.0
    assert found.run.manifest["collection"]["name"] == qa.GIVEN


def test_a_title_is_left_out_where_nobody_wants_it(home: Path, tmp_path: Path) -> None:
    asked = [{"id": "1", "question": "How many?", "answers": [], "context": "Nobody counted.", "title": "Counting"}]
    file = write_questions(tmp_path / "given.jsonl", asked)
    options = Options(given=True, titles=False)
    found = evaluate(file, options, generator=Knowing(), out=tmp_path / "run", home=home)
    assert found.rows[0].passages[0].title == ""
    assert found.rows[0].passages[0].text == "Nobody counted."


def test_evidence_that_is_not_in_the_collection_is_told_before_anything_is_asked(
    collection: Collection, tmp_path: Path
) -> None:
    def asked(source: str, quote: str) -> dict[str, Any]:
        return {**QUESTIONS[0], "evidence": [{"source": source, "quote": quote}]}

    generator = Knowing()
    for wrong, told in (
        (asked("wasps.txt", ""), "1 × source that is no document of the collection"),
        (asked("bees.txt", "A hive holds one bee."), "question bees: quote that is not in its source"),
    ):
        file = write_questions(tmp_path / "wrong.jsonl", [wrong])
        with pytest.raises(DataFaults, match=told):
            evaluate(file, collection=collection, generator=generator, out=tmp_path / "run")
    assert generator.asked == []
    assert not (tmp_path / "run").exists()


def test_a_question_without_a_passage_to_give_is_told_before_anything_is_asked(
    questions: Path, home: Path, tmp_path: Path
) -> None:
    generator = Knowing()
    with pytest.raises(UsageError, match="7 of the questions bring no passage, the first is bees"):
        evaluate(questions, Options(given=True), generator=generator, out=tmp_path / "run", home=home)
    assert generator.asked == []
    assert not (tmp_path / "run").exists()


# The set's own passages, indexed


def test_a_collection_is_made_of_the_passages_and_knows_the_gold_one(home: Path, tmp_path: Path) -> None:
    def asked(number: int, passage: str, answer: str) -> dict[str, Any]:
        return {"id": str(number), "question": passage[:20] + "?", "answers": [answer], "context": passage}

    one = [asked(n, text, "March") for n, text in enumerate(PASSAGES.values())]
    other = [asked(n, text, "x") for n, text in enumerate(["Salt is white.", PASSAGES["bees.txt"]])]
    for each in other:
        each["answers"] = [each["context"].split()[0]]
    for each in one:
        each["answers"] = [each["context"].split()[1]]
    file = write_questions(tmp_path / "one.jsonl", one)
    also = write_questions(tmp_path / "other.jsonl", other)
    found = evaluate(
        file, generator=Knowing(), index_passages=True, also=[also], out=tmp_path / "run", home=home
    )  # fmt: skip
    made = found.run.manifest["collection"]["name"]
    assert Collection(made, home).status().documents == 5  # four, and one that the first file does not have
    assert all(len(row.gold_sources) == 1 for row in found.rows)
    assert found.scores["source_recall"].value == 1.0


def test_where_questions_name_files_their_folder_is_indexed_without_the_questions(home: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "bees.txt").write_text(PASSAGES["bees.txt"])
    file = write_questions(tmp_path / "docs" / "questions.jsonl", QUESTIONS[:1])
    found = evaluate(file, generator=Knowing(), index_passages=True, out=tmp_path / "run", home=home)
    assert {Path(each.source).name for row in found.rows for each in row.passages} == {"bees.txt"}
    assert found.scores["source_recall"].value == 1.0


@pytest.mark.parametrize(
    ("options", "more", "told"),
    [
        (Options(given=True), {"index_passages": True}, "The passages come from one place"),
        (Options(given=True), {"collection": "world"}, "The passages come from one place"),
        (Options(), {"index_passages": True, "collection": "world"}, "The passages come from one place"),
        (Options(), {"also": ["other.jsonl"]}, "--also names passages to index"),
        (Options(titles=False), {}, "Passages of a collection are read under their titles"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    questions: Path, tmp_path: Path, options: Options, more: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        evaluate(questions, options, generator=Knowing(), home=tmp_path / "home", **more)


def test_a_collection_that_is_not_there_is_told(questions: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no collection 'absent'"):
        evaluate(questions, collection="absent", generator=Knowing(), home=tmp_path / "home")


def test_malformed_data_is_told_before_anything_is_made(collection: Collection, tmp_path: Path) -> None:
    file = write_questions(tmp_path / "bad.jsonl", [QUESTIONS[0], QUESTIONS[0]])
    generator = Knowing()
    with pytest.raises(DataFaults, match="bees"):
        evaluate(file, collection=collection, generator=generator, out=tmp_path / "run")
    assert generator.asked == []
    assert not (tmp_path / "run").exists()


# Which questions are asked


def test_a_limit_spreads_evenly_over_the_set() -> None:
    asked = [Asked(str(number), "What?", ()) for number in range(10)]
    assert [each.id for each in chosen(asked, None, 4)] == ["0", "2", "5", "7"]
    assert [each.id for each in chosen(asked, None, 99)] == [each.id for each in asked]
    assert [each.id for each in chosen(asked, ["9", "3", "1"], 2)] == ["1", "3"]
    assert spread(10, 3) == [0, 3, 6]


def test_an_id_of_no_question_is_told() -> None:
    with pytest.raises(UsageError, match="1 of the 2 ids name no question of the data, one is 'zebra'"):
        chosen([Asked("a", "What?", ())], ["a", "zebra"], None)
    with pytest.raises(UsageError, match="There is no question to ask"):
        chosen([], None, None)


# Batches


def test_questions_are_read_in_batches_and_some_alone(questions: Path, collection: Collection, tmp_path: Path) -> None:
    generator = Knowing()
    options = Options(batch=3, alone=2)
    found = evaluate(questions, options, collection=collection, generator=generator, out=tmp_path / "run")
    warm_up, *sizes = [len(asked) for asked in generator.asked]
    assert warm_up == 1
    assert sizes == [1, 2, 1, 2, 1]  # of seven, the first and the fourth are asked alone
    assert [bool(row.timings_ms) for row in found.rows] == [True, False, False, True, False, False, False]
    assert list(found.rows[0].timings_ms) == ["load", "embed", "retrieve", "open", "generate", "cite"]
    assert found.speed["asked_alone"] == 2
    assert found.speed["questions_per_second"] > 0
    assert found.speed["peak_memory_mb"] > 10
    assert [receipt.together for receipt in found.run.receipts()] == [2, 2, 1]


@pytest.mark.parametrize("options", [Options(batch=1), Options(batch=2, alone=0), Options(alone=7), Options(batch=64)])
def test_answers_do_not_hang_on_what_is_read_together(
    questions: Path, collection: Collection, tmp_path: Path, options: Options
) -> None:
    found = evaluate(questions, options, collection=collection, generator=Knowing(), out=tmp_path / "run")
    plain = evaluate(questions, collection=collection, generator=Knowing(), out=tmp_path / "plain")
    assert untimed(found.rows) == untimed(plain.rows)
    assert kept_scores(found) == kept_scores(plain)


def test_progress_is_reported_batch_by_batch(questions: Path, collection: Collection, tmp_path: Path) -> None:
    reports: list[tuple[str, int, int]] = []
    kept: list[str] = []
    evaluate(
        questions, Options(batch=3), collection=collection, generator=Knowing(), out=tmp_path / "run",
        keep=lambda rows: kept.extend(row.id for row in rows), progress=lambda *report: reports.append(report),
    )  # fmt: skip
    assert [report for report in reports if report[0] == "asking"] == [("asking", n, 7) for n in (0, 3, 6, 7)]
    assert kept == [each["id"] for each in QUESTIONS]


# The same again


def test_the_same_manifest_gives_the_same_numbers_to_the_last_digit(
    questions: Path, collection: Collection, tmp_path: Path
) -> None:
    one, two = (
        evaluate(questions, Options(batch=3), collection=collection, generator=Knowing(), out=tmp_path / name)
        for name in ("one", "two")
    )
    assert one.run.manifest == two.run.manifest
    assert kept_scores(one) == kept_scores(two)
    assert untimed(one.rows) == untimed(two.rows)


def test_two_runs_of_one_manifest_have_the_same_bytes_of_scores(
    questions: Path, collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        evaluate(questions, Options(batch=3, alone=2), collection=collection, generator=Knowing(), out=Path("run"))
        written.append([(tmp_path / name / "run" / file).read_bytes() for file in ("manifest.json", "scores.json")])
    assert written[0] == written[1]
    assert set(json.loads(written[0][1])) == {"scores", "n", "run"}


def test_what_was_promised_is_scored_with_the_rest(questions: Path, collection: Collection, tmp_path: Path) -> None:
    found = evaluate(questions, collection=collection, generator=Knowing(), out=tmp_path / "run")
    assert found.run.manifest["generator"]["thresholds"] == {"default": 0.5, "0.1": 0.9}
    sure = [row for row in found.rows if row.confidence >= 0.9]
    assert found.scores["answered@max_error=0.1"].value == len(sure) / 7 > 0


def test_a_finished_run_is_scored_again_without_asking(questions: Path, collection: Collection, tmp_path: Path) -> None:
    first = evaluate(questions, collection=collection, generator=Knowing(), out=tmp_path / "run")
    whole = (tmp_path / "run" / "scores.json").read_bytes()
    generator = Knowing()
    evaluate(questions, collection=collection, generator=generator, out=tmp_path / "run")
    assert generator.asked == []
    assert (tmp_path / "run" / "scores.json").read_bytes() == whole
    assert scored(RunFolder.open(first.run.path), resamples=20).scores == first.scores


def test_a_run_goes_where_its_manifest_says_when_nobody_else_does(
    questions: Path, collection: Collection, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    runs = [
        evaluate(questions, Options(limit=limit), collection=collection, generator=Knowing(), home=home).run.path
        for limit in (2, 3, 2)
    ]
    assert runs[0] == runs[2] != runs[1]
    assert runs[0].parent == home / "runs"
    assert runs[0].name.startswith("qa-questions-")


@pytest.mark.parametrize("change", ["options", "data", "collection", "generator"])
def test_another_manifest_is_another_run(questions: Path, collection: Collection, tmp_path: Path, change: str) -> None:
    evaluate(questions, collection=collection, generator=Knowing(), out=tmp_path / "run")
    options, generator = Options(), Knowing()
    if change == "options":
        options = Options(k=3)
    elif change == "data":
        write_questions(questions, QUESTIONS[1:])
    elif change == "collection":
        collection = collection_of(tmp_path / "world", {**PASSAGES, "salt.md": "Salt is white.\n"})
    else:
        generator = Knowing(name="other")
    with pytest.raises(UsageError, match="was made otherwise"):
        evaluate(questions, options, collection=collection, generator=generator, out=tmp_path / "run")


def test_the_manifest_tells_all_that_the_numbers_hang_on(
    questions: Path, collection: Collection, tmp_path: Path
) -> None:
    made = evaluate(questions, collection=collection, generator=Knowing(), out=tmp_path / "run").run.manifest
    assert made["data"]["sha256"] == read_questions(questions).sha256
    assert made["data"]["questions"] == 7
    assert made["collection"]["encoder_fingerprint"] == WordEncoder().fingerprint
    assert len(made["collection"]["sha256"]) == len(made["code"]["sha256"]) == len(made["generator"]["sha256"]) == 64
    assert made["generator"]["name"] == "knowing"
    assert made["options"]["k"] == 6
    assert "seed" in made
    assert made["machine"]["python"].startswith("3.")


KILLED = """
import sys
from pathlib import Path
from rag.evaluation.qa import Options, evaluate
from indexer.collection import Collection
from tests.test_evaluation_qa import Knowing
from tests.worlds import WordEncoder
questions, home, out = map(Path, sys.argv[1:])
world = Collection("world", home, WordEncoder())
evaluate(questions, Options(batch=2, alone=3, resamples=20), collection=world, generator=Knowing(), out=out)
"""


@pytest.mark.parametrize("point", ["append:1", "append:2", "append:3", "append:6"])
def test_a_run_that_was_killed_goes_on_to_the_same_numbers(
    questions: Path, collection: Collection, tmp_path: Path, point: str
) -> None:
    whole = evaluate(
        questions, Options(batch=2, alone=3), collection=collection, generator=Knowing(), out=tmp_path / "whole"
    )
    out = tmp_path / "run"
    command = [sys.executable, "-c", KILLED, str(questions), str(collection.home), str(out)]
    killed = subprocess.run(command, cwd=ROOT, env={**os.environ, "FOOTNOTE_KILL": point}, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    generator = Knowing()
    done = len(RunFolder.open(out).rows())
    found = evaluate(questions, Options(batch=2, alone=3), collection=collection, generator=generator, out=out)
    assert sum(map(len, generator.asked)) == 1 + 7 - done  # one to warm up
    assert untimed(found.rows) == untimed(whole.rows)
    assert kept_scores(found) == kept_scores(whole)


# Rows


def test_what_is_written_is_unsupported_and_evidence_is_cited() -> None:
    read = passage("Green tea is steeped at eighty degrees. It is green.")
    draft = Draft(
        (
            Written("Yes, hot", supported=True, evidence=(Copied(0, 24, 38),)),
            Written(" and cheap"),
            Copied(0, 40, 51),
        ),
        0.4,
    )
    row = row_of(Asked("7", "Hot?", ("yes",), quotes=("at eighty",)), draft, [read], 0.5)
    assert row.said == "Yes, hot and cheapIt is green"
    assert not row.answered
    assert [row.said[slice(*part)] for part in row.unsupported] == [" and cheap"]
    assert [span.text for span in row.spans] == ["eighty degrees", "It is green"]
    assert [note.text for note in row.footnotes] == ["Green tea is steeped at eighty degrees.", "It is green."]
    assert row.gold_quotes == ("at eighty",)


def test_words_that_join_are_no_copies_and_what_was_looked_up_was_read() -> None:
    read, other = passage("Tea is green."), replace(passage("Bees dance."), source="/files/bees.md", title="Bees")
    draft = Draft(
        (Written("Yes. ", True, (Copied(0, 0, 11),)), Written("Bees: ", True), Copied(0, 0, 11)),
        0.4,
        form="yes-no",
        bears=True,
        passages=(other,),
    )
    row = row_of(Asked("7", "Do they?", ("dance",)), draft, [read], 0.5)
    assert (row.said, row.outcome, row.form) == ("Yes. Bees: Bees dance.", "unsure", "yes-no")
    assert [row.said[slice(*part)] for part in row.joining] == ["Yes. ", "Bees: "]
    assert [(span.passage, span.text) for span in row.spans] == [(1, "Bees dance.")]
    assert [each.source for each in row.passages] == ["/files/source.md", "/files/bees.md"]
    assert lies_at_its_offsets(row)
    assert not lies_at_its_offsets(replace(row, said="Yes. Bees: Bees sleep."))
    assert Row.from_json(row.to_json()) == row
    assert row.to_json()["outcome"] == "unsure"


def test_the_form_that_is_asked_for_is_passed_on(collection: Collection) -> None:
    generator = Formed(closest)
    asker = Asker(generator, in_collection(Engine(collection, generator), 3), 0.5, "fact")
    (row,) = asker.together([Asked("a", "How many bees?", ("sixty thousand",))])
    assert generator.asked == [("How many bees?", "fact")]
    assert row.outcome == "unsure"


def test_what_was_measured_alone_has_times_and_what_was_read_together_has_none(collection: Collection) -> None:
    generator = Knowing()
    asker = Asker(generator, in_collection(Engine(collection, generator), 3), 0.5)
    asked = [Asked("a", "How many bees does a hive hold?", ("sixty thousand",)), Asked("b", "Who?", ())]
    alone = [asker.alone(each) for each in asked]
    assert all(set(row.timings_ms) >= {"retrieve", "generate"} for row in alone)
    assert untimed(alone) == asker.together(asked)
    assert asker.together([]) == []


def test_a_question_that_is_longer_than_the_engine_reads_is_cut_off(collection: Collection) -> None:
    generator = Knowing()
    asker = Asker(generator, in_collection(Engine(collection, generator), 3), 0.5)
    (row,) = asker.together([Asked("a", "bees " * 2000, ())])
    assert len(row.question) == 10_000
    assert len(generator.asked[0][0]) <= 4000


def test_lone_surrogates_in_a_given_passage_do_no_harm() -> None:
    found, *_ = given([Asked("a", "What?", (), passage="half \ud800 a pair")])
    assert found[0][0].text == "half \ud800 a pair"
