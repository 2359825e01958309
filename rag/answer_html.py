"""An answer as HTML with its footnotes below, for notebooks. Every word of it is escaped; it fetches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from rag.answer_text import excerpt_of, place_of, usual_name
from rag.markdown_marks import bare_code, has_marks, left, marks
from rag.showing import NEAREST, marks_in_answer
from rag.types import Answer, Citation

_TEXT = "white-space: pre-wrap; margin: 0 0 .5em"
_SMALL = "font-size: smaller; opacity: .75; margin: 0 0 .5em"


def answer_html(answer: Answer) -> str:
    """Return an answer, or the closest evidence, or the nearest passages, each with where it stands."""
    parts = {"answer": _given, "unsure": _closest, "none": _nothing}[answer.outcome](answer)
    if answer.read_as:
        parts.insert(0, _line(f"Read as: {answer.read_as}"))
    parts += [_line(note) for note in answer.remarks]
    return f'<div class="footnote-answer">{"".join(parts)}</div>'


def _given(answer: Answer) -> list[str]:
    confidence = f"Confidence {answer.confidence:.0%}, by the {answer.generator} generator"
    return [_body(answer), _line(confidence), *_footnotes(answer)]


def _closest(answer: Answer) -> list[str]:
    """Return the closest evidence. Of "yes" and "no" only what it rests on is told: nobody is sure of it."""
    body = [] if answer.form == "yes-no" else [_body(answer)]
    return ["<p><strong>Not sure. The closest is:</strong></p>", *body, *_footnotes(answer)]


def _nothing(answer: Answer) -> list[str]:
    items = [
        f"<li>{_place(each.source, each.title, place_of(each))}: {escape(excerpt_of(each, answer))}</li>"
        for each in answer.passages[:NEAREST]
    ]
    return [
        f"<p><strong>{escape(answer.refusal)}</strong></p>",
        *([_line(f"Did you mean: {answer.meant}")] if answer.meant else []),
        *([_line("The nearest:"), f"<ol>{''.join(items)}</ol>"] if items else []),
    ]


def _body(answer: Answer) -> str:
    """Return the text with the numbers of its footnotes behind what they bear out, and code as blocks."""
    parts, done, ends = [], 0, _footnote_places(answer)
    for start, last in [*answer.code, (len(answer.text), len(answer.text))]:
        if answer.text[done:start].strip():
            parts.append(f'<p style="{_TEXT}">{_numbered(answer, done, start, ends)}</p>')
        if start < last:
            numbers = "".join(_number(each) for end in sorted(ends) if start < end <= last for each in ends[end])
            code = "\n".join(bare_code(answer.text[start:last].split("\n")))
            parts.append(f"<pre><code>{escape(code)}</code></pre>{numbers}")
        done = last
    return "".join(parts)


def _footnote_places(answer: Answer) -> dict[int, list[int]]:
    """Return the numbers of the footnotes by the end of what they bear out."""
    ends: dict[int, list[int]] = {}
    for citation in answer.citations:
        for _, end in citation.claims:
            ends.setdefault(end, []).append(citation.number)
    return ends


def _numbered(answer: Answer, start: int, last: int, ends: dict[int, list[int]]) -> str:
    html, done, removed = "", start, marks_in_answer(answer)
    for end in [place for place in sorted(ends) if start < place <= last]:
        html += _without(answer.text, done, end, removed) + "".join(map(_number, ends[end]))
        done = end
    return (html + _without(answer.text, done, last, removed)).strip("\n")


def _without(text: str, start: int, end: int, removed: Sequence[tuple[int, int]]) -> str:
    """Return a part of a text without what is removed, escaped."""
    return escape("".join(text[first:last] for first, last in left(start, end, removed)))


def _number(number: int) -> str:
    return f"<sup>[{number}]</sup>"


def _footnotes(answer: Answer) -> list[str]:
    items = [
        f'<li value="{each.number}">{_place(each.source, each.title, place_of(each))}: “{_quote(each)}”</li>'
        for each in answer.citations
    ]
    return [f"<ol>{''.join(items)}</ol>"] if items else []


def _place(source: str, title: str, where: str) -> str:
    return f'<span title="{escape(source)}">{escape(usual_name(source, title))}{escape(where)}</span>'


def _quote(citation: Citation) -> str:
    """Return a quote with the words of the answer in bold."""
    quote, html, done = citation.quote, "", 0
    removed = marks(quote) if has_marks(citation.source) else []
    for start, end in _apart(citation.marks):
        html += _without(quote, done, start, removed) + f"<b>{_without(quote, start, end, removed)}</b>"
        done = end
    return html + _without(quote, done, len(quote), removed)


def _apart(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order, those that overlap as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _line(text: str) -> str:
    return f'<p style="{_SMALL}">{escape(text)}</p>'
