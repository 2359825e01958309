"""One compiled graph and its idle inference requests: what converted models run through. Never imports torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.encoders.compiled import compile_model, read_blob
from indexer.errors import UserError

Floats = npt.NDArray[np.float32]


class Graph:
    """Runs the model.xml of a folder. Safe in threads; not after a fork."""

    def __init__(
        self, folder: Path, check: Callable[[], None], what: str = "generator", precision: str | None = None
    ) -> None:
        """`what` the model is, for the error of one that was opened before a fork; the others as in `compile_model`."""
        self._what = what
        self._blob = read_blob(folder)
        compiled = compile_model(folder, self._blob, check, precision)
        self._compiled = compiled.model
        self.precision = compiled.precision.name
        self.streams = max(1, int(self._compiled.get_property("NUM_STREAMS")))
        """How many runs go on at once without waiting for each other."""
        self._outputs = len(self._compiled.outputs)
        self._idle: list[Any] = []  # list.pop and list.append are atomic
        self._process = os.getpid()

    def run(self, inputs: list[Any]) -> list[Floats]:
        """Return copies of the outputs. Raises UserError after a fork: the child has no inference threads."""
        if os.getpid() != self._process:
            raise UserError(
                f"The {self._what} was opened before this process was forked.",
                'Open it in the child, or start workers with "spawn".',
            )
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        request.infer(inputs, share_inputs=True)
        found = [np.array(request.get_output_tensor(n).data, dtype=np.float32) for n in range(self._outputs)]
        self._idle.append(request)
        return found
