"""What chat clients speak: models, embeddings and chat completions in OpenAI's form.

A collection is a model: "footnote" is the default one, "footnote/papers" another.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.errors import NotFound, UsageError
from rag.engine import Engine
from rag.retriever import checked_question
from rag.service import schemas
from rag.service.asking import Question, Texts
from rag.service.errors import as_json, failure, json_response
from rag.service.events import text_response, while_connected
from rag.service.routes.describing import ERRORS, streamed
from rag.service.service import Served, Service, in_thread
from rag.service.shapes import chat_text, citation_json
from rag.types import MAX_HISTORY, Answer

router = APIRouter(prefix="/v1", tags=["chat clients"], responses=ERRORS)

NAME = "footnote"

_CHAT = {
    "id": "chatcmpl-4f1c", "object": "chat.completion", "created": 1774000000, "model": "footnote",
    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": {
        "role": "assistant", "content": "22[1]\n\n[1] Sources of text, line 21: “The Pile joined 22 smaller sets.”",
        "refusal": None, "citations": []}}],
    "footnote": {"answered": True, "outcome": "answer", "form": "fact", "read_as": "", "confidence": 0.91,
                 "collection": "default", "generation": 4, "generator": "copying"},
    "usage": None,
}  # fmt: skip
_CHUNKS = 'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"22[1]"}}],...}\n\ndata: [DONE]\n\n'


@router.get("/models", response_model=schemas.Models)
async def list_models(service: Served) -> Response:
    """List the collections as models."""
    return json_response({"object": "list", "data": await in_thread(lambda: _models(service))})


@router.get("/models/{model:path}", response_model=schemas.Model)
async def read_model(model: str, service: Served) -> Response:
    """Return one of the models."""
    for found in await in_thread(lambda: _models(service)):
        if found["id"] == model:
            return json_response(found)
    raise _no_model(model)


@router.post("/embeddings", response_model=schemas.EmbeddingsResponse)
async def embed(asked: schemas.EmbeddingsRequest, request: Request, service: Served) -> Response:
    """Return the vector of each text, by the encoder of a collection; texts beyond its limit are cut at the end."""
    engine = await _engine(asked.model, service)
    encoder = await in_thread(lambda: engine.collection.encoder)
    if asked.dimensions not in (None, encoder.dim):
        raise UsageError(
            f"The encoder {encoder.name} makes {encoder.dim} dimensions, not {asked.dimensions}.",
            "Leave out dimensions.",
        )
    texts = (asked.input,) if isinstance(asked.input, str) else tuple(asked.input)
    tokens = await in_thread(lambda: sum(min(len(encoder.token_spans(t)), encoder.max_tokens) for t in texts))
    wanted = Texts(engine, texts, asked.input_type == "query")
    rows = await while_connected(request, service.asking.embed(wanted))
    as_text = asked.encoding_format == "base64"
    data = [
        {
            "object": "embedding",
            "index": number,
            "embedding": base64.b64encode(row.astype("<f4").tobytes()).decode() if as_text else row.tolist(),
        }
        for number, row in enumerate(rows)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_response({"object": "list", "data": data, "model": asked.model, "usage": usage})


@router.post(
    "/chat/completions",
    response_model=schemas.ChatResponse,
    responses=streamed(_CHAT, _CHUNKS, (("", schemas.ChatChunk), ("", schemas.ErrorResponse)), end="[DONE]"),
)
async def complete_chat(asked: schemas.ChatRequest, request: Request, service: Served) -> Response:
    """Answer the last question of a conversation; the footnotes stand below the text, and as data in `citations`.

    What the question leaves out is taken from the user's questions before it; nothing else of the conversation is
    read. What is streamed is checked: this form has no way to take a draft back.
    """
    *history, text = _questions(asked)
    request.state.question = text
    engine = await _engine(asked.model, service)
    question = Question(
        engine, text, asked.k, tuple(asked.filters), asked.max_error, history=tuple(history), form=asked.form
    )
    head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": asked.model}
    if asked.stream:
        service.asking.check(question)
        return text_response(_chunks(question, head, service))
    answer = await while_connected(request, service.asking.ask(question))
    request.state.timings_ms = answer.timings_ms
    service.metrics.answer(answer.outcome)
    request.state.timings_ms = dict(answer.timings_ms)
    message = {
        "role": "assistant",
        "content": chat_text(answer, service.names(answer.collection)),
        "refusal": None,
        "citations": _citations(answer, service),
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    grounding = {"footnote": _grounding(answer), "usage": None}
    return json_response({**head, "object": "chat.completion", "choices": [choice], **grounding})


async def _chunks(question: Question, head: dict[str, Any], service: Service) -> AsyncGenerator[str, None]:
    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {as_json({**head, 'object': 'chat.completion.chunk', 'choices': [choice], **more})}\n\n"

    try:
        yield chunk({"role": "assistant", "content": ""})
        answer = await service.asking.ask(question)
        service.metrics.answer(answer.outcome)
        for part in chat_text(answer, service.names(answer.collection)).splitlines(keepends=True):
            yield chunk({"content": part})
        yield chunk({"citations": _citations(answer, service)}, "stop", footnote=_grounding(answer))
    except Exception as error:
        yield f"data: {as_json(failure(error))}\n\n"
    yield "data: [DONE]\n\n"


def _citations(answer: Answer, service: Service) -> list[dict[str, Any]]:
    names = service.names(answer.collection)
    return [citation_json(each, answer.passages, names) for each in answer.citations]


def _grounding(answer: Answer) -> dict[str, Any]:
    return {
        "answered": answer.answered,
        "outcome": answer.outcome,
        "form": answer.form,
        "read_as": answer.read_as,
        "confidence": round(answer.confidence, 4),
        "collection": answer.collection,
        "generation": answer.generation,
        "generator": answer.generator,
    }


def _questions(asked: schemas.ChatRequest) -> list[str]:
    """Return the texts of the user's messages, oldest first, the question last. Raises UsageError without one.

    Of the earlier ones, those that could be asked by themselves: a pasted file is no question.
    """
    said = [message for message in asked.messages if message.role == "user"]
    if not said or said[-1].content is None:
        raise UsageError("No message of the user holds a question.", 'For example: {"role": "user", "content": "..."}')
    before = [_text(message) for message in said[:-1]]
    return [*[text for text in before if _is_question(text)][-MAX_HISTORY:], _text(said[-1])]


def _text(message: schemas.Message) -> str:
    if isinstance(message.content, list):
        return "\n".join(part.text for part in message.content if isinstance(part, schemas.TextPart))
    return message.content or ""


def _is_question(text: str) -> bool:
    try:
        checked_question(text)
    except UsageError:
        return False
    return True


async def _engine(model: str, service: Service) -> Engine:
    """Return the engine of the collection that a model names. Raises NotFound."""
    if model == NAME:
        return await service.engine(None)
    first, _, collection = model.partition("/")
    if first != NAME or not collection:
        raise _no_model(model)
    return await service.engine(collection)


def _no_model(model: str) -> NotFound:
    shown = model[:100].encode(errors="backslashreplace").decode()
    return NotFound(f"There is no model {shown!r}.", "Which there are: GET /v1/models")


def _models(service: Service) -> list[dict[str, Any]]:
    names = service.library.names()
    found = [(NAME, service.library.default)] if service.library.default in names else []
    found += [(f"{NAME}/{name}", name) for name in names]
    return [{"id": id, "object": "model", "created": _made(service, name), "owned_by": NAME} for id, name in found]


def _made(service: Service, name: str) -> int:
    """Return when a collection was made or rebuilt, in seconds since 1970; 0 when it has gone meanwhile."""
    try:
        return int((service.library.home / "collections" / name / "CURRENT").stat().st_mtime)
    except OSError:
        return 0
