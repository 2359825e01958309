"""RTF: the words between the control words, in paragraphs; tables as rows, title and author from the information group.

Follows the RTF specification 1.9.1 as far as text needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.errors import Unreadable
from indexer.readers.dates import iso_date
from indexer.readers.notes import counted
from indexer.readers.raised import is_signed_number, printed_power
from indexer.readers.symbols import is_symbol_font, symbol
from indexer.types import Block, Reading

_TOKEN = re.compile(
    r"\\([a-z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.I
)
_SILENT = frozenset(
    (
        *("colortbl", "stylesheet", "pict", "object", "themedata", "datastore", "listtable", "rsidtbl"),
        *("listoverridetable", "latentstyles", "xmlnstbl", "generator", "fldinst", "filetbl", "revtbl", "listlevel"),
        *("nonshppict", "bkmkstart", "bkmkend", "comment", "operator", "colorschememapping", "mmathPr", "pgdsctbl"),
    )
)
_APART = frozenset(("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"))
_SIGNS = {
    "par": "\n\n", "sect": "\n\n", "page": "\n\n", "line": "\n",
    "tab": "\t", "emdash": "—", "endash": "–", "bullet": "•",
    "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ", "cell": "\ue001",
    "row": "\ue002", "nestcell": "\ue001", "nestrow": "\ue002",
}  # fmt: skip
_MAX_DEPTH = 500


def read(name: str, data: bytes) -> Reading:
    """Read an RTF document; pictures, styles and objects are left out."""
    text = data.decode("latin-1")
    parser = _Parser()
    parser.run(text)
    body = "".join(parser.out["body"])
    about = {key: " ".join("".join(pieces).split()) for key, pieces in parser.out.items()}
    about.setdefault("title", "")
    fields = {
        ours: about.get(theirs, "")
        for ours, theirs in (("author", "author"), ("subject", "subject"), ("keywords", "keywords"))
    }
    fields["created"], fields["last modified"] = (iso_date(parser.times.get(key, "")) for key in ("creatim", "revtim"))
    fields["date"] = fields["last modified"] or fields["created"]
    blocks = [
        *_blocks(body),
        *(Block(f"{key.capitalize()}: {about[key]}", "row") for key in ("header", "footer") if about.get(key)),
    ]
    filled = {key: value for key, value in fields.items() if value}
    return Reading(tuple(blocks), "rtf", about["title"], filled, counted({"pictures": parser.pictures}, "not read"))


class _Parser:
    """The state of the group under way, and what was read into each destination."""

    def __init__(self) -> None:
        self.out: dict[str, list[str]] = {"body": []}
        self.times: dict[str, str] = {}
        self.pictures = 0
        self._stack: list[tuple[str, int, bool, str, bool, str]] = []
        self._hidden, self._font = False, ""  # print that is not shown, and the number of the font
        self._fonts: dict[str, str] = {}
        self._into, self._skip = "body", 1  # where text goes, and how many characters stand for one of Unicode
        self._raised, self._closing = False, ""  # print above the line, and what ends the group
        self._pending = 0
        self._codepage = "cp1252"
        self._bytes = bytearray()

    def run(self, text: str) -> None:
        starred = False
        for found in _TOKEN.finditer(text):
            word, number, byte, sign, brace, plain = found.groups()
            if byte is None:
                self._flush()
            if brace == "{":
                if len(self._stack) >= _MAX_DEPTH:
                    raise Unreadable("nested too deeply")
                state = (self._into, self._skip, self._raised, self._closing, self._hidden, self._font)
                self._stack.append(state)
                self._closing = ""
            elif brace == "}":
                self._add(self._closing)
                self._into, self._skip, self._raised, self._closing, self._hidden, self._font = (
                    self._stack.pop() if self._stack else ("body", 1, False, "", False, "")
                )
            elif byte is not None:
                if self._pending:
                    self._pending -= 1
                elif self._into:
                    self._bytes.append(int(byte, 16))
            elif sign is not None:
                starred = sign == "*"
                self._add(
                    {"~": "\u00a0", "_": "-", "-": "", "\n": "\n\n", "\r": "\n\n"}.get(
                        sign, sign if sign in "\\{}" else ""
                    )
                )
                continue
            elif word is not None:
                self._word(word, number, starred)
            elif plain is not None:
                self._add(self._printed(plain[self._pending :]))
                self._pending = max(0, self._pending - len(plain))
            starred = False
        self._flush()

    def _word(self, word: str, number: str | None, starred: bool) -> None:
        if word == "u" and number is not None:
            code = int(number) % 65536
            self._add(chr(code))
            self._pending = self._skip
        elif word == "uc":
            self._skip = min(int(number or 1), 10)
        elif word == "ansicpg" and number:
            self._codepage = f"cp{number}"
        elif word == "f":
            self._font = number or ""
        elif word in ("v", "deleted"):
            self._hidden = number != "0"
        elif word in ("super", "nosupersub", "plain", "sub"):
            self._raised = word == "super" and number != "0"
            self._hidden = self._hidden and word != "plain"
        elif word == "fonttbl":
            self._into = "fonttbl"
        elif word in _SILENT or (starred and word not in ("shptxt", "shpinst")):
            self.pictures += word == "pict" and bool(self._into)
            self._into = ""
        elif word in _APART:
            self._into = word.rstrip("lrf") if word not in ("header", "footer") else word
        elif word == "info":
            self._into = "info"
        elif self._into == "info" and word in ("title", "author", "subject", "keywords"):
            self._into = word
        elif word in ("creatim", "revtim"):
            self._into = word
            self.times[word] = ""
        elif word in ("yr", "mo", "dy") and self._into in self.times:
            self.times[self._into] += f"{'-' if word != 'yr' else ''}{int(number or 0):02d}"
        elif word in ("footnote", "annotation"):
            self._add(" (")
            self._closing = ")"
        elif word in _SIGNS:
            self._add(_SIGNS[word])

    def _printed(self, text: str) -> str:
        """Return text as it reads in print: raised digits are powers."""
        if not self._raised or not is_signed_number(text.strip()):
            return text
        return printed_power("".join(self.out.get(self._into, [])[-3:]), text.strip())

    def _flush(self) -> None:
        if self._bytes:
            if is_symbol_font(self._fonts.get(self._font, "")):
                name = self._fonts[self._font]
                self._add("".join(symbol(name, code) or chr(code) for code in self._bytes))
                self._bytes.clear()
                return
            try:
                self._add(self._bytes.decode(self._codepage, "replace"))
            except LookupError:
                self._add(self._bytes.decode("cp1252", "replace"))
            self._bytes.clear()

    def _add(self, text: str) -> None:
        if self._into == "fonttbl":
            self._fonts[self._font] = self._fonts.get(self._font, "") + text.rstrip(";")
        elif self._into and not self._hidden and self._into != "info" and text:
            self.out.setdefault(self._into, []).append(text)


def _blocks(body: str) -> Iterator[Block]:
    body = body.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # characters written as two halves
    rows: list[str] = []
    for piece in re.split(r"(\ue002)", body):
        if piece == "\ue002" or not piece:
            continue
        *before, last = piece.split("\n\n") if "\ue001" not in piece else _before_row(piece)
        if any(text.strip() for text in before) and rows:
            yield Block("\n".join(rows), "table")
            rows = []
        yield from (Block(text.strip()) for text in before if text.strip())
        if "\ue001" in last:
            rows.append(" | ".join(" ".join(cell.split()) for cell in last.rstrip("\ue001").split("\ue001")))
            continue
        if rows:
            yield Block("\n".join(rows), "table")
            rows = []
        if last.strip():
            yield Block(last.strip())
    if rows:
        yield Block("\n".join(rows), "table")


def _before_row(piece: str) -> list[str]:
    """Part the paragraphs before a row from its cells; paragraphs within a cell stay in it."""
    first, mark, rest = piece.partition("\ue001")
    *before, begin = first.split("\n\n")
    return [*before, begin + mark + rest.replace("\n\n", " ")]
