"""Answers and passages in the forms of `schemas`, and an answer as text with its footnotes below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexer.types import Section
from rag.answer_text import answer_markdown, answer_plain, heading
from rag.excerpts import excerpt, matches
from rag.service.documents import Names, document_id
from rag.service.renaming import with_upload_names
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
        "page_name": passage.page_name,
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
        "title": names.title(citation.source, citation.title),
        "sha256": citation.sha256,
        "page": citation.page,
        "page_name": citation.page_name,
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


def answer_json(answer: Answer, names: Names, explain: bool = False, texts: bool = False) -> dict[str, Any]:
    """Return `schemas.AskResponse`."""
    answer = with_upload_names(answer, names)
    question = "" if answer.answered else answer.read_as or answer.question
    return {
        **answer.to_json(),
        "citations": [citation_json(each, answer.passages, names) for each in answer.citations],
        "passages": passages_json(answer.passages, names, explain, question),
        "texts": _texts(answer, names) if texts else None,
    }


def _texts(answer: Answer, names: Names) -> dict[str, str]:
    """Return `schemas.Texts`: documents are called by their names, and by their paths where those differ."""

    def name(source: str, title: str) -> str:
        called = [names.name(source, title), names.label(source)]
        return ", ".join(dict.fromkeys(called))

    return {
        "markdown": f"{heading(answer.question)}\n\n{answer_markdown(answer, name)}",
        "plain": f"{answer.question}\n\n{answer_plain(answer, name)}",
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


def chat_text(answer: Answer, names: Names) -> str:
    """Return an answer as Markdown, its footnotes below, under the names that the service knows its documents by."""
    return answer_markdown(answer, names.name)
