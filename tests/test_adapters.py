"""The adapters, held to the contracts of the frameworks themselves: their own base classes, pipelines and stores."""

import asyncio
import os
import warnings
from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from indexer.errors import UsageError
from rag import Engine, Passage
from rag.adapters.passages import passage_id, passage_metadata
from tests.worlds import collection_of

QUERY = "green tea degrees"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(collection_of(tmp_path_factory.mktemp("world")))


def expected(engine: Engine, k: int = 3) -> list[Passage]:
    found = engine.search(QUERY, k)
    assert Path(found[0].source).name == "tea.md"
    assert len(found) == k
    return found


def stands_where_it_says(collection: Collection, text: str, metadata: dict[str, Any]) -> bool:
    document = collection.document(metadata["source"])
    return document.text[metadata["start"] : metadata["end"]] == text and document.sha256 == metadata["sha256"]


def test_metadata_are_plain_and_leave_out_what_there_is_not(engine: Engine) -> None:
    best = expected(engine)[0]
    assert best.page is None
    assert passage_metadata(best) == {
        "source": best.source,
        "title": "Tea",
        "context": best.context,
        "line": best.line,
        "start": best.start,
        "end": best.end,
        "sha256": best.sha256,
        "score": best.score,
    }
    assert passage_id(best) == f"{best.sha256}:{best.start}-{best.end}"


# LangChain


def test_langchain_is_given_what_a_search_finds(engine: Engine) -> None:
    from langchain_core.documents import Document
    from langchain_core.runnables import RunnableLambda

    from rag.adapters.langchain import FootnoteRetriever

    retriever = FootnoteRetriever(engine=engine, k=3)
    documents = retriever.invoke(QUERY)
    assert [each.page_content for each in documents] == [each.text for each in expected(engine)]
    assert [each.metadata for each in documents] == [passage_metadata(each) for each in expected(engine)]
    assert [each.id for each in documents] == [passage_id(each) for each in expected(engine)]
    assert all(stands_where_it_says(engine.collection, each.page_content, each.metadata) for each in documents)
    assert asyncio.run(retriever.ainvoke(QUERY)) == documents
    assert retriever.batch([QUERY, QUERY]) == [documents, documents]

    def titles(found: list[Document]) -> list[str]:
        return [each.metadata["title"] for each in found]

    joined = retriever | RunnableLambda(titles)
    assert joined.invoke(QUERY) == [each.name for each in expected(engine)]


def test_langchain_passes_on_mode_and_filters_and_errors(engine: Engine) -> None:
    from pydantic import ValidationError

    from rag.adapters.langchain import FootnoteRetriever

    retriever = FootnoteRetriever(engine=engine, mode="words", filters=("source=*bees*",))
    assert retriever.invoke(QUERY) == []
    assert len(retriever.invoke("bees")) == 1
    with pytest.raises(UsageError, match="holds no word"):
        retriever.invoke(" ")
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        FootnoteRetriever(engine=engine, k=0)


# LlamaIndex


def test_llamaindex_is_given_what_a_search_finds(engine: Engine) -> None:
    from rag.adapters.llamaindex import FootnoteRetriever

    retriever = FootnoteRetriever(engine, 3)
    nodes = retriever.retrieve(QUERY)
    assert [each.text for each in nodes] == [each.text for each in expected(engine)]
    assert [each.score for each in nodes] == [each.score for each in expected(engine)]
    assert [each.metadata for each in nodes] == [passage_metadata(each) for each in expected(engine)]
    assert [each.node_id for each in nodes] == [passage_id(each) for each in expected(engine)]
    assert nodes[0].node.ref_doc_id == expected(engine)[0].source
    assert all(stands_where_it_says(engine.collection, each.text, each.metadata) for each in nodes)
    assert [each.node_id for each in asyncio.run(retriever.aretrieve(QUERY))] == [each.node_id for each in nodes]


def test_llamaindex_shows_a_model_the_place_and_not_the_bookkeeping(engine: Engine) -> None:
    from llama_index.core.schema import MetadataMode

    from rag.adapters.llamaindex import FootnoteRetriever

    shown = FootnoteRetriever(engine, 1).retrieve(QUERY)[0].get_content(MetadataMode.LLM)
    assert "source: " in shown
    assert "sha256" not in shown
    assert "Green tea is steeped at eighty degrees." in shown


def test_llamaindex_answers_with_it_as_with_its_own(engine: Engine) -> None:
    """Its query engine reads our nodes with its own mock of a language model, which says the prompt again."""
    from llama_index.core.llms import MockLLM
    from llama_index.core.query_engine import RetrieverQueryEngine

    from rag.adapters.llamaindex import FootnoteRetriever

    answering = RetrieverQueryEngine.from_args(FootnoteRetriever(engine, 2, filters=["source=*.md"]), llm=MockLLM())
    answer = answering.query(QUERY)
    assert "Green tea is steeped at eighty degrees." in str(answer)
    assert [each.node_id for each in answer.source_nodes] == [
        passage_id(each) for each in engine.search(QUERY, 2, filters=["source=*.md"])
    ]


# Haystack


@pytest.fixture
def haystack(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(os.environ, "HAYSTACK_TELEMETRY_ENABLED", "False")  # before it is imported, or it writes home
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import haystack

        return haystack


def test_haystack_is_given_what_a_search_finds(engine: Engine, haystack: Any) -> None:
    from rag.adapters.haystack import FootnoteRetriever

    pipeline = haystack.Pipeline()
    pipeline.add_component("retriever", FootnoteRetriever(engine, top_k=3))
    documents = pipeline.run({"retriever": {"query": QUERY}})["retriever"]["documents"]
    assert [each.content for each in documents] == [each.text for each in expected(engine)]
    assert [each.score for each in documents] == [each.score for each in expected(engine)]
    assert [each.meta for each in documents] == [passage_metadata(each) for each in expected(engine)]
    assert [each.id for each in documents] == [passage_id(each) for each in expected(engine)]
    fewer = pipeline.run({"retriever": {"query": "bees", "top_k": 1, "filters": ["source=*bees*"]}})
    assert len(fewer["retriever"]["documents"]) == 1


def test_haystack_is_served_in_an_event_loop(engine: Engine, haystack: Any) -> None:
    from rag.adapters.haystack import FootnoteRetriever

    retriever: Any = FootnoteRetriever(engine, top_k=3)
    assert asyncio.run(retriever.run_async(query=QUERY)) == retriever.run(query=QUERY)


def test_a_haystack_pipeline_is_stored_and_opened_again(engine: Engine, haystack: Any) -> None:
    from rag.adapters.haystack import FootnoteRetriever

    pipeline = haystack.Pipeline()
    pipeline.add_component("retriever", FootnoteRetriever(engine, 2, mode="words", filters=["source=*.md"]))
    again = haystack.Pipeline.loads(pipeline.dumps(), allowed_modules=["rag.adapters.haystack"])
    assert again.run({"retriever": {"query": QUERY}}) == pipeline.run({"retriever": {"query": QUERY}})
    assert again.get_component("retriever").engine.collection.folder == engine.collection.folder
