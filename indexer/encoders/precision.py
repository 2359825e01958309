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
SECONDS = 0.6
"""How long a candidate is timed, at least, after a first run of every shape."""

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
    folder: Path, feeds: Sequence[Arrays], tokens: int, likeness: Likeness, quantise: Callable[[Path], None] | None
) -> Precision:
    """Time the candidates on the batches `feeds` of `tokens` tokens in all, and keep the choice in `folder`.

    `quantise` writes the graph of eight bits to the path that it is given; None where there is none to be had.
    """
    core = native.openvino().Core()
    eight_bits = wanted() == "int8"
    if (folder / MODEL).with_suffix(".bin").stat().st_size < SMALL and not eight_bits:
        settled = Precision(_assumed(core), _assumed(core))
        keep(folder, settled)
        return settled
    able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    rates: dict[str, float] = {}
    likes: dict[str, tuple[float, float]] = {}
    rate, truth = _timed(core, folder, Precision("fp32", "fp32"), feeds, tokens)
    rates["fp32"] = rate

    def passes(precision: Precision) -> bool:
        """Time a candidate, and tell whether what it says is like what single precision says."""
        try:
            rate, found = _timed(core, folder, precision, feeds, tokens, hopeless=rates["fp32"] / 4)
        except RuntimeError as error:  # a kernel that this processor, or this OpenVINO, has not
            logger.info("%s does not run in %s: %s", folder, precision.name, error)
            return False
        rates[precision.name] = rate
        if not found:
            return False
        likes[precision.name] = _summed(likeness(truth, found))
        return likes[precision.name][0] >= LIKE_MEAN and likes[precision.name][1] >= LIKE_LEAST

    def again(*candidates: Precision) -> None:
        """Time candidates once more, in turn: what else the machine does meets each of them, or none."""
        for each in candidates:
            rates[each.name] = max(rates[each.name], _timed(core, folder, each, feeds, tokens)[0])

    single, half = Precision("fp32", "fp32"), Precision("bf16", "bf16")
    rest = "fp32"
    if "BF16" in able and passes(half):
        again(single, half)
        rest = "bf16" if rates["bf16"] > rates["fp32"] else "fp32"
    name = rest
    if quantise is not None and "INT8" in able and (eight_bits or rates[rest] < FAST_ENOUGH * rates["fp32"]):
        quantise(folder / INT8_MODEL)
        eight = Precision("int8", rest)
        if passes(eight):
            again(half if rest == "bf16" else single, eight)
            name = "int8" if rates["int8"] >= GAIN * rates[rest] else rest
        if name != "int8" and not eight_bits:
            for path in folder.glob(f"{Path(INT8_MODEL).stem}.*"):
                path.unlink()
    settled = Precision(name, rest, {key: round(rate) for key, rate in rates.items()}, likes)
    keep(folder, settled)
    return settled


def keep(folder: Path, settled: Precision) -> None:
    """Write the choice beside the model."""
    content = {
        "precision": settled.name,
        "rest": settled.rest,
        "tokens_per_second": dict(settled.rates),
        "likeness": {key: list(each) for key, each in settled.likeness.items()},
    }
    write_file(folder / FILE, (json.dumps(content, indent=1) + "\n").encode())


def _timed(
    core: Any, folder: Path, precision: Precision, feeds: Sequence[Arrays], tokens: int, hopeless: float = 0.0
) -> tuple[float, list[list[npt.NDArray[Any]]]]:
    """Return the tokens a second with as many runs at once as there are streams, and the outputs for each batch.

    A candidate that is slower than `hopeless` on one batch is given up, without outputs: where bfloat16 is only
    emulated, all of them would take minutes. Raises RuntimeError where it does not run.
    """
    compiled = core.compile_model(str(folder / precision.model), "CPU", precision.settings())
    streams = max(1, int(compiled.get_property("NUM_STREAMS")))
    idle = [compiled.create_infer_request() for _ in range(streams)]

    def run(feed: Arrays) -> list[npt.NDArray[Any]]:
        request = idle.pop()
        request.infer(list(feed), share_inputs=True)
        outputs = [np.array(request.get_output_tensor(n).data) for n in range(len(compiled.outputs))]
        idle.append(request)
        return outputs

    def took(feed: Arrays) -> float:
        start = time.perf_counter()
        run(feed)
        return time.perf_counter() - start

    middle = feeds[len(feeds) // 2]
    took(middle)
    first = streams * middle[0].size / min(took(middle), took(middle))
    if first < hopeless:
        return first, []
    with ThreadPoolExecutor(streams) as pool:
        outputs = list(pool.map(run, feeds))  # each shape is prepared by its first run
        best, began = 0.0, time.perf_counter()
        while not best or time.perf_counter() - began < SECONDS:
            start = time.perf_counter()
            list(pool.map(run, feeds))
            best = max(best, tokens / (time.perf_counter() - start))
    return best, outputs


def _assumed(core: Any) -> str:
    return "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "fp32"


def _summed(likes: Sequence[float]) -> tuple[float, float]:
    return round(float(np.mean(likes)), 5), round(float(np.min(likes)), 5)
