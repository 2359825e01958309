"""The command line as a whole: questions as they are typed, what is kept of them, options, errors, help."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import cli
from indexer.configuration import SHARED, Shared
from indexer.screen import common, in_collection
from rag.command import ask
from tests.conftest import new_home
from tests.test_cli import BEES, FOOTBALL, Terminal, failed, process, run, said
from tests.worlds import write_folder

TEA = "At what heat is green tea steeped?"


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, converted: Path) -> Path:
    """A home with files that are indexed, to be copied from."""
    folder = tmp_path_factory.mktemp("indexed")
    with pytest.MonkeyPatch.context() as patch:
        new_home(folder / "home", converted, patch.setenv)
        assert run("index", str(write_folder(folder / "files"))).exit_code == 0
    return folder


@pytest.fixture
def world(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of files and home, in which nothing was asked yet; collections are only to be read."""
    monkeypatch.setenv("FOOTNOTE_HOME", str(indexed / "home"))
    yield indexed
    (indexed / "home" / "history.jsonl").unlink(missing_ok=True)
    (indexed / "home" / "config.toml").unlink(missing_ok=True)


def error_of(text: str) -> dict[str, object]:
    """Return the error that the last line of standard error holds as JSON."""
    told: dict[str, object] = json.loads(text.splitlines()[-1])["error"]
    return told


# Questions


def test_a_question_needs_no_quotes(world: Path) -> None:
    assert said(run("ask", *BEES.split(), "--json"))["question"] == BEES
    assert said(run("ask", "--json", "-k", "1", *BEES.split()))["answered"]
    found = run("search", "green", "tea", "-k", "1")
    assert found.stdout == run("search", "green tea", "-k", "1").stdout
    assert found.stdout.startswith("1. Tea")


@pytest.mark.parametrize("arguments", [["ask"], ["ask", "-"]])
def test_questions_are_read_from_standard_input_one_a_line(world: Path, arguments: list[str]) -> None:
    result = run(*arguments, given=f"{BEES}\n\n  {FOOTBALL}  \n")
    assert result.exit_code == 4
    assert result.stdout.startswith(f"? {BEES}\nA hive holds up to sixty thousand bees. [1]\n")
    assert f"? {FOOTBALL}\nNothing in these documents bears on this.\n" in result.stdout
    assert run(*arguments, given=f"{BEES}\n{TEA}").exit_code == 0


def test_questions_on_standard_input_are_answered_in_a_line_of_json_each(world: Path) -> None:
    result = run("ask", "--json", given=f"{BEES}\n{TEA}\n".encode() + b"\xff\n")
    assert [json.loads(line)["question"] for line in result.stdout.splitlines()[:2]] == [BEES, TEA]
    assert all(json.loads(line)["answered"] for line in result.stdout.splitlines()[:2])


def test_a_bad_question_among_others_is_told_and_the_others_are_answered(world: Path) -> None:
    result = run("ask", given=f"?!\n{BEES}\n")
    assert result.exit_code == 2
    assert "error: ?!: The question holds no word." in result.stderr
    assert f"? {BEES}\nA hive holds" in result.stdout
    as_json = run("ask", "--json", given=f"?!\n{BEES}\n")
    assert error_of(as_json.stderr)["message"] == "?!: The question holds no word."
    assert json.loads(as_json.stdout)["answered"]


def test_questions_on_standard_input_stand_alone_and_are_not_kept(world: Path) -> None:
    run("ask", "-", given=f"{BEES}\n{TEA}\n")
    assert said(run("history", "--json"))["questions"] == []


def test_an_answer_may_be_markdown(world: Path) -> None:
    result = run("ask", *BEES.split(), "--format", "md")
    assert result.stdout.startswith("A hive holds **up to sixty thousand** bees.[^1]\n\n*confidence")
    assert result.stdout.endswith("bees.txt, line 3: “A hive holds **up to sixty thousand** bees.”\n")
    several = run("ask", "-", "--format", "md", given=f"{BEES}\n{TEA}\n").stdout
    assert re.findall("^## .*$", several, re.MULTILINE) == [f"## {BEES}", f"## {TEA}"]


def test_formats(world: Path) -> None:
    assert said(run("ask", BEES, "--format", "json"))["answered"]
    assert run("ask", BEES, "--format", "text").stdout == run("ask", BEES).stdout
    told = run("ask", BEES, "--format", "md", "--json")
    assert told.exit_code == 2
    assert error_of(told.stderr)["message"] == "--json and --format md contradict each other."


# What is kept of them


def test_what_was_asked_is_kept_and_shown_and_forgotten(world: Path) -> None:
    assert run("history").stdout == "Nothing was asked yet.\n"
    run("ask", BEES)
    run("ask", FOOTBALL)
    shown = run("history").stdout.splitlines()
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d  {re.escape(BEES)}", shown[0])
    assert shown[1].strip() == "up to sixty thousand  (default)"
    assert shown[3].strip() == "nothing in these documents  (default)"
    assert len(run("history", "-n", "1").stdout.splitlines()) == 2
    entries = said(run("history", "--json"))["questions"]
    assert [entry["question"] for entry in entries] == [BEES, FOOTBALL]
    assert (world / "home" / "history.jsonl").stat().st_mode & 0o777 == 0o600
    again = "New questions are kept again. To keep one out: footnote ask --no-history QUESTION\n"
    assert run("history", "--forget").stdout == f"forgot 2 questions\n{again}"
    assert run("history", "--clear").stdout == f"There was no question to forget.\n{again}"
    assert said(run("history", "--json"))["questions"] == []


@pytest.mark.parametrize("where", ["typed", "variable", "file"])
def test_nothing_is_kept_where_that_is_not_wanted(world: Path, where: str) -> None:
    if where == "file":
        (world / "home" / "config.toml").write_text("[ask]\nno-history = true\n")
    typed = ["--no-history"] if where == "typed" else []
    result = run("ask", BEES, *typed, FOOTNOTE_ASK_NO_HISTORY="1" if where == "variable" else None)
    assert result.exit_code == 0
    assert not (world / "home" / "history.jsonl").exists()


def test_a_home_that_cannot_be_written_to_keeps_nobody_from_asking(world: Path) -> None:
    (world / "home" / "history.jsonl").symlink_to("/dev/full")
    assert run("ask", BEES).exit_code == 0


def test_a_question_goes_on_from_the_last_one(world: Path) -> None:
    failed(run("ask", "--continue", "and", "black", "tea"), 2, "There is no question to go on from")
    run("ask", TEA)
    answer = said(run("ask", "--continue", "And black tea?", "--json"))
    assert answer["read_as"] == said(run("ask", "And black tea?", "--after", TEA, "--json"))["read_as"]
    assert "black tea" in answer["read_as"]
    first, second, _ = said(run("history", "--json"))["questions"]
    assert (first["after"], second["after"]) == ([], [TEA])


def test_a_conversation_goes_on_from_the_last_one(world: Path) -> None:
    run("ask", TEA)
    with Terminal("ask", "--continue") as terminal:
        terminal.wait_for("? ")
        terminal.type("And black tea?\n")
        terminal.wait_for("read as: ")
        terminal.type("\n")
        assert terminal.finish() == 0
    assert said(run("history", "--json"))["questions"][-1]["after"] == [TEA]


def test_going_on_stays_in_the_collection_of_the_last_question(home: Path, tmp_path: Path) -> None:
    run("index", str(write_folder(tmp_path / "files")), "-c", "papers")
    run("ask", TEA, "-c", "papers")
    assert said(run("ask", "--continue", "And black tea?", "--json"))["collection"] == "papers"
    failed(run("ask", "--continue", "And black tea?", "-c", "other"), 1, "There is no collection 'other'")


def test_a_footnote_of_the_last_answer_is_opened(world: Path, tmp_path: Path) -> None:
    failed(run("open", "1"), 1, "Nothing was asked yet")
    run("ask", BEES)
    assert run("open", "--print").stdout.strip().endswith("files/bees.txt, line 3")
    seen = tmp_path / "seen"
    viewer = tmp_path / "viewer"
    viewer.write_text(f'#!/bin/sh\necho "$1 $2" > {seen}\n')
    viewer.chmod(0o755)
    opened = run("open", "1", "--viewer", f"{viewer} {{line}}", "--json")
    assert seen.read_text() == f"3 {world / 'files' / 'bees.txt'}\n"
    assert said(opened)["command"] == [str(viewer), "3", str(world / "files" / "bees.txt")]
    failed(run("open", "9"), 2, f"has no footnote 9: {re.escape(BEES)}")
    run("ask", FOOTBALL)
    failed(run("open", "1"), 1, "The last answer has no footnotes")


def test_a_footnote_whose_file_has_changed_or_gone_is_told(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    run("index", str(files))
    run("ask", BEES)
    (files / "bees.txt").write_text("Something else.\n")
    changed = run("open", "--print")
    assert changed.exit_code == 0
    assert "warning: bees.txt has changed since it was indexed" in changed.stderr
    (files / "bees.txt").unlink()
    failed(run("open"), 1, r"bees\.txt cannot be opened: the file is gone(?s:.*)footnote show ")
    run("index", "-", given=json.dumps({"id": "note", "text": "The zeppelin holds 72 guests."}), columns=100)
    run("ask", "How many guests does the zeppelin hold?")
    failed(run("open"), 1, "note cannot be opened: it is a text without a file")


def test_a_path_that_an_export_names_is_not_opened(home: Path, tmp_path: Path) -> None:
    """What an export says of paths is a stranger's word, though there may be a file of that name here."""
    files = write_folder(tmp_path / "files")
    run("index", str(files))
    run("export", str(tmp_path / "all.footnote"))
    run("import", str(tmp_path / "all.footnote"), "-c", "copy")
    run("ask", BEES, "-c", "copy")
    failed(run("open", "--print"), 1, r"bees\.txt cannot be opened: it is a text without a file")


# Collections


def test_collections_are_listed_short(world: Path) -> None:
    assert re.fullmatch(r"default: 4 documents, 4 passages, \d\.\d MB, \w+\n", run("ls").stdout)
    assert run("ls").stdout == run("collections").stdout
    listed = run("ls", "default").stdout.splitlines()
    assert len(listed) == 4
    assert re.fullmatch(r" +1 passage  .*files/bees\.txt", listed[0])
    assert {each["format"] for each in said(run("ls", "default", "--json"))["documents"]} == {"markdown", "text"}
    failed(run("ls", "defualt"), 1, "(?s)There is no collection 'defualt'.*Did you mean: default?")


def test_a_collection_is_deleted_when_it_is_meant(home: Path, tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    for name in ("one", "two", "three"):
        run("index", str(files), "-c", name)
    failed(run("collections", "delete", "one"), 2, r"(?s)whether 'one' is to be deleted.*--yes")
    failed(run("collections", "delete", "one", "none", "--yes"), 1, "There is no collection 'none'")
    assert run("collections", "delete", "one", "--yes").stdout == "deleted one\n"
    with Terminal("collections", "delete", "two") as terminal:
        terminal.wait_for("Delete two with 4 documents, 4 passages? The files that it was made of stay. [y/N]")
        terminal.type("n\n")
        assert terminal.finish() == 0
        assert "two stays." in terminal.seen
    assert [each["name"] for each in said(run("collections", "--json"))["collections"]] == ["three", "two"]
    with Terminal("collections", "delete", "two") as terminal:
        terminal.wait_for("[y/N]")
        terminal.type("y\n")
        assert terminal.finish() == 0
    assert said(run("collections", "delete", "three", "-y", "--json")) == {"deleted": ["three"]}
    assert (files / "bees.txt").exists()


def test_a_collection_gets_another_name(home: Path, tmp_path: Path) -> None:
    run("index", str(write_folder(tmp_path / "files")))
    assert run("collections", "rename", "default", "papers").stdout == "default is called papers now\n"
    assert said(run("ask", BEES, "-c", "papers", "--json"))["answered"]
    failed(run("collections", "rename", "default", "x"), 1, "There is no collection 'default'")
    told = said(run("collections", "--json", "--home", str(home), "rename", "papers", "letters"))
    assert told == {"renamed": "papers", "collection": "letters"}


def test_what_was_asked_of_a_collection_follows_its_new_name(home: Path, tmp_path: Path) -> None:
    """After a rename, `ask --continue` and `open` looked for the collection under the name that it had before."""
    run("index", str(write_folder(tmp_path / "files")))
    run("index", str(write_folder(tmp_path / "files")), "-c", "other")
    run("ask", FOOTBALL, "-c", "other")
    run("ask", BEES)
    with (home / "history.jsonl").open("ab") as file:
        file.write(b"not a line of ours\n")
    run("collections", "rename", "default", "papers")
    entries = said(run("history", "--json"))["questions"]
    assert [(entry["question"], entry["collection"]) for entry in entries] == [(FOOTBALL, "other"), (BEES, "papers")]
    assert said(run("ask", "--continue", "and where?", "--json"))["collection"] == "papers"
    assert run("open", "--print").exit_code == 0
    assert (home / "history.jsonl").stat().st_mode & 0o777 == 0o600
    assert b"not a line of ours\n" in (home / "history.jsonl").read_bytes()


def test_export_and_import_name_the_trouble(world: Path, tmp_path: Path) -> None:
    failed(run("export", str(tmp_path / "no" / "x")), 1, r"(?s)There is no folder .*/no to write x into.*mkdir -p ")
    failed(run("export", str(tmp_path)), 2, "FILE must be a file, and '.*' is a folder.")
    failed(run("import", str(tmp_path / "none")), 1, r"(?s)There is no file .*/none to import.*footnote export FILE")
    note = tmp_path / "note.txt"
    note.write_text("no export")
    failed(run("import", str(note), "-c", "new"), 1, r"note\.txt was not imported: it is no export of Footnote")
    failed(run("import", str(note)), 1, "There is a collection 'default' already")


def test_a_document_that_is_not_there_is_compared_with_those_that_are(world: Path) -> None:
    hint = failed(run("show", "bee"), 1, "'bee' is not in collection 'default'")
    assert "Did you mean: bees.txt? Run: footnote status --sources" in hint


def test_a_pattern_that_matches_nothing_is_told_and_removes_nothing(home: Path, tmp_path: Path) -> None:
    """A typing error in --include emptied the collection without a word."""
    files = write_folder(tmp_path / "files")
    run("index", str(files))
    missed = run("index", str(files), "--include", "*.mdd", "--include", "*.pfd")
    assert missed.exit_code == 0
    assert missed.stdout.startswith("default: 0 added, 0 changed, 0 removed, 0 unchanged")
    assert "warning: no file matches --include '*.mdd'." in missed.stderr
    assert "warning: no file matches --include '*.pfd'." in missed.stderr
    assert said(run("status", "--json"))["documents"] == 4
    some = run("index", str(files), "--include", "*.md", "--include", "*.mdd", "--json")
    assert (said(some)["unmatched"], said(some)["removed"]) == (["*.mdd"], 1)


# Options that are set elsewhere


def test_options_are_set_in_the_environment_and_the_file(world: Path) -> None:
    failed(run("status", FOOTNOTE_COLLECTION="papers"), 1, "There is no collection 'papers'")
    assert run("status", "-c", "default", FOOTNOTE_COLLECTION="papers").exit_code == 0
    assert len(said(run("search", "tea", "--json", FOOTNOTE_SEARCH_K="1"))["passages"]) == 1
    (world / "home" / "config.toml").write_text('json = true\n[ask]\nk = 1\nfilter = ["format=text"]\n')
    answer = json.loads(run("ask", BEES).stdout)
    assert [Path(passage["source"]).name for passage in answer["passages"]] == ["bees.txt"]


def test_a_wrong_setting_is_told_with_its_place(world: Path) -> None:
    said = "FOOTNOTE_SEARCH_K must be a whole number from 1 to 1000, not 'many'."
    failed(run("search", "tea", FOOTNOTE_SEARCH_K="many"), 2, said)
    (world / "home" / "config.toml").write_text("[search]\nkk = 1\n")
    failed(run("search", "tea"), 2, r"config\.toml, line 2, has 'kk' under \[search\], which is no option")
    (world / "home" / "config.toml").write_text("colection = 'a'\n")
    failed(run("search", "tea"), 2, r"(?s)has 'colection' above its tables.*Did you mean: collection")
    for about in (["--help"], ["help"], ["help", "config"], ["help", "search"], ["-V"]):
        assert run(*about).exit_code == 0, about  # whoever is to correct it needs them


def test_no_colour_may_be_set_for_good(world: Path) -> None:
    (world / "home" / "config.toml").write_text("no-color = true\n")
    with Terminal("search", "tea") as terminal:
        assert terminal.finish() == 0
        assert not re.search(rb"\x1b\[[0-9;]*3[0-9]", terminal.raw)


def test_the_shared_options_are_those_that_are_told() -> None:
    @click.command()
    @common
    @in_collection
    def command() -> None:
        pass

    shared = {
        option.opts[0].lstrip("-") for each in (command, ask) for option in each.params if isinstance(option, Shared)
    }
    assert shared == set(SHARED)
    for name in SHARED:
        assert name in cli.CONFIG


# Errors, help, completion


@pytest.mark.parametrize(
    ("arguments", "kind", "code", "message"),
    [
        (["show", "nothing", "--json"], "not_found", 1, "'nothing' is not in collection 'default'."),
        (["search", "tea", "-c", "papers", "--json"], "not_found", 1, "There is no collection 'papers' in "),
        (["search", "tea", "--filter", "tea", "--json"], "usage", 2, "The filter 'tea' is not of the form key=value"),
        (["search", "--json"], "usage", 2, "footnote search needs QUERY."),
        (["search", "tea", "--json", "-k", "0"], "usage", 2, "-k must be a whole number from 1 to 1000, not 0."),
        (["search", "tea", "-k", "0", "--json"], "usage", 2, "-k must be a whole number from 1 to 1000, not 0."),
        (["ask", "tea", "--format=json", "--nonsense"], "usage", 2, "footnote ask has no option --nonsense."),
        (["ask", "tea", "--format", "json", "--max-error", "2"], "usage", 2, "--max-error must lie between"),
        (["nonsense", "--json"], "usage", 2, "There is no command 'nonsense'."),
        (["eval", "qaa", "--json"], "usage", 2, "There is no command 'qaa'."),
    ],
)
def test_errors_are_json_where_json_was_asked_for(
    world: Path, arguments: list[str], kind: str, code: int, message: str
) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert len(result.stderr.splitlines()) == 1
    told = error_of(result.stderr)
    assert (told["type"], told["exit_code"]) == (kind, code)
    assert str(told["message"]).startswith(message)
    assert set(told) == {"type", "message", "hint", "exit_code"}


@pytest.mark.parametrize(
    ("arguments", "first", "hint"),
    [
        (
            ["search"],
            "error: footnote search needs QUERY.",
            "Type: footnote search QUERY...  (Run: footnote help search)",
        ),
        (["search", "tea", "--jsn"], "error: footnote search has no option --jsn.", "Did you mean: --json?"),
        (["serch", "tea"], "error: There is no command 'serch'.", "Did you mean: search?"),
        (["train", "encodr"], "error: There is no command 'encodr'.", "Did you mean: encoder?"),
        (["zzz"], "error: There is no command 'zzz'.", "There are: ask, collections, completion, doctor, eval, "),
        (["--nonsense"], "error: footnote has no option --nonsense.", "Run: footnote help"),
        (["help", "serch"], "error: There is no command 'serch'.", "Did you mean: search?"),
        (["aks", "tea"], "error: There is no command 'aks'.", "Did you mean: ask?"),
        (["help", "aks"], "error: There is no command 'aks'.", "Did you mean: ask?"),
        (["help", "confg"], "error: There is no command 'confg'.", "Did you mean: config?"),
        (
            ["help", "nosuch"],
            "error: There is no command 'nosuch'.",
            "There are: ask, collections, completion, config, ",
        ),
        (["ask", "--k", "3"], "error: footnote ask has no option --k.", "Did you mean: -k? Run: footnote help ask"),
        (["ask", "-k", "x", "tea"], "error: -k must be a whole number from 1 to 100, not 'x'.", "footnote help ask"),
        (["ask", "-k"], "error: -k needs a whole number from 1 to 100 behind it.", "Run: footnote help ask"),
        (["ask", "--max-error", "x", "tea"], "error: --max-error must be a number, not 'x'.", "footnote help ask"),
        (["ask", "--explain=3", "tea"], "error: --explain takes no value.", "Run: footnote help ask"),
        (["ask", "--shots", "/none", "tea"], "error: There is no file '/none', which --shots names.", "help ask"),
        (
            ["ask", "--home", __file__, "tea"],
            f"error: --home must be a folder, and {__file__!r} is a file.",
            "help ask",
        ),
        (["open", "x"], "error: NUMBER must be a whole number of at least 1, not 'x'.", "Run: footnote help open"),
        (
            ["show", "a", "b"],
            "error: footnote show takes SOURCE, and got 'b' as well.",
            "A name with spaces stands in q",
        ),
        (["history", "a"], "error: footnote history takes no arguments, and got 'a'.", "Run: footnote help history"),
        (
            ["collections", "rename", "a"],
            "error: footnote collections rename needs NEW.",
            "Type: footnote collections rename NAME NEW  (Run: footnote help collections rename)",
        ),
        (
            ["completion", "fishy"],
            "error: SHELL must be one of bash, zsh, fish, not 'fishy'. Did you mean: fish?",
            "Run",
        ),
        (["train", "generator", "x"], "error: footnote train generator needs --out.", "... --out FOLDER  (Run: "),
        (
            ["-k", "3", "ask", "two words"],
            "error: -k is an option of ask, and stands behind it.",
            "Type: footnote ask -k 3 'two words'",
        ),
        (
            ["--explain", "ask", "tea"],
            "error: --explain is an option of ask, and stands behind it.",
            "ask --explain tea",
        ),
        (["--home", "/tmp"], "error: No command was given.", "Type: footnote COMMAND --home /tmp"),
        (["--jsn", "status"], "error: footnote has no option --jsn.", "Did you mean: --json? Run: footnote help"),
        (["help", "search", "tea"], "error: footnote search has no commands below it.", "footnote search --help"),
        (["show", "nothing"], "error: 'nothing' is not in collection 'default'.", "Run: footnote status --sources"),
    ],
)
def test_every_error_has_one_form(world: Path, arguments: list[str], first: str, hint: str) -> None:
    result = run(*arguments)
    lines = result.stderr.splitlines()
    assert lines[0] == first
    assert hint in lines[1]
    assert len(lines) == 2
    assert "Usage:" not in result.output


def test_options_of_many_commands_may_stand_before_the_command(world: Path, tmp_path: Path) -> None:
    """`footnote --home X ask ...` was told that there is no option --home, and asked whether --help was meant."""
    for name in ("--home", "-c"):
        assert run("--json", name, "nothing", "search", "tea").stderr == (
            run("search", "--json", name, "nothing", "tea").stderr
        )
    moved = run(f"--home={tmp_path}", "--json", "collections")
    assert (moved.exit_code, json.loads(moved.stdout)) == (0, {"collections": [], "broken": []})
    result = run("--json", "-v", "--home", str(tmp_path), "collections", "rename", "papers", "letters")
    assert error_of(result.stderr)["message"] == f"There is no collection 'papers' in {tmp_path}."


def test_a_wrong_value_of_a_variable_is_told_with_its_name(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_JSON", "maybe")
    failed(run("ls"), 2, "FOOTNOTE_JSON must be true or false, not 'maybe'.")
    monkeypatch.setenv("FOOTNOTE_JSON", "")
    monkeypatch.setenv("FOOTNOTE_ASK_K", "0")
    failed(run("ask", "tea"), 2, "FOOTNOTE_ASK_K must be a whole number from 1 to 100, not 0.")


def test_a_variable_that_is_spelled_wrongly_is_warned_of(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_PORT", "8001")  # the service's
    assert run("ls").stderr == ""
    monkeypatch.setenv("FOOTNOTE_HOEM", "/elsewhere")
    result = run("ls")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: nothing reads the variable FOOTNOTE_HOEM. Did you mean: FOOTNOTE_HOME?\n")
    assert len(result.stderr.splitlines()) == 1


def options_of(group: click.Group, *above: str) -> Iterator[tuple[tuple[str, ...], click.Option]]:
    """Yield every option that takes a value, with the names of its command."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from options_of(command, *above, name)
        else:
            options = [each for each in command.params if isinstance(each, click.Option)]
            values = (each for each in options if not each.is_flag and each.name != "lora")  # --lora may have none
            yield from (((*above, name), option) for option in values)


def test_no_word_of_the_parser_s_is_shown(world: Path) -> None:
    """Every option of every command is typed without its value, and with one that it cannot have."""
    assert isinstance(cli.footnote, click.Group)
    tried = 0
    for path, option in options_of(cli.footnote):
        name = option.opts[-1]
        lacking = run(*path, name)
        assert re.match(rf"error: {name} needs (a|one|\d) .*behind it.*\.\nRun: footnote help ", lacking.stderr), path
        if option.nargs == 1 and isinstance(
            option.type, click.Choice | click.types.IntParamType | click.types.FloatParamType
        ):
            wrong = run(*path, name, "as you like")
            must = rf"error: {max(option.opts, key=len)} must be (a|one) .*, not 'as you like'\.\nRun: footnote help "
            assert re.match(must, wrong.stderr), wrong.stderr
            tried += 1
    assert tried > 60


def test_help_of_a_command_is_shown_by_help() -> None:
    assert run("help").stdout == run("--help").stdout
    assert run("help", "ask").stdout == run("ask", "--help").stdout
    assert run("help", "eval", "qa").stdout == run("eval", "qa", "--help").stdout
    assert run("help", "config").stdout == f"{cli.CONFIG}\n"


@pytest.mark.parametrize("group", [[], ["train"], ["eval"], ["collections"]])
def test_summaries_are_not_cut_off(group: list[str]) -> None:
    """They ended in "..." where they were longer than a line."""
    told = run(*group, "--help").stdout.partition("Commands:")[2]
    assert "..." not in told
    assert all(len(line) <= 80 for line in told.splitlines())
    if not group:
        assert "Answer a question from the documents, with footnotes, or show the closest evidence." in " ".join(
            told.split()
        )


def test_the_version_has_a_short_option() -> None:
    assert run("-V").stdout == run("--version").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str) -> None:
    script = run("completion", shell).stdout
    assert f"_FOOTNOTE_COMPLETE={shell}_complete" in script
    failed(run("completion", "cmd"), 2, "SHELL must be one of bash, zsh, fish, not 'cmd'.")


def offered(world: Path, words: str) -> list[str]:
    """Return what a shell would offer for the last of these words."""
    env = {
        **os.environ,
        "_FOOTNOTE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    result = process(env={**env, "FOOTNOTE_HOME": str(world / "home")})
    assert result.returncode == 0, result.stderr
    return [line.partition(",")[2] for line in result.stdout.splitlines() if line.partition(",")[2]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("footnote col", ["collections"]),
        ("footnote collections re", ["rename"]),
        ("footnote collections delete de", ["default"]),
        ("footnote ls ", ["default"]),
        ("footnote ask -c de", ["default"]),
        ("footnote show be", ["bees.txt"]),
        ("footnote remove bees.txt te", ["tea.md"]),
        ("footnote index --encoder all", ["all", "all-MiniLM-L6-v2"]),
        ("footnote ask --generator quo", ["quo", "quoting"]),
        ("footnote ask --format m", ["md"]),
        ("footnote eval qa x --generator cop", ["cop", "copying"]),
        ("footnote show -c none b", []),
    ],
)
def test_names_are_completed(world: Path, words: str, expected: list[str]) -> None:
    assert offered(world, words) == expected


def test_a_source_is_completed_by_its_whole_path_too(world: Path) -> None:
    assert offered(world, f"footnote show {world}/files/b") == [f"{world}/files/bees.txt"]


def test_a_wrong_setting_does_not_keep_words_from_being_completed(world: Path) -> None:
    (world / "home" / "config.toml").write_text("[ask]\nnonsense = 1\n")
    assert offered(world, "footnote ask -c de") == ["default"]


# The terminal


def test_footnotes_are_links_on_a_terminal_that_opens_them(world: Path) -> None:
    with Terminal("ask", BEES, FORCE_HYPERLINK="1") as terminal:
        assert terminal.finish() == 0
        assert re.search(rb"\x1b\]8;[^;]*;file://[^\x1b]*/files/bees\.txt\x1b\\", terminal.raw)
        assert re.search(rb"A hive holds \x1b\[1mup to sixty thousand\x1b\[0m bees\.", terminal.raw)
    with Terminal("ask", BEES, TERM_PROGRAM="Apple_Terminal", FORCE_HYPERLINK="") as terminal:
        assert terminal.finish() == 0
        assert b"\x1b]8" not in terminal.raw


def test_what_is_done_once_is_announced_also_where_no_bar_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with cli.Terminal().progress() as progress:
        progress("files", 0, 1)
        progress("converting the encoder, once", 0, 1)
        progress("converting the encoder, once", 1, 1)
    told = capsys.readouterr()
    assert told.err == "Converting the encoder, once on this machine: some ten seconds, a large one a minute ...\n"
    assert told.out == ""


PROGRESS = """
import sys, time
sys.path.insert(0, sys.argv[1])
import cli
with cli.Terminal().progress() as progress:
    for done in range(0, 401, 40):
        progress("passages", done, 4000)
        time.sleep(0.1)
"""


def test_a_bar_has_a_total_and_the_time_left() -> None:
    root = str(Path(cli.__file__).parent)
    with Terminal(root, program=[sys.executable, "-c", PROGRESS]) as terminal:
        assert terminal.finish() == 0
        assert "passages" in terminal.seen
        assert "400/4,000" in terminal.seen
        assert re.search(r"\d+/s +0:00:\d\d", terminal.seen)
