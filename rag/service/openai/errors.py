"""Errors in OpenAI's form: message, type, param and code, with the statuses that its clients know; and our hint."""

from __future__ import annotations

import re
from typing import Any

_OURS = re.compile(r"/v1/(search|ask|verify|collections)(/|$)")
"""The routes below /v1/ that do not speak OpenAI's form. What is no route there is asked for by its clients."""
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {
    "unauthorized": "invalid_api_key",
    "busy": "rate_limit_exceeded",
    "invalid_request": "invalid_value",
    "usage": "invalid_value",
    "internal": "server_error",
}


def speaks_openai(path: str) -> bool:
    """True for a path whose errors are told in OpenAI's form."""
    return path.startswith("/v1/") and _OURS.match(path) is None


def openai_status(status: int) -> int:
    """Return the status that OpenAI's clients know for a status of ours: what is wrong in a request is 400."""
    return 400 if status == 422 else status


def openai_code(kind: str) -> str:
    """Return OpenAI's code for a sort of error of ours, or ours where it has none."""
    return _CODES.get(kind, kind)


def openai_failure(status: int, code: str, message: str, hint: str, param: str = "") -> dict[str, Any]:
    """Return an error in OpenAI's form; `hint` is ours, and says what to do next."""
    type_ = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": type_, "param": param or None, "code": code, "hint": hint}}
