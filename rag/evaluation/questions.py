"""Questions with their gold answers, from SQuAD JSON and from JSON lines, each fault noted with its place.

    {"id": "7", "question": "Who designed it?", "answers": ["Anna Holm"], "context": "…", "title": "…",
     "kind": "direct", "answerable": true, "evidence": [{"source": "port.md", "quote": "…"}]}

Only `question` and `answers` are needed in a line. The names of a BEIR query (`_id`, `text`) serve as well, and its
answers may be under `metadata`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.evaluation import metrics
from rag.evaluation.faults import Faults, Fields, Source, is_unicode, key_of, objects, shortened, text_of

_WRITTEN = frozenset({"yes", "no"})
"""Answers that stand in no passage, and need not (as in HotpotQA and Natural Questions)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a data set."""

    id: str
    text: str
    answers: tuple[str, ...]
    """The gold answers, each once; empty where the question has none."""
    title: str = ""
    passage: str = ""
    """The passage that it was asked about, where the set has one."""
    kind: str = ""
    """What the set says of it: "direct", "paraphrase", ..."""
    sources: tuple[str, ...] = ()
    """Documents that hold the answer, where the set says."""
    quotes: tuple[str, ...] = ()
    """Sentences that hold the answer, where the set says."""


def questions_of(source: Source, faults: Faults, *, answers_needed: bool = True) -> list[Asked]:
    """Return the questions of a file: SQuAD v1.1 or v2.0 JSON, or JSON lines. What has a fault is noted, and left out.

    Without `answers_needed`, no answers means only that none is told.
    """
    placed = placed_questions(source, faults, answers_needed=answers_needed)
    return [asked for where, asked in placed if faults.note_id(asked.id, where)]


def placed_questions(source: Source, faults: Faults, *, answers_needed: bool = True) -> list[tuple[str, Asked]]:
    """Return the questions as `questions_of` does, but each with its place, and those whose id is used again too."""
    lines = list(source.lines())
    rows = _squad(lines, faults) if _is_squad(lines) else objects(lines, faults)
    placed = [(where, _asked(where, row, faults, answers_needed=answers_needed)) for where, row in rows]
    found = [(where, asked) for where, asked in placed if asked is not None]
    if not found and not faults.counts:
        faults.add("no questions", "the whole file")
    return found


def has_word(text: str) -> bool:
    """Return whether there is something in a question that can be searched for."""
    return any(character.isalnum() for character in text)


# SQuAD


def _is_squad(lines: Sequence[tuple[str, str]]) -> bool:
    """Return whether a file is one JSON object with `data`, on however many lines, or was meant to be one."""
    if not lines:
        return False
    try:
        first = json.loads(lines[0][1])
    except (ValueError, RecursionError):
        begins = "".join("".join(line[:100].split()) for _, line in lines[:9])
        return begins.startswith(('{"version":', '{"data":'))
    return isinstance(first, dict) and "data" in first and not {"question", "text"} & set(first)


def _squad(lines: Sequence[tuple[str, str]], faults: Faults) -> Iterator[tuple[str, Fields]]:
    """Yield each question of a SQuAD file with its paragraph, as a row of JSON lines would have it."""
    try:
        whole = json.loads("\n".join(line for _, line in lines))
    except json.JSONDecodeError as error:
        faults.add("not JSON", lines[error.lineno - 1][0], f"column {error.colno}: {error.msg}")
        return
    except RecursionError:
        faults.add("not JSON", "the whole file", "too deep")
        return
    for number, article in _listed(whole, "data", "the whole file", faults):
        about = f"article {number}"
        title = text_of(article, "title", about, faults, needed=False).replace("_", " ")
        for place, paragraph in _listed(article, "paragraphs", about, faults):
            within = f"{about}, paragraph {place}"
            context = text_of(paragraph, "context", within, faults)
            for order, entry in _listed(paragraph, "qas", within, faults):
                where = f"{within}, question {order}"
                if context and key_of(entry, "id", where, faults):
                    yield where, {**entry, "context": context, "title": title}


def _listed(value: Fields, name: str, where: str, faults: Faults) -> Iterator[tuple[int, Fields]]:
    """Yield the JSON objects of a list, counted from 1; whatever else is there is a fault."""
    found = value.get(name)
    if not isinstance(found, list):
        faults.add(f"no list of {name}", where)
        return
    for number, each in enumerate(found, 1):
        if isinstance(each, dict):
            yield number, each
        else:
            faults.add(f"not an object in {name}", f"{where}, number {number}", repr(each))


# One question


def _asked(where: str, row: Fields, faults: Faults, *, answers_needed: bool) -> Asked | None:
    before = faults.counts.total()
    text = text_of(row, "question" if "question" in row or "text" not in row else "text", where, faults).strip()
    if text and not has_word(text):
        faults.add("question without a word", where, text)
    passage = text_of(row, "context", where, faults, needed=False)
    evidence = _evidence(row, where, faults)
    asked = Asked(
        id=_id(row, where, faults, text, passage),
        text=text,
        answers=_answers(row, passage, where, faults, needed=answers_needed),
        title=text_of(row, "title", where, faults, needed=False),
        passage=passage,
        kind=text_of(row, "kind", where, faults, needed=False),
        sources=tuple(dict.fromkeys(source for source, _ in evidence)),
        quotes=tuple(dict.fromkeys(quote for _, quote in evidence if quote)),
    )
    return asked if faults.counts.total() == before else None


def _id(row: Fields, where: str, faults: Faults, text: str, passage: str) -> str:
    """Return a question's id; where it has none, one that follows from what is asked, and not from where it stands.

    Two runs are compared question by question, also when a line was put between two others.
    """
    for name in ("id", "_id"):
        if row.get(name) is not None:
            return key_of(row, name, where, faults)
    return hashlib.sha256(f"{text}\0{passage}".encode()).hexdigest()[:16]


def _evidence(row: Fields, where: str, faults: Faults) -> list[tuple[str, str]]:
    """Return the gold sources, each with its quote or with ""."""
    if row.get("sources") is not None:
        sources = row["sources"]
        if not isinstance(sources, list) or not all(isinstance(each, str) and each.strip() for each in sources):
            faults.add("sources is no list of texts", where, repr(sources))
            return []
        return [(source, "") for source in sources if is_unicode(source, "sources", where, faults)]
    if row.get("evidence") is None:
        return []
    return [
        (text_of(each, "source", where, faults), text_of(each, "quote", where, faults, needed=False))
        for _, each in _listed(row, "evidence", where, faults)
    ]


def _answers(row: Fields, passage: str, where: str, faults: Faults, *, needed: bool) -> tuple[str, ...]:
    stated = _answerable(row)
    given = _given_answers(row)
    if given is None:
        if needed and stated is not False:
            faults.add("no list of answers", where)
        return ()
    if stated is False and given:
        faults.add("answers to what is said to have none", where, repr(given))
        return ()
    if stated is True and needed and not given:
        faults.add("no answer to what is said to have one", where)
    texts = [_answer(each, passage, where, faults) for each in given]
    return tuple(dict.fromkeys(text for text in texts if text))


def _answerable(row: Fields) -> bool | None:
    """Return what a row says of itself, None where it says nothing; SQuAD v2.0 calls it `is_impossible`."""
    if isinstance(row.get("answerable"), bool):
        return bool(row["answerable"])
    return not row["is_impossible"] if isinstance(row.get("is_impossible"), bool) else None


def _given_answers(row: Fields) -> list[Any] | None:
    """Return the answers as they are given, None where there is no list of them.

    The `datasets` library writes them as one object of two lists, texts and starts.
    """
    metadata = row.get("metadata")
    found = row.get("answers", metadata.get("answers") if isinstance(metadata, dict) else None)
    if isinstance(found, dict):
        texts, starts = found.get("text"), found.get("answer_start")
        if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
            return None
        return [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    return found if isinstance(found, list) else None


def _answer(given: Any, passage: str, where: str, faults: Faults) -> str:
    """Return the text of one gold answer; "" with a fault when it is none, or does not stand in the passage."""
    text, start = (given.get("text"), given.get("answer_start")) if isinstance(given, dict) else (given, None)
    if not isinstance(text, str):
        faults.add("answer that is no text", where, repr(text))
        return ""
    if not text.strip():
        faults.add("empty answer", where)
        return ""
    if not is_unicode(text, "answers", where, faults):
        return ""
    if start is not None and (type(start) is not int or start < 0):
        faults.add("answer_start is no place", where, repr(start))
    elif start is not None and passage and passage[start : start + len(text)] != text:
        faults.add("answer outside its context", where, f"{shortened(text, 40)!r} is not at {start}")
    elif passage and not _stands_in(text, passage):
        faults.add("answer outside its context", where, f"{shortened(text, 40)!r} is not in it")
    return text


def _stands_in(answer: str, passage: str) -> bool:
    return answer in passage or metrics.holds(passage, [answer]) or answer.strip().casefold() in _WRITTEN
