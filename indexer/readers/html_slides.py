"""Slides in a web page (reveal.js, remark): what a script would make of them, put into the tree as elements.

Knows element trees, not blocks; what a slide show hides (speaker's notes) is told as in other slides.
"""

from __future__ import annotations

import re
from typing import Any

_HEADING = re.compile(r"(#{1,6})\s+(.+)$")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.+)$")
_BREAK = re.compile(r"-{2,}$|\?{3}$")
_PROPERTY = re.compile(r"(?:class|name|layout|template|background-\w+|count|exclude):\s*\S.*$")
_MARKDOWN = (
    "//*[@data-markdown]//textarea|//*[@data-markdown]//script[@type='text/template']"
    "|//*[@data-markdown]//script[@type='text/markdown']|//textarea[@id='source']"
)


def put_slides_in(tree: Any) -> None:
    """Turn Markdown that a script would show as slides into elements, and speaker's notes into paragraphs of theirs."""
    for source in tree.xpath(_MARKDOWN):
        for element in _elements("".join(source.itertext())):
            source.addprevious(element)
        source.drop_tree()
    for notes in tree.xpath("//aside[contains(concat(' ', normalize-space(@class), ' '), ' notes ')]"):
        notes.tag = "div"
        notes.text = f"Notes: {(notes.text or '').lstrip()}"


def _elements(markdown: str) -> list[Any]:
    """Return headings, lists and paragraphs in order; other marks stay as they are written."""
    from lxml import etree

    found: list[Any] = []
    lines: list[str] = []

    def end_paragraph() -> None:
        if text := " ".join(lines):
            found.append(etree.Element("p"))
            found[-1].text = text
        lines.clear()

    begins_slide, is_note = True, False
    for line in markdown.splitlines():
        content = line.strip()
        heading, item = _HEADING.match(content), _ITEM.match(line)
        is_property = begins_slide and _PROPERTY.match(content)
        if not content or heading or item or _BREAK.match(content):
            end_paragraph()
        if _BREAK.match(content):
            begins_slide, is_note = content.startswith("-"), content.startswith("?")
        elif content and not is_property:
            begins_slide = False
            if heading:
                found.append(etree.Element(f"h{len(heading[1])}"))
                found[-1].text = heading[2]
            elif item:
                if not found or found[-1].tag != "ul":
                    found.append(etree.Element("ul"))
                etree.SubElement(found[-1], "li").text = item[1]
            else:
                lines.append(f"Notes: {content}" if is_note and not lines else content)
                is_note = False
    end_paragraph()
    return found
