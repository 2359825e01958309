"""AsciiDoc: the header's lines and attributes as fields, headings, code and tables; other lines stay raw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from indexer.readers.dates import iso_date
from indexer.readers.encoding import decode
from indexer.readers.notes import counted
from indexer.readers.text import reading_of
from indexer.types import Block, BlockKind, Reading

_ANCHOR = re.compile(r"\[\[[^\[\]]{1,100}\]\]|\[#[^\[\]]{1,100}\]")
_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*?)[ \t]*$")
_ATTRIBUTE = re.compile(r":(!?[\w-]{1,60}!?):(?:[ \t]+(.*))?$")
_AUTHOR = re.compile(r"([^\W\d_][\w.'’-]*(?: [\w.'’-]+){1,3})(?: <([^<>]+)>)?(?:; .*)?$")
_REVISION = re.compile(r"v?(\d[\w.-]*)(?:, ?([^:]{4,30}))?(?:: ?(.*))?$")
_FENCE = re.compile(r"(-{4,}|\.{4,}|\+{4,}|`{3,})(?:[\w+-]*)$")
_FRAME = re.compile(r"(={4,}|\*{4,}|_{4,}|--)$")
_TABLE = re.compile(r"([|,;!])={3,}$")
_SILENT = re.compile(
    r"(?://(?!/)|\[[^\[\]]*\]$|\[\[[^\[\]]*\]\]$|ifdef::|ifndef::|endif::|ifeval::|include::|toc::|<<<$|'''$)"
)
_CELL = re.compile(r"(?:^|(?<=\s))(?:\d+[.+*]?\d*[+*])?[<^>.]{0,4}[aehlmdsv]?\|")
_NOTE = re.compile(r"footnote(?:ref)?:[\w-]{0,40}\[([^\[\]]{1,1000})\]")
_REFERENCE = re.compile(r"<<([^<>,]{1,200})(?:,\s*([^<>]{1,300}))?>>")
_IMAGE = re.compile(r"image::?[^\s\[\]]{1,300}\[\"?([^\[\]\",]{0,300})[^\[\]]{0,300}\]")
_FIELDS = frozenset(
    (
        *(
            "author",
            "authors",
            "date",
            "description",
            "email",
            "keywords",
            "license",
            "licence",
            "revdate",
            "revnumber",
        ),
        *("revremark", "sponsor", "status", "version", "copyright", "organization", "lang"),
    )
)
_NAMES = {"revdate": "date", "revnumber": "version", "revremark": "remark", "lang": "language"}


def read(name: str, data: bytes) -> Reading:
    """Read AsciiDoc; the title is the document's, else the first heading."""
    decoded = decode(data)
    lines = decoded.text.split("\n")
    fields, body = _header(lines)
    blocks = list(_blocks(lines, body))
    title = fields.pop("title", "") or next((block.text for block in blocks if block.kind == "heading"), "")
    reading = reading_of(decoded, "asciidoc", iter(blocks), title, fields)
    left_out = {
        "comments": sum(line.startswith("//") and not line.startswith("///") for line in lines),
        "included files": sum(line.startswith("include::") for line in lines),
    }
    return replace(reading, notes=(*reading.notes, *counted(left_out)))


def _as_printed(text: str) -> str:
    """Return text with notes in brackets, cross references and pictures by their words; links keep their addresses."""
    text = _NOTE.sub(r" (\1)", text)
    text = _REFERENCE.sub(lambda mark: mark[2] or mark[1], text)
    return _IMAGE.sub(r"\1", text)


def _header(lines: Sequence[str]) -> tuple[dict[str, str], int]:
    """Return the fields, and the line at which the text begins: after title, author, revision and attributes."""
    fields: dict[str, str] = {}
    place = 0
    while place < len(lines) and (not lines[place].strip() or _SILENT.match(lines[place])):
        place += 1
    has_title = place < len(lines) and lines[place].startswith("= ")
    if has_title:
        fields["title"] = lines[place][2:].strip()
        place += 1
    begin = place
    while place < len(lines) and lines[place].strip():
        line = lines[place].strip()
        attribute = _ATTRIBUTE.match(line)
        if attribute:
            if attribute[1] in _FIELDS and attribute[2]:
                fields[_NAMES.get(attribute[1], attribute[1])] = attribute[2].strip()
        elif has_title and place == begin and (author := _AUTHOR.match(line)):
            fields["author"] = "; ".join(re.sub(r" <[^<>]+>", "", each) for each in line.split("; ")) or author[1]
        elif has_title and place == begin + 1 and "author" in fields and (revision := _REVISION.match(line)):
            fields["version"] = revision[1]
            fields.update({key: text for key, text in (("date", revision[2]), ("remark", revision[3])) if text})
        elif not _SILENT.match(line):
            break
        place += 1
    if "date" in fields:
        fields["date"] = iso_date(fields["date"]) or fields["date"]
    return fields, place if has_title or place > begin else begin


def _blocks(lines: Sequence[str], place: int) -> Iterator[Block]:
    start = place
    options = ""

    def block(begin: int, end: int, kind: BlockKind = "paragraph") -> Iterator[Block]:
        if any(line.strip() for line in lines[begin:end]):
            text = "\n".join(lines[begin:end])
            yield Block(text if kind == "code" else _as_printed(text), kind, line=begin + 1)

    while place < len(lines):
        line = lines[place].rstrip()
        heading, fence, table = _HEADING.match(line), _FENCE.match(line), _TABLE.match(line)
        if not (heading or fence or table or not line or line == "+" or _is_mark(line)):
            place += 1
            continue
        yield from block(start, place)
        end = place + 1
        if heading:
            yield Block(_ANCHOR.sub("", heading[2]).strip(), "heading", len(heading[1]), line=place + 1)
        elif fence or table:
            end = next((at for at in range(place + 1, len(lines)) if lines[at].rstrip() == line), len(lines))
            if fence:
                yield from block(place + 1, end, "code")
            else:
                yield from _table(lines[place + 1 : end], options)
            end += 1
        elif line == "////":
            end = next((at for at in range(place + 1, len(lines)) if lines[at].rstrip() == line), len(lines)) + 1
        elif line.startswith(".") and len(line) > 1:
            yield Block(_as_printed(line[1:]), line=place + 1)
        options = line if line.startswith("[") else "" if line and not line.startswith(".") else options
        start = place = end
    yield from block(start, place)


def _is_mark(line: str) -> bool:
    """Tell a line that belongs to no paragraph: a comment, a block's options, title or frame, an attribute."""
    is_title = re.match(r"\.[^\s.]", line) is not None
    return line == "////" or bool(_SILENT.match(line) or _FRAME.match(line) or _ATTRIBUTE.match(line)) or is_title


def _table(lines: Sequence[str], options: str) -> Iterator[Block]:
    """Yield a table; one whose first column is a header gives a row "name: value" for each of its rows."""
    text = "\n".join(line for line in lines if not line.startswith("//"))
    cells = [_as_printed(" ".join(cell.split())) for cell in _CELL.split(text)[1:]]
    specification = re.search(r"cols=\"([^\"]+)\"", options)
    columns = _columns(specification[1]) if specification else []
    first = next((line for line in lines if line.strip()), "")
    width = len(columns) or max(1, len(_CELL.findall(first)))
    rows = [cells[at : at + width] for at in range(0, len(cells), width)]
    if width == 2 and columns and "h" in columns[0]:
        for row in rows:
            yield Block(": ".join(row), "row")
    elif rows:
        yield Block("\n".join(" | ".join(row).rstrip(" |") for row in rows if any(row)), "table")


def _columns(specification: str) -> list[str]:
    columns: list[str] = []
    for each in re.split(r"[,;]", specification):
        repeated = re.match(r"\s*(\d{1,2})\*(.*)", each)
        columns += [repeated[2]] * int(repeated[1]) if repeated else [each.strip()]
    return columns
