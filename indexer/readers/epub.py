"""EPUB books: the chapters in the order of the spine, read from the archive in memory."""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import Any
from urllib.parse import unquote

from indexer.errors import Unreadable
from indexer.plurals import counted
from indexer.readers.archive import open_archive, read_member
from indexer.readers.dates import iso_date
from indexer.readers.encoding import decode
from indexer.readers.html_page import blocks_in
from indexer.types import Block, Reading

_CONTAINER = "META-INF/container.xml"
_LOCKS = "META-INF/encryption.xml"
_FIELDS = {
    "author": "creator",
    "contributor": "contributor",
    "publisher": "publisher",
    "licence": "rights",
    "subject": "subject",
    "description": "description",
    "language": "language",
}


def read(name: str, data: bytes) -> Reading:
    """Read a book's chapters; missing ones are noted. Raises Unreadable for one with copy protection."""
    archive = open_archive(data)
    rootfile = _parsed(archive, _CONTAINER).find(".//{*}rootfile")
    package = rootfile.get("full-path", "") if rootfile is not None else ""
    root = _parsed(archive, package)
    folder = posixpath.dirname(package)
    hrefs = {
        item.get("id"): posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        for item in root.iterfind(".//{*}manifest/{*}item")
    }
    chapters = [hrefs.get(item.get("idref"), "") for item in root.iterfind(".//{*}spine/{*}itemref")]
    if _are_locked(archive, set(chapters)):
        raise Unreadable("encrypted")
    present = [chapter for chapter in dict.fromkeys(chapters) if chapter in archive.namelist()]
    blocks: list[Block] = []
    for chapter in present:
        blocks.extend(blocks_in(decode(read_member(archive, chapter)).text))
    missing = len(set(chapters)) - len(present)
    notes = (f"{counted(missing, 'chapter')} missing from the book",) if missing else ()
    return Reading(tuple(blocks), "epub", _title(root), _metadata(root), notes)


def _parsed(archive: zipfile.ZipFile, name: str) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(read_member(archive, name), parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable("damaged book (EPUB)") from error
    if root is None:
        raise Unreadable("damaged book (EPUB)")
    return root


def _are_locked(archive: zipfile.ZipFile, chapters: set[str]) -> bool:
    """Tell copy protection from fonts that are merely scrambled."""
    if _LOCKS not in archive.namelist():
        return False
    locked = {unquote(link.get("URI", "")) for link in _parsed(archive, _LOCKS).iterfind(".//{*}CipherReference")}
    return bool(locked & chapters)


def _title(root: Any) -> str:
    return " ".join((root.findtext(".//{*}metadata/{*}title") or "").split())


def _field(root: Any, name: str) -> str:
    found = (" ".join("".join(each.itertext()).split()) for each in root.iterfind(f".//{{*}}metadata/{{*}}{name}"))
    return ", ".join(dict.fromkeys(filter(None, found)))


def _metadata(root: Any) -> dict[str, str]:
    fields = {ours: _field(root, theirs) for ours, theirs in _FIELDS.items()}
    date = _field(root, "date").partition(", ")[0]
    fields["date"] = iso_date(date) or (date if re.fullmatch(r"\d{4}(?:-\d\d)?", date) else "")
    return {key: value for key, value in fields.items() if value}
