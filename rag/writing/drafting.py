"""What a model wrote, made into a draft: sentence by sentence, with what the passages bear out and what they do not.

Knows text and passages, and no model. The numbers that the text cites are hints: what a sentence is given as evidence
is what bears it out (`rag.writing.support`), and a number that no passage has is dropped.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.characters import clean
from indexer.errors import UsageError
from indexer.sentences import sentences
from rag.generator import Copied, Draft, Written
from rag.types import Passage
from rag.writing.prompting import REFUSAL
from rag.writing.support import Evidence

THRESHOLD = 0.25
"""Least confidence to answer at; a choice, since nothing was fitted: half of it borne out, said half surely."""
MAX_TEXT = 8000
"""Characters of an answer that are read; the rest is dropped."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without the marks of its citations, with the space behind it, and the numbers that it cites."""

    text: str
    cites: tuple[int, ...]


def draft_of(text: str, question: str, passages: Sequence[Passage], mean_log_probability: float | None = None) -> Draft:
    """Return the draft that `text` makes, an answer to `question` written from `passages`, numbered from 1.

    Each sentence is looked up in the passages that it cites together and, where they do not bear it out, in each of the
    others: evidence counts, not the number. Sentences that say that there is no answer are left out.

    The confidence is s * p: s is the share of the text, in characters, that is borne out; p is the geometric mean of
    the tokens' probabilities, exp(`mean_log_probability`), or 1 where they are not known. It is fitted to nothing.
    """
    evidence = Evidence(question, passages)
    pieces: list[Written] = []
    for sentence in cited_sentences(text):
        found = _evidence_for(sentence, evidence, len(passages))
        if found or not refuses(sentence.text):
            pieces.append(Written(sentence.text, bool(found), found))
    if not pieces:
        return Draft((), 0.0)
    pieces[-1] = replace(pieces[-1], text=pieces[-1].text.rstrip())
    borne_out = sum(len(piece.text) for piece in pieces if piece.supported)
    numbers = {"supported": borne_out / sum(len(piece.text) for piece in pieces)}
    if mean_log_probability is not None:
        numbers["token_probability"] = math.exp(min(0.0, mean_log_probability))
    return Draft(tuple(pieces), numbers["supported"] * numbers.get("token_probability", 1.0), numbers)


def _evidence_for(sentence: Sentence, evidence: Evidence, count: int) -> tuple[Copied, ...]:
    cited = [number - 1 for number in sentence.cites if number <= count]
    others = [[number] for number in range(count) if cited != [number]]
    found = (evidence.of(sentence.text, group) for group in [cited, *others])
    return next(filter(None, found), ())


def threshold(name: str, max_error: float | None) -> float:
    """Return the least confidence to answer at, for a generator whose confidence is fitted to nothing.

    Raises UsageError when a share of errors is to be kept.
    """
    if max_error is None:
        return THRESHOLD
    raise UsageError(
        f"The confidence of the generator {name!r} is not calibrated, so that no share of errors can be promised.",
        "Leave out --max-error, or take a generator that is: --generator quoting",
    )


# Sentences and citations

_THOUGHTS = re.compile(r"\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
_NUMBERS = r"\d{1,3}(?:\s?(?:[,;&–-]|and)\s?\d{1,3})*"
_CITATION = re.compile(
    rf" ?[\[【]\s?(?:(?:passages?|sources?|documents?)\s)?\^?({_NUMBERS})(?:†[^\[\]【】\n]{{0,60}})?\s?[\]】]",
    re.IGNORECASE,
)


def cited_sentences(text: str) -> list[Sentence]:
    """Return the sentences of what a model wrote; what it thought before (in <think>) is left out.

    A citation (`[1]`, `[1, 2]`, `[1-3]`, `[Passage 1]`) belongs to the sentence that it stands in or behind; at the
    beginning of a line, to the one that it stands before. Characters that no document may hold, such as controls of
    the terminal or of the writing direction, are taken out.
    """
    cleaned = clean(_THOUGHTS.sub("", text[:MAX_TEXT], count=1), Counter(), mojibake=False)
    bare, marks = _without_marks(re.sub(r"[^\S\n]+", " ", cleaned).strip())
    spans = sentences(bare)
    cites: list[list[int]] = [[] for _ in spans]
    for place, numbers in marks:
        before = place == 0 or bare[place - 1] == "\n"
        begun = sum(start <= place if before else start < place for start, _ in spans)
        if spans:
            cites[max(0, begun - 1)] += numbers
    ends = [*(start for start, _ in spans[1:]), len(bare)]
    return [
        Sentence(bare[start:end], tuple(dict.fromkeys(each)))
        for (start, _), end, each in zip(spans, ends, cites, strict=False)
    ]


def _without_marks(text: str) -> tuple[str, list[tuple[int, list[int]]]]:
    """Return the text without citations, and where each stood in it, with its numbers."""
    bare, marks, done = "", [], 0
    for match in _CITATION.finditer(text):
        bare += text[done : match.start()]
        marks.append((len(bare), _cited_numbers(match[1])))
        done = match.end()
        if bare[-1:] in ("", "\n"):
            done += text[done : done + 1] == " "
    return bare + text[done:], marks


def _cited_numbers(cited: str) -> list[int]:
    found: list[int] = []
    for part in re.split(r"[,;&]|and", re.sub(r"\s", "", cited.lower())):
        first, _, last = part.replace("–", "-").partition("-")
        found += range(int(first), int((last or first).split("-")[0]) + 1)
    return [number for number in found if number > 0]


# Refusals

_DOCUMENTS = r"\b(?:passages?|documents?|texts?|sources?|context|information)\b"
_SAY = r"(?:say|state|contain|hold|mention|provide|specify|include|answer|give|tell|indicate|discuss|address)"
_NOTHING_SAID = re.compile(
    rf"{_DOCUMENTS}[^.\n]{{0,40}}?\b(?:do|does|did)(?: not|n['’]t) (?:\w+ )?{_SAY}"
    rf"|{_DOCUMENTS}[^.\n]{{0,40}}? no (?:answer|information|mention)\b"
    rf"|\bnot (?:mentioned|stated|specified|given|provided|found|said) (?:in|by) [^.\n]{{0,20}}?{_DOCUMENTS}"
    r"|\b(?:cannot|can['’]t|could not|unable to) (?:be )?(?:answer|determine)|\b(?:i|we) (?:do not|don['’]t) know\b"
    r"|\b(?:not enough|insufficient) information\b|\bunanswerable\b",
    re.IGNORECASE,
)


def refuses(sentence: str) -> bool:
    """Return whether a sentence says that there is no answer, in the words asked for or in usual ones."""
    return _letters(sentence) == _letters(REFUSAL) or _NOTHING_SAID.search(sentence) is not None


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
