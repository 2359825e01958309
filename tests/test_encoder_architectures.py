"""Encoders of every architecture that sentence-transformers opens, prompts included, give its vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.encoder import open_converted, open_encoder
from indexer.encoders.openvino_encoder import OpenVinoEncoder
from indexer.encoders.torch_encoder import load_sentence_transformer
from indexer.sync import Given
from tests.small_architectures import ARCHITECTURES, write_architecture

TEXTS = ["the cat sat on a mat", "pump", "a gate? " * 30, "12.5 litres"]
PROMPTS = {"query": "query: ", "document": "passage: "}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_an_encoder_of_any_architecture_gives_the_vectors_of_sentence_transformers(kind: str, tmp_path: Path) -> None:
    """`--encoder` with an MPNet ended in an error: fused attention was demanded of a model that has none."""
    folder = write_architecture(tmp_path / kind, kind, prompts=PROMPTS)
    encoder = open_encoder(str(folder), tmp_path)
    original = load_sentence_transformer(folder)
    original.max_seq_length = 32
    asked = original.encode(TEXTS, prompt="query: ", normalize_embeddings=True)
    passages = original.encode(TEXTS, prompt="passage: ", normalize_embeddings=True)
    assert np.sum(encoder.embed_queries(TEXTS) * asked, axis=1).min() > 0.999
    assert np.sum(encoder.embed_passages(TEXTS) * passages, axis=1).min() > 0.999
    assert np.sum(asked * passages, axis=1).max() < 0.999  # the prompts count
    is_fast = isinstance(encoder, OpenVinoEncoder)
    assert is_fast == (kind != "modernbert"), "through torch its vectors are as right, and many times as slow"
    again = open_converted(encoder.fingerprint, tmp_path)
    assert np.allclose(again.embed_queries(TEXTS), encoder.embed_queries(TEXTS), atol=1e-3)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_collection_is_indexed_and_searched_with_an_mpnet(tmp_path: Path) -> None:
    folder = write_architecture(tmp_path / "mpnet", "mpnet")
    collection = Collection("world", tmp_path, encoder=str(folder))
    collection.add([Given("a", "the cat sat on a mat"), Given("b", "the pump")])
    with collection.view() as view:
        best = view.dense(collection.encoder.embed_queries(["the pump"])[0], 1)[0]
        assert view.chunks([best.chunk_id])[0].source == "b"
