"""What the properties of an Office document say about it: title, author, date and the other fields people fill in.

Read from the archive itself: the libraries for these formats make properties up where a file has none (the time of
reading as its date, their own name as its author).
"""

from __future__ import annotations

import re
import zipfile
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import read_member
from indexer.readers.dates import iso_date
from indexer.readers.fields import is_placeholder

_CORE = "docProps/core.xml"
_LEFT_BEHIND = re.compile(r"generated (?:by|using) python-(?:docx|pptx)")
"""What the templates of these libraries say; their dates, authors and titles are the template's."""
_MADE_UP_TITLES = frozenset(("word document", "powerpoint presentation", "excel workbook", "presentation", "document1"))
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
    core = _parsed(archive, _CORE)
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


def _parsed(archive: zipfile.ZipFile, name: str) -> Any:
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
