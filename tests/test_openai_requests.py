"""The requests that known clients send, as they were seen on the wire, and what each of them reads of the answer.

LangChain: langchain-openai 1.7 (`ChatOpenAI`, `OpenAIEmbeddings`). LlamaIndex: llama-index-llms-openai 0.8 and
-openai-like 0.8, llama-index-embeddings-openai 0.7. Open WebUI: a chat with a connection of OpenAI's form.
"""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import cli
from rag.service.schemas.chat import ChatRequest
from rag.service.schemas.responses import ResponsesRequest
from tests.serving import client_of, events_of, service_of
from tests.worlds import WordEncoder, collection_of

ROOT = Path(cli.__file__).parent
TEA = "At what heat is green tea steeped?"
SAID = "Green tea is steeped at eighty degrees."
FIELDS = {
    "properties": {
        "answer": {"title": "Answer", "type": "string"},
        "confidence": {"title": "Confidence", "type": "number"},
    },
    "required": ["answer", "confidence"], "title": "A", "type": "object", "additionalProperties": False,
}  # fmt: skip
TOOL = {"type": "function", "function": {"name": "A", "description": "", "parameters": FIELDS}}


def chat(*messages: tuple[str, Any], **options: Any) -> dict[str, Any]:
    written = [{"role": role, "content": content} for role, content in messages]
    return {"model": "footnote", "stream": False, "messages": written, **options}


CONVERSATION = chat(
    ("system", "You are a helpful assistant."),
    ("user", "What does a hive hold?"),
    ("assistant", "Bees."),
    ("user", TEA),
)
CHATS: dict[str, dict[str, Any]] = {
    "LangChain": chat(("system", "Be brief."), ("user", TEA)),
    "LangChain with limits": chat(("user", TEA), temperature=0.0, max_completion_tokens=100, seed=7, stop=["\n"]),
    "LangChain with tools": chat(("user", TEA), tools=[TOOL], parallel_tool_calls=True),
    "LlamaIndex": chat(("system", "Be brief."), ("user", TEA), temperature=0.1),
    "LlamaIndex with blocks": chat(("user", [{"type": "text", "text": TEA}]), temperature=0.1, max_tokens=256),
    "Open WebUI": {**CONVERSATION, "max_tokens": 1000, "temperature": 0.8, "top_p": 0.9, "top_k": 40, "min_p": 0.0,
                   "repeat_penalty": 1.1, "num_ctx": 2048, "reasoning_effort": "medium", "user": "ada"},
    "Open WebUI, a title": chat(("user", TEA), max_completion_tokens=1000, metadata={"task": "title_generation"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home: Path = tmp_path_factory.mktemp("home")
    collection_of(home).close()
    with client_of(service_of(home)) as client:
        yield client


def test_the_models_are_offered_to_be_chosen_from(client: TestClient) -> None:
    listed = client.get("/v1/models").json()
    assert listed["object"] == "list"
    assert [(each["id"], each["object"], each["owned_by"]) for each in listed["data"]] == [
        ("footnote", "model", "footnote"), ("footnote/world", "model", "footnote"),
    ]  # fmt: skip


@pytest.mark.parametrize("request_", CHATS.values(), ids=list(CHATS))
def test_a_chat_is_answered_at_once(client: TestClient, request_: dict[str, Any]) -> None:
    response = client.post("/v1/chat/completions", json=request_)
    assert response.status_code == 200, response.text
    completion = response.json()
    message = completion["choices"][0]["message"]
    assert (message["role"], message["content"].split("[^1]")[0]) == ("assistant", SAID)
    assert completion["choices"][0]["finish_reason"] == "stop"
    assert set(completion["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}
    asked = set(request_) - {"model", "stream", "messages"}
    assert set(completion["footnote"]["ignored"]) == asked  # all that they asked for besides had no effect


@pytest.mark.parametrize("request_", CHATS.values(), ids=list(CHATS))
def test_a_chat_is_answered_as_a_stream(client: TestClient, request_: dict[str, Any]) -> None:
    counted = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = [data for _, data in events_of(client.post("/v1/chat/completions", json={**request_, **counted}).text)]
    assert chunks[-1] is None  # [DONE]
    assert chunks[-2]["choices"] == []
    assert chunks[-2]["usage"]["total_tokens"] > 0
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks[:-2])
    assert text.startswith(f"{SAID}[^1]\n\n*confidence ")
    assert "\n\n[^1]: Tea, line " in text


@pytest.mark.parametrize(
    "format",
    [
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"schema": FIELDS, "name": "A", "strict": True}},
    ],
    ids=["json_mode", "json_schema"],
)
def test_structured_output_of_langchain(client: TestClient, format: dict[str, Any]) -> None:
    completion = client.post("/v1/chat/completions", json=chat(("user", TEA), response_format=format)).json()
    found = json.loads(completion["choices"][0]["message"]["content"])
    assert (found["answer"], found["confidence"]) == (SAID, 0.9)


@pytest.mark.parametrize("choice", [{"type": "function", "function": {"name": "A"}}, "required"])
def test_structured_output_by_a_tool_is_refused_with_what_to_do(client: TestClient, choice: Any) -> None:
    """LangChain's method "function_calling", and LlamaIndex' structured models: no tool call may come back instead."""
    forced = chat(("user", TEA), tools=[TOOL], tool_choice=choice, parallel_tool_calls=False, temperature=0.1)
    refused = client.post("/v1/chat/completions", json=forced)
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["param"]) == (400, "invalid_request_error", "tool_choice")
    assert "response_format" in error["hint"]


def test_responses_of_langchain(client: TestClient) -> None:
    conversation = [
        {"content": "Be brief.", "role": "system", "type": "message"},
        {"content": "What does a hive hold?", "role": "user", "type": "message"},
        {"type": "message", "role": "assistant",
         "content": [{"type": "output_text", "text": "Bees.", "annotations": []}]},
        {"content": TEA, "role": "user", "type": "message"},
    ]  # fmt: skip
    sent = {"model": "footnote", "stream": False, "input": conversation, "max_output_tokens": 100, "temperature": 0.0}
    response = client.post("/v1/responses", json=sent).json()
    assert response["output"][0]["content"][0]["text"].startswith(f"{SAID}[^1]\n\n")
    assert response["footnote"]["ignored"] == ["temperature", "max_output_tokens"]
    format = {"format": {"type": "json_schema", "strict": True, "name": "A", "schema": FIELDS}}
    response = client.post("/v1/responses", json={"model": "footnote", "input": TEA, "text": format}).json()
    assert json.loads(response["output"][0]["content"][0]["text"]) == {"answer": SAID, "confidence": 0.9}


@pytest.mark.parametrize("texts", [["Green tea.", "Bees."], ["Green tea."], "Green tea."])
@pytest.mark.parametrize("format", ["base64", "float"])
def test_embeddings_of_langchain_and_llamaindex(client: TestClient, texts: Any, format: str) -> None:
    sent = {"model": "footnote", "input": texts, "encoding_format": format}
    made = client.post("/v1/embeddings", json=sent).json()
    rows = [
        np.frombuffer(base64.b64decode(each["embedding"]), dtype="<f4") if format == "base64" else each["embedding"]
        for each in made["data"]
    ]
    assert np.allclose(rows, WordEncoder().embed_passages([texts] if isinstance(texts, str) else texts))


def test_token_numbers_of_langchain_are_refused_with_what_to_write(client: TestClient) -> None:
    """`OpenAIEmbeddings` sends numbers of its own tokenizer unless it is told not to."""
    sent = {"model": "footnote", "input": [[20996, 15600, 13]], "encoding_format": "base64"}
    refused = client.post("/v1/embeddings", json=sent)
    assert refused.status_code == 400
    assert "check_embedding_ctx_length=False" in refused.json()["error"]["hint"]


def test_what_is_not_there_is_told_in_the_same_form(client: TestClient) -> None:
    for path in ("/v1/completions", "/v1/responses/resp_1", "/v1/chat/completions/chatcmpl-1"):
        refused = client.post(path, json={})
        assert refused.status_code == 404, path
        assert set(refused.json()["error"]) == {"message", "type", "param", "code", "hint"}
    assert client.get("/v1/chat/completions").json()["error"]["code"] == "method_not_allowed"
    assert client.get("/v1/nope").json()["error"] == {
        "message": "There is no /v1/nope here.", "type": "invalid_request_error", "param": None, "code": "not_found",
        "hint": "What there is: GET /docs",
    }  # fmt: skip
    assert client.get("/v1/ask/nope").json()["error"]["type"] == "not_found"  # ours, in our own form


def test_prompts_of_llamaindex_are_refused_with_what_to_write(client: TestClient) -> None:
    """`OpenAILike` sends prompts to the older route unless it is told that the model chats."""
    sent = {"model": "footnote", "prompt": TEA, "stream": False, "temperature": 0.1}
    refused = client.post("/v1/completions", json=sent)
    assert refused.status_code == 404
    hint = refused.json()["error"]["hint"]
    assert "/v1/chat/completions" in hint
    assert "is_chat_model=True" in hint


def test_a_tool_and_its_result_in_a_conversation_are_passed_over(client: TestClient) -> None:
    """LangChain's and LlamaIndex' agents send both back; the question is that of the user."""
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    written = chat(("user", TEA), tools=[TOOL])
    written["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "3", "tool_call_id": "c1"},
    ]
    completion = client.post("/v1/chat/completions", json=written)
    assert completion.status_code == 200, completion.text
    assert completion.json()["choices"][0]["message"]["content"].startswith(SAID)


@pytest.mark.parametrize("request_", [ChatRequest, ResponsesRequest])
def test_every_field_is_documented(request_: type[ChatRequest | ResponsesRequest]) -> None:
    told = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8").partition("## OpenAI's form")[2]
    for field in request_.model_fields:
        assert re.search(rf"`{field}[`.]", told), f"docs/serving.md does not tell of {field}"
