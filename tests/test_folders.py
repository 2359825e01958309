"""Which files are found: order, ignores, links, and names that no one expects."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from indexer.collection import Collection
from indexer.errors import NotFound, Unreadable, UsageError
from indexer.folders import find, read_file, shown
from indexer.ignoring import patterns
from indexer.types import Skip
from tests.worlds import WordEncoder

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")


def made(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def found(root: Path, *, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[str]:
    return [path.relative_to(root).as_posix() for path in find([root], include, exclude) if isinstance(path, Path)]


def skips(*paths: Path) -> list[str]:
    return [f"{Path(skip.source).name}: {skip.reason}" for skip in find(paths) if isinstance(skip, Skip)]


def test_files_come_in_the_order_of_their_names_at_every_depth(tmp_path: Path) -> None:
    made(tmp_path, "b.md", "a/z.md", "a/b/c.md", "c.md", "a.md")
    assert found(tmp_path) == ["a/b/c.md", "a/z.md", "a.md", "b.md", "c.md"]


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, "a.md")
    monkeypatch.chdir(tmp_path)
    assert list(find([Path("a.md")])) == [tmp_path / "a.md"]


def test_what_is_ignored_for_its_name_is_counted_by_ending(tmp_path: Path) -> None:
    made(
        tmp_path, "a.md", "letter.asc", "key.asc", "Cargo.lock", ".hidden", "node_modules/b.asc", "out/c.txt", "id_rsa"
    )
    ignored: Counter[str] = Counter()
    list(find([tmp_path], exclude=["out/"], ignored=ignored))
    assert ignored == {".asc": 2, ".lock": 1, "without ending": 1}


def test_what_tools_make_and_secrets_are_passed_over_in_silence(tmp_path: Path) -> None:
    made(
        tmp_path,
        "a.md",
        ".git/config",
        "node_modules/x/readme.md",
        "p/__pycache__/m.pyc",
        "venv/lib/a.py",
        ".hidden.md",
    )
    made(tmp_path, ".env", "prod.env", "id_rsa", "server.pem", "tls.key", ".ssh/config", "credentials.json", "a.py~")
    assert list(find([tmp_path])) == [tmp_path / "a.md"]


def test_a_named_file_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    made(tmp_path, ".env", ".hidden/notes.md")
    assert list(find([tmp_path / ".env", tmp_path / ".hidden"])) == [tmp_path / ".env", tmp_path / ".hidden/notes.md"]


def test_include_and_exclude_are_gitignore_patterns_below_the_named_folder(tmp_path: Path) -> None:
    made(tmp_path, "a.md", "b.txt", "d/c.md", "d/drafts/e.md", "drafts.md")
    assert found(tmp_path, include=["*.md"], exclude=["drafts/"]) == ["a.md", "d/c.md", "drafts.md"]
    assert found(tmp_path, include=["/d/"], exclude=["e.*"]) == ["d/c.md"]


def test_an_ignore_file_holds_below_its_folder_and_the_deeper_one_decides(tmp_path: Path) -> None:
    made(tmp_path, "a.txt", "d/a.txt", "d/e/a.txt", "d/e/b.txt", "f/b.txt")
    (tmp_path / ".footnoteignore").write_text("# texts\nb.txt\n")
    (tmp_path / "d" / ".footnoteignore").write_text("a.txt\n!b.txt\n")
    assert found(tmp_path) == ["a.txt", "d/e/b.txt"]


def test_the_same_folder_named_twice_gives_its_files_once(tmp_path: Path) -> None:
    made(tmp_path, "d/a.md")
    assert [path for path in find([tmp_path / "d", tmp_path, tmp_path / "d" / "a.md"]) if isinstance(path, Path)] == [
        tmp_path / "d" / "a.md"
    ]


@posix_only
def test_links_are_not_followed_and_hard_links_are_one_file(tmp_path: Path) -> None:
    made(tmp_path, "d/a.md")
    (tmp_path / "d" / "loop").symlink_to(tmp_path / "d")
    (tmp_path / "d" / "link.md").symlink_to("/etc/passwd")
    os.link(tmp_path / "d" / "a.md", tmp_path / "d" / "twin.md")
    assert found(tmp_path) == ["d/a.md"]
    assert skips(tmp_path) == [
        "link.md: a symbolic link, not followed",
        "loop: a symbolic link, not followed",
        f"twin.md: the same file as {tmp_path / 'd' / 'a.md'}",
    ]


@posix_only
def test_a_named_folder_may_be_a_link(tmp_path: Path) -> None:
    made(tmp_path, "d/a.md")
    (tmp_path / "docs").symlink_to("d")
    assert list(find([tmp_path / "docs"])) == [tmp_path / "docs" / "a.md"]


@posix_only
def test_of_a_named_link_to_a_file_the_file_is_taken(tmp_path: Path) -> None:
    made(tmp_path, "d/a.md")
    (tmp_path / "link.md").symlink_to("d/a.md")
    (tmp_path / "nowhere.md").symlink_to("b.md")
    assert list(find([tmp_path / "link.md"])) == [tmp_path / "d" / "a.md"]
    assert skips(tmp_path / "nowhere.md") == ["nowhere.md: a symbolic link, not followed"]


@posix_only
def test_pipes_sockets_and_devices_are_skipped_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "sock"))
        assert skips(tmp_path) == ["pipe: a pipe", "sock: a socket"]
    assert skips(tmp_path / "pipe", Path("/dev/zero")) == ["pipe: a pipe", "zero: a device"]
    with pytest.raises(Unreadable, match=r"^a pipe$"):
        read_file(tmp_path / "pipe")


@posix_only
def test_a_name_that_is_not_unicode_is_skipped_with_its_bytes_shown(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("x")
    except OSError:
        pytest.skip("this file system takes only Unicode names")
    assert skips(tmp_path) == ["caf\\xe9.md: file name is not valid UTF-8"]


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder with a file 1,100 folders below it, taken down step by step since rmtree recurses."""
    start = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1100):
            Path("d").mkdir()
            os.chdir("d")
        Path("a.md").write_text("deep")
    finally:
        os.chdir(start)
    yield tmp_path
    while (tmp_path / "d" / "d").exists():
        (tmp_path / "d" / "d").rename(tmp_path / "e")
        (tmp_path / "d").rmdir()
        (tmp_path / "e").rename(tmp_path / "d")


@posix_only
def test_a_path_longer_than_the_system_takes_is_skipped(tmp_path: Path) -> None:
    """One such file ended the whole run with a traceback; Linux takes paths of up to 4,096 bytes."""
    made(tmp_path, "a.md")
    start = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(17):
            Path("d" * 250).mkdir()
            os.chdir("d" * 250)
        Path("b.md").write_text("deep")
    finally:
        os.chdir(start)
    try:
        assert found(tmp_path) == ["a.md"]
        (reason,) = {skip.reason for skip in find([tmp_path]) if isinstance(skip, Skip)}
        assert reason == "file name too long"
        collection = Collection("world", tmp_path / "home", encoder=WordEncoder())
        (tmp_path / "a.md").rename(tmp_path / "c.md")
        for removed in (0, 0):
            report = collection.sync([tmp_path], exclude=["home/"])
            assert (report.removed, [skip.reason for skip in report.skipped]) == (removed, ["file name too long"])
        (tmp_path / "c.md").unlink()
        assert collection.sync([tmp_path], exclude=["home/"]).removed == 1
        collection.close()
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / ("d" * 250))], check=True)  # shutil recurses by whole paths


@posix_only
def test_a_path_deeper_than_recursion_is_walked(deep: Path) -> None:
    assert found(deep) == ["d/" * 1100 + "a.md"]


def test_a_missing_path_says_which(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file or folder '.*nowhere' to read: no such file"):
        list(find([tmp_path / "nowhere"]))


@pytest.mark.parametrize("pattern", ["a" * 1001, "[z-a]", "a\\"], ids=["long", "backwards", "backslash"])
def test_patterns_that_are_none_are_refused(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has 1,001 characters|Not a pattern of the gitignore kind"):
        list(find([tmp_path], exclude=[pattern]))


def test_a_bad_pattern_in_an_ignore_file_is_reported_and_not_obeyed(tmp_path: Path) -> None:
    made(tmp_path, "a.md")
    (tmp_path / ".footnoteignore").write_text("[z-a]\n")
    assert found(tmp_path) == ["a.md"]
    assert "not obeyed" in skips(tmp_path)[0]


HOSTILE = {
    "stars in three parts": ("*a*a*a/*a*a*a/*a*a*ab", "/".join(["a" * 250] * 3)),
    "stars in one part": ("*a" * 400 + "b", "a" * 255),
    "questions and stars": ("*?" * 400 + "b", "a" * 255),
    "brackets and stars": ("*[a]" * 200 + "b", "a" * 255),
    "folders anywhere": ("**/a" * 200 + "/b", "a/" * 2000 + "a"),
    "a long run of folders": ("**/" + "/".join(["*a*"] * 200) + "/b", "a/" * 2000 + "a"),
    "two long runs of folders": ("**/" + "a/" * 150 + "**/" + "a/" * 150 + "b", "a/" * 2000 + "a"),
}


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_hostile_pattern_costs_no_more_than_a_tame_one(pattern: str) -> None:
    """An ignore file in a folder of strangers made indexing run for minutes; each star multiplied the time."""
    line, path = HOSTILE[pattern]
    begun = time.process_time()
    assert not patterns([line]).match_file(path)
    assert time.process_time() - begun < 1


def test_any_stars_match_as_they_should() -> None:
    spec = patterns(["*a*b*c*d*e*", "x/*1*2*3*4*5/y"])
    assert spec.match_file("aabbccddee")
    assert spec.match_file("x/0102030405/y/z")
    assert not spec.match_file("aabbccdd")
    assert not spec.match_file("x/01020304056/y")


PARTS = st.sampled_from(
    [
        "**",
        "*",
        "a",
        "b",
        "ab",
        "a*",
        "*b",
        "*a*b",
        "*a*",
        "?",
        "a?",
        "*?b",
        "[ab]",
        "[!a]b",
        "[a-c]*",
        "a**",
        "\\*a",
    ]
)
LINES = st.builds(
    lambda negated, start, parts, end: negated + start + "/".join(parts) + end,
    st.sampled_from(["", "", "!"]), st.sampled_from(["", "/"]), st.lists(PARTS, min_size=1, max_size=4),
    st.sampled_from(["", "", "/"]),
)  # fmt: skip
PATHS = st.builds(
    lambda parts, end: "/".join(parts) + end,
    st.lists(st.text("abc*", min_size=1, max_size=3), min_size=1, max_size=5), st.sampled_from(["", "/"]),
)  # fmt: skip


@settings(max_examples=500)
@given(lines=st.lists(LINES, min_size=1, max_size=4), path=PATHS)
def test_patterns_say_of_a_path_what_pathspec_says(lines: list[str], path: str) -> None:
    assert patterns(lines).check_file(path).include == GitIgnoreSpec.from_lines(lines).check_file(path).include


@given(lines=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=5))
def test_any_line_is_a_pattern_or_refused(lines: list[str]) -> None:
    with contextlib.suppress(UsageError):
        patterns(lines).match_file("a/b.md")


def test_a_file_is_read_whole_and_only_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1000)
    assert read_file(tmp_path / "a", limit=1000) == b"x" * 1000
    with pytest.raises(Unreadable, match=r"^0.0 MB; the limit is 0.0 MB$"):
        read_file(tmp_path / "a", limit=999)


@posix_only
def test_a_sparse_file_of_ten_gigabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(10_000_000_000)
    with pytest.raises(Unreadable, match=r"^10,000.0 MB; the limit is 50.0 MB$"):
        read_file(tmp_path / "big")


@posix_only
def test_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(Unreadable, match="symbolic link"):
        read_file(tmp_path / "link")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="looks into /proc")
def test_files_that_lie_about_their_size_are_refused() -> None:
    with pytest.raises(Unreadable, match=r"error|changed"):
        read_file(Path("/proc/self/mem"))
    with pytest.raises(Unreadable, match="changed while it was being read"):
        read_file(Path("/proc/self/status"))


def test_a_file_that_vanished_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no such file"):
        read_file(tmp_path / "gone")


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_skipped_with_the_reason(tmp_path: Path) -> None:
    made(tmp_path, "closed/a.md", "open.md")
    (tmp_path / "closed").chmod(0)
    try:
        assert found(tmp_path) == ["open.md"]
        assert skips(tmp_path) == ["closed: permission denied"]
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_any_path_can_be_shown() -> None:
    assert shown(Path("caf\udce9")).isprintable()
