"""From decoded actions to the pieces of a draft."""

from __future__ import annotations

from rag.copying.decoding import Decoded, Span, Token
from rag.copying.layout import Tokens
from rag.generator import Copied, Written
from rag.joining import is_joining


def pieces(decoded: Decoded, tokens: Tokens) -> tuple[Copied | Written, ...]:
    """Return the actions as pieces of an answer, spaces between them.

    Written words count as supported where they only join: "and", "or", a comma. Any other is the model's own.
    """
    made: list[Copied | Written] = []
    run: list[int] = []
    for action in (*decoded.actions, None):
        if isinstance(action, Token):
            run.append(action.id)
            continue
        if run:
            text = tokens.text(run)
            before = "" if text[:1] in ",.;:)" or not made else " "
            after = " " if action is not None else ""
            made.append(Written(before + text + after, supported=is_joining(text)))
            run = []
        if isinstance(action, Span):
            if made and isinstance(made[-1], Copied):
                made.append(Written(", ", supported=True))
            made.append(Copied(action.passage, action.start, action.end))
    return tuple(made)
