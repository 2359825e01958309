"""Responses as OpenAI's clients ask for them: the newer form of a chat completion."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.service.schemas.base import AskedForm, Filters, MaxError, Response
from rag.service.schemas.chat import KEPT, LENGTH, TOOLS, Grounding, NoEffect, StreamOptions, TextPart
from rag.service.schemas.openai import ModelName
from rag.service.schemas.questions import CitationOut


class TextFormat(BaseModel):
    """What the content of an answer is."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = Field(None, max_length=200)
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None
    description: str | None = None


class TextOptions(BaseModel):
    """How the text is to be."""

    format: TextFormat | None = None
    verbosity: Any = Field(None, description=LENGTH)


class InputItem(BaseModel):
    """A message of a conversation, or another item, which is not looked at."""

    type: str | None = None
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | list[TextPart | dict[str, Any]] | None = None


class ResponsesRequest(NoEffect):
    """A question, or a conversation whose last message of the user is the question."""

    input: str | list[InputItem] = Field(examples=["At what heat is green tea steeped?"])
    model: ModelName = "footnote"
    instructions: Any = Field(None, description="No effect: nothing of a request is an instruction.")
    stream: bool | None = False
    stream_options: StreamOptions | dict[str, Any] | None = Field(None, description="With `stream` only.")
    text: TextOptions | None = None
    max_output_tokens: Any = Field(None, description=LENGTH)
    max_tool_calls: Any = Field(None, description=TOOLS)
    tools: Any = Field(None, description=TOOLS)
    tool_choice: Any = Field(None, description='"none" or "auto": no tool is called, so none can be required.')
    include: Any = Field(None, description="No effect: there is nothing more to include.")
    truncation: Any = Field(None, description="No effect: a question of more than 4,000 characters is refused.")
    top_logprobs: int | None = Field(None, description="0: `footnote.confidence` says how sure an answer is.")
    previous_response_id: Any = Field(None, description=f"Refused. {KEPT}")
    conversation: Any = Field(None, description=f"Refused. {KEPT}")
    prompt: Any = Field(None, description=f"Refused. {KEPT}")
    background: bool | None = Field(None, description="false: an answer is not kept to be fetched later.")
    max_error: MaxError = None
    form: AskedForm = None
    k: int = Field(5, ge=1, le=20, description="How many passages are read.")
    filters: Filters = Field([])


class FileCitation(Response):
    """A footnote in the text: the document, and where its number stands."""

    type: Literal["file_citation"] = "file_citation"
    index: int = Field(description="In characters of the text.")
    file_id: str = Field(description="The document's id.")
    filename: str


class OutputText(Response):
    """The text of the answer."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[FileCitation]
    logprobs: list[Any]


class OutputMessage(Response):
    """The answer as a message."""

    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    status: Literal["in_progress", "completed"]
    content: list[OutputText]


class ResponsesUsage(Response):
    """Tokens by the tokenizer of the collection's encoder: no model's, and nothing is paid for."""

    input_tokens: int = Field(description="Of the question, what of the conversation was read, and the passages read.")
    input_tokens_details: dict[str, int]
    output_tokens: int = Field(description="Of the text of the answer.")
    output_tokens_details: dict[str, int]
    total_tokens: int


class ResponsesGrounding(Grounding):
    """What OpenAI's form has no place for."""

    citations: list[CitationOut]


class ResponsesResponse(Response):
    """An answer as a response."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: Literal["in_progress", "completed", "failed"]
    model: str
    output: list[OutputMessage]
    usage: ResponsesUsage | None
    footnote: ResponsesGrounding | None
    error: dict[str, Any] | None
    incomplete_details: None
    instructions: None
    max_output_tokens: None
    metadata: dict[str, str]
    parallel_tool_calls: bool
    previous_response_id: None
    store: bool
    temperature: None
    text: dict[str, Any]
    tool_choice: str
    tools: list[Any]
    top_p: None
    truncation: str


class ResponsesEvent(BaseModel):
    """An event of a response: `response.output_text.delta` with the next piece of the text, say."""

    model_config = ConfigDict(extra="allow")

    type: str
    sequence_number: int
