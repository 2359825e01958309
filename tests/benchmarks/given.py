"""The question sets of a data folder, as questions with their gold answers and the paragraph they were asked about.

The folder is laid out as the scripts beside this one say. What is not there is skipped with a message.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from rag.types import Passage, given_passage


class Absent(click.ClickException):
    """A data set that is not on this machine: the evaluation is skipped, which is no failure."""

    exit_code = 0

    def show(self, file: IO[Any] | None = None) -> None:
        """Say so on standard error."""
        click.echo(f"skipped: {self.message}", file=file or sys.stderr)


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a data set; without answers, its paragraph does not hold one."""

    id: str
    question: str
    answers: tuple[str, ...]
    context: str = ""
    title: str = ""
    kind: str = ""


def lines_of(folder: Path, name: str) -> list[str]:
    """Return the lines of a text file in the data folder, gunzipped when its name ends in .gz. Raises Absent."""
    file = folder / name
    if not file.is_file():
        raise Absent(f"{file} is not there. Give the data folder as the first argument.")
    content = file.read_bytes()
    return (gzip.decompress(content) if name.endswith(".gz") else content).decode().splitlines()


def squad(folder: Path, name: str) -> list[Question]:
    """Return the questions of a SQuAD v1.1 or v2.0 file, in its order. Raises Absent."""
    return [
        Question(
            id=asked["id"],
            question=asked["question"],
            answers=tuple(dict.fromkeys(gold["text"] for gold in asked["answers"])),
            context=context,
            title=title,
        )
        for title, context, questions in _paragraphs(folder, name)
        for asked in questions
    ]


def paragraphs(folder: Path, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the distinct paragraphs of SQuAD files by text, in order, each with an id and its article's title."""
    found: dict[str, tuple[str, str]] = {}
    for name in names:
        for number, (title, context, _) in enumerate(_paragraphs(folder, name)):
            found.setdefault(context, (f"{name.partition('.')[0]}/{number:05}", title))
    return found


def _paragraphs(folder: Path, name: str) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    for article in json.loads("\n".join(lines_of(folder, name)))["data"]:
        for paragraph in article["paragraphs"]:
            yield article["title"].replace("_", " "), paragraph["context"], paragraph["qas"]


def json_lines(folder: Path, name: str) -> list[Question]:
    """Return the questions of a file with rows of `id, title, context, question, answers`. Raises Absent."""
    rows = [json.loads(line) for line in lines_of(folder, name) if line.strip()]
    return [
        Question(
            str(row["id"]),
            row["question"],
            tuple(map(str, row["answers"])),
            row.get("context", ""),
            row.get("title", ""),
            row.get("kind", ""),
        )
        for row in rows
    ]


def limited(questions: Sequence[Question], limit: int | None) -> list[Question]:
    """Return `limit` of the questions, evenly spread over them; all of them for None."""
    if limit is None or limit >= len(questions):
        return list(questions)
    return [questions[place * len(questions) // limit] for place in range(limit)]


def passage_of(question: Question, *, titles: bool = True) -> Passage:
    """Return a question's paragraph as retrieval would hand it over: whole, and under its title."""
    return given_passage(question.context, question.title if titles else "", question.id)
