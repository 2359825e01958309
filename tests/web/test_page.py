"""What a person does with the page: ask, read, open a footnote, be refused, stop."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Visit, hearing
from tests.web.papers import ARCHIVE, Refusal
from tests.web.small_service import SmallService
from tests.web.steps import answered, ask, begin_anew


def test_an_answer_stands_with_its_footnote_its_quotation_and_how_sure_it_is(
    visit: Visit, service: SmallService
) -> None:
    page = visit()
    answered(page)
    expect(page.get_by_role("heading", name="When was the archive opened?")).to_have_count(1)
    expect(page.locator("#question")).to_have_value("")  # it stands above its answer, and nowhere else
    expect(page.locator(".text")).to_have_text(
        re.compile("^The archive was opened in 1921 by .* since the fire.1$", re.DOTALL)
    )
    expect(page.locator(".text strong")).to_have_text("1921")
    expect(page.get_by_role("button", name="Footnote 1: archive.md, line 7")).to_be_visible()
    expect(page.locator(".confidence")).to_have_text("Confident, 83%")
    expect(page.get_by_text("83%")).to_have_count(1)
    expect(page.locator(".footnote mark")).to_have_text("1921")
    expect(page.locator(".footnote .trail")).to_have_text("The opening")
    expect(page.locator("#said")).to_have_text("Answered with 1 footnote.")  # for those who do not see it
    expect(page.locator(".turn")).to_be_focused()
    [asked] = service.asked
    assert (asked["question"], asked["collection"], asked["max_error"]) == (
        "When was the archive opened?", "default", None,
    )  # fmt: skip


def test_each_footnote_stands_behind_the_words_that_it_bears_out_and_the_rest_is_marked(visit: Visit) -> None:
    page = visit()
    answered(page, "Who opened it?")
    words = page.locator(".text").evaluate("node => [...node.childNodes].map((child) => child.textContent)")
    assert words == [
        "Ada Holm and Per Lind", "1", "2", "; ", "the sky is green. (not supported by the documents) ",
    ]  # fmt: skip
    expect(page.locator(".confidence")).to_have_text("Fairly sure, 61%")
    expect(page.locator(".warning")).to_contain_text("no passage supports it")


def test_a_footnote_opens_its_document_at_the_place_with_the_copied_words_marked(visit: Visit) -> None:
    """An owl stands before the words: the service counts characters, and JavaScript would count it twice."""
    page = visit()
    answered(page, "Who opened it?")
    reference = page.locator(".reference").first
    reference.click()
    expect(page.locator(".document .copied")).to_have_text("Ada Holm and Per Lind")
    expect(page.locator(".document .copied")).to_be_in_viewport()
    quoted = "".join(page.locator(".document .quote").all_text_contents())
    assert quoted == ARCHIVE.split("\n\n")[3]
    told = " ".join((page.locator(".document p", has=page.locator("mark")).text_content() or "").split())
    assert told == f"Quotation: {' '.join(quoted.split())} End of the quotation."  # where no colour is seen
    expect(page.locator("#reader-trail")).to_have_text("The archive › The opening")
    expect(page.locator("#reader-place")).to_contain_text("line 7")
    expect(page.locator(".document h3")).to_have_text("The archive")
    expect(page.locator("#reader-name")).to_be_focused()
    page.get_by_role("button", name="The next one").click()
    expect(page.locator("#reader-label")).to_have_text("Footnote 2 of 2")
    expect(page.locator("#reader-place")).to_contain_text("page 3")
    expect(page.locator(".page-mark")).to_have_text("page 3")
    expect(page.locator(".document .copied")).to_have_text("212 days")
    page.keyboard.press("Escape")
    expect(page.locator("#reader")).to_be_hidden()
    expect(reference).to_be_focused()


def test_a_long_document_opens_at_its_place_and_the_rest_comes_when_it_is_asked_for(
    visit: Visit, service: SmallService
) -> None:
    paper = service.papers["default"][0]
    paper.text = "Before it.\n\n" + "Much stands here.\n\n" * 2000 + ARCHIVE + "\n\n" + "More stands here.\n\n" * 3000
    page = visit()
    answered(page)
    page.locator(".reference").click()
    expect(page.locator(".document .copied")).to_have_text("1921")
    expect(page.locator(".document .copied")).to_be_in_viewport()
    assert page.locator(".document > *").count() < 2000
    page.get_by_role("button", name="Show what comes before").click()
    expect(page.locator(".document > *").first).to_have_text("Before it.")
    expect(page.get_by_role("button", name="Show what comes before")).to_have_count(0)
    for _ in range(2):
        page.get_by_role("button", name="Show what follows").click()
    expect(page.get_by_role("button", name="Show what follows")).to_have_count(0)
    expect(page.locator(".document p", has_text="More stands here.")).to_have_count(3000)
    expect(page.locator(".document .copied")).to_have_count(1)


def test_a_footnote_of_a_document_that_has_changed_says_so_and_marks_nothing(
    visit: Visit, service: SmallService
) -> None:
    page = visit()
    answered(page)
    service.papers["default"][0].text = ARCHIVE.replace("1921", "1922")
    page.locator(".reference").click()
    expect(page.locator("#reader .warning").first).to_contain_text("indexed anew")
    expect(page.locator("#reader .warning").last).to_contain_text("no longer stand at their place")
    expect(page.locator("#reader blockquote")).to_contain_text("opened in 1921")
    expect(page.locator(".document mark")).to_have_count(0)


def test_a_footnote_of_a_document_that_is_gone_still_shows_what_was_quoted(visit: Visit, service: SmallService) -> None:
    page = visit()
    answered(page)
    del service.papers["default"][0]
    page.locator(".reference").click()
    expect(page.locator("#reader .error")).to_contain_text("There is no such document.")
    expect(page.locator("#reader blockquote")).to_contain_text("opened in 1921")


def test_a_refusal_shows_the_nearest_passages_and_each_opens(visit: Visit) -> None:
    page = visit()
    ask(page, "What is Kestrel?")
    expect(page.locator(".refusal")).to_have_text("Nothing in these documents bears on this.")
    page.get_by_text("How this was found").click()
    expect(page.locator(".explained")).to_contain_text("a confidence of 12%")
    expect(page.locator(".passages .footnote")).to_have_count(3)
    page.get_by_role("button", name="Open passage 1: archive.md").click()
    expect(page.locator(".document h3 .quote")).to_have_text("The archive")  # without the mark of a heading
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open passage 2: rain.pdf page 3").click()
    expect(page.locator(".document .quote").first).to_contain_text("Rain fell on 212 days.")
    expect(page.locator("#reader-label")).to_have_text("Passage 2 of 3")


def test_the_nearest_passages_show_the_part_that_fits_with_the_words_of_the_question_in_bold(visit: Visit) -> None:
    page = visit()
    ask(page, "What is Kestrel?")
    nearest = page.locator(".passages blockquote")
    expect(nearest.first).to_have_text("… The archive …")
    expect(nearest.first.locator("strong")).to_have_text("The")


def test_what_comes_closest_does_not_look_like_an_answer(visit: Visit) -> None:
    page = visit()
    ask(page, "Maybe it snowed?")
    expect(page.locator(".answer.unsure .lead")).to_have_text("Not sure. The closest is:")
    expect(page.locator(".evidence")).to_have_text(
        "Snow fell on 9 days, and the archive was closed on two of them.1"
    )  # and not the No. that nobody is sure of
    expect(page.locator(".evidence strong")).to_have_text("closed")
    expect(page.locator(".confidence")).to_have_text("Confidence 31%")
    expect(page.locator(".note")).to_have_text("Read by its words.")
    expect(page.locator("h3")).to_have_text(["Footnotes", "See also", "The passages after it"])
    expect(page.locator(".passages .footnote")).to_have_count(1)  # the others are quoted above
    expect(page.locator("#said")).to_have_text("Not sure. The closest evidence has 2 footnotes.")
    border = page.locator(".answer").evaluate("node => getComputedStyle(node).borderStyle")
    assert border == "dashed"
    begin_anew(page)
    expect(page.locator("#past-list .earlier")).to_contain_text("Not sure: No. Snow fell")


def test_lists_are_lists_and_code_is_code_with_a_button_that_copies_it(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    ask(page, "Steps, please.")
    expect(page.locator("ul.items li")).to_have_text(["a pencil", "a lamp"])  # with the marks of a list, not the text's
    assert page.locator(".answer pre code").evaluate("node => node.textContent") == "    open --door 1\n    go in"
    expect(page.locator(".answer > .text").last).to_have_text("1")  # its footnote is no part of the code
    expect(page.locator(".answer > .text").first).to_have_text("Bring to the archive:")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "    open --door 1\n    go in"


def test_a_refusal_says_what_may_have_been_meant(visit: Visit) -> None:
    page = visit()
    ask(page, "What is Kestrell?")
    expect(page.locator(".answer")).to_contain_text("Did you mean: What is Kestrel?")


def test_a_draft_is_shown_as_one_and_taken_back(visit: Visit, service: SmallService) -> None:
    page = visit()
    ask(page, "Draft something.")
    expect(page.locator(".draft")).to_have_text("It may have been <b>in 1920</b>.")
    expect(page.locator(".coming")).to_contain_text("A draft, not checked yet:")
    service.may_end.set()
    expect(page.locator(".refusal")).to_be_visible()
    expect(page.locator(".draft")).to_have_count(0)


def test_stopping_ends_the_writing(visit: Visit, service: SmallService) -> None:
    page = visit()
    ask(page, "Draft, please.")
    expect(page.locator(".draft")).to_be_visible()
    expect(page.locator(".reading-list > li")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator("#said")).to_have_text("Stopped.")
    expect(page.locator(".coming")).to_have_count(0)
    expect(page.locator("#question")).to_have_value("Draft, please.")  # to be changed and asked again
    expect(page.locator("#stop")).to_be_hidden()
    for _ in range(100):
        page.wait_for_timeout(50)
        if service.unfinished:
            break
    assert service.unfinished == 1


def test_a_second_question_takes_the_place_of_the_first(visit: Visit) -> None:
    page = visit()
    ask(page, "Draft, please.")
    expect(page.locator(".draft")).to_be_visible()
    answered(page)
    page.wait_for_timeout(300)
    expect(page.locator(".answer")).to_have_count(1)
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator("#stop")).to_be_hidden()


@pytest.mark.parametrize(
    ("question", "message", "hint"),
    [
        ("Broken, is it?", "The generator's file is damaged.", "Run: footnote doctor"),
        ("Cut it off.", "The service stopped in the middle of its answer.", "Ask again."),
    ],
)
def test_an_error_on_the_way_is_told_with_what_to_do(visit: Visit, question: str, message: str, hint: str) -> None:
    page = visit()
    ask(page, question)
    expect(page.get_by_role("alert").locator(".message")).to_have_text(message)
    expect(page.get_by_role("alert").locator(".hint")).to_have_text(hint)
    expect(page.locator("#stop")).to_be_hidden()


def test_a_refused_request_is_told_with_what_to_do(visit: Visit, service: SmallService) -> None:
    page = visit()
    page.wait_for_load_state("networkidle")  # or another request would be refused
    service.refusals.append(Refusal(422, "usage", "The question holds no word.", "For example: When did it begin?"))
    ask(page, "???")
    expect(page.get_by_role("alert")).to_have_text("The question holds no word.For example: When did it begin?")


def test_a_busy_service_is_asked_again_when_it_said(visit: Visit, service: SmallService) -> None:
    page = visit()
    page.wait_for_load_state("networkidle")  # or another request would be refused
    service.refusals.append(Refusal(429, "busy", "Too many questions wait.", wait=1))
    heard = hearing(page, "#said")
    ask(page, "When was the archive opened?")
    expect(page.locator(".text")).to_contain_text("1921")
    assert "The service is busy; asking again in 1 second…" in heard()


def test_a_service_that_has_gone_is_told(visit: Visit) -> None:
    page = visit()
    page.route("**/v1/ask", lambda route: route.abort())
    ask(page, "When was the archive opened?")
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer.")
    expect(page.get_by_role("alert")).to_contain_text("Is footnote serve running?")


def test_an_empty_question_is_not_sent(visit: Visit, service: SmallService) -> None:
    page = visit()
    ask(page, "   ")
    expect(page.locator("#said")).to_have_text("Type a question first.")
    assert service.asked == []


def test_being_careful_is_sent(visit: Visit, service: SmallService) -> None:
    page = visit()
    page.get_by_role("button", name="Options").click()
    page.locator("#careful").select_option("if at most 1 in 10 would be wrong")
    answered(page)
    assert service.asked[0]["max_error"] == 0.1


def test_footnotes_are_checked_against_their_sources(visit: Visit) -> None:
    page = visit()
    answered(page, "Who opened it?")
    page.get_by_role("button", name="Check the footnotes").click()
    expect(page.locator(".checked")).to_have_text("1 of 2 do not hold")
    expect(page.locator("[data-number='1'] .check")).to_contain_text("byte for byte")
    expect(page.locator("[data-number='2'] .check.fails")).to_have_text("✗ Does not hold: the file is gone")


def test_how_it_was_found_is_told_on_demand(visit: Visit) -> None:
    page = visit()
    answered(page, "Who opened it?")
    table = page.locator(".explained table")
    expect(table).to_be_hidden()
    page.get_by_text("How this was found").click()
    cells = table.locator("tbody tr").first.locator("th, td").all_text_contents()
    assert cells == ["archive.md, line 1", "–not found", "1. 4.20", "archive", "[1] "]
    expect(page.locator(".explained")).to_contain_text("embed 9 ms, retrieve 12 ms, generate 40 ms")


def test_passages_can_be_found_without_an_answer(visit: Visit, service: SmallService) -> None:
    page = visit()
    page.locator("#question").fill("rain")
    page.get_by_role("button", name="Find passages only").click()
    expect(page.locator(".passages .footnote")).to_have_count(3)
    assert service.asked == []


def test_earlier_questions_are_kept_in_the_browser_only(visit: Visit, service: SmallService) -> None:
    page = visit()
    answered(page)
    ask(page, "What is Kestrel?")
    expect(page.locator(".refusal")).to_be_visible()
    begin_anew(page)
    page.reload()
    earlier = page.locator("#past-list .earlier")
    expect(earlier).to_have_count(2)
    expect(earlier.first).to_contain_text("What is Kestrel?Nothing in these documents bears on this.")
    asked = len(service.asked)
    earlier.last.click()
    expect(page.locator(".text")).to_contain_text("1921")
    expect(page.locator(".asked")).to_have_text("When was the archive opened?")
    assert len(service.asked) == asked  # it was not asked again
    begin_anew(page)
    page.get_by_role("button", name="Forget this question").first.click()
    expect(earlier).to_have_count(1)
    page.get_by_role("button", name="Forget all").click()
    page.get_by_role("button", name="Forget", exact=True).click()
    expect(earlier).to_have_count(0)
    assert page.evaluate("localStorage.getItem('footnote.past')") is None


def test_nothing_is_kept_where_a_person_does_not_want_it(visit: Visit) -> None:
    page = visit()
    answered(page)
    begin_anew(page)
    page.get_by_label("Keep them in this browser").uncheck()
    ask(page, "What is Kestrel?")
    expect(page.locator(".refusal")).to_be_visible()
    expect(page.locator("#past-list .earlier")).to_have_count(0)
    assert page.evaluate("localStorage.getItem('footnote.past')") is None


def test_a_history_that_was_damaged_or_fills_the_browser_does_no_harm(visit: Visit) -> None:
    page = visit()
    page.evaluate("localStorage.setItem('footnote.past', '{not json')")
    page.reload()
    answered(page)
    begin_anew(page)
    expect(page.locator("#past-list .earlier")).to_have_count(1)
    page.evaluate("localStorage.setItem('rest', 'x'.repeat(5 * 2 ** 20 - 100 - JSON.stringify(localStorage).length))")
    answered(page, "Who opened it?")
    expect(page.locator(".text")).to_contain_text("Ada Holm")


def test_everything_can_be_done_with_the_keyboard(visit: Visit) -> None:
    page = visit()
    page.locator("#look").focus()
    page.keyboard.press("/")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type("Who opened it? 1?/d")  # in the field they are letters
    expect(page.locator("#question")).to_have_value("Who opened it? 1?/d")
    page.keyboard.press("Enter")
    page.locator(".footnotes").wait_for()
    page.keyboard.press("2")  # the focus is at the answer
    expect(page.locator("#reader-label")).to_have_text("Footnote 2 of 2")
    page.keyboard.press("p")
    expect(page.locator("#reader-label")).to_have_text("Footnote 1 of 2")
    page.keyboard.press("Escape")
    expect(page.locator("#reader")).to_be_hidden()
    page.keyboard.press("w")
    expect(page.locator(".explained table")).to_be_visible()
    page.keyboard.press("v")
    expect(page.locator(".checked")).to_have_text("1 of 2 do not hold")
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.get_by_label("Single keys do this").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()  # they are turned off


def test_the_colours_follow_the_system_until_a_person_chooses(visit: Visit) -> None:
    page = visit(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Colours: as the system").click()
    light = page.evaluate(ground)
    assert (light, dark) == ("rgb(251, 250, 247)", "rgb(21, 23, 26)")
    page.reload()
    assert page.evaluate(ground) == light
    assert re.search("light", page.locator("#look").get_attribute("title") or "")
