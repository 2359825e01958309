"""The pictures of the page in the documents: all of them are there, are shown, and hold no path of a machine."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect

from indexer.collection import Collection
from tests.serving import listening, service_of
from tests.web.draw_page import COLOURS, OUT, SHOWN, STATES, State, file_name, visited
from tests.web.steps import answered, ask
from tests.worlds import WordEncoder, write_folder

MOST_BYTES = 900_000
"""All pictures together."""


def test_every_state_is_drawn_in_both_colours_and_shown() -> None:
    drawn = {file_name(name, colours): state for name, state in STATES.items() for colours in COLOURS}
    assert {file.name for file in OUT.iterdir()} == set(drawn)
    shown = (OUT.parent / "page.md").read_text(encoding="utf-8")
    for name, state in drawn.items():
        with Image.open(OUT / name) as picture:
            assert picture.size == (state.width, state.height), name
        assert f"](page/{name})" in shown, f"docs/page.md does not show {name}"
    assert sum((OUT / name).stat().st_size for name in drawn) < MOST_BYTES


def test_no_path_of_the_machine_is_seen(browser: Browser, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "files")
    Collection("world", tmp_path / "home", WordEncoder()).sync([folder])
    state = State(answered)
    with (
        listening(service_of(tmp_path / "home")) as (host, port),
        visited(browser, f"http://{host}:{port}/", folder, state, "dark") as page,
    ):
        answered(page, "How is green tea steeped?")
        page.locator(".reference").click()
        expect(page.locator("#reader-place")).to_contain_text(f"{SHOWN}/")
        assert str(folder) not in page.content()
        page.get_by_role("button", name="Ask in its folder").click()
        expect(page.locator(".chip")).to_contain_text(SHOWN)
        ask(page, "How is green tea steeped?")  # the service knows the folder by its own name
        expect(page.locator(".text")).to_contain_text("Green tea is steeped at eighty degrees.")
        assert str(folder) not in page.content()
