"""What a question may call by name: identifiers in a text, and the names of documents and headings.

Pure text. An identifier is a token that is written in one way on purpose: a part number, a version, an error code, a
name in code. The rows that are made here are looked up as they are; likeness has no part in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from indexer.words import STOP_WORDS, bigrams, content_words

MAX_PIECES = 6
"""Pieces of an identifier of which all runs are kept; a longer one is kept whole and by its pieces."""
MAX_NAME = 120
"""Longest name, in characters: a longer field is a text."""
KEPT = 50_000
"""Tokens of which it is remembered whether they are identifiers: most of a text's words are words of the last one."""
MAX_ASKED = 32
"""Most names that are looked up for one question."""
WHOLE, PART = 2, 1
"""How well an identifier matches: as it is written, or as a part of a longer one."""

_HYPHENS = r"\-\u2010\u2011"
_TOKEN = re.compile(rf"[^\W_]+(?:[._{_HYPHENS}]+[^\W_]+)*")
_WORD = re.compile(r"[^\W_]+")
_SEPARATOR = re.compile(rf"[._{_HYPHENS}]+")
_VERSION = re.compile(r"v(?=\d+\.\d)")
_CAMEL = re.compile(r"[a-z]{2}[A-Z]")
_DOTTED_NUMBER = re.compile(r"\d+(?:\.\d+)+")
_DATE = re.compile(rf"\d+(?:[{_HYPHENS}]\d+){{2,}}")
_DOTTED_NAME = re.compile(r"[^\W\d_]{2,}(?:\.[a-z]{2,})+")
_QUANTITY = re.compile(
    rf"\d+(?:\.\d+)*[a-z]{{0,3}}(?:[{_HYPHENS}][a-z]{{2,}})*|(?:mid|pre|post|non)[{_HYPHENS}]\w+", re.I
)
"""Ordinary words with a figure: 21st, 1990s, 5kg, 24-hour, 10th-century, mid-1990s."""
_PIECE = re.compile(r"[^\W\d_]*\d+(?:\.\d+)+[^\W_]*|[^\W_]+")
_INNER = re.compile(r"[a-z]{2}[A-Z]|[A-Za-z]{3}\d\d")
_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


@lru_cache(maxsize=KEPT)
def is_identifier(token: str) -> bool:
    """Tell whether a token is an identifier: 2.3.1, AX-4410-B, 0x80070057, allocateBerth, max_tokens, price2023.

    It has figures and letters and is no quantity, or is a number with dots, a date, or a name as in code: with an
    underscore, with a capital in the middle, or with dots.
    """
    if "_" in token or _CAMEL.search(token) or _DOTTED_NUMBER.fullmatch(token) or _DATE.fullmatch(token):
        return True
    if any(map(str.isdigit, token)) and any(map(str.isalpha, token)):
        return not _QUANTITY.fullmatch(token)
    return _DOTTED_NAME.fullmatch(token) is not None


def identifiers(text: str) -> list[str]:
    """Return the identifiers of a text as they are written, each once."""
    tokens = _TOKEN.findall(unicodedata.normalize("NFC", text))
    return list(dict.fromkeys(token for token in tokens if is_identifier(token)))


def normal_form(token: str) -> str:
    """Return how a name is looked up: without capitals, accents and separators, but with a point between two figures.

    "AX-4410-B" and "ax4410b" are one name, "2.3.1" and "231" are two; a version may be written with a "v".
    """
    small = unicodedata.normalize("NFD", token.casefold())
    plain = "".join(character for character in small if not unicodedata.combining(character))
    joined = _SEPARATOR.sub(lambda match: "." if _between_figures(match) else "", plain)
    return _VERSION.sub("", joined, count=1) if joined.startswith("v") else joined


def _between_figures(match: re.Match[str]) -> bool:
    return match.string[match.start() - 1].isdigit() and match.string[match.end() : match.end() + 1].isdigit()


def forms(token: str) -> dict[str, int]:
    """Return the normal forms by which an identifier is found, with how well each matches.

    Beside the whole they are its runs of pieces ("AX-4410" of "AX-4410-B"), and the pieces that are identifiers.
    """
    pieces = _PIECE.findall(token.replace("_", " "))
    runs = {normal_form(piece): PART for piece in pieces if is_identifier(piece)}
    if len(pieces) <= MAX_PIECES:
        for first in range(len(pieces)):
            for last in range(first + 2, len(pieces) + 1):
                runs[normal_form("-".join(pieces[first:last]))] = PART
    return runs | {normal_form(token): WHOLE}


def parts(text: str) -> str:
    """Return the words inside the names that full-text search takes for one word, joined by spaces.

    "allocateBerth" has allocate and berth, "price2023" price and 2023. An ordinary text has none.
    """
    found = []
    for token in identifiers(text) if _INNER.search(text) else ():
        for piece in _WORD.findall(token):
            humps = _HUMP.findall(piece) if _CAMEL.search(piece) or re.fullmatch(r"[A-Za-z]{3,}\d{2,}", piece) else []
            found += [hump for hump in humps if len(hump) > 1]
    return " ".join(dict.fromkeys(found))


def inner_words(passage: str) -> str:
    """Return what FTS5's tokenizer does not see in a passage: pairs of characters, and the words inside of names."""
    return " ".join(filter(None, (bigrams(passage), parts(passage))))


def passage_names(text: str, context: str) -> dict[str, int]:
    """Return what a passage can be called by: its identifiers, and its nearest heading."""
    found: dict[str, int] = {}
    for token in identifiers(f"{context} {text}"):
        for form, match in forms(token).items():
            found[form] = max(match, found.get(form, 0))
    heading = phrase(context.rsplit(" > ", 1)[-1])
    return found | ({heading: WHOLE} if heading else {})


def document_names(source: str, title: str, metadata: Mapping[str, object]) -> dict[str, int]:
    """Return what a document can be called by: its file's name, its title, and its fields such as the author."""
    path = PurePath(source)
    found = {form: PART for token in identifiers(f"{path.stem} {title}") for form in forms(token)}
    values = [value for value in metadata.values() if isinstance(value, str)]
    whole = [path.name, path.stem, title, *values]
    return found | {form: WHOLE for form in map(phrase, whole) if form}


def phrase(text: str) -> str:
    """Return the normal form of a whole line, a name of several words; "" for one that is no name."""
    if len(text) > MAX_NAME:
        return ""
    return normal_form("-".join(_PIECE.findall(unicodedata.normalize("NFC", text).replace("_", " "))))


@dataclass(frozen=True, slots=True)
class QuestionNames:
    """What a question may call by name."""

    identifiers: tuple[str, ...]
    """The normal forms of its identifiers, written as one or in several words ("AX 4410 B")."""
    phrase: str
    """That of the whole question, which may be a name that was typed; "" where it is too long for one."""
    chiefly: bool
    """True when at least a third of its content words are identifiers: "What is part AX-4410-B?"."""


def names_in(question: str) -> QuestionNames:
    """Return the names that a question may say."""
    written = identifiers(question)
    runs = list(_in_words(question))
    named = {word for run in [*written, *runs] for word in content_words(run)}
    others = sum(word not in named and word not in STOP_WORDS for word in content_words(question))
    found = list(dict.fromkeys(map(normal_form, [*written, *runs])))
    return QuestionNames(tuple(found[:MAX_ASKED]), phrase(question), bool(found) and others <= 2 * max(1, len(written)))


def _in_words(question: str) -> Iterator[str]:
    """Yield the runs of two to four neighbouring words that are an identifier when joined, as "price 2023" is."""
    words = [word.strip(".,;:!?()\"'") for word in question.split()]
    for first in range(len(words)):
        for last in range(first + 2, min(first + 4, len(words)) + 1):
            run = words[first:last]
            if all(_WORD.fullmatch(word) and word.casefold() not in STOP_WORDS for word in run):
                joined = "".join(run)
                if any(map(str.isdigit, run)) and not joined.isdigit() and is_identifier(joined):
                    yield "-".join(run)


def name_rows(document_id: int, by_chunk: Mapping[int, Mapping[str, int]]) -> list[dict[str, object]]:
    """Return the rows of the table of names for one document; chunk 0 stands for the document as a whole."""
    return [
        {"form": form, "document_id": document_id, "chunk_id": chunk_id, "match": match}
        for chunk_id, found in by_chunk.items()
        for form, match in found.items()
    ]
