"""Opening what a footnote cites in the program that is meant for such files, at its page or line where that can.

Knows viewers and how each is told a page. No shell is asked: a path is one argument, whatever stands in it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import UsageError, UserError

_BROWSER = ("{uri}#page={page}",)
AT_PAGE: Mapping[str, Sequence[str]] = {
    "evince": ("--page-index={page}", "{file}"), "papers": ("--page-index={page}", "{file}"),
    "atril": ("--page-index={page}", "{file}"), "xreader": ("--page-index={page}", "{file}"),
    "okular": ("-p", "{page}", "{file}"), "zathura": ("-P", "{page}", "{file}"), "mupdf": ("{file}", "{page}"),
    "qpdfview": ("{file}#{page}",), "sioyek": ("--page", "{page}", "{file}"),
    "firefox": _BROWSER, "chromium": _BROWSER, "google-chrome": _BROWSER, "brave-browser": _BROWSER,
    "microsoft-edge": _BROWSER,
}  # fmt: skip
"""Programs that open a PDF at a page, and how they are told."""
AT_LINE: Mapping[str, Sequence[str]] = {
    "gedit": ("+{line}", "{file}"), "pluma": ("+{line}", "{file}"), "xed": ("+{line}", "{file}"),
    "kate": ("--line", "{line}", "{file}"), "kwrite": ("--line", "{line}", "{file}"),
    "code": ("--goto", "{file}:{line}"), "codium": ("--goto", "{file}:{line}"), "subl": ("{file}:{line}",),
}  # fmt: skip
"""Programs that open a text at a line."""
_PLACES = ("{page}", "{line}")


@dataclass(frozen=True, slots=True)
class Place:
    """A file, and where in it to look; pages and lines count from 1."""

    file: Path
    page: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Viewing:
    """A command that shows a file."""

    command: tuple[str, ...]
    at_place: bool
    """Whether it goes to the page or line by itself."""
    in_terminal: bool = False
    """Whether it is run in this terminal, and waited for."""


def viewing(place: Place, viewer: str = "", environment: Mapping[str, str] | None = None) -> Viewing:
    """Return the command that shows a place: `viewer`, as "zathura -P {page} {file}", or the program for such files.

    Raises UsageError for a viewer that is no command, UserError where there is nothing to open files with.
    """
    environ = os.environ if environment is None else environment
    if viewer:
        return _chosen(place, viewer)
    if sys.platform == "darwin":
        return Viewing(("open", str(place.file)), at_place=False)
    if not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        raise UserError(
            f"There is no screen to open {place.file} on.",
            "Name a program of the terminal, as: footnote open --viewer 'less +{line} {file}'",
        )
    usual = _usual_program(place.file)
    for table, number in ((AT_PAGE, place.page), (AT_LINE, place.line)):
        name = next((each for each in table if each in usual), None)
        if number is not None and name is not None and (program := shutil.which(name)):
            return Viewing((program, *_filled(table[name], place)), at_place=True)
    if (program := shutil.which("xdg-open")) is None:
        raise UserError(
            "There is no program xdg-open, which opens files.",
            "Install xdg-utils, or name a program: footnote open --viewer 'firefox {file}'",
        )
    return Viewing((program, str(place.file)), at_place=False)


def start(shown: Viewing) -> None:
    """Run the command: in the terminal until it ends, or else beside it. Raises UserError where it cannot be run."""
    try:
        if shown.in_terminal:
            subprocess.run(shown.command, check=False)
            return
        nothing = subprocess.DEVNULL
        subprocess.Popen(shown.command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    except OSError as error:
        raise UserError(
            f"{shown.command[0]} cannot be run: {error.strerror or error}.", "Name another with --viewer."
        ) from error


def _chosen(place: Place, viewer: str) -> Viewing:
    try:
        parts = shlex.split(viewer)
    except ValueError as error:
        raise UsageError(
            f"--viewer {viewer!r} is no command: {error}.", "For example: 'zathura -P {page} {file}'"
        ) from error
    if not parts:
        raise UsageError("--viewer names no program.", "For example: 'zathura -P {page} {file}'")
    if not any("{file}" in part or "{uri}" in part for part in parts):
        parts.append("{file}")
    return Viewing(_filled(parts, place), any(each in viewer for each in _PLACES), in_terminal=True)


def _filled(parts: Sequence[str], place: Place) -> tuple[str, ...]:
    values = {
        "{page}": str(place.page or 1), "{line}": str(place.line or 1), "{uri}": place.file.as_uri(),
        "{file}": str(place.file),
    }  # fmt: skip
    return tuple(_with_values(part, values) for part in parts)


def _with_values(part: str, values: Mapping[str, str]) -> str:
    """Return a part of a command with its fields filled in at once: a path may look like a field itself."""
    import re

    return re.sub("|".join(map(re.escape, values)), lambda field: values[field[0]], part)


def _usual_program(file: Path) -> str:
    """Return what the desktop opens such a file with, as "org.gnome.evince.desktop"; "" where nobody knows."""
    import mimetypes

    kind, _ = mimetypes.guess_type(file.name)
    query = shutil.which("xdg-mime")
    if query is None:
        return ""
    try:
        asked = [query, "query", "default", kind or "text/plain"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().lower()
