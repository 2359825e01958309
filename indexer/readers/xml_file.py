"""XML: the titles, texts and tables of a document, the fields of records, whatever its vocabulary.

No entity is expanded and nothing is fetched; what does not parse is read as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.code import read as read_code
from indexer.readers.dates import iso_date
from indexer.readers.html_page import blocks_in
from indexer.readers.rows import unambiguous
from indexer.types import Block, Reading

_NOTES = frozenset(("footnote", "fn", "note", "note-body"))
_TERMS, _MEANINGS = frozenset(("term", "dt", "defterm")), frozenset(("listitem", "dd", "def", "definition"))
_TITLES = frozenset(("title", "head", "heading", "h1", "h2", "h3", "h4", "h5", "h6"))
_PROSE = frozenset(
    ("p", "para", "simpara", "paragraph", "text", "description", "summary", "abstract", "content", "body")
)
_ITEMS = frozenset(("item", "li", "listitem"))
_HEADS = frozenset(("info", "bookinfo", "articleinfo", "front", "titlepage", "header", "teiheader", "prolog"))
"""Elements that hold the title of the element around them."""
_CODE = frozenset(("pre", "programlisting", "screen", "literallayout", "codeblock", "sourcecode"))
_TABLES = frozenset(("table", "informaltable", "tgroup"))
_ROWS = frozenset(("row", "tr", "strow", "sthead"))
_SILENT = frozenset(("script", "style"))
_MAX_VALUE = 200
"""Characters of a text that is told as a field's value, with the name of its element."""
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}>")


def read(name: str, data: bytes) -> Reading:
    """Read an XML document; its title is the first one in it."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
        if _name(root) == "svg":  # its attributes are a drawing
            for element in root.iter():
                element.attrib.clear()
        for note in [each for each in root.iter() if _name(each) in _NOTES]:
            if _name(note) != "note" or (note.getparent() is not None and _has_words(note.getparent())):
                _put_in_brackets(note)
        blocks = list(_blocks(root, 0))
    except (etree.XMLSyntaxError, ValueError) as error:
        if b"<" not in data[:1000]:
            raise Unreadable("damaged XML") from error
        return replace(read_code(name, data), notes=("not well-formed; read as code",))
    title = next((block.text for block in blocks if block.kind == "heading"), "")
    return Reading(tuple(blocks), "xml", title, _about(root))


def _about(root: Any) -> dict[str, str]:
    """Return the author and date that a document's head tells, as DocBook, JATS and TEI write them."""
    head = next((child for child in root.iter() if _name(child) in _HEADS), None)
    if head is None:
        return {}
    authors = [each for each in head.iter() if _name(each) in ("author", "contrib")]
    names = [" ".join(text for part in each.iter() if not len(part) and (text := _text(part))) for each in authors]
    dates = (_text(each) for each in head.iter() if _name(each) in ("pubdate", "date"))
    fields = {"author": ", ".join(dict.fromkeys(filter(None, names))), "date": next(filter(None, dates), "")}
    fields["date"] = iso_date(fields["date"]) or fields["date"]
    return {key: value for key, value in fields.items() if value and len(value) <= _MAX_VALUE}


def _blocks(element: Any, level: int) -> Iterator[Block]:
    """Yield what an element says; `level` is that of the heading above it."""
    tag = _name(element)
    if tag in _SILENT or not isinstance(element.tag, str):
        return
    line = element.sourceline
    if tag in _CODE:
        yield Block("".join(element.itertext()), "code", line=line)
    elif tag in _TITLES and len(_text(element)) <= _MAX_VALUE:
        if text := _text(element):
            yield Block(text, "heading", min(level, 6) or 1, line=line)
    elif tag in _TABLES and (rows := _rows(element)):
        yield from (Block(text, "heading", min(level + 1, 6), line=line) for text in _caption(element))
        yield Block("\n".join(" | ".join(row) for row in rows), "table", line=line)
    elif (definition := _definition(element)) is not None:
        yield Block(definition, line=line)
    elif _is_list(element):
        yield Block("\n".join(f"- {text}" for child in element if (text := _text(child))), line=line)
    elif _has_words(element) or not len(element):
        yield from _told(element, tag)
    elif _is_record(element):
        yield Block(_fields(element), "row", line=line)
    else:
        if attributes := _attributes(element):
            yield Block(attributes, "row", line=line)
        has_title = any(_name(child) in _TITLES | _HEADS for child in element)
        below = level + (has_title and tag not in _HEADS)
        for child in element:
            yield from _blocks(child, below)


def _told(element: Any, tag: str) -> Iterator[Block]:
    """Yield an element that holds words or nothing: a paragraph, an item, or a short value under its name."""
    text = _text(element)
    if _TAG.search(text):  # HTML as the text of an element, as news feeds have it
        yield from blocks_in(text)
    elif tag in _ITEMS and text:
        yield Block(f"- {text}", line=element.sourceline)
    elif text and (tag in _PROSE or len(text) > _MAX_VALUE or len(element)):
        yield Block(text, line=element.sourceline)
    elif fields := "; ".join(filter(None, (f"{tag}: {text}" if text else "", _attributes(element)))):
        yield Block(fields, "row", line=element.sourceline)


def _definition(element: Any) -> str | None:
    """Return an entry of a list of definitions as "term: meaning", None for another element."""
    *terms, last = [child for child in element if isinstance(child.tag, str)] or [element]
    if not terms or _name(last) not in _MEANINGS or not all(_name(each) in _TERMS for each in terms):
        return None
    if any(_name(below) in _CODE | _TABLES | _TITLES for below in last.iter()):
        return None
    return f"{', '.join(map(_text, terms))}: {_text(last)}"


def _is_list(element: Any) -> bool:
    """Tell a list of items, none of which has titles, code or tables of its own."""
    if not len(element) or not all(_name(child) in _ITEMS for child in element):
        return False
    return not any(_name(below) in _TITLES | _CODE | _TABLES for below in element.iter())


def _is_record(element: Any) -> bool:
    """Tell an element whose children are short values, each under a name of its own and none a text."""
    names = [_name(child) for child in element]
    if len(names) < 2 or len(set(names)) < len(names) or not _PROSE.isdisjoint(names):
        return False
    if not _TITLES.isdisjoint(names) and len(names) < 3:
        return False
    texts = [_text(child) for child in element]
    if any(
        len(child) or len(text) > _MAX_VALUE or _TAG.search(text) for child, text in zip(element, texts, strict=True)
    ):
        return False
    return any(texts) and not any(child.attrib and not text for child, text in zip(element, texts, strict=True))


def _fields(element: Any) -> str:
    """Return the fields of a record, "name: value" each; one that stands alone among its kind names itself as well."""
    siblings = element.getparent()
    is_alone = siblings is not None and sum(child.tag == element.tag for child in siblings) == 1
    prefix = f"{_name(element)}." if is_alone else ""
    given = [(key, value) for key, value in element.attrib.items() if ":" not in key and "}" not in key]
    inside = [f"{prefix}{_name(child)}: {unambiguous(text)}" for child in element if (text := _text(child))]
    beside = [attributes for child in element if (attributes := _attributes(child))]
    return "; ".join([*(f"{prefix}{key}: {value}" for key, value in given if value.strip()), *inside, *beside])


def _attributes(element: Any) -> str:
    """Return the attributes that hold words, as "element.attribute: value"; ids, links and layout are left out."""
    tag = _name(element)
    given = ((key, " ".join(value.split())) for key, value in element.attrib.items())
    return "; ".join(
        f"{tag}.{key}: {value}"
        for key, value in given
        if value and len(value) <= _MAX_VALUE and "}" not in key and key not in ("id", "class", "style")
    )


def _rows(table: Any) -> list[list[str]]:
    rows = ([_text(cell) for cell in row] for row in table.iter() if _name(row) in _ROWS)
    return [row for row in rows if any(row)]


def _caption(table: Any) -> list[str]:
    return [text for child in table if _name(child) in (*_TITLES, "caption") and (text := _text(child))]


def _has_words(element: Any) -> bool:
    """Tell an element with words of its own, whose children are then parts of its sentences."""
    return any(text and text.strip() for text in (element.text, *(child.tail for child in element)))


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _put_in_brackets(note: Any) -> None:
    """Set a note apart from the sentence that it stands in."""
    note.text = f" ({note.text or ''}"
    if len(note):
        note[-1].tail = f"{note[-1].tail or ''})"
    else:
        note.text += ")"


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
