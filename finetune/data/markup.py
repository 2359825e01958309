"""Takes out what markup leaves behind in prose: tags, entities, wiki marks, odd spaces, ligatures. Knows one text only.

Inline code (`...`) is left alone. Wiki marks are only looked for in a text that has several of them, since braces and
brackets mean other things elsewhere.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from finetune.data.records import Note, Step, in_context

_CODE = re.compile(r"(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")
_TAGS = (
    "a|abbr|b|big|blockquote|body|br|center|cite|code|dd|div|dl|dt|em|font|footer|h[1-6]|head|header|hr|html|i|img|"
    "li|main|nav|nobr|nowiki|ol|p|pre|q|ref|s|section|small|span|strike|strong|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul"
)
_BLOCK_TAGS = "br p div li tr hr dd dt h1 h2 h3 h4 h5 h6 ul ol table section blockquote"
_BLOCK = frozenset(_BLOCK_TAGS.split())
_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_LIGATURES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}
_WIKI = re.compile(r"\[\[[^\[\]\n]{1,200}\]\]|'''|^==+ [^=\n]+ ==+ *$|\{\{[^{}]{1,200}\}\}", re.MULTILINE)
_WIKI_LEAST = 3
"""Wiki marks in a text that make it one."""

Put = Callable[[re.Match[str]], str]


def replacing(kind: str, pattern: re.Pattern[str], put: Put) -> Step:
    """Return the step that puts `put(match)` for each match outside of inline code."""

    def step(text: str, note: Note) -> str:
        if not pattern.search(text):
            return text
        spans = [match.span() for match in _CODE.finditer(text)] if "`" in text else []

        def one(match: re.Match[str]) -> str:
            if any(start < match.end() and match.start() < end for start, end in spans):
                return match[0]
            new = put(match)
            if new != match[0]:
                note(kind, *in_context(text, *match.span(), new))
            return new

        return pattern.sub(one, text)

    return step


def _unescaped(match: re.Match[str]) -> str:
    new = html.unescape(match[0])
    return new if all(c.isprintable() or c.isspace() for c in new) else ""


def _tag(match: re.Match[str]) -> str:
    return "\n" if match[1].casefold() in _BLOCK else ""


def _of_wiki(step: Step) -> Step:
    def gated(text: str, note: Note) -> str:
        few = sum(1 for _, _ in zip(_WIKI.finditer(text), range(_WIKI_LEAST), strict=False)) < _WIKI_LEAST
        return text if few else step(text, note)

    return gated


def _all_wiki(text: str, note: Note) -> str:
    for step in _WIKI_STEPS:
        text = step(text, note)
    return text


_WIKI_STEPS: tuple[Step, ...] = (
    replacing("wiki templates", re.compile(r"\{\{[^{}]{0,2000}\}\}"), lambda match: ""),
    replacing(
        "wiki files", re.compile(r"\[\[(?:File|Image|Category|Datei|Fichier):[^\[\]\n]{0,500}\]\]"), lambda match: ""
    ),
    replacing("wiki links", re.compile(r"\[\[(?:[^\[\]|\n]{0,300}\|)?([^\[\]|\n]{0,300})\]\]"), lambda match: match[1]),
    replacing("wiki emphasis", re.compile(r"'{2,5}"), lambda match: ""),
    replacing("wiki headings", re.compile(r"^(={2,6}) ([^=\n]+) \1 *$", re.MULTILINE), lambda match: match[2]),
)

MARKUP: tuple[Step, ...] = (
    replacing("entities", _ENTITY, _unescaped),
    replacing("entities", _ENTITY, _unescaped),  # "&amp;nbsp;" needs two rounds
    replacing("comments", re.compile(r"<!--.{0,5000}?-->", re.DOTALL), lambda match: ""),
    replacing(
        "scripts", re.compile(r"<(script|style)\b[^>\n]{0,500}>.{0,50000}?</\1\s*>", re.DOTALL | re.I), lambda match: ""
    ),
    replacing("tags", re.compile(rf"</?({_TAGS})(?:\s[^<>\n]{{0,500}}|\s*/)?>", re.I), _tag),
    _of_wiki(_all_wiki),
    replacing(
        "bulletin board codes",
        re.compile(r"\[(b|i|u|s|quote|url|size|color)(?:=[^\]\n]{0,200})?\](.{0,2000}?)\[/\1\]", re.I | re.DOTALL),
        lambda match: match[2],
    ),
    replacing(
        "editors' marks",
        re.compile(r"\[(?:edit|citation needed|clarification needed|when\?|who\?)\]"),
        lambda match: "",
    ),
)
"""The steps against remnants of markup, in their order."""

CHARACTERS: tuple[Step, ...] = (
    replacing("odd spaces", re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"), lambda match: " "),
    replacing(
        "ligatures", re.compile(r"(?<=\w)[\ufb00-\ufb06]|[\ufb00-\ufb06](?=\w)"), lambda match: _LIGATURES[match[0]]
    ),
    replacing("undecodable characters", re.compile("\ufffd+"), lambda match: ""),
    replacing("private characters", re.compile("[\ue000-\uf8ff]+"), lambda match: ""),
    replacing("spaces at line ends", re.compile(r"[ \t]+$", re.MULTILINE), lambda match: ""),
    replacing("blank lines", re.compile(r"\n{3,}"), lambda match: "\n\n"),
)
"""The steps against special characters, in their order."""
