"""The page that people use: its files, under the policy that lets it run nothing else and talk to nobody else."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from rag.service.page import INDEX, POLICY, page_file
from rag.service.service import in_thread

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page() -> Response:
    """Show the page."""
    return await _file(INDEX)


@router.get("/page/{name}")
async def part(name: str) -> Response:
    """Return a file of the page."""
    return await _file(name)


async def _file(name: str) -> Response:
    content, kind = await in_thread(lambda: page_file(name))
    return Response(content, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}, media_type=kind)
