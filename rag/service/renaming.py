"""Uploads by the names that they came by, in the words of an answer: a count names the documents that it counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePath

from rag.service.documents import Names
from rag.types import Answer


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    name: str


def with_upload_names(answer: Answer, names: Names) -> Answer:
    """Return an answer that calls uploads what people call them, its spans moved along.

    Only what the generator wrote is changed: what was copied stays as it was.
    """
    sources = {*(each.source for each in answer.citations), *(each.source for each in answer.passages)}
    stored = {PurePath(each).name: label for each in sorted(sources) if (label := names.label(each)) != each}
    edits = sorted(_edits(answer, stored.items()), key=lambda edit: edit.start)
    notes = tuple(_renamed(note, stored.items()) for note in answer.notes)
    if not edits:
        return replace(answer, notes=notes)
    text, done = "", 0
    for edit in edits:
        text += answer.text[done : edit.start] + edit.name
        done = edit.end

    def moved(offset: int) -> int:
        return offset + sum(len(edit.name) - (edit.end - edit.start) for edit in edits if edit.end <= offset)

    def spans(all_: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        return tuple((moved(start), moved(end)) for start, end in all_)

    return replace(
        answer,
        text=text + answer.text[done:],
        citations=tuple(replace(each, claims=spans(each.claims)) for each in answer.citations),
        copied=tuple(replace(each, start=moved(each.start), end=moved(each.end)) for each in answer.copied),
        unsupported=spans(answer.unsupported),
        written=spans(answer.written),
        notes=notes,
    )


def _edits(answer: Answer, stored: Iterable[tuple[str, str]]) -> Iterable[_Edit]:
    for name, label in stored:
        for start, end in answer.written:
            at = answer.text.find(name, start, end)
            while at >= 0:
                yield _Edit(at, at + len(name), label)
                at = answer.text.find(name, at + len(name), end)


def _renamed(text: str, stored: Iterable[tuple[str, str]]) -> str:
    for name, label in stored:
        text = text.replace(name, label)
    return text
