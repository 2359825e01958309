"""A Haystack component over an engine: `pip install haystack-ai`.

Haystack reports what pipelines are run to its makers unless the variable HAYSTACK_TELEMETRY_ENABLED is "False".
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from haystack import Document, component, default_from_dict, default_to_dict

from indexer.collection import Collection
from rag.adapters.passages import passage_id, passage_metadata
from rag.engine import Engine
from rag.retriever import Mode


@component
class FootnoteRetriever:
    """Passages of a collection as Haystack documents, best first.

        pipeline.add_component("retriever", FootnoteRetriever(Engine(Collection("papers")), top_k=5))
        pipeline.run({"retriever": {"query": "When was the archive opened?"}})

    A document's `meta` say where its text stands, as those of the LangChain adapter do. A pipeline that is stored
    remembers the collection by name and home, and opens it with its own encoder again; to load it, Haystack must be
    told `allowed_modules=["rag.adapters.haystack"]`.
    """

    def __init__(self, engine: Engine, top_k: int = 5, *, mode: Mode = "hybrid", filters: Sequence[str] = ()) -> None:
        """`filters` are `key=value` conditions, as `Engine.search` takes them."""
        self.engine, self.top_k, self.mode, self.filters = engine, top_k, mode, list(filters)

    @component.output_types(documents=list[Document])
    def run(self, query: str, top_k: int | None = None, filters: list[str] | None = None) -> dict[str, list[Document]]:
        """Return {"documents": those that fit best}; `top_k` and `filters` take the place of the component's."""
        given = self.filters if filters is None else filters
        found = self.engine.search(query, top_k or self.top_k, mode=self.mode, filters=given)
        return {
            "documents": [
                Document(
                    id=passage_id(passage), content=passage.text, meta=passage_metadata(passage), score=passage.score
                )
                for passage in found
            ]
        }

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query: str, top_k: int | None = None, filters: list[str] | None = None
    ) -> dict[str, list[Document]]:
        """Return what `run` does, without holding up the event loop."""
        return await asyncio.to_thread(self.run, query, top_k, filters)

    def to_dict(self) -> dict[str, Any]:
        """Return what Haystack stores of the component."""
        collection = self.engine.collection
        return default_to_dict(
            self,
            engine={"collection": collection.name, "home": str(collection.home)},
            top_k=self.top_k,
            mode=self.mode,
            filters=self.filters,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FootnoteRetriever:
        """Return the component that was stored as `data`."""
        given = dict(data["init_parameters"])
        named = given.pop("engine")
        engine = Engine(Collection(named["collection"], named["home"]))
        return default_from_dict(cls, {**data, "init_parameters": {**given, "engine": engine}})
