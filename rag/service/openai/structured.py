"""The answer object: an answer as JSON, whole or as far as a client's JSON Schema takes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rag.service.documents import Names
from rag.service.errors import ServiceError, as_json
from rag.service.openai.options import unsupported
from rag.service.shapes import citation_json
from rag.types import Answer, Citation, given_passage

MOST_SCHEMA = 20_000
"""Longest schema, in characters of its JSON."""
MOST_NODES, DEEPEST = 5_000, 40
"""Objects of a schema once its references are put in, and how deep they may stand in each other."""

Written = Callable[[Answer], str]
"""Returns the content that an answer has."""


def answer_object(answer: Answer, names: Names) -> dict[str, Any]:
    """Return `schemas.chat.AnswerObject`."""
    nearest = () if answer.answered else answer.passages
    return {
        "question": answer.question,
        "answer": answer.text,
        "answered": answer.answered,
        "outcome": answer.outcome,
        "form": answer.form,
        "confidence": round(answer.confidence, 4),
        "read_as": answer.read_as,
        "citations": [citation_json(each, answer.passages, names) for each in answer.citations],
        "unsupported": [answer.text[start:end] for start, end in answer.unsupported],
        "notes": list(answer.notes),
        "nearest": [
            {
                "source": each.source,
                "name": names.name(each.source, each.title),
                "page": each.page,
                "line": each.line,
                "text": each.text,
            }
            for each in nearest
        ],
        "collection": answer.collection,
    }


def written_by(schema: Mapping[str, Any], names: Names, param: str) -> Written:
    """Return what writes answers as a JSON Schema has them: the answer object, with no more fields than it names.

    Raises ServiceError for a schema that not every answer can satisfy, before there is one.
    """
    if len(json.dumps(schema, ensure_ascii=False)) > MOST_SCHEMA:
        raise unsupported(param, f"The schema is longer than {MOST_SCHEMA:,} characters.", "Ask for fewer fields.")
    whole = _Inlining(schema, param).whole()
    samples = [answer_object(each, names) for each in _SAMPLES]
    check = _checker(whole, list(samples[0]), param)
    for sample in samples:
        check(fitted(sample, whole))

    def write(answer: Answer) -> str:
        found = fitted(answer_object(answer, names), whole)
        check(found)
        return as_json(found)

    return write


_QUOTED = Citation(1, "/a.md", "0" * 64, 2, 0, 4, "Tea.", 3, "A", marks=((0, 3),), claims=((0, 3),))
_SAMPLES = (
    Answer("Tea?", "Tea", "answer", 0.9, (_QUOTED,), (), "copying", "default", 1),
    Answer("Tea?", "Tea", "unsure", 0.2, (replace(_QUOTED, page=None, line=None),), (), "copying", "default", 1),
    Answer("Tea?", "", "none", 0.0, (), (given_passage("Tea.", "A", "/a.md"),), "copying", "default", 1),
)
"""One answer of each outcome: a schema that all of them satisfy has a place for whatever may come."""


def _checker(schema: Mapping[str, Any], fields: Sequence[str], param: str) -> Callable[[Any], None]:
    """Return what raises ServiceError for a value that does not satisfy the schema."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, best_match

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ServiceError(
            400, "invalid_request", f"This is no JSON Schema: {error.message[:200]}.",
            "See https://json-schema.org/draft/2020-12", param=param,
        ) from error  # fmt: skip
    validator = Draft202012Validator(schema)

    def check(value: Any) -> None:
        wrong = best_match(validator.iter_errors(value))
        if wrong is not None:
            message = f"The answer object does not satisfy the schema: {wrong.json_path}: {_end(wrong.message)}."
            raise unsupported(param, message, f"Ask for some of its fields: {', '.join(fields)}.")

    return check


def _end(message: str) -> str:
    """Return what is wrong with a value without most of the value, which stands first."""
    return message if len(message) <= 160 else f"… {message[-120:]}"


def fitted(value: Any, schema: Any) -> Any:
    """Return a value without the fields that a schema (without references) does not name."""
    if not isinstance(schema, Mapping):
        return value
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    for each in schema.get("anyOf", schema.get("oneOf", ())):
        wanted = each.get("type") if isinstance(each, Mapping) else None
        if wanted is None or kinds.get(type(value), "number") in wanted:
            return fitted(value, each)
    if isinstance(value, list):
        return [fitted(each, schema.get("items", {})) for each in value]
    fields = schema.get("properties")
    if isinstance(value, dict) and isinstance(fields, Mapping):
        return {name: fitted(each, fields[name]) for name, each in value.items() if name in fields}
    return value


class _Inlining:
    """Puts what a schema's references name in their place, within limits."""

    def __init__(self, schema: Mapping[str, Any], param: str) -> None:
        self._schema, self._param = schema, param
        self._nodes = 0

    def whole(self) -> dict[str, Any]:
        made: dict[str, Any] = self._put_in(self._schema, 0)
        for kept in ("$defs", "definitions"):
            made.pop(kept, None)
        return made

    def _put_in(self, node: Any, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > DEEPEST:
            raise unsupported(self._param, "The schema is too large, or refers to itself.", "Ask for fewer fields.")
        if isinstance(node, list):
            return [self._put_in(each, depth + 1) for each in node]
        if not isinstance(node, Mapping):
            return node
        if isinstance(node.get("pattern"), str) or "patternProperties" in node:
            raise unsupported(self._param, "Patterns in a schema are not served: checking one may never end.")
        beside = {key: self._put_in(each, depth + 1) for key, each in node.items() if key not in ("$ref", "$defs")}
        if "$ref" not in node:
            return beside
        return {**self._put_in(self._named(str(node["$ref"])), depth + 1), **beside}

    def _named(self, reference: str) -> Mapping[str, Any]:
        found: Any = self._schema
        first, *path = reference.split("/")
        for part in path:
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
        if first != "#" or not isinstance(found, Mapping):
            raise unsupported(self._param, f"The schema refers to {reference[:100]!r}, which is not in it.")
        return found
