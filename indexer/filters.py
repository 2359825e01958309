"""Filters on documents: `key=value` as a person types it, as a condition in SQL with bound parameters.

Keys are `source`, `title`, `format`, `modified`, and anything that the documents' metadata holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_

from indexer.errors import UsageError
from indexer.schema import documents

COLUMNS = {
    "source": documents.c.source,
    "title": documents.c.title,
    "format": documents.c.format,
    "modified": documents.c.modified,
}
_FORM = re.compile(r"\s*([\w.-]+)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*", re.DOTALL)


def parse_filters(filters: Sequence[str]) -> ColumnElement[bool] | None:
    """Return the condition that all `filters` hold for a document, or None when there are none.

    Each is `key OP value` with OP one of = != < <= > >=. `*` and `?` in a value of = and != match any text and any
    character; a source may also be given by its end ("guide.md"). Dates are compared as ISO text, so `modified>=2024`
    and `date<2024-05` work. Raises UsageError for anything else.
    """
    conditions = [_condition(given) for given in filters]
    return and_(*conditions) if conditions else None


def _condition(given: str) -> ColumnElement[bool]:
    form = _FORM.fullmatch(given)
    if form is None:
        raise UsageError(
            f"The filter {given!r} is not of the form key=value.",
            "For example: --filter format=markdown --filter 'source=*/guides/*' --filter 'date>=2024-01-01'",
        )
    key, operator, value = form.groups()
    column: Any = COLUMNS.get(key)
    if column is None:
        column = func.json_extract(documents.c.metadata, literal(f'$."{key}"'))
    if operator in ("=", "!="):
        equal = _equal(key, column, value)
        return equal if operator == "=" else or_(column.is_(None), ~equal)
    number = _number(value)
    if number is not None and key not in COLUMNS:
        # A number compares with numbers, and as text with text: SQLite sorts every number before every text.
        is_number = func.typeof(column).in_(("integer", "real"))
        return or_(and_(is_number, column.op(operator)(number)), and_(~is_number, column.op(operator)(value)))
    return and_(func.typeof(column) == "text", column.op(operator)(value))


def _equal(key: str, column: Any, value: str) -> ColumnElement[bool]:
    if "*" in value or "?" in value:
        return _glob(column, value)
    if key == "source":
        return or_(column == value, _glob(column, f"*/{value}"))
    number = _number(value)
    alternatives: list[ColumnElement[bool]] = [column == value]
    if number is not None:
        alternatives.append(column == number)
    if value.lower() in ("true", "false"):
        alternatives.append(column == int(value.lower() == "true"))  # json_extract turns booleans into 0 and 1
    return or_(*alternatives)


def _glob(column: Any, pattern: str) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = column.op("GLOB", is_comparison=True)(pattern.replace("[", "[[]"))
    return matches


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
