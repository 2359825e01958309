"""A conversation: questions below one another, its address, Back and reload, and what is taken along of it."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.web.conftest import Visit
from tests.web.small_service import SmallService
from tests.web.steps import OPENED, answered, ask, begin_anew


def questions(page: Page) -> list[str]:
    return page.locator(".asked").all_text_contents()


def test_questions_and_answers_stand_below_one_another_and_each_follows_those_before(
    visit: Visit, service: SmallService
) -> None:
    page = visit()
    answered(page)
    answered(page, "Who opened it?")
    expect(page.locator(".read-as")).to_have_text(f"read as: {OPENED} Who opened it?")
    answered(page, "Who opened it?")
    assert questions(page) == [OPENED, "Who opened it?", "Who opened it?"]
    assert [asked["history"] for asked in service.asked] == [[], [OPENED], [OPENED]]  # asked again, it follows the same
    begin_anew(page)
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#question")).to_be_focused()
    answered(page, "Who opened it?")
    expect(page.locator(".read-as")).to_have_count(0)
    assert service.asked[-1]["history"] == []


def test_one_key_begins_a_new_conversation_and_so_does_another_collection(visit: Visit) -> None:
    page = visit()
    answered(page)
    page.keyboard.press("c")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#try")).to_be_visible()
    answered(page)
    page.locator("#collection").select_option("other")
    expect(page.locator(".turn")).to_have_count(0)
    assert page.url.endswith("#ask")


def test_after_enter_the_answer_has_the_focus_and_digits_open_its_footnotes(visit: Visit) -> None:
    page = visit()
    answered(page)
    answered(page, "Who opened it?")
    expect(page.locator(".turn").last).to_be_focused()
    page.keyboard.press("2")
    expect(page.locator("#reader-label")).to_have_text("Footnote 2 of 2")
    page.keyboard.press("Escape")
    page.locator(".turn").first.focus()
    page.keyboard.press("1")  # of the turn that has the focus
    expect(page.locator("#reader-label")).to_have_text("Footnote 1")
    expect(page.locator(".document .copied")).to_have_text("1921")


def test_escape_leaves_a_field_for_the_answer(visit: Visit) -> None:
    page = visit()
    answered(page)
    page.locator("#question").fill("And then")
    page.keyboard.press("Escape")
    expect(page.locator(".turn")).to_be_focused()
    expect(page.locator("#question")).to_have_value("And then")
    page.keyboard.press("1")
    expect(page.locator("#reader")).to_be_visible()


def test_every_key_is_listed(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Keys").click()
    listed = {key for key in page.locator("#keys kbd").all_text_contents() if len(key) == 1}
    assert listed == {"/", "1", "9", "n", "p", "c", "v", "w", "o", "d", "a", "?"}


def test_on_a_telephone_the_answer_begins_in_the_upper_third(visit: Visit) -> None:
    page = visit(viewport={"width": 375, "height": 740}, has_touch=True)
    for question in (OPENED, "Who opened it?", "Maybe it snowed?"):
        answered(page, question)
        page.wait_for_timeout(200)
        box = page.locator(".turn").last.locator(".text").first.bounding_box()
        assert box is not None
        assert 0 < box["y"] < 740 / 3, question


def test_the_address_holds_the_conversation_and_the_open_footnote_through_reload_and_back(
    visit: Visit, service: SmallService
) -> None:
    page = visit()
    answered(page)
    answered(page, "Who opened it?")
    assert page.url.partition("#")[2] == "q=When+was+the+archive+opened%3F&q=Who+opened+it%3F&c=default"
    page.keyboard.press("2")
    expect(page.locator("#reader-place")).to_contain_text("page 3")
    assert page.url.endswith("&c=default&n=2")
    page.reload()
    expect(page.locator("#reader-label")).to_have_text("Footnote 2 of 2")
    assert questions(page) == [OPENED, "Who opened it?"]
    assert len(service.asked) == 2  # the answers were kept in the browser
    page.go_back()
    expect(page.locator("#reader")).to_be_hidden()
    page.go_back()
    expect(page.locator(".turn")).to_have_count(1)
    page.go_back()
    expect(page.locator("#try")).to_be_visible()
    page.go_forward()
    expect(page.locator(".text")).to_contain_text("1921")
    assert len(service.asked) == 2


def test_an_address_asks_its_questions_where_no_answer_is_kept(
    visit: Visit, service: SmallService, address: str
) -> None:
    page = visit(f"{address}#q=When+was+it%3F&q=Who+opened+it%3F&c=default&k=3&f=format%3Dmarkdown&n=1")
    expect(page.locator("#reader-label")).to_have_text("Footnote 1 of 2")
    told = [(asked["question"], asked["history"], asked["k"], asked["filters"]) for asked in service.asked]
    assert told == [
        ("When was it?", [], 3, ["format=markdown"]), ("Who opened it?", ["When was it?"], 3, ["format=markdown"]),
    ]  # fmt: skip


def test_a_footnote_of_an_earlier_answer_has_an_address_too(visit: Visit) -> None:
    page = visit()
    answered(page, "Who opened it?")
    answered(page)
    page.locator(".turn").first.locator(".reference").last.click()
    assert page.url.endswith("&t=1&n=2")
    page.reload()
    expect(page.locator("#reader-label")).to_have_text("Footnote 2 of 2")
    expect(page.locator(".document .copied")).to_have_text("212 days")


def test_a_passage_has_an_address_too(visit: Visit) -> None:
    page = visit()
    answered(page, "What is Kestrel?")
    page.locator(".passages .open").nth(1).click()
    assert page.url.endswith("&p=2")
    page.reload()
    expect(page.locator("#reader-label")).to_have_text("Passage 2 of 3")


def test_a_hostile_address_is_text(visit: Visit, address: str) -> None:
    page = visit(f"{address}#q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&c=%3Cb%3E&in=../../x&n=%3C9&t=-4&p=zz&k=1e9")
    expect(page.locator(".asked")).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.locator(".turn img")).to_have_count(0)


def test_an_answer_is_copied_in_four_forms(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    answered(page, "Who opened it?")
    forms = {}
    page.get_by_text("Copy as").click()
    for name in ("Markdown", "Plain text", "BibTeX", "JSON"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        forms[name] = page.evaluate("navigator.clipboard.readText()")
        expect(page.get_by_role("button", name="Copied")).to_have_count(0)
    assert forms["Markdown"].startswith("## Who opened it?\n\nAda Holm and Per Lind; the sky is green.[^1]")
    assert forms["Plain text"].startswith("Who opened it?\n\nAda Holm and Per Lind; the sky is green. [1]")
    assert forms["BibTeX"].split("\n\n")[1] == (
        "@misc{rain-pdf,\n  title = {{Rain fell on 212 days.}},\n  howpublished = {/papers/rain.pdf},\n"
        "  note = {page 3: “Rain fell on 212 days.”}\n}"
    )
    kept = json.loads(forms["JSON"])
    assert kept["citations"][1]["marks"] == [[13, 21]]
    assert "texts" not in kept


def test_an_upload_goes_by_the_name_that_a_person_gave_it(visit: Visit, service: SmallService) -> None:
    service.papers["default"][0].origin = "upload"
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    answered(page)
    page.get_by_text("Copy as").click()
    page.get_by_role("button", name="BibTeX").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "/papers/" not in page.evaluate("navigator.clipboard.readText()")
    page.locator(".reference").click()
    expect(page.locator("#reader-place .source")).to_have_text("archive.md")
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    expect(page.get_by_role("button", name="Copy path")).to_have_count(0)


def test_a_conversation_is_saved_as_a_file(visit: Visit) -> None:
    page = visit()
    answered(page)
    answered(page, "Who opened it?")
    page.get_by_text("Export").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Markdown").click()
    assert saved.value.suggested_filename == "conversation.md"
    text = saved.value.path().read_text(encoding="utf-8")
    first = f"## {OPENED}\n\n1921[^1-1] `[^1]`\n\n[^1-1]: a footnote"  # code is no footnote
    second = "## Who opened it?\n\nAda Holm and Per Lind; the sky is green.[^2-1] `[^1]`\n\n[^2-1]: a footnote"
    assert text == f"# {OPENED}\n\n{first}\n\n---\n\n{second}\n"
    page.get_by_text("Export").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="JSON").click()
    told = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert [each["question"] for each in told] == [OPENED, "Who opened it?"]


def test_a_failed_question_can_be_asked_again(visit: Visit) -> None:
    page = visit()
    ask(page, "Broken, is it?")
    expect(page.get_by_role("alert")).to_be_visible()
    page.route("**/v1/ask", lambda route: route.continue_(post_data=route.request.post_data.replace("Broken", "When")))
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".text")).to_contain_text("1921")


def test_what_is_offered_can_be_asked_and_opened_at_once(visit: Visit, service: SmallService) -> None:
    page = visit()
    expect(page.locator("#question")).to_have_attribute("placeholder", "For example: Who opened it?")
    expect(page.locator("#recent-list button")).to_have_text(["archive.md", "rain.pdf"])
    page.locator("#recent-list button").first.click()
    expect(page.locator(".document h3")).to_have_text("The archive")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=OPENED).click()
    expect(page.locator(".text")).to_contain_text("1921")
    assert service.asked[0]["question"] == OPENED


def test_passages_are_shown_before_the_answer_and_can_be_opened_meanwhile(visit: Visit, service: SmallService) -> None:
    page = visit()
    ask(page, "Draft something.")
    expect(page.locator(".coming .passages .footnote")).to_have_count(3)
    page.locator(".coming .open").first.click()
    expect(page.locator(".document h3")).to_contain_text("The archive")
    service.may_end.set()
    expect(page.locator(".refusal")).to_be_visible()
