"""From a reader's blocks to a clean Document: repairs the characters, then lays the blocks end to end.

Pure and deterministic: knows no files, formats only where their text needs other care (PDF layout,
code), and counts what it repairs so that nothing is changed in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from indexer import characters
from indexer.blobs import without_blobs
from indexer.types import Block, Document, Reading, Scalar, Section

_MAX_TITLE = 300
_MAX_VALUE = 1_000
_MAX_FIELDS = 50


def assemble(source: str, sha256: str, reading: Reading) -> Document:
    """Return the cleaned document of `reading`; cleaning what is clean changes nothing.

    Blocks are joined by a blank line, rows by a single line end. `section.line` plus the line ends
    before a character still gives its line in the source. Time is linear in the length of the text.
    """
    repairs: Counter[str] = Counter()
    running: list[str] = []
    blocks: Sequence[Block] = reading.blocks
    if reading.format == "pdf":
        from indexer.layout import flow  # only PDFs come as lines on pages

        blocks = list(flow(reading.blocks, repairs, running))
    readable = [without_blobs(block.text) for block in blocks]
    left_out = sum(count for _, count in readable)
    blocks = (
        [replace(block, text=text) for block, (text, _) in zip(blocks, readable, strict=True)] if left_out else blocks
    )
    mojibake = characters.is_mojibake(block.text for block in blocks if block.kind != "code")
    cleaned = [clean for block in blocks if (clean := _clean(block, repairs, mojibake)).text]
    text, sections = _join(cleaned)
    return Document(
        source=source,
        sha256=sha256,
        # Never made from the file's name: what the encoder reads must not change when a file is renamed.
        title=_one_line(reading.title, _MAX_TITLE),
        text=text,
        sections=sections,
        metadata=_clean_metadata({**reading.metadata, "running lines": "; ".join(running)}.items()),
        format=reading.format,
        notes=(
            *(_one_line(note, _MAX_VALUE) for note in reading.notes),
            *([f"{left_out:,} characters of encoded or minified text left out"] if left_out else []),
            *([] if text else ["empty"]),
        ),
        repairs=dict(sorted(repairs.items())),
    )


def _clean(block: Block, repairs: Counter[str], mojibake: bool) -> Block:
    """Return `block` with clean characters and without blank lines around it; its line moves along."""
    text = characters.clean(block.text, repairs, mojibake=mojibake and block.kind != "code")
    lines = [line.rstrip() for line in text.split("\n")]
    first, last = 0, len(lines)
    while first < last and not lines[first]:
        first += 1
    while last > first and not lines[last - 1]:
        last -= 1
    if block.kind == "code":
        text = "\n".join(lines[first:last])
    else:
        text = "\n".join(lines[first:last]).strip(" \t")
    line = block.line + first if block.line is not None else None
    return Block(text, block.kind, block.level, block.page, line)


def _join(blocks: Iterable[Block]) -> tuple[str, tuple[Section, ...]]:
    pieces: list[str] = []
    sections: list[Section] = []
    length = 0
    last: Block | None = None
    for block in blocks:
        if last is not None:
            gap = "\n" if block.kind == last.kind == "row" and block.page == last.page else "\n\n"
            pieces.append(gap)
            length += len(gap)
        pieces.append(block.text)
        sections.append(Section(length, length + len(block.text), block.kind, block.level, block.page, block.line))
        length += len(block.text)
        last = block
    return "".join(pieces), tuple(sections)


def _one_line(text: str, limit: int) -> str:
    return " ".join(characters.clean(text[: 4 * limit], Counter(), mojibake=False).split())[:limit].rstrip()


def _clean_metadata(items: Iterable[tuple[str, Scalar]]) -> dict[str, Scalar]:
    cleaned: dict[str, Scalar] = {}
    for key, value in sorted(items, key=lambda item: item[0])[:_MAX_FIELDS]:
        clean = _one_line(value, _MAX_VALUE) if isinstance(value, str) else value
        if clean != "" and (name := _one_line(key, 60)):
            cleaned[name] = clean
    return cleaned
