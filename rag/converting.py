"""Models converted once, by a child process, and kept under the home folder with a receipt: all of it or nothing.

Knows folders, hashes and processes; what a graph is made of is known to the module that the child runs.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from pathlib import Path

from indexer.encoders.child import PATIENCE, last_line, run_module
from indexer.encoders.converted import write_file
from indexer.encoders.fingerprint import file_sha256
from indexer.errors import StorageError, UserError

RECEIPT = "receipt.json"
_HINT = "Check that there is memory and disk enough, then ask again"


def is_converted(converted: Path, format: int) -> bool:
    """Tell whether the graphs are there, in this format; `check_files` tells whether they are sound."""
    try:
        receipt = json.loads((converted / RECEIPT).read_bytes())
        return bool(receipt["format"] == format)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check_files(converted: Path, weights: bool = True) -> bool:
    """Tell whether every file is what the receipt says; without `weights`, only the small ones are hashed."""
    try:
        files = json.loads((converted / RECEIPT).read_bytes())["files"]
        hashed = {name: digest for name, digest in files.items() if weights or not name.endswith(".bin")}
        return bool(files) and all(file_sha256(converted / name) == digest for name, digest in hashed.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def convert_beside(
    source: Path,
    final: Path,
    tokenizer: Path,
    *,
    module: str,
    format: int,
    what: str,
    otherwise: str = "",
    precision: str | None = None,
) -> Path:
    """Convert the model in `source` by `python -m module SOURCE BUILT`, and publish it as `final`, which is returned.

    What is there already is replaced. `what` it is ("generator") and what may be done `otherwise` are for the errors;
    `precision` is one that it is to have, beside what is fastest.
    Raises UserError when it cannot be converted, StorageError when the disk refuses.
    """
    built = final.with_name(f".{final.name}.{secrets.token_hex(4)}.tmp")
    try:
        built.mkdir(parents=True)
        shutil.copyfile(tokenizer, built / tokenizer.name)
        _run_child(module, source, built, what, _HINT + (otherwise or "."), precision)
        files = {str(path.relative_to(built)): file_sha256(path) for path in sorted(built.rglob("*")) if path.is_file()}
        write_file(built / RECEIPT, json.dumps({"format": format, "files": files}, indent=1).encode())
        if final.exists():
            aside = final.with_name(f".{final.name}.{secrets.token_hex(4)}.old")
            final.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
        try:
            built.rename(final)
        except OSError:  # another process converted it meanwhile
            if not check_files(final):
                raise
    except OSError as error:
        raise StorageError(
            f"The converted {what} could not be written under {final.parent}: {error}.",
            hint="Free some space, or use another home.",
        ) from error
    finally:
        shutil.rmtree(built, ignore_errors=True)
    return final


def _run_child(module: str, source: Path, built: Path, what: str, hint: str, precision: str | None) -> None:
    try:
        done = run_module(module, source, built, precision=precision)
    except subprocess.TimeoutExpired as error:
        raise UserError(f"Converting the {what} took longer than {PATIENCE} seconds.", hint) from error
    if done.returncode:
        reason = last_line(done.stderr) or done.returncode
        raise UserError(f"The {what} in {source} could not be converted: {reason}", hint)
