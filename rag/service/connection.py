"""The connections of the server: uvicorn's HTTP protocol, with deadlines and a limit on their number.

uvicorn waits for ever for a request's headers, and for a reader who takes nothing of a response; either would hold its
connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


def protocol(header_seconds: float, send_seconds: float, most: int) -> type[asyncio.Protocol]:
    """Return the protocol that waits so long for headers and for readers, and takes at most so many connections."""

    class Connection(H11Protocol):
        """One connection."""

        _too_late: asyncio.TimerHandle | None = None
        _reader_late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > most:
                self._close_with(503, "busy", f"{most} connections are open already.", "Try again in a while.")
            else:
                self._wait_for_headers()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and self.cycle.response_complete and self.conn.their_state is h11.SEND_BODY:
                self.transport.close()  # it goes on with a body that nobody reads any more
            if self.conn.their_state is not h11.IDLE:
                self._forget_timer()
            elif self._too_late is None and not self.transport.is_closing():
                self._wait_for_headers()

        def pause_writing(self) -> None:
            super().pause_writing()
            if self._reader_late is None:  # closing would wait for the reader, too
                self._reader_late = self.loop.call_later(send_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._reader_late is not None:
                self._reader_late.cancel()
                self._reader_late = None

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget_timer()
            if self._reader_late is not None:
                self._reader_late.cancel()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            self._close_with(400, "invalid_request", "This is no HTTP request.", "")

        def _wait_for_headers(self) -> None:
            self._too_late = self.loop.call_later(
                header_seconds,
                lambda: self._close_with(408, "timeout", "The request's headers did not come in time.", ""),
            )

        def _forget_timer(self) -> None:
            if self._too_late is not None:
                self._too_late.cancel()
                self._too_late = None

        def _close_with(self, status: int, kind: str, message: str, hint: str) -> None:
            self._forget_timer()
            if self.transport.is_closing():
                return
            body = json.dumps({"error": {"type": kind, "message": message, "hint": hint}}).encode()
            headers: list[tuple[str, str]] = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            events: list[Any] = [
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ]
            with contextlib.suppress(h11.LocalProtocolError):  # a response has begun: nothing more can be said
                self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
            self.transport.close()

    return Connection
