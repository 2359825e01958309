"""Sheets and separated values: which row names the columns, where tables part, and numbers as the sheet shows them."""

from __future__ import annotations

import io
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from indexer.readers import read
from indexer.readers.number_formats import shown
from indexer.readers.rows import is_header, row_text
from indexer.readers.tables import Row, table_blocks


def told(*rows: list[str], page: int | None = 1) -> list[str]:
    """What is told of these rows: "# " before a heading."""
    blocks = table_blocks((Row(cells, line) for line, cells in enumerate(rows, 1)), page)
    return [("# " if block.kind == "heading" else "") + block.text for block in blocks]


def sheet_bytes(rows: list[list[Any]], formats: dict[str, str] | None = None, merged: str = "") -> bytes:
    from openpyxl import Workbook

    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in rows:
        sheet.append(row)
    for place, code in (formats or {}).items():
        sheet[place].number_format = code
    if merged:
        sheet.merge_cells(merged)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def test_years_name_columns_of_numbers() -> None:
    """A row of years was taken for data, and each number stood without its year."""
    assert told(["Field", "2019", "2020"], ["Elm", "7", "9"], ["Oak", "8", "6"]) == [
        "Field: Elm; 2019: 7; 2020: 9",
        "Field: Oak; 2019: 8; 2020: 6",
    ]


def test_the_corner_above_the_names_of_the_rows_may_be_empty() -> None:
    assert told(["", "2019", "2020"], ["Elm", "7", "9"], ["Oak", "8", "6"])[1] == "Oak; 2019: 8; 2020: 6"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["Elm", "1", "2"], ["Oak", "3", "4"]),
        (["1990", "2000"], ["3", "4"]),
        (["Elm", "1990"], ["Oak", "1995"]),
        (["Author:", "Date:"], ["Ann", "May"]),
        (["Elm"], ["Oak"]),
    ],
)
def test_data_is_no_header(first: list[str], second: list[str]) -> None:
    assert not is_header(first, second)


def test_a_name_may_come_twice_over_numbers() -> None:
    assert told(["Field", "May", "May"], ["Elm", "7", "9"]) == ["Field: Elm; May: 7; May: 9"]


def test_a_blank_row_ends_a_table_where_another_header_follows() -> None:
    rows: tuple[list[str], ...] = (["Boat", "Oars"], ["Gull", "4"], [], ["Cart", "Wheels"], ["Red", "2"], ["Blue", "3"])
    assert told(*rows) == ["Boat: Gull; Oars: 4", "Cart: Red; Wheels: 2", "Cart: Blue; Wheels: 3"]


def test_a_blank_row_within_a_table_ends_nothing() -> None:
    rows: tuple[list[str], ...] = (["Boat", "Owner"], ["Gull", "Ann"], [], ["Tern", "Bo"], ["Skua", "Cy"])
    assert told(*rows) == ["Boat: Gull; Owner: Ann", "Boat: Tern; Owner: Bo", "Boat: Skua; Owner: Cy"]


def test_tables_side_by_side_are_two() -> None:
    rows = (["Boat", "Oars", "", "Cart", "Wheels"], ["Gull", "4", "", "Red", "2"], ["Tern", "6", "", "", ""])
    assert told(*rows) == ["Boat: Gull; Oars: 4", "Cart: Red; Wheels: 2", "Boat: Tern; Oars: 6"]


def test_titles_above_a_table_are_headings_and_a_note_below_stands_bare() -> None:
    table = (["Boat", "Oars", "Owner"], ["Gull", "4", "Ann"], ["All without motor.", "", ""])
    assert told(["Boats of the club", "", ""], [], *table) == [
        "# Boats of the club",
        "Boat: Gull; Oars: 4; Owner: Ann",
        "All without motor.",
    ]


def test_a_row_that_groups_columns_gives_them_its_names() -> None:
    """Of four columns named "sold", "left", "sold", "left" no one could tell the year."""
    rows = (["", "Summer", "", "Winter"], ["Boat", "Berth", "Fee", "Shed"], ["Gull", "A", "12", "North"])
    assert told(*rows) == ["Boat: Gull; Summer Berth: A; Summer Fee: 12; Winter Shed: North"]
    years = (["Boat", "2023", "", "2024", "", "All"], ["Boat", "Sold", "Left", "Sold", "Left", "All"])
    assert told(*years, ["Gull", "1", "2", "3", "4", "10"]) == [
        "Boat: Gull; 2023 Sold: 1; 2023 Left: 2; 2024 Sold: 3; 2024 Left: 4; All: 10"
    ]
    above = (["Boat", "2023", "", "2024"], ["", "Sold", "Left", "Sold", "Left"])
    assert told(*above, ["Gull", "1", "2", "3", "4"]) == [
        "Boat: Gull; 2023 Sold: 1; 2023 Left: 2; 2024 Sold: 3; 2024 Left: 4"
    ]
    assert told(["By Ann", "", "Draft"], ["Boat", "Oars", "Fee"], ["Gull", "4", "12"]) == [
        "By Ann; Draft", "Boat: Gull; Oars: 4; Fee: 12",
    ]  # fmt: skip


def test_a_note_on_all_values_is_no_name_of_a_column() -> None:
    rows = (["all amounts in USD", "Budget", "Spent"], ["Rope", "40", "38"])
    assert told(*rows) == ["all amounts in USD", "Rope; Budget: 40; Spent: 38"]
    assert told(["Item", "Costs are in CHF"], ["Rope", "40"]) == ["Costs are in CHF", "Item: Rope; column 2: 40"]


def test_names_of_columns_reach_over_a_blank_row() -> None:
    rows: tuple[list[str], ...] = (["Item", "Budget"], [], ["Rope", "1800"], ["Sail", "600"], [], ["Paint", "9"])
    assert told(*rows) == ["Item: Rope; Budget: 1800", "Item: Sail; Budget: 600", "Item: Paint; Budget: 9"]
    parted: tuple[list[str], ...] = (["Gull", "Tern"], [], ["Cart", "Wheels"], ["Red", "2"])
    assert told(*parted) == ["Gull; Tern", "Cart: Red; Wheels: 2"]


def test_an_amount_that_could_be_a_year_names_no_column() -> None:
    assert told(["Day ticket", "1800"], ["Half day", "600"]) == ["Day ticket; 1800", "Half day; 600"]


def test_a_label_with_a_colon_is_told_with_the_cell_after_it() -> None:
    assert row_text([], ["Owner:", "Ann", "", "Berth:", "A 7"]) == "Owner: Ann; Berth: A 7"


@pytest.mark.parametrize("mark", ["^", "~", "¦", "!"])
def test_any_mark_may_part_the_values(mark: str) -> None:
    data = f"boat{mark}oars{mark}owner\nGull{mark}4{mark}Ann\nTern{mark}6{mark}Bo\n"
    assert told_of_csv(data) == ["boat: Gull; oars: 4; owner: Ann", "boat: Tern; oars: 6; owner: Bo"]


def told_of_csv(data: str) -> list[str]:
    return [block.text for block in read("a.csv", data.encode()).blocks]


def test_lines_before_the_header_are_told_bare() -> None:
    data = "# made by Logger 3, by night\nStation North\n\nday,level\n1,12\n2,14\n"
    assert told_of_csv(data) == [
        "# made by Logger 3, by night",
        "Station North",
        "day: 1; level: 12",
        "day: 2; level: 14",
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert told_of_csv("\ufeffBoot;Preis\nMöwe;7,80\n") == ["Boot: Möwe; Preis: 7,80"]


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (0.0725, "0.00%", "7.25%"),
        (1250.5, '#,##0.00\\ "€"', "1,250.50 €"),
        (1250.5, "#,##0.00\\ [$kr-41D]", "1,250.50 kr"),
        (-3.5, '_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)', "-$3.50"),
        (-3, "#,##0;[Red]-#,##0", "-3"),
        (41.910000000000004, "General", "41.91"),
        (3.0, "General", "3"),
        (1e-07, "General", "1E-07"),
        (12, "00000", "00012"),
        (21.46, '0.0 "°C"', "21.5 °C"),
        (1234567, '0.0,,"M"', "1.2M"),
        (1234.5, "0.00E+00", "1.23E+03"),
        (2.5, "0.###", "2.5"),
        (2.0, "0.###", "2"),
        (0.5, "# ?/?", "0.5"),
        (123456789, "000-00-0000", "123456789"),
        (timedelta(hours=26, minutes=30), "[h]:mm", "26:30"),
        (timedelta(seconds=-90), "[h]:mm:ss", "-0:01:30"),
        (time(9, 5), "h:mm", "09:05"),
        (time(0), "d/m/yyyy", ""),
        (datetime(2024, 3, 2), "d/m/yyyy", "2024-03-02"),
        (datetime(2024, 3, 2, 8, 30), "d/m/yyyy h:mm", "2024-03-02 08:30"),
        (datetime(1900, 1, 5, 12), "hh:mm", "12:00"),
        (True, "General", "TRUE"),
        (None, "0", ""),
    ],
)
def test_a_number_is_told_as_the_sheet_shows_it(value: object, code: str, expected: str) -> None:
    assert shown(value, code) == expected


def test_a_sheet_shows_its_numbers_and_repeats_cells_merged_downwards() -> None:
    data = sheet_bytes(
        [["Boat", "Month", "Share"], ["Gull", "May", 0.125], [None, "June", 0.3]], {"C2": "0.0%", "C3": "0%"}, "A2:A3"
    )
    assert [block.text for block in read("a.xlsx", data).blocks if block.page] == [
        "Sheet", "Boat: Gull; Month: May; Share: 12.5%", "Boat: Gull; Month: June; Share: 30%",
    ]  # fmt: skip


def test_formulas_without_a_value_and_hidden_sheets_are_noted() -> None:
    from openpyxl import Workbook

    workbook = Workbook()
    workbook.worksheets[0].append(["Sum", "=1+2"])
    hidden = workbook.create_sheet("Old")
    hidden.append(["Gull", "Tern"])
    hidden.sheet_state = "hidden"
    buffer = io.BytesIO()
    workbook.save(buffer)
    reading = read("a.xlsx", buffer.getvalue())
    assert reading.notes == ("sheet 1: 1 formula was never computed", "sheet 2 is hidden")
    assert [block.text for block in reading.blocks if block.page == 2] == ["Old", "Gull; Tern"]


def test_comments_on_cells_follow_their_sheet_and_charts_are_counted() -> None:
    from openpyxl import Workbook
    from openpyxl.chart import BarChart, Reference
    from openpyxl.comments import Comment

    workbook = Workbook()
    sheet: Any = workbook.worksheets[0]
    sheet.append(["Item", "Cost"])
    sheet.append(["Rope", 40])
    sheet["B2"].comment = Comment("Ann:\npaid late", "Ann")
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=2), titles_from_data=True)
    sheet.add_chart(chart, "D2")
    buffer = io.BytesIO()
    workbook.save(buffer)
    reading = read("a.xlsx", buffer.getvalue())
    assert [block.text for block in reading.blocks if block.page] == [
        "Sheet", "Item: Rope; Cost: 40", "Comment on B2 by Ann: paid late",
    ]  # fmt: skip
    assert reading.notes == ("1 chart not read",)


def test_a_cell_of_many_lines_is_told_from_the_cells_beside_it() -> None:
    """ "Reason: the tide turns; see note: 3" read as three cells, and its end as a column of the row."""
    text = 'ID;Rationale;Owner\nR-1;"In 10 minutes.\nReason: the tide turns; note: 3.\n\nSo said “Jon”";Mira\n'
    text += "R-2;Short;Jon\n"
    reading = read("a.csv", text.encode())
    assert [(block.text, block.line) for block in reading.blocks] == [
        ("ID: R-1; Rationale: “In 10 minutes. Reason: the tide turns; note: 3. So said ‘Jon’”; Owner: Mira", 2),
        ("ID: R-2; Rationale: Short; Owner: Jon", 6),
    ]
    assert row_text(["A", "B"], ["one; two", ""]) == "A: “one; two”"
    assert row_text([], ["one; two", ""]) == "one; two"  # alone, it is no cell beside others


def test_fields_of_records_are_told_from_what_their_values_say() -> None:
    record = b'[{"name": "Oar", "text": "Long; wood: ash", "hint": "wide; flat"}]'
    assert [block.text for block in read("a.json", record).blocks] == [
        "name: Oar; text: “Long; wood: ash”; hint: wide; flat"
    ]


def test_an_unusual_mark_between_quoted_cells_parts_them() -> None:
    text = '"Name"^"Price, EUR"^"Qty"\n"Nut"^"3,50"^"12"\n"Bolt"^"4,10"^"7"\n'
    assert [block.text for block in read("a.csv", text.encode()).blocks] == [
        "Name: Nut; Price, EUR: 3,50; Qty: 12",
        "Name: Bolt; Price, EUR: 4,10; Qty: 7",
    ]


def test_a_first_line_that_tells_the_delimiter_is_no_title() -> None:
    reading = read("a.csv", b"sep=;\nName;Price\nNut;3,50\nBolt;4,10\n")
    assert [(block.text, block.line) for block in reading.blocks] == [
        ("Name: Nut; Price: 3,50", 3), ("Name: Bolt; Price: 4,10", 4),
    ]  # fmt: skip
