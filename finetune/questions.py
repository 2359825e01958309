"""Reads questions with known answers, from SQuAD-format files and from JSON lines.

    {"question": "...", "context": "...", "answers": ["..."], "title": "...", "id": "...", "answerable": true}

Only `question`, `context` and `answers` are needed in a line, and no `answers` where `answerable` is false. `document`
names what a split must not tear apart, where that is not the title. With `"yes_no": true` the answer is "yes" or "no",
and the question may be a claim. Every fault is found before anything slow begins.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from indexer.errors import UsageError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the passage that it is asked about, and its gold answers."""

    id: str
    text: str
    title: str
    passage: str
    answers: tuple[str, ...]
    """Empty where the passage does not hold the answer."""
    document: str
    """What it is split by: questions of one document stay on one side."""
    refused: bool = False
    """Whether the passage is said not to hold the answer, rather than no answer said."""
    yes_no: bool = False
    """Whether it asks if something is so: its answer is "yes" or "no", as the passage says, and no span of it."""


def read_questions(file: Path, *, answers_needed: bool = True) -> list[Question]:
    """Return the questions of a file: SQuAD v1.1 or v2.0 JSON, or JSON lines; gzipped or not.

    An answer that does not occur in its passage word for word cannot be learned as a copy; it is kept, and written.
    Where answers are not needed, a line may leave them out: question and passage belong together all the same. Raises
    UsageError with the first fault and the number of faults.
    """
    try:
        content = file.read_bytes()
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise UsageError(f"{file} cannot be read: {error}.", "Give a SQuAD-format file or JSON lines.") from error
    faults: list[str] = []
    if text.lstrip()[:1] == "{" and _is_squad(text):
        questions = list(_squad(json.loads(text)["data"], faults))
    else:
        questions = list(_lines(text, faults, answers_needed))
    if faults:
        raise UsageError(f"{file} has {len(faults)} faults; the first: {faults[0]}.", "Mend the file and try again.")
    if not questions:
        raise UsageError(f"{file} holds no questions.", "Give a SQuAD-format file or JSON lines.")
    return _with_own_ids(questions)


def occurrences(passage: str, answer: str) -> list[int]:
    """Return where `answer` begins in `passage`; only if it tears a word everywhere ("1920" in "1920s"), there too."""
    from rag.copying.layout import torn

    found, at = [], passage.find(answer) if answer else -1
    while at >= 0:
        found.append(at)
        at = passage.find(answer, at + 1)
    whole = [at for at in found if not torn(passage, at) and not torn(passage, at + len(answer))]
    return whole or found


def _with_own_ids(questions: Sequence[Question]) -> list[Question]:
    """Return the questions with an id each: SQuAD's own training file has 155 ids twice.

    The same question on the same passage under one id becomes one question with the answers of both.
    """
    own: dict[str, Question] = {}
    for question in questions:
        place, times = question.id, 1
        while place in own and (own[place].text, own[place].passage) != (question.text, question.passage):
            times += 1
            place = f"{question.id}#{times}"
        before = own[place].answers if place in own else ()
        own[place] = replace(question, id=place, answers=tuple(dict.fromkeys((*before, *question.answers))))
    return list(own.values())


def _is_squad(text: str) -> bool:
    try:
        return "data" in json.loads(text)
    except (ValueError, RecursionError):
        return False


def _squad(articles: Any, faults: list[str]) -> Iterator[Question]:
    for number, article in enumerate(_objects(articles, "data", faults), start=1):
        title = str(article.get("title", "")).replace("_", " ")
        paragraphs = _objects(article.get("paragraphs"), f"article {number}: paragraphs", faults)
        for place, paragraph in enumerate(paragraphs, start=1):
            where = f"article {number}, paragraph {place}"
            for entry in _objects(paragraph.get("qas"), f"{where}: qas", faults):
                row = {**entry, "context": paragraph.get("context"), "title": title}
                yield from _question(row, f"article {title or number}", where, faults)


def _objects(value: Any, name: str, faults: list[str]) -> list[Mapping[str, Any]]:
    """Return the JSON objects of a list; whatever else is there is a fault."""
    if not isinstance(value, list):
        value = [None]
    found: list[Mapping[str, Any]] = [each for each in value if isinstance(each, dict)]
    if len(found) < len(value):
        faults.append(f"{name} is no list of objects")
    return found


def _lines(text: str, faults: list[str], answers_needed: bool) -> Iterator[Question]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults.append(f"line {number} is no JSON ({error})")
            continue
        if not isinstance(row, dict):
            faults.append(f"line {number} is no JSON object")
            continue
        if not answers_needed:
            row.setdefault("answers", [])
        context = str(row.get("context")).encode("utf-8", "replace")
        document = row.get("document") or row.get("title") or hashlib.sha256(context).hexdigest()[:16]
        yield from _question(row, str(document), f"line {number}", faults)


def _question(row: Mapping[str, Any], document: str, where: str, faults: list[str]) -> Iterator[Question]:
    for name in ("question", "context"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            faults.append(f"{where} has no {name}")
            return
    refused = row.get("answerable") is False or bool(row.get("is_impossible"))
    answers = row.get("answers", [] if refused else None)
    if not isinstance(answers, list):
        faults.append(f"{where} has no list of answers")
        return
    given = [answer.get("text") if isinstance(answer, dict) else answer for answer in answers]
    texts = [answer for answer in given if isinstance(answer, str)]
    if len(texts) < len(given):
        faults.append(f"{where} has an answer that is no text")
        return
    if not _is_unicode(str(row.get("id")), str(row.get("title")), row["question"], row["context"], *texts):
        faults.append(f"{where} holds half of a surrogate pair, which is no character")
        return
    yes_no = row.get("yes_no") is True
    if yes_no and not refused and [text.strip().lower() for text in texts] not in (["yes"], ["no"]):
        faults.append(f'{where} has "yes_no": true and no answer "yes" or "no"')
        return
    if refused:
        texts = []
    elif texts and not any(answer.strip() for answer in texts):
        log.warning("%s is left out: its answers are empty", where)
        return
    yield Question(
        id=str(row.get("id") or where),
        text=row["question"].strip(),
        title=str(row.get("title") or ""),
        passage=row["context"],
        answers=tuple(dict.fromkeys(answer for answer in texts if answer.strip())),
        document=document,
        refused=refused,
        yes_no=yes_no,
    )


def _is_unicode(*texts: str) -> bool:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True
