"""Answers and passages in the forms of `schemas`, and an answer as text with its footnotes below it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from indexer.pages import page_place
from indexer.types import Section
from rag.excerpts import excerpt, matches
from rag.service.documents import Names, document_id
from rag.types import Answer, Citation, Passage


def passage_json(
    rank: int, passage: Passage, names: Names, explain: bool = False, question: str = ""
) -> dict[str, Any]:
    """Return `schemas.PassageOut`; with a `question`, it says which part of the passage fits it."""
    origin = passage.origin
    spans = excerpt(passage, question) if question else []
    words = matches(passage.text, question) if question else []
    explanation = {
        "words": {"rank": origin.words_rank, "score": origin.words_score},
        "dense": {"rank": origin.dense_rank, "score": origin.dense_score},
        "matched": list(origin.matched),
    }
    return {
        "rank": rank,
        "document": document_id(passage.source),
        "source": passage.source,
        "name": names.name(passage.source, passage.title),
        "label": names.label(passage.source),
        "title": passage.title,
        "context": passage.context,
        "page": passage.page,
        "line": passage.line,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "score": passage.score,
        "also_in": list(passage.also_in),
        "excerpt": [list(span) for span in spans],
        "matches": [list(word) for word in words if any(start <= word[0] and word[1] <= end for start, end in spans)],
        "explain": explanation if explain else None,
    }


def passages_json(
    passages: Sequence[Passage], names: Names, explain: bool = False, question: str = ""
) -> list[dict[str, Any]]:
    """Return a list of `schemas.PassageOut`."""
    return [passage_json(rank, passage, names, explain, question) for rank, passage in enumerate(passages, 1)]


def citation_json(citation: Citation, passages: Sequence[Passage], names: Names) -> dict[str, Any]:
    """Return `schemas.CitationOut`."""
    section = _section(citation, passages)
    return {
        "number": citation.number,
        "document": document_id(citation.source),
        "source": citation.source,
        "name": names.name(citation.source, citation.title),
        "label": names.label(citation.source),
        "title": citation.title,
        "sha256": citation.sha256,
        "page": citation.page,
        "line": citation.line,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "marks": [list(span) for span in citation.marks],
        "claims": [list(span) for span in citation.claims],
        "headings": _headings(citation, passages),
        "kind": section.kind if section else None,
        "header": _header(section, citation, passages),
    }


def answer_json(answer: Answer, names: Names, explain: bool = False) -> dict[str, Any]:
    """Return `schemas.AskResponse`."""
    question = "" if answer.answered else answer.read_as or answer.question
    return {
        **answer.to_json(),
        "citations": [citation_json(each, answer.passages, names) for each in answer.citations],
        "passages": passages_json(answer.passages, names, explain, question),
    }


def _section(citation: Citation, passages: Sequence[Passage]) -> Section | None:
    """Return the part of the document that a quote begins in, None where it was not read for the answer."""
    return next(
        (
            section
            for passage in passages
            if passage.source == citation.source
            for section in passage.sections
            if section.start <= citation.start < section.end
        ),
        None,
    )


def _header(section: Section | None, citation: Citation, passages: Sequence[Passage]) -> str:
    """Return the first line of the table that a quote is from, "" where it is from none or that line was not read."""
    if section is None or section.kind != "table" or citation.start == section.start:
        return ""
    for passage in passages:
        if passage.source == citation.source and passage.start <= section.start < passage.end:
            return passage.text[section.start - passage.start :].split("\n", 1)[0]
    return ""


def _headings(citation: Citation, passages: Sequence[Passage]) -> list[str]:
    """Return the headings above a quote, outermost first: of its passage, or the last one that stands between them."""
    for passage in passages:
        if passage.source == citation.source and passage.start <= citation.start < passage.end:
            above = passage.context.split(" > ") if passage.context else []
            inside = [s for s in passage.sections if s.kind == "heading" and passage.start < s.end <= citation.start]
            if not inside:
                return above
            last = inside[-1]
            text = passage.text[max(0, last.start - passage.start) : last.end - passage.start].strip("# \n")
            return above if text in above else [*above[:1], text]
    return []


# As text for chat clients, which read Markdown


def chat_text(answer: Answer, names: Names) -> str:
    """Return an answer as text, its footnotes below; or the closest evidence, or the nearest passages.

    What comes from documents cannot become an image, a link or HTML: a client that shows it fetches nothing.
    """
    parts = {"answer": _given, "unsure": _closest, "none": _nothing}[answer.outcome](answer, names)
    read_as = [f"Read as: {_tame(answer.read_as)}"] if answer.read_as else []
    return "\n\n".join([parts[0], *read_as, *map(_tame, answer.notes), *parts[1:]])


def _given(answer: Answer, names: Names) -> list[str]:
    return [_marked(answer), *_footnotes(answer, names)]


def _closest(answer: Answer, names: Names) -> list[str]:
    """Return the closest evidence. Of "yes" and "no" only what it rests on is told: nobody is sure of it."""
    said = "" if answer.form == "yes-no" else _marked(answer)
    gap = "\n\n" if "\n" in said else " "
    return [f"Not sure. The closest is:{gap}{said}".rstrip(), *_footnotes(answer, names)]


def _nothing(answer: Answer, names: Names) -> list[str]:
    question = answer.read_as or answer.question
    nearest = [
        _note(rank, names.name(each.source, each.title), _where(each), _excerpt(each, question))
        for rank, each in enumerate(answer.passages[:3], 1)
    ]
    meant = [f"Did you mean: {_tame(answer.meant)}"] if answer.meant else []
    return ["Nothing in these documents bears on this.", *meant, *(["The nearest:"] if nearest else []), *nearest]


def _footnotes(answer: Answer, names: Names) -> list[str]:
    return [
        _note(each.number, names.name(each.source, each.title), _where(each), f"“{each.quote}”")
        for each in answer.citations
    ]


def _excerpt(passage: Passage, question: str) -> str:
    return " … ".join(passage.text[start:end] for start, end in excerpt(passage, question))


def _marked(answer: Answer) -> str:
    """Return the answer's text with the numbers of its footnotes behind what they bear out, and code between fences."""
    ends: dict[int, list[int]] = {}
    for citation in answer.citations:
        for _, end in citation.claims:
            ends.setdefault(end, []).append(citation.number)
    text, done = "", 0
    for start, last in [*answer.code, (len(answer.text), len(answer.text))]:
        text += _prose(answer.text, done, start, ends)
        if start < last:
            text = f"{text.rstrip()}\n\n{_fenced(answer.text[start:last])}\n"
            text += "".join(f"[{number}]" for end in sorted(ends) if start < end <= last for number in ends[end])
        done = last
    return text.strip("\n")


def _prose(text: str, start: int, last: int, ends: Mapping[int, Sequence[int]]) -> str:
    """Return a part of an answer with the numbers of its footnotes."""
    said, done = "", start
    for end in [place for place in sorted(ends) if start < place <= last]:
        said += _tame(text[done:end])
        said += " " * said.endswith(("!", "]"))  # or the number would make an image or a link of it
        said += "".join(f"[{number}]" for number in ends[end])
        done = end
    return said + _tame(text[done:last])


def _fenced(code: str) -> str:
    """Return code as a block of Markdown, which nothing in it can end."""
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{code}\n{fence}"


def _where(place: Passage | Citation) -> str:
    if place.page is not None:
        return f", {page_place(place.source, place.page, place.page_name)}"
    return f", line {place.line}" if place.line is not None else ""


def _note(number: int, name: str, where: str, text: str) -> str:
    return f"[{number}] " + _tame(" ".join(f"{name}{where}: {text}".split()))


_ACTIVE = re.compile(r"!(?=\[)|\](?=[(\[:])|<(?=[A-Za-z/!?])")


def _tame(text: str) -> str:
    r"""Return text in which nothing of Markdown makes an image, a link or HTML: `![` becomes `!\[`, `](` `]\(`.

    The backslash stands behind the first sign, where no backslash of the text's own can take its power.
    """
    return _ACTIVE.sub(lambda found: f"{found[0]}\\", text)
