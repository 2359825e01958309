"""What a request in OpenAI's form asks for and is not served: refused where the answer would be another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from rag.service.errors import ServiceError
from rag.service.schemas.chat import NoEffect


def unsupported(param: str, message: str, hint: str = "") -> ServiceError:
    """Return the error for what is asked for and not served."""
    return ServiceError(
        400, "unsupported", message, hint or f"Leave out {param}.", param=param, code="unsupported_value"
    )


def invalid(param: str, message: str, hint: str = "") -> ServiceError:
    """Return the error for a field that is not as it should be."""
    return ServiceError(400, "invalid_request", message, hint, param=param)


def check_options(asked: BaseModel) -> None:
    """Raise the error of the first field that asks for what is not served."""
    given = {name: value for name in type(asked).model_fields if (value := getattr(asked, name)) is not None}
    for param, (refuses, message, hint) in _REFUSED.items():
        if param in given and refuses(given[param]):
            raise unsupported(param, message, hint)
    if "stream_options" in given and not given.get("stream"):
        raise invalid("stream_options", "stream_options was given without stream.", "Add: stream=true")


def ignored(asked: BaseModel) -> list[str]:
    """Return the names of the fields that were given and have no effect."""
    names = (*NoEffect.model_fields, *_PASSED_OVER)
    return [name for name in names if name in asked.model_fields_set and getattr(asked, name) is not None]


def _is_required(choice: Any) -> bool:
    return choice not in ("none", "auto")


_PASSED_OVER = (
    "tools", "functions", "instructions", "include", "truncation", "max_output_tokens", "max_tool_calls",
)  # fmt: skip
"""Fields of one form that have no effect, beside those that have none in either."""
_TOOLS = (
    _is_required,
    "No tool is called here, so none can be required.",
    'Ask for the answer as data: response_format={"type": "json_schema", ...}',
)
_REFUSED: Mapping[str, tuple[Callable[[Any], bool], str, str]] = {
    "n": (lambda n: n != 1, "There is one answer to a question.", "Leave out n."),
    "logprobs": (bool, "What is quoted has no token probabilities.", "footnote.confidence says how sure an answer is."),
    "top_logprobs": (bool, "What is quoted has no token probabilities.", ""),
    "tool_choice": _TOOLS,
    "function_call": _TOOLS,
    "modalities": (lambda kinds: kinds != ["text"], "Answers are text.", 'Leave out modalities, or send ["text"].'),
    "audio": (lambda _: True, "Answers are text.", ""),
    "web_search_options": (lambda _: True, "Only your documents are searched.", ""),
    "previous_response_id": (lambda _: True, "No conversation is kept here.", "Send its messages along in input."),
    "conversation": (lambda _: True, "No conversation is kept here.", "Send its messages along in input."),
    "prompt": (lambda _: True, "No prompts are kept here.", "Send the question in input."),
    "background": (bool, "An answer is not kept to be fetched later.", ""),
}
"""By field: which values of it are refused, why, and what to do; "" where it is to be left out."""
