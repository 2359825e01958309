"""HTML: the main text with its headings, lists, code and tables; what a browser would not show is left out.

Never fetches anything. Also serves readers whose formats hold HTML: books and mails.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import unescape
from typing import Any

from indexer.readers.dates import iso_date
from indexer.readers.encoding import Decoded, decode
from indexer.readers.html_blocks import blocks_of
from indexer.readers.html_formulas import put_formulas_in
from indexer.readers.html_slides import put_slides_in
from indexer.readers.markdown import front_matter
from indexer.readers.notes import counted
from indexer.readers.text import paragraphs, reading_of
from indexer.types import Block, Reading

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_.:-]{1,40})", re.I)
_HIDDEN = re.compile(
    r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden|(?:font-size|opacity)\s{0,9}:\s{0,9}0(?:px|pt|em|%)?\s{0,9}(?:;|!|$)",
    re.I,
)
_SILENT = ("script", "style", "noscript", "template", "svg", "math", "iframe", "object", "head", "select", "button")
_AROUND = ("nav", "header", "footer", "aside", "form")
_DATES = ("article:published_time", "date", "dcterms.date", "dc.date", "dcterms.created", "article:modified_time")
_AUTHORS = ("author", "dc.creator", "dcterms.creator", "article:author")
_FIELDS = {
    "description": ("description", "dc.description", "dcterms.description", "og:description"),
    "keywords": ("keywords",),
    "publisher": ("dc.publisher", "dcterms.publisher"),
    "version": ("version", "dcterms.hasversion"),
    "licence": ("dc.rights", "dcterms.rights", "dcterms.license", "license", "copyright"),
}
"""Our name of a field to the names of the meta elements that may hold it, the best first."""
_UNTITLED = re.compile(
    r"untitled(?: (?:document|page))?(?: ?-?\d+)?|(?:new |web ?)?(?:document|page)|unbenanntes dokument", re.I
)
"""Titles that editors put where a person put none."""
_TEMPLATE_CODE = re.compile(r"\{[{%]|<%")
_TEMPLATE_TAG = re.compile(r"\{%[-+]?\s[^{}]{0,500}%\}|\{\{[<%-]?\s[^{}]{0,500}\s[>%-]?\}\}")
_TAG = re.compile(r"<(!--|/?[A-Za-z][A-Za-z0-9:-]{0,40})(?:(?<=--)|[^<>]*>)")
_SEPARATE = frozenset(("p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "/p", "/div"))
_ENOUGH = 1 / 3
"""Share of the page's text which the extraction of the main text must keep to be believed."""
_SHORT = 3_000
"""Characters below which a page is read as it stands: the extraction flattens short ones."""
_KEPT = 0.8
"""Share of the headings, tables and code blocks which the extraction must keep to be believed."""
_LARGE = 5_000_000
"""Characters above which the extraction of the main text is not tried: its time is not linear."""


def read(name: str, data: bytes) -> Reading:
    """Read a page: its main text, or all of its text when hardly any main text is found (with a note)."""
    declared = _CHARSET.search(data[:4096])
    decoded = decode(data, declared[1].decode("ascii") if declared else "")
    if not decoded.text.startswith("---"):
        return page(decoded)
    lines = decoded.text.split("\n")
    count, fields = front_matter(lines)  # a page that a site generator is still to fill in
    reading = page(replace(decoded, text="\n".join(lines[count:])))
    return replace(reading, title=fields.pop("title", "") or reading.title, metadata={**reading.metadata, **fields})


def page(decoded: Decoded) -> Reading:
    """Return the Reading of a decoded page."""
    tree = parse(decoded.text)
    if tree is None:
        return _without_structure(decoded)
    title, metadata = _about(tree)
    put_slides_in(tree)
    put_formulas_in(tree)
    hidden = remove_hidden(tree)
    notes = [f"{hidden} hidden elements left out"] if hidden else []
    everything = list(blocks_of(_body(tree)))
    if not everything and _visible_text(decoded.text).strip():
        return _without_structure(decoded)
    main = _main_text(tree, len(decoded.text))
    inside = _without_surroundings(tree)
    if _length(inside) < _ENOUGH * _length(everything):
        inside = everything
    if _length(main) < _ENOUGH * _length(everything):
        main = inside
        notes.append("no main text could be told apart; all of the page was read")
    elif _length(inside) < _SHORT or _loses_structure(main, inside):
        main = inside
    main, tags = _without_template_tags(main)
    notes.extend(counted({"template tags": tags}))
    first = next((block.text for block in main if block.kind == "heading"), "")
    reading = reading_of(decoded, "html", iter(main), title or first, metadata)
    return Reading(reading.blocks, "html", reading.title, reading.metadata, (*reading.notes, *notes))


def parse(text: str) -> Any | None:
    """Return the lxml tree of a page, or None when there is none to be made of it.

    External entities and documents are never loaded: libxml2's HTML parser knows none.
    """
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        tree = html.document_fromstring(text.replace("\0", "").encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None
    # Past some depth or size libxml2 drops the rest of a page without raising.
    cut = any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log)
    return None if cut else tree


def remove_hidden(tree: Any) -> int:
    """Remove scripts and whatever a browser would not show; return how many elements were hidden on purpose."""
    for element in tree.xpath("|".join(f"//{tag}" for tag in _SILENT if tag != "head") + "|//head/*"):
        if element.getparent() is not None:
            element.drop_tree()
    hidden = [
        element
        for element in tree.xpath("//*[@style or @hidden or @aria-hidden='true']")
        if element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or _HIDDEN.search(element.get("style", "")[:2000])
    ]
    shown = [element for element in hidden if element.tag not in ("html", "body") and element.getparent() is not None]
    for element in shown:
        element.drop_tree()
    return len(shown)


def _without_template_tags(blocks: Sequence[Block]) -> tuple[list[Block], int]:
    """Return the blocks without tags of a template engine, which a page that was never filled in has; not in code."""
    told: list[Block] = []
    count = 0
    for block in blocks:
        text, found = ("", 0) if block.kind == "code" else _TEMPLATE_TAG.subn("", block.text)
        if not found:
            told.append(block)
        elif text.strip():
            told.append(replace(block, text=text))
        count += found
    return told, count


def _without_surroundings(tree: Any) -> list[Block]:
    """Return the blocks of the page's one main part, else of all of it, without navigation, header, footer and forms.

    Takes them out of the tree.
    """
    for tag in ("main", "article"):
        parts = tree.findall(f".//{tag}")
        if len(parts) == 1 and _length(list(blocks_of(parts[0]))) >= _ENOUGH * _length(list(blocks_of(_body(tree)))):
            return list(blocks_of(parts[0]))
    for element in tree.xpath("|".join(f"//{tag}" for tag in _AROUND)):
        if element.getparent() is not None and not (element.tag == "header" and element.find(".//h1") is not None):
            element.drop_tree()
    return list(blocks_of(_body(tree)))


def _loses_structure(main: Sequence[Block], inside: Sequence[Block]) -> bool:
    """Tell whether the extraction left out many of the headings, tables or code blocks, or flattened them."""
    for kind in ("heading", "table", "code"):
        kept, there = (sum(block.kind == kind for block in blocks) for blocks in (main, inside))
        if kept < _KEPT * there:
            return True
    return False


def _main_text(tree: Any, length: int) -> list[Block]:
    if length > _LARGE:
        return []
    from copy import deepcopy

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs what we handle: nothing found
    from trafilatura import bare_extraction

    try:
        found = bare_extraction(
            deepcopy(tree), include_tables=True, include_comments=False, favor_recall=True, with_metadata=False
        )
    except (RecursionError, ValueError, TypeError, AttributeError, KeyError):
        return []
    body = getattr(found, "body", None)
    return list(blocks_of(body)) if body is not None else []


def _about(tree: Any) -> tuple[str, dict[str, str]]:
    title = " ".join((tree.findtext(".//title") or "").split())
    fields: dict[str, str] = {}
    for meta in tree.iter("meta"):
        key = (meta.get("name") or meta.get("property") or "").lower()
        if key and meta.get("content"):
            fields.setdefault(key, meta.get("content").strip())
    metadata = {
        "author": next((fields[key] for key in _AUTHORS if key in fields), ""),
        "date": next((date for key in _DATES if (date := iso_date(fields.get(key, "")))), ""),
        "language": tree.get("lang") or "",
        **{ours: next((fields[key] for key in theirs if key in fields), "") for ours, theirs in _FIELDS.items()},
    }
    titles = [
        found
        for found in (title, fields.get("og:title", ""))
        if not (_TEMPLATE_CODE.search(found) or _UNTITLED.fullmatch(found))
    ]
    filled = {key: value for key, value in metadata.items() if value and not _TEMPLATE_CODE.search(value)}
    return next(filter(None, titles), ""), filled


def _body(tree: Any) -> Any:
    body = tree.find(".//body")
    return tree if body is None else body


def _length(blocks: list[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _without_structure(decoded: Decoded) -> Reading:
    """Return the text between the tags, for pages nested too deeply for a tree."""
    blocks = (Block(block.text, block.kind) for block in paragraphs(_visible_text(decoded.text)))
    reading = reading_of(decoded, "html", iter(blocks))
    return Reading(reading.blocks, "html", "", reading.metadata, (*reading.notes, "page structure ignored"))


def _visible_text(text: str) -> str:
    """Return what stands between the tags, in linear time; html.parser needs quadratic time for `<a <a <a`."""
    pieces: list[str] = []
    place = 0
    for tag in _TAG.finditer(text):
        if tag.start() < place:
            continue  # inside of something silent
        pieces.append(text[place : tag.start()])
        place = tag.end()
        name = tag[1].lower()
        if name == "!--" or name in ("script", "style", "template", "title"):
            end = "-->" if name == "!--" else f"</{name}"
            found = text.find(end, place)
            place = found + 3 * (name == "!--") if found >= 0 else len(text)
        elif name in _SEPARATE:
            pieces.append("\n\n")
    pieces.append(text[place:])
    return unescape("".join(pieces))


def blocks_in(text: str) -> Iterator[Block]:
    """Yield all blocks of a piece of HTML that is a text throughout: a book's chapter, a mail's body."""
    tree = parse(text) if text.strip() else None
    if tree is None:
        yield from (Block(block.text) for block in paragraphs(_visible_text(text)))
        return
    put_formulas_in(tree)
    remove_hidden(tree)
    yield from blocks_of(_body(tree))
