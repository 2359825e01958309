"""Collections, and the documents in them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import func, select
from starlette.responses import Response

from indexer import schema
from indexer.collection import Collection, Status, made_in
from indexer.errors import UserError
from indexer.types import Progress
from rag.service import schemas
from rag.service.changing import Done
from rag.service.documents import origin_of, source_of, with_notes
from rag.service.errors import ServiceError, json_response
from rag.service.events import event_response, while_connected
from rag.service.folders import present
from rag.service.reindexing import brought_up_to_date
from rag.service.routes.describing import (
    ERRORS,
    INDEX_EVENTS,
    INDEX_TOLD,
    REPORT,
    UPLOAD_EVENTS,
    UPLOAD_TOLD,
    UPLOADED,
    streamed,
)
from rag.service.service import Served, Service, in_thread
from rag.service.uploads import MAX_NAME, checked_label, received, take_in

router = APIRouter(prefix="/v1/collections", tags=["collections"], responses=ERRORS)

Name = Annotated[str, Path(max_length=64, examples=["papers"], description="A collection.")]
Id = Annotated[str, Path(max_length=64, description="A document, as the list of documents names it.")]
Offset = Annotated[int, Query(ge=0, le=2**53)]


@router.get("", response_model=schemas.Collections)
async def list_collections(service: Served) -> Response:
    """List the collections; one that cannot be opened is named with the reason."""
    return json_response(await in_thread(lambda: _collections(service)))


@router.post("", status_code=201, response_model=schemas.CollectionStatus)
async def make_collection(wanted: schemas.NewCollection, request: Request, service: Served) -> Response:
    """Make an empty collection. 409 when there is one of that name."""
    made = service.library.unopened(wanted.name)

    def make(progress: Progress) -> dict[str, Any]:
        if made.exists:
            raise ServiceError(
                409,
                "exists",
                f"There is a collection {wanted.name!r} already.",
                "Choose another name, or use that one.",
            )
        made.add([], progress=progress)
        service.library.prepare(made, progress)
        return _status(made.status())

    try:
        return json_response(await while_connected(request, service.changing.run(wanted.name, make)), 201)
    finally:
        made.close()


@router.get("/{name}", response_model=schemas.CollectionStatus)
async def read_collection(name: Name, service: Served) -> Response:
    """Say what a collection holds, how it was made, and what was skipped."""
    collection = await service.collection(name)
    return json_response(await in_thread(lambda: _status(collection.status())))


@router.delete("/{name}", response_model=schemas.Deleted)
async def delete_collection(name: Name, service: Served) -> Response:
    """Delete a collection and what was uploaded to it. Files that were indexed where they lie are not touched."""

    going = service.library.unopened(name)

    def delete(_: Progress) -> None:
        going.delete()
        service.library.forget(name)
        service.uploads.drop_all(name)
        service.folders.drop(name)

    await service.changing.run(name, delete)
    return json_response({"deleted": name})


@router.post("/{name}/index", response_model=schemas.IndexReport, responses=streamed(REPORT, INDEX_EVENTS, INDEX_TOLD))
async def index_again(name: Name, how: schemas.IndexRequest, request: Request, service: Served) -> Response:
    """Read again what has changed of a collection's files, and what is new in the folders that are bound to it.

    Texts of files that are gone are kept, and named as skipped; with `prune`, those of the bound folders are removed.

    With `stream`, events tell how far it is: `progress`; at last `report`, or `error`.
    """
    collection = await _to_write(name, service)

    def index(progress: Progress) -> dict[str, object]:
        with contextlib.closing(collection):
            folders = present(service.folders.of(name))
            report = brought_up_to_date(
                collection, rebuild=how.rebuild, progress=progress, folders=folders, prune=how.prune
            )
            names = service.names(name)
            skipped = tuple(replace(skip, source=names.label(skip.source)) for skip in report.skipped)
            return replace(report, skipped=skipped).to_json()

    if how.stream:
        return event_response(_steps(service, name, "report", index))
    return json_response(await while_connected(request, service.changing.run(name, index)))


@router.get("/{name}/documents", response_model=schemas.Documents)
async def list_documents(
    name: Name,
    service: Served,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    find: Annotated[str, Query(max_length=200, description="Part of a name, title or source.")] = "",
    sort: Annotated[schemas.DocumentOrder, Query(description="What to sort by; equal ones by source.")] = "source",
    descending: bool = False,
) -> Response:
    """List the documents of a collection, by source or by what `sort` names."""
    collection = await service.collection(name)

    def entries() -> list[dict[str, Any]]:
        wanted, names = find.casefold(), service.names(collection.name)
        rows = [names.entry(each) for each in collection.documents()]
        found = [row for row in rows if any(wanted in row[key].casefold() for key in ("name", "title", "label"))]
        if sort != "source":
            found.sort(key=lambda row: _sort_key(row[sort]), reverse=descending)
        elif descending:
            found.reverse()
        return found

    def part() -> dict[str, Any]:
        found = entries()
        rows = with_notes(collection, found[offset : offset + limit])
        return {"documents": rows, "total": len(found), "offset": offset}

    return json_response(await in_thread(part))


@router.post(
    "/{name}/documents",
    status_code=201,
    response_model=schemas.Uploaded,
    responses=streamed(UPLOADED, UPLOAD_EVENTS, UPLOAD_TOLD, 201)
    | {200: {"model": schemas.Uploaded, "description": "It replaced."}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def add_document(
    name: Name,
    request: Request,
    service: Served,
    label: Annotated[str, Query(alias="name", max_length=MAX_NAME, examples=["report.pdf"])],
    stream: Annotated[bool, Query(description="Server-sent events: progress, document, error.")] = False,
) -> Response:
    """Take a file in: the body is its bytes, `name` what it is called. One of the same name is replaced (200).

    The file is kept under a name of the service's own making; the name given is only shown, and tells the format.
    """
    checked_label(label)
    collection = await _to_write(name, service)
    path = await received(service.uploads, collection.name, label, request.stream())

    def take(progress: Progress) -> dict[str, Any]:
        source, replaced, report = take_in(service.uploads, collection, path, label, progress)
        entry = next(each for each in collection.documents() if each.source == source)
        return {
            "document": service.names(collection.name).entry(entry),
            "replaced": replaced,
            "report": report.to_json(),
        }

    async def forget() -> None:  # a client that leaves while others are written may have left its file
        await in_thread(lambda: service.uploads.drop_unless_held(str(path), collection))
        collection.close()

    if stream:
        return event_response(_steps(service, name, "document", take, forget), 201)
    try:
        taken = await while_connected(request, service.changing.run(name, take))
    finally:
        await forget()
    return json_response(taken, 200 if taken["replaced"] or not taken["report"]["added"] else 201)


@router.get("/{name}/documents/{id}", response_model=schemas.DocumentText)
async def read_document(
    name: Name, id: Id, service: Served, start: Offset = 0, end: Annotated[int | None, Query(ge=0, le=2**53)] = None
) -> Response:
    """Return a document's stored text, which the offsets of passages and citations count; or a part of it."""
    collection = await service.collection(name)
    names = service.names(collection.name)
    return json_response(await in_thread(lambda: names.text(collection, source_of(collection, id), start, end)))


@router.delete("/{name}/documents/{id}", response_model=schemas.Removed)
async def remove_document(name: Name, id: Id, service: Served) -> Response:
    """Remove a document from a collection; an uploaded file goes with it, any other is not touched."""
    collection = await service.collection(name)

    def remove(_: Progress) -> int:
        source = source_of(collection, id)
        origin = service.names(collection.name).origin(source, origin_of(collection, source))
        collection.remove([source])
        if origin == "upload":
            service.uploads.drop(collection.name, source)
        return collection.generation

    return json_response({"removed": id, "generation": await service.changing.run(name, remove)})


def _sort_key(value: str | int | None) -> tuple[bool, str | int]:
    """Return what a value is sorted by: names without regard to case, what is missing first."""
    return value is not None, value.casefold() if isinstance(value, str) else value or 0


async def _to_write(name: str, service: Service) -> Collection:
    """Return a collection as it is written: with the encoder that is open already, rather than another one."""
    collection = await service.collection(name)
    return await in_thread(
        lambda: Collection(collection.name, collection.home, collection.encoder, collection.precision)
    )


async def _steps(
    service: Service,
    name: str,
    ending: str,
    change: Callable[[Progress], dict[str, Any]],
    afterwards: Callable[[], Awaitable[None]] | None = None,
) -> AsyncGenerator[tuple[str, Any], None]:
    """Yield the events of a change; however it ends, `afterwards` is called."""
    try:
        async with contextlib.aclosing(service.changing.listen(name, change)) as steps:
            async for step in steps:
                if isinstance(step, Done):
                    yield ending, step.result
                else:
                    yield "progress", {"what": step.what, "done": step.done, "total": step.total}
    finally:
        if afterwards is not None:
            await afterwards()


def _collections(service: Service) -> dict[str, Any]:
    found, broken = [], []
    for name in service.library.names():
        opened = service.library.at_hand(name)
        collection = opened.collection if opened else service.library.unopened(name)
        try:
            found.append(_entry(collection))
        except UserError as error:
            broken.append({"name": name, "error": error.message, "hint": error.hint})
        finally:
            if opened is None:
                collection.close()
    return {"collections": found, "broken": broken, "default": service.library.default}


def _entry(collection: Collection) -> dict[str, Any]:
    """Return `schemas.CollectionEntry`, from counts alone: a list is asked for often."""
    with collection.reading() as connection:
        made, generation = made_in(connection)
        documents, chunks = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (schema.documents, schema.chunks)
        )
    return {
        "name": collection.name,
        "documents": documents,
        "chunks": chunks,
        "generation": generation,
        "encoder": made.encoder,
        "bytes": sum(path.stat().st_size for path in collection.epoch().rglob("*") if path.is_file()),
    }


def _status(s: Status) -> dict[str, Any]:
    return {
        "name": s.name,
        "generation": s.generation,
        "documents": s.documents,
        "chunks": s.chunks,
        "characters": s.characters,
        "near_duplicates": s.near_duplicates,
        "formats": s.formats,
        "repairs": s.repairs,
        "skipped": [{"source": skip.source, "reason": skip.reason} for skip in s.skipped],
        "bytes": s.bytes,
        "encoder": s.made.encoder,
        "dim": s.made.dim,
        "generator": s.generator,
    }
