"""What options are when they are not typed: `config.toml`, over it the environment; the command line counts over both.

    # config.toml in the home folder, or the file that FOOTNOTE_CONFIG names
    collection = "papers"            # of every command that works on one collection
    [ask]
    max-error = 0.1
    [eval.qa]
    limit = 200

In the environment the same options are FOOTNOTE_COLLECTION, FOOTNOTE_ASK_MAX_ERROR and FOOTNOTE_EVAL_QA_LIMIT. It knows
options by their names, and not what they mean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import click

from indexer.errors import NotFound, UsageError
from indexer.home import home_folder
from indexer.nearest import did_you_mean

FILE = "config.toml"
VARIABLE = "FOOTNOTE_CONFIG"
OWN_FILES: Mapping[str, str] = {"serve": "serve.toml"}
"""Commands that have a file of their own, in which the environment counts over the file as well."""

Value: TypeAlias = str | list[str]


class Shared(click.Option):
    """An option that may be set for all commands: FOOTNOTE_COLLECTION, or a key above the tables of the file."""


SHARED = ("collection", "generator", "json", "precision")
"""What the options of class `Shared` are called."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What an option is set to, and where."""

    value: Value
    origin: str
    """The variable's name, or the key and the file."""


def settings_for(
    path: Sequence[str],
    options: Iterable[click.Parameter],
    subcommands: Sequence[str] = (),
    home: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Setting]:
    """Return what is set for the options of a command, by the names of its parameters.

    `path` are the command's names without the program's, `subcommands` those that stand below it. Raises UsageError for
    a key that nothing is called by, and NotFound where FOOTNOTE_CONFIG names no file.
    """
    environ = os.environ if environment is None else environment
    by_name = {
        option_name(each): each
        for each in options
        if isinstance(each, Shared) or (isinstance(each, click.Option) and each.expose_value)
    }  # what only shows something (--help, --version) is no setting
    if not by_name and not subcommands:
        return {}  # as of `help`, which must be there when the file is wrong
    file, text = _read(home, environ)
    values = _parsed(file, text)
    table = _table(file, values, path)
    _check_keys(file, text, table, path, by_name, subcommands)
    found: dict[str, Setting] = {}
    for name, option in by_name.items():
        setting = _from_environment(path, name, option, environ)
        if setting is None and name != "home":
            setting = _from_file(file, table, values, name, option)
        if setting is not None and option.name is not None:
            found[option.name] = setting
    return found


def option_name(option: click.Option) -> str:
    """Return what an option is called in the file: its longest name without dashes in front, as "max-error"."""
    return max(option.opts, key=len).lstrip("-")


def variable(path: Sequence[str], name: str) -> str:
    """Return the variable of an option of a command."""
    return "_".join(("FOOTNOTE", *path, name)).upper().replace("-", "_")


# The environment


def _from_environment(
    path: Sequence[str], name: str, option: click.Option, environ: Mapping[str, str]
) -> Setting | None:
    shared = [variable((), name)] if isinstance(option, Shared) else []
    for each in (variable(path, name), *shared):
        if text := environ.get(each, ""):
            is_list = option.multiple or option.nargs != 1
            return Setting([part.strip() for part in text.split(",") if part.strip()] if is_list else text, each)
    return None


# The file


def _read(home: str | None, environ: Mapping[str, str]) -> tuple[Path, str]:
    """Return the file and what stands in it; "" where there is none."""
    named = environ.get(VARIABLE)
    path = Path(named).expanduser() if named else home_folder(home or environ.get("FOOTNOTE_HOME")) / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        if named:
            raise NotFound(
                f"{VARIABLE} names {path}, which is not there.", f"Correct it, or: unset {VARIABLE}"
            ) from error
        return path, ""
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "It must be a text file that you may read.") from error
    return path, text


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    if not text:
        return {}  # most have no file, and need not load what reads one
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}.", 'For example: collection = "papers"') from error


def _table(file: Path, values: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    table: Any = values
    for name in path:
        table = table.get(name, {})
        if not isinstance(table, dict):
            raise UsageError(
                f"{file} has {name} = {table!r}, which is a command.", f"Write a table: [{'.'.join(path)}]"
            )
    return dict(table)


def _check_keys(
    file: Path,
    text: str,
    table: Mapping[str, Any],
    path: Sequence[str],
    options: Mapping[str, click.Option],
    subcommands: Sequence[str],
) -> None:
    """Refuse a key that is neither an option nor a command below; a typing error must not be without effect."""
    if own := OWN_FILES.get(path[0]) if path and table else None:
        raise UsageError(
            f"{file} has a table [{path[0]}], which has a file of its own.", f"Put it into {file.with_name(own)}"
        )
    known = {*options, *subcommands, *(() if path else SHARED)} - {"home"}
    for key, value in table.items():
        if key not in known and key.replace("_", "-") not in known:
            where = f"under [{'.'.join(path)}]" if path else "above its tables"
            what = f"{key!r} {where}, which is no option"
            near = known - set(subcommands)
            if isinstance(value, dict):
                near = set(subcommands)
                what = f"a table [{'.'.join([*path, key])}], which is no command"
            raise UsageError(
                f"{file}{_line_of(text, path, key)} has {what}.",
                did_you_mean(key, near) or f"There are: {', '.join(sorted(near)) or 'none'}.",
            )


_TABLE = re.compile(r"\s*\[\s*([^\]]*?)\s*\]")


def _line_of(text: str, path: Sequence[str], key: str) -> str:
    """Return ", line 3," for the line at which a key or a table of this name stands, "" where that is not seen."""
    wanted, current = list(path), list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if table := _TABLE.match(line):
            current = [part.strip(" \"'") for part in table[1].split(".")]
            if current[: len(path) + 1] == [*path, key]:
                return f", line {number},"
        elif current == wanted and line.partition("=")[0].strip().partition(".")[0].strip("\"'") == key:
            return f", line {number},"
    return ""


def _from_file(
    file: Path, table: Mapping[str, Any], values: Mapping[str, Any], name: str, option: click.Option
) -> Setting | None:
    for place in (table, values) if isinstance(option, Shared) else (table,):
        for key in (name, name.replace("-", "_")):
            if key in place:
                return Setting(_as_typed(file, key, place[key], option), f"{key} in {file}")
    return None


def _as_typed(file: Path, key: str, value: Any, option: click.Option) -> Value:
    """Return a value as if it had been typed: the option itself then says what is wrong with it."""
    is_list = option.multiple or option.nargs != 1
    each = value if isinstance(value, list) and is_list else [value]
    if not all(isinstance(one, str | int | float) for one in each):
        raise UsageError(
            f"{file} has {key} = {value!r}.",
            f'For example: {key} = ["one", "two"]' if is_list else f"One text or number is wanted: {key} = ...",
        )
    texts = [str(one).lower() if isinstance(one, bool) else str(one) for one in each]
    return texts if is_list else texts[0]
