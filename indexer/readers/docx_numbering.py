"""The numbers that Word prints before the items of lists: "1.", "b)", "2.3", which stand in no paragraph's text."""

from __future__ import annotations

from typing import Any

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
          (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_INDENT = "  "
_DEEPEST = 9


class Numbering:
    """Counts the items of all lists of one document, in the order of the document."""

    def __init__(self, root: Any | None) -> None:
        self._levels: dict[tuple[str, int], tuple[str, str, int]] = {}  # (list, level) -> format, pattern, start
        self._counts: dict[tuple[str, int], int] = {}
        self._lists: dict[str, str] = {}
        if root is None:
            return
        for abstract in root.iter(f"{_W}abstractNum"):
            for level in abstract.iter(f"{_W}lvl"):
                key = (abstract.get(f"{_W}abstractNumId", ""), _number(level.get(f"{_W}ilvl")))
                form, pattern, start = (_value(level, name) for name in ("numFmt", "lvlText", "start"))
                self._levels[key] = (form or "decimal", pattern, _number(start, 1))
        for number in root.iter(f"{_W}num"):
            self._lists[number.get(f"{_W}numId", "")] = _value(number, "abstractNumId")

    def mark(self, list_id: str, level: int) -> str:
        """Return what stands before the next item of a list, indented by its level: "- " where it has no number."""
        level = min(level, _DEEPEST)
        abstract = self._lists.get(list_id, list_id)
        form, pattern, start = self._levels.get((abstract, level), ("bullet", "", 1))
        key = (list_id, level)
        self._counts[key] = self._counts.get(key, start - 1) + 1
        for deeper in [other for other in self._counts if other[0] == list_id and other[1] > level]:
            del self._counts[deeper]
        if form in ("bullet", "none") or "%" not in pattern:
            return _INDENT * level + "- "
        for place in range(level + 1):
            form_here, _, start_here = self._levels.get((abstract, place), ("decimal", "", 1))
            count = self._counts.get((list_id, place), start_here)
            pattern = pattern.replace(f"%{place + 1}", _counted(count, form_here))
        return _INDENT * level + pattern.strip() + " "


def _counted(count: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letter.upper() if form == "upperLetter" else letter
    if form in ("lowerRoman", "upperRoman"):
        text = ""
        for value, letters in _ROMAN:
            while count >= value and len(text) < 20:
                text, count = text + letters, count - value
        return text.upper() if form == "upperRoman" else text
    return f"{count:02d}" if form == "decimalZero" else str(count)


def _value(element: Any, name: str) -> str:
    found = element.find(f"{_W}{name}")
    return str(found.get(f"{_W}val", "")) if found is not None else ""


def _number(text: str | None, default: int = 0) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else default
