"""Words that deny, forbid, allow, demand or excuse, in English, German and French, and pairs of opposites.

Of our own writing, as patterns over text that `plain` made uniform. What they amount to: `polarity_signs.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SPELLED_OUT = (
    (re.compile(r"\([^()]{0,80}\)"), " "),
    (re.compile(r"[*`#\"“”„«»<>|]+|(?<!\w)_+|_+(?!\w)"), " "),
    (re.compile(r"[’ʼ]"), "'"),
    (re.compile(r"\b(?:can't|cannot)\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(?:not|nicht|non) (?:only|just|nur|seulement)\b"), " "),
    (re.compile(r"\bno\.(?=\s*\d)"), " "),
    (re.compile(r"\bno doubt\b|\bno matter\b|\bnot to mention\b|\bwhether or not\b|\bor not\b|\boder nicht\b"), " "),
    (re.compile(r"[^\S\n]+"), " "),
)


def plain(text: str) -> str:
    """Return `text` in lower case, without marks of emphasis, with "can't" written as "can not"."""
    text = text.casefold()
    for pattern, instead in _SPELLED_OUT:
        text = pattern.sub(instead, text)
    return text.strip()


def _any(words: str) -> str:
    return "(?:" + "|".join(part.strip().replace("_", r"\w*") for part in words.split(",")) + ")"


_NOT = _any("not, never, no longer, nor, hardly, nicht, nie, niemals, keinesfalls, pas, jamais")
_NOBODY = _any("no one, nobody, none, neither, keiner, niemand, personne, aucun, aucune")
_MODAL = _any(
    "can, may, could, might, must, shall, should, ought to, darf_, dürf_, kann, könn_, soll, sollen, muss, müssen, "
    "peut, peuvent, pouvez, doit, doivent, devez"
)
_ALLOWED = _any(
    "allowed, permitted, permissible, possible, acceptable, accepted, ok, okay, fine, welcome, eligible, entitled, "
    "able, authori[sz]ed, supported, valid, legal, lawful, appropriate, free to, available, lets? "
    "(?:me|us|you|them|him|her|people), allow, allows, allowing, permit, permits, accept, accepts, support, supports, "
    "recommended, erlaubt, gestattet, zulässig, möglich, zugelassen, akzeptiert, permise?s?, autorisée?s?, "
    "possibles?, admise?s?, recognized, recognised, compatible"
)
_NEEDED = _any(
    "need, needs, needed, have to, has to, had to, require, requires, required, necessary, obliged, obligatory, "
    "mandatory, compulsory, essential, obligated, notwendig, nötig, erforderlich, verpflichtet, brauch_, "
    "nécessaires?, obligatoires?, obligée?s?, requise?s?"
)
_BANNED = _any(
    "prohibit, prohibits, prohibited, forbid, forbids, forbidden, ban, bans, banned, disallow, disallows, disallowed, "
    "illegal, unlawful, unacceptable, impermissible, inadmissible, impossible, excluded, unauthori[sz]ed, "
    "unsupported, invalid, ineligible, barred, off limits, off-limits, unable, incapable, must refuse, verboten, "
    "untersagt, unzulässig, ausgeschlossen, unmöglich, ungültig, abgelehnt, interdite?s?, défendue?s?, exclue?s?, "
    "impossibles?, refusée?s?, inadmissibles?"
)
_BETWEEN = r"(?: \w+){0,2}? "

CUES: Mapping[str, re.Pattern[str]] = {
    "exempt": re.compile(
        rf"\b(?:{_NOT}|{_NOBODY}|no|kein\w*){_BETWEEN}{_NEEDED}\b"
        r"|\bneed not\b|\bno (?:need|obligation|requirement|duty)\b"
        r"|\b(?:optional(?:ly)?|voluntar(?:y|ily)|unnecessary|needless|excused|exempt(?:ed|s)?|waived|redundant"
        r"|free of charge|for free|complimentary|gratis"
        r"|without (?:extra|additional|any|having|needing|the need|further)|included in|at no (?:extra )?c\w+"
        r"|freiwillig|überflüssig|befreit|facultati\w+|dispensée?s?|inutile)\b"
    ),
    "prohibit": re.compile(
        rf"\b{_MODAL} (?:\w+ )?{_NOT}\b|\b{_NOT}{_BETWEEN}{_ALLOWED}\b|\b{_NOBODY}\b[^.;:]{{0,30}}?\b{_MODAL}\b"
        rf"|\bno (?:\w+ ){{1,4}}?(?:is|are|may|can|must|should|will be)\b|\b{_BANNED}\b"
        rf"|\bkein\w* (?:\w+ ){{0,4}}?{_ALLOWED}\b|\bdo not\b(?= \w+ (?:the|a|an|any|your|this|to|in|on)\b)"
    ),
    "permit": re.compile(rf"\b{_NOT}{_BETWEEN}{_BANNED}\b|\b{_ALLOWED}\b|\b{_MODAL}(?! {_NOT})\b(?<!must)(?<!shall)"),
    "oblige": re.compile(rf"\b(?:must|shall|should|ought to|muss|müssen|doit|doivent|faut|pflicht)\b|\b{_NEEDED}\b"),
    "deny": re.compile(
        rf"\b(?:{_NOT}|{_NOBODY}|no|nothing|nowhere|without|kein\w*|ohne|weder|sans|aucune?|ni|non(?!-))\b"
        r"|\b(?:instead of|rather than|free of(?! charge)|free from|\w+-free|smoke free|anstatt|au lieu)\b"
    ),
    "only": re.compile(
        r"\b(?:only|solely|exclusively|just|at most|no more than|exactly|nur|ausschließlich|lediglich|höchstens"
        r"|seulement|uniquement|exclusivement)\b"
    ),
    "fail": re.compile(
        r"\b(?:reject\w*|refus\w*|declin\w*|fail(?:s|ed|ure)?|lack(?:s|ed|ing)?|cancel\w*|abandon\w*|ceas\w*"
        r"|discontinu\w*"
        r"|withdr\w+|prevent\w*|avoid\w*|ignor\w*|bypass\w*|omit\w*|remov\w*|dropped|drops|replac\w*|abolish\w*|absent"
        r"|absence|missing|unaware|unknown|unlikely|rarely|seldom|false|incorrect|wrong|myth|misconception"
        r"|exclud\w*|expired?|expires|breaks|deprecat\w*|obsolete|denie[sd]|den(?:y|ying)|stop(?:s|ped)?|former\w*"
        r"|ablehn\w*|fehl\w*|entfern\w*|selten|refus\w*|rejet\w*|supprim\w*|rarement)\b"
    ),
    "except": re.compile(r"\b(?:except\w*|apart from|other than|besides|excluding|außer|ausgenommen|sauf|hormis)\b"),
    "if": re.compile(r"\b(?:unless|provided|if|wenn|falls|sofern|si)\b"),
    "some": re.compile(
        r"\b(?:not (?:all|every|even|always|everyone)|nicht (?:alle|immer)|pas (?:tous|toujours)"
        r"|some|most|few|several|many)\b"
    ),
}  # fmt: skip
"""What a clause may say of what is asked, by how it says it."""

ASKED: Mapping[str, re.Pattern[str]] = {
    "free": re.compile(
        r"\b(?:free(?= *(?:for\b|\?|$))|optional|voluntary|excused|exempt|waived|free of charge|let off"
        r"|freiwillig|kostenlos|befreit|facultati\w+|gratuit\w*)\b"
    ),
    "must": re.compile(
        r"\b(?:must|have to|has to|had to|need|needs|needed|should|shall|required?|requires|mandatory|compulsory"
        r"|obliged|obligatory|necessary|extra|muss|müssen|brauch\w*|soll|sollen|pflicht|verpflichtet|notwendig|nötig"
        r"|doit|doivent"
        r"|dois|devez|faut|obligatoire|nécessaire)\b"
    ),
    "may": re.compile(
        rf"\b(?:may|can|could|able|darf|dürfen|kann|können|peut|peux|puis|peuvent|pouvez|ok|okay|{_ALLOWED})\b"
    ),
    "all": re.compile(r"\b(?:all|every|always|everyone|everybody|everything|alle|immer|jeder|tous|toutes|toujours)\b"),
}
"""What a question asks for, by its words; the first that fits. Any other asks for a fact."""

SUBORDINATE = re.compile(r"\b(?:who|whom|whose|which|if|when|because|while|since|without|wenn|weil|die|qui|si|sans)\b")
"""Behind it a question asks for nothing more, and its denials turn nothing round."""

DENIES = re.compile(rf"\b(?:{_NOT}|{_NOBODY}|no|nothing|kein\w*|aucune?|{_BANNED})\b")
"""What turns a question round: who is told that it is forbidden has asked whether it is allowed."""

MANY = re.compile(
    r"\b(?:two|second|several|multiple|many|as many|both|twice|double|three|four|five|more than one"
    r"|zwei|mehrere|deux|plusieurs)\b"
)
SINGLE = re.compile(
    r"\b(?:single|exactly one|only one|just one|once|one|ein einzig\w*|genau ein\w*|un seul|une seule)\b"
)

_LABEL = r"^(?:[\W_]|a:|answer:|antwort:|réponse ?:)*"
SAYS_YES = re.compile(
    rf"{_LABEL}(?:yes|yeah|absolutely|(?:of course|certainly|definitely)(?! not)|sure|indeed|ja|oui|jawohl)\b"
    r"|[:=|] *(?:yes|true|ja|oui)[\W_]*$"
)
SAYS_NO = re.compile(
    rf"{_LABEL}(?:(?:no|nope|nein|non)(?= *(?:[.,;:!—–]|-|$))|not at all|unfortunately not"
    r"|certainly not|of course not|by no means|keineswegs|pas du tout|not necessarily|not really)"
    r"|[:=|] *(?:no|false|none|nein|non)[\W_]*$|\b(?:this|that|it|which) (?:is|was) not (?:the case|so|true)\b"
)
"""Where a text begins with its answer, or is a field that holds one. Over text before `plain`, in lower case."""

ASKS_TWISTED = re.compile(r"^\W*(?:\w+ (?:not|nicht|pas)\b|\w+-\w+ pas\b)")
""""Isn't it …?" asks whether it is."""

_SAME = """
photo picture image photograph; present gift; cost price fee charge; employee staff worker personnel; start begin; buy
purchase; child kid; car vehicle; bike bicycle; mail email; teleworking telework remote; big large; small little;
doctor physician; error mistake; job employment; holiday vacation; help assist; need require; use utilize utilise;
show display; end finish; fix repair; film movie; shop store; space blank; delete erase; pick choose select; get
receive obtain; own possess; fast quick rapid; ill sick; rule regulation
"""
SAME: Mapping[str, str] = {word: group.split()[0] for group in reversed(_SAME.split(";")) for word in group.split()}
"""Words that mean the same here, and the one that stands for them."""

PAIRS = """
more less; more fewer; before after; above below; open closed; open shut; first last; early late; same different; same
differ; increase decrease; increase reduce; rise fall; high low; higher lower; large small; big small; larger smaller;
long short; longer shorter; old new; old young; older younger; fast slow; faster slower; hot cold; warm cold; strong
weak; rich poor; hard soft; hard easy; difficult easy; heavy light; public private; inside outside; indoors outdoors;
internal external; include exclude; accept reject; accept refuse; allow prevent; win lose; win defeat; pass fail;
succeed fail; begin end; start stop; start end; start finish; buy sell; borrow lend; enter leave; arrive leave; import
export; enable disable; true false; right wrong; correct wrong; correct incorrect; good bad; better worse; best worst;
positive negative; safe dangerous; safe unsafe; full empty; dead alive; male female; man woman; boy girl; north south;
east west; northern southern; eastern western; day night; morning evening; summer winter; free paid; temporary
permanent; mutable immutable; ordered unordered; static dynamic; sync async; synchronous asynchronous; direct
indirect; visible hidden; known unknown; normal abnormal; many few; alone together; single several; single multiple;
single two; one two; one several; one multiple; once twice; major minor; maximum minimum; upper lower; top bottom; add
remove; keep drop; remain change; survive die; wet dry; clean dirty; loud quiet; near far; closer farther; wide
narrow; thick thin; deep shallow; fresh salt; cooked raw; sick healthy; love hate; happy sad; happy angry; sleep
awake; asleep awake; sit stand; sitting standing; walk run; alter neu; vor nach; offen geschlossen; mehr weniger;
ouvert fermé; avant après; plus moins; cover exclude; exclude included; free cost; free pay; free paid; valid
expired; force expired; active expired; current expired; compatible breaks; required optional; mandatory optional;
mutable constant; accepted withdrawn; public members; private members; alive killed; stable experimental
"""
"""Words that contradict each other, in lower case."""
