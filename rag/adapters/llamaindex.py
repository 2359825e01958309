"""A LlamaIndex retriever over an engine: `pip install llama-index-core`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from rag.adapters.passages import passage_id, passage_metadata
from rag.engine import Engine
from rag.retriever import Mode
from rag.types import Passage

FOR_PROGRAMS = ["context", "start", "end", "sha256", "score"]
"""Metadata that a language model and an embedding are not shown."""


class FootnoteRetriever(BaseRetriever):
    """Passages of a collection as LlamaIndex nodes with their scores, best first.

        retriever = FootnoteRetriever(Engine(Collection("papers")), k=5)
        nodes = retriever.retrieve("When was the archive opened?")

    A node's metadata say where its text stands, as those of the LangChain adapter do; its source document is the
    passage's `source`.
    """

    def __init__(
        self, engine: Engine, k: int = 5, *, mode: Mode = "hybrid", filters: Sequence[str] = (), **base: Any
    ) -> None:
        """`base` goes to LlamaIndex's own retriever (`callback_manager`, `verbose`)."""
        self.engine, self.k, self.mode, self.filters = engine, k, mode, tuple(filters)
        super().__init__(**base)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self.engine.search(query_bundle.query_str, self.k, mode=self.mode, filters=self.filters)
        return [NodeWithScore(node=_node(passage), score=passage.score) for passage in found]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _node(passage: Passage) -> TextNode:
    return TextNode(
        id_=passage_id(passage),
        text=passage.text,
        metadata=passage_metadata(passage),
        excluded_llm_metadata_keys=FOR_PROGRAMS,
        excluded_embed_metadata_keys=FOR_PROGRAMS,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.source)},
    )
