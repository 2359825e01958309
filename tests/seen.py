"""What answering sees, made by hand: passages of several documents, and a reader that is told which spans it likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from indexer.collection import Collection
from indexer.types import BlockKind
from rag.answering.asked import asked
from rag.answering.composing import Shown
from rag.answering.evidence import Evidence, Seen, gather
from rag.answering.signals import able
from rag.answering.unit_vectors import UnitVectors
from rag.copying.decoding import Decoded, Starts
from rag.engine import said
from rag.generator import Copied, Draft
from rag.retriever import Retriever
from rag.types import Form, Passage
from tests.answers import passage


def document(
    text: str, *blocks: tuple[str, BlockKind], number: int = 1, name: str = "mill.md", title: str = ""
) -> Passage:
    """Return the passage that is the whole of a document; `blocks` are its parts, each named by its own text."""
    return replace(
        passage(text, *blocks), source=f"/files/{name}", title=title, context=title, document_id=number, chunk_id=number
    )


def evidence(
    question: str, *read: Passage, spans: Mapping[str, float] | None = None, form: Form | None = None
) -> Evidence:
    """Return what is seen where the reader likes these spans so much (log-odds), each in the first passage with it."""
    starts = []
    for text, score in (spans or {}).items():
        place = next(place for place, each in enumerate(read) if text in each.text)
        first = read[place].text.index(text)
        spot = np.array([first], dtype=np.int32), np.array([first + len(text)], dtype=np.int32)
        starts.append(Starts(place, *spot, np.array([score], dtype=np.float32)))
    wanted = asked(question) if form is None else replace(asked(question), form=form)
    return gather([wanted], [read], [Decoded((), (), 0.0, 0.0, tuple(starts))], None, UnitVectors())[0]


def unit_of(seen: Evidence, text: str) -> Seen:
    """Return the unit that begins with this text."""
    return next(each for each in seen.all() if seen.text(each.unit).startswith(text))


def chances_of(seen: Evidence, likely: Mapping[str, float]) -> tuple[list[Seen], list[float]]:
    """Return the units that may answer and their chances, by what they begin with; of all others 0.001."""
    units = able(seen)
    chances = [
        next((chance for text, chance in likely.items() if seen.text(each.unit).startswith(text)), 0.001)
        for each in units
    ]
    return units, chances


def shown_text(shown: Shown, read: Sequence[Passage]) -> str:
    """Return the text of what is shown."""
    return said(Draft(shown.pieces, 0.0), shown.passages or read)


def retrieved(collection: Collection, question: str, k: int = 5) -> list[Passage]:
    """Return the passages that a question is answered from."""
    vector = collection.encoder.embed_queries([question])[0]
    with collection.view() as view:
        return Retriever().read(view, question, vector, k)


def quotes(copied: Sequence[Copied], read: Sequence[Passage]) -> list[str]:
    """Return what these spans say."""
    return [read[each.passage].text[each.start : each.end] for each in copied]
