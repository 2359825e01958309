"""How a question is asked: narrowed to a document, a folder, fields; of several collections; how strictly."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.web.conftest import Visit
from tests.web.papers import Paper
from tests.web.small_service import SmallService
from tests.web.steps import answered


def options(page: Page) -> None:
    page.get_by_role("button", name="Options").click()
    expect(page.locator("#options")).to_be_visible()


def test_a_question_is_asked_in_the_open_document_until_that_is_taken_back(visit: Visit, service: SmallService) -> None:
    page = visit()
    answered(page)
    page.locator(".reference").click()
    page.get_by_role("button", name="Ask in this document").click()
    expect(page.locator(".chip")).to_have_text("in archive.md×")
    expect(page.locator(".turn")).to_have_count(0)
    answered(page, "Who opened it?")
    assert service.asked[-1]["filters"] == ["source=/papers/archive.md"]
    assert "&in=" in page.url
    page.reload()
    expect(page.locator(".chip")).to_have_text("in archive.md×")
    page.get_by_role("button", name="No longer in archive.md").click()
    expect(page.locator("#question")).to_be_focused()
    answered(page)
    assert service.asked[-1]["filters"] == []


def test_a_question_is_asked_in_a_folder(visit: Visit, service: SmallService) -> None:
    page = visit()
    answered(page)
    page.locator(".reference").click()
    page.get_by_role("button", name="Ask in its folder").click()
    expect(page.locator(".chip")).to_have_text("in the folder /papers×")
    answered(page)
    assert service.asked[-1]["filters"] == ["source=/papers/*"]


def test_filters_are_offered_from_the_fields_that_there_are(visit: Visit, service: SmallService) -> None:
    page = visit()
    options(page)
    assert page.locator("#filter-key option").all_text_contents() == ["format", "modified"]
    values = page.locator("#filter-values option").evaluate_all("nodes => nodes.map((node) => node.value)")
    assert values == ["markdown"]
    page.locator("#filter-value").fill("markdown")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("#filter-key").select_option("modified")
    assert page.locator("#filter-operator option").all_text_contents() == ["from", "until", "is"]
    page.locator("#filter-value").fill("2024-05")
    page.keyboard.press("Enter")
    assert page.locator(".chip").all_text_contents() == ["format is markdown×", "modified from 2024-05×"]
    assert service.asked == []  # Enter added the filter, and asked nothing
    answered(page)
    assert service.asked[0]["filters"] == ["format=markdown", "modified>=2024-05"]


def test_passages_strictness_and_generator_are_sent(visit: Visit, service: SmallService) -> None:
    page = visit()
    options(page)
    page.locator("#many").select_option("20")
    page.locator("#careful").select_option("0.05")
    page.locator("#generator").select_option("quoting")
    answered(page)
    asked = service.asked[0]
    assert (asked["k"], asked["max_error"], asked["generator"]) == (20, 0.05, "quoting")
    page.reload()
    options(page)
    expect(page.locator("#generator")).to_have_value("quoting")


def test_collections_are_asked_together_and_the_surest_answer_comes_first(visit: Visit, service: SmallService) -> None:
    """Only “other” knows the archive: “default” has nothing on it."""
    service.papers["other"], service.papers["default"] = service.papers["default"], [Paper("a.md", "# A\n\nNothing.\n")]
    page = visit()
    page.evaluate("localStorage.clear()")
    options(page)
    page.get_by_role("checkbox", name="other").check()
    page.locator("#question").fill("What is Kestrel?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(1)
    page.locator(".other").wait_for()
    assert sorted(asked["collection"] for asked in service.asked) == ["default", "other"]
    expect(page.locator(".from")).to_have_text("From the collection default:")
    expect(page.locator(".other summary").first).to_have_text("other: nothing on this")
    assert page.url.endswith("&c=default&c=other")
    page.reload()
    expect(page.locator(".other")).to_have_count(1)
    expect(page.locator(".chip")).to_have_text("and in other×")
