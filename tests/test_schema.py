"""The tables: what the migrations build, and which databases are opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from indexer import schema
from indexer.errors import Damaged, SchemaMismatch, StorageError


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "papers" / "epoch-000001" / "truth.db"
    path.parent.mkdir(parents=True)
    schema.migrate(path)
    return path


def test_the_migrations_build_the_tables_that_the_code_describes(database: Path) -> None:
    engine = schema.connect(database, write=False)
    with engine.connect() as connection:
        options = {"include_object": lambda _, name, kind, *__: kind != "table" or not name.startswith("words")}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.tables) == []
    engine.dispose()


def test_the_newest_migration_is_the_revision_the_code_names(database: Path) -> None:
    assert schema.check_identity(database) == schema.REVISION
    versions = Path(schema.__file__).parent / "migrations" / "versions"
    assert max(path.name[:4] for path in versions.glob("*.py")) == schema.REVISION


def test_migrating_what_is_new_already_changes_nothing(database: Path) -> None:
    before = database.read_bytes()
    schema.migrate(database)
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["truth.db"]


def test_an_older_database_is_copied_before_it_is_migrated(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO settings VALUES ('generation', '7')")
    connection.close()
    monkeypatch.setattr(schema, "REVISION", "0009")  # a version of tomorrow, whose migration has nothing to do
    for _ in range(2):
        schema.migrate(database)
    copy = sqlite3.connect(database.with_name("truth.db.before-0009"))
    assert copy.execute("SELECT value FROM settings").fetchall() == [("7",)]
    copy.close()


def test_a_newer_database_is_refused(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    connection.close()
    with pytest.raises(SchemaMismatch, match="has schema 0999; this version of Footnote knows up to 0005"):
        schema.check_identity(database)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(SchemaMismatch, match="is a database of another program"):
        schema.check_identity(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it has only 0 bytes"), (b"SQLite", "only 6 bytes"), (b"x" * 5000, "file is not a database")],
)
def test_what_is_no_database_is_damaged(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "papers" / "epoch-000001" / "truth.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(Damaged, match=reason) as caught:
        schema.check_identity(path)
    assert "--collection papers" in caught.value.hint


def test_a_reader_cannot_write(database: Path) -> None:
    engine = schema.connect(database, write=False)
    with engine.connect() as connection, pytest.raises(StorageError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM settings")
    engine.dispose()


def test_a_missing_database_is_not_made_by_a_reader(tmp_path: Path) -> None:
    engine = schema.connect(tmp_path / "no.db", write=False)
    with pytest.raises(StorageError, match="unable to open"):
        engine.connect()
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "50% of?what#ever é" / "truth.db"
    path.parent.mkdir()
    schema.migrate(path)
    assert schema.check_identity(path) == schema.REVISION


def test_a_reader_sees_one_state_however_long_it_reads(database: Path) -> None:
    reader, writer = schema.connect(database, write=False), schema.connect(database, write=True)
    with reader.connect() as connection:
        before = connection.execute(select(schema.settings)).all()
    with writer.begin() as connection:
        connection.execute(schema.settings.insert().values(key="a", value="1"))
        with reader.connect() as other:
            assert other.execute(select(schema.settings)).all() == before
    with reader.connect() as connection:
        assert len(connection.execute(select(schema.settings)).all()) == 1
    reader.dispose()
    writer.dispose()


def test_a_chunk_without_its_document_cannot_be_stored(database: Path) -> None:
    engine = schema.connect(database, write=True)
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), engine.begin() as connection:
        connection.execute(schema.vectors.insert().values(chunk_id=5, vector=b""))
    engine.dispose()


def test_words_follow_their_chunks_whatever_statement_changes_them(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(
            "INSERT INTO documents(source, sha256, origin, title, format, metadata, notes, repairs, sections, text) "
            "VALUES ('a', '', '', '', '', '{}', '[]', '{}', '[]', 'pump')"
        )
        connection.execute(
            'INSERT INTO chunks(document_id, start, "end", digest, simhash, numbers, context, text, bigrams) '
            "VALUES (1, 0, 4, x'00', 0, 0, '', 'pump', '')"
        )
        found = "SELECT rowid FROM words WHERE words MATCH ?"
        assert connection.execute(found, ("pump",)).fetchall() == [(1,)]
        connection.execute("UPDATE chunks SET text = 'valve'")
        assert connection.execute(found, ("pump",)).fetchall() == []
        assert connection.execute(found, ("valve",)).fetchall() == [(1,)]
        connection.execute("DELETE FROM chunks")
        assert connection.execute(found, ("valve",)).fetchall() == []
        connection.execute("INSERT INTO words(words, rank) VALUES ('integrity-check', 1)")
    connection.close()
