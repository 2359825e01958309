"""Draws the pictures of the page in docs/page/: each of its states, in light and in dark colours.

    python -m tests.web.draw_page [STATE ...] [--home DIR] [--out docs/page]

The real service answers, over a copy of the handbook in corpora/, so that everything seen is our own writing. Where the
copy lies is shown as a folder of somebody called Ada. Needs Chromium, as the tests of the page do.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote

import click
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from indexer.collection import Collection
from rag.evaluation.everything import CORPORA
from rag.service.folders import Folders
from rag.service.service import make_service
from rag.service.settings import Settings
from tests.serving import listening
from tests.web.conftest import chromium
from tests.web.steps import answered

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "docs" / "page"
SHOWN = "/home/ada/handbook"
"""What the folder is called in the pictures: nobody's, so that no machine's path is in them."""
Colours: TypeAlias = Literal["light", "dark"]
COLOURS: tuple[Colours, ...] = ("light", "dark")
LATER = ("training/lora.md", "indexes/index-comparison.csv")
"""Files that come into the folder after it was indexed."""
WRITTEN = 1_790_000_000
"""When the first file was changed last, in seconds since 1970 (September 2026); each further one half a day later."""
PALETTE = 256
"""Colours of a picture: enough for the smooth edges of letters, and half the bytes of all of them."""


def first_visit(page: Page) -> None:
    """Wait for what is offered."""
    expect(page.locator("#try-list li").first).to_be_visible()


def answer(page: Page) -> None:
    """Ask, and ask on."""
    answered(page, "How many of Bosun's pages were scanned again at 400 dpi?")
    answered(page, "Who scanned them?")


def unsure(page: Page) -> None:
    """Ask what the handbook only comes close to."""
    answered(page, "What user agent string did Bosun's crawler send?")
    expect(page.locator(".answer.unsure")).to_be_visible()


def nothing_found(page: Page) -> None:
    """Ask what the handbook does not tell of."""
    answered(page, "Who won the football cup in Lisbon?")
    expect(page.locator(".refusal")).to_be_visible()


def items(page: Page) -> None:
    """Ask for several things."""
    answered(page, "Which biases do prompts with examples have?")


def one_fact(page: Page) -> None:
    """Ask once."""
    answered(page, "When was Tesseract released as open source?")


def table_row(page: Page) -> None:
    """Ask for a cell of a table, and open the table."""
    answered(page, "How many watts does the Vela 48 compute card from Nordmoor Supplies draw?")
    page.locator(".reference").first.click()
    expect(page.locator(".document tr.cited")).to_be_in_viewport()


def pdf_page(page: Page) -> None:
    """Open a footnote in a PDF."""
    one_fact(page)
    page.locator(".reference").first.click()
    expect(page.locator(".sheet .box").first).to_be_visible()
    page.locator(".sheet img").evaluate("image => image.decode()")


def documents(page: Page) -> None:
    """Look at the documents, and at what has changed in their folder."""
    page.get_by_role("link", name="Documents").click()
    expect(page.locator(".document-row").first).to_be_visible()
    page.locator("#changes summary").click()


def options(page: Page) -> None:
    """Narrow a question."""
    page.locator("#question").fill("How is recall measured?")
    page.get_by_role("button", name="Options").click()
    page.locator("#careful").select_option("0.1")
    page.locator("#filter-value").fill("markdown")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".chip")).to_have_count(2)


@dataclass(frozen=True, slots=True)
class State:
    """A state of the page: how to come to it, and the size of its picture in pixels."""

    reach: Callable[[Page], None]
    width: int = 1280
    height: int = 800


STATES = {
    "first-visit": State(first_visit),
    "answer": State(answer),
    "unsure": State(unsure),
    "none": State(nothing_found),
    "list": State(items),
    "table": State(table_row),
    "pdf": State(pdf_page),
    "documents": State(documents),
    "options": State(options),
    "telephone": State(one_fact, width=390, height=740),
    "telephone-pdf": State(pdf_page, width=390, height=740),
}


def file_name(state: str, colours: str) -> str:
    """Return the name of a picture."""
    return f"{state}-{colours}.webp"


def handbook(home: Path) -> Path:
    """Copy the handbook under `home`, index it into the collection "handbook", and return the copy's folder."""
    folder = home / "handbook-files"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CORPORA, folder)
    for number, file in enumerate(sorted(each for each in folder.rglob("*") if each.is_file())):
        os.utime(file, (WRITTEN, WRITTEN + number * 43_200))
    for name in LATER:
        (folder / name).rename(home / Path(name).name)
    Collection("handbook", home).sync([folder])
    for name in LATER:
        (home / Path(name).name).rename(folder / name)
    Folders(home).bind("handbook", str(folder))
    return folder


def showing(folder: Path) -> Callable[[Route], None]:
    """Return what passes requests of the page on, with `folder` called SHOWN in all that the page sees."""

    def pass_on(route: Route) -> None:
        asked = route.request
        sent = asked.post_data
        response = route.fetch(
            url=asked.url.replace(quote(SHOWN, safe=""), quote(str(folder), safe="")),
            post_data=sent.replace(SHOWN, str(folder)) if sent else None,
        )
        if response.headers.get("content-type", "").startswith("image/"):
            route.fulfill(response=response)
        else:
            route.fulfill(response=response, body=response.text().replace(str(folder), SHOWN))

    return pass_on


@contextlib.contextmanager
def visited(browser: Browser, address: str, folder: Path, state: State, colours: Colours) -> Iterator[Page]:
    """Hand out the page as a new visitor sees it."""
    context = browser.new_context(
        viewport={"width": state.width, "height": state.height}, color_scheme=colours, reduced_motion="reduce",
        locale="en-GB", timezone_id="UTC",
    )  # fmt: skip
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.route("**/v1/**", showing(folder))
    page.goto(address)
    page.locator("#collection option").first.wait_for(state="attached")
    yield page
    context.close()


def picture(page: Page) -> bytes:
    """Return what is seen as WebP, without loss but for a palette of few colours."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.activeElement?.blur()")  # a cursor blinks
    page.mouse.move(0, 0)
    seen = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    few = seen.quantize(PALETTE, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).convert("RGB")
    written = io.BytesIO()
    few.save(written, "WEBP", lossless=True, quality=100, method=6)
    return written.getvalue()


def draw(states: Sequence[str], home: Path, out: Path) -> None:
    """Draw these states into files of the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    folder = handbook(home)
    service = make_service(Settings(home=str(home), collection="handbook"))
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's own sandbox does not run as root
    with listening(service) as (host, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=sandbox)
        for name in states:
            for colours in COLOURS:
                with visited(browser, f"http://{host}:{port}/", folder, STATES[name], colours) as page:
                    STATES[name].reach(page)
                    file = out / file_name(name, colours)
                    file.write_bytes(picture(page))
                    click.echo(f"{file.name}: {file.stat().st_size / 1000:.0f} KB")
        browser.close()


@click.command()
@click.argument("states", nargs=-1, type=click.Choice(list(STATES)))
@click.option("--home", type=click.Path(path_type=Path), help="A folder to keep index and converted encoder in.")
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default="docs/page", help="Where to.")
def main(states: tuple[str, ...], home: Path | None, out: Path) -> None:
    """Draw the STATES of the page, by default all of them, in light and in dark colours."""
    with tempfile.TemporaryDirectory() as passing:
        draw(states or list(STATES), (home or Path(passing)).resolve(), out)


if __name__ == "__main__":
    sys.exit(main())
