"""A training run of milliseconds; and, run as a program, trials in which it is killed at every touch of the disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from finetune.schedule import Keeping, Schedule
from finetune.training import train

SCHEDULE = Schedule(lr=0.05, new_lr=0.1, warmup=2)


class Small:
    """A network of two layers that learns the sum of three numbers, and the data of each step."""

    def __init__(self, seed: int = 0, precision: torch.dtype = torch.float32) -> None:
        torch.manual_seed(seed)
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).to(precision)
        self.precision = precision
        self.begun: list[int] = []
        self.before: Callable[[int], None] = lambda step: None

    def loss_of(self, step: int) -> Tensor:
        self.begun.append(step)
        self.before(step)
        x = torch.randn(8, 3, generator=torch.Generator().manual_seed(step)).to(self.precision)
        return self._error(x)

    def validate(self) -> Mapping[str, float]:
        x = torch.randn(64, 3, generator=torch.Generator().manual_seed(999)).to(self.precision)
        return {"score": -self._error(x).item()}

    def _error(self, x: Tensor) -> Tensor:
        found: Tensor = self.model(x)
        return ((found - x.sum(dim=1, keepdim=True)) ** 2).float().mean()

    def train(self, folder: Path, steps: int = 12, **others: Any) -> Path:
        chosen: dict[str, Any] = {
            "schedule": SCHEDULE,
            "keeping": Keeping(save_every=3, validate_every=4, log_every=2),
            "is_new": lambda name: name.startswith("2."),
            "validate": self.validate,
            "better": "score",
            "identity": {"data": "sums"},
        }
        return train(self.model, self.loss_of, steps, folder, **{**chosen, **others})


def contents(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file, the log without its times."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".jsonl":
                rows = [json.loads(line) for line in content.decode().splitlines()]
                content = json.dumps([{**row, "seconds": 0.0} for row in rows]).encode()
            found[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return found


def _in_child(work: Callable[[], None]) -> int:
    """Do `work` in a process of its own; return the number of the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a trial failed")
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _trial(folder: Path, kill: str) -> None:
    """Train two steps, with a checkpoint of both kinds after each; the steps begun are written to a file."""
    os.environ["FOOTNOTE_KILL"] = kill
    small = Small()

    def noted(step: int) -> None:
        with folder.with_suffix(".begun").open("a") as file:
            file.write(f"{step}\n")

    small.before = noted
    small.train(folder, 2, keeping=Keeping(save_every=1, validate_every=1, log_every=1))


def main(folder: Path) -> None:
    """Kill a run at every sixth touch of the disk, go on with it, and report what each pair of runs began and left."""
    torch.set_num_threads(1)
    trials = []
    for number in range(1, 1000, 6):  # every touch takes three minutes; five shifts of this would cover them all
        place = folder / str(number)
        killed = _in_child(lambda: _trial(place, f"io:{number}"))  # noqa: B023 - called at once
        begun = _begun(place)
        again = 0
        if killed:
            again = _in_child(lambda: _trial(place, ""))  # noqa: B023
        trials.append({"killed": killed, "begun": begun, "then": _begun(place)[len(begun) :], "left": contents(place)})
        shutil.rmtree(place)
        if again or killed != signal.SIGKILL:
            break
    sys.stdout.write(json.dumps(trials))


def _begun(place: Path) -> list[int]:
    file = place.with_suffix(".begun")
    return [int(line) for line in file.read_text().split()] if file.exists() else []


if __name__ == "__main__":
    main(Path(sys.argv[1]))
