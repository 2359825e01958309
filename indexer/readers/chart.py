"""Charts in Office files: the numbers behind the picture as a table, series by series."""

from __future__ import annotations

from typing import Any

from indexer.readers.number_formats import shown

_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MAX_POINTS = 10_000


def chart_text(root: Any) -> str:
    """Return a chart's table: title and names of the series first, then a row for each category; "" without numbers.

    The numbers are those that were drawn last, as the chart keeps them; a linked workbook is not opened.
    """
    series = [
        (_label(each), _points(each, "cat", "xVal"), _points(each, "val", "yVal")) for each in root.iter(f"{_C}ser")
    ]
    series = [each for each in series if each[2]]
    if not series:
        return ""
    names = [name or f"series {number}" for number, (name, _, _) in enumerate(series, 1)]
    title = _title(root)
    rows: dict[str, list[str]] = {}
    for place, (_, categories, values) in enumerate(series):
        for at, value in values.items():
            label = categories.get(at) or series[0][1].get(at) or str(at + 1)
            rows.setdefault(label, [""] * len(series))[place] = value
    lines = [[title or "category", *names], *([label, *values] for label, values in rows.items())]
    return "\n".join(" | ".join(" ".join(cell.split()) for cell in line).rstrip(" |") for line in lines)


def _title(root: Any) -> str:
    title = root.find(f".//{_C}chart/{_C}title")
    if title is None:
        return ""
    return " ".join("".join(node.text or "" for node in title.iter(f"{_A}t", f"{_C}v")).split())


def _label(series: Any) -> str:
    name = series.find(f"{_C}tx")
    return " ".join((node.text or "") for node in name.iter(f"{_C}v")).strip() if name is not None else ""


def _points(series: Any, *names: str) -> dict[int, str]:
    """Return position -> text as shown, of the first of these parts that the series has."""
    part = next((each for name in names if (each := series.find(f"{_C}{name}")) is not None), None)
    if part is None:
        return {}
    code = part.findtext(f".//{_C}formatCode") or "General"
    is_number = part.find(f".//{_C}numCache") is not None or part.find(f".//{_C}numLit") is not None
    found: dict[int, str] = {}
    for point in list(part.iter(f"{_C}pt"))[:_MAX_POINTS]:
        at, text = point.get("idx") or "", point.findtext(f"{_C}v") or ""
        if at.isdigit():
            # Categories in levels have the finer one first: "2024 May" is told outer level first.
            outer = found.get(int(at))
            value = _shown(text, code) if is_number else text
            found[int(at)] = f"{value} {outer}" if outer else value
    return found


def _shown(text: str, code: str) -> str:
    try:
        return shown(float(text), code)
    except ValueError:
        return text
