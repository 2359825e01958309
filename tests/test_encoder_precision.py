"""The precision of a converted model: measured, chosen, kept, and overridden."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.encoders import precision
from indexer.encoders.converted import MODEL
from indexer.encoders.precision import FILE, INT8_MODEL, VARIABLE, Precision, chosen, keep, lacks, named, read, settle
from indexer.errors import EncoderError, UsageError

FEEDS = [[np.ones((2, 8), dtype=np.int32), np.ones((2, 8), dtype=np.float32)]]
ALL = ("FP32", "BF16", "INT8")


class Core:
    """What the processor says that it can do."""

    def __init__(self, able: Sequence[str] = ALL) -> None:
        self._able = list(able)

    def get_property(self, device: str, name: str) -> list[str]:
        """Return the capabilities."""
        assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
        return self._able


class Machine:
    """A machine whose speeds are made up; a speed of 0 is a candidate that does not run."""

    def __init__(self, rates: Mapping[str, float], likes: Mapping[str, float], noise: Sequence[float]) -> None:
        self.rates, self.likes, self.noise = rates, likes, itertools.cycle(noise)
        self.outputs: list[str] = []
        """The candidates that read everything."""

    def candidate(self, core: Any, folder: Path, precision: Precision) -> Candidate:
        assert precision.name != "int8" or (folder / INT8_MODEL).exists()
        if not self.rates[precision.name]:
            raise RuntimeError("no kernel")
        return Candidate(self, precision)


class Candidate:
    """See `indexer.encoders.precision._Candidate`: the best of all measurements counts."""

    def __init__(self, machine: Machine, precision: Precision) -> None:
        self._machine, self.precision, self.rate = machine, precision, 0.0

    def forget(self) -> None:
        """Take back what was measured."""
        self.rate = 0.0

    def measure(self, feed: Any) -> float:
        """Return the rate that is made up, or less where something else is going on."""
        self.rate = max(self.rate, self._machine.rates[self.precision.name] * next(self._machine.noise))
        return self.rate

    def outputs(self, feeds: Any) -> list[list[Any]]:
        """Return the likeness that is made up."""
        self._machine.outputs.append(self.precision.name)
        return [[np.array([self._machine.likes.get(self.precision.name, 1.0)])]]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv(VARIABLE, raising=False)

    def of(
        rates: Mapping[str, float],
        likes: Mapping[str, float] | None = None,
        able: Sequence[str] = ALL,
        noise: Sequence[float] = (1.0,),
    ) -> Machine:
        made = Machine(rates, likes or {}, noise)
        monkeypatch.setattr(precision, "_Candidate", made.candidate)
        monkeypatch.setattr(precision.native, "openvino", lambda: type("Module", (), {"Core": lambda: Core(able)}))
        return made

    return of


def likeness(truth: Sequence[Any], found: Sequence[Any]) -> list[float]:
    return [float(outputs[0][0]) for outputs in found]


def quantise(path: Path) -> None:
    path.write_text("graph")
    path.with_suffix(".bin").write_text("weights")


def settled(folder: Path, size: int = precision.SMALL) -> Precision:
    with (folder / MODEL).with_suffix(".bin").open("wb") as weights:
        weights.truncate(size)
    found = settle(folder, FEEDS, likeness, quantise)
    assert read(folder) == Precision(
        found.name, found.rest, found.rates, {k: list(v) for k, v in found.likeness.items()}
    )
    return found


@pytest.mark.parametrize(
    ("rates", "name", "rest"),
    [
        ({"fp32": 100, "bf16": 320, "int8": 350}, "bf16", "bf16"),  # with units for bfloat16, eight bits are not tried
        ({"fp32": 100, "bf16": 60, "int8": 210}, "int8", "fp32"),  # bfloat16 is named, and slower
        ({"fp32": 100, "bf16": 130, "int8": 210}, "int8", "bf16"),
        ({"fp32": 100, "bf16": 130, "int8": 140}, "bf16", "bf16"),  # too little gained
        ({"fp32": 100, "bf16": 2, "int8": 210}, "int8", "fp32"),  # emulated: given up
        ({"fp32": 100, "bf16": 0, "int8": 210}, "int8", "fp32"),  # does not run
        ({"fp32": 100, "bf16": 0, "int8": 0}, "fp32", "fp32"),
        ({"fp32": 100, "bf16": 90, "int8": 2}, "fp32", "fp32"),
    ],
)  # fmt: skip
def test_the_fastest_is_kept(machine: Any, tmp_path: Path, rates: Mapping[str, float], name: str, rest: str) -> None:
    machine(rates)
    found = settled(tmp_path)
    assert (found.name, found.rest) == (name, rest)
    assert (tmp_path / INT8_MODEL).exists() == (name == "int8")
    assert (tmp_path / INT8_MODEL).with_suffix(".bin").exists() == (name == "int8")


def test_what_says_something_else_is_not_kept_however_fast(machine: Any, tmp_path: Path) -> None:
    machine({"fp32": 100, "bf16": 150, "int8": 400}, {"bf16": 0.99, "int8": 0.97})
    found = settled(tmp_path)
    assert found.name == "fp32"
    assert found.likeness["int8"] == (0.97, 0.97)


def test_what_is_given_up_is_not_read_to_the_end(machine: Any, tmp_path: Path) -> None:
    """Emulated bfloat16 took minutes for the texts that eight bits take a second for."""
    made = machine({"fp32": 100, "bf16": 2, "int8": 210})
    assert settled(tmp_path).rates == {"fp32": 100, "bf16": 2, "int8": 210}
    assert made.outputs == ["fp32", "int8"]


@pytest.mark.parametrize("shift", range(5))
def test_the_choice_does_not_hang_on_what_else_the_machine_does(machine: Any, tmp_path: Path, shift: int) -> None:
    """Beside other work eight bits once seemed the fastest on a machine with units for bfloat16, by one measurement."""
    machine({"fp32": 100, "bf16": 320, "int8": 350}, noise=[(0.2, 1.0, 0.5, 0.3, 0.9)[n - shift] for n in range(5)])
    assert settled(tmp_path).name == "bf16"


def test_a_small_model_is_not_measured(machine: Any, tmp_path: Path) -> None:
    """Its rates are chance, and the same training gave another confidence by it."""
    machine({"fp32": 100, "bf16": 60, "int8": 210})
    assert settled(tmp_path, precision.SMALL - 1) == Precision("bf16", "bf16")


def test_a_processor_is_asked_for_nothing_that_it_does_not_name(machine: Any, tmp_path: Path) -> None:
    machine({"fp32": 100, "bf16": 400, "int8": 400}, able=["FP32"])
    assert settled(tmp_path).rates == {"fp32": 100}


def test_eight_bits_are_made_where_they_are_asked_for(
    machine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine({"fp32": 100, "bf16": 320, "int8": 350})
    monkeypatch.setenv(VARIABLE, "int8")
    assert settled(tmp_path).name == "bf16"  # what is kept is what is fastest; the variable chooses at each opening
    assert chosen(tmp_path, Core()).name == "int8"
    assert chosen(tmp_path, Core()).model == INT8_MODEL


def test_the_variable_chooses_another(machine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine({"fp32": 100, "bf16": 320, "int8": 350})
    settled(tmp_path)
    assert chosen(tmp_path, Core()).settings()["INFERENCE_PRECISION_HINT"] == "bf16"
    assert named(tmp_path) == "bf16"
    monkeypatch.setenv(VARIABLE, " F32 ")
    assert named(tmp_path) == "fp32"
    assert chosen(tmp_path, Core()).settings()["INFERENCE_PRECISION_HINT"] == "f32"
    assert chosen(tmp_path, Core()).model == MODEL
    monkeypatch.setenv(VARIABLE, "int8")
    with pytest.raises(EncoderError, match="without eight bits") as refused:
        chosen(tmp_path, Core())
    assert "--precision int8" in str(refused.value.hint)
    monkeypatch.setenv(VARIABLE, "int4")
    with pytest.raises(UsageError, match="There is no precision 'int4'"):
        chosen(tmp_path, Core())


def test_what_is_given_counts_over_the_variable(machine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine({"fp32": 100, "bf16": 320, "int8": 350})
    settled(tmp_path)
    monkeypatch.setenv(VARIABLE, "fp32")
    assert chosen(tmp_path, Core()).name == "fp32"
    assert chosen(tmp_path, Core(), "bf16").name == "bf16"
    assert chosen(tmp_path, Core(), "auto").name == "bf16"  # which is the fastest
    assert named(tmp_path, "auto") == "bf16"
    monkeypatch.setenv(VARIABLE, "auto")
    assert chosen(tmp_path, Core()).name == "bf16"


def test_only_eight_bits_that_were_not_kept_need_another_conversion(machine: Any, tmp_path: Path) -> None:
    machine({"fp32": 100, "bf16": 320, "int8": 350})
    settled(tmp_path)
    assert [lacks(tmp_path, name) for name in ("", "fp32", "bf16", "int8")] == [False, False, False, True]
    machine({"fp32": 100, "bf16": 50, "int8": 350})
    settled(tmp_path)
    assert not lacks(tmp_path, "int8")
    assert not lacks(tmp_path / "nothing", "int8")


def test_a_part_without_such_layers_runs_beside_eight_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, Precision("fp32", "fp32"))
    monkeypatch.setenv(VARIABLE, "int8")
    assert chosen(tmp_path, Core()) == Precision("fp32", "fp32")
    monkeypatch.setenv(VARIABLE, "bf16")
    assert chosen(tmp_path, Core()).name == "bf16"


def test_what_was_converted_before_runs_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "int8")  # there is nothing to choose from
    assert chosen(tmp_path, Core()) == Precision("bf16", "bf16")
    assert chosen(tmp_path, Core(["FP32"])) == Precision("fp32", "fp32")
    assert named(tmp_path) == ""


@pytest.mark.parametrize("content", ["", "{", "[]", '{"precision": "fp32"}'])
def test_a_damaged_choice_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(EncoderError, match="does not read"):
        read(tmp_path)


def test_a_receipt_of_an_older_version_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        '{"precision": "int8", "rest": "f32", "tokens_per_second": {"f32": 9, "int8": 20}, "likeness": {}}'
    )
    assert read(tmp_path) == Precision("int8", "fp32", {"fp32": 9, "int8": 20}, {})


def test_the_choice_is_written_for_people_too(machine: Any, tmp_path: Path) -> None:
    machine({"fp32": 100.4, "bf16": 60, "int8": 210})
    settled(tmp_path)
    assert json.loads((tmp_path / FILE).read_text()) == {
        "precision": "int8",
        "rest": "fp32",
        "tokens_per_second": {"fp32": 100, "bf16": 60, "int8": 210},
        "likeness": {"bf16": [1.0, 1.0], "int8": [1.0, 1.0]},
    }
