"""Where the characters of a document's stored text stand on one page as it is shown, and the boxes around a quote."""

from __future__ import annotations

import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in parts of the page's width and height, from its upper left corner as it is shown."""
NOWHERE: Box = (-1.0, -1.0, -1.0, -1.0)
_MOST_MISSING = 0.05
"""Share of a quote's letters without a place above which the place of the quote is not certain."""
_SAME_LINE = 0.5
"""Part of the smaller of two heights by which characters of one line overlap, at least."""
_MAX_GAP = 0.35
"""Part of the page's width between two characters of one line, at most."""


@dataclass(frozen=True, slots=True)
class PagePlaces:
    """The boxes of a page's characters."""

    pages: int
    """Of the document."""
    width: float
    height: float
    """Of the page as it is shown, in points."""
    offsets: array.array[int] = field(default_factory=lambda: array.array("q"))
    """In the document's stored text, ascending: of its letters and digits, and of signs that have a place."""
    boxes: array.array[float] = field(default_factory=lambda: array.array("f"))
    """Four numbers for each of them; `NOWHERE` for a letter whose place is not certain."""

    def add(self, offset: int, box: Box) -> None:
        """Add a character behind those there are."""
        self.offsets.append(offset)
        self.boxes.extend(box)

    def lines(self, start: int, end: int) -> list[Box]:
        """Return a box around each line of the characters from `start` to `end`; none where that is not certain."""
        first, last = bisect_left(self.offsets, start), bisect_left(self.offsets, end)
        boxes = [self._box(at) for at in range(first, last)]
        placed = [box for box in boxes if box != NOWHERE]
        if not placed or len(boxes) - len(placed) > _MOST_MISSING * len(boxes):
            return []
        if _run_down(placed):
            return [_turned(line) for line in _lines([_turned(box) for box in placed])]
        return list(_lines(placed))

    def _box(self, at: int) -> Box:
        left, top, right, bottom = self.boxes[4 * at : 4 * at + 4]
        return left, top, right, bottom

    def to_frame(self) -> tuple[dict[str, Any], bytes]:
        """Return a header of plain values and a body of bytes that go through a pipe."""
        header = {"pages": self.pages, "width": self.width, "height": self.height, "characters": len(self.offsets)}
        return header, self.offsets.tobytes() + self.boxes.tobytes()


def places_from_frame(header: Mapping[str, Any], body: bytes) -> PagePlaces:
    """Return what `PagePlaces.to_frame` made a frame of."""
    found = PagePlaces(int(header["pages"]), float(header["width"]), float(header["height"]))
    split = int(header["characters"]) * found.offsets.itemsize
    found.offsets.frombytes(body[:split])
    found.boxes.frombytes(body[split:])
    return found


def _run_down(boxes: Sequence[Box]) -> bool:
    """Tell characters that follow each other from top to bottom, as those of a table that is printed sideways do."""
    down = sum(
        abs(_middle(one, 1) - _middle(other, 1)) > abs(_middle(one, 0) - _middle(other, 0))
        for one, other in pairwise(boxes)
    )
    return 2 * down > len(boxes) - 1


def _middle(box: Box, axis: int) -> float:
    return (box[axis] + box[axis + 2]) / 2


def _turned(box: Box) -> Box:
    left, top, right, bottom = box
    return top, left, bottom, right


def _lines(boxes: Sequence[Box]) -> Iterator[Box]:
    """Yield the box around each run of characters that stand on one line."""
    line: Box | None = None
    last = NOWHERE
    for box in boxes:
        if line is not None and _are_beside(line, last, box):
            line = min(line[0], box[0]), min(line[1], box[1]), max(line[2], box[2]), max(line[3], box[3])
        else:
            if line is not None:
                yield line
            line = box
        last = box
    if line is not None:
        yield line


def _are_beside(line: Box, last: Box, box: Box) -> bool:
    overlap = min(line[3], box[3]) - max(line[1], box[1])
    gap = max(box[0] - last[2], last[0] - box[2])
    return overlap > _SAME_LINE * min(line[3] - line[1], box[3] - box[1]) and gap <= _MAX_GAP
