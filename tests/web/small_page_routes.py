"""What the page asks of the small service beyond asking: offers, folders, pages of PDFs."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import Depends, FastAPI
from fastapi.responses import Response

from rag.service import schemas
from tests.web.papers import Paper, Refusal
from tests.web.pictures import picture


class Holding(Protocol):
    """What these routes need of the service."""

    papers: dict[str, list[Paper]]
    pages: dict[str, dict[int, list[list[float]]]]
    drawn: list[tuple[str, int, str]]
    folders: list[str]
    gone: list[str]

    def paper(self, collection: str, id: str) -> Paper:
        """Return a document by its id."""


def page_routes(app: FastAPI, service: Holding, guard: Any) -> None:
    """Answer what the page asks beyond the interface: offers, folders, pages of PDFs."""
    wanted = [Depends(guard)]

    @app.get("/v1/collections/{name}/offer", dependencies=wanted)
    async def offer(name: str) -> schemas.Offer:
        papers = service.papers[name]
        entries = [paper.entry() for paper in papers][:2]
        fields = [
            {"key": "format", "documents": 3, "is_date": False, "values": [{"value": "markdown", "documents": 2}]},
            {"key": "modified", "documents": 3, "is_date": True, "values": []},
        ]
        asked = ["When was the archive opened?", "Who opened it?", "What is Kestrel?"] if papers else []
        whole = {"questions": asked, "recent": entries, "fields": fields if papers else []}
        return schemas.Offer.model_validate(whole)

    def listed() -> schemas.FolderList:
        folders = [{"path": path, "documents": 2, "is_there": True} for path in service.folders]
        return schemas.FolderList.model_validate({"folders": folders, "may_add": True})

    @app.get("/v1/collections/{name}/folders", dependencies=wanted)
    async def folders(name: str) -> schemas.FolderList:
        return listed()

    @app.post("/v1/collections/{name}/folders", dependencies=wanted)
    async def bind(name: str, asked: schemas.NewFolder) -> schemas.FolderList:
        if not asked.path.startswith("/papers"):
            raise Refusal(404, "not_found", f"There is no folder {asked.path!r}.", "Check the spelling.")
        service.folders.append(asked.path)
        return listed()

    @app.delete("/v1/collections/{name}/folders", dependencies=wanted)
    async def unbind(name: str, path: str) -> schemas.FolderList:
        service.folders.remove(path)
        return listed()

    @app.get("/v1/collections/{name}/changes", dependencies=wanted)
    async def changes(name: str) -> schemas.FolderChanges:
        counts = {"added": 1, "changed": 0, "removed": len(service.gone), "unchanged": 2}
        whole = {"added": ["/papers/new.md"], "changed": [], "removed": service.gone, "counts": counts}
        return schemas.FolderChanges.model_validate({**whole, "not_read": {}, "missing": []})

    def boxes_of(name: str, id: str, number: int) -> tuple[Paper, dict[int, list[list[float]]]]:
        paper = service.paper(name, id)
        pages = service.pages.get(paper.name, {})
        if number not in pages:
            raise Refusal(404, "not_found", "There is no such page.", "")
        return paper, pages

    @app.get("/v1/collections/{name}/documents/{id}/pages/{number}", dependencies=wanted)
    async def drawn(name: str, id: str, number: int, scale: str = "1.5") -> Response:
        paper, _ = boxes_of(name, id, number)
        service.drawn.append((paper.name, number, scale))
        return Response(picture(90, 120), media_type="image/png")

    @app.get("/v1/collections/{name}/documents/{id}/pages/{number}/boxes", dependencies=wanted)
    async def boxes(name: str, id: str, number: int, start: int, end: int) -> dict[str, Any]:
        _, pages = boxes_of(name, id, number)
        found = pages[number] if start < end else []
        return {"page": number, "pages": len(pages), "width": 450.0, "height": 600.0, "boxes": found}
