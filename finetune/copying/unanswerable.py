"""Makes questions that a paragraph does not answer out of questions that it answers, by one small edit each.

The kinds of edit are those that the writers of SQuAD 2.0 were seen to use (Rajpurkar, Jia & Liang 2018, table 1,
https://arxiv.org/abs/1806.03822); that swapped entities and antonyms alone teach much of it is from Gautam, Zhang &
Verspoor 2023. Rules and word lists only: this file must not know a model, a data set or a tagger. Which words are used
alike it is told.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from finetune.copying.antonyms import OPPOSITES, turns
from finetune.copying.capitals import Name, names_in
from finetune.copying.edits import Alike, Asked, asked_of, first_unanswered, holds, may_be_answered, put, word_set
from finetune.copying.negation import NEGATIVE, negated
from finetune.copying.wording import add_modifier, swap_word
from rag.question import stem

Kind = Literal["entity", "number", "antonym", "negation", "word", "modifier"]


@dataclass(frozen=True, slots=True)
class Edited:
    """A question that the paragraph no longer answers, and what was done to it."""

    question: str
    kind: Kind


def unanswerable(
    question: str, context: str, answers: Sequence[str], chance: random.Random, alike: Alike = lambda word: ()
) -> list[Edited]:
    """Return at most one edited question per kind, in the order entity, number, antonym, negation, word, modifier.

    `answers` are the gold answers to `question` in `context`; no edit brings one of them into the question. Equal
    arguments and an equally seeded `chance` give equal results. An edit is left out where the paragraph may answer it
    too: where a sentence says its new words beside half of the question's other words, or speaks of the opposite.
    Nothing is made of a question that asks for yes or no: its edit is answered by no.
    """
    if _YES_OR_NO.match(question):
        return []
    asked = asked_of(question, context, answers, alike)
    made = [(kind, edit(asked, chance)) for kind, edit in _EDITS]
    return [Edited(text, kind) for kind, text in made if text is not None and text != question]


_YES_OR_NO = re.compile(
    r"\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)\b", re.IGNORECASE
)


# Entity

_LEFT_OUT = re.compile(
    r"\b(?:along with|besides|in addition to|aside from|apart from|other than|as well as)\b", re.IGNORECASE
)
"""What a question leaves out of its answer does not decide whether there is one."""


def _swap_entity(asked: Asked, chance: random.Random) -> str | None:
    if _LEFT_OUT.search(asked.question):
        return None
    uses: dict[str, list[Name]] = {}
    for name in names_in(asked.context):
        uses.setdefault(name.text, []).append(name)
    found = [name for name in names_in(asked.question, asked.context) if _is_used_alike(name, asked.context)]
    chance.shuffle(found)
    for name in found:
        same = uses.get(name.text, [])
        fitting = [
            other
            for other, theirs in uses.items()
            if _may_stand_for(theirs[0], name, asked.said) and not _are_told_together(same, theirs, asked.context)
        ]
        chance.shuffle(fitting)
        fitting.sort(key=lambda other: -_likeness(name, same, uses[other]))
        if edited := first_unanswered(asked, name.start, name.end, fitting):
            return edited
    return None


def _is_used_alike(name: Name, context: str) -> bool:
    """Return whether the context has the name, with the same article: "the Bach recital" is not about a Bach."""
    article = f"{name.before} " if name.before in ("a", "an", "the") else ""
    attribute = name.before in ("what", "which", "many")
    return not attribute and holds(context, name.text) and holds(context.lower(), (article + name.text).lower())


def _may_stand_for(other: Name, name: Name, said: str) -> bool:
    """Return whether `other` has the shape and about the length of `name`, and no part of it is spoken of."""
    if other.shape != name.shape or abs(other.words - name.words) > 1 or holds(said, other.text.lower()):
        return False
    spoken = {word[:4] for word in re.findall(r"\w{3,}", said)}
    return not any(word[:4] in spoken for word in re.findall(r"\w{3,}", other.text.lower()))


_JOINED = re.compile(r"\W+(?:(?:and|or|also|formerly|known|called|as|the)\W+){0,4}")


def _are_told_together(some: Sequence[Name], others: Sequence[Name], context: str) -> bool:
    """Return whether the names stand side by side, as in "Finch and Voss": what one did, the other did."""
    pairs = ((one, other) if one.start < other.start else (other, one) for one in some for other in others)
    return any(_JOINED.fullmatch(context, before.end, after.start) is not None for before, after in pairs)


def _likeness(name: Name, uses: Sequence[Name], others: Sequence[Name]) -> int:
    """Return how alike two names are used: as many words, after an article or not, after the same words."""
    ours = {name.before, *(use.before for use in uses)}
    theirs = {other.before for other in others}
    same_article = ("the" in ours) == ("the" in theirs)
    return (others[0].words == name.words) + 2 * same_article + 2 * (name.before in theirs) + bool(ours & theirs)


# Number

_NUMBER = re.compile(
    r"(?<![\w.,$€£:/–+-])(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<ending>st|nd|rd|th|['’]?s)?(?![\w:/–-]|[.,]\d)"
)
_SPELLED = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_SPELLED_NUMBER = re.compile(rf"\b(?:{'|'.join(_SPELLED)})\b(?!-)")
_BEFORE_BOUND = re.compile(
    r"\b(?:than|over|under|least|most|about|around|nearly|almost|and|or|between) $", re.IGNORECASE
)
_AFTER_BOUND = re.compile(r" (?:and|or|to|through) \d")
"""A range or a bound may hold its other numbers too."""
_BEFORE_LIST = re.compile(r"\b(?:which|what|who|are|were|is|was|name|these|those|other|of)(?: the)? $", re.IGNORECASE)
"""A question for "the two" things is still half answered when it asks for three."""


def _change_number(asked: Asked, chance: random.Random) -> str | None:
    found = [*_NUMBER.finditer(asked.question), *_SPELLED_NUMBER.finditer(asked.question)]
    found = [number for number in found if _counts(number, asked.question)]
    chance.shuffle(found)
    for number in found:
        spelled = number.re is _SPELLED_NUMBER
        options = (
            _near_words(number, asked) if spelled else _other_numbers(number, asked) + _near_numbers(number, asked)
        )
        chance.shuffle(options)
        if edited := first_unanswered(asked, number.start(), number.end(), options):
            return edited
    return None


def _counts(number: re.Match[str], question: str) -> bool:
    before, after = question[: number.start()], question[number.end() :]
    small = number.re is _SPELLED_NUMBER or len(number.group()) < 3
    return not (_BEFORE_BOUND.search(before) or _AFTER_BOUND.match(after) or (small and _BEFORE_LIST.search(before)))


def _other_numbers(number: re.Match[str], asked: Asked) -> list[str]:
    """Return the context's other numbers that are written as this one is: a year for a year."""
    others = {
        other.group()
        for other in _NUMBER.finditer(asked.context)
        if len(other["digits"]) == len(number["digits"]) and bool(other["ending"]) == bool(number["ending"])
    }
    return sorted(other for other in others if not holds(asked.said, other))


def _near_numbers(number: re.Match[str], asked: Asked) -> list[str]:
    """Return the numbers next to this one that nobody speaks of, three on either side, written as it is."""
    spoken = f"{asked.said} {asked.context.lower()}".replace(",", "")
    digits, ending, commas = number["digits"].replace(",", ""), number["ending"] or "", "," in number["digits"]
    step = 10 ** (len(digits) - 2) if commas else 10 if ending.endswith("s") else 1
    near = [value for times in (-3, -2, -1, 1, 2, 3) if (value := int(digits) + step * times) > 1]
    unspoken = [value for value in near if len(str(value)) == len(digits) and str(value) not in spoken]
    return [f"{value:{',' if commas else ''}}{_ending(value, ending)}" for value in unspoken]


def _near_words(number: re.Match[str], asked: Asked) -> list[str]:
    at, spoken = _SPELLED.index(number.group()), f"{asked.said} {asked.context.lower()}"
    return [word for word in _SPELLED[max(0, at - 3) : at + 4] if not holds(spoken, word)]


def _ending(value: int, ending: str) -> str:
    """Return the ending of the ordinal `value` where `ending` is one, else `ending`: "", "s" or "'s"."""
    if ending not in ("st", "nd", "rd", "th"):
        return ending
    return "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")


# Antonym

_SPAN = re.compile(r"\b\d{4}\s?[–—-]\s?(?:\d{2,4}|present)|\bfrom [^.;]{1,40} (?:to|until)\b|\buntil\b", re.IGNORECASE)
_TIMED = word_set(
    "began begin beginning begins birth closed created death end ended ends enter entered established first formed "
    "founded join joined last leave opened start started starts"
)
"""Words whose opposite "from ... to ..." answers too."""


def _turn_antonym(asked: Asked, chance: random.Random) -> str | None:
    words = re.findall(r"\w+", f"{asked.said} {asked.context.lower()}")
    spoken = {*words, *(stem(word) for word in words)}
    span = _SPAN.search(asked.context) is not None
    found = [
        turn
        for turn in turns(asked.question)
        if not (span and turn.word in _TIMED)
        and not any(other in spoken or stem(other) in spoken for other in OPPOSITES[turn.word])
    ]
    compared = may_be_answered(asked, asked.question, "", partial(holds, phrase="than"))
    if not found or compared:
        return None
    turn = chance.choice(found)
    return put(asked.question, turn.start, turn.end, turn.opposite)


# Negation


def _negate(asked: Asked, chance: random.Random) -> str | None:
    spoken_of = may_be_answered(asked, asked.question, "", lambda sentence: NEGATIVE.search(sentence) is not None)
    return None if spoken_of else negated(asked.question)


_EDITS: tuple[tuple[Kind, Callable[[Asked, random.Random], str | None]], ...] = (
    ("entity", _swap_entity),
    ("number", _change_number),
    ("antonym", _turn_antonym),
    ("negation", _negate),
    ("word", swap_word),
    ("modifier", add_modifier),
)
