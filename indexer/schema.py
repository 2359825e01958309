"""The truth: one SQL database a collection, its tables, and how it is opened.

It knows rows and connections; what the rows mean together is `collection.py`'s. Changes to the tables are alembic
migrations (`indexer/migrations/`), and a test compares what they build with what stands here.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    exc,
)
from sqlalchemy.engine import Connection, Engine, make_url

from indexer import storage
from indexer.errors import Damaged, SchemaMismatch, StorageError
from indexer.identity import APPLICATION_ID as APPLICATION_ID
from indexer.identity import REVISION as REVISION

WRITER_PATIENCE = 30
"""Seconds that a commit waits for readers to end. New readers wait behind it, so theirs must be longer."""
READER_PATIENCE = 60
"""Seconds that a reader waits for a commit to end."""

tables = MetaData()

settings = Table(
    "settings",
    tables,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
)

documents = Table(
    "documents",
    tables,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False, unique=True),
    Column("sha256", Text, nullable=False),
    Column("origin", Text, nullable=False),  # "file" when it can be read again from disk, "given" when it cannot
    Column("title", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("modified", Text),  # ISO date of the file, UTC; for filters only, never to decide what changed
    Column("metadata", Text, nullable=False),  # JSON object
    Column("notes", Text, nullable=False),  # JSON list
    Column("repairs", Text, nullable=False),  # JSON object
    Column("sections", Text, nullable=False),  # JSON list of [start, end, kind, level, page, line]
    Column("text", Text, nullable=False),
    sqlite_autoincrement=True,
)

chunks = Table(
    "chunks",
    tables,
    Column("id", Integer, primary_key=True),  # never used again: FAISS segments cover ranges of it
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("page", Integer),
    Column("line", Integer),
    Column("digest", LargeBinary(32), nullable=False),  # of what the encoder reads: equal digest, equal vector
    Column("simhash", Integer, nullable=False),
    Column("numbers", Integer, nullable=False),
    Column("context", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("bigrams", Text, nullable=False),
    Column("language", Text, nullable=False, server_default=""),  # ISO 639-1; see `indexer.stems`
    Column("stems", Text, nullable=False, server_default=""),
    Index("ix_chunks_digest", "digest"),
    Index("ix_chunks_language", "language"),
    sqlite_autoincrement=True,
)

names = Table(
    "names",  # what a question may call by name; see `indexer.names`
    tables,
    Column("form", Text, primary_key=True),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("chunk_id", Integer, primary_key=True),  # 0: the document is called so, not one of its chunks
    Column("match", Integer, nullable=False),
    sqlite_with_rowid=False,
)

vectors = Table(
    "vectors",
    tables,
    Column("chunk_id", ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # float32, little endian, length one
    Column("precision", Text, nullable=False, server_default=""),  # in which it was made; see `indexer.precisions`
)

tombstones = Table(
    "tombstones",  # chunks that are gone from the truth but still stand in a published segment
    tables,
    Column("chunk_id", Integer, primary_key=True),
)

segments = Table(
    "segments",  # the manifest of the FAISS cache: a file without its row does not exist
    tables,
    Column("id", Integer, primary_key=True),
    Column("file", Text, nullable=False, unique=True),
    Column("first_chunk", Integer, nullable=False),
    Column("last_chunk", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("dim", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("precision", Text, nullable=False, server_default=""),  # those of its vectors, separated by commas
    sqlite_autoincrement=True,
)

skipped = Table(
    "skipped",
    tables,
    Column("source", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("seen", Float, nullable=False),  # seconds since 1970
)


def connect(path: Path, *, write: bool) -> Engine:
    """Return an engine on the database at `path`, which must exist unless `write`.

    A reader's transaction is one snapshot (BEGIN); a writer's takes the write lock at its start (BEGIN IMMEDIATE), so
    that it never fails half way. The journal is the rollback journal: SQLite 3.7.0 to 3.51.2 has the WAL-reset bug,
    and Debian 12 ships 3.40.1. Readers open read-write where they may, since only then can SQLite roll back the
    journal of a killed writer; `query_only` keeps them from changing anything.
    """
    mode = "rwc" if write else "rw"
    if not write and not os.access(path.parent, os.W_OK):
        mode = "ro"
    url = make_url("sqlite+pysqlite://").set(database=f"file:{_quoted(path)}", query={"mode": mode, "uri": "true"})
    engine = create_engine(
        url, connect_args={"check_same_thread": False}, pool_size=16, max_overflow=-1, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves; the driver's own would not be a snapshot
        connection.execute(f"PRAGMA busy_timeout={1000 * (WRITER_PATIENCE if write else READER_PATIENCE)}")
        for pragma in ("foreign_keys=ON", "mmap_size=0", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
        if write:
            # A spilled page would take the exclusive lock before the commit and make readers wait all that time.
            # EXTRA also makes the removal of the journal durable: without it a power cut may take back a commit.
            for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "cache_spill=OFF"):
                connection.execute(f"PRAGMA {pragma}")
        else:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    if write:

        @event.listens_for(engine, "before_cursor_execute")
        def executing(*_: Any) -> None:
            with storage.told(path):
                storage.touch("execute")

        @event.listens_for(engine, "commit")
        def committing(_: Connection) -> None:
            with storage.told(path):
                storage.touch("commit")

    @event.listens_for(engine, "handle_error")
    def translate(context: Any) -> None:
        translated = explain(context.original_exception, path)
        if translated is not None:
            raise translated from context.original_exception

    return engine


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.absolute()))


def explain(error: BaseException, path: Path) -> StorageError | None:
    """Return what a person should be told of a SQLite error, or None when it is a mistake of ours."""
    if not isinstance(error, sqlite3.Error):
        return None
    text = str(error)
    if isinstance(error, sqlite3.OperationalError) and "locked" in text:
        return StorageError(
            f"{path} was in use for longer than {WRITER_PATIENCE} seconds.",
            "Another program holds it open in a transaction; end that one, then run the same command again: "
            "nothing that was stored is lost.",
        )
    if "disk is full" in text or "disk I/O error" in text:
        return StorageError(
            f"Cannot write {path}: {text}.", "Make room or check the disk; the last complete state still stands."
        )
    if "readonly" in text or "unable to open" in text:
        return StorageError(f"Cannot open {path}: {text}.", "Check that the file is there and that you may read it.")
    if any(sign in text for sign in ("image is malformed", "not a database", "corrupt", "constructor failed")):
        return damaged(path, text)
    return None


def damaged(path: Path, reason: str) -> Damaged:
    """Return the error for a database that does not read: the words to say, and the way back."""
    collection = path.parent.parent.name
    return Damaged(
        f"The database of collection {collection!r} is damaged ({reason}): {path}",
        f"Run: footnote doctor --collection {collection}. To restore, import an export, or move the folder "
        f"{path.parent.parent} away and index the documents again.",
    )


def check_identity(path: Path) -> str:
    """Return the revision of the database at `path` without migrating it ("" when it has none yet).

    Raises SchemaMismatch when it belongs to another program or to a newer version, and Damaged when it is no SQLite
    database. Reads plain SQL on purpose: alembic takes 0.4 s to import, and a query must not pay that.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size < 100:
        raise damaged(path, f"it has only {size} bytes")
    # Never opened by ourselves: closing a file drops all POSIX locks this process holds on it, SQLite's included.
    engine = connect(path, write=False)
    try:
        with engine.connect() as connection:
            if connection.exec_driver_sql("PRAGMA application_id").scalar() != APPLICATION_ID:
                raise SchemaMismatch(
                    f"{path} is a database of another program.", "Choose another --home, or move that file away."
                )
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except exc.OperationalError as error:
        raise damaged(path, "its tables are missing") from error
    finally:
        engine.dispose()
    revision = str(found or "")
    if revision > REVISION:
        raise SchemaMismatch(
            f"{path} has schema {revision}; this version of Footnote knows up to {REVISION}.",
            "Upgrade Footnote: pip install --upgrade footnote",
        )
    return revision


def migrate(path: Path) -> None:
    """Bring the database at `path` to the newest schema, creating it if need be; the caller holds the writer's lock.

    An older database is copied beside itself first (`truth.db.before-REVISION`).
    """
    from alembic import command
    from alembic.config import Config

    if path.exists() and path.stat().st_size:
        revision = check_identity(path)
        if revision == REVISION:
            return
        _copy(path, path.with_name(f"{path.name}.before-{REVISION}"))
    engine = connect(path, write=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _copy(path: Path, copy: Path) -> None:
    """Copy a database through SQLite, which also sees a killed writer's journal and keeps its own locks."""
    with storage.told(copy), contextlib.suppress(FileNotFoundError):
        copy.unlink()
    engine = connect(path, write=False)
    try:
        with engine.connect() as connection, storage.told(copy):
            connection.exec_driver_sql("SELECT 1 FROM settings").all()
            target = sqlite3.connect(copy)
            try:
                connection.connection.driver_connection.backup(target)  # type: ignore[union-attr]
            finally:
                target.close()
    finally:
        engine.dispose()
