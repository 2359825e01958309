"""Printed pages turned back into running text: no headers and footers, words and paragraphs made whole.

Knows lines on pages as PDF readers give them; a block without line ends is taken as already laid out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from indexer.types import Block

_EDGE = 3
"""Most lines at the top and at the bottom of a page that may be running headers or footers."""
_MIN_PAGES = 3
_SHARE = 0.4
"""Share of the pages a line must repeat on; under a half, since even and odd pages often differ."""
_NUMBER = re.compile(r"\d+|\b[ivxlc]{1,6}\b", re.I)
_PAGE = re.compile(r"(?:page|p\.|pg|seite|s\.|side|sida|página|pagina|strana|strona|стр)\W*$", re.I)
_OF_ALL = re.compile(r"\s?(?:of|/|von|de|sur|di|van|av|z)\s?\d+\W*$", re.I)
"""What follows the number of a page in "Confidential 3 of 12"."""
_COUNTED = frozenset(
    (
        *(
            "appendix",
            "article",
            "chapter",
            "clause",
            "day",
            "exercise",
            "figure",
            "invoice",
            "lesson",
            "no",
            "no.",
            "nr",
        ),
        *(
            "nr.",
            "number",
            "part",
            "question",
            "section",
            "step",
            "table",
            "unit",
            "week",
            "kapitel",
            "rechnung",
            "teil",
        ),
        *("abschnitt", "chapitre", "leçon"),
    )
)
"""Words before a number that counts something else than pages."""
_RUNNING = 0.8
"""Share of the pages on which the number must be as much more as there are pages between."""
_MAX_OFFSET = 500
_PROSE = 8
"""Words of a line that, beside another such line, is running text."""
_MAX_TOLD = 20
_BULLET = re.compile(r"\s*(?:[•◦▪‣·*–—-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_HYPHENS = ("-", "‐", "\u00ad")
_COMPOUND = re.compile(r"(?<![\w-])[^\W\d_]{1,40}-[^\W\d_]{1,40}(?![\w-])")
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE_END = (".", "!", "?", ":", "”", '."', ".)", "…")


_Place = tuple[int, int, str]
"""A line on a page: number of its block, number in its block, text."""


def flow(blocks: Sequence[Block], repairs: Counter[str], running: list[str]) -> Iterator[Block]:
    """Yield blocks of whole paragraphs, none with a line end in it, so that a second pass changes nothing.

    Headers and footers that were left out go to `running`, one of each kind.
    """
    blocks = [replace(block, text=re.sub("\r\n?", "\n", block.text)) for block in blocks]
    kept = _without_running_lines(blocks, repairs)
    for before, after in zip(blocks, kept, strict=True):
        if before is not after and len(running) < _MAX_TOLD:
            lines, keys = set(after.text.split("\n")), set(map(_key, running))
            left_out = {_key(line): line.strip() for line in before.text.split("\n") if line not in lines}
            running.extend(line for key, line in left_out.items() if key not in keys and any(map(str.isalpha, line)))
    blocks = kept
    words = _whole_words(blocks)
    for block in blocks:
        if not _is_laid_out_in_lines(block):
            yield block
            continue
        for paragraph in _paragraphs(block.text.split("\n")):
            yield replace(block, text=_joined(paragraph, words, repairs))


def _whole_words(blocks: Sequence[Block]) -> set[str]:
    """Return the words of the document in lower case, with compounds as they are ("well-known"), without fragments."""
    words: set[str] = set()
    for block in blocks:
        cut = False
        for line in block.text.split("\n"):
            found = _WORD.findall(line)
            begin, cut = int(cut), line.rstrip().endswith(_HYPHENS)
            words.update(word.lower() for word in found[begin : len(found) - cut])
            words.update(compound.lower() for compound in _COMPOUND.findall(line))
    return words


def _is_laid_out_in_lines(block: Block) -> bool:
    return "\n" in block.text and block.kind in ("paragraph", "heading")


def _without_running_lines(blocks: Sequence[Block], repairs: Counter[str]) -> list[Block]:
    """Return the blocks without the lines that repeat at the top or bottom of many pages."""
    pages: dict[int | None, list[_Place]] = {}
    for number, block in enumerate(blocks):
        if (
            _is_laid_out_in_lines(block) or block.kind == "table"
        ):  # whose rows are no edges, and none of them is left out
            lines = enumerate(block.text.split("\n"))
            pages.setdefault(block.page, []).extend((number, at, line) for at, line in lines if line.strip())
    if len(pages) < _MIN_PAGES:
        return list(blocks)
    edges = {page: (_edge(places), _edge(places[::-1])) for page, places in pages.items()}
    prose = {place for places in pages.values() for place in _prose(places)}
    often = max(_MIN_PAGES, _SHARE * len(pages))
    running: dict[int, set[int]] = {}
    for side in (0, 1):
        texts: dict[str, dict[int | None, str]] = {}
        for page, edge in edges.items():
            for line in (place[2] for place in edge[side] if place not in prose):
                texts.setdefault(_key(line), {}).setdefault(page, line)
        seen = {key: len(lines) for key, lines in texts.items() if _is_running(lines)}
        for edge in edges.values():
            repeats = [place not in prose and seen.get(_key(place[2]), 0) >= often for place in edge[side]]
            for (number, at, line), repeated in list(zip(edge[side], repeats, strict=True))[: _reach(repeats)]:
                if blocks[number].kind != "table" and (repeated or not _is_told_apart(blocks[number], line)):
                    running.setdefault(number, set()).add(at)
    if running:
        repairs["running headers and footers"] += sum(map(len, running.values()))
    return [_without(block, running[number]) if number in running else block for number, block in enumerate(blocks)]


def _prose(places: Sequence[_Place]) -> Iterator[_Place]:
    """Yield the long lines that stand in a paragraph: of letters of one wording they repeat on every page."""
    for before, place, after in zip([None, *places], places, [*places[1:], None], strict=False):
        beside = [each for each in (before, after) if each is not None and each[0] == place[0]]
        is_inside = any(abs(each[1] - place[1]) == 1 and len(each[2].split()) >= _PROSE for each in beside)
        if is_inside and len(place[2].split()) >= _PROSE:
            yield place


def _is_told_apart(block: Block, line: str) -> bool:
    """Tell a heading, or what counts something else than pages, that stands beside a running line."""
    words = line.split()
    return block.kind == "heading" or any(word.lower().strip(".:") in _COUNTED for word in words[:2])


def _is_running(lines: Mapping[int | None, str]) -> bool:
    """Tell a header or footer from lines of the text that differ only in a number ("Invoice 7", "Pay by 12 June").

    It is the same on every page, or its one number that differs is the page's: at its edge or beside the word "page",
    and as much more on each page as there are pages between.
    """
    found = {page: _NUMBER.findall(line) for page, line in lines.items()}
    columns = list(zip(*found.values(), strict=False))
    differing = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    if not differing:
        return True
    sample = " ".join(next(iter(lines.values())).split())
    marks = list(_NUMBER.finditer(sample))
    for place in differing:
        mark = marks[place]
        at_edge = not any(map(str.isalnum, sample[: mark.start()])) or not any(map(str.isalnum, sample[mark.end() :]))
        before = sample[: mark.start()].split()
        is_page = at_edge or _PAGE.search(sample[: mark.start()]) or _OF_ALL.match(sample[mark.end() :])
        if not is_page or (before and before[-1].lower() in _COUNTED):
            return False
        column = columns[place]
        if all(number.isdigit() for number in column):
            offsets = Counter(int(number) - (page or 0) for page, number in zip(found, column, strict=True))
            offset, count = offsets.most_common(1)[0]
            if count < _RUNNING * len(column) or abs(offset) > _MAX_OFFSET:
                return False
        elif len(marks) > 1 or any(map(str.isalnum, sample[: mark.start()] + sample[mark.end() :])):
            return False  # Roman numbers are numbers of pages only alone
    return len(differing) == 1


def _without(block: Block, places: set[int]) -> Block:
    return replace(block, text="\n".join(line for at, line in enumerate(block.text.split("\n")) if at not in places))


def _reach(repeats: Sequence[bool]) -> int:
    """Return how many lines, from the edge inwards, lie up to and with the last one that repeats."""
    return max((place for place, repeated in enumerate(repeats, 1) if repeated), default=0)


def _edge(places: Sequence[_Place]) -> Sequence[_Place]:
    return places[: min(_EDGE, (len(places) - 1) // 2)]  # the two edges of a page never meet


def _key(line: str) -> str:
    """Return a line with its numbers made alike: page 7 repeats page 8."""
    return _NUMBER.sub("#", " ".join(line.split())).lower()


def _paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the lines of each paragraph: it ends at a blank line, before a bullet, and after a short full stop."""
    width = max((len(line) for line in lines), default=0)
    pending: list[str] = []
    for line in lines:
        if pending and (not line.strip() or _BULLET.match(line) or _ends(pending[-1], width)):
            yield pending
            pending = []
        if line.strip():
            pending.append(line.strip())
    if pending:
        yield pending


def _ends(line: str, width: int) -> bool:
    return line.endswith(_SENTENCE_END) and len(line) < 0.8 * width


def _joined(lines: Sequence[str], words: set[str], repairs: Counter[str]) -> str:
    """Return the lines as one, words that were broken at a line end put together again."""
    pieces = [lines[0]]
    for line in lines[1:]:
        before = pieces[-1]
        if before.endswith("\u00ad"):
            pieces[-1] = before.rstrip("\u00ad")
            pieces.append(line)
            repairs["hyphenated line ends"] += 1
        elif _is_broken_word(before, line, words):
            pieces[-1] = before[:-1]
            pieces.append(line)
            repairs["hyphenated line ends"] += 1
        else:
            pieces.append(line if before.endswith(("-", "‐")) else " " + line)
    return "".join(pieces)


def _is_broken_word(before: str, after: str, words: set[str]) -> bool:
    """Tell a word broken by its line from one with a hyphen of its own ("well-" + "known")."""
    if not before.endswith(("-", "‐")):
        return False
    head, tail = _WORD.findall(before[-60:-1]), _WORD.match(after[:60])
    if not head or not tail or not before[:-1].endswith(head[-1]):
        return False
    if (head[-1] + tail[0]).lower() in words:
        return True
    if f"{head[-1]}-{tail[0]}".lower() in words:
        return False
    both_are_words = head[-1].lower() in words and tail[0].lower() in words
    return tail[0].islower() and not both_are_words and len(head[-1]) > 1
