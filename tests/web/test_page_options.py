"""How a question is asked: narrowed to a document, a folder, fields; of several collections; how strictly."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.web.conftest import Visit
from tests.web.papers import Paper, Refusal
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
    assert page.locator("#filter-key option").all_text_contents() == ["type", "last changed"]
    values = page.locator("#filter-values option").evaluate_all("nodes => nodes.map((node) => node.value)")
    assert values == ["markdown"]
    page.locator("#filter-value").fill("markdown")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("#filter-key").select_option("modified")
    assert page.locator("#filter-operator option").all_text_contents() == ["from", "until", "is"]
    page.locator("#filter-value").fill("2024-05")
    page.keyboard.press("Enter")
    assert page.locator(".chip").all_text_contents() == ["type is markdown×", "last changed from 2024-05×"]
    assert service.asked == []  # Enter added the filter, and asked nothing
    answered(page)
    assert service.asked[0]["filters"] == ["format=markdown", "modified>=2024-05"]


def test_what_is_wrong_with_a_filter_is_said_while_it_is_written(visit: Visit, service: SmallService) -> None:
    """It was said when the question had been asked, in the words of the command line ("--filter")."""
    page = visit()
    options(page)
    value, said = page.locator("#filter-value"), page.locator("#filter-said")
    value.press_sequentially("mark")
    expect(said).to_have_text("")
    value.press_sequentially("up")
    expect(said).to_have_text("No document has “markup” as its type. There is: markdown.")
    expect(value).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".chip")).to_have_count(0)
    value.fill("mark")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("No document has “mark”")  # a beginning is none
    value.fill("Markdown")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_text("type is markdown×")
    page.locator("#filter-key").select_option("modified")
    value.press_sequentially("2024-1")
    expect(said).to_have_text("")
    for wrong in ("spring", "2024-13", "2024-02-30"):
        value.fill(wrong)
        expect(said).to_have_text(
            f"“{wrong}” is not a date. Write a year, a month or a day: 2024, 2024-05 or 2024-05-31."
        )
    value.fill("")
    expect(said).to_have_text("")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(said).to_contain_text("Write a value first")
    for day in ("2023-01-05", "2024"):
        value.fill(day)
        page.keyboard.press("Enter")
    assert page.locator(".chip").all_text_contents() == ["type is markdown×", "last changed from 2024×"]
    assert service.asked == []


def test_an_error_about_a_filter_is_told_in_the_words_of_the_page(visit: Visit, service: SmallService) -> None:
    hint = "For example: --filter 'date>=2024-01-31'"
    page = visit()
    page.wait_for_load_state("networkidle")
    service.refusals.append(Refusal(400, "usage", "'x' is not a date, and the field 'date' holds dates.", hint))
    answered_with_error(page)
    expect(page.locator(".turn .hint")).to_have_text(
        "Take the condition above the question away, or set another one under Options."
    )


def answered_with_error(page: Page) -> None:
    page.locator("#question").fill("When?")
    page.keyboard.press("Enter")
    page.locator(".turn .error").wait_for()


def test_the_options_close_with_the_question_and_what_differs_is_noted(visit: Visit, service: SmallService) -> None:
    page = visit()
    answered(page)
    expect(page.locator(".how")).to_have_count(0)
    options(page)
    page.locator("#many").select_option("10")
    page.locator("#filter-value").fill("markdown")
    page.get_by_role("button", name="Add", exact=True).click()
    answered(page, "Who opened it?")
    expect(page.locator("#options")).to_be_hidden()
    expect(page.get_by_role("button", name="Options (2)")).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".how")).to_have_text("Asked with: type is markdown · passages: 10")
    assert service.asked[-1]["k"] == 10
    answered(page)
    assert service.asked[-1]["filters"] == ["format=markdown"]  # what was set stays


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


def test_a_link_to_a_collection_that_does_not_exist_says_so_and_asks_nothing(
    visit: Visit, address: str, service: SmallService
) -> None:
    """It was answered from the default collection, without a word."""
    page = visit(f"{address}#q=When+was+it%3F&c=nope")
    expect(page.locator(".asked")).to_have_text("When was it?")
    expect(page.get_by_role("alert")).to_have_text(
        "There is no collection “nope”.There are: “default”, “other”. Nothing was asked."
    )
    assert service.asked == []
    page.goto(f"{address}#q=When+was+it%3F&c=default&c=nope")
    expect(page.get_by_role("alert")).to_contain_text("There is no collection “nope”.")
    assert service.asked == []
    answered(page)  # of the one that is chosen
    assert service.asked[0]["collection"] == "default"
    assert page.url.endswith("&c=default")
