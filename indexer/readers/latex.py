"""LaTeX as it reads in print: title and author, headings, paragraphs, lists, tables, code; comments are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from indexer.readers.dates import iso_date
from indexer.readers.encoding import decode
from indexer.readers.notes import counted
from indexer.readers.tex_text import readable
from indexer.readers.text import reading_of
from indexer.types import Block, BlockKind, Reading

_LEVELS = {
    "part": 1,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "subparagraph": 6,
}
_VERBATIM = ("verbatim", "verbatim*", "lstlisting", "minted", "Verbatim", "alltt")
_TABLES = ("tabular", "tabular*", "tabularx", "longtable", "array", "tabulary")
_TOKEN = re.compile(
    r"(?P<blank>\n[ \t]*(?:%[^\n]*)?\n\s*)"
    r"|\\begin\{(?P<begin>[A-Za-z]+\*?)\}"
    r"|\\end\{(?P<end>[A-Za-z]+\*?)\}"
    rf"|\\(?P<heading>{'|'.join(_LEVELS)})\*?(?:\[[^\[\]]{{0,300}}\])?(?=\{{)"
    r"|\\(?P<caption>caption)\*?(?:\[[^\[\]]{0,300}\])?(?=\{)"
    r"|\\(?P<item>item)\b[ \t]*(?:\[(?P<term>[^\[\]]{0,300})\])?"
    r"|(?P<link>\\(?:url|href|path|nolinkurl)\{[^{}\n]{0,2000}\})"
    r"|(?P<comment>(?<!\\)%[^\n]*)"
)
_HEADER = re.compile(r"\\(title|author|date|subtitle|institute)\*?(?:\[[^\[\]]{0,300}\])?(?=\{)")
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot)\b|\\(?:cline|cmidrule)(?:\([^()]*\))?\{[^{}]*\}"
)
_LABELS = re.compile(r"\s*(?:\\label\{[^{}]*\}\s*)*")
_MAX_ARGUMENT = 20_000
_MACRO = re.compile(r"\\(?:(?:re)?newcommand\*?\{?|providecommand\*?\{?|def)\\([A-Za-z]+)\}?\s*(?=\{)")
_MAX_MACRO, _MAX_MACROS = 500, 200
"""Characters of what a command of a document's own stands for, and how many of them."""
_COMMENT_BLOCK = re.compile(r"\\begin\{comment\}.*?\\end\{comment\}", re.S)
_INCLUDED = re.compile(r"\\(?:input|include|subfile)\{")


def read(name: str, data: bytes) -> Reading:
    """Read LaTeX; the title and the fields are those of the preamble, else the first heading is the title."""
    decoded = decode(data)
    text, comments = _COMMENT_BLOCK.subn(lambda block: "\n" * block[0].count("\n"), decoded.text)
    included = len(_INCLUDED.findall(re.sub(r"(?<!\\)%[^\n]*", "", text)))
    text = _with_macros(text)
    begin = text.find("\\begin{document}")
    end = text.find("\\end{document}")
    body = begin + len("\\begin{document}") if begin >= 0 else 0
    fields = _header(text[: end if end >= 0 else None])
    blocks = list(_blocks(text, body, end if end >= 0 else len(text)))
    title = fields.pop("title", "") or next((block.text for block in blocks if block.kind == "heading"), "")
    reading = reading_of(decoded, "latex", iter(blocks), title, fields)
    left_out = {"comment blocks": comments, "included files": included}
    return replace(reading, notes=(*reading.notes, *counted(left_out)))


def _with_macros(text: str) -> str:
    """Return the text with its own commands without arguments replaced by what they stand for."""
    bare = re.sub(r"(?<!\\)%[^\n]*", "", text)
    meanings: dict[str, str] = {}
    for found in _MACRO.finditer(bare):
        meaning, _ = _argument(bare, found.end())
        if (
            0 < len(meaning) <= _MAX_MACRO
            and "#" not in meaning
            and "\n" not in meaning
            and len(meanings) < _MAX_MACROS
        ):
            meanings[found[1]] = meaning
    if not meanings:
        return text
    begin = max(0, text.find("\\begin{document}"))
    uses = re.compile(rf"\\({'|'.join(sorted(meanings, key=len, reverse=True))})(?![A-Za-z])(?:\{{\}}|[ \t]+(?=\w))?")
    return text[:begin] + uses.sub(lambda use: f"{{{meanings[use[1]]}}}", text[begin:])


def _header(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    bare = re.sub(r"(?<!\\)%[^\n]*", "", text)
    for found in _HEADER.finditer(bare):
        value, _ = _argument(bare, found.end())
        value = re.sub(r"\\(?:thanks|footnote)\{[^{}]*\}", "", value)
        value = re.sub(r"\s*\\and\b\s*", ", ", value.replace("\\\\", ", "))
        fields.setdefault(found[1], " ".join(readable(value).split()))
    if "today" in fields.get("date", "") or not fields.get("date", "x"):
        fields.pop("date", None)  # the day of printing
    if "date" in fields:
        fields["date"] = iso_date(fields["date"]) or fields["date"]
    return {key: value for key, value in fields.items() if value}


def _argument(text: str, place: int) -> tuple[str, int]:
    """Return what stands between the braces that open at `place`, and the place after them."""
    depth = 0
    for at in range(place, min(len(text), place + _MAX_ARGUMENT)):
        if text[at] in "{}" and text[at - 1 : at] != "\\":
            depth += 1 if text[at] == "{" else -1
            if depth == 0:
                return text[place + 1 : at], at + 1
    return "", place + 1


class _Writer:
    """The text under way, with the line at which it begins."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pieces: list[str] = []
        self.begin = 0
        self.lists = 0
        self.done: list[Block] = []
        self._counted = (0, 1)

    def line(self, place: int) -> int:
        """Return the line of a place; asked in reading order, so that counting takes linear time in all."""
        at, line = self._counted
        line = line + self.text.count("\n", at, place) if place >= at else self.text.count("\n", 0, place) + 1
        self._counted = (place, line)
        return line

    def add(self, piece: str, place: int) -> None:
        if not "".join(self.pieces).strip() and piece.strip():
            self.pieces = []
            self.begin = place + len(_LABELS.match(piece)[0])  # type: ignore[index]  # it matches nothing as well
        self.pieces.append(piece)

    def flush(self, kind: BlockKind = "paragraph", level: int = 0) -> None:
        text = readable("".join(self.pieces))
        lines = (" ".join(line.split()) for line in text.split("\n"))
        text = "\n".join(line for line in lines if line and line != "-")
        if text:
            self.done.append(Block(text, kind, level, line=self.line(self.begin)))
        self.pieces = []


def _blocks(text: str, place: int, end: int) -> Iterator[Block]:
    writer = _Writer(text)
    while token := _TOKEN.search(text, place, end):
        writer.add(text[place : token.start()], place)
        place = token.end()
        if token["blank"] is not None:
            if writer.lists:
                writer.add("\n", token.start())
            else:
                writer.flush()
        elif token["comment"] is not None:
            pass
        elif token["link"]:
            writer.add(token["link"], token.start())
        elif token["begin"]:
            place = _enter(writer, token["begin"], text, place, end)
        elif token["end"]:
            writer.lists -= token["end"] in ("itemize", "enumerate", "description")
            if not writer.lists:
                writer.flush()
        elif token["item"]:
            term = f"{token['term']}: " if token["term"] else ""
            writer.add(f"\n- {term}", token.start())
        else:
            argument, place = _argument(text, token.end())
            writer.flush()
            writer.add(argument, token.end() + 1)
            level = _LEVELS.get(token["heading"] or "", 0)
            writer.flush("heading" if level else "paragraph", level)
        yield from writer.done
        writer.done.clear()
    writer.add(text[place:end], place)
    writer.flush()
    yield from writer.done


def _enter(writer: _Writer, name: str, text: str, place: int, end: int) -> int:
    """Begin an environment, or read it whole where its lines are code or a table; return where to go on."""
    if name in ("itemize", "enumerate", "description"):
        writer.lists += 1
        return _after_options(text, place)
    if name not in _VERBATIM and name not in _TABLES:
        if not writer.lists:
            writer.flush()
        return _after_options(text, place)
    writer.flush()
    close = text.find(f"\\end{{{name}}}", place, end)
    close = end if close < 0 else close
    if name in _VERBATIM:
        code = text[place:close]
        if "\n" in code and code.lstrip(" ").startswith(("[", "{")):
            code = code[code.index("\n") :]
        if code.strip():
            writer.done.append(Block(code.strip("\n"), "code", line=writer.line(place) + code.startswith("\n")))
    else:
        table = _rows(text[_after_arguments(text, place) : close])
        if table:
            writer.done.append(Block(table, "table", line=writer.line(place)))
    return min(end, close + len(f"\\end{{{name}}}"))


def _after_options(text: str, place: int) -> int:
    options = re.compile(r"\[[^\[\]\n]{0,200}\]").match(text, place)
    return options.end() if options else place


def _after_arguments(text: str, place: int) -> int:
    while text[place : place + 1] in ("{", "["):
        place = _argument(text, place)[1] if text[place] == "{" else max(place + 1, _after_options(text, place))
    return place


def _rows(body: str) -> str:
    body = re.sub(r"(?<!\\)%[^\n]*", "", _RULES.sub("", body))
    body = re.sub(r"\\multi(?:column|row)\{[^{}]*\}\{[^{}]*\}\{([^{}]*)\}", r"\1", body)
    rows = (
        [" ".join(readable(cell).split()) for cell in re.split(r"(?<!\\)&", row)]
        for row in re.split(r"\\\\(?:\[[^\]]*\])?|\\tabularnewline", body)
    )
    return "\n".join(" | ".join(row) for row in rows if any(row))
