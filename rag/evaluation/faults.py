"""What is wrong with a data set, and where: gathered while it is read, told at once before anything slow starts.

Knows files, lines and JSON; what a line should hold is told by whoever reads it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import UsageError

TOLD = 10
"""Faults that are told with their place; the others are counted."""
Fields = Mapping[str, Any]
"""A JSON object as it was read: nothing in it is checked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    kind: str
    """What the faults of one sort are counted under: "answer outside its context"."""
    where: str
    """Line, or article, paragraph and question, all from 1."""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.kind}" + (f" ({self.detail})" if self.detail else "")


class DataFaults(UsageError):
    """A data set that is malformed: how often each kind of fault occurs, and where the first ones are."""

    def __init__(self, name: str, faults: Iterable[Fault], counts: Mapping[str, int]) -> None:
        self.faults, self.counts = tuple(faults)[:TOLD], dict(counts)
        total = sum(self.counts.values())
        kinds = ", ".join(f"{count:,} × {kind}" for kind, count in self.counts.items())
        told = "".join(f"\n  {fault}" for fault in self.faults)
        more = f"\n  and {total - len(self.faults):,} more" if total > len(self.faults) else ""
        super().__init__(
            f"{name} has {total:,} fault{'s' * (total > 1)}: {kinds}.{told}{more}",
            "Nothing was started. Mend the data and try again.",
        )


class Faults:
    """Gathers what is wrong with one data set."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.first: list[Fault] = []
        self._ids: dict[str, str] = {}

    def add(self, kind: str, where: str, detail: str = "") -> None:
        """Note a fault."""
        self.counts[kind] += 1
        if len(self.first) < TOLD:
            self.first.append(Fault(kind, where, shortened(detail)))

    def note_id(self, key: str, where: str, kind: str = "id used twice") -> bool:
        """Return whether `key` is used for the first time; a second time is a fault."""
        before = self._ids.setdefault(f"{kind}\0{key}", where)
        if before != where:
            self.add(kind, where, f"{key}, as in {before}")
        return before == where

    def check(self) -> None:
        """Raise DataFaults when there were any."""
        if self.counts:
            raise DataFaults(self.name, self.first, dict(self.counts.most_common()))


class Source:
    """The lines of a file, gunzipped where it is gzipped, with the hash of what was read."""

    def __init__(self, file: Path, faults: Faults, name: str = "") -> None:
        """`name` is how faults name the file: nothing, where the data set is one file."""
        self.file, self._faults, self._prefix = file, faults, f"{name}, " if name else ""
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Hash of the lines read so far, in hexadecimal: gzipped or not, the same content has the same."""
        return self._hash.hexdigest()

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield each line that is not blank, and where it stands. What cannot be read or decoded is a fault."""
        for number, line in self._bytes():
            where = f"{self._prefix}line {number}"
            text = self._decoded(line, where, "utf-8-sig" if number == 1 else "utf-8").strip("\r\n")
            if text.strip():
                yield where, text

    def whole(self) -> str:
        """Return the whole text as it is; "" with a fault where it cannot be read or decoded."""
        lines = [self._decoded(line, f"{self._prefix}line {number}") for number, line in self._bytes()]
        return "".join(lines).removeprefix("\ufeff")

    def _bytes(self) -> Iterator[tuple[int, bytes]]:
        number = 0
        try:
            with self.file.open("rb") as raw:
                gzipped = raw.peek(2)[:2] == b"\x1f\x8b"
                for number, line in enumerate(gzip.GzipFile(fileobj=raw) if gzipped else raw, 1):
                    self._hash.update(line)
                    yield number, line
        except (OSError, EOFError, zlib.error) as error:
            self._faults.add("cannot be read", f"{self._prefix}after line {number}", str(error))

    def _decoded(self, line: bytes, where: str, encoding: str = "utf-8") -> str:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError as error:
            self._faults.add("not UTF-8", where, f"byte {error.start + 1}")
            return ""


def objects(lines: Iterable[tuple[str, str]], faults: Faults) -> Iterator[tuple[str, Fields]]:
    """Yield the JSON object in each line of a source, and where it stands. Whatever else a line holds is a fault."""
    for where, line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults.add("not JSON", where, str(error))
            continue
        if isinstance(value, dict):
            yield where, value
        else:
            faults.add("not a JSON object", where, line)


def key_of(row: Fields, name: str, where: str, faults: Faults) -> str:
    """Return the id under `name`, a text or a whole number; "" with a fault when there is none."""
    key = row.get(name)
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    if isinstance(key, str) and key.strip():
        return key if is_unicode(key, name, where, faults) else ""
    faults.add(f"no {name}", where)
    return ""


def text_of(row: Fields, name: str, where: str, faults: Faults, *, needed: bool = True) -> str:
    """Return the text under `name`; "" with a fault when it is no text, or is blank or missing though `needed`."""
    text = row.get(name)
    if isinstance(text, str) and (text.strip() or not needed):
        return text if is_unicode(text, name, where, faults) else ""
    if text is not None and not isinstance(text, str):
        faults.add(f"{name} is no text", where, repr(text))
    elif needed:
        faults.add(f"no {name}", where)
    return ""


def is_unicode(text: str, name: str, where: str, faults: Faults) -> bool:
    """Return whether a text is made of characters: half of a surrogate pair, which JSON can spell, is a fault."""
    try:
        text.encode()
    except UnicodeEncodeError:
        faults.add("half of a surrogate pair", where, name)
        return False
    return True


def shortened(text: str, length: int = 80) -> str:
    """Return text on one line, cut to `length` characters."""
    flat = " ".join(text.encode(errors="replace").decode().split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"
