"""Collections at a glance: what a list of them shows, and what a word is completed with, in a few milliseconds.

Reads the database by itself, since SQLAlchemy takes longer to import than all of this; and only where everything is as
this version writes it. For any other collection it returns None: `collection.py` then says what is wrong.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.home import collection_folder
from indexer.identity import APPLICATION_ID, REVISION

_SEALED = "SELECT precision FROM segments"
_LOOSE = """SELECT DISTINCT precision FROM vectors
WHERE chunk_id > (SELECT coalesce(max(last_chunk), 0) FROM segments)"""
"""As `indexer.precisions.recorded`."""
_PATIENCE = 60
"""Seconds that a commit is waited for."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What a collection holds, in short."""

    name: str
    documents: int
    chunks: int
    generation: int
    encoder: str
    bytes: int
    precisions: tuple[str, ...]
    """In which the vectors were made; "" among them where that is not recorded."""


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document as a list shows it."""

    source: str
    title: str
    format: str
    chunks: int


def glance(home: Path, name: str) -> Glance | None:
    """Return what a collection holds; None where that is not to be read at a glance."""
    with contextlib.suppress(OSError, sqlite3.Error, ValueError, KeyError, TypeError), _reading(home, name) as opened:
        epoch, connection = opened
        settings = {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM settings")}
        (documents,) = connection.execute("SELECT count(*) FROM documents").fetchone()
        (chunks,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
        size = sum(path.stat().st_size for path in epoch.rglob("*") if path.is_file())
        precisions = {each for (row,) in connection.execute(_SEALED) for each in row.split(",")}
        precisions |= {row for (row,) in connection.execute(_LOOSE)}
        encoder = str(settings["made"]["encoder"])
        return Glance(name, documents, chunks, int(settings["generation"]), encoder, size, tuple(sorted(precisions)))
    return None


def listed_documents(home: Path, name: str) -> list[ListedDocument] | None:
    """Return the documents of a collection by source; None where they are not to be read at a glance."""
    with contextlib.suppress(OSError, sqlite3.Error, ValueError), _reading(home, name) as (_, connection):
        rows = connection.execute(
            "SELECT source, title, format, (SELECT count(*) FROM chunks WHERE document_id = documents.id) "
            "FROM documents ORDER BY source"
        )
        return [ListedDocument(*row) for row in rows]
    return None


def document_origin(home: Path, name: str, source: str) -> str | None:
    """Return "file", or "given" for a text without one; None where that is not to be known at a glance."""
    with contextlib.suppress(OSError, sqlite3.Error, ValueError), _reading(home, name) as (_, connection):
        row = connection.execute("SELECT origin FROM documents WHERE source = ?", (source,)).fetchone()
        return None if row is None else str(row[0])
    return None


@contextlib.contextmanager
def _reading(home: Path, name: str) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """Open the epoch that counts and one state of its database, as `schema.connect` does. Raises what goes wrong."""
    folder = collection_folder(home, name)
    epoch = folder / (folder / "CURRENT").read_text(encoding="utf-8").strip()
    database = epoch / "truth.db"
    if epoch.parent != folder or database.stat().st_size < 100:
        raise ValueError("not a collection as we write it")
    mode = "rw" if os.access(epoch, os.W_OK) else "ro"  # only a writer can roll back what a killed one left
    uri = f"{database.absolute().as_uri()}?mode={mode}"
    with contextlib.closing(sqlite3.connect(uri, timeout=_PATIENCE, uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("BEGIN")
        (identity,) = connection.execute("PRAGMA application_id").fetchone()
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if (identity, revision) != (APPLICATION_ID, REVISION):
            raise ValueError("a database of another program or version")
        yield epoch, connection
