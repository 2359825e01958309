"""The collection that questions are asked of, made of the documents or passages that their own files bring."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.types import Progress, silent
from rag.evaluation.data import RetrievalSet, documents, read_passages, read_retrieval_set
from rag.evaluation.searched import collection_of

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.sync import Given


def collection_of_passages(data: Path, also: Sequence[Path], home: Path, progress: Progress = silent) -> Collection:
    """Return a collection of what the questions of `data` were asked about, and the passages of the files in `also`.

    It lies under `home`, is called after the hashes of its files, and is made once; where the questions name the files
    that hold their answers, the folder of those is indexed. Each passage is there once, however many files have it.
    Raises UsageError when a file brings neither passages nor documents.
    """
    sets = [read_retrieval_set(data), *(read_passages(each) for each in also)]
    if not also:
        return collection_of(sets[0], home, progress=progress)
    from indexer.collection import Collection
    from indexer.sync import sync_given

    hashed = hashlib.sha256("\n".join(each.corpus_sha256 for each in sets).encode()).hexdigest()
    collection = Collection(f"evaluation-{hashed[:16]}", home)
    sync_given(collection, distinct(sets), progress=progress)
    return collection


def distinct(sets: Sequence[RetrievalSet]) -> Iterator[Given]:
    """Yield the passages of several sets, those of the first first, each text once."""
    seen: set[str] = set()
    for each in sets:
        for passage in documents(each):
            if passage.text not in seen:
                seen.add(passage.text)
                yield passage
