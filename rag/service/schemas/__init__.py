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
GET    /v1/collections/{name}/offer              Offer: questions to try, recent documents, fields for filters
GET    /v1/collections/{name}/folders            FolderList; POST NewFolder (201), DELETE ?path=
GET    /v1/collections/{name}/changes            FolderChanges
GET    /v1/collections/{name}/documents          Documents; ?offset=&limit=&find=&sort=&descending=
POST   /v1/collections/{name}/documents          raw bytes, ?name=report.pdf -> Uploaded (201; 200 where it replaced
                                                 one); &stream=true: progress Progress, document Uploaded, error
GET    /v1/collections/{name}/documents/{id}     DocumentText; ?start=&end=
GET    /v1/collections/{name}/documents/{id}/file  the file that it was read from, while it is the same
DELETE /v1/collections/{name}/documents/{id}     Removed
GET    .../documents/{id}/pages/{number}         image/png; ?scale=
GET    .../documents/{id}/pages/{number}/boxes   PageBoxes; ?start=&end=
GET    /v1/models  /v1/models/{model}            Models, Model: "footnote" and "footnote/COLLECTION"
POST   /v1/embeddings                            EmbeddingsRequest -> EmbeddingsResponse
POST   /v1/rerank                                RerankRequest -> RerankResponse
POST   /v1/chat/completions                      ChatRequest -> ChatResponse; with stream: data ChatChunk ... [DONE]
POST   /v1/responses                             ResponsesRequest -> ResponsesResponse; with stream: ResponsesEvent ...

Every failure is an ErrorResponse, whatever failed, and an OpenAIErrorResponse on the routes of OpenAI's form (the
last five lines); in a stream that has begun it is the last event.
"""

from __future__ import annotations

from rag.service.schemas.base import (
    CollectionName,
    DocumentId,
    ErrorResponse,
    Failure,
    Filters,
    MaxError,
    Request,
    Response,
    Share,
    Span,
    Whole,
)
from rag.service.schemas.chat import (
    ChatChunk,
    ChatMessage,
    ChatRequest,
    ChatResponse,
    Choice,
    ChunkChoice,
    Delta,
    Grounding,
    Message,
    TextPart,
)
from rag.service.schemas.collections import (
    BrokenCollection,
    ChangeCounts,
    CollectionEntry,
    Collections,
    CollectionStatus,
    Deleted,
    DocumentEntry,
    DocumentOrder,
    Documents,
    DocumentText,
    FieldOut,
    FieldValue,
    FolderChanges,
    FolderList,
    FolderOut,
    IndexReport,
    IndexRequest,
    NewCollection,
    NewFolder,
    Offer,
    PageBoxes,
    Progress,
    Removed,
    SectionOut,
    SkipOut,
    Uploaded,
)
from rag.service.schemas.health import Health, Ready
from rag.service.schemas.openai import (
    Embedding,
    EmbeddingsRequest,
    EmbeddingsResponse,
    EmbeddingUsage,
    Model,
    ModelName,
    Models,
)
from rag.service.schemas.questions import (
    Arm,
    AskRequest,
    AskResponse,
    CheckOut,
    CitationOut,
    Explanation,
    PassageOut,
    Passages,
    SearchRequest,
    SearchResponse,
    Stage,
    Texts,
    VerifiedCitation,
    VerifyRequest,
    VerifyResponse,
    Writing,
)

__all__ = [
    "Arm",
    "AskRequest",
    "AskResponse",
    "BrokenCollection",
    "ChangeCounts",
    "ChatChunk",
    "ChatMessage",
    "ChatRequest",
    "ChatResponse",
    "CheckOut",
    "Choice",
    "ChunkChoice",
    "CitationOut",
    "CollectionEntry",
    "CollectionName",
    "CollectionStatus",
    "Collections",
    "Deleted",
    "Delta",
    "DocumentEntry",
    "DocumentId",
    "DocumentOrder",
    "DocumentText",
    "Documents",
    "Embedding",
    "EmbeddingUsage",
    "EmbeddingsRequest",
    "EmbeddingsResponse",
    "ErrorResponse",
    "Explanation",
    "Failure",
    "FieldOut",
    "FieldValue",
    "Filters",
    "FolderChanges",
    "FolderList",
    "FolderOut",
    "Grounding",
    "Health",
    "IndexReport",
    "IndexRequest",
    "MaxError",
    "Message",
    "Model",
    "ModelName",
    "Models",
    "NewCollection",
    "NewFolder",
    "Offer",
    "PageBoxes",
    "PassageOut",
    "Passages",
    "Progress",
    "Ready",
    "Removed",
    "Request",
    "Response",
    "SearchRequest",
    "SearchResponse",
    "SectionOut",
    "Share",
    "SkipOut",
    "Span",
    "Stage",
    "TextPart",
    "Texts",
    "Uploaded",
    "VerifiedCitation",
    "VerifyRequest",
    "VerifyResponse",
    "Whole",
    "Writing",
]  # fmt: skip
