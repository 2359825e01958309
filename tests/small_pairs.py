"""Questions on small passages, in a file: enough to train an encoder or a reranker for a moment."""

from __future__ import annotations

import json
from pathlib import Path

THINGS = ("pump", "gate", "cat", "mat", "drum", "kiln", "lamp", "rope", "sail", "tent", "vine", "well")
PLACES = ("hall one", "hall two", "the yard", "the loft", "the shed")


def write_pairs(file: Path, documents: int = 12) -> Path:
    """Write a question on each thing in each place, a document for each thing, and return the file."""
    rows = [
        {
            "id": f"{thing}-{number}",
            "question": f"Where is {thing} {number}?",
            "context": f"The {thing} number {number} stands in {place}. It was painted {3 + number} times.",
            "answers": [place],
            "title": f"The {thing}",
        }
        for thing in THINGS[:documents]
        for number, place in enumerate(PLACES)
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return file
