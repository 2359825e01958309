"""What Markdown holds for programs and not for readers: comments, template tags, attributes of headings, link targets.

Lines stay as many as they were, so that their numbers hold; code is left as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from indexer.readers.notes import counted

_FENCE = re.compile(r"[ \t]{0,12}(`{3,}|~{3,})")
_MARK = re.compile(
    r"(?P<code>(`{1,8})(?!`)[^`]{1,2000}(?<!`)\2(?!`))"
    r"|(?P<comment><!--|\{%-?\s{0,9}comment\s{0,9}-?%\})"
    r"|(?P<tag>\{%[-+]?\s[^{}]{0,500}%\}|\{\{[<%-]?\s[^{}]{0,500}\s[>%-]?\}\}|\{\{-?[\w-]{1,60}(?:\.[\w-]{1,60}){1,9}-?\}\})"
    r"|(?P<anchor><a\s{1,9}(?:name|id)=[^<>]{1,200}(?:/>|>\s{0,9}</a>)|^[ \t]{0,9}\{:[^{}]{1,200}\}[ \t]*$)"
)
_CLOSING = {"<": re.compile("-->"), "{": re.compile(r"\{%-?\s{0,9}endcomment\s{0,9}-?%\}")}
_ATTRIBUTES = re.compile(r"[ \t]*\{:?[ \t]{0,9}[#.][^{}]{0,200}\}([ \t]*#{0,6}[ \t]*)$")
_ATX = re.compile(r" {0,3}#{1,6}[ \t]")
_TARGET = re.compile(
    r" {0,3}\[(?!\^)[^\[\]]{1,200}\]:[ \t]{0,9}(?:<[^<>]{1,2000}>|(?=\S{0,200}[/.#:])\S{1,2000})"
    r"""(?:[ \t]{1,9}(?:"[^"]{0,500}"|'[^']{0,500}'|\([^()]{0,500}\)))?[ \t]*$"""
)
"""A link reference definition (CommonMark 0.31, section 4.7) on one line; not a note ("[^1]: ...")."""
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*$")


def without_marks(lines: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the lines without these marks, and notes that count what was left out; time is linear."""
    left_out: Counter[str] = Counter()
    last = {key: _last_line(lines, closing) for key, closing in _CLOSING.items()}
    told: list[str] = []
    fence = closing = ""
    for number, line in enumerate(lines):
        pieces, place = [], 0
        if closing:
            end = _CLOSING[closing].search(line)
            place, closing = (end.end(), "") if end else (len(line), closing)
        elif fence:
            bare = line.strip()
            fence = "" if bare.startswith(fence) and not bare.strip(fence[0]) else fence
            told.append(line)
            continue
        elif opening := _FENCE.match(line):
            fence = opening[1]
            told.append(line)
            continue
        elif "<" not in line and "{" not in line:
            told.append(line)
            continue
        while not closing and (mark := _MARK.search(line, place)):
            key = mark[0][0]
            end = _CLOSING[key].search(line, mark.end()) if mark["comment"] else mark
            if mark["code"] or (end is None and number >= last[key]):
                pieces.append(line[place : mark.end()])
                place = mark.end()
                continue
            left_out["comments" if mark["comment"] else "template tags"] += not mark["anchor"]
            pieces.append(line[place : mark.start()])
            place, closing = (end.end(), "") if end else (len(line), key)
        text = "".join([*pieces, line[place:]])
        told.append(text if text == line else text.rstrip())
    for number in _targets(told):
        told[number] = ""
        left_out["link targets"] += 1
    for number, line in enumerate(told):
        if "{" in line and (_ATX.match(line) or (number + 1 < len(told) and _UNDERLINE.match(told[number + 1]))):
            told[number] = _ATTRIBUTES.sub(r"\1", line)
    return told, counted(left_out)


def _targets(lines: Sequence[str]) -> Iterator[int]:
    """Yield the numbers of the lines that say where links go; within a paragraph or a block of code there are none."""
    fence, between = "", True
    for number, line in enumerate(lines):
        bare = line.strip()
        if fence:
            fence = "" if bare.startswith(fence) and not bare.strip(fence[0]) else fence
        elif opening := _FENCE.match(line):
            fence = opening[1]
        elif between and bare[:1] == "[" and _TARGET.match(line):
            yield number
            continue
        between = not bare or bool(_ATX.match(line))


def _last_line(lines: Sequence[str], closing: re.Pattern[str]) -> int:
    """Return the number of the last line that may end a comment, -1 without one."""
    return max((number for number, line in enumerate(lines) if closing.search(line)), default=-1)
