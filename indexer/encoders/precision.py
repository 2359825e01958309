"""In which precision a converted model runs: measured on this machine when it is converted, and not assumed.

    precision.json    {"precision": "int8", "rest": "fp32", "tokens_per_second": {...}, "likeness": {...}}

A processor may name bfloat16 among what it can do and be slower with it than in single precision; eight bits are twice
as fast on one and no faster on the next. So each candidate is timed for a moment, and the fastest that says the same is
kept. `--precision`, `precision=` and `FOOTNOTE_PRECISION` choose another. Never imports torch; what makes the graph of
eight bits is `quantisation`.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer import native as native
from indexer.encoders.converted import MODEL, write_file
from indexer.errors import EncoderError, UsageError

logger = logging.getLogger(__name__)

FILE = "precision.json"
INT8_MODEL = "int8.xml"
VARIABLE = "FOOTNOTE_PRECISION"
NAMES = ("fp32", "bf16", "int8")
AUTO = "auto"
"""Asks for the precision that was measured to be fastest, also where the variable says another."""
GAIN = 1.2
"""How many times as fast as floating point eight bits have to be: what they lose is little, but it is lost."""
FAST_ENOUGH = 2.0
"""How many times as fast as single precision bfloat16 is where it has units of its own (AMX); eight bits gain little
there (measured: 1.06 to 1.2 times), and are not tried."""
SMALL = 8_000_000
"""Bytes of weights below which nothing is measured: calling the model takes longer than the model."""
LIKE_MEAN, LIKE_LEAST = 0.995, 0.98
"""Likeness to single precision, on average and of the worst text, that a precision has to keep."""
HOPELESS = 4.0
"""How many times as slow as single precision a candidate is that is given up after one small batch."""
ROUNDS, CLEAR = 8, 1.2
"""How often two candidates are timed in turn at most, and how far from the gain in question their ratio ends that half
way."""

Arrays = Sequence[npt.NDArray[Any]]
Likeness = Callable[[Sequence[Arrays], Sequence[Arrays]], Sequence[float]]
"""What a caller says of two candidates' outputs for the same inputs: 1 for a text that is the same, less for others."""


@dataclass(frozen=True, slots=True)
class Precision:
    """How a model runs, and what was measured."""

    name: str
    """"fp32", "bf16", or "int8" for the linear layers of an encoder."""
    rest: str
    """What everything else computes in."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Tokens a second by precision; empty where nothing was measured."""
    likeness: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Of each but "fp32", the likeness to it: mean and least."""

    @property
    def model(self) -> str:
        """The file of the graph."""
        return INT8_MODEL if self.name == "int8" else MODEL

    def settings(self) -> dict[str, Any]:
        """Return what OpenVINO is told: the precision, and one stream for each core."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return {
            "INFERENCE_PRECISION_HINT": _HINTS[self.rest],
            "NUM_STREAMS": cores,  # measured: two streams of one thread are 5 to 15 % faster than one of two
            "INFERENCE_NUM_THREADS": cores,
            "ENABLE_CPU_PINNING": False,
        }


_HINTS = {"fp32": "f32", "bf16": "bf16"}
"""What OpenVINO calls them."""


def wanted(given: str | None = None) -> str:
    """Return the precision that is asked for: `given`, else the variable's; "" for the one that was measured.

    Raises UsageError for one that there is not.
    """
    text = (os.environ.get(VARIABLE, "") if given is None else given).strip().lower()
    name = _as_named(text)
    if name in ("", AUTO):
        return ""
    if name not in NAMES:
        source = f" {VARIABLE} asks for it." if given is None else ""
        raise UsageError(f"There is no precision {text!r}.{source}", f"Name one of {', '.join((AUTO, *NAMES))}.")
    return name


def _as_named(text: str) -> str:
    return "fp32" if text == "f32" else text  # which is what OpenVINO and older receipts say


def chosen(folder: Path, core: Any, given: str | None = None) -> Precision:
    """Return how the model in `folder` runs: as is `wanted`, or as was measured when it was converted.

    A folder that was converted before precisions were measured runs in bfloat16 where the processor names it. Raises
    UsageError for a precision that there is not, EncoderError for eight bits where the model has none.
    """
    name, measured = wanted(given), read(folder)
    if measured is None:
        return Precision(_assumed(core), _assumed(core))
    if not name or name == measured.name:
        return measured
    if name == "int8" and not measured.rates:
        return measured  # a small part of a model, which has no layers of eight bits
    if lacks(folder, name):
        raise EncoderError(
            f"The model in {folder} was converted without eight bits, which gain too little on this processor.",
            hint="To have them all the same, run: footnote index PATH --precision int8",
        )
    return Precision(name, measured.rest if name == "int8" else name, measured.rates, measured.likeness)


def lacks(folder: Path, name: str) -> bool:
    """Tell whether the model in `folder` would have to be converted again to run in the precision `name`."""
    if name != "int8" or (folder / INT8_MODEL).is_file():
        return False
    measured = read(folder)
    return measured is not None and bool(measured.rates)


def read(folder: Path) -> Precision | None:
    """Return what was measured when the model in `folder` was converted; None where nothing was."""
    try:
        kept = json.loads((folder / FILE).read_bytes())
        rates = {_as_named(name): rate for name, rate in kept["tokens_per_second"].items()}
        return Precision(_as_named(kept["precision"]), _as_named(kept["rest"]), rates, kept["likeness"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(
            f"{folder / FILE} does not read: {error}.", hint="Run the indexing again, or doctor: either converts anew."
        ) from error


def named(folder: Path, given: str | None = None) -> str:
    """Return the name of the precision that the model in `folder` runs in; "" where none was measured."""
    measured = read(folder)
    return "" if measured is None else wanted(given) or measured.name


def settle(
    folder: Path, feeds: Sequence[Arrays], likeness: Likeness, quantise: Callable[[Path], None] | None
) -> Precision:
    """Time the candidates, compare what they make of all `feeds`, and keep the choice in `folder`.

    The last array of a batch is its mask. `quantise` writes the graph of eight bits to the path that it is given; None
    where there is none to be had.
    """
    core = native.openvino().Core()
    eight_bits = wanted() == "int8"
    if (folder / MODEL).with_suffix(".bin").stat().st_size < SMALL and not eight_bits:
        settled = Precision(_assumed(core), _assumed(core))
        keep(folder, settled)
        return settled
    able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    middle, smallest = feeds[len(feeds) // 2], min(feeds, key=lambda feed: feed[0].size)
    likes: dict[str, tuple[float, float]] = {}
    single = _Candidate(core, folder, Precision("fp32", "fp32"))
    truth = single.outputs(feeds)
    rates = {"fp32": single.measure(middle)}

    def compared(precision: Precision, other: _Candidate, gain: float) -> _Candidate | None:
        """Return a candidate that says the same and is `gain` times as fast as another; None where it does not."""
        try:
            found = _Candidate(core, folder, precision)
            found.measure(smallest)  # where bfloat16 is only emulated, a larger one would take minutes
            if found.measure(smallest) < max(single.measure(smallest) for _ in range(2)) / HOPELESS:
                rates[precision.name] = round(found.rate)
                return None
            outputs = found.outputs(feeds)
        except RuntimeError as error:  # a kernel that this processor, or this OpenVINO, has not
            logger.info("%s does not run in %s: %s", folder, precision.name, error)
            return None
        likes[precision.name] = _summed(likeness(truth, outputs))
        faster = _is_faster(found, other, gain, middle)
        rates.update({each.precision.name: each.rate for each in (found, other)})
        alike = likes[precision.name][0] >= LIKE_MEAN and likes[precision.name][1] >= LIKE_LEAST
        return found if faster and alike else None

    best = (compared(Precision("bf16", "bf16"), single, 1.0) if "BF16" in able else None) or single
    rest = best.precision.name
    if quantise is not None and "INT8" in able and (eight_bits or rates[rest] < FAST_ENOUGH * rates["fp32"]):
        quantise(folder / INT8_MODEL)
        best = compared(Precision("int8", rest), best, GAIN) or best
        if best.precision.name != "int8" and not eight_bits:
            for path in folder.glob(f"{Path(INT8_MODEL).stem}.*"):
                path.unlink()
    settled = Precision(best.precision.name, rest, {key: round(rate) for key, rate in rates.items()}, likes)
    keep(folder, settled)
    return settled


def _is_faster(one: _Candidate, other: _Candidate, gain: float, feed: Arrays) -> bool:
    """Tell whether a candidate is `gain` times as fast as another: they are timed in turn until that is clear."""
    one.forget()
    other.forget()
    for done in range(1, ROUNDS + 1):
        ratio = one.measure(feed) / other.measure(feed)
        if done >= ROUNDS / 2 and not gain / CLEAR < ratio < gain * CLEAR:
            break
    return ratio >= gain


def keep(folder: Path, settled: Precision) -> None:
    """Write the choice beside the model."""
    content = {
        "precision": settled.name,
        "rest": settled.rest,
        "tokens_per_second": dict(settled.rates),
        "likeness": {key: list(each) for key, each in settled.likeness.items()},
    }
    write_file(folder / FILE, (json.dumps(content, indent=1) + "\n").encode())


class _Candidate:
    """A model compiled in one precision, to be timed and to be compared. Raises RuntimeError where it does not run."""

    def __init__(self, core: Any, folder: Path, precision: Precision) -> None:
        self.precision = precision
        self._compiled = core.compile_model(str(folder / precision.model), "CPU", precision.settings())
        self._streams = max(1, int(self._compiled.get_property("NUM_STREAMS")))
        self._idle = [self._compiled.create_infer_request() for _ in range(self._streams)]
        self.rate = 0.0
        """Tokens a second with all streams at work: the best that was measured."""

    def forget(self) -> None:
        """Take back what was measured on another batch."""
        self.rate = 0.0

    def measure(self, feed: Arrays) -> float:
        """Run one batch, and return the best rate so far.

        Counted is the time of the processor and not of the clock: what else the machine does then matters little.
        """
        before = time.process_time()
        self._run(feed)
        took = max(time.process_time() - before, 1e-6)
        self.rate = max(self.rate, self._streams * float(feed[-1].sum()) / took)
        return self.rate

    def outputs(self, feeds: Sequence[Arrays]) -> list[list[npt.NDArray[Any]]]:
        """Return what it makes of each batch; of each shape this is the run that prepares it."""
        with ThreadPoolExecutor(self._streams) as pool:
            return list(pool.map(self._run, feeds))

    def _run(self, feed: Arrays) -> list[npt.NDArray[Any]]:
        request = self._idle.pop()
        request.infer(list(feed), share_inputs=True)
        outputs = [np.array(request.get_output_tensor(n).data) for n in range(len(self._compiled.outputs))]
        self._idle.append(request)
        return outputs


def _assumed(core: Any) -> str:
    return "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "fp32"


def _summed(likes: Sequence[float]) -> tuple[float, float]:
    return round(float(np.mean(likes)), 5), round(float(np.min(likes)), 5)
