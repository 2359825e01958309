"""Mails and mailboxes: subject as heading, who wrote when in rows, the texts, forwarded mails and attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from itertools import pairwise

from indexer.errors import Unreadable
from indexer.readers.dates import iso_date
from indexer.readers.encoding import decode
from indexer.readers.html_page import blocks_in
from indexer.readers.text import paragraphs
from indexer.types import Block, Reading

_ENVELOPE = re.compile(rb"^From \S{1,300} [^\r\n]{0,60}\d{4}[^\r\n]{0,40}\r?\n", re.M)
_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_MAX_NAMED = 20
_MAX_FORWARDED = 8
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
    return Reading(tuple(blocks), "mail", _header(message, "Subject"), filled, tuple(notes[:_MAX_NAMED]))


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


def _blocks(message: EmailMessage, depth: int = 0) -> tuple[list[Block], list[str]]:
    """Return the blocks, the first a heading, and notes."""
    subject = _header(message, "Subject") or "(no subject)"
    envelope = "\n".join(f"{name}: {value}" for name in _HEADERS if (value := _header(message, name)))
    blocks = [Block(subject, "heading", depth + 1)] + ([Block(envelope, "row")] if envelope else [])
    notes: list[str] = []
    blocks.extend(_parts(message, depth, notes))
    return blocks, notes


def _parts(part: Message, depth: int, notes: list[str]) -> Iterator[Block]:
    """Yield what each part says, in order: texts, the better of alternatives, forwarded mails, attachments."""
    form, name = part.get_content_type(), _file_name(part)
    if form == "message/rfc822":
        for forwarded in part.get_payload() if isinstance(part.get_payload(), list) else ():
            if isinstance(forwarded, EmailMessage) and depth < _MAX_FORWARDED:
                blocks, more = _blocks(forwarded, depth + 1)
                notes.extend(more)
                yield from blocks
            else:
                notes.append("forwarded mail not read: too many one in the other")
    elif part.is_multipart():
        inside = [each for each in part.get_payload() if isinstance(each, Message)]
        yield from (
            _alternatives(inside, depth, notes)
            if form == "multipart/alternative"
            else (block for each in inside for block in _parts(each, depth, notes))
        )
    elif form in ("text/plain", "text/html") and not name and part.get_content_disposition() != "attachment":
        yield from _body(part, notes)
    else:
        yield from _attached(part, name, depth, notes)


def _alternatives(parts: Sequence[Message], depth: int, notes: list[str]) -> Iterator[Block]:
    """Yield the plain text, else the HTML, else what there is."""
    forms = {part.get_content_type(): part for part in reversed(parts)}
    best = forms.get("text/plain")
    if best is None or not (best.get_payload(decode=True) or b"").strip():  # type: ignore[union-attr]
        best = next((part for part in parts if part.get_content_type() != "text/plain"), best)
    if best is not None:
        yield from _parts(best, depth, notes)


def _attached(part: Message, name: str, depth: int, notes: list[str]) -> Iterator[Block]:
    """Yield an attachment under its name, read as the file that it is; what cannot be read is noted."""
    from indexer.readers import read as read_file

    label = name or part.get_content_type()
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes) or not content:
        notes.append(f"attachment not read: {label}")
        return
    if part.get_content_disposition() == "inline" and part.get_content_maintype() == "image":
        notes.append(f"picture not read: {label}")
        return
    try:
        reading = read_file(name or f"part.{part.get_content_subtype()}", content)
    except Unreadable as unreadable:
        notes.append(f"attachment not read: {label} ({unreadable.reason})")
        return
    yield Block(f"Attachment: {label}", "heading", depth + 2)
    for block in reading.blocks:
        yield Block(block.text, block.kind, min(block.level + depth + 2, 9) if block.level else 0)
    notes.extend(f"{label}: {note}" for note in reading.notes)


def _file_name(part: Message) -> str:
    try:
        return " ".join((part.get_filename() or "").split())[:200]
    except _MALFORMED:
        return ""


def _body(part: Message, notes: list[str]) -> Iterator[Block]:
    content = part.get_payload(decode=True)
    charset = part.get_content_charset() or ""
    decoded = decode(content if isinstance(content, bytes) else b"", charset)
    notes.extend(decoded.notes)
    if part.get_content_type() == "text/html":
        yield from blocks_in(decoded.text)
    else:
        yield from (Block(block.text) for block in paragraphs(decoded.text))
