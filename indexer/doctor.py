"""Examines a collection, and repairs what can be made again: the search cache, the words, vectors, the encoder.

Documents are never touched. What each check compares is in `checks.py`; here is their order, what is said of each, and
the way back where there is nothing to repair.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from indexer import checks, precisions, schema, segments, storage
from indexer.chunker import passage_text
from indexer.collection import Collection, made_in
from indexer.errors import Busy, Damaged, EncoderMismatch, SchemaMismatch, StorageError, UserError
from indexer.plurals import counted
from indexer.schema import chunks
from indexer.types import Chunk, Progress, silent
from indexer.writer import Writer, unnamed, write

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from indexer.encoder import Encoder
    from indexer.view import Made

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    healthy: bool
    detail: str
    """What was found, with values; and what to do, where `doctor --repair` cannot."""
    repaired: bool = False
    """True when it was not healthy before this examination, and is now."""


def examine(collection: Collection, repair: bool = False, progress: Progress = silent) -> list[Finding]:
    """Check all of a collection and return what was found, in the order of the checks.

    With `repair`, what can be made again is, and everything is checked a second time. Whatever the state of the files,
    this returns findings; it raises only NotFound, when there is no such collection, and Busy, when a repair is asked
    for while another process is writing.
    """
    before = _look(collection, progress)
    if not repair or all(finding.healthy for finding in before):
        return before
    ill = {finding.check: finding for finding in before if not finding.healthy}
    failures = _mend(collection, set(ill), progress)
    after = []
    for finding in _look(collection, progress):
        if finding.healthy and finding.check in ill:
            finding = replace(finding, detail=f"{ill[finding.check].detail}; now {finding.detail}", repaired=True)
        elif not finding.healthy and finding.check in failures:
            finding = replace(finding, detail=f"{finding.detail} Not repaired: {failures[finding.check]}")
        after.append(finding)
    return after


def _look(collection: Collection, progress: Progress) -> list[Finding]:
    try:
        epoch = collection.epoch()
    except Damaged as error:
        return [Finding("current", False, _said(error))]
    except StorageError as error:
        return [Finding("current", False, _said(error))]
    findings = [Finding("current", True, f"{epoch.name} counts")]
    database = epoch / "truth.db"
    try:
        revision = schema.check_identity(database)
    except (SchemaMismatch, StorageError, SQLAlchemyError, OSError) as error:
        return [*findings, Finding("database", False, _said(error))]
    if revision == schema.REVISION:
        findings.append(Finding("schema", True, f"revision {revision}"))
    else:
        return [*findings, Finding("schema", False, f"revision {revision}; this version writes {schema.REVISION}.")]
    engine = schema.connect(database, write=False)
    try:
        with engine.connect() as connection:
            findings += _compare(collection, epoch, connection, progress)
    except (StorageError, SQLAlchemyError) as error:
        findings.append(Finding("database", False, _said(error)))
    finally:
        engine.dispose()
    findings += _under_lock(collection, epoch)
    return findings


def _compare(collection: Collection, epoch: Path, connection: Connection, progress: Progress) -> list[Finding]:
    """Run the checks that only read, one after the other on one state."""
    back = schema.damaged(epoch / "truth.db", "").hint
    made, _ = made_in(connection)
    folder = epoch / "segments"

    def segments_are_right() -> str:
        wrong = [f"{name}: {why}" for name, why in checks.wrong_segments(connection, folder, made).items()]
        between = checks.uncovered(connection)
        return _few([*wrong, *([f"{counted(between, 'vector')} in none"] if between else [])], "segments")

    table: Sequence[tuple[str, Callable[[], str], str]] = (
        ("database", lambda: _few(checks.integrity(connection), "faults", back), "every page and index reads"),
        ("foreign keys", lambda: _few(checks.orphans(connection), "orphan rows", back), "every row has its parent"),
        ("chunks", lambda: _few(checks.wrong_chunks(connection), "documents", _REBUILD), "each is its document's text"),
        ("names", lambda: _few(checks.wrong_names(connection), "documents are not found by what they say", _REPAIR),
         "documents and passages are found by them"),
        ("vectors", lambda: _few(checks.wrong_vectors(connection, made.dim), "vectors"), "one a chunk, of length one"),
        ("segments", segments_are_right, f"{len(segments.manifest(connection))} agree with the stored vectors"),
        ("search", lambda: _few(checks.wrong_searches(connection, folder, made), "searches"), "equals brute force"),
        ("precision", lambda: _precisions_apart(collection, connection, made),
         f"vectors made in {_precisions_of(collection, connection, made)}"),
        ("encoder", lambda: _encoder_is_there(collection, made), _encoder_is_well(collection, made)),
    )  # fmt: skip
    findings = []
    for done, (check, wrong, well) in enumerate(table):
        progress(check, done, len(table))
        try:
            detail = wrong()
        except (UserError, SQLAlchemyError, OSError, ValueError, TypeError) as error:
            detail = _said(error)
        findings.append(Finding(check, not detail, detail or well))
    return findings


_REBUILD = "Run: footnote index PATH --rebuild"
_REPAIR = "Run: footnote doctor --repair"


def _under_lock(collection: Collection, epoch: Path) -> list[Finding]:
    """Run the checks that need the writer's lock; without it they are left out, and say so."""
    try:
        with storage.exclusive_lock(collection.folder / "LOCK", "doctor"):
            writer = Writer(collection, epoch)
            try:
                return [_words_are_right(writer), _nothing_is_left(collection, writer)]
            finally:
                writer.close()
    except (StorageError, SQLAlchemyError, Busy) as error:
        if isinstance(error, Damaged):
            return [Finding("words", False, _said(error))]
        return [Finding(check, True, f"not checked: {_said(error)}") for check in ("words", "leftovers")]


def _words_are_right(writer: Writer) -> Finding:
    try:
        writer.check_words()
    except (Damaged, SQLAlchemyError):
        return Finding("words", False, "the full-text index does not agree with the chunks.")
    return Finding("words", True, "the full-text index agrees with the chunks")


def _nothing_is_left(collection: Collection, writer: Writer) -> Finding:
    left = [str(path.relative_to(collection.folder)) for path in unnamed(writer)]
    return Finding("leftovers", not left, _few(left, "files or folders of killed processes") or "none")


def _encoder_is_well(collection: Collection, made: Made) -> str:
    """Return that the encoder is there, in which precision it was found to run best, and what was measured."""
    there = f"{made.encoder} is on this machine"
    from indexer.encoders import precision
    from indexer.encoders.converted import converted_folder

    with contextlib.suppress(UserError):
        if measured := precision.read(converted_folder(made.fingerprint, collection.home)):
            rates = ", ".join(f"{name} {rate:,}" for name, rate in measured.rates.items())
            return f"{there}; it runs in {measured.name} (tokens a second when converted: {rates})"
    return there


def _encoder_is_there(collection: Collection, made: Made) -> str:
    own = collection.wanted_encoder
    if own is None or isinstance(own, str) or own.fingerprint != made.fingerprint:
        from indexer.encoders.converted import check_files, read_receipt

        check_files(read_receipt(made.fingerprint, collection.home), collection.home)
    return ""


def _precisions_of(collection: Collection, connection: Connection, made: Made) -> str:
    """Return in which precisions the vectors were made, with their likeness to single precision where it was noted."""
    here = precisions.running(made.fingerprint, collection.home, asked=collection.precision)
    likeness = precisions.likeness_in(connection)
    told = [
        f"{name} (cosine to fp32 {likeness[name][0]:.4f}, at least {likeness[name][1]:.4f})"
        if name in likeness
        else name
        for name in precisions.as_known(precisions.recorded(connection), here)
    ]
    return " and ".join(filter(None, told)) or "an unknown precision"


def _precisions_apart(collection: Collection, connection: Connection, made: Made) -> str:
    """Return why the vectors must not live together, or not with those of questions asked on this machine."""
    here = precisions.running(made.fingerprint, collection.home, asked=collection.precision)
    present = precisions.as_known(precisions.recorded(connection), here)
    likeness = precisions.together(precisions.likeness_in(connection), here.likeness)
    if not (why := precisions.why_apart([*present, here.name], likeness)):
        return ""
    return f"vectors in {' and '.join(present)}, and questions in {here.name}: {why}. {_REBUILD}"


def _mend(collection: Collection, ill: set[str], progress: Progress) -> dict[str, str]:
    """Repair what is `ill`, and return for each check that could not be mended why not."""
    failures: dict[str, str] = {}

    def attempt(check: str, step: Callable[[], None]) -> None:
        try:
            step()
        except Busy:
            raise
        except (UserError, SQLAlchemyError, OSError, ValueError) as error:
            log.warning("Could not repair %s: %s", check, error)
            failures[check] = _said(error)

    if "current" in ill:
        attempt("current", lambda: _mend_current(collection))
    if "encoder" in ill:
        attempt("encoder", lambda: _convert_again(collection))
    if not ill & {"current", "database"}:
        attempt("segments", lambda: _mend_epoch(collection, ill, attempt, progress))
    return failures


def _mend_current(collection: Collection) -> None:
    """Name the lowest epoch that reads: a higher one may be a rebuild that was never finished."""
    with storage.exclusive_lock(collection.folder / "LOCK", "doctor"):
        for epoch in sorted(collection.folder.glob("epoch-*")):
            try:
                schema.check_identity(epoch / "truth.db")
            except (UserError, SQLAlchemyError):
                continue
            storage.write_file(collection.folder / "CURRENT", epoch.name.encode(), kill_point="current")
            return
    raise Damaged("no epoch in the folder reads.", "Import an export, or index the documents again.")


def _mend_epoch(
    collection: Collection, ill: set[str], attempt: Callable[[str, Callable[[], None]], None], progress: Progress
) -> None:
    with write(collection, purpose="doctor") as writer:  # which migrates, and removes what was left
        if "names" in ill:
            attempt("names", writer.replace_names)
        if "words" in ill:
            attempt("words", writer.rebuild_words)
        if "vectors" in ill:
            attempt("vectors", lambda: _mend_vectors(collection, writer, progress))
        if ill & {"vectors", "segments", "search"}:
            with writer.reading() as connection:
                folder = writer.folder / "segments"
                damaged = list(checks.wrong_segments(connection, folder, writer.made))
                between = checks.uncovered(connection)
            writer.publish(damaged=damaged, all_of_it=bool(between))


def _mend_vectors(collection: Collection, writer: Writer, progress: Progress) -> None:
    """Embed again the chunks whose vectors are damaged or missing."""
    encoder = _usable_encoder(collection, writer.made)
    made_in = precisions.running(writer.made.fingerprint, collection.home, encoder).name
    with writer.reading() as connection:
        wrong = checks.wrong_vectors(connection, writer.made.dim)
    for first in range(0, len(wrong), _BATCH):
        progress("vectors", first, len(wrong))
        ids = wrong[first : first + _BATCH]
        with writer.reading() as connection:
            rows = connection.execute(select(chunks).where(chunks.c.id.in_(ids)).order_by(chunks.c.id)).all()
        texts = [passage_text(Chunk(row.start, row.end, row.text, row.context)) for row in rows]
        made = writer.as_bytes(encoder.embed_passages(texts))
        writer.replace_vectors(dict(zip([row.id for row in rows], made, strict=True)), made_in)


_BATCH = 256


def _usable_encoder(collection: Collection, made: Made) -> Encoder:
    """Return the encoder of the collection, converted again if need be."""
    from indexer.encoder import open_encoder, stored_name

    own = collection.wanted_encoder
    given = own if own is not None and not isinstance(own, str) else None
    name = stored_name(made.encoder, made.fingerprint, collection.home)
    encoder = given or open_encoder(name, collection.home, precision=collection.precision)
    if encoder.fingerprint != made.fingerprint:
        raise EncoderMismatch(
            f"{encoder.name} is now {encoder.fingerprint[:12]}; the collection was made with {made.fingerprint[:12]}.",
            "Restore that encoder, or run: footnote index PATH --rebuild",
        )
    return encoder


def _convert_again(collection: Collection) -> None:
    _usable_encoder(collection, collection.made)


def _few(found: Sequence[object], what: str, hint: str = "") -> str:
    """Return "" for nothing, else a line that counts and names the first of them."""
    if not found:
        return ""
    named = ", ".join(str(each) for each in found[:3])
    return f"{len(found)} {what}: {named}{', ...' if len(found) > 3 else ''}. {hint}".strip()


def _said(error: BaseException) -> str:
    if isinstance(error, UserError):
        return f"{error.message} {error.hint}".strip()
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
