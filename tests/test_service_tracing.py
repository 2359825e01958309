"""Traces of requests: what a span says, what it must not say, and whose trace it goes on."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from indexer.errors import UsageError
from rag.service.app import guarded
from rag.service.tracing import Traced, traced
from tests.serving import LOCAL, service_of
from tests.worlds import collection_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def never(*_: Any) -> Any:
    raise AssertionError("nothing is to be received")


def answering(status: int, route: str = "/v1/ask", timings: Mapping[str, float] | None = None) -> Any:
    """Return an application that answers with this status, as one with routes would."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if route:
            scope["route"] = SimpleNamespace(path=route)
        if timings:
            scope.setdefault("state", {})["timings_ms"] = timings
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


def span_of(app: Any, method: str = "POST", headers: Mapping[str, str] | None = None) -> ReadableSpan:
    """Return the span of one request to `app` for /v1/ask?secret."""
    kept = InMemorySpanExporter()
    given = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": method, "path": "/v1/ask", "query_string": b"secret", "headers": given}

    async def send(_: Any) -> None:
        pass

    asyncio.run(traced(app, SimpleSpanProcessor(kept))(scope, never, send))
    (span,) = kept.get_finished_spans()
    return span


def test_a_span_says_what_the_request_was_and_nothing_of_what_was_asked() -> None:
    span = span_of(answering(200, timings={"embed": 8.904, "generate": 38.0}))
    assert span.name == "POST /v1/ask"
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/ask",
        "http.response.status_code": 200,
        "footnote.ms.embed": 8.9,
        "footnote.ms.generate": 38.0,
    }
    assert span.status.is_unset
    assert span.resource.attributes["service.name"] == "footnote"


def test_it_goes_on_the_trace_of_the_caller() -> None:
    span = span_of(answering(200), headers={"traceparent": PARENT})
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == PARENT[3:35]
    assert f"{span.parent.span_id:016x}" == PARENT[36:52]
    assert span_of(answering(200), headers={"traceparent": "nonsense\xff"}).parent is None


def test_our_mistakes_are_errors_and_those_of_callers_are_not() -> None:
    assert not span_of(answering(503)).status.is_ok
    assert span_of(answering(503)).status.status_code.name == "ERROR"
    assert span_of(answering(404, route="")).status.is_unset


def test_an_address_that_is_no_route_and_a_method_that_is_none_are_not_repeated() -> None:
    span = span_of(answering(404, route=""), method="SECRET")
    assert span.name == "_OTHER"
    assert "secret" not in str(span.attributes).lower()


def test_what_fails_keeps_its_error_and_tells_no_words_of_it() -> None:
    async def app(*_: Any) -> None:
        raise RuntimeError("the question was: secret")

    kept = InMemorySpanExporter()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(RuntimeError, match="secret"):
        asyncio.run(traced(app, SimpleSpanProcessor(kept))(scope, never, never))
    (span,) = kept.get_finished_spans()
    assert span.status.status_code.name == "ERROR"
    assert "secret" not in span.to_json()


def test_what_was_not_sent_is_sent_when_the_service_stops() -> None:
    stopped = []

    class Stopping(SimpleSpanProcessor):
        def shutdown(self) -> None:
            stopped.append(True)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert not stopped

    asyncio.run(traced(app, Stopping(InMemorySpanExporter()))({"type": "lifespan"}, never, never))
    assert stopped == [True]


def test_without_the_packages_one_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(UsageError, match="OpenTelemetry, which is not installed") as told:
        traced(answering(200))
    assert told.value.hint.startswith("Run: pip install opentelemetry-sdk")


def test_the_service_is_traced_when_it_is_told_to_be(tmp_path: Path) -> None:
    """A question through the whole application: its span has the stages of the answer, and not the question."""
    collection_of(tmp_path).close()
    kept = InMemorySpanExporter()
    service = service_of(tmp_path)
    with TestClient(traced(guarded(service), SimpleSpanProcessor(kept)), LOCAL) as client:
        assert client.post("/v1/ask", json={"question": "At what heat is green tea steeped?"}).status_code == 200
        assert client.get("/v1/secret").status_code == 404
        asked, lost = kept.get_finished_spans()
    assert asked.name == "POST /v1/ask"
    stages = {name for name in asked.attributes or {} if name.startswith("footnote.ms.")}
    assert {"footnote.ms.queue", "footnote.ms.embed", "footnote.ms.generate"} <= stages
    assert "tea" not in asked.to_json()
    assert "secret" not in lost.to_json()
    assert isinstance(guarded(service_of(tmp_path, tracing=True)), Traced)
