"""Which program shows a place, and how it is told the page; what is started is a command without a shell."""

import os
import stat
from pathlib import Path

import pytest

from indexer.errors import UsageError, UserError
from rag.opening import AT_LINE, AT_PAGE, Place, start, viewing

SCREEN = {"DISPLAY": ":0"}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH; programs are put into it by `program`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str = "exit 0") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def desktop(folder: Path, usual: str) -> None:
    """Make a desktop whose usual program for every kind of file is this one."""
    program(folder, "xdg-mime", f"echo {usual}")
    program(folder, "xdg-open")


@pytest.mark.parametrize(
    ("usual", "name", "expected"),
    [
        ("org.gnome.Evince.desktop", "evince", ["--page-index=3", "/docs/a b.pdf"]),
        ("okularApplication_pdf.desktop", "okular", ["-p", "3", "/docs/a b.pdf"]),
        ("firefox_firefox.desktop", "firefox", ["file:///docs/a%20b.pdf#page=3"]),
        ("mupdf.desktop", "mupdf", ["/docs/a b.pdf", "3"]),
    ],
)
def test_a_pdf_is_opened_at_its_page_by_the_program_for_pdfs(
    programs: Path, usual: str, name: str, expected: list[str]
) -> None:
    desktop(programs, usual)
    path = program(programs, name)
    shown = viewing(Place(Path("/docs/a b.pdf"), page=3), environment=SCREEN)
    assert shown.command == (path, *expected)
    assert (shown.at_place, shown.in_terminal) == (True, False)


def test_a_text_is_opened_at_its_line(programs: Path) -> None:
    desktop(programs, "code.desktop")
    path = program(programs, "code")
    assert viewing(Place(Path("/a.md"), line=12), environment=SCREEN).command == (path, "--goto", "/a.md:12")


@pytest.mark.parametrize("usual", ["libreoffice-writer.desktop", "org.gnome.Evince.desktop", ""])
def test_another_program_opens_the_file_as_the_desktop_does(programs: Path, usual: str) -> None:
    """Evince is named by the desktop and not installed, in the second case."""
    desktop(programs, usual)
    shown = viewing(Place(Path("/a.docx"), page=2), environment=SCREEN)
    assert shown.command == (str(programs / "xdg-open"), "/a.docx")
    assert not shown.at_place


def test_a_viewer_of_ones_own_gets_what_it_asks_for(programs: Path) -> None:
    place = Place(Path("/docs/{page} 'x'.pdf"), page=7)
    assert viewing(place, "zathura -P {page} {file}").command == ("zathura", "-P", "7", "/docs/{page} 'x'.pdf")
    assert viewing(place, "less").command == ("less", "/docs/{page} 'x'.pdf")
    assert viewing(place, "less +{line}").command == ("less", "+1", "/docs/{page} 'x'.pdf")
    assert viewing(place, "less").in_terminal
    with pytest.raises(UsageError, match="is no command: No closing quotation"):
        viewing(place, "less '")
    with pytest.raises(UsageError, match="names no program"):
        viewing(place, " ")


def test_where_nothing_can_be_opened_that_is_told(programs: Path) -> None:
    with pytest.raises(UserError, match=r"There is no screen to open /a\.pdf on"):
        viewing(Place(Path("/a.pdf")), environment={})
    with pytest.raises(UserError, match="There is no program xdg-open"):
        viewing(Place(Path("/a.pdf")), environment=SCREEN)
    with pytest.raises(UserError, match="nonsense cannot be run: No such file"):
        start(viewing(Place(Path("/a.pdf")), "nonsense"))


def test_a_path_is_one_argument_whatever_stands_in_it(programs: Path, tmp_path: Path) -> None:
    evil = tmp_path / "$(touch hacked); `touch hacked` {line}.pdf"
    program(programs, "viewer", 'printf "%s" "$2" > "$1"')
    start(viewing(Place(evil, page=1), f"viewer {tmp_path / 'seen'} {{file}}"))
    assert (tmp_path / "seen").read_text() == str(evil)
    assert not (Path.cwd() / "hacked").exists()


@pytest.mark.parametrize("table", [AT_PAGE, AT_LINE])
def test_every_program_of_the_tables_is_told_the_file(table: dict[str, tuple[str, ...]]) -> None:
    for name, parts in table.items():
        assert any("{file}" in part or "{uri}" in part for part in parts), name
        assert any("{page}" in part or "{line}" in part for part in parts), name
    assert os.sep not in "".join(table)
