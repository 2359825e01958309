"""Stopping work that waits: whoever no longer wants it says so from another thread, and what it waits for is cut.

Knows threads, and nothing of the work. What waits for a server asks `wanted()` and lends it the means to end the wait.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar


class Wanted:
    """Whether one piece of work is still wanted. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._cuts: list[Callable[[], None]] = []

    @property
    def stopped(self) -> bool:
        """Whether nobody wants it any more."""
        return self._stopped

    def stop(self) -> None:
        """Say that nobody wants it any more, and end what it waits for; waits for nothing itself."""
        with self._lock:
            self._stopped = True
            cuts, self._cuts = self._cuts, []
        for cut in cuts:
            cut()

    @contextlib.contextmanager
    def waiting(self, cut: Callable[[], None]) -> Iterator[None]:
        """Have `cut` called by the thread that stops this during the block; at once, where it was stopped before."""
        with self._lock:
            stopped = self._stopped
            if not stopped:
                self._cuts.append(cut)
        if stopped:
            cut()
        try:
            yield
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._cuts.remove(cut)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Make this what `wanted()` returns to the work that the block does in its thread."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Wanted | None] = ContextVar("wanted", default=None)


def wanted() -> Wanted:
    """Return what tells whether the work of this thread is still wanted; without one, it is wanted to its end."""
    return _current.get() or Wanted()
