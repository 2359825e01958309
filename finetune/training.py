"""The training loop: masters in full precision, a schedule, checkpoints that resume to the same bytes, a log.

Knows nothing of what is trained: it is given a model, a number of steps and a function that returns a step's loss.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, distributed, nn

from finetune.schedule import Keeping, Schedule
from indexer import storage
from indexer.errors import UsageError, UserError
from indexer.types import Progress, silent

log = logging.getLogger(__name__)

WEIGHTS, MOMENTS, STATE, LOG = "weights.safetensors", "moments.safetensors", "state.json", "log.jsonl"


class Diverged(UserError):
    """The loss or its gradient is no longer a number."""


class Masters:
    """AdamW over full-precision copies of the parameters, whatever precision the model computes in.

    The matrices named in `muon` are stepped by Muon instead (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/),
    at the same rate: its steps are made as long as AdamW's (Liu et al. 2025, https://arxiv.org/abs/2502.16982).
    """

    def __init__(
        self, model: nn.Module, schedule: Schedule, is_new: Callable[[str], bool], muon: Collection[str] = ()
    ) -> None:
        self._parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.weights = {name: p.detach().float().clone() for name, p in self._parameters.items()}
        self._schedule = schedule
        self._rates = {name: schedule.new_lr if is_new(name) else schedule.lr for name in self.weights}
        decay = schedule.weight_decay
        by_adam = [
            {"params": [weight], "name": name, "weight_decay": decay if weight.dim() > 1 else 0.0}
            for name, weight in self.weights.items()
            if name not in muon
        ]
        by_muon = [{"params": [weight], "name": name} for name, weight in self.weights.items() if name in muon]
        self._optimizers: dict[torch.optim.Optimizer, tuple[str, ...]] = {
            torch.optim.AdamW(by_adam, betas=(0.9, 0.98), eps=1e-8, fused=True): ("step", "exp_avg", "exp_avg_sq")
        }
        if by_muon:
            orthogonal = torch.optim.Muon(by_muon, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
            self._optimizers[orthogonal] = ("momentum_buffer",)

    def step(self, factor: float) -> float:
        """Take the gradients of the model's parameters, change them, and return the gradient's length.

        Where that is no number, nothing is changed.
        """
        for name, parameter in self._parameters.items():
            gradient = parameter.grad
            whole = torch.zeros_like(self.weights[name]) if gradient is None else gradient.float()
            if distributed.is_initialized():  # under torchrun: the mean over the processes
                distributed.all_reduce(whole)
                whole /= distributed.get_world_size()
            self.weights[name].grad = whole
            parameter.grad = None
        norm = float(nn.utils.clip_grad_norm_(list(self.weights.values()), self._schedule.clip))
        if not math.isfinite(norm):
            return norm
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self._rates[group["name"]] * factor
            optimizer.step()
        self.publish()
        return norm

    @torch.no_grad()
    def publish(self) -> None:
        """Copy the weights into the model, in its precision."""
        for name, parameter in self._parameters.items():
            parameter.copy_(self.weights[name])

    def moments(self) -> dict[str, Tensor]:
        """Return the state of the optimizers by name."""
        return {
            f"{key}/{group['name']}": optimizer.state[group["params"][0]][key].detach()
            for optimizer, keys in self._optimizers.items()
            for group in optimizer.param_groups
            for key in keys
        }

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor]) -> None:
        """Go back to a saved state."""
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(weights[name])
        for optimizer, keys in self._optimizers.items():
            for group in optimizer.param_groups:
                (weight,) = group["params"]
                optimizer.state[weight] = {
                    key: moments[f"{key}/{group['name']}"].clone().to(weight.device) for key in keys
                }
        self.publish()


def train(
    model: nn.Module,
    loss_of: Callable[[int], Tensor],
    steps: int,
    folder: Path,
    *,
    schedule: Schedule,
    keeping: Keeping,
    is_new: Callable[[str], bool] = lambda name: False,
    muon: Collection[str] = (),
    validate: Callable[[], Mapping[str, float]] | None = None,
    better: str = "",
    identity: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Path:
    """Train for `steps` and return the folder of the best weights (of the last, without `better`).

    `loss_of(step)` gives the loss of a step, by nothing but the step and the weights; gradients that it leaves behind
    itself, of parts of the step, count as well. The matrices named in `muon` are stepped by Muon. `folder` keeps
    `last/`, `best/` and `log.jsonl`; a run that was interrupted goes on from `last/`, provided that `identity` (data
    and options) is the same. `better` names the validation score that is to be large. Raises Diverged where the loss or
    its gradient is not finite, and nothing of that step is kept; StorageError where the disk refuses.
    """
    identity = {**(identity or {}), "steps": steps, "schedule": asdict(schedule)}
    if muon:
        identity["muon"] = sorted(muon)
    masters = Masters(model, schedule, is_new, muon)
    _mend(folder)
    state = _resumed(folder / "last", masters, identity)
    done, best = int(state["step"]), float(state["best"])
    _cut_log(folder / LOG, done)
    model.train()
    since, counted, total = time.perf_counter(), 0, 0.0
    for step in range(done, steps):
        loss = loss_of(step)
        loss.backward()  # type: ignore[no-untyped-call]
        total, counted = total + float(loss.detach()), counted + 1
        norm = masters.step(schedule.factor(step, steps))
        if not math.isfinite(total + norm):
            kept = f"what was learned up to step {done} is in {folder / 'last'}" if done else "nothing was kept"
            raise Diverged(
                f"The loss or its gradient is no longer a number at step {step + 1}.",
                f"Try again with a smaller --lr and another --out; {kept}.",
            )
        progress("training", step + 1, steps)
        last = step + 1 == steps
        if (step + 1) % keeping.log_every == 0 or last:
            seconds = time.perf_counter() - since
            row = {"step": step + 1, "loss": total / counted, "norm": norm, "seconds": seconds / counted}
            _log(folder / LOG, {**row, "lr": schedule.lr * schedule.factor(step, steps)})
            since, counted, total = time.perf_counter(), 0, 0.0
        if validate is not None and ((step + 1) % keeping.validate_every == 0 or last):
            paused = time.perf_counter()
            model.eval()
            with torch.no_grad():
                scores = validate()
            model.train()
            _log(folder / LOG, {"step": step + 1, "validation": dict(scores)})
            if better and scores[better] > best:
                best = scores[better]
                _save(folder / "best", masters, {"step": step + 1, "best": best, "identity": identity}, moments=False)
            since += time.perf_counter() - paused
        if (step + 1) % keeping.save_every == 0 or last:
            _save(folder / "last", masters, {"step": step + 1, "best": best, "identity": identity})
            done = step + 1
    return folder / ("best" if better else "last")


def _mend(folder: Path) -> None:
    """Put back the checkpoint that a kill between two renames left aside, and remove what it left half done."""
    if leads():
        for checkpoint in (folder / "last", folder / "best"):
            if _before(checkpoint).exists() and not checkpoint.exists():
                storage.rename_folder(_before(checkpoint), checkpoint)
            storage.remove_folder(_before(checkpoint))
            storage.remove_folder(_built(checkpoint))
    if distributed.is_initialized():
        distributed.barrier()  # the others read what the first has mended


def _resumed(folder: Path, masters: Masters, identity: Mapping[str, Any]) -> dict[str, Any]:
    if not folder.exists():
        return {"step": 0, "best": -math.inf}
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_text())
        if state["identity"] != json.loads(json.dumps(identity)):
            raise UsageError(
                f"{folder.parent} holds a run with other data or other options.",
                "Choose another --out, or give what that run was begun with.",
            )
        masters.restore(load_file(folder / WEIGHTS), load_file(folder / MOMENTS))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise UserError(f"The checkpoint {folder} is damaged: {error}.", "Remove it to begin anew.") from error
    log.info("going on after step %d", state["step"])
    return state


def _save(folder: Path, masters: Masters, state: Mapping[str, Any], moments: bool = True) -> None:
    """Write a checkpoint whole or not at all; the one before stays until this one stands.

    Between the two renames there is none of this name: `_mend` then puts the one before back.
    """
    if not leads():
        return
    built, before = _built(folder), _before(folder)
    storage.make_folder(built)
    storage.write_file(built / WEIGHTS, save({name: each.contiguous() for name, each in masters.weights.items()}))
    if moments:
        storage.write_file(built / MOMENTS, save({name: each.contiguous() for name, each in masters.moments().items()}))
    storage.write_file(built / STATE, json.dumps(state).encode())
    if folder.exists():
        storage.rename_folder(folder, before)
    storage.rename_folder(built, folder)
    storage.remove_folder(before)


def _built(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.new.part")


def _before(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.before.part")


def leads() -> bool:
    """Tell whether this process is the one that writes; under torchrun only the first is."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def _log(file: Path, row: Mapping[str, Any]) -> None:
    if not leads():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        stream.write(json.dumps(row) + "\n")


def _cut_log(file: Path, step: int) -> None:
    """Drop the log's rows after `step`: they are about to be made again. A row that was cut off goes too."""
    if leads() and file.exists():
        rows = [row for row in file.read_text().splitlines(keepends=True) if row.endswith("\n")]
        storage.write_file(file, "".join(row for row in rows if json.loads(row)["step"] <= step).encode())
