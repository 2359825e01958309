"""From documents to a data set: what is written, what is told, and that nothing is overwritten."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
from finetune.data.preparing import Options, prepare
from finetune.data.quality import Bounds
from finetune.data.records import TEXTS
from finetune.language.corpus import text_files
from indexer.collection import Collection
from indexer.errors import NotFound, UsageError
from rag.evaluation.faults import DataFaults
from rag.evaluation.texts import read_texts
from tests.worlds import write_folder

PROSE = {
    "archive.md": "# The archive\n\nThe archive was opened in 1921 by two teachers&nbsp;of the town, who had collected "
    "its letters, maps and photographs for many years.\n\n```\nx = '<b>'\n```\n",
    "rain/rain.txt": "Rain fell on two hundred days of the year, mostly in autumn, and the river rose <b>twice</b> "
    "over its banks; nobody was hurt. Write to ann@town.example.org about it.\n",
    "short.txt": "Too short.\n",
    "broken.pdf": "%PDF-1.4 nothing",
}  # fmt: skip
TWIN = PROSE["rain/rain.txt"].replace("nobody", "no one")


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / TEXTS).read_text().splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Return the data set of a folder, and its report."""
    root = tmp_path_factory.mktemp("data")
    given = write_folder(root / "town", {**PROSE, "z/twin.txt": TWIN})
    done = prepare([given], root / "clean", Options(masks=("mail",), near=0.6))
    return done.folder, done.report


def test_the_texts_are_clean_and_named_by_their_paths(made: tuple[Path, Any]) -> None:
    rows = {row["id"]: row for row in rows_of(made[0])}
    assert list(rows) == ["town/archive.md", "town/rain/rain.txt"]
    assert rows["town/archive.md"]["title"] == "The archive"
    assert "two teachers of the town" in rows["town/archive.md"]["text"]
    assert "x = '<b>'" in rows["town/archive.md"]["text"]
    assert "the river rose twice over" in rows["town/rain/rain.txt"]["text"]
    assert "Write to [mail] about it." in rows["town/rain/rain.txt"]["text"]
    assert set(rows["town/rain/rain.txt"]["metadata"]) == {"format", "sha256"}


def test_the_report_counts_what_was_done(made: tuple[Path, Any]) -> None:
    folder, report = made
    assert (report.documents, report.kept) == (4, 2)
    assert report.reasons == {"near-duplicate": 1, "too short": 1}
    assert report.changes.counts["tags"] == 4  # both rain files have two
    assert [skip.source.endswith("broken.pdf") for skip in report.skipped] == [True]
    told = json.loads((folder / "report.json").read_text())
    assert told["dropped"] == report.reasons
    assert told["options"]["near"] == 0.6
    assert {"id", "before", "after"} == set(told["examples"]["mail masked"][0])


def test_the_page_and_the_lists_name_everything(made: tuple[Path, Any]) -> None:
    folder = made[0]
    assert {each.name for each in folder.iterdir()} == {
        TEXTS, "README.md", "report.json", "changes.diff", "dropped.tsv"
    }  # fmt: skip
    page = (folder / "README.md").read_text()
    assert "| near-duplicate | 1 |" in page
    assert "ann@town" not in page
    assert "* broken.pdf: " in page
    dropped = [line.split("\t")[:3] for line in (folder / "dropped.tsv").read_text().splitlines()[1:]]
    assert dropped == [
        ["town/short.txt", "too short", ""],
        ["town/z/twin.txt", "near-duplicate", "town/rain/rain.txt"],
    ]
    diff = (folder / "changes.diff").read_text()
    assert "--- a/town/rain/rain.txt" in diff
    assert (
        "\n-Rain fell on two hundred days of the year, mostly in autumn, and the river rose <b>twice</b> over" in diff
    )
    assert "\n+Rain fell on two hundred days of the year, mostly in autumn, and the river rose twice over" in diff


def test_the_same_again_gives_the_same_bytes_and_overwrites_nothing(tmp_path: Path) -> None:
    given = write_folder(tmp_path / "town", PROSE)
    first, second = (prepare([given], tmp_path / name) for name in ("a", "b"))
    for name in (TEXTS, "changes.diff", "dropped.tsv"):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
    with pytest.raises(UsageError, match="holds something already, and nothing is overwritten"):
        prepare([given], tmp_path / "a")
    assert (given / "rain" / "rain.txt").read_text() == PROSE["rain/rain.txt"]


def test_lines_are_texts_of_their_own_and_their_characters_are_repaired(tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl.gz"
    rows = [{"id": "n1", "title": "One", "text": "Zero\u200bwidth text."}, {"text": "The cafÃ© of the town."}]
    file.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    done = prepare([file], tmp_path / "clean", Options(quality=None))
    assert [(row["id"], row["text"]) for row in rows_of(done.folder)] == [
        ("notes.jsonl.gz:n1", "Zerowidth text."),
        ("notes.jsonl.gz:2", "The café of the town."),
    ]
    assert done.report.changes.examples["mojibake"][0][1:] == ("The cafÃ© of the town.", "The café of the town.")


def test_lines_that_do_not_read_are_told_by_their_number(tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text('{"text": "Good."}\n{"text": 7}\nnothing\n')
    with pytest.raises(DataFaults, match=r"2 faults.*\n.*line 2: text is no text.*\n.*line 3: not JSON"):
        prepare([file], tmp_path / "clean")
    assert not (tmp_path / "clean").exists()


def test_a_data_set_can_be_cleaned_again_to_the_same_texts(made: tuple[Path, Any], tmp_path: Path) -> None:
    again = prepare([made[0] / TEXTS], tmp_path / "again")
    assert [row["text"] for row in rows_of(again.folder)] == [row["text"] for row in rows_of(made[0])]


def test_a_folder_of_a_data_set_is_read_without_its_report(made: tuple[Path, Any]) -> None:
    files = text_files(made[0])
    assert files == [made[0] / TEXTS]
    assert [text.text for text in read_texts(files).texts] == [row["text"] for row in rows_of(made[0])]


def test_a_collection_can_be_cleaned(home: Path, tmp_path: Path) -> None:
    collection = Collection("town", home)
    collection.sync([write_folder(tmp_path / "town", {name: PROSE[name] for name in ("archive.md", "rain/rain.txt")})])
    done = prepare([], tmp_path / "clean", collection=collection)
    assert [row["id"] for row in rows_of(done.folder)] == ["archive.md", "rain/rain.txt"]


def test_texts_in_another_language_are_left_out(tmp_path: Path) -> None:
    german = (
        "Der Regen fiel an zweihundert Tagen des Jahres, meist im Herbst, und der Fluss stieg zweimal über die Ufer."
    )
    given = write_folder(tmp_path / "town", {**PROSE, "regen.txt": german * 2})
    done = prepare([given], tmp_path / "clean", Options(languages=("en",), quality=Bounds(words=5)))
    assert done.report.reasons["language de"] == 1
    assert done.report.languages["en"] == 2
    with pytest.raises(UsageError, match="There is no language 'xx'"):
        prepare([given], tmp_path / "other", Options(languages=("xx",)))


def test_a_dry_run_tells_and_leaves_nothing(tmp_path: Path) -> None:
    given = write_folder(tmp_path / "town", PROSE)
    told: list[str] = []
    done = prepare([given], tmp_path / "clean", dry_run=True, announce=told.append)
    assert done.report.kept == 2
    assert told[0].startswith("This is a sample of 4 of 4 files; all take about ")
    assert [each.name for each in tmp_path.iterdir()] == ["town"]


def test_an_interruption_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    given = write_folder(tmp_path / "town", PROSE)

    def stop(what: str, done: int, total: int) -> None:
        if what == "cleaning":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare([given], tmp_path / "clean", progress=stop)
    assert not (tmp_path / "clean").exists()


def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        prepare([tmp_path / "nowhere"], tmp_path / "clean")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="There are no files to read"):
        prepare([tmp_path / "empty"], tmp_path / "clean")
    with pytest.raises(UsageError, match="There is no mask for 'name'"):
        prepare([tmp_path], tmp_path / "clean", Options(masks=("name",)))


def test_the_command_tells_what_it_did(tmp_path: Path) -> None:
    given = write_folder(tmp_path / "town", PROSE)
    done = CliRunner().invoke(cli.footnote, ["train", "data", str(given), "--out", str(tmp_path / "clean"), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["kept"], told["documents"], told["written"]) == (2, 3, True)
    nothing = CliRunner().invoke(cli.footnote, ["train", "data", "--out", str(tmp_path / "other")])
    assert nothing.exit_code == 2
    assert "No file, folder or collection was given." in nothing.output
