"""Scanned pages: read where Tesseract is installed, noted with what to type where it is not, and never for ever."""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from fpdf import FPDF

from indexer.errors import Unreadable
from indexer.readers import read
from indexer.readers.ocr import numbers
from indexer.sandbox import Limits, Sandbox

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs a shell script and /proc")
TABLE = "\\n".join(
    (
        "level\\tpage\\tblock\\tpar\\tline\\tword\\tleft\\ttop\\twidth\\theight\\tconf\\ttext",
        "5\\t1\\t1\\t1\\t1\\t1\\t300\\t300\\t400\\t40\\t60\\tRope",
        "5\\t1\\t1\\t1\\t1\\t2\\t720\\t300\\t400\\t40\\t50\\tsells",
    )
)


def picture(*lines: str) -> io.BytesIO:
    """A scanned page: larger print after "#", cells apart at "|"."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(image)
    height = 120
    for line in lines:
        font = ImageFont.load_default(size=60 if line.startswith("#") else 34)
        for place, cell in zip((120, 800), line.lstrip("#").split("|"), strict=False):
            draw.text((place, height), cell, font=font, fill=0)
        height += 100 if line.startswith("#") else 60
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return io.BytesIO(buffer.getvalue())


def scan(*pages: io.BytesIO | str) -> bytes:
    """A PDF of these pages, each a picture or a line of text."""
    document = FPDF()
    document.set_font("helvetica", size=12)
    for page in pages:
        document.add_page()
        if isinstance(page, str):
            document.cell(text=page)
        else:
            document.image(page, 0, 0, 210, 297)
    return bytes(document.output())


@pytest.fixture
def tesseract() -> None:
    """Without Tesseract the test is skipped, or fails where TESTS_NEED_TESSERACT is 1."""
    if shutil.which("tesseract"):
        return
    message = "no Tesseract: install Debian's package tesseract-ocr"
    if os.environ.get("TESTS_NEED_TESSERACT") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Tesseract that takes half a second for a page, first on the PATH."""
    script = tmp_path / "bin" / "tesseract"
    script.parent.mkdir()
    script.write_text(
        f"""#!/bin/sh
case "$1" in
  --version) echo "tesseract 9.1";;
  --list-langs) echo "List:"; echo eng;;
  *) cat > /dev/null; sleep 0.5; printf '{TABLE}\\n';;
esac
"""
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    return script


@pytest.mark.usefixtures("tesseract")
def test_scanned_pages_are_read_in_the_sandbox_with_their_headings_and_tables() -> None:
    prose = ("#Harbour rules", "", "The harbour master collects the mooring fee of", "fourteen crowns before noon.", "")
    page = picture(*prose, "Berth|Fee", "North pier|14 crowns", "South pier|9 crowns")
    with Sandbox(1) as sandbox:
        document = sandbox.parse("scan.pdf", scan(page, "This page has text of its own."))
    told = [(part.kind, part.page, document.text[part.start : part.end]) for part in document.sections if part.page]
    assert told == [
        ("heading", 1, "Harbour rules"),
        ("paragraph", 1, "The harbour master collects the mooring fee of fourteen crowns before noon."),
        ("table", 1, "Berth | Fee\nNorth pier | 14 crowns\nSouth pier | 9 crowns"),
        ("heading", 2, "This page has text of its own."),
    ]
    assert document.notes[0].startswith("scanned page 1 read by tesseract ")
    assert str(document.metadata["ocr"]).endswith("(eng)")
    assert int(document.metadata["ocr confidence"]) > 80


def test_without_tesseract_a_scan_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unreadable, match=r"^no text layer; to read scans, install Tesseract .*apt-get install tesser"):
        read("a.pdf", scan(picture("Rope")))
    mixed = read("a.pdf", scan(picture("Rope"), "Sails.", picture("Oars"), picture("Tar")))
    assert mixed.notes[0].startswith("scanned pages 1, 3-4 not read: to read scans, install Tesseract")


@linux_only
def test_the_language_can_be_chosen(engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_OCR_LANGUAGE", "eng+deu")
    with pytest.raises(Unreadable, match=r"Tesseract has no 'deu'; .*apt-get install tesseract-ocr-deu"):
        read("a.pdf", scan(picture("Rope")))
    monkeypatch.setenv("FOOTNOTE_OCR_LANGUAGE", "--help")
    with pytest.raises(Unreadable, match="'--help' names no language of Tesseract"):
        read("a.pdf", scan(picture("Rope")))


@linux_only
def test_each_scanned_page_has_its_own_time_and_doubtful_ones_are_noted(engine: Path) -> None:
    with Sandbox(1, Limits(wall=1.8)) as sandbox:
        document = sandbox.parse("a.pdf", scan(*(picture("Rope") for _ in range(4))))
    assert document.text.count("Rope sells") == 4
    assert document.notes == (
        "scanned pages 1-4 read by tesseract 9.1 (eng), confidence 54%",
        "scanned pages 1-4 doubtful: confidence below 70%",
    )


@linux_only
def test_an_engine_that_hangs_is_ended_with_its_child(engine: Path) -> None:
    engine.write_text(engine.read_text().replace("sleep 0.5", "exec sleep 98.7654"))
    with Sandbox(1, Limits(wall=1.5)) as sandbox, pytest.raises(Unreadable, match=r"took longer than 1\.5 s"):
        sandbox.parse("a.pdf", scan(picture("Rope")))
    time.sleep(0.2)
    running = [place.read_bytes() for place in Path("/proc").glob("[0-9]*/cmdline") if place.exists()]
    assert not any(b"98.7654" in command for command in running)


def test_page_numbers_are_told_in_runs() -> None:
    assert numbers([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert numbers([1, 3, 5], most=2) == "1, 3 …"
