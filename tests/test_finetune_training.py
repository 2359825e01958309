"""The training loop: runs that are interrupted end with the same bytes, and nothing that was learned is lost."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from finetune.schedule import Keeping, Schedule
from finetune.training import Diverged, Masters, train
from indexer.errors import StorageError, UserError
from tests.small_training import SCHEDULE, Small, contents


class Interrupted(Exception):
    """What a person's Ctrl-C is here."""


def interrupted_at(small: Small, step: int) -> Small:
    def interrupt(now: int) -> None:
        if now == step:
            raise Interrupted

    small.before = interrupt
    return small


def rows(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


# Learning


def test_it_learns_and_returns_the_folder_of_the_best(tmp_path: Path) -> None:
    small = Small()
    before = small.validate()["score"]
    assert small.train(tmp_path, 60) == tmp_path / "best"
    assert small.validate()["score"] > 0.5 * before
    assert small.train(tmp_path / "other", 3, better="") == tmp_path / "other" / "last"


def test_the_first_step_is_adamw_by_hand(tmp_path: Path) -> None:
    """A first step of Adam goes by the learning rate against the gradient's sign; matrices also decay, by lr * 0.01.

    The rate rises over two steps, so the first is half of it; new parameters have their own.
    """
    model = nn.Sequential(nn.Linear(1, 1, bias=True), nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), (2.0, 1.0, -3.0), strict=True):
            parameter.fill_(value)
    schedule = Schedule(lr=0.1, new_lr=0.4, warmup=2, decay=0.1, weight_decay=0.01, clip=100.0)
    train(
        model, lambda step: model(torch.ones(1, 1)).sum(), 1, tmp_path,
        schedule=schedule, keeping=Keeping(), is_new=lambda name: name == "1.weight",
    )  # fmt: skip
    # y = w1 (w0 + b): dy/dw0 = -3, dy/db = -3, dy/dw1 = 3
    found = [parameter.item() for parameter in model.parameters()]
    assert found == pytest.approx([2.0 * (1 - 0.05 * 0.01) + 0.05, 1.0 + 0.05, -3.0 * (1 - 0.2 * 0.01) - 0.2], abs=1e-5)


def test_matrices_named_for_muon_go_in_all_directions_alike() -> None:
    """Its step has singular values near one, times 0.2 sqrt(rows) (Liu et al. 2025, equation 4); AdamW's has not."""
    torch.manual_seed(0)
    first, second = nn.Linear(8, 24), nn.Linear(24, 8)
    model = nn.Sequential(first, second)
    before = first.weight.detach().clone()
    masters = Masters(model, Schedule(lr=0.5, warmup=0, weight_decay=0.0), lambda name: False, {"0.weight"})
    model(torch.randn(32, 8)).pow(2).sum().backward()
    masters.step(1.0)
    lengths = torch.linalg.svdvals(before - first.weight.detach()) / (0.5 * 0.2 * math.sqrt(24))
    assert bool(((lengths > 0.5) & (lengths < 1.3)).all())
    assert {name.partition("/")[0] for name in masters.moments() if name.endswith("0.weight")} == {"momentum_buffer"}
    assert {name.partition("/")[0] for name in masters.moments() if name.endswith("1.weight")} == {
        "step", "exp_avg", "exp_avg_sq"
    }  # fmt: skip


def test_a_long_gradient_is_cut_and_its_length_is_logged(tmp_path: Path) -> None:
    model = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0.0)
    masters = Masters(model, Schedule(clip=1.0), lambda name: False)
    model(torch.tensor([[3.0, 4.0]])).sum().backward()
    assert masters.step(1.0) == pytest.approx(5.0)
    assert masters.weights["weight"].grad is not None
    assert masters.weights["weight"].grad.flatten().tolist() == pytest.approx([0.6, 0.8], abs=1e-5)
    assert model.weight.grad is None


def test_what_is_frozen_is_neither_changed_nor_saved(tmp_path: Path) -> None:
    small = Small()
    small.model.get_parameter("0.weight").requires_grad_(False)
    before = small.model.get_parameter("0.weight").clone()
    last = small.train(tmp_path, 4, better="", validate=None)
    assert torch.equal(small.model.get_parameter("0.weight"), before)
    assert set(load_file(last / "weights.safetensors")) == {"0.bias", "2.weight", "2.bias"}


def test_masters_keep_what_half_precision_would_round_away(tmp_path: Path) -> None:
    """Steps of 1e-4 from 1 are lost in bfloat16, whose next number is 1 - 1/256."""
    model = nn.Linear(1, 1, bias=False).bfloat16()
    with torch.no_grad():
        model.weight.fill_(1.0)
    schedule = Schedule(lr=1e-4, new_lr=1e-4, warmup=0, decay=0.0, weight_decay=0.0)
    loss_of: Callable[[int], Tensor] = lambda step: model(torch.ones(1, 1).bfloat16()).float().sum()  # noqa: E731
    last = train(model, loss_of, 10, tmp_path, schedule=schedule, keeping=Keeping())
    assert model.weight.item() == 1.0
    assert load_file(last / "weights.safetensors")["weight"].item() == pytest.approx(1 - 10e-4, abs=1e-6)


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    schedule = Schedule(warmup=4, decay=0.5)
    assert [schedule.factor(step, 12) for step in (0, 1, 3, 4, 6, 9, 11)] == pytest.approx(
        [0.25, 0.5, 1.0, 1.0, 1.0, 0.5, 1 / 6]
    )
    assert schedule.factor(12, 12) == 0.0
    assert Schedule(warmup=0, decay=0.0).factor(5, 6) == 1.0


# Interrupted and resumed


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("muon", [(), ("0.weight",)], ids=["adamw", "muon"])
@pytest.mark.parametrize("step", [0, 1, 3, 4, 5, 8, 11])
def test_an_interrupted_run_ends_with_the_same_bytes(
    step: int, precision: torch.dtype, muon: tuple[str, ...], tmp_path: Path
) -> None:
    Small(precision=precision).train(tmp_path / "whole", muon=muon)
    with pytest.raises(Interrupted):
        interrupted_at(Small(precision=precision), step).train(tmp_path / "parts", muon=muon)
    # From a checkpoint on, nothing depends on what the network began with.
    again = Small(seed=1 if step >= 3 else 0, precision=precision)
    again.train(tmp_path / "parts", muon=muon)
    assert again.begun == list(range(step // 3 * 3, 12))
    parts, whole = contents(tmp_path / "parts"), contents(tmp_path / "whole")
    if step // 3 * 3 % 2:  # the first row after it is the mean of fewer steps
        parts.pop("log.jsonl"), whole.pop("log.jsonl")
    assert parts == whole


def test_a_run_may_be_interrupted_again_and_again(tmp_path: Path) -> None:
    Small().train(tmp_path / "whole")
    for step in (4, 4, 7, 10):
        with pytest.raises(Interrupted):
            interrupted_at(Small(), step).train(tmp_path / "parts")
    Small().train(tmp_path / "parts")
    weights = [contents(tmp_path / name)["last/weights.safetensors"] for name in ("whole", "parts")]
    assert weights[0] == weights[1]


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    Small().train(tmp_path)
    before, again = contents(tmp_path), Small(seed=1)
    assert again.train(tmp_path) == tmp_path / "best"
    assert again.begun == []
    assert contents(tmp_path) == before


def test_the_log_has_one_row_an_interval_after_a_resume(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        interrupted_at(Small(), 11).train(tmp_path)  # rows up to 10 are there, the checkpoint is of 9
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 12, "lo')  # killed as it was written
    Small().train(tmp_path)
    assert [row["step"] for row in rows(tmp_path) if "loss" in row] == [2, 4, 6, 8, 10, 12]
    assert [row["step"] for row in rows(tmp_path) if "validation" in row] == [4, 8, 12]
    assert all(row["seconds"] > 0 for row in rows(tmp_path) if "loss" in row)


def test_the_logged_loss_is_the_mean_since_the_row_before(tmp_path: Path) -> None:
    values = iter([1.0, 3.0, 10.0, 20.0, 7.0])
    weight = nn.Linear(1, 1)
    loss_of: Callable[[int], Tensor] = lambda step: 0 * weight(torch.ones(1, 1)).sum() + next(values)  # noqa: E731
    train(weight, loss_of, 5, tmp_path, schedule=SCHEDULE, keeping=Keeping(log_every=2))
    assert [(row["step"], row["loss"]) for row in rows(tmp_path)] == [(2, 2.0), (4, 15.0), (5, 7.0)]


@pytest.mark.parametrize(
    "other",
    [
        {"steps": 13},
        {"schedule": Schedule(lr=0.06, new_lr=0.1, warmup=2)},
        {"identity": {"data": "products"}},
        {"identity": {"data": "sums", "more": 1}},
    ],
    ids=["steps", "rate", "data", "more"],
)
def test_other_data_or_options_are_refused_and_nothing_is_touched(other: dict[str, object], tmp_path: Path) -> None:
    Small().train(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(UserError, match="other data or other options") as caught:
        Small().train(tmp_path, **{"steps": 12, **other})  # type: ignore[arg-type]
    assert "--out" in caught.value.hint
    assert contents(tmp_path) == before


DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": lambda file: file.unlink(),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-3]),
    "another file": lambda file: file.write_bytes(b"{}"),
}


@pytest.mark.parametrize("name", ["state.json", "weights.safetensors", "moments.safetensors"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_an_error_and_not_a_fresh_start(name: str, damage: str, tmp_path: Path) -> None:
    Small().train(tmp_path)
    DAMAGES[damage](tmp_path / "last" / name)
    with pytest.raises(UserError, match="last is damaged"):
        Small().train(tmp_path)


# Choosing


def test_the_best_by_validation_is_kept(tmp_path: Path) -> None:
    scores = iter([1.0, 3.0, 2.0, 3.0, 2.5])
    seen: list[dict[str, Tensor]] = []
    small = Small()

    def validate() -> dict[str, float]:
        assert not small.model.training
        assert not torch.is_grad_enabled()
        seen.append({name: value.clone() for name, value in small.model.state_dict().items()})
        return {"f1": next(scores), "em": 0.0}

    small.train(tmp_path, 5, validate=validate, better="f1", keeping=Keeping(validate_every=1))
    assert small.model.training
    found = load_file(tmp_path / "best" / "weights.safetensors")
    for name, value in seen[1].items():  # the first of two equals
        assert torch.equal(found[name], value)
    assert not torch.equal(found["0.weight"], seen[4]["0.weight"])
    assert json.loads((tmp_path / "best" / "state.json").read_text())["step"] == 2
    assert not (tmp_path / "best" / "moments.safetensors").exists()
    assert [row["validation"]["f1"] for row in rows(tmp_path) if "validation" in row] == [1.0, 3.0, 2.0, 3.0, 2.5]  # type: ignore[index]


def test_the_best_is_remembered_over_an_interruption(tmp_path: Path) -> None:
    scores = {3: 5.0, 6: 4.0, 9: 4.5, 12: 4.9}
    keeping = Keeping(save_every=3, validate_every=3, log_every=3)
    for begin, stop in ((0, 7), (6, 99)):
        small = interrupted_at(Small(), stop)
        left = iter([score for step, score in scores.items() if step > begin])
        try:
            small.train(tmp_path, validate=lambda: {"f1": next(left)}, better="f1", keeping=keeping)  # noqa: B023
        except Interrupted:
            assert stop == 7
    assert json.loads((tmp_path / "best" / "state.json").read_text())["step"] == 3


def test_a_model_given_in_evaluation_is_trained_as_one_in_training(tmp_path: Path) -> None:
    """Only after the first validation was it set to train: before that, dropout would have been off."""
    small, modes = Small(), []
    small.model.eval()
    small.before = lambda step: modes.append(small.model.training)
    small.train(tmp_path, 6)
    assert modes == [True] * 6


# Divergence


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_stops_and_the_last_checkpoint_stays(value: float, tmp_path: Path) -> None:
    small = Small()
    good = small.loss_of
    small.loss_of = lambda step: good(step) * (value if step == 7 else 1.0)  # type: ignore[method-assign]
    with pytest.raises(Diverged, match="no longer a number at step 8") as caught:
        small.train(tmp_path)
    assert f"up to step 6 is in {tmp_path / 'last'}" in caught.value.hint
    assert json.loads((tmp_path / "last" / "state.json").read_text())["step"] == 6
    healthy = Small()
    healthy.train(tmp_path)
    assert healthy.begun == list(range(6, 12))


def test_a_gradient_that_is_no_number_changes_and_saves_nothing(tmp_path: Path) -> None:
    """A finite loss may have an infinite gradient: the weights it spoils were saved before the next loss told of it."""
    small = Small()
    good = small.loss_of

    def loss_of(step: int) -> Tensor:
        loss = good(step)
        if step == 5:  # a checkpoint is due after it
            loss = loss + torch.sqrt(0 * small.model.get_parameter("0.weight").sum())  # 0, of slope infinity
        return loss

    small.loss_of = loss_of  # type: ignore[method-assign]
    with pytest.raises(Diverged, match="gradient is no longer a number at step 6"):
        small.train(tmp_path)
    assert json.loads((tmp_path / "last" / "state.json").read_text())["step"] == 3
    assert all(bool(value.isfinite().all()) for value in small.model.state_dict().values())


def test_a_run_that_fails_at_once_says_that_nothing_was_kept(tmp_path: Path) -> None:
    small = Small()
    small.loss_of = lambda step: small.model.get_parameter("0.weight").sum() * math.nan  # type: ignore[method-assign]
    with pytest.raises(Diverged, match="at step 1") as caught:
        small.train(tmp_path)
    assert "nothing was kept" in caught.value.hint
    assert not (tmp_path / "last").exists()


# The disk


def test_a_full_disk_stops_the_run_and_the_checkpoint_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Small()

    def fill(step: int) -> None:
        if step == 5:
            monkeypatch.setenv("FOOTNOTE_FAULT", "write:2:ENOSPC")
            monkeypatch.setattr("indexer.storage._counts", {})

    small.before = fill
    with pytest.raises(StorageError, match=r"Cannot write .*moments\.safetensors: No space left"):
        small.train(tmp_path)
    monkeypatch.delenv("FOOTNOTE_FAULT")
    again = Small()
    again.train(tmp_path)
    assert again.begun == list(range(3, 12))
    assert {path.name for path in tmp_path.iterdir()} == {"last", "best", "log.jsonl"}


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """Return what came of killing a run of two steps at each touch of the disk, and going on with it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.small_training", str(tmp_path_factory.mktemp("trials"))],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_kill_at_any_touch_of_the_disk_loses_no_checkpoint(trials: list[dict[str, object]]) -> None:
    *killed, whole = trials
    assert len(killed) > 12  # every sixth touch; were it none, nothing would be tried
    assert {trial["killed"] for trial in killed} == {int(signal.SIGKILL)}
    assert (whole["killed"], whole["begun"]) == (0, [0, 1])
    for number, trial in enumerate(killed, start=1):
        begun, then = trial["begun"], trial["then"]
        assert isinstance(begun, list)
        assert isinstance(then, list)
        if begun == [0]:  # killed as the first checkpoint was written: it stands, or the step is done again
            assert then in ([0, 1], [1]), f"at touch {number}"
        else:  # once the second step was begun, the first was safe
            assert then in ([1], []), f"at touch {number}"
        assert trial["left"] == whole["left"], f"at touch {number}"
    assert (killed[0]["then"], killed[-1]["begun"]) == ([0, 1], [0, 1])


def test_two_processes_learn_what_one_learns_from_twice_the_batch(tmp_path: Path) -> None:
    """Under torchrun the gradient is the mean over the processes, and only the first writes."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
            *("-m", "tests.distributed_training", str(tmp_path / "two")),
        ],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    one = Small()
    batch = one.loss_of
    one.loss_of = lambda step: (batch(2 * step) + batch(2 * step + 1)) / 2  # type: ignore[method-assign]
    one.train(tmp_path / "one")
    apart, together = (load_file(tmp_path / name / "last" / "weights.safetensors") for name in ("two", "one"))
    assert apart.keys() == together.keys()
    for name, weight in together.items():
        torch.testing.assert_close(apart[name], weight, atol=1e-5, rtol=1e-4)
    assert [row["step"] for row in rows(tmp_path / "two") if "loss" in row] == [2, 4, 6, 8, 10, 12]
