"""Folders of this machine that are bound to a collection, and what indexing them again would change."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from rag.service import schemas
from rag.service.errors import ServiceError, json_response
from rag.service.folders import changes, present
from rag.service.routes.describing import ERRORS
from rag.service.service import Served, Service, in_thread

router = APIRouter(prefix="/v1/collections/{name}", tags=["folders"], responses=ERRORS)

Name = Annotated[str, Path(max_length=64, examples=["papers"], description="A collection.")]


@router.get("/folders", response_model=schemas.FolderList)
async def list_folders(name: Name, service: Served) -> Response:
    """List the folders that are bound to a collection, and say whether others may be added here by their path."""
    return json_response(await in_thread(lambda: _folders(name, service)))


@router.post("/folders", status_code=201, response_model=schemas.FolderList)
async def bind_folder(name: Name, wanted: schemas.NewFolder, service: Served) -> Response:
    """Bind a folder of the machine where the service runs. Nothing is read of it before `/index` is asked for.

    Only a service that this machine alone can reach takes paths.
    """
    _check_allowed(service)

    def bind() -> dict[str, Any]:
        _ = service.library.collection(name)  # says that there is none
        service.folders.bind(name, wanted.path)
        return _folders(name, service)

    return json_response(await in_thread(bind), 201)


@router.delete("/folders", response_model=schemas.FolderList)
async def unbind_folder(
    name: Name, service: Served, path: Annotated[str, Query(max_length=5000, description="As it is listed.")]
) -> Response:
    """Take a folder away from a collection. Its documents stay until they are removed."""

    def unbind() -> dict[str, Any]:
        service.folders.unbind(name, path)
        return _folders(name, service)

    return json_response(await in_thread(unbind))


@router.get("/changes", response_model=schemas.FolderChanges)
async def preview(name: Name, service: Served) -> Response:
    """Say what indexing the bound folders again would add, change and remove. Nothing is changed."""

    def look() -> dict[str, Any]:
        collection = service.library.collection(name)
        return changes(collection, service.folders.of(name)).to_json()

    return json_response(await in_thread(look))


def _folders(name: str, service: Service) -> dict[str, Any]:
    bound = service.folders.of(name)
    there = {str(each) for each in present(bound)}
    sources = [entry.source for entry in service.library.collection(name).documents() if entry.origin == "file"]
    return {
        "folders": [
            {
                "path": path,
                "documents": sum(source.startswith(f"{path.rstrip('/')}/") for source in sources),
                "is_there": path in there,
            }
            for path in bound
        ],
        "may_add": _may_add(service),
    }


def _may_add(service: Service) -> bool:
    return service.settings.is_local and service.settings.folders


def _check_allowed(service: Service) -> None:
    if not _may_add(service):
        raise ServiceError(
            403,
            "not_here",
            "Folders are not added by their path here: other machines reach this service, or its settings say so.",
            "Upload the files, or run on the machine itself: footnote index PATH",
        )
