"""What is wrong with a field of a request, in plain words: which one, what was sent, and what to send.

It knows the kinds of faults that pydantic finds, and none of its words leave this file. Where a field may be one of
several things, the fault that is reported is that of the one nearest to what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from indexer.nearest import did_you_mean

FIELDS = "The fields are described at GET /docs"
_SHOWN = 60
"""Characters of what was sent that a message repeats."""
_NAMED = 200
"""Characters of a field's name that a message repeats."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """A field that is missing, unknown or wrong."""

    param: str
    """The field's name; inside of another with the way to it, as messages.0.role."""
    code: str
    """For programs: missing_required_parameter, unknown_parameter or invalid_value."""
    message: str
    hint: str


def field_fault(errors: Sequence[Mapping[str, Any]], body: object, model: type[BaseModel] | None) -> FieldFault:
    """Return the fault to tell of those that pydantic found in `body`, of which `model` is the schema."""
    first = _Fault.of(errors[0], body)
    alike = [fault for each in errors if (fault := _Fault.of(each, body)).top == first.top]
    near = _nearest(alike)
    nearest = near[0]
    name = ".".join(map(str, nearest.path)) or "body"
    name = name[:_NAMED].encode(errors="backslashreplace").decode()
    fields = model.model_fields if model is not None else {}
    if nearest.kind == "missing":
        return FieldFault(name, "missing_required_parameter", f"The field {name} is missing.", _hint(first.top, fields))
    if nearest.kind == "extra_forbidden":
        meant = did_you_mean(name, fields) if len(nearest.path) == 1 else ""
        return FieldFault(
            name, "unknown_parameter", f"There is no field {name}.", " ".join(filter(None, [meant, FIELDS]))
        )
    if nearest.expected:
        kinds = " or ".join(dict.fromkeys(each.expected for each in near))
        said = f"{name} must be {kinds}, not {_sent(nearest.value)}."
    else:
        said = _CONSTRAINTS.get(nearest.kind, _not_valid)(name, nearest.value, nearest.context)
    return FieldFault(name, "invalid_value", said, _hint(first.top, fields))


@dataclass(frozen=True, slots=True)
class _Fault:
    """One fault of pydantic's list, with the names of the types that it tried taken out of its place."""

    path: tuple[str | int, ...]
    branch: tuple[str | int, ...]
    """The place as pydantic has it: which of several types was tried is part of it."""
    kind: str
    value: object
    context: Mapping[str, Any]

    @classmethod
    def of(cls, error: Mapping[str, Any], body: object) -> _Fault:
        place = tuple(error["loc"])[:9]
        inside = place[1:]
        path = _fields_of(inside, body) if place[:1] == ("body",) else inside
        if error["type"] in ("missing", "extra_forbidden") and inside and path[-1:] != inside[-1:]:
            path = (*path, inside[-1])
        return cls(path or place[:1], inside, str(error["type"]), error.get("input"), error.get("ctx") or {})

    @property
    def top(self) -> str:
        """The field of the request that it lies in."""
        return str(self.path[0])

    @property
    def expected(self) -> str:
        """The kind of value that is wanted, where it is one of another kind; else ""."""
        return _KINDS.get(self.kind, "")


def _fields_of(place: Sequence[str | int], value: object) -> tuple[str | int, ...]:
    """Return the parts of a place that are fields and entries of what was sent."""
    path: list[str | int] = []
    for part in place:
        within = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        if part in within:
            value = value[part]  # type: ignore[index]
            path.append(part)
    return tuple(path)


def _nearest(faults: Sequence[_Fault]) -> list[_Fault]:
    """Return the faults of the types that what was sent comes nearest to, all at one place.

    Those are the ones that were read furthest, in which a value was of the right kind, and in which least was wrong.
    """

    def distance(fault: _Fault) -> tuple[int, bool, int]:
        of_branch = sum(each.branch[:2] == fault.branch[:2] for each in faults)
        return -len(fault.path), bool(fault.expected), of_branch

    best = min(faults, key=distance)
    return [each for each in faults if each.path == best.path and distance(each) == distance(best)]


_KINDS: Mapping[str, str] = {
    "string_type": "a text",
    "string_unicode": "a text",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}


def _not_valid(name: str, value: object, _: Mapping[str, Any]) -> str:
    return f"{name} cannot be {_sent(value)}."


def _bound(words: str, key: str) -> Callable[[str, object, Mapping[str, Any]], str]:
    return lambda name, value, context: f"{name} must be {words} {_number(context[key])}, not {_sent(value)}."


def _too_short(name: str, value: object, context: Mapping[str, Any]) -> str:
    least = context["min_length"]
    if not value:
        return f"{name} is empty."
    return f"{name} has {_length(value)}, and needs at least {least:,}."


def _too_long(name: str, value: object, context: Mapping[str, Any]) -> str:
    return f"{name} has {_length(value)}, and may have at most {context['max_length']:,}."


def _own(name: str, _: object, context: Mapping[str, Any]) -> str:
    return f"{name}: {context['error']}."


def _choices(name: str, value: object, context: Mapping[str, Any]) -> str:
    return f"{name} must be {context['expected']}, not {_sent(value)}."


_CONSTRAINTS: Mapping[str, Callable[[str, object, Mapping[str, Any]], str]] = {
    "literal_error": _choices,
    "enum": _choices,
    "greater_than_equal": _bound("at least", "ge"),
    "greater_than": _bound("more than", "gt"),
    "less_than_equal": _bound("at most", "le"),
    "less_than": _bound("less than", "lt"),
    "too_short": _too_short,
    "string_too_short": _too_short,
    "too_long": _too_long,
    "string_too_long": _too_long,
    "value_error": _own,
}


def _length(value: object) -> str:
    length = len(value) if isinstance(value, str | list | dict) else 0
    one, many = ("character", "characters") if isinstance(value, str) else ("entry", "entries")
    return f"{length:,} {one if length == 1 else many}"


def _number(value: float) -> str:
    return f"{value:,g}" if isinstance(value, float) else f"{value:,}"


def _sent(value: object) -> str:
    """Return what was sent as JSON has it, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    short = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return short.encode(errors="backslashreplace").decode()


def _hint(field: str, fields: Mapping[str, Any]) -> str:
    """Return what to send: an example of the field where its schema has one, and where it is described."""
    known = fields.get(field)
    if known is None:
        return FIELDS
    examples = known.examples or ([] if known.is_required() or known.default in (None, []) else [known.default])
    if not examples:
        return FIELDS
    return f'For example: "{field}": {json.dumps(examples[0], ensure_ascii=False)}. {FIELDS}'
