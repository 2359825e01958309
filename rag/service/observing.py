"""What is known of requests afterwards: counts and times for Prometheus, and one log line each.

A line holds the route, never the address as it was typed; questions stand in the log only where that was asked for.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rag.types import Outcome

log = logging.getLogger(__name__)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


class Metrics:
    """The counts of one application."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        """`waiting` says how many questions wait now."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "footnote_requests_total", "Requests.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "footnote_request_seconds", "Time of a request.", ("route",), buckets=_SECONDS, registry=self.registry
        )
        self._inside = Gauge("footnote_requests_in_progress", "Requests in work.", registry=self.registry)
        self._batches = Histogram(
            "footnote_batch_size", "Requests worked on together.", ("stage",), buckets=_SIZES, registry=self.registry
        )
        self._batch_seconds = Histogram(
            "footnote_batch_seconds", "Time of a batch.", ("stage",), buckets=_SECONDS, registry=self.registry
        )
        self._answers = Counter("footnote_answers_total", "Answers.", ("outcome",), registry=self.registry)
        Gauge("footnote_queue", "Questions that wait.", registry=self.registry).set_function(waiting)

    def batch(self, stage: str, size: int, seconds: float) -> None:
        """Count a batch."""
        self._batches.labels(stage).observe(size)
        self._batch_seconds.labels(stage).observe(seconds)

    def answer(self, outcome: Outcome) -> None:
        """Count what a question came to."""
        self._answers.labels(outcome).inc()

    def begin(self) -> None:
        """Count a request that has begun."""
        self._inside.inc()

    def end(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        self._inside.dec()
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return all of them in Prometheus' text format."""
        return generate_latest(self.registry)


class Observer:
    """Counts and logs every request, refused ones included."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log_questions: bool) -> None:
        self._app, self._metrics, self._log_questions = app, metrics, log_questions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, begun = uuid.uuid4().hex[:12], time.perf_counter()
        status, sent = 0, 0
        told: dict[str, Any] = scope.setdefault("state", {})

        async def counting(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", request.encode())]}
            sent += len(message.get("body", b""))
            await send(message)

        self._metrics.begin()
        try:
            await self._app(scope, receive, counting)
        finally:
            seconds = time.perf_counter() - begun
            route = str(getattr(scope.get("route"), "path", "") or "-")
            status = status or 500  # else nobody was there to be told
            self._metrics.end(scope["method"], route, status, seconds)
            line = {
                "request": request, "method": scope["method"][:10], "route": route, "status": status,
                "ms": round(seconds * 1000, 1), "bytes": sent,
            }  # fmt: skip
            if self._log_questions and "question" in told:
                line["question"] = told["question"]
            log.info("request", extra={"fields": line})


class JsonLines(logging.Formatter):
    """Log lines as JSON objects: time, level, logger, message, and what a request was."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


class PlainLines(logging.Formatter):
    """Log lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, or more where there is a traceback."""
        fields = getattr(record, "fields", {})
        said = " ".join(f"{name}={value!r}" if name == "question" else f"{value}" for name, value in fields.items())
        line = f"{time.strftime('%H:%M:%S', time.localtime(record.created))} {said or record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
