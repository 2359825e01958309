"""Collections as models: "footnote" is the default one, "footnote/papers" another."""

from __future__ import annotations

from typing import Any

from indexer.errors import NotFound
from rag.engine import Engine
from rag.service.errors import ServiceError
from rag.service.service import Service

NAME = "footnote"


async def engine_of(model: str, service: Service) -> Engine:
    """Return the engine of the collection that a model names. Raises ServiceError (404) where there is none."""
    first, _, collection = model.partition("/")
    if first != NAME or (model != NAME and not collection):
        raise no_model(model)
    try:
        return await service.engine(collection or None)
    except NotFound as error:
        raise ServiceError(
            404, "not_found", error.message, error.hint, param="model", code="model_not_found"
        ) from error


def no_model(model: str) -> ServiceError:
    """Return the error for a name that is no model's."""
    shown = model[:100].encode(errors="backslashreplace").decode()
    hint = "Which there are: GET /v1/models"
    return ServiceError(404, "not_found", f"There is no model {shown!r}.", hint, param="model", code="model_not_found")


def models_of(service: Service) -> list[dict[str, Any]]:
    """Return a list of `schemas.Model`."""
    names = service.library.names()
    found = [(NAME, service.library.default)] if service.library.default in names else []
    found += [(f"{NAME}/{name}", name) for name in names]
    return [{"id": id, "object": "model", "created": _made(service, name), "owned_by": NAME} for id, name in found]


def _made(service: Service, name: str) -> int:
    """Return when a collection was made or rebuilt, in seconds since 1970; 0 when it has gone meanwhile."""
    try:
        return int((service.library.home / "collections" / name / "CURRENT").stat().st_mtime)
    except OSError:
        return 0
