"""Formulas in a web page (MathML), put into the tree as words on a line: "v = s/t", "x^2"."""

from __future__ import annotations

from typing import Any

_MAX_DEPTH = 50
_MAX_FORMULA = 500
"""Characters of a formula that is told; a longer one is left out as before."""


def put_formulas_in(tree: Any) -> None:
    """Replace each formula by its words; what a browser does not show of it (TeX beside it) is left out."""
    for formula in tree.xpath("//math"):
        if formula.getparent() is None:
            continue
        text = " ".join(_on_a_line(formula, 0).split())
        if 0 < len(text) <= _MAX_FORMULA:
            tail = formula.tail
            formula.clear()
            formula.tag, formula.text, formula.tail = "span", text, tail


def _on_a_line(element: Any, depth: int) -> str:
    if not isinstance(element.tag, str) or depth > _MAX_DEPTH or element.tag.startswith("annotation"):
        return ""
    parts = [_on_a_line(child, depth + 1) for child in element if isinstance(child.tag, str)]
    if element.tag == "mfrac" and len(parts) == 2:
        return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
    if element.tag == "msup" and len(parts) == 2:
        return f"{parts[0].strip()}^{_grouped(parts[1])}"
    if element.tag == "msub" and len(parts) == 2:
        return f"{parts[0].strip()}_{_grouped(parts[1])}"
    if element.tag == "msqrt":
        return f"√({' '.join(''.join(parts).split())})"
    own = (element.text or "").strip()
    return f" {own} " if element.tag == "mo" else own + "".join(parts)


def _grouped(text: str) -> str:
    text = " ".join(text.split())
    return text if text.isalnum() else f"({text})"
