"""The storage seam: every change this project makes to the disk goes through here.

It knows files and locks, and nothing of what they hold. Because all of it passes one place, a test can make the nth
call fail, or kill the process at it (`FOOTNOTE_FAULT`, `FOOTNOTE_KILL`), and prove that nothing is lost.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from indexer.errors import Busy, StorageError

log = logging.getLogger(__name__)

_counts: dict[str, int] = {}


def touch(operation: str) -> None:
    """Count one operation at the seam, and do to it what the environment asks of it, for tests of crashes.

    `FOOTNOTE_KILL=name:n` kills this process with SIGKILL just before the nth operation of that name (`io` counts all
    of them together). `FOOTNOTE_FAULT=name:n:ENOSPC` raises that OSError there instead.
    """
    kill, fault = os.environ.get("FOOTNOTE_KILL"), os.environ.get("FOOTNOTE_FAULT")
    if not kill and not fault:
        return
    for name in (operation, "io"):
        _counts[name] = _counts.get(name, 0) + 1
    if kill and _reached(operation, kill):
        os.kill(os.getpid(), signal.SIGKILL)
    if fault:
        point, _, code = fault.rpartition(":")
        if _reached(operation, point):
            number = int(getattr(errno, code))
            raise OSError(number, os.strerror(number))


def _reached(operation: str, point: str) -> bool:
    name, _, count = point.rpartition(":")
    return name in (operation, "io") and _counts.get(name, 0) == int(count)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn an OSError into a StorageError that names the path and the space that is left."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


def disk_error(error: OSError, path: Path) -> StorageError:
    """Return the error that tells a person what the disk refused."""
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        hint = f"{_free_space(path)} Make room, then run the same command again: nothing that was stored is lost."
    elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        hint = "Searching and asking need no write access; to index, choose a folder you may write to with --home."
    else:
        hint = "The last complete state still stands. Check the disk, then run: footnote doctor"
    return StorageError(f"Cannot write {path}: {reason}.", hint)


def unreadable(error: OSError, path: Path) -> StorageError:
    """Return the error that tells a person of a file that cannot be read."""
    return StorageError(f"Cannot read {path}: {error.strerror or error}.", "Check that you may read that file.")


def _free_space(path: Path) -> str:
    existing = next((folder for folder in (path, *path.parents) if folder.exists()), None)
    if existing is None:
        return ""
    return f"{shutil.disk_usage(existing).free / 1e6:,.0f} MB are free on that disk."


def make_folder(path: Path) -> None:
    """Create a folder and its parents, durably; an existing one is left as it is."""
    with told(path):
        missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
        for folder in reversed(missing):
            touch("mkdir")
            folder.mkdir(exist_ok=True)  # another process may be making it too
            sync_folder(folder.parent)


def write_file(path: Path, data: bytes | memoryview, *, kill_point: str = "write") -> str:
    """Write a file so that it is there whole or not at all, and return its SHA-256 in hexadecimal."""
    with new_file(path, kill_point=kill_point) as file:
        file.write(data)
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def new_file(path: Path, *, kill_point: str = "write") -> Iterator[IO[bytes]]:
    """Hand out a file to write to, which is at `path` whole once the block ends, and not at all when it raises.

    Temporary name in the same folder, fsync, rename, fsync of the folder. An existing file is replaced by a new inode
    and never written over, so a reader that has it open keeps what it opened. A failed fsync is a failed write: the
    page cache may have dropped the data, so trying again could only pretend.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with told(path):
        try:
            touch("open")
            with temporary.open("wb") as file:  # a killed process of the same number may have left one
                touch("write")
                yield file
                touch(f"{kill_point}.after_write")
                touch("fsync")
                file.flush()
                os.fsync(file.fileno())
            touch(f"{kill_point}.after_fsync")
            touch("replace")
            temporary.replace(path)
            touch(f"{kill_point}.after_replace")
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def append_line(path: Path, line: bytes, most: int) -> None:
    """Add a line to a file that its owner alone may read. Where it would grow over `most` bytes, the older half goes.

    Of several processes each adds its line whole. The line is not forced to the disk: it is worth no wait.
    """
    make_folder(path.parent)
    with told(path):
        added = False
        while not added:
            touch("open")
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "rb+", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _is_still(descriptor, path):  # another process has put a shorter one in its place
                    continue
                os.fchmod(descriptor, 0o600)
                if os.fstat(descriptor).st_size + len(line) > most:
                    _replace_by_newer_half(path, file, line)
                else:
                    touch("write")
                    file.write(line)
                added = True


def rewrite_lines(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Put a changed form in the place of each line of a file that `append_line` made; where there is none, do nothing.

    No line that another process adds meanwhile is lost.
    """
    with told(path), contextlib.suppress(FileNotFoundError):
        rewritten = False
        while not rewritten:
            touch("open")
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _is_still(file.fileno(), path):
                    continue
                lines = [change(line) for line in file]
                with new_file(path) as fresh:
                    os.fchmod(fresh.fileno(), 0o600)
                    fresh.writelines(lines)
                rewritten = True


def _replace_by_newer_half(path: Path, file: IO[bytes], line: bytes) -> None:
    file.seek(os.fstat(file.fileno()).st_size // 2)
    file.readline()  # the rest of a line that begins in the older half
    kept = file.read()
    with new_file(path) as fresh:
        os.fchmod(fresh.fileno(), 0o600)
        fresh.write(kept + line)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    touch("fsync")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename_folder(old: Path, new: Path) -> None:
    """Move a finished folder to its final name, durably."""
    with told(new):
        touch("replace")
        old.rename(new)
        sync_folder(new.parent)


def remove_file(path: Path) -> None:
    """Remove a file; one that is already gone is fine."""
    touch("unlink")
    with told(path):
        path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Remove a folder and all in it; one that is already gone is fine.

    It loses its name first: a kill in between leaves a temporary name, never a folder that is half there.
    """
    with told(path):
        going = path if path.name.endswith(".part") else path.with_name(f".{path.name}.gone.part")
        for folder in dict.fromkeys((going, path)):
            if folder.is_dir() and not folder.is_symlink():
                touch("unlink")
                shutil.rmtree(folder if folder == going else folder.rename(going))


def leftovers(folder: Path) -> list[Path]:
    """Return the temporary files in `folder` that a killed process left behind."""
    return sorted(folder.glob(".*.part"))


@contextlib.contextmanager
def exclusive_lock(path: Path, purpose: str) -> Iterator[None]:
    """Hold the writer's lock while the block runs.

    The lock is the kernel's (flock), not the file: it ends with its holder however that dies, so a stale file or a
    reused process number locks nobody out. What the file holds is only for the message to the one who comes second.
    Raises Busy naming the holder.
    """
    make_folder(path.parent)
    with told(path):
        touch("open")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        touch("flock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(
                f"{_holder(path)} is writing to collection {path.parent.name!r}.",
                "Wait until it has finished, then run the same command again. Searching and asking go on meanwhile.",
            ) from error
        except OSError as error:
            raise StorageError(
                f"The file system of {path} cannot lock files ({error.strerror}).",
                "Put the collection on a local disk with --home: without a lock two writers could meet.",
            ) from error
        if not _is_still(descriptor, path):
            raise Busy(f"Collection {path.parent.name!r} is being deleted.", "Run the same command again.")
        with told(path):
            os.ftruncate(descriptor, 0)
            note = {"pid": os.getpid(), "purpose": purpose, "since": time.strftime("%Y-%m-%d %H:%M:%S")}
            os.pwrite(descriptor, json.dumps(note).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Wait until no other process holds this lock, and hold it while the block runs.

    For work that whoever comes second finds done. Where the file system cannot lock, nobody waits and it is done twice.
    """
    make_folder(path.parent)
    with told(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_still(descriptor: int, path: Path) -> bool:
    """True when `path` names the file that is open; a lock on one that was removed keeps nobody out."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _holder(lock: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads(lock.read_bytes()[:1000])
        return f"Process {note['pid']} ({note['purpose']}, since {note['since']})"
    return "Another process"
