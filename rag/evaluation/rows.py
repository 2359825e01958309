"""What an evaluation keeps of each question: enough to score it again, to compare it and to show it, without asking.

One row is one line of a run's `answers.jsonl` or `rankings.jsonl`. Knows neither engines nor scores.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeVar

from indexer.errors import UserError
from rag.types import Outcome

NOTHING_SAID = -1.0
"""The confidence of a row where there was nothing to say."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A span of a passage that was read: `passages[passage].text[start:end] == text`, half-open, in characters."""

    passage: int
    start: int
    end: int
    text: str

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Cited:
        """Return the span that `dataclasses.asdict` wrote."""
        return cls(int(value["passage"]), int(value["start"]), int(value["end"]), str(value["text"]))


@dataclass(frozen=True, slots=True)
class Read:
    """A passage as it was read for the answer."""

    source: str
    title: str
    start: int
    """Where the text begins in the source's stored text, in characters."""
    text: str
    score: float
    rank: int
    """From 1."""
    also_in: tuple[str, ...] = ()
    """Sources of near-duplicates that this passage stands for."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Read:
        """Return the passage that `dataclasses.asdict` wrote."""
        return cls(
            source=str(value["source"]),
            title=str(value["title"]),
            start=int(value["start"]),
            text=str(value["text"]),
            score=float(value["score"]),
            rank=int(value["rank"]),
            also_in=tuple(map(str, value.get("also_in", ()))),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one question."""

    id: str
    question: str
    answers: tuple[str, ...]
    """The gold answers; empty where the question has none, and refusing is right."""
    kind: str
    said: str
    """The best answer, whatever the confidence; "" where there was nothing to say."""
    answered: bool
    """Whether it is given at the run's threshold."""
    confidence: float
    """From 0 to 1; `NOTHING_SAID` where nothing was said."""
    spans: tuple[Cited, ...] = ()
    """What the best answer copied, or rests on, in the order of its parts."""
    unsupported: tuple[tuple[int, int], ...] = ()
    """Parts of `said` that no passage bears out: half-open, in characters."""
    passages: tuple[Read, ...] = ()
    """What was read, best first."""
    gold_sources: tuple[str, ...] = ()
    gold_quotes: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    """By stage, of a question that was asked alone; empty where several were read together."""
    footnotes: tuple[Cited, ...] = ()
    """The sentences that the best answer's footnotes quote, each once."""
    bears: bool = False
    """Whether the best answer is shown as the closest evidence where it is not given."""
    form: str = "fact"
    """The form of the best answer; see `rag.types.Form`."""
    joining: tuple[tuple[int, int], ...] = ()
    """Parts of `said` that only join what was copied: half-open, in characters."""

    @property
    def given(self) -> str:
        """The answer as it is given: "" where it is refused."""
        return self.said if self.answered else ""

    @property
    def outcome(self) -> Outcome:
        """What a person is shown at the run's threshold."""
        if self.answered:
            return "answer"
        return "unsure" if self.bears and self.said else "none"

    @property
    def answerable(self) -> bool:
        """Whether the question has an answer."""
        return bool(self.answers)

    def to_json(self) -> dict[str, Any]:
        """Return the line of `answers.jsonl`; `from_json` reads it back to an equal row."""
        return {**asdict(self), "outcome": self.outcome}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Row:
        """Return the row that `to_json` wrote. Raises KeyError, TypeError or ValueError where it is none."""
        return cls(
            id=str(value["id"]),
            question=str(value["question"]),
            answers=tuple(map(str, value["answers"])),
            kind=str(value["kind"]),
            said=str(value["said"]),
            answered=bool(value["answered"]),
            confidence=float(value["confidence"]),
            spans=tuple(map(Cited.from_json, value["spans"])),
            unsupported=tuple((int(start), int(end)) for start, end in value["unsupported"]),
            passages=tuple(map(Read.from_json, value["passages"])),
            gold_sources=tuple(map(str, value["gold_sources"])),
            gold_quotes=tuple(map(str, value["gold_quotes"])),
            timings_ms={str(stage): float(ms) for stage, ms in value["timings_ms"].items()},
            footnotes=tuple(map(Cited.from_json, value["footnotes"])),
            bears=bool(value.get("bears", False)),
            form=str(value.get("form", "fact")),
            joining=tuple((int(start), int(end)) for start, end in value.get("joining", ())),
        )


@dataclass(frozen=True, slots=True)
class RetrievalRow:
    """What one arm of the search found for one query."""

    query_id: str
    arm: str
    """ "words", "dense", "hybrid", "feedback" or "reranked"."""
    ranking: tuple[tuple[str, float], ...]
    """The 100 best documents with their scores, best first, each document once."""
    relevant: Mapping[str, int]
    """What the judgements say of this query: a grade by document."""
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    question: str = ""
    """The query's text."""

    @property
    def id(self) -> str:
        """What tells this row from the others of a run."""
        return f"{self.query_id} {self.arm}"

    def to_json(self) -> dict[str, Any]:
        """Return the line of `rankings.jsonl`; `from_json` reads it back to an equal row."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RetrievalRow:
        """Return the row that `to_json` wrote. Raises KeyError, TypeError or ValueError where it is none."""
        return cls(
            query_id=str(value["query_id"]),
            arm=str(value["arm"]),
            ranking=tuple((str(document), float(score)) for document, score in value["ranking"]),
            relevant={str(document): int(grade) for document, grade in value["relevant"].items()},
            timings_ms={str(stage): float(ms) for stage, ms in value.get("timings_ms", {}).items()},
            question=str(value.get("question", "")),
        )


class Kept(Protocol):
    """What a run keeps of each question, query or text."""

    @property
    def id(self) -> str:
        """What tells it from the others of the run."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return what its line holds."""
        ...


AnyRow = TypeVar("AnyRow", bound=Kept)


def to_line(row: Kept) -> bytes:
    """Return a row as one line of UTF-8 JSON with its line end; lone surrogates become JSON's own escapes."""
    text = json.dumps(row.to_json(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return (text + "\n").encode(errors="backslashreplace")


def from_lines(lines: Iterator[bytes], read: Callable[[Mapping[str, Any]], AnyRow], name: str) -> Iterator[AnyRow]:
    """Yield the rows of a file's lines, with `Row.from_json`, say, as `read`.

    `name` is what the file is called in an error. Raises UserError with the number of a line that is no row.
    """
    for number, line in enumerate(lines, 1):
        try:
            yield read(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise UserError(
                f"Line {number} of {name} is not a row of an evaluation: {type(error).__name__} {error}",
                "The file was changed or cut off. Make the run again in a new folder.",
            ) from error
