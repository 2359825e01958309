"""OpenDocument, RTF, Org and AsciiDoc, and what mails carry with them."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage

import pytest

from indexer.readers import Unreadable, read

OPEN = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("style", "style"),
        ("meta", "meta"), ("presentation", "presentation"), ("svg", "svg-compatible"),
    )
)  # fmt: skip


def told(name: str, data: bytes | str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in read(name, data.encode() if isinstance(data, str) else data).blocks]


def open_document(content: str, meta: str = "", **members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("content.xml", f"<office:document-content {OPEN}>{content}</office:document-content>")
        if meta:
            dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
            archive.writestr("meta.xml", f"<x {OPEN} {dc}><office:meta>{meta}</office:meta></x>")
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


TEXT = """<office:automatic-styles><text:list-style style:name="N">
<text:list-level-style-number text:level="1" style:num-format="1"/></text:list-style></office:automatic-styles>
<office:body><office:text><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>
<text:h text:outline-level="2">Mill</text:h>
<text:p>It  turns<text:s text:c="2"/><text:span>slowly</text:span>.<text:note><text:note-citation>1</text:note-citation>
<text:note-body><text:p>Since May.</text:p></text:note-body></text:note></text:p>
<text:list text:style-name="N"><text:list-item><text:p>Open.</text:p><text:list text:style-name="B"><text:list-item>
<text:p>gate</text:p></text:list-item></text:list></text:list-item><text:list-item><text:p>Close.</text:p></text:list-item>
</text:list>
<table:table><table:table-row><table:table-cell><text:p>Boat</text:p></table:table-cell>
<table:table-cell table:number-columns-spanned="2"><text:p>Fee</text:p></table:table-cell><table:covered-table-cell/>
</table:table-row>
<table:table-row><table:table-cell><text:p>Gull</text:p></table:table-cell><table:table-cell><text:p>3</text:p></table:table-cell>
<table:table-cell><text:p>4</text:p></table:table-cell></table:table-row></table:table></office:text></office:body>"""
TOLD = [
    ("heading", "Mill"), ("paragraph", "It  turns  slowly."), ("paragraph", "Since May."),
    ("paragraph", "1. Open.\n  - gate\n2. Close."), ("table", "Boat | Fee | Fee\nGull | 3 | 4"),
]  # fmt: skip


def test_open_document_texts_packed_and_flat() -> None:
    meta = "<dc:title>Mills</dc:title><dc:creator>Ann</dc:creator><dc:date>2024-03-05T10:00:00</dc:date>"
    packed = read("a.odt", open_document(TEXT, meta))
    assert (packed.title, packed.metadata["author"], packed.metadata["date"]) == ("Mills", "Ann", "2024-03-05T10:00:00")
    assert [(block.kind, block.text) for block in packed.blocks] == [
        ("row", "author: Ann\nlast modified: 2024-03-05"), *TOLD,
    ]  # fmt: skip
    assert told("a.fodt", f'<?xml version="1.0"?><office:document {OPEN}>{TEXT}</office:document>') == TOLD


def test_open_document_sheets_tell_rows_with_their_headers() -> None:
    sheet = """<office:body><office:spreadsheet><table:table table:name="Boats">
    <table:table-row><table:table-cell><text:p>Boat</text:p></table:table-cell>
    <table:table-cell><text:p>2023</text:p></table:table-cell>
    </table:table-row><table:table-row table:number-rows-repeated="2">
    <table:table-cell><text:p>Gull</text:p></table:table-cell>
    <table:table-cell office:value="0.07"><text:p>7%</text:p></table:table-cell>
    <table:table-cell table:number-columns-repeated="900"/></table:table-row>
    <table:table-row table:number-rows-repeated="1048000">
    <table:table-cell table:number-columns-repeated="1000"/></table:table-row>
    </table:table></office:spreadsheet></office:body>"""
    assert told("a.ods", open_document(sheet)) == [
        ("heading", "Boats"), ("row", "Boat: Gull; 2023: 7%"), ("row", "Boat: Gull; 2023: 7%"),
    ]  # fmt: skip


def test_open_document_slides_are_pages() -> None:
    slides = """<office:body><office:presentation><draw:page><draw:frame presentation:class="title"><draw:text-box>
    <text:p>Mill</text:p></draw:text-box></draw:frame><draw:frame>
    <draw:text-box><text:p>It turns.</text:p></draw:text-box></draw:frame>
    <presentation:notes><text:p>Smile.</text:p></presentation:notes></draw:page></office:presentation></office:body>"""
    blocks = read("a.odp", open_document(slides)).blocks
    assert [(block.text, block.page) for block in blocks] == [("Mill", 1), ("It turns.", 1), ("Notes: Smile.", 1)]


def test_an_encrypted_open_document_says_so() -> None:
    data = open_document("<office:body/>", x="")
    with pytest.raises(Unreadable, match="damaged OpenDocument file"):
        read("a.odt", data)
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("META-INF/manifest.xml", "<manifest:encryption-data/>")
    with pytest.raises(Unreadable, match=r"^encrypted$"):
        read("a.odt", buffer.getvalue())


RTF = r"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}{\info{\title Mill plan}{\author Ann}
{\creatim\yr2024\mo3\dy5\hr9}}{\*\generator Word;}{\header Plan 7\par}
\pard The {\b wheel} turns; caf\'e9 \u8364? \{5\}.\line Slowly.\par
\trowd\cellx1\cellx2\intbl Boat\cell Fee\cell\row\trowd\intbl Gull\cell 3\par net\cell\row
\pard Done.{\pict 89504e47}\par}"""


def test_rtf_gives_its_words_tables_and_fields() -> None:
    reading = read("a.txt", RTF.encode())
    assert (reading.format, reading.title, reading.metadata["date"]) == ("rtf", "Mill plan", "2024-03-05")
    assert [(block.kind, block.text) for block in reading.blocks] == [
        ("row", "author: Ann\ncreated: 2024-03-05"),
        ("paragraph", "The wheel turns; café € {5}.\nSlowly."),
        ("table", "Boat | Fee\nGull | 3 net"),
        ("paragraph", "Done."),
        ("row", "Header: Plan 7"),
    ]


@pytest.mark.parametrize("text", ["{" * 20_000, "{\\rtf1 " + "\\u-10179?\\u-8704?" * 3, "{\\rtf1" + "}" * 50 + "a"])
def test_odd_rtf_ends_well(text: str) -> None:
    data = b"{\\rtf1 x" + text.encode()
    if text.count("{") > 1000:
        with pytest.raises(Unreadable, match="nested too deeply"):
            read("a.rtf", data)
    else:
        assert read("a.rtf", data).blocks[0].text.startswith("x")


ORG = """\
#+TITLE: Mills
#+AUTHOR: Ann Lee
#+DATE: <2024-03-05>
#+STARTUP: overview

* TODO Build it  :stone:work:
:PROPERTIES:
:ID: 7
:END:
# a remark
The [[http://x.org][wheel]] turns.
#+BEGIN_SRC python
turn(1)
#+END_SRC
** Boats
| Boat | Fee |
|------+-----|
| Gull | 3   |
"""


def test_org_files_have_fields_headings_code_and_tables() -> None:
    reading = read("mill.org", ORG.encode())
    assert reading.title == "Mills"
    assert [(block.kind, block.text, block.level, block.line) for block in reading.blocks] == [
        ("row", "author: Ann Lee\ndate: 2024-03-05", 0, None),
        ("heading", "TODO Build it", 1, 6),
        ("paragraph", "The [[http://x.org][wheel]] turns.", 0, 11),
        ("code", "turn(1)", 0, 13),
        ("heading", "Boats", 2, 15),
        ("table", "Boat | Fee\nGull | 3", 0, None),
    ]


ADOC = """\
= Mills
Ann Lee <ann@example.org>
v1.2, 2024-03-05
:toc:
:status: draft

Lead.

// a remark
[#build]
== Build it

.Steps
* one
* two

----
turn(1)
----

[cols="1h,2"]
|===
| Owner | Bo
| Since
| 1910
|===

|===
|Boat |Fee

|Gull
|3
|===
"""


def test_asciidoc_has_fields_headings_code_and_tables() -> None:
    reading = read("mill.adoc", ADOC.encode())
    assert reading.title == "Mills"
    assert [(block.kind, block.text) for block in reading.blocks] == [
        ("row", "author: Ann Lee\nversion: 1.2\ndate: 2024-03-05\nstatus: draft"),
        ("paragraph", "Lead."),
        ("heading", "Build it"),
        ("paragraph", "Steps"),
        ("paragraph", "* one\n* two"),
        ("code", "turn(1)"),
        ("row", "Owner: Bo"),
        ("row", "Since: 1910"),
        ("table", "Boat | Fee\nGull | 3"),
    ]


# Mail


def test_a_mail_gives_its_attachments_and_the_mails_it_forwards() -> None:
    """A forwarded mail and a list in a file were only named."""
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "Rope", "bo@example.org"
    inner.set_content("Two ropes, please.\n")
    outer = EmailMessage()
    outer["Subject"] = "Fwd: Rope"
    outer.set_content("See below.\n")
    outer.add_attachment(b"boat,fee\nGull,3\n", maintype="text", subtype="csv", filename="fees.csv")
    outer.add_attachment(inner)
    outer.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(50), maintype="image", subtype="png", filename="x.png")
    reading = read("a.eml", b"From: ann@example.org\n" + outer.as_bytes())
    assert [(block.kind, block.level, block.text) for block in reading.blocks] == [
        ("heading", 1, "Fwd: Rope"),
        ("row", 0, "From: ann@example.org\nSubject: Fwd: Rope"),
        ("paragraph", 0, "See below."),
        ("heading", 2, "Attachment: fees.csv"),
        ("row", 0, "boat: Gull; fee: 3"),
        ("heading", 2, "Rope"),
        ("row", 0, "From: bo@example.org\nSubject: Rope"),
        ("paragraph", 0, "Two ropes, please."),
    ]
    assert reading.notes == ("attachment not read: x.png (binary (PNG image))",)


def test_every_text_of_a_mail_is_read_but_of_alternatives_one() -> None:
    part = "--b\nContent-Type: {}\n\n{}\n"
    parts = part.format("text/plain", "One.") + part.format("text/html", "<p>Two.</p>")
    head = "From: a@example.org\nSubject: Hi\nMIME-Version: 1.0\nContent-Type: multipart/{}; boundary=b\n\n"
    assert [text for _, text in told("a.eml", head.format("mixed") + parts + "--b--\n")][2:] == ["One.", "Two."]
    assert [text for _, text in told("a.eml", head.format("alternative") + parts + "--b--\n")][2:] == ["One."]


def test_rtf_keeps_notes_in_place_and_counts_pictures() -> None:
    """A note was lost, and a bracket left open where its mark had stood."""
    text = rb"{\rtf1 The pier{\footnote Built in 1899.} has 10{\super 3} planks.{\pict abcd}\par}"
    assert told("a.rtf", text) == [("paragraph", "The pier (Built in 1899.) has 10^3 planks.")]
    assert read("a.rtf", text).notes == ("1 picture not read",)


def test_anchors_are_no_part_of_a_heading() -> None:
    assert told("a.adoc", "= Guide\n\n== Install [[install]]\n\nRun it.\n") == [
        ("heading", "Install"), ("paragraph", "Run it."),
    ]  # fmt: skip


def test_a_page_with_front_matter_or_an_editors_title() -> None:
    page = b"---\nlayout: page\ntitle: Fees\nauthor: Ann\n---\n<p>Ten crowns a day.</p>"
    reading = read("a.html", page)
    assert (reading.title, reading.metadata["author"]) == ("Fees", "Ann")
    assert [block.text for block in reading.blocks] == ["author: Ann", "Ten crowns a day."]
    assert read("a.html", b"<html><title>Untitled Document</title><body><h1>Oven</h1>").title == "Oven"


def test_open_document_powers_pictures_comments_and_footers_are_read() -> None:
    """A raised 6 after 10 was read as 106; a picture's description, who commented and the footer were lost."""
    styles = (
        '<office:automatic-styles><style:style style:name="S"><style:text-properties style:text-position="super 58%"/>'
        "</style:style></office:automatic-styles>"
    )
    dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    body = (
        '<text:p>It holds 10<text:span text:style-name="S">6</text:span> cells.</text:p>'
        f"<text:p><office:annotation><dc:creator {dc}>Jon</dc:creator><text:p>Check this.</text:p></office:annotation>"
        "It turns.</text:p><text:p><draw:frame><draw:text-box><text:p>In a box<draw:frame><draw:image/>"
        "<svg:desc>A mill at dusk</svg:desc></draw:frame></text:p></draw:text-box></draw:frame>"
        "<draw:frame><draw:image/></draw:frame></text:p>"
    )
    footer = "<style:footer><text:p>Version 3.1</text:p></style:footer>"
    content = f"{styles}<office:body><office:text>{body}</office:text></office:body>"
    meta = "<meta:initial-creator>Ann Lee</meta:initial-creator><dc:creator>Bo</dc:creator>"
    data = open_document(content, meta, **{"styles.xml": f"<x {OPEN}>{footer}{footer}</x>"})
    reading = read("a.odt", data)
    assert [(block.kind, block.text) for block in reading.blocks][1:] == [
        ("paragraph", "It holds 10^6 cells."),
        ("paragraph", "It turns."),
        ("paragraph", "Comment by Jon: Check this."),
        ("paragraph", "In a box"),
        ("paragraph", "Picture: A mill at dusk"),
        ("row", "Footer: Version 3.1"),
    ]
    assert reading.metadata["author"] == "Ann Lee"
    assert reading.notes == ("1 picture not read",)


def test_a_comment_is_no_part_of_the_cell_it_hangs_on() -> None:
    dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    comment = f"<office:annotation><dc:creator {dc}>Jon</dc:creator><text:p>why?</text:p></office:annotation>"
    cell = "<table:table-cell>{}<text:p>{}</text:p></table:table-cell>"
    rows = "".join(
        f"<table:table-row>{''.join(cell.format(note, text) for note, text in row)}</table:table-row>"
        for row in ([("", "Item"), ("", "Fee")], [("", "Oar"), (comment, "3")])
    )
    table = f'<table:table table:name="Fees">{rows}</table:table>'
    data = open_document(f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body>")
    assert told("a.ods", data)[1:] == [("row", "Item: Oar; Fee: 3"), ("row", "Comment on B2 by Jon: why?")]


def test_rtf_keeps_list_numbers_and_symbols_and_leaves_out_what_is_hidden() -> None:
    """Numbers of lists were lost, a check mark was "ü", and deleted and hidden words were text."""
    text = (
        rb"{\rtf1{\fonttbl{\f0 Arial;}{\f1 Wingdings;}}{\listtext 1.\tab}Open.\par{\f1 \'fc} shut "
        rb"{\v hidden}{\deleted gone}now{\super 2}.\par}"
    )
    assert told("a.rtf", text) == [("paragraph", "1.\tOpen."), ("paragraph", "✓ shut now^2.")]


def test_org_dates_are_dates_and_comments_are_no_text() -> None:
    text = "#+DATE: <2024-05-01 Wed 10:00>\n#+FILETAGS: :mill:river:\nIt turns.\n"
    text += "#+BEGIN_COMMENT\nhidden\n#+END_COMMENT\nSlowly.\n"
    reading = read("a.org", text.encode())
    assert (reading.metadata["date"], reading.metadata["tags"]) == ("2024-05-01", "mill, river")
    assert [block.text for block in reading.blocks][1:] == ["It turns.", "Slowly."]
    assert reading.notes == ("1 comment left out",)


def test_inline_marks_of_asciidoc_read_as_they_print() -> None:
    """Notes and references stood with their code; what a line includes was dropped without a word."""
    text = (
        "= Mills\n\nTurn it.footnote:[Slowly.] See <<flow,the flow>>, <<end>> and https://x.org[our site].\n\n"
        "image::mill.png[A mill at dusk,300]\n\ninclude::more.adoc[]\n// a remark\n\n----\n<<kept>>\n----\n"
    )
    reading = read("a.adoc", text.encode())
    assert [block.text for block in reading.blocks] == [
        "Turn it. (Slowly.) See the flow, end and https://x.org[our site].",
        "A mill at dusk",
        "<<kept>>",
    ]
    assert reading.notes == ("1 comment left out", "1 included file left out")
