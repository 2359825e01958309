"""Agents over HTTP: the MCP server of `rag.adapters`, by streamable HTTP at /mcp, behind the guard like every route.

It keeps no session. The protocol's SDK is loaded with the first request, which takes a second or two.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.engine import Engine
from rag.retriever import Mode
from rag.service.asking import Question, Search
from rag.service.errors import ServiceError, error_response
from rag.service.renaming import with_upload_names
from rag.service.service import Service
from rag.types import Answer, Form, Passage

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Receive, Scope, Send

PATH = "/mcp"


@dataclass(frozen=True, slots=True)
class _Answering:
    """Searches and answers in the queues of the service, together with everybody else's questions."""

    engine: Engine
    service: Service

    async def search(self, query: str, k: int, *, mode: Mode, filters: Sequence[str]) -> list[Passage]:
        return await self.service.asking.search(Search(self.engine, query, k, mode, tuple(filters)))

    async def ask(
        self,
        question: str,
        k: int,
        *,
        filters: Sequence[str],
        max_error: float | None,
        history: Sequence[str],
        form: Form | None,
    ) -> Answer:
        asked = Question(self.engine, question, k, tuple(filters), max_error, history=tuple(history), form=form)
        answer = await self.service.asking.ask(asked)
        self.service.metrics.answer(answer.outcome)
        return with_upload_names(answer, self.service.names(answer.collection))


@dataclass(frozen=True, slots=True)
class _Shelves:
    """The collections of the service, as the MCP server asks for them."""

    service: Service

    @property
    def usual(self) -> str:
        return self.service.library.default

    def names(self) -> list[str]:
        return self.service.library.names()

    def engine(self, name: str | None) -> _Answering:
        return _Answering(self.service.library.at_hand(name) or self.service.library.engine(name), self.service)

    async def close(self) -> None:
        pass  # the service closes them


class Agents:
    """Answers the requests of agents, as an ASGI application."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._opening = asyncio.Lock()
        self._ending = asyncio.Event()
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            manager = await self._opened()
        except ModuleNotFoundError:
            message = "Serving agents needs the package mcp, which is not installed."
            error = ServiceError(404, "not_found", message, 'Run: pip install "footnote[mcp]"')
            await error_response(error)(scope, receive, send)
            return
        await manager.handle_request(scope, receive, send)

    async def _opened(self) -> StreamableHTTPSessionManager:
        async with self._opening:
            if self._manager is None:
                self._manager = await asyncio.to_thread(_manager, self._service)
                started = asyncio.Event()
                self._running = asyncio.create_task(_run(self._manager, started, self._ending))
                await started.wait()
            return self._manager

    async def close(self) -> None:
        """End what is being answered."""
        self._ending.set()
        if self._running is not None:
            await self._running


def _manager(service: Service) -> StreamableHTTPSessionManager:
    """Return what serves the protocol. Raises ModuleNotFoundError where its SDK is not installed."""
    root = logging.getLogger()
    kept = None if root.handlers else logging.NullHandler()
    if kept is not None:
        root.addHandler(kept)  # else the SDK sets up the log of the whole process
    try:
        from mcp.server.transport_security import TransportSecuritySettings

        from rag.adapters.mcp_server import mcp_server

        server = mcp_server(_Shelves(service))
    finally:
        if kept is not None:
            root.removeHandler(kept)
    open_to_all = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # the guard has looked already
    server.streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True, transport_security=open_to_all,
        max_request_body_size=service.settings.max_body,
    )  # fmt: skip
    return server.session_manager


async def _run(manager: StreamableHTTPSessionManager, started: asyncio.Event, ending: asyncio.Event) -> None:
    async with manager.run():
        started.set()
        await ending.wait()
