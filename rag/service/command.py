"""The command `serve`: options in, a server that runs. What it does is the other files', loaded when it is needed."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import Any

import click

from indexer.completing import complete_collection
from indexer.errors import UserError
from indexer.screen import in_precision
from rag.completing import complete_generator

_NEEDED = ("fastapi", "uvicorn", "prometheus_client")


@click.command()
@click.option(
    "--host", metavar="ADDRESS", help="Where to listen; any but this machine's own needs a token.  [default: 127.0.0.1]"
)
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes any that is free.  [default: 8000]")
@click.option(
    "--collection",
    "-c",
    metavar="NAME",
    shell_complete=complete_collection,
    help="The one to use where a request names none.  [default: default]",
)
@click.option(
    "--generator",
    metavar="NAME",
    shell_complete=complete_generator,
    help="What answers from every collection; see ask.",
)
@click.option(
    "--allow-host", "allowed_hosts", multiple=True, metavar="NAME", help="A name the service is called by (repeatable)."
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    metavar="FILE.toml",
    help="Settings; by default serve.toml under --home.",
)
@click.option("--log-json", is_flag=True, help="Log lines as JSON objects.")
@click.option("--log-questions", is_flag=True, help="Write questions into the log.")
@in_precision
@click.option("--home", type=click.Path(file_okay=False), metavar="DIR", help="Where collections are kept.")
def serve(
    host: str | None, port: int | None, collection: str | None, generator: str | None, allowed_hosts: tuple[str, ...],
    config: str | None, log_json: bool, log_questions: bool, home: str | None,
) -> None:  # fmt: skip
    """Serve search, answers and a page over HTTP; Ctrl-C ends it.

    On this machine alone, unless --host says otherwise: then every request must bring the token in FOOTNOTE_TOKEN.
    Settings come from a file, over it the environment (FOOTNOTE_PORT, ...), over that these options.

    \b
    footnote serve
    FOOTNOTE_TOKEN=... footnote serve --host 0.0.0.0 --allow-host library.local
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UserError(
            f"Serving needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed.",
            'Run: pip install "footnote[serve]"',
        )
    from rag.generators import lasting_name
    from rag.service.server import address, bound, server_of, set_up_log
    from rag.service.service import make_service
    from rag.service.settings import load_settings

    flags: dict[str, Any] = {
        "host": host, "port": port, "collection": collection, "generator": generator,
        "allowed_hosts": allowed_hosts or None, "log_json": log_json or None, "log_questions": log_questions or None,
        "home": home,
    }  # fmt: skip
    settings = load_settings(config, flags=flags)
    if settings.generator:
        lasting_name(settings.generator)  # says at once that there is no such generator
    with bound(settings.host, settings.port) as listener:
        set_up_log(settings)
        server = server_of(make_service(settings))
        click.echo(
            f"Footnote is at {address(listener)} and its interface at {address(listener)}/docs. Ctrl-C ends it.",
            err=True,
        )
        asyncio.run(server.serve(sockets=[listener]))
        click.echo("Footnote has stopped. The same command starts it again.", err=True)
