"""Answers and passages in the forms of `schemas`, and an answer as text with its footnotes below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rag.service.documents import Names, document_id
from rag.types import Answer, Citation, Passage


def passage_json(rank: int, passage: Passage, names: Names, explain: bool = False) -> dict[str, Any]:
    """Return `schemas.PassageOut`."""
    origin = passage.origin
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
        "title": passage.title,
        "context": passage.context,
        "page": passage.page,
        "line": passage.line,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "score": passage.score,
        "also_in": list(passage.also_in),
        "explain": explanation if explain else None,
    }


def passages_json(passages: Sequence[Passage], names: Names, explain: bool = False) -> list[dict[str, Any]]:
    """Return a list of `schemas.PassageOut`."""
    return [passage_json(rank, passage, names, explain) for rank, passage in enumerate(passages, 1)]


def citation_json(citation: Citation, passages: Sequence[Passage], names: Names) -> dict[str, Any]:
    """Return `schemas.CitationOut`."""
    return {
        "number": citation.number,
        "document": document_id(citation.source),
        "source": citation.source,
        "name": names.name(citation.source, citation.title),
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
    }


def answer_json(answer: Answer, names: Names, explain: bool = False) -> dict[str, Any]:
    """Return `schemas.AskResponse`."""
    return {
        **answer.to_json(),
        "citations": [citation_json(each, answer.passages, names) for each in answer.citations],
        "passages": passages_json(answer.passages, names, explain),
    }


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
    """Return an answer as text, its footnotes below; or, where there is none, the nearest evidence.

    What comes from documents cannot become an image, a link or HTML: a client that shows it fetches nothing.
    """
    if not answer.answered:
        nearest = [
            _note(rank, names.name(each.source, each.title), each.page, each.line, _short(each.text))
            for rank, each in enumerate(answer.passages[:3], 1)
        ]
        return "\n\n".join(["These documents do not say.", *(["The nearest:"] if nearest else []), *nearest])
    notes = [
        _note(each.number, names.name(each.source, each.title), each.page, each.line, f"“{each.quote}”")
        for each in answer.citations
    ]
    return "\n\n".join([_marked(answer), *notes])


def _marked(answer: Answer) -> str:
    """Return the answer's text with the numbers of its footnotes behind what they bear out."""
    ends: dict[int, list[int]] = {}
    for citation in answer.citations:
        for _, end in citation.claims or ((0, len(answer.text)),):
            ends.setdefault(end, []).append(citation.number)
    text, done = "", 0
    for end in sorted(ends):
        text += _tame(answer.text[done:end])
        text += " " * text.endswith(("!", "]"))  # or the number would make an image or a link of it
        text += "".join(f"[{number}]" for number in ends[end])
        done = end
    return text + _tame(answer.text[done:])


def _note(number: int, name: str, page: int | None, line: int | None, text: str) -> str:
    where = f", page {page}" if page is not None else f", line {line}" if line is not None else ""
    return f"[{number}] " + _tame(" ".join(f"{name}{where}: {text}".split()))


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 300 else f"{flat[:299].rstrip()}…"


_ACTIVE = re.compile(r"!(?=\[)|\](?=[(\[:])|<(?=[A-Za-z/!?])")


def _tame(text: str) -> str:
    r"""Return text in which nothing of Markdown makes an image, a link or HTML: `![` becomes `!\[`, `](` `]\(`.

    The backslash stands behind the first sign, where no backslash of the text's own can take its power.
    """
    return _ACTIVE.sub(lambda found: f"{found[0]}\\", text)
