"""Chat completions, as OpenAI's clients ask for them."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from rag.service.errors import as_json, failure, json_response
from rag.service.events import text_response, while_connected
from rag.service.openai.completion import Asked, Completion, asked_of, completion_of
from rag.service.routes.describing import OPENAI_ERRORS, streamed
from rag.service.schemas.chat import ChatChunk, ChatRequest, ChatResponse
from rag.service.schemas.openai import OpenAIErrorResponse
from rag.service.service import Served, Service

router = APIRouter()

PATH = "/v1/chat/completions"
_CHAT = {
    "id": "chatcmpl-4f1c", "object": "chat.completion", "created": 1774000000, "model": "footnote",
    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": {
        "role": "assistant", "refusal": None, "citations": [],
        "content": "The Pile joined **22** smaller sets.[^1]\n\n*confidence 91%, by the copying generator*\n\n"
        "[^1]: Sources of text, line 21: “The Pile joined **22** smaller sets.”"}}],
    "footnote": {"answered": True, "outcome": "answer", "form": "fact", "read_as": "", "confidence": 0.91,
                 "collection": "default", "generation": 4, "generator": "copying", "ignored": ["temperature"]},
    "usage": {"prompt_tokens": 611, "completion_tokens": 27, "total_tokens": 638},
}  # fmt: skip
_CHUNKS = (
    'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"The Pile"}}],...}\n\ndata: [DONE]\n\n'
)


@router.post(
    "/chat/completions",
    response_model=ChatResponse,
    responses={
        **OPENAI_ERRORS,
        **streamed(_CHAT, _CHUNKS, (("", ChatChunk), ("", OpenAIErrorResponse)), end="[DONE]"),
    },
)
async def complete_chat(asked: ChatRequest, request: Request, service: Served) -> Response:
    """Answer the last question of a conversation; the footnotes stand below the text, and as data in `citations`.

    What the question leaves out is taken from what stands before it. What is streamed is checked: this form has no
    way to take a draft back.
    """
    format = asked.response_format
    schema = format.json_schema.schema_ if format is not None and format.json_schema is not None else None
    kind = "text" if format is None else format.type
    wanted = await asked_of(
        asked, asked.messages, "messages", (kind, schema, "response_format.json_schema.schema"), service
    )
    request.state.question = wanted.question.text
    head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": asked.model}
    if asked.stream:
        service.asking.check(wanted.question)
        counted = asked.stream_options is not None and bool(asked.stream_options.include_usage)
        return text_response(_chunks(wanted, head, counted, service))
    answer = await while_connected(request, service.asking.ask(wanted.question))
    request.state.timings_ms = dict(answer.timings_ms)
    made = await completion_of(answer, wanted, service)
    message = {"role": "assistant", "content": made.content, "refusal": None, "citations": made.citations}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    about = {"footnote": made.grounding, "usage": _usage(made)}
    return json_response({**head, "object": "chat.completion", "choices": [choice], **about})


async def _chunks(asked: Asked, head: dict[str, Any], counted: bool, service: Service) -> AsyncGenerator[str, None]:
    usage = {"usage": None} if counted else {}

    def chunk(choices: list[dict[str, Any]], **more: Any) -> str:
        whole = {**head, "object": "chat.completion.chunk", "choices": choices, **usage, **more}
        return f"data: {as_json(whole)}\n\n"

    def choice(delta: dict[str, Any], finish: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "finish_reason": finish}]

    try:
        yield chunk(choice({"role": "assistant", "content": ""}))
        made = await completion_of(await service.asking.ask(asked.question), asked, service)
        for part in made.content.splitlines(keepends=True):
            yield chunk(choice({"content": part}))
        yield chunk(choice({"citations": made.citations}, "stop"), footnote=made.grounding)
        if counted:
            yield chunk([], usage=_usage(made))
    except Exception as error:
        yield f"data: {as_json(failure(error, PATH))}\n\n"
    yield "data: [DONE]\n\n"


def _usage(made: Completion) -> dict[str, int]:
    return {"prompt_tokens": made.read, "completion_tokens": made.written, "total_tokens": made.read + made.written}
