"""A real Chromium, without a window, and pages in it that are watched while a test looks at them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import TypeAlias
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.web.small_service import SmallService, serving, small_app

PATIENCE = 20_000
"""Milliseconds that the browser is given for one step, on a machine that may have other work."""
expect.set_options(timeout=PATIENCE)

Visit: TypeAlias = Callable[..., Page]

WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
"""


def chromium() -> str:
    """Return the Chromium to use. Without one the test is skipped, or fails where TESTS_NEED_CHROMIUM is 1."""
    found = os.environ.get("FOOTNOTE_CHROMIUM") or shutil.which("chromium")
    if found:
        return found
    message = "no Chromium: install Debian's package chromium, or name one in FOOTNOTE_CHROMIUM"
    if os.environ.get("TESTS_NEED_CHROMIUM") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a running Chromium, ended with its file: beside its event loop there can be no other."""
    path = chromium()
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's own sandbox does not run as root
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=sandbox)
        yield running
        running.close()


@pytest.fixture
def service() -> SmallService:
    """Return the service that the page talks to."""
    return SmallService()


@pytest.fixture
def address(service: SmallService) -> Iterator[str]:
    """Return where the service is served."""
    with serving(small_app(service)) as found:
        yield found


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Return a function that opens the page as a new visitor would, with options of a browser's context.

    Whatever a page does meanwhile, it must not break its policy, throw, open a dialog or ask another host.
    """
    opened: list[tuple[Page, list[str]]] = []

    def open_page(at: str = address, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        context.add_init_script(WATCH)
        page = context.new_page()
        faults: list[str] = []
        host = urlsplit(at).netloc
        page.on("pageerror", lambda error: faults.append(f"threw {error}"))
        page.on("dialog", lambda dialog: faults.append(f"opened a dialog: {dialog.message}"))
        page.on("request", lambda asked: faults.extend(_foreign(asked.url, host)))
        opened.append((page, faults))
        page.goto(at)
        page.locator("#collection option").first.wait_for(state="attached")
        return page

    yield open_page
    for page, faults in opened:
        faults += [f"broke {directive}" for directive in page.evaluate("window.broken")]
        page.context.close()
        assert not faults


def hearing(page: Page, selector: str) -> Callable[[], list[str]]:
    """Listen to an element from now on; the function returned gives every text it has had, also for a moment."""
    listen = """(selector) => {
        const node = document.querySelector(selector);
        window.heard = [];
        new MutationObserver(() => window.heard.push(node.textContent))
            .observe(node, {subtree: true, childList: true, characterData: true});
    }"""
    page.evaluate(listen, selector)
    return lambda: list(page.evaluate("window.heard"))


def _foreign(url: str, host: str) -> list[str]:
    return [] if urlsplit(url).netloc == host or url.startswith("data:") else [f"asked {url}"]
