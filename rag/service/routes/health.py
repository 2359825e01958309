"""How the service is: alive, ready, and its counts; and what it can do, for programs and for people."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from rag.service import schemas
from rag.service.api_page import api_page
from rag.service.errors import json_response
from rag.service.routes.describing import ERRORS
from rag.service.service import Served

router = APIRouter(tags=["service"], responses=ERRORS)


def version() -> str:
    """Return the program's version; "0" when it is not installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as of

    try:
        return of("footnote")
    except PackageNotFoundError:
        return "0"


@router.get("/healthz", response_model=schemas.Health)
async def health() -> Response:
    """Say that the process answers."""
    return json_response({"status": "ok", "version": version()})


@router.get(
    "/readyz",
    response_model=schemas.Ready,
    responses={503: {"model": schemas.Ready, "description": "It starts or stops."}},
)
async def ready(service: Served) -> Response:
    """Say whether questions are welcome; 503 while models are opened, and while the service stops."""
    status = 200 if service.state == "ready" else 503
    return json_response({"state": service.state, "queue": service.asking.waiting}, status)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(service: Served) -> Response:
    """Return the counts in Prometheus' text format."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Show what the service can do, on one page without scripts."""
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'"}
    return HTMLResponse(api_page(request.app.openapi()), headers=policy)
