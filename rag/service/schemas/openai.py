"""As OpenAI's clients speak: what they send and we do not know is passed over, as they expect."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from rag.service.schemas.base import AskedForm, Filters, MaxError, Response, Share, Whole
from rag.service.schemas.questions import CitationOut
from rag.types import Form, Outcome


class Model(Response):
    """A collection to ask, as a model."""

    id: str = Field(examples=["footnote", "footnote/papers"])
    object: Literal["model"] = "model"
    created: int = Field(description="Seconds since 1970.")
    owned_by: str = "footnote"


class Models(Response):
    """The models."""

    object: Literal["list"] = "list"
    data: list[Model]


ModelName = Annotated[
    str, Field(max_length=200, description='"footnote", or "footnote/COLLECTION".', examples=["footnote"])
]


class EmbeddingsRequest(BaseModel):
    """Texts to embed with the encoder of a collection."""

    input: (
        Annotated[Whole, Field(min_length=1, max_length=100_000)]
        | Annotated[
            list[Annotated[Whole, Field(min_length=1, max_length=100_000)]], Field(min_length=1, max_length=256)
        ]
    ) = Field(examples=["Green tea is steeped at eighty degrees."])
    model: ModelName = "footnote"
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(None, ge=1, le=100_000, description="Must be the encoder's, where it is given.")
    input_type: Literal["query", "passage"] = Field("passage", description="Some encoders read questions otherwise.")


class Embedding(Response):
    """One vector of length one; similarity is the dot product."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(description="With base64: little-endian float32.")


class EmbeddingUsage(Response):
    """Tokens that were read; those beyond the encoder's limit are cut off."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsResponse(Response):
    """The vectors, in the order of the texts."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


class TextPart(BaseModel):
    """A part of a message."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart | dict[str, Any]] | None = None


class ChatRequest(BaseModel):
    """A conversation; the last message of the user is the question, which may refer to those before it."""

    messages: list[Message] = Field(
        min_length=1, max_length=1000, examples=[[{"role": "user", "content": "What is green tea steeped at?"}]]
    )
    model: ModelName = "footnote"
    stream: bool | None = False
    n: int | None = Field(1, ge=1, le=1)
    max_error: MaxError = None
    form: AskedForm = None
    k: int = Field(5, ge=1, le=20)
    filters: Filters = Field([])


class ChatMessage(Response):
    """The answer; its footnotes stand below its text, and as data in `citations`."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    citations: list[CitationOut]


class Choice(Response):
    """The only one."""

    index: int = 0
    message: ChatMessage
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class Grounding(Response):
    """What OpenAI's form has no place for."""

    answered: bool
    outcome: Outcome
    form: Form
    read_as: str = Field(description='The question as read together with the ones before it; "" if read as it is.')
    confidence: Share
    collection: str
    generation: int
    generator: str


class ChatResponse(Response):
    """An answer as a chat completion."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    footnote: Grounding
    usage: None = Field(None, description="Nothing is counted in tokens here.")


class Delta(Response):
    """What is added to the message."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    citations: list[CitationOut] | None = None


class ChunkChoice(Response):
    """The only one."""

    index: int = 0
    delta: Delta
    finish_reason: Literal["stop"] | None = None


class ChatChunk(Response):
    """A piece of a chat completion; checked text only, since this form has no way to take a draft back."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    footnote: Grounding | None = None
