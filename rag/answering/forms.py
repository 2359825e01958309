"""The forms of answers, each a function of one shape: evidence, units and their chances in, what is shown out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from indexer.collection import Collection
from rag.answering.comparing import comparison
from rag.answering.composing import Shown, passages, sentence
from rag.answering.conflict import newest
from rag.answering.counting import counting
from rag.answering.evidence import Evidence, Seen
from rag.answering.introductions import fact_or_list
from rag.answering.listing import listing
from rag.answering.overview import overview
from rag.answering.yes_no import yes_no
from rag.types import Form

Compose = Callable[[Evidence, Sequence[Seen], Sequence[float], Collection], Shown]


def _plain(compose: Callable[[Evidence, Sequence[Seen], Sequence[float]], Shown]) -> Compose:
    """Return a form that needs no collection."""
    return lambda evidence, units, chances, _: compose(evidence, units, chances)


FORMS: Mapping[Form, Compose] = {
    "fact": fact_or_list,
    "field": _plain(sentence),
    "yes-no": _plain(yes_no),
    "conflict": _plain(newest),
    "list": listing,
    "explanation": _plain(passages),
    "steps": _plain(passages),
    "overview": _plain(overview),
    "comparison": _plain(comparison),
    "count": counting,
}
