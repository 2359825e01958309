import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import Busy, NotFound, StorageError, UsageError, UserError
from rag.evaluation.intervals import Score
from rag.evaluation.rows import Row
from rag.evaluation.runs import RunFolder
from tests.evaluation_rows import ranked, row

ROOT = Path(__file__).parents[1]
MADE: dict[str, Any] = {"command": "qa", "data": {"name": "d", "sha256": "0"}, "options": {"limit": 3, "k": 5}}


def kept(run: RunFolder, *batches: list[Row]) -> RunFolder:
    with run.writing():
        for batch in batches:
            run.append(batch)
    return run


def test_rows_are_there_after_they_were_appended_and_in_order(tmp_path: Path) -> None:
    rows = [row("b", said="Paris"), row("a"), row("c")]
    run = kept(RunFolder.create(tmp_path / "run", MADE), rows[:2], rows[2:])
    assert RunFolder.open(run.path).rows() == rows
    assert run.done_ids() == {"a", "b", "c"}
    assert [receipt.rows for receipt in run.receipts()] == [2, 1]


def test_a_run_of_a_search_holds_rankings(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {**MADE, "command": "retrieval"})
    rows = [ranked("1", ["x", "y"], {"y": 1}), ranked("1", ["y"], {"y": 1}, "words")]
    with run.writing():
        run.append(rows)
    assert run.rankings() == rows
    assert run.done_ids() == {"1 hybrid", "1 words"}
    with pytest.raises(UsageError, match="is a run of eval retrieval"):
        run.rows()


@pytest.mark.parametrize("torn", [b'{"id": "c", "quest', b'{"id": "c"}\n' * 3])
def test_what_has_no_receipt_was_never_there(tmp_path: Path, torn: bytes) -> None:
    run = kept(RunFolder.create(tmp_path / "run", MADE), [row("a"), row("b")])
    with run.rows_file.open("ab") as file:
        file.write(torn)
    assert [each.id for each in RunFolder.open(run.path).rows()] == ["a", "b"]
    kept(run, [row("c", said="Paris")])
    assert [each.id for each in run.rows()] == ["a", "b", "c"]
    assert run.rows()[2].said == "Paris"


def test_a_receipt_that_was_cut_off_is_none(tmp_path: Path) -> None:
    run = kept(RunFolder.create(tmp_path / "run", MADE), [row("a")], [row("b")])
    receipts = run.path / "batches.jsonl"
    receipts.write_bytes(receipts.read_bytes()[:-9])
    assert [each.id for each in run.rows()] == ["a"]
    kept(run, [row("b")], [row("c")])
    assert [each.id for each in run.rows()] == ["a", "b", "c"]


def test_a_receipt_for_rows_that_are_gone_does_not_count(tmp_path: Path) -> None:
    run = kept(RunFolder.create(tmp_path / "run", MADE), [row("a")], [row("b")])
    run.rows_file.write_bytes(run.rows_file.read_bytes()[:-1])
    assert run.done_ids() == {"a"}


KILLED = """
import sys
from pathlib import Path
from rag.evaluation.runs import RunFolder
from tests.evaluation_rows import row
run = RunFolder.create(Path(sys.argv[1]), {"command": "qa"})
with run.writing():
    for number in range(len(run.receipts()), 4):
        run.append([row(f"{number} {part}") for part in range(3)])
"""


@pytest.mark.parametrize("point", ["append:1", "append:2", "append:3", "append:4", "fsync:9", "io:20", "io:25"])
def test_a_run_that_is_killed_at_any_point_goes_on_with_whole_batches(tmp_path: Path, point: str) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "run")]
    killed = subprocess.run(command, cwd=ROOT, env={**os.environ, "FOOTNOTE_KILL": point}, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    there = RunFolder.open(tmp_path / "run").rows()
    assert len(there) % 3 == 0
    assert len(there) < 12
    subprocess.run(command, cwd=ROOT, timeout=60, check=True)
    done = RunFolder.open(tmp_path / "run")
    assert [each.id for each in done.rows()] == [f"{number} {part}" for number in range(4) for part in range(3)]


def test_a_full_disk_is_told_and_nothing_half_is_kept(tmp_path: Path) -> None:
    program = "import os; os.environ['FOOTNOTE_FAULT'] = 'append:2:ENOSPC'\n" + KILLED
    command = [sys.executable, "-c", program, str(tmp_path / "other")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert StorageError.__name__ in done.stderr
    assert "No space left on device" in done.stderr
    assert RunFolder.open(tmp_path / "other").rows() == []


def test_one_process_at_a_time_writes_a_run(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", MADE)
    with run.writing(), pytest.raises(Busy, match="Another process is writing the run"):  # noqa: SIM117
        with RunFolder.open(run.path).writing():
            pass


# Which run it is


def test_the_same_manifest_opens_the_same_run(tmp_path: Path) -> None:
    kept(RunFolder.create(tmp_path / "run", MADE), [row("a")])
    assert RunFolder.create(tmp_path / "run", {**MADE, "options": {"k": 5, "limit": 3}}).done_ids() == {"a"}


def test_another_manifest_is_refused_and_what_differs_is_told(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", MADE)
    with pytest.raises(UsageError, match=r"options\.limit was 3, is 4 now; seed was null, is 1 now"):
        RunFolder.create(tmp_path / "run", {**MADE, "options": {"limit": 4, "k": 5}, "seed": 1})


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("of mine")
    with pytest.raises(UsageError, match="is there, and is no run of an evaluation"):
        RunFolder.create(tmp_path, MADE)
    with pytest.raises(UsageError, match="is there, and is no run of an evaluation"):
        RunFolder.create(tmp_path / "thesis.txt", MADE)
    with pytest.raises(NotFound, match="is no run of an evaluation"):
        RunFolder.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(("manifest", "told"), [("{", "does not read"), ("[]", "another version"), ("{}", "another")])
def test_a_manifest_that_is_none_is_told(tmp_path: Path, manifest: str, told: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(UserError, match=told):
        RunFolder.open(tmp_path)


# Scores


def test_scores_are_written_as_the_contract_has_them(tmp_path: Path) -> None:
    run = kept(RunFolder.create(tmp_path / "run", MADE), [row("a"), row("b")])
    nan = math.nan
    done = run.finish({"em": Score(0.5, 0.25, 2 / 3), "ece": Score(nan, nan, nan)}, speed={"questions_per_second": 3.0})
    assert done == json.loads((run.path / "scores.json").read_text()) == run.scores
    assert done == {
        "scores": {
            "em": {"value": 0.5, "low": 0.25, "high": 0.666667},
            "ece": {"value": None, "low": None, "high": None},
        },
        "n": 2,
        "run": str(run.path),
    }
    assert run.speed == {"questions_per_second": 3.0}


def test_scores_of_a_search_are_by_arm(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {**MADE, "command": "retrieval"})
    done = run.finish({"words": {"ndcg@10": Score(1, 1, 1)}}, n=1)
    assert done["scores"] == {"words": {"ndcg@10": {"value": 1, "low": 1, "high": 1}}}


def test_a_run_without_scores_has_not_finished(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="has not finished"):
        _ = RunFolder.create(tmp_path / "run", MADE).scores
