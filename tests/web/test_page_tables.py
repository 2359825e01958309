"""Wide tables: the cells that matter, the row that a footnote cites, sheets as grids, nothing wider than the page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.web.conftest import Visit
from tests.web.papers import STATIONS, WORKBOOK, Paper
from tests.web.small_service import SmallService
from tests.web.steps import answered

ROW = "Keeper of Kes220, who is it?"
SHEET = "Fuel, what was it in 2024?"


def texts(page: Page, rows: str) -> list[list[str]]:
    """Return what stands in the cells of rows, without what only a screen reader tells."""
    return [
        [" ".join(cell.inner_text().split()) for cell in row.locator("th, td").all()]
        for row in page.locator(rows).all()
    ]


def test_a_footnote_of_a_long_table_opens_at_its_row_and_marks_it(visit: Visit, service: SmallService) -> None:
    """It opened at the top: what is out of sight is not laid out, so that there was no way to scroll."""
    service.papers["default"].append(Paper("stations.csv", STATIONS))
    for width in (1280, 390):
        page = visit(viewport={"width": width, "height": 800})
        answered(page, ROW)
        page.locator(".reference").first.click()
        row = page.locator(".document tr.cited")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("ST-220")
        expect(row).to_be_in_viewport()
        expect(row.locator(".copied")).to_have_text("Per Lind")
        expect(row.locator(".copied")).to_be_in_viewport()
        plain = page.locator(".document tbody tr:not(.cited) td").first
        colour = "node => getComputedStyle(node).backgroundColor"
        assert row.locator("td").first.evaluate(colour) != plain.evaluate(colour)
        expect(page.locator(".document thead th").first).to_be_in_viewport()  # the header stays above its rows
        key, cell = row.locator("td").first.bounding_box(), row.locator("td", has_text="Per Lind").bounding_box()
        assert key
        assert cell
        assert cell["x"] >= key["x"] + key["width"] - 1  # and the column that stays covers nothing of the cell


def test_of_a_wide_row_the_cells_that_matter_are_shown_and_the_rest_on_demand(
    visit: Visit, service: SmallService
) -> None:
    """All nine cells were shown for an answer of one."""
    service.papers["default"].append(Paper("stations.csv", STATIONS))
    page = visit()
    answered(page, ROW)
    assert texts(page, ".answer > .scroll tr") == [["Station", "Kes220"], ["Keeper", "Per Lind1"]]
    expect(page.locator(".answer > .scroll strong")).to_have_text("Per Lind")
    note = page.locator(".footnote blockquote").first
    expect(note.locator(".cells")).to_have_text("Station: Kes220 Keeper: Per Lind")
    expect(note.locator("mark").first).to_have_text("Per Lind")
    whole = page.locator(".answer > .whole")
    expect(whole.get_by_role("table")).to_be_hidden()
    whole.get_by_text("Whole row").click()
    expect(whole.get_by_role("table")).to_contain_text("Fence needs mending before winter; key kept at the post office")
    assert len(texts(page, ".answer > .whole tr")) == 9


def test_of_passages_of_wide_rows_those_that_fit_are_shown_in_short(visit: Visit, service: SmallService) -> None:
    service.papers["default"] = [Paper("stations.csv", STATIONS)]
    page = visit()
    page.locator("#question").fill("inspector of Kes105")
    page.get_by_role("button", name="Find passages only").click()
    lines = page.locator(".passages .cells")
    expect(lines).to_have_count(1)
    expect(lines).to_have_text("Station: Kes105 Inspector: Jo Marsh")
    expect(page.locator(".passages summary")).to_have_text("Whole rows")


def test_a_workbook_is_drawn_as_a_grid_for_each_sheet(visit: Visit, service: SmallService) -> None:
    """One line between the rows, and the whole sheet was shown as lines of text."""
    service.papers["default"] = [Paper("budget.xlsx", WORKBOOK)]
    page = visit()
    page.get_by_role("link", name="Documents").click()
    page.get_by_role("button", name="budget.xlsx", exact=True).click()
    expect(page.locator(".document .sheet-name")).to_have_text(["Sheet Budget", "Sheet Staff", "Sheet Form"])
    grids = page.locator(".document .grid")
    expect(grids).to_have_count(3)
    expect(grids.nth(0).locator("th")).to_have_text(["Item", "2023", "2024"])
    assert texts(page, ".document .scroll:nth-of-type(1) tbody tr")[:3] == [
        ["Roof", "900", "950"], ["Fuel", "", "310"], ["Boat", "70", "80"],
    ]  # fmt: skip
    expect(page.locator(".document")).to_contain_text("All amounts in pounds")
    expect(grids.nth(0).locator("td[colspan]")).to_have_text("Checked by Ada Holm")
    expect(grids.nth(1).locator("th")).to_have_text(["Name", "Role", "Joined"])
    expect(grids.nth(2).locator("th")).to_have_text(["Approved by", "Approved on"])  # a form: labels beside values
    expect(grids.nth(2).locator("td")).to_have_text(["Ada Holm", "2024-03-02"])


def test_a_footnote_says_which_sheet_it_stands_on(visit: Visit, service: SmallService) -> None:
    service.papers["default"].append(Paper("budget.xlsx", WORKBOOK))
    page = visit()
    answered(page, SHEET)
    expect(page.locator(".footnote .place").first).to_have_text("sheet Budget")
    expect(page.locator(".reference").first).to_have_attribute("title", "Footnote 1: budget.xlsx, sheet Budget")
    page.locator(".reference").first.click()
    expect(page.locator("#reader-place .place")).to_have_text("sheet Budget")
    expect(page.locator(".document tr.cited .quote")).to_have_text(["Fuel", "310"])
    expect(page.locator(".document tr.cited td")).to_have_count(3)


def test_places_are_told_by_the_names_of_sheets_and_slides(visit: Visit) -> None:
    page = visit()
    told = page.evaluate(
        """async () => {
            const { placeOf } = await import("/page/elements.js");
            return [
                placeOf({ page: 2, page_name: "Costs", source: "/a/plan.pptx" }),
                placeOf({ page: 4, page_name: "", source: "/a/plan.pptx" }),
                placeOf({ page: 1, page_name: "Budget", source: "/a/b.ods" }),
                placeOf({ page: 3, page_name: "", source: "/a/b.pdf" }),
                placeOf({ page: null, line: 7, source: "/a/b.csv" }),
                placeOf({ page: null, line: null, source: "note" }),
            ];
        }"""
    )
    assert told == ["slide 2 (Costs)", "slide 4", "sheet Budget", "page 3", "line 7", ""]


def test_wide_tables_scroll_in_their_own_box(visit: Visit, service: SmallService) -> None:
    """On a telephone a row with a long name of a column pushed the page out sideways."""
    long = STATIONS.replace("Wettest month", "Thewettestmonthofthewholeyearasmeasuredatthestation")
    service.papers["default"] = [*service.papers["default"], Paper("stations.csv", long)]
    page = visit(viewport={"width": 390, "height": 844})
    wide = "document.documentElement.scrollWidth - innerWidth"
    for question in (ROW, "Wages, all of them?", "Bread, how much?"):
        answered(page, question)
        for each in page.locator(".whole summary").all():
            each.click()
        assert page.evaluate(wide) <= 0, question
        for box in page.locator(".answer .scroll").all():
            found = box.bounding_box()
            assert found is not None
            assert found["x"] + found["width"] <= 390, question
    page.get_by_text("How this was found").last.click()
    assert page.evaluate(wide) <= 0
    page.get_by_role("link", name="Documents").click()
    page.get_by_role("button", name="stations.csv", exact=True).click()
    expect(page.locator(".document .grid")).to_be_visible()
    assert page.evaluate(wide) <= 0
    box = page.locator(".document .scroll").first
    assert box.evaluate("node => node.scrollWidth > node.clientWidth && node.clientWidth <= 390")
