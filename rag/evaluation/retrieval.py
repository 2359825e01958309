"""How well each arm of the search finds what is judged relevant, and their fusion: rankings, then scores of rankings.

The rankings say all that the scores need, so they can be scored again without searching. The measures are those of
ir_measures (MacAvaney et al. 2022, https://arxiv.org/abs/2111.13466), which asks trec_eval's code.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import Busy
from indexer.types import Hit, Progress, silent
from rag.evaluation.data import RetrievalSet
from rag.evaluation.intervals import Score, bootstrap
from rag.evaluation.rows import RetrievalRow
from rag.evaluation.searched import names_of
from rag.reranking.reranker import Reranker
from rag.retriever import MAX_QUESTION, Arms, Mode, Retriever, checked_question

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.view import View

ARMS: tuple[Mode, ...] = ("words", "dense", "hybrid", "feedback")
RERANKED = "reranked"
"""The fusion with its best hits in the order that a reranker gives them: an arm where there is one."""
RANKED = 100
"""Documents in a ranking, at most."""
DEPTH = 400
"""Chunks taken from each arm: long documents have several, and a hundred documents are wanted.

`ask` takes `retriever.DEPTH`. The fusion weighs a hit by how far it stands out among those taken, so its order may
differ a little: on the handbook's 393 questions hybrid has an ndcg@10 of 89.3 with 400, and of 89.1 with 100.
"""
BATCH = 64
"""Queries embedded together."""
MEASURES: Mapping[str, str] = {
    "ndcg@10": "nDCG@10",
    "recall@10": "R@10",
    "recall@100": "R@100",
    "mrr@10": "RR@10",
    "map": "AP@100",
    "p@10": "P@10",
}
"""Our names, and those of ir_measures. With g(i) the grade of the document at rank i, and relevant meaning g > 0:

ndcg@10     sum over i <= 10 of g(i) / log2(i + 1), divided by the same sum of the best order of all judged documents
            (Järvelin & Kekäläinen 2002, with the grade itself as gain, as trec_eval has it)
recall@k    relevant among the first k / relevant in all
mrr@10      1 / rank of the first relevant, 0 where it is not among ten (Voorhees 1999)
map         mean, over all relevant documents, of the precision at each one's rank; 0 for those not among 100
p@10        relevant among the first ten / 10

A query without a relevant document scores 0, as in trec_eval; so does one for which nothing was found.
"""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What an evaluation of the search found."""

    rows: tuple[RetrievalRow, ...]
    scores: Mapping[str, Mapping[str, Score]]
    """By arm and measure."""
    by_query: Mapping[str, Mapping[str, Mapping[str, float]]]
    """By query, arm and measure: what the scores are the means of."""
    speed: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By arm: milliseconds a query, `p50` and `p95`; a query bears its share of what was embedded together."""

    @property
    def n(self) -> int:
        """How many queries were asked."""
        return len({row.query_id for row in self.rows})


def evaluate_retrieval(
    retrieval_set: RetrievalSet,
    collection: Collection,
    *,
    reranker: Reranker | None = None,
    done: Sequence[RetrievalRow] = (),
    keep: Callable[[Sequence[RetrievalRow]], None] = lambda rows: None,
    progress: Progress = silent,
) -> Retrieval:
    """Ask every query of each arm and of the fusion, reranked too where there is a reranker, and score what they find.

    `done` are the rows of an earlier run that was cut short: queries for which they have all arms are not asked again.
    `keep` is called with each batch of new rows. Raises DataFaults when a judged document is not in the collection.
    """
    by_query: dict[str, dict[str, RetrievalRow]] = defaultdict(dict)
    for row in done:
        by_query[row.query_id][row.arm] = row
    arms = (*ARMS, RERANKED) if reranker else ARMS
    whole = {query for query, found in by_query.items() if set(arms) <= set(found)}
    for rows in rankings(retrieval_set, collection, reranker=reranker, done=whole, progress=progress):
        keep(rows)
        for row in rows:
            by_query[row.query_id][row.arm] = row
    found = tuple(by_query[query][arm] for query in retrieval_set.queries for arm in arms)
    by_arm = _by_arm(found)
    return Retrieval(found, _means(by_arm), _by_query(by_arm), latencies(found))


# Searching


def rankings(
    retrieval_set: RetrievalSet,
    collection: Collection,
    *,
    reranker: Reranker | None = None,
    done: Container[str] = (),
    progress: Progress = silent,
) -> Iterator[list[RetrievalRow]]:
    """Yield, batch by batch, one row an arm for each query that is not `done`, in the set's order.

    All are asked of one state of the collection. Raises DataFaults when a judged document is not in the collection,
    Busy when the collection changes meanwhile.
    """
    names = names_of((each for grades in retrieval_set.judgements.values() for each in grades), collection)
    encoder, generation = collection.encoder, collection.generation
    left = [(key, checked_question(text[:MAX_QUESTION])) for key, text in retrieval_set.queries.items()]
    left = [(key, text) for key, text in left if key not in done]
    documents: dict[int, str] = {}
    progress("queries", len(retrieval_set.queries) - len(left), len(retrieval_set.queries))
    for begin in range(0, len(left), BATCH):
        batch = left[begin : begin + BATCH]
        started = time.perf_counter()
        vectors = encoder.embed_queries([text for _, text in batch])  # (n, dim)
        embed_ms = (time.perf_counter() - started) * 1000 / len(batch)
        rows: list[RetrievalRow] = []
        with collection.view() as view:
            if view.generation != generation or view.made.fingerprint != encoder.fingerprint:
                raise Busy(
                    f"Collection {collection.name!r} changed while it was measured.", "Start again when it is at rest."
                )
            for (key, text), vector in zip(batch, vectors, strict=True):
                searched = _searched(view, text, vector, embed_ms, reranker)
                for arm, (hits, timings_ms) in searched.items():
                    found = document_ranking(hits, _sources(view, hits, documents), names)
                    rows.append(RetrievalRow(key, arm, found, retrieval_set.judgements[key], timings_ms, text))
        yield rows
        progress("queries", len(retrieval_set.queries) - len(left) + begin + len(batch), len(retrieval_set.queries))


def _searched(
    view: View, question: str, vector: Any, embed_ms: float, reranker: Reranker | None
) -> dict[str, tuple[Sequence[Hit], dict[str, float]]]:
    """Return what each arm finds, with its times; each is asked once, and the fusions are of the same two."""
    clock = [time.perf_counter()]
    words = Retriever("words", depth=DEPTH).ranking(view, question, None)
    clock.append(time.perf_counter())
    dense = Retriever("dense", depth=DEPTH).ranking(view, question, vector)
    clock.append(time.perf_counter())
    arms = Arms(words, dense)
    fused = Retriever("hybrid", depth=DEPTH).ranking(view, question, vector, arms)
    clock.append(time.perf_counter())
    fed = Retriever("feedback", depth=DEPTH).ranking(view, question, vector, arms)
    clock.append(time.perf_counter())
    words_ms, dense_ms, fuse_ms, feedback_ms = (float(ms) for ms in np.diff(clock) * 1000)
    found: dict[str, tuple[Sequence[Hit], dict[str, float]]] = {
        "words": (words, {"words": words_ms}),
        "dense": (dense, {"embed": embed_ms, "dense": dense_ms}),
        "hybrid": (fused, {"embed": embed_ms, "words": words_ms, "dense": dense_ms, "fuse": fuse_ms}),
        "feedback": (fed, {"embed": embed_ms, "words": words_ms, "dense": dense_ms, "feedback": feedback_ms}),
    }
    if reranker is not None:
        started = time.perf_counter()
        ordered = Retriever("hybrid", reranker, depth=DEPTH).ranking(view, question, vector, arms)
        rerank_ms = (time.perf_counter() - started) * 1000  # with the fusion, which is made again
        timings_ms = {"embed": embed_ms, "words": words_ms, "dense": dense_ms, "rerank": rerank_ms}
        found[RERANKED] = (ordered, timings_ms)
    return found


def _sources(view: View, hits: Sequence[Hit], known: dict[int, str]) -> dict[int, str]:
    """Return the source of each chunk, from what is `known` or else from the view, which is then known too."""
    missing = [hit.chunk_id for hit in hits if hit.chunk_id not in known]
    known.update((chunk.id, chunk.source) for chunk in view.chunks(missing))
    return known


def document_ranking(
    hits: Iterable[Hit], sources: Mapping[int, str], names: Mapping[str, str], most: int = RANKED
) -> tuple[tuple[str, float], ...]:
    """Return the `most` best documents, each at the place and with the score of its best chunk.

    Ranking by the best passage: MaxP, Dai & Callan 2019, https://arxiv.org/abs/1905.09217. `sources` names each chunk's
    document; `names` tells what the data set calls it, where that is something else.
    """
    best: dict[str, float] = {}
    for hit in hits:
        source = sources[hit.chunk_id]
        best.setdefault(names.get(source, source), hit.score)
    return tuple(list(best.items())[:most])


# Scores


def query_scores(rows: Iterable[RetrievalRow]) -> dict[str, dict[str, float]]:
    """Return every measure of every query, for the rows of one arm: by measure, then by query in the rows' order.

    What counts is the order of a ranking; scores that are equal in it are not put in another order.
    """
    import ir_measures

    kept = list(rows)
    qrels = [
        ir_measures.Qrel(row.query_id, document, max(0, grade))  # trec_eval's code takes no grades below zero
        for row in kept
        for document, grade in row.relevant.items()
    ]
    run = [
        ir_measures.ScoredDoc(row.query_id, document, -float(rank))
        for row in kept
        for rank, (document, _) in enumerate(row.ranking, 1)
    ]
    measures = {ir_measures.parse_measure(theirs): ours for ours, theirs in MEASURES.items()}
    found = {name: {row.query_id: 0.0 for row in kept} for name in MEASURES}
    for metric in ir_measures.iter_calc(list(measures), qrels, run):
        found[measures[metric.measure]][metric.query_id] = float(metric.value)
    return found


def retrieval_scores(rows: Iterable[RetrievalRow]) -> dict[str, dict[str, Score]]:
    """Return the mean of every measure over the queries, by arm and measure, with its bootstrap interval."""
    return _means(_by_arm(rows))


def _by_arm(rows: Iterable[RetrievalRow]) -> dict[str, dict[str, dict[str, float]]]:
    """Return `query_scores` of each arm, by arm."""
    by_arm: dict[str, list[RetrievalRow]] = defaultdict(list)
    for row in rows:
        by_arm[row.arm].append(row)
    return {arm: query_scores(own) for arm, own in by_arm.items()}


def _means(by_arm: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, Score]]:
    return {
        arm: {name: _mean(list(values.values())) for name, values in scores.items()} for arm, scores in by_arm.items()
    }


def _by_query(by_arm: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for arm, scores in by_arm.items():
        for name, values in scores.items():
            for query, value in values.items():
                found[query][arm][name] = value
    return {query: dict(arms) for query, arms in found.items()}


def _mean(values: Sequence[float]) -> Score:
    return bootstrap(lambda drawn: float(np.mean(drawn)), values)


def latencies(rows: Iterable[RetrievalRow]) -> dict[str, dict[str, float]]:
    """Return, by arm, the median and the 95th percentile of the milliseconds that a query took."""
    by_arm: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        by_arm[row.arm].append(sum(row.timings_ms.values()))
    return {
        arm: {"p50": float(np.percentile(each, 50)), "p95": float(np.percentile(each, 95))}
        for arm, each in by_arm.items()
    }
