"""The application: routes, errors and guard put together, ready for a server or a test."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from indexer.errors import UserError
from rag.service.agents import PATH as MCP_PATH
from rag.service.agents import Agents
from rag.service.errors import on_http_error, on_invalid, on_mistake, on_user_error
from rag.service.guard import Guard
from rag.service.observing import Observer
from rag.service.routes import collections, folders, health, offering, openai, page, pdf_pages, questions
from rag.service.routes.describing import event_schemas
from rag.service.service import Service, make_service
from rag.service.settings import Settings, checked
from rag.service.tracing import traced

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from rag.service.library import Library

_ABOUT = (
    "Ask your documents. Every answer carries its footnotes, and every footnote can be checked. "
    "Every failure has one form: an error with its type, what happened, and what to do next."
)


def create_app(settings: Settings | None = None, library: Library | None = None) -> ASGIApp:
    """Return the application as an ASGI callable, the guard outermost but for counting and logging.

    `library` holds engines of one's own; by default collections are opened under the settings' home. Raises UsageError
    for settings that nothing can be served with.
    """
    return guarded(make_service(checked(settings or Settings()), library))


def guarded(service: Service) -> ASGIApp:
    """Return the application around a service."""
    settings = service.settings
    guard = Guard(routes_of(service), settings)
    observed = Observer(guard, service.metrics, settings.log_questions)
    return traced(observed) if settings.tracing else observed


def routes_of(service: Service) -> FastAPI:
    """Return the bare application, without the guard: what describes itself by `openapi()`."""

    agents = Agents(service)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.warm()
        try:
            yield
        finally:
            await agents.close()
            service.close()

    app = FastAPI(
        title="Footnote", version=health.version(), description=_ABOUT, docs_url=None, redoc_url=None,
        redirect_slashes=False, lifespan=lifespan, generate_unique_id_function=lambda route: route.name,
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},  # ours is in `tracing`
    )  # fmt: skip
    app.state.service = service
    for router in (
        questions.router,
        collections.router,
        folders.router,
        offering.router,
        pdf_pages.router,
        openai.router,
        health.router,
        page.router,
    ):
        app.include_router(router)
    app.router.routes.append(Route(MCP_PATH, agents, methods=["POST"]))
    described = app.openapi()["components"]["schemas"]
    described.update({name: schema for name, schema in event_schemas().items() if name not in described})
    app.add_exception_handler(UserError, on_user_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(ClientDisconnect, _nobody)
    app.add_exception_handler(Exception, on_mistake)
    return app


async def _nobody(_: Request, __: Exception) -> Response:
    """Answer one who has gone: nobody reads it."""
    return Response(status_code=499)
