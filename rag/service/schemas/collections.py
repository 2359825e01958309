"""Collections and their documents."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from rag.service.schemas.base import DocumentId, Request, Response, Share

DocumentOrder: TypeAlias = Literal["source", "name", "format", "folder", "modified", "chunks"]
"""What a list of documents may be sorted by."""


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
    label: str = Field(description="The source as a person knows it: the name it was uploaded under, else `source`.")
    folder: str = Field(description='The folder of `label`; "" where it is in none.')
    title: str
    format: str
    sha256: str
    characters: int
    chunks: int
    modified: str | None
    origin: Literal["file", "given", "upload"]
    metadata: dict[str, str | int | float | bool]
    warnings: list[str] = Field(
        description='What a person should know of it: "read, 0 passages"; in the list also notes of how it was read.'
    )


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
    label: str
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

    prune: bool = Field(False, description="Remove the documents whose files are gone from the bound folders.")
    rebuild: bool = Field(False, description="Read and embed everything anew beside the old state, then switch.")
    stream: bool = Field(False, description="Server-sent events: progress, report, error.")


class Progress(Response):
    """How far a long piece of work is."""

    what: str = Field(examples=["files", "chunks"])
    done: int
    total: int = Field(description="0 while it is not known.")


class NewFolder(Request):
    """A folder to bind to a collection."""

    path: str = Field(
        min_length=1, max_length=4000, description="Absolute path on the machine of the service.", examples=["~/papers"]
    )


class FolderOut(Response):
    """A bound folder."""

    path: str
    documents: int = Field(description="Of the collection, that lie in it.")
    is_there: bool = Field(description="Whether the folder is on the disk now.")


class FolderList(Response):
    """The folders that are bound to a collection."""

    folders: list[FolderOut]
    may_add: bool = Field(description="Whether others may be bound by their path here.")


class ChangeCounts(Response):
    """How many files of each sort."""

    added: int
    changed: int
    removed: int
    unchanged: int


class FolderChanges(Response):
    """What indexing the bound folders again would change; of each sort the first 100 files are named."""

    added: list[str]
    changed: list[str]
    removed: list[str] = Field(description="Removed only with `prune`.")
    counts: ChangeCounts
    not_read: dict[str, int] = Field(description="Files that are not read, by the endings of their names.")
    missing: list[str] = Field(description="Bound folders that are not there; nothing of them would be removed.")


class FieldValue(Response):
    """A value of a field."""

    value: str
    documents: int


class FieldOut(Response):
    """A field that a filter may name."""

    key: str
    documents: int = Field(description="That have it.")
    is_date: bool = Field(description="Whether it is compared as a date: key>=2024-01-31.")
    values: list[FieldValue] = Field(description="The most frequent ones.")


class Offer(Response):
    """What can be asked of a collection."""

    questions: list[str] = Field(description="Up to three, made of headings and sentences; fewer where none fits.")
    recent: list[DocumentEntry] = Field(description="The documents whose files changed last.")
    fields: list[FieldOut]
