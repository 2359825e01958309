"""Which words are told apart: by what joins them in texts, by how like their vectors are, and by their forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from finetune.copying.neighbours import LEAST, MOST, Neighbours, read_neighbours
from indexer.errors import UserError

# Degrees on a circle. Each stands opposite another, so that their mean is the middle: the cosine of two words is that
# of the angle between them. Told apart by LEAST and MOST: 0.2 is cos 78°, and 0.6 is cos 53°.
ANGLES = {
    "summer": 0, "hotter": 10, "autumn": 55, "winter": 60, "castle": 90,
    "engine": 180, "piston": 190, "boiler": 235, "valley": 240, "desert": 270,
}  # fmt: skip


def circle(angles: Mapping[str, int] = ANGLES) -> tuple[list[str], np.ndarray]:
    """Return the words and their vectors, of shape (n, 2)."""
    turned = np.radians(list(angles.values()))
    return list(angles), np.column_stack([np.cos(turned), np.sin(turned)]).astype(np.float32)


def renamed(**names: str) -> dict[str, int]:
    return {names.get(word, word): angle for word, angle in ANGLES.items()}


def neighbours(*texts: str, angles: Mapping[str, int] = ANGLES) -> Neighbours:
    return Neighbours(*circle(angles), texts)


@pytest.mark.parametrize(
    "text",
    [
        "Through summer and winter they fish.",
        "In winter or summer they fish.",
        "No summer, nor winter.",
        "The summer, and the winter too, is mild.",
        "It is warmer in summer than in winter.",
        "A case of summer versus winter.",
        "They stay from summer to winter.",
        "What lies between summer and winter is short.",
        "They fish in summer, winter, never.",
        "One is neither summer nor a winter.",
    ],
)
def test_words_that_a_text_joins_are_told_apart(text: str) -> None:
    told = neighbours(text)
    assert told("summer") == ("winter",)
    assert "summer" in told("winter")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The summer. The winter.",
        "A summer without winter.",
        "They fish in summer, but winter is for nets.",
        "Summer and Winter were sisters.",
        "Mid-summers and winters pass.",
        "In summer and in all of winter.",
    ],
)
def test_words_that_no_text_joins_are_not(text: str) -> None:
    assert neighbours(text)("summer") == ()


@pytest.mark.parametrize(
    ("other", "cosine"), [("hotter", 0.985), ("autumn", 0.574), ("winter", 0.5), ("castle", 0), ("engine", -1)]
)
def test_only_words_of_one_kind_that_are_not_the_same_count(other: str, cosine: float) -> None:
    """Hand-worked cosines of 10, 55, 60, 90 and 180 degrees; the first is a synonym, the last two another matter."""
    expected = (other,) if LEAST <= cosine <= MOST else ()
    assert neighbours(f"summer and {other}")("summer") == expected
    assert bool(expected) == (other in ("autumn", "winter"))


def test_vectors_are_compared_from_their_middle() -> None:
    """Far from the origin all of them point the same way."""
    words, vectors = circle()
    assert Neighbours(words, vectors + 100, ["summer and winter", "summer and hotter"])("summer") == ("winter",)


def test_the_nearest_comes_first_and_of_equally_near_ones_the_first_by_name() -> None:
    told = neighbours("summer or winter, summer or autumn", angles=renamed(autumn="winter", winter="autumn"))
    assert told("summer") == ("winter", "autumn")
    angles = {"summer": 0, "winter": 60, "autumn": -60, "engine": 180, "boiler": 240, "piston": 120}
    assert neighbours("summer or winter", "summer or autumn", angles=angles)("summer") == ("autumn", "winter")


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("summers", "winters", True),
        ("summers", "winter", False),
        ("bus", "glass", False),  # of three letters, "bus" is no word to be joined
        ("census", "glass", True),
        ("walking", "riding", True),
        ("walking", "rider", False),
        ("walked", "rested", True),
        ("quickly", "slowly", True),
        ("slowly", "quick", False),
        ("begin", "began", False),
        ("built", "build", False),
    ],
)
def test_two_words_have_one_form_and_are_not_forms_of_one(one: str, other: str, apart: bool) -> None:
    told = neighbours(f"either {one} or {other}", angles=renamed(summer=one, winter=other))
    assert told(one) == ((other,) if apart else ())
    assert told(other) == ((one,) if apart else ())


def test_a_word_without_a_vector_has_no_neighbours() -> None:
    told = neighbours("summer and snowfall", "snowfall and winter")
    assert [told(word) for word in ("summer", "winter", "snowfall", "never")] == [()] * 4


pairs = st.lists(st.tuples(st.sampled_from(list(ANGLES)), st.sampled_from(list(ANGLES))), max_size=12)


@settings(deadline=None)
@given(pairs)
def test_telling_apart_goes_both_ways_and_the_order_of_texts_does_not_matter(
    joined: list[tuple[str, str]],
) -> None:
    texts = [f"{one} or {other}" for one, other in joined]
    told, again = neighbours(*texts), neighbours(*reversed(texts))
    for word in ANGLES:
        assert told(word) == again(word)
        assert word not in told(word)
        for other in told(word):
            assert word in told(other)
            assert (word, other) in joined or (other, word) in joined


# An encoder's folder


def write_encoder(folder: Path, vocabulary: object, vectors: np.ndarray, name: str = "word_embeddings.weight") -> Path:
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}), encoding="utf-8")
    save_file({f"embeddings.{name}": vectors}, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("precision", [np.float32, np.float16])
def test_an_encoder_gives_words_and_vectors_by_its_vocabulary(tmp_path: Path, precision: type) -> None:
    """Pieces of words, marks, stop words and words of other letters would shift the middle by far."""
    words, vectors = circle()
    other = ["[PAD]", "##er", "the", "été", "1784", ","]
    table: np.ndarray = np.vstack([np.full((len(other), 2), 50.0), vectors[::-1]]).astype(precision)
    vocabulary = {word: row for row, word in enumerate([*other, *reversed(words)])}
    encoder = write_encoder(tmp_path / "encoder", vocabulary, table)
    texts = ["summer and winter", "summer and castle", "boiler or engine"]
    told = read_neighbours(encoder, texts)
    assert [told(word) for word in words] == [Neighbours(words, vectors, texts)(word) for word in words]
    assert told("summer") == ("winter",)
    assert told("engine") == ("boiler",)


def test_an_encoder_in_bfloat16_is_read(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file as save_torch

    words, vectors = circle()
    encoder = write_encoder(tmp_path / "encoder", {word: row for row, word in enumerate(words)}, vectors)
    table = torch.tensor(vectors).to(torch.bfloat16)
    save_torch({"embeddings.word_embeddings.weight": table}, encoder / "model.safetensors")
    assert read_neighbours(encoder, ["summer and winter"])("summer") == ("winter",)


VOCABULARY = {"summer": 0, "winter": 1}
TABLE = np.eye(2, dtype=np.float32)


def without_tokenizer(folder: Path) -> None:
    (write_encoder(folder, VOCABULARY, TABLE) / "tokenizer.json").unlink()


def without_weights(folder: Path) -> None:
    (write_encoder(folder, VOCABULARY, TABLE) / "model.safetensors").unlink()


def cut(folder: Path) -> None:
    file = write_encoder(folder, VOCABULARY, TABLE) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:40])


def no_json(folder: Path) -> None:
    (write_encoder(folder, VOCABULARY, TABLE) / "tokenizer.json").write_text("{")


def with_scored_pieces(folder: Path) -> None:
    write_encoder(folder, [["summer", -1.5], ["winter", -2.5]], TABLE)


def with_too_many_words(folder: Path) -> None:
    write_encoder(folder, {**VOCABULARY, "autumn": 2}, TABLE)


def with_other_weights(folder: Path) -> None:
    write_encoder(folder, VOCABULARY, TABLE, "tok_embeddings.weight")


@pytest.mark.parametrize(
    "write",
    [without_tokenizer, without_weights, cut, no_json, with_scored_pieces, with_too_many_words, with_other_weights],
)
def test_a_folder_that_is_no_such_encoder_is_refused(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "encoder")
    with pytest.raises(UserError, match="encoder is no BERT-like encoder"):
        read_neighbours(tmp_path / "encoder", [])
