"""What was trained is promoted only where it is better, and taken back where it turns out not to be.

    HOME/promotions/COLLECTION.json   what was promoted and taken back, the last at the end: enough to go back

An encoder is tried in a copy of the collection beside it, a reranker and a generator in the collection itself; all are
asked held-out questions, of documents that nothing was learnt from, and compared question by question.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from finetune import recalibration
from finetune.questions import Question, read_questions
from finetune.retrieval.encoder import HELD_OUT
from indexer import storage
from indexer.errors import NotFound, UsageError, UserError
from indexer.types import Progress, Vectors, silent
from rag.retriever import MAX_QUESTION

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.encoder import Encoder
    from rag.evaluation.comparing import Comparison
    from rag.evaluation.data import RetrievalSet
    from rag.evaluation.rows import RetrievalRow

Kind = Literal["encoder", "reranker", "generator"]
MIN_QUESTIONS = 20
"""Held-out questions below which no difference could be shown."""
MOST_QUESTIONS = 1000


@dataclass(frozen=True, slots=True)
class State:
    """What a collection searches and answers with."""

    encoder: str
    fingerprint: str
    """Of the encoder."""
    reranker: str | None
    generator: str | None


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
    asked = _held_out(run, questions)
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
        comparison = _encoders_compared(collection, encoder, asked, run, alpha, limit, progress)
    elif kind == "reranker":
        after = State(before.encoder, before.fingerprint, str(run), before.generator)
        comparison = _rerankers_compared(collection, run, asked, alpha, limit, progress)
    else:
        after = State(before.encoder, before.fingerprint, before.reranker, str(run))
        comparison = _generators_compared(collection, run, asked, alpha, limit, progress)
    promoted = (comparison.verdict == "better" or force) and not dry_run
    if promoted:
        if recalibrate:
            after = replace(after, generator=str(calibrated))
        # Written down first: what a kill leaves half switched can then be taken back.
        _record(collection, Entry(kind, str(run), before, after, _now(), comparison.to_json(0)))
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
    now = state_of(collection)
    from indexer.encoder import open_converted

    changed = last.before.fingerprint != now.fingerprint
    encoder = open_converted(last.before.fingerprint, collection.home) if changed else None
    entry = Entry("rollback", last.run, now, last.before, _now())
    _switch(collection, now, last.before, encoder, progress)
    _record(collection, entry)
    return entry


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


def _record(collection: Collection, entry: Entry) -> None:
    rows = [asdict(each) for each in [*history(collection), entry]]
    storage.make_folder(_file(collection).parent)
    storage.write_file(_file(collection), (json.dumps(rows, indent=1) + "\n").encode())


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _switch(collection: Collection, before: State, after: State, encoder: Encoder | None, progress: Progress) -> None:
    if encoder is not None:
        from indexer.collection import Collection as Opened

        Opened(collection.name, collection.home, encoder).sync([], rebuild=True, progress=progress)
        collection.close()
    if after.reranker != before.reranker:
        collection.choose_reranker(after.reranker)
    if after.generator != before.generator:
        collection.choose_generator(after.generator)


# The questions


def _held_out(run: Path, questions: Path | None) -> list[Question]:
    file = questions or run / "training" / HELD_OUT
    if not file.is_file():
        raise UsageError(
            f"{run} has no held-out questions of its own.", "Give some: --questions FILE, as JSON lines or SQuAD."
        )
    return [each for each in read_questions(file, answers_needed=False) if not each.refused]


def retrieval_set(collection: Collection, questions: Sequence[Question], limit: int) -> RetrievalSet:
    """Return the questions on documents of `collection` with the document that answers each, evenly thinned to `limit`.

    A question's document is the source that it names, or the one that holds its passage word for word. Raises
    UsageError where fewer than MIN_QUESTIONS have one.
    """
    from rag.evaluation.data import RetrievalSet

    named = {entry.source for entry in collection.documents()}
    by_passage = {} if all(each.document in named for each in questions) else _sources_by_passage(collection)
    judged: dict[str, tuple[str, str]] = {}
    for each in questions:
        source = each.document if each.document in named else by_passage.get(_collapsed(each.passage), "")
        if source:
            judged.setdefault(f"{each.id}", (each.text[:MAX_QUESTION], source))
    if len(judged) < MIN_QUESTIONS:
        raise UsageError(
            f"Only {len(judged)} of {len(questions)} held-out questions are about documents of collection "
            f"{collection.name!r}; {MIN_QUESTIONS} are needed to show a difference.",
            "Give others with --questions, or another --collection.",
        )
    keys = list(judged)
    kept = keys if len(keys) <= limit else [keys[place * len(keys) // limit] for place in range(limit)]
    digest = hashlib.sha256("\n".join(f"{key} {judged[key]}" for key in kept).encode()).hexdigest()
    return RetrievalSet(
        "held-out", digest, None, {key: judged[key][0] for key in kept}, {key: {judged[key][1]: 1} for key in kept}
    )


def _sources_by_passage(collection: Collection) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in collection.documents():
        text = collection.document(entry.source).text
        found.setdefault(_collapsed(text), entry.source)
        for chunk in collection.document_chunks(entry.source):
            found.setdefault(_collapsed(chunk.text), entry.source)
    return found


def _collapsed(text: str) -> str:
    return " ".join(text.split())


# The comparisons


def _encoders_compared(
    collection: Collection,
    encoder: Encoder,
    questions: Sequence[Question],
    run: Path,
    alpha: float,
    limit: int,
    progress: Progress,
) -> Comparison:
    """Compare hybrid search in the collection and in a copy of it that the new encoder has embedded."""
    from indexer.collection import Collection as Opened
    from indexer.sync import copy_documents

    asked = retrieval_set(collection, questions, limit)
    beside = Opened(collection.name, run / "training" / "promotion", encoder)
    copy_documents(collection, beside, progress=progress)
    return _compared(_ranked(collection, asked, None, progress), _ranked(beside, asked, None, progress), alpha)


def _rerankers_compared(
    collection: Collection, run: Path, questions: Sequence[Question], alpha: float, limit: int, progress: Progress
) -> Comparison:
    asked = retrieval_set(collection, questions, limit)
    before = _ranked(collection, asked, collection.reranker, progress)
    return _compared(before, _ranked(collection, asked, str(run), progress), alpha)


def _ranked(
    collection: Collection, asked: RetrievalSet, reranker: str | None, progress: Progress
) -> list[RetrievalRow]:
    """Return the rows of hybrid search, reranked where there is a reranker."""
    from rag.evaluation.retrieval import RERANKED, rankings
    from rag.reranking.reranker import NONE, open_reranker

    opened = open_reranker(reranker or NONE, collection, progress)
    arm = "hybrid" if opened is None else RERANKED
    batches = rankings(asked, collection, reranker=opened, progress=progress)
    return [row for rows in batches for row in rows if row.arm == arm]


def _compared(before: Sequence[RetrievalRow], after: Sequence[RetrievalRow], alpha: float) -> Comparison:
    from rag.evaluation.comparing import compare_rankings

    return compare_rankings(before, after, alpha=alpha)


def _generators_compared(
    collection: Collection, run: Path, questions: Sequence[Question], alpha: float, limit: int, progress: Progress
) -> Comparison:
    """Compare the answers that both generators give from the collection, by their F1 with the gold answers."""
    from rag.engine import Engine
    from rag.evaluation import asking
    from rag.evaluation.comparing import compare_answers
    from rag.evaluation.data import Asked

    asked = [
        Asked(id=each.id, text=each.text, answers=each.answers) for each in questions if each.answers
    ][:limit]  # fmt: skip
    if len(asked) < MIN_QUESTIONS:
        raise UsageError(
            f"Only {len(asked)} held-out questions have answers; {MIN_QUESTIONS} are needed to compare generators.",
            "Give others: --questions FILE",
        )
    rows = []
    for name in (None, str(run)):
        engine = Engine(collection, name)
        asker = asking.Asker(engine.generator, asking.in_collection(engine, 5), engine.generator.threshold(None))
        found = []
        for first in range(0, len(asked), 64):
            found += asker.together(asked[first : first + 64])
            progress("asking", first, len(asked))
        rows.append(found)
    return compare_answers(rows[0], rows[1], alpha=alpha, progress=progress)


# The encoder


def _opened(run: Path, collection: Collection, progress: Progress) -> Encoder:
    from indexer.encoder import open_encoder

    return Remembering(open_encoder(str(run), collection.home, progress))


class Remembering:
    """An encoder that keeps what it has read: the copy that is tried and the collection then cost one embedding."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[bytes, Any] = {}
        self.name, self.fingerprint = encoder.name, encoder.fingerprint
        self.dim, self.max_tokens = encoder.dim, encoder.max_tokens

    def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """See `indexer.encoder.Encoder`."""
        import numpy as np

        keys = [hashlib.sha256(text.encode(errors="surrogatepass")).digest() for text in texts]
        new = [place for place, key in enumerate(keys) if key not in self._known]
        if new:
            found = self._encoder.embed_passages([texts[place] for place in new], progress)
            self._known.update((keys[place], vector) for place, vector in zip(new, found, strict=True))
        rows: Vectors = np.array([self._known[key] for key in keys], dtype=np.float32).reshape(len(keys), self.dim)
        return rows

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See `indexer.encoder.Encoder`."""
        return self._encoder.embed_queries(texts)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """See `indexer.encoder.Encoder`."""
        return self._encoder.token_spans(text)
