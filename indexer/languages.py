"""Which language a text is in, as far as letters and function words tell.

Pure text, no library. When in doubt it does not say: names and keywords tell nothing, and an English
search of few words must not be taken for another language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_SCRIPTS: Mapping[str, re.Pattern[str]] = {
    "ja": re.compile(r"[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d]"),
    "ko": re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    "zh": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "ar": re.compile(r"[\u0600-\u06ff\u0750-\u077f]"),
    "el": re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
}
"""Letters of one language here. Kana comes before the Chinese signs, which Japanese has too."""
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_OTHERS = re.compile(r"[\u0404\u0406\u0407\u0408\u0454\u0456\u0457\u0458\u0490\u0491\u067e\u0686\u0698\u06af\u06cc]")
"""Letters of Ukrainian, Serbian, Persian and Urdu, which share a script with Russian and Arabic."""
_ELIDED = r"\b(?:[cdjlnm]|qu|dell|all|nell)['’](?=[^\W\d_]{2})"
_MARKS: Mapping[str, re.Pattern[str]] = {
    "de": re.compile("[ßẞ]"),
    "es": re.compile("[¿¡ñ]"),
    "fr": re.compile(rf"[œùê]|{_ELIDED}"),
    "it": re.compile(rf"[òì]|{_ELIDED}"),
    "pt": re.compile("[ãõ]"),
    "pl": re.compile("[łęążśćń]"),
    "sv": re.compile("å"),
    "tr": re.compile("[ğış]"),
}
"""What few others of the languages write."""
_MARK = 0.5
"""What such a mark counts beside a function word: it may stand in a name ("El Niño")."""

_FUNCTION_WORDS: Mapping[str, str] = {
    "en": """
        the of and to in is are was were be been a an that this these those it its for on with as at by from or
        not no do does did can could may might must shall should will would has have had what which who whom
        whose when where why how i me my you your we our us he she they them their there if than then so any all
        some about into after before over under between during while more most much many one two up out also
        only just die man men war hat son sin den also do come per via met want van were over plus par pour note
        main on port
    """,
    "de": """
        der die das den dem des ein eine einen einem einer eines und oder ist sind war waren wird werden wurde
        hat haben hatte kann können darf dürfen muss müssen soll sollen will wie was wer wo wann warum welche
        welcher welches wieviel viel viele nicht kein keine keinen mit von vom für auf bei beim nach aus zu zum
        zur über unter zwischen im ins am an als auch nur noch wenn dass ich du er sie es wir ihr man mich mir
        mein meine sich gibt es heißt wofür woher wohin worum
    """,
    "fr": """
        le la les un une des du de au aux et ou est sont était être a ont avoir peut peuvent doit doivent faut
        que qui quoi quel quelle quels quelles quand où comment pourquoi combien ne pas plus pour par avec sans
        sur sous dans en entre chez ce cette ces cet je tu il elle on nous vous ils elles mon ma mes son sa ses
        leur notre votre y est-ce puis-je faut-il a-t-il peut-on
    """,
    "es": """
        el la los las un una unos unas de del al y o es son era fue ser está están hay ha han puede pueden debe
        deben que qué quién cuál cuáles cuándo dónde cómo cuánto cuántos cuántas por para con sin sobre en entre
        no se su sus mi mis yo tú él ella nosotros ustedes lo le me te este esta estos estas más pero como
        porque cuando donde tengo
    """,
    "it": """
        il lo la i gli le un uno una di del dello della dei degli delle da dal dalla a al alla e o è sono era
        essere ha hanno può possono deve devono che chi cosa quale quali quando dove come perché quanto quanti
        quante per con senza su sul sulla in nel nella tra fra non si mio mia suo sua io tu lui lei noi voi loro
        questo questa questi queste più anche c'è dell all
    """,
    "pt": """
        o a os as um uma uns umas de do da dos das em no na nos nas ao à e ou é são era foi ser está estão há
        tem têm pode podem deve devem que quem qual quais quando onde como quanto quantos quantas por para com
        sem sobre entre não se seu sua seus suas meu minha eu você ele ela nós eles este esta isso mais também
        porque pelo pela
    """,
    "nl": """
        de het een en of is zijn was waren wordt worden werd heeft hebben had kan kunnen mag mogen moet moeten
        zal zullen wat wie waar wanneer waarom hoe hoeveel welke welk niet geen met van voor op bij naar uit te
        tot over onder tussen in aan als ook nog maar dan dat dit deze die ik jij je hij zij ze wij we jullie
        mijn uw er
    """,
    "sv": """
        en ett den det de och eller är var varit blir blev har hade kan får måste ska skall vill vad vem var när
        varför hur vilken vilket vilka många mycket inte ingen inga med av för på hos till från ut om över under
        mellan i som också bara men att jag du han hon vi ni min mitt mina sin finns
    """,
    "pl": """
        i oraz lub albo jest są był była było być ma mają może mogą musi muszą można trzeba należy co kto gdzie
        kiedy dlaczego jak jaki jaka jakie jakich ile który która które czy nie bez z ze do dla na od po pod
        przy w we za przez między się to ten ta te tego tej ja ty on ona my wy moje mój
    """,
    "tr": """
        ve veya ile için bir bu şu o ne kim nerede nasıl neden niçin kaç hangi zaman mi mı mu mü midir mıdır
        değil var yok olan olarak daha çok en gibi kadar ben sen biz siz benim
    """,
}  # fmt: skip
"""Function words, with those English words among them that are function words elsewhere ("die", "war")."""
_SHARED = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
FUNCTION_WORDS = frozenset().union(*_SHARED.values())
"""Those of all languages together."""
_LANGUAGES_OF = {word: [each for each, known in _SHARED.items() if word in known] for word in FUNCTION_WORDS}
NAMES: Mapping[str, str] = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "sv": "Swedish", "pl": "Polish", "tr": "Turkish", "ru": "Russian", "zh": "Chinese",
    "ja": "Japanese", "ko": "Korean", "ar": "Arabic", "el": "Greek", "he": "Hebrew",
}  # fmt: skip
"""The languages that `language_of` tells, by their ISO 639-1 codes."""
_OPENING = """
what when where which who whose why how wie wo wann warum welche welcher welches wieviel worum wofür woher wohin
quand quel quelle quels quelles combien pourquoi où qué quién cuál cuáles cuándo dónde cómo cuánto cuántos cuántas
quale quali perché quanti quanto quem qual quais onde wat waar wanneer waarom hoeveel vad vem när varför hur vilken
vilket vilka kto gdzie kiedy dlaczego jaki jaka jakie nerede nasıl neden hangi
"""
_OPENERS = frozenset(_OPENING.split())
"""Question words that count twice where a text begins with them; none is an English word or a name ("hoe", "Kim")."""
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_OWN = 2.0
"""Function words that a language must have of its own: one may be a name or a foreign word."""
_LEAD = 1.5
"""How often those of the next likely language."""


def function_words(language: str) -> frozenset[str]:
    """Return the function words of a language; none of one that is known by its letters alone."""
    return _SHARED.get(language, frozenset())


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the language of `text`, a question or some sentences; "" when unsure.

    Known are en, de, fr, es, it, pt, nl, sv, pl, tr by their words, and ru, zh, ja, ko, ar, el, he by their letters.
    """
    if text.isascii():  # no letters but Latin ones
        return _by_words(text) if _LATIN.search(text) else ""
    text = unicodedata.normalize("NFC", text)
    letters = {language: len(pattern.findall(text)) for language, pattern in _SCRIPTS.items()}
    latin = len(_LATIN.findall(text))
    if sum(letters.values()) > latin:
        return _by_letters(text, letters)
    return _by_words(text) if latin else ""


def _by_letters(text: str, letters: Mapping[str, int]) -> str:
    if letters["ja"] and letters["ja"] * 10 >= letters["zh"]:
        return "ja"
    found = max(letters, key=lambda language: letters[language])
    return "" if found in ("ru", "ar") and _OTHERS.search(text) else found


def _marked(folded: str) -> set[str]:
    """Return the languages whose marks stand in a text; of plain ASCII those of an apostrophe alone."""
    if folded.isascii() and "'" not in folded:
        return set()
    return {language for language, pattern in _MARKS.items() if pattern.search(folded)}


def _by_words(text: str) -> str:
    """Return the language whose function words and marks lead clearly; a word of n languages counts 1/n for each."""
    votes = dict.fromkeys(_SHARED, 0.0)
    folded = text.casefold()
    words = _WORD.findall(folded.replace("’", "'"))
    telling = FUNCTION_WORDS.intersection(words)
    for word in [*sorted(telling), *(each for each in words[:1] if each in _OPENERS)]:
        having = _LANGUAGES_OF[word]
        for language in having:
            votes[language] += 1 / len(having)
    for language in _marked(folded):
        votes[language] += _MARK
    first, second = sorted(votes, key=lambda language: -votes[language])[:2]
    return first if votes[first] >= _OWN and votes[first] >= _LEAD * votes[second] else ""
