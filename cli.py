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
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from indexer.command import COMMANDS as UPKEEP
from indexer.command import show_skips
from indexer.errors import UsageError, UserError
from indexer.home import home_folder
from indexer.screen import common, in_collection, plain, shown
from rag.command import COMMANDS as ANSWERING
from rag.command import answered_by
from rag.evaluation.command import EVALUATIONS

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
            ctx.exit(143 if _terminated else 130)


_terminated = False


def _terminate(*_: object) -> NoReturn:
    """Turn SIGTERM into the same orderly stop as Ctrl-C: the batch is rolled back and the lock released."""
    global _terminated
    _terminated = True
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; the entry point of the console script."""
    gc.set_threshold(100_000, 20, 20)  # a cold start makes objects that live to its end: looking among them is in vain
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know fewer characters than documents hold
    footnote(prog_name="footnote")


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
@click.option("--watch", is_flag=True, help="Stay, and index again whenever a file changes.")
@click.option("--strict", is_flag=True, help=f"Exit {SKIPPED} when a file was skipped.")
@in_collection
@common
@click.pass_context
def index(
    ctx: click.Context, paths: tuple[str, ...], include: tuple[str, ...], exclude: tuple[str, ...], prune: bool,
    rebuild: bool, encoder: str | None, generator: str | None, watch: bool, strict: bool, name: str, home: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Take files and folders into a collection, or bring it up to date with them.

    Indexing again costs only what has changed. With "-", reads JSON lines {id, text, title?, metadata?} from standard
    input instead of files.
    """
    from indexer.collection import Collection

    if not paths and not rebuild and generator is None:
        raise UsageError("No file or folder was given.", "For example: footnote index ~/documents")
    if watch and not paths:
        raise UsageError("--watch needs the files or folders to watch.", "Run: footnote index PATH --watch")
    if "-" in paths and (len(paths) > 1 or rebuild or watch):
        raise UsageError('"-" reads standard input and goes with no other path.', "Run: footnote index - < texts.jsonl")
    collection = Collection(name, home, encoder)
    choose = _choosing(collection, generator)
    if not paths and not rebuild:
        choose()
        if as_json:
            _print_json({"generator": collection.generator, "collection": name})
        else:
            _console().print(plain(f"{name}: answers by {collection.generator or 'the default generator'}"))
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
    """Make the generator ready while the reader waits anyway, and not when the first question is asked."""
    from rag.generators import prepare_generator

    if collection.exists:
        with _progress() as progress:
            prepare_generator(collection, progress)


def _choosing(collection: Collection, generator: str | None) -> Callable[[], None]:
    """Return what makes the collection remember a generator, whose name is checked before the long work begins."""
    if generator is None:
        return lambda: None
    from rag.generators import lasting_name

    lasting = lasting_name(generator)
    return lambda: collection.choose_generator(lasting)


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
    show_skips(console, [(skip.source, skip.reason) for skip in report.skipped])


# Training


@footnote.group()
def train() -> None:
    """Train on your own questions and documents. Everything stays on this machine."""


def _shares(given: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """Return the folders and shares of --average; together they leave something to what was learnt."""
    shares = []
    for text in given:
        folder, _, share = text.rpartition(":")
        try:
            shares.append((folder, float(share)))
        except ValueError:
            shares.append((folder, 0.0))
        if not (Path(folder).is_dir() and 0 < shares[-1][1] < 1):
            raise UsageError(f"--average {text} is no folder with a share between 0 and 1.", "For example: run1:0.3")
    if sum(share for _, share in shares) >= 1:
        raise UsageError("The shares of --average leave nothing to what is learnt.", "Together they are less than 1.")
    return tuple(shares)


@train.command("generator")
@click.argument("data", nargs=-1, required=True, metavar="DATA[:WEIGHT]...")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="FOLDER",
    help="Where the model goes; a run that was interrupted goes on there.",
)
@click.option("--epochs", default=1.0, show_default=True, help="Passes over the data; parts of one are allowed.")
@click.option("--steps", type=click.IntRange(1), help="Optimizer steps, rather than passes.")
@click.option(
    "--batch-size",
    default=32,
    show_default=True,
    type=click.IntRange(1),
    metavar="PARAGRAPHS",
    help="Paragraphs of 176 tokens in one step, or as many tokens in other pieces.",
)
@click.option("--lr", type=click.FloatRange(0, 1, min_open=True), help="Learning rate.  [default: 0.00025]")
@click.option("--negatives", default=30_000, show_default=True, help="Questions that hard negatives are looked for.")
@click.option(
    "--held-out",
    default=0.09,
    show_default=True,
    type=click.FloatRange(0.01, 0.5),
    help="Share of the questions, whole documents, kept for choosing and calibrating.",
)
@click.option(
    "--encoder", metavar="NAME|FOLDER", help="A BERT-like encoder to begin with; by default the one built in."
)
@click.option(
    "--base",
    type=click.Path(file_okay=False, exists=True),
    metavar="FOLDER",
    help="A generator to go on from; by default it begins with the encoder's weights.",
)
@click.option(
    "--average",
    multiple=True,
    metavar="FOLDER:SHARE",
    help="Mix this share of another generator's weights into what was learnt, for example run1:0.3.",
)
@click.option("--licence", "licences", multiple=True, metavar="TEXT", help="Of each DATA, in order; for the card.")
@click.option("--seed", default=11, show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--dry-run", is_flag=True, help="Read the data, measure the speed, say how long it will take, and stop.")
@common
def train_generator_command(
    data: tuple[str, ...], out: Path, epochs: float, steps: int | None, batch_size: int, lr: float | None,
    negatives: int, held_out: float, encoder: str | None, base: str | None, average: tuple[str, ...],
    licences: tuple[str, ...], seed: int, device: str, dry_run: bool, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Train the generator that answers with spans of the passages.

    DATA is a SQuAD-format file or JSON lines with `question`, `context` and `answers`; WEIGHT is how often each of its
    questions is learnt in one pass. Questions are split by document: some documents are held out to choose the best
    weights and to fit the confidence. Use what comes out with: footnote ask --generator FOLDER

    \b
    footnote train generator squad.json.gz ours.jsonl:2 --out models/ours
    """
    from finetune.card import parsed
    from finetune.generator import Estimate, Options, train_generator
    from finetune.schedule import Schedule

    if licences and len(licences) != len(data):
        raise UsageError(f"{len(licences)} licences were given for {len(data)} files.", "Give one for each, in order.")
    stated = licences or ("not stated",) * len(data)
    options = Options(
        epochs=epochs, steps=steps, batch_tokens=176 * batch_size, held_out=held_out, negatives=negatives,
        encoder=encoder, base=base, average=_shares(average), seed=seed, device=device,
        schedule=Schedule() if lr is None else Schedule(lr=lr, new_lr=2 * lr),
    )  # fmt: skip

    def announce(estimate: Estimate) -> None:
        _console(stderr=True).print(
            f"{estimate.questions:,} questions, {estimate.examples:,} examples, {estimate.steps:,} steps; "
            f"{estimate.parameters / 1e6:.1f} million parameters in {estimate.precision}; "
            f"training takes about {_duration(estimate.seconds)}."
        )

    with _progress() as progress:
        trained = train_generator(
            [parsed(text, licence) for text, licence in zip(data, stated, strict=True)], out, options,
            home=home_folder(home), dry_run=dry_run, announce=announce, progress=progress,
        )  # fmt: skip
    if as_json:
        from dataclasses import asdict

        _print_json({"folder": str(trained.folder), "trained": not dry_run, "estimate": asdict(trained.estimate),
                     "validation": dict(trained.validation)})  # fmt: skip
    elif not dry_run:
        scores = ", ".join(f"{name} {value:.1f}" for name, value in trained.validation.items())
        click.echo(f"{trained.folder}: {scores} on held-out questions.")
        click.echo(f'Ask with it: footnote ask "..." --generator {trained.folder}')


def _duration(seconds: float) -> str:
    """Return a time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


# Evaluation


@footnote.group("eval", commands=EVALUATIONS)
def evaluation() -> None:
    """Measure search, answers, citations, refusals and speed; compare two runs; see where errors come from."""


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
