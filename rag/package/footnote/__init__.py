"""Ask your documents: open a collection, keep it in step with a folder, search it, ask it.

    from footnote import Collection, Engine

    papers = Collection("papers")
    papers.sync("~/papers")
    engine = Engine(papers)
    print(engine.ask("When was the archive opened?"))

The same names as in `rag`, which goes on working. They are loaded when they are first used: importing this package
loads no model and no database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rag
from rag import __all__ as __all__

if TYPE_CHECKING:
    from rag import *  # noqa: F403
else:  # a type checker that saw this would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'footnote' has no attribute {name!r}")
        found = globals()[name] = getattr(rag, name)
        return found


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})
