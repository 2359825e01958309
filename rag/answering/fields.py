"""Fields of documents: under which names an author, a date or a version stands in headers and properties. Pure text."""

from __future__ import annotations

import re
from collections.abc import Mapping

_KEYS: Mapping[str, str] = {
    "author": r"authors?|by|written by|from|autor(?:in|en)?|verfasser(?:in)?|auteure?s?|editors?|prepared by"
    r"|responsible|owner|creator",
    "from": r"from|sender|von|de",
    "to": r"to|recipients?|cc|an|à",
    "sponsor": r"sponsors?|bdfl-delegate|pep-delegate",
    "maintainer": r"maintainers?|maintained by|owner|responsible|contact",
    "date": r"date|created|published|issued|last[- ](?:updated|changed|modified|reviewed|revised)|updated|modified"
    r"|released?|effective|in force since|valid from|revised|approved|adopted|sent|post-history|stand|datum|vom"
    r"|date de|revision|revdate|submitted|received",
    "version": r"version|revision|release|python-version|edition|ausgabe|fassung",
    "status": r"status|state|zustand|statut|stage",
    "licence": r"licen[cs]e|copyright|lizenz|licence|rights",
    "title": r"title|subject|titel|titre|betreff",
}  # fmt: skip
_NAMED = {
    name: re.compile(rf"[\W_]*+(?:[\w.]*[.])?(?:{keys})[\s*_`]*[:|=;]", re.IGNORECASE) for name, keys in _KEYS.items()
}


def has_field(text: str, name: str) -> bool:
    """Tell whether a line gives the field of this name: "Author: Petra Holm"."""
    pattern = _NAMED.get(name)
    return pattern is not None and pattern.match(text) is not None
