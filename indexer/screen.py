"""What the commands of all floors share: their options, and the screen on which they show what they found.

The command line lends them the screen; nobody else writes to the terminal. Importing this costs click alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from indexer.completing import complete_collection
from indexer.configuration import Shared
from indexer.errors import NotFound, UsageError, UserError
from indexer.home import DEFAULT_COLLECTION, collection_names
from indexer.nearest import did_you_mean
from indexer.pages import page_place

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from indexer.collection import Collection
    from indexer.types import Progress

Command = TypeVar("Command", bound=Callable[..., Any])


class Screen(Protocol):
    """What the command line lends to its commands: a command takes it with `click.pass_obj`."""

    def progress(self) -> AbstractContextManager[Progress]:
        """Show a bar with rate and estimate on standard error while a block runs, when that is a terminal."""
        ...

    def console(self, stderr: bool = False) -> Console:
        """Return what writes for a person. What documents hold goes through `plain`."""
        ...

    def say(self, text: str, *, err: bool = False) -> None:
        """Write a line as it is, in which no control character reaches the terminal."""
        ...

    def say_error(self, error: UserError) -> None:
        """Write what happened and what to do next, on standard error."""
        ...

    def confirm(self, question: str) -> bool:
        """Ask a question that is answered by yes or no."""
        ...

    def print_json(self, value: Any, *, indent: int | None = 2) -> None:
        """Write one JSON value on standard output; without `indent` as one line."""
        ...

    def write(self, data: bytes) -> None:
        """Write bytes on standard output."""
        ...


# Options


JSON = "footnote.json"
"""Where the context keeps that JSON was asked for: errors are JSON as well then."""


def _note_json(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    ctx.meta[JSON] = ctx.meta.get(JSON, False) or value
    return value


def note_format(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Note that --format json asks for JSON as --json does: a callback of that option."""
    ctx.meta[JSON] = ctx.meta.get(JSON, False) or value == "json"
    return value


def common(command: Command) -> Command:
    """Add the options that every command has: `as_json` and `home`."""
    for option in (
        click.option("--json", "as_json", is_flag=True, cls=Shared, callback=_note_json,
                     help="Print one JSON object instead of text."),
        click.option("--home", type=click.Path(file_okay=False), metavar="DIR", help="Where collections are kept."),
    ):  # fmt: skip
        command = option(command)
    return command


def in_collection(command: Command) -> Command:
    """Add the option that names a collection: `name`."""
    return click.option(
        "--collection", "-c", "name", default=DEFAULT_COLLECTION, show_default=True, metavar="NAME", cls=Shared,
        help="The collection to use.", shell_complete=complete_collection,
    )(command)  # fmt: skip


def in_precision(command: Command, *, of_share: str = "") -> Command:
    """Add the option that says in which precision models run; FOOTNOTE_PRECISION says it while the command runs.

    There all of its processes look for it. `of_share` is the option that somebody means who gives a number.
    """

    def ask_for(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is None:
            return
        from indexer.encoders.precision import VARIABLE, wanted

        try:
            wanted(value)
        except UsageError as error:
            if of_share and value[:1].isdigit():
                error.hint = f"The share of right answers at which coverage is measured is {of_share} {value}"
            raise
        before = os.environ.get(VARIABLE)
        ctx.call_on_close(lambda: _set_variable(VARIABLE, before))
        _set_variable(VARIABLE, value)

    return click.option(
        "--precision", metavar="auto|fp32|bf16|int8", cls=Shared, expose_value=False, callback=ask_for,
        help="What models compute in.  [default: auto, the fastest on this machine that says the same]",
    )(command)  # fmt: skip


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def opened(name: str, home: str | None) -> Collection:
    """Return the collection that a person named. Raises NotFound when there is none, and says which there are."""
    from indexer.collection import Collection

    collection = Collection(name, home)
    if not collection.exists:
        others = collection_names(collection.home)
        meant = did_you_mean(name, others)
        hint = " ".join(filter(None, [meant, f"There are: {', '.join(others)}."])) if others else _MAKE_ONE
        raise NotFound(f"There is no collection {name!r} in {collection.home}.", hint)
    return collection


_MAKE_ONE = "Run: footnote index PATH"


# Text for a terminal


def plain(text: str, style: str = "") -> Text:
    """Return text to show as it is: no markup is read in it, and no control character reaches the terminal."""
    from rich.text import Text

    return Text(shown(text), style=style)


def shown(text: str) -> str:
    """Return text in which controls (of terminals, of writing direction, zero-width) are shown, not obeyed."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " if c.isspace() else _CONTROL for c in text)


_CONTROL = "\N{REPLACEMENT CHARACTER}"


def near(source: str) -> str:
    """Return a path as seen from the working folder, where that is shorter."""
    here = str(Path.cwd()) + "/"
    return source.removeprefix(here) if source.startswith(here) else source


def place(source: str, page: int | None, line: int | None, page_name: str = "") -> str:
    """Return where something stands: the source with its page, or its line where it has no pages."""
    if page is not None:
        return f"{near(source)}, {page_place(source, page, page_name)}"
    return f"{near(source)}, line {line}" if line is not None else near(source)


_LINE_END = re.compile(r"(?<=[^\n|])\n(?=[^\W_]|[(\"'“‘$*`\[])(?!\w+: |\d+[.)] |\* )")


def flowed(text: str) -> str:
    """Return text with the line ends inside a paragraph as spaces; every character keeps its place."""
    return _LINE_END.sub(" ", text)


def shortened(text: str, length: int) -> str:
    """Return text of at most `length` characters, with an ellipsis where some were left out."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def show_wrapped(console: Console, text: Text, indent: int = 0) -> None:
    """Print text wrapped to the window, each line indented and without space at its end."""
    for line in text.wrap(console, max(20, console.width - indent)):
        line.rstrip()
        console.print(plain(" " * indent if line else "") + line, soft_wrap=True)
