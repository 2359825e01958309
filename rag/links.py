"""Links on terminals (OSC 8): which terminals open them, and what they lead to. Other terminals show the text alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

FORCE = "FORCE_HYPERLINK"
"""The variable by which many programs are told to write links (1) or not to (0), whatever the terminal is."""
_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "Tabby", "WarpTerminal"})
_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "contour", "wezterm")
_VARIABLES = ("WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM", "ALACRITTY_WINDOW_ID")
_VTE = 5000
"""Version of GNOME's terminal library from which it opens links; the one before would stop at some (0.50.0)."""


def supports_links(environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether the terminal opens links, by what it says of itself; where that is not known, it does not."""
    environ = os.environ if environment is None else environment
    if forced := environ.get(FORCE, ""):
        return forced.lower() not in ("0", "false", "no")
    if environ.get("TMUX") or environ.get("STY"):
        return _tmux_version(environ) >= (3, 4)  # what runs inside of it cannot see the terminal around it
    vte = environ.get("VTE_VERSION", "")
    return (
        environ.get("TERM_PROGRAM", "") in _PROGRAMS
        or environ.get("TERM", "").startswith(_TERMS)
        or any(environ.get(name) for name in _VARIABLES)
        or (vte.isdigit() and int(vte) > _VTE)
    )


def _tmux_version(environ: Mapping[str, str]) -> tuple[int, ...]:
    if environ.get("TERM_PROGRAM") != "tmux":
        return (0,)
    parts = environ.get("TERM_PROGRAM_VERSION", "").split(".")
    numbers = ("".join(filter(str.isdigit, part)) for part in parts)
    return tuple(int(number) for number in numbers if number)


def file_link(source: str) -> str:
    """Return a link to a file, with this machine's name in it as `ls --hyperlink` writes it; "" for a text without one.

    By the name, a terminal that is connected to another machine knows that the file is not its own.
    """
    path = Path(source)
    return f"file://{quote(os.uname().nodename)}{quote(source)}" if path.is_absolute() and path.is_file() else ""


def linked(console: Console, text: Text, source: str) -> Text:
    """Return text that leads to the file of a source, where it is shown on a terminal that opens links."""
    from rich.style import Style

    if console.is_terminal and supports_links() and (link := file_link(source)):
        text.stylize(Style(link=link))
    return text
