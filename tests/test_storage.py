"""The storage seam: files whole or not at all, folders that lose their name first, a lock that is the kernel's."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from indexer import storage
from indexer.errors import Busy, StorageError


def test_a_file_is_written_whole_and_its_hash_returned(tmp_path: Path) -> None:
    assert storage.write_file(tmp_path / "a", b"abc") == hashlib.sha256(b"abc").hexdigest()
    assert (tmp_path / "a").read_bytes() == b"abc"
    assert storage.leftovers(tmp_path) == []


def test_a_replaced_file_keeps_its_old_content_for_those_who_have_it_open(tmp_path: Path) -> None:
    storage.write_file(tmp_path / "a", b"old")
    with (tmp_path / "a").open("rb") as reader:
        storage.write_file(tmp_path / "a", b"new")
        assert reader.read() == b"old"
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError("ours"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_the_old_file_and_no_other(tmp_path: Path, error: BaseException) -> None:
    storage.write_file(tmp_path / "a", b"old")
    with pytest.raises(type(error)), storage.new_file(tmp_path / "a") as file:  # noqa: PT012
        file.write(b"half of it")
        raise error
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


def test_a_temporary_file_of_a_killed_process_of_the_same_number_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".a.{os.getpid()}.part").write_bytes(b"left")
    storage.write_file(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "MB are free on that disk. Make room"),
        (errno.EDQUOT, "Make room"),
        (errno.EFBIG, "Make room"),
        (errno.EROFS, "--home"),
        (errno.EACCES, "--home"),
        (errno.EIO, "footnote doctor"),
    ],
)
def test_what_the_disk_refuses_is_told_with_what_to_do(tmp_path: Path, number: int, hint: str) -> None:
    error = storage.disk_error(OSError(number, os.strerror(number)), tmp_path / "x")
    assert str(tmp_path / "x") in error.message
    assert os.strerror(number) in error.message
    assert hint in error.hint


def test_a_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file or directory"):
        storage.write_file(tmp_path / "no" / "a", b"")


def test_folders_are_made_with_their_parents_and_left_as_they_are(tmp_path: Path) -> None:
    storage.make_folder(tmp_path / "a" / "b" / "c")
    (tmp_path / "a" / "b" / "c" / "file").write_bytes(b"x")
    storage.make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c" / "file").read_bytes() == b"x"
    with pytest.raises(StorageError, match=r"File exists|Not a directory"):
        storage.make_folder(tmp_path / "a" / "b" / "c" / "file")


def test_a_removed_folder_is_gone_with_what_an_earlier_removal_left(tmp_path: Path) -> None:
    for name in ("epoch", ".epoch.gone.part"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "file").write_bytes(b"x")
    storage.remove_folder(tmp_path / "epoch")
    storage.remove_folder(tmp_path / "epoch")
    assert list(tmp_path.iterdir()) == []


def test_removing_a_link_to_a_folder_leaves_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    storage.remove_folder(tmp_path / "link")
    assert (tmp_path / "real").is_dir()


def test_one_at_a_time_holds_the_lock_and_the_second_is_told_who(tmp_path: Path) -> None:
    lock = tmp_path / "papers" / "LOCK"
    with (
        storage.exclusive_lock(lock, "index"),
        pytest.raises(Busy, match=rf"Process {os.getpid()} \(index, since .*\) is writing to collection 'papers'"),
        storage.exclusive_lock(lock, "add"),
    ):
        pass
    with storage.exclusive_lock(lock, "add"):
        pass


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ours"), storage.exclusive_lock(tmp_path / "LOCK", "index"):
        raise ValueError("ours")
    with storage.exclusive_lock(tmp_path / "LOCK", "index"):
        pass


def test_an_error_inside_the_lock_is_not_taken_for_the_locks_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"), storage.exclusive_lock(tmp_path / "LOCK", "index"):
        raise FileNotFoundError("elsewhere")


def test_a_fault_is_raised_at_the_call_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_counts", {})
    monkeypatch.setenv("FOOTNOTE_FAULT", "write:2:ENOSPC")
    storage.write_file(tmp_path / "a", b"1")
    with pytest.raises(StorageError, match="No space left on device"):
        storage.write_file(tmp_path / "a", b"2")
    storage.write_file(tmp_path / "b", b"3")
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"1", b"3")
    assert storage.leftovers(tmp_path) == []


def test_a_line_is_added_to_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "new" / "lines"
    for line in (b"one\n", b"two\n"):
        storage.append_line(file, line, 100)
    assert file.read_bytes() == b"one\ntwo\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_of_lines_that_is_full_keeps_its_newer_half(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    for number in range(10):
        storage.append_line(file, f"{number}\n".encode(), 20)
    assert file.stat().st_size == 20
    storage.append_line(file, b"x\n", 20)
    assert file.read_bytes() == b"6\n7\n8\n9\nx\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert storage.leftovers(tmp_path) == []


def test_a_line_is_not_added_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "lines").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match=r"Cannot write .*/lines"):
        storage.append_line(tmp_path / "lines", b"one\n", 100)
    assert (tmp_path / "elsewhere").read_bytes() == b""
