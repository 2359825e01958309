"""What the pages of a file are called: sheets and slides, each a text of its own with a name, or pages."""

from __future__ import annotations

from pathlib import PurePath

PAGED = frozenset(("xlsx", "ods", "pptx", "odp"))
"""Formats of sheets and slides."""
_WORDS = {".xlsx": "sheet", ".xlsm": "sheet", ".ods": "sheet", ".pptx": "slide", ".pptm": "slide", ".odp": "slide"}


def page_word(source: str) -> str:
    """Return "sheet", "slide" or "page" by the file's name."""
    return _WORDS.get(PurePath(source).suffix.lower(), "page")


def page_place(source: str, page: int, name: str = "") -> str:
    """Return where something stands: "page 4", or a sheet or slide with its name: "sheet 2 (Fees)"."""
    word = page_word(source)
    return f"{word} {page} ({name})" if name and word != "page" else f"{word} {page}"


def on_two(source: str, page: int | None, other: int | None) -> bool:
    """Tell whether two places of a file are on different sheets or slides."""
    return None not in (page, other) and page != other and page_word(source) != "page"
