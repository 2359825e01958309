"""Sentences: laws for any text, and the cases that a splitter by full stops gets wrong."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.sentences import sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@given(st.text(st.sampled_from("aA1.!?。\"'’) \n\r\t-éก́"), max_size=120) | st.text(max_size=200))
def test_sentences_are_trimmed_in_order_and_cover_all_but_space(text: str) -> None:
    place = 0
    for start, end in sentences(text):
        assert start < end
        assert not text[place:start].strip()
        assert text[start:end] == text[start:end].strip()
        place = end
    assert not text[place:].strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. We left.", ["It rained.", "We left."]),
        ("Really?! Yes... Fine.", ["Really?!", "Yes...", "Fine."]),
        ("Dr. Amsel met Mrs. Roy. They spoke.", ["Dr. Amsel met Mrs. Roy.", "They spoke."]),
        ("It is 3.14 m. That is long.", ["It is 3.14 m.", "That is long."]),
        ("See Fig. 3 and p. 12. Then stop.", ["See Fig. 3 and p. 12.", "Then stop."]),
        ("J. R. R. Tolkien wrote it. I read it.", ["J. R. R. Tolkien wrote it.", "I read it."]),
        ("He lives in the U.S. Government pays.", ["He lives in the U.S. Government pays."]),
        ("He lives in the U.S. The government pays.", ["He lives in the U.S.", "The government pays."]),
        ("Use tools, e.g. a saw. Cut.", ["Use tools, e.g. a saw.", "Cut."]),
        ("Nuts, bolts etc. are here. The rest is not.", ["Nuts, bolts etc. are here.", "The rest is not."]),
        ("Nuts, bolts, etc. The rest is not.", ["Nuts, bolts, etc.", "The rest is not."]),
        ('"Is it?" he asked. "No." She left.', ['"Is it?" he asked.', '"No."', "She left."]),
        ("So did I. They came.", ["So did I.", "They came."]),
        ("1. Open the valve. 2. Wait.", ["1. Open the valve.", "2. Wait."]),
        ("It began in 1999. It ended.", ["It began in 1999.", "It ended."]),
        ("東京は首都です。人口は多い！本当？はい", ["東京は首都です。", "人口は多い！", "本当？", "はい"]),
        ("「はい。」と言った。", ["「はい。」", "と言った。"]),
        ("यह है। वह है।", ["यह है।", "वह है।"]),
        ("one\ntwo\n\nthree", ["one\ntwo", "three"]),
        ("Tools:\n- a saw\n- a file\n1. first", ["Tools:", "- a saw", "- a file", "1. first"]),
        ("ภาษาไทยไม่มีจุด", ["ภาษาไทยไม่มีจุด"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_a_text_is_split_as_a_reader_would(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "\n" * 10**6, "a." * 10**5, "A. " * 10**5, '"(' * 10**5, "." * 10**6, " ." * 10**5]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    started = time.perf_counter()
    sentences(text)
    assert time.perf_counter() - started < 5
