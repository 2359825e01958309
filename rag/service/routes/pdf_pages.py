"""A page of a PDF: as a picture, and where a part of the stored text stands on it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from rag.service import schemas
from rag.service.errors import json_response
from rag.service.events import while_connected
from rag.service.pdf_pages import StoredPdf, page_sections, stored_pdf
from rag.service.routes.collections import Id, Name, Offset
from rag.service.routes.describing import ERRORS, PAGE_BOXES, shown
from rag.service.service import Served, Service, in_thread

router = APIRouter(prefix="/v1/collections/{name}/documents/{id}/pages", tags=["collections"], responses=ERRORS)

PNG = "image/png"
Number = Annotated[int, Path(ge=-(2**31), lt=2**31, description="A page, counted from 1.", examples=[1])]
Scale = Annotated[
    float,
    Query(ge=0.1, le=4, allow_inf_nan=False, description="Pixels a point; fewer where the picture would be too large."),
]


@router.get(
    "/{number}",
    response_class=Response,
    responses={200: {"content": {PNG: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def draw_page(
    name: Name, id: Id, number: Number, request: Request, service: Served, scale: Scale = 1.5
) -> Response:
    """Draw a page of a PDF as PNG.

    404 where the document is no PDF, its file is gone or has changed since it was indexed, or there is no such page.
    """

    async def drawn() -> bytes:
        return await service.pages.picture(await _pdf(name, id, service), number, round(scale, 2))

    return Response(await while_connected(request, drawn()), media_type=PNG)


@router.get("/{number}/boxes", response_model=schemas.PageBoxes, responses=shown(PAGE_BOXES))
async def find_boxes(
    name: Name, id: Id, number: Number, request: Request, service: Served, start: Offset, end: Offset
) -> Response:
    """Say where the stored text from `start` to `end` stands on a page of a PDF, a box a line; none if not certain.

    404 as for the picture of the page.
    """

    async def found() -> dict[str, Any]:
        pdf = await _pdf(name, id, service)
        collection = await service.collection(name)
        sections = await in_thread(lambda: page_sections(collection, pdf, number))
        places = await service.pages.places(pdf, number, sections)
        boxes = [[round(edge, 5) for edge in line] for line in places.lines(start, end)]
        size = {"width": round(places.width, 2), "height": round(places.height, 2)}
        return {"page": number, "pages": places.pages, **size, "boxes": boxes}

    return json_response(await while_connected(request, found()))


async def _pdf(name: str, id: str, service: Service) -> StoredPdf:
    collection = await service.collection(name)
    return await in_thread(lambda: stored_pdf(collection, id, service.names(collection.name)))
