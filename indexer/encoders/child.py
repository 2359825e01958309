"""Conversions run in a process of their own: what torch takes of memory is given back when they are done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from indexer.model_files import OFFLINE

PATIENCE = 900
"""Seconds that a conversion may take."""


def run_module(module: str, *paths: Path) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m module PATHS` without a shell and without the hub; what it prints is kept.

    Raises subprocess.TimeoutExpired after `PATIENCE` seconds.
    """
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH", "")) if part)
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        **OFFLINE,
        "TOKENIZERS_PARALLELISM": "false",
    }
    command = [sys.executable, "-P", "-m", module, *map(str, paths)]
    return subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE, check=False)


def last_line(printed: bytes) -> str:
    """Return the last line of what a child printed: of a traceback, the error itself."""
    return printed.decode(errors="replace").strip().rpartition("\n")[2]
