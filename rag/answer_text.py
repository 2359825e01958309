"""An answer as text with its footnotes below it: as Markdown ([^1], as GitHub and Pandoc write them), or plain ([1]).

It says what `showing.py` shows on a terminal. What documents hold is read and never becomes markup: whatever shows the
Markdown fetches nothing. Of a document in Markdown, code inside of lines stays code, and its other marks are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from indexer.pages import page_place
from indexer.plurals import counted
from indexer.screen import flowed, near, shown
from rag.excerpts import around, excerpt
from rag.joining import concludes
from rag.markdown_marks import Span, bare_code, code_spans, has_marks, left, marks, unmarked
from rag.showing import NEAREST, QUOTE, footnote_numbers, is_span
from rag.types import Answer, Citation, Passage

Naming = Callable[[str, str], str]
"""Returns what a document is called for people, from its source and its title."""
_SPECIAL = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)|(?m:^\s{0,3}#{1,6}(?=\s))")
_ALONE = re.compile(r"\s*[-*+•]\s+(?=[^\n]+\Z)")
"""The mark of a list's item that is quoted without the others."""
_LISTED = re.compile(r"\s*(?:[-+*•]|\d+[.)])\s")


def usual_name(source: str, title: str) -> str:
    """Return the title, or the name of the file."""
    return title or PurePath(source).name or source


def title_and_path(source: str, title: str) -> str:
    """Return the title and the path, as seen from the working folder where that is shorter."""
    title = unmarked(title, source)
    return f"{title}, {near(source)}" if title and title != source else near(source)


def answer_markdown(answer: Answer, name: Naming = title_and_path) -> str:
    """Return an answer, the closest evidence, or that nothing bears on the question; with its footnotes below."""
    return _Writer(answer, name, _MARKDOWN).whole()


def answer_plain(answer: Answer, name: Naming = title_and_path) -> str:
    """Return the same as plain text, which holds no mark of Markdown."""
    return _Writer(answer, name, _PLAIN).whole()


def heading(question: str) -> str:
    """Return a question as the heading of its answer, in Markdown."""
    return f"## {_escaped(' '.join(question.split()))}"


def excerpt_of(passage: Passage, answer: Answer) -> str:
    """Return the one or two parts of a passage that fit the question best."""
    spans = excerpt(passage, answer.read_as or answer.question)
    return " … ".join(passage.text[start:end] for start, end in spans)


def place_of(place: Passage | Citation) -> str:
    """Return where it stands, to follow a name: ", page 4" or ", line 7"; "" where there is neither."""
    if place.page is not None:
        return f", {page_place(place.source, place.page, place.page_name)}"
    return f", line {place.line}" if place.line is not None else ""


@dataclass(frozen=True, slots=True)
class _Style:
    """How Markdown, or plain text, writes the parts of an answer."""

    text: Callable[[str], str]
    """Writes words so that none of them is markup."""
    bold: Callable[[str], str]
    aside: Callable[[str], str]
    """Writes what the program says about the answer."""
    reference: str
    """A footnote's number in the text; with a colon behind it, it begins the footnote."""
    note: str
    keeps_code: bool
    """Whether code inside of lines keeps its marks."""
    line_break: str
    """What ends a line inside of a paragraph, before the line end."""
    fence: Callable[[Sequence[str]], list[str]]
    """Returns the lines around a block of code."""


def _escaped(text: str) -> str:
    return _SPECIAL.sub(
        lambda mark: "\\" + mark[0] if mark[0].strip("# ") else mark[0].replace("#", "\\#", 1), shown(text)
    )


def _bold(text: str) -> str:
    """Return text in bold; a space inside of the stars would undo them."""
    words = text.strip()
    if not words:
        return text
    before, after = text[: text.index(words[0])], text[len(text.rstrip()) :]
    return f"{before}**{words}**{after}"


def _fence(code: Sequence[str]) -> list[str]:
    """Return a line of backticks that no line of the code can close."""
    return ["`" * max(3, 1 + max(map(len, re.findall(r"`+", "\n".join(code))), default=0))]


def _as_it_is(text: str) -> str:
    return text


_MARKDOWN = _Style(
    _escaped, _bold, lambda text: f"*{text}*", "[^{}]", "[^{}]: ", keeps_code=True, line_break="  ", fence=_fence
)
_PLAIN = _Style(
    shown, _as_it_is, _as_it_is, " [{}]", "[{}] ", keeps_code=False, line_break="", fence=lambda code: []
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one answer in one style."""

    answer: Answer
    name: Naming
    style: _Style

    def whole(self) -> str:
        answer, style = self.answer, self.style
        parts = [style.aside(f"read as: {style.text(answer.read_as)}")] if answer.read_as else []
        if answer.outcome == "none":
            parts.append(style.bold(style.text(answer.refusal)))
        else:
            parts += [style.aside("Not sure. The closest is:")] * (answer.outcome == "unsure")
            parts += self._body()
            parts += [
                f"Not borne out by the documents: {style.aside(style.text(answer.text[start:end].strip()))}"
                for start, end in answer.unsupported
            ]
        if answer.meant:
            parts.append(f"Did you mean: {style.aside(style.text(answer.meant))}")
        parts += map(style.text, answer.remarks)
        if answer.outcome != "none" or answer.passages:
            parts.append(self._confidence())
        if answer.outcome == "none":
            parts += self._nearest()
        notes = "\n".join(map(self._note, answer.citations))
        return "\n\n".join([*parts, *([notes] if notes else [])])

    def _confidence(self) -> str:
        answer = self.answer
        looked = f"; looked at {counted(answer.documents, 'document')}" if answer.documents else ""
        generator = self.style.text(answer.generator)
        return self.style.aside(f"confidence {answer.confidence:.0%}, by the {generator} generator{looked}")

    def _body(self) -> list[str]:
        if is_span(self.answer):
            return [self._sentences()]
        sentences = [self._sentences()] if concludes(self.answer.text) else []
        lines = list(self._lines())
        kept = [
            line for before, line in zip(["", *lines], lines, strict=False) if line or before
        ]  # one empty line each
        return ["\n".join(kept).strip("\n"), *sentences]

    def _sentences(self) -> str:
        """Return the sentence of each quotation that the answer rests on, with its words in bold."""
        return " ".join(
            self._quoted(citation) + self.style.reference.format(citation.number)
            for citation in self.answer.citations
            if citation.claims
        )

    def _quoted(self, citation: Citation) -> str:
        """Return a quotation, shortened around its marks, and the marks in bold where they are not all of it."""
        quote = citation.quote
        start, end = around(quote, citation.marks, QUOTE)
        is_all = sum(last - first for first, last in citation.marks) > 0.9 * len(quote)
        words = () if is_all else citation.marks
        alone = _ALONE.match(quote)
        begin = alone.end() if alone is not None and not start else start
        text = self._with_bold(quote, (begin, end), words, has_marks(citation.source)).strip()
        return ("… " if start else "") + text + (" …" if end < len(quote) else "")

    def _with_bold(self, text: str, part: Span, words: Sequence[Span], of_markdown: bool = False) -> str:
        """Return a part of a text with these words in bold, and with nothing of it as markup.

        Of Markdown the marks are left out, so that none is shown, and code inside of lines stays code.
        """
        start, end = part
        code = code_spans(text) if of_markdown and self.style.keeps_code else []
        removed = marks(text, code=not self.style.keeps_code) if of_markdown else []
        pieces, done = [], start
        for first, last in sorted(words):
            first, last = max(first, done), min(last, end)
            if first < last:
                pieces += [
                    self._literal(text, (done, first), removed, code),
                    self.style.bold(self._literal(text, (first, last), removed, code)),
                ]
                done = last
        return "".join([*pieces, self._literal(text, (done, end), removed, code)])

    def _literal(self, text: str, part: Span, removed: Sequence[Span], code: Sequence[Span]) -> str:
        """Return a part of a text without what is removed, and with the code that lies in it whole as it is."""
        line = flowed(text).replace("\n", " ")
        written, done = "", part[0]
        for start, end in code:
            if part[0] <= start and end <= part[1]:
                written += self._left(line, (done, start), removed) + shown(line[start:end])
                done = end
        return written + self._left(line, (done, part[1]), removed)

    def _left(self, line: str, part: Span, removed: Sequence[Span]) -> str:
        return self.style.text(re.sub(" {2,}", " ", "".join(line[start:end] for start, end in left(*part, removed))))

    def _lines(self) -> Iterator[str]:
        """Yield the text by its lines with the numbers of its footnotes; a block of code is one."""
        answer = self.answer
        numbers, start, code = footnote_numbers(answer), 0, list[str]()
        pending: list[int] = []
        every = answer.text.split("\n")
        for position, words in enumerate(every):
            end = start + len(words)
            ends = [at for at in sorted(numbers) if start < at <= end]
            if any(first <= start < last or start <= first < end for first, last in answer.code):
                code.append(shown(words))
                pending += ends
            else:
                yield from self._block(code, [numbers[at] for at in pending])
                code, pending = [], []
                line, done = "", start
                for at in ends:
                    line += self._styled(done, at) + self._references(numbers[at])
                    done = at
                line += self._styled(done, end)
                then = every[position + 1] if position + 1 < len(every) else ""
                breaks = line and then.strip() and not _LISTED.match(then)
                yield line + (self.style.line_break if breaks else "")
            start = end + 1
        yield from self._block(code, [numbers[at] for at in pending])

    def _block(self, lines: Sequence[str], numbers: Sequence[str]) -> Iterator[str]:
        code = bare_code(lines)
        if code:
            fence = self.style.fence(code)
            references = self._references("".join(numbers)).strip()
            yield ""
            yield "\n".join([*fence, *code, *fence, *([references] if references else [])])
            yield ""

    def _styled(self, start: int, end: int) -> str:
        """Return a part of the text, with what was written ("Yes.", the name of a document) in bold."""
        answer = self.answer
        listed = _LISTED.match(answer.text, start, end) if answer.text[start - 1 : start] in ("", "\n") else None
        begin = listed.end() if listed is not None else start
        head = answer.text[start:begin].replace("•", "-")
        sources = {citation.number: citation.source for citation in answer.citations}
        copied = [sources[part.citation] for part in answer.copied if part.start < end and begin < part.end]
        return head + self._with_bold(answer.text, (begin, end), list(answer.written), any(map(has_marks, copied)))

    def _references(self, numbers: str) -> str:
        return re.sub(r"\[(\d+)\]", lambda found: self.style.reference.format(found[1]), numbers)

    def _note(self, citation: Citation) -> str:
        where = f"{self.name(citation.source, citation.title)}{place_of(citation)}"
        return f"{self.style.note.format(citation.number)}{self.style.text(where)}: “{self._quoted(citation)}”"

    def _nearest(self) -> list[str]:
        found = []
        for passage in self.answer.passages[:NEAREST]:
            spans = excerpt(passage, self.answer.read_as or self.answer.question)
            of_markdown = has_marks(passage.source)
            text = " … ".join(self._with_bold(passage.text, span, [], of_markdown) for span in spans)
            where = self.style.text(f"{self.name(passage.source, passage.title)}{place_of(passage)}")
            found.append(f"- {where}: {text}")
        return ["The nearest passages:", "\n".join(found)] if found else []
