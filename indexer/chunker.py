"""Cuts a document into passages that an encoder reads whole, along the document's own structure.

Knows text, sections and how an encoder counts tokens; knows nothing of vectors, files or databases.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from indexer.graphemes import inside_graphemes
from indexer.outline import Context, Piece, pieces_of
from indexer.pages import PAGED
from indexer.types import Chunk, Document

_FIRST_CELL = re.compile(r"[^;\n“]{1,100}(?=;\s)")
"""What a row begins with: "ID: R-1"."""
_CHARACTERS_PER_TOKEN = 16  # a run without spaces may be one unknown token: bound what is stored and shown of it


class TokenCounter(Protocol):
    """What the chunker asks of an encoder."""

    @property
    def max_tokens(self) -> int:
        """Tokens of a passage that are read."""
        ...

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters [start, end) of each token."""
        ...


@dataclass(frozen=True, slots=True)
class ChunkOptions:
    """How a document is cut. All sizes are in the encoder's own tokens."""

    max_tokens: int | None = None
    """Most tokens of a chunk together with its context; None is what the encoder reads, and never more than that."""
    overlap_tokens: int = 32
    """Most tokens of whole sentences repeated from the chunk before, inside prose only."""
    context_tokens: int = 32
    """Most tokens of title and headings before the text. The header row of a divided table may take as many again."""
    min_tokens: int = 64
    """A chunk smaller than this goes on over a heading of its own level or a higher one."""


def passage_text(chunk: Chunk) -> str:
    """Return what the encoder reads of a chunk: context, a line break and the text; or the text alone."""
    return f"{chunk.context}\n{chunk.text}" if chunk.context else chunk.text


def chunk(document: Document, encoder: TokenCounter, options: ChunkOptions = ChunkOptions()) -> list[Chunk]:
    """Cut a document into passages, in order of their start; deterministic and in linear time.

    Each is at most what the encoder reads, together with its context; none begins or ends inside a grapheme, except
    inside one that is longer than the encoder reads; together they cover every character that is not space. A document
    that fits whole is one chunk, but none reaches over two sheets or slides. Cuts fall before headings, else between
    blocks, sentences, words, graphemes, in this order; a heading stays with what follows it.
    """
    return list(_Cutter(document, encoder, options).chunks())


class _Cutter:
    """The state of cutting one document."""

    def __init__(self, document: Document, encoder: TokenCounter, options: ChunkOptions) -> None:
        self.text = document.text
        self.encoder = encoder
        self.options = options
        self.limit = max(1, min(options.max_tokens or encoder.max_tokens, encoder.max_tokens))
        self.longest = self.limit * _CHARACTERS_PER_TOKEN
        self.token_starts = [start for start, _ in encoder.token_spans(self.text)]
        self.inside = inside_graphemes(self.text)
        self.context = Context(document, encoder.token_spans, min(options.context_tokens, self.limit // 3))
        # Room for the context is kept free, so that a piece seldom has to go without it.
        self.piece_limit = max(1, self.limit - self.context.room - self.limit // 64)
        whole = self._whole_blocks(self._joined(pieces_of(document)))
        self.pieces = [part for piece in whole for part in self._divided(piece)]
        self.borders = self._borders(document)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the chunks in order."""
        for first, stop in itertools.pairwise(self.borders):
            yield from self._chunks_of(first, stop)

    def _borders(self, document: Document) -> list[int]:
        """Return the numbers of the pieces before which a chunk must end: the first, the end, and each new page."""
        borders, page = [0], None
        for number, piece in enumerate(self.pieces if document.format in PAGED else ()):
            here = document.page_at(piece.start)
            if here != page and page is not None:
                borders.append(number)
            page = here
        return [*borders, len(self.pieces)] if self.pieces else []

    def _chunks_of(self, first: int, stop: int) -> Iterator[Chunk]:
        """Yield the chunks of the pieces [first, stop)."""
        pieces = self.pieces
        context = self.context.at(pieces[first])
        if self._fits(first, stop, context):
            yield self._chunk(pieces[first].start, pieces[stop - 1].end, context)
            return
        begin = first  # the chunk begins at piece `begin`, and brings something new from piece `first` on
        while first < stop:
            context = self.context.at(pieces[begin])
            end = self._end(begin, first, stop, context)
            if end <= first:  # the overlap leaves no room for anything new
                begin = first
                continue
            yield from self._verified(pieces[begin].start, pieces[end - 1].end, context)
            first, begin = end, self._overlap(begin, end, stop)

    def _end(self, begin: int, first: int, stop: int, context: str) -> int:
        """Return where the chunk of pieces [begin, end) should end: at the strongest cut, and then the latest."""
        pieces, used = self.pieces, self._tokens_of(context)
        top = pieces[begin].level
        start = pieces[begin].start
        best, best_strength = first, -1
        for end in range(first + 1, stop + 1):
            size = used + self._tokens(start, pieces[end - 1].end)
            if size > self.limit or pieces[end - 1].end - start > self.longest:
                break
            if end == stop:
                return end
            after = pieces[end]
            if pieces[end - 1].binds_next:
                strength = 0
            elif after.is_heading:
                if after.level <= top and size >= self.options.min_tokens:
                    return end
                strength = 3 if size >= self.options.min_tokens else 1
            elif after.opens_block:
                strength = 2 if size >= self.limit // 2 else 1
            else:
                strength = 1
            if strength >= best_strength:
                best, best_strength = end, strength
        if best_strength < 0 and begin == first:
            return first + 1
        return best

    def _overlap(self, begin: int, end: int, stop: int) -> int:
        """Return from which piece on the next chunk repeats what stands before `end`."""
        pieces, place = self.pieces, end
        if end == stop or pieces[end].opens_block or not pieces[end].is_prose:
            return end
        while place - 1 > begin and pieces[place - 1].is_prose and pieces[place - 1].whole:
            if self._tokens(pieces[place - 1].start, pieces[end - 1].end) > self.options.overlap_tokens:
                break
            place -= 1
            if pieces[place].opens_block:
                break
        return place

    def _fits(self, begin: int, end: int, context: str) -> bool:
        start, stop = self.pieces[begin].start, self.pieces[end - 1].end
        if stop - start > self.longest or self._tokens(start, stop) + self._tokens_of(context) > self.limit + 4:
            return False
        return self._tokens_of(passage_text(self._chunk(start, stop, context))) <= self.limit

    def _verified(self, start: int, end: int, context: str) -> Iterator[Chunk]:
        """Yield the span as one chunk; without context, or in halves, where a real count shows it to be too long.

        Tokens counted apart and tokens counted together can differ, where a cut falls inside a word.
        """
        for tried in dict.fromkeys((context, "")):
            made = self._chunk(start, end, tried)
            if self._tokens_of(passage_text(made)) <= self.limit:
                yield made
                return
        middle = self._cut(start, (start + end) // 2, end)
        if middle in (start, end):
            yield self._chunk(start, end, "")
            return
        for part_start, part_end in ((start, middle), (middle, end)):
            bare = self._bare(part_start, part_end)
            if bare:
                yield from self._verified(*bare, context)

    def _bare(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the span without the space around it, or None when there is nothing else."""
        piece = self.text[start:end]
        bare = piece.strip()
        if not bare:
            return None
        left = start + len(piece) - len(piece.lstrip())
        right = left + len(bare)
        return (start if left in self.inside else left), (end if right in self.inside else right)

    def _chunk(self, start: int, end: int, context: str) -> Chunk:
        return Chunk(start, end, self.text[start:end], context)

    def _joined(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """Join pieces whose border lies inside a grapheme."""
        before: Piece | None = None
        for piece in pieces:
            whole = piece.moved(*self._outside(before.end if before else 0, piece.start, piece.end))
            if before is not None and (whole.start < before.end or whole.start in self.inside):
                before = before.moved(before.start, max(before.end, whole.end))
                continue
            if before is not None:
                yield before
            before = whole
        if before is not None:
            yield before

    def _outside(self, floor: int, start: int, end: int) -> tuple[int, int]:
        """Return the span widened until no border lies inside a grapheme, its start not below `floor`.

        Without this, an accent on a space would lose its space.
        """
        while start > floor and start in self.inside:
            start -= 1
        while end < len(self.text) and end in self.inside:
            end += 1
        return start, end

    def _whole_blocks(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """Join the lines of each table, row or piece of code that one chunk can hold."""
        for _, group in itertools.groupby(pieces, key=lambda piece: None if piece.is_prose else piece.block):
            lines = list(group)
            start, end = lines[0].start, lines[-1].end
            if lines[0].is_prose or self._tokens(start, end) > self.piece_limit or end - start > self.longest:
                yield from lines
            else:
                yield lines[0].moved(start, end)

    def _divided(self, piece: Piece) -> Iterator[Piece]:
        """Divide a piece that is too long for one chunk: after spaces, else between graphemes.

        The parts of a row know its first cell, which mostly names it, as later rows of a table know their header.
        """
        start = piece.start
        if piece.kind == "row" and self._reach(start, piece) < piece.end:
            first = _FIRST_CELL.match(self.text, start, piece.end)
            piece = replace(piece, header=first.span()) if first else piece
        while start < piece.end:
            stop = self._reach(start, piece)
            if stop < piece.end:
                stop = self._cut(start, stop, piece.end)
            bare = self._bare(start, stop)
            if bare:
                yield piece.part(*bare)
            start = stop

    def _reach(self, start: int, piece: Piece) -> int:
        """Return the furthest position in `piece` that a chunk beginning at `start` can hold."""
        room = self.piece_limit - (self.context.most_tokens if piece.header else 0)
        place = bisect.bisect_left(self.token_starts, start) + max(1, room)
        reach = self.token_starts[place] if place < len(self.token_starts) else piece.end
        return max(start + 1, min(piece.end, reach, start + self.longest))

    def _cut(self, start: int, wanted: int, end: int) -> int:
        """Return the best place to cut (start, end) at or before `wanted`: after a space, else between graphemes."""
        for position in range(wanted, max(start, wanted - 1024), -1):
            if self.text[position - 1].isspace() and not self.text[position].isspace() and position not in self.inside:
                if self.text[start:position].strip():
                    return position
                break
        position = wanted
        while position > start and position in self.inside:
            position -= 1
        if position > start:
            return position
        position = wanted
        while position < end and position in self.inside and position - start < self.longest:
            position += 1
        return position

    def _tokens(self, start: int, end: int) -> int:
        """Return how many tokens of the document begin in [start, end)."""
        starts = self.token_starts
        return bisect.bisect_left(starts, end) - bisect.bisect_left(starts, start)

    def _tokens_of(self, text: str) -> int:
        return len(self.encoder.token_spans(text)) if text else 0
