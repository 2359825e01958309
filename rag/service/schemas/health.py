"""How the service itself is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rag.service.schemas.base import Response


class Health(Response):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Ready(Response):
    """Whether questions are welcome: "starting" while models are opened, "draining" while it stops (503)."""

    state: Literal["starting", "ready", "draining"]
    queue: int = Field(description="Questions that wait.")
