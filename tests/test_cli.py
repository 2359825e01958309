import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import cli
from rag.copying.conversion import check_files
from tests.chat_server import ChatServer, Request, serving
from tests.conftest import new_home
from tests.worlds import write_folder

COMMANDS = cli.footnote.list_commands(click.Context(cli.footnote))
CLI = [sys.executable, str(Path(cli.__file__))]
FOOTBALL = "Which football club won the cup in 2019?"
BEES = "How many bees does a hive hold?"


def run(*arguments: str, given: str | bytes = "", columns: int = 200, **environment: str | None) -> Result:
    """Run the command line in this process."""
    env = {"COLUMNS": str(columns), "NO_COLOR": None, **environment}
    return CliRunner().invoke(cli.footnote, arguments, given, env, prog_name="footnote")


def said(result: Result) -> Any:
    """Return what a command said with --json, once it went well."""
    assert result.exit_code in (0, 1, 3, 4), result.output
    return json.loads(result.stdout)


def failed(result: Result, code: int, message: str) -> str:
    """Check that a command failed for a reason that it told, without a traceback; return what it said to do next."""
    assert result.exit_code == code, (result.exit_code, result.output, result.exception)
    assert re.search(message, result.stderr), result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    return result.stderr


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([*CLI, *arguments], capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, converted: Path) -> Iterator[Path]:
    """A folder with files, indexed into the default collection of a home that FOOTNOTE_HOME names; only to be read."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        new_home(folder / "home", converted, patch.setenv)
        assert run("index", str(write_folder(folder / "files"))).exit_code == 0
        yield folder


# index


def test_index_reports_what_it_did(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    first = run("index", str(files))
    assert first.exit_code == 0
    assert re.match(r"default: 4 added, 0 changed, 0 removed, 0 unchanged in \d+\.\d s\n", first.stdout)
    assert "4 passages, 4 of them newly embedded" in first.stdout
    (files / "bees.txt").write_text("Bees sleep in winter.\n")
    (files / "pump.md").unlink()
    (files / "salt.txt").write_text("Salt is white.\n")
    assert "default: 1 added, 1 changed, 1 removed, 2 unchanged" in run("index", str(files)).stdout


def test_indexing_twice_embeds_nothing(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    run("index", str(files))
    report = said(run("index", str(files), "--json"))
    assert (report["unchanged"], report["chunks_embedded"], report["added"]) == (4, 0, 0)


def test_what_cannot_be_read_is_skipped_with_its_reason_and_strict_exits_3(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    (files / "noise.txt").write_bytes(bytes(range(256)) * 8)
    lax = run("index", str(files))
    assert lax.exit_code == 0
    assert "1 skipped:" in lax.stdout
    assert re.search(r"noise\.txt: .+", lax.stdout)
    strict = run("index", str(files), "--strict", "--json")
    assert strict.exit_code == 3
    assert [skip["source"] for skip in said(strict)["skipped"]] == [str(files / "noise.txt")]


def test_the_report_counts_what_was_not_read_by_ending_and_shows_notes(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    (files / "noise.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    (files / "letter.asc").write_text("a key")
    (files / "latin.txt").write_bytes("Der Zoll beträgt 3 Mark.".encode("latin-1"))
    shown = run("index", str(files)).stdout
    assert "not read: 1 .asc, 1 .zip" in shown
    assert "1 read with notes:" in shown
    report = said(run("index", str(files), "--rebuild", "--json"))
    assert report["not_read"] == {".asc": 1, ".zip": 1}
    assert list(report["notes"]) == [str(files / "latin.txt")]


def test_include_exclude_and_keep_missing(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    assert said(run("index", str(files), "--include", "*.md", "--exclude", "deep/", "--json"))["added"] == 2
    (files / "pump.md").unlink()
    assert said(run("index", str(files), "--keep-missing", "--json"))["removed"] == 0
    assert said(run("index", str(files), "--json"))["removed"] == 1


def test_a_rebuild_needs_no_paths(home: Path, tmp_path: Path) -> None:
    run("index", str(write_folder(tmp_path / "files")))
    report = said(run("index", "--rebuild", "--json"))
    assert report["removed"] == 0
    assert said(run("status", "--json"))["documents"] == 4


def test_json_lines_from_standard_input_are_indexed(home: Path) -> None:
    lines = [
        {"id": "a", "text": "Ants carry leaves.", "title": "Ants", "metadata": {"legs": 6, "wild": True}},
        {"id": 17, "text": "Otters hold hands.", "title": None, "metadata": None},
    ]
    report = run("index", "-", "--json", given="\n\n".join(json.dumps(line) for line in lines))
    assert said(report)["added"] == 2
    assert {entry["source"] for entry in said(run("status", "--sources", "--json"))["sources"]} == {"a", "17"}
    found = said(run("search", "who carries leaves", "--filter", "legs=6", "--json"))["passages"]
    assert [passage["source"] for passage in found] == ["a"]


@pytest.mark.parametrize(
    "bad",
    [
        b"not json", b"[]", b'"text"', b"17", b"{}", b'{"id": "b"}', b'{"text": "b"}', b'{"id": "b", "text": 5}',
        b'{"id": null, "text": "b"}', b'{"id": true, "text": "b"}', b'{"id": "b", "text": "b", "title": 7}',
        b'{"id": "b", "text": "b", "metadata": [1]}', b'{"id": "b", "text": "\xff"}', b"[" * 200_000,
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_the_lines_before_it_are_kept(home: Path, bad: bytes) -> None:
    good = b'{"id": "a", "text": "Ants carry leaves."}\n'
    hint = failed(run("index", "-", given=good + bad + b"\n" + good), 2, r"Line 2 of standard input is not \{id, text")
    assert "The lines before it are indexed." in hint
    assert said(run("status", "--json"))["documents"] == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": " ", "text": "b"}', "' ' cannot be the id of a text"),
        ('{"id": "a\\u0000", "text": "b"}', "cannot be the id of a text"),
        ('{"id": "b", "text": "b", "metadata": {"deep": {"er": 1}}}', "The metadata 'deep' of 'b' is"),
        ('{"id": "b", "text": "b", "metadata": {"far": 1e999}}', "The metadata 'far' of 'b' is inf"),
    ],
)
def test_a_text_that_cannot_be_stored_is_named(home: Path, line: str, message: str) -> None:
    failed(run("index", "-", given='{"id": "a", "text": "Ants."}\n' + line), 2, message)
    assert said(run("status", "--json"))["documents"] == 1


def test_lone_surrogates_from_outside_come_out_as_json_again(home: Path) -> None:
    line = '{"id": "a", "text": "Ants \\ud800 carry leaves.", "title": "A\\udc80", "metadata": {"k": "\\ud800"}}'
    assert run("index", "-", given=line).exit_code in (0, 2)
    for command in (["status", "--sources"], ["search", "ants"], ["show", "a"]):
        result = run(*command, "--json")
        if result.exit_code == 0:
            json.loads(result.stdout)
        assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index"], "No file or folder was given"),
        (["index", "--watch", "--rebuild"], "--watch needs the files"),
        (["index", "-", "--watch"], "goes with no other path"),
        (["index", "-", "files"], "goes with no other path"),
        (["index", ".", "--collection", "../x"], "'../x' cannot be the name of a collection"),
        (["index", ".", "--include", "[z-a]"], "Not a pattern of the gitignore kind"),
        (["ask"], "No question was given"),
        (["ask", ""], "The question holds no word"),
        (["ask", "?!", "--json"], "The question holds no word"),
        (["search", "x" * 5000], "at most 4,000 are read"),
        (["ask", "tea", "--max-error", "1.5"], "--max-error must lie between 0 and 1"),
        (["search", "tea", "--filter", "tea"], "'tea' is not of the form key=value"),
        (["search", "tea", "-k", "0"], "-k must be a whole number from 1 to 1000, not 0."),
        (["search", "tea", "--mode", "magic"], "--mode must be one of hybrid, dense, words, feedback, not 'magic'."),
        (["nonsense"], "There is no command 'nonsense'."),
        (["verify", "/no/such/file"], "There is no file '/no/such/file', which ANSWER.json names."),
    ],
)
def test_wrong_usage_exits_2_and_says_what_to_do(world: Path, arguments: list[str], message: str) -> None:
    failed(run(*arguments), 2, message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "/no/such/folder"], "There is no file or folder '/no/such/folder'"),
        (["index", ".", "--encoder", "no/such-model", "--collection", "other"], "no/such-model"),
        (["search", "tea", "--collection", "papers"], "There is no collection 'papers' in .*There are: default"),
        (["ask", "tea", "-c", "papers"], "There is no collection 'papers'"),
        (["status", "-c", "papers"], "There is no collection 'papers'"),
        (["doctor", "-c", "papers"], "There is no collection 'papers'"),
        (["export", "/tmp/never", "-c", "papers"], "There is no collection 'papers'"),
        (["import", "/no/such/file", "-c", "papers"], "/no/such/file"),
        (["show", "nothing.md"], "'nothing.md' is not in collection 'default'.*status --sources"),
        (["remove", "bees.txt", "nothing.md"], "'nothing.md' is not in collection"),
    ],
)
def test_what_is_not_there_exits_1(world: Path, arguments: list[str], message: str) -> None:
    failed(run(*arguments), 1, f"(?s){message}")


def test_a_second_writer_exits_75_and_says_who_holds_the_lock(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    run("index", str(files))
    lock = home / "collections" / "default" / "LOCK"
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (files / "new.txt").write_text("New.\n")
        failed(run("index", str(files)), 75, "(?i)writing|busy|holds")
        assert run("search", "tea").exit_code == 0


# search, ask


def test_search_shows_passages_best_first(world: Path) -> None:
    result = run("search", "green tea", "-k", "2", "--explain")
    assert result.exit_code == 0
    assert result.stdout.startswith("1. Tea")
    assert f"{world}/files/deep/tea.md, line 1" in result.stdout
    assert "words: rank 1, BM25" in result.stdout
    assert "matched green, tea" in result.stdout
    assert "2. " in result.stdout
    assert "3. " not in result.stdout


def test_search_without_a_match_says_so(world: Path) -> None:
    result = run("search", "zeppelin", "--mode", "words")
    assert (result.exit_code, result.stdout) == (4, "Nothing found.\n")


def test_a_search_says_how_many_documents_a_filter_keeps(world: Path) -> None:
    result = run("search", "green tea", "--filter", "format=pdf")
    assert result.exit_code == 4
    notes = ["0 of 4 documents match format=pdf.", "Values of format: markdown (3), text (1)."]
    assert result.stdout == "Nothing found.\n" + "".join(f"{note}\n" for note in notes)
    as_json = run("search", "green tea", "--filter", "format=pdf", "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["notes"]) == (4, notes)
    assert json.loads(run("search", "green tea", "--json").stdout)["notes"] == []
    asked = run("ask", "At what heat is green tea steeped?", "--filter", "format=pdf")
    assert (asked.exit_code, asked.stdout) == (4, "".join(f"{note}\n" for note in notes))
    as_json = run("ask", "At what heat is green tea steeped?", "--filter", "format=pdf", "--json")
    assert json.loads(as_json.stdout)["notes"] == notes
    as_markdown = run("ask", "At what heat is green tea steeped?", "--filter", "format=pdf", "--format", "md")
    assert as_markdown.stdout == f"**{notes[0]}**\n\n{notes[1]}\n"


def test_ask_answers_with_footnotes(world: Path) -> None:
    result = run("ask", BEES)
    assert result.exit_code == 0, result.output
    lines = result.stdout.split("\n")
    assert lines[0] == "A hive holds up to sixty thousand bees. [1]"
    assert re.fullmatch(r"confidence \d+%, by the copying generator", lines[1])
    assert lines[3] == f"[1] bees, {world}/files/bees.txt, line 3" or lines[3].endswith("files/bees.txt, line 3")
    assert lines[4:] == ["", ""]  # the sentence is not repeated


def test_ask_refuses_with_4_and_shows_what_is_nearest(world: Path) -> None:
    result = run("ask", FOOTBALL)
    assert result.exit_code == 4
    assert result.stdout.startswith("Nothing in these documents bears on this.\nconfidence in the best answer ")
    assert "1. " in result.stdout


def test_ask_as_json(world: Path) -> None:
    answer = said(run("ask", BEES, "--json", "--filter", "format=text", "-k", "1"))
    assert answer["answered"]
    assert answer["question"] == BEES
    assert len(answer["passages"]) == 1
    refused = run("ask", FOOTBALL, "--json")
    assert refused.exit_code == 4
    assert (said(refused)["answer"], said(refused)["citations"]) == ("", [])


def test_explained_answers_show_passages_and_times(world: Path) -> None:
    result = run("ask", BEES, "--explain")
    assert "meaning: rank 1" in result.stdout
    assert re.search(
        r"load \d+ ms, embed \d+ ms, retrieve \d+ ms, open \d+ ms, generate \d+ ms, cite \d+ ms", result.stdout
    )


def test_no_error_allowed_means_no_answer(world: Path) -> None:
    assert run("ask", BEES, "--max-error", "0.000001").exit_code == 4


def test_lines_are_wrapped_to_the_window_without_space_at_their_end(world: Path) -> None:
    for result in (run("ask", BEES, columns=40), run("search", "tea", columns=40), run("ask", FOOTBALL, columns=40)):
        lines = result.stdout.split("\n")
        assert lines == [line.rstrip() for line in lines]
        indented = [line for line in lines if line.startswith("    ") and "/" not in line]
        assert all(len(line) <= 40 for line in indented)


def test_control_characters_never_reach_the_terminal(home: Path) -> None:
    evil = "Green tea \x1b[31mis\x1b]0;gone\x07 steeped\x9b at \u202eeighty\u202c degrees\u200b.\xa0Truly."
    row = {"id": "evil", "text": evil, "title": "Evil\x1b[2J", "metadata": {"k\x1b": "v\x1b[1m"}}
    assert run("index", "-", given=json.dumps(row)).exit_code == 0
    for command in (["ask", "How is green tea steeped?"], ["search", "tea"], ["show", "evil"], ["status", "--sources"]):
        result = run(*command)
        assert result.exit_code in (0, 4), result.output
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", result.stdout), command
    failed(run("show", "no\x1b[31mthing"), 1, r"no..?x?1?b?.*\[31mthing")


def test_markup_of_a_library_is_ordinary_text(home: Path) -> None:
    run("index", "-", given=json.dumps({"id": "a", "text": "Green [bold]tea[/bold] is :smile: steeped [/red]."}))
    assert "Green [bold]tea[/bold] is :smile: steeped [/red]." in run("search", "tea").stdout


def drafting(request: Request) -> None:
    request.stream(["A hive holds up to 60,000 bees [1].", " It is made of wax [1][8]."])


def test_another_generator_may_answer_and_what_is_not_borne_out_is_marked(world: Path) -> None:
    with serving(drafting) as server:
        result = run("ask", BEES, "-k", "1", "--generator", server.address)
        answer = said(run("ask", BEES, "-k", "1", "--generator", server.address, "--json"))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:3] == [
        "A hive holds up to 60,000 bees. [1] It is made of wax.",
        'not borne out by the documents: "It is made of wax."',
        "confidence 64%, by the parrot generator",
    ]
    assert (answer["answer"], answer["generator"]) == ("A hive holds up to 60,000 bees. It is made of wax.", "parrot")
    (citation,) = answer["citations"]
    assert (citation["quote"], citation["claims"]) == ("A hive holds up to sixty thousand bees.", [[0, 31]])
    assert answer["unsupported"] == [[32, 50]]


def test_a_generator_that_cannot_answer_says_why(world: Path) -> None:
    assert "A key goes into the variable FOOTNOTE_ENDPOINT_KEY" in failed(
        run("ask", BEES, "--generator", "http://user@127.0.0.1:1/v1"), 2, "holds more than host, port, path and model"
    )
    failed(
        run("ask", BEES, "--generator", "http://127.0.0.1:1/v1"),
        1,
        r"Nothing can be reached at http://127\.0\.0\.1:1/v1",
    )
    failed(run("ask", BEES, "--generator", "no/model"), 1, "There is no generator 'no/model' on this machine")
    failed(run("ask", BEES, "--generator", "http://127.0.0.1:1/v1", "--max-error", "0.1"), 2, "is not calibrated")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("nowhere:0.3",), "--average nowhere:0.3 is no folder with a share between 0 and 1"),
        ((".",), "--average . is no folder with a share"),
        ((".:1.5",), r"--average \.:1\.5 is no folder with a share"),
        ((".:0.6", ".:0.4"), "The shares of --average leave nothing to what is learnt"),
    ],
)
def test_shares_that_make_no_average_are_refused(tmp_path: Path, given: tuple[str, ...], said: str) -> None:
    (tmp_path / "data.jsonl").write_text("{}")
    mixed = [part for each in given for part in ("--average", each)]
    failed(run("train", "generator", str(tmp_path / "data.jsonl"), "--out", str(tmp_path / "out"), *mixed), 2, said)
    assert not (tmp_path / "out").exists()


def test_the_generator_is_ready_when_the_documents_are(home: Path, tmp_path: Path) -> None:
    (home / "generators").unlink()
    assert run("index", str(write_folder(tmp_path / "files"))).exit_code == 0
    (made,) = (home / "generators").iterdir()
    assert check_files(made)


def test_a_collection_remembers_its_generator(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    with serving(drafting) as server:
        assert run("index", str(files), "--generator", server.address).exit_code == 0
        assert said(run("ask", BEES, "--json"))["generator"] == "parrot"
        assert said(run("ask", BEES, "--json", "--generator", "quoting"))["generator"] == "quoting"
        assert f"generator  {server.address}" in run("status").stdout
    assert run("index", "--generator", "default").stdout == "default: answers by the default generator\n"
    chosen = {"generator": "quoting", "reranker": None, "collection": "default"}
    assert said(run("index", "--generator", "quoting", "--json")) == chosen
    assert said(run("status", "--json"))["generator"] == "quoting"


def test_a_generator_that_is_none_is_not_remembered_and_nothing_is_indexed(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    failed(run("index", str(files), "--generator", "nonsense"), 1, "There is no generator 'nonsense'")
    assert not (home / "collections").exists()
    failed(run("index", "--generator", "quoting"), 1, "There is no collection 'default'")


# verify


def test_verify_reads_the_sources_again(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    run("index", str(files))
    answer = run("ask", BEES, "--json").stdout
    (tmp_path / "answer.json").write_text(answer)
    good = run("verify", str(tmp_path / "answer.json"))
    assert good.exit_code == 0
    holds = r"\[1\] .*bees\.txt: holds\nThe quotations hold; that they answer the question is not checked\.\n"
    assert re.fullmatch(holds, good.stdout)
    bees = files / "bees.txt"
    bees.write_bytes(bees.read_bytes().replace(b"Bees", b"bees"))
    bad = run("verify", "-", given=answer)
    assert bad.exit_code == 1
    assert "does not hold: the source has changed since it was indexed" in bad.stdout
    checked = said(run("verify", "-", "--json", given=answer))
    assert not checked["holds"]
    assert [(c["number"], c["source"], c["holds"]) for c in checked["citations"]] == [(1, str(bees), False)]


def test_verify_tells_another_text_and_a_refusal(home: Path, tmp_path: Path) -> None:
    """It said "holds" of an answer whose text was replaced, since only the quotes were looked at."""
    run("index", str(write_folder(tmp_path / "files")))
    answer = said(run("ask", BEES, "--json"))
    other = run("verify", "-", given=json.dumps(answer | {"answer": "1066"}))
    assert other.exit_code == 1
    assert "The answer does not hold: " in other.stdout or "does not hold: it is to bear out" in other.stdout
    earlier = {key: value for key, value in answer.items() if key not in ("copied", "written")}
    told = run("verify", "-", given=json.dumps(earlier))
    assert told.exit_code == 1
    assert re.search(r"bees\.txt: holds\nThe answer does not hold: .* an earlier version made it", told.stdout)
    refused = run("verify", "-", given=run("ask", "Which football club won?", "--json").stdout)
    assert (refused.exit_code, refused.stdout) == (0, "It was not answered, and nothing is claimed.\n")


@pytest.mark.parametrize(
    "given",
    ["", "nonsense", "{}", "[]", '{"citations": []}', '{"answer": "", "answered": false, "citations": [1]}',
     "[" * 200_000, b"\xff\xfe\x00", '{"answer": "1066", "answered": true, "citations": [], "answer": ""}'],
)  # fmt: skip
def test_what_is_no_answer_cannot_be_verified(home: Path, given: str | bytes) -> None:
    failed(
        run("verify", "-", given=given), 2, "<stdin> is not JSON|This is no answer|A citation has|in one object twice"
    )


# status, show, remove, collections, doctor, export, import


def test_status_says_what_is_there(world: Path) -> None:
    result = run("status", "--sources")
    assert "documents  4 (3 markdown, 1 text)" in result.stdout
    assert re.search(r"encoder  all-MiniLM-L6-v2 \(384 dimensions, [0-9a-f]{12}\)", result.stdout)
    assert re.search(r"1 passage  markdown   .*files/deep/tea\.md", result.stdout)


def test_show_prints_the_text_exactly(world: Path) -> None:
    stored = said(run("show", "tea.md", "--text", "--json"))
    assert run("show", "tea.md", "--text").stdout_bytes == stored["text"].encode()
    for chunk in stored["chunks"]:
        assert stored["text"][chunk["start"] : chunk["end"]] == chunk["text"]
    text = run("show", "tea.md").stdout
    assert re.search(r"title  Tea\n", text)
    assert "characters 0-" in text


def test_remove_takes_documents_out_and_leaves_the_files(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    run("index", str(files))
    assert re.fullmatch(r"removed .*bees\.txt\n", run("remove", "bees.txt").stdout)
    assert said(run("remove", "tea.md", "--json"))["removed"] == [str(files / "deep" / "tea.md")]
    assert (files / "bees.txt").exists()
    assert said(run("status", "--json"))["documents"] == 2
    found = said(run("search", "how many bees", "--json"))["passages"]
    assert not any("bees" in passage["source"] for passage in found)


def test_collections_are_listed_and_broken_ones_named(home: Path, tmp_path: Path) -> None:
    assert "No collections in" in run("collections").stdout
    run("index", str(write_folder(tmp_path / "files")), "--collection", "papers")
    (home / "collections" / "broken").mkdir()
    (home / "collections" / "broken" / "CURRENT").write_text("epoch-000009\n")
    result = run("collections")
    assert result.exit_code == 0
    assert "papers: 4 documents, 4 passages" in result.stdout
    assert re.search("^broken: ", result.stdout, re.MULTILINE)
    listed = said(run("collections", "--json"))
    assert [each["name"] for each in listed["collections"]] == ["papers"]
    assert [each["name"] for each in listed["broken"]] == ["broken"]


def test_doctor_finds_a_healthy_collection_well(world: Path) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert all(line.lstrip().startswith("ok ") for line in result.stdout.splitlines())
    assert said(run("doctor", "--json"))["healthy"]


def test_doctor_exits_1_for_an_ill_one_and_names_the_cure(home: Path, tmp_path: Path) -> None:
    run("index", str(write_folder(tmp_path / "files")))
    (database,) = (home / "collections" / "default").glob("epoch-*/truth.db")
    database.write_bytes(b"not a database at all, but long enough to look like one" * 100)
    result = run("doctor")
    assert result.exit_code == 1
    assert "wrong" in result.stdout


def test_doctor_mends_what_can_be_made_again_and_says_so(home: Path, tmp_path: Path) -> None:
    run("index", str(write_folder(tmp_path / "files")))
    (database,) = (home / "collections" / "default").glob("epoch-*/truth.db")
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT INTO words(words) VALUES ('delete-all')")
    ill = run("doctor")
    assert ill.exit_code == 1
    assert re.search(r"^ *wrong  words: ", ill.stdout, re.MULTILINE)
    assert "To mend it, run: footnote doctor --repair --collection default" in ill.stdout
    mended = run("doctor", "--repair")
    assert mended.exit_code == 0
    assert re.search(r"^ *mended  words: ", mended.stdout, re.MULTILINE)
    assert all(finding["healthy"] for finding in said(run("doctor", "--json"))["findings"])
    assert run("search", "tea", "--mode", "words").stdout.startswith("1. Tea")


def test_export_and_import_move_a_collection(home: Path, tmp_path: Path) -> None:
    run("index", str(write_folder(tmp_path / "files")))
    file = str(tmp_path / "all.footnote")
    assert "exported 4 documents and 4 passages" in run("export", file).stdout
    assert said(run("import", file, "--collection", "copy", "--json"))["documents"] == 4
    assert said(run("ask", BEES, "--collection", "copy", "--json"))["answered"]
    failed(run("import", file, "--collection", "copy"), 1, "copy")
    Path(file).write_bytes(Path(file).read_bytes()[:-200])
    failed(run("import", file, "--collection", "third"), 1, ".")


# The program as such


def test_home_is_the_option_before_the_variable(world: Path, tmp_path: Path) -> None:
    failed(run("status", "--home", str(tmp_path / "empty")), 1, "There is no collection 'default'")
    assert run("status", "--home", str(world / "home"), FOOTNOTE_HOME=str(tmp_path / "empty")).exit_code == 0


def test_the_version_is_told() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("footnote")


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_every_command_helps(command: list[str]) -> None:
    result = run(*command, "-h")
    assert result.exit_code == 0
    assert result.stdout.startswith(" ".join(["Usage: footnote", *command]))


def test_completion_offers_commands_and_collections(world: Path) -> None:
    def offered(words: str) -> list[str]:
        env = {
            **os.environ,
            "_FOOTNOTE_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
        return process(env=env).stdout.split("\n")

    assert "plain,search" in offered("footnote se")
    assert "plain,default" in offered("footnote ask --collection ")
    script = process(env={**os.environ, "_FOOTNOTE_COMPLETE": "bash_source"}).stdout
    assert "_FOOTNOTE_COMPLETE=bash_complete" in script


def test_a_process_of_its_own_gives_text_on_stdout_and_errors_on_stderr(world: Path) -> None:
    good = process("ask", BEES)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("A hive holds up to sixty thousand bees. [1]\n")
    bad = process("search", "tea", "-c", "papers")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("error: There is no collection 'papers' in ")


def test_a_terminal_that_knows_only_ascii_gets_escapes(home: Path) -> None:
    given = json.dumps({"id": "ü", "text": "Grüner Tee zieht bei achtzig Grad: 绿茶."})
    assert run("index", "-", given=given).exit_code == 0
    ascii_only = {
        **os.environ,
        "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
    }
    result = process("search", "Tee", env=ascii_only)
    assert result.returncode == 0, result.stderr
    assert "Gr\\xfcner Tee" in result.stdout
    assert json.loads(process("search", "Tee", "--json", env=ascii_only).stdout)["passages"][0]["source"] == "ü"


@pytest.mark.parametrize(
    "command", [["status", "--sources"], ["status", "--sources", "--json"], ["show", "all", "--text"]]
)
def test_a_reader_that_leaves_early_is_no_error(home: Path, command: list[str]) -> None:
    rows = [json.dumps({"id": f"{number}", "text": f"Text {number}."}) for number in range(500)]
    rows.append(json.dumps({"id": "all", "text": "word " * 40_000}))
    assert run("index", "-", given="\n".join(rows)).exit_code == 0
    reads, writes = os.pipe()
    with subprocess.Popen([*CLI, *command], stdout=writes, stderr=subprocess.PIPE, text=True) as child:
        os.close(writes)
        os.read(reads, 1)
        os.close(reads)
        _, errors = child.communicate(timeout=30)
    assert (child.returncode, errors) == (141, "")


# Terminals and signals


class Terminal:
    """A process of the command line on a pseudo-terminal."""

    def __init__(self, *arguments: str, program: Sequence[str] = CLI, **environment: str) -> None:
        self.end, tty = pty.openpty()
        env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment}
        env.pop("NO_COLOR", None) if "NO_COLOR" not in environment else None
        self.child = subprocess.Popen(
            [*program, *arguments], stdin=tty, stdout=tty, stderr=tty, env=env, start_new_session=True
        )
        os.close(tty)
        self.raw = b""
        self.seen = ""
        """All that was shown, without colours and movements."""

    def wait_for(self, text: str, seconds: float = 40) -> str:
        """Read until `text` was shown, and return all that was."""
        until = time.monotonic() + seconds
        while text not in self.seen and time.monotonic() < until and self._read():
            pass
        assert text in self.seen, self.seen
        return self.seen

    def _read(self) -> bool:
        ready, _, _ = select.select([self.end], [], [], 0.5)
        if not ready:
            return True
        try:
            data = os.read(self.end, 65536)
        except OSError:  # the other end was closed
            return False
        self.raw += data
        self.seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.raw.decode(errors="replace"))
        return bool(data)

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def finish(self, seconds: float = 30) -> int:
        """Read until the process ends, and return its exit code."""
        until = time.monotonic() + seconds
        while self._read() and time.monotonic() < until:
            pass
        return self.child.wait(timeout=10)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        with contextlib.suppress(OSError):
            os.close(self.end)


def test_without_a_question_a_terminal_is_asked_one_after_the_other(world: Path) -> None:
    with Terminal("ask") as terminal:
        terminal.wait_for("4 documents in default. ")
        terminal.wait_for("? ")
        terminal.type(BEES + "\n")
        terminal.wait_for("sixty thousand bees.")
        terminal.wait_for("line 3")
        terminal.type("?!\n")
        terminal.wait_for("The question holds no word.")
        terminal.type("At what heat is green tea steeped?\n")
        terminal.wait_for("eighty degrees.")
        terminal.type("\n")
        assert terminal.finish() == 0


@pytest.mark.parametrize("word", ["exit", "Quit"])
def test_a_word_leaves_the_conversation_and_another_begins_it_anew(world: Path, word: str) -> None:
    """They were once searched for, and shown as a refusal."""
    with Terminal("ask") as terminal:
        terminal.wait_for("or an empty line ends.")
        terminal.type("new\n")
        terminal.wait_for("The questions before are forgotten.")
        terminal.type(f"{word}\n")
        assert terminal.finish() == 0
        assert "Nothing in these documents" not in terminal.seen


def test_a_form_is_one_of_those_there_are(world: Path) -> None:
    failed(run("ask", BEES, "--form", "poem"), 2, "--form must be one of fact, yes-no,")
    assert said(run("ask", BEES, "--form", "fact", "--json"))["answered"]


def test_the_end_of_input_or_an_interrupt_ends_the_conversation(world: Path) -> None:
    with Terminal("ask") as terminal:
        terminal.wait_for("? ")
        time.sleep(0.5)
        terminal.type("\x04")
        assert terminal.finish() == 0
    with Terminal("ask") as terminal:
        terminal.wait_for("? ")
        time.sleep(0.5)  # the prompt is written just before readline listens: a signal in between waits for a key
        terminal.child.send_signal(signal.SIGINT)
        assert terminal.finish() == 130
        assert "Traceback" not in terminal.seen


def left_on_screen(raw: bytes) -> str:
    """Return what a terminal shows in the end that obeys returns, line ends, cursor up and erase line."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", raw.decode()):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif up := re.fullmatch(r"\x1b\[(\d+)A", part):
            row -= int(up[1])
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part[0] not in "\r\x1b":
            lines[row] += part
    return "\n".join(lines)


@contextlib.contextmanager
def writing_slowly() -> Iterator[tuple[ChatServer, threading.Event]]:
    """Serve a model that halts in the middle of its answer until the event is set."""
    go_on = threading.Event()

    def answer(request: Request) -> None:
        request.stream(["A hive holds up", " to 60,000 bees [1].\n\nIt is"], ends=False)
        go_on.wait(30)
        request.event({"choices": [{"delta": {"content": " made of wax [1][8]."}}]})
        request.handler.wfile.write(b"data: [DONE]\n\n")

    with serving(answer) as server:
        try:
            yield server, go_on
        finally:
            go_on.set()


def test_on_a_terminal_a_model_is_seen_writing_until_its_answer_is_checked(world: Path) -> None:
    with writing_slowly() as (server, go_on), Terminal("ask", BEES, "--generator", server.address) as terminal:
        early = terminal.wait_for("It is")
        assert early.index("reading bees.txt") < early.index("a draft, to be checked:")
        assert "60,000 bees [1]." in early
        assert "confidence" not in early
        go_on.set()
        assert terminal.finish() == 0
        assert "made of wax [1][8]." in terminal.seen
        assert left_on_screen(terminal.raw).split("\n")[:4] == [
            "A hive holds up to 60,000 bees. [1]",
            "",
            "It is made of wax.",
            'not borne out by the documents: "It is made of wax."',
        ]


def test_a_terminal_that_cannot_move_its_cursor_is_shown_the_checked_answer_alone(world: Path) -> None:
    with serving(drafting) as server, Terminal("ask", BEES, "--generator", server.address, TERM="dumb") as terminal:
        assert terminal.finish() == 0
        assert b"\x1b" not in terminal.raw
        assert terminal.seen.startswith("A hive holds up to 60,000 bees. [1] It is made of wax.\r\n")


def test_an_interrupt_ends_the_writing_and_takes_the_draft_away(world: Path) -> None:
    with writing_slowly() as (server, _), Terminal("ask", BEES, "--generator", server.address) as terminal:
        terminal.wait_for("It is")
        time.sleep(0.5)  # rich writes a part twice when the signal comes between its writing and its noting that
        terminal.child.send_signal(signal.SIGINT)
        assert terminal.finish() == 130
        assert left_on_screen(terminal.raw).startswith("Stopped.")
        assert "Traceback" not in terminal.seen


def test_a_terminal_has_colours_unless_they_are_refused(world: Path) -> None:
    colour = re.compile(rb"\x1b\[[0-9;]*3[0-9]")
    with Terminal("search", "tea") as terminal:
        assert terminal.finish() == 0
        assert colour.search(terminal.raw)
    with Terminal("search", "tea", NO_COLOR="1") as terminal:
        assert terminal.finish() == 0
        assert not colour.search(terminal.raw)
    with Terminal("--no-color", "search", "tea", "-c", "papers") as terminal:
        assert terminal.finish() == 1
        assert not colour.search(terminal.raw)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_watching_takes_in_changes_until_a_signal_ends_it(
    home: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    files = write_folder(tmp_path / "files")
    with Terminal("index", str(files), "--watch") as terminal:
        terminal.wait_for("4 added")
        (files / "early.txt").write_text("Early birds sing.\n")  # perhaps before the watch has begun
        terminal.wait_for("default: 1 added")
        (files / "bees.txt").write_text("Bees sleep in winter.\n")
        terminal.wait_for("1 changed")
        terminal.child.send_signal(number)
        assert terminal.finish() == code
        assert "Traceback" not in terminal.seen
        assert "What was committed is kept" in terminal.seen
    assert said(run("status", "--json"))["documents"] == 5


def test_a_home_inside_the_watched_folder_does_not_wake_the_watcher(tmp_path: Path, converted: Path) -> None:
    """Its own commits would be changes, and each would be followed by another run, for ever."""
    files = write_folder(tmp_path / "files")
    home = new_home(files / "kept", converted)
    with Terminal("index", str(files), "--watch", "--home", str(home), "--exclude", "kept/") as terminal:
        terminal.wait_for("Watching for changes")
        (files / "new.txt").write_text("New.\n")
        terminal.wait_for("1 added")
        time.sleep(3)
        terminal.child.send_signal(signal.SIGINT)
        assert terminal.finish() == 130
        assert terminal.seen.count("default: ") <= 3  # the first run, the one at the watch's beginning, the change
