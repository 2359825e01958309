"""OpenTelemetry traces of requests, for whoever asks for them: a span each, which goes on the caller's trace.

A span names the route, never the address as it was typed, and says nothing of questions and documents. Where spans go,
the standard's own variables say (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, ...).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from indexer.errors import UsageError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Span
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


def traced(app: ASGIApp, processor: SpanProcessor | None = None) -> Traced:
    """Return the application with a span around every request; spans go to `processor`, by default out by OTLP.

    What was not sent yet is sent when the application's lifespan ends. Raises UsageError when OpenTelemetry is not
    installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise UsageError(
            "Traces need OpenTelemetry, which is not installed.",
            "Run: pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http",
        ) from error
    named = Resource.create()
    if str(named.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        named = named.merge(Resource({SERVICE_NAME: "footnote"}))
    provider = TracerProvider(resource=named)
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
    return Traced(app, provider)


class Traced:
    """An ASGI application with a span around every request (OpenTelemetry's conventions for HTTP servers)."""

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self._app, self._provider = app, provider
        self._tracer = provider.get_tracer("footnote")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of any kind."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "lifespan":
                await asyncio.to_thread(self._provider.shutdown)  # it may wait for who takes the spans

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        status = 0

        async def looking(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._tracer.start_as_current_span(
            method,
            TraceContextTextMapPropagator().extract(sent),
            SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                await self._app(scope, receive, looking)
            except Exception:
                status = status or 500  # its words are for our own log, since they may hold the question's
                raise
            finally:
                _describe(span, scope, method, status)


def _describe(span: Span, scope: Scope, method: str, status: int) -> None:
    """Say on the span what the request was and what became of it; `timings_ms` is what a route kept of an answer."""
    from opentelemetry.trace import StatusCode

    about: dict[str, Any] = {"http.request.method": method}
    if route := str(getattr(scope.get("route"), "path", "") or ""):
        about["http.route"] = route
        span.update_name(f"{method} {route}")
    if status:
        about["http.response.status_code"] = status
    for stage, ms in scope.get("state", {}).get("timings_ms", {}).items():
        about[f"footnote.ms.{stage}"] = round(ms, 2)
    span.set_attributes(about)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
