"""A page of a PDF as a picture, and where a quote of its stored text stands on it; whatever the file holds."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest
from fpdf import FPDF
from PIL import Image
from pypdf import PdfReader, PdfWriter

from indexer.errors import NotFound, Unreadable
from indexer.page_places import NOWHERE, PagePlaces, places_from_frame
from indexer.readers.pdf_pages import MAX_PIXELS
from indexer.sandbox import Limits, Sandbox
from tests.test_ocr import picture as scanned_page
from tests.test_ocr import scan, tesseract  # noqa: F401 - a fixture

WIDTH, HEIGHT = 210, 297
"""Of A4, in millimetres, in which fpdf counts."""
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs the limits of Linux")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(1) as running:
        yield running


def printed(*pages: list[tuple[float, float, str]]) -> FPDF:
    """Return a document of pages on which texts stand at a place from the left and a base line from the top."""
    document = FPDF()
    document.set_font("helvetica", size=12)
    for texts in pages:
        document.add_page()
        for left, base, text in texts:
            document.text(left, base, text)
    return document


def boxes(sandbox: Sandbox, data: bytes, quote: str, number: int = 1, nth: int = 0) -> list[tuple[float, ...]]:
    """Return the boxes of a quote, which the stored text holds, in parts of the page."""
    text = sandbox.parse("a.pdf", data)
    start = -1
    for _ in range(nth + 1):
        start = text.text.index(quote, start + 1)
    found = places_of(sandbox, data, number)
    return [tuple(round(edge, 3) for edge in line) for line in found.lines(start, start + len(quote))]


def places_of(sandbox: Sandbox, data: bytes, number: int = 1) -> PagePlaces:
    stored = sandbox.parse("a.pdf", data)
    sections = [(each.start, stored.text[each.start : each.end]) for each in stored.sections if each.page == number]
    languages = "eng" if "ocr" in stored.metadata else ""
    return sandbox.places(data, number, sections, languages).result()


def test_a_quote_is_boxed_where_it_was_printed(sandbox: Sandbox) -> None:
    document = printed([(20, 100, "Mira Salt keeps the lamp.")], [(30, 40, "The fee is fourteen crowns.")])
    data = bytes(document.output())
    ((left, top, right, bottom),) = boxes(sandbox, data, "fourteen crowns", 2)
    document.set_font("helvetica", size=12)
    before, wide = (document.get_string_width(text) for text in ("The fee is ", "fourteen crowns"))
    assert left == pytest.approx((30 + before) / WIDTH, abs=0.004)
    assert right == pytest.approx((30 + before + wide) / WIDTH, abs=0.004)
    assert top < 40 / HEIGHT < bottom
    assert bottom - top == pytest.approx(12 / 72 * 25.4 / HEIGHT, rel=0.3)
    assert boxes(sandbox, data, "fourteen crowns", 1) == []


def test_each_line_has_its_box_and_a_mended_word_two(sandbox: Sandbox) -> None:
    lines = ["Each boat that lies at the north pier over", "night pays the keeper a moor-", "ing fee in May."]
    data = bytes(printed([(20, 50 + 6 * number, line) for number, line in enumerate(lines)]).output())
    found = boxes(sandbox, data, "pays the keeper a mooring fee")
    assert len(found) == 2
    assert found[0][3] <= found[1][1] + 0.01
    assert found[1][0] == pytest.approx(20 / WIDTH, abs=0.004)


def test_a_page_that_is_turned_has_its_boxes_as_it_is_shown(sandbox: Sandbox) -> None:
    writer = PdfWriter()
    for page in PdfReader(io.BytesIO(bytes(printed([(20, 100, "Mira Salt keeps the lamp.")]).output()))).pages:
        writer.add_page(page.rotate(90))
    buffer = io.BytesIO()
    writer.write(buffer)
    ((left, top, right, bottom),) = boxes(sandbox, buffer.getvalue(), "Mira Salt")
    assert top == pytest.approx(20 / WIDTH, abs=0.004)  # its left edge is now above
    assert left < 1 - 100 / HEIGHT < right
    assert bottom - top > 2 * (right - left)
    found = places_of(sandbox, buffer.getvalue())
    assert (round(found.width), round(found.height), found.pages) == (842, 595, 1)


def test_a_cell_that_is_merged_is_boxed_at_its_place_for_every_row(sandbox: Sandbox) -> None:
    document = printed([])
    with document.table(line_height=6) as table:
        row = table.row()
        row.cell("Region")
        row.cell("Year")
        row.cell("Fee")
        row = table.row()
        row.cell("North", rowspan=2)
        row.cell("2022")
        row.cell("15")
        row = table.row()
        row.cell("2023")
        row.cell("17")
    data = bytes(document.output())
    assert "North | 2022 | 15\nNorth | 2023 | 17" in sandbox.parse("a.pdf", data).text
    first, second = (boxes(sandbox, data, "North", nth=number) for number in (0, 1))
    assert first == second
    assert len(first) == 1
    assert boxes(sandbox, data, "2023 | 17") != boxes(sandbox, data, "2022 | 15")


def test_what_is_filled_into_a_form_is_boxed_in_its_field(sandbox: Sandbox) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(form())))
    writer.update_page_form_field_values(writer.pages[0], {"boat": "Silver Otter"}, auto_regenerate=False)
    buffer = io.BytesIO()
    writer.write(buffer)
    found = boxes(sandbox, buffer.getvalue(), "Silver Otter")
    assert found
    assert found[0][0] == pytest.approx(200 / 595, abs=0.01)


def form() -> bytes:
    """Return a PDF with a label and a text field beside it."""
    from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, TextStringObject

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(bytes(printed([(20, 100, "Name of the boat:")]).output()))))
    base = 841.9 - 100 / 25.4 * 72
    field = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/Widget"),
            NameObject("/FT"): NameObject("/Tx"),
            NameObject("/T"): TextStringObject("boat"),
            NameObject("/DA"): TextStringObject("/F1 12 Tf"),
            NameObject("/Rect"): ArrayObject(map(FloatObject, (200, base - 4, 330, base + 14))),
        }
    )
    reference = writer._add_object(field)
    writer.pages[0][NameObject("/Annots")] = ArrayObject([reference])
    writer.root_object[NameObject("/AcroForm")] = DictionaryObject({NameObject("/Fields"): ArrayObject([reference])})
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


@pytest.mark.usefixtures("tesseract")
def test_a_scan_is_boxed_by_what_tesseract_reads(sandbox: Sandbox) -> None:
    data = scan(scanned_page("#Harbour rules", "", "The harbour master collects the fee", "before noon."))
    ((left, top, right, bottom),) = boxes(sandbox, data, "collects the fee")
    assert 0.25 < left < right < 0.6
    assert top < (120 + 100 + 60 + 20) / 1754 < bottom


def test_where_the_place_of_most_letters_is_not_certain_there_is_no_box() -> None:
    found = PagePlaces(1, 100, 100)
    for offset in range(40):
        found.add(offset, NOWHERE if offset in (5, 30, 31, 32) else (offset / 50, 0.1, (offset + 1) / 50, 0.2))
    assert len(found.lines(0, 20)) == 1
    assert found.lines(25, 35) == []
    assert found.lines(50, 60) == found.lines(7, 7) == found.lines(20, 3) == []
    assert places_from_frame(*found.to_frame()) == found


def test_a_page_is_drawn_at_its_scale_and_never_too_large(sandbox: Sandbox) -> None:
    document = FPDF(unit="pt", format=(400, 300))
    document.add_page()
    document.set_fill_color(255, 0, 0)
    document.rect(0, 0, 200, 300, style="F")
    data = bytes(document.output())
    drawn = Image.open(io.BytesIO(sandbox.picture(data, 1, 1.5).result()))
    assert (drawn.format, drawn.size) == ("PNG", (600, 450))
    assert drawn.convert("RGB").getpixel((100, 200)) == (255, 0, 0)
    assert drawn.convert("RGB").getpixel((500, 200)) == (255, 255, 255)
    huge = FPDF(unit="pt", format=(14_000, 14_000))
    huge.add_page()
    narrow = FPDF(unit="pt", format=(10, 14_000))
    narrow.add_page()
    for document in (huge, narrow):
        drawn = Image.open(io.BytesIO(sandbox.picture(bytes(document.output()), 1, 4).result()))
        assert drawn.width * drawn.height <= MAX_PIXELS * 1.01
        assert max(drawn.size) <= 8_001


def test_a_page_that_is_not_there_and_a_file_that_is_damaged_are_told(sandbox: Sandbox) -> None:
    data = bytes(printed([(20, 100, "Mira Salt")]).output())
    for number in (0, 2, 10**9):
        with pytest.raises(NotFound, match="it has 1 page"):
            sandbox.picture(data, number, 1).result()
        with pytest.raises(NotFound, match="it has 1 page"):
            sandbox.places(data, number, []).result()
    with pytest.raises(Unreadable, match="damaged"):
        sandbox.picture(b"%PDF-1.4 broken", 1, 1).result()
    assert sandbox.picture(data, 1, 1).result().startswith(b"\x89PNG")


@linux_only
def test_a_page_that_is_never_drawn_to_its_end_is_given_up_and_the_next_is_drawn() -> None:
    """A few kilobytes that would draw for hours."""
    data = bytes(printed([(20, 100, "Mira Salt")]).output())
    with Sandbox(1, Limits(cpu=2, wall=6.0)) as small:
        with pytest.raises(Unreadable, match=r"took (more|longer) than"):
            small.picture(endless(), 1, 4).result()
        assert small.picture(data, 1, 1).result().startswith(b"\x89PNG")


def endless() -> bytes:
    """Return a PDF whose page says "Slow words.", under three thousand shadings, one over the other."""
    shades = "BT /F 12 Tf 50 500 Td (Slow words.) Tj ET " + "/S sh " * 3000
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 600] /Contents 4 0 R"
        " /Resources << /Shading << /S 5 0 R >> /Font << /F 6 0 R >> >> >>",
        f"<< /Length {len(shades)} >>\nstream\n{shades}\nendstream",
        "<< /ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 600 600] /Extend [true true]"
        " /Function << /FunctionType 2 /N 1.5 /Domain [0 1] /C0 [0 0 0] /C1 [1 1 1] >> >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, offsets = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    return (
        f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    ).encode()
