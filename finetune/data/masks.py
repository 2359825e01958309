"""Masks personal data and secrets where they are asked to be masked: mail addresses, phone numbers, keys.

The patterns are exact rather than complete: what they find is nearly always what they are called, and some is missed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from finetune.data.records import Note, Step, in_context

_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![\w-])")
_PHONES = (
    re.compile(
        r"(?<![\w.,/+-])(?:\+|00)[1-9]\d{0,2}[ .\-/]?(?:\(\d{1,5}\)[ .\-/]?)?\d{1,5}(?:[ .\-/]?\d{2,5}){1,4}(?![\w-])"
    ),
    re.compile(r"(?<![\w.,/+-])(?:1[ .-])?\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[.-]\d{4}(?![\w-])"),
    re.compile(
        r"(?i:(?:phone|tel|telephone|fax|mobile|call|cell)\b\.?:?(?: (?:no|number|us at|me at|at)\.?:?)?) {0,3}"
        r"(\(?\d[\d ()./-]{5,18}\d)(?![\w-])"
    ),
)
_KEYS = (
    re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.{1,10000}?-----END [A-Z ]{0,30}PRIVATE KEY-----", re.DOTALL),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255}|glpat-[\w-]{20,64})"),
    re.compile(r"\b(?:sk|pk|rk)[-_](?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{20,200}"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,250}"),
    re.compile(r"\bAIza[\w-]{35}"),
    re.compile(r"\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,2000}"),
    re.compile(r"(?i:\bbearer) ([A-Za-z0-9._~+/-]{20,500}=*)"),
    re.compile(
        r"(?i:\b(?:api|access|secret|auth)[_ -]?(?:key|token)|\bpassword|\bpasswd|\bclient_secret)"
        r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
        r"((?=[^\s\"']*\d)(?=[^\s\"']*[A-Za-z])[^\s\"'<>\[\]]{8,200})"
    ),
)
_LEAST_DIGITS, _MOST_DIGITS = 7, 15
"""Of a phone number; 15 is the most by ITU-T E.164."""


def _masking(kind: str, patterns: Sequence[re.Pattern[str]]) -> Step:
    mask = f"[{kind}]"

    def step(text: str, note: Note) -> str:
        for pattern in patterns:
            group = pattern.groups  # the last group where there is one, else the whole match

            def put(match: re.Match[str], group: int = group) -> str:
                start, end = match.span(group)
                digits = sum(c.isdigit() for c in match[group])
                if kind == "phone" and not _LEAST_DIGITS <= digits <= _MOST_DIGITS:
                    return match[0]
                # What is masked is not told again in the report.
                note(
                    f"{kind} masked",
                    *(_told(each, match[group]) for each in in_context(match.string, start, end, mask)),
                )
                return match[0][: start - match.start()] + mask + match[0][end - match.start() :]

            text = pattern.sub(put, text)
        return text

    return step


def _told(text: str, secret: str) -> str:
    return text.replace(secret, secret[:2] + "…" if len(secret) < 200 else "…")


MASKS: Mapping[str, Step] = {
    "mail": _masking("mail", (_MAIL,)),
    "phone": _masking("phone", _PHONES),
    "key": _masking("key", _KEYS),
}
"""What can be masked, by name; what stands there then is the name in brackets."""
