"""Amounts: what a question counts, whether a text counts the same, and what can only be calculated. Pure text."""

from __future__ import annotations

import re

from indexer.words import content_words
from rag.answering.kinds import has_kind, wanted_kind
from rag.question import amounts, stem

_I = re.IGNORECASE
_HOW_MANY = re.compile(r"\bhow many\s+(?:of\s+)?(?P<rest>[^?]*)", _I)
_ENDS = re.compile(
    r"\b(?:do|does|did|is|are|was|were|has|have|had|can|could|may|might|must|will|would|should|shall|in|on|at|per|for"
    r"|from|to|with|by|between|within|after|before|that|which|who|lie|lay|lies|passed|it|there|you|we|they|i|a|an)\b",
    _I,
)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_ANYONE = frozenset(map(stem, ("people", "person", "persons")))
"""They are counted under many names: members, visitors, developers."""
_SMALL = frozenset(("other", "different", "more", "fewer"))
_OTHER_THING = re.compile(r"\s+(?!(?:and|or|in|of|to|on|at|by|for|from|as|is|are|was|were|with|per|but)\b)[^\W\d_]")
"""A word right behind a number: what it counts."""
BEHIND = 4
"""Words behind a number in which the thing that it counts stands."""


def things_counted(question: str) -> frozenset[str]:
    """Return the stems of what "how many …" asks to count, without small words; none where it asks no such thing."""
    match = _HOW_MANY.search(question)
    if match is None:
        return frozenset()
    rest = match["rest"]
    end = _ENDS.search(rest)
    words = content_words(rest[: end.start() if end else len(rest)])[:5]
    return frozenset(stem(word) for word in words if word not in _SMALL and not word[0].isdigit())


def counts_them(question: str, text: str) -> int:
    """Tell whether a text counts what a question asks to count: 1, not: -1, or not to be told: 0.

    "128 hash functions" says nothing of "how many hours"; "documents: 6" and "sixteen of them" may.
    """
    things = things_counted(question)
    if not things:
        return 0
    if wanted_kind(question) in ("time", "share", "money"):
        return 1 if has_kind(text, wanted_kind(question)) else -1
    found = amounts(text)
    if not found:
        return -1
    if things & _ANYONE:
        return 0
    words = [(match.start(), stem(match[0].casefold())) for match in _WORD.finditer(text)]
    if any(things & set([word for place, word in words if place >= end][:BEHIND]) for _, end in found):
        return 1
    if any(word in things for _, word in words):
        return 0
    return -1 if all(_OTHER_THING.match(text, end) for _, end in found) else 0


_MONEY = re.compile(
    r"\bhow much (?:money\b|[^?]*\b(?:costs?|pay|pays|paid|charged?|earns?|earned)\b)"
    r"|\bwhat (?:do|does|did|will|would)\b[^?]*\b(?:cost|charge)\b|\bwhat (?:fine|fee|price)\b|\bthe price of\b",
    _I,
)
_DIFFERENCE = re.compile(
    r"\bhow (?:many|much)(?: \w+)? (?:more|fewer|less|longer|later|earlier|higher|lower|larger|smaller|older|younger"
    r"|taller|heavier|faster|slower|sooner)\b(?! than (?:one|two|\d))"
    r"|\bhow many times (?:as|more|larger|higher|bigger|longer|faster|\w+er)\b"
    r"|\bby how (?:many|much)\b"
    r"|\bhow (?:many (?:seconds|minutes|hours|days|weeks|months|years)\b[^?]*|long) (?:between|after|before|apart)\b"
    r"|\bwhat is the difference (?:in \w+ )?between\b|\bhow far apart\b",
    _I,
)
_SAYS_DIFFERENCE = re.compile(
    r"\b(?:more|fewer|less|longer|later|earlier|higher|lower|larger|smaller|older|younger|taller|heavier|faster|slower"
    r"|bigger|sooner|after|before|between|apart|within|difference|gap|twice|double|half|thrice|fold|times|by|rose|fell"
    r"|dropped|increased?|decreased?|grew|gained?|lost|saved?|prior|advance|notice|ahead|until|beforehand|short of)\b",
    _I,
)


def is_calculated(question: str, text: str) -> bool:
    """Tell whether a question asks for a difference or a ratio that a text does not say.

    "How many years lie between the two?" is not answered by one of them: nothing is calculated here.
    """
    return _DIFFERENCE.search(question) is not None and _SAYS_DIFFERENCE.search(text) is None


_ITEM = re.compile(r"^\W{0,4}(?:\d{1,3}|[A-Za-z])[.)]\s+")
"""The number of an item counts nothing."""
_HOW_MUCH = re.compile(
    r"\bhow (?:many|much|long (?!is\b|are\b|was\b|were\b)|often|far|tall|high|deep|heavy|fast)\b"
    r"|\bwie (?:viele?|hoch|lang|lange|weit|groß|schwer|schnell|tief|oft|teuer)\b|\bwas kostet\b|\bcombien\b",
    _I,
)


_MASS = re.compile(r"\bhow much\b", _I)
_QUANTITY = re.compile(r"\b(?:little|much|most|all|none|hardly any|some|half|enough|plenty)\b", _I)
"""How much there is of what is not counted: "there is little support"."""


def is_another_amount(question: str, text: str, in_row: bool) -> bool:
    """Tell whether a text gives no amount, or another than is asked for: of other things, of no money, of one part.

    A cell has its currency in the name of the column, or nowhere: money is not looked for `in_row`.
    """
    text = _ITEM.sub("", text)
    if counts_them(question, text) < 0 or is_calculated(question, text):
        return True
    says_some = bool(amounts(text)) or (_MASS.search(question) is not None and _QUANTITY.search(text) is not None)
    if _HOW_MUCH.search(question) and not says_some and not has_kind(text, wanted_kind(question) or "number"):
        return True
    return not in_row and _MONEY.search(question) is not None and not has_kind(text, "money")
