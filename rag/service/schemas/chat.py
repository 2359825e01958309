"""Chat completions as OpenAI's clients ask for them.

What a client may send and what does nothing here is named field by field (`NoEffect`); any other field is refused.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from rag.service.schemas.base import AskedForm, Filters, MaxError, Request, Response, Share
from rag.service.schemas.openai import ModelName
from rag.service.schemas.questions import CitationOut
from rag.types import Form, Outcome

RANDOM = "No effect: nothing is drawn at random, the same question has the same answer."
LENGTH = "No effect: an answer is quoted whole, and cut nowhere."
TOOLS = "No effect: no tool is called."
KEPT = "No effect: nothing is kept of a request."
RUNNING = "No effect: there is no model of this kind to tune."


class NoEffect(Request):
    """Fields that clients send along; `footnote.ignored` of the answer names those that were given."""

    temperature: Any = Field(None, description=RANDOM)
    top_p: Any = Field(None, description=RANDOM)
    top_k: Any = Field(None, description=RANDOM)
    min_p: Any = Field(None, description=RANDOM)
    typical_p: Any = Field(None, description=RANDOM)
    tfs_z: Any = Field(None, description=RANDOM)
    mirostat: Any = Field(None, description=RANDOM)
    mirostat_eta: Any = Field(None, description=RANDOM)
    mirostat_tau: Any = Field(None, description=RANDOM)
    seed: Any = Field(None, description=RANDOM)
    frequency_penalty: Any = Field(None, description=RANDOM)
    presence_penalty: Any = Field(None, description=RANDOM)
    repeat_penalty: Any = Field(None, description=RANDOM)
    repetition_penalty: Any = Field(None, description=RANDOM)
    repeat_last_n: Any = Field(None, description=RANDOM)
    logit_bias: Any = Field(None, description=RANDOM)
    stop: Any = Field(None, description=LENGTH)
    max_tokens: Any = Field(None, description=LENGTH)
    max_completion_tokens: Any = Field(None, description=LENGTH)
    num_predict: Any = Field(None, description=LENGTH)
    verbosity: Any = Field(None, description=LENGTH)
    parallel_tool_calls: Any = Field(None, description=TOOLS)
    metadata: Any = Field(None, description=KEPT)
    user: Any = Field(None, description=KEPT)
    safety_identifier: Any = Field(None, description=KEPT)
    prompt_cache_key: Any = Field(None, description=KEPT)
    prompt_cache_retention: Any = Field(None, description=KEPT)
    store: Any = Field(None, description=KEPT)
    chat_id: Any = Field(None, description=KEPT)
    session_id: Any = Field(None, description=KEPT)
    service_tier: Any = Field(None, description=RUNNING)
    reasoning: Any = Field(None, description=RUNNING)
    reasoning_effort: Any = Field(None, description=RUNNING)
    think: Any = Field(None, description=RUNNING)
    prediction: Any = Field(None, description=RUNNING)
    num_ctx: Any = Field(None, description=RUNNING)
    num_keep: Any = Field(None, description=RUNNING)
    keep_alive: Any = Field(None, description=RUNNING)
    options: Any = Field(None, description=RUNNING)
    chat_template_kwargs: Any = Field(None, description=RUNNING)
    cache_prompt: Any = Field(None, description=RUNNING)


class TextPart(BaseModel):
    """A part of a message."""

    type: Literal["text", "input_text", "output_text"]
    text: str


class Message(BaseModel):
    """A message of a conversation; what else stands in it is not looked at."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart | dict[str, Any]] | None = None


class StreamOptions(BaseModel):
    """What a stream tells besides."""

    include_usage: bool | None = Field(False, description="A last chunk without choices has the counts.")


class JsonSchema(BaseModel):
    """A schema that the answer object is to satisfy, with no more fields than it names."""

    name: str = Field("answer", max_length=200)
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(BaseModel):
    """What the content of an answer is."""

    type: Literal["text", "json_object", "json_schema"] = Field(
        description="Text with footnotes; the answer object (`AnswerObject`) as JSON; or what a schema takes of it."
    )
    json_schema: JsonSchema | None = None


class ChatRequest(NoEffect):
    """A conversation; the last message of the user is the question, which may refer to those before it."""

    messages: list[Message] = Field(
        min_length=1, max_length=1000, examples=[[{"role": "user", "content": "What is green tea steeped at?"}]]
    )
    model: ModelName = "footnote"
    stream: bool | None = False
    stream_options: StreamOptions | None = Field(None, description="With `stream` only.")
    response_format: ResponseFormat | None = None
    n: int | None = Field(None, description="1: there is one answer.")
    logprobs: bool | None = Field(None, description="false: `footnote.confidence` says how sure an answer is.")
    top_logprobs: int | None = Field(None, description="0, as `logprobs`.")
    tools: Any = Field(None, description=TOOLS)
    tool_choice: Any = Field(None, description='"none" or "auto": no tool is called, so none can be required.')
    functions: Any = Field(None, description=TOOLS)
    function_call: Any = Field(None, description='"none" or "auto", as `tool_choice`.')
    modalities: list[str] | None = Field(None, description='["text"]: nothing is spoken.')
    audio: Any = Field(None, description="Refused: nothing is spoken.")
    web_search_options: Any = Field(None, description="Refused: only your documents are searched.")
    max_error: MaxError = None
    form: AskedForm = None
    k: int = Field(5, ge=1, le=20, description="How many passages are read.")
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
    ignored: list[str] = Field(description="Fields of the request that had no effect.")


class Usage(Response):
    """Tokens by the tokenizer of the collection's encoder: no model's, and nothing is paid for."""

    prompt_tokens: int = Field(description="Of the question, what of the conversation was read, and the passages read.")
    completion_tokens: int = Field(description="Of the content of the answer.")
    total_tokens: int


class ChatResponse(Response):
    """An answer as a chat completion."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    footnote: Grounding
    usage: Usage


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
    choices: list[ChunkChoice] = Field(description="Empty in the chunk that has the counts.")
    footnote: Grounding | None = None
    usage: Usage | None = Field(None, description="In the last chunk, with `stream_options.include_usage`.")


class NearestOut(Response):
    """A passage that is nearest where there is no answer."""

    source: str
    name: str
    page: int | None
    line: int | None
    text: str


class AnswerObject(Response):
    """An answer as the JSON that `response_format` asks for."""

    question: str
    answer: str = Field(description='"" when the outcome is none; the closest evidence when it is unsure.')
    answered: bool
    outcome: Outcome
    form: Form
    confidence: Share
    read_as: str
    citations: list[CitationOut]
    unsupported: list[str] = Field(description="Parts of the answer that no passage bears out.")
    notes: list[str]
    nearest: list[NearestOut] = Field(description="What came nearest, where the outcome is no answer.")
    collection: str
