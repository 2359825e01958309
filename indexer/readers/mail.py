"""Mails and mailboxes: subject as heading, who wrote when in rows, and the text; attachments are only named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import pairwise

from indexer.readers.dates import iso_date
from indexer.readers.encoding import decode
from indexer.readers.html_page import blocks_in
from indexer.readers.text import paragraphs
from indexer.types import Block, Reading

_ENVELOPE = re.compile(rb"^From \S{1,300} [^\r\n]{0,60}\d{4}[^\r\n]{0,40}\r?\n", re.M)
_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_MAX_NAMED = 20
_MALFORMED = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What the standard library's parser of structured headers raises on some of them."""


def read(name: str, data: bytes) -> Reading:
    """Read one mail; the plain text is preferred to the HTML."""
    message = _parsed(data)
    blocks, notes = _blocks(message)
    metadata = {
        "author": _header(message, "From"),
        "to": _header(message, "To"),
        "date": iso_date(_header(message, "Date")),
    }
    filled = {key: value for key, value in metadata.items() if value}
    return Reading(tuple(blocks), "mail", _header(message, "Subject"), filled, tuple(notes))


def read_mbox(name: str, data: bytes) -> Reading:
    """Read a mailbox, its mails one after the other; each subject is a heading with its line in the file."""
    starts = [match.start() for match in _ENVELOPE.finditer(data) if _begins_a_mail(data, match.start())]
    blocks: list[Block] = []
    notes: list[str] = []
    line = 1
    for start, end in pairwise([*starts, len(data)]):
        part = data[start:end]
        found, more = _blocks(_parsed(part[part.index(b"\n") + 1 :]))
        blocks.append(Block(found[0].text, "heading", 1, line=line))
        blocks.extend(found[1:])
        notes.extend(more)
        line += part.count(b"\n")
    return Reading(tuple(blocks), "mbox", "", {"mails": len(starts)}, tuple(dict.fromkeys(notes))[:_MAX_NAMED])


def _begins_a_mail(data: bytes, place: int) -> bool:
    before = data[max(place - 4, 0) : place]
    return not before or before.endswith((b"\n\n", b"\n\r\n"))


def _parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError("the default policy makes EmailMessage")
    return message


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except _MALFORMED:
        return ""


def _blocks(message: EmailMessage) -> tuple[list[Block], list[str]]:
    """Return the blocks, the first a heading, and notes."""
    subject = _header(message, "Subject") or "(no subject)"
    envelope = "\n".join(f"{name}: {value}" for name in _HEADERS if (value := _header(message, name)))
    blocks = [Block(subject, "heading", 1)] + ([Block(envelope, "row")] if envelope else [])
    notes: list[str] = []
    body, attachments = _parts(message)
    if body is not None:
        blocks.extend(_body(body, notes))
    notes.extend(f"attachment not read: {name}" for name in attachments[:_MAX_NAMED])
    return blocks, notes


def _parts(message: EmailMessage) -> tuple[EmailMessage | None, list[str]]:
    """Return the part to read, plain text before HTML, and the names of the attachments."""
    texts: dict[str, EmailMessage] = {}
    attachments: list[str] = []
    for part in message.walk():
        if part.is_multipart() or not isinstance(part, EmailMessage):
            continue
        form = part.get_content_type()
        try:
            name = part.get_filename()
        except _MALFORMED:
            name = None
        if name or part.get_content_disposition() == "attachment" or form not in ("text/plain", "text/html"):
            attachments.append(" ".join((name or form).split())[:200])
        else:
            texts.setdefault(form, part)
    return texts.get("text/plain") or texts.get("text/html"), attachments


def _body(part: EmailMessage, notes: list[str]) -> Iterator[Block]:
    content = part.get_payload(decode=True)
    charset = part.get_content_charset() or ""
    decoded = decode(content if isinstance(content, bytes) else b"", charset)
    notes.extend(decoded.notes)
    if part.get_content_type() == "text/html":
        yield from blocks_in(decoded.text)
    else:
        yield from (Block(block.text) for block in paragraphs(decoded.text))
