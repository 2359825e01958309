"""What clients of OpenAI's form ask for: models, embeddings and an order of texts; chat and responses beside them."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.types import Vectors
from rag.engine import Engine
from rag.reranking.reranker import Reranker
from rag.retriever import checked_question
from rag.service import schemas
from rag.service.asking import Texts
from rag.service.errors import json_response
from rag.service.events import while_connected
from rag.service.openai.completion import tokens_of
from rag.service.openai.models import engine_of, models_of, no_model
from rag.service.openai.options import unsupported
from rag.service.routes import chat, responses
from rag.service.routes.describing import OPENAI_ERRORS
from rag.service.schemas.openai import RerankRequest, RerankResponse
from rag.service.service import Served, Service, in_thread

router = APIRouter(prefix="/v1", tags=["chat clients"], responses=OPENAI_ERRORS)

router.include_router(chat.router)
router.include_router(responses.router)


@router.get("/models", response_model=schemas.Models)
async def list_models(service: Served) -> Response:
    """List the collections as models."""
    return json_response({"object": "list", "data": await in_thread(lambda: models_of(service))})


@router.get("/models/{model:path}", response_model=schemas.Model)
async def read_model(model: str, service: Served) -> Response:
    """Return one of the models."""
    for found in await in_thread(lambda: models_of(service)):
        if found["id"] == model:
            return json_response(found)
    raise no_model(model)


@router.post("/embeddings", response_model=schemas.EmbeddingsResponse)
async def embed(asked: schemas.EmbeddingsRequest, request: Request, service: Served) -> Response:
    """Return the vector of each text, by the encoder of a collection; texts beyond its limit are cut at the end."""
    engine = await engine_of(asked.model, service)
    encoder = await in_thread(lambda: engine.collection.encoder)
    if asked.dimensions not in (None, encoder.dim):
        message = f"The encoder {encoder.name} makes {encoder.dim} dimensions, not {asked.dimensions}."
        raise unsupported("dimensions", message)
    texts = _texts(asked)
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


def _texts(asked: schemas.EmbeddingsRequest) -> tuple[str, ...]:
    given = (asked.input,) if isinstance(asked.input, str) else tuple(asked.input)
    texts = tuple(each for each in given if isinstance(each, str))
    if len(texts) < len(given):
        raise unsupported(
            "input", "The input is a list of token numbers, which are those of another tokenizer.",
            "Send texts. In LangChain: OpenAIEmbeddings(..., check_embedding_ctx_length=False)",
        )  # fmt: skip
    return texts


@router.post("/rerank", response_model=RerankResponse)
async def rerank(asked: RerankRequest, request: Request, service: Served) -> Response:
    """Return texts in the order in which they fit a query, as Cohere's and Jina's clients ask.

    The collection's reranker reads query and text together; where it has none, its encoder compares their meanings.
    """
    query = checked_question(asked.query)
    request.state.question = query
    engine = await engine_of(asked.model, service)
    texts = tuple(each if isinstance(each, str) else each.text for each in asked.documents)
    reranker = await in_thread(engine.reranker)
    if reranker is None:
        name, scores = "encoder", await while_connected(request, _likeness(engine, query, texts, service))
    else:
        name, scores = "reranker", await while_connected(request, in_thread(lambda: _read(reranker, query, texts)))
    order = sorted(range(len(texts)), key=lambda index: (-scores[index], index))[: asked.top_n]
    results: list[dict[str, Any]] = [{"index": index, "relevance_score": scores[index]} for index in order]
    if asked.return_documents:
        results = [{**each, "document": {"text": texts[index]}} for each, index in zip(results, order, strict=True)]
    encoder = engine.collection.encoder
    tokens = await in_thread(lambda: tokens_of(encoder, (query, *texts)))
    return json_response(
        {
            "object": "list",
            "id": f"rerank-{uuid.uuid4().hex}",
            "model": asked.model,
            "results": results,
            "scored_by": name,
            "usage": {"total_tokens": tokens},
        }
    )


async def _likeness(engine: Engine, query: str, texts: tuple[str, ...], service: Service) -> list[float]:
    """Return (1 + cosine) / 2 of a query with each text."""
    question: Vectors = await service.asking.embed(Texts(engine, (query,), as_queries=True))  # (1, dim)
    rows: Vectors = await service.asking.embed(Texts(engine, texts, as_queries=False))  # (n, dim)
    return [float(score) for score in np.clip((1 + rows @ question[0]) / 2, 0, 1)]


def _read(reranker: Reranker, query: str, texts: tuple[str, ...]) -> list[float]:
    """Return the logistic function of what a reranker makes of a query with each text."""
    scores = np.array(reranker.scores(query, texts), dtype=np.float64)
    return [float(score) for score in 1 / (1 + np.exp(-np.clip(scores, -60, 60)))]
