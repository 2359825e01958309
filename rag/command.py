"""The commands that search and answer: search, ask, verify.

Thin: what they do is the other files', loaded when it is needed. Their screen is lent by the command line.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.errors import UsageError, UserError
from indexer.screen import Command, Screen, common, in_collection, near, opened, plain, show_wrapped
from rag.showing import show_answer, show_passage
from rag.types import FORMS, MAX_HISTORY

if TYPE_CHECKING:
    from rich.console import Console

    from rag.engine import Engine
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


def answered_by(help: str) -> Callable[[Command], Command]:
    """Make the option that names a generator: `generator`."""
    return click.option("--generator", metavar="NAME", help=help, shell_complete=_complete_generator)


def reranked_by(help: str) -> Callable[[Command], Command]:
    """Make the option that names a reranker: `reranker`."""
    return click.option("--reranker", metavar="FOLDER|none", help=help)


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


def _complete_generator(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    from rag.generators import NAMES

    return [name for name in NAMES if name.startswith(typed)]


@click.command()
@click.argument("query")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many passages.")
@click.option("--mode", type=click.Choice(["hybrid", "dense", "words", "feedback"]),
              default="hybrid", show_default=True,
              help="By words and meaning, one of them, or both and again with what the best share.")  # fmt: skip
@click.option("--explain", is_flag=True, help="Say how each arm ranked it, and which words matched.")
@reranked_by("What orders the best passages of a hybrid search: a reranker's folder.")
@FILTER
@in_collection
@common
@click.pass_obj
@click.pass_context
def search(
    ctx: click.Context, screen: Screen, query: str, k: int, mode: str, explain: bool, reranker: str | None,
    filters: tuple[str, ...], name: str, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Find passages, best first. Exits 4 when nothing matches."""
    engine = _engine(screen, name, home, reranker=reranker)
    found = engine.search(query, k, mode=mode, filters=filters, explain=explain)  # type: ignore[arg-type]
    if as_json:
        rows = [_passage_json(rank, passage, query, explain) for rank, passage in enumerate(found, 1)]
        generation = engine.collection.generation
        screen.print_json(
            {"query": query, "mode": mode, "passages": rows, "collection": name, "generation": generation}
        )
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
    if filters:
        console.print(f"{engine.collection.match_count(filters)}.")
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
@click.argument("question", required=False)
@click.option("-k", default=6, show_default=True, type=click.IntRange(1, 100), help="How many passages are read.")
@answered_by("What answers: quoting, copying, the folder of a model, http://HOST:PORT/v1#MODEL, package.module:Class.")
@shown_examples
@reranked_by("What orders the best passages found: a reranker's folder.")
@click.option("--after", multiple=True, metavar="QUESTION",
              help="A question asked before this one, which it may refer to (repeatable, oldest first).")  # fmt: skip
@click.option(
    "--form", type=click.Choice(FORMS), help="Answer in this form, not in the one that the question asks for."
)
@click.option("--max-error", type=float, metavar="SHARE", help="Answer only while at most this share is wrong (0.1).")
@click.option("--explain", is_flag=True, help="Show the passages, their ranks, and the time of each stage.")
@FILTER
@in_collection
@common
@click.pass_obj
@click.pass_context
def ask(
    ctx: click.Context, screen: Screen, question: str | None, k: int, generator: str | None, few_shot: int | None,
    zero_shot: bool, shots: Path | None, reranker: str | None, after: tuple[str, ...], form: Form | None,
    max_error: float | None, explain: bool, filters: tuple[str, ...], name: str, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Answer a question from the documents, with footnotes, or show the closest evidence.

    Exits 0 when it answered, and 4 when it is not sure or nothing bears on the question. On a terminal, a language
    model is seen writing, until what it wrote is checked; and without QUESTION, it asks one after the other.
    """
    engine = _engine(screen, name, home, generator, reranker, few_shot_of(few_shot, zero_shot, shots))
    options: dict[str, Any] = {"filters": filters, "max_error": max_error, "explain": explain, "form": form}

    def answer_one(asked: str, history: Sequence[str]) -> Answer:
        if as_json or not sys.stdout.isatty():
            answer = engine.ask(asked, k, history=history, **options)
        else:
            answer = _seen_written(screen, engine, engine.stream(asked, k, history=history, **options))
        if as_json:
            screen.print_json(answer.to_json())
        else:
            show_answer(screen.console(), answer, explain)
        return answer

    if question is not None:
        ctx.exit(0 if answer_one(question, after).answered else NOT_ANSWERED)
    if not sys.stdin.isatty():
        raise UsageError("No question was given.", 'For example: footnote ask "When was the archive opened?"')
    _converse(screen, engine, answer_one, after)


def _converse(
    screen: Screen, engine: Engine, answer_one: Callable[[str, Sequence[str]], Answer], after: Sequence[str]
) -> None:
    """Ask one question after the other; each may refer to those before it."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  line editing and history for input()

    status = engine.collection.status()
    screen.say(f"{status.documents} documents in {status.name}. A question may refer to the ones before it.", err=True)
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


COMMANDS: Mapping[str, click.Command] = {"search": search, "ask": ask, "verify": verify_command}
"""The commands, by name."""
