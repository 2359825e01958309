"""Actions as pieces of an answer, with the spaces between them."""

from __future__ import annotations

import pytest

from indexer.encoders.model_folder import DEFAULT_NAME, find_model_folder
from rag.copying.decoding import Decoded, Span, Token
from rag.copying.layout import Tokens
from rag.copying.pieces import pieces
from rag.engine import said
from rag.generator import Copied, Draft, Written
from tests.answers import passage

PASSAGES = [passage("A cat sat on a mat."), passage("The pump\n moves water.")]
CAT, MAT, PUMP = Span(0, 2, 5, 1.0, 0, 0, 0), Span(0, 15, 18, 1.0, 0, 0, 0), Span(1, 0, 8, 1.0, 1, 0, 0)


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return Tokens(find_model_folder(DEFAULT_NAME) / "tokenizer.json")


def made(tokens: Tokens, *actions: Span | str) -> tuple[Copied | Written, ...]:
    """Return the pieces of spans and of words, each a token for each of its parts."""
    steps: list[Span | Token] = []
    for action in actions:
        steps += [action] if isinstance(action, Span) else [Token(id) for id in tokens.ids(action)]
    return pieces(Decoded(tuple(steps), (CAT,), -0.1, -0.1), tokens)


@pytest.mark.parametrize(
    ("actions", "expected", "unsupported"),
    [
        ((CAT,), "cat", []),
        ((CAT, "and", PUMP), "cat and The pump", []),
        ((CAT, "or", MAT), "cat or mat", []),
        ((CAT, ",", MAT, ", and", PUMP), "cat, mat, and The pump", []),
        ((CAT, MAT, PUMP), "cat, mat, The pump", []),
        ((CAT, "."), "cat.", []),
        (("yes",), "yes", ["yes"]),
        (("about", CAT), "about cat", ["about"]),
        ((CAT, "sat", MAT), "cat sat mat", ["sat"]),
        ((CAT, "and then", MAT), "cat and then mat", ["and then"]),
        (("unbelievably", CAT), "unbelievably cat", ["unbelievably"]),
        ((CAT, "( a pet )", MAT), "cat ( a pet ) mat", ["( a pet )"]),
        ((), "", []),
    ],
)
def test_pieces_read_as_a_sentence_and_written_words_are_marked(
    actions: tuple[Span | str, ...], expected: str, unsupported: list[str], tokens: Tokens
) -> None:
    found = made(tokens, *actions)
    assert said(Draft(found, 1.0), PASSAGES) == expected
    marked = [piece.text.strip() for piece in found if isinstance(piece, Written) and not piece.supported]
    assert marked == unsupported


def test_what_was_copied_is_its_passage_and_characters(tokens: Tokens) -> None:
    copied = [piece for piece in made(tokens, CAT, "and", PUMP) if isinstance(piece, Copied)]
    assert copied == [Copied(0, 2, 5), Copied(1, 0, 8)]


def test_an_answer_begins_and_ends_without_a_space(tokens: Tokens) -> None:
    for actions in ((CAT,), ("yes",), ("yes", CAT), (CAT, "yes"), (CAT, "yes", CAT)):
        text = said(Draft(made(tokens, *actions), 1.0), PASSAGES)
        assert text == text.strip()
        assert "  " not in text
