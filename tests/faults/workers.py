"""Processes that the fault tests start: `python -m tests.faults.workers NAME HOME ...`; each says a line of JSON."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexer import segments, sync
from indexer.collection import Collection
from indexer.dump import content_hash
from indexer.errors import UserError
from indexer.sync import Given, sync_given
from indexer.writer import write
from tests.worlds import WordEncoder, article

NAME = "world"


def texts(seed: int, count: int = 6) -> list[Given]:
    return [Given(f"n{number}", article(f"topic{number}", 2, seed)) for number in range(count)]


def collection(home: str) -> Collection:
    return Collection(NAME, home, encoder=WordEncoder())


def add(home: str, seed: str) -> Any:
    """Store one generation of texts, every commit of them, and publish."""
    segments.SEAL_AT = 4
    sync.BATCH_CHUNKS = 4
    return collection(home).add(texts(int(seed))).to_json()


def add_limited(home: str, seed: str, most_bytes: str) -> Any:
    """The same, where no file may grow beyond so many bytes."""
    import alembic.command  # noqa: F401 - whatever writes bytecode does so before the limit

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most_bytes), int(most_bytes)))
    return add(home, seed)


def look(home: str) -> Any:
    """Say what is there, through both arms of the search."""
    found = collection(home)
    with found.view() as view:
        dense = [hit.chunk_id for hit in view.dense(WordEncoder().embed_queries(["topic1 amber1"])[0], 3)]
        return {"hash": content_hash(found), "dense": dense, "words": len(view.words("topic1", 50))}


def add_with_few_files(home: str, seed: str) -> Any:
    """The same as `add`, and then a search, with 64 file descriptors."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    report = add(home, seed)
    for _ in range(100):
        look(home)
    return report


def hold(home: str, seconds: str) -> Any:
    """Hold the writer's lock in the middle of a transaction, and say when."""
    with write(collection(home), purpose="hold") as writer, writer.reading() as connection:
        connection.exec_driver_sql("UPDATE documents SET title = 'half a batch'")
        sys.stdout.write(json.dumps({"holding": os.getpid()}) + "\n")
        sys.stdout.flush()
        time.sleep(float(seconds))
    return {}


def embed_slowly(home: str) -> Any:
    """Index with an encoder that takes its time, so that a signal arrives in the middle of a batch."""

    class Slow(WordEncoder):
        def embed_passages(self, texts: Any, progress: Any = None) -> Any:
            sys.stdout.write(json.dumps({"embedding": os.getpid()}) + "\n")
            sys.stdout.flush()
            time.sleep(20)
            return super().embed_passages(texts)

    try:
        Collection(NAME, home, encoder=Slow()).add(texts(9))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    return {}


def generations(home: str, count: str) -> Any:
    """Store many generations, noting the hash of each; every third is a rebuild."""
    segments.SEAL_AT = 4
    place = collection(home)
    hashes = [content_hash(place)]
    for number in range(int(count)):
        if number % 5 == 4:
            sync.sync_files(place, [], rebuild=True)
        else:
            sync_given(place, texts(number))
        hashes.append(content_hash(place))
    return hashes


def vectors_refused(home: str) -> Any:
    """Try to store every kind of vector that must not be stored; asserts are off under `python -O`."""
    import numpy as np

    row = np.eye(32, dtype=np.float32)[:1]
    wrong = {
        "nan": row * np.nan, "infinite": row * np.inf, "zero": row * 0, "long": row * 2, "short": row[:, :31],
        "flat": row[0], "whole numbers": row.astype(np.int64), "text": np.array([["a"] * 32]),
    }  # fmt: skip
    right = {"float64": row.astype(np.float64), "not contiguous": np.eye(64, dtype=np.float32)[:1, ::2]}
    said = {}
    with write(collection(home), purpose="test") as writer:
        for name, rows in (wrong | right).items():
            try:
                writer.as_bytes(rows)
                said[name] = "taken"
            except UserError as error:
                said[name] = type(error).__name__
    for name, ids in {"twice": [3, 3], "negative": [-1, 3]}.items():
        try:
            segments.build(np.asarray(ids), np.repeat(row, 2, axis=0))
            said[name] = "taken"
        except UserError as error:
            said[name] = type(error).__name__
    return said


WORKERS: dict[str, Callable[..., Any]] = {
    worker.__name__: worker
    for worker in (add, add_limited, look, add_with_few_files, hold, embed_slowly, generations, vectors_refused)
}


def main() -> int:
    """Run a worker; a UserError is told as the command line tells it."""
    try:
        answer = WORKERS[sys.argv[1]](*sys.argv[2:])
    except UserError as error:
        answer = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
        sys.stdout.write(json.dumps(answer) + "\n")
        return error.exit_code
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


def command(*arguments: str, options: tuple[str, ...] = ()) -> tuple[list[str], Path]:
    """Return the command that runs a worker, and the folder to run it in."""
    return [sys.executable, *options, "-m", "tests.faults.workers", *arguments], Path(__file__).parents[2]


if __name__ == "__main__":
    sys.exit(main())
