"""Edits of one word: another for one of the question's words, or one more that narrows what is asked about.

Of the kinds in SQuAD 2.0 (Rajpurkar, Jia & Liang 2018, table 1) the first makes a mutual exclusion, the second an
impossible condition: "the [urban] average family". Which words exclude each other it is told, and must not know whence.
"""

from __future__ import annotations

import random
import re

from finetune.copying.edits import Asked, first_unanswered, holds, put, word_set
from indexer.words import STOP_WORDS
from rag.question import stem, stems

_LOWER = re.compile(r"(?<![\w'’-])[a-z]{4,}(?![\w'’-])")
_KEPT = word_set(
    "what which name named names called known titled term termed kind kinds type types sort form year years date time "
    "times number numbers amount many much long often percent percentage example examples part main most more less "
    "first second third other another about does have been being were that this these those with from they them there "
    "also some such many even only just like used using make made makes mean means said happened considered word words "
    "same both then than very well large small later early best next each every several single whole long high great"
)
"""Words that ask, count or lead, and do not tell what is asked about."""
_ASKED_FOR = re.compile(r"\b(?:what|which|whose|how|many|much|kinds? of|types? of|sorts? of) $", re.IGNORECASE)
_QUALIFIED = re.compile(r"\b(?:the|a|an|its|their|his|her|of|and|in|by|for|with) ([a-z]{4,}) ([a-z]{4,})\b")
_QUALIFIABLE = re.compile(r"\b(?:the|a|an|its|their|his|her) ([a-z]{4,})\b")


def swap_word(asked: Asked, chance: random.Random) -> str | None:
    """Put another word for one that the context bears out; half of the time, where possible, one of the context."""
    held = set().union(*(said for _, said in asked.sentences))
    found = [word for word in _LOWER.finditer(asked.question) if _tells(word, asked.question)]
    found = [word for word in found if stem(word.group()) in held]
    chance.shuffle(found)
    spoken = {*re.findall(r"\w+", asked.said), *stems(asked.said)}
    for word in found:
        options = [
            other
            for other in asked.alike(word.group())
            if other not in spoken and stem(other) not in spoken and other[:5] != word.group()[:5]
        ]
        inside = [other for other in options if stem(other) in held]
        outside = [other for other in options if stem(other) not in held][:12]
        options = inside if inside and (chance.random() < 0.5 or not outside) else outside
        chance.shuffle(options)
        if edited := first_unanswered(asked, word.start(), word.end(), options):
            return edited
    return None


def add_modifier(asked: Asked, chance: random.Random) -> str | None:
    """Narrow what is asked about by a word that the context says of something else: "the [urban] average family"."""
    nouns = [noun for noun in _QUALIFIABLE.finditer(asked.question) if _tells(noun, asked.question)]
    nouns = [noun for noun in nouns if any(stem(noun[1]) in said for _, said in asked.sentences)]
    qualified = [match for match in _QUALIFIED.finditer(asked.context) if stems(match[1]) and stems(match[2])]
    modifiers = sorted({match[1] for match in qualified if _modifies(match[1])})
    chance.shuffle(nouns)
    chance.shuffle(modifiers)
    for noun in nouns:
        for modifier in modifiers:
            together = any({stem(modifier), stem(noun[1])} <= said for _, said in asked.sentences)
            if not together and not holds(asked.said, modifier):
                return put(asked.question, noun.start(1), noun.start(1), modifier + " ")
    return None


def _tells(word: re.Match[str], question: str) -> bool:
    """Return whether a word of the question (the match's last group) tells what it is about, not what is asked for."""
    return _says(word[word.re.groups]) and not _ASKED_FOR.search(question, 0, word.start())


def _modifies(word: str) -> bool:
    return _says(word) and not word.endswith(("ed", "s", "ly"))


def _says(word: str) -> bool:
    return word not in _KEPT and word not in STOP_WORDS
