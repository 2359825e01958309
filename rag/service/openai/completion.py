"""An answer as a completion: its content, its footnotes as data, its counts, and what that form has no place for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from indexer.errors import UsageError
from rag.retriever import MAX_QUESTION, checked_question
from rag.service.asking import Question
from rag.service.errors import ServiceError, as_json
from rag.service.openai.conversation import question_and_history
from rag.service.openai.models import engine_of
from rag.service.openai.options import check_options, ignored, invalid
from rag.service.openai.structured import Written, answer_object, written_by
from rag.service.renaming import with_upload_names
from rag.service.service import Service, in_thread
from rag.service.shapes import chat_text, citation_json
from rag.types import Answer

if TYPE_CHECKING:
    from indexer.encoder import Encoder
    from rag.service.schemas.chat import ChatRequest, Message
    from rag.service.schemas.responses import ResponsesRequest


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in OpenAI's form, understood."""

    question: Question
    write: Written
    ignored: list[str]


@dataclass(frozen=True, slots=True)
class Completion:
    """What an answer is in OpenAI's form."""

    content: str
    citations: list[dict[str, Any]]
    grounding: dict[str, Any]
    read: int
    """Tokens of the question, of what it was read together with, and of the passages."""
    written: int
    """Tokens of the content."""


async def asked_of(
    request: ChatRequest | ResponsesRequest,
    messages: Sequence[Message],
    field: str,
    format: tuple[str, dict[str, Any] | None, str],
    service: Service,
) -> Asked:
    """Return what a request asks; `field` holds its messages, `format` is the type, schema and place of its format.

    Raises ServiceError for what is not served, before anything is looked for.
    """
    check_options(request)
    text, history = question_and_history(messages, field)
    try:
        checked_question(text)
    except UsageError as error:
        code = "context_length_exceeded" if len(text) > MAX_QUESTION else "invalid_value"
        raise ServiceError(400, "usage", error.message, error.hint, param=field, code=code) from error
    engine = await engine_of(request.model, service)
    question = Question(
        engine, text, request.k, tuple(request.filters), request.max_error, history=tuple(history), form=request.form
    )
    return Asked(question, _writer(*format, service, engine.collection.name), ignored(request))


def _writer(kind: str, schema: dict[str, Any] | None, param: str, service: Service, collection: str) -> Written:
    names = service.names(collection)
    if kind == "json_schema":
        if schema is None:
            raise invalid(param, "The format json_schema needs a schema.", 'Or ask for: {"type": "json_object"}')
        return written_by(schema, names, param)
    if kind == "json_object":
        return lambda answer: as_json(answer_object(answer, names))
    return lambda answer: chat_text(answer, names)


async def completion_of(answer: Answer, asked: Asked, service: Service) -> Completion:
    """Return the completion that an answer makes, and count its outcome."""
    service.metrics.answer(answer.outcome)
    return await in_thread(lambda: _completion(answer, asked, service))


def _completion(answer: Answer, asked: Asked, service: Service) -> Completion:
    names = service.names(answer.collection)
    answer = with_upload_names(answer, names)
    encoder = asked.question.engine.collection.encoder
    content = asked.write(answer)
    read = (asked.question.text, *asked.question.history, *(passage.text for passage in answer.passages))
    return Completion(
        content=content,
        citations=[citation_json(each, answer.passages, names) for each in answer.citations],
        grounding={
            "answered": answer.answered,
            "outcome": answer.outcome,
            "form": answer.form,
            "read_as": answer.read_as,
            "confidence": round(answer.confidence, 4),
            "collection": answer.collection,
            "generation": answer.generation,
            "generator": answer.generator,
            "ignored": asked.ignored,
        },
        read=tokens_of(encoder, read),
        written=tokens_of(encoder, [content]),
    )


def tokens_of(encoder: Encoder, texts: Sequence[str]) -> int:
    """Return how many tokens the texts have, by the tokenizer of an encoder; nothing is cut off."""
    return sum(len(encoder.token_spans(text)) for text in texts)
