"""The command line: words typed by a person in, words for a person (or JSON for a program) out.

The only place that prints: each floor brings its commands, and this file lends them the screen to show things on. A
command is loaded when it is typed, and heavy imports happen inside the commands, so that `--help` stays a blink.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from indexer.commands import Commands, with_settings
from indexer.errors import UsageError, UserError
from indexer.interrupts import leave_the_second_to_the_kernel
from indexer.screen import JSON, shown
from indexer.usage_errors import options_behind, usage_error
from indexer.variables import unread_variables

if TYPE_CHECKING:
    from rich.console import Console

    from indexer.types import Progress

READER_GONE = 141
"""Exit code when whoever reads the output has gone, as of a program that SIGPIPE ended."""

COMMANDS: Mapping[str, str] = {
    "ask": "rag.command:ask",
    "collections": "indexer.collections_command:collections",
    "completion": "indexer.completing:completion",
    "doctor": "indexer.command:doctor",
    "export": "indexer.command:export_command",
    "history": "rag.history_command:history",
    "import": "indexer.command:import_command",
    "index": "rag.index_command:index",
    "ls": "indexer.collections_command:ls",
    "mcp": "rag.adapters.command:mcp",
    "open": "rag.history_command:open_command",
    "remove": "indexer.command:remove",
    "search": "rag.command:search",
    "serve": "rag.service.command:serve",
    "show": "indexer.command:show",
    "status": "indexer.command:status",
    "train": "finetune.commands:train",
    "verify": "rag.command:verify_command",
}
"""The commands of all floors: module and command of each."""
EVALUATIONS: Mapping[str, str] = {
    name: f"rag.evaluation.command:{command}"
    for name, command in {
        "all": "everything", "diff": "diff", "errors": "errors", "perplexity": "perplexity", "qa": "qa",
        "retrieval": "retrieval",
    }.items()
}  # fmt: skip


class Footnote(Commands):
    """The command group: errors addressed to a person become a message, a hint and an exit code."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> click.Context:
        """Parse the options before the command, which may be set in a file or the environment as well."""
        typed = list(args)  # which are taken away as they are parsed
        if not extra.get("resilient_parsing") and typed[:1] not in _ABOUT:
            for warning in unread_variables(self, os.environ, _other_variables):
                _say(warning, err=True)
            extra["default_map"] = with_settings(self, typed)
        ctx = super().make_context(info_name, args, *more, **extra)
        ctx.meta[JSON] = _is_json(typed)  # before a command is known that could say so
        return ctx

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        """Run the command line and exit, with whatever is wrong told in one form."""
        typed = list(sys.argv[1:] if args is None else args)
        try:
            typed = options_behind(self, typed)
            code = super().main(typed, *more, **{**extra, "standalone_mode": False})
        except UserError as error:
            _say_error(error, _is_json(typed))
            code = error.exit_code
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            code = error.exit_code
        except click.ClickException as error:
            _say_error(usage_error(error, self, typed), _is_json(typed))
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = _say_stopped()
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            _say_error(error)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
            ctx.exit(READER_GONE)
        except KeyboardInterrupt:
            ctx.exit(_say_stopped())


_ABOUT = [[each] for each in ("help", "--help", "-h", "--version", "-V")]
"""What must be there also when config.toml is wrong."""


def _other_variables() -> list[str]:
    """Return the variables that the floors above the lowest read, and that are no options."""
    from rag.service.settings import variables

    return ["FOOTNOTE_ENDPOINT_KEY", *variables()]


def _say_stopped() -> int:
    click.echo("Stopped. What was committed is kept; the same command goes on from there.", err=True)
    return _stopped


_stopped = 130
"""Exit code of a command that a signal ended: 128 and its number."""


def _terminate(*_: object) -> NoReturn:
    """Turn SIGTERM into the same orderly stop as Ctrl-C: the batch is rolled back and the lock released."""
    global _stopped
    _stopped = 143
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; the entry point of the console script."""
    gc.set_threshold(100_000, 20, 20)  # a cold start makes objects that live to its end: looking among them is in vain
    signal.signal(signal.SIGTERM, _terminate)
    leave_the_second_to_the_kernel(signal.SIGINT, signal.SIGTERM)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know fewer characters than documents hold
    try:
        footnote(prog_name="footnote")
    except SystemExit as end:
        if end.code not in (130, 143):
            raise
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(end.code)  # all is rolled back; Python would still wait for threads, and these for a slow server


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"footnote {version('footnote')}")
        except PackageNotFoundError:
            click.echo("footnote, not installed: run from its folder")
        ctx.exit()


@click.group(
    cls=Footnote, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version", "-V", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show it."
)
@click.option("--no-color", is_flag=True, help="No colours (as does the variable NO_COLOR).")
@click.option("--verbose", "-v", is_flag=True, help="Say what happens inside, on standard error.")
@click.pass_context
def footnote(ctx: click.Context, no_color: bool, verbose: bool) -> None:
    """Ask your documents. Every answer carries its footnotes, and every footnote can be checked.

    \b
    footnote index ~/documents
    footnote ask When was the archive opened

    Every option may also be set in config.toml or a variable: footnote help config
    """
    import logging

    if no_color:
        os.environ["NO_COLOR"] = "1"
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s", stream=sys.stderr)
    ctx.obj = Terminal()


@footnote.group("eval", cls=Commands, table=EVALUATIONS)
def evaluation() -> None:
    """Measure search, answers, citations, refusals and speed; compare two runs; see where errors come from."""


CONFIG = """Options may be set in three places. The later counts:

  1. config.toml in the home folder, or the file that FOOTNOTE_CONFIG names
  2. variables of the environment
  3. the command line

config.toml has a table for each command, with its options as they are typed:

  collection = "papers"        # for all commands; so may be generator, precision, json, no-color, verbose
  [ask]
  max-error = 0.1
  filter = ["format=pdf"]
  [eval.qa]
  limit = 200

The variables are FOOTNOTE_ and the same names, parts of a list separated by commas:

  FOOTNOTE_COLLECTION=papers
  FOOTNOTE_ASK_MAX_ERROR=0.1
  FOOTNOTE_EVAL_QA_LIMIT=200

A switch is true or false. The service has the same order, and its own file serve.toml."""


@footnote.command("help")
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help_command(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Show the help of a command; "footnote help config" tells how options are set for good."""
    if names == ("config",):
        click.echo(CONFIG)
        return
    above = ctx.find_root()
    for name in names:
        group = above.command
        if not isinstance(group, Commands):
            raise UsageError(f"{above.command_path} has no commands below it.", f"Run: {above.command_path} --help")
        command = group.named(above, name, ("config",) if above is ctx.find_root() else ())
        assert command is not None  # else that is raised
        above = click.Context(command, parent=above, info_name=name, max_content_width=above.max_content_width)
    click.echo(above.get_help())


# The screen


def _say(text: str, *, err: bool = False) -> None:
    click.echo(shown(text), err=err)


def _say_error(error: UserError, as_json: bool | None = None) -> None:
    """Say what is wrong on standard error: in red with a hint, or as one line of JSON where JSON was asked for."""
    ctx = click.get_current_context(silent=True)
    if as_json or (as_json is None and ctx is not None and ctx.meta.get(JSON)):
        told = {"type": error.kind, "message": error.message, "hint": error.hint, "exit_code": error.exit_code}
        line = json.dumps({"error": told}, ensure_ascii=False).encode(errors="backslashreplace").decode()
        click.echo(line, err=True)
        return
    click.secho(f"error: {shown(error.message)}", fg="red", err=True, color=None if _colours(sys.stderr) else False)
    if error.hint:
        click.echo(shown(error.hint), err=True)


def _is_json(arguments: Sequence[str]) -> bool:
    """Tell whether JSON was asked for by a command line that could not be parsed."""
    typed = arguments[: arguments.index("--")] if "--" in arguments else arguments
    formats = (typed[place + 1 : place + 2] for place, each in enumerate(typed) if each == "--format")
    return "--json" in typed or "--format=json" in typed or ["json"] in formats


def _confirm(question: str) -> bool:
    return click.confirm(shown(question), err=True)


def _colours(stream: Any) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            raise  # rich would exit 1 here; `Footnote.invoke` knows better

    return Piped(stderr=stderr, no_color=bool(os.environ.get("NO_COLOR")), highlight=False, emoji=False)


def _print_json(value: Any, *, indent: int | None = 2) -> None:
    # A lone surrogate, which UTF-8 cannot hold, becomes the escape that JSON has for it.
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent) + "\n"
    _write(text.encode(errors="backslashreplace"))


def _write(data: bytes) -> None:
    left = memoryview(data)
    while left:  # with PYTHONUNBUFFERED, one write may take only a part
        left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """Show how far it is on standard error while the block runs, when that is a terminal.

    What is done once on a machine ("converting the encoder, once") has no parts to count, and is announced in any case.
    """
    announced: set[str] = set()

    def announce(what: str, done: int, total: int) -> None:
        if what.endswith(", once") and not done and what not in announced:
            announced.add(what)
            _say(
                f"{what[0].upper()}{what[1:]} on this machine: some ten seconds, a large one a minute ...",
                err=True,
            )

    if not sys.stderr.isatty():
        yield announce
        return
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    count = TextColumn("{task.fields[count]}")
    columns = (TextColumn("{task.description:>10}"), BarColumn(), count, TimeRemainingColumn())
    with Bar(*columns, console=_console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            announce(what, done, total)
            known = total or None
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=known, count="")
            speed = bar.tasks[tasks[what]].speed
            rate = f"  {speed:,.0f}/s" if speed else ""
            bar.update(tasks[what], completed=done, total=known, count=f"{done:,}/{total:,}{rate}" if known else "")

        yield report


class Terminal:
    """The screen that commands are lent, as `indexer.screen.Screen` describes it."""

    progress = staticmethod(_progress)
    console = staticmethod(_console)
    say = staticmethod(_say)
    say_error = staticmethod(_say_error)
    confirm = staticmethod(_confirm)
    print_json = staticmethod(_print_json)
    write = staticmethod(_write)


if __name__ == "__main__":
    main()
