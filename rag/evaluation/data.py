"""Data sets: questions with answers, and queries with judged documents, read and checked before anything slow starts.

Knows the layouts on disk; what is done with the questions is for others.

    FILE      SQuAD v1.1 or v2.0 JSON, or JSON lines as `rag.evaluation.questions` has them; gzipped or not
    FOLDER    queries, judgements and documents in the BEIR layout, as `rag.evaluation.beir` has it
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import NotFound, UsageError
from rag.evaluation import beir
from rag.evaluation.faults import DataFaults as DataFaults
from rag.evaluation.faults import Faults, Source
from rag.evaluation.questions import Asked as Asked
from rag.evaluation.questions import placed_questions, questions_of

if TYPE_CHECKING:
    from indexer.sync import Given


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions with their gold answers."""

    name: str
    sha256: str
    """Of the content, gunzipped."""
    questions: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Queries, and which documents are relevant to each."""

    name: str
    sha256: str
    """Of documents, queries and judgements, gunzipped; of a folder of documents, of its questions alone."""
    corpus: Path | None
    """What is searched: a BEIR corpus.jsonl, a folder of documents, or the file whose questions bring their passages.

    None: whoever measures says which collection.
    """
    queries: Mapping[str, str]
    """Those that are judged, by id, in the order of their file."""
    judgements: Mapping[str, Mapping[str, int]]
    """By query and document: the grade; 0 and less is not relevant."""
    corpus_sha256: str = ""
    """Of the documents alone, where they are in one file."""
    questions: Path | None = None
    """The file that the queries are from, where it may lie among the documents: it holds the answers."""


# Questions


def read_questions(path: Path) -> QuestionSet:
    """Return the questions of a file, or of a BEIR folder whose queries have answers.

    In a BEIR folder, the documents that are judged relevant are the questions' gold sources. Raises NotFound when there
    is no such file, DataFaults with the place of the first faults and the count of each kind.
    """
    if _there(path).is_dir():
        return _beir_questions(path)
    faults = Faults(str(path))
    source = Source(path, faults)
    questions = questions_of(source, faults)
    faults.check()
    return QuestionSet(_stem(path), source.sha256, tuple(questions))


def _beir_questions(folder: Path) -> QuestionSet:
    faults = Faults(str(folder))
    source = Source(beir.member(folder, beir.QUERIES, faults), faults, beir.QUERIES)
    questions = questions_of(source, faults)
    faults.check()
    judgements = read_retrieval_set(folder).judgements if (folder / beir.QRELS).is_dir() else {}
    found = [replace(each, sources=_relevant(judgements.get(each.id, {}))) for each in questions]
    return QuestionSet(folder.resolve().name, source.sha256, tuple(found))


def _relevant(grades: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(document for document, grade in grades.items() if grade > 0)


# Queries with judged documents


def read_retrieval_set(path: Path) -> RetrievalSet:
    """Return queries and judgements of a BEIR folder, or of a file of questions.

    The questions of a file name their gold sources, paths from the file's own folder; where none does, each one's
    passage is the relevant document among the passages of all. What has no answer is left out. Raises NotFound when
    there is no such path, DataFaults with the place of the first faults and the count of each kind.
    """
    return _beir(path) if _there(path).is_dir() else _judged_questions(path)


def read_passages(path: Path) -> RetrievalSet:
    """Return the passages of a file of questions as the documents of a set without queries.

    For what is only searched in. SQuAD's own training file has ids twice, which is no matter here. Raises NotFound when
    there is no such file, DataFaults with the place of the first faults and the count of each kind.
    """
    faults = Faults(str(path))
    source = Source(_there(path), faults)
    if not any(asked.passage for _, asked in placed_questions(source, faults, answers_needed=False)):
        faults.add("no passages", "the whole file")
    faults.check()
    return RetrievalSet(_stem(path), source.sha256, path, {}, {}, source.sha256)


def documents(retrieval_set: RetrievalSet) -> Iterator[Given]:
    """Yield the documents of a set that has them in one file, read as they are asked for.

    A BEIR corpus has hundreds of thousands; they were checked when the set was read, and are not kept in memory. Raises
    UsageError for a set whose documents lie elsewhere, DataFaults when the file is another one by now.
    """
    corpus = retrieval_set.corpus
    if corpus is None or corpus.is_dir():
        raise UsageError(f"{retrieval_set.name} has its documents in no file.", "Index the folder that holds them.")
    faults = Faults(str(corpus))
    source = Source(corpus, faults)
    if corpus.name.removesuffix(".gz") == beir.CORPUS:
        yield from beir.documents_of(source, faults)
    else:
        asked = [each for _, each in placed_questions(source, faults, answers_needed=False)]
        yield from _passages(_stem(corpus), asked).values()
    if source.sha256 != retrieval_set.corpus_sha256:
        faults.add("changed since it was checked", "the whole file")
    faults.check()


def _beir(folder: Path) -> RetrievalSet:
    faults = Faults(str(folder))
    corpus, queries = beir.member(folder, beir.CORPUS, faults), beir.member(folder, beir.QUERIES, faults)
    judged = beir.qrels_file(folder, faults)
    faults.check()
    texts, asked = Source(corpus, faults, beir.CORPUS), Source(queries, faults, beir.QUERIES)
    known = {each.id for each in beir.documents_of(texts, faults)}
    found = dict(beir.queries_of(asked, faults))
    source = Source(judged, faults, f"{beir.QRELS}/{judged.name}")
    judgements = beir.judgements_of(source, known, found, faults)
    if not judgements:
        faults.add("no judgements", judged.name)
    faults.check()
    return RetrievalSet(
        name=folder.resolve().name,
        sha256=_joined_hash(texts.sha256, asked.sha256, source.sha256),
        corpus=corpus,
        queries={key: text for key, text in found.items() if key in judgements},
        judgements=judgements,
        corpus_sha256=texts.sha256,
    )


def _judged_questions(path: Path) -> RetrievalSet:
    faults = Faults(str(path))
    source = Source(path, faults)
    questions = questions_of(source, faults, answers_needed=False)
    faults.check()
    named = [each for each in questions if each.sources]
    if not named and not any(each.passage for each in questions):
        raise UsageError(
            f"No question of {path} says which document answers it.",
            'Give the gold sources ("evidence" or "sources") or passages ("context"), or a folder in the BEIR layout.',
        )
    whole = RetrievalSet(_stem(path), source.sha256, None, {}, {}, questions=path)
    if named:
        corpus = path.parent if _files(named, path.parent, faults) else None
        judgements = {each.id: dict.fromkeys(each.sources, 1) for each in named}
        faults.check()
        return replace(whole, corpus=corpus, queries={each.id: each.text for each in named}, judgements=judgements)
    passages = _passages(whole.name, questions)
    told = [each for each in questions if each.answers] or questions
    return replace(
        whole,
        corpus=path,
        corpus_sha256=source.sha256,
        queries={each.id: each.text for each in told if each.passage},
        judgements={each.id: {passages[each.passage].id: 1} for each in told if each.passage},
    )


def _files(questions: Sequence[Asked], folder: Path, faults: Faults) -> bool:
    """Return whether the gold sources are files of this folder; where some are, another is a fault."""
    named = {source: each.id for each in questions for source in each.sources}
    absent = [source for source in named if not (folder / source).is_file()]
    if len(absent) == len(named):
        return False
    for source in absent:
        faults.add("gold source that is no file", f"question {named[source]}", source)
    return True


def _passages(name: str, questions: Sequence[Asked]) -> dict[str, Given]:
    """Return the distinct passages of questions by their text, as documents, in order."""
    from indexer.sync import Given

    found: dict[str, Given] = {}
    for each in questions:
        if each.passage and each.passage not in found:
            found[each.passage] = Given(f"{name}/{len(found):05}", each.passage, each.title)
    return found


# Files


def _there(path: Path) -> Path:
    if not path.exists():
        raise NotFound(f"There is no {path}.", "Give a file of questions, or a folder in the BEIR layout.")
    return path


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.name


def _joined_hash(*hashes: str) -> str:
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
