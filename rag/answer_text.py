"""An answer as text with its footnotes below: as Markdown for chat clients and notebooks, and plain for `print`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from indexer.pages import page_place
from rag.excerpts import excerpt
from rag.types import Answer, Citation, Passage

Naming = Callable[[str, str], str]
"""Returns what a document is called for people, from its source and its title."""
NEAREST = 3
"""Passages that are shown where there is no answer."""


def usual_name(source: str, title: str) -> str:
    """Return the title, or the name of the file."""
    return title or PurePath(source).name or source


def answer_markdown(answer: Answer, name: Naming = usual_name) -> str:
    """Return an answer as Markdown, its footnotes below; or the closest evidence, or the nearest passages.

    What comes from documents cannot become an image, a link or HTML: whatever shows it fetches nothing.
    """
    return _Text(answer, name, _tame, _fenced).whole()


def answer_plain(answer: Answer, name: Naming = usual_name) -> str:
    """Return an answer as plain text, its footnotes below; or the closest evidence, or the nearest passages."""
    return _Text(answer, name, lambda text: text, lambda code: code).whole()


@dataclass(frozen=True, slots=True)
class _Text:
    """One way to write an answer down."""

    answer: Answer
    name: Naming
    prose: Callable[[str], str]
    """Makes prose of a part of the answer."""
    code: Callable[[str], str]
    """Makes a block of code of a part of the answer."""

    def whole(self) -> str:
        first, *rest = {"answer": self._given, "unsure": self._closest, "none": self._nothing}[self.answer.outcome]()
        read_as = [f"Read as: {self.prose(self.answer.read_as)}"] if self.answer.read_as else []
        return "\n\n".join([first, *read_as, *map(self.prose, self.answer.remarks), *rest])

    def _given(self) -> list[str]:
        return [self._marked(), *self._footnotes()]

    def _closest(self) -> list[str]:
        """Return the closest evidence. Of "yes" and "no" only what it rests on is told: nobody is sure of it."""
        text = "" if self.answer.form == "yes-no" else self._marked()
        gap = "\n\n" if "\n" in text else " "
        return [f"Not sure. The closest is:{gap}{text}".rstrip(), *self._footnotes()]

    def _nothing(self) -> list[str]:
        nearest = [
            self._note(rank, each.source, each.title, place_of(each), excerpt_of(each, self.answer))
            for rank, each in enumerate(self.answer.passages[:NEAREST], 1)
        ]
        meant = [f"Did you mean: {self.prose(self.answer.meant)}"] if self.answer.meant else []
        return [self.answer.refusal, *meant, *(["The nearest:"] if nearest else []), *nearest]

    def _footnotes(self) -> list[str]:
        return [
            self._note(each.number, each.source, each.title, place_of(each), f"“{each.quote}”")
            for each in self.answer.citations
        ]

    def _note(self, number: int, source: str, title: str, where: str, text: str) -> str:
        return f"[{number}] " + self.prose(" ".join(f"{self.name(source, title)}{where}: {text}".split()))

    def _marked(self) -> str:
        """Return the text with the numbers of its footnotes behind what they bear out, and code as blocks."""
        whole, ends = self.answer.text, footnote_places(self.answer)
        text, done = "", 0
        for start, last in [*self.answer.code, (len(whole), len(whole))]:
            text += self._prose(done, start, ends)
            if start < last:
                text = f"{text.rstrip()}\n\n{self.code(whole[start:last])}\n"
                text += "".join(f"[{number}]" for end in sorted(ends) if start < end <= last for number in ends[end])
            done = last
        return text.strip("\n")

    def _prose(self, start: int, last: int, ends: Mapping[int, Sequence[int]]) -> str:
        """Return a part of the text with the numbers of its footnotes."""
        text, done = "", start
        for end in [place for place in sorted(ends) if start < place <= last]:
            text += self.prose(self.answer.text[done:end])
            text += " " * text.endswith(("!", "]"))  # or the number would make an image or a link of it
            text += "".join(f"[{number}]" for number in ends[end])
            done = end
        return text + self.prose(self.answer.text[done:last])


def footnote_places(answer: Answer) -> dict[int, list[int]]:
    """Return the numbers of the footnotes by the end of what they bear out."""
    ends: dict[int, list[int]] = {}
    for citation in answer.citations:
        for _, end in citation.claims:
            ends.setdefault(end, []).append(citation.number)
    return ends


def excerpt_of(passage: Passage, answer: Answer) -> str:
    """Return the one or two parts of a passage that fit the question best."""
    spans = excerpt(passage, answer.read_as or answer.question)
    return " … ".join(passage.text[start:end] for start, end in spans)


def place_of(place: Passage | Citation) -> str:
    """Return where it stands, to follow a name: ", page 4" or ", line 7"; "" where there is neither."""
    if place.page is not None:
        return f", {page_place(place.source, place.page, place.page_name)}"
    return f", line {place.line}" if place.line is not None else ""


def _fenced(code: str) -> str:
    """Return code as a block of Markdown, which nothing in it can end."""
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{code}\n{fence}"


_ACTIVE = re.compile(r"!(?=\[)|\](?=[(\[:])|<(?=[A-Za-z/!?])")


def _tame(text: str) -> str:
    r"""Return text in which nothing of Markdown makes an image, a link or HTML: `![` becomes `!\[`, `](` `]\(`.

    The backslash stands behind the first sign, where no backslash of the text's own can take its power.
    """
    return _ACTIVE.sub(lambda found: f"{found[0]}\\", text)
