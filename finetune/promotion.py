"""What was trained is promoted only where it is better, and taken back where it turns out not to be.

It is tried on held-out questions, of documents that nothing was learnt from (`finetune.trials`), and what was switched
is written down (`finetune.promotion_record`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from finetune import recalibration
from finetune.promotion_record import Entry, State, history, now, record, state_of
from finetune.trials import Remembering, encoders_compared, generators_compared, held_out, rerankers_compared
from indexer.errors import NotFound, UsageError
from indexer.types import Progress, silent

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.encoder import Encoder
    from rag.evaluation.comparing import Comparison

Kind = Literal["encoder", "reranker", "generator"]
MOST_QUESTIONS = 1000


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came of it."""

    kind: Kind
    run: str
    """Folder of what was tried."""
    comparison: Comparison
    promoted: bool
    forced: bool
    before: State
    after: State

    def to_json(self) -> dict[str, Any]:
        """Return the form that `train promote --json` prints."""
        return {
            "kind": self.kind, "run": self.run, "promoted": self.promoted, "forced": self.forced,
            "comparison": self.comparison.to_json(0), "before": asdict(self.before), "after": asdict(self.after),
        }  # fmt: skip


def kind_of(folder: Path) -> Kind:
    """Tell what was trained in a folder. Raises UsageError where it is nothing that can be promoted."""
    from rag.generators import COPYING_MODEL
    from rag.reranking.folder import SETTINGS

    if (folder / "modules.json").is_file():
        return "encoder"
    if (folder / SETTINGS).is_file():
        return "reranker"
    config = folder / "config.json"
    if config.is_file() and (COPYING_MODEL in config.read_text() or "CausalLM" in config.read_text()
                             or "ConditionalGeneration" in config.read_text()):  # fmt: skip
        return "generator"
    raise UsageError(
        f"{folder} holds no encoder, reranker or generator.",
        "Give the --out of train encoder, train reranker, train static or train generator.",
    )


def promote(
    run: Path,
    collection: Collection,
    *,
    questions: Path | None = None,
    force: bool = False,
    recalibrate: bool = False,
    alpha: float = 0.05,
    limit: int = MOST_QUESTIONS,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Promotion:
    """Try what was trained in `run` on held-out questions, and switch `collection` to it if it is significantly better.

    The questions are those of the run that nothing was learnt from, or those of a file; each names its document, or
    brings its passage. With `force` it is switched whatever the comparison says; with `dry_run` it is only compared.
    With `recalibrate`, the confidence of the copying generator is then fitted on what the new search finds.
    The whole switch is one commit: until then everything is asked of the old state. Raises UsageError where there are
    too few questions about the documents of this collection.
    """
    run = run.absolute()
    kind = kind_of(run)
    asked = held_out(run, questions)
    before = state_of(collection)
    calibrated = run / "training" / "recalibrated"
    if recalibrate:
        if kind == "generator":
            raise UsageError("A generator brings a confidence of its own.", "Leave out --recalibrate.")
        recalibration.check_questions(asked)
        answers_by = recalibration.generator_of(collection)
    if kind == "encoder":
        encoder = _opened(run, collection, progress)
        if encoder.fingerprint == before.fingerprint:
            raise UsageError(f"Collection {collection.name!r} searches with {run} already.", "There is nothing to do.")
        after = State(encoder.name, encoder.fingerprint, before.reranker, before.generator)
        comparison = encoders_compared(collection, encoder, asked, run, alpha, limit, progress)
    elif kind == "reranker":
        after = State(before.encoder, before.fingerprint, str(run), before.generator)
        comparison = rerankers_compared(collection, run, asked, alpha, limit, progress)
    else:
        after = State(before.encoder, before.fingerprint, before.reranker, str(run))
        comparison = generators_compared(collection, run, asked, alpha, limit, progress)
    promoted = (comparison.verdict == "better" or force) and not dry_run
    if promoted:
        if recalibrate:
            after = replace(after, generator=str(calibrated))
        # Written down first: what a kill leaves half switched can then be taken back.
        record(collection, Entry(kind, str(run), before, after, now(), comparison.to_json(0)))
        _switch(collection, before, replace(after, generator=before.generator if recalibrate else after.generator),
                encoder if kind == "encoder" else None, progress)  # fmt: skip
        if recalibrate:
            fitted_on = recalibration.check_questions(asked)
            recalibration.recalibrate(collection, answers_by, fitted_on, calibrated, progress)
            collection.choose_generator(str(calibrated))
    return Promotion(kind, str(run), comparison, promoted, force, before, after)


def rollback(collection: Collection, *, progress: Progress = silent) -> Entry:
    """Take back the last promotion of `collection` that stands, and return the new entry of its record.

    The encoder from before is opened as it was converted then, and the documents are embedded with it beside the
    present state. Raises NotFound where nothing was promoted.
    """
    entries = history(collection)
    standing: list[Entry] = []
    for entry in entries:
        if entry.kind == "rollback":
            standing.pop()
        else:
            standing.append(entry)
    if not standing:
        raise NotFound(
            f"Nothing that was promoted stands in collection {collection.name!r}.",
            "Run: footnote index --rebuild --encoder NAME, to search with another encoder.",
        )
    last = standing[-1]
    present = state_of(collection)
    from indexer.encoder import open_converted

    changed = last.before.fingerprint != present.fingerprint
    encoder = open_converted(last.before.fingerprint, collection.home) if changed else None
    entry = Entry("rollback", last.run, present, last.before, now())
    _switch(collection, present, last.before, encoder, progress)
    record(collection, entry)
    return entry


def _switch(collection: Collection, before: State, after: State, encoder: Encoder | None, progress: Progress) -> None:
    if encoder is not None:
        from indexer.collection import Collection as Opened

        Opened(collection.name, collection.home, encoder).sync([], rebuild=True, progress=progress)
        collection.close()
    if after.reranker != before.reranker:
        collection.choose_reranker(after.reranker)
    if after.generator != before.generator:
        collection.choose_generator(after.generator)


def _opened(run: Path, collection: Collection, progress: Progress) -> Encoder:
    from indexer.encoder import open_encoder

    return Remembering(open_encoder(str(run), collection.home, progress))
