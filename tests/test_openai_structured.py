"""Answers as data: the answer object as JSON, and what a client's schema takes of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel, Field

from rag.service.openai.structured import MOST_SCHEMA, fitted
from rag.service.schemas.chat import AnswerObject
from tests.serving import Formed, closest, listening, service_of
from tests.worlds import collection_of

TEA: list[Any] = [{"role": "user", "content": "At what heat is green tea steeped?"}]
CUP: list[Any] = [{"role": "user", "content": "Who won the football cup?"}]
SAID = "Green tea is steeped at eighty degrees."


class Quote(BaseModel):
    name: str
    page: int | None
    quote: str


class Wanted(BaseModel):
    """What a program asks for: some fields, with types of its own for those that stand in each other."""

    answer: str
    outcome: Literal["answer", "unsure", "none"]
    confidence: float = Field(ge=0, le=1)
    citations: list[Quote]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    collection_of(home).close()
    return home


def client_at(address: tuple[str, int]) -> Any:
    return openai.OpenAI(base_url=f"http://{address[0]}:{address[1]}/v1", api_key="none", max_retries=0, timeout=60)


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[Any]:
    with listening(service_of(home)) as address, client_at(address) as client:
        yield client


def asked_for(client: Any, schema: Any, messages: Any = TEA) -> Any:
    """Return the data of an answer with this schema."""
    format = {"type": "json_schema", "json_schema": {"name": "wanted", "schema": schema}}
    completion = client.chat.completions.create(model="footnote", messages=messages, response_format=format)
    return json.loads(completion.choices[0].message.content)


def test_the_answer_object_is_what_is_described(client: Any) -> None:
    for messages, outcome in ((TEA, "answer"), (CUP, "none")):
        completion = client.chat.completions.create(
            model="footnote", messages=messages, response_format={"type": "json_object"}
        )
        found = AnswerObject.model_validate_json(completion.choices[0].message.content)
        assert (found.outcome, found.answered, found.question) == (outcome, outcome == "answer", messages[0]["content"])
        assert [each.quote for each in found.citations] == ([SAID] if found.answered else [])
        assert (found.nearest == []) == found.answered


def test_a_type_of_the_client_s_is_filled(client: Any) -> None:
    """The client makes a strict schema of a pydantic class, with references, and reads the answer by it."""
    completion = client.chat.completions.parse(model="footnote", messages=TEA, response_format=Wanted)
    found = completion.choices[0].message.parsed
    assert isinstance(found, Wanted)
    assert (found.answer, found.outcome, found.confidence) == (SAID, "answer", 0.9)
    (quote,) = found.citations
    assert (quote.name, quote.page, quote.quote) == ("Tea", None, SAID)
    assert set(json.loads(completion.choices[0].message.content)) == set(Wanted.model_fields)
    streamed = client.chat.completions.create(
        model="footnote", messages=TEA, stream=True,
        response_format={"type": "json_schema", "json_schema": {"name": "w", "schema": Wanted.model_json_schema()}},
    )  # fmt: skip
    text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed)
    assert Wanted.model_validate_json(text) == found


def test_every_outcome_fills_it(home: Path) -> None:
    with listening(service_of(home, Formed(closest))) as address, client_at(address) as client:
        unsure = client.chat.completions.parse(model="footnote", messages=TEA, response_format=Wanted)
        found = unsure.choices[0].message.parsed
        assert found is not None
        assert (found.outcome, found.answer) == ("unsure", "Black tea takes boiling water.")
        response = client.responses.parse(model="footnote", input=TEA[0]["content"], text_format=Wanted)
        assert response.output_parsed == found
        assert response.output[0].content[0].annotations == []  # there are no numbers in JSON


def test_a_schema_takes_no_more_than_it_names(client: Any) -> None:
    only = {"type": "object", "properties": {"answered": {"type": "boolean"}}, "required": ["answered"]}
    assert asked_for(client, only) == {"answered": True}
    assert asked_for(client, only, CUP) == {"answered": False}
    assert asked_for(client, {"type": "object"}, CUP)["outcome"] == "none"  # a schema that names no field takes all


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
         "$: 'city' is a required property"),
        ({"type": "object", "properties": {"confidence": {"type": "string"}}}, "$.confidence: 0.9 is not of type"),
        ({"type": "object", "properties": {"citations": {"type": "array", "minItems": 1}}}, "$.citations: []"),
        ({"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}}, "is not one of ['yes', 'no']"),
        ({"type": "array"}, "is not of type 'array'"),
        ({"type": "wrong"}, "This is no JSON Schema"),
        ({"properties": {"answer": {"type": "string", "pattern": "(a+)+$"}}}, "Patterns in a schema are not served"),
        ({"properties": {"answer": {"$ref": "http://evil.example/schema.json"}}}, "'http://evil.example/schema.json'"),
        ({"properties": {"answer": {"$ref": "#/$defs/nothing"}}}, "which is not in it"),
        ({"$ref": "#"}, "refers to itself"),
        ({"$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(30)} | {"30": {}},
          "$ref": "#/$defs/0"}, "refers to"),
        ({"$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} if n < 30 else {} for n in range(31)},
          "$ref": "#/$defs/0"}, "too large"),
        ({"description": "x" * MOST_SCHEMA}, "longer than 20,000 characters"),
        (None, "needs a schema"),
    ],
)  # fmt: skip
def test_a_schema_that_no_answer_could_satisfy_is_refused_before_one_is_looked_for(
    client: Any, schema: Any, said: str
) -> None:
    with pytest.raises(openai.BadRequestError) as told:
        asked_for(client, schema)
    assert isinstance(told.value.body, dict)
    assert said in told.value.body["message"]
    assert told.value.param == "response_format.json_schema.schema"


def test_what_only_this_answer_breaks_is_told_instead_of_the_answer(client: Any) -> None:
    """The samples are short, so that a limit of length is met only by the answer itself; a stream has begun then."""
    short = {"type": "object", "properties": {"answer": {"type": "string", "maxLength": 10}}}
    with pytest.raises(openai.BadRequestError, match="is too long"):
        asked_for(client, short)
    format = {"type": "json_schema", "json_schema": {"name": "short", "schema": short}}
    with pytest.raises(openai.APIError, match="is too long"):
        list(client.chat.completions.create(model="footnote", messages=TEA, response_format=format, stream=True))


def test_what_is_fitted_keeps_what_is_named() -> None:
    value = {"a": 1, "b": [{"c": 1, "d": 2}, {"c": None}], "e": {"f": 1}}
    inner = {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"c": {}}}]}
    schema = {"properties": {"b": {"items": inner}, "e": {"type": "object"}}}
    assert fitted(value, schema) == {"b": [{"c": 1}, {"c": None}], "e": {"f": 1}}
    assert fitted(value, {}) == value
    assert fitted(value, True) == value
