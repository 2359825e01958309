"""A LangChain retriever over an engine: `pip install langchain-core`."""

from __future__ import annotations

import asyncio

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from rag.adapters.passages import passage_id, passage_metadata
from rag.engine import Engine
from rag.retriever import Mode


class FootnoteRetriever(BaseRetriever):
    """Passages of a collection as LangChain documents, best first.

        retriever = FootnoteRetriever(engine=Engine(Collection("papers")), k=5)
        documents = retriever.invoke("When was the archive opened?")

    A document's metadata say where its text stands: `source`, `title`, `context`, `page`, `line`, `start`, `end`,
    `sha256`, `score`.
    """

    engine: Engine
    k: int = Field(default=5, ge=1)
    """How many passages."""
    mode: Mode = "hybrid"
    filters: tuple[str, ...] = ()

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [
            Document(id=passage_id(passage), page_content=passage.text, metadata=passage_metadata(passage))
            for passage in self.engine.search(query, self.k, mode=self.mode, filters=self.filters)
        ]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        return await asyncio.to_thread(self._get_relevant_documents, query, run_manager=run_manager.get_sync())
