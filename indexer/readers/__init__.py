"""Readers turn a file's bytes into blocks: one table from format to function, each loaded when it is needed.

A reader sees bytes and a name, never the disk or the network, and leaves cleaning to the cleaner.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from indexer.errors import Unreadable
from indexer.readers.detect import detect
from indexer.readers.fields import with_fields
from indexer.types import Reading

__all__ = ["FORMATS", "Reader", "Unreadable", "read"]

Reader = Callable[[str, bytes], Reading]
"""Called as reader(name, data); raises Unreadable when there is no text to be had."""

FORMATS = {
    "asciidoc": "indexer.readers.asciidoc:read",
    "captions": "indexer.readers.captions:read",
    "code": "indexer.readers.code:read",
    "csv": "indexer.readers.csv_rows:read",
    "docx": "indexer.readers.docx_file:read",
    "epub": "indexer.readers.epub:read",
    "html": "indexer.readers.html_page:read",
    "keyed": "indexer.readers.keyed_lines:read",
    "latex": "indexer.readers.latex:read",
    "json": "indexer.readers.json_values:read",
    "log": "indexer.readers.text:read_log",
    "mail": "indexer.readers.mail:read",
    "markdown": "indexer.readers.markdown:read",
    "mbox": "indexer.readers.mail:read_mbox",
    "notebook": "indexer.readers.notebook:read",
    "odf": "indexer.readers.odf:read",
    "org": "indexer.readers.org:read",
    "pdf": "indexer.readers.pdf:read",
    "pptx": "indexer.readers.pptx_file:read",
    "rst": "indexer.readers.rst:read",
    "rtf": "indexer.readers.rtf:read",
    "text": "indexer.readers.text:read",
    "xml": "indexer.readers.xml_file:read",
    "xlsx": "indexer.readers.xlsx_file:read",
}


def read(name: str, data: bytes) -> Reading:
    """Return what the file `name` with the bytes `data` says, block by block, its fields (author, date, ...) first.

    The content decides the format and the name only helps: a PDF called `a.txt` is a PDF. An empty
    file gives a Reading without blocks. Raises Unreadable with the reason when there is no text:
    binary, encrypted, damaged, no text layer. Run it inside `indexer.sandbox` on files of strangers.
    """
    form = detect(name, data) or "text"
    return with_fields(reader_for(form)(name, data))


def reader_for(form: str) -> Reader:
    """Return the reader of a format of the table."""
    module, _, function = FORMATS[form].partition(":")
    reader: Reader = getattr(import_module(module), function)
    return reader
