"""In which precisions the vectors of a collection were made, and whether such vectors may live together.

The precision stands beside each vector, those that a segment holds beside the segment, and how like each is to single
precision, as measured where the vectors were made, in the settings. So an export takes it along.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from indexer.errors import EncoderMismatch, UserError
from indexer.schema import chunks, segments, settings, vectors

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from indexer.encoder import Encoder

UNKNOWN = ""
"""The precision of vectors that an older version made, or an encoder that does not tell."""
LIKENESS = "likeness"
"""The key of the settings under which the likeness to single precision stands, by precision: mean and least."""

Likeness = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Running:
    """In which precision an encoder runs on this machine, and what was measured when it was converted."""

    name: str
    """UNKNOWN where the encoder does not tell."""
    usual: str = UNKNOWN
    """The one that was measured to be fastest: what vectors of older versions are taken to be made in."""
    likeness: Likeness = field(default_factory=dict)


def running(fingerprint: str, home: Path, encoder: Encoder | None = None, asked: str | None = None) -> Running:
    """Return how an encoder runs here: the open one, or else as it would be opened; `asked` is the precision wanted."""
    from indexer.encoders import precision
    from indexer.encoders.converted import converted_folder

    measured = None
    with contextlib.suppress(UserError):
        measured = precision.read(converted_folder(fingerprint, home))
    usual = UNKNOWN if measured is None else measured.name
    name = (
        getattr(encoder, "precision", UNKNOWN) if encoder is not None else usual and (precision.wanted(asked) or usual)
    )
    return Running(name, usual, {} if measured is None else measured.likeness)


def recorded(connection: Connection) -> list[str]:
    """Return the precisions of all vectors, sorted; UNKNOWN among them where one is not recorded."""
    found: set[str] = set()
    newest = 0
    for row in connection.execute(select(segments.c.precision, segments.c.last_chunk)):
        found.update(row.precision.split(","))
        newest = max(newest, row.last_chunk)
    loose = select(vectors.c.precision).where(vectors.c.chunk_id > newest).distinct()
    return sorted(found.union(connection.execute(loose).scalars()))


def recorded_of(connection: Connection, document_id: int) -> list[str]:
    """Return the precisions of a document's vectors, sorted, as `recorded` does."""
    query = select(vectors.c.precision).join(chunks).where(chunks.c.document_id == document_id).distinct()
    return sorted(connection.execute(query).scalars())


def between(connection: Connection, first: int, last: int) -> str:
    """Return the precisions of the vectors from one chunk to another, both included, as a segment keeps them."""
    query = select(vectors.c.precision).where(vectors.c.chunk_id.between(first, last)).distinct()
    return ",".join(sorted(connection.execute(query).scalars()))


def likeness_in(connection: Connection) -> dict[str, tuple[float, float]]:
    """Return how like single precision each precision was where the vectors were made: mean and least."""
    value = connection.execute(select(settings.c.value).where(settings.c.key == LIKENESS)).scalar()
    return {} if value is None else {name: (each[0], each[1]) for name, each in json.loads(value).items()}


def together(one: Likeness, other: Likeness) -> dict[str, tuple[float, float]]:
    """Return the likeness of the precisions of both, the lesser where both know one."""
    both: dict[str, tuple[float, float]] = {}
    for name, (mean, least) in (*one.items(), *other.items()):
        was = both.get(name, (mean, least))
        both[name] = (min(mean, was[0]), min(least, was[1]))
    return both


def as_known(names: Iterable[str], here: Running) -> list[str]:
    """Return names of precisions in which UNKNOWN is the usual one of this machine, sorted."""
    return sorted({name or here.usual for name in names})


def why_apart(names: Iterable[str], likeness: Likeness) -> str:
    """Return why vectors of these precisions must not live together, or "" where they may.

    They may while each is measured to be as like single precision as a model must be to run in it.
    """
    from indexer.encoders.precision import LIKE_LEAST, LIKE_MEAN

    known = sorted(set(names) - {UNKNOWN})
    if len(known) < 2:
        return ""
    for name in known:
        if name == "fp32":
            continue
        if name not in likeness:
            return f"how like {name} is to fp32 was not measured"
        mean, least = likeness[name]
        if mean < LIKE_MEAN or least < LIKE_LEAST:
            return (
                f"the cosine of {name} to fp32 is {mean:.3f} on average and {least:.3f} at least, "
                f"and {LIKE_MEAN} and {LIKE_LEAST} are needed"
            )
    return ""


def check(connection: Connection, here: Running, name: str) -> None:
    """Raise EncoderMismatch where new vectors must not stand beside those of the collection called `name`."""
    present = as_known(recorded(connection), here)
    if why := why_apart([*present, here.name], together(likeness_in(connection), here.likeness)):
        others = " and ".join(each for each in present if each != here.name)
        raise EncoderMismatch(
            f"Collection {name!r} holds vectors in {others}, and the encoder runs in {here.name} here: {why}.",
            f"Add --precision {present[0]}, or embed all of it anew: "
            f"footnote index --rebuild --collection {name} --precision {here.name}",
        )
