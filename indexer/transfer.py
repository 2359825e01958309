"""A collection as one file, for moving and for keeping: written from one state of it, read only after every check.

The file is a zip of `manifest.json` (version, counts, how it was made, bytes and SHA-256 of the others),
`documents.jsonl`, `chunks.jsonl` and `vectors.f32` (float32, little endian, row after row). It holds no FAISS index:
that is made again. Nothing in it is ever extracted to disk.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shlex
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import func, select

from indexer import storage
from indexer.arrivals import CHUNKS, DOCUMENTS, FORMAT, MANIFEST, VECTORS, VERSION, Arrival
from indexer.collection import Collection, made_in
from indexer.dump import document_values, stored_chunks, stored_documents
from indexer.errors import ImportRefused, NotFound, StorageError, UsageError
from indexer.precisions import likeness_in, running
from indexer.schema import chunks, documents
from indexer.types import Progress, silent

if TYPE_CHECKING:
    from sqlalchemy.engine import Row

    from indexer.writer import Writer

BATCH = 200
"""Documents in one transaction of an import."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export file holds."""

    file: str
    documents: int
    chunks: int
    bytes: int


def export_collection(collection: Collection, file: Path, progress: Progress = silent) -> Exported:
    """Write a collection to one zip file, from one consistent state, and return what was written.

    The file is there whole or not at all; one of that name is replaced. The same content gives the same bytes. Reads
    row by row, so memory stays small; a writer's commit waits meanwhile.
    Raises NotFound when there is no such collection or no folder for the file, StorageError when the disk refuses.
    """
    collection.epoch()  # says that there is no such collection
    _check_destination(file)
    with collection.reading() as connection:
        made, _ = made_in(connection)
        usual = running(made.fingerprint, collection.home).usual
        counts = {
            "documents": connection.execute(select(func.count(documents.c.id))).scalar_one(),
            "chunks": connection.execute(select(func.count(chunks.c.id))).scalar_one(),
        }
        numbers: dict[int, int] = {}

        def document_rows() -> Iterator[dict[str, Any]]:
            for number, row in enumerate(stored_documents(connection)):
                numbers[row.id] = number
                progress("documents", number + 1, counts["documents"])
                yield document_values(row)

        with storage.new_file(file, kill_point="export") as target, zipfile.ZipFile(target, "w") as archive:
            members = {
                DOCUMENTS: _write(archive, DOCUMENTS, map(_line, document_rows())),
                CHUNKS: _write(
                    archive, CHUNKS, (_line(_chunk_values(row, numbers, usual)) for row in stored_chunks(connection))
                ),
                VECTORS: _write(archive, VECTORS, (row.vector for row in stored_chunks(connection))),
            }
            manifest = {
                "format": FORMAT,
                "version": VERSION,
                "made": asdict(made),
                "likeness": likeness_in(connection),
                "counts": counts,
                "members": members,
            }
            _write(archive, MANIFEST, [json.dumps(manifest, indent=1, sort_keys=True).encode()])
    return Exported(str(file), counts["documents"], counts["chunks"], file.stat().st_size)


def _check_destination(file: Path) -> None:
    """Raise for a place that no file can be written to, in the words of someone who exports."""
    folder = file.parent
    if not folder.is_dir():
        raise NotFound(
            f"There is no folder {folder} to write {file.name} into.",
            f"Make it first: mkdir -p {shlex.quote(str(folder))}",
        )
    if file.is_dir():
        raise UsageError(f"{file} is a folder.", f"Name a file in it: {file / 'NAME.footnote'}")
    if not os.access(folder, os.W_OK):
        raise StorageError(f"You may not write into {folder}.", "Name a file in a folder that you may write to.")


def _chunk_values(row: Row[Any], numbers: dict[int, int], usual: str) -> dict[str, Any]:
    """Return a chunk as JSON values; a precision that is not recorded is the `usual` one of this machine."""
    return {
        "document": numbers[row.document_id],
        "start": row.start,
        "end": row.end,
        "context": row.context,
        "text": row.text,
        "precision": row.precision or usual,
    }


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def _write(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> dict[str, int | str]:
    """Write one member piece by piece, and return how long it is and its hash."""
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    # Vectors are noise to a compressor.
    member.compress_type = zipfile.ZIP_STORED if name == VECTORS else zipfile.ZIP_DEFLATED
    digest, length = hashlib.sha256(), 0
    target: IO[bytes]
    with archive.open(member, "w", force_zip64=True) as target:
        for piece in pieces:
            target.write(piece)
            digest.update(piece)
            length += len(piece)
    return {"bytes": length, "sha256": digest.hexdigest()}


def import_collection(file: Path, collection: Collection, progress: Progress = silent) -> Exported:
    """Make a collection, which must not exist yet, of an export file, and return what it held.

    Everything is checked first or while it is built beside; the collection is there complete or not at all.
    Raises NotFound for a file that is not there, and ImportRefused, with what is wrong, for one that is not a whole and
    consistent export.
    """
    from indexer.writer import create

    if collection.exists and file.exists():
        raise ImportRefused(
            f"There is a collection {collection.name!r} already.", "Import under another name: --collection NAME"
        )
    with Arrival(file, collection.folder) as arrival:
        arrival.verify(progress)

        def fill(writer: Writer) -> None:
            rows = arrival.prepared(writer.as_bytes)
            done = 0
            while batch := list(itertools.islice(rows, BATCH)):
                writer.put(batch)
                done += len(batch)
                progress("documents", done, arrival.documents)
            writer.note_likeness(arrival.likeness)

        with storage.exclusive_lock(collection.folder / "LOCK", "import"):
            if collection.exists:
                raise ImportRefused(f"Collection {collection.name!r} was made meanwhile.", "Import under another name.")
            create(collection, arrival.made, fill)
        return Exported(str(file), arrival.documents, arrival.chunks, file.stat().st_size)
