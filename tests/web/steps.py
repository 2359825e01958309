"""What a person does over and over in the page."""

from __future__ import annotations

from playwright.sync_api import Page

OPENED = "When was the archive opened?"


def ask(page: Page, question: str) -> None:
    """Type a question and press Enter."""
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")


def answered(page: Page, question: str = OPENED) -> None:
    """Ask, and wait for the answer or for what stands in its place."""
    ask(page, question)
    page.locator(".turn").last.locator(".acts").first.wait_for()


def begin_anew(page: Page) -> None:
    """Begin a conversation anew, by its button."""
    page.get_by_role("button", name="New conversation").click()
