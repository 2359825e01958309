"""What was promoted and taken back, written down beside the collections: enough to go back.

HOME/promotions/COLLECTION.json   the entries, the last at the end
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer import storage
from indexer.errors import UserError

if TYPE_CHECKING:
    from indexer.collection import Collection


@dataclass(frozen=True, slots=True)
class State:
    """What a collection searches and answers with."""

    encoder: str
    fingerprint: str
    """Of the encoder."""
    reranker: str | None
    generator: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the record."""

    kind: str
    """"encoder", "reranker", "generator", or "rollback"."""
    run: str
    before: State
    after: State
    when: str
    scores: Mapping[str, Any] = field(default_factory=dict)


def state_of(collection: Collection) -> State:
    """Return what a collection searches and answers with. Raises NotFound where there is none."""
    made = collection.made
    return State(made.encoder, made.fingerprint, collection.reranker, collection.generator)


def history(collection: Collection) -> list[Entry]:
    """Return what was promoted and taken back, the last at the end. Raises UserError where the record is damaged."""
    file = _file(collection)
    try:
        rows = json.loads(file.read_bytes())
        return [Entry(**{**row, "before": State(**row["before"]), "after": State(**row["after"])}) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{file} does not read: {error}.", "Move it away; what was promoted stays as it is.") from error


def _file(collection: Collection) -> Path:
    return collection.home / "promotions" / f"{collection.name}.json"


def record(collection: Collection, entry: Entry) -> None:
    """Write an entry down, after those that there are."""
    rows = [asdict(each) for each in [*history(collection), entry]]
    storage.make_folder(_file(collection).parent)
    storage.write_file(_file(collection), (json.dumps(rows, indent=1) + "\n").encode())


def now() -> str:
    """Return the time as it stands in an entry: ISO 8601, in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
