"""Plain text and logs: paragraphs between blank lines, each with the line it begins at."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.readers.encoding import Decoded, decode
from indexer.types import Block, BlockKind, Reading


def read(name: str, data: bytes) -> Reading:
    """Read plain text; one block per paragraph."""
    decoded = decode(data)
    return reading_of(decoded, "text", paragraphs(decoded.text))


def read_log(name: str, data: bytes) -> Reading:
    """Read a log; one row per line, since each line of a log stands for itself."""
    decoded = decode(data)
    lines = enumerate(decoded.text.split("\n"), 1)
    return reading_of(decoded, "log", (Block(text, kind="row", line=line) for line, text in lines if text.strip()))


def reading_of(
    decoded: Decoded, form: str, blocks: Iterator[Block], title: str = "", metadata: dict[str, str] | None = None
) -> Reading:
    """Return a Reading that also tells how its bytes were decoded."""
    about = dict(metadata or {})
    if decoded.encoding != "utf-8":
        about["encoding"] = decoded.encoding
    return Reading(tuple(blocks), form, title, about, decoded.notes)


def paragraphs(text: str, line: int = 1, kind: BlockKind = "paragraph", page: int | None = None) -> Iterator[Block]:
    """Yield the paragraphs of `text`, their raw lines kept; `line` is the line at which `text` begins."""
    pending: list[str] = []
    for number, raw in enumerate(text.split("\n"), line):
        if raw and not raw.isspace():
            pending.append(raw)
        elif pending:
            yield Block("\n".join(pending), kind=kind, page=page, line=number - len(pending))
            pending = []
    if pending:
        yield Block("\n".join(pending), kind=kind, page=page, line=text.count("\n") + line + 1 - len(pending))
