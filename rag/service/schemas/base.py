"""What all requests and responses share: checked texts, limits, the shape of errors."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rag.types import MAX_HISTORY, Form


def _whole(text: str) -> str:
    """Return the text. Raises ValueError where it holds half a character, which no database and no encoder takes."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("the text holds half a character (a lone surrogate)")
    return text


Whole = Annotated[str, AfterValidator(_whole)]
Span = Annotated[list[int], Field(min_length=2, max_length=2, examples=[[0, 4]])]
"""Start and end, half-open, in characters."""
Share = Annotated[float, Field(ge=0, le=1)]
Filters = Annotated[
    list[Annotated[Whole, Field(max_length=1000)]],
    Field(
        max_length=20,
        examples=[["format=pdf", "date>=2024"]],
        description="key=value conditions on documents, all of which hold; as `search --filter`.",
    ),
]
MaxError = Annotated[
    float | None,
    Field(
        gt=0, lt=1, examples=[0.1], description="Answer only as often as at most this share of the answers is wrong."
    ),
]
History = Annotated[
    list[Annotated[Whole, Field(min_length=1, max_length=4000)]],
    Field(
        max_length=MAX_HISTORY,
        examples=[["When was the archive opened?"]],
        description="The questions before this one, oldest first: what it leaves out is taken from them.",
    ),
]
AskedForm = Annotated[
    Form | None,
    Field(examples=["list"], description="The form to answer in; null: the one that the question asks for."),
]
CollectionName = Annotated[
    str | None, Field(max_length=64, description="The collection to use; null: the one the service was started with.")
]
DocumentId = Annotated[str, Field(description="Of the document in the collection's list; made of its source.")]


class Request(BaseModel):
    """A request: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


class Response(BaseModel):
    """A response."""

    model_config = ConfigDict(extra="forbid")


class Failure(Response):
    """What went wrong, in the words of the command line."""

    type: str = Field(description="For programs: not_found, usage, busy, ...", examples=["not_found"])
    message: str = Field(description="What happened, with values.")
    hint: str = Field(description='What to do next; "" where there is nothing to say.')


class ErrorResponse(Response):
    """The one shape of every error."""

    error: Failure
