"""The command line: words typed by a person in, words for a person (or JSON for a program) out.

The only place that prints. Each command opens what it needs, asks the floors below, and shows the result; heavy imports
happen inside the commands, so that `--help` stays a blink.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from finetune.commands import Trainings
from indexer.errors import NotFound, UsageError, UserError
from indexer.home import DEFAULT_COLLECTION, collection_names, home_folder
from rag.evaluation.command import EVALUATIONS, Screen, few_shot_of, shown_examples

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from indexer.collection import Collection
    from indexer.sync import Given, Report
    from indexer.types import Progress
    from rag.engine import Engine
    from rag.few_shot import FewShot
    from rag.types import Answer, Citation, Events, Passage

Command = TypeVar("Command", bound=Callable[..., Any])

NOT_ANSWERED = 4
"""Exit code of `ask` when the documents do not hold the answer."""
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
            ctx.exit(143 if _terminated else 130)


_terminated = False


def _terminate(*_: object) -> NoReturn:
    """Turn SIGTERM into the same orderly stop as Ctrl-C: the batch is rolled back and the lock released."""
    global _terminated
    _terminated = True
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; the entry point of the console script."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know fewer characters than documents hold
    footnote(prog_name="footnote")


def common(command: Command) -> Command:
    """Add the options that every command has."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text."),
        click.option("--home", type=click.Path(file_okay=False), metavar="DIR", help="Where collections are kept."),
    ):
        command = option(command)
    return command


def in_collection(command: Command) -> Command:
    """Add the option that names a collection."""
    return click.option(
        "--collection", "-c", "name", default=DEFAULT_COLLECTION, show_default=True, metavar="NAME",
        help="The collection to use.", shell_complete=_complete_collection,
    )(command)  # fmt: skip


def answered_by(help: str) -> Callable[[Command], Command]:
    """Make the option that names a generator."""
    return click.option("--generator", metavar="NAME", help=help, shell_complete=_complete_generator)


def reranked_by(help: str) -> Callable[[Command], Command]:
    """Make the option that names a reranker."""
    return click.option("--reranker", metavar="FOLDER|none", help=help)


def _complete_generator(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    from rag.generators import NAMES

    return [name for name in NAMES if name.startswith(typed)]


def _complete_collection(ctx: click.Context, _: click.Parameter, typed: str) -> list[str]:
    return [name for name in collection_names(home_folder(ctx.params.get("home"))) if name.startswith(typed)]


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"footnote {version('footnote')}")
        except PackageNotFoundError:
            click.echo("footnote, not installed: run from its folder")
        ctx.exit()


FILTER = click.option(
    "--filter", "filters", multiple=True, metavar="KEY=VALUE",
    help="Only documents for which this holds (repeatable): source=*.md, format=pdf, date>=2024-01-01, author=Name.",
)  # fmt: skip


@click.group(cls=Footnote, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show it.")
@click.option("--no-color", is_flag=True, help="No colours (as does the variable NO_COLOR).")
@click.option("--verbose", "-v", is_flag=True, help="Say what happens inside, on standard error.")
def footnote(no_color: bool, verbose: bool) -> None:
    """Ask your documents. Every answer carries its footnotes, and every footnote can be checked.

    \b
    footnote index ~/documents
    footnote ask "When was the archive opened?"
    """
    if no_color:
        os.environ["NO_COLOR"] = "1"
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s", stream=sys.stderr)


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
@click.option("--watch", is_flag=True, help="Stay, and index again whenever a file changes.")
@click.option("--strict", is_flag=True, help=f"Exit {SKIPPED} when a file was skipped.")
@in_collection
@common
@click.pass_context
def index(
    ctx: click.Context, paths: tuple[str, ...], include: tuple[str, ...], exclude: tuple[str, ...], prune: bool,
    rebuild: bool, encoder: str | None, generator: str | None, reranker: str | None, watch: bool, strict: bool,
    name: str, home: str | None, as_json: bool,
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
    collection = Collection(name, home, encoder)
    choose = _choosing(collection, generator, reranker)
    if not paths and not rebuild:
        choose()
        if as_json:
            _print_json({"generator": collection.generator, "reranker": collection.reranker, "collection": name})
        else:
            _console().print(_plain(f"{name}: answers by {collection.generator or 'the default generator'}"))
            if reranker is not None:
                _console().print(_plain(f"{name}: reranked by {collection.reranker or 'nothing'}"))
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
    from rag.reranker import prepare_reranker

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
        from rag.reranker import lasting_reranker

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
        console.print(_plain(f"  cleaned: {repaired}"), soft_wrap=True)
    _show_skips(console, [(skip.source, skip.reason) for skip in report.skipped])


def _show_skips(console: Console, skips: Sequence[tuple[str, str]]) -> None:
    if skips:
        console.print(f"  [yellow]{len(skips)} skipped:[/]", highlight=False)
    for source, reason in skips[:20]:
        console.print(_plain(f"    {_near(source)}: {reason}"), soft_wrap=True)
    if len(skips) > 20:
        console.print(f"    ... and {len(skips) - 20} more; all of them with --json", highlight=False)


@footnote.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@in_collection
@common
def remove(sources: tuple[str, ...], name: str, home: str | None, as_json: bool) -> None:
    """Remove documents from a collection; the files themselves are not touched."""
    collection = _open(name, home)
    removed = collection.remove(sources)
    if as_json:
        _print_json({"removed": removed, "generation": collection.generation})
        return
    for source in removed:
        _console().print(_plain(f"removed {_near(source)}"), soft_wrap=True)


# Searching and asking


@footnote.command()
@click.argument("query")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many passages.")
@click.option("--mode", type=click.Choice(["hybrid", "dense", "words"]), default="hybrid", show_default=True)
@click.option("--explain", is_flag=True, help="Say how each arm ranked it, and which words matched.")
@reranked_by("What orders the best passages of a hybrid search: a reranker's folder.")
@FILTER
@in_collection
@common
def search(
    query: str, k: int, mode: str, explain: bool, reranker: str | None, filters: tuple[str, ...], name: str,
    home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Find passages, best first."""
    engine = _engine(name, home, reranker=reranker)
    found = engine.search(query, k, mode=mode, filters=filters, explain=explain)  # type: ignore[arg-type]
    if as_json:
        rows = [_passage_json(rank, passage, explain) for rank, passage in enumerate(found, 1)]
        generation = engine.collection.generation
        _print_json({"query": query, "mode": mode, "passages": rows, "collection": name, "generation": generation})
        return
    console = _console()
    for rank, passage in enumerate(found, 1):
        _show_passage(console, rank, passage, explain)
    if not found:
        console.print("Nothing found.")


def _passage_json(rank: int, passage: Passage, explain: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rank": rank, "title": passage.title, "context": passage.context, "line": passage.line,
        "also_in": list(passage.also_in), **passage.to_json(),
    }  # fmt: skip
    if explain:
        origin = passage.origin
        row["explain"] = {
            "words": {"rank": origin.words_rank, "score": origin.words_score},
            "dense": {"rank": origin.dense_rank, "score": origin.dense_score},
            "matched": list(origin.matched),
        }
    return row


def _show_passage(console: Console, rank: int, passage: Passage, explain: bool) -> None:
    head = _plain(f"{rank}. ", "bold") + _plain(passage.context or passage.name, "bold")
    _show_wrapped(console, head + _plain(f"  {passage.score:.3f}", "dim"))
    console.print(_plain(f"   {_place(passage.source, passage.page, passage.line)}", "cyan"), soft_wrap=True)
    for twin in passage.also_in:
        console.print(_plain(f"   also in {_near(twin)}", "dim"), soft_wrap=True)
    if explain:
        console.print(_plain(f"   {_explained(passage)}", "dim"))
    _show_wrapped(console, _plain(_shortened(_flowed(passage.text), 400)), 3)
    console.print()


def _explained(passage: Passage) -> str:
    origin = passage.origin
    words = f"words: rank {origin.words_rank}, BM25 {origin.words_score:.2f}" if origin.words_rank else "words: -"
    dense = f"meaning: rank {origin.dense_rank}, cosine {origin.dense_score:.3f}" if origin.dense_rank else "meaning: -"
    matched = f"; matched {', '.join(origin.matched)}" if origin.matched else ""
    return f"{words}; {dense}{matched}"


@footnote.command()
@click.argument("question", required=False)
@click.option("-k", default=5, show_default=True, type=click.IntRange(1, 100), help="How many passages are read.")
@answered_by("What answers: quoting, copying, the folder of a model, http://HOST:PORT/v1#MODEL, package.module:Class.")
@shown_examples
@reranked_by("What orders the best passages found: a reranker's folder.")
@click.option("--max-error", type=float, metavar="SHARE", help="Answer only while at most this share is wrong (0.1).")
@click.option("--explain", is_flag=True, help="Show the passages, their ranks, and the time of each stage.")
@FILTER
@in_collection
@common
@click.pass_context
def ask(
    ctx: click.Context, question: str | None, k: int, generator: str | None, few_shot: int | None, zero_shot: bool,
    shots: Path | None, reranker: str | None, max_error: float | None, explain: bool, filters: tuple[str, ...],
    name: str, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Answer a question from the documents, with footnotes, or say that they do not hold the answer.

    Exits 0 when it answered and 4 when it did not. On a terminal, a language model is seen writing, until what it
    wrote is checked; and without QUESTION, it asks one after the other.
    """
    engine = _engine(name, home, generator, reranker, few_shot_of(few_shot, zero_shot, shots))
    options: dict[str, Any] = {"filters": filters, "max_error": max_error, "explain": explain}

    def answer_one(asked: str) -> Answer:
        if as_json or not sys.stdout.isatty():
            answer = engine.ask(asked, k, **options)
        else:
            answer = _seen_written(engine, engine.stream(asked, k, **options))
        if as_json:
            _print_json(answer.to_json())
        else:
            _show_answer(answer, explain)
        return answer

    if question is not None:
        ctx.exit(0 if answer_one(question).answered else NOT_ANSWERED)
    if not sys.stdin.isatty():
        raise UsageError("No question was given.", 'For example: footnote ask "When was the archive opened?"')
    _converse(engine, answer_one)


def _converse(engine: Engine, answer_one: Callable[[str], Answer]) -> None:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  line editing and history for input()

    status = engine.collection.status()
    click.echo(f"{status.documents} documents in {status.name}. An empty line ends.", err=True)
    while True:
        try:
            asked = input("? ").strip()
        except EOFError:
            return
        if not asked:
            return
        try:
            answer_one(asked)
        except UserError as error:
            _say_error(error)


def _seen_written(engine: Engine, events: Events) -> Answer:
    """Return the answer; until it is checked, what a language model writes is seen on the terminal."""
    from rag.generator import Streaming
    from rag.types import Answer, Found, Writing

    with contextlib.closing(events), contextlib.ExitStack() as until_checked:
        for event in events:
            match event:
                case Found() if isinstance(engine.generator, Streaming):
                    show = until_checked.enter_context(_draft(event.passages))
                case Writing():
                    show(event.text)
                case Answer():
                    answer = event
    return answer


@contextlib.contextmanager
def _draft(passages: Sequence[Passage]) -> Iterator[Callable[[str], None]]:
    """Show what is read, then text as it is written, in the last lines of the terminal; the end takes it all away.

    A terminal that cannot move its cursor is shown nothing, since a draft must not remain beside the answer.
    """
    from rich.live import Live

    console = _console()
    names = _plain(f"reading {', '.join(dict.fromkeys(passage.name for passage in passages))} ...", "dim")
    names.truncate(console.width, overflow="ellipsis")
    written = ""
    with Live(names, console=console, auto_refresh=False, transient=True) as live:

        def show(text: str) -> None:
            nonlocal written
            written = (written + text).lstrip()
            lines = _plain(written, "dim").wrap(console, console.width)[-max(1, console.height - 3) :]
            live.update(_plain("\n").join([_plain("a draft, to be checked:", "dim italic"), *lines]), refresh=True)

        yield show


def _show_answer(answer: Answer, explain: bool) -> None:
    console = _console()
    if answer.answered:
        _show_wrapped(console, _numbered(answer))
        for start, end in answer.unsupported:
            unsure = _plain(f'not borne out by the documents: "{answer.text[start:end].strip()}"', "yellow")
            _show_wrapped(console, unsure)
        maker = f"confidence {answer.confidence:.0%}, by the {answer.generator} generator"
        _show_wrapped(console, _plain(maker, "dim"))
        console.print()
        for citation in answer.citations:
            _show_citation(console, citation)
    else:
        console.print(_plain("Not in these documents.", "bold"))
        if answer.meant:
            _show_wrapped(console, _plain(f"Did you mean: {answer.meant}", "cyan"))
        nearest = f"confidence in the best answer {answer.confidence:.0%}. The nearest passages:"
        _show_wrapped(console, _plain(nearest, "dim"))
        console.print()
        for rank, passage in enumerate(answer.passages[:3], 1):
            _show_passage(console, rank, passage, False)
    if explain:
        for rank, passage in enumerate(answer.passages, 1):
            _show_passage(console, rank, passage, True)
        spent = ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in answer.timings_ms.items())
        console.print(_plain(spent, "dim"))


def _numbered(answer: Answer) -> Text:
    """Return the answer's text with the numbers of its footnotes behind what they bear out."""
    text = _plain(answer.text, "bold")
    for start, end in answer.unsupported:
        text.stylize("yellow", start, end)
    numbers: dict[int, str] = {}
    for citation in answer.citations:
        for _, end in citation.claims:
            numbers[end] = numbers.get(end, " ") + f"[{citation.number}]"
    parts = text.divide(sorted(numbers))
    for part, end in zip(parts, sorted(numbers), strict=False):  # behind the last number may be words without one
        part.append(_plain(numbers[end], "not bold cyan"))
    return _plain("").join(parts)


def _show_citation(console: Console, citation: Citation) -> None:
    console.print(
        _plain(f"[{citation.number}] ", "cyan") + _plain(f"{citation.title}, " if citation.title else "", "bold")
        + _plain(_place(citation.source, citation.page, citation.line), "cyan"),
        soft_wrap=True,
    )  # fmt: skip
    quote = _plain(_flowed(citation.quote))
    for start, end in citation.marks:
        if end - start < len(citation.quote):
            quote.stylize("bold underline", start, end)
    _show_wrapped(console, quote, 4)
    console.print()


def _show_wrapped(console: Console, text: Text, indent: int = 0) -> None:
    """Print text wrapped to the window, each line indented and without space at its end."""
    for line in text.wrap(console, max(20, console.width - indent)):
        line.rstrip()
        console.print(_plain(" " * indent if line else "") + line, soft_wrap=True)


@footnote.command("verify")
@click.argument("file", metavar="ANSWER.json", type=click.File("rb"))
@common
@click.pass_context
def verify_command(ctx: click.Context, file: Any, home: str | None, as_json: bool) -> None:
    """Read the sources of an answer again and check each footnote; "-" reads standard input.

    Exits 1 and names each citation that no longer holds.
    """
    from rag.verification import verify

    try:
        answer = json.loads(file.read())
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{getattr(file, 'name', '<stdin>')} is not JSON: {error}",
            "Make one with: footnote ask QUESTION --json > answer.json",
        ) from error
    checks = verify(answer, home)
    failed = [check for check in checks if not check.holds]
    if as_json:
        rows = [
            {"number": check.number, "source": check.source, "holds": check.holds, "reason": check.reason}
            for check in checks
        ]
        _print_json({"holds": not failed, "citations": rows})
    else:
        console = _console()
        for check in checks:
            verdict = _plain("holds", "green") if check.holds else _plain(f"does not hold: {check.reason}", "red")
            console.print(_plain(f"[{check.number}] {_near(check.source)}: ") + verdict, soft_wrap=True)
        if not checks:
            console.print("The answer has no citations.")
    ctx.exit(1 if failed else 0)


# Looking at collections


@footnote.command()
@click.option("--sources", is_flag=True, help="List every document.")
@in_collection
@common
def status(sources: bool, name: str, home: str | None, as_json: bool) -> None:
    """Say what a collection holds, how it was made, and what was skipped."""
    collection = _open(name, home)
    found = collection.status()
    listed = collection.documents() if sources else []
    if as_json:
        from dataclasses import asdict

        shown = asdict(found)
        if sources:
            shown["sources"] = [asdict(entry) for entry in listed]
        _print_json(shown)
        return
    console = _console()
    rows = [
        ("documents", f"{found.documents:,} ({', '.join(f'{n} {kind}' for kind, n in found.formats.items())})"),
        ("passages", f"{found.chunks:,}, of them {found.near_duplicates:,} near-duplicates"),
        ("characters", f"{found.characters:,}"),
        ("repairs", ", ".join(f"{count:,} {kind}" for kind, count in found.repairs.items()) or "none needed"),
        ("encoder", f"{found.made.encoder} ({found.made.dim} dimensions, {found.made.fingerprint[:12]})"),
        ("generator", found.generator or "the default one"),
        ("reranker", collection.reranker or "none"),
        ("generation", f"{found.generation}"),
        ("cache", f"{found.segments} segments, {found.unsealed:,} vectors outside"),
        ("on disk", f"{found.bytes / 1e6:,.1f} MB in {found.folder}"),
    ]
    for key, value in rows:
        console.print(_plain(f"{key:>12}  ", "dim") + _plain(value), soft_wrap=True)
    _show_skips(console, [(skip.source, skip.reason) for skip in found.skipped])
    for entry in listed:
        line = f"{entry.chunks:6,} passages  {entry.format:10} {_near(entry.source)}  {entry.title}"
        console.print(_plain(line), soft_wrap=True)


@footnote.command()
@click.argument("source")
@click.option("--text", "only_text", is_flag=True, help="Print the stored text exactly as offsets count it.")
@in_collection
@common
def show(source: str, only_text: bool, name: str, home: str | None, as_json: bool) -> None:
    """Show a stored document: what is known of it and how it was cut into passages."""
    collection = _open(name, home)
    document = collection.document(source)
    if only_text and not as_json:
        _write(document.text.encode())
        return
    pieces = collection.document_chunks(document.source)
    twins = collection.near_duplicates(document.source)
    about: dict[str, Any] = {
        "source": document.source, "sha256": document.sha256, "title": document.title, "format": document.format,
        "characters": len(document.text), "metadata": dict(document.metadata), "notes": list(document.notes),
        "repairs": dict(document.repairs),
    }  # fmt: skip
    if as_json:
        if only_text:
            about["text"] = document.text
        about["chunks"] = [
            {
                "start": c.start,
                "end": c.end,
                "page": c.page,
                "line": c.line,
                "context": c.context,
                "text": c.text,
                "also_in": twins.get(c.id, []),
            }
            for c in pieces
        ]
        _print_json(about)
        return
    console = _console()
    for key, value in about.items():
        if value or value == 0:
            console.print(_plain(f"{key:>12}  ", "dim") + _plain(_flat(value)), soft_wrap=True)
    for number, piece in enumerate(pieces, 1):
        place = f"characters {piece.start}-{piece.end}" + (f", page {piece.page}" if piece.page else "")
        console.print(_plain(f"\n{number}. {piece.context}  ", "bold") + _plain(place, "cyan"), soft_wrap=True)
        for twin in twins.get(piece.id, []):
            console.print(_plain(f"   nearly the same in {_near(twin)}", "dim"), soft_wrap=True)
        _show_wrapped(console, _plain(_shortened(piece.text, 300)))


@footnote.command()
@common
def collections(home: str | None, as_json: bool) -> None:
    """List the collections."""
    from indexer.collection import Collection

    found, broken = [], []
    for name in collection_names(home_folder(home)):
        try:
            found.append(Collection(name, home).status())
        except UserError as error:
            broken.append({"name": name, "error": error.message, "hint": error.hint})
    if as_json:
        rows = [
            {"name": s.name, "documents": s.documents, "chunks": s.chunks, "generation": s.generation,
             "encoder": s.made.encoder, "bytes": s.bytes} for s in found
        ]  # fmt: skip
        _print_json({"collections": rows, "broken": broken})
        return
    console = _console()
    for s in found:
        console.print(_plain(f"{s.name}: {s.documents:,} documents, {s.chunks:,} passages, {s.bytes / 1e6:,.1f} MB"))
    for each in broken:
        console.print(_plain(f"{each['name']}: {each['error']}", "red"), soft_wrap=True)
    if not found and not broken:
        console.print(_plain(f"No collections in {home_folder(home)}. Make one with: footnote index PATH"))


@footnote.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@in_collection
@common
@click.pass_context
def doctor(ctx: click.Context, repair: bool, name: str, home: str | None, as_json: bool) -> None:
    """Check a collection from end to end, and mend it with --repair. Exits 1 when something is still wrong."""
    from indexer.collection import Collection
    from indexer.doctor import examine

    with _progress() as progress:
        findings = examine(Collection(name, home), repair=repair, progress=progress)
    ill = [finding for finding in findings if not finding.healthy and not finding.repaired]
    if as_json:
        rows = [{"check": f.check, "healthy": f.healthy, "detail": f.detail, "repaired": f.repaired} for f in findings]
        _print_json({"healthy": not ill, "findings": rows})
    else:
        console = _console()
        for f in findings:
            verdict = ("mended", "yellow") if f.repaired else ("ok", "green") if f.healthy else ("wrong", "red")
            console.print(_plain(f"{verdict[0]:>8}  ", verdict[1]) + _plain(f"{f.check}: {f.detail}"), soft_wrap=True)
        if ill and not repair:
            console.print(f"To mend it, run: footnote doctor --repair --collection {name}")
    ctx.exit(1 if ill else 0)


@footnote.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@in_collection
@common
def export_command(file: Path, name: str, home: str | None, as_json: bool) -> None:
    """Write a collection into one file: documents, vectors and a manifest."""
    from indexer.transfer import export_collection

    with _progress() as progress:
        done = export_collection(_open(name, home), file, progress=progress)
    _show_transfer("exported", done, file, name, as_json)


@footnote.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@in_collection
@common
def import_command(file: Path, name: str, home: str | None, as_json: bool) -> None:
    """Make a new collection from an exported file, after checking all of it."""
    from indexer.collection import Collection
    from indexer.transfer import import_collection

    with _progress() as progress:
        done = import_collection(file, Collection(name, home), progress=progress)
    _show_transfer("imported", done, file, name, as_json)


def _show_transfer(verb: str, done: Any, file: Path, name: str, as_json: bool) -> None:
    size = file.stat().st_size
    if as_json:
        _print_json({"file": str(file), "collection": name, "documents": done.documents, "chunks": done.chunks,
                     "bytes": size})  # fmt: skip
        return
    line = f"{verb} {done.documents:,} documents and {done.chunks:,} passages ({size / 1e6:,.1f} MB) of {name}"
    _console().print(_plain(line))


# What is shared by the commands


# Training


@footnote.group(cls=Trainings)
@click.pass_context
def train(ctx: click.Context) -> None:
    """Train on your own questions and documents. Everything stays on this machine."""
    ctx.obj = Screen(_progress, _print_json)


# Evaluation


@footnote.group("eval", commands=EVALUATIONS)
@click.pass_context
def evaluation(ctx: click.Context) -> None:
    """Measure search, answers, citations, refusals and speed; compare two runs; see where errors come from."""
    ctx.obj = Screen(_progress, _print_json)


def _open(name: str, home: str | None) -> Collection:
    from indexer.collection import Collection

    collection = Collection(name, home)
    if not collection.exists:
        others = collection_names(collection.home)
        hint = f"There are: {', '.join(others)}." if others else "Run: footnote index PATH"
        raise NotFound(f"There is no collection {name!r} in {collection.home}.", hint)
    return collection


def _engine(
    name: str, home: str | None, generator: str | None = None, reranker: str | None = None,
    few_shot: FewShot | None = None,
) -> Engine:  # fmt: skip
    from rag.engine import Engine

    collection = _open(name, home)
    if few_shot is None:
        return Engine(collection, generator, reranker)
    from rag.generators import open_generator

    with _progress() as progress:
        return Engine(collection, open_generator(generator, collection, few_shot, progress), reranker)


def _say_error(error: UserError) -> None:
    click.secho(f"error: {_shown(error.message)}", fg="red", err=True, color=None if _colours(sys.stderr) else False)
    if error.hint:
        click.echo(_shown(error.hint), err=True)


def _colours(stream: Any) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            raise  # rich would exit 1 here; `Footnote.invoke` knows better

    return Piped(stderr=stderr, no_color=bool(os.environ.get("NO_COLOR")), highlight=False, emoji=False)


def _plain(text: str, style: str = "") -> Text:
    """Return text to show as it is: no markup is read in it, and no control character reaches the terminal."""
    from rich.text import Text

    return Text(_shown(text), style=style)


def _shown(text: str) -> str:
    """Return text in which controls (of terminals, of writing direction, zero-width) are shown, not obeyed."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " if c.isspace() else _CONTROL for c in text)


_CONTROL = "\N{REPLACEMENT CHARACTER}"


def _near(source: str) -> str:
    """Return a path as seen from the working folder, where that is shorter."""
    here = str(Path.cwd()) + "/"
    return source.removeprefix(here) if source.startswith(here) else source


def _place(source: str, page: int | None, line: int | None) -> str:
    if page is not None:
        return f"{_near(source)}, page {page}"
    return f"{_near(source)}, line {line}" if line is not None else _near(source)


_LINE_END = re.compile(r"(?<=[^\n|])\n(?=[^\W_]|[(\"'“‘$*`\[])(?!\w+: |\d+[.)] |\* )")


def _flowed(text: str) -> str:
    """Return text with the line ends inside a paragraph as spaces; every character keeps its place."""
    return _LINE_END.sub(" ", text)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


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
            shown = f"{speed:,.0f}/s" if speed else ""
            bar.update(tasks[what], completed=done, total=total or None, rate=shown)

        yield report


if __name__ == "__main__":
    main()
