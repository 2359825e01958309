"""The values that answering is made of: passages, citations, answers. Frozen and plain, with their JSON forms."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal, TypeAlias, get_args

from indexer.types import Section


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a passage's score came from: its rank (from 1) and score in each arm; None where it was not found."""

    words_rank: int | None = None
    words_score: float | None = None
    """BM25; larger is better, and comparable only within one question."""
    dense_rank: int | None = None
    dense_score: float | None = None
    """Cosine with the question."""
    matched: tuple[str, ...] = ()
    """The passage's words that matched the question's."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that was retrieved: what generators read and citations point into."""

    source: str
    sha256: str
    title: str
    context: str
    """Title and headings above it, joined by " > "."""
    page: int | None
    line: int | None
    start: int
    end: int
    """Half-open, in characters of the stored text."""
    text: str
    score: float
    """How well it fits the question, 0 to 1, the same in every collection of one encoder; see `rag.scoring`."""
    chunk_id: int
    document_id: int
    origin: Origin = Origin()
    also_in: tuple[str, ...] = ()
    """Sources of near-duplicate passages that were collapsed into this one."""
    sections: tuple[Section, ...] = ()
    """The parts of the document that the text consists of, where the passage was read from the document."""
    page_names: Mapping[int, str] = field(default_factory=dict)
    """What the sheets or slides that it stands on are called; of pages nothing."""

    @property
    def name(self) -> str:
        """A short name to show: the title, or the file's name."""
        return self.title or PurePath(self.source).name

    @property
    def page_name(self) -> str:
        """The name of the sheet or slide that it begins on; "" where there are none, and of pages."""
        return self.page_names.get(self.page, "") if self.page is not None else ""

    def place(self, offset: int) -> tuple[int | None, int | None]:
        """Return page and line (from 1) of the character at `offset` of the text, None where there is no such thing."""
        position = self.start + offset
        within = [section for section in self.sections if section.start <= position]
        if not within:
            return self.page, self.line
        section = within[-1]
        if section.line is None:
            return section.page, None
        return section.page, section.line + self.text.count("\n", section.start - self.start, offset)

    def to_json(self) -> dict[str, object]:
        """Return the form that `ask --json` prints."""
        return {
            "source": self.source,
            "page": self.page,
            "page_name": self.page_name,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "score": self.score,
        }


def given_passage(text: str, title: str = "", source: str = "") -> Passage:
    """Return a text that comes from no collection as retrieval would hand it over: whole, and under its title."""
    return Passage(
        source=source,
        sha256=hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest(),
        title=title,
        context=title,
        page=None,
        line=None,
        start=0,
        end=len(text),
        text=text,
        score=1.0,
        chunk_id=1,
        document_id=1,
        sections=(Section(0, len(text)),),
    )


@dataclass(frozen=True, slots=True)
class Citation:
    """A footnote: `quote` is the document's text from `start` to `end`, byte for byte."""

    number: int
    source: str
    sha256: str
    """Of the source's bytes when it was indexed."""
    page: int | None
    start: int
    end: int
    quote: str
    line: int | None = None
    title: str = ""
    page_name: str = ""
    """Of a sheet or slide; "" where there are none, and of pages."""
    marks: tuple[tuple[int, int], ...] = ()
    """Where the answer's words stand inside `quote`: half-open, in characters of the quote."""
    claims: tuple[tuple[int, int], ...] = ()
    """The parts of the answer's text that it bears out: half-open, in characters of the text, in order."""

    def to_json(self) -> dict[str, object]:
        """Return the form that `ask --json` prints and `verify` reads."""
        return {
            "number": self.number,
            "source": self.source,
            "sha256": self.sha256,
            "page": self.page,
            "page_name": self.page_name,
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
            "marks": [list(span) for span in self.marks],
            "claims": [list(span) for span in self.claims],
        }


@dataclass(frozen=True, slots=True)
class CopiedText:
    """A part of an answer that was copied: `text[start:end]` is the quote's span, spaces and line ends as one space."""

    start: int
    end: int
    citation: int
    """The number of the citation that quotes it."""
    quote_start: int
    quote_end: int

    def to_json(self) -> dict[str, int]:
        """Return the form that `ask --json` prints and `verify` reads."""
        return {
            "start": self.start,
            "end": self.end,
            "citation": self.citation,
            "quote_start": self.quote_start,
            "quote_end": self.quote_end,
        }


Form = Literal["fact", "yes-no", "list", "explanation", "steps", "count", "overview", "comparison", "field", "conflict"]
"""What an answer looks like: one fact in its sentence, yes or no with its evidence, all items of a list, sentences that
explain (a definition, a reason), steps or code, a count over documents, what a document is about, a quote from each of
several passages, a field such as author or date, or the newest of several values beside the others."""
FORMS: tuple[Form, ...] = get_args(Form)
Outcome = Literal["answer", "unsure", "none"]
"""An answer; the closest evidence, of which nobody can be sure; nothing that bears on the question."""


SHOWN = 80
"""Characters of an answer's text that its `repr` shows."""
MAX_HISTORY = 20
"""Earlier questions that a conversation sends along, at most."""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What was answered, from where, and how sure. With the outcome "none" there is no text and no citation."""

    question: str
    text: str
    outcome: Outcome
    confidence: float
    """Estimated chance that what is shown answers the question, from 0 to 1."""
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    generator: str
    collection: str
    generation: int
    unsupported: tuple[tuple[int, int], ...] = ()
    """Parts of `text` that no passage bears out."""
    copied: tuple[CopiedText, ...] = ()
    """Where the copied parts of `text` stand in the quotes, in order. With `written` they are all of it but spaces."""
    written: tuple[tuple[int, int], ...] = ()
    """Parts of `text` that are the generator's own words, in order: joining words, where it copies."""
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    meant: str = ""
    """Where it is not answered: the question with its unknown words as the collection spells them, if that differs."""
    form: Form = "fact"
    read_as: str = ""
    """The question as it was read together with earlier ones; "" where it stands alone."""
    documents: int = 0
    """How many documents were looked at, where all of them were: for a count, say. 0 elsewhere."""
    notes: tuple[str, ...] = ()
    """What a person should know about how this was answered."""

    def __repr__(self) -> str:
        """Return one line that tells what it is: the fields hold whole passages."""
        text = repr(self.text if len(self.text) <= SHOWN else f"{self.text[:SHOWN]} …")
        footnotes = f"{len(self.citations)} citation{'s' * (len(self.citations) != 1)}"
        return f"<Answer {text}: {self.outcome}, confidence {self.confidence:.2f}, {footnotes}>"

    def __str__(self) -> str:
        """Return the answer as plain text with its footnotes below, or what there is instead of one."""
        from rag.answer_text import answer_plain

        return answer_plain(self)

    def to_markdown(self) -> str:
        """Return the answer as Markdown with its footnotes below, or what there is instead of one.

        The footnotes are those of Markdown ([^1]), and nothing in a document can become markup in it.
        """
        from rag.answer_text import answer_markdown

        return answer_markdown(self)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        from rag.answer_html import answer_html

        return answer_html(self)

    @property
    def answered(self) -> bool:
        """Say whether this is an answer."""
        return self.outcome == "answer"

    @property
    def refusal(self) -> str:
        """What is said in place of an answer where the outcome is none, in a sentence; "" for any other outcome.

        Where filters kept no document it says so, and `notes` go on with the values that there are.
        """
        if self.outcome != "none":
            return ""
        return self.notes[0] if len(self.notes) > 1 and not self.passages else NOTHING

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes that `refusal` does not say already."""
        return self.notes[1:] if self.notes and self.refusal == self.notes[0] else self.notes

    @property
    def code(self) -> tuple[tuple[int, int], ...]:
        """The parts of `text` that were copied from code with their line ends, to be shown as code."""
        quoted = {citation.number: citation for citation in self.citations}
        spans: set[tuple[int, int]] = set()
        for part in self.copied:
            citation = quoted[part.citation]
            if part.end - part.start != part.quote_end - part.quote_start:
                continue  # its line ends are gone
            first, last = citation.start + part.quote_start, citation.start + part.quote_end
            for passage in self.passages:
                for section in passage.sections if passage.source == citation.source else ():
                    start, end = max(first, section.start), min(last, section.end)
                    if section.kind == "code" and start < end:
                        spans.add((part.start + start - first, part.start + end - first))
        return tuple(sorted(spans))

    def to_json(self) -> dict[str, object]:
        """Return the form that `ask --json` prints."""
        return {
            "question": self.question,
            "answer": self.text,
            "answered": self.answered,
            "outcome": self.outcome,
            "form": self.form,
            "confidence": round(self.confidence, 4),
            "citations": [citation.to_json() for citation in self.citations],
            "unsupported": [list(span) for span in self.unsupported],
            "copied": [each.to_json() for each in self.copied],
            "written": [list(span) for span in self.written],
            "passages": [passage.to_json() for passage in self.passages],
            "timings_ms": {stage: round(ms, 2) for stage, ms in self.timings_ms.items()},
            "generator": self.generator,
            "collection": self.collection,
            "generation": self.generation,
            "meant": self.meant,
            "read_as": self.read_as,
            "documents": self.documents,
            "notes": list(self.notes),
            "code": [list(span) for span in self.code],
        }


# An answer that is listened to while it comes about


NOTHING = "Nothing in these documents bears on this."
"""What is said where nothing that was read bears on the question."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is read for the answer, best first: the first event."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """The next piece of the text as it is being written: a draft of which nothing is checked, and all may be withdrawn.

    It is as the model writes it: a citation `[2]` means the second of the passages found, and there need not be one.
    """

    text: str


Event: TypeAlias = Found | Writing | Answer
Events: TypeAlias = Generator[Event, None, None]
"""One `Found`, any number of `Writing`s, one `Answer`; `close()` ends the writing."""
