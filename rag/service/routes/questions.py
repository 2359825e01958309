"""Searching, asking and checking."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from rag.service.asking import Question, Search
from rag.service.errors import json_response
from rag.service.events import event_response, while_connected
from rag.service.routes.describing import ANSWER, ASK_EVENTS, ASK_TOLD, ERRORS, PASSAGES, VERIFIED, shown, streamed
from rag.service.schemas import (
    AskRequest,
    AskResponse,
    SearchRequest,
    SearchResponse,
    VerifyRequest,
    VerifyResponse,
)
from rag.service.service import Served, Service, in_thread
from rag.service.shapes import answer_json, passages_json
from rag.types import Answer, Found
from rag.verification import loaded, verify_in

router = APIRouter(prefix="/v1", tags=["questions"], responses=ERRORS)


@router.post("/search", response_model=SearchResponse, responses=shown(PASSAGES))
async def search(asked: SearchRequest, request: Request, service: Served) -> Response:
    """Find passages, best first, by meaning and by words."""
    request.state.question = asked.query
    engine = await service.engine(asked.collection)
    wanted = Search(engine, asked.query, asked.k, asked.mode, tuple(asked.filters), asked.explain)
    found = await while_connected(request, service.asking.search(wanted))
    collection = engine.collection
    generation = await in_thread(lambda: collection.generation)
    return json_response(
        {
            "query": asked.query,
            "mode": asked.mode,
            "passages": await in_thread(
                lambda: passages_json(found, service.names(engine.collection.name), asked.explain, asked.query)
            ),
            "collection": engine.collection.name,
            "generation": generation,
            "notes": []
            if found or not asked.filters
            else await in_thread(lambda: collection.match_notes(asked.filters)),
        }
    )


@router.post("/ask", response_model=AskResponse, responses=streamed(ANSWER, ASK_EVENTS, ASK_TOLD))
async def ask(asked: AskRequest, request: Request, service: Served) -> Response:
    """Answer a question from the documents, with footnotes, or show the closest evidence, or the nearest passages.

    With `stream`, events tell what happens: `stage`; `passages` with what is read; `writing` with pieces of a language
    model's draft, of which nothing is checked; `answer`, which takes the draft's place; or `error`.
    """
    request.state.question = asked.question
    engine = await service.engine(asked.collection, asked.generator)
    question = Question(
        engine,
        asked.question,
        asked.k,
        tuple(asked.filters),
        asked.max_error,
        asked.explain,
        tuple(asked.history),
        asked.form,
    )
    if asked.stream:
        service.asking.check(question)
        return event_response(_answer_events(question, service, asked.texts))
    answer = await while_connected(request, service.asking.ask(question))
    request.state.timings_ms = answer.timings_ms
    service.metrics.answer(answer.outcome)
    request.state.timings_ms = dict(answer.timings_ms)
    return json_response(answer_json(answer, service.names(answer.collection), asked.explain, asked.texts))


async def _answer_events(question: Question, service: Service, texts: bool) -> AsyncGenerator[tuple[str, Any], None]:
    """Yield the events of an answer as it comes about."""
    names = service.names(question.engine.collection.name)
    yield "stage", {"stage": "search"}
    async with contextlib.aclosing(service.asking.listen(question)) as events:
        async for event in events:
            if isinstance(event, Answer):
                service.metrics.answer(event.outcome)
                yield "answer", answer_json(event, names, question.explain, texts)
            elif isinstance(event, Found):
                yield "passages", {"passages": passages_json(event.passages, names, question.explain, question.text)}
                yield "stage", {"stage": "read"}
            else:
                yield "writing", {"text": event.text}


@router.post("/verify", response_model=VerifyResponse, responses=shown(VERIFIED))
async def verify_answer(given: VerifyRequest, request: Request, service: Served) -> Response:
    """Read the sources again and check each footnote of an answer, and that its words come from their quotes.

    Only files that the collection was made of are read.
    """
    loaded(await request.body())  # refuses what says two things, of which pydantic sees only one
    collection = await service.collection(given.collection)
    answer, names = given.model_dump(exclude_unset=True), service.names(collection.name)
    verdict = await while_connected(
        request, service.checking.run(collection.name, lambda _: verify_in(collection, answer, names.label))
    )
    return json_response(verdict.to_json())
