"""Which languages an encoder knows, as its model card says; kept in the receipt of its conversion."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from indexer.encoders.converted import read_receipt
from indexer.encoders.model_folder import DEFAULT_NAME
from indexer.errors import EncoderError

CARD = "README.md"
ALL = frozenset({"multilingual", "mul"})
"""What a card says of a model for many languages."""
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*$", re.M | re.S)
_LANGUAGE = re.compile(r"^language:[ \t]*(.*(?:\r?\n[ \t]*-.*)*)", re.M)
_CODE = re.compile(r"[A-Za-z]{2,}(?:[-_][A-Za-z]+)*")
_LONGEST_CARD = 1_000_000


def card_languages(folder: Path) -> list[str]:
    """Return the languages that the card of a model folder names, in small letters; none where it names none."""
    try:
        with (folder / CARD).open(encoding="utf-8", errors="replace") as card:
            front = _FRONT_MATTER.match(card.read(_LONGEST_CARD))
    except OSError:
        return []
    named = _LANGUAGE.search(front[1]) if front else None
    return [each.lower() for each in _CODE.findall(named[1])] if named else []


def unknown_languages(languages: Iterable[str], fingerprint: str, home: Path) -> list[str]:
    """Return those of the languages (ISO 639-1) that an encoder does not know; none where its card names no language.

    An encoder that was never converted under `home` tells nothing either.
    """
    try:
        settings = read_receipt(fingerprint, home).settings
    except EncoderError:
        return []
    # A receipt of an older version names none.
    known = settings.languages or (["en"] if settings.name.rpartition("/")[2] == DEFAULT_NAME else [])
    if not known or ALL.intersection(known):
        return []
    codes = {re.split("[-_]", each)[0] for each in known}
    return [each for each in languages if each not in codes]
