"""F5 to F9: a disk that is full, failing or read-only, and files that something else has changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.doctor import examine
from indexer.dump import content_hash
from indexer.errors import Damaged, StorageError, UserError
from indexer.writer import write
from tests.faults.workers import NAME, command, texts
from tests.worlds import WordEncoder

NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}


def work(
    *arguments: str,
    options: tuple[str, ...] = (),
    before: tuple[str, ...] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, Any]:
    """Run a worker, and return its exit code and what it said."""
    line, folder = command(*arguments, options=options)
    done = subprocess.run(
        [*before, *line], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template") / "home"
    assert work("add", str(home), "0")[0] == 0
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "home"))


def opened(home: Path) -> Collection:
    return Collection(NAME, home, encoder=WordEncoder())


@pytest.mark.parametrize(
    "fault",
    [
        "commit:1:ENOSPC", "commit:2:EIO", "execute:12:ENOSPC", "write:1:ENOSPC", "fsync:1:EIO", "fsync:2:EIO",
        "replace:1:EDQUOT", "open:1:EROFS", "open:2:EIO",
    ],
)  # fmt: skip
def test_a_failing_disk_is_told_and_nothing_is_lost(home: Path, fault: str) -> None:
    old = opened(home)
    before = content_hash(old)
    code, answer = work("add", str(home), "1", environment={"FOOTNOTE_FAULT": fault})
    assert code == 1
    assert answer["error"] == "StorageError"
    assert str(home) in answer["message"]
    if "ENOSPC" in fault or "EDQUOT" in fault:
        assert "MB are free" in answer["hint"]
    assert {each.check for each in examine(opened(home)) if not each.healthy} <= {"leftovers"}
    if fault.startswith(("commit:1", "open:1", "execute")):
        assert content_hash(old) == before
    opened(home).add(texts(1))
    assert all(each.healthy for each in examine(opened(home)))
    fresh = opened(home.with_name("fresh"))
    fresh.add(texts(1))
    assert content_hash(opened(home)) == content_hash(fresh)


@pytest.mark.parametrize("most_bytes", [4096, 20_000, 60_000, 90_000])
def test_a_file_that_may_not_grow_is_told_and_nothing_is_lost(home: Path, most_bytes: int) -> None:
    code, answer = work("add_limited", str(home), "1", str(most_bytes), environment=NO_BYTECODE)
    assert code == 1
    assert answer["error"] == "StorageError"
    assert {each.check for each in examine(opened(home)) if not each.healthy} <= {"leftovers"}
    assert opened(home).add(texts(1)).generation > 0


def test_a_read_only_folder_answers_and_refuses_to_index(home: Path) -> None:
    before = content_hash(opened(home))
    as_nobody: tuple[str, ...] = ()
    if os.geteuid() == 0:  # whom no mode stops
        as_nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        for folder in home.parents:
            if folder.owner() == "root" and folder != Path("/") and len(folder.parts) > 2:
                folder.chmod(folder.stat().st_mode | 0o055)
    for path in [home, *home.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        code, answer = work("look", str(home), before=as_nobody, environment=NO_BYTECODE)
        assert (code, answer["hash"]) == (0, before)
        code, answer = work("add", str(home), "1", before=as_nobody, environment=NO_BYTECODE)
        assert code == 1
        assert "Permission denied" in answer["message"]
        assert "--home" in answer["hint"]
    finally:
        for path in [home, *home.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert content_hash(opened(home)) == before


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for place in range(7, len(data), 211):
        data[place] ^= 1 << place % 8
    path.write_bytes(data)


def _swapped(path: Path) -> None:
    import faiss

    other = faiss.IndexIDMap(faiss.IndexFlatIP(32))
    other.add_with_ids(np.eye(32, dtype=np.float32), np.arange(32))
    path.write_bytes(faiss.serialize_index(other).tobytes())


def _a_folder(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _linked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "damage", [_truncated, _emptied, _flipped, _swapped, Path.unlink, _a_folder, _a_pipe, _linked],
    ids=lambda damage: damage.__name__.strip("_"),
)  # fmt: skip
def test_a_damaged_segment_is_never_believed_and_is_made_again(home: Path, damage: Callable[[Path], None]) -> None:
    question = WordEncoder().embed_queries(["topic1 amber1"])[0]
    with opened(home).view() as view:
        right = view.dense(question, 20)
    paths = sorted((opened(home).epoch() / "segments").glob("*.faiss"))
    assert paths
    for path in paths:
        damage(path)
    with opened(home).view() as view:
        found = view.dense(question, 20)
    assert [hit.chunk_id for hit in found] == [hit.chunk_id for hit in right]
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in right], abs=1e-5)
    assert {each.check for each in examine(opened(home), repair=True) if each.repaired} == {"segments"}
    for path in (opened(home).epoch() / "segments").iterdir():
        assert path.is_file()


def test_the_next_writer_makes_lost_segments_again(home: Path) -> None:
    folder = opened(home).epoch() / "segments"
    names = {path.name for path in folder.iterdir()}
    shutil.rmtree(folder)
    opened(home).add([])
    assert {path.name for path in folder.iterdir()} == names


def _page(number: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[4096 * number : 4096 * number + 4000] = b"\xa5" * 4000
        path.write_bytes(data)

    return damage


def _wrong_magic(path: Path) -> None:
    path.write_bytes(b"SQLite format 4\x00" + path.read_bytes()[16:])


@pytest.mark.parametrize(
    "damage", [_truncated, _emptied, _wrong_magic, _page(0), Path.unlink], ids=["cut", "empty", "magic", "head", "gone"]
)
def test_a_damaged_database_is_told_with_the_way_back(home: Path, damage: Callable[[Path], None]) -> None:
    """Never a traceback, and never an empty collection in its place."""
    damage(opened(home).database)
    for attempt in (
        lambda: opened(home).status(),
        lambda: opened(home).generation,
        lambda: opened(home).add(texts(1)),
        lambda: content_hash(opened(home)),
    ):
        with pytest.raises(UserError, match=r"damaged|not there|Cannot|another program") as caught:
            attempt()
        assert caught.value.hint
    findings = examine(opened(home), repair=True)
    assert not all(each.healthy for each in findings)


def test_any_page_of_the_database_may_be_damaged(home: Path, tmp_path: Path) -> None:
    """Searching then answers or tells a StorageError; the doctor finds it, or the page holds nothing."""
    path = opened(home).database
    sound = path.read_bytes()
    before = content_hash(opened(home))
    for page in range(1, len(sound) // 4096):
        path.write_bytes(sound)
        _page(page)(path)
        try:
            same = content_hash(opened(home)) == before
        except (StorageError, Damaged):
            same = False
        ill = [each for each in examine(opened(home)) if not each.healthy]
        assert same or ill, f"page {page}"


def test_a_lost_journal_is_no_empty_collection(home: Path) -> None:
    database = opened(home).database
    (database.parent / "truth.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\x00" * 600)
    assert len(opened(home).documents()) == 6


def test_the_lock_of_a_reader_outlives_a_look_at_the_file(home: Path) -> None:
    """Closing a file drops all POSIX locks of the process on it: opening a second Collection must not do that."""
    with write(opened(home), purpose="first") as writer, writer.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        assert opened(home).generation > 0
        answer = subprocess.run(
            ["python3", "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')",
             str(opened(home).database)], capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        assert "database is locked" in answer.stderr
