"""The server around the application: its socket, its signals, its log, and its end."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from indexer.errors import UsageError
from indexer.interrupts import leave_the_second_to_the_kernel
from rag.service.app import guarded
from rag.service.connection import protocol
from rag.service.observing import JsonLines, PlainLines
from rag.service.service import Service

if TYPE_CHECKING:
    from rag.service.settings import Settings


class Server(uvicorn.Server):
    """uvicorn's server, which ends in peace: the first signal drains, and Ctrl-C after it ends the process at once."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; unlike uvicorn's own, the signal is not raised again afterwards."""
        if self.should_exit and sig == signal.SIGINT:
            os._exit(130)  # whatever is being answered or changed: what was committed is whole
        self._service.state = "draining"
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals by `handle_exit`, and a second Ctrl-C also where Python comes to handle nothing more."""
        with super().capture_signals():
            if threading.current_thread() is threading.main_thread():  # elsewhere uvicorn leaves signals alone
                leave_the_second_to_the_kernel(signal.SIGINT)
            yield


def server_of(service: Service) -> Server:
    """Return a server for a service, to be run with a socket of `bound`."""
    settings = service.settings
    config = uvicorn.Config(
        guarded(service),
        http=protocol(settings.header_seconds, settings.send_seconds, settings.max_connections),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(settings.header_seconds) or 1,
        timeout_graceful_shutdown=int(settings.drain_seconds) or 1,
    )
    return Server(config, service)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address; port 0 takes any that is free. Raises UsageError."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host.strip("[]"), port), family=family, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"Port {port} of {host} is taken by another program.", "Choose another one, or any: --port 0"
            ) from error
        raise UsageError(
            f"Cannot listen at {host}, port {port}: {error.strerror or error}.",
            "Use --host 127.0.0.1, or an address of this machine.",
        ) from error


def address(listener: socket.socket) -> str:
    """Return the address to type into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def set_up_log(settings: Settings) -> None:
    """Write the service's log to standard error, a line a request, in place of what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.log_json else PlainLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.getLogger("rag.service").setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
