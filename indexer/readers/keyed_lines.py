"""Settings files (YAML, TOML, INI, properties): one row a value, told with all the keys above it.

A line "port: 9443" says little; "server.port: 9443" stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from indexer.readers.encoding import decode
from indexer.readers.text import reading_of
from indexer.readers.yaml_lines import Entry, entries, unquoted
from indexer.types import Block, Reading

FORMS = {
    ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".ini": "ini", ".cfg": "ini", ".properties": "ini", ".env": "ini",
}  # fmt: skip
_SECTION = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:[#;].*)?$")
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(\"[^\"]*\"|'[^']*'|[\w@/-][^=:#\n]{0,200}?)\s*[=:]\s*(.*)$")
_TRAILING = re.compile(r"\s+[#;]\s.*$")
_LABELS = ("name", "id")
_MAX_LINES = 500
"""Lines that a value in brackets or triple quotes may take."""


def read(name: str, data: bytes) -> Reading:
    """Read a settings file; comments are told as text, and lines that fit no form as they are."""
    decoded = decode(data)
    form = FORMS.get(PurePath(name).suffix.lower(), "yaml")
    lines = decoded.text.split("\n")
    found = entries(lines) if form == "yaml" else assignments(lines)
    return reading_of(decoded, form, _blocks(found))


def assignments(lines: Sequence[str]) -> Iterator[Entry]:
    """Yield the values of "key = value" lines below "[section]" lines, as TOML and INI files have them."""
    section: tuple[str, ...] = ()
    seen: dict[str, int] = {}
    place = 0
    while place < len(lines):
        line, number = lines[place], place + 1
        place += 1
        if not line.strip():
            continue
        if line.lstrip()[0] in "#;!":
            yield Entry((), line.strip(), number)
        elif heading := _SECTION.match(line):
            seen[heading[2]] = seen.get(heading[2], 0) + 1
            label = _label(lines, place) or str(seen[heading[2]]) if heading[1] == "[[" else ""
            section = (*re.sub("[\"']", "", heading[2]).split("."), *([label] if label else []))
        elif assigned := _ASSIGNMENT.match(line):
            more = list(_rest(assigned[2], lines, place))
            place += len(more)
            yield from _assigned((*section, unquoted(assigned[1])), assigned[2], more, number)
        else:
            yield Entry((), line.strip(), number)


def _label(lines: Sequence[str], place: int) -> str:
    """Return the name of the table in an array of tables that begins at `place`, or ""."""
    for line in lines[place : place + 40]:
        if _SECTION.match(line):
            return ""
        assigned = _ASSIGNMENT.match(line)
        if assigned and unquoted(assigned[1]) in _LABELS:
            return unquoted(_TRAILING.sub("", assigned[2]))
    return ""


def _rest(value: str, lines: Sequence[str], place: int) -> Iterator[str]:
    """Yield the lines on which a value goes on: up to its closing bracket or quotes, or while they are indented."""
    opener = next((mark for mark in ('"""', "'''") if value.startswith(mark) and value.count(mark) == 1), "")
    depth = _depth(value) if value.startswith(("[", "{")) else 0
    goes_on = value.endswith("\\") and not value.endswith("\\\\")
    for line in lines[place : place + _MAX_LINES]:
        if goes_on:
            goes_on = line.endswith("\\")
            yield line.strip().removesuffix("\\")
        elif opener:
            yield line
            if opener in line:
                return
        elif depth > 0:
            yield _TRAILING.sub("", line).strip()
            depth += _depth(line)
        elif line[:1].isspace() and line.strip() and not _ASSIGNMENT.match(line) and line.lstrip()[0] not in "#;[":
            yield line.strip()
        else:
            return


def _depth(text: str) -> int:
    bare = re.sub(r"\"[^\"]*\"|'[^']*'|#.*$", "", text)
    return sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))


def _assigned(path: tuple[str, ...], value: str, more: Sequence[str], number: int) -> Iterator[Entry]:
    if value.startswith(('"""', "'''")):
        yield Entry(path, "\n".join([value, *more]).strip("\"'\n "), number)
        return
    comment = _TRAILING.search(re.sub(r"\"[^\"]*\"|'[^']*'", lambda quoted: "x" * len(quoted[0]), value))
    bare = value[: comment.start()] if comment else value
    if more and bare.endswith("\\"):  # a line of properties that goes on with the next
        bare, more = bare.removesuffix("\\") + "".join(more), ()
    text = " ".join(filter(None, (bare.strip(), *more)))
    if text.startswith("[") and text.endswith("]") and not re.search(r"[\[\]{}]", text[1:-1]):
        items = re.findall(r"\s*(\"[^\"]*\"|'[^']*'|[^,]+)", text[1:-1])
        text = ", ".join(filter(None, (unquoted(item.strip()) for item in items)))
    yield Entry(path, unquoted(text), number)
    if comment:
        yield Entry((), value[comment.start() :].strip(), number)


def _blocks(found: Iterator[Entry]) -> Iterator[Block]:
    """Yield a row for each value and one paragraph for the comment lines that stand together."""
    comment: list[Entry] = []
    last = 0
    for entry in found:
        is_own_line = not entry.path and entry.value[:1] in ("#", ";", "!") and entry.line != last
        if comment and not (is_own_line and entry.line == comment[-1].line + 1):
            yield _comment(comment)
            comment = []
        if is_own_line:
            comment.append(entry)
        else:
            yield Block(entry.text, "code" if "\n" in entry.value else "row", line=entry.line)
        last = entry.line
    if comment:
        yield _comment(comment)


def _comment(lines: Sequence[Entry]) -> Block:
    return Block("\n".join(entry.value.lstrip("#;! ") for entry in lines), line=lines[0].line)
