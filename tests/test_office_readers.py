"""What Word documents, slides and PDFs show besides their running text: controls, charts, forms, tables, notes."""

from __future__ import annotations

import io
from typing import Any

import pytest
from fpdf import FPDF

from indexer.cleaner import assemble
from indexer.readers import read
from indexer.readers.docx_numbering import Numbering
from indexer.readers.pdf_lines import has_shifted_letters, is_nonsense
from indexer.readers.pdf_tables import Line
from indexer.types import Block, Reading

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def told(name: str, data: bytes) -> list[tuple[str, str]]:
    return [(block.kind, block.text.strip()) for block in read(name, data).blocks]


def word(body: str, **parts: str) -> bytes:
    """A Word document with this XML in its body."""
    import docx
    from docx.oxml import parse_xml

    document = docx.Document()
    for element in parse_xml(f"<w:body {W}>{body}</w:body>"):
        document.element.body.insert(len(document.element.body) - 1, element)
    section = document.sections[0]
    for place, text in parts.items():
        getattr(section, place).paragraphs[0].text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def cell(content: str, settings: str = "") -> str:
    return f"<w:tc><w:tcPr>{settings}</w:tcPr>{content}</w:tc>"


def control(content: str) -> str:
    return f"<w:sdt><w:sdtPr/><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def test_word_content_controls_count_at_every_level() -> None:
    """A name that was filled into a form's cell was lost, and with it a whole cell or row."""
    body = f"""{control(paragraph("Cover"))}
    <w:p>{control("<w:r><w:t>Mira</w:t></w:r>")}<w:r><w:t> signs.</w:t></w:r></w:p>
    <w:tbl><w:tr>{cell(paragraph("Role"))}{cell(paragraph("Name"))}</w:tr>
    <w:tr>{cell(paragraph("Keeper"))}{cell(control(paragraph("Ann")))}</w:tr>
    <w:tr>{cell(paragraph("Cook"))}{control(cell(paragraph("Bo")))}</w:tr>
    {control(f"<w:tr>{cell(paragraph('Mate'))}{cell(paragraph('Cy'))}</w:tr>")}</w:tbl>"""
    assert told("a.docx", word(body)) == [
        ("paragraph", "Cover"), ("paragraph", "Mira signs."),
        ("table", "Role | Name\nKeeper | Ann\nCook | Bo\nMate | Cy"),
    ]  # fmt: skip


def test_word_changes_are_read_as_accepted_and_moved_text_once() -> None:
    body = (
        """<w:p><w:r><w:t xml:space="preserve">It costs </w:t></w:r><w:del><w:r><w:delText>4</w:delText></w:r></w:del>
    <w:ins><w:r><w:t>5</w:t></w:r></w:ins><w:r><w:t>.</w:t></w:r></w:p>
    <w:p><w:moveFrom><w:r><w:t>The oars stay.</w:t></w:r></w:moveFrom></w:p>
    <w:p><w:moveTo><w:r><w:t>The oars stay.</w:t></w:r></w:moveTo></w:p>
    <w:tbl><w:tr><w:trPr><w:del/></w:trPr>"""
        + cell(paragraph("gone"))
        + f"</w:tr><w:tr>{cell(paragraph('kept'))}</w:tr></w:tbl>"
    )
    assert told("a.docx", word(body)) == [
        ("paragraph", "It costs 5."),
        ("paragraph", "The oars stay."),
        ("table", "kept"),
    ]


def test_word_merged_cells_are_repeated_and_nested_tables_told_in_place() -> None:
    nested = f"<w:tbl><w:tr>{cell(paragraph('Crop'))}{cell(paragraph('Row'))}</w:tr>"
    nested += f"<w:tr>{cell(paragraph('Oats'))}{cell(paragraph('3'))}</w:tr></w:tbl>"
    begin, go_on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    body = f"""<w:tbl><w:tr>{cell(paragraph("Field"))}{cell(paragraph("Use"), '<w:gridSpan w:val="2"/>')}</w:tr>
    <w:tr>{cell(paragraph("Elm"), begin)}{cell(paragraph("Sown"))}{cell(nested + "<w:p/>")}</w:tr>
    <w:tr>{cell("<w:p/>", go_on)}{cell(paragraph("Left"))}{cell(paragraph("Grass"))}</w:tr></w:tbl>"""
    assert told("a.docx", word(body)) == [
        ("table", "Field | Use | Use\nElm | Sown | Crop: Oats; Row: 3\nElm | Left | Grass")
    ]


def test_word_headers_and_footers_follow_once_and_page_numbers_do_not() -> None:
    data = word(paragraph("Text."), header="Contract 7", footer="Page 1 of 3")
    assert told("a.docx", data) == [("paragraph", "Text."), ("row", "Header: Contract 7")]


def test_word_comments_follow_with_their_authors() -> None:
    import docx

    document = docx.Document()
    run = document.add_paragraph("Grease it.").runs[0]
    document.add_comment(run, text="Weekly?", author="Bo")
    buffer = io.BytesIO()
    document.save(buffer)
    assert told("a.docx", buffer.getvalue()) == [("paragraph", "Grease it."), ("paragraph", "Comment by Bo: Weekly?")]


def run(text: str, settings: str = "") -> str:
    return f"<w:r><w:rPr>{settings}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def test_word_raised_digits_are_powers_and_symbol_fonts_are_their_symbols() -> None:
    raised = '<w:vertAlign w:val="superscript"/>'
    wingdings = '<w:rFonts w:ascii="Wingdings"/>'
    checked, box = run("þ", wingdings), run("C \uf0a8")
    degree, odd = (f'<w:r><w:sym w:font="Symbol" w:char="{code}"/></w:r>' for code in ("F0B0", "zz"))
    power = f"{run('10')}{run('6', raised)}{run(' cells on 5 m')}{run('2', raised)}{run(', as Salt')}{run('3', raised)}"
    body = f"<w:p>{power}</w:p><w:p>{checked}{run(' done at 40 ')}{degree}{box}{odd}</w:p>"
    assert told("a.docx", word(body)) == [
        ("paragraph", "10^6 cells on 5 m², as Salt^3"),
        ("paragraph", "☑ done at 40 °C ☐"),
    ]
    assert read("a.docx", word(body)).notes == ("1 symbol not read",)


@pytest.mark.parametrize(
    ("state", "box"),
    [
        ("<w:default w:val='0'/><w:checked/>", "☒"),
        ("<w:default w:val='1'/>", "☒"),
        ("<w:default w:val='1'/><w:checked w:val='0'/>", "☐"),
        ("", "☐"),
    ],
)
def test_check_boxes_of_older_forms_are_boxes(state: str, box: str) -> None:
    """They are fields without a text, and were read as nothing."""
    field = f"<w:fldChar w:fldCharType='begin'><w:ffData><w:checkBox>{state}</w:checkBox></w:ffData></w:fldChar>"
    body = f"<w:p>{run('Agreed ')}<w:r>{field}</w:r><w:r><w:fldChar w:fldCharType='end'/></w:r></w:p>"
    assert told("a.docx", word(body)) == [("paragraph", f"Agreed {box}")]


def test_word_formulas_are_told_on_a_line() -> None:
    """A formula was left out without a word."""
    body = f"""<w:p>{run("Speed ")}<m:oMath xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math">
    <m:r><m:t>v=</m:t></m:r><m:f><m:num><m:r><m:t>s</m:t></m:r></m:num><m:den><m:sSup><m:e><m:r><m:t>t</m:t></m:r></m:e>
    <m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:den></m:f></m:oMath></w:p>"""
    assert told("a.docx", word(body)) == [("paragraph", "Speed v=s/(t^2)")]


def test_bold_lines_head_word_documents_that_have_no_styles() -> None:
    bold = "<w:b/>"
    body = f"""<w:p>{run("Opening hours", bold)}</w:p>{paragraph("We open at nine.")}{paragraph("On Sunday at ten.")}
    <w:p>{run("Fees", bold)}</w:p><w:p>{run("Half a crown", bold)}{run(" a day")}</w:p>"""
    assert told("a.docx", word(body)) == [
        ("heading", "Opening hours"), ("paragraph", "We open at nine."), ("paragraph", "On Sunday at ten."),
        ("heading", "Fees"), ("paragraph", "Half a crown a day"),
    ]  # fmt: skip
    styled = body + '<w:p><w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r><w:t>Staff</w:t></w:r></w:p>'
    assert [text for kind, text in told("a.docx", word(styled)) if kind == "heading"] == ["Staff"]


def test_the_title_of_a_template_gives_way_to_the_first_heading() -> None:
    def document(title: str, *headings: str) -> bytes:
        import docx

        made = docx.Document()
        made.core_properties.title = title
        for heading in headings:
            made.add_heading(heading, 1)
            made.add_paragraph("Every keeper has twelve days.")
        buffer = io.BytesIO()
        made.save(buffer)
        return buffer.getvalue()

    assert read("a.docx", document("Quarterly sales deck", "Leave policy")).title == "Leave policy"
    assert read("a.docx", document("Policy on leave", "Leave policy")).title == "Policy on leave"
    assert read("a.docx", document("How to use this template", "How to use this template", "Leave")).title == "Leave"
    assert read("a.docx", document("Word Document", "Contents", "Leave")).title == "Leave"


def test_pictures_without_words_are_counted_and_raised_digits_of_slides_are_powers() -> None:
    from PIL import Image
    from pptx import Presentation

    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    line: Any = slide.placeholders[1]
    line.text_frame.text = "Some 10"
    power = line.text_frame.paragraphs[0].add_run()
    power.text = "9"
    power._r.get_or_add_rPr().set("baseline", "30000")
    slide.shapes.add_picture(picture, 0, 0)
    buffer = io.BytesIO()
    presentation.save(buffer)
    assert told("a.pptx", buffer.getvalue()) == [("paragraph", "Some 10^9")]
    assert read("a.pptx", buffer.getvalue()).notes == ("1 picture not read",)


def test_word_lists_have_the_numbers_that_are_printed() -> None:
    import docx

    document = docx.Document()
    for text in ("Open.", "Close."):
        document.add_paragraph(text, style="List Number")
    document.add_paragraph("Then:")
    document.add_paragraph("rope", style="List Bullet")
    buffer = io.BytesIO()
    document.save(buffer)
    assert told("a.docx", buffer.getvalue()) == [
        ("paragraph", "1. Open.\n2. Close."), ("paragraph", "Then:"), ("paragraph", "- rope"),
    ]  # fmt: skip


def test_numbers_of_lists_count_by_level() -> None:
    from lxml import etree

    def level(number: int, form: str, pattern: str) -> str:
        numbered = f'<w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{pattern}"/>'
        return f'<w:lvl w:ilvl="{number}">{numbered}</w:lvl>'

    levels = level(0, "decimal", "%1.") + level(1, "lowerLetter", "%1.%2)") + level(2, "upperRoman", "(%3)")
    root = etree.fromstring(
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="5">{levels}</w:abstractNum>'
        '<w:num w:numId="2"><w:abstractNumId w:val="5"/></w:num></w:numbering>'
    )
    numbering = Numbering(root)
    marks = [numbering.mark("2", depth) for depth in (0, 1, 1, 2, 0, 1)]
    assert marks == ["1. ", "  1.a) ", "  1.b) ", "    (I) ", "2. ", "  2.a) "]
    assert Numbering(None).mark("9", 1) == "  - "


def test_charts_of_slides_are_tables_and_pictures_say_what_they_show() -> None:
    from pptx import Presentation
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    make: Any = CategoryChartData
    data = make(number_format="0%")
    data.categories = ["Elm", "Oak"]
    data.add_series("2019", (0.25, 0.5))
    data.add_series("2020", (0.3, None))
    place = (Inches(1), Inches(1), Inches(4), Inches(3))
    chart: Any = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, data)
    chart.chart.has_title = True
    chart.chart.chart_title.text_frame.text = "Share of fields"
    chart.element.xpath("./*/p:cNvPr")[0].set("descr", "Elm grows.")
    hidden = presentation.slides.add_slide(presentation.slide_layouts[6])
    hidden.element.set("show", "0")
    table = hidden.shapes.add_table(2, 2, *place).table
    table.cell(0, 0).text, table.cell(0, 1).text, table.cell(1, 0).text = "Field", "Use", "both"
    table.cell(1, 0).merge(table.cell(1, 1))
    buffer = io.BytesIO()
    presentation.save(buffer)
    assert told("a.pptx", buffer.getvalue()) == [
        ("table", "Share of fields | 2019 | 2020\nElm | 25% | 30%\nOak | 50%"),
        ("paragraph", "Picture: Elm grows."),
        ("table", "Field | Use\nboth | both"),
    ]
    assert read("a.pptx", buffer.getvalue()).notes == ("slide 2 is hidden",)


# PDF


def pdf_page() -> FPDF:
    from datetime import UTC, datetime

    document = FPDF()
    document.set_creation_date(datetime(2020, 1, 2, tzinfo=UTC))
    document.add_page()
    document.set_font("Helvetica", size=11)
    return document


def pdf_texts(document: FPDF) -> list[tuple[str, str]]:
    return told("a.pdf", bytes(document.output()))[1:]  # after the date of making


def test_a_table_keeps_the_wrapped_lines_of_a_cell_together() -> None:
    document = pdf_page()
    for name, lines in (
        ("Crane one", ["only with the weight and", "below nine metres."]),
        ("Crane two", ["never at night,", "nor in fog."]),
    ):
        for place, line in enumerate(lines):
            document.cell(60, 6, name if not place else "")
            document.cell(90, 6, line, new_x="LMARGIN", new_y="NEXT")
    assert pdf_texts(document) == [
        ("table", "Crane one | only with the weight and below nine metres.\nCrane two | never at night, nor in fog.")
    ]


def put(document: FPDF, left: float, base: float, text: str, size: float = 11) -> float:
    """Print `text`, and return where it ends."""
    document.set_font("helvetica", size=size)
    document.text(left, base, text)
    return left + document.get_string_width(text)


def test_cells_between_ruled_lines_come_together_whatever_order_they_were_drawn_in() -> None:
    document = pdf_page()
    document.set_font("helvetica", size=10)
    rows = (
        ("Item", "Description", "Price"),
        ("Rope", "Strong hemp rope for the mooring of large boats, twenty metres long and tarred twice in May", "14"),
        ("Sail", "Canvas, white, patched once in the spring and never again since then, says the keeper", ""),
    )
    with document.table(col_widths=(30, 60, 20)) as table:
        for row in rows:
            table.row(row)
    assert pdf_texts(document) == [("table", "\n".join(" | ".join(row).strip() for row in rows))]


def test_a_ruled_cell_over_several_rows_or_columns_is_told_in_each_of_them() -> None:
    """What stood beside three rows was told in the one in whose middle it was printed."""
    document = pdf_page()
    document.set_font("helvetica", size=10)
    rows: tuple[tuple[tuple[str, int, int], ...], ...] = (  # text, rows, columns
        (("Region", 2, 1), ("Harbour fees", 1, 2), ("Keeper", 2, 1)),
        (("2022", 1, 1), ("2023", 1, 1)),
        (("North", 3, 1), ("14", 1, 1), ("15", 1, 1), ("Mira", 1, 1)),
        (("16", 1, 1), ("17", 1, 1), ("Ann", 1, 1)),
        (("18", 1, 1), ("19", 1, 1), ("Joe", 1, 1)),
        (("In crowns", 1, 4),),
        (("South", 1, 1), ("not counted this year", 1, 2), ("Eve", 1, 1)),
    )
    with document.table(num_heading_rows=2, line_height=6) as table:
        for cells in rows:
            row = table.row()
            for text, high, wide in cells:
                row.cell(text, rowspan=high, colspan=wide)
    ((kind, text),) = pdf_texts(document)
    assert kind == "table"
    assert [line.rstrip(" |") for line in text.split("\n")] == [
        "Region | Harbour fees | Harbour fees | Keeper",
        "Region | 2022 | 2023 | Keeper",
        "North | 14 | 15 | Mira",
        "North | 16 | 17 | Ann",
        "North | 18 | 19 | Joe",
        "In crowns",
        "South | not counted this year | not counted this year | Eve",
    ]


def test_cells_without_a_line_between_them_are_still_cells_where_each_has_words_of_its_own() -> None:
    """A dark head drawn as one bar has no lines between its names; a column may have none between its entries."""
    document = pdf_page()
    document.rect(20, 20, 150, 8)
    for top in (28, 36, 44):
        for left in (70, 120):
            document.rect(left, top, 50, 8)
    document.line(20, 28, 20, 52)
    document.line(70, 28, 70, 52)
    document.line(20, 52, 70, 52)
    for base, cells in ((25, "Name Fee Keeper"), (33, "Rope 14 Mira"), (41, "Sail 15 Ann"), (49, "Oars 16 Joe")):
        for left, cell in zip((22, 72, 122), cells.split(), strict=True):
            put(document, left, base, cell)
    expected = "Name | Fee | Keeper\nRope | 14 | Mira\nSail | 15 | Ann\nOars | 16 | Joe"
    assert pdf_texts(document) == [("table", expected)]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            ((20, ["Rent", "Heating", "Paint", "Total"], 8), (120, ["1,200", "340", "55", "1,595"], 8)),
            [("table", "Rent | 1,200\nHeating | 340\nPaint | 55\nTotal | 1,595")],
        ),
        (
            (
                (20, ["Berth", "", "Fee", "Keeper"], 6),
                (70, ["A place where one ship may", "lie.", "Due at noon.", "Ann."], 6),
            ),
            [("table", "Berth | A place where one ship may lie.\nFee | Due at noon.\nKeeper | Ann.")],
        ),
        (
            ((20, ["Minimum of", "nine of ten", "tests"], 6), (70, ["Combined", "review of", "all code"], 6)),
            [("paragraph", "Minimum of\nnine of ten\ntests\n\nCombined\nreview of\nall code")],
        ),
    ],
)
def test_labels_and_their_amounts_stand_side_by_side(columns: Any, expected: list[tuple[str, str]]) -> None:
    """A budget that was drawn column by column read "Rent Heating Paint Total", and then the amounts."""
    document = pdf_page()
    for left, entries, distance in columns:
        for place, entry in enumerate(entries):
            if entry:
                put(document, left, 30 + distance * place, entry)
    assert pdf_texts(document) == expected


def test_a_sum_stands_in_its_column_and_tables_with_other_columns_are_others() -> None:
    document = pdf_page()
    cells = (
        (20, ((20, "Bill to:"), (120, "Invoice: 17"))), (26, ((20, "Ann Salt"), (120, "Due: 26 June"))),
        (44, ((20, "Item"), (100, "Qty"), (130, "Total"))), (52, ((20, "Rope"), (100, "2"), (130, "28.00"))),
        (60, ((20, "Sum"), (130, "28.00"))),
    )  # fmt: skip
    for base, row in cells:
        for left, text in row:
            put(document, left, base, text)
    assert pdf_texts(document) == [
        ("table", "Bill to: | Invoice: 17\nAnn Salt | Due: 26 June"),
        ("table", "Item | Qty | Total\nRope | 2 | 28.00\nSum |  | 28.00"),
    ]


def test_two_lists_stay_two_lists() -> None:
    document = pdf_page()
    for left, items in ((20, ("- Elm", "- Oak", "- Ash")), (110, ("- Rope", "- Tar", "- Sail"))):
        for place, item in enumerate(items):
            put(document, left, 30 + 6 * place, item)
    assert pdf_texts(document) == [("paragraph", "- Elm\n- Oak\n- Ash\n\n- Rope\n- Tar\n- Sail")]


def test_marks_of_notes_stand_in_no_sentence_and_units_keep_their_powers() -> None:
    document = pdf_page()
    end = put(document, 20, 30, "The keeper burned oil")
    end = put(document, put(document, end, 28.5, "3, 4", 6), 30, " , and 5 m")
    put(document, put(document, end, 28.5, "2", 6), 30, " of glass.")
    assert pdf_texts(document) == [("paragraph", "The keeper burned oil, and 5 m² of glass.")]


def test_notes_below_the_text_are_whole_and_begin_anew() -> None:
    document = pdf_page()
    put(document, put(document, 20, 28.5, "1", 6) + 0.5, 30, "The ledger of the keeper was kept")
    put(document, 20, 36, "until the year of the storm.")
    put(document, put(document, 20, 40.5, "2", 6) + 0.5, 42, "So says Ann.")
    assert pdf_texts(document) == [
        ("paragraph", "1 The ledger of the keeper was kept\nuntil the year of the storm.\n\n2 So says Ann.")
    ]


def test_letters_of_a_font_without_a_table_of_characters_are_noticed() -> None:
    """ "Original Release Date: 6HSWHPEHU" was all that was left of a date."""
    assert has_shifted_letters("Date: 6HSWHPEHU\x15\x0f")
    assert not has_shifted_letters("Date: September 2\r\n\tand")
    assert is_nonsense([Line("6HSWHPEHU WKH VHFRQG GDB RI WKH " * 10)])
    assert not is_nonsense([Line("September the second day of the month " * 10)])
    assert not is_nonsense([Line("Сентябрь второй день месяца " * 10)])


def test_two_columns_drawn_line_by_line_are_read_one_after_the_other() -> None:
    left = [
        "The tower was built from blocks",
        "that were shipped across the bay",
        "and carried up by forty oxen in",
        "the dry summer of that year.",
    ]
    right = [
        "Repairs were paid by the guild,",
        "which also bought a new bell for",
        "the gallery and had it hung from",
        "a beam of old larch wood.",
    ]
    document = pdf_page()
    for pair in zip(left, right, strict=True):
        for line in pair:
            document.cell(95, 6, line)
        document.ln()
    assert [text for _, text in pdf_texts(document)] == ["\n".join(left), "\n".join(right)]


def test_raised_digits_are_powers() -> None:
    document = pdf_page()
    document.write(6, "It holds 10")
    document.char_vpos = "SUP"
    document.write(6, "6")
    document.char_vpos = "LINE"
    document.write(6, " cells and 106 more.")
    ((kind, text),) = pdf_texts(document)
    assert (kind, " ".join(text.split())) == ("paragraph", "It holds 10^6 cells and 106 more.")


def test_labels_with_values_are_rows_and_no_running_text() -> None:
    document = pdf_page()
    for line in ("Item: Rope", "Due: 31.50", "It is paid at the office."):
        document.cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")
    assert pdf_texts(document) == [
        ("row", "Item: Rope"),
        ("row", "Due: 31.50"),
        ("paragraph", "It is paid at the office."),
    ]


def form(fields: list[tuple[str, str, int, str]]) -> bytes:
    """A PDF with the labels `name` printed at heights and a text field with a value beside each, written by hand."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [%s] >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    ]
    labels = "".join(f"BT /F1 11 Tf 50 {height} Td ({label}) Tj ET\n" for label, _, height, _ in fields)
    numbers = " ".join(f"{6 + place} 0 R" for place in range(len(fields))).encode()
    objects[0] %= numbers
    page = b"/Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
    objects.append(b"<< %s /Resources << /Font << /F1 5 0 R >> >> /Annots [%s] >>" % (page, numbers))
    objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(labels), labels.encode()))
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for _, name, height, value in fields:
        box = f"/Type /Annot /Subtype /Widget /Rect [200 {height - 4} 380 {height + 14}] /T ({name})"
        kind = f"/FT /Btn /V /{value} /AS /{value}" if value in ("Yes", "Off") else f"/FT /Tx /V ({value})"
        objects.append(f"<< {box} {kind} >>".encode())
    data, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, table, len(objects) + 1, len(data),
    )  # fmt: skip


def test_what_was_filled_into_a_form_stands_beside_its_label() -> None:
    """The values of a form's fields were not in its text at all."""
    fields = [
        ("Boat:", "boat", 700, "Gull"),
        ("Length in metres", "len", 670, "8.5"),
        ("Power", "power", 640, "Yes"),
        ("", "remarks", 600, "None yet"),
    ]
    assert told("a.pdf", form(fields)) == [
        ("row", "Boat: Gull"), ("row", "Length in metres: 8.5"), ("row", "Power: yes"), ("row", "remarks: None yet"),
    ]  # fmt: skip


# Running lines


def pages(*lines: str, body: str = "Words that {n} alone says\nand goes on saying\nfor a while yet.") -> str:
    blocks = tuple(
        Block(
            "\n".join(
                [*(line.format(n=n, more=n + 3) for line in lines), body.format(n="abcdef"[n]), "last " + "abcdef"[n]]
            )
            + "\n",
            page=n,
        )
        for n in range(1, 6)
    )
    return assemble("a.pdf", "", Reading(blocks, "pdf")).text


@pytest.mark.parametrize(
    "line", ["Invoice {more}", "Payable by {more} June", "Chapter {n}", "Kapitel {n}", "Sum {more}0 crowns"]
)
def test_lines_that_differ_in_a_number_are_not_running_headers(line: str) -> None:
    """An invoice's number and day of payment were taken for the head of the page, and left out."""
    assert line.format(n=3, more=6) in pages(line)


@pytest.mark.parametrize("line", ["Report of the board", "Report | {n}", "{more}", "Page {n} of 5", "Seite {n}/5"])
def test_page_numbers_and_heads_are_still_left_out(line: str) -> None:
    assert line.format(n=3, more=6) not in pages(line).replace("Words", "\n")


def test_what_was_left_out_as_a_head_is_kept_as_metadata() -> None:
    blocks = tuple(
        Block(
            f"Report of the board\nAll {word} ropes\nare tarred\nin May\nby {word} Ann\nPage {page} of 5\n", page=page
        )
        for page, word in enumerate(("red", "blue", "grey", "long", "old"), 1)
    )
    document = assemble("a.pdf", "", Reading(blocks, "pdf"))
    assert "Report of the board" not in document.text
    assert document.metadata["running lines"] == "Report of the board; Page 1 of 5"


def test_amounts_that_end_at_one_place_stand_beside_their_labels() -> None:
    """Columns drawn one after the other were put side by side only where they began at one place."""
    document = pdf_page()
    rows = [("Rope", "118.00"), ("Paint", "41.91"), ("Wages of two keepers", "24,000.00"), ("Total", "24,159.91")]
    for left, align, place in ((10, "L", 0), (120, "R", 1)):
        for line, row in enumerate(rows):
            document.set_xy(left, 30 + 8 * line)
            document.cell(40, 8, row[place], align=align)
    assert pdf_texts(document) == [("table", "\n".join(" | ".join(row) for row in rows))]
