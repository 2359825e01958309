"""Questions to try, for somebody who does not know a collection: made by rule of headings and sentences.

A rule applies only where its question is plain English and the text right there answers it; where none does, nothing is
offered. No model is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import Any

from sqlalchemy import func, select

from indexer.collection import Collection
from indexer.schema import documents

QUESTIONS = 3
MOST_LOOKED_AT = 40
"""Documents that are looked at: the newest ones."""
_MOST_TEXT, _MOST_HEADINGS, _MOST_BODY = 100_000, 30, 600
_MIN_BODY = 25
"""Characters of text below a heading that can answer a question about it."""
_GENERIC = re.compile(
    r"^(?:introduction|overview|summary|abstract|contents?|table of contents|index|references?|appendix|notes?"
    r"|copyright|licen[cs]e|acknowledge?ments?|preface|foreword|background|conclusions?|discussion|changelog|untitled|readme"
    r"|history|see also|further reading|sheet ?\d*|slide ?\d*|page ?\d*|chapter ?\d*|part ?\d*|section ?\d*)$",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:this|these|that|those|such|here|above|below|it|its|they|them|their|he|she|his|her|we|us|our|my|ones?|therefore|else"
    r"|(?<!do )(?<!can )(?<!should )you|your)\b|^what (?:about|now|next|(?:must|may|can) not be)\b",
    re.IGNORECASE,
)
"""Words that mean something only to who reads what stands around them."""
_MIN_WORDS = 5
"""Words of a question that a heading or a sentence makes: shorter ones leave out what they are about."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBERED = re.compile(r"^(?:[\d.]+|[A-Z]\.|[ivx]+\.)\s+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class _Part:
    """A heading, "" before the first one, and what stands below it up to the next."""

    heading: str
    body: str


@dataclass(frozen=True, slots=True)
class _Paper:
    title: str
    parts: tuple[_Part, ...]
    words: frozenset[str]
    """Every word of its text, in small letters."""


def questions_to_try(collection: Collection) -> list[str]:
    """Return up to three questions that the newest documents answer, of different documents where there are some."""
    papers = _newest(collection)
    each = [list(islice(dict.fromkeys(_questions(paper)), QUESTIONS)) for paper in papers]
    asked = [question for turn in zip_longest(*each) for question in turn if question]
    about = [f"What is “{paper.title}” about?" for paper in papers if _is_title(paper.title)]
    return list(dict.fromkeys([*asked[:QUESTIONS], *about[:1]]))[:QUESTIONS]


def _newest(collection: Collection) -> list[_Paper]:
    text = func.substr(documents.c.text, 1, _MOST_TEXT)
    query = (
        select(documents.c.title, documents.c.sections, text)
        .where(documents.c.format.not_in(["csv", "xlsx", "ods", "json", "code"]))
        .order_by(func.coalesce(documents.c.modified, "").desc(), documents.c.id)
        .limit(MOST_LOOKED_AT)
    )
    with collection.reading() as connection:
        rows = connection.execute(query).all()
    return [
        _Paper(title.strip(), tuple(_parts(json.loads(sections), text)), frozenset(_WORD.findall(text.lower())))
        for title, sections, text in rows
    ]


def _parts(sections: Sequence[Sequence[Any]], text: str) -> Iterator[_Part]:
    """Yield the headings of a text with the paragraphs below them; other sections say nothing in sentences."""
    heading, body = "", ""
    for start, end, kind, *_ in sections:
        if kind == "heading":
            yield _Part(heading, body)
            heading, body = _NUMBERED.sub("", " ".join(text[start:end].strip("# \n").split())), ""
        elif kind == "paragraph" and len(body) < _MOST_BODY:
            body = f"{body} {' '.join(text[start:end].split())}".strip()
    yield _Part(heading, body)


def _questions(paper: _Paper) -> Iterator[str]:
    """Yield what a document can be asked: what its headings ask comes first, then what its sentences tell."""
    parts = list(islice((part for part in paper.parts if len(part.body) >= _MIN_BODY), _MOST_HEADINGS))
    headed = [part for part in parts if _is_telling(part.heading)]
    made = chain(
        (_of_heading(part.heading, paper.words) for part in headed), *(_of_sentences(part.body) for part in parts)
    )
    yield from (question for question in made if question.count(" ") + 1 >= _MIN_WORDS and _stands_alone(question))
    yield from filter(None, (_defined(part) for part in headed if _stands_alone(part.heading)))


def _stands_alone(question: str) -> bool:
    """Tell whether a question is understood without what stands around it."""
    return not _POINTING.search(question)


def _is_telling(heading: str) -> bool:
    """Tell whether a heading names a subject: a few words, and none that every document has."""
    words = heading.split()
    return 1 <= len(words) <= 9 and len(heading) <= 70 and bool(_WORD.search(heading)) and not _GENERIC.match(heading)


def _is_title(title: str) -> bool:
    """Tell the title of a document, as a person writes it, from the name of a file."""
    words = title.split()
    return 2 <= len(words) <= 9 and len(title) <= 70 and not re.search(r"[_/\\]|\.\w{2,5}$", title)


# What a heading asks

_HOW_TO = re.compile(r"^(?:how )?to (?=[a-z])", re.IGNORECASE)
_TO = re.compile(r"^(when|where|what) to (?=[a-z])", re.IGNORECASE)
_WORKS = re.compile(r"^how ((?:the |an? )?[\w' -]+?) works?$", re.IGNORECASE)
_VERB_FIRST = re.compile(
    r"^(?:who|what) (?:is|are|was|were|may|can|must|should|will|has|pays?|gets?|happens|counts|decides|does) \w",
    re.IGNORECASE,
)
_GERUND = re.compile(r"^([A-Z][a-z]{2,})ing (?=(?:an?|the|your|our) [a-z])")
_ASKS = re.compile(
    r"^(?:who|whom|whose|what|when|where|which|why|how|is|are|do|does|did|can|may|must|should|will)\b", re.I
)


def _of_heading(heading: str, words: frozenset[str]) -> str:
    """Return the question that a heading is or answers, "" for one that only names its subject."""
    if heading.endswith("?"):
        return heading if heading.count(" ") >= 2 and _ASKS.match(heading) else ""
    bare = heading.rstrip(".:")
    if begun := _HOW_TO.match(bare):
        return f"How do I {bare[begun.end() :]}?"
    if begun := _TO.match(bare):
        modal = "can" if begun[1].lower() == "where" else "should"
        return f"{begun[1].capitalize()} {modal} I {bare[begun.end() :]}?"
    if works := _WORKS.match(bare):
        subject = _lower(works[1])
        return f"How {'do' if subject.endswith('s') and not subject.endswith('ss') else 'does'} {subject} work?"
    if _VERB_FIRST.match(bare):
        return f"{bare}?"
    if gerund := _GERUND.match(bare):
        verb = _verb(gerund[1].lower(), words)
        return f"How do I {verb} {bare[gerund.end() :]}?" if verb else ""
    return ""


def _verb(stem: str, words: frozenset[str]) -> str:
    """Return the verb whose form in -ing has this stem, where the document uses exactly one that it can be; else ""."""
    forms = {stem, f"{stem}e"} | ({stem[:-1]} if stem[-1] == stem[-2] else set())
    used = sorted(forms & words)
    return used[0] if len(used) == 1 else ""


def _defined(part: _Part) -> str:
    """Return "What is X?" where the text below the heading X begins with "X is"."""
    bare = re.sub(r"^(?:the|an?) ", "", part.heading, flags=re.IGNORECASE)
    begun = re.match(
        rf"((?:the |an? )?){re.escape(bare)} (is|are) (?:an?|the|one|what|where|how)\b", part.body, re.IGNORECASE
    )
    if not begun:
        return ""
    small = bare[:1].lower() + bare[1:]
    is_name = not begun[1] and small not in part.body  # a sentence begins with a capital letter, and so does a name
    return f"What {begun[2].lower()} {begun[1].lower()}{bare if is_name else _lower(bare)}?"


# What a sentence tells

_SUBJECT = r"(?P<subject>(?:The|An?|Each|Every) (?:(?!that\b|which\b|who\b|and\b|but\b)[\w'’-]+ ){1,6}?)"
_WHEN = (
    r"(?:in|on|at|since|before|after|until|every|within) (?:\w+ ){0,4}?(?:\d"
    r"|January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
)
_PARTICIPLE = r"(?P<verb>\w{3,}(?:ed|en|ilt|lt|ld|wn)|paid|sent|made|kept|left)"
_PASSIVE = re.compile(rf"^{_SUBJECT}(?P<be>was|were|is|are) {_PARTICIPLE} (?:by [\w' ]+? )?{_WHEN}")
_STARTS = re.compile(rf"^{_SUBJECT}(?P<verb>begin|start|end|open|close|leave|arrive|expire)s {_WHEN}")
_COSTS = re.compile(rf"^{_SUBJECT}costs? (?:\w+ )?[^\w\s]?\d")


def _of_sentences(body: str) -> Iterator[str]:
    """Yield the questions that the first sentences answer: when something was done or begins, what it costs."""
    for sentence in _SENTENCE.split(body)[:4]:
        if passive := _PASSIVE.match(sentence):
            yield f"When {passive['be']} {_lower(passive['subject'].strip())} {passive['verb']}?"
        elif starts := _STARTS.match(sentence):
            yield f"When does {_lower(starts['subject'].strip())} {starts['verb']}?"
        elif costs := _COSTS.match(sentence):
            yield f"How much does {_lower(costs['subject'].strip())} cost?"


def _lower(text: str) -> str:
    """Return the text with a small first letter, unless it is a name: capitals inside, or in its other words."""
    first, *others = text.split() or [""]
    if first.lower() in ("the", "a", "an", "each", "every"):
        return text[:1].lower() + text[1:]
    is_name = any(letter.isupper() for letter in first[1:]) or any(word[:1].isupper() for word in others)
    return text if is_name else text[:1].lower() + text[1:]
