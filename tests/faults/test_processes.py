"""F3, F10, F11, F13 to F19, F23, F24: several processes and threads, signals, limits and odd environments."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from indexer import schema
from indexer.collection import Collection
from indexer.doctor import examine
from indexer.dump import content_hash
from indexer.errors import Busy, EncoderMismatch, SchemaMismatch, StorageError
from indexer.sync import Given
from indexer.writer import write
from tests.faults.test_disk import work
from tests.faults.workers import NAME, command, texts
from tests.worlds import CountingEncoder, WordEncoder, article


def opened(home: Path, salt: str = "") -> Collection:
    return Collection(NAME, home, encoder=WordEncoder(salt))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template") / "home"
    opened(home).add(texts(0))
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "home"))


def start(*arguments: str, options: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[str]:
    line, folder = command(*arguments, options=options)
    return subprocess.Popen(
        line, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def first_line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_twenty_starts_at_once_make_one_collection(tmp_path: Path) -> None:
    """Exactly one at a time writes; the others leave with 75 and say who does; the schema is made once."""
    home = tmp_path / "home"
    processes = [start("add", str(home), "1") for _ in range(20)]
    ends = [(process.wait(120), *process.communicate()) for process in processes]
    assert {code for code, _, _ in ends} <= {0, 75}
    assert any(code == 0 for code, _, _ in ends)
    for code, out, err in ends:
        assert "Traceback" not in err
        if code == 75:
            assert json.loads(out)["error"] == "Busy"
    collection = opened(home)
    assert [entry.source for entry in collection.documents()] == [f"n{number}" for number in range(6)]
    assert all(each.healthy for each in examine(collection))
    assert sorted(path.name for path in collection.folder.iterdir()) == ["CURRENT", "LOCK", "epoch-000001"]


def test_the_second_writer_is_told_who_writes(home: Path) -> None:
    holder = start("hold", str(home), "30")
    pid = first_line(holder)["holding"]
    try:
        for attempt in (lambda: opened(home).add(texts(1)), lambda: opened(home).remove(["n1"])):
            with pytest.raises(Busy, match=rf"Process {pid} \(hold, since .*\) is writing to collection 'world'"):
                attempt()
        assert Busy("").exit_code == 75
        assert [hit.chunk_id for hit in search(opened(home))]  # readers go on meanwhile
    finally:
        holder.kill()
        holder.communicate()


def search(collection: Collection) -> list[Any]:
    with collection.view() as view:
        return view.dense(WordEncoder().embed_queries(["topic1"])[0], 3)


def test_the_lock_dies_with_its_holder_and_half_a_batch_with_it(home: Path) -> None:
    before = content_hash(opened(home))
    holder = start("hold", str(home), "30")
    first_line(holder)
    holder.kill()
    holder.communicate()
    assert content_hash(opened(home)) == before
    assert opened(home).add(texts(1)).changed == 6


def test_a_stale_lock_file_locks_nobody_out(home: Path) -> None:
    note = {"pid": os.getpid(), "purpose": "index", "since": "yesterday"}
    (opened(home).folder / "LOCK").write_text(json.dumps(note))
    assert opened(home).add(texts(1)).changed == 6
    (opened(home).folder / "LOCK").write_bytes(b"\xff not json")
    assert opened(home).add(texts(0)).changed == 6


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_in_the_middle_of_a_batch_takes_it_back(tmp_path: Path, number: signal.Signals, code: int) -> None:
    process = start("embed_slowly", str(tmp_path))
    first_line(process)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in err) == (code, False)
    assert opened(tmp_path).documents() == []
    assert opened(tmp_path).add(texts(0)).added == 6


def test_each_answer_is_of_one_generation_while_another_process_writes(home: Path) -> None:
    """Commits, publishes, rebuilds and switches go on; readers see each state whole, and never "locked"."""
    writer = start("generations", str(home), "8")
    seen: list[str] = []
    problems: list[BaseException] = []

    def read(fresh: bool) -> None:
        collection = opened(home)
        try:
            while writer.poll() is None:
                collection = opened(home) if fresh else collection
                seen.append(content_hash(collection))
                with collection.view() as view:
                    hits = view.dense(WordEncoder().embed_queries(["topic1 amber1"])[0], 50)
                    assert len(hits) == view.count() == len(view.chunks([hit.chunk_id for hit in hits]))
        except BaseException as error:
            problems.append(error)

    readers = [threading.Thread(target=read, args=(fresh,)) for fresh in (False, False, True, True)]
    for reader in readers:
        reader.start()
    out, err = writer.communicate(timeout=120)
    for reader in readers:
        reader.join()
    assert problems == []
    assert "Traceback" not in err
    states = json.loads(out.splitlines()[-1])
    assert len(states) == 9
    # Within one generation of texts a batch may have been committed and the next one not yet: two of six each.
    assert set(states) & set(seen)
    assert seen[-1] in states
    assert all(each.healthy for each in examine(opened(home)))


def test_a_reader_that_never_ends_makes_the_writer_give_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "WRITER_PATIENCE", 1)
    before = content_hash(opened(home))
    reader = opened(home)
    with reader.view() as view:
        view.count()
        with pytest.raises(StorageError, match="in use for longer than 1 seconds"):
            opened(home).add(texts(1))
        assert view.count() == reader.status().chunks
    assert content_hash(opened(home)) == before
    assert opened(home).add(texts(1)).changed == 6


def test_sixteen_threads_share_one_collection(home: Path) -> None:
    collection = opened(home)
    right = search(collection)
    with ThreadPoolExecutor(16) as pool:
        writing = pool.submit(lambda: [opened(home).add([Given("extra", article("zzz", n))]) for n in range(1, 6)])
        found = list(pool.map(lambda _: search(collection)[0], range(200)))
        writing.result()
    assert all(hit.score == pytest.approx(right[0].score, abs=1e-5) for hit in found)


def test_forty_views_at_once_are_not_too_many(home: Path) -> None:
    collection = opened(home)
    barrier = threading.Barrier(40)

    def hold_open() -> int:
        with collection.view() as view:
            barrier.wait(60)
            return view.count()

    with ThreadPoolExecutor(40) as pool:
        counts = [pool.submit(hold_open) for _ in range(40)]
        assert len({count.result() for count in counts}) == 1


def test_a_spawned_process_may_open_it_while_this_one_has_it_open(home: Path) -> None:
    with opened(home).view() as view:
        count = view.count()
        code, answer = work("look", str(home))
        assert (code, view.count()) == (0, count)
        assert answer["hash"] == content_hash(opened(home))


def set_pragma(home: Path, statement: str) -> None:
    with sqlite3.connect(opened(home).database) as connection:
        connection.execute(statement)
    connection.close()


def test_a_newer_database_is_refused(home: Path) -> None:
    set_pragma(home, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatch, match=r"has schema 9999; this version of Footnote knows up to"):
        opened(home).documents()
    with pytest.raises(SchemaMismatch, match="9999"):
        opened(home).add(texts(1))


def test_another_programs_database_is_refused(home: Path) -> None:
    set_pragma(home, "PRAGMA application_id = 1196444487")
    with pytest.raises(SchemaMismatch, match="is a database of another program"):
        opened(home).documents()
    with pytest.raises(SchemaMismatch, match="another program"):
        opened(home).add(texts(1))


def test_other_weights_of_the_same_dimension_are_refused(home: Path) -> None:
    before = content_hash(opened(home))
    with pytest.raises(EncoderMismatch, match=r"was indexed with words \(.*you asked with wordsother") as caught:
        opened(home, "other").add(texts(1))
    assert "--rebuild" in caught.value.hint
    assert content_hash(opened(home)) == before


def test_the_check_of_the_encoder_is_made_under_the_lock(tmp_path: Path) -> None:
    """Two first runs with different encoders: the one who comes second finds a collection that was not there before."""
    from indexer.sync import _encoder_for

    late = opened(tmp_path, "late")
    _, made = _encoder_for(late, rebuild=False)
    opened(tmp_path).add(texts(0))
    with pytest.raises(EncoderMismatch, match="wordslate"), write(late, purpose="add", made=made):
        pass


def test_a_rebuild_stands_beside_the_old_state_until_it_is_whole(home: Path) -> None:
    old = opened(home)
    before = search(old)
    with old.view() as view:
        other = opened(home, "other")
        other.sync([], rebuild=True)
        assert view.dense(WordEncoder().embed_queries(["topic1"])[0], 3) == before
        assert view.made.encoder == "words"
        assert len(view.chunks([hit.chunk_id for hit in before])) == 3
    assert old.made.encoder == "wordsother"
    assert other.made.fingerprint == WordEncoder("other").fingerprint
    assert len(other.documents()) == 6
    assert all(each.healthy for each in examine(other))


def test_a_long_reader_keeps_few_files_open_over_many_rebuilds(home: Path) -> None:
    """F12: what was switched away from is let go of."""
    reader, opened_files = opened(home), []
    for _ in range(8):
        opened(home).sync([], rebuild=True)
        assert len(search(reader)) == 3
        gc.collect()
        opened_files.append(len(list(Path("/proc/self/fd").iterdir())))
    assert max(opened_files[2:]) <= opened_files[1] + 1


@pytest.mark.parametrize("options", [(), ("-O",)], ids=["plain", "without asserts"])
def test_vectors_that_must_not_be_stored_are_refused(home: Path, options: tuple[str, ...]) -> None:
    code, said = work("vectors_refused", str(home), options=options)
    assert code == 0
    assert {name for name, outcome in said.items() if outcome == "taken"} == {"float64", "not contiguous"}
    assert set(said.values()) == {"taken", "InvalidVectors"}


def test_sixty_four_file_descriptors_are_enough(home: Path) -> None:
    code, answer = work("add_with_few_files", str(home), "1")
    assert (code, answer["changed"]) == (0, 6)


def test_odd_environments_give_the_same_state(home: Path, tmp_path: Path) -> None:
    opened(home).add(texts(3))
    odd = {"LC_ALL": "C", "TZ": "Pacific/Chatham", "PYTHONHASHSEED": "77", "TMPDIR": "/dev/shm", "PYTHONUTF8": "0"}
    options = ("-O", "-W", "error")
    assert work("add", str(tmp_path / "odd"), "3", options=options, environment=odd)[0] == 0
    code, answer = work("look", str(tmp_path / "odd"), options=options, environment=odd)
    assert (code, answer["hash"]) == (0, content_hash(opened(home)))


def test_only_the_content_decides_what_changed(tmp_path: Path) -> None:
    """F16: the same size and time with other content is read again; another time with the same content is not."""
    file = tmp_path / "files" / "a.txt"
    file.parent.mkdir()
    file.write_text("The pump was red.")
    os.utime(file, (2_000_000_000, 2_000_000_000))
    encoder = CountingEncoder()
    collection = Collection(NAME, tmp_path, encoder=encoder)
    collection.sync([file.parent])
    file.write_text("The pump was new.")
    os.utime(file, (2_000_000_000, 2_000_000_000))
    assert collection.sync([file.parent]).changed == 1
    os.utime(file, (5, 5))
    assert collection.sync([file.parent]).unchanged == 1
    assert encoder.read == ["The pump was red.", "The pump was new."]
