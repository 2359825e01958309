"""Which files are found: order, ignores, links, and names that no one expects."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import NotFound, Unreadable, UsageError
from indexer.folders import find, patterns, read_file, shown
from indexer.types import Skip

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
def test_a_path_deeper_than_recursion_is_walked(deep: Path) -> None:
    assert found(deep) == ["d/" * 1100 + "a.md"]


def test_a_missing_path_says_which(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file or folder '.*nowhere' to read: no such file"):
        list(find([tmp_path / "nowhere"]))


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*a*a*b", "**/**/**/**/x", "a/*b*c*d*e*/f"])
def test_patterns_that_would_take_for_ever_are_refused(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="wildcards between two slashes"):
        list(find([tmp_path], exclude=[pattern]))


def test_a_bad_pattern_in_an_ignore_file_is_reported_and_not_obeyed(tmp_path: Path) -> None:
    made(tmp_path, "a.md")
    (tmp_path / ".footnoteignore").write_text("*a*a*a*a*a*\n")
    assert found(tmp_path) == ["a.md"]
    assert "not obeyed" in skips(tmp_path)[0]


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
