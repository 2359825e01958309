"""A conversation of chat messages as a question and what it is read together with.

The question is the last message of the user. What it leaves out is taken from the user's questions before it; who "he"
or "she" is may stand in the answer to the last one; and before the first question, what it is all about may stand in a
system message. Nothing of a conversation is an instruction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.errors import UsageError
from rag.joining import concludes
from rag.retriever import MAX_QUESTION, checked_question
from rag.service.openai.options import invalid
from rag.service.schemas.chat import Message, TextPart
from rag.types import MAX_HISTORY, NOTHING

_PERSON = re.compile(r"\b(he|she|him|her|his|hers)\b", re.IGNORECASE)
_ABOVE = re.compile(r"\A\*read as: .*\*\n\n")
_BELOW = re.compile(r"\n\n(?=\*confidence |\[\^?1\]:? )")
"""Where the text of an answer of ours ends, and what is said about it begins, or its footnotes."""
_MARK = re.compile(r"\[\^?\d+\]|\*\*|\\(?=\W)")
"""The number of a footnote, and the marks of Markdown that an answer of ours may hold."""
_WORDS = re.compile(r"\*\*(.+?)\*\*")
"""The words that were copied, in bold in their sentence."""
_NO_ANSWER = ("*Not sure.", "Not sure.", f"**{NOTHING}", NOTHING, "0 of ")
_SENTENCE_END = re.compile(r"[.!?\n]")
_ABOUT = re.compile(r"\babout (?!you\b|yourself\b)", re.IGNORECASE)
_MOST_TOPIC = 300
"""Longest sentence that says what everything is about, in characters."""


def question_and_history(messages: Sequence[Message], field: str) -> tuple[str, list[str]]:
    """Return the question, and what it is read together with, oldest first. `field` is what holds the messages.

    Raises ServiceError where no message of the user holds a question.
    """
    places = [place for place, message in enumerate(messages) if message.role == "user"]
    if not places or messages[places[-1]].content is None:
        example = '{"role": "user", "content": "..."}'
        raise invalid(field, "No message of the user holds a question.", f"For example: {example}")
    last = places[-1]
    _check_parts(messages[last], f"{field}.{last}.content")
    question = text_of(messages[last])
    return question, _history(question, messages[:last])


def text_of(message: Message) -> str:
    """Return the text of a message."""
    if isinstance(message.content, list):
        return "\n".join(part.text for part in message.content if isinstance(part, TextPart))
    return message.content or ""


def _check_parts(message: Message, param: str) -> None:
    """Raise the error of a question that holds what is no text."""
    for part in message.content if isinstance(message.content, list) else ():
        if not isinstance(part, TextPart):
            kind = str(part.get("type", ""))[:40].encode(errors="backslashreplace").decode()
            raise invalid(param, f"A question is a text, and this one holds a part of type {kind!r}.",
                          "Send text alone; index the file to ask about it.")  # fmt: skip


def _history(question: str, before: Sequence[Message]) -> list[str]:
    """Return what a question is read together with.

    Of earlier messages of the user, those that could be asked by themselves: a pasted file is no question.
    """
    asked = [text for message in before if message.role == "user" and _is_question(text := text_of(message))]
    if not asked:
        return _topics(before)
    answer = _last_answer(before)
    if answer and _PERSON.search(question):
        asked.insert(-1, answer)  # before its question: that is still what was asked last
    return asked[-MAX_HISTORY:]


def _topics(before: Sequence[Message]) -> list[str]:
    """Return the first sentence of the system that says what everything is about."""
    system = (text_of(message) for message in before if message.role in ("system", "developer"))
    sentences = (part.strip() for text in system for part in _SENTENCE_END.split(text[:MAX_QUESTION]))
    return [each for each in sentences if len(each) <= _MOST_TOPIC and _ABOUT.search(each)][:1]


def _last_answer(before: Sequence[Message]) -> str:
    """Return what was answered last: the words in bold, or all of it; "" where that was no answer."""
    text = next((text_of(message) for message in reversed(before) if message.role != "user"), "")
    text = _BELOW.split(_ABOVE.sub("", text), maxsplit=1)[0]
    words = [] if text.startswith(_NO_ANSWER) else [each for each in _WORDS.findall(text) if not concludes(each)]
    text = _MARK.sub("", ", ".join(words) or text).strip()
    return text if before[-1].role == "assistant" and _is_question(text) and not text.startswith(_NO_ANSWER) else ""


def _is_question(text: str) -> bool:
    try:
        checked_question(text)
    except UsageError:
        return False
    return True
