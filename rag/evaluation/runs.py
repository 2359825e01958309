"""A run of an evaluation is a folder, and this is all that is known of its files.

    manifest.json                      what it was made with: the same manifest gives the same scores
    answers.jsonl                      a row a question, enough to score it again without asking; of a search it is
                                       rankings.jsonl, of a language model texts.jsonl
    batches.jsonl                      a receipt for each batch of rows, written once they are on the disk
    queries.jsonl                      of a search: what each arm scored for each query, a line a query
    speed.json                         latency, questions a second, peak memory: of this run on its machine
    scores.json                        {"scores": {...}, "n": ..., "run": folder}, last of all
    report.html                        for a person

A run that was killed goes on from its last receipt. The same manifest in a folder of the same name gives the same bytes
of scores.json; what does not repeat is in other files.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexer import storage
from indexer.errors import Busy, NotFound, UsageError, UserError
from rag.evaluation.intervals import Score
from rag.evaluation.rows import AnyRow, Kept, RetrievalRow, Row, from_lines, to_line

FORMAT = 1
"""Version of the files of a run."""
MANIFEST, RECEIPTS, SCORES, REPORT = "manifest.json", "batches.jsonl", "scores.json", "report.html"
SPEED, QUERIES = "speed.json", "queries.jsonl"
_ROWS = {"qa": "answers.jsonl", "retrieval": "rankings.jsonl", "perplexity": "texts.jsonl"}
"""Where the rows are, by command."""

Scores = Mapping[str, Score | Mapping[str, Score]]
"""By name; of a search by arm and name."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A batch of rows that is on the disk."""

    rows: int
    size: int
    """In bytes."""
    together: int = 0
    """Questions of it that were answered together, in `seconds`; the others were asked alone."""
    seconds: float = 0.0
    peak_mb: float = 0.0
    """Most memory that the process had held until then, in megabytes."""


class RunFolder:
    """The folder of one run. Reading it is safe while another process writes."""

    def __init__(self, path: Path, manifest: Mapping[str, Any]) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def create(cls, path: Path, manifest: Mapping[str, Any]) -> RunFolder:
        """Make the folder, or open the one there is, when it was made with this very manifest.

        `manifest["command"]` names the evaluation, which decides what its rows are. Raises UsageError for a folder
        that holds something else.
        """
        plain: dict[str, Any] = json.loads(json.dumps({"format": FORMAT, **manifest}))  # as it is read back
        if (path / MANIFEST).is_file():
            there = cls.open(path)
            if different := _differences(there.manifest, plain):
                raise UsageError(
                    f"The run in {path} was made otherwise: {'; '.join(different[:4])}.",
                    "Name another folder with --out, or delete this one.",
                )
            return there
        if path.exists() and (not path.is_dir() or any(each.name[0] != "." for each in path.iterdir())):
            raise UsageError(f"{path} is there, and is no run of an evaluation.", "Name a new folder with --out.")
        storage.make_folder(path)
        storage.write_file(path / MANIFEST, _json(plain))
        return cls(path, plain)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open a run. Raises NotFound where there is none, UserError where its manifest does not read."""
        try:
            manifest = json.loads((path / MANIFEST).read_bytes())
        except FileNotFoundError as error:
            raise NotFound(f"{path} is no run of an evaluation.", "Make one with: footnote eval qa DATA") from error
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(f"{path / MANIFEST} does not read: {error}", "Make the run again.") from error
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise UserError(f"{path} was made by another version of this program.", "Make the run again.")
        return cls(path, manifest)

    # Rows

    @property
    def command(self) -> str:
        """Which evaluation it is: "qa", "retrieval", "perplexity"."""
        return str(self.manifest.get("command"))

    @property
    def rows_file(self) -> Path:
        """Where the rows are."""
        return self.path / _ROWS.get(self.command, "rows.jsonl")

    def rows(self) -> list[Row]:
        """Return the rows of answers, in order. Raises UsageError for a run of something else."""
        return self.rows_of("qa", Row.from_json)

    def rankings(self) -> list[RetrievalRow]:
        """Return the rows of a search, in order. Raises UsageError for a run of something else."""
        return self.rows_of("retrieval", RetrievalRow.from_json)

    def rows_of(self, command: str, read: Callable[[Mapping[str, Any]], AnyRow]) -> list[AnyRow]:
        """Return the rows of a run of `command`, in order, as `read` makes them of JSON."""
        if self.command != command:
            raise UsageError(f"{self.path} is a run of eval {self.command}.", f"Give one of eval {command}.")
        return list(from_lines(self._lines(), read, str(self.rows_file)))

    def done_ids(self) -> set[str]:
        """Return the ids of the rows there are."""
        return {row.id for row in (self.rankings() if self.command == "retrieval" else self.rows())}

    def receipts(self) -> list[Receipt]:
        """Return the receipts of the batches that are whole, in order."""
        found: list[Receipt] = []
        left = self.rows_file.stat().st_size if self.rows_file.is_file() else 0
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError):  # a torn last line ends them
            for line in (self.path / RECEIPTS).read_bytes().splitlines():
                receipt = Receipt(**json.loads(line))
                if receipt.size > left:
                    break
                left -= receipt.size
                found.append(receipt)
        return found

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one that appends to this run while the block runs. Raises Busy when another process is.

        What a killed process left without a receipt is cut off first.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(storage.exclusive_lock(self.path / ".lock", "eval"))
            except Busy as error:
                raise Busy(
                    f"Another process is writing the run {self.path}.",
                    "Wait for it, or name another folder with --out.",
                ) from error
            kept = self.receipts()
            storage.write_file(self.path / RECEIPTS, b"".join(map(_receipt_line, kept)))
            with storage.told(self.rows_file), self.rows_file.open("ab") as file:
                file.truncate(sum(receipt.size for receipt in kept))
            yield

    def append(
        self,
        rows: Sequence[Kept],
        *,
        together: int = 0,
        seconds: float = 0.0,
        peak_mb: float = 0.0,
    ) -> None:
        """Add a batch of rows: all of them are there from now on, or none. Call it within `writing`."""
        lines = b"".join(map(to_line, rows))
        _append(self.rows_file, lines)
        receipt = Receipt(len(rows), len(lines), together, round(seconds, 4), round(peak_mb, 1))
        _append(self.path / RECEIPTS, _receipt_line(receipt))

    # Scores

    def finish(self, scores: Scores, n: int | None = None, speed: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Write speed.json and scores.json, and return the latter; `n` is by default the number of rows."""
        rows = sum(receipt.rows for receipt in self.receipts())
        found = {"scores": _plain(scores), "n": rows if n is None else n, "run": str(self.path)}
        storage.write_file(self.path / SPEED, _json(speed or {}))
        storage.write_file(self.path / SCORES, _json(found))
        return found

    @property
    def scores(self) -> dict[str, Any]:
        """What scores.json holds. Raises NotFound for a run that has not finished."""
        return self._finished(SCORES)

    @property
    def speed(self) -> dict[str, Any]:
        """What speed.json holds. Raises NotFound for a run that has not finished."""
        return self._finished(SPEED)

    def _finished(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.path / name).read_bytes())
        except FileNotFoundError as error:
            raise NotFound(
                f"The run in {self.path} has not finished.", "The command that began it goes on where it stopped."
            ) from error
        except ValueError as error:
            raise UserError(f"{self.path / name} does not read: {error}", "Make the run again.") from error
        return found

    # Inside

    def _lines(self) -> Iterator[bytes]:
        left = sum(receipt.size for receipt in self.receipts())
        if not left:
            return
        with self.rows_file.open("rb") as file:
            for line in file:
                left -= len(line)
                if left < 0:
                    return
                yield line


def peak_memory_mb() -> float:
    """Return the most memory that this process has held so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)  # bytes there, KiB elsewhere


def _append(path: Path, data: bytes) -> None:
    with storage.told(path):
        storage.touch("append")
        with path.open("ab") as file:
            file.write(data)
            file.flush()
            storage.touch("fsync")
            os.fsync(file.fileno())


def _receipt_line(receipt: Receipt) -> bytes:
    return json.dumps(asdict(receipt)).encode() + b"\n"


def _plain(scores: Scores) -> dict[str, Any]:
    return {name: each.to_json() if isinstance(each, Score) else _plain(each) for name, each in scores.items()}


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n").encode(errors="backslashreplace")


def _differences(one: Mapping[str, Any], other: Mapping[str, Any], above: str = "") -> list[str]:
    """Return what two manifests say otherwise, as "options.limit was 100, is 200 now"."""
    found: list[str] = []
    for key in dict.fromkeys((*one, *other)):
        was, now = one.get(key), other.get(key)
        if isinstance(was, dict) and isinstance(now, dict):
            found += _differences(was, now, f"{above}{key}.")
        elif was != now:
            found.append(f"{above}{key} was {_short(was)}, is {_short(now)} now")
    return found


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."
