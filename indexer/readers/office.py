"""What the properties of an Office document say about it: title, author, date and the other fields people fill in.

Read from the archive itself: the libraries for these formats make properties up where a file has none (the time of
reading as its date, their own name as its author).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import read_member
from indexer.readers.dates import iso_date
from indexer.readers.fields import is_placeholder
from indexer.types import Block

_CORE = "docProps/core.xml"
_LEFT_BEHIND = re.compile(r"generated (?:by|using) python-(?:docx|pptx)")
"""What the templates of these libraries say; their dates, authors and titles are the template's."""
_MADE_UP_TITLES = frozenset(("word document", "powerpoint presentation", "excel workbook", "presentation", "document1"))
_WORD = re.compile(r"\w+")
_SHORT_WORD = 3
"""Characters of words that say nothing about whose title they stand in."""
_OF_NO_DOCUMENT = re.compile(
    r"how to use (?:this|the) (?:template|document|form).{0,40}|(?:template )?instructions(?: for (?:use|authors))?"
    r"|about this template|(?:table of )?contents|executive summary|introduction|(?:document )?title"
    r"|\[.{0,60}\]|<.{0,60}>|click (?:here )?to (?:add|edit|enter) .{0,40}|lorem ipsum.{0,60}",
    re.I,
)
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|bmp|svg|emf|wmf|tiff?)|(?:picture|image|graphic) ?\d*", re.I)
_AUTOMATIC = re.compile(r"\s*(?:description )?automatically generated\.?", re.I)
_FIELDS = {
    "author": "creator",
    "last modified by": "lastModifiedBy",
    "subject": "subject",
    "description": "description",
    "keywords": "keywords",
    "category": "category",
    "status": "contentStatus",
    "version": "version",
    "created": "created",
    "last modified": "modified",
}
_OF_THE_TEMPLATE = ("description", "last modified by", "created", "last modified")
"""Our name of a field to the name of its element in core.xml."""


def properties(archive: zipfile.ZipFile) -> tuple[str, dict[str, str]]:
    """Return the title ("" for none and for a made-up one) and the fields that are filled in."""
    core = parsed_member(archive, _CORE)
    fields = {ours: _text(core, theirs) for ours, theirs in _FIELDS.items()}
    if _LEFT_BEHIND.fullmatch(fields["description"]):
        fields.update(dict.fromkeys(_OF_THE_TEMPLATE, ""))
    for key in ("created", "last modified"):
        fields[key] = iso_date(fields[key])
    fields["date"] = fields["last modified"] or fields["created"]
    if fields["last modified by"] == fields["author"]:
        del fields["last modified by"]
    if fields["last modified"][:10] == fields["created"][:10]:
        del fields["last modified"]
    title = _text(core, "title")
    made_up = title.casefold() in _MADE_UP_TITLES or is_placeholder(title)
    return "" if made_up else title, {key: value for key, value in fields.items() if not is_placeholder(value)}


def title_of(stated: str, blocks: Sequence[Block]) -> str:
    """Return a document's title: the stated one, or its first heading where the stated one is a template's.

    A title of whose words hardly any occurs in a text that begins with a heading was written for another document.
    Headings that tell how to use a template name no document.
    """
    words = {word for word in _WORD.findall(stated.casefold()) if len(word) > _SHORT_WORD}
    text = {word for block in blocks for word in _WORD.findall(block.text.casefold())}
    headings = (block.text for block in blocks if block.kind == "heading")
    first = next((heading for heading in headings if not _OF_NO_DOCUMENT.fullmatch(heading.strip(" :."))), "")
    begins = any(block.kind == "heading" for block in blocks[:2])
    is_alien = begins and bool(first) and len(words) > 1 and 2 * len(words & text) < len(words)
    return first if not stated or is_alien or _OF_NO_DOCUMENT.fullmatch(stated) else stated


def described(about: str) -> str:
    """Return what a person wrote that a picture shows, "" where a program put the file's name."""
    text = _AUTOMATIC.sub("", " ".join(about.split())).strip()
    return "" if _FILE_NAME.fullmatch(text) else text


def parsed_member(archive: zipfile.ZipFile, name: str) -> Any:
    """Return the root of a member, or None where there is none that can be read."""
    from lxml import etree

    if name not in archive.namelist():
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        return etree.fromstring(read_member(archive, name), parser)
    except (etree.XMLSyntaxError, Unreadable):
        return None


def _text(root: Any, name: str) -> str:
    return " ".join((root.findtext(f"{{*}}{name}") or "").split()) if root is not None else ""
