"""YAML line by line: where each value stands and the keys above it, without building what the document describes.

A parser would expand anchors and aliases without bound and forget lines and comments; what is no YAML comes back as it
is. Serves YAML files and the front matter of others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_KEY = re.compile(
    r"""("[^"\n]{0,200}"|'[^'\n]{0,200}'|[^\s#:"'\[\]{},&*!|>%@`-][^:\n]{0,200}?|-[^\s:][^:\n]{0,200}?)"""
    r"""[ ]*:(?:\s+(.*))?$"""
)
_BLOCK_SCALAR = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_COMMENT = re.compile(r"\s+#.*$")
_ANCHOR = re.compile(r"(?:[&!][\w!.:/<>-]*(?:\s+|$))+")
_LABELS = ("name", "id", "key", "title", "label")
"""Keys whose value tells one item of a list from the others."""
_LOOKED_AHEAD = 40
"""Lines of an item in which its label is looked for."""
_MAX_FLOW = 200
"""Lines that a value in brackets may take."""
_MAX_LABEL = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """A value with the keys above it, or without keys a comment or a line that could not be understood."""

    path: tuple[str, ...]
    value: str
    line: int
    is_item: bool = False

    @property
    def text(self) -> str:
        """Return "a.b: value", or a line that has no key as it is."""
        path = ".".join(self.path)
        return f"{path}: {self.value}".rstrip() if path else self.value


@dataclass(slots=True)
class _Frame:
    """A key or a list item that the line under way stands below."""

    indent: int
    label: str
    is_item: bool = False
    items: int = 0


def entries(lines: Sequence[str], first: int = 1) -> Iterator[Entry]:
    """Yield the values in order; `first` is the number of the first line. Takes linear time."""
    return _Walk([line.expandtabs(4).rstrip() for line in lines], first).entries()


def unquoted(value: str) -> str:
    """Return a scalar without the pair of quotes around it; quotes inside stay."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        inner = value[1:-1]
        return inner.replace("''", "'") if value[0] == "'" else inner.replace('\\"', '"').replace("\\\\", "\\")
    return value


class _Walk:
    """The state of reading one file: what stands above the line under way."""

    def __init__(self, lines: Sequence[str], first: int) -> None:
        self.lines, self.first = lines, first
        self.stack: list[_Frame] = []
        self.place = 0

    def entries(self) -> Iterator[Entry]:
        while self.place < len(self.lines):
            line, place = self.lines[self.place], self.place
            self.place += 1
            content = line.lstrip()
            indent = len(line) - len(content)
            if not content:
                continue
            if content.startswith("#"):
                yield Entry((), content, self.first + place)
            elif line in ("---", "..."):
                self.stack = []
            else:
                yield from self._content(content, indent, place)

    def _content(self, content: str, indent: int, place: int) -> Iterator[Entry]:
        is_item = False
        while content == "-" or content.startswith("- "):
            self._enter_item(indent, place)
            is_item = True
            rest = content[1:].lstrip()
            indent += len(content) - len(rest)
            content = rest
        if not content:
            return
        key = _KEY.match(content)
        number = self.first + place
        if key is None:
            path = self._path(without_last_item=is_item)
            if not path or not is_item:
                yield Entry((), content, number)
                return
            value, comment = self._value(content, indent, place)
            yield Entry(path, value, number, is_item=True)
        else:
            while self.stack and self.stack[-1].indent >= indent:
                self.stack.pop()
            self.stack.append(_Frame(indent, unquoted(key[1])))
            value, comment = self._value(key[2] or "", indent, place)
            if pairs := _pairs(value):
                yield from (Entry((*self._path(), *path), each, number) for path, each in pairs)
            elif value or not self._goes_deeper(indent):
                yield Entry(self._path(), value, number)
        if comment:
            yield Entry((), comment, number)

    def _enter_item(self, indent: int, place: int) -> None:
        while self.stack and (
            self.stack[-1].indent > indent or (self.stack[-1].indent == indent and self.stack[-1].is_item)
        ):
            self.stack.pop()
        number = 1
        if self.stack:
            self.stack[-1].items += 1
            number = self.stack[-1].items
        self.stack.append(_Frame(indent, self._label(indent, place) or str(number), is_item=True))

    def _path(self, without_last_item: bool = False) -> tuple[str, ...]:
        stack = self.stack[:-1] if without_last_item else self.stack
        return tuple(frame.label for frame in stack)

    def _label(self, indent: int, place: int) -> str:
        """Return the value of the key that names the item which begins at `place`, or ""."""
        column = 0
        for at in range(place, min(place + _LOOKED_AHEAD, len(self.lines))):
            line = self.lines[at]
            content = line.lstrip()
            begin = len(line) - len(content)
            if at == place:
                content = line[indent:].lstrip("- ")
                begin = column = len(line) - len(content)
            elif content and begin <= indent:
                return ""
            key = _KEY.match(content) if begin == column else None
            if key and unquoted(key[1]).casefold() in _LABELS and key[2] and not _BLOCK_SCALAR.match(key[2]):
                label = unquoted(_without_comment(key[2])[0])
                return label if len(label) <= _MAX_LABEL else ""
        return ""

    def _goes_deeper(self, indent: int) -> bool:
        for at in range(self.place, min(self.place + _LOOKED_AHEAD, len(self.lines))):
            content = self.lines[at].lstrip()
            if content and not content.startswith("#"):
                begin = len(self.lines[at]) - len(content)
                return begin > indent or (begin == indent and content.startswith("-") and self.lines[at] != "---")
        return False

    def _value(self, raw: str, indent: int, place: int) -> tuple[str, str]:
        """Return the value that begins with `raw` as one text, with the lines it goes on over, and its comment."""
        if _BLOCK_SCALAR.match(raw):
            block = self._deeper_lines(indent)
            return ("\n" if raw[0] == "|" else " ").join(block).strip(), ""
        raw = _ANCHOR.sub("", raw, count=1) if raw.startswith(("&", "!")) else raw
        if raw.startswith(("[", "{")):
            return _flow(raw, self._flow_lines(raw))
        value, comment = _without_comment(raw)
        if not value:
            return "", comment
        if value[0] in "\"'" and not _is_closed(value):
            value = " ".join([raw, *self._quoted_lines(raw[0])])
        elif not comment:
            value = " ".join([value, *self._plain_lines(indent)])
        return unquoted(value), comment

    def _deeper_lines(self, indent: int) -> list[str]:
        begin = self.place
        while self.place < len(self.lines):
            line = self.lines[self.place]
            if line and len(line) - len(line.lstrip()) <= indent:
                break
            self.place += 1
        block = self.lines[begin : self.place]
        margin = min((len(line) - len(line.lstrip()) for line in block if line), default=0)
        return [line[margin:] for line in block]

    def _plain_lines(self, indent: int) -> Iterator[str]:
        """Yield the lines that go on with a plain value: deeper than its key, and neither a key nor an item."""
        while self.place < len(self.lines):
            line = self.lines[self.place]
            content = line.lstrip()
            deeper = len(line) - len(content) > indent
            if not content or not deeper or content.startswith(("#", "- ")) or _KEY.match(content):
                return
            self.place += 1
            yield content

    def _quoted_lines(self, quote: str) -> Iterator[str]:
        for _ in range(_MAX_FLOW):
            if self.place >= len(self.lines):
                return
            content = self.lines[self.place].strip()
            self.place += 1
            yield content
            if content.endswith(quote):
                return

    def _flow_lines(self, raw: str) -> list[str]:
        found: list[str] = []
        depth = _depth(raw)
        while depth > 0 and len(found) < _MAX_FLOW and self.place < len(self.lines):
            line = self.lines[self.place].strip()
            self.place += 1
            found.append(line)
            depth += _depth(line)
        return found


def _depth(text: str) -> int:
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", text)
    return sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))


def _flow(raw: str, more: Sequence[str]) -> tuple[str, str]:
    text = " ".join(_without_comment(line)[0] for line in (raw, *more)).strip()
    comment = _without_comment(raw)[1]
    inner = text[1:-1].strip()
    if text.startswith("[") and text.endswith("]") and not re.search(r"[\[\]{}]", inner):
        items = re.findall(r"\s*(\"[^\"]*\"|'[^']*'|[^,]+)", inner)
        text = ", ".join(filter(None, (unquoted(item.strip()) for item in items)))
    return text, comment


_PAIR = re.compile(r"""\s*("[^"]*"|'[^']*'|[^\s,:{}\[\]"'][^,:{}\[\]]*?)\s*:\s+("[^"]*"|'[^']*'|[^,{}\[\]]*)(?:,|$)""")


def _pairs(value: str) -> list[tuple[tuple[str], str]]:
    """Return the keys and values of a mapping in braces; none where it holds others or is no mapping."""
    if not (value.startswith("{") and value.endswith("}")):
        return []
    inner, found, place = value[1:-1].strip(), [], 0
    while place < len(inner):
        pair = _PAIR.match(inner, place)
        if pair is None:
            return []
        found.append(((unquoted(pair[1].strip()),), unquoted(pair[2].strip())))
        place = pair.end()
    return found


def _without_comment(raw: str) -> tuple[str, str]:
    """Return the value and the comment after it; a "#" inside of quotes is none."""
    if raw.startswith("#"):
        return "", raw
    quoted = re.match(r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')(\s+#.*)?$", raw)
    if quoted:
        return quoted[1], (quoted[2] or "").strip()
    comment = _COMMENT.search(raw)
    return (raw[: comment.start()], comment[0].strip()) if comment else (raw.strip(), "")


def _is_closed(value: str) -> bool:
    return len(value) > 1 and value[-1] == value[0]
