"""The words that join what was copied: the one table of what a copied answer may hold beside the words of its sources.

A generator that copies takes them from here, and `rag.verification` lets no other word pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection

CONCLUSIONS = frozenset({"Yes.", "No."})
"""Joining words that say something of their own: what they say is the generator's, and nothing proves it."""
_MARKS = frozenset({"", ",", ";", ".", ":", "/", "…"})
_WORDS = frozenset({"and", "or", ", and", ", or", "; and", "; or"})
_COUNTED = re.compile(r"\d+ of \d+ documents:")
"""What introduces documents that were counted: the number is the generator's, and nothing proves it."""
JOINING = _MARKS | _WORDS | CONCLUSIONS


def is_joining(text: str, names: Collection[str] = ()) -> bool:
    """Return whether a text, but for the spaces around it, joins what was copied and is no claim about the subject.

    `names` are those of the cited documents: one of them with a colon introduces what was copied from it.
    """
    bare = text.strip()
    return bare in JOINING or _COUNTED.fullmatch(bare) is not None or (bare.endswith(":") and bare[:-1] in names)


def concludes(text: str) -> bool:
    """Return whether joining words say something of their own, which nothing proves: "Yes.", or how many there are."""
    bare = text.strip()
    return bare in CONCLUSIONS or _COUNTED.fullmatch(bare) is not None
