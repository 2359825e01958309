"""What OpenAPI says of the routes beyond their schemas: examples, events, and what every route may refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from rag.service import schemas
from rag.service.events import MEDIA_TYPE
from rag.service.schemas import ErrorResponse
from rag.service.schemas.openai import OpenAIErrorResponse
from rag.service.schemas.responses import ResponsesEvent

Responses = dict[int | str, dict[str, Any]]

_REFUSALS: Mapping[int, str] = {
    400: "No HTTP; in OpenAI's form, all that is wrong in a request.",
    401: "The token is missing or wrong.",
    403: "A page of another site.",
    404: "There is no such collection, document or route.",
    405: "The route does not take this method.",
    408: "The body did not come in time.",
    409: "There is one already, or another process is writing.",
    413: "Too long.",
    415: "Compressed, or no JSON.",
    421: "The service is not called so.",
    422: "A field, question or file is not as it should be.",
    429: "Too much is in work; Retry-After says when to come again.",
    431: "Too many headers.",
    503: "A model or a collection cannot be opened, or the service stops.",
    504: "It took too long.",
    507: "The disk is full or cannot be written.",
}
ERRORS: Responses = {
    status: {"model": ErrorResponse, "description": description} for status, description in _REFUSALS.items()
}

OPENAI_ERRORS: Responses = {
    status: {"model": OpenAIErrorResponse, "description": description} for status, description in _REFUSALS.items()
}

_PASSAGE = {
    "rank": 1,
    "document": "0f3a5c1e9d2b4a6c8e0f1a2b",
    "source": "/home/ada/corpora/data/sources-of-text.md",
    "name": "Sources of text",
    "label": "/home/ada/corpora/data/sources-of-text.md",
    "title": "Sources of text",
    "context": "Sources of text > Ready-made collections",
    "page": None,
    "page_name": "",
    "line": 21,
    "start": 1204,
    "end": 1290,
    "text": "The Pile joined 22 smaller sets into one of 825 GiB.",
    "score": 0.78,
    "also_in": [],
    "excerpt": [[0, 52]],
    "matches": [[4, 8], [22, 34]],
    "explain": None,
}
PASSAGES = {
    "query": "how many sets make The Pile",
    "mode": "hybrid",
    "passages": [_PASSAGE],
    "collection": "default",
    "generation": 4,
}
ANSWER = {
    "question": "How many smaller sets were joined to make The Pile?",
    "answer": "22",
    "answered": True,
    "outcome": "answer",
    "form": "fact",
    "confidence": 0.91,
    "citations": [
        {
            "number": 1,
            "document": _PASSAGE["document"],
            "source": _PASSAGE["source"],
            "name": "Sources of text",
            "label": _PASSAGE["label"],
            "title": "Sources of text",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "page": None,
            "page_name": "",
            "line": 21,
            "start": 1204,
            "end": 1256,
            "quote": "The Pile joined 22 smaller sets into one of 825 GiB.",
            "marks": [[16, 18]],
            "claims": [[0, 2]],
            "headings": ["Sources of text", "Ready-made collections"],
            "kind": "paragraph",
            "header": "",
        }
    ],
    "unsupported": [],
    "copied": [{"start": 0, "end": 2, "citation": 1, "quote_start": 16, "quote_end": 18}],
    "written": [],
    "passages": [_PASSAGE],
    "timings_ms": {
        "queue": 0.4,
        "load": 0.1,
        "embed": 8.9,
        "retrieve": 6.1,
        "open": 0.0,
        "generate": 38.0,
        "cite": 0.1,
    },
    "generator": "copying",
    "collection": "default",
    "generation": 4,
    "meant": "",
    "read_as": "",
    "documents": 0,
    "notes": [],
    "code": [],
    "texts": None,
}
ASK_EVENTS = (
    'event: stage\ndata: {"stage":"search"}\n\nevent: passages\ndata: {"passages":[...]}\n\n'
    'event: stage\ndata: {"stage":"read"}\n\nevent: answer\ndata: {"question":"...","answer":"22",...}\n\n'
)
VERIFIED = {
    "holds": False,
    "proves": "1 of 1 citations do not hold",
    "reason": "",
    "unproved": [],
    "citations": [{"number": 1, "source": "/docs/a.md", "holds": False, "reason": "the file is gone"}],
}
REPORT = {
    "added": 0, "changed": 1, "removed": 0, "unchanged": 75, "skipped": [], "chunks": 9, "chunks_embedded": 2,
    "seconds": 0.31, "generation": 5,
}  # fmt: skip
INDEX_EVENTS = (
    'event: progress\ndata: {"what":"files","done":12,"total":76}\n\nevent: report\ndata: {"added":0,...}\n\n'
)
UPLOADED = {
    "document": {
        "id": _PASSAGE["document"],
        "source": "/home/ada/.local/share/footnote/uploads/papers/5f70bf18a0860070-9f86d081884c7d65.pdf",
        "name": "report.pdf",
        "label": "report.pdf",
        "folder": "",
        "title": "Yearly report",
        "format": "pdf",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "characters": 48211,
        "chunks": 61,
        "modified": "2026-03-01T09:30:00+00:00",
        "origin": "upload",
        "metadata": {"author": "Ada"},
        "warnings": [],
    },
    "replaced": False,
    "report": {**REPORT, "added": 1, "changed": 0, "unchanged": 0},
}
PAGE_BOXES = {
    "page": 3,
    "pages": 12,
    "width": 595.28,
    "height": 841.89,
    "boxes": [[0.11765, 0.21021, 0.88235, 0.22508], [0.11765, 0.22804, 0.4031, 0.24291]],
}
UPLOAD_EVENTS = 'event: progress\ndata: {"what":"passages","done":61,"total":61}\n\nevent: document\ndata: {...}\n\n'


Told = Sequence[tuple[str, type[BaseModel]]]
"""The events of a stream: the name of each, and what its data holds."""
_FAILED = ("error", schemas.ErrorResponse)
ASK_TOLD: Told = (
    ("stage", schemas.Stage), ("passages", schemas.Passages), ("writing", schemas.Writing),
    ("answer", schemas.AskResponse), _FAILED,
)  # fmt: skip
INDEX_TOLD: Told = (("progress", schemas.Progress), ("report", schemas.IndexReport), _FAILED)
UPLOAD_TOLD: Told = (("progress", schemas.Progress), ("document", schemas.Uploaded), _FAILED)


def event_schemas() -> dict[str, Any]:
    """Return the schemas, by name, of what events hold: the framework knows only those of whole bodies."""
    held: list[type[BaseModel]] = [
        schemas.Stage,
        schemas.Passages,
        schemas.Writing,
        schemas.Progress,
        schemas.ChatChunk,
        ResponsesEvent,
    ]
    _, found = models_json_schema(
        [(model, "validation") for model in held], ref_template="#/components/schemas/{model}"
    )
    return dict(found["$defs"])


def shown(example: Mapping[str, Any], status: int = 200) -> Responses:
    """Return the response of a route with an example."""
    return {status: {"content": {"application/json": {"example": example}}}}


def streamed(example: Mapping[str, Any], events: str, told: Told, status: int = 200, end: str = "") -> Responses:
    """Return the response of a route that also streams, with an example of either; `end`: the last data."""
    found = shown(example, status)
    kinds = [_event(name, model) for name, model in told]
    if end:
        kinds.append({"type": "object", "properties": {"data": {"const": end}}, "required": ["data"]})
    found[status]["content"][MEDIA_TYPE] = {"itemSchema": {"anyOf": kinds}, "example": events}
    return found


def _event(name: str, model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a server-sent event, as OpenAPI 3.2 has it (section 4.14); "" for one without a name."""
    held = {"$ref": f"#/components/schemas/{model.__name__}"}
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": held}
    about: dict[str, Any] = {"type": "object", "properties": {"data": data}, "required": ["data"]}
    if name:
        about["properties"]["event"] = {"const": name}
        about["required"].append("event")
    return about
