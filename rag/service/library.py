"""The collections that are open in this process, one engine each.

An engine sees a new generation with its next question. A collection that was rebuilt, deleted or made anew, or that is
to be answered by another generator, is opened again with the next question, too: a look at one file a request, and at
one row a second.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.collection import Collection
from indexer.errors import UsageError, UserError
from indexer.home import DEFAULT_COLLECTION, collection_names
from rag.engine import Engine
from rag.generators import NAMES, prepare_generator

if TYPE_CHECKING:
    from indexer.encoder import Encoder
    from indexer.types import Progress
    from rag.generator import Generator

log = logging.getLogger(__name__)

MOST_OPEN = 16
"""Collections kept open; the one that was not used for longest is closed."""
LOOK_AGAIN = 1.0
"""Seconds after which a collection is asked again which generator it wants."""


@dataclass(slots=True)
class _Open:
    engine: Engine
    mark: tuple[int, ...]
    """What the file CURRENT was like when the collection was opened."""
    wants: Generator | str | None
    looked: float
    others: dict[str, Engine] = field(default_factory=dict)
    """Engines over the same collection that other generators answer from, by the generator's name."""


class Library:
    """Opens collections by name, and keeps them open. Safe in threads; all but `at_hand` may wait for the disk."""

    def __init__(
        self,
        home: Path,
        default: str = DEFAULT_COLLECTION,
        generator: Generator | str | None = None,
        encoder: str | Encoder | None = None,
    ) -> None:
        """`generator` answers everywhere (None: what each chose); new ones are made with `encoder`."""
        self.home, self.default = home, default
        self._generator, self._encoder = generator, encoder
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def unopened(self, name: str) -> Collection:
        """Return a collection that need not be there, to be made or deleted. Raises UsageError for what is no name."""
        return Collection(name, self.home, self._encoder)

    def names(self) -> list[str]:
        """Return the names of all collections, sorted."""
        return collection_names(self.home)

    def collection(self, name: str | None = None) -> Collection:
        """Return a collection, open where it is open already. Raises NotFound, UsageError."""
        return self.engine(name).collection

    def at_hand(self, name: str | None = None) -> Engine | None:
        """Return the engine of a collection that is open and was looked at just now, None for any other.

        When it is time to look again, one caller gets None, and is to call `engine`; the others need not wait for him.
        """
        with self._lock:
            there = self._open.get(name or self.default)
            if there is None or there.mark != _mark(there.engine.collection):
                return None
            now = time.monotonic()
            if now - there.looked >= LOOK_AGAIN:
                there.looked = now
                return None
            self._open.move_to_end(name or self.default)
            return there.engine

    def engine(self, name: str | None = None) -> Engine:
        """Return the engine of a collection (None: the default one). Raises NotFound, UsageError."""
        wanted = name or self.default
        with self._lock:
            there = self._open.get(wanted)
            if there is not None:
                self._open.move_to_end(wanted)
        return self._looked_at(wanted, there, time.monotonic())

    def with_generator(self, engine: Engine, generator: str) -> Engine:
        """Return an engine over the same open collection that `generator` answers from. Raises UsageError.

        Only generators that come along may be named: another name could be a class to run or a folder to read.
        """
        if generator not in NAMES:
            raise UsageError(f"There is no generator {generator!r} to choose here.", f"There are: {', '.join(NAMES)}.")
        with self._lock:
            there = self._open.get(engine.collection.name)
            if there is None or there.engine is not engine:
                return Engine(engine.collection, generator)
            return there.others.setdefault(generator, Engine(engine.collection, generator))

    def _looked_at(self, name: str, there: _Open | None, now: float) -> Engine:
        fresh = self.unopened(name) if there is None else there.engine.collection
        mark = _mark(fresh)
        if there is not None and mark != there.mark:
            self.forget(name)
            there, fresh = None, self.unopened(name)
        if not mark:
            fresh.epoch()  # says that there is no such collection
        wants = self._generator or fresh.generator
        if there is not None and there.wants == wants:
            there.looked = now
            return there.engine
        made = _Open(Engine(fresh, wants), mark, wants, now)
        with self._lock:
            self._open[name] = made
            old = [self._open.popitem(last=False)[1] for _ in range(len(self._open) - MOST_OPEN)]
        for each in old:
            each.engine.collection.close()
        return made.engine

    def prepare(self, collection: Collection, progress: Progress) -> None:
        """Make the generator of a new collection ready, as `index` does, unless another one answers here."""
        if self._generator is None:
            prepare_generator(collection, progress)

    def forget(self, name: str) -> None:
        """Close a collection; whoever asks for it next opens it again."""
        with self._lock:
            there = self._open.pop(name, None)
        if there is not None:
            there.engine.collection.close()

    def warm(self) -> None:
        """Open encoder and generator of the default collection, so that the first question need not wait."""
        with contextlib.suppress(UserError):  # whoever asks is told
            engine = self.engine()
            _ = engine.collection.encoder.embed_queries(["warm"])
            _ = engine.generator

    def close(self) -> None:
        """Close all of them."""
        for name in list(self._open):
            self.forget(name)


def _mark(collection: Collection) -> tuple[int, ...]:
    """Return what the file that names the epoch is like: a rebuild and a new collection write another one."""
    try:
        status = os.stat(collection.folder / "CURRENT")  # noqa: PTH116 - once a request, and a Path costs as much again
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns
