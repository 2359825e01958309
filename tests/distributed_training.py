"""A training run of milliseconds in as many processes as torchrun starts."""

from __future__ import annotations

import sys
from pathlib import Path

from torch import distributed

from tests.small_training import Small


def main(folder: Path) -> None:
    """Train twelve steps; each process takes its own share of the batches, as `finetune.run.Run` does."""
    distributed.init_process_group("gloo")
    small, rank, world = Small(), distributed.get_rank(), distributed.get_world_size()
    one = small.loss_of
    small.loss_of = lambda step: one(step * world + rank)  # type: ignore[method-assign]
    small.train(folder)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
