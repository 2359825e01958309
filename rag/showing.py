"""Passages and answers as a person reads them on a terminal. What documents hold is shown, never obeyed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from indexer.plurals import counted
from indexer.screen import flowed, near, place, plain, show_wrapped
from rag.joining import concludes, is_joining
from rag.links import linked
from rag.markdown_marks import Span, has_marks, is_fence, left, marks, unmarked

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from rag.types import Answer, Citation, Passage

QUOTE = 320
"""Longest quotation that is shown, in characters: what surrounds its marks is left out beyond that."""
NEAREST = 3
"""Passages that are shown where there is no answer."""


def show_passage(console: Console, rank: int, passage: Passage, question: str, explain: bool = False) -> None:
    """Print the part of a passage that fits `question`, under its heading and its place.

    With `explain`, it says how either arm ranked it.
    """
    name = unmarked(passage.context or passage.name, passage.source)
    head = plain(f"{rank}. ", "bold") + plain(name, "bold")
    show_wrapped(console, head + plain(f"  {passage.score:.3f}", "dim"))
    where = plain(place(passage.source, passage.page, passage.line, passage.page_name), "cyan")
    console.print(plain("   ") + linked(console, where, passage.source), soft_wrap=True)
    for twin in passage.also_in:
        console.print(plain(f"   also in {near(twin)}", "dim"), soft_wrap=True)
    if explain:
        console.print(plain(f"   {_explained(passage)}", "dim"))
    show_wrapped(console, _excerpt(passage, question), 3)
    console.print()


def _excerpt(passage: Passage, question: str) -> Text:
    """Return the sentences of a passage that fit a question, with its words marked."""
    from rag.excerpts import excerpt, matches

    spans = excerpt(passage, question)
    words = matches(passage.text, question)
    removed = _marks(passage.text, passage.source)
    parts = [_marked(passage.text, span, words, removed) for span in spans]
    between = [
        " " if not passage.text[one[1] : other[0]].strip() else " … " for one, other in itertools.pairwise(spans)
    ]
    text = plain("")
    for part, gap in zip(parts, [*between, ""], strict=False):
        text += part + plain(gap)
    more_before = bool(spans) and bool(passage.text[: spans[0][0]].strip())
    more_after = bool(spans) and bool(passage.text[spans[-1][1] :].strip())
    return plain("… " if more_before else "") + text + plain(" …" if more_after else "")


def _marks(text: str, source: str) -> list[Span]:
    """Return the marks of Markdown in what a source says, which are not shown; none where it is no Markdown."""
    return marks(text) if has_marks(source) else []


def _marked(text: str, span: Span, words: Iterable[Span], removed: Sequence[Span], style: str = "bold") -> Text:
    """Return a part of a text without what is removed, and with the words that lie in it in that style."""
    start, end = span
    part = plain(flowed(text[start:end]))
    for first, last in words:
        if max(first, start) < min(last, end):
            part.stylize(style, max(first, start) - start, min(last, end) - start)
    return _without(part, 0, end - start, [(first - start, last - start) for first, last in removed])


def _without(text: Text, start: int, end: int, removed: Sequence[Span]) -> Text:
    """Return a part of a styled text without what is removed."""
    return plain("").join([text[first:last] for first, last in left(start, end, removed)])


def _explained(passage: Passage) -> str:
    origin = passage.origin
    words = f"words: rank {origin.words_rank}, BM25 {origin.words_score:.2f}" if origin.words_rank else "words: -"
    dense = f"meaning: rank {origin.dense_rank}, cosine {origin.dense_score:.3f}" if origin.dense_rank else "meaning: -"
    matched = f"; matched {', '.join(origin.matched)}" if origin.matched else ""
    return f"{words}; {dense}{matched}"


# Answers


def show_answer(console: Console, answer: Answer, explain: bool) -> None:
    """Print an answer, the closest evidence, or that nothing bears on the question; each with where it stands."""
    if answer.read_as:
        show_wrapped(console, plain(f"read as: {answer.read_as}", "dim"))
    {"answer": _show_given, "unsure": _show_closest, "none": _show_nothing}[answer.outcome](console, answer)
    if explain:
        for rank, passage in enumerate(answer.passages, 1):
            show_passage(console, rank, passage, _asked(answer), True)
        spent = ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in answer.timings_ms.items())
        console.print(plain(spent, "dim"))


def _show_given(console: Console, answer: Answer) -> None:
    said = _show_body(console, answer)
    for start, end in answer.unsupported:
        unsure = plain(f'not borne out by the documents: "{answer.text[start:end].strip()}"', "yellow")
        show_wrapped(console, unsure)
    looked = f"; looked at {counted(answer.documents, 'document')}" if answer.documents else ""
    maker = f"confidence {answer.confidence:.0%}, by the {answer.generator} generator{looked}"
    show_wrapped(console, plain(maker, "dim"))
    _show_notes(console, answer)
    console.print()
    _show_footnotes(console, answer, said)


def _show_closest(console: Console, answer: Answer) -> None:
    console.print(plain("Not sure. The closest is:", "bold yellow"))
    said = _show_body(console, answer)
    show_wrapped(console, plain(f"confidence {answer.confidence:.0%}: too little to call it an answer", "dim"))
    _show_meant(console, answer)
    _show_notes(console, answer)
    console.print()
    _show_footnotes(console, answer, said)
    others = [passage for passage in answer.passages if not _is_quoted(passage, answer.citations)]
    if others:
        console.print(plain("The passages after it:", "dim"))
        _show_nearest(console, answer, others)


def _show_nothing(console: Console, answer: Answer) -> None:
    show_wrapped(console, plain(answer.refusal, "bold"))
    _show_meant(console, answer)
    _show_notes(console, answer)
    if not answer.passages:
        return
    nearest = f"confidence in the best answer {answer.confidence:.0%}. The nearest passages:"
    show_wrapped(console, plain(nearest, "dim"))
    console.print()
    _show_nearest(console, answer, answer.passages)


def _show_nearest(console: Console, answer: Answer, passages: Sequence[Passage]) -> None:
    for rank, passage in enumerate(passages[:NEAREST], 1):
        show_passage(console, rank, passage, _asked(answer))


def _show_meant(console: Console, answer: Answer) -> None:
    if answer.meant:
        show_wrapped(console, plain(f"Did you mean: {answer.meant}", "cyan"))


def _show_notes(console: Console, answer: Answer) -> None:
    for note in answer.remarks:
        show_wrapped(console, plain(note, "dim"))


def _asked(answer: Answer) -> str:
    return answer.read_as or answer.question


def _is_quoted(passage: Passage, citations: Iterable[Citation]) -> bool:
    return any(
        citation.source == passage.source and citation.start < passage.end and passage.start < citation.end
        for citation in citations
    )


# What is read first

_SENTENCES = frozenset({"fact", "field"})
"""Forms whose text is a span: it is shown in its sentence."""


def _show_body(console: Console, answer: Answer) -> str:
    """Print what is read first, and return its words."""
    if is_span(answer):
        return _show_sentences(console, answer)
    for line, is_code in _lines(answer):
        if is_code:
            console.print(line, soft_wrap=True)
        else:
            show_wrapped(console, line)
    alone = concludes(answer.text)
    body = "".join(answer.text[start:end] for start, end in left(0, len(answer.text), marks_in_answer(answer)))
    return body + (_show_sentences(console, answer) if alone else "")


def is_span(answer: Answer) -> bool:
    """Tell whether the text is a span, or a conclusion that nobody can be sure of: then its sentence says more.

    Lines of code are none: they stay lines.
    """
    if any("\n" in answer.text[start:end] for start, end in answer.code):
        return False
    if answer.form == "yes-no" and answer.outcome == "unsure":
        return True
    copies = bool(answer.copied) and all(is_joining(answer.text[start:end]) for start, end in answer.written)
    return answer.form in _SENTENCES and copies


def _show_sentences(console: Console, answer: Answer) -> str:
    """Print the sentence of each quotation that the answer rests on, with its words in bold; return the sentences."""
    said = []
    for citation in answer.citations:
        if citation.claims:
            sentence = _quoted(citation, "bold")
            said.append(sentence.plain)
            show_wrapped(console, sentence + plain(f" [{citation.number}]", "cyan"))
    return " ".join(said)


def _lines(answer: Answer) -> Iterator[tuple[Text, bool]]:
    """Yield the text by its lines with the numbers of its footnotes, and for each whether it is code."""
    text, numbers, start = _styled(answer), footnote_numbers(answer), 0
    removed = marks_in_answer(answer)
    for words in answer.text.split("\n"):
        end = start + len(words)
        ends = [place for place in sorted(numbers) if start < place <= end]
        if any(first <= start < last or start <= first < end for first, last in answer.code):
            if not is_fence(words):
                yield text[start:end], True  # numbers would become part of it: they stand below
            if ends:
                yield plain("".join(numbers[place] for place in ends), "cyan"), False
        else:
            line, done = plain(""), start
            for place in ends:
                line += _without(text, done, place, removed) + plain(f" {numbers[place]}", "cyan")
                done = place
            line += _without(text, done, end, removed)
            if line.plain or not words:  # what is all marks is no line
                yield line, False
        start = end + 1


def marks_in_answer(answer: Answer) -> list[Span]:
    """Return the marks of Markdown in the parts of an answer that were copied from such files, code apart."""
    sources = {citation.number: citation.source for citation in answer.citations}
    found = []
    for part in answer.copied:
        if has_marks(sources.get(part.citation, "")):
            inside = marks(answer.text[part.start : part.end])
            found += [(part.start + start, part.start + end) for start, end in inside]
    found = [span for span in found if not any(start < span[1] and span[0] < end for start, end in answer.code)]
    return sorted(found)


def _styled(answer: Answer) -> Text:
    """Return the text with what was written in bold, be it an answer, "Yes." or the name of a document."""
    text = plain(answer.text)
    for start, end in answer.written:
        text.stylize("bold", start, end)
    for start, end in answer.unsupported:
        text.stylize("yellow", start, end)
    return text


def footnote_numbers(answer: Answer) -> dict[int, str]:
    """Return the numbers of the footnotes by where they stand: behind what they bear out.

    Where the items of a list come from one place one after the other, the last has the number.
    """
    numbers: dict[int, str] = {}
    for citation in answer.citations:
        for _, end in citation.claims:
            numbers[end] = numbers.get(end, "") + f"[{citation.number}]"
    if answer.form != "list":
        return numbers
    ends = sorted(numbers)
    return {
        end: numbers[end]
        for place, end in enumerate(ends)
        if place + 1 == len(ends) or numbers[ends[place + 1]] != numbers[end]
    }


# Footnotes


def _show_footnotes(console: Console, answer: Answer, said: str) -> None:
    """Print where the quotations stand, those that are no part of the answer last; and what `said` does not show."""
    shown = " ".join(said.split())
    for citation in answer.citations:
        if citation.claims:
            _show_citation(console, citation, shown)
    also = [citation for citation in answer.citations if not citation.claims]
    if also:
        console.print(plain("See also", "bold"))
    for citation in also:
        _show_citation(console, citation, shown)


def _show_citation(console: Console, citation: Citation, shown: str) -> None:
    where = plain(place(citation.source, citation.page, citation.line, citation.page_name), "cyan")
    title = unmarked(citation.title, citation.source)
    console.print(
        plain(f"[{citation.number}] ", "cyan") + plain(f"{title}, " if title else "", "bold")
        + linked(console, where, citation.source),
        soft_wrap=True,
    )  # fmt: skip
    quote = _quoted(citation, "bold underline")
    if " ".join(quote.plain.split()) not in shown:
        show_wrapped(console, quote, 4)
    console.print()


def _quoted(citation: Citation, style: str) -> Text:
    """Return a quotation, shortened around its marks, and the marks in that style where they are not all of it."""
    from rag.excerpts import around

    quote = citation.quote
    start, end = around(quote, citation.marks, QUOTE)
    words = [(first, last) for first, last in citation.marks if last - first < len(quote)]
    text = _marked(quote, (start, end), words, _marks(quote, citation.source), style)
    return plain("… " if start else "") + text + plain(" …" if end < len(quote) else "")
