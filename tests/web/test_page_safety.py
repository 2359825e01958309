"""The page among hostile documents, narrow screens, and people who see or move otherwise.

Each test ends with what `visit` checks: no script ran, the policy was not broken, and no other host was asked.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

import rag.service.page
from indexer.errors import NotFound
from rag.service.page import FILES, POLICY, page_file
from tests.web.conftest import Visit
from tests.web.papers import HOSTILE
from tests.web.small_service import SmallService
from tests.web.steps import answered, begin_anew

FOLDER = Path(rag.service.page.__file__).parent


def test_a_hostile_document_and_answer_are_shown_as_text(visit: Visit) -> None:
    page = visit()
    answered(page, "Hostile, is it?")
    expect(page.locator(".text")).to_contain_text("""<img src=x onerror="document.title='owned'">""")
    expect(page.locator(".text")).to_contain_text("> x click")  # links are words: they lead nowhere
    expect(page.locator(".text")).to_contain_text("[U+202E]evil[U+202C], [U+200B]says")
    expect(page.locator(".footnote .name")).to_have_text("<b>hostile</b>.md")
    expect(page.locator(".footnote mark")).to_have_text("evil")
    page.locator(".reference").click()
    expect(page.locator(".document h3")).to_have_text("""<script>document.title = "owned"</script>""")
    expect(page.locator(".document .copied")).to_have_text("evil")
    page.get_by_text("How this was found").click()
    page.get_by_role("link", name="Documents").click()
    expect(page.locator(".document-row .name").last).to_have_text("<b>hostile</b>.md")
    page.get_by_role("link", name="Ask", exact=True).click()
    begin_anew(page)
    page.reload()  # what history kept is text as well
    page.locator("#past-list .earlier").click()
    expect(page.locator(".text")).to_contain_text("<b>this page</b>")
    assert page.title() == "Footnote"
    assert page.locator("img, iframe, object, embed, .answer script, .document script, .text b").count() == 0
    assert page.locator("a[href]:not([href^='#'], [href^='v1/collections/'])").count() == 0


def test_a_hostile_error_and_a_hostile_name_are_shown_as_text(visit: Visit, service: SmallService) -> None:
    page = visit()
    page.get_by_role("link", name="Documents").click()
    name = """<img src=x onerror=alert(1)>".bin"""
    page.locator("#files").set_input_files(
        [FilePayload(name=name, mimeType="text/plain", buffer=b"\x00<script>alert(2)</script>")]
    )
    expect(page.locator(".upload .name")).to_have_text(name)
    expect(page.locator(".upload.failed")).to_contain_text(f"{name}: binary.")


def test_a_hostile_history_does_nothing(visit: Visit) -> None:
    page = visit()
    lists: dict[str, list[str]] = {
        name: [] for name in ("citations", "passages", "unsupported", "copied", "written", "code", "notes")
    }
    answer = {
        "question": "<script>alert(1)</script>", "answer": "", "outcome": "none", "confidence": 0.1, "generator": "<b>",
        "collection": "<i>", "generation": 1, "timings_ms": {}, "meant": "<b>", "documents": 0, "read_as": "<b>",
        **lists,
    }  # fmt: skip
    key = json.dumps([[], "<script>alert(1)</script>", {"collections": ["<i>"], "filters": []}])
    entries = [
        {"at": 1, "key": key, "answers": [answer]},
        {"at": "<b>", "key": key, "answers": [answer]},
        {"at": 2, "key": key, "answers": [{}]},
        {"at": 3, "key": key, "answers": [{**answer, "notes": "<b>"}]},
        {"at": 4, "key": "<b>", "answers": [answer]},
        {"at": 5, "answers": [answer]},
        {"at": 6},
        7,
        None,
    ]
    page.evaluate("(kept) => localStorage.setItem('footnote.past', kept)", json.dumps(entries))
    page.reload()
    expect(page.locator("#past-list .name")).to_have_text("<script>alert(1)</script>")  # what is not whole is left out
    page.locator("#past-list .earlier").click()
    expect(page.locator(".asked")).to_have_text("<script>alert(1)</script>")


def test_the_policy_stops_what_would_slip_through(visit: Visit) -> None:
    page = visit()
    stopped = page.evaluate(
        """async () => {
            const tried = [];
            const attempt = (work) => { try { work(); } catch (error) { tried.push(error.name); } };
            const script = document.createElement("script");
            attempt(() => { document.body.innerHTML += "<b>x</b>"; });
            attempt(() => { script.textContent = "window.ran = true"; });
            document.body.append(script);
            await fetch("http://127.0.0.1:9/").catch((error) => tried.push(error.name));
            tried.push(window.ran ?? "not run");
            await new Promise((resolve) => setTimeout(resolve, 200));  // they are reported a moment later
            const broken = window.broken;
            window.broken = [];  // what was broken here was meant
            return [tried, broken];
        }"""
    )
    assert stopped[0] == ["TypeError", "TypeError", "TypeError", "not run"]
    assert set(stopped[1]) >= {"require-trusted-types-for", "connect-src"}


def test_nothing_in_the_page_can_make_markup_of_text() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|setHTML|createContextualFragment"
        r"|\beval\b|new Function|setAttribute\(\"(?:style|src)|import\("
    )
    for name in FILES:
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert not forbidden.search(text), name
        if name.endswith(".html"):
            assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", text)
            assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
        if name.endswith(".css"):
            assert "url(" not in text
            assert "@import" not in text


def test_the_files_of_the_page_are_those_that_are_listed() -> None:
    kept = {path.name for path in FOLDER.iterdir() if path.suffix in (".html", ".css", ".js")}
    assert set(FILES) == kept
    for name in FILES:
        content, kind = page_file(name)
        assert content
        assert kind.endswith("charset=utf-8")
    with pytest.raises(NotFound, match=r"The page has no file '\.\./__init__\.py'"):
        page_file("../__init__.py")
    assert "'unsafe" not in POLICY
    assert sum(len(page_file(name)[0]) for name in FILES) < 200_000


SIZES = [
    pytest.param(320, 640, id="telephone"),
    pytest.param(768, 1024, id="tablet"),
    pytest.param(1280, 800, id="desk"),
]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_sticks_out_of_the_screen(visit: Visit, service: SmallService, width: int, height: int) -> None:
    service.papers["default"][0].text += "\n" + "averylongword" * 40 + "\n"
    service.papers["default"][0].name = "archive-" * 30 + ".md"
    service.papers["x" * 64] = []
    service.folders.append("/papers/" + "folder" * 30)
    page = visit(viewport={"width": width, "height": height})
    assert _overflow(page) <= 0
    for question in (
        "What is Kestrel?",
        "Steps, please.",
        "Maybe it snowed?",
        "Bread, how much?",
        "Wages, all of them?",
    ):
        answered(page, question)
        assert _overflow(page) <= 0, question
    page.get_by_text("How this was found").first.click()
    page.get_by_role("button", name="Options").click()
    assert _overflow(page) <= 0
    page.get_by_role("button", name="Options").click()
    answered(page, "What is Kestrel?")
    page.locator(".turn").last.locator(".open").first.click()
    expect(page.locator(".document .quote").first).to_be_visible()
    assert _overflow(page) <= 0
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Documents").click()
    page.locator(".document-row").first.wait_for()
    assert _overflow(page) <= 0


def _overflow(page: Page) -> int:
    wide: int = page.evaluate(
        """() => Math.max(document.documentElement.scrollWidth - innerWidth,
            document.querySelector("#reader-body").scrollWidth - document.querySelector("#reader-body").clientWidth)"""
    )
    return wide


def test_on_a_telephone_the_document_lies_over_the_page_and_nothing_behind_it_is_reached(visit: Visit) -> None:
    page = visit(viewport={"width": 360, "height": 740}, has_touch=True)
    answered(page, "Who opened it?")
    page.locator(".reference").first.tap()
    expect(page.locator(".document .copied")).to_be_in_viewport()
    box = page.locator("#reader").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 360, "height": 740}
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main, body > header, .skip') === null")
    page.get_by_role("button", name="Close").tap()
    expect(page.locator("#reader")).to_be_hidden()
    page.locator("#question").tap()
    expect(page.locator("#question")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [SIZES[0], SIZES[2]])
def test_the_page_meets_wcag_aa(visit: Visit, service: SmallService, scheme: str, width: int, height: int) -> None:
    """By axe-core's rules, contrast and the size of what one presses among them, in every view."""
    page = visit(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
    page.evaluate(importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    assert _violations(page) == []
    answered(page, "Who opened it?")
    page.get_by_role("button", name="Check the footnotes").click()
    expect(page.locator(".checked")).to_be_visible()
    page.get_by_text("How this was found").click()
    page.get_by_text("Copy as").click()
    assert _violations(page) == []
    page.locator(".reference").first.click()
    expect(page.locator(".document .copied")).to_be_visible()
    assert _violations(page) == []
    page.keyboard.press("Escape")
    for question in (
        "What is Kestrel?",
        "Maybe it snowed?",
        "Steps, please.",
        "Bread, how much?",
        "Wages, all of them?",
    ):
        answered(page, question)
        assert _violations(page) == [], question
    page.keyboard.press("o")
    page.locator("#filter-value").fill("markdown")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_be_visible()
    assert _violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert _violations(page) == []
    page.keyboard.press("Escape")
    service.folders.append("/papers")
    service.gone.append("/papers/old.md")
    page.get_by_role("link", name="Documents").click()
    page.locator("#files").set_input_files([FilePayload(name="a.bin", mimeType="a/b", buffer=b"\x00")])
    expect(page.locator(".upload.failed")).to_be_visible()
    assert _violations(page) == []


def _violations(page: Page) -> list[str]:
    """Return what axe finds: each rule with the elements that break it.

    The field stands still meanwhile: what it covers in part until one scrolls would count as too small to press.
    """
    found: list[str] = page.evaluate(
        """async () => {
            const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
            const form = document.getElementById("ask-form");
            form.style.position = "static";
            const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
            form.style.position = "";
            const places = (nodes) => nodes.map((node) => node.html.slice(0, 200)).join(" | ");
            return violations.map((each) => `${each.id}: ${places(each.nodes)}`);
        }"""
    )
    return found


def test_spans_count_characters_as_the_service_does(visit: Visit) -> None:
    page = visit()
    text = "a🦉b\ud7ffcé🦉🦉z"
    cut = page.evaluate(
        """async (text) => {
            const { length, pieces, slice } = await import("/page/spans.js");
            const spans = [[1, 3, "x"], [2, 7, "y"], [50, 60, "z"]].map(([start, end, name]) => ({start, end, name}));
            const cut = pieces(text, spans).map((piece) => [piece.start, piece.end, piece.text, piece.names.join()]);
            return [length(text), slice(text, 1, 3), slice(text, 6, 99), cut];
        }""",
        text,
    )
    assert cut == [
        len(text),
        text[1:3],
        text[6:],
        [[0, 1, "a", ""], [1, 2, "🦉", "x"], [2, 3, "b", "x,y"], [3, 7, text[3:7], "y"], [7, 9, text[7:], ""]],
    ]


def test_line_ends_count_in_lists_rows_and_verse_only(visit: Visit) -> None:
    page = visit()
    wrapped = (
        "The archive was opened in 1921 by two teachers, who had kept\nthe parish's papers in a cupboard since "
        "the great fire\nof that year."
    )
    torn = "A\nmultilingual embedding model was put into service in the autumn of that year.\nIt was good."
    verse = "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye"
    items = "Three things are needed for this, and none of them is dear to buy:\n- a rope\n- tea"
    rows = f"name: a; note: {'x' * 150}\nname: b; note: {'y' * 150}"
    told = page.evaluate(
        """async (texts) => {
            const { isFlowing } = await import("/page/spans.js");
            return texts.map(isFlowing);
        }""",
        ["one line", wrapped, torn, verse, items, rows],
    )
    assert told == [True, True, True, False, False, False]


def test_events_are_read_however_they_are_cut(visit: Visit) -> None:
    page = visit()
    sent = 'event: a\r\ndata: {"x":\r\ndata: 1}\r\n\r\n: a comment\n\nevent: b\ndata: "two"\n\nevent: c\ndata: nev'
    whole = [{"event": "a", "data": {"x": 1}}, {"event": "b", "data": "two"}]
    for size in (1, 2, 3, 7, len(sent)):
        pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
        read = page.evaluate(
            """async (pieces) => {
                const { Events } = await import("/page/service.js");
                const events = new Events();
                return pieces.flatMap((piece) => events.read(piece));
            }""",
            pieces,
        )
        assert read == whole


def test_the_hostile_world_is_hostile() -> None:
    """What these tests lean on: the text would do harm, were it markup."""
    assert "onerror=" in HOSTILE
    assert "\u202e" in HOSTILE
