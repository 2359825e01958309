"""A field that is missing, unknown or wrong is told in plain words: which one, what was sent, and what to send."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving import client_of, service_of
from tests.worlds import collection_of

FIELDS = "The fields are described at GET /docs"
CHAT = {"messages": [{"role": "user", "content": "tea?"}]}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home: Path = tmp_path_factory.mktemp("home")
    collection_of(home).close()
    with client_of(service_of(home)) as client:
        yield client


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("rerank", {"query": 3, "documents": ["a"]}, "query", "query must be a text, not 3."),
    ("rerank", {"documents": ["a"]}, "query", "The field query is missing."),
    ("rerank", {"query": "a", "documents": "b"}, "documents", 'documents must be a list, not "b".'),
    ("rerank", {"query": "a", "documents": []}, "documents", "documents is empty."),
    ("rerank", {"query": "a", "documents": [3]}, "documents.0", "documents.0 must be a text or an object, not 3."),
    ("rerank", {"query": "a", "documents": ["b", {"txt": "c"}]}, "documents.1.text",
     "The field documents.1.text is missing."),
    ("rerank", {"query": "a", "documents": ["b", ""]}, "documents.1", "documents.1 is empty."),
    ("rerank", {"query": "a", "documents": ["b"], "top_n": "x"}, "top_n", 'top_n must be a whole number, not "x".'),
    ("rerank", {"query": "a", "documents": ["b"], "top_m": 1}, "top_m", "There is no field top_m."),
    ("rerank", {"query": "a\ud800", "documents": ["b"]}, "query",
     "query: the text holds half a character (a lone surrogate)."),
    ("embeddings", {}, "input", "The field input is missing."),
    ("embeddings", {"input": 5}, "input", "input must be a text or a list, not 5."),
    ("embeddings", {"input": None}, "input", "input must be a text or a list, not null."),
    ("embeddings", {"input": ""}, "input", "input is empty."),
    ("embeddings", {"input": ["a", "b", 5]}, "input.2", "input.2 must be a text, not 5."),
    ("embeddings", {"input": {"text": "a" * 99}}, "input",
     'input must be a text or a list, not {"text": "' + "a" * 49 + "…."),
    ("embeddings", {"input": "a", "encoding_format": "hex"}, "encoding_format",
     "encoding_format must be 'float' or 'base64', not \"hex\"."),
    ("embeddings", {"input": "a", "dimensions": 0}, "dimensions", "dimensions must be at least 1, not 0."),
    ("responses", {"input": 3}, "input", "input must be a text or a list, not 3."),
    ("responses", {"input": [3]}, "input.0", "input.0 must be an object, not 3."),
    ("responses", {"input": [{"role": "king"}]}, "input.0.role",
     "input.0.role must be 'system', 'developer', 'user' or 'assistant', not \"king\"."),
    ("responses", {"input": [{"role": "user", "content": 3}]}, "input.0.content",
     "input.0.content must be a text or a list, not 3."),
    ("responses", {"input": "a", "text": {"format": {"type": "xml"}}}, "text.format.type",
     "text.format.type must be 'text', 'json_object' or 'json_schema', not \"xml\"."),
    ("chat/completions", {}, "messages", "The field messages is missing."),
    ("chat/completions", {"messages": [{"content": "a"}]}, "messages.0.role", "The field messages.0.role is missing."),
    ("chat/completions", {"messages": [{"role": "user", "content": 3}]}, "messages.0.content",
     "messages.0.content must be a text or a list, not 3."),
    ("chat/completions", {**CHAT, "filters": [3]}, "filters.0", "filters.0 must be a text, not 3."),
    ("chat/completions", {**CHAT, "stream": "maybe"}, "stream", 'stream must be true or false, not "maybe".'),
]  # fmt: skip


@pytest.mark.parametrize(("route", "body", "param", "said"), WRONG)
def test_openai_s_clients_are_told_which_field_and_what_it_was(
    client: TestClient, route: str, body: dict[str, Any], param: str, said: str
) -> None:
    """`param` was once "documents.0.function-after[functools.partial(<function max_length_validator at 0x7f17...".

    Where a field may be a text or a list, only what was tried first was told of, with the name of its type in the path.
    """
    refused = client.post(f"/v1/{route}", content=json.dumps(body), headers={"Content-Type": "application/json"})
    error = refused.json()["error"]
    assert (refused.status_code, error["message"], error["param"]) == (400, said, param)
    assert error["hint"].endswith(FIELDS)


@pytest.mark.parametrize(
    ("body", "said", "hint"),
    [
        ({}, "The field question is missing.", '"question": "How many smaller sets were joined to make The Pile?"'),
        ({"question": "a", "k": 0}, "k must be at least 1, not 0.", '"k": 6'),
        ({"question": "a", "k": 50}, "k must be at most 20, not 50.", '"k": 6'),
        ({"question": "a", "k": 2.5}, "k must be a whole number, not 2.5.", '"k": 6'),
        ({"question": "a", "filters": "a=b"}, 'filters must be a list, not "a=b".', '"filters": ["format=pdf"'),
        ({"question": "a", "history": ["b"] * 21}, "history has 21 entries, and may have at most 20.",
         '"history": ["When was the archive opened?"]'),
        ({"question": "a", "history": [""]}, "history.0 is empty.", '"history": ["When was the archive opened?"]'),
        ({"question": "a", "generator": "g" * 65}, "generator has 65 characters, and may have at most 64.", FIELDS),
        ({"question": "a", "max_error": 1}, "max_error must be less than 1, not 1.", '"max_error": 0.1'),
        ({"question": "a", "mode": "words"}, "There is no field mode.", FIELDS),
        ({"question": "a", "explian": True}, "There is no field explian.", "Did you mean: explain?"),
    ],
)  # fmt: skip
def test_the_hint_is_an_example_of_what_to_send(client: TestClient, body: dict[str, Any], said: str, hint: str) -> None:
    refused = client.post("/v1/ask", json=body)
    error = refused.json()["error"]
    assert (refused.status_code, error["message"]) == (422, said)
    assert hint in error["hint"]


def test_what_stands_in_the_address_is_told_in_the_same_words(client: TestClient) -> None:
    for query, said in {
        "offset=x": 'offset must be a whole number, not "x".',
        "limit=100000": 'limit must be at most 1,000, not "100000".',
        "sort=colour": "sort must be 'source', 'name', 'format', 'folder', 'modified' or 'chunks', not \"colour\".",
    }.items():
        refused = client.get(f"/v1/collections/world/documents?{query}")
        assert (refused.status_code, refused.json()["error"]["message"]) == (422, said)


@pytest.mark.parametrize("path", ["/v1/search", "/v1/ask", "/v1/verify", "/v1/collections", "/v1/embeddings",
                                  "/v1/rerank", "/v1/responses", "/v1/chat/completions",
                                  "/v1/collections/world/index", "/v1/collections/world/folders"])  # fmt: skip
def test_no_route_speaks_of_its_machinery(client: TestClient, path: str) -> None:
    """Every field of every schema is sent as what it cannot be, and no answer has a word of pydantic's."""
    schema = client.get("/openapi.json").json()
    name = schema["paths"][path.replace("world", "{name}")]["post"]["requestBody"]["content"]["application/json"]
    reference = str(name["schema"]["$ref"]).rpartition("/")[2]
    fields = schema["components"]["schemas"][reference]["properties"]
    values: list[Any] = [3.5, "x", [], [3], {"a": 1}, [{"a": []}]]
    for value in values:
        for field in fields:
            error = client.post(path, json={field: value}).json().get("error")
            told = json.dumps(error)
            for word in ("Input should", "validation", "function-", "valid ", "constrained", "unable to", "type="):
                assert word not in told, (field, value, told)
