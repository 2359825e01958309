"""The document beside the answer: pages of PDFs as pictures, tables as grids, marks of a format as what they mean."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.web.conftest import Visit
from tests.web.papers import PRICES, WAGES, Paper
from tests.web.small_service import SmallService
from tests.web.steps import answered

BOXES: dict[int, list[list[float]]] = {1: [], 2: [], 3: [[0.1, 0.25, 0.6, 0.3]], 4: []}


def open_rain(page: Page) -> None:
    """Ask what rain.pdf answers on its page 3, and open that footnote."""
    answered(page, "Who opened it?")
    page.locator(".turn").last.locator(".reference").last.click()
    expect(page.locator("#reader-name")).to_have_text("rain.pdf")


def test_a_footnote_in_a_pdf_opens_its_page_with_the_quotation_boxed(visit: Visit, service: SmallService) -> None:
    service.pages["rain.pdf"] = BOXES
    page = visit()
    open_rain(page)
    image = page.get_by_role("img", name="Page 3 of rain.pdf")
    expect(image).to_be_visible()
    assert image.evaluate("node => node.decode().then(() => node.naturalWidth)") == 90
    expect(page.locator(".page-number")).to_have_text("page 3 of 4")
    sheet, box = page.locator(".sheet").bounding_box(), page.locator(".box.quote").bounding_box()
    assert sheet is not None
    assert box is not None
    assert abs((box["x"] - sheet["x"]) / sheet["width"] - 0.1) < 0.01
    assert abs((box["y"] - sheet["y"]) / sheet["height"] - 0.25) < 0.01
    assert abs(box["width"] / sheet["width"] - 0.5) < 0.01
    expect(page.locator(".box.copied")).to_have_count(1)  # the words that were copied, in the quotation
    expect(page.locator(".document")).to_have_count(0)


def test_pages_are_turned_and_looked_at_closely(visit: Visit, service: SmallService) -> None:
    service.pages["rain.pdf"] = BOXES
    page = visit()
    open_rain(page)
    expect(page.locator(".box.quote")).to_have_count(1)
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_role("img", name="Page 4 of rain.pdf")).to_be_visible()
    expect(page.locator(".box")).to_have_count(0)
    expect(page.get_by_role("button", name="Next page")).to_be_disabled()
    page.get_by_role("button", name="To the quotation").click()
    expect(page.locator(".box.quote")).to_have_count(1)
    page.get_by_role("button", name="Previous page").click()
    expect(page.locator(".page-number")).to_have_text("page 2 of 4")
    width = page.locator(".sheet").bounding_box()["width"]  # type: ignore[index]
    for _ in range(2):
        page.get_by_role("button", name="Larger").click()
    expect(page.locator(".zoomed")).to_have_text("200%")
    larger = page.locator(".sheet").bounding_box()["width"]  # type: ignore[index]
    assert abs(larger / width - 2) < 0.02
    expect(page.get_by_role("button", name="Smaller")).to_be_enabled()
    page.wait_for_timeout(300)
    assert ("rain.pdf", 2, "3") in service.drawn  # drawn larger where it is looked at closely
    assert ("rain.pdf", 3, "1.5") in service.drawn


def test_the_text_is_the_other_tab(visit: Visit, service: SmallService) -> None:
    service.pages["rain.pdf"] = BOXES
    page = visit()
    open_rain(page)
    page.get_by_role("tab", name="Text").click()
    expect(page.locator(".document .copied")).to_have_text("212 days")
    expect(page.locator(".sheet")).to_have_count(0)
    expect(page.get_by_role("tab", name="Text")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("img", name="Page 3 of rain.pdf")).to_be_visible()
    expect(page.get_by_role("tab", name="Page")).to_be_focused()


def test_where_the_place_is_not_certain_nothing_is_marked(visit: Visit, service: SmallService) -> None:
    service.pages["rain.pdf"] = {**BOXES, 3: []}
    page = visit()
    open_rain(page)
    expect(page.get_by_role("img", name="Page 3 of rain.pdf")).to_be_visible()
    expect(page.locator(".box")).to_have_count(0)
    expect(page.locator(".uncertain")).to_contain_text("is not certain")


def test_where_no_page_can_be_drawn_the_text_is_shown_alone(visit: Visit) -> None:
    page = visit()
    open_rain(page)
    expect(page.locator(".document .copied")).to_have_text("212 days")
    expect(page.locator("#reader-tabs")).to_be_hidden()


def test_a_pdf_that_has_been_indexed_anew_is_shown_as_text_and_says_so(visit: Visit, service: SmallService) -> None:
    service.pages["rain.pdf"] = BOXES
    page = visit()
    answered(page, "Who opened it?")
    service.papers["default"][1].text += "More."
    page.locator(".reference").last.click()
    expect(page.locator("#reader .warning").first).to_contain_text("indexed anew")
    expect(page.locator(".sheet")).to_have_count(0)


def test_a_row_that_answers_stands_under_its_header(visit: Visit, service: SmallService) -> None:
    service.papers["default"].append(Paper("prices.csv", PRICES))
    page = visit()
    answered(page, "Bread, how much?")
    table = page.locator(".answer .grid").first
    assert table.locator("th").all_text_contents() == ["item", "price", "note"]
    assert table.locator("tbody td").all_text_contents() == ["bread", "3", "baked: daily", "1"]
    expect(table.locator("strong")).to_have_text("3")
    page.locator(".reference").click()
    grid = page.locator(".document .grid")
    expect(grid).to_be_visible()
    assert grid.locator("th").all_text_contents() == ["item", "price", "note"]
    rows = [row.locator("td").all_text_contents() for row in grid.locator("tbody tr").all()]
    assert [cell.removeprefix("Quotation: ").split(" End of")[0] for cell in rows[0]] == ["bread", "3", "baked: daily"]
    assert rows[1:] == [["milk", "2", ""], ["tea, green", "9", "loose"]]
    expect(grid.locator(".copied")).to_have_text("3")


def test_rows_of_a_table_stand_together_under_the_header_of_the_document(visit: Visit, service: SmallService) -> None:
    service.papers["default"].append(Paper("wages.md", WAGES))
    page = visit()
    answered(page, "Wages, all of them?")
    table = page.locator(".answer .grid").first
    assert table.locator("th").all_text_contents() == ["Trade", "Wage", "Since"]
    rows = [row.locator("td").all_text_contents() for row in table.locator("tbody tr").all()]
    assert rows == [["mason", "12", "1920", "1"], ["baker", "9", "1919", "2"]]
    page.locator(".reference").last.click()
    expect(page.locator(".document .grid th")).to_have_text(["Trade", "Wage", "Since"])
    expect(page.locator(".document .grid .copied").first).to_have_text("baker")
    expect(page.locator(".document")).not_to_contain_text("|")


def test_a_yes_stands_with_its_sentence(visit: Visit) -> None:
    page = visit()
    answered(page, "Yes, was the roof mended?")
    assert page.locator(".answer > .text").all_text_contents() == ["Yes.1", "The roof was mended in June 2019.1"]
    expect(page.locator(".answer > .text strong").first).to_have_text("Yes.")


MARKED = """# Keys

Press **both** keys, *never* one; see [the manual](http://evil.example/x) and type `open *all*`.

1. First
2. Then `go`
   on

```sh
open --door
```
"""


def test_markdown_is_shown_as_read_and_leads_nowhere(visit: Visit, service: SmallService) -> None:
    service.papers["default"][0] = Paper("archive.md", MARKED)
    page = visit()
    page.get_by_role("link", name="Documents").click()
    page.get_by_role("button", name="archive.md", exact=True).click()
    text = page.locator(".document p").first
    expect(text).to_have_text("Press both keys, never one; see the manual and type open *all*.")
    expect(text.locator("strong")).to_have_text("both")
    expect(text.locator("em")).to_have_text("never")
    expect(text.locator("code")).to_have_text("open *all*")
    expect(page.locator(".document a")).to_have_count(0)
    expect(page.locator(".document ol li").first).to_be_visible()
    assert [" ".join(each.split()) for each in page.locator(".document ol li").all_text_contents()] == [
        "First", "Then go on",
    ]  # fmt: skip


REST = """* Boats wait **below**.

.. note:: Mind the *gate*.

.. code-block:: sh

   open --gate

=====  ====
Boat   Fee
=====  ====
Yacht  12
Canoe  3 *
=====  ====
"""


def test_restructuredtext_is_shown_as_read(visit: Visit, service: SmallService) -> None:
    """Directives and simple tables were shown as they are written."""
    service.papers["default"][0] = Paper("lock.rst", REST)
    page = visit()
    page.get_by_role("link", name="Documents").click()
    page.get_by_role("button", name="lock.rst", exact=True).click()
    shown = page.locator(".document")
    expect(shown.locator("li strong")).to_have_text("below")
    expect(shown.locator("p", has_text="Note")).to_have_text("Note Mind the gate.")
    expect(shown.locator("table")).to_have_count(1)
    assert [cell.inner_text() for cell in shown.locator("th, td").all()] == [
        "Boat", "Fee", "Yacht", "12", "Canoe", "3 *",
    ]  # fmt: skip
    assert not re.search(r"==|::", shown.inner_text())


def test_marks_of_a_format_are_told_in_characters(visit: Visit) -> None:
    page = visit()
    told = page.evaluate(
        """async () => {
            const { inlineMarks } = await import("/page/inline.js");
            const named = (text, format) => inlineMarks(text, format).map(({start, end, name}) => [start, end, name]);
            return [
                named("🦉 **a** `*b*`", "markdown"),
                named("``a`` :ref:`b` `c <http://x>`_", "rst"),
                named("snake_case_name 2*3*4 **", "markdown"),
                named("**a**", "pdf"),
                named("* a", "pdf"),
                named("- a\\n- b", "markdown"),
                named("[a][b]", "markdown"),
                named("x\\n```sh\\na *b*\\n```", "markdown"),
            ];
        }"""
    )
    assert [sorted(each) for each in told] == [
        [[2, 4, "gone"], [4, 5, "strong"], [5, 7, "gone"], [8, 9, "gone"], [9, 12, "code"], [12, 13, "gone"]],
        [
            [0, 2, "gone"], [2, 3, "code"], [3, 5, "gone"], [6, 12, "gone"], [12, 13, "code"], [13, 14, "gone"],
            [15, 16, "gone"], [17, 30, "gone"],
        ],
        [],
        [],
        [[0, 2, "gone"]],
        [],
        [[0, 1, "gone"], [2, 6, "gone"]],
        [[2, 8, "gone"], [8, 13, "code"], [13, 17, "gone"]],
    ]  # fmt: skip


def test_a_document_s_file_can_be_opened_and_its_path_copied(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    answered(page)
    page.locator(".reference").click()
    link = page.get_by_role("link", name="Open file")
    assert (link.get_attribute("href") or "").endswith("/file")
    assert link.get_attribute("rel") == "noopener noreferrer"
    page.get_by_role("button", name="Copy path").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "/papers/archive.md"
