"""A real HTTP server on this machine in the form of OpenAI's chat completions, as good or as bad as a test wants it."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    """What a client asked, and the way to answer."""

    handler: BaseHTTPRequestHandler
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """What the user said."""
        return str(self.body["messages"][0]["content"])

    def reply(self, status: int, data: bytes = b"", **headers: str) -> None:
        """Answer with this status, body and headers (an underscore stands for a dash)."""
        self.handler.send_response(status)
        for name, value in ({"Content_Type": "application/json"} | headers).items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(data)

    def json(self, value: Any, status: int = 200) -> None:
        """Answer with JSON."""
        self.reply(status, json.dumps(value).encode())

    def say(self, text: str) -> None:
        """Answer with one whole message."""
        self.json({"choices": [{"message": {"role": "assistant", "content": text}}]})

    def stream(self, pieces: Sequence[str], *, log_probability: float | None = None, ends: bool = True) -> None:
        """Answer with a stream of events, one a piece."""
        self.reply(200, Content_Type="text/event-stream; charset=utf-8")
        self.event({"choices": [{"delta": {"role": "assistant", "content": None}}]})
        for piece in pieces:
            choice: dict[str, Any] = {"delta": {"content": piece}}
            if log_probability is not None:
                choice["logprobs"] = {"content": [{"token": piece, "logprob": log_probability}]}
            self.event({"choices": [choice]})
        if ends:
            self.handler.wfile.write(b": a comment\r\n\r\ndata: [DONE]\r\n\r\n")

    def event(self, value: Any) -> None:
        """Send one event."""
        self.handler.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
        self.handler.wfile.flush()


Answering = Callable[[Request], None]


@dataclass
class ChatServer:
    """The running server: its address, and what it was asked."""

    address: str
    requests: list[Request] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when a client has closed the connection while it was being answered."""


@contextlib.contextmanager
def serving(answer: Answering) -> Iterator[ChatServer]:
    """Serve on a free port, answering each request by `answer`, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = Request(self, self.path, dict(self.headers), json.loads(body))
            server.requests.append(request)
            try:
                answer(request)
                self.wfile.flush()
            except OSError:
                server.gone.set()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        server = ChatServer(f"http://127.0.0.1:{listening.server_port}/v1#parrot")
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def quote_first(request: Request) -> None:
    """Answer as a good model would that only ever quotes the last line of the first passage."""
    line = re.search(r"^\[1\].*\n(?:> .*\n)*> (.*)$", request.prompt, flags=re.MULTILINE)
    request.stream([*((line[1] if line else "?").partition(" ")), " [1]"], log_probability=-0.1)
