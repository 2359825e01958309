"""Numbers as a sheet shows them: percent, thousands, currency, hours, leading zeros, by the cell's format code.

Follows ECMA-376 part 1, 18.8.31, as far as documents use it; a code that is not understood shows the plain number.
Points and commas are those of English, whatever the country of the sheet.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

_GENERAL_DIGITS = 11
"""Digits that "General" shows of a number with decimals."""
_FIRST_YEAR = 1900
"""Year of day 1."""
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|_.|\*.|\[[^\]]*\]')
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.[#0?]*)?,*|\.[0#?]+,*")


def shown(value: object, code: str = "General") -> str:
    """Return a cell's value as the sheet shows it; dates as ISO dates, "" for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, timedelta):
        return _hours(value, code)
    if isinstance(value, datetime) and value.year <= _FIRST_YEAR and not re.search("[dy]", code.lower()):
        return shown(value.time(), code)  # a time of a day, of a number that counts days as well
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        is_zero = value == time(0) and "h" not in code.lower()  # a zero in a cell that is formatted as a date
        return "" if is_zero else value.isoformat("seconds" if value.second else "minutes")
    if isinstance(value, (int, float)):
        return _number(value, code)
    return str(value)


def _hours(value: timedelta, code: str) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    text = f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}"
    return f"{text}:{seconds % 60:02d}" if "s" in code.lower() else text


def _number(value: float, code: str) -> str:
    sections = _sections(code)
    section = sections[1] if value < 0 and len(sections) > 1 else sections[0]
    if value == 0 and len(sections) > 2 and set(_LITERAL.sub("", sections[2])) & set("0#"):
        section = sections[2]
    bare = _LITERAL.sub(_literal, section)
    digits = _DIGITS.search(bare)
    if digits is None or "general" in bare.lower() or "/" in bare or re.search(r"[dmyhs]", _outside(bare), re.I):
        return _general(value)
    before, after = bare[: digits.start()], bare[digits.end() :]
    size = abs(value)
    if exponent := re.match(r"E[+-]0+", after):
        text = f"{size:.{_decimals(digits[0])[1]}E}"
        after = after[exponent.end() :]
    else:
        text = _digits(size * (100 if "%" in bare else 1), digits[0])
    if _DIGITS.search(after):  # a pattern in parts ("000-00-0000") is an identifier's
        return _general(value)
    sign = "-" if value < 0 and text.strip("0.,") else ""
    return " ".join((sign + _spoken(before) + text + _spoken(after)).split())


def _sections(code: str) -> list[str]:
    return re.findall(r'((?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[])+)', code) or ["General"]


def _literal(found: re.Match[str]) -> str:
    """Return what a literal shows, marked so that none of its letters is taken for a part of the pattern."""
    text = found[1] or found[2] or found[3] or ""
    return "".join(chr(0xF0000 + ord(character)) if ord(character) < 0xFFFF else "" for character in text)


def _spoken(text: str) -> str:
    unmarked = (chr(ord(each) - 0xF0000) if ord(each) >= 0xF0000 else each for each in text)
    return "".join(unmarked).replace("(", "").replace(")", "").replace("-", "", 1 if text.startswith("-") else 0)


def _outside(bare: str) -> str:
    return re.sub(r"E[+-]", "", "".join(each for each in bare if ord(each) < 0xF0000))


def _decimals(pattern: str) -> tuple[int, int]:
    """Return the least and the most decimals."""
    decimals = pattern.partition(".")[2].rstrip(",")
    return decimals.count("0"), len(decimals)


def _digits(size: float, pattern: str) -> str:
    least, most = _decimals(pattern)
    shortened = pattern.rstrip(",")
    size /= 1000 ** (len(pattern) - len(shortened))  # each comma at the end stands for three digits not shown
    whole = shortened.partition(".")[0]
    text = f"{size:,.{most}f}" if "," in whole else f"{size:.{most}f}"
    if most > least:
        integer, _, decimals = text.partition(".")
        decimals = decimals[:least] + decimals[least:].rstrip("0")
        text = f"{integer}.{decimals}" if decimals else integer
    return text.zfill(whole.count("0") + (len(text) - len(text.partition(".")[0]))) if whole.count("0") > 1 else text


def _general(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.{_GENERAL_DIGITS}g}".replace("e", "E")
