"""Answers: a question and a collection make an answer with citations.

What stands in `__all__` is the public interface, which `footnote` has as well: that is the name to import. Names are
loaded when they are first used: importing this package loads no model and no database.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.collection import Collection as Collection
    from indexer.collection import collections as collections
    from indexer.errors import UserError as UserError
    from indexer.sync import Given as Given
    from indexer.sync import Report as Report
    from rag.async_engine import AsyncEngine as AsyncEngine
    from rag.engine import Engine as Engine
    from rag.evaluation.qa import evaluate as evaluate
    from rag.types import Answer as Answer
    from rag.types import Citation as Citation
    from rag.types import Found as Found
    from rag.types import Passage as Passage
    from rag.types import Writing as Writing
    from rag.verification import Check as Check
    from rag.verification import Verdict as Verdict
    from rag.verification import verify as verify

_WHERE = {
    "Answer": "rag.types",
    "AsyncEngine": "rag.async_engine",
    "Check": "rag.verification",
    "Citation": "rag.types",
    "Collection": "indexer.collection",
    "Engine": "rag.engine",
    "Found": "rag.types",
    "Given": "indexer.sync",
    "Passage": "rag.types",
    "Report": "indexer.sync",
    "UserError": "indexer.errors",
    "Verdict": "rag.verification",
    "Writing": "rag.types",
    "collections": "indexer.collection",
    "evaluate": "rag.evaluation.qa",
    "verify": "rag.verification",
}

__all__ = [
    "Answer",
    "AsyncEngine",
    "Check",
    "Citation",
    "Collection",
    "Engine",
    "Found",
    "Given",
    "Passage",
    "Report",
    "UserError",
    "Verdict",
    "Writing",
    "collections",
    "evaluate",
    "verify",
]


if not TYPE_CHECKING:  # a type checker that saw this would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _WHERE:
            raise AttributeError(f"module 'rag' has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_WHERE[name]), name)
        return found
