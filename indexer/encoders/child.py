"""Conversions run in a process of their own: what torch takes of memory is given back when they are done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from indexer.encoders.precision import VARIABLE
from indexer.model_files import OFFLINE

PATIENCE = 900
"""Seconds that a conversion may take."""


def run_module(module: str, *arguments: Path | str, precision: str | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m module ARGUMENTS` without a shell and without the hub; what it prints is kept.

    `precision` is one that the model is to have, beside what is fastest; None: what the environment says.
    Raises subprocess.TimeoutExpired after `PATIENCE` seconds.
    """
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH", "")) if part)
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        **OFFLINE,
        "TOKENIZERS_PARALLELISM": "false",
        # What torch computes here takes one thread 2 s; two that waited for each other on a busy machine took 24.
        "OMP_NUM_THREADS": "1",
        **({} if precision is None else {VARIABLE: precision}),
    }
    command = [sys.executable, "-P", "-m", module, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE, check=False)


def last_line(printed: bytes) -> str:
    """Return the last line of what a child printed: of a traceback, the error itself."""
    return printed.decode(errors="replace").strip().rpartition("\n")[2]
