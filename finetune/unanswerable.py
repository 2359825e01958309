"""Makes questions that a paragraph does not answer out of questions that it answers, by one small edit each.

The kinds of edit are those that the writers of SQuAD 2.0 were seen to use (Rajpurkar, Jia & Liang 2018, table 1,
https://arxiv.org/abs/1806.03822); that swaps of entities and antonyms alone teach much of it is from Gautam, Zhang &
Verspoor 2023. Rules and word lists only: this file must not know a model, a data set or a tagger.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from finetune.antonyms import OPPOSITES
from finetune.capitals import Name, names_in

Kind = Literal["entity", "number", "antonym", "negation"]


@dataclass(frozen=True, slots=True)
class Edited:
    """A question that the paragraph no longer answers, and what was done to it."""

    question: str
    kind: Kind


def unanswerable(question: str, context: str, answers: Sequence[str], chance: random.Random) -> list[Edited]:
    """Return at most one edited question per kind, in the order entity, number, antonym, negation.

    `answers` are the gold answers to `question` in `context`; an edit never brings one of them into the question.
    Equal arguments and an equally seeded `chance` give equal results. An edit that the paragraph may still answer
    (its new words stand with the question's other words, or its opposite is spoken of too) is left out.
    """
    edits: list[tuple[Kind, Callable[..., str | None]]] = [
        ("entity", _swap_entity),
        ("number", _change_number),
        ("antonym", _turn_antonym),
        ("negation", _negate),
    ]
    made = [(kind, edit(question, context, answers, chance)) for kind, edit in edits]
    return [Edited(text, kind) for kind, text in made if text is not None and text != question]


# What the question shares with the paragraph

STOP_WORDS = frozenset(
    "a an the of in on at to for from by with as and or but is are was were be been being do does did has have had "
    "what which who whom whose when where why how that this these those it its his her their they he she not "
    "many much year name called one s t".split()
)


def _stems(text: str) -> set[str]:
    """Return what is left of the content words when endings are cut: their first five letters."""
    return {word[:5] for word in re.findall(r"\w+", text.lower()) if word not in STOP_WORDS}


def _sentences(context: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+(?=[\"“(]?[A-Z0-9])", context)


def _holds(text: str, phrase: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text) is not None


def _is_answered_beside(new: str, question: str, context: str) -> bool:
    """Return whether a sentence that speaks of `new` also says at least half of what else the question says."""
    wanted = _stems(question.replace(new, " ")) - _stems(new)
    if not wanted:
        return True
    near = [_stems(sentence) for sentence in _sentences(context) if _holds(sentence, new)]
    return any(2 * len(wanted & said) >= len(wanted) for said in near)


def _put(question: str, start: int, end: int, new: str) -> str:
    return question[:start] + new + question[end:]


# Entity


def _swap_entity(question: str, context: str, answers: Sequence[str], chance: random.Random) -> str | None:
    theirs = names_in(context)
    forbidden = " ".join([question, *answers]).lower()
    found = [name for name in names_in(question, at_start=context) if _holds(context, name.text)]
    chance.shuffle(found)
    for name in found:
        fitting = [other for other in theirs if _may_stand_for(other, name, forbidden)]
        chance.shuffle(fitting)
        for other in sorted(fitting, key=lambda other: -_likeness(other, name, theirs)):
            edited = _put(question, name.start, name.end, other.text)
            if not _is_answered_beside(other.text, edited, context):
                return edited
    return None


def _may_stand_for(other: Name, name: Name, forbidden: str) -> bool:
    """Return whether `other` is a name of the same shape and about the same length that no part of is spoken of."""
    return (
        other.shape == name.shape
        and abs(other.words - name.words) <= 1
        and not any(_holds(forbidden, word) for word in re.findall(r"\w{2,}", other.text.lower()) if len(word) > 3)
        and not _holds(forbidden, other.text.lower())
    )


def _likeness(other: Name, name: Name, theirs: Sequence[Name]) -> int:
    """Return how alike two names are used: as many words, with or without an article, after the same words."""
    before = {name.before} | {same.before for same in theirs if same.text == name.text}
    return (other.words == name.words) + 2 * (("the" in before) == (other.before == "the")) + (other.before in before)


# Number

NUMBER = re.compile(r"(?<![\w.,$€£:/-])(\d{1,3}(?:,\d{3})+|\d+)(st|nd|rd|th|s)?(?![\w:/]|[.,-]\d|-)")
SPELLED = "two three four five six seven eight nine ten eleven twelve".split()
SPELLED_NUMBER = re.compile(rf"\b(?:{'|'.join(SPELLED)})\b")
BOUNDED = re.compile(r"\b(?:than|over|under|least|most|about|around|to|and|or|[–-])\s*[$€£]?$")


def _change_number(question: str, context: str, answers: Sequence[str], chance: random.Random) -> str | None:
    taken = set(re.findall(r"\w+", " ".join([question, context, *answers]).lower().replace(",", "")))
    found = [*NUMBER.finditer(question), *SPELLED_NUMBER.finditer(question)]
    found = [number for number in found if not BOUNDED.search(question[: number.start()])]
    chance.shuffle(found)
    for number in found:
        options = [*_other_numbers(number, context, " ".join([question, *answers])), *_near_numbers(number, taken)]
        chance.shuffle(options)
        for new in options:
            edited = _put(question, number.start(), number.end(), new)
            if not _holds(context, new) or not _is_answered_beside(new, edited, context):
                return edited
    return None


def _other_numbers(number: re.Match[str], context: str, forbidden: str) -> list[str]:
    """Return the context's other numbers that are written as this one is: a year for a year."""
    if number.re is SPELLED_NUMBER:
        return []
    alike = {
        other.group()
        for other in NUMBER.finditer(context)
        if (len(other[1]), other[2]) == (len(number[1]), number[2]) and not _holds(forbidden, other.group())
    }
    return sorted(alike)


def _near_numbers(number: re.Match[str], taken: set[str]) -> list[str]:
    """Return up to six numbers near this one that nobody speaks of."""
    if number.re is SPELLED_NUMBER:
        at = SPELLED.index(number.group())
        return [word for word in SPELLED[max(0, at - 3) : at + 4] if word not in taken]
    digits = number[1].replace(",", "")
    step = 10 ** max(0, len(digits) - 2) if "," in number[1] else 10 if number[2] == "s" else 1
    near = [int(digits) + step * times for times in (-3, -2, -1, 1, 2, 3)]
    written = [f"{value:,}" if "," in number[1] else str(value) for value in near if value > 1]
    ended = [text + _ending(number[2], int(text.replace(",", ""))) for text in written]
    return [text for text in ended if text.replace(",", "") not in taken and len(text) == len(number.group())]


def _ending(ending: str | None, value: int) -> str:
    if ending is None or ending == "s":
        return ending or ""
    return "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")


# Antonym

COMPASS = frozenset("north south east west northern southern eastern western".split())
SAME_QUESTION = re.compile(r"\bhow $|\b(?:at|the day|the same|as) $", re.IGNORECASE)
SET_PHRASES = re.compile(
    r"(?:first|last) names?|most of|long term|close to|due to|more than|less than|rather than|like|"
    r"end up|prior to|left|right|following|next to|with (?:what|which|whom)|at least|at most",
    re.IGNORECASE,
)


def _turn_antonym(question: str, context: str, answers: Sequence[str], chance: random.Random) -> str | None:
    spoken = _stems(f"{question} {context}")
    words = set(re.findall(r"\w+", f"{question} {context}".lower()))
    found = [word for word in re.finditer(r"[A-Za-z]+", question) if word.group().lower() in OPPOSITES]
    chance.shuffle(found)
    for word in found:
        opposites = OPPOSITES[word.group().lower()]
        if not _stands_alone(word, question) or any(_is_spoken(other, spoken, words) for other in opposites):
            continue
        return _put(question, word.start(), word.end(), _in_case_of(word.group(), opposites[0]))
    return None


def _is_spoken(other: str, spoken: set[str], words: set[str]) -> bool:
    return other in words or (len(other) > 4 and other[:5] in spoken)


def _stands_alone(word: re.Match[str], question: str) -> bool:
    """Return whether turning this word turns the question: not in a name, a set phrase, or after "how"."""
    name = word.group()[0].isupper() and word.start() > 0 and word.group().lower() not in COMPASS
    hyphen = question[word.end() : word.end() + 1] in "-'’" and word.end() < len(question)
    before = question[: word.start()]
    return not (
        name
        or hyphen
        or before.endswith("-")
        or SAME_QUESTION.search(before)
        or SET_PHRASES.match(question, word.start())
    )


def _in_case_of(old: str, new: str) -> str:
    return new.upper() if old.isupper() and len(old) > 1 else new.capitalize() if old[0].isupper() else new


# Negation

NEGATIVE = re.compile(
    r"\b(?:not|never|no|none|nor|neither|without|except|cannot|besides|other than)\b|n['’]t\b", re.IGNORECASE
)
ASKING = re.compile(
    r"^(?:(?:in|at|on|to|for|from|by|of|under|during) )?(what|which|who|whom|whose|where|when|why)\b", re.IGNORECASE
)
AUXILIARY = re.compile(r"\b(did|does|do|is|are|was|were|has|had|have|could|would|should|can|will)\b(?!['’])")
CLAUSE = re.compile(r"\b(?:that|who|which|whose|when|where|as|if)\b|,")
PAST_VERB = re.compile(
    r"^(Who|What) (\w+ed|won|wrote|led|became|made|built|took|gave|held|ran|said|found|sang|began|brought|came|"
    r"fought|got|kept|knew|left|lost|met|paid|played|sent|sold|spoke|taught|told|thought|went|drew|caused)\b "
)


def _negate(question: str, context: str, answers: Sequence[str], chance: random.Random) -> str | None:
    asking = ASKING.match(question)
    if asking is None or NEGATIVE.search(question):
        return None
    verb = PAST_VERB.match(question)
    if verb is not None:
        return _put(question, verb.end(1), verb.end(1), " never")
    auxiliary = AUXILIARY.search(question, asking.end())
    if auxiliary is None or CLAUSE.search(question, asking.end(), auxiliary.start()):
        return None
    if len(question[asking.end() : auxiliary.start()].split()) > 4:
        return None
    return _put(question, auxiliary.start(), auxiliary.end(), _negative(auxiliary.group(), asking[1].lower(), question))


def _negative(auxiliary: str, asking: str, question: str) -> str:
    """Return "did not" where the one who asks is the subject, else "didn't", since the subject follows."""
    contracted = {"can": "can't", "will": "won't"}.get(auxiliary, auxiliary + "n't")
    return contracted


def _words(text: str) -> Iterator[str]:
    yield from text.split()
