"""Groups of commands: each command is loaded when it is typed, and its options may be set in a file or the environment.

What is set where is `configuration.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from indexer.configuration import Setting, settings_for
from indexer.errors import UsageError
from indexer.nearest import did_you_mean

_ORIGINS = "footnote.origins"


class Commands(click.Group):
    """A group whose commands stand in a table, name to "module:command"; others may be added as to any group."""

    def __init__(self, *arguments: Any, table: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.table = dict(table or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, sorted."""
        return sorted({*self.table, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name; None where there is none."""
        if cmd_name in self.table:
            module, _, name = self.table[cmd_name].partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is typed, whose options then know what is set for them."""
        if not args[0].startswith("-"):
            self.named(ctx, args[0])
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None:
            _apply_settings(ctx, name, command, rest)
        return name, command, rest

    def named(self, ctx: click.Context, name: str, also: Sequence[str] = ()) -> click.Command | None:
        """Return the command of this name. Raises UsageError, with the nearest name, where there is none.

        `also` are names that may have been meant besides.
        """
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            known = sorted([*self.list_commands(ctx), *also])
            raise UsageError(
                f"There is no command {name!r}.", did_you_mean(name, known) or f"There are: {', '.join(known)}."
            )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries, each whole."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=1000)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def with_settings(group: click.Group, arguments: Sequence[str]) -> dict[str, Any]:
    """Return what is set for the options of the program itself, as click wants it of `default_map`."""
    found = settings_for((), group.params, group.list_commands(click.Context(group)), _home_in(arguments))
    return {name: setting.value for name, setting in found.items()}


def origin_of(error: click.ClickException) -> str:
    """Return where the value was set that an error is about, or "" where it was typed."""
    parameter, ctx = getattr(error, "param", None), getattr(error, "ctx", None)
    if parameter is None or ctx is None:
        return ""
    if ctx.get_parameter_source(parameter.name) is not click.core.ParameterSource.DEFAULT_MAP:
        return ""
    setting: Setting | None = ctx.meta.get(_ORIGINS, {}).get(parameter.name)
    return setting.origin if setting is not None else ""


def _apply_settings(ctx: click.Context, name: str, command: click.Command, rest: Sequence[str]) -> None:
    below = command.list_commands(ctx) if isinstance(command, click.Group) else []
    path = (*_path_of(ctx), name)
    try:
        found = settings_for(path, command.params, below, _home_in(rest))
    except Exception:
        if ctx.resilient_parsing:  # whoever completes a word cannot be told
            return
        raise
    ctx.meta[_ORIGINS] = found
    ctx.default_map = {**(ctx.default_map or {}), name: {key: setting.value for key, setting in found.items()}}


def _path_of(ctx: click.Context) -> list[str]:
    """Return the names of the commands down to this one, without the program's own."""
    names: list[str] = []
    above: click.Context | None = ctx
    while above is not None and above.parent is not None:
        names.insert(0, above.info_name or "")
        above = above.parent
    return names


def _home_in(arguments: Sequence[str]) -> str | None:
    """Return the folder that --home names: the file in it counts, and it is known before options are parsed."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument.startswith("--home="):
            return argument.removeprefix("--home=")
        if argument == "--home" and place + 1 < len(arguments):
            return arguments[place + 1]
    return None
