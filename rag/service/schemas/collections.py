"""Collections and their documents."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rag.service.schemas.base import DocumentId, Request, Response, Share


class NewCollection(Request):
    """A collection to make, empty."""

    name: str = Field(max_length=64, examples=["papers"])


class CollectionEntry(Response):
    """A collection in a list."""

    name: str
    documents: int
    chunks: int
    generation: int
    encoder: str
    bytes: int


class BrokenCollection(Response):
    """A collection that cannot be opened."""

    name: str
    error: str
    hint: str


class Collections(Response):
    """The collections."""

    collections: list[CollectionEntry]
    broken: list[BrokenCollection]
    default: str = Field(description="The one that is used where none is named.")


class SkipOut(Response):
    """A source that was not taken in, and why."""

    source: str
    reason: str


class CollectionStatus(Response):
    """What a collection holds."""

    name: str
    generation: int
    documents: int
    chunks: int
    characters: int
    near_duplicates: int
    formats: dict[str, int]
    repairs: dict[str, int]
    skipped: list[SkipOut]
    bytes: int
    encoder: str
    dim: int
    generator: str | None = Field(description="null: the default one.")


class Deleted(Response):
    """The collection that was deleted; files that were indexed where they lie are not touched."""

    deleted: str


class DocumentEntry(Response):
    """A stored document without its text."""

    id: DocumentId
    source: str
    name: str
    title: str
    format: str
    sha256: str
    characters: int
    chunks: int
    modified: str | None
    origin: Literal["file", "given", "upload"]
    metadata: dict[str, str | int | float | bool]


class Documents(Response):
    """A part of the list of documents, by source."""

    documents: list[DocumentEntry]
    total: int
    offset: int


class SectionOut(Response):
    """A part of a document's text."""

    start: int
    end: int
    kind: Literal["heading", "paragraph", "code", "table", "row"]
    level: int = Field(description="Depth of a heading, 1 is the top; 0 for everything else.")
    page: int | None
    line: int | None


class DocumentText(Response):
    """A document's stored text, or the part of it that was asked for."""

    id: DocumentId
    source: str
    name: str
    title: str
    format: str
    sha256: str
    origin: Literal["file", "given", "upload"]
    metadata: dict[str, str | int | float | bool]
    notes: list[str] = Field(description="How it was read, where that was not plain.")
    characters: int = Field(description="Of the whole text.")
    start: int
    end: int
    text: str = Field(description="From `start` to `end`; at most 200,000 characters at once.")
    sections: list[SectionOut] = Field(description="Those that touch this part; offsets are the document's.")
    headings: list[str] = Field(description="Above `start`, outermost first.")
    generation: int


class PageBoxes(Response):
    """Where a part of a document's stored text stands on a page."""

    page: int
    pages: int = Field(description="Of the document.")
    width: float = Field(description="Of the page as it is shown, in points.")
    height: float
    boxes: list[Annotated[list[Share], Field(min_length=4, max_length=4)]] = Field(
        description="Left, top, right and bottom of each line, in parts of the page from its upper left corner; none "
        "where the text does not stand on this page, or its place is not certain."
    )


class IndexReport(Response):
    """What one run of indexing did, in documents and chunks."""

    added: int
    changed: int
    removed: int
    unchanged: int
    skipped: list[SkipOut]
    chunks: int
    chunks_embedded: int
    seconds: float
    generation: int
    notes: dict[str, list[str]] = Field(description="What was not read, or read by a fallback, by document.")
    not_read: dict[str, int] = Field(description="How many files were not read, by the ending of their names.")
    unmatched: list[str] = Field(default=[], description="Patterns of files to take in that no file matches.")
    unknown_languages: dict[str, int] = Field(
        description="How many documents are in each language that the encoder does not know, by ISO 639-1 code."
    )


class Uploaded(Response):
    """The document that an upload became."""

    document: DocumentEntry
    replaced: bool = Field(description="A document uploaded under the same name has gone.")
    report: IndexReport


class Removed(Response):
    """The document that was removed; an uploaded file goes with it, another one is not touched."""

    removed: DocumentId
    generation: int


class IndexRequest(Request):
    """How to bring a collection up to date with its files."""

    rebuild: bool = Field(False, description="Read and embed everything anew beside the old state, then switch.")
    stream: bool = Field(False, description="Server-sent events: progress, report, error.")


class Progress(Response):
    """How far a long piece of work is."""

    what: str = Field(examples=["files", "chunks"])
    done: int
    total: int = Field(description="0 while it is not known.")
