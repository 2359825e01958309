"""Questions made from documents alone, each tried by a round trip: what `train questions` does.

    OUT/  questions.jsonl  asking.json  report.json  README.md
    OUT/training/  collections/documents  (where files were given, and not a collection)

Questions are made of statements (`asking`), and kept when two who do not know the statement agree with it (Alberti et
al. 2019, https://arxiv.org/abs/1906.05416): a copying generator that reads the passage answers with the same span, and
the search finds the passage. Keywords, titles and sentences, which ask for no answer, need only be found.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune.card import Card, Source, table, write_card
from finetune.questions import read_questions
from finetune.resources import require_free
from finetune.retrieval.asking import MODEL_FILE, questions_of, read_asker
from indexer import storage
from indexer.errors import UsageError
from indexer.sentences import sentences
from indexer.types import Progress, silent
from rag.engine import said
from rag.evaluation import metrics
from rag.generator import Draft
from rag.retriever import MAX_QUESTION, Retriever
from rag.types import Passage, given_passage

if TYPE_CHECKING:
    from indexer.collection import Collection

KINDS = ("question", "keywords", "title", "sentence")
QUESTIONS, ASKER, REPORT = "questions.jsonl", "asking.json", "report.json"
_TOGETHER = 64
_SHORTEST = 200
"""Characters of a passage below which there is nothing to ask."""
_EXAMPLES = 8
_LONGEST_TITLE = 300  # characters


@dataclass(frozen=True, slots=True)
class Options:
    """How questions are made."""

    kinds: tuple[str, ...] = ("question", "keywords")
    """Of KINDS: questions in sentences; their words alone, as people type them; a title, or a sentence, as a question
    for the passage without it."""
    per_passage: int = 2
    """Questions of each kind kept for a passage, at most."""
    limit: int = 10_000
    """Questions in all, at most; passages are taken in a random order."""
    agreement: float = 0.8
    """Least F1 of the words between the span that was asked for and the one that the generator answers with."""
    found_within: int = 20
    """Passages among which the search must find the question's own."""
    seed: int = 11


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on a stored passage."""

    id: str
    question: str
    kind: str
    context: str
    """The passage as it is to be learnt from."""
    title: str
    answers: tuple[str, ...]
    document: str
    """The source of the passage."""
    chunk: int
    """The passage's number in the collection."""
    own: int = 0
    """Where the passage stood in the search, from 1."""

    def to_json(self) -> dict[str, Any]:
        """Return the line of questions.jsonl."""
        return {
            "id": self.id, "question": self.question, "context": self.context, "title": self.title,
            "answers": list(self.answers), "document": self.document, "kind": self.kind, "rank": self.own,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it."""

    folder: Path
    passages: int
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By kind: questions made, answered alike, found, kept."""
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Some that were kept, and some that were not, by why not."""

    @property
    def kept(self) -> int:
        """How many questions there are."""
        return sum(counts.get("kept", 0) for counts in self.counts.values())


Answering = Callable[[Sequence[str], Sequence[Passage]], Sequence[str]]
"""Answers each question from its own passage, in words of the passage; "" for nothing."""
Estimates = Callable[[int, float], None]


def train_questions(
    collection: Collection,
    out: Path,
    options: Options = Options(),
    *,
    learn: Sequence[Path] = (),
    answering: Answering | None = None,
    dry_run: bool = False,
    announce: Estimates = lambda passages, seconds: None,
    progress: Progress = silent,
) -> Report:
    """Make questions from the passages of `collection`, keep those that pass the round trip, and leave them in `out`.

    How people ask is learnt from the question files in `learn`, or was learnt from SQuAD. `answering` answers in the
    round trip; None: the shipped generator. `announce` is told how many passages there are and how many seconds they
    will take. With `dry_run` nothing is written. Raises NotFound where there is no such collection, UsageError for one
    without passages, for one that gives no question, and for kinds that there are not.
    """
    if unknown := sorted(set(options.kinds) - set(KINDS)):
        raise UsageError(f"There is no kind of question called {unknown[0]!r}.", f"There are: {', '.join(KINDS)}.")
    asker = _asker(learn, options, progress)
    order = _passages(collection, options)
    if not order:
        raise UsageError(
            f"Collection {collection.name!r} has no passage of {_SHORTEST} characters or more.", "Index documents."
        )
    if answering is None and "question" in options.kinds:
        answering = _copying(collection, progress)
    made = _Made(collection, asker, answering or _nothing, options)
    announce(len(order), made.seconds_in_all(order))
    if dry_run:
        return Report(out, len(order))
    require_free(out, 4000 * min(options.limit, len(order) * len(options.kinds)))
    kept: list[Asked] = []
    for first in range(0, len(order), _TOGETHER):
        kept += made.on(order[first : first + _TOGETHER])
        progress("making questions", min(first + _TOGETHER, len(order)), len(order))
        if len(kept) >= options.limit:
            break
    if not kept:
        raise UsageError(
            f"None of the {len(order):,} passages gave a question that passed: {made.told()}.",
            "Questions are made of whole sentences, titles of titles; try other kinds with --kinds.",
        )
    report = Report(out, len(order), made.counted(kept[: options.limit]), made.examples)
    _write(out, kept[: options.limit], asker, collection, options, learn, report)
    return report


def _asker(learn: Sequence[Path], options: Options, progress: Progress) -> Mapping[str, Any]:
    if not learn:
        return read_asker(MODEL_FILE)
    from finetune.retrieval.asking_fit import learnt

    questions = [each for file in learn for each in read_questions(file)]
    random.Random(options.seed).shuffle(questions)
    return learnt(questions[:20_000], options.seed, progress)


def _copying(collection: Collection, progress: Progress) -> Answering:
    from rag.copying.generator import open_copying

    generator = open_copying(None, collection.home, progress)

    def answering(questions: Sequence[str], passages: Sequence[Passage]) -> list[str]:
        decoded = generator.decode_many(questions, [[passage] for passage in passages])
        return [
            said(Draft(generator.pieces(found), 0.0), [passage]) if found.actions else ""
            for found, passage in zip(decoded, passages, strict=True)
        ]

    return answering


def _nothing(questions: Sequence[str], passages: Sequence[Passage]) -> list[str]:
    return [""] * len(questions)


def _passages(collection: Collection, options: Options) -> list[int]:
    """Return the numbers of the passages to ask about, shuffled; near-duplicates are for the round trip to see."""
    from sqlalchemy import func, select

    from indexer.schema import chunks

    query = select(chunks.c.id).where(func.length(chunks.c.text) >= _SHORTEST).order_by(chunks.c.id)
    with collection.reading() as connection:
        found = [int(each) for each in connection.execute(query).scalars()]
    random.Random(options.seed).shuffle(found)
    return found


class _Made:
    """Makes questions and tries them."""

    def __init__(
        self, collection: Collection, asker: Mapping[str, Any], answering: Answering, options: Options
    ) -> None:
        self._collection, self._asker, self._answering, self._options = collection, asker, answering, options
        self._counts: dict[str, Counter[str]] = {kind: Counter() for kind in options.kinds}
        self.examples: dict[str, list[str]] = {"kept": [], "answered otherwise": [], "not found": []}

    def seconds_in_all(self, order: Sequence[int], count: int = 8) -> float:
        """Measure what the first passages take and give, and tell how long it takes to all of them, or to the limit."""
        import time

        probe = _Made(self._collection, self._asker, self._answering, self._options)
        probe.on(order[:1])  # what is opened on first use
        started = time.perf_counter()
        probed = len(order[:count])
        gives = len(probe.on(order[:count])) / probed
        seconds = (time.perf_counter() - started) / probed
        return seconds * min(len(order), self._options.limit / gives if gives else len(order))

    def on(self, passages: Sequence[int]) -> list[Asked]:
        """Return the questions on these passages that pass."""
        with self._collection.view() as view:
            stored = view.chunks(passages)
        made = [asked for chunk in stored for asked in self._made(chunk)]
        for each in made:
            self._counts[each.kind]["made"] += 1
        agreed = self._answered_alike(made)
        found = self._found(agreed)
        kept: list[Asked] = []
        taken: Counter[tuple[int, str]] = Counter()
        for each in found:
            if taken[(each.chunk, each.kind)] < self._options.per_passage:
                taken[(each.chunk, each.kind)] += 1
                kept.append(each)
                self._example("kept", each)
        return kept

    def told(self) -> str:
        """Return in words how far the questions of each kind came."""
        return "; ".join(
            f"{kind}: {counts['made']:,} made, {counts['answered alike']:,} answered alike, {counts['found']:,} found"
            for kind, counts in self._counts.items()
        )

    def counted(self, kept: Sequence[Asked]) -> dict[str, dict[str, int]]:
        """Return the counts by kind."""
        final = Counter(each.kind for each in kept)
        return {kind: {**counts, "kept": final[kind]} for kind, counts in self._counts.items()}

    def _made(self, chunk: Any) -> Iterator[Asked]:
        base = Asked("", "", "", chunk.text, chunk.context, (), chunk.source, chunk.id)
        number = 0
        for made in questions_of(chunk.text, chunk.context, self._asker, 3 * self._options.per_passage):
            if made.kind in self._options.kinds:
                number += 1
                answer = chunk.text[made.start : made.end]
                yield replace(
                    base, id=f"{chunk.id}-{number}", question=made.question, kind=made.kind, answers=(answer,)
                )
        if "title" in self._options.kinds and 10 <= len(chunk.context) <= _LONGEST_TITLE:
            asked = chunk.context.rpartition(" > ")[2]
            yield replace(base, id=f"{chunk.id}-title", question=asked, kind="title", title="")
        if "sentence" in self._options.kinds:
            yield from self._sentence(base)

    def _sentence(self, base: Asked) -> Iterator[Asked]:
        """Yield one sentence with the passage without it (inverse cloze task: Lee et al. 2019)."""
        spans = [span for span in sentences(base.context) if span[1] - span[0] >= 40]
        if len(spans) < 3:
            return
        start, end = random.Random(f"{self._options.seed} {base.chunk}").choice(spans)
        rest = " ".join(f"{base.context[:start].rstrip()} {base.context[end:].lstrip()}".split(" ")).strip()
        asked = " ".join(base.context[start:end].split())
        yield replace(base, id=f"{base.chunk}-sentence", question=asked, kind="sentence", context=rest)

    def _answered_alike(self, made: Sequence[Asked]) -> list[Asked]:
        tried = [each for each in made if each.kind == "question"]
        alike = {each.id for each in made if each.kind != "question"}
        passages = [given_passage(each.context, each.title) for each in tried]
        answers = self._answering([each.question for each in tried], passages) if tried else []
        for each, text in zip(tried, answers, strict=True):
            if metrics.f1(text, each.answers) >= self._options.agreement:
                alike.add(each.id)
            else:
                self._example("answered otherwise", each, f"; answered: {text!r}")
        kept = [each for each in made if each.id in alike]
        for each in kept:
            self._counts[each.kind]["answered alike"] += 1
        return kept

    def _found(self, made: Sequence[Asked]) -> list[Asked]:
        """Return those whose passage the search finds, with its rank."""
        if not made:
            return []
        texts = [each.question[:MAX_QUESTION] for each in made]
        vectors = self._collection.encoder.embed_queries(texts)  # (n, dim)
        kept: list[Asked] = []
        with self._collection.view() as view:
            for each, text, vector in zip(made, texts, vectors, strict=True):
                ranking = Retriever().ranking(view, text, vector)[: self._options.found_within]
                rank = next((place for place, hit in enumerate(ranking, 1) if hit.chunk_id == each.chunk), 0)
                if rank:
                    self._counts[each.kind]["found"] += 1
                    kept.append(replace(each, own=rank))
                else:
                    self._example("not found", each)
        return kept

    def _example(self, why: str, asked: Asked, more: str = "") -> None:
        if len(self.examples[why]) < _EXAMPLES:
            answer = f" -> {asked.answers[0]}" if asked.answers else ""
            self.examples[why].append(f"[{asked.kind}] {asked.question}{answer}{more}")


def _write(
    out: Path,
    kept: Sequence[Asked],
    asker: Mapping[str, Any],
    collection: Collection,
    options: Options,
    learn: Sequence[Path],
    report: Report,
) -> None:
    storage.make_folder(out)
    lines = [json.dumps(each.to_json(), ensure_ascii=False) + "\n" for each in kept]
    storage.write_file(out / QUESTIONS, "".join(lines).encode(errors="replace"))
    storage.write_file(out / ASKER, (json.dumps(asker, indent=1) + "\n").encode())
    told = {"passages": report.passages, "counts": report.counts, "examples": report.examples}
    storage.write_file(out / REPORT, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode(errors="replace"))
    made = collection.made
    sections = {
        f"Of kind {kind}": table({name: float(count) for name, count in counts.items()}, "stage", 0)
        for kind, counts in report.counts.items()
    }
    sections |= {
        f"Examples: {why}": "\n".join(f"- `{text.replace('`', ' ')}`" for text in texts)
        for why, texts in report.examples.items() if texts
    }  # fmt: skip
    summary = f"""{len(kept):,} questions, made from the passages of a collection of {report.passages:,} (generation
{collection.generation}, encoder {made.encoder}), and kept because the generator answers them from their passage with
the same words and the search finds it."""
    write_card(out, Card("Questions made from documents", summary, [Source(path) for path in learn], asdict(options),
                         sections))  # fmt: skip


def documents_collection(paths: Sequence[str], work: Path, home: Path, progress: Progress = silent) -> Collection:
    """Return a collection under `work` of these files and folders, embedded by the default encoder of `home`."""
    from indexer.collection import Collection
    from indexer.encoder import open_encoder

    collection = Collection("documents", work, open_encoder(None, home, progress))
    collection.sync(list(paths), progress=progress)
    return collection
