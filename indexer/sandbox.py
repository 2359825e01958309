"""Reading strangers' files in child processes with limits, reused from file to file.

The parent sends bytes and receives a Document, or a page of a PDF; a child need not open, write or fetch anything.
Scanned pages go on to Tesseract, which a child starts under its own limits and which ends with it.
Whatever a file does to its child (crash, hang, hunger for memory) becomes a reason to skip that file.
`indexer.sandbox_child` is the child's side.
"""

from __future__ import annotations

import json
import logging
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from indexer.errors import NotFound, Unreadable
from indexer.page_places import PagePlaces, places_from_frame
from indexer.types import Document, Section, Skip

_LOG = logging.getLogger(__name__)
_READ_AHEAD_FILES = 16
_READ_AHEAD_BYTES = 64_000_000
_KEPT = ("PATH", "LANG", "SYSTEMROOT")
_LENGTHS = 12
"""Bytes before each frame: 4 for the length of its header, 8 for that of its body."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost."""

    memory: int = 1 << 30
    """Bytes of address space above what a child starts with."""
    cpu: int = 20
    """Seconds of processor time."""
    wall: float = 30.0
    """Seconds on the clock; each scanned page has as many again, as it has processor time."""
    text: int = 50_000_000
    """Characters of decoded text."""


class Sandbox:
    """A few reused child processes that read and clean files. A context manager; safe to use from threads."""

    def __init__(self, workers: int = 2, limits: Limits = Limits()) -> None:
        self._children: queue.SimpleQueue[_Child] = queue.SimpleQueue()
        self._all = [_Child(limits) for _ in range(workers)]
        for child in self._all:
            self._children.put(child)
        # Children are started by these threads and no other: on Linux a child's parent-death signal
        # fires when the thread that started it ends.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="footnote-sandbox")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all children, at once. A closed sandbox reads nothing more."""
        for child in self._all:
            child.retire()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for child in self._all:
            child.stop()

    def parse(self, source: str, data: bytes) -> Document:
        """Return the clean document in `data`; the name in `source` helps to tell its format.

        Raises Unreadable with the reason: no text in it, damaged, or over one of the limits.
        """
        return self._threads.submit(self._parse, source, data).result()

    def parse_many(self, files: Iterable[tuple[str, bytes]]) -> Generator[Document | Skip, None, None]:
        """Yield a Document, or a Skip with the reason, for each (source, bytes), in the order given.

        `files` is read only a little ahead of what has been yielded, so it may be a generator over
        more than fits into memory.
        """
        pending: deque[tuple[str, int, Future[Document]]] = deque()
        waiting = 0
        try:
            for source, data in files:
                pending.append((source, len(data), self._threads.submit(self._parse, source, data)))
                waiting += len(data)
                while len(pending) > _READ_AHEAD_FILES or (waiting > _READ_AHEAD_BYTES and len(pending) > 1):
                    waiting -= pending[0][1]
                    yield _outcome(pending[0][0], pending.popleft()[2])
            while pending:
                yield _outcome(pending[0][0], pending.popleft()[2])
        finally:
            for _, _, future in pending:
                future.cancel()

    def picture(self, data: bytes, number: int, scale: float) -> Future[bytes]:
        """Draw page `number` of a PDF as PNG, `scale` pixels a point, or fewer where it would grow too large.

        The future raises Unreadable as `parse` does, and NotFound where there is no such page; cancelling it takes back
        what has not begun.
        """
        request = {"work": "picture", "page": number, "scale": scale}
        return self._threads.submit(lambda: self._ask(request, data)[1])

    def places(
        self, data: bytes, number: int, sections: Sequence[tuple[int, str]], languages: str = ""
    ) -> Future[PagePlaces]:
        """Find where the characters of these stored sections (offset and text of each) stand on page `number` of a PDF.

        `languages` are those that its scans were read in, "" for none. The future raises as that of `picture`.
        """
        request = {"work": "places", "page": number, "sections": list(sections), "languages": languages}
        return self._threads.submit(lambda: places_from_frame(*self._ask(request, data)))

    def _parse(self, source: str, data: bytes) -> Document:
        return _document(*self._ask({"work": "read", "source": source}, data))

    def _ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        child = self._children.get()
        try:
            return child.ask(request, data)
        finally:
            self._children.put(child)


def _outcome(source: str, future: Future[Document]) -> Document | Skip:
    try:
        return future.result()
    except Unreadable as unreadable:
        return Skip(source, unreadable.reason)


class _Watch:
    """Does something when a time is over, unless it was ended before. One thread for all times, one after the other.

    A thread for each, as threading.Timer has it, costs twice as much as all else in handing out a small file.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._due = math.inf
        self._wakes = math.inf
        """When the thread looks again, at the latest; it need not be woken for what is due later."""
        self._action: Callable[[], None] = lambda: None
        self._closed = False

    def begin(self, seconds: float, action: Callable[[], None]) -> None:
        """Do `action` after so many seconds, and no longer what was begun before."""
        with self._changed:
            self._due, self._action = time.monotonic() + seconds, action
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="footnote-watch", daemon=True)
                self._thread.start()
            elif self._due < self._wakes:
                self._changed.notify()

    def end(self) -> None:
        """Do nothing more; an action that has begun is waited for."""
        with self._changed:
            self._due = math.inf

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                left = self._due - time.monotonic()
                if left <= 0:
                    self._due = math.inf
                    self._action()
                else:
                    self._wakes = self._due
                    self._changed.wait(None if left == math.inf else left)


class _Child:
    """One child process and its replacements; used by one thread at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._watch = _Watch()
        self._retired = False

    def ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Return header and body of the answer. Raises Unreadable, NotFound."""
        process = self._started()
        late = threading.Event()

        def end() -> None:
            late.set()
            _kill(process)

        self._watch.begin(self._limits.wall, end)
        try:
            header, body = self._exchange(process, request, data)
            while header.get("alive") and not late.is_set():  # a scanned page was read; the next has its own time
                self._watch.begin(self._limits.wall, end)
                header, body = read_frame(_output(process))
        except (EOFError, OSError, ValueError) as error:
            self.stop()
            if self._retired:
                raise Unreadable("reading was interrupted") from error
            if late.is_set():
                raise Unreadable(f"took longer than {self._limits.wall:g} s to read") from error
            raise Unreadable(self._reason_of_death(process.returncode)) from error
        finally:
            self._watch.end()
        if late.is_set() or header.pop("tired", False):
            self.stop()
        if "unreadable" in header:
            raise Unreadable(str(header["unreadable"]))
        if "missing" in header:
            raise NotFound(str(header["missing"]))
        return header, body

    def stop(self) -> None:
        """Kill the process, if there is one, and wait until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        _kill(process)
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:  # unsent bytes that no one will read any more
                pass
        process.wait()

    def retire(self) -> None:
        """Kill the process from another thread, and start no other."""
        with self._lock:
            self._retired = True
            if self._process is not None:
                _kill(self._process)
        self._watch.close()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._retired:
                raise Unreadable("the sandbox is closed")
            if self._process is not None and self._process.poll() is None:
                return self._process
            self.stop()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "indexer.sandbox_child", json.dumps(asdict(self._limits))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).parent.parent,  # so that the child finds this very package
                env=_environment(),
                start_new_session=True,  # Ctrl-C reaches the parent alone
            )
            return self._process

    @staticmethod
    def _exchange(
        process: subprocess.Popen[bytes], request: dict[str, Any], data: bytes
    ) -> tuple[dict[str, Any], bytes]:
        if process.stdin is None:
            raise EOFError
        write_frame(process.stdin, request, data)
        return read_frame(_output(process))

    def _reason_of_death(self, code: int | None) -> str:
        if code is None or code >= 0:
            return f"its reader ended with exit code {code}"
        if -code == getattr(signal, "SIGXCPU", None):
            return f"took more than {self._limits.cpu} s of processor time to read"
        name = signal.Signals(-code).name if -code in {int(known) for known in signal.Signals} else str(-code)
        return f"crashed its reader ({name})"


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise EOFError
    return process.stdout


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a child together with what it started; each child leads a group of its own."""
    try:
        if sys.platform != "win32" and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.kill()


def _environment() -> dict[str, str]:
    """Return the few variables a child needs: no tokens, no proxies, one thread per library."""
    kept = {
        name: os.environ[name]
        for name in (*_KEPT, "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TESSDATA_PREFIX", "FOOTNOTE_OCR_LANGUAGE")
        if name in os.environ
    }
    fixed = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}
    return kept | fixed | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def write_frame(pipe: IO[bytes], header: dict[str, Any], body: bytes) -> None:
    """Send a JSON header and a body of bytes, each after its length."""
    head = json.dumps(header).encode("ascii")
    pipe.write(len(head).to_bytes(4, "big") + len(body).to_bytes(8, "big") + head)
    pipe.write(body)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Return the next header and body. Raises EOFError when the other side is gone."""
    lengths = _exactly(pipe, _LENGTHS)
    head = _exactly(pipe, int.from_bytes(lengths[:4], "big"))
    body = _exactly(pipe, int.from_bytes(lengths[4:], "big"))
    header = json.loads(head)
    if not isinstance(header, dict):
        raise ValueError("a frame's header is an object")
    return header, body


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    content = pipe.read(count)
    if len(content) < count:
        raise EOFError
    return content


def header_of(document: Document) -> dict[str, Any]:
    """Return everything of a document but its text, as plain JSON values."""
    return {
        "source": document.source,
        "sha256": document.sha256,
        "title": document.title,
        "sections": [[part.start, part.end, part.kind, part.level, part.page, part.line] for part in document.sections],
        "metadata": dict(document.metadata),
        "format": document.format,
        "notes": document.notes,
        "repairs": dict(document.repairs),
    }


def _document(header: dict[str, Any], body: bytes) -> Document:
    fields = dict(header)
    fields["sections"] = tuple(Section(*row) for row in fields["sections"])
    fields["notes"] = tuple(fields["notes"])
    return Document(text=body.decode("utf-8"), **fields)
