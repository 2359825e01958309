"""A document's fields as the first lines of its text: which of them, in which words, and never made up."""

from __future__ import annotations

import io
from email.message import EmailMessage
from pathlib import Path

import pytest
from fpdf import FPDF

from indexer.cleaner import assemble
from indexer.readers import read
from indexer.sandbox import Sandbox
from indexer.types import Block, Reading


def first_lines(name: str, data: bytes | str) -> list[str]:
    """The lines of the fields' block; none where the text begins with something else."""
    first = read(name, data.encode() if isinstance(data, str) else data).blocks[0]
    return first.text.split("\n") if first.kind == "row" else []


def test_front_matter_stands_at_the_head_of_the_text_one_field_a_line() -> None:
    """Who wrote a guide stood in its metadata alone, so that no search and no answer could reach it."""
    page = "---\ntitle: Loom guide\nauthor: Mira Salt\nstatus: draft\nversion: 3.1\n---\n\n# Warping\n\nTie it.\n"
    reading = read("loom.md", page.encode())
    assert reading.title == "Loom guide"
    assert reading.blocks[0] == Block("author: Mira Salt\nstatus: draft\nversion: 3.1", "row")
    document = assemble("loom.md", "", reading)
    assert document.text.startswith("author: Mira Salt\nstatus: draft\nversion: 3.1\n\n# Warping")


def test_how_a_page_is_laid_out_and_addressed_is_no_field() -> None:
    page = """---
permalink: /loom/
layout: wide
sticky_sidenav: true
nav_order: 4
uuid: 5d1f0e5e-2a30-4d9a-9a3e-0b1c2d3e4f50
licence: CC0
summary: {{ site.summary }}
---
Text.
"""
    assert first_lines("a.md", page) == ["licence: CC0"]


@pytest.mark.parametrize(
    ("front", "lines"),
    [
        ("authors:\n  - Ann Lee\n  - Bo Dahl", ["authors: Ann Lee, Bo Dahl"]),
        ("authors:\n- name: Ann Lee\n  orcid: 0000-0001\n- name: Bo Dahl", ["authors: Ann Lee, Bo Dahl"]),
        ("author:\n  name: Ann Lee\n  url: /ann", ["author: Ann Lee"]),
        ("tags: [wool, 'flax, raw']", ["tags: wool, flax, raw"]),
        ("description: >\n  One\n  two.", ["description: One two."]),
        ('motto: The "best"   # really', ['motto: The "best"']),
        ('motto: "The \\"best\\""', ['motto: The "best"']),
        ("author: anonymous\ndate: null", []),
    ],
)
def test_front_matter_may_hold_lists_people_and_folded_text(front: str, lines: list[str]) -> None:
    assert first_lines("a.md", f"---\n{front}\n---\nText.\n") == lines


def test_a_front_matter_without_anything_is_no_title() -> None:
    reading = read("a.md", b"---\n\n---\n\n# Warping\n\nTie it.\n")
    assert (reading.title, reading.blocks[0].text) == ("Warping", "# Warping")


def test_a_title_that_is_a_placeholder_gives_way_to_the_first_heading() -> None:
    assert read("a.md", b"---\ntitle: untitled\nversion: 2\n---\n\n# Warping\n").title == "Warping"


def test_toml_front_matter_is_read_as_well() -> None:
    assert first_lines("a.md", '+++\ntitle = "Loom"\nauthor = "Mira Salt"\n+++\nText.\n') == ["author: Mira Salt"]


def test_what_the_text_shows_itself_is_not_told_twice() -> None:
    header = "Enhancement: 12\nTitle: Looms\nAuthor: Ann Lee,\n        Bo Dahl\nCreated: 05-Jul-2001\n\nText.\n"
    assert read("a.rst", header.encode()).blocks[0].text.startswith("Enhancement: 12\n")
    page = (
        "---\nauthor: Mira Salt\ndate: 2024-03-05\nversion: 2\n---\n\n**Author:** Mira Salt\n\nUpdated: 5 March 2024\n"
    )
    assert first_lines("a.md", page) == ["version: 2"]


def test_a_mail_tells_its_headers_one_a_line() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@example.org>", "bo@example.org", "Wool"
    message["Date"] = "Mon, 20 Nov 1995 19:12:08 -0500"
    message.set_content("The wool came.\n")
    blocks = read("a.eml", message.as_bytes()).blocks
    assert blocks[:2] == (
        Block("Wool", "heading", 1),
        Block(
            "From: Ann <ann@example.org>\nTo: bo@example.org\nDate: Mon, 20 Nov 1995 19:12:08 -0500\nSubject: Wool",
            "row",
        ),
    )


def office_file(**properties: object) -> bytes:
    import docx

    document = docx.Document()
    document.add_paragraph("Tie it.")
    for name, value in properties.items():
        setattr(document.core_properties, name, value)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_office_properties_are_fields() -> None:
    from datetime import datetime

    made, changed = datetime(2020, 1, 2, 3), datetime(2021, 4, 5, 6)
    data = office_file(
        author="Mira Salt", comments="", created=made, modified=changed, last_modified_by="Bo", content_status="Final"
    )
    assert first_lines("a.docx", data) == [
        "author: Mira Salt", "last modified by: Bo", "status: Final",
        "created: 2020-01-02", "last modified: 2021-04-05",
    ]  # fmt: skip
    assert read("a.docx", data).metadata["date"] == "2021-04-05T06:00:00+00:00"


def test_an_office_file_without_properties_has_no_fields_and_no_title() -> None:
    """The libraries fill in the time of reading, their own names and the title "Word Document"."""
    import zipfile

    bare = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(office_file())) as full, zipfile.ZipFile(bare, "w") as archive:
        for member in full.namelist():
            content = full.read(member).replace(
                b'<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/'
                b'core-properties" Target="docProps/core.xml"/>', b"",
            )  # fmt: skip
            if member != "docProps/core.xml":
                archive.writestr(member, content)
    reading = read("a.docx", bare.getvalue())
    assert (reading.title, dict(reading.metadata)) == ("", {})
    assert reading.blocks == (Block("Tie it."),)
    assert dict(read("a.docx", office_file()).metadata) == {}  # the template's author and date are not the file's


def test_pdf_properties_are_fields_unless_they_are_placeholders() -> None:
    from datetime import UTC, datetime

    document = FPDF()
    document.set_title("(anonymous)")
    document.set_author("Mira Salt")
    document.set_subject("unspecified")
    document.set_keywords("wool, flax")
    document.set_creation_date(datetime(2020, 1, 2, tzinfo=UTC))
    document.add_page()
    document.set_font("Helvetica", size=11)
    document.cell(0, 6, "Tie it.")
    reading = read("a.pdf", bytes(document.output()))
    assert reading.title == ""
    assert reading.blocks[0].text.split("\n") == ["author: Mira Salt", "keywords: wool, flax", "created: 2020-01-02"]


def test_the_head_of_a_page_gives_fields_without_template_code() -> None:
    page = """<html><head><title>{% block title %}{% endblock %}</title><meta property="og:title" content="Looms">
    <meta name=author content="Mira Salt"><meta name=keywords content="{{ words }}">
    <meta name=description content="How to tie."></head><body><p>Tie it.</p></body></html>"""
    reading = read("a.html", page.encode())
    assert reading.title == "Looms"
    assert reading.blocks[0].text == "author: Mira Salt\ndescription: How to tie."


def test_a_file_without_text_gets_none_from_its_fields() -> None:
    assert read("a.md", b"---\nauthor: Mira Salt\n---\n").blocks == ()


def test_a_quoted_field_is_the_same_when_the_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "loom.md"
    path.write_text("---\nauthor: Mira  Salt\n---\n\n# Warping\n\nTie it.\n")
    with Sandbox(workers=1) as sandbox:
        once, again = (sandbox.parse(str(path), path.read_bytes()) for _ in range(2))
    assert once.text == again.text
    assert once.text[:17] == "author: Mira Salt"
    assert (once.sections[0].kind, once.line_at(0)) == ("row", None)
    assert once.line_at(once.text.index("Tie")) == 7


def test_the_fields_of_a_pdf_stay_lines_when_its_pages_are_laid_out() -> None:
    blocks = (Block("author: Mira Salt\nversion: 2", "row"), Block("Tie it\nwell.\n", page=1))
    assert assemble("a.pdf", "", Reading(blocks, "pdf")).text == "author: Mira Salt\nversion: 2\n\nTie it well."
