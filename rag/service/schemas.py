"""The requests and responses of the service: their fields, limits and examples, as the OpenAPI document shows them.

What the command line prints with `--json` keeps its keys here, with more of them where a page needs them. Offsets are
half-open, in characters (Unicode code points); pages and lines count from 1, and are null where there is no such thing.

GET    /healthz  /readyz  /metrics               Health, Ready, Prometheus text
GET    /openapi.json  /docs                      this as OpenAPI, and as a page without scripts
GET    /  /page/{file}                           the page
POST   /v1/search                                SearchRequest -> SearchResponse
POST   /v1/ask                                   AskRequest -> AskResponse; with stream: server-sent events
                                                 stage Stage, passages Passages, writing Writing, answer AskResponse,
                                                 error ErrorResponse
POST   /v1/verify                                VerifyRequest -> VerifyResponse
GET    /v1/collections                           Collections
POST   /v1/collections                           NewCollection -> CollectionStatus (201; 409 when there is one)
GET    /v1/collections/{name}                    CollectionStatus
DELETE /v1/collections/{name}                    Deleted
POST   /v1/collections/{name}/index              IndexRequest -> IndexReport; with stream: progress Progress,
                                                 report IndexReport, error ErrorResponse
GET    /v1/collections/{name}/documents          Documents; ?offset=&limit=&find=
POST   /v1/collections/{name}/documents          raw bytes, ?name=report.pdf -> Uploaded (201; 200 where it replaced
                                                 one); &stream=true: progress Progress, document Uploaded, error
GET    /v1/collections/{name}/documents/{id}     DocumentText; ?start=&end=
DELETE /v1/collections/{name}/documents/{id}     Removed
GET    /v1/models  /v1/models/{model}            Models, Model: "footnote" and "footnote/COLLECTION"
POST   /v1/embeddings                            EmbeddingsRequest -> EmbeddingsResponse
POST   /v1/chat/completions                      ChatRequest -> ChatResponse; with stream: data ChatChunk ... [DONE]

Every failure is an ErrorResponse, whatever failed; in a stream that has begun it is the last event.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


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
    Field(max_length=20, description="key=value conditions on documents, all of which hold; as `search --filter`."),
]
MaxError = Annotated[
    float | None,
    Field(gt=0, lt=1, description="Answer only as often as at most this share of the answers is wrong."),
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


# Passages, answers and footnotes


class Arm(Response):
    """What one arm of the search thought of a passage; null where it did not find it."""

    rank: int | None
    score: float | None


class Explanation(Response):
    """Where a passage's score came from."""

    words: Arm = Field(description="BM25.")
    dense: Arm = Field(description="Cosine of the meanings.")
    matched: list[str] = Field(description="Words of the passage that matched the question's.")


class PassageOut(Response):
    """A piece of a document that was found."""

    rank: int
    document: DocumentId
    source: str = Field(description="Absolute path of a file, or the id that a text was given with.")
    name: str = Field(description="To show: the title, the name it was uploaded under, or the file's name.")
    title: str
    context: str = Field(description='Title and headings above it, joined by " > ".')
    page: int | None
    line: int | None
    start: int
    end: int
    text: str
    score: float = Field(description="Larger is better; comparable within one response.")
    also_in: list[str] = Field(description="Sources of nearly the same passage.")
    explain: Explanation | None = Field(description="With explain; else null.")


class CitationOut(Response):
    """A footnote: `quote` is the document's stored text from `start` to `end`, byte for byte."""

    number: int
    document: DocumentId
    source: str
    name: str
    title: str
    sha256: str = Field(description="Of the source's bytes when it was indexed.")
    page: int | None
    line: int | None
    start: int
    end: int
    quote: str
    marks: list[Span] = Field(description="The answer's words inside the quote, in characters of the quote.")
    claims: list[Span] = Field(description="The parts of the answer that it bears out, in characters of the answer.")
    headings: list[str] = Field(description="The headings above it, outermost first.")


class SearchRequest(Request):
    """What to find."""

    query: str = Field(examples=["how far apart may two words be"], description="Up to 4,000 characters.")
    collection: CollectionName = None
    k: int = Field(10, ge=1, le=100, description="How many passages.")
    mode: Literal["hybrid", "dense", "words", "feedback"] = Field(
        "hybrid", description="Meaning and words, one of them, or both and again with what the best passages share."
    )
    filters: Filters = []
    explain: bool = Field(False, description="Say how each arm ranked the passages, and which words matched.")


class SearchResponse(Response):
    """Passages, best first."""

    query: str
    mode: str
    passages: list[PassageOut]
    collection: str
    generation: int


class AskRequest(Request):
    """A question."""

    question: str = Field(
        examples=["How many smaller sets were joined to make The Pile?"], description="Up to 4,000 characters."
    )
    collection: CollectionName = None
    k: int = Field(5, ge=1, le=20, description="How many passages are read.")
    max_error: MaxError = None
    filters: Filters = []
    explain: bool = False
    stream: bool = Field(False, description="Server-sent events: stage, passages, writing, answer, error.")


class AskResponse(Response):
    """An answer with its footnotes; or, where `answered` is false, none, and the passages as the nearest evidence."""

    question: str
    answer: str = Field(description='"" when not answered.')
    answered: bool
    confidence: Share = Field(description="Estimated chance that the answer is right; of the best found, if refused.")
    citations: list[CitationOut]
    unsupported: list[Span] = Field(description="Parts of the answer that no passage bears out.")
    passages: list[PassageOut] = Field(description="What was read, best first.")
    timings_ms: dict[str, float] = Field(description="Of each stage, as this request saw it; waiting is `queue`.")
    generator: str
    collection: str
    generation: int = Field(description="The state of the collection that was asked; grows with every change.")
    meant: str = Field(description='Of a refusal, the question as the collection spells its words; "" if it does so.')


class Stage(Response):
    """What is being done: looking for passages, or reading them."""

    stage: Literal["search", "read"]


class Passages(Response):
    """What is read for the answer, before there is one."""

    passages: list[PassageOut]


class Writing(Response):
    """The next piece of a draft of which nothing is checked; the answer takes its place."""

    text: str


class VerifiedCitation(BaseModel):
    """A footnote to check, as /v1/ask gave it; what else stands in it is not looked at."""

    number: int = Field(ge=0, le=1_000_000)
    source: Whole = Field(max_length=5000)
    sha256: Whole = Field(max_length=64)
    start: int = Field(ge=0, le=2**53)
    end: int = Field(ge=0, le=2**53)
    quote: Whole = Field(max_length=1_000_000)


class VerifyRequest(BaseModel):
    """An answer as /v1/ask gave it."""

    citations: list[VerifiedCitation] = Field(max_length=100)
    collection: CollectionName = None


class CheckOut(Response):
    """What became of one footnote."""

    number: int
    source: str
    holds: bool
    reason: str = Field(description='Why it does not hold; "" when it does.')


class VerifyResponse(Response):
    """Whether the footnotes hold: the source's bytes are those that were indexed, and the quote stands at its place."""

    holds: bool
    citations: list[CheckOut]


# Collections and documents


class NewCollection(Request):
    """A collection to make, empty."""

    name: str = Field(max_length=64, examples=["papers"])


class CollectionEntry(Response):
    """A collection in a list."""

    name: str
    documents: int
    chunks: int
    generation: int
    encoder: str
    bytes: int


class BrokenCollection(Response):
    """A collection that cannot be opened."""

    name: str
    error: str
    hint: str


class Collections(Response):
    """The collections."""

    collections: list[CollectionEntry]
    broken: list[BrokenCollection]
    default: str = Field(description="The one that is used where none is named.")


class SkipOut(Response):
    """A source that was not taken in, and why."""

    source: str
    reason: str


class CollectionStatus(Response):
    """What a collection holds."""

    name: str
    generation: int
    documents: int
    chunks: int
    characters: int
    near_duplicates: int
    formats: dict[str, int]
    repairs: dict[str, int]
    skipped: list[SkipOut]
    bytes: int
    encoder: str
    dim: int
    generator: str | None = Field(description="null: the default one.")


class Deleted(Response):
    """The collection that was deleted; files that were indexed where they lie are not touched."""

    deleted: str


class DocumentEntry(Response):
    """A stored document without its text."""

    id: DocumentId
    source: str
    name: str
    title: str
    format: str
    sha256: str
    characters: int
    chunks: int
    modified: str | None
    origin: Literal["file", "given", "upload"]
    metadata: dict[str, str | int | float | bool]


class Documents(Response):
    """A part of the list of documents, by source."""

    documents: list[DocumentEntry]
    total: int
    offset: int


class SectionOut(Response):
    """A part of a document's text."""

    start: int
    end: int
    kind: Literal["heading", "paragraph", "code", "table", "row"]
    level: int = Field(description="Depth of a heading, 1 is the top; 0 for everything else.")
    page: int | None
    line: int | None


class DocumentText(Response):
    """A document's stored text, or the part of it that was asked for."""

    id: DocumentId
    source: str
    name: str
    title: str
    format: str
    sha256: str
    origin: Literal["file", "given", "upload"]
    metadata: dict[str, str | int | float | bool]
    notes: list[str] = Field(description="How it was read, where that was not plain.")
    characters: int = Field(description="Of the whole text.")
    start: int
    end: int
    text: str = Field(description="From `start` to `end`; at most 200,000 characters at once.")
    sections: list[SectionOut] = Field(description="Those that touch this part; offsets are the document's.")
    headings: list[str] = Field(description="Above `start`, outermost first.")
    generation: int


class IndexReport(Response):
    """What one run of indexing did, in documents and chunks."""

    added: int
    changed: int
    removed: int
    unchanged: int
    skipped: list[SkipOut]
    chunks: int
    chunks_embedded: int
    seconds: float
    generation: int


class Uploaded(Response):
    """The document that an upload became."""

    document: DocumentEntry
    replaced: bool = Field(description="A document uploaded under the same name has gone.")
    report: IndexReport


class Removed(Response):
    """The document that was removed; an uploaded file goes with it, another one is not touched."""

    removed: DocumentId
    generation: int


class IndexRequest(Request):
    """How to bring a collection up to date with its files."""

    rebuild: bool = Field(False, description="Read and embed everything anew beside the old state, then switch.")
    stream: bool = Field(False, description="Server-sent events: progress, report, error.")


class Progress(Response):
    """How far a long piece of work is."""

    what: str = Field(examples=["files", "chunks"])
    done: int
    total: int = Field(description="0 while it is not known.")


# As OpenAI's clients speak: what they send and we do not know is passed over, as they expect


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
    """A conversation; the last message of the user is the question, and is answered by itself."""

    messages: list[Message] = Field(
        min_length=1, max_length=1000, examples=[[{"role": "user", "content": "What is green tea steeped at?"}]]
    )
    model: ModelName = "footnote"
    stream: bool | None = False
    n: int | None = Field(1, ge=1, le=1)
    max_error: MaxError = None
    k: int = Field(5, ge=1, le=20)
    filters: Filters = []


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


# How the service itself is


class Health(Response):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Ready(Response):
    """Whether questions are welcome: "starting" while models are opened, "draining" while it stops (503)."""

    state: Literal["starting", "ready", "draining"]
    queue: int = Field(description="Questions that wait.")
