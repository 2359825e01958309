"""Responses that come in pieces: server-sent events, and work that ends when its client has gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse

from rag.service.errors import as_json, failure

Result = TypeVar("Result")
KEEP_ALIVE = 10.0
"""Seconds of silence after which a comment is sent, so that nothing between takes the connection for dead."""
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
MEDIA_TYPE = "text/event-stream"


def sent_event(name: str, content: Any) -> str:
    """Return one server-sent event with JSON as its data (WHATWG HTML, section 9.2); no name for an unnamed one."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {as_json(content)}\n\n"


def event_response(events: AsyncGenerator[tuple[str, Any], None], status: int = 200) -> StreamingResponse:
    """Return a response of named events; an error ends them as an event of its own."""
    return text_response(_named(events), status)


def text_response(pieces: AsyncGenerator[str, None], status: int = 200) -> StreamingResponse:
    """Return a response of events that are text already; where they are long in coming, comments are sent meanwhile."""
    return StreamingResponse(_kept_alive(pieces), status, _HEADERS, MEDIA_TYPE)


async def _named(events: AsyncGenerator[tuple[str, Any], None]) -> AsyncGenerator[str, None]:
    async with contextlib.aclosing(events):
        try:
            async for name, content in events:
                yield sent_event(name, content)
        except Exception as error:
            yield sent_event("error", failure(error))


async def _kept_alive(pieces: AsyncGenerator[str, None]) -> AsyncIterator[bytes]:
    """Yield the pieces, encoded; the one that is waited for is not disturbed by a comment."""
    async with contextlib.aclosing(pieces):
        waited = asyncio.ensure_future(anext(pieces, None))
        try:
            while True:
                done, _ = await asyncio.wait((waited,), timeout=KEEP_ALIVE)
                if not done:
                    yield b": waiting\n\n"
                    continue
                piece = waited.result()
                if piece is None:
                    return
                yield piece.encode(errors="backslashreplace")
                waited = asyncio.ensure_future(anext(pieces, None))
        finally:
            waited.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await waited  # else its generator is still running when it is to be closed


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return what `work` gives; it is cancelled as soon as the client has gone. The body must have been read."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return await working
    finally:
        for task in (working, leaving):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await working
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await leaving


async def _left(request: Request) -> None:
    """Return once the client has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
