"""The commands that look back at what was asked: history, open. What they do is `history.py`'s and `opening.py`'s."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

import click

from indexer.errors import NotFound, UsageError
from indexer.glance import document_origin
from indexer.home import home_folder
from indexer.plurals import counted
from indexer.screen import Screen, common, place, plain, shortened, show_wrapped
from rag.history import HistoryEntry, clear_history, read_history
from rag.markdown_marks import has_marks, unmarked
from rag.types import Citation

_ANSWER = 200
"""Characters of an answer that the list shows."""


@click.command()
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1), help="How many, the last ones.")
@click.option("--clear", "--forget", is_flag=True, help="Forget all of them.")
@common
@click.pass_obj
def history(screen: Screen, limit: int, clear: bool, home: str | None, as_json: bool) -> None:
    """Show the questions that were asked here, the last one at the end, or forget them.

    They are kept under the home folder, where only you can read them; ask --no-history keeps none.
    """
    if clear:
        count = clear_history(home_folder(home))
        if as_json:
            screen.print_json({"forgotten": count})
        else:
            screen.say(f"forgot {counted(count, 'question')}" if count else "There was no question to forget.")
            screen.say("New questions are kept again. To keep one out: footnote ask --no-history QUESTION")
        return
    entries = read_history(home_folder(home))[-limit:]
    if as_json:
        screen.print_json({"questions": [entry.to_json() for entry in entries]})
        return
    console = screen.console()
    for entry in entries:
        when = _local(entry.time)
        console.print(plain(f"{when}  ", "dim") + plain(entry.question, "bold"), soft_wrap=True)
        sources = [citation.source for citation in entry.citations]
        answer = unmarked(entry.answer, sources[0]) if sources and all(map(has_marks, sources)) else entry.answer
        said = shortened(" ".join(answer.split()), _ANSWER)
        told = {"answer": said, "unsure": f"not sure: {said}"}.get(entry.outcome, "nothing in these documents")
        show_wrapped(console, plain(f"{told}  ") + plain(f"({entry.collection})", "dim"), len(when) + 2)
    if not entries:
        screen.say("Nothing was asked yet.")


def _local(time: str) -> str:
    import datetime

    try:
        return datetime.datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return time[:16]


@click.command("open")
@click.argument("number", type=click.IntRange(1), default=1)
@click.option(
    "--viewer", metavar="COMMAND", help="Open it with this, as 'zathura -P {page} {file}'; {line} and {uri} as well."
)
@click.option("--print", "only_print", is_flag=True, help="Print where it is, and open nothing.")
@common
@click.pass_obj
def open_command(
    screen: Screen, number: int, viewer: str | None, only_print: bool, home: str | None, as_json: bool
) -> None:
    """Open footnote NUMBER of the last answer, at its page or line where the program for such files can.

    NUMBER is 1 where it is left out.
    """
    from rag.opening import Place, start, viewing

    last, citation = _footnote(read_history(home_folder(home)), number)
    path = Path(citation.source)
    where = place(citation.source, citation.page, citation.line, citation.page_name)
    if not path.is_absolute() or document_origin(home_folder(home), last.collection, citation.source) == "given":
        raise _without_file(citation, "it is a text without a file")  # of an export, its name is a stranger's word
    if not path.is_file():
        raise _without_file(citation, "the file is gone")
    if hashlib.sha256(path.read_bytes()).hexdigest() != citation.sha256:
        screen.say(f"warning: {path.name} has changed since it was indexed; the place may have moved.", err=True)
    shown = None if only_print else viewing(Place(path, citation.page, citation.line), viewer or "")
    if shown is not None:
        start(shown)
    if as_json:
        command = list(shown.command) if shown is not None else None
        screen.print_json({"number": number, "source": citation.source, "page": citation.page, "line": citation.line,
                           "quote": citation.quote, "command": command})  # fmt: skip
    elif shown is None:
        screen.say(where)
    elif not shown.in_terminal:
        by_hand = "" if shown.at_place or where == citation.source else " (turn there by hand)"
        screen.say(f"opening {where}{by_hand} with {Path(shown.command[0]).name}")


def _without_file(citation: Citation, why: str) -> NotFound:
    shown_by = f"What is stored of it: footnote show {shlex.quote(citation.source)}"
    return NotFound(f"{citation.source} cannot be opened: {why}.", shown_by)


def _footnote(entries: list[HistoryEntry], number: int) -> tuple[HistoryEntry, Citation]:
    """Return the last answer and one of its footnotes. Raises NotFound, or UsageError for a number it does not have."""
    if not entries:
        raise NotFound("Nothing was asked yet, so there is no footnote to open.", "Run: footnote ask QUESTION")
    last = entries[-1]
    by_number = {citation.number: citation for citation in last.citations}
    if not by_number:
        raise NotFound(f"The last answer has no footnotes: {last.question}", "Run: footnote history")
    if number not in by_number:
        raise UsageError(
            f"The last answer has no footnote {number}: {last.question}",
            f"It has: {', '.join(map(str, sorted(by_number)))}.",
        )
    return last, by_number[number]
