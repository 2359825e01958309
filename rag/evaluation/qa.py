"""`eval qa`: every question of a data set asked, in batches, into a run folder that goes on after a kill.

From the passages that the set brings, or end to end from a collection. What the rows are worth is `scores.py`'s.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.arguments import path_of
from indexer.errors import UsageError
from indexer.home import DEFAULT_COLLECTION, home_folder
from indexer.types import Progress, silent
from rag.evaluation import asking, scores
from rag.evaluation.data import Asked, QuestionSet, read_questions
from rag.evaluation.indexing import collection_of_passages
from rag.evaluation.intervals import Score
from rag.evaluation.manifest import at_most, generator_entry, manifest, run_name, thresholds
from rag.evaluation.rows import Row
from rag.evaluation.runs import RunFolder, peak_memory_mb
from rag.evaluation.searched import check_evidence
from rag.types import Form

if TYPE_CHECKING:
    from indexer.collection import Collection
    from rag.generator import Generator
    from rag.writing.few_shot import FewShot

GIVEN = "evaluation-given"
"""A collection that holds next to nothing: generators take an encoder from one."""


@dataclass(frozen=True, slots=True)
class Options:
    """How questions are asked and scored. Other options are another run."""

    given: bool = False
    """Answer from the passages that the set brings, rather than from a collection."""
    titles: bool = True
    """Whether a passage that is given is read under its title, as `ask` reads passages."""
    k: int = 6
    """Passages that are read for an answer."""
    form: Form | None = None
    """The form to answer in; None: the one that each question asks for. Sets whose answers are spans want "fact"."""
    max_error: float | None = None
    """Answer only while at most this share of the answers is expected to be wrong; None: the default threshold."""
    precision: float = 0.9
    """At which the coverage is measured, and which is promised where at most the rest may be wrong."""
    limit: int | None = None
    """Ask only so many questions, evenly spread."""
    batch: int = 64
    """Questions that are embedded, searched and read together; a kill loses at most these."""
    alone: int = 100
    """Questions, evenly spread, that are asked by themselves, to measure the time of one."""
    resamples: int = 1000
    """Of the questions, for the intervals."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found, and where it is kept."""

    run: RunFolder
    rows: tuple[Row, ...]
    scores: dict[str, Score]
    speed: dict[str, Any]
    """Latency by stage, questions a second, peak memory: of this run, on its machine."""

    @property
    def n(self) -> int:
        """How many questions were asked."""
        return len(self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the form that `eval qa --json` prints, which is that of scores.json."""
        return self.run.scores


def evaluate(
    data: str | os.PathLike[str] | QuestionSet,
    options: Options = Options(),
    *,
    collection: Collection | str | None = None,
    generator: Generator | str | None = None,
    reranker: str | None = None,
    few_shot: FewShot | None = None,
    index_passages: bool = False,
    also: Sequence[str | os.PathLike[str]] = (),
    ids: Sequence[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    home: str | os.PathLike[str] | None = None,
    keep: Callable[[Sequence[Row]], None] = lambda rows: None,
    progress: Progress = silent,
) -> Evaluation:
    """Ask the questions of `data`, keep what came of each in a run folder, and score it.

    `data` is a file or folder as `rag.evaluation.data` reads it. The passages come from the set itself
    (`options.given`), from a collection made of the set's own documents or passages and those of the files in `also`
    (`index_passages`), or from `collection`, by default the one called "default". Only the questions in `ids` are
    asked, where that is given. `reranker` is a folder, or "none"; None: what the collection remembers. With `few_shot`,
    a language model is shown examples. `out` is the run's folder, by default one under the home folder, named after the
    data and the manifest: a run of the same manifest goes on there, and the questions that are done are not asked
    again. `keep` is called with the rows of each batch, in order, those of earlier sittings included.
    Before anything is asked, raises DataFaults for data that is not what it should be, gold evidence that is not in the
    collection included; UsageError for options that do not go together, and for a folder that holds another run.
    """
    if not isinstance(options, Options):
        raise UsageError(f"options must be Options, not {options!r:.80}.", "Write: options=Options(k=3)")
    if not isinstance(data, QuestionSet):
        data = path_of("data", data, 'evaluate("questions.jsonl")')
    asked = data if isinstance(data, QuestionSet) else read_questions(data)
    questions = chosen(asked.questions, ids, options.limit)
    path = None if isinstance(data, QuestionSet) else Path(data)
    home = home_folder(home)
    searched = _collection(collection, path, index_passages, [Path(each) for each in also], options, home, progress)
    if options.given:
        asking.given(questions)  # says at once which have none
    else:
        check_evidence(questions, searched)
        if index_passages and path is not None:
            questions = _with_sources(questions, path)
    reader, asker = _asker(searched, generator, reranker, few_shot, options)
    made = manifest(
        "qa",
        data={"name": asked.name, "sha256": asked.sha256, "questions": len(questions), "ids": _hash_of(questions)},
        options={name: getattr(options, name) for name in Options.__slots__},
        collection=searched,
        generator={
            **generator_entry(generator if isinstance(generator, str) else searched.generator, reader, few_shot),
            "thresholds": thresholds(reader, options.precision),
        },
        reranker=None if options.given else reranker,
    )
    run = RunFolder.create(Path(out) if out else home / "runs" / run_name("qa", asked.name, made), made)
    with run.writing():
        ask_all(run, questions, asker, options, keep, progress)
    return scored(run, options.precision, options.resamples)


def scored(run: RunFolder, precision: float = 0.9, resamples: int = 1000) -> Evaluation:
    """Score the rows of a run, write its scores.json, and return both. Nothing is asked."""
    rows = run.rows()
    promised = ((run.manifest.get("generator") or {}).get("thresholds") or {}).get(at_most(precision))
    found = scores.answer_scores(rows, precision, resamples, promised)
    spent = scores.speed(rows, run.receipts())
    run.finish(found, len(rows), spent)
    return Evaluation(run, tuple(rows), found, spent)


def chosen(questions: Sequence[Asked], ids: Sequence[str] | None, limit: int | None) -> list[Asked]:
    """Return the questions called `ids`, in the set's order, and of them `limit` evenly spread; None: all.

    Raises UsageError for an id that no question has, and when no question is left.
    """
    if ids is not None:
        wanted = set(ids)
        if unknown := wanted - {each.id for each in questions}:
            raise UsageError(
                f"{len(unknown):,} of the {len(wanted):,} ids name no question of the data, one is {min(unknown)!r}.",
                "Give the ids of questions in this very file, one a line.",
            )
        questions = [each for each in questions if each.id in wanted]
    if limit is not None and limit < len(questions):
        questions = [questions[place * len(questions) // limit] for place in range(limit)]
    if not questions:
        raise UsageError("There is no question to ask.", "Give a file with questions.")
    return list(questions)


def ask_all(
    run: RunFolder,
    questions: Sequence[Asked],
    asker: asking.Asker,
    options: Options,
    keep: Callable[[Sequence[Row]], None],
    progress: Progress,
) -> None:
    """Ask, batch by batch, what the run does not hold yet.

    The batches hang on the questions and the options alone, so that a run that was interrupted reads the same
    questions together as one that was not.
    """
    done = {row.id: row for row in run.rows()}
    counted = 0
    alone = set(spread(len(questions), min(options.alone, len(questions))))
    begun = False
    progress("asking", 0, len(questions))
    for begin in range(0, len(questions), options.batch):
        batch = range(begin, min(begin + options.batch, len(questions)))
        if all(questions[place].id in done for place in batch):
            keep([done[questions[place].id] for place in batch])
        else:
            if not begun:
                asker.together([questions[0]])  # what is loaded at first use is not measured
                begun = True
            keep(_ask_batch(run, questions, batch, alone, asker))
        counted += len(batch)
        progress("asking", counted, len(questions))


def _ask_batch(
    run: RunFolder, questions: Sequence[Asked], batch: range, alone: set[int], asker: asking.Asker
) -> list[Row]:
    found = {place: asker.alone(questions[place]) for place in batch if place in alone}
    others = [place for place in batch if place not in alone]
    started = time.perf_counter()
    found |= zip(others, asker.together([questions[place] for place in others]), strict=True)
    seconds = time.perf_counter() - started
    rows = [found[place] for place in batch]
    run.append(rows, together=len(others), seconds=seconds if others else 0.0, peak_mb=peak_memory_mb())
    return rows


def spread(n: int, count: int) -> list[int]:
    """Return `count` of n places, evenly spread."""
    return [place * n // count for place in range(count)]


# What is asked, and from where


def _collection(
    collection: Collection | str | None,
    data: Path | None,
    index_passages: bool,
    also: Sequence[Path],
    options: Options,
    home: Path,
    progress: Progress,
) -> Collection:
    from indexer.collection import Collection
    from indexer.sync import Given

    if not options.titles and not options.given:
        raise UsageError(
            "Passages of a collection are read under their titles.", "Add --given, or leave out --no-titles."
        )
    if sum((options.given, index_passages, collection is not None)) > 1:
        raise UsageError(
            "The passages come from one place: those given, a collection made of them, or a collection.",
            "Leave out all but one of --given, --index-passages and --collection.",
        )
    if also and not index_passages:
        raise UsageError("--also names passages to index, and nothing is indexed.", "Add --index-passages.")
    if options.given:
        small = Collection(GIVEN, home)
        small.add([Given("nothing", "The passages are given.")])
        return small
    if index_passages:
        if data is None:
            raise UsageError("Only the passages of a file can be indexed.", "Give the file of the questions.")
        return collection_of_passages(data, also, home, progress)
    chosen_one = collection or DEFAULT_COLLECTION
    opened = Collection(chosen_one, home) if isinstance(chosen_one, str) else chosen_one
    _ = opened.generation  # says at once that there is no such collection
    return opened


def _asker(
    collection: Collection,
    generator: Generator | str | None,
    reranker: str | None,
    few_shot: FewShot | None,
    options: Options,
) -> tuple[Generator, asking.Asker]:
    from rag.engine import Engine

    if few_shot is not None and (generator is None or isinstance(generator, str)):
        from rag.generators import open_generator

        generator = open_generator(generator, collection, few_shot)
    engine = Engine(collection, generator, reranker)
    reader = engine.generator
    least = reader.threshold(options.max_error)
    find = asking.read_given(options.titles) if options.given else asking.in_collection(engine, options.k)
    return reader, asking.Asker(reader, find, least, options.form)


def _with_sources(questions: Sequence[Asked], data: Path) -> list[Asked]:
    """Return the questions with the passage they were asked about as gold source, where they name none."""
    from rag.evaluation.data import read_retrieval_set

    judged = read_retrieval_set(data).judgements
    return [each if each.sources else replace(each, sources=tuple(judged.get(each.id, ()))) for each in questions]


def _hash_of(questions: Sequence[Asked]) -> str:
    return hashlib.sha256("\n".join(each.id for each in questions).encode(errors="surrogatepass")).hexdigest()
