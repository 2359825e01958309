"""Whether passages bear out a sentence: a lexical measure, and the sentences of the passages that do it.

What is measured is coverage (Grusky et al. 2018, https://arxiv.org/abs/1804.11283): which terms of a sentence stand in
what is quoted for it. It is strict where being wrong costs most (numbers, names, "not") and knows no synonyms: what it
bears out was said in nearly these words, and what it does not may still be true. The rules and the share were chosen on
questions of SQuAD's training set, see docs/experiments.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.generator import Copied
from rag.quoting.quotable import quotable
from rag.terms import Terms, lower_case_words, terms
from rag.types import Passage

SUPPORT = 0.5
"""Share of a sentence's terms that the quotes must hold, and of those among them that the question has too."""
FEW = 3
"""Terms below which a sentence says something only together with its question, and a share of them says little."""


@dataclass(frozen=True, slots=True)
class _Quote:
    span: Copied
    terms: Terms
    above: frozenset[str]
    """The words of the passage's title and headings."""
    passage: frozenset[str]
    """The words of the whole passage."""


@dataclass(frozen=True, slots=True)
class _Cover:
    """What some quotes hold of a sentence."""

    missing: int
    """Numbers, names and denials that they do not hold."""
    added: int
    """Terms that they hold and the question does not."""
    share: float
    """Of the sentence's terms, or of those that the question has too: the lower one."""
    asked: int
    """Terms of the question that they hold."""

    @property
    def worth(self) -> tuple[float, ...]:
        return -self.missing, self.added, self.share, self.asked


class Evidence:
    """What can be quoted of some passages, looked up for one sentence after the other."""

    def __init__(self, question: str, passages: Sequence[Passage]) -> None:
        self._asked = terms(question).words
        self._common = lower_case_words(question).union(*(lower_case_words(passage.text) for passage in passages))
        self._quotes: list[_Quote] = []
        for number, passage in enumerate(passages):
            above = terms(f"{passage.name} {passage.context}").words
            parts = [
                (Copied(number, start, end), passage.text[start:end], kind) for start, end, kind in quotable(passage)
            ]
            said = [(span, terms(text)) for span, text, kind in parts if kind != "heading" and text[-1] != "?"]
            words = above.union(*(each.words for _, each in said))
            self._quotes += [_Quote(span, each, above, words) for span, each in said]

    def of(self, sentence: str, numbers: Sequence[int]) -> tuple[Copied, ...]:
        """Return quotes that together bear out `sentence`, at most one of each passage in `numbers` (from 0).

        None where they do not. They do when they or their headings hold each of its numbers and names (a name of the
        question may stand elsewhere in the passage); when both deny or neither does; and when they hold a share
        `SUPPORT` of its other terms, and as much of those that it repeats from the question; all of them where they are
        few or all the question's, and then something of the question, too. What stands in the headings only counts
        neither for nor against it.
        """
        said = terms(sentence, self._common)
        fit = [quote for quote in self._quotes if quote.span.passage in numbers and not _contradicts(quote, said)]
        chosen: list[_Quote] = []
        cover = self._cover(said, [])
        while fit:
            covers = [self._cover(said, [*chosen, quote]) for quote in fit]
            best = max(range(len(fit)), key=lambda i: covers[i].worth)  # the first of several
            if chosen and covers[best].worth[:2] <= cover.worth[:2]:
                break  # a further passage is quoted only for what the sentence adds to the question
            cover = covers[best]
            chosen.append(fit[best])
            if self._bears_out(cover, said):
                return tuple(quote.span for quote in chosen)
            fit = [quote for quote in fit if quote.span.passage != fit[best].span.passage]
        return ()

    def _cover(self, said: Terms, quotes: Sequence[_Quote]) -> _Cover:
        held = frozenset[str]().union(*(quote.terms.words for quote in quotes))
        elsewhere = frozenset[str]().union(*(quote.passage for quote in quotes)) & said.names & self._asked
        elsewhere = elsewhere.union(*(quote.above for quote in quotes))
        missing = len((said.names | said.numbers) - held - elsewhere)
        missing += said.denies and not any(quote.terms.denies for quote in quotes)
        own = said.words - (elsewhere - held)
        return _Cover(
            missing=missing,
            added=len((own & held) - self._asked),
            share=min(_share(own, held), _share(own & self._asked, held)) if own else 0.0,
            asked=len(self._asked & (held | elsewhere)),
        )

    def _bears_out(self, cover: _Cover, said: Terms) -> bool:
        few = len(said.words) < FEW
        least = 1.0 if few or said.words <= self._asked else SUPPORT
        return not cover.missing and cover.share >= least and bool(cover.asked or not few or not self._asked)


def _share(wanted: frozenset[str], held: frozenset[str]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 1.0


def _contradicts(quote: _Quote, said: Terms) -> bool:
    return not said.denies and bool(quote.terms.denied & said.words)
