"""All that the routes share: the collections, the questions, the changes, the uploads and the counts of one process."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from fastapi import Depends, Request

from indexer.collection import Collection
from rag.engine import Engine
from rag.service.asking import Asking
from rag.service.changing import Changing
from rag.service.documents import Names
from rag.service.folders import Folders
from rag.service.library import Library
from rag.service.observing import Metrics
from rag.service.pdf_pages import PdfPages
from rag.service.settings import Settings
from rag.service.uploads import Uploads

log = logging.getLogger(__name__)

State = Literal["starting", "ready", "draining"]
Result = TypeVar("Result")


@dataclass(slots=True)
class Service:
    """What one process serves with."""

    settings: Settings
    library: Library
    asking: Asking
    changing: Changing
    checking: Changing
    """Reads sources again for `verify`, while collections change."""
    uploads: Uploads
    pages: PdfPages
    folders: Folders
    metrics: Metrics
    state: State = "starting"

    def names(self, collection: str) -> Names:
        """Return what the documents of a collection are called."""
        return Names(self.uploads, collection)

    def warm(self) -> None:
        """Open the models in a thread, and be ready when that is done."""

        def open_models() -> None:
            try:
                self.library.warm()
            except Exception:  # whoever asks meets it again, and is told
                log.exception("The models could not be opened beforehand.")
            if self.state == "starting":
                self.state = "ready"

        # Not a daemon: ended in the middle of native code, it would take the process with it (SIGABRT).
        threading.Thread(target=open_models, name="warm").start()

    async def engine(self, name: str | None, generator: str | None = None) -> Engine:
        """Return the engine of a collection; with another generator than its own, where one is named.

        Raises NotFound, UsageError.
        """
        ready = self.library.at_hand(name)
        engine = ready if ready is not None else await in_thread(lambda: self.library.engine(name))
        return engine if generator is None else self.library.with_generator(engine, generator)

    async def collection(self, name: str | None) -> Collection:
        """Return a collection. Raises NotFound, UsageError."""
        return (await self.engine(name)).collection

    def close(self) -> None:
        """Let go of everything."""
        self.state = "draining"
        self.asking.close()
        self.changing.close()
        self.checking.close()
        self.pages.close()
        self.library.close()


def make_service(settings: Settings, library: Library | None = None) -> Service:
    """Return a service with these settings; a `library` of one's own holds engines of one's own."""
    home = settings.home_path
    uploads = Uploads(home)
    metrics = Metrics(lambda: asking.waiting)
    asking = Asking(
        size=settings.batch,
        wait=settings.batch_seconds,
        most_waiting=settings.queue,
        writers=settings.writers,
        on_batch=metrics.batch,
    )
    books = library or Library(home, settings.collection, settings.generator or None)
    return Service(settings, books, asking, Changing(), Changing(1), uploads, PdfPages(), Folders(home), metrics)


async def in_thread(look: Callable[[], Result]) -> Result:
    """Return what `look` returns, which may wait for the disk."""
    return await asyncio.to_thread(look)


async def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(service_of)]
