"""Linear layers of eight bits: near what they were, also with outliers, and the same on every machine."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from indexer.encoders.conversion import _robust_layers, linear_layers
from indexer.encoders.quantisation import calibration_texts, quantise


class Attention(nn.Module):
    """Two layers that are given the same rows, and one that is given others."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ModuleList([nn.ModuleDict({"query": nn.Linear(16, 8), "key": nn.Linear(16, 8, bias=False)})])
        self.head = nn.Linear(8, 4)

    def forward(self, rows: Tensor) -> Tensor:
        """Return shape (n, 4)."""
        both = self.layer[0]
        assert isinstance(both, nn.ModuleDict)
        out: Tensor = self.head(both["query"](rows) * both["key"](rows))
        return out


def rows(seed: int) -> Tensor:
    """Return shape (64, 16), with one channel that is forty times as large as the others."""
    made = torch.randn(64, 16, generator=torch.Generator().manual_seed(seed))
    made[:, 3] *= 40
    return made


@pytest.fixture
def model() -> Attention:
    torch.manual_seed(0)
    return Attention().eval()


def test_only_the_repeated_layers_are_found(model: Attention) -> None:
    assert linear_layers(model) == ["layer.0.query", "layer.0.key"]


def test_of_an_encoder_what_closes_the_first_feed_forward_blocks_keeps_its_bits() -> None:
    blocks = [nn.ModuleDict({"up": nn.Linear(4, 8), "down": nn.Linear(8, 4)}) for _ in range(6)]
    found = _robust_layers(nn.ModuleDict({"layer": nn.ModuleList(blocks)}))
    assert [name for name in found if name.endswith("down")] == [f"layer.{number}.down" for number in range(2, 6)]
    assert [name for name in found if name.endswith("up")] == [f"layer.{number}.up" for number in range(6)]


def test_eight_bits_say_nearly_the_same(model: Attention) -> None:
    with torch.no_grad():
        truth = model(rows(1))
        quantise(model, linear_layers(model), lambda: model(rows(2)))
        found = model(rows(1))
    assert not torch.equal(found, truth)
    assert torch.nn.functional.cosine_similarity(found, truth).mean() > 0.999


def test_layers_with_the_same_input_share_what_it_is_divided_by(model: Attention) -> None:
    quantise(model, linear_layers(model), lambda: model(rows(2)))
    both = model.layer[0]
    assert isinstance(both, nn.ModuleDict)
    query, key = both["query"], both["key"]
    assert torch.equal(query.inverse, key.inverse)  # type: ignore[arg-type]
    assert (query.step, query.zero) == (key.step, key.zero)
    assert query.inverse[3] < query.inverse.mean()  # type: ignore[index, operator]


def test_what_differs_in_the_last_bits_makes_the_same_layers() -> None:
    made = []
    for shift in (1.0, 1.0 + 1e-7):
        torch.manual_seed(0)
        model = Attention().eval()
        quantise(model, linear_layers(model), lambda model=model, shift=shift: model(rows(2) * shift))  # type: ignore[misc]
        both = model.layer[0]
        assert isinstance(both, nn.ModuleDict)
        made.append(both["query"].weight)
    assert torch.equal(*made)  # type: ignore[arg-type]


def test_there_are_texts_to_calibrate_on_passages_and_questions() -> None:
    texts = calibration_texts()
    questions = [text for text in texts if text.endswith("?")]
    assert len(questions) >= 10
    assert len(texts) - len(questions) >= 40
    assert len(set(texts)) == len(texts)
