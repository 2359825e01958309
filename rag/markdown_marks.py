"""Where the marks of Markdown, and of reStructuredText, stand in a text that was stored as it was written.

A person need not see them. Pure text and places: the stored text keeps its marks, and so do quotes and offsets; only
what is shown is without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

Span = tuple[int, int]

_ENDINGS = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".rst", ".rest"})
_CODE = re.compile(r"(?<![\\`])(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_OPENING = re.compile(r"(?P<ticks>`+)(?:(?<=```)[^\n`]*\n)?")
"""With which code begins: a fence with the language behind it, or ticks inside of a line."""
_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*(?:\n|$)", re.MULTILINE)
_AT_LINE = re.compile(r"^[ \t]{0,3}(?:#{1,6}[ \t]+|>[ \t]?|\|[ \t]*)", re.MULTILINE)
_AT_END = re.compile(r"(?:[ \t]+#+|[ \t]*(?<!\\)\|)[ \t]*$", re.MULTILINE)
_LINK = re.compile(
    r"!?\[(?P<text>[^\[\]\n]*)\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"\n]*\")?\)|\[[^\[\]\n]*\])"
)
_ROLE = re.compile(r"(?<![\w:`]):[a-z][a-z:-]{0,40}:`~?(?P<text>[^`<\n]+?)(?:\s*<[^`<>\n]*>)?`")
"""`:ref:` and others of reStructuredText."""
_TARGET = re.compile(r"(?<![\w:`])`(?P<text>[^`<\n]+?)(?:\s*<[^`<>\n]*>)?`__?(?!\w)")
"""A link of reStructuredText."""
_ADDRESS = re.compile(r"<(?P<text>(?:https?|mailto):[^<>\s]+)>")
_EMPHASIS = (
    re.compile(r"(?<![\\*])\*\*\*?(?=\S)(?P<text>[^\n]+?)(?<=[^\s\\])\*\*\*?(?!\*)"),
    re.compile(r"(?<![\w\\])__(?=\S)(?P<text>[^\n]+?)(?<=[^\s\\])__(?!\w)"),
    re.compile(r"(?<![\w\\*])\*(?=[^\s*])(?P<text>[^*\n]+?)(?<=[^\s\\])\*(?![\w*])"),
    re.compile(r"(?<![\w\\_])_(?=[^\s_])(?P<text>[^_\n]+?)(?<=[^\s\\])_(?![\w_])"),
    re.compile(r"(?<![\\~])~~(?=\S)(?P<text>[^\n]+?)(?<=\S)~~"),
)
_ESCAPE = re.compile(r"\\(?=[\\`*_{}\[\]()#+.!|>~-])")
_HALF = re.compile(r"(?<!\S)\*\*(?=\w)|(?<=[\w.!?)])\*\*(?=[\s.,;:!?)]|$)")
"""Bold of which the other end was cut off."""


def has_marks(source: str) -> bool:
    """Tell whether a source is a file in Markdown or reStructuredText, by its ending."""
    return PurePath(source).suffix.lower() in _ENDINGS


def code_spans(text: str) -> list[Span]:
    """Return where code stands inside of lines, each with its backticks; one that was cut off is none."""
    for pattern in (_ROLE, _TARGET):
        text = pattern.sub(lambda link: " " * len(link[0]), text)
    return [match.span() for match in _CODE.finditer(text) if "\n\n" not in match[0]]


def marks(text: str, *, code: bool = True) -> list[Span]:
    """Return the places of the marks in order, none over another.

    They are those of emphasis, headings, links, quotes, tables and escapes. Without `code`, the backticks around code
    are none of them. Inside of code nothing is a mark.
    """
    spans = code_spans(text)
    ticks = [_ticks(text, span) for span in spans] if code else []
    found = [each for pair in ticks for each in pair]
    found += [span for span in _outside(text) if not any(start < span[1] and span[0] < end for start, end in spans)]
    return _apart(found)


def _ticks(text: str, span: Span) -> tuple[Span, Span]:
    start, end = span
    ticks = _OPENING.match(text, start, end)
    opening, width = (ticks[0], len(ticks["ticks"])) if ticks is not None else ("", 0)
    return (start, start + len(opening)), (end - width, end)


def _outside(text: str) -> Iterator[Span]:
    for pattern in (_RULE, _AT_LINE, _AT_END, _ESCAPE, _HALF):
        yield from (match.span() for match in pattern.finditer(text))
    for pattern in (_LINK, _ROLE, _TARGET, _ADDRESS, *_EMPHASIS):
        for match in pattern.finditer(text):
            yield match.start(), match.start("text")
            yield match.end("text"), match.end()


def _apart(spans: Sequence[Span]) -> list[Span]:
    """Return the spans in order, those that touch or overlap as one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return joined


def left(start: int, end: int, removed: Sequence[Span]) -> list[Span]:
    """Return what is left of a part of a text without the spans that are removed, in order."""
    parts, done = [], start
    for first, last in removed:
        if first < end and last > start:
            if first > done:
                parts.append((done, first))
            done = max(done, min(last, end))
    return [*parts, (done, end)] if done < end else parts


def unmarked(text: str, source: str) -> str:
    """Return a text as a person reads it: of a file with marks without them, of any other as it is."""
    if not has_marks(source):
        return text
    return "".join(text[start:end] for start, end in left(0, len(text), marks(text)))


_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})[^`]*")


def is_fence(line: str) -> bool:
    """Tell whether a line begins or ends a block of code."""
    return _FENCE.fullmatch(line) is not None


def bare_code(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines of a block of code without the fences around it, and without empty lines at its ends."""
    first, last = 0, len(lines)
    while first < last and (not lines[first].strip() or is_fence(lines[first])):
        first += 1
    while last > first and (not lines[last - 1].strip() or is_fence(lines[last - 1])):
        last -= 1
    return lines[first:last]
