"""What can be seen of a sentence beside a yes/no question: words, their order, and what they allow, forbid or deny.

Pure text; it knows nothing of the world. What the signs are worth is decided in `polarity.py`.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from indexer.words import STOP_WORDS
from rag.polarity_cues import (
    ASKED,
    ASKS_TWISTED,
    CUES,
    DENIES,
    MANY,
    PAIRS,
    SAME,
    SAYS_NO,
    SAYS_YES,
    SINGLE,
    SUBORDINATE,
    plain,
)
from rag.question import stem
from rag.terms import terms


@dataclass(frozen=True, slots=True)
class Signs:
    """What can be seen of a sentence beside a question; a sign that is missing is 0."""

    direction: Mapping[str, float]
    """Above 0 what speaks for yes, below 0 for no, of the question without its denial."""
    weakness: Mapping[str, float]
    """What may speak for its saying neither."""


_CLAUSE = re.compile(
    r"[.;:!?()\[\]—–]+(?=\s|$)|[(\[\n]|\s-\s"
    r"|,? ?\b(?:but|although|though|however|whereas|because|unless|while|if|when"
    r"|wenn|falls|si|aber|weil|obwohl|mais|parce)\b"
    r"|, (?=(?:and|which|who|so|it|they|he|she|this|we|you|und|et)\b)"
)
"""Where a clause ends, and with it what a denial reaches."""
_TOKEN = re.compile(r"\w+(?:[.'+/-]\w+)*")
_ASKING = """
not no may must am any some there here still ever now just also only even much very about else really let get am yes
der die das den dem des ein eine einen einem einer und oder ist sind war in im auf mit zu bei von man ich wir sie es
darf kann muss la le les un une des du de est sont on je vous il elle dans sur avec pour et ou peut doit que qui ne
pas allowed permitted possible ok okay able need needs needed required require necessary mandatory has got something
someone anyone available offer offers offered provide provides provided please true case est-il est-ce puis-je peut-on
doit-on dois-je faut-il a-t-il y au aux ce
"""
_ASIDE = STOP_WORDS | frozenset(_ASKING.split())
"""Words of a question that name nothing it asks about."""
_STANCES = ("prohibit", "exempt", "deny", "oblige", "permit")
"""What a clause says, the strongest first."""
_BEGINS_QUESTIONS = re.compile(
    r"^\W*(?:is|are|was|were|am|do|does|did|can|could|may|might|must|shall|should|will|would|has|have|had|need|ist"
    r"|sind|"
    r"war|darf|dürfen|kann|können|muss|müssen|soll|gibt|hat|haben|wird|est|sont|peut|puis|doit|faut|a-t|y)\b"
)


def denies(question: str) -> bool:
    """Return whether `question` asks for the contrary: "Is it forbidden to …?". "Isn't it …?" does not."""
    asked = SUBORDINATE.split(plain(question))[0]
    twisted = ASKS_TWISTED.match(asked)
    return len(DENIES.findall(asked, twisted.end() if twisted else 0)) % 2 == 1


def has_denial(text: str) -> bool:
    """Return whether anything in a text is denied or forbidden."""
    return DENIES.search(plain(text)) is not None


_TURNS: Mapping[str, frozenset[str]] = {
    "fact": frozenset(["deny", "prohibit", "exempt"]),
    "all": frozenset(["deny", "prohibit", "exempt"]),
    "may": frozenset(["deny", "prohibit"]),
    "must": frozenset(["deny", "prohibit", "exempt", "permit"]),
    "free": frozenset(["deny", "prohibit", "oblige"]),
}
"""What a clause must say to speak for no, by what is asked."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A question and its evidence, taken apart. Words are keys of `_content`."""

    asked: str
    said: str
    wanted: Mapping[str, str]
    found: Mapping[str, str]
    clauses: tuple[str, ...]
    main: str
    """The clause that shares most words with the question; of several the first that denies, forbids, allows …"""
    kind: str
    """What is asked for: a key of `_TURNS`."""
    stance: str
    """What the main clause says: one of `_STANCES`, or "plain"."""
    conflicts: Mapping[str, float]
    claim: float
    """1.0 where the "question" is a statement."""

    @property
    def turned(self) -> int:
        """How often what is asked is turned round."""
        signs = ("opposite", "fail", "except asked", "one of many")
        contrary = any(self.conflicts[sign] for sign in signs)  # once: "rejected" is an opposite and a failure
        return (self.stance in _TURNS[self.kind]) + contrary


def signs_of(question: str, evidence: str, around: str = "") -> Signs:
    """Return the signs of what `evidence` says to `question` without its denial (see `denies`)."""
    asks = _ASKS_FIRST.match(evidence)
    if asks and evidence[asks.end() :].strip():
        evidence, around = evidence[asks.end() :], f"{around}\n{asks[0]}"
    read = _read(question, _led(evidence, around))
    names = _numbers_and_names(question, evidence, around)
    direction = {
        **{name: -read.conflicts[name] for name in ("only other", "only other, missing", "only same", "some of all")},
        "number differs": -names["number differs"],
        "number same": names["number same"],
        "claim": read.claim,
        "claim, share": read.claim * _share(read.wanted, read.found),
        **_answer_words(evidence),
        **_straight_or_turned(read),
        **_elsewhere(read),
    }
    weakness = {
        **_overlap(read, question, around),
        **names,
        **read.conflicts,
        read.kind: 1.0,
        read.stance: 1.0,
        "turned": float(read.turned),
        "says it": float(bool(direction["says yes"] or direction["says no"])),
    }
    return Signs(*({name: value for name, value in signs.items() if value} for signs in (direction, weakness)))


_ASKS_FIRST = re.compile(r"^[^?.!]{3,160}\?(?=[\W_]*\s)[\W_]*")
"""A question at the head of its answer, as lists of frequent questions have it."""


def _led(evidence: str, around: str) -> str:
    """Return the evidence behind the line that leads its list, as one sentence: "It is forbidden to smoke"."""
    leads = [line.strip() for line in around.splitlines() if line.rstrip().endswith(":")]
    return f"{leads[-1].rstrip(': ')} {evidence.lstrip('-*•– ')}" if leads else evidence


def _read(question: str, evidence: str) -> _Read:
    asked, said = plain(question), plain(_one_clause(evidence))
    wanted, found = _content(asked), _content(said) | _content(" ".join(_IN_BRACKETS.findall(evidence.casefold())))
    clauses = tuple(clause for clause in _CLAUSE.split(said) if clause.strip()) or ("",)
    main = max(clauses, key=lambda each: (len(wanted.keys() & _content(each).keys()), _stance(each, asked) != "plain"))
    return _Read(
        asked=asked,
        said=said,
        wanted=wanted,
        found=found,
        clauses=clauses,
        main=main,
        kind=next((name for name, pattern in ASKED.items() if pattern.search(asked)), "fact"),
        stance=_stance(main, asked),
        conflicts=_conflicts(asked, main, said, wanted, found),
        claim=float(not question.rstrip().endswith("?") and not _BEGINS_QUESTIONS.search(asked)),
    )


_IN_BRACKETS = re.compile(r"\(([^()]{0,80})\)")
"""What stands in brackets; `plain` leaves it out."""
_FIELD = re.compile(r"^\W*([^:.;!?\n]{1,40}): (?=\S)")


def _one_clause(evidence: str) -> str:
    """Return a field with its name and value in one clause: "Registration: optional" says that it is optional."""
    return _FIELD.sub(r"\1 ", evidence)


def _straight_or_turned(read: _Read) -> dict[str, float]:
    """Return what speaks for yes, where the evidence says what is asked, or for no, where it says so turned round."""
    last = float(bool(read.wanted) and list(read.wanted)[-1] in read.found)
    share = _share(read.wanted, read.found)
    if read.turned == 0:
        in_order = _in_order(read.wanted, read.said)
        straight = {"straight, share": share, "straight, last": last, "straight, in order": in_order}
        return {f"{read.kind} {read.stance}": 1.0, **straight}
    if read.turned > 1:
        return {"turned twice": 1.0}
    signs = {"turned, share": -share, "turned, last": -last}
    if read.stance in _TURNS[read.kind]:
        reach = _reach(read.main, read.stance, read.wanted)
        return signs | {f"{read.kind} {read.stance}": -1.0, f"{read.stance} {reach}": -1.0}
    contrary = next(name for name in ("opposite", "except asked", "one of many", "fail") if read.conflicts[name])
    return signs | {contrary: -1.0}


def _elsewhere(read: _Read) -> dict[str, float]:
    """Return what the clauses say that share fewer words with the question."""
    stances = {_stance(clause, read.asked) for clause in read.clauses if clause != read.main} - {"plain"}
    return {f"elsewhere {each}": -1.0 if each in _TURNS[read.kind] else 1.0 for each in sorted(stances)}


def _overlap(read: _Read, question: str, around: str) -> dict[str, float]:
    """Return how much of the question the evidence says."""
    wanted, found, own = read.wanted, read.found, _content(read.main)
    names = {name[:_LONG] for name in terms(question).names}
    things = {key: word for key, word in wanted.items() if key not in names}
    missing = {key: word for key, word in wanted.items() if key not in found}
    share = _share(wanted, found)
    return {
        "share": share,
        "share squared": share * share,
        "share above": _share(missing, _content(plain(around))) * (1 - share),
        "share of clause": _share(wanted, own),
        "things": _share(things, found) if things else 1.0,
        "no thing": float(bool(things) and not things.keys() & found.keys()),
        "new words": math.log1p(len(own.keys() - wanted.keys())),
        "words asked": math.log1p(len(wanted)),
        "first": float(bool(wanted) and next(iter(wanted)) in found),
        "last": float(bool(wanted) and list(wanted)[-1] in found),
        "claim": read.claim,
        "claim, share": read.claim * share,
    }


_LONG = 6
"""Letters of a stem that are compared: "publication" and "published" name the same."""


def _content(text: str) -> dict[str, str]:
    """Return keys of the words that name something, in order, each with a word that has it."""
    return {_key(word): word for word in _TOKEN.findall(text) if word not in _ASIDE}


@lru_cache(maxsize=20_000)
def _key(word: str) -> str:
    base = stem(word)
    return SAME.get(base, SAME.get(word, base))[:_LONG].rstrip("iy")  # injury, injuries, injured


def _share(wanted: Mapping[str, str], found: Mapping[str, str]) -> float:
    return len(wanted.keys() & found.keys()) / len(wanted) if wanted else 0.0


def _in_order(wanted: Mapping[str, str], text: str) -> float:
    """Return the share of pairs of neighbours in the question that stand in this order, near, in `text`."""
    order = list(wanted)
    places: dict[str, list[int]] = {}
    for place, word in enumerate(_TOKEN.findall(text)):
        places.setdefault(_key(word), []).append(place)
    near = [
        any(0 < later - place <= 4 for place in places.get(one, ()) for later in places.get(other, ()))
        for one, other in itertools.pairwise(order)
    ]
    return sum(near) / len(near) if near else 0.0


def _cues(name: str, text: str, asked: str) -> Iterator[re.Match[str]]:
    """Yield the cues of one kind, without those that the question says itself ("without", "only", "rejected")."""
    words, wanted = set(_TOKEN.findall(asked)), _content(asked).keys()
    for match in CUES[name].finditer(text):
        beside = _BESIDE.search(text, max(0, match.start() - 5), match.start())
        if (beside or _OF_A_NOUN.match(match[0])) and not wanted & _content(text[match.end() :]).keys():
            continue  # "for each manual and not for each page", "without flash" deny nothing that was asked
        if match[0] not in words or match[0] in _PLAIN_DENIALS or name in ("permit", "oblige"):
            yield match


def _both_ways(pairs: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one, other in ([_key(word) for word in pair.split()] for pair in pairs.split(";")):
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {key: frozenset(others) for key, others in found.items()}


OPPOSITE_KEYS: Mapping[str, frozenset[str]] = _both_ways(PAIRS)
"""Keys of words (see `_content`) and of those that contradict them; none of them denies or forbids, as `CUES` do."""
_OF_A_NOUN = re.compile(r"(?:without|ohne|sans|instead of|rather than|anstatt|au lieu)$")
_BESIDE = re.compile(r"\b(?:and|und|et) $")
_PLAIN_DENIALS = frozenset(["not", "no", "never", "nicht", "nie", "pas", "jamais", "nobody", "none"])


def _stance(clause: str, asked: str) -> str:
    return next((name for name in _STANCES if next(_cues(name, clause, asked), None)), "plain")


def _reach(clause: str, stance: str, wanted: Mapping[str, str]) -> str:
    """Return where the clause says what is asked: behind its first denial, before it, on both sides, or not at all."""
    cue = next(CUES[stance].finditer(clause), None)
    if cue is None:
        return "apart"
    before, behind = _content(clause[: cue.start()]), _content(clause[cue.start() :])
    sides = bool(wanted.keys() & before.keys()), bool(wanted.keys() & behind.keys())
    return {(True, True): "both", (True, False): "before", (False, True): "behind", (False, False): "apart"}[sides]


def _answer_words(evidence: str) -> dict[str, float]:
    text = evidence.casefold().strip()
    return {"says yes": float(bool(SAYS_YES.search(text))), "says no": -float(bool(SAYS_NO.search(text)))}


def _conflicts(
    asked: str, clause: str, said: str, wanted: Mapping[str, str], found: Mapping[str, str]
) -> dict[str, float]:
    only = next(_cues("only", clause, asked), None)
    limited = _limit(clause, only) if only else {}
    exception = next(_cues("except", said, asked), None)
    excepted = _content(said[exception.end() :]).keys() if exception else set()
    own = _content(clause)
    opposite = [word for key, word in wanted.items() if key not in found and _opposed(key, word, own)]
    missing = 1 - _share(wanted, found)
    failing = any(_key(match[0]) not in wanted for match in CUES["fail"].finditer(clause))
    return {
        "only": float(only is not None),
        "only other": float(bool(limited) and not wanted.keys() & limited.keys()),
        "only other, missing": missing * float(bool(limited) and not wanted.keys() & limited.keys()),
        "only same": float(bool(wanted.keys() & limited.keys())),
        "opposite": float(min(2, len(opposite))),
        "fail": float(failing),
        "if": float(next(_cues("if", said, asked), None) is not None),
        "except": float(exception is not None),
        "except asked": float(bool(wanted.keys() & excepted)),
        "some of all": float(bool(ASKED["all"].search(asked)) and bool(CUES["some"].search(said))),
        "one of many": float(bool(MANY.search(asked)) and bool(SINGLE.search(clause)) and not MANY.search(clause)),
    }


_BEFORE_ONLY = re.compile(r"\b(?:to|for|by|in|on|at|from|with|für|mit|pour|à) ([^,;]*)$")


def _limit(clause: str, only: re.Match[str]) -> dict[str, str]:
    """Return what a clause limits something to: what stands behind "only", or before it at the clause's end."""
    behind = _content(clause[only.end() :])
    before = None if behind else _BEFORE_ONLY.search(clause[: only.start()].rstrip())
    return _content(before[1]) if before else behind


_NEGATED = re.compile(r"(?:un|non-?|in|im|ir|il|dis)(?=\w{4})")


def _opposed(key: str, word: str, found: Mapping[str, str]) -> bool:
    """Return whether a text says the opposite of a word: one of a pair, or the word with or without "un-"."""
    if OPPOSITE_KEYS.get(key, frozenset()) & found.keys():
        return True
    bare = _NEGATED.match(word)
    if bare and _key(word[bare.end() :]) in found:
        return True
    return any(
        (match := _NEGATED.match(each)) is not None and _key(each[match.end() :]) == key for each in found.values()
    )


def _numbers_and_names(question: str, evidence: str, around: str) -> dict[str, float]:
    asked, said, above = terms(question), terms(evidence), terms(around)
    numbers, names = asked.numbers, asked.names
    return {
        "number differs": float(bool(numbers) and bool(said.numbers) and not numbers & said.numbers),
        "number missing": float(bool(numbers) and not said.numbers),
        "number same": float(bool(numbers) and numbers <= said.numbers),
        "name missing": len(names - said.words - above.words) / len(names) if names else 0.0,
    }
