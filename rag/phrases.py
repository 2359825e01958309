"""The words of a question, the phrases it names and the pronouns it leaves open. Word lists and rules, no model.

English, with a modest share of German and French. It knows one question at a time and nothing of a conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rag.question import stem

Language = Literal["en", "de", "fr"]

_TOKEN = re.compile(
    r"(?:-t)?-(?:ils?|elles?)\b"  # "a-t-il", "est-elle"
    r"|['’](?:s|re|d|ll|ve|m|t)\b"
    r"|\b(?:qu|[ldjmtscn])['’](?=\w)"
    r"|(?-i:\b[A-Z]\.(?=\s?[A-Z]))"  # initials
    r"|\w+(?:(?!-(?:t-)?(?:ils?|elles?)\b)[.,+#@/:-]+\w+)*(?:\(\)|\+\+)?"
    r"|[^\w\s]",
    re.IGNORECASE,
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


LEADS = _set("and but or so also then well okay und aber oder et mais ou alors")
"""Words that tie a question to what was said before, at its beginning."""
WH = _set(
    "who whom whose what which when where why how wer wem wen wessen welche welcher welches welchen welchem "
    "wann wo wohin woher warum weshalb wieso wie qui quoi quel quelle quels quelles quand où pourquoi comment "
    "combien"
)
_DEGREES = _set(
    "many much long often far old large big high fast tall few late early soon deep wide heavy viel viele lange "
    "hoch groß alt"
)
_WHICH = _set("which what whose welche welcher welches welchen welchem quel quelle quels quelles")
_DO = _set("do does did don doesn didn")
_BE = _set("is are was were be been being isn aren wasn weren 's 're ist sind war waren est sont était étaient")
_MODALS = _set(
    "can could may might must shall should will would 'll 'd won wouldn couldn shouldn kann können darf dürfen "
    "muss müssen soll sollen wird werden wurde wurden peut peuvent doit doivent"
)
_HAVE = _set("has have had hasn haven hadn 've hat haben hatte a ont avait")
_OF = _set("of von des de du d'")
PREPOSITIONS = _OF | _set(
    "in on at by for from with without to into onto about after before since until till during under over between "
    "among against through per than via like within across behind near as besides im am bei für mit ohne zu zum "
    "zur nach vor seit bis unter über zwischen aus um beim vom dans sur à au aux par pour avec sans vers depuis "
    "chez entre sous en"
)
_INDEFINITE = _set("a an some any no each every all ein eine einen einem einer un une")
_DETERMINERS = _INDEFINITE | _set(
    "the my our your der die das den dem mein meine unser unsere le la les l' mon ma mes notre nos"
)
_CLAUSES = _set(
    "if when because while that which who whose where before after and or but so unless until although whether to "
    "since wenn weil dass und oder si que et ou"
)
_IFS = _set("if when wenn falls si")
OTHERS = _set(
    "else other others another same also too then next previous both more instead auch noch dort dann aussi "
    "encore autre autres"
)
"""Words that compare with something, or point back to it."""
_SELVES = _set("i you we me us ich wir mich uns je tu nous vous on man")
_OTHER_FUNCTION_WORDS = _set(
    "not n't 't 'm 'd as well just only ever never actually really exactly still already again please yes than "
    "most least here there such very own much many few nicht nur schon denn doch eigentlich ne pas se y plus "
    "est-ce que c' qu' n' s' j' t' m'"
)
_VERBS = frozenset(
    stem(word)
    for word in _set(
        "accept add affect allow answer apply appear ask attend avoid base become begin believe belong bill "
        "borrow break bring build call carry cause change charge check choose claim come compare contain continue "
        "convert cost count create decide define delete deliver depend describe develop die differ discover do "
        "drop earn end enter escape exist expect explain fail fall feel fight find finish fix follow force form "
        "gain get give go grow handle happen have hear help hold include increase invent join keep kill know last "
        "lead learn leave let lift like list live look lose love make manage mean measure meet move need occur "
        "offer open own pass pay perform play prefer prevent produce propose protect provide publish put raise "
        "reach read receive recommend record release remove replace require return run say see sell send serve "
        "set show sing speak spend stand start stay stop study suffer suggest support take talk teach tell think "
        "travel treat try turn understand use visit vote wait want wear win work write yank"
    )
)
_PEOPLE = _set("people men women children data teeth feet mice media criteria")
_EXPLETIVE_BEHIND = _set(
    "true impossible safe legal illegal allowed necessary worth ok okay mandatory required important normal "
    "better best easy hard difficult enough common rude wrong right clear known said rain rains raining snow "
    "snows possible wahr möglich erlaubt nötig vrai permis nécessaire faut"
)
_EXPLETIVE_VERBS = _set(
    "take takes took cost costs matter matters feel look seem seems mean help hurt make makes become became"
)
_WEATHER = _set("cold warm hot dark light rain rains raining snow snows wet dry late")
_POINTING = _set("this that these those")
_NOW = _set("year month week morning evening afternoon day century days")
"""Behind "this" and "these" they mean the present."""
_PRONOUNS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "it": "it", "its": "its", "he": "he", "him": "him", "his": "his", "she": "he", "her": "him", "they": "they",
        "them": "them", "their": "their", "this": "this", "that": "this", "these": "these", "those": "these",
        "one": "one", "ones": "ones",
    },
    "de": {
        **dict.fromkeys(_set("er ihn ihm es"), "it"),
        **dict.fromkeys(_set("sie"), "they"),
        **dict.fromkeys(_set("ihr ihre ihren ihrem ihrer ihres sein seine seinen seinem seiner seines"), "open"),
        **dict.fromkeys(_set("dessen deren davon dafür damit daran darin dazu"), "open"),
        **dict.fromkeys(_set("dieser diese dieses diesen diesem"), "open"),
    },
    "fr": {
        **dict.fromkeys(_set("il elle -il -elle -t-il -t-elle lui ça cela"), "it"),
        **dict.fromkeys(_set("ils elles -ils -elles -t-ils -t-elles"), "they"),
        **dict.fromkeys(_set("son sa ses leur leurs cet cette ces"), "open"),
    },
}  # fmt: skip
"""What each pronoun stands for: *open* ones are seen and not replaced."""
_TELLING: Mapping[Language, frozenset[str]] = {
    "en": _set("the of is are was were does did do how what who when where why which it they to and for can has have"),
    "de": _set(
        "der die das den dem und ist sind wie wer wann wo warum wieso welche welcher welches viele hat haben "
        "ein eine für mit bei im von wird kann muss er es sie was"
    ),
    "fr": _set(
        "le la les et est sont quel quelle quels quelles qui quand où pourquoi comment combien une du des "
        "dans pour il elle ils elles que qu' l' d' sa ses ça"
    ),
}
"""Words that tell a language by their number."""
_FUNCTION_WORDS = (
    LEADS | WH | _DEGREES | _DO | _BE | _MODALS | _HAVE | PREPOSITIONS | _DETERMINERS | _CLAUSES | OTHERS | _SELVES
    | _OTHER_FUNCTION_WORDS | _set("done doing being having been myself yourself itself themselves himself herself")
)  # fmt: skip
_SOMETIMES = _DEGREES | OTHERS | _OTHER_FUNCTION_WORDS
_PARTICLES = _set("van von der de du la le di da del den ten ter bin al")
_TIME = re.compile(
    r"[\W\d]*(?:(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day)?[\W\d]*)",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\w+(?:er|or|ist|ian)|general|king|queen|pope|president|man|woman|person|member|captain|saint|chef|poet"
)
AUXILIARIES = _DO | _BE | _MODALS | _HAVE


@dataclass(frozen=True, slots=True)
class Word:
    """A word or mark of a question, with its place in it."""

    text: str
    start: int
    end: int

    @property
    def small(self) -> str:
        """The word in small letters, with straight apostrophes."""
        return self.text.casefold().replace("’", "'")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something that a question names."""

    text: str
    """As it stands in the question, without its article."""
    article: str
    """Before it, "" where there is none."""
    head: str
    """The word that the phrase is about, in small letters."""
    start: int
    """First word, counted in the question."""
    end: int
    """One behind the last."""
    marks: frozenset[str]
    """What it looks like and where it stands: *name*, *quoted*, *of*, *subject*, *be*, *in*, *last*, *asked*, …"""

    @property
    def plural(self) -> bool:
        """Whether it names several things, by the form of its head."""
        return self.head in _PEOPLE or (self.head.endswith("s") and not self.head.endswith(("ss", "us", "is")))

    @property
    def with_article(self) -> str:
        """The phrase as it is spoken of again: "a dishwasher" becomes "the dishwasher"."""
        if not self.article or "asked" in self.marks:
            return self.text
        return f"{'the' if self.article.casefold() in _INDEFINITE else self.article} {self.text}"


@dataclass(frozen=True, slots=True)
class Mention:
    """A pronoun whose meaning is not in its own question."""

    kind: str
    """it, he, they, its, his, their, this, these, one, ones; *open* in German and French."""
    start: int
    end: int
    """Words that a phrase takes the place of: the pronoun, or "that file" as a whole."""
    noun: str
    """The head of what a pointing word stands before, in small letters, or ""."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A question taken apart."""

    text: str
    words: tuple[Word, ...]
    language: Language
    lead: int
    """Words at the beginning that only tie it to what was before."""
    phrases: tuple[Phrase, ...]
    mentions: tuple[Mention, ...]
    content: frozenset[str]
    """The stems of its content words."""

    def asks(self, i: int) -> bool:
        """Return whether word `i` is a question word; "was" is one in German."""
        return self.words[i].small in WH or (self.language == "de" and self.words[i].small == "was")

    def slice(self, start: int, end: int) -> str:
        """Return the text from word `start` to before word `end`."""
        return self.text[self.words[start].start : self.words[end - 1].end] if start < end else ""


@lru_cache(maxsize=1024)
def read(text: str, most_words: int) -> Reading:
    """Take the first `most_words` words of a question apart."""
    words = tuple(
        Word(match[0], *match.span()) for match, _ in zip(_TOKEN.finditer(text), range(most_words), strict=False)
    )
    language = _language(words)
    content = _content(words, language)
    phrases = tuple(_phrases(text, words, content, language))
    return Reading(
        text,
        words,
        language,
        _lead(words),
        phrases,
        tuple(_mentions(words, content, language, phrases)),
        frozenset(stem(word.small) for word, says in zip(words, content, strict=True) if says),
    )


def content_stems(text: str) -> frozenset[str]:
    """Return the stems of the content words of `text`."""
    return read(text, 400).content


def _language(words: Sequence[Word]) -> Language:
    scores = {language: sum(word.small in telling for word in words) for language, telling in _TELLING.items()}
    return max(_TELLING, key=lambda language: scores[language])  # the first of equals is English


def _lead(words: Sequence[Word]) -> int:
    lead = 0
    while lead < len(words) - 1 and (words[lead].small in LEADS or (lead and words[lead].text == ",")):
        lead += 1
    return lead


def _content(words: Sequence[Word], language: Language) -> list[bool]:
    """Return which words say something by themselves; "never" does in "the never type", "van" in "Guido van Rossum"."""
    content = [_is_content(word, language) for word in words]
    for i in range(1, len(words) - 1):
        before, word, behind = words[i - 1], words[i], words[i + 1]
        if not content[i] and content[i + 1]:
            content[i] = (word.small in _SOMETIMES and before.small in _DETERMINERS) or (
                language == "en"
                and word.text in _PARTICLES
                and before.text[0].isupper()
                and behind.text[0].isupper()
                and content[i - 1]
            )
    return content


def _is_content(word: Word, language: Language) -> bool:
    small = word.small
    return (
        bool(re.search(r"\w", small))
        and small not in _FUNCTION_WORDS
        and small not in _PRONOUNS[language]
        and small[0] not in "-'"
    )


def is_verb(word: str) -> bool:
    """Return whether a word is a common verb, in any of its forms."""
    return stem(word) in _VERBS


# Phrases


def _phrases(text: str, words: Sequence[Word], content: Sequence[bool], language: Language) -> Iterator[Phrase]:
    parts = list(_parts(words, content))
    for number, (start, end, marks) in enumerate(parts):
        yield from _with_its_names(text, words, start, end, marks, capitals=language != "de")
        last, joined = end, number
        while (
            joined + 1 < len(parts)
            and joined < number + 2
            and _joins(words[last : _article(words, parts[joined + 1][0])])
        ):
            joined += 1
            last = parts[joined][1]
            yield _phrase(text, words, start, last, marks | {"of"}, head=end)
    yield from _quoted(text, words)
    yield from _asked(text, words, parts)


def _joins(between: Sequence[Word]) -> bool:
    return len(between) == 1 and (between[0].small in _OF or between[0].small == "'s")


def _article(words: Sequence[Word], start: int) -> int:
    return start - 1 if start and words[start - 1].small in _DETERMINERS else start


def _phrase(text: str, words: Sequence[Word], start: int, end: int, marks: frozenset[str], head: int = 0) -> Phrase:
    before = start if "part" in marks else _article(words, start)
    article = text[words[before].start : words[before].end] if before < start else ""
    if before and words[before - 1].small in PREPOSITIONS:
        marks |= {"of-it"} if words[before - 1].small in _OF else {"in"}
        if words[before - 1].small in ("in", "at", "on"):
            marks |= {"at"}
    if end >= len(words) or not re.search(r"\w", "".join(word.text for word in words[end:])):
        marks |= {"last"}
    shown = text[words[start].start : words[end - 1].end]
    if before == start and start and (words[start - 1].small in _WHICH or words[start - 1].small in _DEGREES):
        marks |= {"asked about"}
    if _TIME.fullmatch(shown):
        marks |= {"time"}
    if article.casefold() == "no":
        article = ""
    return Phrase(shown, article, words[(head or end) - 1].small, start, end, marks)


def _with_its_names(
    text: str, words: Sequence[Word], start: int, end: int, marks: frozenset[str], *, capitals: bool
) -> Iterator[Phrase]:
    named = [_is_name(words, i, start, capitals=capitals) for i in range(start, end)]
    everything = frozenset({"name"}) if all(named) else frozenset()
    yield _phrase(text, words, start, end, marks | everything)
    i = start
    while i < end:
        last = i
        while last < end and named[last - start]:
            last += 1
        if last > i and (i, last) != (start, end):
            yield _phrase(text, words, i, last, marks | {"name", "part"})
        i = max(last, i + 1)


def _is_name(words: Sequence[Word], i: int, start: int, *, capitals: bool) -> bool:
    """Return whether a word belongs to a name: a capital or a sign inside a word, or a figure behind such a word."""
    text = words[i].text
    if text[0].isdigit():
        if i + 1 < len(words) and words[i + 1].text[0].isupper() and capitals:
            return True
        return i > start and _is_name(words, i - 1, start, capitals=capitals)
    if re.search(r"\w[A-Z]|\w[_./#]\w|\(\)|\d", text):
        return True
    if text in _PARTICLES and 0 < i < len(words) - 1:
        return words[i - 1].text[0].isupper() and words[i + 1].text[0].isupper()
    return capitals and text[0].isupper() and (i > 0 or (len(words) > 1 and words[1].text[0].isupper()))


def _parts(words: Sequence[Word], content: Sequence[bool]) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Yield each run of content words, without the verbs that can be told from their place."""
    awaits_verb = False
    i = 0
    while i < len(words):
        if not content[i]:
            awaits_verb = awaits_verb or words[i].small in _DO | _MODALS
            i += 1
            continue
        end = i
        while end < len(words) and content[end]:
            end += 1
        before = words[i - 1].small if i else ""
        has_article = _article(words, i) < i
        subject = words[i - 2].small if has_article and i > 1 else before
        behind = words[end].small if end < len(words) else ""
        marks = frozenset({"be"} if subject in _BE else {"subject"} if subject in AUXILIARIES else set())
        if awaits_verb and before not in _SELVES:
            parts = _around_verb(words, i, end, behind)
            awaits_verb = parts == [(i, end)]
        else:
            parts = _without_verb(words, i, end, before, behind, has_article)
            awaits_verb = False
        for start, stop in parts:
            if start < stop:
                yield start, stop, marks if start == i else frozenset()
        i = end


def _around_verb(words: Sequence[Word], start: int, end: int, behind: str) -> list[tuple[int, int]]:
    """Return subject and object of "does GitHub bill customers": what is before and behind the verb."""
    for i in range(start + 1, end):
        small = words[i].small  # behind an auxiliary a verb has its plain form
        if is_verb(small) and not small.endswith(("ing", "ed")) and not words[i].text[0].isupper():
            return [(start, i), (i + 1, end)]
    if end - start >= 2 and behind not in _OF | _BE | _HAVE and not words[end - 1].text[0].isupper():
        return [(start, end - 1)]
    return [(start, end)]


def _without_verb(
    words: Sequence[Word], start: int, end: int, before: str, behind: str, has_article: bool
) -> list[tuple[int, int]]:
    first = words[start].small
    if has_article:
        subject = words[start - 2].small if start > 1 else ""
        return [(start, _before_participle(words, start, end) if subject in _BE else end)]
    if before in _BE:
        return [(start, _before_participle(words, start, end))]
    if before in _SELVES or before in ("who", "they", "he", "she", "it") or (before == "to" and is_verb(first)):
        return [(start + 1, end)]
    if before == "to" and end - start > 1 and words[start].text.islower() and words[start + 1].text[0].isupper():
        return [(start + 1, end)]  # "to climb Mount Cook"
    if not before and is_verb(first):
        return [(start + 1, end)]
    if before in WH or before in _DEGREES:
        noun = (
            end
            if behind in AUXILIARIES
            else next((i for i in range(start + 1, end) if is_verb(words[i].small)), start + 1)
        )
        return [(start, noun), (noun + 1, end)]
    return [(start, end)]


def _before_participle(words: Sequence[Word], start: int, end: int) -> int:
    while end - start > 1 and (words[end - 1].small.endswith(("ed", "ly")) or is_verb(words[end - 1].small)):
        end -= 1
    return end


def _quoted(text: str, words: Sequence[Word]) -> Iterator[Phrase]:
    for match in re.finditer(r"[\"“„«`]([^\"“”„«»`]{2,80})[\"”“»`]", text[: words[-1].end if words else 0]):
        inside = [i for i, word in enumerate(words) if match.start(1) <= word.start and word.end <= match.end(1)]
        if inside:
            yield _phrase(text, words, inside[0], inside[-1] + 1, frozenset({"quoted"}))


def _asked(text: str, words: Sequence[Word], parts: Sequence[tuple[int, int, frozenset[str]]]) -> Iterator[Phrase]:
    """Yield what the question asks for: "which dairy brings milk" is about "the dairy which brings milk"."""
    end = len(words)
    while end and not re.search(r"\w", words[end - 1].text):
        end -= 1
    if end < 3:
        return
    first = words[0].small
    if first == "who" and words[1].small not in AUXILIARIES:
        rest = text[words[1].start : words[end - 1].end]
        yield Phrase(f"the one who {rest}", "", "one", 0, end, frozenset({"asked", "who"}))
    elif first in ("which", "what") and parts and parts[0][0] == 1 and parts[0][1] < end:
        noun = parts[0][1]
        behind = words[noun].small
        rest_from = noun + (behind in _DO)
        if behind in _BE | _HAVE | _MODALS and noun + 1 < end:
            rest_from = noun
        rest = text[words[rest_from].start : words[end - 1].end] if rest_from < end else ""
        shown = f"the {text[words[1].start : words[noun - 1].end]} which {rest}"
        person = {"who"} if _PERSON.fullmatch(words[noun - 1].small) else set()
        yield Phrase(shown, "", words[noun - 1].small, 0, end, frozenset({"asked", *person}))


# Mentions


def _mentions(
    words: Sequence[Word], content: Sequence[bool], language: Language, phrases: Sequence[Phrase]
) -> Iterator[Mention]:
    table = _PRONOUNS[language]
    for i, word in enumerate(words):
        kind = table.get(word.small)
        if kind is None or (language == "de" and i and word.text in ("Sie", "Ihr", "Ihre", "Ihren", "Ihrem", "Ihrer")):
            continue
        mention = _pointing(words, content, i, kind) if word.small in _POINTING else _personal(words, content, i, kind)
        if mention is not None and not _is_explained(words, content, mention, phrases):
            yield mention


def _personal(words: Sequence[Word], content: Sequence[bool], i: int, kind: str) -> Mention | None:
    before, behind = _small(words, i - 1), _small(words, i + 1)
    if kind == "it" and _is_expletive(words, i):
        return None
    if kind == "one":
        if (
            before != "which"
            and not (i >= 2 and content[i - 1] and _small(words, i - 2) == "the")
            and before not in OTHERS | {"first", "second", "third", "last"}
        ):
            return None
        if behind in ("to", "of", "who", "that"):
            return None
        kind = "ones"
    if words[i].small in ("her", "his"):
        kind = "his" if i + 1 < len(words) and content[i + 1] and not is_verb(behind) else "him"
    return Mention(kind, i, i + 1, "")


def _pointing(words: Sequence[Word], content: Sequence[bool], i: int, kind: str) -> Mention | None:
    before, behind = _small(words, i - 1), _small(words, i + 1)
    is_that = words[i].small == "that"
    helped = before in AUXILIARIES or before in PREPOSITIONS
    if is_that and i and not helped and i + 1 < len(words) and re.match(r"\w", behind):
        return None  # "is it true that", "the crate that"
    if words[i].small in ("that", "those") and behind in ("who", "that", "which", "of", "with", "in"):
        return None if words[i].small == "those" else Mention(kind, i, i + 1, "")
    if i + 1 < len(words) and content[i + 1] and not (before in _DO | _MODALS and is_verb(behind)):
        end = i + 1
        while end < len(words) and content[end] and end < i + 4:
            end += 1
        if before in _DO | _MODALS and end - i > 2:
            end -= 1  # "does that file exist"
        elif before in _BE and end - i > 2 and _before_participle(words, i + 1, end) < end:
            end = _before_participle(words, i + 1, end)
        if words[end - 1].small in _NOW and words[i].small in ("this", "these"):
            return None
        return Mention(kind, i, end, words[end - 1].small)
    return Mention(kind, i, i + 1, "")


def _is_expletive(words: Sequence[Word], i: int) -> bool:
    """Return whether "it" stands for nothing: "is it true that", "how long does it take to", "il faut"."""
    rest = [word.small for word in words[i + 1 : i + 12]]
    before = _small(words, i - 1)
    if words[i].small in ("es", "il", "-il", "-t-il"):
        near = {*rest[:2], before, _small(words, i - 2)}
        return bool(near & (_EXPLETIVE_BEHIND | _set("gibt y regnet schneit geht agit pleut faut")))
    if words[i].small != "it":
        return False
    if _WEATHER & {*rest[:4], before, _small(words, i - 2)}:
        return True
    next_words = [word for word in rest if word not in _BE and word not in _MODALS | _OTHER_FUNCTION_WORDS][:1]
    if next_words and next_words[0] in _EXPLETIVE_BEHIND:
        return next_words[0] not in ("allowed", "required", "known") or bool({"to", "that"} & set(rest))
    if before in _BE or rest[:1] == ["'s"] or rest[:1] == ["is"]:
        adjective = len(rest) > 2 and not rest[0].endswith(("ed", "en")) and not is_verb(rest[0])
        return adjective and "to" in rest[1:3]
    return rest[:1] != [] and rest[0] in _EXPLETIVE_VERBS and bool({"to", "for", "that", "when", "if"} & set(rest[1:]))


def _is_explained(words: Sequence[Word], content: Sequence[bool], mention: Mention, phrases: Sequence[Phrase]) -> bool:
    """Return whether the question itself says before whom or what a pronoun means.

    An object is not what the subject of its clause is (principle B; Chomsky 1981): "did the ship hit it" stays open.
    """
    i = mention.start
    if mention.noun:
        return any(phrase.end <= i and stem(phrase.head) == stem(mention.noun) for phrase in phrases)
    many = mention.kind in ("they", "them", "their", "these")
    owns = mention.kind in ("its", "his", "their", "open")
    if words[0].small in _IFS and any(phrase.end <= i for phrase in phrases):
        return True
    if owns and "who" in {word.small for word in words[:i]}:
        return words[i - 1].small not in AUXILIARIES  # "who lost his crown", and not "who was its author"
    for phrase in phrases:
        if phrase.end > i or "asked" in phrase.marks or (mention.kind in ("it", "this") and phrase.plural):
            continue
        between = [word.small for word in words[phrase.end : i]]
        if "asked about" in phrase.marks and (not between or between[0] in AUXILIARIES - (_HAVE if owns else set())):
            continue  # "which form do they", and not "which state has its"
        if (
            owns
            or words[i].text[0] == "-"  # "l'association a-t-elle"
            or set(between) & (_CLAUSES | WH | {"as", "than"})
            or any(re.fullmatch(r"\w+ing|[^\w\s'\"]", word) for word in between)
        ):
            return True
        # "does Lashley think he"
        if mention.kind in ("he", "they") and between and is_verb(between[-1]) and (many or "name" in phrase.marks):
            return True
    return False


def _small(words: Sequence[Word], i: int) -> str:
    return words[i].small if 0 <= i < len(words) else ""
