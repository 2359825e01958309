"""A document's fields (author, date, version, ...) as the first lines of its text, so that they are found and quoted.

Knows keys and values only; which fields a format has is its reader's matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from indexer.readers.dates import iso_date
from indexer.types import Block, Reading, Scalar

_NOISE = frozenset(
    (
        *("alias", "aliases", "bibliography", "colour", "color", "css", "csl", "encoding", "etag", "excerpt", "font"),
        *(
            "fontsize",
            "generator",
            "geometry",
            "guid",
            "hash",
            "header",
            "hide",
            "icon",
            "id",
            "image",
            "lang",
            "layout",
        ),
        *(
            "linkcolor",
            "mainfont",
            "mails",
            "menu",
            "nav",
            "ocr",
            "order",
            "output",
            "pages",
            "parent",
            "permalink",
            "position",
        ),
        *("redirect", "render", "robots", "rid", "sha", "sidebar", "sidenav", "slug", "subnav", "template", "theme"),
        *("thumbnail", "toc", "url", "uuid", "viewport", "weight"),
    )
)
"""A key with one of these words says how a document is stored or shown, not what a person asks for."""
_FOUND_OUT = frozenset(("language",))
"""Keys that most readers find out by themselves; they are fields only where a person writes them at the top."""
_WRITTEN_BY_HAND = frozenset(("markdown", "rst", "org", "asciidoc"))
_PLACEHOLDERS = frozenset(
    (
        *("", "---", "-", "*", "~", "?", "n/a", "na", "none", "null", "nil", "tbd", "todo", "unknown", "untitled"),
        *("anonymous", "(anonymous)", "(unspecified)", "unspecified", "author", "user", "windows user", "admin"),
        *("administrator", "microsoft office user", "microsoft office-anwender", "python-docx", "openpyxl"),
        *("apache poi", "un-named", "your name", "author name", "true", "false"),
    )
)
"""What programs and templates leave behind; flags say nothing without their program."""
_TEMPLATE_CODE = re.compile(r"\{[{%]|\$\{|<%|\[\[")
_HASH = re.compile(r"(?=.*\d)[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_OTHER_NAMES = {
    "author": ("authors", "by", "creator", "from", "written by"),
    "date": ("created", "issued", "last modified", "last updated", "last-modified", "modified", "published", "updated"),
    "licence": ("license",),
}
_LOOKED_AT = 60
"""Lines at the top of a text that may show its fields already."""
_SHOWN = re.compile(r"[^\w\n]{0,4}([^\W\d_][\w .-]{0,40}?)[\s*_]{0,3}[:=][\s*_]{0,4}(\S[^\n]{0,2000})")


def with_fields(reading: Reading) -> Reading:
    """Return `reading` with its fields as a first block of rows, one "key: value" a line.

    A field that the top of the text shows itself is not told twice. A reading without text stays without.
    """
    if not any(block.text.strip() for block in reading.blocks):
        return reading
    shown = set(_shown(reading))
    values = {key: _value(given) for key, given in reading.metadata.items()}
    if any(values.get(key) == values.get("date") for key in _OTHER_NAMES["date"]):
        values.pop("date", None)  # a file's date is told as what it is: when it was made, or changed last
    title = reading.title.casefold()
    lines = [
        f"{key}: {value}"
        for key, value in values.items()
        if is_worth_telling(key, value, reading.format)
        and value.casefold() != title
        and not shown & set(_forms(key, value))
    ]
    if not lines:
        return reading
    return replace(reading, blocks=(Block("\n".join(lines), "row"), *reading.blocks))


def is_placeholder(value: str) -> bool:
    """Tell what a program or template left in a field from what a person wrote there."""
    return value.strip().strip("\"'").casefold() in _PLACEHOLDERS or not any(map(str.isalnum, value))


def _value(given: Scalar) -> str:
    value = " ".join(str(given).split())
    return value[:10] if re.match(r"\d{4}-\d\d-\d\dT\d\d:", value) else value


def is_worth_telling(key: str, value: str, form: str) -> bool:
    """Tell a field that means something to a person from one that says how a document is stored or shown."""
    words = re.split(r"[\W_]+", key.casefold())
    if _NOISE.intersection(words) or (key in _FOUND_OUT and form not in _WRITTEN_BY_HAND):
        return False
    if is_placeholder(value) or value.startswith(("/", "{")):
        return False
    return not (_HASH.fullmatch(value) or _TEMPLATE_CODE.search(value))


def _forms(key: str, value: str) -> Iterator[tuple[str, str]]:
    names = (key.casefold(), *_OTHER_NAMES.get(key.casefold(), ()))
    yield from ((name, _bare(value)) for name in names)


def _shown(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield the (key, value) that lines at the top of the text show."""
    lines = (line for block in reading.blocks[:_LOOKED_AT] for line in _whole_lines(block.text))
    for line in islice(lines, _LOOKED_AT):
        if found := _SHOWN.match(line):
            yield found[1].casefold(), _bare(found[2])
            yield found[1].casefold(), iso_date(found[2])[:10]


def _whole_lines(text: str) -> list[str]:
    """Return the first lines of a block; an indented one goes on with the line before."""
    return re.sub(r"\n[ \t]+", " ", text[:20_000]).split("\n")


def _bare(value: str) -> str:
    return " ".join(value.split()).strip("\"'[]*_ ").casefold()
