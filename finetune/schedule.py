"""How fast a model learns, and when it is saved and measured. Numbers only: torch is not needed to choose them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Schedule:
    """How fast it learns: warm-up, a plateau, and a decay to nothing (Hu et al. 2024, "MiniCPM", section 4).

    A plateau can be gone on with when there is time for more steps; a cosine (Loshchilov and Hutter 2017) cannot.
    """

    lr: float = 2.5e-4
    """Learning rate of the pre-trained parameters on the plateau."""
    new_lr: float = 5e-4
    """That of the parameters that begin at random."""
    warmup: int = 100
    """Steps."""
    decay: float = 0.3
    """Share of the steps in which the rate falls."""
    weight_decay: float = 0.01
    clip: float = 1.0
    """Longest gradient."""
    shape: Literal["plateau", "cosine"] = "plateau"
    """How the rate goes after the warm-up; a cosine falls all the way, to nothing."""

    def factor(self, step: int, steps: int) -> float:
        """Return what the learning rates are multiplied by at `step`, counted from 0."""
        rising = (step + 1) / self.warmup if step < self.warmup else 1.0
        if self.shape == "cosine":
            gone = max(0.0, step - self.warmup) / max(1, steps - self.warmup)
            return min(rising, 0.5 * (1.0 + math.cos(math.pi * min(1.0, gone))))
        falling = (steps - step) / max(1.0, self.decay * steps)
        return min(rising, 1.0, max(0.0, falling))


@dataclass(frozen=True, slots=True)
class Keeping:
    """When to save and to measure, in steps."""

    save_every: int = 200
    validate_every: int = 400
    log_every: int = 20
