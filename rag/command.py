"""The commands that search and answer: search, ask, verify.

Thin: what they do is the other files', loaded when it is needed. Their screen is lent by the command line.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from indexer.completing import complete_folder
from indexer.configuration import Shared
from indexer.errors import StorageError, UsageError, UserError
from indexer.home import home_folder
from indexer.plurals import counted
from indexer.screen import (
    Command,
    Screen,
    common,
    in_collection,
    in_precision,
    near,
    note_format,
    opened,
    plain,
    show_wrapped,
)
from rag.completing import complete_generator
from rag.showing import show_answer, show_passage
from rag.types import FORMS, MAX_HISTORY

if TYPE_CHECKING:
    from rich.console import Console

    from rag.engine import Engine
    from rag.history import HistoryEntry
    from rag.types import Answer, Events, Form, Passage
    from rag.writing.few_shot import FewShot

NOT_ANSWERED = 4
"""Exit code where there is no sure answer, where nothing bears on the question, and where a search finds nothing."""
LEAVING = frozenset({"", "exit", "quit"})
"""What ends a conversation when it is typed as a question."""
ANEW = "new"
"""What begins a conversation anew: the questions before are forgotten."""

FILTER = click.option(
    "--filter", "filters", multiple=True, metavar="KEY=VALUE",
    help="Only documents for which this holds (repeatable): source=*.md, format=pdf, date>=2024-01-01, author=Name.",
)  # fmt: skip


def answered_by(help: str, kind: type[click.Option] = click.Option) -> Callable[[Command], Command]:
    """Make the option that names a generator: `generator`."""
    return click.option("--generator", metavar="NAME", help=help, shell_complete=complete_generator, cls=kind)


def max_error_option(help: str) -> Callable[[Command], Command]:
    """Give a command the option that says how many of the answers may be wrong."""

    def checked(_: click.Context, __: click.Parameter, share: float | None) -> float | None:
        if share is not None and not 0 < share < 1:
            raise UsageError(f"--max-error must lie between 0 and 1, not {share}.", "For example: --max-error 0.1")
        return share

    return click.option("--max-error", type=float, metavar="SHARE", callback=checked, help=help)


def reranked_by(help: str) -> Callable[[Command], Command]:
    """Make the option that names a reranker: `reranker`."""
    return click.option("--reranker", metavar="FOLDER|none", help=help, shell_complete=complete_folder)


def shown_examples(command: Command) -> Command:
    """Add the options of few-shot prompting: `few_shot`, `zero_shot` and `shots`."""
    for option in (
        click.option(
            "--shots", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
            help="Answered questions to take the examples of --few-shot from.",
        ),
        click.option("--zero-shot", is_flag=True, help="Show a language model no examples, which is the default."),
        click.option(
            "--few-shot", type=click.IntRange(0, 100), metavar="N",
            help="Show a language model the N questions of --shots that are most like the question, and their answers.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def few_shot_of(count: int | None, zero_shot: bool, shots: Path | None) -> FewShot | None:
    """Return what --few-shot, --zero-shot and --shots ask for. Raises UsageError where they contradict each other."""
    if zero_shot and count:
        raise UsageError("--zero-shot shows no examples, and --few-shot some.", "Give one of them.")
    if not count:
        return None
    if shots is None:
        raise UsageError("--few-shot needs questions to take examples from.", "Give a file of them with --shots.")
    from rag.writing.few_shot import FewShot

    return FewShot(count, shots)


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="QUERY...")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many passages.")
@click.option("--mode", type=click.Choice(["hybrid", "dense", "words", "feedback"]),
              default="hybrid", show_default=True,
              help="By words and meaning, one of them, or both and again with what the best share.")  # fmt: skip
@click.option("--explain", is_flag=True, help="Say how each arm ranked it, and which words matched.")
@reranked_by("What orders the best passages of a hybrid search: a reranker's folder.")
@FILTER
@in_precision
@in_collection
@common
@click.pass_obj
@click.pass_context
def search(
    ctx: click.Context, screen: Screen, words: tuple[str, ...], k: int, mode: str, explain: bool, reranker: str | None,
    filters: tuple[str, ...], name: str, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Find passages, best first. Exits 4 when nothing matches."""
    query = " ".join(words)
    engine = _engine(screen, name, home, reranker=reranker)
    found = engine.search(query, k, mode=mode, filters=filters, explain=explain)  # type: ignore[arg-type]
    if as_json:
        rows = [_passage_json(rank, passage, query, explain) for rank, passage in enumerate(found, 1)]
        generation = engine.collection.generation
        notes = engine.collection.match_notes(filters) if filters and not found else ()
        screen.print_json({"query": query, "mode": mode, "passages": rows, "collection": name,
                           "generation": generation, "notes": notes})  # fmt: skip
    else:
        console = screen.console()
        for rank, passage in enumerate(found, 1):
            show_passage(console, rank, passage, query, explain)
        if not found:
            _show_nothing_found(console, engine, query, mode, filters)
    if mode != "words" and (language := engine.unknown_language(query)):
        unknown = (
            f"The query seems to be in {language}, which the encoder {engine.collection.made.encoder} does not know"
        )
        screen.say(f"{unknown}: passages are found by its words, hardly by its meaning.", err=True)
    ctx.exit(0 if found else NOT_ANSWERED)


def _engine(
    screen: Screen, name: str, home: str | None, generator: str | None = None, reranker: str | None = None,
    few_shot: FewShot | None = None,
) -> Engine:  # fmt: skip
    from rag.engine import Engine

    collection = opened(name, home)
    if few_shot is None:
        return Engine(collection, generator, reranker)
    from rag.generators import open_generator

    with screen.progress() as progress:
        return Engine(collection, open_generator(generator, collection, few_shot, progress), reranker)


def _show_nothing_found(console: Console, engine: Engine, query: str, mode: str, filters: Sequence[str]) -> None:
    console.print("Nothing found.")
    notes = engine.collection.match_notes(filters) if filters else ()
    for note in notes:
        show_wrapped(console, plain(note))
    if len(notes) > 1:
        return
    if meant := engine.meant(query):
        show_wrapped(console, plain(f"Did you mean: {meant}", "cyan"))
    if mode in ("hybrid", "feedback"):
        why = "No word of it is there, and nothing is near it in meaning. What is nearest all the same: --mode dense"
        show_wrapped(console, plain(why, "dim"))


def _passage_json(rank: int, passage: Passage, query: str, explain: bool) -> dict[str, Any]:
    from rag.excerpts import excerpt

    row: dict[str, Any] = {
        "rank": rank, "title": passage.title, "context": passage.context, "line": passage.line,
        "also_in": list(passage.also_in), **passage.to_json(),
    }  # fmt: skip
    row["excerpt"] = [list(span) for span in excerpt(passage, query)]
    if explain:
        origin = passage.origin
        row["explain"] = {
            "words": {"rank": origin.words_rank, "score": origin.words_score},
            "dense": {"rank": origin.dense_rank, "score": origin.dense_score},
            "matched": list(origin.matched),
        }
    return row


@click.command()
@click.argument("words", nargs=-1, metavar="[QUESTION]...")
@click.option("-k", default=6, show_default=True, type=click.IntRange(1, 100), help="How many passages are read.")
@answered_by(
    "What answers: quoting, copying, the folder of a model, http://HOST:PORT/v1#MODEL, package.module:Class.", Shared
)
@shown_examples
@reranked_by("What orders the best passages found: a reranker's folder.")
@click.option("--after", multiple=True, metavar="QUESTION",
              help="A question asked before this one, which it may refer to (repeatable, oldest first).")  # fmt: skip
@click.option("--continue", "goes_on", is_flag=True, help="Go on from the last question, which this one may refer to.")
@click.option(
    "--form", type=click.Choice(FORMS), help="Answer in this form, not in the one that the question asks for."
)
@max_error_option("Answer only while at most this share is wrong (0.1).")
@click.option("--explain", is_flag=True, help="Show the passages, their ranks, and the time of each stage.")
@click.option("--format", "output", type=click.Choice(["text", "md", "json"]), callback=note_format,
              help="Print the answer so; json is the same as --json.  [default: text]")  # fmt: skip
@click.option("--no-history", is_flag=True, help="Do not keep the question; see history.")
@FILTER
@in_precision
@in_collection
@common
@click.pass_obj
@click.pass_context
def ask(
    ctx: click.Context, screen: Screen, words: tuple[str, ...], k: int, generator: str | None, few_shot: int | None,
    zero_shot: bool, shots: Path | None, reranker: str | None, after: tuple[str, ...], goes_on: bool,
    form: Form | None, max_error: float | None, explain: bool, output: str | None, no_history: bool,
    filters: tuple[str, ...], name: str, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Answer a question from the documents, with footnotes, or show the closest evidence.

    Exits 0 when it answered, and 4 when it is not sure or nothing bears on the question. Quotes around the question are
    not needed; "-" reads questions from standard input, one a line. On a terminal, a language model is seen writing,
    until what it wrote is checked; and without QUESTION, it asks one after the other.

    \b
    footnote ask When was the archive opened
    footnote ask --continue and by whom
    footnote open 1
    """
    if as_json and output not in (None, "json"):
        raise UsageError(f"--json and --format {output} contradict each other.", "Give one of them.")
    output = "json" if as_json else output or "text"
    if goes_on:
        last = _last_entry(home)
        after = (*last.thread, *after)
        if ctx.get_parameter_source("name") is ParameterSource.DEFAULT:
            name = last.collection
    engine = _engine(screen, name, home, generator, reranker, few_shot_of(few_shot, zero_shot, shots))
    options: dict[str, Any] = {"filters": filters, "max_error": max_error, "explain": explain, "form": form}

    def answer_one(asked: str, history: Sequence[str]) -> Answer:
        history = history[-MAX_HISTORY:]
        if output == "text" and sys.stdout.isatty():
            return _seen_written(screen, engine, engine.stream(asked, k, history=history, **options))
        return engine.ask(asked, k, history=history, **options)

    def answer_and_show(asked: str, history: Sequence[str]) -> Answer:
        answer = answer_one(asked, history)
        _print_answer(screen, answer, output, explain)
        if not no_history:
            _keep(engine, answer, history)
        return answer

    if words and words != ("-",):
        ctx.exit(0 if answer_and_show(" ".join(words), after).answered else NOT_ANSWERED)
    if words or not sys.stdin.isatty():
        ctx.exit(_ask_lines(screen, lambda asked: answer_one(asked, after), output, explain))
    _converse(screen, engine, answer_and_show, after)


def _print_answer(screen: Screen, answer: Answer, output: str, explain: bool, *, question: str = "") -> None:
    """Show an answer in the format that is wanted; one of several under its `question`, or as one line of JSON."""
    if output == "json":
        screen.print_json(answer.to_json(), indent=None if question else 2)
    elif output == "md":
        from rag.answer_text import answer_markdown, heading

        text = f"{heading(question)}\n\n{answer_markdown(answer)}\n\n" if question else f"{answer_markdown(answer)}\n"
        screen.write(text.encode(errors="backslashreplace"))
    else:
        if question:
            show_wrapped(screen.console(), plain(f"? {question}", "bold"))
        show_answer(screen.console(), answer, explain)


def _ask_lines(screen: Screen, answer_one: Callable[[str], Answer], output: str, explain: bool) -> int:
    """Answer the questions on standard input one by one, and return the exit code of all: that of the worst."""
    answered, failed, asked = True, 0, False
    for line in sys.stdin.buffer:
        question = line.decode(errors="replace").strip()
        if not question:
            continue
        asked = True
        try:
            answer = answer_one(question)
        except UsageError as error:  # of this question; what is wrong with the collection ends it all
            screen.say_error(UsageError(f"{question[:80]}: {error.message}", error.hint))
            failed = failed or error.exit_code
        else:
            _print_answer(screen, answer, output, explain, question=question)
            answered = answered and answer.answered
    if not asked:
        raise UsageError("No question was given.", "For example: footnote ask When was the archive opened")
    return failed or (0 if answered else NOT_ANSWERED)


def _last_entry(home: str | None) -> HistoryEntry:
    from rag.history import read_history

    entries = read_history(home_folder(home))
    if not entries:
        raise UsageError("There is no question to go on from.", "Ask one without --continue first; see history.")
    return entries[-1]


def _keep(engine: Engine, answer: Answer, history: Sequence[str]) -> None:
    """Add the question to the history; where that cannot be written, it is answered all the same."""
    from rag.history import entry_of, keep

    try:
        keep(engine.collection.home, entry_of(answer, history))
    except StorageError as error:
        logging.getLogger(__name__).info("The question is not kept. %s", error.message)


def _converse(
    screen: Screen, engine: Engine, answer_one: Callable[[str, Sequence[str]], Answer], after: Sequence[str]
) -> None:
    """Ask one question after the other; each may refer to those before it."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  line editing and history for input()

    status = engine.collection.status()
    held = counted(status.documents, "document")
    screen.say(f"{held} in {status.name}. A question may refer to the ones before it.", err=True)
    screen.say(f'"{ANEW}" begins anew; "exit", "quit" or an empty line ends.', err=True)
    history = list(after)
    while True:
        try:
            asked = input("? ").strip()
        except EOFError:
            return
        word = asked.casefold()
        if word in LEAVING:
            return
        if word == ANEW:
            history.clear()
            screen.say("The questions before are forgotten.", err=True)
            continue
        try:
            answer_one(asked, history[-MAX_HISTORY:])
        except UserError as error:
            screen.say_error(error)
        else:
            history.append(asked)


def _seen_written(screen: Screen, engine: Engine, events: Events) -> Answer:
    """Return the answer; until it is checked, what a language model writes is seen on the terminal."""
    from rag.generator import Streaming
    from rag.types import Answer, Found, Writing

    with contextlib.closing(events), contextlib.ExitStack() as until_checked:
        for event in events:
            match event:
                case Found() if isinstance(engine.generator, Streaming):
                    show = until_checked.enter_context(_draft(screen.console(), event.passages))
                case Writing():
                    show(event.text)
                case Answer():
                    answer = event
    return answer


@contextlib.contextmanager
def _draft(console: Console, passages: Sequence[Passage]) -> Iterator[Callable[[str], None]]:
    """Show what is read, then text as it is written, in the last lines of the terminal; the end takes it all away.

    A terminal that cannot move its cursor is shown nothing, since a draft must not remain beside the answer.
    """
    from rich.live import Live

    names = plain(f"reading {', '.join(dict.fromkeys(passage.name for passage in passages))} ...", "dim")
    names.truncate(console.width, overflow="ellipsis")
    written = ""
    with Live(names, console=console, auto_refresh=False, transient=True) as live:

        def show(text: str) -> None:
            nonlocal written
            written = (written + text).lstrip()
            lines = plain(written, "dim").wrap(console, console.width)[-max(1, console.height - 3) :]
            live.update(plain("\n").join([plain("a draft, to be checked:", "dim italic"), *lines]), refresh=True)

        yield show


@click.command("verify")
@click.argument("file", metavar="ANSWER.json", type=click.File("rb"))
@common
@click.pass_obj
@click.pass_context
def verify_command(ctx: click.Context, screen: Screen, file: Any, home: str | None, as_json: bool) -> None:
    """Read the sources of an answer again and check each footnote; "-" reads standard input.

    Exits 1 and names what does not hold: citations, or words of the answer that come from none of their quotes.
    """
    from rag.verification import loaded, verify

    try:
        answer = loaded(file.read())
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{getattr(file, 'name', '<stdin>')} is not JSON: {error}",
            "Make one with: footnote ask QUESTION --json > answer.json",
        ) from error
    verdict = verify(answer, home)
    if as_json:
        screen.print_json(verdict.to_json())
    else:
        console = screen.console()
        for check in verdict.checks:
            result = plain("holds", "green") if check.holds else plain(f"does not hold: {check.reason}", "red")
            console.print(plain(f"[{check.number}] {near(check.source)}: ") + result, soft_wrap=True)
        proves = f"{verdict.proves[0].upper()}{verdict.proves[1:]}."
        console.print(plain(proves, "" if verdict.holds else "red"), soft_wrap=True)
    ctx.exit(0 if verdict.holds else 1)
