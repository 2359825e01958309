"""As OpenAI's clients speak: models, embeddings and reranking. Chat completions are `chat.py`'s."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from rag.service.schemas.base import Request, Response, Share, Whole


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


class OpenAIFailure(Response):
    """What went wrong, in OpenAI's form; `hint` is ours."""

    message: str = Field(description="What happened, with values.")
    type: str = Field(examples=["invalid_request_error"])
    param: str | None = Field(description="The field that is wrong, where it is one.")
    code: str | None = Field(description="For programs.", examples=["model_not_found"])
    hint: str = Field(description='What to do next; "" where there is nothing to say.')


class OpenAIErrorResponse(Response):
    """The shape of errors of the routes that speak OpenAI's form."""

    error: OpenAIFailure


ModelName = Annotated[
    str, Field(max_length=200, description='"footnote", or "footnote/COLLECTION".', examples=["footnote"])
]


LongText = Annotated[Whole, Field(min_length=1, max_length=100_000)]
Tokens = Annotated[list[int], Field(min_length=1, max_length=100_000)]


class EmbeddingsRequest(Request):
    """Texts to embed with the encoder of a collection."""

    input: (
        LongText
        | Annotated[list[LongText], Field(min_length=1, max_length=256)]
        | Tokens
        | Annotated[list[Tokens], Field(min_length=1, max_length=256)]
    ) = Field(
        examples=["Green tea is steeped at eighty degrees."],
        description="One text or several. Lists of token numbers are refused: they are of another tokenizer.",
    )
    model: ModelName = "footnote"
    user: Any = Field(None, description="No effect.")
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


class RerankText(BaseModel):
    """A text in an object."""

    text: LongText


class RerankRequest(Request):
    """Texts to put in the order in which they fit a query, as Cohere's and Jina's clients ask."""

    query: Whole = Field(examples=["At what heat is green tea steeped?"], description="Up to 4,000 characters.")
    documents: Annotated[list[LongText | RerankText], Field(min_length=1, max_length=1000)] = Field(
        examples=[["Bees dance.", "Green tea is steeped at eighty degrees."]]
    )
    model: ModelName = "footnote"
    top_n: int | None = Field(None, ge=1, description="Return only so many, the best; null: all.")
    return_documents: bool | None = Field(False, description="Return each text with its score.")
    max_tokens_per_doc: Any = Field(None, description="No effect: a text is cut where the model's limit is.")
    max_chunks_per_doc: Any = Field(None, description="No effect, as `max_tokens_per_doc`.")
    truncation: Any = Field(None, description="No effect, as `max_tokens_per_doc`.")
    user: Any = Field(None, description="No effect.")


class Reranked(Response):
    """A text by its place in the request."""

    index: int
    relevance_score: Share = Field(description="Larger is better, from 0 to 1; comparable within one response.")
    document: RerankText | None = Field(None, description="With `return_documents`.")


class RerankUsage(Response):
    """Tokens that were read, by the tokenizer of the collection's encoder."""

    total_tokens: int


class RerankResponse(Response):
    """The texts, best first."""

    object: Literal["list"] = "list"
    id: str
    model: str
    results: list[Reranked]
    scored_by: str = Field(description="The collection's reranker, or its encoder (cosine c, as (1 + c) / 2).")
    usage: RerankUsage
