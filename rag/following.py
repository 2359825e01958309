"""Follow-up questions: what "and when?" or "how many people work on it?" asks, read after the questions before it.

`rag/phrases.py` finds what a question names and leaves open. Two logistic regressions tell whether it depends on the
earlier questions and which of their phrases it means; `finetune/following.py` fits them, and `following.json` holds
them with what they were fitted on. Only questions are known here: no answers, no documents.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.phrases import (
    AUXILIARIES,
    LEADS,
    OTHERS,
    PREPOSITIONS,
    WH,
    Mention,
    Phrase,
    Reading,
    Word,
    content_stems,
    is_verb,
    read,
)
from rag.question import stem

MODEL_FILE = Path(__file__).with_name("following.json")
MOST_WORDS = 60
"""A question of more words is taken to stand alone, and no more of an earlier one is read."""
MOST_TURNS = 8
"""Earlier questions that are looked at, the latest ones."""
JOINING_WORDS = frozenset(["the", "one", "who", "which", "'s"])
"""Words that may join what is taken from the questions; nothing else is added."""

Model = Mapping[str, Any]


def standalone(question: str, history: Sequence[str], model: Model | None = None) -> str:
    """Return `question` as it is to be read alone: the very same string where it stands alone, or `history` is empty.

    `history` holds the person's earlier questions, oldest first; each of them is itself read after those before it.
    """
    model = model or _stored()
    earlier: list[str] = []
    for each in history[-MOST_TURNS:]:
        if re.search(r"\w", each):
            earlier.append(_resolved(each, earlier, model))
    return _resolved(question, earlier, model)


@lru_cache(maxsize=1)
def _stored() -> Model:
    model: Model = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
    return model


def _resolved(question: str, earlier: Sequence[str], model: Model) -> str:
    asked, before = read(question, MOST_WORDS + 1), [read(each, MOST_WORDS) for each in earlier]
    if not before or not 0 < len(asked.words) <= MOST_WORDS or not depends(asked, before, model):
        return question
    shown = _completed(asked, before[-1]) or _with_phrases(asked, before, model)
    return shown if content_stems(shown) - asked.content else question


# Does it depend on what was asked before?

_ABOUT = re.compile(r"(?:what|how) about\b|was ist mit\b|wie sieht es mit\b|qu['’]en est-il\b|et pour\b", re.IGNORECASE)


def depends(question: Reading, before: Sequence[Reading], model: Model) -> bool:
    """Return whether a question says too little to be read alone."""
    if not question.content and not question.mentions and not any(map(question.asks, range(len(question.words)))):
        return False  # "thanks!", "?"
    return _is_tied(question) or linear(model["depends"], dependence(question, before)) > 0


def _is_tied(question: Reading) -> bool:
    """Return whether it begins as only a follow-up does. CANARD has a dozen of these, too few to fit a weight on."""
    core = _core(question)
    return question.words[0].small in _TIES or bool(_ABOUT.match(core) or _THE_SAME.match(core))


_TIES = frozenset(["and", "but", "or", "und", "oder", "aber", "et", "ou", "mais"])


def dependence(question: Reading, before: Sequence[Reading]) -> dict[str, float]:
    """Return the signs that a question depends on the ones before it; *new* and *named* are signs that it does not."""
    known = {word for reading in before for word in reading.content}
    kinds = {mention.kind for mention in question.mentions if not mention.noun}
    small = {word.small for word in question.words}
    size = -1 if any(_is_new(question, phrase) for phrase in question.phrases) else len(question.content)
    return {
        "pronoun": float(bool(kinds)),
        "person": float(bool(kinds & {"he", "him", "his"})),
        "pointing_at_noun": float(any(mention.noun for mention in question.mentions)),
        "pointing_at_known": float(any(stem(mention.noun) in known for mention in question.mentions)),
        "compares": float(bool(OTHERS & small)),
        "wordless": float(size == 0),
        "one_word": float(size == 1),
        "two_words": float(size == 2),
        "new": float(size < 0),
        "named": float(any("name" in phrase.marks for phrase in question.phrases)),
    }


def _is_new(question: Reading, phrase: Phrase) -> bool:
    """Return whether a phrase names something as not yet known: "what is colostrum", not "what was the cause"."""
    pointed_at = any(mention.start < phrase.start < mention.end for mention in question.mentions)
    return not pointed_at and phrase.article.casefold() != "the" and not phrase.marks & {"asked", "asked about"}


def linear(model: Mapping[str, Any], features: Mapping[str, float]) -> float:
    """Return bias + sum of weight times feature, over the features that have a weight."""
    weights: Mapping[str, float] = model["weights"]
    bias: float = model.get("bias", 0.0)
    return bias + sum(weights.get(name, 0.0) * value for name, value in features.items())


# Which phrase is meant?


def candidates(before: Sequence[Reading]) -> list[tuple[int, Phrase]]:
    """Return the phrases of earlier questions, each with how many questions ago it stands (0 is the last one)."""
    return [
        (len(before) - 1 - turn, phrase)
        for turn, reading in enumerate(before)
        for phrase in reading.phrases
        if "time" not in phrase.marks
    ]


def meaning(
    question: Reading, mention: Mention | None, ago: int, phrase: Phrase, before: Sequence[Reading]
) -> dict[str, float]:
    """Return the signs that `phrase` is what `mention` means; what the whole question is about where that is None."""
    kind = mention.kind if mention else ""
    stems = content_stems(phrase.text)
    size = len(stems)
    person, thing = kind in ("he", "him", "his"), kind in ("it", "its", "this", "open")
    several = kind in ("they", "them", "their", "these", "ones")
    marks = phrase.marks
    others = [reading for i, reading in enumerate(before) if len(before) - 1 - i != ago]
    features = {
        "last_question": float(ago == 0),
        "ago": float(min(ago, 5)),
        "first_question": float(ago == len(before) - 1),
        "late": phrase.start / max(1, len(before[len(before) - 1 - ago].words)),
        "two_words": float(size == 2),
        "three_words": float(size == 3),
        "more_words": float(size > 3),
        "definite": float(phrase.article.casefold() in ("the", "my", "our")),
        "indefinite": float(phrase.article.casefold() in ("a", "an")),
        "repeated": sum(bool(stems) and stems <= reading.content for reading in others) / max(1, len(others)),
        "said_now": len(stems & question.content) / max(1, size),
        "several_one": float(several and not phrase.plural),
        "one_several": float((thing or person) and phrase.plural and "name" not in marks),
        "person_name": float(person and "name" in marks),
        "pronoun_at": float(mention is not None and "at" in marks),
        "person_asked": float(person and "who" in marks),
        "thing_name": float(thing and "name" in marks),
        "topic_name": float(mention is None and "name" in marks),
        "topic_long": float(mention is None and size > 2),
    }
    return features | dict.fromkeys(marks, 1.0)


def meant(
    question: Reading, mention: Mention | None, before: Sequence[Reading], model: Model, taken: Sequence[Phrase] = ()
) -> Phrase | None:
    """Return the phrase with the highest score, the later one of equals; None where there is none to add.

    What shares words with the phrases in `taken`, which other pronouns mean, is left out.
    """
    known = {word for phrase in taken for word in content_stems(phrase.text)}
    best, best_score = None, -math.inf
    for ago, phrase in _fitting(question, mention, candidates(before)):
        stems = content_stems(phrase.text)
        score = linear(model["meaning"], meaning(question, mention, ago, phrase, before))
        if score >= best_score and not stems & known and stems - question.content:
            best, best_score = phrase, score
    return best


def _fitting(
    question: Reading, mention: Mention | None, choices: Sequence[tuple[int, Phrase]]
) -> Sequence[tuple[int, Phrase]]:
    """Return the phrases that a pronoun can mean by grammar; CANARD has too few of these cases to fit weights on."""
    if mention is None:
        return [each for each in choices if "asked" not in each[1].marks]
    if mention.noun:
        same = [each for each in choices if stem(each[1].head) == stem(mention.noun) and "asked" not in each[1].marks]
        return same or choices
    if mention.kind in ("it", "its", "this"):
        return [each for each in choices if "who" not in each[1].marks]
    parts_of = mention.start > 0 and question.words[mention.start - 1].small == "of"
    if mention.kind == "ones" or (
        parts_of and mention.kind in ("them", "these")
    ):  # "the previous ones", "many of them"
        kinds = [each for each in choices if not each[1].marks & {"name", "asked"}]
        several = [each for each in kinds if each[1].plural]
        return (several if parts_of else kinds) or kinds or choices
    return choices


# The question read alone


def _with_phrases(question: Reading, before: Sequence[Reading], model: Model) -> str:
    """Return the question with the phrases that its pronouns mean, or with its topic before it."""
    said, at = [], question.words[question.lead].start
    tried: set[str] = set()
    taken: list[Phrase] = []
    for mention in question.mentions:
        family = f"{_FAMILIES.get(mention.kind, mention.kind)} {mention.noun}"
        if (
            family in tried or mention.kind == "open"
        ):  # "did its author want it": the second one is explained by the first
            continue
        tried.add(family)
        phrase = meant(question, mention, before, model, taken)
        if phrase is None or (mention.noun and stem(phrase.head) != stem(mention.noun)):
            continue
        taken.append(phrase)
        start = max(at, question.words[mention.start].start)
        said += [question.text[at:start], _in_place(question, mention, phrase)]
        at = question.words[mention.end - 1].end
    if said:
        return "".join([*said, question.text[at:]]).strip()
    topic = meant(question, None, before, model)
    return f"{topic.text}: {_core(question)}" if topic else question.text


_FAMILIES = {"its": "it", "this": "it", "him": "he", "his": "he", "them": "they", "their": "they", "these": "they"}


def _in_place(question: Reading, mention: Mention, phrase: Phrase) -> str:
    shown = phrase.with_article
    behind_of = mention.start > 0 and question.words[mention.start - 1].small == "of"
    if behind_of and not phrase.article and phrase.plural and "name" not in phrase.marks:
        shown = f"the {shown}"
    if mention.kind == "ones":
        return phrase.text
    if mention.kind in ("its", "his", "their"):
        return shown + ("'" if shown.endswith("s") and mention.kind == "their" else "'s")
    if question.words[mention.start].text[0] == "-":  # "a-t-il été"
        return f" {shown}"
    return shown


def _core(question: Reading) -> str:
    """Return a question without the "and" before it."""
    return question.text[question.words[question.lead].start :].strip() if question.words else question.text


def _completed(question: Reading, last: Reading) -> str:
    """Return a question without a verb in the frame of the last question; "" for one that has a verb."""
    if len(last.words) >= MOST_WORDS:
        return ""
    about = _ABOUT.match(_core(question))
    words = question.words[question.lead :]
    if about:
        behind = words[0].start + about.end()
        said = [i for i, word in enumerate(words) if word.start >= behind]
        return _in_frame(question, question.lead + said[0], last) if said else ""
    if same := _THE_SAME.match(_core(question)):
        behind = words[0].start + same.end()
        start = next(i for i, word in enumerate(words) if word.start >= behind)
        return _in_frame(question, question.lead + start, last)
    if len(words) > 8 or any(word.small in AUXILIARIES for word in words):
        return ""
    wh_end = _wh_phrase(question, question.lead)
    if wh_end == question.lead:
        return _in_frame(question, question.lead, last) if question.lead and not _has_verb(question) else ""
    return _asked_anew(question, wh_end, last) if not _has_verb(question) else ""


_THE_SAME = re.compile(
    r"(?:does|do|did|is|are|was|would|will) (?:it|that|this|the same) (?:also |be )*(?:hold|apply|go|count|true|valid"
    r"|so|the (?:case|same))(?: true)?(?: too| as well| also)? (?:for|to|with|of|in) (?=\w)",
    re.IGNORECASE,
)
""""Does it also hold for …?" asks the last question of something else: "it" is all that was said."""


def _has_verb(question: Reading) -> bool:
    """Return whether a short question has a verb: a common one behind its first content word, or one behind "who"."""
    words = [word.small for word in question.words[question.lead :]]
    content = [word for word in words if stem(word) in question.content]
    if words[0] in ("who", "wer", "qui") and len(content) > 0:
        return True
    return any(is_verb(word) for word in content[1:]) or "to" in words


def _wh_phrase(question: Reading, start: int) -> int:
    """Return the end of the question phrase that begins at `start`, "into how many languages"; `start` if none does."""
    words = [word.small for word in question.words]
    i = start + (words[start] in PREPOSITIONS)
    if i >= len(words) or not question.asks(i):
        return start
    i += 1
    while i < len(words) and words[i] not in AUXILIARIES and words[i] not in PREPOSITIONS and words[i].isalnum():
        i += 1
    return i


def _asked_anew(question: Reading, wh_end: int, last: Reading) -> str:
    """Return the last question with the question words of this one: "how much draught" may a boat be …"""
    head = question.slice(question.lead, wh_end)
    rest = _body(question, wh_end)
    end = _wh_phrase(last, last.lead)
    if end == last.lead:
        inverted = last.words[last.lead].small in AUXILIARIES
        frame = _body(last, last.lead)
        return _ended(f"{head} {_lowered(frame)}" if inverted else f"{head} {rest}: {frame}".replace(" :", ":"), last)
    if end < len(last.words) and last.words[end].small in AUXILIARIES:
        frame = _body(last, end)
    else:  # "who wrote …", "which general led …"
        frame = _body(last, _verb_from(last, end))
    return _ended(" ".join(filter(None, [head, rest, frame])), last)


def _verb_from(last: Reading, end: int) -> int:
    start = last.lead + 1
    if last.language != "en":  # "wo steht …"
        return start
    noun = next((phrase for phrase in last.phrases if phrase.start == start and "asked" not in phrase.marks), None)
    return min(noun.end if noun else start, end)


def _body(question: Reading, start: int) -> str:
    """Return the words from `start` on, without the mark at the end."""
    return question.text[question.words[start].start :].rstrip(" \t\n?!.") if start < len(question.words) else ""


def _ended(text: str, last: Reading) -> str:
    return text + ("?" if last.text.rstrip().endswith("?") else "")


def _lowered(text: str) -> str:
    first = text.split(" ", 1)[0]
    return first.lower() + text[len(first) :] if first.casefold() in AUXILIARIES | WH | PREPOSITIONS | LEADS else text


def _in_frame(question: Reading, start: int, last: Reading) -> str:
    """Return the last question about something else: in the slot of the same kind, or with the new words before it."""
    new = _body(question, start)
    if not new or not last.content:
        return ""
    first = start
    while first < len(question.words) - 1 and question.words[first].small in ("its", "their", "his", "her", "the"):
        first += 1
    slot = _slot(question, [word for word in question.words[first:] if word.text[0].isalnum()], last)
    if slot:
        start_at, end_at, text = slot
        return last.text[:start_at] + text + last.text[end_at:]
    return f"{new}: {_lowered(last.text[last.words[last.lead].start :].strip())}"


_RANK = re.compile(
    r"first|second|third|fourth|fifth|sixth|last|next|previous|most|least|best|worst|\w{2,}est|\d+(?:st|nd|rd|th)"
)


def _slot(question: Reading, new: Sequence[Word], last: Reading) -> tuple[int, int, str] | None:
    """Return where the new words belong in the last question, as characters from and to, and how they read there."""
    if not new:
        return None
    text = question.text[new[0].start : new[-1].end]
    small = [word.small for word in new]
    if small[0] in PREPOSITIONS:
        return _slot_behind(text, small[0], last)
    if _RANK.fullmatch(small[0]):
        rest = [stem(each) for each in small[1:]]
        for i, word in enumerate(last.words):
            behind = last.words[i + 1 : i + len(new)]
            if _RANK.fullmatch(word.small) and [stem(each.small) for each in behind] == rest:
                return word.start, (behind[-1] if behind else word).end, text
    if len(new) == 1 and text.isdigit():
        for word in reversed(last.words):
            if word.text.isdigit() and len(word.text) == len(text):
                return word.start, word.end, text
    return _slot_of_phrase(text, small, question, last)


def _slot_behind(text: str, preposition: str, last: Reading) -> tuple[int, int, str] | None:
    """Return the place of the last phrase behind the same preposition, with the phrases that hang on it."""
    old = last.words
    for i in range(len(old) - 2, 0, -1):
        if old[i].small != preposition:
            continue
        ends = [p.end for p in last.phrases if i < p.start <= i + 2 and not p.marks & {"part", "asked"}]
        if not ends and old[i + 1].text[0].isalnum():
            ends = [i + 2]
        if ends:
            end = max(ends)
            while end < len(old) and old[end].small in ("of", "on", "about", "with"):
                hanging = [p.end for p in last.phrases if end < p.start and p.marks & {"in", "of-it"}]
                if not hanging:
                    break
                end = hanging[0]
            return old[i].start, old[end - 1].end, text
    return None


def _slot_of_phrase(text: str, small: Sequence[str], question: Reading, last: Reading) -> tuple[int, int, str] | None:
    """Return the place of a phrase with the same last word, or of the last name where the new words are one."""
    alike = [
        phrase
        for phrase in last.phrases
        if not phrase.marks & {"of", "asked", "part"} and stem(phrase.head) == stem(small[-1]) and len(small) > 1
    ]
    if not alike and any(p.marks >= {"name"} and text.endswith(p.text) for p in question.phrases):
        alike = [p for p in last.phrases if "name" in p.marks and not p.marks & {"of", "asked"}]
        alike = [p for p in alike if p.text.split()[0].casefold() == small[0]] or alike
    if not alike:
        return None
    phrase = alike[-1]
    return last.words[phrase.start].start, last.words[phrase.end - 1].end, text
