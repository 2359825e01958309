"""Says no in a question, where that is grammatical and a question that a reader could ask."""

from __future__ import annotations

import re

NEGATIVE = re.compile(
    r"\b(?:not|never|no|none|nor|neither|without|except|cannot|besides|unable|impossible|failed|refused|lack\w*|absent)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"(?:(?:in|at|on|to|for|from|by|of|under|during) )?(what|which|who|whom|whose|where|why)\b"
    r"(?!\W*(?:years?|dates?|day|month|century|decade|time|percent\w*|number|age|name|is the name)\b)",
    re.IGNORECASE,
)
"""How a question begins whose negation means something: "in what year was it not built" does not."""
_DO = re.compile(r"\b(?:did|does|do|could|would|should|can|will)\b(?!['’])")
_BE = re.compile(r"\b(?:is|are|was|were)\b(?!['’])(?=.* \w{2,}(?:ed|ught|wn|ken|sen|ven|ten|ilt|ound|ade)\b)")
"""A form of "be" in the passive: "who wasn't the king" anyone else would answer."""
_CLAUSE = re.compile(r"\b(?:that|who|which|whose|when|where|as|if|to|by|is|are|was|were)\b|,")
_NAMING = re.compile(
    r"\b(?:named?|called|nicknamed|titled|known|referred|term\w*|one|another|some|examples?|an?|mean|defin\w+|number|average"
    r"|population|percent\w*|total|size|rate|cost|length|height|date|year|title)\b",
    re.IGNORECASE,
)
"""What makes "what isn't it" a question that anything would answer."""
_FINITE = re.compile(
    r"(who|what) (?:wrote|led|made|built|took|gave|held|ran|found|sang|brought|fought|taught|drew|caused"
    r"|allowed|helped|prompted|replaced|inspired|forced|happened|(?<=who )\w+ed) ",
    re.IGNORECASE,
)


def negated(question: str) -> str | None:
    """Return `question` with "never" before its verb or "n't" after its auxiliary, or None.

    None where it says no already, asks for a time, a number or a name, does not begin with a wh-word (a preposition
    may stand before it), or where the verb of its main clause cannot be told without a tagger.
    """
    asking = _ASKING.match(question)
    if asking is None or NEGATIVE.search(question):
        return None
    if finite := _FINITE.match(question):
        return f"{finite[1]} never{question[finite.end(1) :]}"
    auxiliary = _auxiliary(question, asking)
    if auxiliary is None:
        return None
    negative = {"can": "can't", "will": "won't"}.get(auxiliary.group(), f"{auxiliary.group()}n't")
    return question[: auxiliary.start()] + negative + question[auxiliary.end() :]


def _auxiliary(question: str, asking: re.Match[str]) -> re.Match[str] | None:
    """Return the auxiliary of the main clause: within four words of the wh-word, none of them opening a clause."""
    after = asking.end()
    found = _DO.search(question, after)
    if found is None and asking[1].lower() != "where" and not _NAMING.search(question, after):
        found = _BE.search(question, after) if len(question.split()) > 5 else None
    if found is None or _CLAUSE.search(question, after, found.start()):
        return None
    return found if len(question[after : found.start()].split()) <= 4 else None
