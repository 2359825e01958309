"""An endpoint that keeps its connection alive and says nothing: whoever waits for it can always be stopped."""

from __future__ import annotations

import asyncio
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
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cli
from indexer.collection import Collection
from indexer.errors import GeneratorError
from rag import Engine
from rag.async_engine import AsyncEngine
from rag.stopping import Wanted
from rag.writing.endpoint_generator import EndpointGenerator
from tests.answers import passage
from tests.chat_server import ChatServer, Request, serving
from tests.serving import listening, service_of
from tests.worlds import collection_of, write_folder

TEA = "At what heat is green tea steeped?"
PASSAGES = [passage("Green tea is steeped at eighty degrees.")]
SOON = 1.5
"""Seconds within which what is stopped must have ended, on a busy machine."""


class Trickle:
    """Answers with a comment every fifth of a second, and notices when nobody reads them any more."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def __call__(self, request: Request) -> None:
        request.reply(200, Content_Type="text/event-stream")
        while True:
            request.handler.wfile.write(b":\n\n")
            request.handler.wfile.flush()
            self.begun.set()
            time.sleep(0.2)


@contextlib.contextmanager
def trickling() -> Iterator[tuple[ChatServer, Trickle]]:
    trickle = Trickle()
    with serving(trickle) as server:
        yield server, trickle


def seconds_until_it_ends(generator: EndpointGenerator, begun: Callable[[], object]) -> float:
    """Stop an answer from another thread once it has begun, and return how long it then took to end."""
    work, ends = Wanted(), list[float]()

    def answer() -> None:
        with work.working(), pytest.raises(GeneratorError, match="was no longer wanted"):
            generator.generate(TEA, PASSAGES)
        ends.append(time.monotonic())

    thread = threading.Thread(target=answer)
    thread.start()
    begun()
    stopped = time.monotonic()
    work.stop()
    thread.join(20)
    return ends[0] - stopped


def test_an_answer_that_nobody_wants_any_more_ends_at_once() -> None:
    """Its thread read on until the time was up, for two minutes."""
    with trickling() as (server, trickle):
        assert seconds_until_it_ends(EndpointGenerator(server.address), lambda: trickle.begun.wait(10)) < SOON
        assert server.gone.wait(5)


def test_a_server_that_says_nothing_or_takes_no_connection_can_be_left() -> None:
    with socket.socket() as server, contextlib.ExitStack() as queued:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        generator = EndpointGenerator(f"http://127.0.0.1:{server.getsockname()[1]}/v1", connect_s=15)
        assert seconds_until_it_ends(generator, lambda: time.sleep(0.3)) < SOON
        for _ in range(4):  # the queue is full: Linux drops what would connect, which tries again
            client = queued.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        assert seconds_until_it_ends(generator, lambda: time.sleep(0.3)) < SOON


def test_an_answer_that_is_stopped_before_it_begins_asks_no_server() -> None:
    work = Wanted()
    work.stop()
    with trickling() as (server, _), work.working(), pytest.raises(GeneratorError, match="no longer wanted"):
        EndpointGenerator(server.address).generate(TEA, PASSAGES)
    assert server.requests == []


def test_the_time_is_that_of_the_whole_answer_though_something_always_comes() -> None:
    """A server that refused probabilities at first had the time twice."""

    def answer(request: Request) -> None:
        if "logprobs" in request.body:
            time.sleep(1.8)
            request.json({"error": "unknown field logprobs"}, 400)
        else:
            Trickle()(request)

    begun = time.monotonic()
    with serving(answer) as server, pytest.raises(GeneratorError, match="was not done within 2 s"):
        EndpointGenerator(server.address, total_s=2).generate(TEA, PASSAGES)
    assert time.monotonic() - begun < 2 + SOON


def test_a_task_that_is_cancelled_leaves_the_endpoint(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)

    async def ask(server: ChatServer, trickle: Trickle, stream: bool) -> float:
        async with AsyncEngine(Engine(collection, EndpointGenerator(server.address))) as engine:

            async def listen() -> None:
                async for _ in engine.stream(TEA):
                    pass

            asking = asyncio.ensure_future(listen() if stream else engine.ask(TEA))
            assert await asyncio.to_thread(trickle.begun.wait, 10)
            asking.cancel()
            begun = time.monotonic()
            with contextlib.suppress(asyncio.CancelledError):
                await asking
        return time.monotonic() - begun  # closing has waited for the thread

    for stream in (True, False):
        with trickling() as (server, trickle):
            assert asyncio.run(ask(server, trickle, stream)) < SOON
            assert server.gone.wait(5)


def posted(port: int, stream: bool) -> socket.socket:
    """Return a client that has asked."""
    body = json.dumps({"question": TEA, "stream": stream}).encode()
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.sendall(b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
    client.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    return client


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_the_service_leaves_the_endpoint(tmp_path: Path, stream: bool) -> None:
    collection_of(tmp_path).close()
    with trickling() as (server, trickle):
        service = service_of(tmp_path, EndpointGenerator(server.address))
        with listening(service) as (_, port):
            with posted(port, stream):
                assert trickle.begun.wait(10)
            assert server.gone.wait(SOON)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("write") and busy(thread)]


def busy(thread: threading.Thread) -> bool:
    """Tell whether a thread of a pool that was shut down is still at work a moment later."""
    thread.join(SOON)
    return thread.is_alive()


# Processes


@pytest.fixture
def indexed(home: Path, tmp_path: Path) -> Path:
    """Return a home with a few documents, made by the default encoder."""
    stored = Collection("default", home)
    stored.sync([write_folder(tmp_path / "files")])
    stored.close()
    return home


def started(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(cli.__file__)), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def seconds_to_end(process: subprocess.Popen[str], *numbers: signal.Signals) -> float:
    """Send the signals, a little apart, and return how long after the last the process lived."""
    for number in numbers[:-1]:
        process.send_signal(number)
        time.sleep(0.5)
    begun = time.monotonic()
    process.send_signal(numbers[-1])
    process.communicate(timeout=20)
    return time.monotonic() - begun


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_question(indexed: Path, number: signal.Signals, code: int) -> None:
    with trickling() as (server, trickle):
        process = started("ask", TEA, "--generator", server.address)
        try:
            assert trickle.begun.wait(30)
            assert seconds_to_end(process, number) < SOON
            assert process.returncode == code
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("numbers", "stays", "code"),
    [
        ((signal.SIGINT, signal.SIGINT), True, 130),
        ((signal.SIGTERM,), False, 0),
        ((signal.SIGTERM,), True, 0),
    ],
    ids=["a second Ctrl-C", "SIGTERM when the client has left", "SIGTERM, and the time to drain is up"],
)
def test_a_signal_ends_the_service(indexed: Path, numbers: tuple[signal.Signals, ...], stays: bool, code: int) -> None:
    """The service waited for its writing threads, and these for the endpoint: 116 s."""
    drain = 1.0
    with trickling() as (server, trickle):
        environment = {"FOOTNOTE_DRAIN_SECONDS": str(drain if len(numbers) == 1 else 20)}
        process = started("serve", "--port", "0", "--generator", server.address, **environment)
        try:
            assert process.stderr is not None
            found = re.search(r"http://\S+:(\d+)", process.stderr.readline())
            assert found
            with posted(int(found[1]), True) as client:
                assert trickle.begun.wait(30)
                if not stays:
                    client.close()
                    assert server.gone.wait(SOON)
                took = seconds_to_end(process, *numbers)
            assert took < SOON + (drain if stays and len(numbers) == 1 else 0)
            assert process.returncode in (code, -signal.SIGINT if code == 130 else code)
        finally:
            process.kill()
