"""What the page offers of a collection: questions to try, recent documents, fields to filter by; and files."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path
from starlette.responses import Response

from rag.service import schemas
from rag.service.documents import file_of, source_of
from rag.service.errors import json_response
from rag.service.offering import fields_of, recent
from rag.service.routes.describing import ERRORS
from rag.service.service import Served, in_thread
from rag.service.suggesting import questions_to_try

router = APIRouter(prefix="/v1/collections/{name}", tags=["collections"], responses=ERRORS)

Name = Annotated[str, Path(max_length=64, examples=["papers"], description="A collection.")]
Id = Annotated[str, Path(max_length=64, description="A document, as the list of documents names it.")]


@router.get("/offer", response_model=schemas.Offer)
async def offer(name: Name, service: Served) -> Response:
    """Say what can be asked: questions made of headings and sentences, the newest documents, the fields for filters."""
    collection = await service.collection(name)
    names = service.names(collection.name)

    def look() -> dict[str, Any]:
        entries = collection.documents()
        return {
            "questions": questions_to_try(collection),
            "recent": [names.entry(each) for each in recent(entries)],
            "fields": fields_of(entries),
        }

    return json_response(await in_thread(look))


@router.get(
    "/documents/{id}/file",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def read_document_file(name: Name, id: Id, service: Served) -> Response:
    """Return the file that a document was read from, while its bytes are those that were indexed.

    A plain text may be shown by a browser; everything else is to be saved, since a browser might run it.
    """
    collection = await service.collection(name)
    label = service.names(collection.name)
    source, kind, content = await in_thread(lambda: file_of(collection, source_of(collection, id)))
    is_shown = kind != "application/octet-stream"
    shown_name = quote(label.name_of_file(source), safe="")
    disposition = f"{'inline' if is_shown else 'attachment'}; filename*=UTF-8''{shown_name}"
    return Response(content, media_type=kind, headers={"Content-Disposition": disposition})
