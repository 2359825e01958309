"""Passages, answers and footnotes: searching, asking and verifying."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from indexer.types import BlockKind
from rag.service.schemas.base import (
    AskedForm,
    CollectionName,
    DocumentId,
    Filters,
    History,
    MaxError,
    Request,
    Response,
    Share,
    Span,
    Whole,
)
from rag.types import Form, Outcome


class Arm(Response):
    """What one arm of the search thought of a passage; null where it did not find it."""

    rank: int | None
    score: float | None


class Explanation(Response):
    """Where a passage's score came from."""

    words: Arm = Field(description="BM25.")
    dense: Arm = Field(description="Cosine of the meanings.")
    matched: list[str] = Field(description="Words of the passage that matched the question's.")


class PassageOut(Response):
    """A piece of a document that was found."""

    rank: int
    document: DocumentId
    source: str = Field(description="Absolute path of a file, or the id that a text was given with.")
    name: str = Field(description="To show: the title, the name it was uploaded under, or the file's name.")
    label: str = Field(description="The source as a person knows it: the name it was uploaded under, else `source`.")
    title: str
    context: str = Field(description='Title and headings above it, joined by " > ".')
    page: int | None = Field(description="Page, slide or sheet.")
    page_name: str = Field(description='What the slide or sheet is called; "" for pages.')
    line: int | None
    start: int
    end: int
    text: str
    score: float = Field(
        description="How well it fits the question, 0 to 1; comparable between collections of one encoder."
    )
    also_in: list[str] = Field(description="Sources of nearly the same passage.")
    excerpt: list[Span] = Field(
        description="The one or two parts of the text that fit the question best, in its characters; none of a passage "
        "that an answer was taken from."
    )
    matches: list[Span] = Field(description="The question's words in these parts, in characters of the text.")
    explain: Explanation | None = Field(description="With explain; else null.")


class CitationOut(Response):
    """A footnote: `quote` is the document's stored text from `start` to `end`, byte for byte."""

    number: int
    document: DocumentId
    source: str
    name: str
    label: str = Field(description="The source as a person knows it: the name it was uploaded under, else `source`.")
    title: str
    sha256: str = Field(description="Of the source's bytes when it was indexed.")
    page: int | None = Field(description="Page, slide or sheet.")
    page_name: str = Field(description='What the slide or sheet is called; "" for pages.')
    line: int | None
    start: int
    end: int
    quote: str
    marks: list[Span] = Field(description="The answer's words inside the quote, in characters of the quote.")
    claims: list[Span] = Field(description="The parts of the answer that it bears out, in characters of the answer.")
    headings: list[str] = Field(description="The headings above it, outermost first.")
    kind: BlockKind | None = Field(description="What the quote begins in; null where that is not known.")
    header: str = Field(description='The header row of the table that the quote is from, as it is stored; else "".')


class CopiedOut(Response):
    """A part of the answer that was copied, and where it stands in a quote: the same, but for spaces and line ends."""

    start: int
    end: int
    citation: int = Field(description="The number of the footnote that quotes it.")
    quote_start: int
    quote_end: int


class SearchRequest(Request):
    """What to find."""

    query: str = Field(examples=["how far apart may two words be"], description="Up to 4,000 characters.")
    collection: CollectionName = None
    k: int = Field(10, ge=1, le=100, description="How many passages.")
    mode: Literal["hybrid", "dense", "words", "feedback"] = Field(
        "hybrid", description="Meaning and words, one of them, or both and again with what the best passages share."
    )
    filters: Filters = Field([])
    explain: bool = Field(False, description="Say how each arm ranked the passages, and which words matched.")


class SearchResponse(Response):
    """Passages, best first."""

    query: str
    mode: str
    passages: list[PassageOut]
    collection: str
    generation: int
    notes: list[str] = Field([], description="Where filters keep no document: how many there are, and their values.")


class AskRequest(Request):
    """A question."""

    question: str = Field(
        examples=["How many smaller sets were joined to make The Pile?"], description="Up to 4,000 characters."
    )
    collection: CollectionName = None
    k: int = Field(6, ge=1, le=20, description="How many passages are read.")
    max_error: MaxError = None
    filters: Filters = Field([])
    history: History = Field([])
    form: AskedForm = None
    generator: str | None = Field(
        None, max_length=64, description='Answer with "copying" or "quoting"; null: with the one of the collection.'
    )
    explain: bool = False
    texts: bool = Field(False, description="Give the answer as Markdown and as plain text too.")
    stream: bool = Field(False, description="Server-sent events: stage, passages, writing, answer, error.")


class Texts(Response):
    """An answer under its question and above its footnotes, to be kept or sent on."""

    markdown: str
    plain: str


class AskResponse(Response):
    """An answer with its footnotes; or the closest evidence, which is not sure; or nothing but the nearest passages."""

    question: str
    answer: str = Field(description='"" when the outcome is none; the closest evidence when it is unsure.')
    answered: bool = Field(description="Whether the outcome is an answer.")
    outcome: Outcome = Field(
        description="An answer; the closest evidence, which is not sure; or nothing that bears on the question."
    )
    form: Form = Field(description="What the answer looks like.")
    confidence: Share = Field(
        description="Estimated chance that what is shown answers; of the best found, if nothing is."
    )
    citations: list[CitationOut]
    unsupported: list[Span] = Field(description="Parts of the answer that no passage bears out.")
    copied: list[CopiedOut] = Field(description="The parts of the answer that were copied, in order.")
    written: list[Span] = Field(description="The parts that are the generator's own words: joining ones, if it copies.")
    passages: list[PassageOut] = Field(description="What was read, best first.")
    timings_ms: dict[str, float] = Field(description="Of each stage, as this request saw it; waiting is `queue`.")
    generator: str
    collection: str
    generation: int = Field(description="The state of the collection that was asked; grows with every change.")
    meant: str = Field(
        description='If it is no answer, the question as the collection spells its words; "" if it does so.'
    )
    read_as: str = Field(description='The question as read together with the ones before it; "" if read as it is.')
    documents: int = Field(description="How many documents were looked at, where all of them were; else 0.")
    notes: list[str] = Field(description="What a person should know about how this was answered.")
    code: list[Span] = Field(description="The parts of the answer that are code, with its line ends.")
    texts: Texts | None = Field(None, description="With texts; else null.")


class Stage(Response):
    """What is being done: looking for passages, or reading them."""

    stage: Literal["search", "read"]


class Passages(Response):
    """What is read for the answer, before there is one."""

    passages: list[PassageOut]


class Writing(Response):
    """The next piece of a draft of which nothing is checked; the answer takes its place."""

    text: str


CheckedSpan = Annotated[list[Annotated[int, Field(ge=0, le=2**53)]], Field(min_length=2, max_length=2)]


class VerifiedCitation(BaseModel):
    """A footnote to check, as /v1/ask gave it; what else stands in it is not looked at."""

    number: int = Field(ge=0, le=1_000_000)
    source: Whole = Field(max_length=5000)
    sha256: Whole = Field(max_length=64)
    start: int = Field(ge=0, le=2**53)
    end: int = Field(ge=0, le=2**53)
    quote: Whole = Field(max_length=1_000_000)
    page: int | None = Field(None, ge=0, le=2**53)
    line: int | None = Field(None, ge=0, le=2**53)
    title: Whole = Field("", max_length=100_000)
    page_name: Whole = Field("", max_length=100_000)
    marks: list[CheckedSpan] = Field([], max_length=1000)
    claims: list[CheckedSpan] = Field([], max_length=1000)


class VerifiedCopy(BaseModel):
    """A copied part to check."""

    start: int = Field(ge=0, le=2**53)
    end: int = Field(ge=0, le=2**53)
    citation: int = Field(ge=0, le=1_000_000)
    quote_start: int = Field(ge=0, le=2**53)
    quote_end: int = Field(ge=0, le=2**53)


class VerifyRequest(BaseModel):
    """An answer as /v1/ask gave it; what else stands in it is not looked at."""

    answer: Whole = Field(max_length=1_000_000)
    answered: bool
    citations: list[VerifiedCitation] = Field(max_length=1000)
    copied: list[VerifiedCopy] = Field([], max_length=1000, description="Without it, no word of the answer is proved.")
    written: list[CheckedSpan] = Field([], max_length=1000)
    unsupported: list[CheckedSpan] = Field([], max_length=1000)
    generator: Whole = Field("", max_length=1000)
    outcome: Whole = Field("", max_length=100)
    collection: CollectionName = None


class CheckOut(Response):
    """What became of one footnote."""

    number: int
    source: str
    holds: bool
    reason: str = Field(description='Why it does not hold; "" when it does.')


class VerifyResponse(Response):
    """Whether an answer holds: the sources' bytes are those that were indexed, the quotes stand at their places there,
    and the answer's words are those of the quotes."""

    holds: bool = Field(description="The citations hold, and so does the answer around them.")
    proves: str = Field(description="What that proves, in words: the quotation, and never the conclusion.")
    reason: str = Field(description='Why the words or spans of the answer do not hold; "" when they do.')
    unproved: list[str] = Field(description="Words that the generator wrote and no quotation proves.")
    citations: list[CheckOut]
