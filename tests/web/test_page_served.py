"""The page and the real service together, from the upload to the footnote in its PDF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fpdf import FPDF
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from indexer.collection import Collection
from tests.serving import listening, service_of
from tests.web.conftest import Visit
from tests.worlds import WordEncoder, write_folder

TOKEN = "a-token-of-more-than-sixteen-characters"


def pdf() -> bytes:
    """Return a PDF that says something on its second page."""
    file = FPDF()
    file.set_font("Helvetica", size=12)
    for text in ("This page tells of other things.", "The lighthouse keeper painted the door green in spring."):
        file.add_page()
        file.multi_cell(0, text=text)
    return bytes(file.output())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home with one collection, indexed without a model."""
    Collection("world", tmp_path / "home", WordEncoder()).sync([write_folder(tmp_path / "files")])
    return tmp_path / "home"


@pytest.fixture
def address(home: Path) -> Iterator[str]:
    with listening(service_of(home)) as (host, port):
        yield f"http://{host}:{port}/"


def ask(page: Page, question: str) -> None:
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")


def test_a_question_is_answered_its_footnote_opened_and_checked(visit: Visit) -> None:
    page = visit()
    ask(page, "How is green tea steeped?")
    expect(page.locator(".text")).to_contain_text("Green tea is steeped at eighty degrees.")
    expect(page.locator(".footnote .place")).to_have_text("line 3")
    page.locator(".reference").click()
    expect(page.locator(".document .copied")).to_have_text("Green tea is steeped at eighty degrees.")
    expect(page.locator(".document h3")).to_have_text("Tea")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Check the footnotes").click()
    expect(page.locator(".checked")).to_have_text("The quotations hold; that they answer the question is not checked.")
    page.get_by_text("How this was found").click()
    expect(page.locator(".explained tbody tr").first).to_contain_text("[1]")


def test_a_refusal_shows_the_nearest_passages(visit: Visit) -> None:
    page = visit()
    ask(page, "Who invented the zipper?")
    expect(page.locator(".refusal")).to_have_text("Nothing in these documents bears on this.")
    page.locator(".passages .open").first.click()
    expect(page.locator(".document .quote").first).to_be_visible()


def test_a_pdf_is_dropped_asked_about_and_removed(visit: Visit, home: Path) -> None:
    page = visit()
    page.get_by_role("link", name="Documents").click()
    page.locator("#files").set_input_files(
        [
            FilePayload(name="lighthouse.pdf", mimeType="application/pdf", buffer=pdf()),
            FilePayload(name="noise.bin", mimeType="a/b", buffer=b"\x00\x01\x02" * 99),
        ]
    )
    expect(page.locator(".upload.done")).to_contain_text("lighthouse.pdf")
    expect(page.locator(".upload.failed")).to_contain_text("noise.bin")
    page.get_by_role("link", name="Ask", exact=True).click()
    ask(page, "Who painted the lighthouse door?")
    expect(page.locator(".text")).to_contain_text("The lighthouse keeper painted the door green in spring.")
    expect(page.locator(".footnote .place")).to_have_text("page 2")
    page.locator(".reference").click()
    expect(page.get_by_role("img", name="Page 2 of lighthouse.pdf")).to_be_visible()
    expect(page.locator(".sheet .box").first).to_be_visible()
    page.get_by_role("tab", name="Text").click()
    expect(page.locator(".page-mark").last).to_have_text("page 2")
    expect(page.locator(".document .copied")).to_contain_text("painted the door green")
    expect(page.locator("#reader-name")).to_have_text("lighthouse.pdf")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Documents").click()
    page.get_by_role("button", name="Remove lighthouse.pdf").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#documents-list")).not_to_contain_text("lighthouse.pdf")
    expect(page.locator(".document-row")).to_have_count(4)


def test_a_collection_is_made_filled_brought_up_to_date_and_deleted(visit: Visit, home: Path) -> None:
    page = visit()
    page.get_by_role("link", name="Documents").click()
    page.get_by_label("New collection").fill("papers")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#collection")).to_have_value("papers")
    page.locator("#files").set_input_files(
        [FilePayload(name="owl.md", mimeType="text/markdown", buffer=b"# Owl\n\nThe owl sleeps until dusk.\n")]
    )
    expect(page.locator(".upload.done")).to_be_visible()
    page.get_by_role("button", name="Read changed files again").click()
    expect(page.locator("#library-said")).to_contain_text("1 unchanged")
    page.get_by_role("button", name="Delete the collection papers").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#collection")).to_have_value("world")
    assert not Collection("papers", home).exists


def test_a_question_without_a_word_is_refused_in_the_service_s_own_words(visit: Visit) -> None:
    page = visit()
    ask(page, "?!")
    expect(page.get_by_role("alert")).to_contain_text("The question holds no word.")


def test_a_question_that_comes_before_the_list_of_collections_is_asked_once_that_is_there(visit: Visit) -> None:
    page = visit()
    waiting: list[Route] = []
    page.route("**/v1/collections", lambda route: waiting.append(route))
    with page.expect_request("**/v1/collections"):
        page.reload(wait_until="commit")
    ask(page, "How is green tea steeped?")
    expect(page.locator("#said")).to_contain_text("Fetching the collections")
    for route in waiting:
        route.continue_()
    page.unroute("**/v1/collections")
    expect(page.locator(".text")).to_contain_text("Green tea is steeped at eighty degrees.")
    expect(page.locator(".turn")).to_have_count(1)


def test_where_a_token_is_wanted_the_browser_asks_for_it(browser: Browser, home: Path) -> None:
    with listening(service_of(home, token=TOKEN)) as (host, port):
        context = browser.new_context(http_credentials={"username": "", "password": TOKEN})
        page = context.new_page()
        page.goto(f"http://{host}:{port}/")
        ask(page, "How is green tea steeped?")
        expect(page.locator(".text")).to_contain_text("Green tea is steeped at eighty degrees.")
        context.close()
