"""nDCG@10 and recall of each arm and of the fusion on data sets in the BEIR layout, end to end through a collection.

    python -m tests.benchmarks.eval_beir FOLDER... [--home DIR]

Each folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv. A document is found when one of its passages is; its
rank is that of its best passage. The measures are ir_measures'. Indexing is kept under --home and not done twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import click
import ir_measures

from indexer.collection import Collection
from indexer.sync import Given
from rag.engine import Engine

MEASURES = [ir_measures.nDCG @ 10, ir_measures.R @ 10, ir_measures.R @ 100]


def corpus(folder: Path) -> Iterator[Given]:
    """Yield the documents of a BEIR folder."""
    with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Given(row["_id"], row["text"], row.get("title") or "")


def judgements(folder: Path) -> list[ir_measures.Qrel]:
    """Return the relevance judgements of a BEIR folder."""
    lines = (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines if line)
    return [ir_measures.Qrel(query, document, int(grade)) for query, document, grade in rows]


def run(engine: Engine, queries: dict[str, str], mode: str) -> list[ir_measures.ScoredDoc]:
    """Return the documents that `mode` finds for each query, each by its best passage."""
    found = []
    for key, query in queries.items():
        seen: set[str] = set()
        for passage in engine.search(query, 200, mode=mode):  # type: ignore[arg-type]
            for source in (passage.source, *passage.also_in):
                if source not in seen and len(seen) < 100:
                    seen.add(source)
                    found.append(ir_measures.ScoredDoc(key, source, -float(len(seen))))
    return found


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--home", help="Where the collections are kept.")
def main(folders: tuple[Path, ...], home: str | None) -> None:
    """Measure retrieval on BEIR folders."""
    click.echo(f"{'set':12}{'arm':8}{'nDCG@10':>9}{'R@10':>8}{'R@100':>8}{'ms a query':>12}")
    for folder in folders:
        collection = Collection(f"beir-{folder.name}", home)
        started = time.perf_counter()
        report = collection.add(list(corpus(folder)))
        spent = time.perf_counter() - started
        if report.chunks_embedded:
            rate = report.chunks_embedded / spent
            documents = report.added
            click.echo(f"# {folder.name}: {documents} documents, {report.chunks} passages, {rate:.0f} passages/s")
        wanted = judgements(folder)
        ids = {judgement.query_id for judgement in wanted}
        with (folder / "queries.jsonl").open(encoding="utf-8") as lines:
            queries = {row["_id"]: row["text"] for row in map(json.loads, lines) if row["_id"] in ids}
        engine = Engine(collection)
        for mode in ("words", "dense", "hybrid"):
            started = time.perf_counter()
            found = run(engine, queries, mode)
            each = (time.perf_counter() - started) / len(queries) * 1000
            scores = ir_measures.calc_aggregate(MEASURES, wanted, found)
            row = "".join(f"{100 * scores[measure]:8.1f}" for measure in MEASURES)
            click.echo(f"{folder.name:12}{mode:8} {row}{each:12.1f}")


if __name__ == "__main__":
    main()
