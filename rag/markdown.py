"""An answer as Markdown: its sentence with the words in bold, its footnotes as GitHub and Pandoc write them ([^1]).

It shows what `showing.py` shows on a terminal. What documents hold is escaped: it is read, and never becomes markup. Of
a document in Markdown, code inside of lines stays code, and its other marks are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from indexer.plurals import counted
from indexer.screen import flowed, place, shown
from rag.joining import concludes
from rag.markdown_marks import Span, code_spans, is_markdown, left, marks, unmarked
from rag.showing import NEAREST, QUOTE, footnote_numbers, is_span
from rag.types import Answer, Citation

_SPECIAL = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)|(?m:^\s{0,3}#{1,6}(?=\s))")
_LISTED = re.compile(r"\s*(?:[-+*•]|\d+[.)])\s")


def answer_markdown(answer: Answer) -> str:
    """Return an answer, the closest evidence, or that nothing bears on the question; with its footnotes below."""
    parts = [f"*read as: {_escaped(answer.read_as)}*"] if answer.read_as else []
    if answer.outcome == "none":
        parts.append(f"**{_escaped(answer.refusal)}**")
    else:
        parts += ["*Not sure. The closest is:*"] * (answer.outcome == "unsure")
        parts += _body(answer)
        parts += [
            f"Not borne out by the documents: *{_escaped(answer.text[start:end].strip())}*"
            for start, end in answer.unsupported
        ]
    if answer.meant:
        parts.append(f"Did you mean: *{_escaped(answer.meant)}*")
    parts += [_escaped(note) for note in answer.remarks]
    if answer.outcome != "none" or answer.passages:
        parts.append(_confidence(answer))
    if answer.outcome == "none":
        parts += _nearest(answer)
    notes = "\n".join(_note(citation) for citation in answer.citations)
    return "\n\n".join([*parts, *([notes] if notes else [])]) + "\n"


def heading(question: str) -> str:
    """Return a question as the heading of its answer."""
    return f"## {_escaped(' '.join(question.split()))}\n"


def _confidence(answer: Answer) -> str:
    looked = f"; looked at {counted(answer.documents, 'document')}" if answer.documents else ""
    return f"*confidence {answer.confidence:.0%}, by the {_escaped(answer.generator)} generator{looked}*"


def _body(answer: Answer) -> list[str]:
    if is_span(answer):
        return [_sentences(answer)]
    sentences = [_sentences(answer)] if concludes(answer.text) else []
    return ["\n".join(_lines(answer)), *sentences]


def _sentences(answer: Answer) -> str:
    """Return the sentence of each quotation that the answer rests on, with its words in bold."""
    return " ".join(
        f"{_quoted(citation)}[^{citation.number}]" for citation in answer.citations if citation.claims
    )  # fmt: skip


def _quoted(citation: Citation) -> str:
    """Return a quotation, shortened around its marks, and the marks in bold where they are not all of it."""
    from rag.excerpts import around

    quote = citation.quote
    start, end = around(quote, citation.marks, QUOTE)
    words = [(first, last) for first, last in citation.marks if last - first < len(quote)]
    text = _with_bold(quote, (start, end), words, is_markdown(citation.source))
    return ("… " if start else "") + text + (" …" if end < len(quote) else "")


def _with_bold(text: str, part: Span, words: Sequence[Span], is_markdown: bool = False) -> str:
    """Return a part of a text with these words in bold, and with nothing of it as markup.

    Of Markdown the marks are left out, so that none is shown, and code inside of lines stays code.
    """
    start, end = part
    removed = marks(text, code=False) if is_markdown else []
    code = code_spans(text) if is_markdown else []
    pieces, done = [], start
    for first, last in sorted(words):
        first, last = max(first, done), min(last, end)
        if first < last:
            pieces += [
                _literal(text, (done, first), removed, code),
                _bold(_literal(text, (first, last), removed, code)),
            ]
            done = last
    return "".join([*pieces, _literal(text, (done, end), removed, code)])


def _literal(text: str, part: Span, removed: Sequence[Span], code: Sequence[Span]) -> str:
    """Return a part of a text escaped, without what is removed, and with the code that lies in it whole as it is."""
    line = _line(text)
    written, done = "", part[0]
    for start, end in code:
        if part[0] <= start and end <= part[1]:
            written += _plain(line, (done, start), removed) + shown(line[start:end])
            done = end
    return written + _plain(line, (done, part[1]), removed)


def _plain(line: str, part: Span, removed: Sequence[Span]) -> str:
    return _escaped("".join(line[start:end] for start, end in left(*part, removed)))


def _bold(text: str) -> str:
    """Return text in bold; a space inside of the stars would undo them."""
    words = text.strip()
    if not words:
        return text
    before, after = text[: text.index(words[0])], text[len(text.rstrip()) :]
    return f"{before}**{words}**{after}"


def _lines(answer: Answer) -> Iterator[str]:
    """Yield the text by its lines with the numbers of its footnotes; code stands between fences."""
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
            yield from _fenced(code, [numbers[at] for at in pending])
            code, pending = [], []
            line, done = "", start
            for at in ends:
                line += _styled(answer, done, at) + _marks(numbers[at])
                done = at
            line += _styled(answer, done, end)
            then = every[position + 1] if position + 1 < len(every) else ""
            breaks = line and then.strip() and not _LISTED.match(then)
            yield line + ("  " if breaks else "")
        start = end + 1
    yield from _fenced(code, [numbers[at] for at in pending])


def _fenced(code: Sequence[str], numbers: Sequence[str]) -> Iterator[str]:
    if code:
        fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", "\n".join(code))), default=0))
        yield from ("", fence, *code, fence, *([_marks("".join(numbers))] if numbers else []), "")


def _styled(answer: Answer, start: int, end: int) -> str:
    """Return a part of the text, with what was written ("Yes.", the name of a document) in bold."""
    listed = _LISTED.match(answer.text, start, end) if answer.text[start - 1 : start] in ("", "\n") else None
    begin = listed.end() if listed is not None else start
    head = answer.text[start:begin].replace("•", "-")
    sources = {citation.number: citation.source for citation in answer.citations}
    copied = [sources[part.citation] for part in answer.copied if part.start < end and begin < part.end]
    return head + _with_bold(answer.text, (begin, end), list(answer.written), any(map(is_markdown, copied)))


def _marks(numbers: str) -> str:
    return re.sub(r"\[(\d+)\]", r"[^\1]", numbers)


def _note(citation: Citation) -> str:
    title = f"{_escaped(unmarked(citation.title, citation.source))}, " if citation.title else ""
    where = _escaped(place(citation.source, citation.page, citation.line, citation.page_name))
    return f"[^{citation.number}]: {title}{where}: “{_quoted(citation)}”"


def _nearest(answer: Answer) -> list[str]:
    from rag.excerpts import excerpt

    found = []
    for passage in answer.passages[:NEAREST]:
        spans = excerpt(passage, answer.read_as or answer.question)
        of_markdown = is_markdown(passage.source)
        text = " … ".join(_with_bold(passage.text, span, [], of_markdown) for span in spans)
        where = _escaped(place(passage.source, passage.page, passage.line, passage.page_name))
        found.append(f"- {where}: {text}")
    return ["The nearest passages:", "\n".join(found)] if found else []


def _line(text: str) -> str:
    return flowed(text).replace("\n", " ")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(
        lambda mark: "\\" + mark[0] if mark[0].strip("# ") else mark[0].replace("#", "\\#", 1), shown(text)
    )
