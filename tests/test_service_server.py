"""The service on a real port: slow senders, readers that take nothing, clients that leave, load, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import cli
from indexer.errors import UsageError
from indexer.sync import Given
from indexer.types import Vectors
from rag.generator import Draft, Words, Written
from rag.service.library import Library
from rag.service.server import address, bound
from rag.service.service import Service, make_service
from rag.service.settings import Settings
from rag.types import Passage
from tests.serving import FirstSentence, events_of, listening, service_of
from tests.worlds import WordEncoder, collection_of

TEA = "At what heat is green tea steeped?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    collection_of(folder).close()
    return folder


@contextlib.contextmanager
def connected(address: tuple[str, int], data: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(data)
        yield client


def request(body: Any, path: str = "/v1/ask", headers: str = "") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    )
    return f"{head}{headers}\r\n".encode() + data


def received(client: socket.socket) -> str:
    """Return everything until the server closes the connection."""
    data = b""
    while piece := client.recv(65536):
        data += piece
    return data.decode()


def asked(address: tuple[str, int], question: str = TEA, **more: Any) -> tuple[int, Any]:
    """Ask over a connection of its own, and return status and body."""
    with connected(address, request({"question": question, **more}, headers="Connection: close\r\n")) as client:
        head, _, body = received(client).partition("\r\n\r\n")
    if "transfer-encoding: chunked" in head.lower():
        body = dechunked(body)
    return int(head.split()[1]), json.loads(body) if "application/json" in head else body


def dechunked(body: str) -> str:
    """Return a body of ASCII that came in chunks (RFC 9112, section 7.1)."""
    whole = ""
    while body:
        size, _, rest = body.partition("\r\n")
        whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole


class Chatty:
    """Writes a word every few milliseconds for as long as somebody listens, and notes when it stopped."""

    name = "chatty"

    def __init__(self, padding: str = "") -> None:
        self.padding = padding
        self.begun, self.stopped = threading.Event(), threading.Event()

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        raise AssertionError("it is to be listened to")

    def stream(self, question: str, passages: Sequence[Passage]) -> Words:
        self.begun.set()
        try:
            for number in range(10_000 if "ever" in question else 3):
                time.sleep(0.005)
                yield f"word{number} " + self.padding
        finally:
            self.stopped.set()
        return Draft((Written("word0 word1 word2"),), 0.9)

    def threshold(self, max_error: float | None) -> float:
        return 0.5


# Slow senders and readers


def test_headers_that_never_end_are_given_up(home: Path) -> None:
    with listening(service_of(home, header_seconds=0.3)) as address, connected(address, b"GET /hea") as client:
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            for _ in range(20):  # one letter after the other does not buy time
                time.sleep(0.05)
                client.sendall(b"l")
        said = received(client)
    assert "408" in said.split("\r\n")[0]
    assert '"type": "timeout"' in said
    assert time.monotonic() - begun < 3


def test_a_connection_that_says_nothing_is_closed(home: Path) -> None:
    with listening(service_of(home, header_seconds=0.2)) as address, connected(address) as client:
        assert "408" in received(client)


def test_a_body_that_trickles_is_given_up(home: Path) -> None:
    with listening(service_of(home, body_seconds=0.3)) as address:
        head = request({"question": TEA})[:-10]
        with connected(address, head) as client:
            assert received(client).startswith("HTTP/1.1 408")
        assert asked(address)[0] == 200


def test_a_reader_who_takes_nothing_is_cut_off(home: Path) -> None:
    chatty = Chatty("x" * 100_000)
    service = service_of(home, chatty, send_seconds=0.3)
    with listening(service) as address:
        wordy = {"question": "Talk for ever about tea!", "stream": True}
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.connect(address)
            client.sendall(request(wordy))
            assert chatty.begun.wait(5)
            assert chatty.stopped.wait(30)  # the words have filled every buffer on the way


def test_a_body_that_trickles_on_after_the_answer_is_cut_off(home: Path) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    with listening(service_of(home)) as address, connected(address, head) as client:
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 100:
                client.sendall(b"x")
                time.sleep(0.02)
                sent += 1
        assert sent < 100


def test_too_many_connections_are_told_so(home: Path) -> None:
    with listening(service_of(home, max_connections=2)) as address, contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(connected(address))
        time.sleep(0.1)
        with connected(address) as third:
            assert "503" in received(third)


POST = b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "junk",
    [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 100_000,
     POST + b"Content-Length: -5\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"G\xff\xffT / HTTP/1.1\r\n\r\n",
     POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
     POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"],
)  # fmt: skip
def test_what_is_no_http_is_refused_and_the_service_goes_on(serving: tuple[str, int], junk: bytes) -> None:
    with connected(serving, junk) as client, contextlib.suppress(ConnectionResetError):
        said = received(client)
        assert re.match(r"HTTP/1.1 4\d\d ", said), said[:100]
        assert '"error"' in said
    assert asked(serving)[0] == 200


@pytest.fixture(scope="module")
def serving(home: Path) -> Iterator[tuple[str, int]]:
    with listening(service_of(home, header_seconds=2, body_seconds=2)) as address:
        yield address


# Clients that leave


def test_a_client_that_leaves_ends_the_writing_within_a_second(home: Path) -> None:
    for stream in (True, False):
        chatty = Chatty()
        service = service_of(home, chatty)
        with listening(service) as address:
            with connected(address, request({"question": "Talk for ever!", "stream": stream})):
                assert chatty.begun.wait(10)
            left = time.monotonic()
            assert chatty.stopped.wait(5)
            assert time.monotonic() - left < 1
            assert asked(address, "Say three words.")[1]["answer"] == "word0 word1 word2"
        assert service.asking.waiting == 0


def test_what_is_written_is_heard_before_it_is_done(home: Path) -> None:
    with listening(service_of(home, Chatty())) as address:
        status, body = asked(address, "Say three words.", stream=True)
    assert status == 200
    events = events_of(body)
    assert [name for name, _ in events] == ["stage", "passages", "stage", *["writing"] * 3, "answer"]


# Load


def test_fifty_clients_are_answered_or_told_to_come_again(home: Path) -> None:
    """The queue has room for ten; nobody hears anything but an answer or 429, and health is told meanwhile."""
    generator = FirstSentence(seconds=0.1)
    service = service_of(home, generator, queue=10, batch=4)
    statuses: list[int] = []
    with listening(service) as address:
        assert asked(address)[0] == 200
        threads = [threading.Thread(target=lambda: statuses.append(asked(address)[0])) for _ in range(50)]
        for thread in threads:
            thread.start()
        with connected(address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") as client:
            assert received(client).startswith("HTTP/1.1 200")
        assert len(statuses) < 50  # it did not wait for them
        for thread in threads:
            thread.join(30)
    assert set(statuses) <= {200, 429}
    assert len(statuses) == 50
    assert statuses.count(200) >= 10
    assert max(generator.sizes) == 4


def test_a_full_queue_says_when_to_come_again(home: Path) -> None:
    service = service_of(home, FirstSentence(seconds=0.5), queue=1, batch=1)
    question = request({"question": TEA}, headers="Connection: close\r\n")
    with listening(service) as address, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected(address, question)) for _ in range(12)]
        said = [received(client) for client in clients]
    refused = [each for each in said if "429" in each.split("\r\n")[0]]
    assert refused
    assert all(re.search(r"retry-after: \d", each, re.IGNORECASE) for each in refused)


def test_new_generations_are_seen_without_a_failed_request(home: Path, tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    statuses: list[int] = []
    done = threading.Event()
    with listening(service_of(tmp_path)) as address:

        def ask_on() -> None:
            while not done.is_set():
                statuses.append(asked(address)[0])

        asking = [threading.Thread(target=ask_on) for _ in range(3)]
        for thread in asking:
            thread.start()
        for number in range(3):
            (tmp_path / "files" / "new.txt").write_text(f"Item number{number} arrived.\n")
            collection.sync([tmp_path / "files"], rebuild=number == 2)
            seen = time.monotonic()
            while f"number{number}" not in asked(address, f"What about number{number} ?")[1]["answer"]:
                assert time.monotonic() - seen < 2
        done.set()
        for thread in asking:
            thread.join(20)
    assert set(statuses) == {200}


def test_many_generations_cost_no_files_and_no_connections(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)

    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    with listening(service_of(tmp_path)) as address:
        counted = []
        for number in range(20):
            collection.add([Given("note", f"Note about generation{number} follows.")])
            status, body = asked(address, f"What about generation{number} ?")
            assert (status, body["answer"]) == (200, f"Note about generation{number} follows.")
            counted.append((opened(), sum(path.is_file() for path in tmp_path.rglob("*"))))
    connections, files = zip(*counted, strict=True)
    assert max(connections[-5:]) <= max(connections[:10]) + 2  # a socket may be about to be closed
    assert max(files[-5:]) <= max(files[:10])


# The process


def started(home: Path, *arguments: str, **environment: str) -> tuple[subprocess.Popen[str], str]:
    """Start `footnote serve` on a free port; return the process and its address."""
    command = [sys.executable, str(Path(cli.__file__)), "serve", "--home", str(home), "--port", "0", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"http://\S+:(\d+)", line)
    assert found, line
    return process, found[0]


def status_of(address: tuple[str, int], path: str) -> int:
    with connected(address, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()) as client:
        return int(received(client).split()[1])


def test_sigterm_drains_and_ends_in_peace(home: Path) -> None:
    process, url = started(home, "--collection", "world", "--log-json")
    try:
        where = ("127.0.0.1", int(url.rpartition(":")[2]))
        assert status_of(where, "/healthz") == 200
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert logged.splitlines()[-1] == "Footnote has stopped. The same command starts it again."
    assert lines[0]["route"] == "/healthz"
    assert (lines[0]["status"], lines[0]["method"]) == (200, "GET")
    assert "Traceback" not in logged


@dataclass(frozen=True)
class Noticing(WordEncoder):
    """Notices whether it is used by a thread that the process does not wait for."""

    unwaited: list[bool] = field(default_factory=list)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.unwaited.append(threading.current_thread().daemon)
        return super().embed_queries(texts)


def test_the_end_waits_for_models_that_are_being_opened(home: Path) -> None:
    """A daemon thread in the middle of native code took the process with it: SIGTERM in the first second gave 134."""
    encoder = Noticing()
    service = make_service(Settings(home=str(home)), Library(home, "world", FirstSentence(), encoder))
    service.warm()
    for thread in threading.enumerate():
        if thread.name == "warm":
            thread.join()
    assert encoder.unwaited == [False]
    assert service.state == "ready"
    service.close()


def test_what_is_in_work_when_it_stops_is_answered(home: Path) -> None:
    service: Service = service_of(home, FirstSentence(seconds=0.5))
    answers: list[tuple[int, Any]] = []
    with listening(service) as address:
        asked(address)
        late = threading.Thread(target=lambda: answers.append(asked(address)))
        late.start()
        time.sleep(0.2)
    late.join(10)
    assert answers[0][0] == 200
    assert answers[0][1]["answered"]


def test_a_port_that_is_taken_is_said() -> None:
    with bound("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert address(listener) == f"http://127.0.0.1:{port}"
        with pytest.raises(UsageError, match=f"Port {port} of 127.0.0.1 is taken"):
            bound("127.0.0.1", port)
    with pytest.raises(UsageError, match=r"Cannot listen at 203\.0\.113\.9"):
        bound("203.0.113.9", 0)


def test_ipv6_is_spoken() -> None:
    try:
        listener = bound("::1", 0)
    except UsageError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert address(listener).startswith("http://[::1]:")
