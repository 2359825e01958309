"""What a run was made with, so that the same manifest gives the same numbers: hashes of all that they hang on."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import math
import os
import platform
import sqlite3
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.errors import UsageError, UserError
from rag.reranking.reranker import NONE

if TYPE_CHECKING:
    from indexer.collection import Collection
    from rag.generator import Generator
    from rag.writing.few_shot import FewShot

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("numpy", "openvino", "tokenizers", "faiss-cpu", "torch", "transformers", "sqlalchemy", "ir_measures")
"""Those whose version may move a digit."""


def manifest(
    command: str,
    *,
    data: Mapping[str, Any],
    options: Mapping[str, Any],
    collection: Collection | None = None,
    generator: Mapping[str, Any] | None = None,
    reranker: str | None = None,
    seed: int = 7,
) -> dict[str, Any]:
    """Return the manifest of a run: `data` has the set's name and sha256, `options` what was asked for.

    `generator` is what `generator_entry` gives; of the collection its documents, chunks and encoder are taken, and the
    reranker that it remembers, where `reranker` names none. The seed is that of `rag.evaluation.intervals`.
    """
    ordered_by = reranker or (collection.reranker if collection is not None else None)
    return {
        "command": command,
        "data": dict(data),
        "collection": collection_entry(collection) if collection is not None else None,
        "generator": dict(generator) if generator is not None else None,
        **({"reranker": reranker_entry(ordered_by)} if ordered_by and ordered_by != NONE else {}),
        "code": {"version": _version("footnote"), "sha256": code_hash()},
        "options": dict(options),
        "seed": seed,
        "machine": machine(),
    }


def collection_entry(collection: Collection) -> dict[str, Any]:
    """Return a collection's name and encoder, and a hash over its documents' bytes and how they were cut up.

    `encoder_precision` is that of questions ("" where none was measured), `precisions` are those of the vectors. Where
    it lies and how often it was changed are no part of it. Chunks count in the order in which they break ties.
    """
    from sqlalchemy import select

    from indexer.encoders import precision
    from indexer.encoders.converted import converted_folder
    from indexer.precisions import recorded
    from indexer.schema import chunks, documents

    digest = hashlib.sha256()
    cut = select(chunks.c.start, chunks.c.end, documents.c.source, documents.c.sha256).join(documents)
    with collection.reading() as connection:
        for row in connection.execute(cut.order_by(chunks.c.id)):
            digest.update(json.dumps(list(row)).encode())
        made_in = recorded(connection)
    made = collection.made
    folder = converted_folder(made.fingerprint, collection.home)
    return {
        "name": collection.name,
        "sha256": digest.hexdigest(),
        "encoder": made.encoder,
        "encoder_fingerprint": made.fingerprint,
        "encoder_precision": precision.named(folder, collection.precision),
        "precisions": made_in,
        "pipeline": made.pipeline,
    }


def reranker_entry(folder: str) -> dict[str, str | None]:
    """Return how a reranker was named, and the hash of its files."""
    return {"asked_for": folder, "sha256": folder_hash(Path(folder).expanduser())}


def generator_entry(name: str | None, generator: Generator, few_shot: FewShot | None = None) -> dict[str, Any]:
    """Return how a generator was named and names itself, and the hash of its files, where it has a folder.

    Where it computes here, in which precision. Where it is shown examples, how many, and the hash of the file that they
    come from.
    """
    entry: dict[str, Any] = {
        "asked_for": name, "name": generator.name, "sha256": _files_hash(_files_of(name, generator)),
    }  # fmt: skip
    if precision := getattr(generator, "precision", ""):
        entry["precision"] = precision
    if few_shot is None or not few_shot.count:
        return entry
    return {**entry, "few_shot": {"count": few_shot.count, "sha256": _files_hash([few_shot.file])}}


def thresholds(generator: Generator, precision: float) -> dict[str, float]:
    """Return the least confidences that a generator answers at, "default" and where at most 1 - precision is wrong.

    The latter is left out where the generator's confidence is not calibrated, or promises no such share.
    """
    found = {"default": generator.threshold(None)}
    with contextlib.suppress(UsageError):
        found[at_most(precision)] = generator.threshold(float(at_most(precision)))
    return {name: float(least) for name, least in found.items() if math.isfinite(least)}


def at_most(precision: float) -> str:
    """Return the share of answers that may be wrong at a precision, as it is written: "0.1" of 0.9."""
    return f"{1 - precision:.6g}"


def _files_of(name: str | None, generator: Generator) -> list[Path]:
    """Return the files that a generator is made of, apart from this program's code."""
    from rag.generators import NAMES

    folder: Path | None = None
    if name is not None and name not in NAMES:
        if "://" in name:
            return []  # what answers at an address may change: that run is not said to repeat
        folder = _model_folder(name)
    if folder is None and generator.name == "copying":
        from rag.copying.folder import SHIPPED

        folder = SHIPPED
    if folder is not None:
        from rag.writing.soft_prompt import is_soft_prompt, read_soft_prompt

        read_by = _in_folder(read_soft_prompt(folder).base) if is_soft_prompt(folder) else []
        return _in_folder(folder) + read_by
    module = inspect.getsourcefile(type(generator))
    return [Path(module)] if module is not None else []


def _model_folder(name: str) -> Path | None:
    from rag.writing.language_model import find_language_model

    try:
        return find_language_model(name)
    except UserError:  # a class
        return None


def folder_hash(folder: Path) -> str | None:
    """Return a hash over the files of a model folder, None where it is empty."""
    return _files_hash(_in_folder(folder))


def _in_folder(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def run_name(command: str, data: str, made: Mapping[str, Any]) -> str:
    """Return what to call the folder of a run where nobody says: after its data and a hash of its manifest."""
    plain = "".join(character if character.isalnum() or character in "._-" else "-" for character in data)
    return f"{command}-{plain}-{hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:10]}"


def code_hash() -> str:
    """Return a hash over what this program is made of: the sources of `indexer` and `rag`, and their settings."""
    files = [path for floor in ("indexer", "rag") for path in (_ROOT / floor).rglob("*") if path.suffix in _CODE]
    return _files_hash(sorted(files)) or ""


_CODE = (".py", ".json")


def _files_hash(files: Iterable[Path]) -> str | None:
    """Return a hash over names and contents, None for no files."""
    digest, empty = hashlib.sha256(), True
    for path in files:
        with path.open("rb") as file:
            digest.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        empty = False
    return None if empty else digest.hexdigest()


def machine() -> dict[str, Any]:
    """Return what of this machine may move a digit: processor, system, and the versions of what computes."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: _version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
