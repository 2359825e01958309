"""Checking an answer: read the sources again, and say what of it no longer holds, or never did.

A citation holds when its source's bytes are the very bytes that were indexed, and reading them again gives what is
shown of it: quote, place, page, line and title. The answer holds when its words are those of the quotes, and all the
spans that are shown lie where they can. Nothing of the collection is trusted for that; only texts that never had a file
are looked up in it. Whether a quotation answers the question is nothing that can be read again, and is not checked.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeAlias

from sqlalchemy import select

from indexer.collection import Collection, document_from_row
from indexer.errors import Unreadable, UsageError, UserError
from indexer.home import home_folder
from indexer.pages import PAGED, page_place
from indexer.plurals import counted
from indexer.schema import documents
from indexer.types import Document
from rag.joining import concludes, is_joining

EXTRACTIVE = frozenset({"copying", "quoting"})
"""The generators that write no word of their own but the joining ones."""
EARLIER_VERSION = "its words cannot be proved: an earlier version made it, which did not say what it copied"

_AsRead: TypeAlias = Document | str
"""A source as it is read now, or the reason why it cannot be."""


@dataclass(frozen=True, slots=True)
class Check:
    """What became of one citation."""

    number: int
    source: str
    holds: bool
    reason: str
    """Why it does not hold; "" when it does."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an answer: of each citation, and of what stands around them."""

    checks: tuple[Check, ...]
    """In the order of the citations."""
    reason: str
    """Why the answer's own words and spans do not hold; "" when they do."""
    unproved: tuple[str, ...]
    """Words of the answer that no quotation proves: the generator wrote them."""
    says_something: bool = True
    """False for a refusal, which has neither text nor citations."""

    @property
    def holds(self) -> bool:
        """True when every citation holds, and so does the answer around them."""
        return not self.reason and all(check.holds for check in self.checks)

    @property
    def proves(self) -> str:
        """What is proved by that, in words: the quotation, and never the conclusion."""
        if not self.holds:
            failed = sum(not check.holds for check in self.checks)
            every = counted(len(self.checks), "citation")
            citations = f"{failed} of {every} {'does' if failed == 1 else 'do'} not hold" if failed else ""
            return "; ".join(filter(None, (citations, f"the answer does not hold: {self.reason}" * bool(self.reason))))
        if not self.says_something:
            return "it was not answered, and nothing is claimed"
        if self.unproved:
            words = ", ".join(map(_shortened, self.unproved[:3]))
            more = f" and {len(self.unproved) - 3} more" if len(self.unproved) > 3 else ""
            return (
                f"the quotations hold; written by the generator and not proved: {words}{more}; "
                "that they answer the question is not checked"
            )
        return "the quotations hold; that they answer the question is not checked"

    def to_json(self) -> dict[str, object]:
        """Return the form that `verify --json` prints."""
        return {
            "holds": self.holds,
            "proves": self.proves,
            "reason": self.reason,
            "unproved": list(self.unproved),
            "citations": [
                {"number": each.number, "source": each.source, "holds": each.holds, "reason": each.reason}
                for each in self.checks
            ],
        }


def verify(answer: Mapping[str, Any], home: str | os.PathLike[str] | None = None) -> Verdict:
    """Check an answer in the form of `Answer.to_json`.

    `home` is where collections lie, for texts without a file. Raises UsageError when `answer` has another form.
    """
    _check_form(answer)
    from rag.service.uploads import Uploads

    collection, uploads = str(answer.get("collection", "default")), Uploads(home_folder(home))

    def label(source: str) -> str:
        try:
            return uploads.label(collection, source)
        except UsageError:  # the collection has a name that none can have
            return ""

    return _verdict(answer, lambda source, sandbox: _read_again(source, sandbox, collection, home), label)


def verify_in(collection: Collection, answer: Mapping[str, Any], label: Callable[[str], str] = str) -> Verdict:
    """Check as `verify` does what somebody else asks about, and read nothing but what this collection was made of.

    `label` returns what the answer may call a source besides its title and the name of its file. A source is a file
    only where the collection read it from one; any other is looked up among its texts. Raises NotFound when there
    is no such collection, UsageError when `answer` has another form.
    """
    _check_form(answer)
    return _verdict(answer, lambda source, sandbox: _read_indexed(source, sandbox, collection), label)


def loaded(data: bytes) -> Any:
    """Return the JSON that an answer came as. Raises ValueError for what is none, UsageError for a key that is twice.

    Of two values of one key a program shows either: what is checked must be what is shown.
    """
    return json.loads(data, object_pairs_hook=_object)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    count = Counter(key for key, _ in pairs)
    twice = next((key for key in count if count[key] > 1), None)
    if twice is not None:
        raise UsageError(
            f"The key {twice[:80]!r} is in one object twice, so that it says two things.",
            "Give the JSON as footnote ask QUESTION --json printed it.",
        )
    return dict(pairs)


# The form

_NUMBER, _TEXT, _SPANS = (int,), (str,), (list,)
_MAYBE = (int, type(None))
_ANSWER: Mapping[str, tuple[type, ...]] = {"citations": (list,), "answer": _TEXT, "answered": (bool,)}
_CITATION: Mapping[str, tuple[type, ...]] = {
    "number": _NUMBER, "source": _TEXT, "sha256": _TEXT, "start": _NUMBER, "end": _NUMBER, "quote": _TEXT,
}  # fmt: skip
_CITATION_MAY: Mapping[str, tuple[type, ...]] = {
    "page": _MAYBE, "page_name": _TEXT, "line": _MAYBE, "title": _TEXT, "marks": _SPANS, "claims": _SPANS,
}  # fmt: skip
_COPIED = dict.fromkeys(("start", "end", "citation", "quote_start", "quote_end"), _NUMBER)
_ANSWER_MAY: Mapping[str, tuple[type, ...]] = {
    "copied": (list,), "written": _SPANS, "unsupported": _SPANS, "generator": _TEXT, "outcome": _TEXT,
}  # fmt: skip


def _check_form(answer: Any) -> None:
    if hasattr(answer, "to_json"):
        raise UsageError(f"An answer is checked in its JSON form, not as {answer!r:.80}.", "Write: answer.to_json()")
    for name, types in _ANSWER.items():
        if not isinstance(answer, Mapping) or not isinstance(answer.get(name), types):
            raise UsageError(
                f"This is no answer: it has no {name!r} that is a {types[0].__name__}.",
                "Make one with: footnote ask QUESTION --json, or answer.to_json() in Python",
            )
    _check_fields(answer, "An answer", _ANSWER_MAY, optional=True)
    for citation in answer["citations"]:
        _check_fields(citation, "A citation", _CITATION)
        _check_fields(citation, "A citation", _CITATION_MAY, optional=True)
    for copied in answer.get("copied") or ():
        _check_fields(copied, "A copied part", _COPIED)


def _check_fields(given: Any, what: str, fields: Mapping[str, tuple[type, ...]], optional: bool = False) -> None:
    for name, types in fields.items():
        value = given.get(name) if isinstance(given, Mapping) else None
        if optional and isinstance(given, Mapping) and name not in given:
            continue
        is_right = isinstance(value, types) and not (isinstance(value, bool) and bool not in types)
        if not is_right or (types is _SPANS and not all(map(_is_span, value or ()))):
            expected = "list of [start, end]" if types is _SPANS else types[0].__name__
            raise UsageError(
                f"{what} has {_shortened(value)} as its {name!r}, where a {expected} should stand.",
                "Give the JSON as footnote ask QUESTION --json printed it.",
            )


def _is_span(value: Any) -> bool:
    numbers = value if isinstance(value, list) and len(value) == 2 else [None]
    return all(isinstance(each, int) and not isinstance(each, bool) for each in numbers)


# The sources, read again


def _verdict(
    answer: Mapping[str, Any], read_source: Callable[[str, Any], _AsRead], label: Callable[[str], str]
) -> Verdict:
    from indexer.sandbox import Sandbox

    citations = answer["citations"]
    read: dict[str, _AsRead] = {}
    if citations:
        with Sandbox(workers=1) as sandbox:
            for source in dict.fromkeys(citation["source"] for citation in citations):
                read[source] = read_source(source, sandbox)
    length = len(answer["answer"])
    checks = []
    for citation in citations:
        reason = _fault(citation, read[citation["source"]]) or _span_fault(citation, length)
        checks.append(Check(citation["number"], citation["source"], not reason, reason))
    reason = next(filter(None, _faults_of_answer(answer, read, label)), "")
    says_something = bool(citations or answer["answer"].strip())
    return Verdict(tuple(checks), reason, tuple(_unproved(answer)), says_something)


def _read_again(source: str, sandbox: Any, collection: str, home: str | os.PathLike[str] | None) -> _AsRead:
    if not Path(source).is_absolute():
        return _given_text(source, collection, home)
    if not os.path.lexists(source):
        given = _given_text(source, collection, home)  # an id may look like a path
        return given if isinstance(given, Document) else "the file is gone"
    return _read_file(source, sandbox)


def _read_indexed(source: str, sandbox: Any, collection: Collection) -> _AsRead:
    """Return the source as it is read now where the collection read it from a file, else its stored text."""
    with collection.reading() as connection:
        row = connection.execute(select(documents).where(documents.c.source == source)).one_or_none()
    if row is None:
        return f"it is not in collection {collection.name!r}"
    if row.origin != "file":
        return document_from_row(row)
    return _read_file(source, sandbox) if os.path.lexists(source) else "the file is gone"


def _read_file(source: str, sandbox: Any) -> _AsRead:
    from indexer.folders import read_file

    try:
        document: Document = sandbox.parse(source, read_file(Path(source)))
    except (Unreadable, OSError) as error:
        return f"the file cannot be read: {error}"
    return document


def _given_text(source: str, name: str, home: str | os.PathLike[str] | None) -> _AsRead:
    """Return the text that was stored under the id `source`, or the reason why there is none."""
    try:
        collection = Collection(name, home)
        with collection.reading() as connection:
            given = select(documents).where(documents.c.source == source, documents.c.origin == "given")
            row = connection.execute(given).one_or_none()
    except UserError as error:
        return f"it has no file, and {error.message[0].lower()}{error.message[1:]}"
    return f"it has no file, and {source!r} is not in collection {name!r}." if row is None else document_from_row(row)


# One citation: each returns what is wrong, "" where nothing is


def _fault(citation: Mapping[str, Any], read: _AsRead) -> str:
    if isinstance(read, str):
        return read
    quote, start, end = citation["quote"], citation["start"], citation["end"]
    if not quote.strip():
        return "it quotes nothing"
    still_there = quote in read.text
    if read.sha256 != citation["sha256"]:
        found = "the quote still occurs in it" if still_there else "the quote is no longer in it"
        return f"the source has changed since it was indexed; {found}"
    if not 0 <= start <= end <= len(read.text):
        return f"the span {start}-{end} lies outside the text of {len(read.text)} characters"
    said = read.text[start:end]
    if said != quote:
        found = "elsewhere in the source" if still_there else "nowhere in the source"
        return f"the source says {_shortened(said)} at that place; the quote stands {found}"
    return _place_fault(citation, read)


def _place_fault(citation: Mapping[str, Any], read: Document) -> str:
    """Compare what is shown beside the quote with the source."""
    start = citation["start"]
    page, line = read.page_at(start), read.line_at(start)
    if citation.get("page", page) != page:
        return f"the quote stands on {_called('page', page)}, not on {_called('page', citation['page'])}"
    if citation.get("page_name", "") not in ("", *_page_names(read, page)):
        where = page_place(read.source, page) if page else "no page"
        return f"the quote stands on {where}, which is not called {_shortened(citation['page_name'])}"
    if citation.get("line") not in (None, line):
        return f"the quote stands in {_called('line', line)}, not in {_called('line', citation['line'])}"
    if citation.get("title", "") not in ("", *_names(read)):
        name = read.title or PurePath(read.source).name
        return f"the source is called {_shortened(name)}, not {_shortened(citation['title'])}"
    return ""


def _names(read: Document) -> tuple[str, ...]:
    """Return what a document is called: its title, or its file's name."""
    return read.title, PurePath(read.source).name


def _page_names(read: Document, page: int | None) -> Iterator[str]:
    """Yield what a sheet or slide may be called: by a heading on it."""
    for part in read.sections:
        if part.kind == "heading" and part.page == page is not None and read.format in PAGED:
            yield read.text[part.start : part.end].strip()


def _called(what: str, number: int | None) -> str:
    return f"no {what}" if number is None else f"{what} {number}"


def _span_fault(citation: Mapping[str, Any], answer_length: int) -> str:
    if not _lie_within(citation.get("marks", ()), len(citation["quote"])):
        return f"a mark lies outside the quote of {len(citation['quote'])} characters"
    if not _lie_within(citation.get("claims", ()), answer_length):
        return f"it is to bear out a part outside the answer of {answer_length} characters"
    return ""


def _lie_within(spans: Iterable[Sequence[int]], length: int) -> bool:
    return all(0 <= start <= end <= length for start, end in spans)


# The answer around them: each yields what is wrong, "" where nothing is


def _faults_of_answer(
    answer: Mapping[str, Any], read: Mapping[str, _AsRead], label: Callable[[str], str]
) -> Iterator[str]:
    yield _outcome_fault(answer)
    numbers = Counter(citation["number"] for citation in answer["citations"])
    yield next((f"two citations have the number {number}" for number in numbers if numbers[number] > 1), "")
    for name in ("unsupported", "written"):
        outside = not _lie_within(answer.get(name, ()), len(answer["answer"]))
        yield f"a part that is called {name} lies outside of it" * outside
    if answer["answer"].strip():
        if "copied" not in answer:
            yield EARLIER_VERSION
        else:
            yield _copied_fault(answer)
            yield _coverage_fault(answer)
            yield _written_fault(answer, read, label)


def _outcome_fault(answer: Mapping[str, Any]) -> str:
    """Compare whether it was answered with what there is: an answer cites, and a refusal says nothing.

    One that is unsure ("unsure") may show quotations without answering.
    """
    answered, outcome = answer["answered"], answer.get("outcome", "")
    has_text, has_citations = bool(answer["answer"].strip()), bool(answer["citations"])
    if answered and outcome in ("none", "unsure"):
        return f"it says that it was answered, and that its outcome is {outcome!r}"
    if answered and not (has_text and has_citations):
        return f"it says that it was answered, and has no {'citations' if has_text else 'text'}"
    if not answered and outcome not in ("", "none", "unsure"):
        return f"it says that it was not answered, and that its outcome is {_shortened(outcome)}"
    if not answered and outcome != "unsure" and (has_text or has_citations):
        return f"it says that it was not answered, and has {'text' if has_text else 'citations'}"
    if has_text and not has_citations:
        return "it has text, and no citations"
    return ""


def _copied_fault(answer: Mapping[str, Any]) -> str:
    text, quotes = answer["answer"], {each["number"]: each["quote"] for each in answer["citations"]}
    for part in answer["copied"]:
        start, end = part["start"], part["end"]
        if not 0 <= start < end <= len(text):
            return f"the copied part {start}-{end} lies outside of its {len(text)} characters"
        quote = quotes.get(part["citation"])
        if quote is None:
            return f"{_shortened(text[start:end])} is said to be copied from [{part['citation']}], which is not cited"
        if not 0 <= part["quote_start"] < part["quote_end"] <= len(quote):
            return f"a part is said to be copied from outside the quote of [{part['citation']}]"
    return ""


def _coverage_fault(answer: Mapping[str, Any]) -> str:
    """Compare the copied parts with their quotes, and see that each word of the answer has one origin."""
    text = answer["answer"]
    quotes = {each["number"]: each["quote"] for each in answer["citations"]}
    copied = [(part["start"], part["end"]) for part in answer["copied"]]
    parts = sorted([*copied, *((start, end) for start, end in answer.get("written", ()) if start < end)])
    for (_, before), (start, end) in itertools.pairwise([(0, 0), *parts, (len(text), len(text))]):
        if start < before:
            return f"{_shortened(text[start : min(end, before)])} in it is said to come from two places"
        if text[before:start].strip():
            return f"{_shortened(text[before:start].strip())} in it comes from no quote"
    for part in answer["copied"]:
        said = text[part["start"] : part["end"]]
        quoted = quotes[part["citation"]][part["quote_start"] : part["quote_end"]]
        if _folded(said) != _folded(quoted):
            return f"it says {_shortened(said)} where the quote of [{part['citation']}] says {_shortened(quoted)}"
    return ""


def _written_fault(answer: Mapping[str, Any], read: Mapping[str, _AsRead], label: Callable[[str], str]) -> str:
    """See that a generator which copies wrote nothing but what joins."""
    if answer.get("generator") not in EXTRACTIVE:
        return ""
    names = {name for each in read.values() if isinstance(each, Document) for name in _names(each) if name}
    names |= {label(source) for source in read} - {""}
    others = (words for words in _written(answer) if not is_joining(words, names))
    return next((f"{_shortened(words)} in it comes from no quote" for words in others), "")


def _written(answer: Mapping[str, Any]) -> list[str]:
    return [answer["answer"][start:end] for start, end in answer.get("written", ())]


def _unproved(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the words that the generator wrote and that say something."""
    for words in map(str.strip, _written(answer)):
        copies = answer.get("generator") in EXTRACTIVE
        if words and (concludes(words) or not (copies or is_joining(words))):
            yield words


def _folded(text: str) -> str:
    return " ".join(text.split())


def _shortened(value: object) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:57]}...")
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
