"""The sandbox: real child processes, and what becomes of files that crash, hang or swell."""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from indexer.errors import Unreadable
from indexer.sandbox import Limits, Sandbox, _Watch, read_frame, write_frame
from indexer.types import Document, Skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as running:
        yield running


def children_of(process: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that has just ended
            found += map(int, (task / "children").read_text().split())
    return sorted(found)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def test_a_document_comes_back_whole(sandbox: Sandbox) -> None:
    data = "# Titel\n\nGrüße 👋\u200b\n".encode()
    document = sandbox.parse("/docs/a.md", data)
    assert (document.source, document.title, document.text) == ("/docs/a.md", "Titel", "# Titel\n\nGrüße 👋")
    assert document.sha256 == hashlib.sha256(data).hexdigest()
    assert [(part.kind, part.level, part.line) for part in document.sections] == [
        ("heading", 1, 1),
        ("paragraph", 0, 3),
    ]
    assert document.repairs == {"zero-width characters": 1}


def test_the_reason_of_an_unreadable_file_comes_back(sandbox: Sandbox) -> None:
    with pytest.raises(Unreadable, match=r"^binary \(PNG image\)$"):
        sandbox.parse("a.txt", b"\x89PNG\r\n\x1a\n")


def test_many_files_come_back_in_their_order(sandbox: Sandbox) -> None:
    files = [(f"{number}.md", b"\x7fELF\0" if number % 7 == 3 else f"# {number}".encode()) for number in range(100)]
    results = list(sandbox.parse_many(iter(files)))
    assert [result.source for result in results] == [name for name, _ in files]
    assert results[3] == Skip("3.md", "binary (ELF program)")
    assert isinstance(results[99], Document)
    assert results[99].text == "# 99"


def test_files_are_taken_only_a_little_ahead(sandbox: Sandbox) -> None:
    taken = 0

    def files() -> Iterator[tuple[str, bytes]]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield f"{number}.md", b"text"

    results = sandbox.parse_many(files())
    next(results)
    assert taken < 50
    results.close()


def test_a_source_that_is_not_unicode_comes_back_unchanged(sandbox: Sandbox) -> None:
    assert sandbox.parse("caf\udce9.txt", b"text").source == "caf\udce9.txt"


def test_too_much_text_is_a_reason() -> None:
    with (
        Sandbox(1, Limits(text=1000)) as small,
        pytest.raises(Unreadable, match=r"2,000 characters of text; the limit is 1,000"),
    ):
        small.parse("a.txt", b"a" * 2000)


@linux_only
def test_a_file_that_needs_too_much_memory_is_skipped_and_the_next_is_read() -> None:
    with Sandbox(1, Limits(memory=100_000_000)) as small:
        with pytest.raises(Unreadable, match=r"needs more than 100 MB of memory to read"):
            small.parse("a.txt", b"a" * 90_000_000)
        assert small.parse("b.txt", b"fine").text == "fine"


def endless_workbook() -> bytes:
    """Return a small spreadsheet whose rows take long to read."""
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for number in range(30_000):
        sheet.append([number, number + 1, f"text {number}", number * 2.5, number, number])
    buffer = BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


@linux_only
def test_a_file_that_takes_too_long_is_skipped_and_the_next_is_read() -> None:
    slow = endless_workbook()
    with Sandbox(1, Limits(wall=0.4)) as impatient:
        with pytest.raises(Unreadable, match=r"took longer than 0.4 s to read"):
            impatient.parse("a.xlsx", slow)
        assert isinstance(_until_read(impatient), Document)


def _until_read(sandbox: Sandbox) -> Document:
    """Return a document; on a busy machine a fresh child may take longer to start than the test's short limit."""
    for _ in range(20):
        try:
            return sandbox.parse("b.txt", b"fine")
        except Unreadable:
            continue
    raise AssertionError("the sandbox did not recover")


@linux_only
def test_processor_time_is_limited_for_each_file_anew() -> None:
    slow = endless_workbook()
    with Sandbox(1, Limits(cpu=0)) as strict:
        with pytest.raises(Unreadable, match=r"took more than 0 s of processor time to read"):
            strict.parse("a.xlsx", slow * 1)
        for _ in range(3):
            assert strict.parse("b.txt", b"fine").text == "fine"


@linux_only
def test_a_crash_is_a_reason_with_its_signal_and_the_child_is_replaced() -> None:
    slow = endless_workbook()
    with Sandbox(1) as sandbox:
        sandbox.parse("a.txt", b"x")
        (child,) = children_of(os.getpid())[-1:]
        threading.Timer(0.3, os.kill, (child, signal.SIGSEGV)).start()
        with pytest.raises(Unreadable, match=r"crashed its reader \(SIGSEGV\)"):
            sandbox.parse("a.xlsx", slow)
        assert sandbox.parse("b.txt", b"fine").text == "fine"


@linux_only
def test_a_child_that_died_while_idle_is_replaced_silently() -> None:
    with Sandbox(1) as sandbox:
        sandbox.parse("a.txt", b"x")
        (child,) = children_of(os.getpid())[-1:]
        os.kill(child, signal.SIGKILL)
        time.sleep(0.2)
        assert sandbox.parse("b.txt", b"fine").text == "fine"


PARENT = """
import sys, time
from indexer.sandbox import Sandbox
sandbox = Sandbox(1)
sandbox.parse("a.txt", b"x")
sys.stdout.write("ready\\n")
sys.stdout.flush()
time.sleep(60)
"""


@linux_only
def test_children_die_with_their_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        (child,) = children_of(parent.pid)
        parent.kill()
    for _ in range(50):
        if not Path(f"/proc/{child}").exists() or ") Z " in Path(f"/proc/{child}/stat").read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"child {child} outlived its parent")


@linux_only
def test_a_child_can_neither_write_files_nor_dump_core_and_sees_no_secrets() -> None:
    os.environ["A_SECRET_TOKEN"] = "hush"
    try:
        with Sandbox(1) as sandbox:
            sandbox.parse("a.txt", b"x")
            (child,) = children_of(os.getpid())[-1:]
            limits = {
                line[:25].strip(): line[26:].split()[0]
                for line in Path(f"/proc/{child}/limits").read_text().splitlines()
            }
            assert limits["Max file size"] == limits["Max core file size"] == "0"
            assert int(limits["Max open files"]) <= 64
            assert b"hush" not in Path(f"/proc/{child}/environ").read_bytes()
            assert os.getsid(child) != os.getsid(0)  # Ctrl-C on the terminal does not reach it
    finally:
        del os.environ["A_SECRET_TOKEN"]


def test_a_closed_sandbox_reads_nothing() -> None:
    sandbox = Sandbox(1)
    sandbox.close()
    with pytest.raises(RuntimeError, match="shutdown"):
        sandbox.parse("a.txt", b"x")


def test_closing_ends_what_is_under_way() -> None:
    slow = endless_workbook()
    start = time.monotonic()
    with Sandbox(2) as sandbox:
        results = sandbox.parse_many((f"{number}.xlsx", slow) for number in range(50))
        next(results)
        results.close()
    assert time.monotonic() - start < 15


def test_a_frame_comes_back_and_a_cut_frame_is_an_end() -> None:
    pipe = BytesIO()
    write_frame(pipe, {"source": "caf\udce9"}, b"body")
    whole = pipe.getvalue()
    assert read_frame(BytesIO(whole)) == ({"source": "caf\udce9"}, b"body")
    for length in range(len(whole)):
        with pytest.raises(EOFError, match=r"^$"):
            read_frame(BytesIO(whole[:length]))


def test_a_bomb_in_an_archive_is_refused_before_it_is_unpacked(sandbox: Sandbox) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 300_000_000)
    with pytest.raises(Unreadable, match="archive"):
        sandbox.parse("a.docx", buffer.getvalue())


def test_what_is_watched_ends_when_its_time_is_over_and_only_then() -> None:
    watch, rung = _Watch(), queue.SimpleQueue[str]()
    watch.begin(60, lambda: rung.put("never"))
    watch.begin(0.05, lambda: rung.put("sooner"))  # the thread sleeps for longer, and is woken
    assert rung.get(timeout=10) == "sooner"
    watch.begin(0.05, lambda: rung.put("never"))
    watch.end()
    watch.begin(0.3, lambda: rung.put("later"))  # it wakes too early, and sleeps again
    assert rung.get(timeout=10) == "later"
    watch.close()
    assert rung.empty()


def test_one_thread_watches_all_files_of_a_child() -> None:
    def watching() -> int:
        return sum(thread.name == "footnote-watch" for thread in threading.enumerate())

    before = watching()
    with Sandbox(workers=2) as sandbox:
        made = list(sandbox.parse_many((f"/{number}.txt", b"The pump.") for number in range(40)))
        assert not any(isinstance(each, Skip) for each in made)
        assert watching() <= before + 2
    deadline = time.monotonic() + 10
    while watching() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert watching() == before
