"""Documents as resources of the MCP server: listed in parts, and read whole by an address that never becomes a path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, ListResourcesResult, Resource
from pydantic import BaseModel

from indexer.collection import Collection, DocumentEntry
from indexer.errors import UserError
from rag.service.documents import document_id, source_of

LISTED_AT_ONCE = 100
"""Documents that one call lists at most."""
MOST_TEXT = 1_000_000
"""Characters of a document that are read as a resource; `read_source` reads what stands behind them."""
_ROOT = "footnote://collections/"
_TYPES = {"markdown": "text/markdown", "csv": "text/csv", "json": "application/json"}
"""Media types by format; what is stored of any other format is plain text."""

Names = Callable[[], list[str]]
Opening = Callable[[str], Collection]
"""Returns a collection by its name. Raises NotFound for one that may not be used."""


def resource_uri(collection: str, source: str) -> str:
    """Return the address of a document: of its collection's name, and of an id that is made of its source.

    The name stands in the path, where no client changes its case.
    """
    return f"{_ROOT}{collection}/{document_id(source)}"


def add_resources(server: MCPServer[Any], names: Names, collection: Opening) -> None:
    """Let a server list the documents of these collections as resources, and read them.

    The SDK lists resources that are known when the server is made; documents come and go, and are listed here.
    """

    @server.resource(
        _ROOT + "{collection_name}/{document}",
        name="document",
        title="A document",
        description=f"The text of an indexed document, up to {MOST_TEXT:,} characters; read_source reads parts of it.",
        mime_type="text/plain",
    )
    async def document(collection_name: str, document: str) -> str:
        def read() -> str:
            stored = collection(collection_name)
            return stored.document(source_of(stored, document)).text[:MOST_TEXT]

        try:
            return await asyncio.to_thread(read)
        except UserError as error:
            raise ResourceNotFoundError(f"{error.message} {error.hint}".strip()) from error

    async def listing(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        answered = await call_next(ctx)
        if ctx.method != "resources/list":
            return answered
        cursor = (ctx.params or {}).get("cursor")
        found = await asyncio.to_thread(_listed, names, collection, cursor)
        listed = answered.model_dump(by_alias=True, exclude_none=True) if isinstance(answered, BaseModel) else answered
        return {**(listed or {}), **found.model_dump(mode="json", by_alias=True, exclude_none=True)}

    server.middleware.append(listing)


def _listed(names: Names, collection: Opening, cursor: str | None) -> ListResourcesResult:
    """Return the next documents after `cursor`, which is the address of the last one listed; None: the first ones."""
    there = names()
    name, _, last = (cursor or "").removeprefix(_ROOT).partition("/")
    if cursor is not None and (name not in there or cursor != f"{_ROOT}{name}/{last}"):
        raise MCPError(code=INVALID_PARAMS, message="There is no such cursor.")
    found: list[Resource] = []
    for each in there[there.index(name) if cursor is not None else 0 :]:
        try:
            entries = collection(each).documents()
        except UserError:
            continue  # it has gone meanwhile, or list_collections tells what is wrong with it
        ids = [document_id(entry.source) for entry in entries]
        if each == name and last not in ids:
            raise MCPError(code=INVALID_PARAMS, message="The document that the cursor names has gone.")
        first = ids.index(last) + 1 if each == name else 0
        found += [_resource(each, entry) for entry in entries[first : first + LISTED_AT_ONCE + 1 - len(found)]]
        if len(found) > LISTED_AT_ONCE:
            found = found[:LISTED_AT_ONCE]
            return ListResourcesResult(resources=found, next_cursor=str(found[-1].uri))
    return ListResourcesResult(resources=found)


def _resource(collection: str, entry: DocumentEntry) -> Resource:
    return Resource(
        uri=resource_uri(collection, entry.source),
        name=entry.source,
        title=entry.title or None,
        description=f"{entry.format}, {entry.characters:,} characters, in the collection {collection}",
        mime_type=_TYPES.get(entry.format, "text/plain"),
    )
