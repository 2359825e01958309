"""Vectors of units are computed once, and the latest of them kept."""

from __future__ import annotations

import numpy as np
import pytest

from rag.answering import unit_vectors
from rag.answering.unit_vectors import UnitVectors
from tests.worlds import CountingEncoder

TEXTS = ["the mill", "the weir", "the ferry"]


def test_a_text_is_embedded_once() -> None:
    encoder, vectors = CountingEncoder(), UnitVectors()
    first = vectors.of(encoder, TEXTS)
    assert np.array_equal(first, CountingEncoder().embed_passages(TEXTS))
    before = len(encoder.read)
    again = vectors.of(encoder, [TEXTS[1], "the lock", TEXTS[1]])
    assert len(encoder.read) == before + 1
    assert np.array_equal(again[0], first[1])
    assert np.array_equal(again[2], first[1])


def test_two_encoders_are_told_apart() -> None:
    vectors = UnitVectors()
    one, other = CountingEncoder(), CountingEncoder("other")
    vectors.of(one, TEXTS)
    vectors.of(other, TEXTS)
    assert (len(one.read), len(other.read)) == (3, 3)


def test_only_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_vectors, "KEPT", 2)
    encoder, vectors = CountingEncoder(), UnitVectors()
    vectors.of(encoder, TEXTS[:2])
    vectors.of(encoder, TEXTS[:1])  # the first is now the latest
    vectors.of(encoder, TEXTS[2:])
    before = len(encoder.read)
    vectors.of(encoder, [TEXTS[0], TEXTS[2]])
    assert len(encoder.read) == before
    vectors.of(encoder, [TEXTS[1]])
    assert len(encoder.read) == before + 1


def test_nothing_has_no_vectors() -> None:
    encoder = CountingEncoder()
    assert UnitVectors().of(encoder, []).shape == (0, encoder.dim)
