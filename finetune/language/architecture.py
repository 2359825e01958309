"""The architectures a language model can have, and the one dial that sets their sizes. Numbers only: no torch.

gpt     GPT-2 (Radford et al. 2019): reads from left to right, says the next word
llama   the same with rotary positions, a gated layer and RMS norms (Touvron et al. 2023)
bert    reads both ways, says the words that are masked (Devlin et al. 2019)
t5      an encoder and a decoder: says the spans that were taken out (Raffel et al. 2020)
copy    a bert that `train generator --encoder` makes a copying generator of
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from indexer.errors import UsageError

Arch = Literal["gpt", "llama", "bert", "t5", "copy"]
Objective = Literal["next", "masked", "spans"]
OBJECTIVES: Mapping[str, Objective] = {
    "gpt": "next", "llama": "next", "bert": "masked", "t5": "spans", "copy": "masked",
}  # fmt: skip
"""What each architecture learns to predict."""
HEAD = 64
"""Numbers in an attention head."""
DEEPEST = 48


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a model is, and how fast a model of this size learns."""

    arch: Arch
    depth: int
    """Layers; in t5 half of them encode and half decode."""
    width: int
    """Numbers that stand for a token between two layers."""
    heads: int
    feed_forward: int
    """Numbers inside a layer."""
    lr: float
    """Highest learning rate."""
    batch_tokens: int
    """Tokens in one optimizer step."""


def sizes(arch: str, depth: int) -> Sizes:
    """Return the sizes of an architecture at a depth.

    The width grows with the depth (64 for each layer), the rate falls with its square root, and the batch grows with
    the depth: the dial of nanochat (Karpathy 2025). The rate is that of Muon in modded-nanogpt (Jordan et al. 2024),
    said in steps as long as AdamW's. Raises UsageError for an architecture that is not known, or a depth that is none.
    """
    if arch not in OBJECTIVES:
        raise UsageError(f"There is no architecture {arch!r}.", f"Take one of: {', '.join(OBJECTIVES)}.")
    least = 2 if arch == "t5" else 1
    if not least <= depth <= DEEPEST:
        raise UsageError(f"A {arch} of depth {depth} is not made.", f"Give a --depth from {least} to {DEEPEST}.")
    width = HEAD * depth
    gated = arch in ("llama", "t5")
    return Sizes(
        arch=arch,  # type: ignore[arg-type]
        depth=depth,
        width=width,
        heads=depth,
        feed_forward=_rounded(8 * width / 3) if gated else 4 * width,
        lr=3.2e-3 * (384 / width) ** 0.5,
        batch_tokens=max(4096, 1 << (1024 * depth).bit_length() - 1),
    )


def training_memory(parameters: int, width: int, layers: int, vocabulary: int, tokens: int, *, bf16: bool) -> int:
    """Return about how many bytes training takes, with `tokens` computed at once.

    Each parameter: the one computed with and its gradient (2 or 4 bytes each), and in full precision its master, that
    one's gradient and two moments. Each token: 34 bytes a number and layer (Korthikanti et al. 2022, "Reducing
    activation recomputation", equation 2, without attention's own), and its logits, three times.
    """
    each = 2 if bf16 else 4
    states = parameters * (2 * each + 16)
    activations = tokens * (34 * width * layers * each // 2 + vocabulary * (each + 8))
    return states + activations


def checkpoint_bytes(parameters: int) -> int:
    """Return how much room a run takes on the disk at most: two last checkpoints, two best ones, and the result."""
    return parameters * (2 * 12 + 2 * 4 + 4)


def _rounded(number: float) -> int:
    return -(-int(number) // HEAD) * HEAD
