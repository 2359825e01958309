"""Takes out what is said of many documents and not in them: licence frames, navigation, lines that many have."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from finetune.data.records import Note, Record, Step

_START = re.compile(r"^\W*\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG EBOOK[^\n]*$", re.MULTILINE)
_END = re.compile(r"^\W*(?:\*\*\* ?)?END OF (?:THE|THIS) PROJECT GUTENBERG EBOOK[^\n]*$", re.MULTILINE)
_NAVIGATION = re.compile(
    r"^(?:skip to (?:main )?(?:content|navigation)|back to top|accept (?:all )?cookies|advertisement|loading\.{3}"
    r"|(?:we|this (?:web)?site) uses? cookies.{0,200}|(?:share|tweet|follow us) (?:this|on) .{0,40}"
    r"|click here to .{0,60}|subscribe to our newsletter.{0,60}|please enable javascript.{0,80}"
    r"|(?:(?:copyright|©|\(c\)) .{0,80})?all rights reserved\.?)$",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")
LEAST_DOCUMENTS = 5
"""Documents that a line must stand in to be boilerplate, however few there are."""
LEAST_WORDS = 4
"""Words below which a line may well be said of many things: a heading, a label."""


def unframed(text: str, note: Note) -> str:
    """Return what stands between the licence marks of Project Gutenberg; a text without them as it is."""
    start, end = _START.search(text), max(_END.finditer(text), key=lambda match: match.start(), default=None)
    first = start.end() if start else 0
    last = end.start() if end and end.start() > first else len(text)
    if start:
        note("licence frames", start[0].strip(), "")
    if last < len(text) and end:
        note("licence frames", end[0].strip(), "")
    return text[first:last].strip("\n") if start or last < len(text) else text


def without_navigation(text: str, note: Note) -> str:
    """Return the text without lines that only guide through a web page."""
    kept = []
    for line in text.split("\n"):
        if _NAVIGATION.match(line.strip()):
            note("navigation", line.strip(), "")
        else:
            kept.append(line)
    return "\n".join(kept)


class RepeatedLines:
    """Counts in how many documents each line stands: about 100 bytes for each distinct one."""

    def __init__(self) -> None:
        self._documents: Counter[bytes] = Counter()
        self._total = 0

    def count(self, record: Record) -> None:
        """Take in the lines of one document."""
        self._total += 1
        self._documents.update({key for part in record.parts if not part.code for key in _keys(part.text)})

    def removing(self, share: float) -> Step:
        """Return the step that takes out lines that more than `share` of the documents have, and at least five."""
        least = max(LEAST_DOCUMENTS, share * self._total)
        repeated = {key for key, count in self._documents.items() if count >= least}

        def step(text: str, note: Note) -> str:
            if not repeated or not repeated.intersection(_keys(text)):
                return text
            kept = []
            for line in text.split("\n"):
                if _key(line) in repeated:
                    note("repeated lines", line.strip(), "")
                else:
                    kept.append(line)
            return "\n".join(kept)

        return step


def _keys(text: str) -> Iterator[bytes]:
    return (key for line in text.split("\n") if (key := _key(line)))


def _key(line: str) -> bytes:
    """Return a hash of a line, whatever its numbers and capitals; b"" for a heading and for a few words."""
    words = line.split()
    if len(words) < LEAST_WORDS or line.startswith(("#", "|", ">>>")):
        return b""
    plain = _DIGITS.sub("0", " ".join(words)).casefold()
    return hashlib.blake2b(plain.encode(errors="surrogatepass"), digest_size=8).digest()
