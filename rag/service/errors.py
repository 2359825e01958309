"""Errors as the service sends them: one shape for all, with the message and hint that the command line would show."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from indexer import errors
from indexer.errors import UserError
from rag.service.openai.errors import openai_code, openai_failure, openai_status, speaks_openai
from rag.service.wrong_fields import FIELDS, field_fault

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
_OLDER_FORMS = {
    "/v1/completions": (
        "Send a conversation: POST /v1/chat/completions. In LlamaIndex: OpenAILike(..., is_chat_model=True)"
    )
}
"""Hints by path, for a form that clients know and that is not served."""


class ServiceError(UserError):
    """What only a service has to say: too much at once, too late, not allowed."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        param: str = "",
        code: str = "",
    ) -> None:
        """`param` and `code` are what OpenAI's form has besides: the field that is wrong, and what is wrong with it."""
        super().__init__(message, hint)
        self.status, self.kind, self.param, self.code = status, kind, param, code
        self.headers = dict(headers or {})


def status_and_kind(error: UserError) -> tuple[int, str]:
    """Return the HTTP status and the type of an error."""
    if isinstance(error, ServiceError):
        return error.status, error.kind
    return next(_STATUS[above] for above in type(error).__mro__ if above in _STATUS)


def failure(error: Exception, path: str = "") -> dict[str, Any]:
    """Return the error in the one shape, or in OpenAI's where the route at `path` speaks it.

    Of our own mistakes only their place goes to the log, and nothing out.
    """
    if isinstance(error, UserError):
        (status, kind), message, hint = status_and_kind(error), error.message, error.hint
    else:
        log.error("A request failed within.", exc_info=error)
        status, kind, message, hint = 500, "internal", "The service made a mistake.", "Its log says where."
    if speaks_openai(path):
        param, code = (error.param, error.code) if isinstance(error, ServiceError) else ("", "")
        return openai_failure(openai_status(status), code or openai_code(kind), message, hint, param)
    return {"error": {"type": kind, "message": message, "hint": hint}}


def error_response(error: UserError, path: str = "") -> Response:
    """Return the response that tells of an error on the route at `path`."""
    status, _ = status_and_kind(error)
    headers = dict(error.headers) if isinstance(error, ServiceError) else {}
    if status == 409 and isinstance(error, errors.Busy):
        headers["Retry-After"] = "5"
    return json_response(failure(error, path), openai_status(status) if speaks_openai(path) else status, headers)


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return JSON; a lone surrogate, which UTF-8 cannot hold, becomes the escape that JSON has for it."""
    return Response(as_json(content).encode(errors="backslashreplace"), status, headers, "application/json")


def as_json(content: Any) -> str:
    """Return one line of JSON."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


# What the framework raises


async def on_user_error(request: Request, error: Exception) -> Response:
    """Answer what the library or the service raised for the caller."""
    if not isinstance(error, UserError):
        return await on_mistake(request, error)
    return error_response(error, request.url.path)


async def on_invalid(request: Request, error: Exception) -> Response:
    """Answer a request whose fields are not as the schema has them."""
    if not isinstance(error, RequestValidationError):
        return await on_mistake(request, error)
    return error_response(_unread_body(request, error.errors()[0]) or _wrong_field(request, error), request.url.path)


def _unread_body(request: Request, found: Mapping[str, Any]) -> ServiceError | None:
    """Return the error of a body of which no field could be looked at, None where fields were."""
    if found["type"] == "json_invalid":
        where = f" at character {found['loc'][1]}" if len(found["loc"]) > 1 else ""
        why = str(found.get("ctx", {}).get("error", found["msg"]))
        return ServiceError(422, "invalid_request", f"The body is no JSON: {why}{where}.", "Send one JSON object.")
    if tuple(found["loc"]) != ("body",):
        return None
    if found["type"] == "missing" and request.headers.get("content-length", "0") == "0":
        return ServiceError(422, "invalid_request", "The request has no body.", f"Send one JSON object. {_JSON_HEADER}")
    kind = request.headers.get("content-type", "")
    if not _JSON.match(kind):
        shown = f"came as {kind[:80].encode(errors='backslashreplace').decode()!r}" if kind else "has no content-type"
        return ServiceError(415, "unsupported", f"The body {shown}, and is read as JSON.", _JSON_HEADER)
    return ServiceError(422, "invalid_request", "The body is no JSON object.", FIELDS)


_JSON = re.compile(r"application/([\w.-]+\+)?json\b", re.IGNORECASE)
_JSON_HEADER = "Send the header content-type: application/json"


def _wrong_field(request: Request, error: RequestValidationError) -> ServiceError:
    field = getattr(request.scope.get("route"), "body_field", None)
    model = getattr(getattr(field, "field_info", None), "annotation", None)
    schema = model if isinstance(model, type) and issubclass(model, BaseModel) else None
    fault = field_fault(error.errors(), error.body, schema)
    return ServiceError(422, "invalid_request", fault.message, fault.hint, param=fault.param, code=fault.code)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such route, a method that a route does not have, a body that is no JSON."""
    if not isinstance(error, HTTPException):
        return await on_mistake(request, error)
    kinds = {400: "invalid_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    status, path, kind = error.status_code, request.url.path, kinds.get(error.status_code, "refused")
    shown = path[:200].encode(errors="backslashreplace").decode()
    message = {404: f"There is no {shown} here.", 405: f"{shown} does not take {request.method}."}.get(
        status, f"{error.detail}.".replace("..", ".")
    )
    hint = _OLDER_FORMS.get(path) if status == 404 else None
    said = ServiceError(status, kind, message, hint or _HINTS.get(status, ""), error.headers)
    return error_response(said, path)


async def on_mistake(request: Request, error: Exception) -> Response:
    """Answer where we made a mistake."""
    return json_response(failure(error, request.url.path), 500)
