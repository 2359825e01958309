"""Converted encoders on disk: `home/encoders/<fingerprint>/`, with a receipt that is written last.

Knows folders, hashes and settings; knows nothing of how a model is converted or run.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexer.errors import EncoderError

FORMAT = 1
"""Raised when the files' meaning changes: older folders are then converted again."""
CONVERTING = ".converting"
"""Locked under the home folder while a model is converted: of two processes that need it, the second waits."""
RECEIPT = "receipt.json"
MODEL = "model.xml"
TOKENIZER = "tokenizer.json"
_HINT = "Run the indexing again, or doctor: either converts the encoder anew."


@dataclass(frozen=True, slots=True)
class Settings:
    """What is needed to run a converted encoder, as its receipt keeps it."""

    fingerprint: str
    name: str
    """The name or folder under which it was first opened."""
    dim: int
    max_length: int
    """Most tokens read, special ones and prompt included."""
    pad_id: int
    query_prompt: str
    passage_prompt: str
    runs_through: str
    """"openvino", "torch" when the conversion was not faithful, or "static" where there is a table and no model."""
    reason: str = ""
    """Why it runs through torch."""
    cosine: float = 0.0
    """Smallest cosine to sentence-transformers on the probe sentences."""
    languages: Sequence[str] = field(default_factory=list)
    """Those that its model card names; none in a receipt of an older version."""


def converted_folder(fingerprint: str, home: Path) -> Path:
    """Return the folder of a converted encoder, whether it exists or not."""
    if len(fingerprint) != 64 or not set(fingerprint) <= set("0123456789abcdef"):
        raise EncoderError(f"'{fingerprint}' is not the fingerprint of an encoder.")
    return home / "encoders" / fingerprint


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was converted: settings, and the size and hash of each file."""

    settings: Settings
    files: Mapping[str, Any]


def read_receipt(fingerprint: str, home: Path) -> Receipt:
    """Return the receipt of a converted encoder; `check_files` tells whether the files still agree with it.

    Raises EncoderError when there is none, or it does not read.
    """
    try:
        receipt = json.loads((converted_folder(fingerprint, home) / RECEIPT).read_bytes())
    except FileNotFoundError:
        raise EncoderError(f"The encoder {fingerprint[:12]} is not converted on this machine.", hint=_HINT) from None
    except (OSError, ValueError) as error:
        raise EncoderError(f"The receipt of encoder {fingerprint[:12]} does not read: {error}.", hint=_HINT) from error
    try:
        if receipt["format"] != FORMAT:
            raise EncoderError(f"The encoder {fingerprint[:12]} was converted by another version.", hint=_HINT)
        found = Receipt(Settings(**receipt["settings"]), dict(receipt["files"]))
    except (KeyError, TypeError, ValueError) as error:
        raise EncoderError(f"The receipt of encoder {fingerprint[:12]} is not complete.", hint=_HINT) from error
    if found.settings.fingerprint != fingerprint:
        raise EncoderError(f"The receipt of encoder {fingerprint[:12]} is another encoder's.", hint=_HINT)
    return found


def check_files(receipt: Receipt, home: Path, names: Sequence[str] = ()) -> None:
    """Compare the size and hash of files (of all, without `names`) with the receipt.

    Raises EncoderError for the first that differs.
    """
    folder = converted_folder(receipt.settings.fingerprint, home)
    for name in names or receipt.files:
        if _described(folder / name) != receipt.files.get(name):
            raise EncoderError(
                f"The file {name} of encoder {receipt.settings.fingerprint[:12]} is damaged or missing.", hint=_HINT
            )


def publish(built: Path, settings: Settings, home: Path) -> None:
    """Make the files in `built` the converted encoder: all of them or none, receipt last.

    A folder that is already there is taken for damaged and replaced.
    """
    folder = converted_folder(settings.fingerprint, home)
    files = {path.name: _described(path) for path in sorted(built.iterdir())}
    for path in built.iterdir():
        _fsync(path)
    receipt: Mapping[str, Any] = {"format": FORMAT, "settings": asdict(settings), "files": files}
    write_file(built / RECEIPT, json.dumps(receipt, indent=1, sort_keys=True).encode())
    if folder.exists():  # a folder cannot be replaced by rename unless it is empty
        aside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.old")
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    built.rename(folder)
    _fsync(folder.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: temporary name, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _fsync(path.parent)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _described(path: Path) -> dict[str, int | str] | None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return {"bytes": file.tell(), "sha256": digest}
    except OSError:
        return None
