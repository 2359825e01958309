"""What was filled into a PDF's form and noted on its pages, each value beside the label it stands at.

Reads annotations by pdfium; where a label is printed, it is that of the line, else the field's own name is told.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from indexer.readers.pdf_tables import Line

_MAX_ANNOTATIONS = 2_000
_BUTTON, _CHECKBOX, _RADIO, _SIGNATURE = 1, 2, 3, 7
"""FPDF_FORMFIELD_ types of fpdf_formfill.h."""
_NOTES = (1, 3)
"""Annotations with words of a reader: FPDF_ANNOT_TEXT and FPDF_ANNOT_FREETEXT."""
_WIDGET = 20
_SLACK = 3.0
"""Points by which a field may stand higher or lower than its label."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of a field and where its box stands, in points from the bottom and the left of the page."""

    name: str
    value: str
    bottom: float
    top: float
    left: float = 0.0
    right: float = 0.0

    def is_beside(self, base: float) -> bool:
        """Tell a line whose letters stand at this height beside the field."""
        return self.bottom - _SLACK <= base <= self.top + _SLACK


def with_entries(lines: Sequence[Line], entries: Sequence[Entry]) -> list[Line]:
    """Return the lines, the value of each field beside its label; fields without one follow as "name: value"."""
    told = list(lines)
    loose: list[Entry] = []
    for entry in entries:
        beside = [place for place, line in enumerate(lines) if entry.is_beside(line.base) and line.text.strip()]
        others = sum(other.bottom < entry.top and entry.bottom < other.top for other in entries)
        if len(beside) == 1 and others == 1 and entry.value not in lines[beside[0]].text:
            line = lines[beside[0]]
            label = line.text.rstrip(" ._")
            mark = "" if label.endswith((":", "?")) else ":"
            told[beside[0]] = replace(line, text=f"{label}{mark} {entry.value}", is_row=True)
        elif not (len(beside) == 1 and entry.value in lines[beside[0]].text):
            loose.append(entry)
    return [
        *told,
        *(Line(f"{entry.name}: {entry.value}" if entry.name else entry.value, is_row=True) for entry in loose),
    ]


def form_entries(page: Any, form: Any) -> tuple[list[Entry], list[str]]:
    """Return the filled-in fields of a pypdfium2 page, from top to bottom, and the notes that readers left on it."""
    from pypdfium2 import raw

    entries: list[Entry] = []
    notes: list[str] = []
    for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, number)
        if not annotation:
            continue
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        if kind == _WIDGET and form is not None:
            entries.extend(_entry(annotation, form.raw))
        elif kind in _NOTES and (text := _string(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")):
            notes.append(text)
        raw.FPDFPage_CloseAnnot(annotation)
    return sorted(entries, key=lambda entry: -entry.top), notes


def _entry(annotation: Any, form: Any) -> Iterator[Entry]:
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (_BUTTON, _SIGNATURE) or kind < 0:
        return
    value = _string(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
    is_checked = bool(raw.FPDFAnnot_IsChecked(form, annotation))
    if kind == _CHECKBOX:
        value = "yes" if is_checked else "no"
    elif kind == _RADIO and not is_checked:
        return
    name = _string(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
    name = name or _string(raw.FPDFAnnot_GetFormFieldName, form, annotation)
    box = raw.FS_RECTF()
    if value and value != "Off" and raw.FPDFAnnot_GetRect(annotation, box):
        yield Entry(name, value, box.bottom, box.top, box.left, box.right)


def _string(function: Any, *arguments: Any) -> str:
    """Return a string of pdfium on one line: asked for its length first, then copied."""
    from pypdfium2 import raw

    length = function(*arguments, None, 0)
    buffer = ctypes.create_string_buffer(max(length, 2))
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
    return " ".join(buffer.raw[:length].decode("utf-16-le", "replace").rstrip("\0").split())
