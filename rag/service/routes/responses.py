"""Responses, as OpenAI's newer clients ask for them: the same answers as chat completions in another form."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from rag.service.errors import failure, json_response
from rag.service.events import sent_event, text_response, while_connected
from rag.service.openai.completion import Asked, Completion, asked_of, completion_of
from rag.service.routes.describing import OPENAI_ERRORS, streamed
from rag.service.schemas.chat import Message
from rag.service.schemas.responses import ResponsesEvent, ResponsesRequest, ResponsesResponse
from rag.service.service import Served, Service

router = APIRouter()

PATH = "/v1/responses"
_TEXT = (
    "The Pile joined **22** smaller sets.[^1]\n\n*confidence 91%, by the copying generator*\n\n"
    "[^1]: Sources of text, line 21: “The Pile joined **22** smaller sets.”"
)
_RESPONSE = {
    "id": "resp_4f1c", "object": "response", "created_at": 1774000000, "status": "completed", "model": "footnote",
    "output": [{"id": "msg_4f1c", "type": "message", "role": "assistant", "status": "completed", "content": [
        {"type": "output_text", "text": _TEXT, "logprobs": [], "annotations": [
            {"type": "file_citation", "index": 36, "file_id": "0f3a5c1e9d2b4a6c8e0f1a2b",
             "filename": "Sources of text"}]}]}],
    "usage": {"input_tokens": 611, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 27,
              "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 638},
    "footnote": {"answered": True, "outcome": "answer", "form": "fact", "read_as": "", "confidence": 0.91,
                 "collection": "default", "generation": 4, "generator": "copying", "ignored": [], "citations": []},
}  # fmt: skip
_EVENTS = (
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"The Pile",...}\n\n'
    'event: response.completed\ndata: {"type":"response.completed","response":{...}}\n\n'
)
_NAMES = (
    "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
    "response.output_text.delta", "response.output_text.annotation.added", "response.output_text.done",
    "response.content_part.done", "response.output_item.done", "response.completed", "error",
)  # fmt: skip


@router.post(
    "/responses",
    response_model=ResponsesResponse,
    responses={**OPENAI_ERRORS, **streamed(_RESPONSE, _EVENTS, [(name, ResponsesEvent) for name in _NAMES])},
)
async def respond(asked: ResponsesRequest, request: Request, service: Served) -> Response:
    """Answer a question, or the last one of a conversation; the footnotes are annotations of the text.

    As data they stand in `footnote.citations`. Nothing is kept: a conversation is sent along whole. What is streamed is
    checked: this form has no way to take a draft back.
    """
    format = asked.text.format if asked.text is not None else None
    kind, schema = ("text", None) if format is None else (format.type, format.schema_)
    wanted = await asked_of(asked, _messages(asked), "input", (kind, schema, "text.format.schema"), service)
    request.state.question = wanted.question.text
    shell = _Shell(asked.model, kind)
    if asked.stream:
        service.asking.check(wanted.question)
        return text_response(_events(wanted, shell, service))
    answer = await while_connected(request, service.asking.ask(wanted.question))
    request.state.timings_ms = dict(answer.timings_ms)
    return json_response(shell.completed(await completion_of(answer, wanted, service)))


def _messages(asked: ResponsesRequest) -> list[Message]:
    if isinstance(asked.input, str):
        return [Message(role="user", content=asked.input)]
    return [
        # Anything but a message keeps its place, so that an error names the right one.
        Message(role=item.role if item.role and item.type in (None, "message") else "tool", content=item.content)
        for item in asked.input
    ]


class _Shell:
    """What is the same in every state of a response."""

    def __init__(self, model: str, kind: str) -> None:
        self._model, self._kind = model, kind
        self._id, self._created = uuid.uuid4().hex, int(time.time())

    def state(self, status: str, **more: Any) -> dict[str, Any]:
        """Return `schemas.ResponsesResponse`."""
        return {
            "id": f"resp_{self._id}", "object": "response", "created_at": self._created, "status": status,
            "model": self._model, "output": [], "usage": None, "footnote": None, "error": None,
            "incomplete_details": None, "instructions": None, "max_output_tokens": None, "metadata": {},
            "parallel_tool_calls": False, "previous_response_id": None, "store": False, "temperature": None,
            "text": {"format": {"type": self._kind}}, "tool_choice": "none", "tools": [], "top_p": None,
            "truncation": "disabled", **more,
        }  # fmt: skip

    def message(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        """Return `schemas.OutputMessage`."""
        kind = {"id": f"msg_{self._id}", "type": "message", "role": "assistant"}
        return {**kind, "status": status, "content": content}

    def completed(self, made: Completion) -> dict[str, Any]:
        """Return the response that has the answer."""
        usage = {
            "input_tokens": made.read, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": made.written, "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": made.read + made.written,
        }  # fmt: skip
        message = self.message("completed", [self.part(made)])
        grounding = {**made.grounding, "citations": made.citations}
        return self.state("completed", output=[message], usage=usage, footnote=grounding)

    def part(self, made: Completion | None = None) -> dict[str, Any]:
        """Return `schemas.OutputText`, empty before there is an answer."""
        annotations = [] if made is None or self._kind != "text" else _annotations(made)
        text = "" if made is None else made.content
        return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}


def _annotations(made: Completion) -> list[dict[str, Any]]:
    """Return the footnotes whose numbers stand in the text or below it."""
    places = ((made.content.find(f"[^{each['number']}]"), each) for each in made.citations)
    return [
        {"type": "file_citation", "index": place, "file_id": each["document"], "filename": each["name"]}
        for place, each in places
        if place >= 0
    ]


async def _events(asked: Asked, shell: _Shell, service: Service) -> AsyncGenerator[str, None]:
    number = -1

    def event(name: str, **content: Any) -> str:
        nonlocal number
        number += 1
        return sent_event(name, {"type": name, "sequence_number": number, **content})

    item = shell.message("in_progress", [])
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    try:
        yield event("response.created", response=shell.state("in_progress"))
        yield event("response.in_progress", response=shell.state("in_progress"))
        yield event("response.output_item.added", output_index=0, item=item)
        yield event("response.content_part.added", **place, part=shell.part())
        made = await completion_of(await service.asking.ask(asked.question), asked, service)
        done, part = shell.completed(made), shell.part(made)
        for text in made.content.splitlines(keepends=True):
            yield event("response.output_text.delta", **place, delta=text, logprobs=[])
        for index, each in enumerate(part["annotations"]):
            yield event("response.output_text.annotation.added", **place, annotation_index=index, annotation=each)
        yield event("response.output_text.done", **place, text=made.content, logprobs=[])
        yield event("response.content_part.done", **place, part=part)
        yield event("response.output_item.done", output_index=0, item=done["output"][0])
        yield event("response.completed", response=done)
    except Exception as error:
        told = failure(error, PATH)["error"]
        yield event("error", code=told["code"], message=told["message"], param=told["param"], error=told)
