"""The converted model, compiled for this processor, and kept so that the next process opens it faster.

`compiled.blob` is a cache beside the converted model: missing, damaged or made elsewhere, it is ignored and made anew.
It begins with 64 bytes: the SHA-256 of what it was made for, and the SHA-256 of the rest.
"""

from __future__ import annotations

import hashlib
import logging
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer import native
from indexer.encoders.converted import write_file
from indexer.encoders.precision import Precision, chosen
from indexer.errors import EncoderError

logger = logging.getLogger(__name__)

BLOB = "compiled.blob"


def read_blob(folder: Path) -> npt.NDArray[np.uint8]:
    """Return the checked bytes of the kept compiled model, its header included; an empty array where there is none."""
    try:
        # Mapped, not read: nothing is copied, and processes share it. "c" because openvino wants a writable array.
        blob = np.memmap(folder / BLOB, dtype=np.uint8, mode="c")
    except (OSError, ValueError):  # ValueError: an empty file
        return np.empty(0, dtype=np.uint8)
    intact = len(blob) > 64 and hashlib.sha256(blob[64:].data).digest() == blob[32:64].tobytes()
    if not intact:
        logger.warning("%s is damaged; compiling again.", folder / BLOB)
    return blob if intact else np.empty(0, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A model that is ready to run."""

    model: Any
    precision: Precision


def compile_model(
    folder: Path, blob: npt.NDArray[np.uint8], check: Callable[[], None], precision: str | None = None
) -> Compiled:
    """Return the model in `folder` compiled for this processor: from `blob` where that was made for the same.

    `precision` is the one to run in, as `indexer.encoders.precision.wanted` takes it.
    `check` raises when the model's own files are not sound; it is called where they are needed, since hashing them
    takes longer than opening `blob`. The caller keeps `blob` as long as the compiled model, which goes on reading it.
    """
    openvino = native.openvino()
    core = openvino.Core()
    runs = chosen(folder, core, precision)
    settings = runs.settings()
    made_for = _made_for(core, runs.model, settings)
    if len(blob) and blob[:32].tobytes() == made_for:
        try:
            return Compiled(core.import_model(openvino.Tensor(blob[64:], shared_memory=True), "CPU", settings), runs)
        except RuntimeError as error:
            logger.warning("%s could not be used: %s", folder / BLOB, error)
    check()
    try:
        compiled = core.compile_model(str(folder / runs.model), "CPU", settings)
    except (RuntimeError, MemoryError) as error:
        raise EncoderError(
            f"OpenVINO could not open the converted encoder: {error}",
            hint="Run the indexing again, or doctor: either converts the encoder anew.",
        ) from error
    _keep(compiled, folder, made_for)
    return Compiled(compiled, runs)


def _made_for(core: Any, model: str, settings: dict[str, Any]) -> bytes:
    parts = [
        model,
        native.openvino().__version__,
        platform.machine(),
        str(core.get_property("CPU", "FULL_DEVICE_NAME")),
        str(sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))),
        str(sorted(settings.items())),
    ]
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _keep(compiled: Any, folder: Path, made_for: bytes) -> None:
    try:
        exported = compiled.export_model()
        content = exported if isinstance(exported, bytes) else exported.getvalue()
        write_file(folder / BLOB, made_for + hashlib.sha256(content).digest() + content)
    except (OSError, RuntimeError, MemoryError) as error:  # only a cache: a read-only or full disk must not matter
        logger.info("The compiled model was not kept: %s", error)
