"""What a process does that is going to be killed, and what a fresh one says of what it left: run by `crash_run`.

Every function here runs in a process of its own. Sizes are small, so that a small world has many commits and segments.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401 - imported before the fork, so that each trial does not pay for it
import faiss  # noqa: F401

from indexer import segments, storage, sync, transfer
from indexer.collection import Collection
from indexer.doctor import examine
from indexer.dump import content_hash, dump
from indexer.errors import NotFound
from indexer.sync import Given, sync_files, sync_given
from tests.worlds import WordEncoder

NAME = "crash"

Texts = Mapping[str, str]


def make_small() -> None:
    """Set this process, which is no test's own, to sizes that fit a small world."""
    logging.disable(logging.WARNING)  # of damaged segments, which are damaged on purpose
    segments.SEAL_AT = 8
    sync.BATCH_CHUNKS = 6


class Acknowledged:
    """Appends to a file what was promised to be durable; what it wrote survives the death of its process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, sources: Sequence[str], generation: int) -> None:
        os.write(self._file, json.dumps({"sources": list(sources), "generation": generation}).encode() + b"\n")

    def say(self, word: str) -> None:
        os.write(self._file, json.dumps(word).encode() + b"\n")


def collection_in(home: Path, salt: str = "") -> Collection:
    return Collection(NAME, home, encoder=WordEncoder(salt))


def perform(home: Path, action: str, texts: Texts, files: Path, promised: Acknowledged) -> None:
    """Do one thing to the collection, as a person would have it done again after a crash."""
    collection = collection_in(home, salt="new" if action == "rebuild" else "")
    if action == "add":
        sync_given(collection, [Given(*each) for each in texts.items()], committed=promised)
    elif action == "remove":
        here = {entry.source for entry in collection.documents()}
        gone = sorted(here - set(texts))
        if gone:
            collection.remove(gone)
            promised(gone, collection.generation)
    elif action == "rebuild":
        sync_files(collection, [files], rebuild=True)
    elif action == "files":
        sync_files(collection, [files], committed=promised)
    elif action == "import":
        if not collection.exists:
            transfer.import_collection(home / "export.zip", collection)
    elif action == "repair":
        examine(collection, repair=True)
    else:
        raise ValueError(action)


def run(home: str, action: str, texts: Texts, files: str, kill: str, promises: str) -> None:
    """Perform, to be killed on the way; leaves with 0 when it was not."""
    make_small()
    os.environ["FOOTNOTE_KILL"] = kill or "io:999999999"
    promised = Acknowledged(Path(promises))
    promised.say("START")
    perform(Path(home), action, texts, Path(files), promised)
    promised.say("DONE")
    if not kill:
        Path(promises).with_suffix(".counts").write_text(json.dumps(storage._counts))
    sys.stdout.flush()
    os._exit(0)


def export(home: str, file: str) -> None:
    transfer.export_collection(collection_in(Path(home)), Path(file))


def save_state(home: str, file: str) -> None:
    make_small()
    Path(file).write_text(json.dumps(state(Path(home))))


def state(home: Path, salt: str = "") -> dict[str, Any]:
    """Return the documents by source and the doctor's complaints; documents None when there is no collection."""
    try:
        collection = collection_in(home, salt)
        made = collection.made.encoder
        collection = collection_in(home, made.removeprefix("words"))
        complaints = [f"{each.check}: {each.detail}" for each in examine(collection) if not each.healthy]
        documents = {each["source"]: each for each in dump(collection)}
        return {
            "documents": documents,
            "complaints": complaints,
            "generation": collection.generation,
            "hash": content_hash(collection),
            "encoder": made,
        }
    except NotFound:
        return {"documents": None, "complaints": [], "generation": -1, "hash": "", "encoder": ""}


def judge(home: str, action: str, texts: Texts, files: str, report: str) -> None:
    """As a fresh process: say what was left, finish the work, and say what is there then; or how that failed."""
    make_small()
    os.environ.pop("FOOTNOTE_KILL", None)
    place = Path(home)
    found: dict[str, Any] = {}
    try:
        found["left"] = state(place)
        perform(place, action, texts, Path(files), Acknowledged(Path(os.devnull)))
        sync_given(collection_in(place, collection_in(place).made.encoder.removeprefix("words")), [])  # the next writer
        found["finished"] = state(place)
        found["names"] = sorted(path.name for path in (place / "collections" / NAME).iterdir())
    except Exception:
        found["failed"] = traceback.format_exc()
    Path(report).write_text(json.dumps(found))
    os._exit(0)
