"""The collection that a data set is searched in: built or reused, and its documents told apart by the set's names."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from indexer.errors import UsageError
from indexer.types import Progress, silent
from rag.evaluation.data import Asked, RetrievalSet, documents
from rag.evaluation.faults import Faults, shortened

if TYPE_CHECKING:
    from indexer.collection import Collection


def collection_of(
    retrieval_set: RetrievalSet,
    home: str | os.PathLike[str] | None = None,
    *,
    name: str | None = None,
    encoder: str | None = None,
    progress: Progress = silent,
) -> Collection:
    """Return the collection to search: the one called `name`, or one of the set's own documents, built where needed.

    The set's own is called after the hash of its documents, and after the encoder where one is named: documents that
    it holds already cost no embedding. Raises NotFound when there is no collection of that name, UsageError when there
    is no name and the set does not say where its documents are.
    """
    from indexer.collection import Collection

    if name is not None:
        chosen = Collection(name, home, encoder)
        _ = chosen.generation  # says at once that there is no such collection
        return chosen
    corpus = retrieval_set.corpus
    if corpus is None:
        raise UsageError(
            f"{retrieval_set.name} does not say where its documents are.",
            "Index them, and name the collection: --collection NAME",
        )
    collection = Collection(_name(retrieval_set, encoder), home, encoder)
    if corpus.is_dir():
        own = [f"/{_escaped(retrieval_set.questions.name)}"] if retrieval_set.questions else []
        collection.sync([corpus], exclude=own, progress=progress)
    else:
        from indexer.sync import sync_given

        sync_given(collection, documents(retrieval_set), progress=progress)
    return collection


def _name(retrieval_set: RetrievalSet, encoder: str | None) -> str:
    """Return the name of the set's own collection; a folder is known by its place, since what it holds may change."""
    hashed = retrieval_set.corpus_sha256 or hashlib.sha256(os.fsencode(_folder(retrieval_set))).hexdigest()
    by = f"-{hashlib.sha256(encoder.encode()).hexdigest()[:8]}" if encoder else ""
    return f"evaluation-{hashed[:16]}{by}"


def _folder(retrieval_set: RetrievalSet) -> str:
    return os.path.abspath(retrieval_set.corpus or "")  # noqa: PTH100 - as a collection names its sources


def _escaped(name: str) -> str:
    """Return a file's name as a pattern that means it alone, among gitignore's."""
    return re.sub(r"([\\*?\[\]!#\s])", r"\\\1", name)


# Documents by the names that the set has for them


def names_of(wanted: Iterable[str], collection: Collection) -> dict[str, str]:
    """Return, by source in the collection, the name by which a data set calls it.

    A name is the source itself, or its end after a slash where only one source ends so. Raises DataFaults for names
    that are none of the collection's documents, or several.
    """
    sources = [entry.source for entry in collection.documents()]
    known = set(sources)
    by_last: dict[str, list[str]] = defaultdict(list)
    for source in sources:
        by_last[source.rpartition("/")[2]].append(source)
    faults = Faults(f"The judgements, against collection {collection.name!r},")
    found: dict[str, str] = {}
    for name in dict.fromkeys(wanted):
        ending = f"/{name.removeprefix('./')}"
        matching = [name] if name in known else [s for s in by_last[name.rpartition("/")[2]] if s.endswith(ending)]
        if len(matching) == 1:
            found[matching[0]] = name
        elif matching:
            faults.add("source that names several documents", name, ", ".join(matching[:3]))
        else:
            faults.add("source that is no document of the collection", name)
    faults.check()
    return found


def check_evidence(questions: Sequence[Asked], collection: Collection) -> None:
    """Raise DataFaults when a gold source is no document of the collection, or a gold quote stands in none of them.

    Spaces and line ends count alike. Where a question names no source, its quotes are not looked for.
    """
    names = names_of((source for each in questions for source in each.sources), collection)
    quoted = {source for each in questions if each.quotes for source in each.sources}
    texts = {name: _collapsed(collection.document(source).text) for source, name in names.items() if name in quoted}
    faults = Faults(f"The evidence, against collection {collection.name!r},")
    for each in questions:
        for quote in each.quotes:
            if each.sources and not any(_collapsed(quote) in texts[source] for source in each.sources):
                faults.add("quote that is not in its source", f"question {each.id}", shortened(quote))
    faults.check()


def _collapsed(text: str) -> str:
    return " ".join(text.split())
