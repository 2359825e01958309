"""The command `mcp`: options in, a server on standard input and output. Thin; what it serves is loaded when it runs."""

from __future__ import annotations

import os
import signal

import click

from indexer.completing import complete_collection
from indexer.errors import UsageError
from indexer.interrupts import leave_the_second_to_the_kernel
from indexer.screen import in_precision
from rag.completing import complete_generator


@click.command()
@click.option("--collection", "-c", "names", multiple=True, metavar="NAME", shell_complete=complete_collection,
              help="Show only this one (repeatable); the first is the usual one.  [default: all]")  # fmt: skip
@click.option("--generator", metavar="NAME", shell_complete=complete_generator, help="What answers; see ask.")
@in_precision
@click.option("--home", type=click.Path(file_okay=False), metavar="DIR", help="Where collections are kept.")
def mcp(names: tuple[str, ...], generator: str | None, home: str | None) -> None:
    """Serve search, answers and documents to agents, by the Model Context Protocol on standard input and output.

    A client starts this itself: give it the command "footnote" with the argument "mcp".
    """
    try:
        from rag.adapters.mcp_server import Library, mcp_server
    except ModuleNotFoundError as error:
        raise UsageError(
            "Serving agents needs the package mcp, which is not installed.", "Run: pip install mcp"
        ) from error
    for stop, exit_code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        # The SDK waits for a line of standard input, which may never come. Tools only read: nothing is lost.
        signal.signal(stop, lambda *_, code=exit_code: os._exit(code))
    leave_the_second_to_the_kernel(signal.SIGTERM, signal.SIGINT)
    mcp_server(Library(home, names, generator)).run("stdio")
