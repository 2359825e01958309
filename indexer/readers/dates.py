"""Dates as documents write them, turned into ISO 8601; knows nothing about where they were found."""

from __future__ import annotations

from datetime import date, datetime
from email.utils import parsedate_to_datetime

_PATTERNS = ("%d-%b-%Y", "%d-%B-%Y", "%Y/%m/%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%Y%m%d")


def iso_date(value: object) -> str:
    """Return `value` as an ISO date or time, or "" when it is not a date that can be told for sure."""
    if isinstance(value, date):
        return value.isoformat()
    text = " ".join(str(value).split())[:64]
    if not any(character.isdigit() for character in text):
        return ""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.date().isoformat() if len(text) <= 10 else parsed.isoformat()
    except ValueError:
        pass
    for pattern in _PATTERNS:
        try:
            return datetime.strptime(text, pattern).date().isoformat()
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
