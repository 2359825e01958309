"""Whole collections: a glance at them, deleting, renaming."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from indexer import storage
from indexer.collection import Collection
from indexer.errors import Busy, NotFound, UsageError
from indexer.glance import Glance, ListedDocument, glance, listed_documents
from indexer.upkeep import delete_collection, rename_collection
from tests.worlds import PASSAGES, WordEncoder, collection_of


@pytest.fixture
def world(tmp_path: Path) -> Collection:
    return collection_of(tmp_path)


def test_a_glance_tells_what_the_status_tells(world: Collection) -> None:
    status = world.status()
    assert glance(world.home, "world") == Glance("world", 4, 4, status.generation, "words", status.bytes, ("",))
    assert listed_documents(world.home, "world") == [
        ListedDocument(entry.source, entry.title, entry.format, entry.chunks) for entry in world.documents()
    ]


def test_an_empty_collection_has_no_documents_to_list(tmp_path: Path) -> None:
    Collection("world", tmp_path, encoder=WordEncoder()).add([])
    assert listed_documents(tmp_path, "world") == []


@pytest.mark.parametrize("harm", ["gone", "short", "stranger", "newer", "elsewhere", "no tables"])
def test_what_is_not_as_it_should_be_is_left_to_those_who_can_say_what_is_wrong(world: Collection, harm: str) -> None:
    database = world.database
    world.close()
    if harm == "gone":
        database.unlink()
    elif harm == "short":
        database.write_bytes(b"x")
    elif harm == "elsewhere":
        (world.folder / "CURRENT").write_text("../../secret")
    else:
        with contextlib.closing(sqlite3.connect(database)) as connection, connection:
            if harm == "stranger":
                connection.execute("PRAGMA application_id = 7")
            elif harm == "newer":
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
            else:
                connection.execute("DROP TABLE chunks")
    assert glance(world.home, "world") is None
    if harm != "no tables":
        assert listed_documents(world.home, "world") is None
    assert glance(world.home, "nothing") is None


def test_a_glance_changes_nothing_and_waits_for_no_writer(world: Collection) -> None:
    with storage.exclusive_lock(world.folder / "LOCK", "test"):
        found = glance(world.home, "world")
    assert found is not None
    assert found.documents == 4


def test_deleting_takes_the_copies_of_uploads_along_and_no_other_file(world: Collection) -> None:
    for name in ("world", "other"):
        (world.home / "uploads" / name).mkdir(parents=True)
        (world.home / "uploads" / name / "file.pdf").write_bytes(b"x")
    delete_collection(world)
    assert not world.folder.exists()
    assert [path.name for path in (world.home / "uploads").iterdir()] == ["other"]
    assert len([path for path in (world.home / "files").rglob("*") if path.is_file()]) == len(PASSAGES)
    with pytest.raises(NotFound, match="no collection 'world'"):
        delete_collection(world)


def test_a_renamed_collection_is_the_same_under_another_name(world: Collection) -> None:
    before = (world.status(), [entry.sha256 for entry in world.documents()])
    renamed = rename_collection(world, "planet")
    assert not world.exists
    assert (renamed.name, renamed.generation) == ("planet", before[0].generation)
    assert [entry.sha256 for entry in renamed.documents()] == before[1]
    with renamed.view() as view:
        assert view.words("pump", 5)
    with pytest.raises(NotFound, match="no collection 'world'"):
        rename_collection(world, "again")


def test_a_name_that_is_taken_or_none_is_refused(world: Collection) -> None:
    Collection("other", world.home, encoder=world.wanted_encoder).add([])
    with pytest.raises(UsageError, match="The name 'other' is taken"):
        rename_collection(world, "other")
    with pytest.raises(UsageError, match="The name 'world' is taken"):
        rename_collection(world, "world")
    with pytest.raises(UsageError, match=r"'\.\./x' cannot be the name"):
        rename_collection(world, "../x")
    assert world.exists


def test_a_collection_with_uploads_keeps_its_name(world: Collection) -> None:
    """They lie under it: a new collection of the old name would take them for its own."""
    (world.home / "uploads" / "world").mkdir(parents=True)
    rename_collection(world, "planet")
    planet = Collection("planet", world.home)
    (world.home / "uploads" / "planet").mkdir()
    (world.home / "uploads" / "planet" / "file.pdf").write_bytes(b"x")
    with pytest.raises(UsageError, match="Files were uploaded to 'planet'"):
        rename_collection(planet, "world")
    assert planet.exists


def test_nobody_renames_under_a_writer(world: Collection) -> None:
    with storage.exclusive_lock(world.folder / "LOCK", "test"), pytest.raises(Busy, match="is writing to"):
        rename_collection(world, "planet")
    assert world.exists
