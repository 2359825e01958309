"""Collections and documents in the page: choosing, making, deleting, adding by choice and by drop."""

from __future__ import annotations

from playwright.sync_api import FilePayload, Page, expect

from tests.web.conftest import Visit, hearing
from tests.web.papers import Refusal
from tests.web.small_service import SmallService
from tests.web.steps import answered

TEA = FilePayload(name="tea.md", mimeType="text/markdown", buffer=b"# Tea\n\nGreen tea is steeped at eighty degrees.\n")
BINARY = FilePayload(name="a.bin", mimeType="application/octet-stream", buffer=b"\x00\x01")

DROP = """(names) => {
    const data = new DataTransfer();
    for (const name of names) data.items.add(new File([`# ${name}`], name));
    for (const type of ["dragenter", "dragover", "drop"]) {
        document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
        if (type === "dragover") window.offered = !document.getElementById("drop").hidden;
    }
}"""


def to_documents(page: Page) -> None:
    page.get_by_role("link", name="Documents").click()
    page.locator(".document-row").first.wait_for()


def names(service: SmallService, collection: str = "default") -> list[str]:
    return [paper.name for paper in service.papers[collection]]


def test_files_that_are_chosen_are_indexed_one_after_the_other(visit: Visit, service: SmallService) -> None:
    page = visit()
    to_documents(page)
    page.locator("#files").set_input_files([TEA, BINARY])
    rows = page.locator(".upload")
    expect(rows.nth(0)).to_have_text("tea.md47 bytes✓ added, 1 passage")
    expect(rows.nth(1)).to_have_text("a.bin2 bytes✗ a.bin: binary. Only documents can be read.")
    expect(page.locator("#uploads-said")).to_have_text("1 file indexed, 1 not.")
    expect(page.locator(".document-row")).to_have_count(4)
    assert names(service)[-1] == "tea.md"
    expect(page.locator("#collections-list li").first).to_contain_text("4 documents")
    page.get_by_role("button", name="tea.md", exact=True).click()
    expect(page.locator(".document h3")).to_have_text("Tea")


def test_files_dropped_anywhere_on_the_page_are_indexed(visit: Visit, service: SmallService) -> None:
    page = visit()
    page.evaluate(DROP, ["one.md", "two.md"])
    assert page.evaluate("window.offered")  # while they were over the page, it said where they would go
    expect(page.locator("#drop")).to_be_hidden()
    expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()
    expect(page.locator("#uploads-said")).to_have_text("2 files indexed.")
    assert names(service)[-2:] == ["one.md", "two.md"]


def test_text_that_is_dragged_is_no_file(visit: Visit) -> None:
    page = visit()
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.setData("text/plain", "words");
            document.body.dispatchEvent(new DragEvent("dragenter", {dataTransfer: data, bubbles: true}));
        }"""
    )
    expect(page.locator("#drop")).to_be_hidden()


def test_an_upload_waits_for_a_busy_service(visit: Visit, service: SmallService) -> None:
    page = visit()
    to_documents(page)
    page.wait_for_load_state("networkidle")  # or another request would be refused
    service.refusals.append(Refusal(503, "busy", "Another process is writing.", wait=1))
    heard = hearing(page, "#uploads")
    page.locator("#files").set_input_files([TEA])
    expect(page.locator(".upload")).to_contain_text("✓ added")
    assert any("the service is busy; again in 1 s" in text for text in heard())


def test_an_upload_that_is_too_large_is_told(visit: Visit, service: SmallService) -> None:
    page = visit()
    to_documents(page)
    page.wait_for_load_state("networkidle")  # or another request would be refused
    service.refusals.append(Refusal(413, "too_large", "The file has 5 MB; at most 1 MB is taken.", "Index it by hand."))
    page.locator("#files").set_input_files([TEA])
    expect(page.locator(".upload.failed")).to_contain_text("at most 1 MB is taken. Index it by hand.")


def test_uploading_to_a_service_without_a_collection_makes_it(visit: Visit, service: SmallService) -> None:
    service.papers.clear()
    page = visit()
    expect(page.get_by_role("heading", name="There are no documents in “default” yet")).to_be_visible()
    page.evaluate(DROP, ["one.md"])
    expect(page.locator(".upload")).to_contain_text("✓ added")
    assert names(service) == ["one.md"]
    expect(page.locator("#asked-of")).to_contain_text("1 document")


def test_an_empty_collection_says_what_to_do_with_the_controls_right_there(visit: Visit, service: SmallService) -> None:
    """It said that there were no documents, and led to another view for everything that helps."""
    service.papers.clear()
    page = visit()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([FilePayload(name="one.md", mimeType="text/markdown", buffer=b"# One\n\nText.\n")])
    expect(page.locator(".upload")).to_contain_text("✓ added")
    page.get_by_role("link", name="Ask", exact=True).click()
    expect(page.locator("#empty")).to_be_hidden()
    expect(page.locator("#asked-of")).to_contain_text("1 document")


def test_the_first_folder_of_a_collection_is_read_at_once(visit: Visit, service: SmallService) -> None:
    service.papers.clear()
    page = visit()
    page.get_by_label("Or a folder of this machine").fill("/nowhere")
    page.keyboard.press("Enter")
    expect(page.locator("#empty-said")).to_contain_text("There is no folder '/nowhere'.")
    page.get_by_label("Or a folder of this machine").fill("/papers/mine")
    page.keyboard.press("Enter")
    expect(page.locator("#library-said")).to_contain_text("0 added")  # the small service reads nothing
    assert service.folders == ["/papers/mine"]
    assert service.pruned == [False]


def test_the_documents_are_seen_from_their_top(visit: Visit) -> None:
    """Coming from far down in a conversation, one was far down in the documents."""
    page = visit(viewport={"width": 390, "height": 600})
    for _ in range(3):
        answered(page)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    left = page.evaluate("scrollY")
    assert left > 300
    page.evaluate("document.getElementById('to-documents').click()")  # Playwright's own click would scroll before
    expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_in_viewport()
    assert page.evaluate("scrollY") == 0
    page.evaluate("document.getElementById('to-ask').click()")
    assert page.evaluate("scrollY") == left  # where it was left


def test_a_collection_is_made_chosen_asked_and_deleted(visit: Visit, service: SmallService) -> None:
    page = visit()
    to_documents(page)
    page.get_by_label("New collection").fill("papers")
    page.keyboard.press("Enter")
    expect(page.locator("#collection")).to_have_value("papers")
    expect(page.locator(".chosen")).to_contain_text("papers0 documents")
    page.reload()
    expect(page.locator("#collection")).to_have_value("papers")  # remembered
    page.get_by_role("link", name="Ask", exact=True).click()
    page.locator("#question").fill("What is Kestrel?")
    page.keyboard.press("Enter")
    expect(page.locator(".refusal")).to_be_visible()
    assert service.asked[-1]["collection"] == "papers"
    page.get_by_role("link", name="Documents").click()
    page.get_by_role("button", name="Delete the collection papers").click()
    page.get_by_role("button", name="Cancel").click()
    assert "papers" in service.papers
    page.get_by_role("button", name="Delete the collection papers").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#collection")).to_have_value("default")
    assert "papers" not in service.papers


def test_a_collection_that_cannot_be_made_is_told(visit: Visit) -> None:
    page = visit()
    to_documents(page)
    page.get_by_label("New collection").fill("other")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a collection 'other' already.")


def test_a_document_is_found_and_removed(visit: Visit, service: SmallService) -> None:
    page = visit()
    to_documents(page)
    page.get_by_label("Find a document").fill("rain")
    expect(page.locator(".document-row")).to_have_count(1)
    expect(page.locator("#documents-count")).to_have_text("1 found.")
    page.get_by_role("button", name="Remove rain.pdf").click()
    expect(page.get_by_role("dialog")).to_contain_text("The file itself stays where it lies.")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#documents-count")).to_have_text("0 found.")
    assert "rain.pdf" not in names(service)


def test_a_long_list_comes_in_parts(visit: Visit, service: SmallService) -> None:
    first = service.papers["default"][0]
    service.papers["default"] += [type(first)(f"{place}.md", "# Paper\n") for place in range(120)]
    page = visit()
    to_documents(page)
    expect(page.locator(".document-row")).to_have_count(50)
    page.get_by_role("button", name="Show more (73 left)").click()
    page.get_by_role("button", name="Show more (23 left)").click()
    expect(page.locator(".document-row")).to_have_count(123)
    expect(page.locator("#documents-more button")).to_have_count(0)


def test_changed_files_are_read_again_and_what_was_skipped_is_told(visit: Visit) -> None:
    page = visit()
    to_documents(page)
    page.get_by_role("button", name="Read changed files again").click()
    expect(page.locator("#library-said")).to_contain_text("0 added, 0 changed, 0 removed, 3 unchanged, in 0.2 s.")
    expect(page.locator("#library-said")).to_contain_text("/papers/a.bin: binary")


def test_rows_are_sorted_by_what_a_person_chooses_and_tell_what_to_know(visit: Visit, service: SmallService) -> None:
    archive, rain, _ = service.papers["default"]
    archive.modified, rain.modified, rain.chunks = "2024-01-02T00:00:00+00:00", "2025-01-02T00:00:00+00:00", 0
    page = visit()
    to_documents(page)
    expect(page.locator(".document-row .caution")).to_have_text("read, 0 passages")
    cells = page.locator(".document-row").first.locator("td").all_text_contents()
    assert cells == ["markdown", "/papers", "2024-01-02", "1", "×"]
    page.get_by_role("button", name="Date").click()  # the newest first
    expect(page.locator(".document-row .name").first).to_have_text("rain.pdf")
    expect(page.locator("th[data-sort=modified]")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Date").click()
    expect(page.locator(".document-row .name").last).to_have_text("rain.pdf")
    expect(page.locator("th[data-sort=modified]")).to_have_attribute("aria-sort", "ascending")


def test_an_open_document_has_an_address(visit: Visit) -> None:
    page = visit()
    to_documents(page)
    page.get_by_role("button", name="rain.pdf", exact=True).click()
    expect(page.locator("#reader-name")).to_have_text("rain.pdf")
    assert "#documents&d=" in page.url
    page.reload()
    expect(page.locator("#reader-name")).to_have_text("rain.pdf")
    page.go_back()
    expect(page.locator("#reader")).to_be_hidden()
    assert page.url.endswith("#documents")


def test_a_folder_is_added_by_its_path_asked_in_and_taken_away(visit: Visit, service: SmallService) -> None:
    page = visit()
    to_documents(page)
    page.get_by_label("Add a folder").fill("/nowhere")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("There is no folder '/nowhere'.")
    page.get_by_label("Add a folder").fill("/papers")
    page.keyboard.press("Enter")
    expect(page.locator(".folder-row")).to_contain_text("/papers2 documents")
    expect(page.locator("#changes summary")).to_have_text("In the folders: 1 new since they were read")
    page.get_by_role("button", name="Ask in it").click()
    expect(page.locator(".chip")).to_have_text("in the folder /papers×")
    page.get_by_role("link", name="Documents").click()
    page.get_by_role("button", name="Take the folder /papers away").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its documents stay in the collection")
    page.get_by_role("dialog").get_by_role("button", name="Take away").click()
    expect(page.locator(".folder-row")).to_have_count(0)
    assert service.folders == []


def test_what_would_be_removed_is_shown_by_name_and_a_person_decides(visit: Visit, service: SmallService) -> None:
    service.folders.append("/papers")
    service.gone.append("/papers/<i>old</i>.md")
    page = visit()
    to_documents(page)
    expect(page.locator("#changes summary")).to_have_text("In the folders: 1 new, 1 gone since they were read")
    again = page.get_by_role("button", name="Read changed files again")
    again.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Remove 1 document from the collection?")
    expect(dialog.locator("li")).to_have_text("/papers/<i>old</i>.md")
    dialog.get_by_role("button", name="Cancel").click()
    assert service.pruned == []
    again.click()
    dialog.get_by_role("button", name="Read, and keep them").click()
    expect(page.locator("#library-said")).to_contain_text("3 unchanged")
    again.click()
    dialog.get_by_role("button", name="Read, and remove 1").click()
    expect(page.locator("#library-said")).to_contain_text("3 unchanged")
    page.wait_for_timeout(300)
    assert service.pruned == [False, True]


def test_the_time_left_is_told_when_it_can_be(visit: Visit) -> None:
    page = visit()
    told = page.evaluate(
        """async () => {
            const { timeLeft } = await import("/page/elements.js");
            const ago = (seconds) => Date.now() - seconds * 1000;
            return [timeLeft(ago(1), 1, 9), timeLeft(ago(10), 1, 5), timeLeft(ago(60), 1, 4), timeLeft(ago(9), 9, 10),
                timeLeft(ago(9), 9, 9), timeLeft(ago(9), 0, 9)];
        }"""
    )
    assert told == ["", ", about 40 s left", ", about 3 min left", ", a few seconds left", "", ""]


def test_the_documents_of_another_collection_are_never_shown_under_a_name(visit: Visit) -> None:
    """After a collection was chosen, the list of the one before stood below its name until its own had come."""
    page = visit()
    page.get_by_role("link", name="Documents").click()
    expect(page.locator(".document-row").first).to_be_visible()
    seen = page.evaluate(
        """async () => {
            const seen = [];
            const look = () => seen.push([
                document.querySelector("#documents-title ~ .row .chosen-name").textContent,
                document.querySelectorAll(".document-row").length,
                document.querySelector("#documents-count").textContent,
            ].join(" "));
            new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
            const picker = document.querySelector("#collection");
            picker.value = "other";
            picker.dispatchEvent(new Event("change"));
            await new Promise((resolve) => setTimeout(resolve, 1500));
            return seen;
        }"""
    )
    assert seen[-1] == "other 0 0 in all."
    assert [each for each in seen if each.startswith("other ") and not each.startswith("other 0")] == []
    assert {each for each in seen if each.startswith("other 0")} <= {"other 0 ", "other 0 0 in all."}
