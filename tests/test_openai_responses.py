"""Responses and reranking: the official client and plain requests, over a real port."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from indexer.errors import GeneratorError
from rag import Engine, Passage
from rag.generator import Draft
from rag.service.library import Library
from rag.service.schemas.openai import OpenAIErrorResponse, RerankResponse
from rag.service.schemas.responses import ResponsesEvent, ResponsesResponse
from rag.service.service import make_service
from rag.service.settings import Settings
from tests.serving import FirstSentence, listening, service_of
from tests.worlds import WordEncoder, collection_of

post = partial(httpx.post, timeout=120)
TEA = "At what heat is green tea steeped?"
SAID = "Green tea is steeped at eighty degrees."
TEXTS = ["Bees dance.", SAID, "Green tea."]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    collection_of(home).close()
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with listening(service_of(home)) as (host, port):
        yield f"http://{host}:{port}/v1"


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0, timeout=60) as client:
        yield client


def test_a_response_has_its_footnotes_as_annotations(client: Any, address: str) -> None:
    response = client.responses.create(model="footnote", input=TEA)
    assert (response.status, response.object, response.error) == ("completed", "response", None)
    assert response.output_text.startswith(f"{SAID}[^1]\n\n*confidence ")
    (annotation,) = response.output[0].content[0].annotations
    assert (annotation.type, annotation.filename, annotation.index) == ("file_citation", "Tea", len(SAID))
    (citation,) = response.footnote["citations"]
    assert (citation["document"], citation["quote"]) == (annotation.file_id, SAID)
    assert response.footnote["outcome"] == "answer"
    assert response.usage.output_tokens == len(response.output_text.split())
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    ResponsesResponse.model_validate(post(f"{address}/responses", json={"input": TEA}).json())


def test_a_conversation_is_read_as_one_of_chat_messages_is(client: Any) -> None:
    conversation = [
        {"role": "developer", "content": "Be brief."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": TEA}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "80", "annotations": []}]},
        {"type": "reasoning", "summary": []},
        {"role": "user", "content": "And is black tea?"},
    ]
    found = client.responses.create(model="footnote", input=conversation, instructions="Rhyme.", temperature=0)
    expected = client.chat.completions.create(
        model="footnote", messages=[{"role": "user", "content": text} for text in (TEA, "And is black tea?")]
    )
    assert found.footnote["read_as"] == expected.footnote["read_as"] != ""
    assert found.footnote["ignored"] == ["temperature", "instructions"]


def test_a_streamed_response_is_what_is_said_at_once(client: Any) -> None:
    whole = client.responses.create(model="footnote", input=TEA)
    events = list(client.responses.create(model="footnote", input=TEA, stream=True))
    for event in events:
        ResponsesEvent.model_validate(event.model_dump())
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type.removeprefix("response.") for event in events]
    assert [kind for kind in kinds if kind != "output_text.delta"] == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.annotation.added",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == whole.output_text
    last = events[-1].response
    assert last.output_text == whole.output_text
    assert last.usage == whole.usage
    assert last.output[0].content == whole.output[0].content
    with client.responses.stream(model="footnote", input=TEA) as stream:  # puts the events together by itself
        assert stream.get_final_response().output_text == whole.output_text


@pytest.mark.parametrize(
    ("option", "param", "said"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id", "No conversation is kept here."),
        ({"conversation": "conv_1"}, "conversation", "No conversation is kept here."),
        ({"prompt": {"id": "p"}}, "prompt", "No prompts are kept here."),
        ({"background": True}, "background", "An answer is not kept to be fetched later."),
        ({"tool_choice": "required"}, "tool_choice", "No tool is called here"),
        ({"top_logprobs": 2}, "top_logprobs", "no token probabilities"),
        ({"extra_body": {"modle": "footnote"}}, "modle", "There is no field modle."),
        ({"input": []}, "input", "No message of the user holds a question."),
        ({"input": "?!"}, "input", "The question holds no word."),
        ({"model": "gpt-5"}, "model", "There is no model 'gpt-5'."),
        ({"text": {"format": {"type": "json_schema", "name": "a", "schema": {"required": ["city"]}}}},
         "text.format.schema", "'city' is a required property"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_not_served_is_refused_by_its_name(
    client: Any, option: dict[str, Any], param: str, said: str, stream: bool
) -> None:
    with pytest.raises(openai.APIStatusError) as told:
        client.responses.create(**{"model": "footnote", "input": TEA, "stream": stream, **option})
    assert told.value.status_code == (404 if param == "model" else 400)
    assert told.value.param == param
    assert said in told.value.message


@dataclass
class Failing:
    """A generator whose model has gone."""

    name: str = "failing"

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        raise GeneratorError("The model has gone.", "Start it again.")

    def threshold(self, max_error: float | None) -> float:
        return 0.5


def test_a_model_that_fails_in_a_stream_is_told_of(home: Path) -> None:
    with (
        listening(service_of(home, Failing())) as (host, port),
        openai.OpenAI(base_url=f"http://{host}:{port}/v1", api_key="none", max_retries=0, timeout=60) as client,
        pytest.raises(openai.APIError, match="The model has gone"),
    ):
        list(client.responses.create(model="footnote", input=TEA, stream=True))


# Reranking


def test_texts_are_put_in_order_by_the_encoder(address: str) -> None:
    asked = {"model": "footnote", "query": "green tea", "documents": TEXTS}
    found = RerankResponse.model_validate(post(f"{address}/rerank", json=asked).json())
    encoder = WordEncoder()
    cosines = encoder.embed_passages(TEXTS) @ encoder.embed_queries(["green tea"])[0]
    assert [each.index for each in found.results] == list(np.argsort(-cosines, kind="stable"))
    assert [each.relevance_score for each in found.results] == pytest.approx(sorted((1 + cosines) / 2, reverse=True))
    assert found.scored_by == "encoder"
    assert all(each.document is None for each in found.results)
    assert found.usage.total_tokens == 2 + 2 + 7 + 2


def test_as_cohere_s_and_jina_s_clients_ask(address: str) -> None:
    """Cohere: texts as objects, `max_tokens_per_doc`. Jina: `return_documents`. Open WebUI: `top_n`."""
    cohere = {"model": "footnote", "query": "bees", "documents": [{"text": each} for each in TEXTS], "top_n": 2,
              "max_tokens_per_doc": 4096}  # fmt: skip
    found = post(f"{address}/rerank", json=cohere).json()
    assert found["results"][0]["index"] == 0
    assert len(found["results"]) == 2
    assert "document" not in found["results"][0]
    jina = {"model": "footnote/world", "query": "bees", "documents": TEXTS, "top_n": 1, "return_documents": True}
    (best,) = post(f"{address}/rerank", json=jina).json()["results"]
    assert best["document"] == {"text": "Bees dance."}


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"documents": []}, "documents"),
        ({"query": "?!"}, None),
        ({"top_n": 0}, "top_n"),
        ({"model": "bge-reranker"}, "model"),
        ({"topn": 1}, "topn"),
    ],
)
def test_what_cannot_be_put_in_order_is_refused(address: str, wrong: dict[str, Any], param: str | None) -> None:
    refused = post(f"{address}/rerank", json={"query": "bees", "documents": TEXTS, **wrong})
    assert refused.status_code == (404 if param == "model" else 400)
    error = OpenAIErrorResponse.model_validate(refused.json()).error
    assert (error.param or "").split(".")[0] == (param or "")


@dataclass
class Shortest:
    """Takes the shorter text for the better one."""

    name: str = "shortest"
    depth: int = 10
    weight: float = 1.0

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        return [-float(len(text)) for text in texts]


class WithReranker(Library):
    """Engines that have a reranker."""

    def engine(self, name: str | None = None) -> Engine:
        return Engine(super().engine(name).collection, FirstSentence(), Shortest())

    def at_hand(self, name: str | None = None) -> Engine | None:
        return None


def test_a_collection_with_a_reranker_puts_texts_in_its_order(home: Path) -> None:
    service = make_service(
        Settings(home=str(home), collection="world"), WithReranker(home, "world", encoder=WordEncoder())
    )
    with listening(service) as (host, port):
        found = post(f"http://{host}:{port}/v1/rerank", json={"query": "bees", "documents": TEXTS}).json()
    assert [each["index"] for each in found["results"]] == [2, 0, 1]
    assert found["results"][0]["relevance_score"] == pytest.approx(1 / (1 + np.exp(10.0)))
    assert found["scored_by"] == "reranker"
