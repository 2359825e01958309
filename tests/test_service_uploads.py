"""Uploads: bytes under generated names, whole or not at all; and changes that take turns and can be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.errors import Busy, NotFound, UsageError
from indexer.types import Progress, silent
from indexer.writer import write
from rag.service.changing import Changing, Done, Step
from rag.service.uploads import Uploads, received, take_in
from tests.worlds import WordEncoder, collection_of


async def pieces(*given: bytes | Exception) -> AsyncIterator[bytes]:
    for piece in given:
        if isinstance(piece, Exception):
            raise piece
        yield piece


def files(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "uploads").rglob("*") if path.is_file())


def test_pieces_become_one_file_with_its_label_beside_it(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    path = asyncio.run(received(uploads, "world", "a report.PDF", pieces(b"one ", b"", b"two " * 600_000)))
    assert path.read_bytes() == b"one " + b"two " * 600_000
    assert path.parent == tmp_path / "uploads" / "world"
    assert (path.suffix, uploads.label("world", str(path)), uploads.is_upload("world", str(path))) == (
        ".pdf",
        "a report.PDF",
        True,
    )
    assert uploads.of_label("world", "a report.PDF") == [str(path)]
    assert uploads.of_label("world", "another.pdf") == []
    uploads.drop("world", str(path))
    assert files(tmp_path) == []


def test_pieces_that_break_off_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="gone"):
        asyncio.run(received(Uploads(tmp_path), "world", "a.txt", pieces(b"one", ConnectionError("gone"))))
    assert files(tmp_path) == []


def test_what_was_not_uploaded_is_never_removed(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("Mine.")
    uploads = Uploads(tmp_path)
    uploads.drop("world", str(own))
    uploads.drop("world", f"{tmp_path}/uploads-not/x")
    assert own.exists()
    assert (uploads.label("world", str(own)), uploads.is_upload("world", str(own))) == ("", False)


@pytest.mark.parametrize("label", ["", " ", "a\x00", "a\u202e.txt", "\ud800", "x" * 201])
def test_a_label_that_cannot_be_shown_is_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(UsageError, match="An upload needs a name of at most 200 printable characters"):
        asyncio.run(received(Uploads(tmp_path), "world", label, pieces(b"a")))
    assert files(tmp_path) == []


@pytest.mark.parametrize("suffix", [".tar.gz", ".PDF", "", ".a b", ".12345678901", ".\u00fc"])
def test_a_suffix_is_kept_where_it_is_a_plain_one(tmp_path: Path, suffix: str) -> None:
    path = asyncio.run(received(Uploads(tmp_path), "world", f"a{suffix}", pieces(b"a")))
    assert path.suffix == {".tar.gz": ".gz", ".PDF": ".pdf"}.get(suffix, "")


def test_an_upload_that_meets_another_writer_leaves_nothing(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    uploads = Uploads(tmp_path)
    path = asyncio.run(received(uploads, "world", "a.txt", pieces(b"Salt is white.\n")))
    with write(collection, purpose="index"), pytest.raises(Busy, match="is writing to collection 'world'"):
        take_in(uploads, Collection("world", tmp_path, WordEncoder()), path, "a.txt", silent)
    assert files(tmp_path) == []


def test_an_upload_whose_collection_is_deleted_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    uploads = Uploads(tmp_path)
    path = asyncio.run(received(uploads, "world", "a.txt", pieces(b"Salt is white.\n")))
    collection.delete()
    with pytest.raises(NotFound, match="There is no collection 'world'"):
        take_in(uploads, Collection("world", tmp_path, WordEncoder()), path, "a.txt", silent)
    assert files(tmp_path) == []
    assert not collection.exists


def test_a_newer_version_that_cannot_be_read_leaves_the_older_one(tmp_path: Path) -> None:
    from indexer.errors import Unreadable

    collection = collection_of(tmp_path)
    uploads = Uploads(tmp_path)
    first = asyncio.run(received(uploads, "world", "a.txt", pieces(b"Salt is white.\n")))
    source, replaced, report = take_in(uploads, collection, first, "a.txt", silent)
    assert (source, replaced, report.added) == (str(first), False, 1)
    second = asyncio.run(received(uploads, "world", "a.txt", pieces(b"\x7fELF\x00\x00" * 99)))
    with pytest.raises(Unreadable, match=r"'a\.txt' could not be read: "):
        take_in(uploads, collection, second, "a.txt", silent)
    assert collection.document(str(first)).text == "Salt is white."
    assert len(files(tmp_path)) == 2
    assert collection.status().skipped == []


# Changes


def test_changes_of_one_collection_take_turns_and_others_do_not_wait() -> None:
    inside: list[str] = []
    most: dict[str, int] = {}

    def change_of(name: str) -> Callable[[Progress], None]:
        def change(_: Progress) -> None:
            inside.append(name)
            most[name] = max(most.get(name, 0), inside.count(name))
            time.sleep(0.05)
            inside.remove(name)

        return change

    async def run() -> None:
        changing = Changing(threads=4)
        names = ["a", "a", "a", "b"]
        await asyncio.gather(*(changing.run(name, change_of(name)) for name in names))

    asyncio.run(run())
    assert most == {"a": 1, "b": 1}


def test_a_change_tells_its_steps_and_its_result() -> None:
    def change(progress: Progress) -> str:
        progress("files", 1, 2)
        progress("files", 2, 2)
        return "done"

    async def run() -> list[object]:
        return [step async for step in Changing().listen("a", change)]

    assert asyncio.run(run()) == [Step("files", 1, 2), Step("files", 2, 2), Done("done")]


def test_a_change_that_nobody_waits_for_stops_at_its_next_step_and_the_next_one_has_its_turn() -> None:
    steps: Sequence[int] = []
    begun = threading.Event()

    def endless(progress: Progress) -> None:
        begun.set()
        for number in range(10_000):
            steps.append(number)  # type: ignore[attr-defined]
            progress("files", number, 0)
            time.sleep(0.001)

    async def run() -> str:
        changing = Changing()
        working = asyncio.ensure_future(changing.run("a", endless))
        await asyncio.to_thread(begun.wait)
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        return await changing.run("a", lambda _: "next")

    assert asyncio.run(run()) == "next"
    assert 0 < len(steps) < 10_000


def test_what_a_change_raises_is_raised() -> None:
    def bad(_: Progress) -> None:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        asyncio.run(Changing().run("a", bad))
