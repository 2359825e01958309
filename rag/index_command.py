"""The command `index`: files and texts into a collection. Thin; what it does is the other files', loaded when it runs.

It stands on this floor, since what answers from the collection is made ready while the reader waits anyway.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.command import show_notes, show_skips, show_unknown_languages
from indexer.completing import complete_encoder
from indexer.errors import UsageError, UserError
from indexer.plurals import counted
from indexer.screen import Screen, common, in_collection, in_precision, plain
from rag.command import answered_by, reranked_by

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.sync import Given, Report
    from indexer.types import Progress

SKIPPED = 3
"""Exit code of `index --strict` when something was skipped."""


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--include", multiple=True, metavar="PATTERN", help="Only files that match (as in .gitignore).")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Not the files that match.")
@click.option("--prune/--keep-missing", default=True, show_default=True, help="Remove documents whose file is gone.")
@click.option("--rebuild", is_flag=True, help="Read and embed everything anew beside the old state, then switch.")
@click.option("--encoder", metavar="NAME|FOLDER", shell_complete=complete_encoder,
              help="A sentence-transformers model; by default the one built in.")  # fmt: skip
@answered_by("What is to answer from this collection, remembered; see ask.")
@reranked_by("What is to order the passages found, remembered; see train reranker.")
@click.option(
    "--ocr-language", metavar="LANGUAGE", help="Language of scanned pages as Tesseract names it: eng, deu+fra."
)
@click.option("--watch", is_flag=True, help="Stay, and index again whenever a file changes.")
@click.option("--strict", is_flag=True, help=f"Exit {SKIPPED} when a file was skipped.")
@in_precision
@in_collection
@common
@click.pass_obj
@click.pass_context
def index(
    ctx: click.Context, screen: Screen, paths: tuple[str, ...], include: tuple[str, ...], exclude: tuple[str, ...],
    prune: bool, rebuild: bool, encoder: str | None, generator: str | None, reranker: str | None,
    ocr_language: str | None, watch: bool, strict: bool, name: str, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Take files and folders into a collection, or bring it up to date with them.

    Indexing again costs only what has changed. With "-", reads JSON lines {id, text, title?, metadata?} from standard
    input instead of files.
    """
    from indexer.collection import Collection

    if not paths and not rebuild and generator is None and reranker is None:
        raise UsageError("No file or folder was given.", "For example: footnote index ~/documents")
    if "" in paths:
        raise UsageError(
            "One of the paths is empty.", "Run: footnote index PATH; for the working folder: footnote index ."
        )
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
            screen.print_json({"generator": collection.generator, "reranker": collection.reranker, "collection": name})
        else:
            screen.console().print(plain(f"{name}: answers by {collection.generator or 'the default generator'}"))
            if reranker is not None:
                screen.console().print(plain(f"{name}: reranked by {collection.reranker or 'nothing'}"))
        return

    def once() -> Report:
        with screen.progress() as progress:
            if paths == ("-",):
                from indexer.sync import sync_given

                return sync_given(collection, _given_lines(sys.stdin.buffer), progress=_of_stdin(progress))
            return collection.sync(
                paths, include=include, exclude=exclude, prune=prune, rebuild=rebuild, progress=progress
            )

    report = once()
    choose()
    _prepare(screen, collection)
    _show_report(screen, report, name, as_json)
    if watch:
        rebuild = False
        _watch(screen, paths, collection.home, lambda: _show_report(screen, once(), name, as_json))
    if strict and report.skipped:
        ctx.exit(SKIPPED)


def _prepare(screen: Screen, collection: Collection) -> None:
    """Make generator and reranker ready while the reader waits anyway, and not when the first question is asked."""
    from rag.generators import prepare_generator
    from rag.reranking.reranker import prepare_reranker

    if collection.exists:
        with screen.progress() as progress:
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


def _of_stdin(progress: Progress) -> Progress:
    """Return a progress that knows a total: as many texts as there are in all, by how much of a file was read."""
    try:
        size = os.fstat(sys.stdin.fileno()).st_size  # 0 for a pipe, of which nobody knows how much will come
    except (OSError, ValueError):
        size = 0

    def report(what: str, done: int, total: int) -> None:
        read = sys.stdin.buffer.tell() if size and not total else 0
        progress(what, done, max(done, round(done * size / read)) if read else total)

    return report


def _start(line: bytes) -> str:
    text = line.decode(errors="replace").strip()
    return text if len(text) <= 60 else text[:57] + "..."


def _watch(screen: Screen, paths: Sequence[str], home: Path, again: Callable[[], None]) -> None:
    """Call `again` whenever something under `paths` changes, except under `home`, until a signal ends it."""
    import watchfiles

    usual = watchfiles.DefaultFilter()
    own = f"{home}/"
    screen.say("Watching for changes; Ctrl-C ends it.", err=True)
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
                screen.say_error(error)  # a busy collection or a full disk may pass; the next change tries again


def _show_report(screen: Screen, report: Report, name: str, as_json: bool) -> None:
    if as_json:
        screen.print_json(report.to_json())
        return
    console = screen.console()
    done = f"{report.added} added, {report.changed} changed, {report.removed} removed, {report.unchanged} unchanged"
    console.print(f"[bold]{name}[/]: {done} in {report.seconds:.1f} s", highlight=False)
    if report.chunks:
        rate = report.chunks_embedded / report.seconds if report.seconds else 0
        embedded = f"{report.chunks_embedded:,} of them newly embedded ({rate:.0f} a second)"
        console.print(f"  {counted(report.chunks, 'passage')}, {embedded}", highlight=False)
    for pattern in report.unmatched:
        screen.say(f"warning: no file matches --include {pattern!r}.", err=True)
    if report.unmatched and not report.added + report.changed + report.unchanged:
        screen.say("Nothing was removed. Patterns are as in .gitignore, relative to PATH: '*.md', 'notes/'", err=True)
    if report.repairs:
        repaired = ", ".join(f"{count:,} {kind}" for kind, count in report.repairs.items())
        console.print(plain(f"  cleaned: {repaired}"), soft_wrap=True)
    if report.not_read:
        counts = ", ".join(f"{count:,} {ending}" for ending, count in report.not_read.items())
        console.print(plain(f"  not read: {counts}"), soft_wrap=True)
    show_skips(console, [(skip.source, skip.reason) for skip in report.skipped])
    show_notes(console, report.notes)
    show_unknown_languages(console, report.unknown_languages)
