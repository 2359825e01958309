"""Errors as the service sends them: one shape for all, with the message and hint that the command line would show."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from indexer import errors
from indexer.errors import UserError

log = logging.getLogger(__name__)

_STATUS: Mapping[type[UserError], tuple[int, str]] = {
    errors.UsageError: (422, "usage"),
    errors.NotFound: (404, "not_found"),
    errors.Unreadable: (422, "unreadable"),
    errors.Busy: (409, "busy"),
    errors.Damaged: (503, "damaged"),
    errors.StorageError: (507, "storage"),
    errors.SchemaMismatch: (503, "schema"),
    errors.EncoderMismatch: (409, "encoder"),
    errors.EncoderError: (503, "encoder"),
    errors.GeneratorError: (503, "generator"),
    errors.InvalidVectors: (503, "vectors"),
    errors.ImportRefused: (422, "import"),
    UserError: (422, "refused"),
}
"""Status and type by class; of a class that is not named here, those of the nearest above it."""

_HINTS = {404: "What there is: GET /docs", 405: "What there is: GET /docs"}


class ServiceError(UserError):
    """What only a service has to say: too much at once, too late, not allowed."""

    def __init__(
        self, status: int, kind: str, message: str, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, hint)
        self.status, self.kind = status, kind
        self.headers = dict(headers or {})


def status_and_kind(error: UserError) -> tuple[int, str]:
    """Return the HTTP status and the type of an error."""
    if isinstance(error, ServiceError):
        return error.status, error.kind
    return next(_STATUS[above] for above in type(error).__mro__ if above in _STATUS)


def failure(error: Exception) -> dict[str, Any]:
    """Return the error in the one shape. Of our own mistakes only their place goes to the log, and nothing out."""
    if isinstance(error, UserError):
        return _shape(status_and_kind(error)[1], error.message, error.hint)
    log.error("A request failed within.", exc_info=error)
    return _shape("internal", "The service made a mistake.", "Its log says where.")


def error_response(error: UserError) -> Response:
    """Return the response that tells of an error."""
    status, _ = status_and_kind(error)
    headers = dict(error.headers) if isinstance(error, ServiceError) else {}
    if status == 409 and isinstance(error, errors.Busy):
        headers["Retry-After"] = "5"
    return json_response(failure(error), status, headers)


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return JSON; a lone surrogate, which UTF-8 cannot hold, becomes the escape that JSON has for it."""
    return Response(as_json(content).encode(errors="backslashreplace"), status, headers, "application/json")


def as_json(content: Any) -> str:
    """Return one line of JSON."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _shape(kind: str, message: str, hint: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message, "hint": hint}}


# What the framework raises


async def on_user_error(_: Request, error: Exception) -> Response:
    """Answer what the library or the service raised for the caller."""
    return error_response(error) if isinstance(error, UserError) else await on_mistake(_, error)


async def on_invalid(_: Request, error: Exception) -> Response:
    """Answer a request whose fields are not as the schema has them; what was sent is not repeated."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    first = found[0] if found else {"loc": ("body",), "msg": "not valid"}
    place = ".".join(str(part) for part in first["loc"][:8])[:200]
    message = f"{place}: {first['msg']}"[:500].encode(errors="backslashreplace").decode()
    return error_response(ServiceError(422, "invalid_request", message, "The fields are described at GET /docs"))


async def on_http_error(_: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such route, a method that a route does not have, a body that is no JSON."""
    if not isinstance(error, HTTPException):
        return await on_mistake(_, error)
    kinds = {400: "invalid_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    kind = kinds.get(error.status_code, "refused")
    said = ServiceError(
        error.status_code, kind, f"{error.detail}.".replace("..", "."), _HINTS.get(error.status_code, "")
    )
    said.headers = dict(error.headers or {})
    return error_response(said)


async def on_mistake(_: Request, error: Exception) -> Response:
    """Answer where we made a mistake."""
    return json_response(failure(error), 500)
