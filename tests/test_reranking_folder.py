import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from indexer.errors import EncoderError, UserError
from rag.reranking.conversion import check_files, converted_folder, is_converted
from rag.reranking.cross_encoder import open_cross_encoder, pair_tokenizer
from rag.reranking.folder import Use, read_reranker
from tests.small_encoder import write_json, write_small_encoder
from tests.small_reranker import write_small_reranker

PAIRS = [("the pump", "the cat sat on a mat"), ("gate?", "a pump"), ("cat", "the mat, the gate, the pump " * 30)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_reranker(tmp_path_factory.mktemp("models") / "reranker")


def changed(folder: Path, tmp_path: Path, file: str, **values: object) -> Path:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    write_json(copy / file, {**json.loads((copy / file).read_text()), **values})
    return copy


def test_scores_are_those_of_torch(folder: Path, tmp_path: Path) -> None:
    reranker = open_cross_encoder(folder, tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = pair_tokenizer(folder / "tokenizer.json", 48)
    expected = []
    for pair in PAIRS:
        encoded = tokenizer.encode(*pair)
        with torch.no_grad():
            logits = model(torch.tensor([encoded.ids]), token_type_ids=torch.tensor([encoded.type_ids])).logits
        expected.append(float(logits[0, 0]))
    assert np.allclose(reranker.pair_scores(PAIRS), expected, atol=0.3)  # bfloat16; the scores are some units apart
    assert reranker.scores("gate?", ["a pump"])[0] == pytest.approx(expected[1], abs=0.3)
    assert reranker.scores("gate?", []) == []


def test_it_is_converted_once_and_checked(folder: Path, tmp_path: Path) -> None:
    open_cross_encoder(folder, tmp_path)
    read = read_reranker(folder)
    assert is_converted(read, tmp_path)
    assert check_files(converted_folder(read, tmp_path))
    assert open_cross_encoder(folder, tmp_path) is open_cross_encoder(folder, tmp_path)


def test_a_folder_of_somebody_elses_takes_the_defaults(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path, "reranker.json")
    (copy / "reranker.json").unlink()
    assert read_reranker(copy).use == Use()


@pytest.mark.parametrize("values", [{"weight": 1.5}, {"depth": 0}, {"max_length": 4}, {"weight": "much"}])
def test_settings_that_cannot_be_are_refused(folder: Path, tmp_path: Path, values: dict[str, object]) -> None:
    with pytest.raises(EncoderError, match=r"reranker\.json holds .* which cannot be"):
        read_reranker(changed(folder, tmp_path, "reranker.json", **values))


def test_an_encoder_is_no_reranker(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="which is no reranker"):
        read_reranker(write_small_encoder(tmp_path / "encoder"))


def test_a_model_of_several_labels_is_no_reranker(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path, "config.json", id2label={"0": "no", "1": "yes"})
    with pytest.raises(EncoderError, match="gives 2 scores for a pair"):
        read_reranker(copy)


def test_pickles_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path, "reranker.json")
    (copy / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(EncoderError, match="can run code"):
        read_reranker(copy)


def test_weights_that_do_not_fit_are_told_of(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path, "config.json", hidden_size=33)
    with pytest.raises(UserError, match=r"reranker in .* could not be converted"):
        open_cross_encoder(copy, tmp_path / "home")
