"""What stands before every route: who may come in, how large and how slow a request may be, and how many at once.

Pure ASGI, so that nothing of a request is looked at before it: the token first, then the name by which the service was
called, then the site whose page calls it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.service.errors import ServiceError, error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rag.service.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
MOST_HEADERS = 100
MOST_QUERY = 8_000
"""Longest query string, in bytes."""
_UPLOAD = re.compile(r"/v1/collections/[^/]+/documents")
_ENDLESS = re.compile(r"/v1/collections/[^/]+/(documents|index)")
_HEADERS: Mapping[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}
"""Sent with every response that does not say otherwise."""


class Guard:
    """Lets requests through to the application, or refuses them."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._token = settings.token.encode()
        self.inside = 0
        """Requests that are being worked on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of any kind."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "There are no web sockets here."})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope)
        except ServiceError as error:
            await _refuse(error, scope, receive, send)
            return
        self.inside += 1
        try:
            await _Exchange(self._app, self._settings, scope, receive, send).run()
        finally:
            self.inside -= 1

    def _check(self, scope: Scope) -> None:
        """Raise the error of a request that is refused before anything of its body is read."""
        headers = _headers(scope)
        if self._token and not hmac.compare_digest(_given_token(headers), self._token):
            raise ServiceError(
                401, "unauthorized", "This service asks for a token.", "Send the header: Authorization: Bearer TOKEN",
                {"WWW-Authenticate": 'Basic realm="footnote", Bearer realm="footnote"'},
            )  # fmt: skip
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if _host_name(host) not in self._settings.hosts:
            raise ServiceError(
                421, "wrong_host", f"This service is not called {host[:100]!r}.",
                "Use its address, or start it with: --allow-host NAME",
            )  # fmt: skip
        if scope["method"] not in SAFE and not _is_own(headers, host):
            raise ServiceError(
                403, "foreign_origin", "A page of another site may not change anything here.",
                "Call the service from its own page or from a program.",
            )  # fmt: skip
        if len(scope["headers"]) > MOST_HEADERS or len(scope["query_string"]) > MOST_QUERY:
            raise ServiceError(431, "too_large", "The request has too many headers, or too long a query.")
        if self.inside >= self._settings.max_requests:
            raise ServiceError(
                429, "busy", f"{self.inside} requests are in work already.", "Try again in 2 s.", {"Retry-After": "2"}
            )
        _check_body(headers, _most_bytes(scope, self._settings))


class _Exchange:
    """One request and its response, in time and within its size."""

    def __init__(self, app: ASGIApp, settings: Settings, scope: Scope, receive: Receive, send: Send) -> None:
        self._app, self._settings, self._scope = app, settings, scope
        self._from_client, self._to_client = receive, send
        self._most = _most_bytes(scope, settings)
        loop = asyncio.get_running_loop()
        is_upload = bool(_UPLOAD.fullmatch(scope["path"]))
        self._body_until = loop.time() + settings.body_seconds * (10 if is_upload else 1)
        self._read, self._whole, self._begun = 0, False, False
        self._refusal: ServiceError | None = None

    async def run(self) -> None:
        """Run the application; where it is too slow or the client too slow or too long, say so instead of it."""
        seconds = None if _ENDLESS.fullmatch(self._scope["path"]) else self._settings.request_seconds
        try:
            async with asyncio.timeout(seconds):
                await self._app(self._scope, self._receive, self._send)
        except TimeoutError:
            self._refusal = self._refusal or ServiceError(
                504, "timeout", f"This took longer than {seconds} s.", "Ask for less at once, or later."
            )
        except ServiceError as error:
            self._refusal = error
        if self._refusal is not None and not self._begun:
            await _refuse(self._refusal, self._scope, self._receive, self._to_client)

    async def _receive(self) -> Message:
        if self._whole:
            return await self._from_client()  # what comes now is that the client has gone
        left = self._body_until - asyncio.get_running_loop().time()
        try:
            message = await asyncio.wait_for(self._from_client(), max(0.001, left))
        except TimeoutError:
            raise self._refused(408, "timeout", "The request's body did not come in time.", "Send it faster.") from None
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._read > self._most:
                raise self._refused(413, "too_large", *_too_large(self._most))
        return message

    def _refused(self, status: int, kind: str, message: str, hint: str) -> ServiceError:
        self._refusal = ServiceError(status, kind, message, hint)
        return self._refusal

    async def _send(self, message: Message) -> None:
        if self._refusal is not None and not self._begun:
            return  # what the application makes of an interrupted body is not sent
        if message["type"] == "http.response.start":
            self._begun = True
            message = {**message, "headers": _with_headers(message.get("headers", []))}
        await self._to_client(message)


async def _refuse(error: ServiceError, scope: Scope, receive: Receive, send: Send) -> None:
    response = error_response(error, scope["path"])
    response.headers["Connection"] = "close"  # what is still to come of its body is not read

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _with_headers(message["headers"])}
        await send(message)

    await response(scope, receive, with_headers)


def _with_headers(headers: Any) -> list[tuple[bytes, bytes]]:
    present = list(headers)
    names = {name.lower() for name, _ in present}
    return [*present, *((name, value) for name, value in _HEADERS.items() if name not in names)]


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """Return the headers by name; of a name that comes twice, all values, so that no half is believed."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        found[name] = found[name] + b", " + value if name in found else value
    return found


def _given_token(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the token of a request: a bearer token, or the password with which a browser logs in."""
    scheme, _, value = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""


def _host_name(host: str) -> str:
    """Return the name in a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host


def _is_own(headers: Mapping[bytes, bytes], host: str) -> bool:
    """True when a request comes from our own page, or from no page at all."""
    if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
        return False
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin.decode("latin-1")).netloc.lower() == host


def _most_bytes(scope: Scope, settings: Settings) -> int:
    is_upload = scope["method"] == "POST" and _UPLOAD.fullmatch(scope["path"])
    return settings.max_upload if is_upload else settings.max_body


def _check_body(headers: Mapping[bytes, bytes], most: int) -> None:
    if headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
        raise ServiceError(415, "unsupported", "Bodies are taken as they are, not compressed.", "Send it uncompressed.")
    length = headers.get(b"content-length")
    if length is None:
        return
    if not length.isdigit() or len(length) > 18:
        raise ServiceError(400, "invalid_request", "The header Content-Length is no number.")
    if int(length) > most:
        raise ServiceError(413, "too_large", *_too_large(most))


def _too_large(most: int) -> tuple[str, str]:
    return f"The request's body is longer than {most:,} bytes.", "Send less at once."
