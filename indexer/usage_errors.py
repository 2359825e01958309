"""What was typed wrong, in our words: what happened, with the value, and what to type next.

click finds the faults; its own words do not leave this file.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

import click

from indexer.commands import Commands, origin_of
from indexer.errors import UsageError
from indexer.nearest import did_you_mean

_VALUE = re.compile(r"('(?:[^'\\]|\\.)*'|\"[^\"]*\"|-?[\d.]+(?:e[+-]?\d+)?) is not ")
_PATH = re.compile(r"(\w+) ('.*'|\".*\") (does not exist|is a directory|is a file)\.")
_NO_FILE = re.compile(r"('.*'): No such file or directory")
_EXTRA = re.compile(r"Got unexpected extra arguments? \((.*)\)", re.DOTALL)


def usage_error(error: click.ClickException, group: click.Group, arguments: Sequence[str]) -> UsageError:
    """Return what click found wrong in the arguments of the command line of `group`, as one of our errors."""
    context = getattr(error, "ctx", None)
    if context is not None:
        command, names = context.command, context.command_path.split()[1:]
    else:
        command, names = _command_of(group, arguments)
    program = " ".join(["footnote", *names])
    help_of = f"Run: {' '.join(['footnote help', *names])}"
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error, group, command, program, arguments)
    if isinstance(error, click.MissingParameter):
        wanted = " ".join(_written(each) for each in command.params if each.required)
        missing = _called(error.param) if error.param is not None else "an argument"
        return UsageError(f"{program} needs {missing}.", f"Type: {program} {wanted}  ({help_of})")
    if isinstance(error, click.BadOptionUsage):
        option = next((each for each in command.params if error.option_name in each.opts), None)
        if isinstance(option, click.Option) and option.is_flag:
            return UsageError(f"{error.option_name} takes no value.", help_of)
        kind = _expected(option.type) if option is not None else "a value"
        wanted = f"{option.nargs} values behind it, each {kind}" if option is not None and option.nargs > 1 else ""
        return UsageError(f"{error.option_name} needs {wanted or f'{kind} behind it'}.", help_of)
    if isinstance(error, click.BadParameter):
        return UsageError(_wrong_value(error), help_of)
    if extra := _EXTRA.fullmatch(error.format_message()):
        takes = " ".join(_called(each) for each in command.params if isinstance(each, click.Argument))
        said = f"{program} takes {takes}, and got {extra[1]!r} as well."
        if not takes:
            said = f"{program} takes no arguments, and got {extra[1]!r}."
        return UsageError(said, f"{'A name with spaces stands in quotes. ' if takes else ''}{help_of}")
    return UsageError(error.format_message(), help_of)


def _command_of(group: click.Group, arguments: Sequence[str]) -> tuple[click.Command, list[str]]:
    """Return the command that is typed, with its names."""
    command: click.Command = group
    names: list[str] = []
    for word in arguments:
        below = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if below is not None:
            command = below
            names.append(word)
        elif not word.startswith("-") or word == "--":
            break
    return command, names


def _no_such_option(
    error: click.NoSuchOption, group: click.Group, command: click.Command, program: str, arguments: Sequence[str]
) -> UsageError:
    name = error.option_name
    place = next((at for at, word in enumerate(arguments) if group.get_command(click.Context(group), word)), 0)
    if place and name in [word.partition("=")[0] for word in arguments[:place]]:
        below, names = _command_of(group, arguments[place:])
        if any(name in each.opts for each in below.params):
            behind = [*names, *arguments[:place], *arguments[place + len(names) :]]
            return UsageError(
                f"{name} is an option of {' '.join(names)}, and stands behind it.",
                f"Type: {shlex.join(['footnote', *behind])}",
            )
    known = [option for each in command.params if isinstance(each, click.Option) for option in each.opts]
    known += (*_WITH_VALUE, "--json") if command is group else ()
    short = f"-{name.lstrip('-')}"
    meant = f"Did you mean: {short}?" if short != name and short in known else did_you_mean(name, known)
    help_of = f"Run: footnote help {program.partition(' ')[2]}".rstrip()
    return UsageError(f"{program} has no option {name}.", f"{meant} {help_of}".strip())


def _wrong_value(error: click.BadParameter) -> str:
    """Return what is wrong with a value: its option, argument or place in a file, what is wanted, and what it was."""
    where = origin_of(error) or (_called(error.param) if error.param is not None else "A value")
    kind = error.param.type if error.param is not None else click.STRING
    if isinstance(kind, click.Path | click.File):
        return _wrong_path(error.message, where, isinstance(kind, click.Path) and not kind.file_okay)
    value = _VALUE.match(error.message)
    expected = _expected(kind)
    if value is None or not expected:
        return f"{where}: {error.message}"
    if isinstance(kind, click.Choice):
        meant = did_you_mean(value[1].strip("'\""), map(str, kind.choices))
        return f"{where} must be {expected}, not {value[1]}.{f' {meant}' if meant else ''}"
    return f"{where} must be {expected}, not {value[1]}."


def _wrong_path(message: str, where: str, is_folder: bool) -> str:
    wanted = "folder" if is_folder else "file"
    if absent := _NO_FILE.match(message):
        return f"There is no {wanted} {absent[1]}, which {where} names."
    fault = _PATH.match(message)
    if fault is None:
        return f"{where}: {message}"
    if fault[3] == "does not exist":
        return f"There is no {wanted} {fault[2]}, which {where} names."
    return f"{where} must be a {wanted}, and {fault[2]} is a {'folder' if fault[3] == 'is a directory' else 'file'}."


def _expected(kind: click.ParamType[Any]) -> str:
    """Return what kind of value a type takes, in words; "" for one that has none here."""
    if isinstance(kind, click.Choice):
        return f"one of {', '.join(map(str, kind.choices))}"
    if isinstance(kind, click.IntRange | click.FloatRange):
        number = "a whole number" if isinstance(kind, click.IntRange) else "a number"
        if kind.min is not None and kind.max is not None:
            return f"{number} {'between' if kind.min_open or kind.max_open else 'from'} {kind.min} " + (
                f"{'and' if kind.min_open or kind.max_open else 'to'} {kind.max}"
            )
        if kind.min is not None:
            return f"{number} {'above' if kind.min_open else 'of at least'} {kind.min}"
        return f"{number} {'below' if kind.max_open else 'of at most'} {kind.max}"
    if isinstance(kind, click.Path | click.File):
        return "a folder" if isinstance(kind, click.Path) and not kind.file_okay else "a file"
    names = {"integer": "a whole number", "float": "a number", "boolean": "true or false", "text": "a text"}
    return names.get(kind.name, "")


def _called(parameter: click.Parameter) -> str:
    """Return what a parameter is called: "--out", "QUERY"."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    name = (parameter.metavar or (parameter.name or "").upper()).removesuffix("...")
    return name[1:].removesuffix("]") if name.startswith("[") else name


def _written(parameter: click.Parameter) -> str:
    """Return how a parameter is typed: "--out FOLDER", "QUERY..."."""
    if isinstance(parameter, click.Option):
        return f"{_called(parameter)} {parameter.metavar or 'VALUE'}"
    return parameter.metavar or (parameter.name or "").upper()


def options_behind(group: Commands, arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the options that many commands have behind the command, where they stood before it.

    `footnote --home DIR ask ...` is `footnote ask --home DIR ...`.
    """
    before: list[str] = []
    moved: list[str] = []
    at = 0
    while at < len(arguments) and arguments[at].startswith("-") and arguments[at] != "--":
        word = arguments[at]
        name, has_value, _ = word.partition("=")
        taken = 2 if name in _WITH_VALUE and not has_value else 1
        (moved if name in (*_WITH_VALUE, "--json") else before).extend(arguments[at : at + taken])
        at += taken
    if not moved:
        return list(arguments)
    if at >= len(arguments):
        raise UsageError("No command was given.", f"Type: footnote COMMAND {shlex.join(moved)}  (Run: footnote help)")
    group.named(click.Context(group), arguments[at])
    _, names = _command_of(group, arguments[at:])
    return [*before, *names, *moved, *arguments[at + len(names) :]]


_WITH_VALUE = ("--home", "--collection", "-c")
"""Options of many commands that take a value."""
