"""Linear layers of eight bits: post-training quantisation with SmoothQuant (Xiao et al. 2023, arXiv:2211.10438).

An input channel with outliers spoils the scale of a whole layer. Each channel j is divided by
s_j = max|X_j|^a / max|W_j|^(1-a) (equation 4 there), and the weights are multiplied by it: the product stays what it
was, and both sides fit into eight bits. Weights have a scale for each output channel, inputs one for the layer, which
is measured on the texts of `calibration.txt`. Attention, norms and everything else stay in floating point. Needs torch;
the child process that converts a model uses it, and nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

ALPHA = 0.8
"""How much of the outliers goes over to the weights. Cosine of all-MiniLM-L6-v2 to single precision on 700 texts, mean
and least: 0.985 and 0.956 with 0.5, 0.9974 and 0.9909 with 0.7, 0.9980 and 0.9899 with 0.85."""
_LEAST = 1e-5
CALIBRATION = Path(__file__).with_name("calibration.txt")


def calibration_texts() -> list[str]:
    """Return the texts that layers are measured on: our own, so that every machine measures the same."""
    return [text.strip() for text in CALIBRATION.read_text(encoding="utf-8").split("\n---\n") if text.strip()]


class _Range:
    """What a layer was given: the least and the largest of each channel."""

    def __init__(self, width: int) -> None:
        self.low, self.high = torch.zeros(width), torch.zeros(width)

    def add(self, rows: Tensor) -> None:
        flat = rows.detach().reshape(-1, rows.shape[-1])
        self.low = torch.minimum(self.low, flat.amin(0))
        self.high = torch.maximum(self.high, flat.amax(0))


class _EightBits(nn.Module):
    """A linear layer with inputs and weights of eight bits."""

    scales: Tensor
    weight: Tensor
    inverse: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Linear, smooth: Tensor, low: float, high: float) -> None:
        super().__init__()
        weight = layer.weight.detach() * smooth  # (out, in)
        self.register_buffer("weight", weight)
        self.register_buffer("scales", weight.abs().amax(1).clamp(min=_LEAST) / 127)
        self.register_buffer("inverse", 1 / smooth)
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach())
        self.step = (high - low) / 255
        self.zero = round(-low / self.step)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the layer's output for `rows` (..., in)."""
        given = torch.fake_quantize_per_tensor_affine(rows * self.inverse, self.step, self.zero, 0, 255)
        zeros = torch.zeros_like(self.scales, dtype=torch.int32)
        weight = torch.fake_quantize_per_channel_affine(self.weight, self.scales, zeros, 0, -127, 127)
        return nn.functional.linear(given, weight, self.bias)


def quantise(model: nn.Module, layers: Sequence[str], run: Callable[[], None]) -> None:
    """Replace the linear `layers` of a model, by name, by ones of eight bits; `run` reads the calibration texts."""
    linear = {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear) and name in layers}
    groups, ranges = _measured(linear, run)
    for names, seen in zip(groups, ranges, strict=True):
        own = [linear[name] for name in names]
        largest = torch.stack([layer.weight.detach().abs().amax(0) for layer in own]).amax(0).clamp(min=_LEAST)
        outliers = torch.maximum(-seen.low, seen.high).clamp(min=_LEAST)
        smooth = _rounded(outliers**ALPHA / largest ** (1 - ALPHA))
        low, high = float((seen.low / smooth).min()), float((seen.high / smooth).max())
        for name, layer in zip(names, own, strict=True):
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, _EightBits(layer, smooth, min(low, -_LEAST), max(high, _LEAST)))


def _measured(layers: Mapping[str, nn.Linear], run: Callable[[], None]) -> tuple[list[list[str]], list[_Range]]:
    """Return which layers are given the same rows (query, key and value are), and what each group was given."""
    given: list[tuple[Tensor, list[str]]] = []
    ranges: dict[str, _Range] = {}

    def note(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def noted(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            rows = inputs[0]
            if name not in ranges:  # the first run: the tensors are held, so that none is taken for another
                ranges[name] = _Range(rows.shape[-1])
                same = next((names for other, names in given if other is rows), None)
                if same is None:
                    given.append((rows, [name]))
                else:
                    same.append(name)
            ranges[name].add(rows)

        return noted

    hooks = [layer.register_forward_pre_hook(note(name)) for name, layer in layers.items()]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    groups = [names for _, names in given]
    return groups, [ranges[names[0]] for names in groups]


def _rounded(scales: Tensor) -> Tensor:
    """Return the scales to two digits and a half: what differs between machines in the last bits is the same again."""
    steps = torch.round(torch.log2(scales) * 16)
    return torch.pow(2.0, steps / 16)
