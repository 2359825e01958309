"""`eval retrieval` and `eval perplexity`: what `retrieval.py` and `perplexity.py` measure, kept in run folders."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer import storage
from indexer.home import home_folder
from indexer.types import Progress, silent
from rag.evaluation.manifest import folder_hash, manifest, run_name
from rag.evaluation.runs import QUERIES, RunFolder, peak_memory_mb

if TYPE_CHECKING:
    from rag.evaluation.data import RetrievalSet

Where = str | os.PathLike[str] | None


def record_retrieval(
    data: Where | RetrievalSet,
    *,
    collection: str | None = None,
    encoder: str | None = None,
    reranker: str | None = None,
    limit: int | None = None,
    out: Where = None,
    home: Where = None,
    progress: Progress = silent,
) -> RunFolder:
    """Ask the queries of a set in every arm of the search, and return the run with rankings and scores.

    With a reranker (a folder; None: the one that the collection remembers; "none") there is an arm more.

    The documents are those of the set, unless a collection is named; `limit` queries are asked, evenly spread. A run
    that was interrupted goes on, as in `rag.evaluation.qa.evaluate`; what is raised is told there too.
    """
    from rag.evaluation.data import RetrievalSet, read_retrieval_set
    from rag.evaluation.retrieval import evaluate_retrieval
    from rag.evaluation.searched import collection_of
    from rag.reranking.reranker import open_reranker

    asked = data if isinstance(data, RetrievalSet) else read_retrieval_set(Path(str(data)))
    asked = limited(asked, limit)
    searched = collection_of(asked, home, name=collection, encoder=encoder, progress=progress)
    made = manifest(
        "retrieval",
        data={"name": asked.name, "sha256": asked.sha256, "queries": len(asked.queries)},
        options={"limit": limit},
        collection=searched,
        reranker=reranker,
    )
    opened = open_reranker(reranker, searched, progress)
    run = _opened("retrieval", asked.name, made, out, home)
    with run.writing():
        found = evaluate_retrieval(
            asked, searched, reranker=opened, done=run.rankings(), keep=run.append, progress=progress
        )
    lines = (
        json.dumps({"query": key, **{arm: _rounded(each) for arm, each in arms.items()}}, ensure_ascii=False) + "\n"
        for key, arms in found.by_query.items()
    )
    storage.write_file(run.path / QUERIES, "".join(lines).encode(errors="backslashreplace"))
    run.finish(found.scores, found.n, {"latency_ms": found.speed, "peak_memory_mb": round(peak_memory_mb(), 1)})
    return run


def _rounded(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in scores.items()}


def limited(retrieval_set: RetrievalSet, limit: int | None) -> RetrievalSet:
    """Return the set with so many of its queries, evenly spread; None: all."""
    keys = list(retrieval_set.queries)
    if limit is None or limit >= len(keys):
        return retrieval_set
    kept = [keys[place * len(keys) // limit] for place in range(limit)]
    return replace(
        retrieval_set,
        queries={key: retrieval_set.queries[key] for key in kept},
        judgements={key: retrieval_set.judgements[key] for key in kept},
    )


def record_perplexity(
    model: str,
    paths: Sequence[str | os.PathLike[str]],
    *,
    window: int | None = None,
    stride: int | None = None,
    device: str | None = None,
    out: Where = None,
    home: Where = None,
    progress: Progress = silent,
) -> RunFolder:
    """Measure a language model on texts, and return the run with a row a document and the scores."""
    from rag.evaluation.perplexity import evaluate_perplexity, read_texts
    from rag.evaluation.texts import TextRow
    from rag.writing.language_model import find_language_model

    texts = read_texts([Path(path) for path in paths])
    folder = find_language_model(model)
    made = manifest(
        "perplexity",
        data={"name": texts.name, "sha256": texts.sha256, "documents": len(texts.texts)},
        options={"window": window, "stride": stride, "device": device},
        generator={"asked_for": model, "sha256": folder_hash(folder)},
    )
    run = _opened("perplexity", texts.name, made, out, home)
    with run.writing():
        done = run.rows_of("perplexity", TextRow.from_json)
        found = evaluate_perplexity(
            model, texts, window=window, stride=stride, device=device, done=done, keep=run.append, progress=progress
        )
    run.finish(found.scores, found.n)
    return run


def _opened(command: str, data: str, made: dict[str, Any], out: Where, home: Where) -> RunFolder:
    return RunFolder.create(Path(out) if out else home_folder(home) / "runs" / run_name(command, data, made), made)
