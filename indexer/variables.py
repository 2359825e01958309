"""Variables of the environment that begin with FOOTNOTE_ and that nothing reads: mostly one that is spelled wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import click

from indexer.configuration import SHARED, VARIABLE, option_name, variable
from indexer.nearest import did_you_mean

OWN = (VARIABLE, "FOOTNOTE_HOME", "FOOTNOTE_OCR_LANGUAGE", "FOOTNOTE_PRECISION")
"""Variables that are not those of an option."""
_PREFIX = "FOOTNOTE_"


def unread_variables(
    group: click.Group, environment: Mapping[str, str], others: Callable[[], Sequence[str]] = list
) -> list[str]:
    """Return a warning for each variable that no option of `group` and nothing else reads.

    `others` returns the names of variables that are no options. It is called, and a command is loaded, only where a
    variable may be one of theirs.
    """
    names = sorted(name for name in environment if name.startswith(_PREFIX))
    known = {*OWN, *(variable((), name) for name in SHARED), *_options(group, ())}
    unread = [name for name in names if name not in known and name not in _variables(group, (), name)]
    known.update(others() if unread else ())
    unread = [name for name in unread if name not in known]
    every = sorted({*known, *_variables(group, (), "")}) if unread else []
    return [
        f"warning: nothing reads the variable {name}. {did_you_mean(name, every) or 'See: footnote help config'}"
        for name in unread
    ]


def _variables(group: click.Group, path: Sequence[str], name: str) -> Iterator[str]:
    """Yield the variables of the commands below a group: of those to which `name` may belong, and with "" of all."""
    for below in group.list_commands(click.Context(group)):
        if name and not name.startswith(f"{variable(path, below)}_"):
            continue
        command = group.get_command(click.Context(group), below)
        if command is not None:
            yield from _options(command, (*path, below))
        if isinstance(command, click.Group):
            yield from _variables(command, (*path, below), name)


def _options(command: click.Command, path: Sequence[str]) -> Iterator[str]:
    for option in command.params:
        if isinstance(option, click.Option) and option.expose_value:
            yield variable(path, option_name(option))
