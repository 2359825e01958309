from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from finetune.retrieval.static import Options, first_table, main_axes, train_static, unit
from finetune.schedule import Keeping
from indexer.collection import Collection
from indexer.encoder import open_converted, open_encoder
from indexer.errors import EncoderError, UsageError
from indexer.sync import Given
from tests.small_encoder import write_json, write_small_encoder
from tests.small_static import write_small_static


def collection_of(home: Path, documents: int) -> Collection:
    base = write_small_static(home / "base", dim=32)
    (file,) = base.rglob("tokenizer.json")
    cutting = Tokenizer.from_file(str(file))  # as those of sentence-transformers are kept
    cutting.enable_truncation(4)
    cutting.save(str(file))
    collection = Collection("c", home, str(base))
    texts = [f"The {thing} of hall {n} was seen." for n in range(documents) for thing in ("pump", "gate", "cat")]
    collection.add([Given(str(n), text) for n, text in enumerate(texts)])
    return collection


def test_what_is_distilled_is_an_encoder_near_the_one_before(tmp_path: Path) -> None:
    collection = collection_of(tmp_path, 30)
    options = Options(dimensions=8, steps=30, batch_size=16, keeping=Keeping(30, 30, 10))
    done = train_static(collection, tmp_path / "out", options)
    assert done.scores["cosine"] > max(0.5, done.scores["cosine before learning"])
    encoder = open_encoder(str(done.folder), tmp_path)
    assert (encoder.dim, encoder.max_tokens) == (8, 256)
    again = open_converted(encoder.fingerprint, tmp_path)
    texts = ["The pump of hall one was seen beside the gate and the cat.", "", "x" * 5000]
    found = again.embed_passages(texts)
    assert np.allclose(found, encoder.embed_queries(texts))
    assert np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    assert found[1].tolist() == [1.0] + [0.0] * 7
    from sentence_transformers import SentenceTransformer

    truth = SentenceTransformer(str(done.folder), device="cpu").encode(texts[:1], show_progress_bar=False)
    assert np.allclose(found[0], truth[0], atol=1e-5)
    other = Collection("static", tmp_path, str(done.folder))
    other.add([Given("a", "The pump stands in the yard."), Given("b", "A cat sat on the mat.")])
    assert other.made.dim == 8


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    folder = write_small_encoder(tmp_path / "static")
    write_json(
        folder / "modules.json",
        [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}],
    )
    with pytest.raises(EncoderError, match=r"holds no table of vectors called embedding\.weight"):
        open_encoder(str(folder), tmp_path)


def test_nothing_but_normalisation_may_follow_a_table(tmp_path: Path) -> None:
    folder = write_small_encoder(tmp_path / "static")
    kinds = ("StaticEmbedding", "Pooling")
    write_json(
        folder / "modules.json",
        [{"idx": n, "name": "", "path": "", "type": f"sentence_transformers.models.{k}"} for n, k in enumerate(kinds)],
    )
    with pytest.raises(EncoderError, match="after StaticEmbedding only Normalize may follow"):
        open_encoder(str(folder), tmp_path)


def test_too_small_a_collection_and_too_long_vectors_are_refused(tmp_path: Path) -> None:
    collection = collection_of(tmp_path, 2)
    with pytest.raises(UsageError, match="has 6 passages; at least 50 are needed"):
        train_static(collection, tmp_path / "out", Options(dimensions=8))
    with pytest.raises(UsageError, match="vectors have 32 numbers"):
        train_static(collection, tmp_path / "out", Options(dimensions=64))


def test_the_axes_keep_what_is_largest() -> None:
    """All vectors lie in the plane of the first two axes, so two numbers keep every dot product."""
    chance = np.random.default_rng(0)
    vectors = unit(np.column_stack([chance.normal(size=(20, 2)), np.zeros((20, 3))]).astype(np.float32))
    axes = main_axes(vectors, 2)
    short = vectors @ axes
    assert np.allclose(short @ short.T, vectors @ vectors.T, atol=1e-5)
    assert np.allclose(axes.T @ axes, np.eye(2), atol=1e-5)


def test_a_common_token_is_shortened() -> None:
    """Token 0 makes up 3 of 4 tokens, token 1 one: with a = 0.25 they are scaled by 1/4 and 1/2, an unseen one by 1."""
    table = first_table(
        np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32), [[0, 0], [0, 1]], Options(frequency=0.25)
    )
    assert np.allclose(np.diag(table), [0.25, 0.5, 1.0])
