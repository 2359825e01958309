"""The engine: a question, a collection and a generator make an answer with citations, or a refusal."""

from __future__ import annotations

import collections.abc
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from indexer.arguments import (
    check_choice,
    check_count,
    check_parts,
    check_share,
    check_switches,
    check_text,
    items_of,
    texts_of,
)
from indexer.collection import Collection
from indexer.errors import UsageError, UserError
from indexer.types import Vectors
from indexer.view import View
from rag.generator import Copied, Draft, Generator, Streaming, Words, Written, drafts
from rag.quoting.quotable import quotable
from rag.reranking.reranker import Reranker, open_reranker
from rag.retriever import MAX_QUESTION, MODES, Mode, Retriever, checked_question
from rag.types import FORMS, Answer, Citation, CopiedText, Events, Form, Found, Outcome, Passage, Writing

_NO_WORD = "qzxvkjwq"
"""What no vocabulary has whole, unless it takes whatever stands between spaces for one token."""
TOGETHER = 64
"""Questions of `ask_many` that are embedded, searched and read at once; a read transaction lasts for so many."""


class Engine:
    """Answers questions from one collection. Safe to use from several threads at once."""

    def __init__(
        self,
        collection: Collection,
        generator: Generator | str | None = None,
        reranker: Reranker | str | None = None,
    ) -> None:
        """`generator` is one, or a name as `rag.generators` takes it; None: the collection's choice, or the default.

        `reranker` is one, or the folder of one, or "none"; None: the collection's choice, or none.
        """
        if not isinstance(collection, Collection):
            name = collection if isinstance(collection, str) else "NAME"
            raise UsageError(
                f"Engine takes a Collection, not {collection!r:.80}.", f"Write: Engine(Collection({name!r}))"
            )
        self.collection = collection
        self._generator = _named_or(generator, "generator", ("generate", "threshold"), 'generator="quoting"')
        self._reranker = _named_or(reranker, "reranker", ("scores", "depth"), 'reranker="/models/reranker"')
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        named = {"generator": self._generator, "reranker": self._reranker}
        names = {key: each if isinstance(each, str) else each.name for key, each in named.items() if each is not None}
        return f"Engine({', '.join([repr(self.collection), *(f'{key}={name!r}' for key, name in names.items())])})"

    @property
    def generator(self) -> Generator:
        """The generator that answers, opened when it is first asked for."""
        with self._lock:
            if self._generator is None or isinstance(self._generator, str):
                from rag.generators import open_generator

                self._generator = open_generator(self._generator, self.collection)
            return self._generator

    def reranker(self) -> Reranker | None:
        """Return the reranker that orders what hybrid search finds, opened when it is first asked for; None: none."""
        chosen = self._reranker
        return open_reranker(chosen, self.collection) if chosen is None or isinstance(chosen, str) else chosen

    def _open_beside(self) -> None:
        """Begin to open the generator in a thread of its own: from cold, that and the encoder take a while each.

        Whoever then asks for `generator` waits for it, and is told what went wrong.
        """
        if self._generator is None or isinstance(self._generator, str):
            _ = self.collection.generator  # says at once that there is no such collection

            def open_quietly() -> None:
                with contextlib.suppress(Exception):
                    _ = self.generator

            threading.Thread(target=open_quietly, name="open generator").start()

    def search(
        self, query: str, k: int = 10, *, mode: Mode = "hybrid", filters: Sequence[str] = (), explain: bool = False
    ) -> list[Passage]:
        """Return the `k` passages that fit `query` best, best first.

        `mode` says which arms are asked: by words and meaning ("hybrid"), by one of them ("words", "dense"), or by both
        and again with what the best passages have in common ("feedback"), for a topic rather than one fact. Where
        nothing matches (`Retriever.matches`), both arms find nothing. `filters` are `key=value` conditions on
        documents, as `indexer.filters` describes. With `explain`, each passage says which of its words matched.
        Raises NotFound when there is no such collection, UsageError for an empty one.
        """
        return self.search_many([query], k, mode=mode, filters=filters, explain=explain)[0]

    def search_many(
        self,
        queries: Sequence[str],
        k: int = 10,
        *,
        mode: Mode = "hybrid",
        filters: Sequence[str] = (),
        explain: bool = False,
    ) -> list[list[Passage]]:
        """Search for each query as `search` does, in their order, all in one state of the collection, and faster."""
        check_count("k", k)
        check_choice("mode", mode, MODES)
        check_switches(explain=explain)
        questions = [checked_question(query) for query in items_of("queries", queries, 'queries=["boiler", "roof"]')]
        where = self.collection.filters(filters)
        reranker = self.reranker() if mode in ("hybrid", "feedback") else None
        retriever = Retriever(mode, reranker, where)
        with self._view(questions, mode, _Clock()) as (view, vectors):
            asked = zip(questions, [None] * len(questions) if vectors is None else vectors, strict=True)
            return [
                retriever.find(view, question, vector, k, explain=explain)
                if retriever.matches(view, question, vector)
                else []
                for question, vector in asked
            ]

    def ask(
        self,
        question: str,
        k: int = 6,
        *,
        filters: Sequence[str] = (),
        max_error: float | None = None,
        explain: bool = False,
        history: Sequence[str] = (),
        form: Form | None = None,
    ) -> Answer:
        """Answer `question` from the `k` best passages; show the closest evidence, or nothing, where that is not sure.

        With `max_error`, it answers as often as it can while at most that share of its answers is wrong on the
        questions its confidence was fitted on. `history` are the questions asked before, oldest first: what this one
        leaves out is taken from them (`Answer.read_as`). `form` is the form to answer in, rather than the one that the
        question asks for. Whatever the outcome, the answer carries the passages that were read.
        """
        reading = self._read(question, k, filters, max_error, explain, history, form)
        return self._checked(self._drafts([reading])[0], reading)

    def ask_many(
        self,
        questions: Sequence[str],
        k: int = 6,
        *,
        filters: Sequence[str] = (),
        max_error: float | None = None,
        form: Form | None = None,
    ) -> list[Answer]:
        """Answer each question as `ask` does, in their order, and faster: they are embedded and read together.

        Their `timings_ms` are equal shares of the time that they took together. Raises what `ask` raises, for the first
        question that cannot be asked; then none is.
        """
        answers: list[Answer] = []
        texts = [checked_question(text) for text in items_of("questions", questions, _QUESTIONS)]
        for begin in range(0, len(texts), TOGETHER):
            some = texts[begin : begin + TOGETHER]
            readings = self.read_many(some, k, filters=filters, max_error=max_error, form=form)
            part = self.answer_many(readings)
            answers += [replace(each, timings_ms=_shares(each.timings_ms, len(part))) for each in part]
        return answers

    def answer_many(self, readings: Sequence[Reading]) -> list[Answer]:
        """Answer together what `read_many` has read, in one go or in several; in their order.

        Their `timings_ms` are those of what was done together, which each waited for.
        """
        for each in items_of("readings", readings, _READINGS):
            if not isinstance(each, Reading):
                raise UsageError(
                    f"readings must hold what read_many returned, not {each!r:.80}.", f"Write: {_READINGS}"
                )
        clock = _Clock()
        made = self._drafts(readings)
        clock.lap("generate")
        answers = [self._answer(draft, each) for draft, each in zip(made, readings, strict=True)]
        clock.lap("cite")
        return [
            replace(answer, timings_ms={**each.clock.laps, **clock.laps})
            for answer, each in zip(answers, readings, strict=True)
        ]

    def stream(
        self,
        question: str,
        k: int = 6,
        *,
        filters: Sequence[str] = (),
        max_error: float | None = None,
        explain: bool = False,
        history: Sequence[str] = (),
        form: Form | None = None,
    ) -> Events:
        """Answer as `ask` does, and tell on the way: one `Found`, then `Writing`s, at last the `Answer` of `ask`.

            for event in engine.stream("When was the archive opened?"):
                match event:
                    case Found():
                        show(event.passages)
                    case Writing():
                        show_draft(event.text)
                    case Answer():
                        show_instead_of_draft(event)

        The passages are found before this returns, so that what `ask` raises about question and collection is raised
        here. There are `Writing`s only of a generator that is `Streaming`, and they are a draft: nothing of them is
        checked, and they may be followed by a refusal, or by the error that ended the writing. Closing the iterator
        early ends the writing. The time to generate is as the listener saw it, with what the listener took.
        """
        return self.listen(self._read(question, k, filters, max_error, explain, history, form))

    def listen(self, reading: Reading) -> Events:
        """Answer what `read_many` has read, and tell on the way as `stream` does."""
        yield Found(reading.passages)
        generator = self.generator
        if isinstance(generator, Streaming):
            draft = yield from _writings(generator.stream(reading.stands_alone, reading.passages))
        else:
            draft = self._drafts([reading])[0]
        yield self._checked(draft, reading)

    def _read(
        self,
        question: str,
        k: int,
        filters: Sequence[str],
        max_error: float | None,
        explain: bool,
        history: Sequence[str],
        form: Form | None,
    ) -> Reading:
        many = self.read_many(
            [question], k, filters=filters, max_error=max_error, explain=explain, histories=[history], form=form
        )
        return many[0]

    def _drafts(self, readings: Sequence[Reading]) -> list[Draft]:
        return drafts(
            self.generator,
            [each.stands_alone for each in readings],
            [each.passages for each in readings],
            [each.form for each in readings],
        )

    def read_many(
        self,
        questions: Sequence[str],
        k: int = 6,
        *,
        filters: Sequence[str] = (),
        max_error: float | None = None,
        explain: bool = False,
        histories: Sequence[Sequence[str]] | None = None,
        form: Form | None = None,
    ) -> list[Reading]:
        """Find what each question is to be answered from, all in one state of the collection; see `ask`.

        `histories` are the questions before each; None where all of them stand alone.
        """
        check_count("k", k)
        if max_error is not None:
            check_share("max_error", max_error)
        if form is not None:
            check_choice("form", form, FORMS)
        check_switches(explain=explain)
        clock = _Clock()
        texts = [checked_question(question) for question in items_of("questions", questions, _QUESTIONS)]
        befores = [()] * len(texts) if histories is None else items_of("histories", histories, "histories=[[], []]")
        if len(befores) != len(texts):
            raise UsageError(
                f"histories must hold one list for each question: {len(befores):,} for {len(texts):,}.",
                "Give an empty list for a question that stands alone.",
            )
        alone = [_alone(text, before) for text, before in zip(texts, befores, strict=True)]
        where = self.collection.filters(filters)
        self._open_beside()
        retriever = Retriever(reranker=self.reranker(), where=where)
        with self._view(alone, retriever.mode, clock) as (view, vectors):
            asked = list(zip(alone, vectors if vectors is not None else (), strict=True))
            read = [tuple(retriever.read(view, text, vector, k, explain=explain)) for text, vector in asked]
            matched = [retriever.matches(view, text, vector) for text, vector in asked]
            generation = view.generation
        clock.lap("retrieve")
        nothing_kept = self.collection.match_notes(filters) if filters and not all(read) else ()
        least = self.generator.threshold(max_error)  # before anything is written, since it may refuse
        clock.lap("open")
        return [
            Reading(
                text,
                stands_alone,
                passages,
                generation,
                least,
                clock,
                form,
                matches,
                nothing_kept if not passages else (),
            )
            for text, stands_alone, passages, matches in zip(texts, alone, read, matched, strict=True)
        ]

    def _checked(self, draft: Draft, reading: Reading) -> Answer:
        """Return the answer that a draft makes, with its citations, or the refusal; with the time of each stage."""
        reading.clock.lap("generate")
        answer = self._answer(draft, reading)
        reading.clock.lap("cite")
        return replace(answer, timings_ms=reading.clock.laps)

    def meant(self, question: str) -> str:
        """Return the question as the collection would spell it, where that differs; see `rag.spelling`."""
        from rag.spelling import meant

        check_text("question", question, 'meant("When was the archiv opened?")')
        with contextlib.suppress(UserError), self.collection.reading() as connection:  # a refusal is told all the same
            return meant(connection, question, self._is_word)
        return ""

    def _is_word(self, word: str) -> bool:
        """Tell whether the encoder has a word whole in its vocabulary of frequent words and pieces of words."""
        encoder = self.collection.encoder
        return len(encoder.token_spans(word)) == 1 < len(encoder.token_spans(_NO_WORD))

    def unknown_language(self, question: str) -> str:
        """Return the name of the language that a question is in and the encoder does not know; "" for any other."""
        from indexer.encoders.known_languages import unknown_languages
        from indexer.languages import NAMES, language_of

        check_text("question", question, 'unknown_language("When was the archive opened?")')
        language = language_of(question)
        unknown = unknown_languages([language], self.collection.made.fingerprint, self.collection.home)
        return NAMES[language] if language and unknown else ""

    def _answer(self, draft: Draft, reading: Reading) -> Answer:
        outcome: Outcome = "none"
        if draft.pieces and reading.matches:
            outcome = "answer" if draft.confidence >= reading.least else "unsure" if draft.bears else "none"
        made = Footnoted() if outcome == "none" else cited(draft, draft.passages or reading.passages)
        return Answer(
            question=reading.question,
            text=made.text,
            outcome=outcome,
            confidence=draft.confidence if reading.matches else 0.0,
            citations=made.citations,
            passages=reading.passages,
            generator=self.generator.name,
            collection=self.collection.name,
            generation=reading.generation,
            unsupported=made.unsupported,
            copied=made.copied,
            written=made.written,
            meant="" if outcome == "answer" else self.meant(reading.question),
            form=draft.form,
            read_as="" if reading.stands_alone == reading.question else reading.stands_alone,
            documents=draft.documents,
            notes=(*draft.notes, *reading.notes),
        )

    @contextlib.contextmanager
    def _view(self, questions: Sequence[str], mode: Mode, clock: _Clock) -> Iterator[tuple[View, Vectors | None]]:
        """Open a view, with the questions' vectors (n, dim) by the encoder that made what the view shows.

        They are embedded before the view is opened, to keep the read transaction short; when a rebuild with another
        encoder came between the two, both are done again.
        """
        while True:
            encoder = None if mode == "words" else self.collection.encoder
            clock.lap("load")
            vectors = None if encoder is None else encoder.embed_queries(questions)  # (n, dim)
            clock.lap("embed")
            with self.collection.view() as view:
                if encoder is None or encoder.fingerprint == view.made.fingerprint:
                    yield view, vectors
                    return


@dataclass(frozen=True, slots=True)
class Reading:
    """A question and what it is answered from."""

    question: str
    stands_alone: str
    """The question with what it leaves out taken from the ones before it; what is searched for and answered."""
    passages: tuple[Passage, ...]
    generation: int
    least: float
    """Confidence to answer at, at least."""
    clock: _Clock
    """One for all that were read together."""
    form: Form | None = None
    """The form that was asked for."""
    matches: bool = True
    """False where the passages are only what is least unlike: see `Retriever.matches`."""
    notes: tuple[str, ...] = ()
    """What a person should know about how it was read."""


def _alone(question: str, history: Sequence[str]) -> str:
    """Return a question as it is to be read by itself, at most as long as a question may be."""
    if not history:
        return question
    from rag.following import standalone

    before = texts_of("history", history, "When was the archive opened?")
    return standalone(question, [checked_question(each) for each in before])[:MAX_QUESTION]


_QUESTIONS = 'questions=["When was the archive opened?"]'
_READINGS = "answer_many(engine.read_many(questions))"
T = TypeVar("T")


def _named_or(value: T, what: str, parts: Sequence[str], example: str) -> T | str:
    """Return a name, an object that has these parts, or None. Raises UsageError for anything else."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str):
        check_text(what, value, example)
    elif value is not None:
        check_parts(what, value, parts, example)
    return value


def _writings(words: Words) -> collections.abc.Generator[Writing, None, Draft]:
    """Hand text on as it is written, and return the draft; what writes is closed with this, also in the middle."""
    with contextlib.closing(words):
        while True:
            try:
                text = next(words)
            except StopIteration as end:
                draft: Draft = end.value
                return draft
            yield Writing(text)


def said(draft: Draft, passages: Sequence[Passage]) -> str:
    """Return the text of an answer: what was copied stands as in its passage, spaces and line ends as one space."""
    return "".join(_text(piece, passages) for piece in draft.pieces)


def _text(piece: Copied | Written, passages: Sequence[Passage]) -> str:
    if isinstance(piece, Written):
        return piece.text
    copied = passages[piece.passage].text[piece.start : piece.end]
    return copied if piece.verbatim else " ".join(copied.split())


@dataclass(frozen=True, slots=True)
class Footnoted:
    """The text of an answer with its footnotes; the fields are those of `Answer`."""

    text: str = ""
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[tuple[int, int], ...] = ()
    copied: tuple[CopiedText, ...] = ()
    written: tuple[tuple[int, int], ...] = ()


def cited(draft: Draft, read: Sequence[Passage]) -> Footnoted:
    """Return the text of an answer and where each part of it comes from; copied text is taken from the source."""
    citations: list[Citation] = []
    unsupported: list[tuple[int, int]] = []
    copied: list[CopiedText] = []
    written: list[tuple[int, int]] = []
    text = ""
    for piece in draft.pieces:
        words = _text(piece, read)
        part = (len(text), len(text) + len(words.rstrip()))
        if isinstance(piece, Copied):
            footnote = _footnote(citations, read[piece.passage], piece, part)
            if words:
                start = read[piece.passage].start + piece.start - footnote.start
                copied.append(CopiedText(*part, footnote.number, start, start + piece.end - piece.start))
        else:
            for span in piece.evidence:
                _footnote(citations, read[span.passage], span, part)
            if not piece.supported:
                unsupported.append((len(text), len(text) + len(words)))
            if words.strip():
                written.append((len(text), len(text) + len(words)))
        text += words
    for span in draft.also:
        _footnote(citations, read[span.passage], span, None)
    citations = [replace(each, claims=_together(each.claims, text)) for each in citations]
    return Footnoted(text, tuple(citations), tuple(unsupported), tuple(copied), tuple(written))


def _together(claims: Sequence[tuple[int, int]], text: str) -> tuple[tuple[int, int], ...]:
    """Return the claims of one footnote, those between which stands nothing but space as one."""
    joined: list[tuple[int, int]] = []
    for start, end in claims:
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def _footnote(citations: list[Citation], passage: Passage, span: Copied, part: tuple[int, int] | None) -> Citation:
    """Add the footnote for a span, or what it marks and bears out to the one that quotes the same; and return it."""
    citation = _citation(len(citations) + 1, passage, span, part)
    twin = next((i for i, other in enumerate(citations) if _same_quote(citation, other)), None)
    if twin is None:
        citations.append(citation)
        return citation
    same = citations[twin]
    marks = tuple(dict.fromkeys((*same.marks, *citation.marks)))
    claims = tuple(dict.fromkeys((*same.claims, *citation.claims)))
    citations[twin] = replace(same, marks=marks, claims=claims)
    return citations[twin]


def _same_quote(one: Citation, other: Citation) -> bool:
    return (one.source, one.start, one.end) == (other.source, other.start, other.end)


def _citation(number: int, passage: Passage, piece: Copied, claim: tuple[int, int] | None) -> Citation:
    """Return the footnote for a span that bears out this part of the answer: the sentences or lines it stands in."""
    start, end = piece.quoted or (piece.start, piece.end)
    for first, last, _ in () if piece.quoted else quotable(passage):
        if first < piece.end and piece.start < last:
            start, end = min(start, first), max(end, last)
    marked = piece.mark or (piece.start, piece.end)
    page, line = passage.place(start)
    return Citation(
        number=number,
        source=passage.source,
        sha256=passage.sha256,
        page=page,
        start=passage.start + start,
        end=passage.start + end,
        quote=passage.text[start:end],
        line=line,
        title=passage.name,
        page_name=passage.page_names.get(page, "") if page is not None else "",
        marks=((marked[0] - start, marked[1] - start),),
        claims=() if claim is None else (claim,),
    )


def _shares(laps: Mapping[str, float], of: int) -> dict[str, float]:
    return {stage: ms / of for stage, ms in laps.items()}


class _Clock:
    """Takes the time of each stage, in milliseconds."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = (now - self._last) * 1000
        self._last = now
