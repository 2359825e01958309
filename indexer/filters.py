"""Filters on documents: `key=value` as a person types it, as a condition in SQL with bound parameters.

Keys are `source`, `title`, `format`, `modified`, and anything that the documents' metadata holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, literal, or_, select

from indexer.errors import UsageError
from indexer.nearest import did_you_mean
from indexer.plurals import counted
from indexer.schema import documents

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

COLUMNS = {
    "source": documents.c.source,
    "title": documents.c.title,
    "format": documents.c.format,
    "modified": documents.c.modified,
}
_FORM = re.compile(r"\s*([\w.-]+)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*", re.DOTALL)
_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?)?)?")


def parse_filters(filters: Sequence[str]) -> ColumnElement[bool] | None:
    """Return the condition that all `filters` hold for a document, or None when there are none.

    Each is `key OP value` with OP one of = != < <= > >=. `*` and `?` in a value of = and != match any text and any
    character; a source may also be given by its end ("guide.md"). Dates are compared as ISO text, so `modified>=2024`
    and `date<2024-05` work. Raises UsageError for anything else.
    """
    conditions = [_condition(given) for given in filters]
    return and_(*conditions) if conditions else None


def check_filters(connection: Connection, filters: Sequence[str]) -> None:
    """Raise UsageError for a key that no document has, and for a value that is no date where a key holds dates."""
    for given in filters:
        key, _, value = _taken_apart(given)
        if key not in COLUMNS and key not in (known := _metadata_keys(connection)):
            near = get_close_matches(key, [*COLUMNS, *known], 1)
            raise UsageError(
                f"No document has a field {key!r}.",
                f"Did you mean: {near[0]}?" if near else f"There are: {', '.join([*COLUMNS, *known][:20])}.",
            )
        if "*" not in value and "?" not in value and not _is_date(value) and _holds_dates(connection, key):
            raise UsageError(
                f"{value!r} is not a date, and the field {key!r} holds dates.",
                f"For example: '{key}>=2024-01-31'",
            )


def match_count(connection: Connection, filters: Sequence[str]) -> tuple[int, int]:
    """Return how many documents `filters` keep, and how many there are."""
    count = select(func.count()).select_from(documents)
    where = parse_filters(filters)
    total = int(connection.execute(count).scalar_one())
    return total if where is None else int(connection.execute(count.where(where)).scalar_one()), total


def match_notes(connection: Connection, filters: Sequence[str]) -> tuple[str, ...]:
    """Return what a person should know of filters that keep no document: how many there are, and what they hold.

    ("0 of 75 documents match author=Mos.", "Did you mean: Moss?", "Values of author: Moss (3), Hale (1).")
    """
    kept, total = match_count(connection, filters)
    said = [f"{kept:,} of {counted(total, 'document')} {'matches' if total == 1 else 'match'} {' and '.join(filters)}."]
    alone = [each for each in filters if match_count(connection, [each])[0] == 0]
    if kept or not total:
        return tuple(said)
    if not alone:
        return (*said, "Each of these filters keeps some documents, and no document passes all of them.")
    for each in alone:
        said += _held(connection, *_taken_apart(each))
    return tuple(said)


def _held(connection: Connection, key: str, operator: str, value: str) -> list[str]:
    """Return the sentences that say what documents have under a key."""
    column = _column(key)
    if operator not in ("=", "!="):
        lowest, highest = connection.execute(select(func.min(column), func.max(column))).one()
        return [f"Values of {key} go from {lowest} to {highest}."]
    count = func.count()
    text: ColumnElement[Any] = cast(column, Text)
    if key not in COLUMNS:  # json_extract turns booleans into 0 and 1
        kind = func.json_type(documents.c.metadata, literal(f'$."{key}"'))
        text = case((kind.in_(("true", "false")), kind), else_=text)
    query = select(text, count).where(column.is_not(None), column != "").group_by(text)
    rows = connection.execute(query.order_by(count.desc(), text).limit(_COMPARED)).all()
    values = [PurePath(row[0]).name if key == "source" else row[0] for row in rows]
    meant = did_you_mean(value.strip("*?"), values)
    shown = [f"{name} ({row[1]:,})" if key != "source" else name for name, row in zip(values, rows, strict=True)]
    more = f" and {counted(len(shown) - _SHOWN, 'other')}" if len(shown) > _SHOWN else ""
    return [*([meant] if meant else []), f"Values of {key}: {', '.join(shown[:_SHOWN])}{more}."]


_SHOWN = 5
"""Values of a field that are named, those of the most documents."""
_COMPARED = 2_000
"""Values of a field that are looked at, at most."""


def _metadata_keys(connection: Connection) -> list[str]:
    keys = "SELECT DISTINCT key FROM documents, json_each(documents.metadata) ORDER BY key"
    return [str(key) for key in connection.exec_driver_sql(keys).scalars()]


def _holds_dates(connection: Connection, key: str) -> bool:
    """Tell whether all of some values of a key are dates."""
    column = _column(key)
    values = connection.execute(select(column).where(column.is_not(None)).limit(20)).scalars().all()
    return bool(values) and all(isinstance(value, str) and "-" in value and _is_date(value) for value in values)


def _is_date(value: str) -> bool:
    """Tell whether a value is a date in ISO form, with a time or not, or the beginning of one: 2024, 2024-05."""
    form = _DATE.fullmatch(value)
    if form is None:
        return False
    try:
        date(int(form["year"]), int(form["month"] or 1), int(form["day"] or 1))
    except ValueError:
        return False
    return True


def _condition(given: str) -> ColumnElement[bool]:
    key, operator, value = _taken_apart(given)
    column = _column(key)
    if operator in ("=", "!="):
        equal = _equal(key, column, value)
        return equal if operator == "=" else or_(column.is_(None), ~equal)
    number = _number(value)
    if number is not None and key not in COLUMNS:
        # A number compares with numbers, and as text with text: SQLite sorts every number before every text.
        is_number = func.typeof(column).in_(("integer", "real"))
        return or_(and_(is_number, column.op(operator)(number)), and_(~is_number, column.op(operator)(value)))
    return and_(func.typeof(column) == "text", column.op(operator)(value))


def _taken_apart(given: str) -> tuple[str, str, str]:
    form = _FORM.fullmatch(given)
    if form is None:
        raise UsageError(
            f"The filter {given!r} is not of the form key=value.",
            "For example: format=markdown, 'source=*/guides/*' or 'date>=2024-01-01'",
        )
    key, operator, value = form.groups()
    return key, operator, value


def _column(key: str) -> Any:
    column: Any = COLUMNS.get(key)
    return func.json_extract(documents.c.metadata, literal(f'$."{key}"')) if column is None else column


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
