"""The command line: words typed by a person in, words for a person (or JSON for a program) out.

The only place that prints: each floor brings its commands, and this file lends them the screen to show things on. Here
are the commands that need several floors. Heavy imports happen inside the commands, so that `--help` stays a blink.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from finetune.commands import Trainings
from indexer.command import COMMANDS as UPKEEP
from indexer.command import show_notes, show_skips, show_unknown_languages
from indexer.errors import UsageError, UserError
from indexer.interrupts import leave_the_second_to_the_kernel
from indexer.screen import common, in_collection, plain, shown
from rag.adapters.command import mcp
from rag.command import COMMANDS as ANSWERING
from rag.command import answered_by, reranked_by
from rag.evaluation.command import EVALUATIONS
from rag.service.command import serve

if TYPE_CHECKING:
    from rich.console import Console

    from indexer.collection import Collection
    from indexer.sync import Given, Report
    from indexer.types import Progress

SKIPPED = 3
"""Exit code of `index --strict` when something was skipped."""
READER_GONE = 141
"""Exit code when whoever reads the output has gone, as of a program that SIGPIPE ended."""


class Footnote(click.Group):
    """The command group: errors addressed to a person become a message, a hint and an exit code."""

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
            click.echo("Stopped. What was committed is kept; the same command goes on from there.", err=True)
            ctx.exit(_stopped)


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


@click.group(cls=Footnote, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show it.")
@click.option("--no-color", is_flag=True, help="No colours (as does the variable NO_COLOR).")
@click.option("--verbose", "-v", is_flag=True, help="Say what happens inside, on standard error.")
@click.pass_context
def footnote(ctx: click.Context, no_color: bool, verbose: bool) -> None:
    """Ask your documents. Every answer carries its footnotes, and every footnote can be checked.

    \b
    footnote index ~/documents
    footnote ask "When was the archive opened?"
    """
    if no_color:
        os.environ["NO_COLOR"] = "1"
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s", stream=sys.stderr)
    ctx.obj = Terminal()


# Changing a collection


@footnote.command()
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--include", multiple=True, metavar="PATTERN", help="Only files that match (as in .gitignore).")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Not the files that match.")
@click.option("--prune/--keep-missing", default=True, show_default=True, help="Remove documents whose file is gone.")
@click.option("--rebuild", is_flag=True, help="Read and embed everything anew beside the old state, then switch.")
@click.option("--encoder", metavar="NAME|FOLDER", help="A sentence-transformers model; by default the one built in.")
@answered_by("What is to answer from this collection, remembered; see ask.")
@reranked_by("What is to order the passages found, remembered; see train reranker.")
@click.option(
    "--ocr-language", metavar="LANGUAGE", help="Language of scanned pages as Tesseract names it: eng, deu+fra."
)
@click.option("--watch", is_flag=True, help="Stay, and index again whenever a file changes.")
@click.option("--strict", is_flag=True, help=f"Exit {SKIPPED} when a file was skipped.")
@in_collection
@common
@click.pass_context
def index(
    ctx: click.Context, paths: tuple[str, ...], include: tuple[str, ...], exclude: tuple[str, ...], prune: bool,
    rebuild: bool, encoder: str | None, generator: str | None, reranker: str | None, ocr_language: str | None,
    watch: bool, strict: bool, name: str, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Take files and folders into a collection, or bring it up to date with them.

    Indexing again costs only what has changed. With "-", reads JSON lines {id, text, title?, metadata?} from standard
    input instead of files.
    """
    from indexer.collection import Collection

    if not paths and not rebuild and generator is None and reranker is None:
        raise UsageError("No file or folder was given.", "For example: footnote index ~/documents")
    if watch and not paths:
        raise UsageError("--watch needs the files or folders to watch.", "Run: footnote index PATH --watch")
    if "-" in paths and (len(paths) > 1 or rebuild or watch):
        raise UsageError('"-" reads standard input and goes with no other path.', "Run: footnote index - < texts.jsonl")
    if ocr_language is not None:
        os.environ["FOOTNOTE_OCR_LANGUAGE"] = ocr_language  # where the processes that read files look for it
    collection = Collection(name, home, encoder)
    choose = _choosing(collection, generator, reranker)
    if not paths and not rebuild:
        choose()
        if as_json:
            _print_json({"generator": collection.generator, "reranker": collection.reranker, "collection": name})
        else:
            _console().print(plain(f"{name}: answers by {collection.generator or 'the default generator'}"))
            if reranker is not None:
                _console().print(plain(f"{name}: reranked by {collection.reranker or 'nothing'}"))
        return

    def once() -> Report:
        with _progress() as progress:
            if paths == ("-",):
                from indexer.sync import sync_given

                return sync_given(collection, _given_lines(sys.stdin.buffer), progress=progress)
            return collection.sync(
                paths, include=include, exclude=exclude, prune=prune, rebuild=rebuild, progress=progress
            )

    report = once()
    choose()
    _prepare(collection)
    _show_report(report, name, as_json)
    if watch:
        rebuild = False
        _watch(paths, collection.home, lambda: _show_report(once(), name, as_json))
    if strict and report.skipped:
        ctx.exit(SKIPPED)


def _prepare(collection: Collection) -> None:
    """Make generator and reranker ready while the reader waits anyway, and not when the first question is asked."""
    from rag.generators import prepare_generator
    from rag.reranking.reranker import prepare_reranker

    if collection.exists:
        with _progress() as progress:
            prepare_generator(collection, progress)
            prepare_reranker(collection, progress)


def _choosing(collection: Collection, generator: str | None, reranker: str | None) -> Callable[[], None]:
    """Return what makes the collection remember these, whose names are checked before the long work begins."""
    choices: list[Callable[[], None]] = []
    if generator is not None:
        from rag.generators import lasting_name

        choices.append(partial(collection.choose_generator, lasting_name(generator)))
    if reranker is not None:
        from rag.reranking.reranker import lasting_reranker

        choices.append(partial(collection.choose_reranker, lasting_reranker(reranker)))

    def choose() -> None:
        for each in choices:
            each()

    return choose


def _given_lines(lines: Iterator[bytes]) -> Iterator[Given]:
    from indexer.sync import Given

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            name = str(row["id"]) if type(row["id"]) is int else row["id"]
            given = Given(name, row["text"], row.get("title") or "", row.get("metadata") or {})
            if not all(isinstance(each, str) for each in (given.id, given.text, given.title)):
                raise TypeError
            if not isinstance(given.metadata, dict):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise UsageError(
                f"Line {number} of standard input is not {{id, text, title?, metadata?}}: {_start(line)}",
                "Each line is one JSON object with the strings id and text. The lines before it are indexed.",
            ) from error
        yield given


def _start(line: bytes) -> str:
    text = line.decode(errors="replace").strip()
    return text if len(text) <= 60 else text[:57] + "..."


def _watch(paths: Sequence[str], home: Path, again: Callable[[], None]) -> None:
    """Call `again` whenever something under `paths` changes, except under `home`, until a signal ends it."""
    import watchfiles

    usual = watchfiles.DefaultFilter()
    own = f"{home}/"
    click.echo("Watching for changes; Ctrl-C ends it.", err=True)
    late = True  # what changed between the first run and now shows no more: so look once more without a change
    for changes in watchfiles.watch(
        *(Path(path).expanduser() for path in paths), debounce=1000, step=200, rust_timeout=1000, yield_on_timeout=True,
        raise_interrupt=True, watch_filter=lambda change, path: usual(change, path) and not path.startswith(own),
    ):  # fmt: skip
        if changes or late:
            late = False
            try:
                again()
            except UserError as error:
                _say_error(error)  # a busy collection or a full disk may pass; the next change tries again


def _show_report(report: Report, name: str, as_json: bool) -> None:
    if as_json:
        _print_json(report.to_json())
        return
    console = _console()
    done = f"{report.added} added, {report.changed} changed, {report.removed} removed, {report.unchanged} unchanged"
    console.print(f"[bold]{name}[/]: {done} in {report.seconds:.1f} s", highlight=False)
    if report.chunks:
        rate = report.chunks_embedded / report.seconds if report.seconds else 0
        console.print(
            f"  {report.chunks} passages, {report.chunks_embedded} of them newly embedded ({rate:.0f} a second)",
            highlight=False,
        )
    if report.repairs:
        repaired = ", ".join(f"{count:,} {kind}" for kind, count in report.repairs.items())
        console.print(plain(f"  cleaned: {repaired}"), soft_wrap=True)
    if report.not_read:
        counts = ", ".join(f"{count:,} {ending}" for ending, count in report.not_read.items())
        console.print(plain(f"  not read: {counts}"), soft_wrap=True)
    show_skips(console, [(skip.source, skip.reason) for skip in report.skipped])
    show_notes(console, report.notes)
    show_unknown_languages(console, report.unknown_languages)


# Training


@footnote.group(cls=Trainings)
def train() -> None:
    """Train on your own questions and documents. Everything stays on this machine."""


# Evaluation


@footnote.group("eval", commands=EVALUATIONS)
def evaluation() -> None:
    """Measure search, answers, citations, refusals and speed; compare two runs; see where errors come from."""


footnote.add_command(mcp)
footnote.add_command(serve)


# The screen


def _say(text: str, *, err: bool = False) -> None:
    click.echo(shown(text), err=err)


def _say_error(error: UserError) -> None:
    click.secho(f"error: {shown(error.message)}", fg="red", err=True, color=None if _colours(sys.stderr) else False)
    if error.hint:
        click.echo(shown(error.hint), err=True)


def _colours(stream: Any) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            raise  # rich would exit 1 here; `Footnote.invoke` knows better

    return Piped(stderr=stderr, no_color=bool(os.environ.get("NO_COLOR")), highlight=False, emoji=False)


def _print_json(value: Any) -> None:
    # A lone surrogate, which UTF-8 cannot hold, becomes the escape that JSON has for it.
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    _write(text.encode(errors="backslashreplace"))


def _write(data: bytes) -> None:
    left = memoryview(data)
    while left:  # with PYTHONUNBUFFERED, one write may take only a part
        left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """Show a bar with rate and estimate on standard error while the block runs, when that is a terminal."""
    from indexer.types import silent

    if not sys.stderr.isatty():
        yield silent
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Bar(*columns, console=_console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None, rate="")
            speed = bar.tasks[tasks[what]].speed
            told = f"{speed:,.0f}/s" if speed else ""
            bar.update(tasks[what], completed=done, total=total or None, rate=told)

        yield report


class Terminal:
    """The screen that commands are lent, as `indexer.screen.Screen` describes it."""

    progress = staticmethod(_progress)
    console = staticmethod(_console)
    say = staticmethod(_say)
    say_error = staticmethod(_say_error)
    print_json = staticmethod(_print_json)
    write = staticmethod(_write)


for _name, _command in (*UPKEEP.items(), *ANSWERING.items()):
    footnote.add_command(_command, _name)


if __name__ == "__main__":
    main()
