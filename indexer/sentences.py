"""Where sentences begin and end: a light splitter by punctuation, with the exceptions that matter in prose.

Linear in the length of the text, no model. Scripts without sentence marks (Thai, Lao) come back whole.
"""

from __future__ import annotations

import re

_CLOSERS = "\"'”’»)\\]}」』）】〉》"
_MARKS = ".!?…।॥؟۔։።។៕"
# Possessive, and tried only where a run of marks begins: a million full stops must not take quadratic time.
_BREAK = re.compile(
    rf"(?P<blank>\n[^\S\n]*\n\s*)"
    rf"|(?P<item>\n(?=[^\S\n]*(?:[-*+•‣▪◦–]|\d{{1,3}}[.)]|[(]?[a-z][.)])\s))"
    rf"|(?P<wide>[。！？｡．]+[{_CLOSERS}]*)"
    rf"|(?P<mark>(?<![{_MARKS}])[{_MARKS}]++[{_CLOSERS}]*+)(?=\s)"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BEFORE_NAME = _words(
    "adm art assn bros capt cf ch chap cmdr col dept dipl dr ed eds eq eqs esp est ex fig figs fr gen gov "
    "hon ing jr lt maj mlle mme mr mrs ms mt nat no nos nr op p par pl pp prof ref refs rep res rev sec "
    "sect sen sgt sr st str supt tab univ viz vol vols vs"
)
"""Never the end of a sentence: a name, a number or the thing meant follows."""
_MAYBE_LAST = _words(
    "al approx apr aug ave bd blvd bzw co corp dec etc feb inc jan jul jun ltd mar mon nov oct rd sat sep "
    "sept sun thu tue usw vgl wed"
)
"""The end of a sentence only when the next word is one that begins sentences."""
_STARTERS = _words(
    "a after all an and as at before but by each every for from he her here his how however i if in it "
    "its most my no not of on our she since so some such that the their then there these they this those "
    "to under until we what when where which while who why with you your der die das ein eine er es sie "
    "wir ich im le la les un une il elle"
)
_MONTHS = _words(
    "januar jänner februar märz april mai juni juli august september oktober november dezember januari februari marts"
    " maj juni juli augusti oktober december"
)
"""Months of the languages that write a day with a full stop: German, Danish, Norwegian, Swedish."""
_LAST_WORD = re.compile(r"[^\s(\[{\"'“‘«]{1,24}$")
_NEXT_WORD = re.compile(r"\s*[\"'“‘«(\[]*(\w*)")


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the characters [start, end) of each sentence, in order, without the space around it.

    Together they cover every character that is not space. Abbreviations, initials, decimals and numbered items do not
    end a sentence; a blank line always does, and so does a line that begins a list item.
    """
    found: list[tuple[int, int]] = []
    start = 0
    for match in _BREAK.finditer(text):
        if match.lastgroup == "mark" and not _ends(text, start, match):
            continue
        _add(text, start, match.end(), found)
        start = match.end()
    _add(text, start, len(text), found)
    return found


def _add(text: str, start: int, end: int, found: list[tuple[int, int]]) -> None:
    piece = text[start:end]
    bare = piece.strip()
    if bare:
        first = start + len(piece) - len(piece.lstrip())
        found.append((first, first + len(bare)))


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Say whether the mark, with space after it, ends the sentence that began at `start`."""
    following = _NEXT_WORD.match(text, match.end(), match.end() + 64)
    word = following[1] if following else ""
    if word[:1].islower():
        return False
    if match["mark"] != ".":
        return True
    last = _LAST_WORD.search(text, max(start, match.start() - 24), match.start())
    if last is None:
        return True
    before = last[0].lower()
    if before.isdigit() and len(before) <= 2 and word.lower() in _MONTHS:
        return False  # "am 12. Mai 2023"
    if before.isdigit() and len(before) <= 3 and not text[max(start, last.start() - 24) : last.start()].strip():
        return False  # "1. First of all"
    if before in _BEFORE_NAME:
        return False
    if before in _MAYBE_LAST or "." in before:  # "U.S.", "e.g."
        return word.lower() in _STARTERS
    return not (len(before) == 1 and last[0].isupper() and before != "i")  # an initial
