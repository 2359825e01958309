"""Links on terminals: only where they are opened, and only to files that are there."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from rag.links import file_link, supports_links
from rag.showing import show_passage
from tests.answers import passage


@pytest.mark.parametrize(
    ("environment", "supported"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "foot-extra"}, True),
        ({"TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"WT_SESSION": "1"}, True),
        ({"VTE_VERSION": "6800"}, True),
        ({"VTE_VERSION": "4600"}, False),
        ({"VTE_VERSION": "new"}, False),
        ({"TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.4", "TMUX": "/tmp/x"}, True),
        ({"TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3a", "TMUX": "/tmp/x"}, False),
        ({"VTE_VERSION": "6800", "STY": "1.pts"}, False),
        ({"FORCE_HYPERLINK": "1", "TERM": "linux"}, True),
        ({"FORCE_HYPERLINK": "0", "WT_SESSION": "1"}, False),
    ],
)
def test_a_terminal_says_by_its_variables_whether_it_opens_links(environment: dict[str, str], supported: bool) -> None:
    assert supports_links(environment) is supported


def test_a_link_leads_to_a_file_of_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "a b\x1b]8;;#ü.txt"
    file.write_text("text")
    link = file_link(str(file))
    assert link.startswith("file://")
    assert link.endswith("/a%20b%1B%5D8%3B%3B%23%C3%BC.txt")
    assert file_link("some id") == file_link(str(tmp_path / "gone.txt")) == file_link(str(tmp_path)) == ""


@pytest.mark.parametrize(("forced", "terminal", "links"), [("1", True, 1), ("0", True, 0), ("1", False, 0)])
def test_a_passage_links_to_its_file_on_a_terminal_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forced: str, terminal: bool, links: int
) -> None:
    monkeypatch.setenv("FORCE_HYPERLINK", forced)
    (tmp_path / "bees.txt").write_text("Bees dance.")
    file = io.StringIO()
    console = Console(file=file, width=100, force_terminal=terminal, highlight=False, _environ={})
    show_passage(console, 1, replace(passage("Bees dance."), source=str(tmp_path / "bees.txt")), "Do bees dance?")
    found = re.findall(r"\x1b\]8;[^;]*;(file://[^\x1b]*)\x1b\\", file.getvalue())
    assert found == [file_link(str(tmp_path / "bees.txt"))] * links
