"""Talking to a chat endpoint in OpenAI's form, as llama.cpp, Ollama and vLLM serve it: one question, words back.

The one place of the program that opens a connection, and only to the address that the user typed. No redirect is
followed and no proxy asked; what comes back is limited in time and size, and nothing of it is believed unchecked.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import os
import socket
import ssl
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from indexer.errors import GeneratorError, UsageError
from rag.stopping import wanted

KEY = "FOOTNOTE_ENDPOINT_KEY"
"""Variable that holds the endpoint's key, where it asks for one."""
MAX_BYTES = 4_000_000
"""Most bytes of a reply."""
_SHOWN = 200
"""Characters of a server's own words in an error."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers, and what it is called there."""

    secure: bool
    host: str
    port: int
    path: str
    model: str
    """ "" for a server that has only one."""

    @property
    def address(self) -> str:
        """The address without the model."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.secure else ''}://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of a reply."""

    text: str
    log_probabilities: tuple[float, ...] = ()
    """Of its tokens, natural logarithm; none where the server does not tell."""


def endpoint_at(address: str) -> Endpoint:
    """Return the endpoint of `http://host:port/v1#model`; without a path, /v1 is meant. Raises UsageError."""
    example = "Give it like this: http://127.0.0.1:8080/v1#MODEL"
    try:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise UsageError(f"{address!r} is no address: {error}.", example) from error
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not address.isascii()
        or not address.isprintable()
    ):
        raise UsageError(f"{address!r} is no address of an endpoint.", example)
    if parts.username is not None or parts.query or " " in address:
        raise UsageError(
            f"The address of {parts.hostname} holds more than host, port, path and model.",
            f"A key goes into the variable {KEY}. {example}",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return Endpoint(parts.scheme == "https", parts.hostname, port, path, parts.fragment)


def chat(
    endpoint: Endpoint, message: str, *, most: int, connect_s: float, total_s: float
) -> Generator[Said, None, None]:
    """Yield what the model replies to `message`, at most `most` tokens, as it comes; closing it ends the connection.

    The key is read from the variable FOOTNOTE_ENDPOINT_KEY. Raises GeneratorError when the server cannot be reached
    within `connect_s` seconds or is not done within `total_s`, when it refuses, when its reply is not understood, and
    when `rag.stopping.wanted()` is stopped meanwhile.
    """
    body: dict[str, Any] = {"messages": [{"role": "user", "content": message}], "max_tokens": most, "temperature": 0}
    body |= {"stream": True} | ({"model": endpoint.model} if endpoint.model else {})
    deadline = _Deadline(total_s, time.monotonic() + total_s)
    for request in (body | {"logprobs": True}, body):
        with _exchange(endpoint, request, connect_s, deadline) as response:
            if response.status in (400, 422) and "logprobs" in request:
                continue  # some servers refuse what they do not know
            _check_status(endpoint, response)
            if "text/event-stream" in response.headers.get("Content-Type", ""):
                yield from _events(response)
            else:
                yield _said(_read(response, MAX_BYTES))
            return


@contextlib.contextmanager
def _exchange(
    endpoint: Endpoint, body: Mapping[str, Any], connect_s: float, deadline: _Deadline
) -> Iterator[http.client.HTTPResponse]:
    """Send a request and hand out the response; when the time is up, or nobody listens, the connection is cut."""
    line = _Line()
    timer = threading.Timer(deadline.left, line.cut, [True])
    timer.daemon = True
    timer.start()
    try:
        with wanted().waiting(line.cut):
            connection = _connected(endpoint, line, min(connect_s, deadline.left))
            try:
                connection.request("POST", f"{endpoint.path}/chat/completions", json.dumps(body).encode(), _headers())
                with connection.getresponse() as response:
                    yield response
            finally:
                connection.close()
    except (OSError, http.client.HTTPException, ValueError, GeneratorError) as error:
        if line.late:
            raise GeneratorError(
                f"{endpoint.address} was not done within {deadline.seconds:g} s.",
                "Ask for fewer passages (-k 3), or take a smaller model or a faster machine.",
            ) from error
        if line.is_cut:
            raise GeneratorError(f"The answer of {endpoint.address} was no longer wanted.") from error
        if isinstance(error, GeneratorError):
            raise
        raise GeneratorError(
            f"{endpoint.address} broke off or does not speak HTTP: {_reason(error)}.", "Look at the server's log."
        ) from error
    finally:
        timer.cancel()
        line.close()


@dataclass(frozen=True, slots=True)
class _Deadline:
    """When the whole answer must be there, however many requests it takes and whatever keeps them alive."""

    seconds: float
    end: float
    """On the clock of `time.monotonic`."""

    @property
    def left(self) -> float:
        """Seconds that are left, a moment at least."""
        return max(0.001, self.end - time.monotonic())


class _Line:
    """The socket of a connection, from its first packet, which another thread may cut."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_cut = False
        self.late = False
        """Whether it was cut since the time was up."""

    def take(self, opened: socket.socket) -> None:
        """Make this the socket to cut; one that comes after the cut is cut as well."""
        with self._lock:
            self._socket = opened
            if self.is_cut:
                _shut(opened)

    def cut(self, late: bool = False) -> None:
        """End whatever the connection waits for."""
        with self._lock:
            self.late = self.late or (late and not self.is_cut)
            self.is_cut = True
            if self._socket is not None:
                _shut(self._socket)

    def close(self) -> None:
        """Let go of the socket."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()


def _shut(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)  # not TLS's own, which would wait for the other side


def _connected(endpoint: Endpoint, line: _Line, within_s: float) -> http.client.HTTPConnection:
    """Return a connection whose socket `line` holds. Raises GeneratorError where nothing can be reached."""
    context = ssl.create_default_context() if endpoint.secure else None
    connection = (
        http.client.HTTPConnection(endpoint.host, endpoint.port)
        if context is None
        else http.client.HTTPSConnection(endpoint.host, endpoint.port, context=context)
    )
    try:
        connection.sock = _opened(endpoint, context, line, within_s)
    except TimeoutError as error:
        raise GeneratorError(
            f"{endpoint.address} did not answer within {within_s:g} s.", "Check the address, and that the server runs."
        ) from error
    except (OSError, UnicodeError) as error:
        raise GeneratorError(
            f"Nothing can be reached at {endpoint.address}: {_reason(error)}.",
            "Start the server there, or correct the address. For example: llama-server -m MODEL.gguf --port 8080",
        ) from error
    connection.sock.settimeout(None)  # from here on `line` ends what takes too long
    return connection


def _opened(endpoint: Endpoint, context: ssl.SSLContext | None, line: _Line, within_s: float) -> socket.socket:
    """Return a socket connected to the first address of the host that answers; by TLS, where there is a `context`."""
    failed: OSError = OSError("the name has no address")
    for family, kind, protocol, _, place in socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM):
        opened = socket.socket(family, kind, protocol)
        line.take(opened)
        try:
            opened.settimeout(within_s)
            opened.connect(place)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                opened = context.wrap_socket(opened, server_hostname=endpoint.host, do_handshake_on_connect=False)
                line.take(opened)
                opened.do_handshake()
            return opened
        except OSError as error:
            opened.close()
            failed = error
            if line.is_cut:
                break
    raise failed


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
    key = os.environ.get(KEY, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise GeneratorError(f"The variable {KEY} holds characters that no key has.", f"Set it again: export {KEY}=...")
    return headers | ({"Authorization": f"Bearer {key}"} if key else {})


def _check_status(endpoint: Endpoint, response: http.client.HTTPResponse) -> None:
    status = response.status
    if status == 200:
        return
    called = f" model {endpoint.model!r}" if endpoint.model else " model, since none was named,"
    if status in (401, 403):
        raise GeneratorError(f"{endpoint.address} wants a key, or another one ({status}).", f"Type: export {KEY}=...")
    if status == 404:
        raise GeneratorError(
            f"{endpoint.address} knows no{called} or is no such endpoint (404): {_own_words(response)}",
            f"Name the model behind #. Which there are: curl {endpoint.address}/models",
        )
    if 300 <= status < 400:
        target = response.headers.get("Location", "nowhere")[:_SHOWN]
        raise GeneratorError(
            f"{endpoint.address} sends on to {target!r} ({status}), which is not followed.",
            "Give that address itself, if the passages may go there.",
        )
    raise GeneratorError(f"{endpoint.address} failed ({status}): {_own_words(response)}", "Look at the server's log.")


def _own_words(response: http.client.HTTPResponse) -> str:
    """Return what the server says of an error, shortened."""
    text = response.read(10_000).decode(errors="replace")
    with contextlib.suppress(ValueError, RecursionError, TypeError, KeyError, AttributeError):
        told = json.loads(text)["error"]
        text = told["message"] if isinstance(told, dict) else str(told)
    return repr(" ".join(str(text).split())[:_SHOWN])


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)[:_SHOWN]


# What comes back


def _read(response: http.client.HTTPResponse, most: int) -> bytes:
    data = response.read(most + 1)
    if len(data) > most:
        raise GeneratorError(f"The endpoint's reply is longer than {most:,} bytes.", "Look at the server's log.")
    return data


def _events(response: http.client.HTTPResponse) -> Iterator[Said]:
    """Yield the pieces of a stream of server-sent events (WHATWG HTML, section 9.2)."""
    left = MAX_BYTES
    while line := response.readline(left + 1):
        left -= len(line)
        if left < 0:
            raise GeneratorError(
                f"The endpoint's reply is longer than {MAX_BYTES:,} bytes.", "Look at the server's log."
            )
        field, _, value = line.strip().partition(b":")
        if field == b"data" and value.strip() == b"[DONE]":
            return
        if field == b"data":
            yield _said(value)
    raise GeneratorError("The endpoint broke off in the middle of its reply.", "Look at the server's log.")


def _said(data: bytes) -> Said:
    """Return what a reply, or a piece of one, says. Raises GeneratorError when it has another form."""
    try:
        reply = json.loads(data)
        failed = reply.get("error")
        # some servers end with a piece that only counts tokens
        choice = {} if failed else (reply["choices"] or [{}])[0]
        text = (choice.get("delta") or choice.get("message") or {}).get("content") or ""
        told = [each["logprob"] for each in (choice.get("logprobs") or {}).get("content") or []]
        if not isinstance(text, str):
            raise TypeError
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise GeneratorError(
            f"The endpoint does not reply in the form of chat completions: {data[:_SHOWN].decode(errors='replace')!r}",
            "Check that the address is that of the API, which mostly ends in /v1.",
        ) from error
    if failed:
        raise GeneratorError(f"The endpoint failed: {str(failed)[:_SHOWN]!r}", "Look at the server's log.")
    return Said(text, tuple(float(p) for p in told if isinstance(p, int | float) and -math.inf < p <= 0))
