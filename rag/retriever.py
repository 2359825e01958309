"""From a question to passages, the one way for all: both arms, fused, reranked, near-duplicates collapsed, joined.

It searches one open `View` and changes nothing; how the arms are fused is `fusion.py`'s, and how a reranker's scores
count is `reranking`'s.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from indexer.errors import UsageError
from indexer.languages import language_of
from indexer.pages import on_two
from indexer.signatures import near_duplicates
from indexer.types import Hit, Vectors
from indexer.view import StoredChunk, View
from rag import fusion
from rag.reranking.reranker import Reranker, reranked
from rag.scoring import scores_of
from rag.types import Origin, Passage

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

Mode = Literal["hybrid", "dense", "words", "feedback"]
"""By words and meaning, by one of them, or by both with feedback: see `Retriever`."""
MODES: tuple[Mode, ...] = get_args(Mode)
FEEDBACK_PASSAGES, FEEDBACK_SHARE = 3, 0.4
"""How many passages join the question in feedback, and their share of it."""
DEPTH = 100
"""Chunks taken from each arm before they are fused, unless a retriever is made with another depth."""
MAX_QUESTION = 4000
"""Longest question, in characters."""


LEAST_COSINE = 0.3
"""How near to the question a passage must be at least, where no word of it is found: see docs/experiments.md."""


@dataclass(frozen=True, slots=True)
class Arms:
    """What each arm of the search found, best first; an arm that was not asked is empty."""

    words: Sequence[Hit] = ()
    dense: Sequence[Hit] = ()


def checked_question(question: str) -> str:
    """Return the question normalised to NFC. Raises UsageError for one that is empty, too long or only marks."""
    if not isinstance(question, str):
        raise UsageError(f"A question must be a text, not {question!r:.80}.", 'For example: ask("When did it begin?")')
    text = unicodedata.normalize("NFC", question).replace("\x00", " ").encode(errors="ignore").decode().strip()
    if len(text) > MAX_QUESTION:
        raise UsageError(
            f"The question has {len(text):,} characters; at most {MAX_QUESTION:,} are read.",
            "Ask for less at once, or index the long text as a document and ask about it.",
        )
    if not any(character.isalnum() for character in text):
        raise UsageError("The question holds no word.", 'For example: "When did the project begin?"')
    return text


@dataclass(frozen=True, slots=True, eq=False)
class Retriever:
    """How passages are found for a question; one for `search`, `ask`, evaluation and training.

    A question is one that `checked_question` returned. Its `vector` (dim,) is by the encoder that made what the view
    shows; only the mode "words" does without it.
    """

    mode: Mode = "hybrid"
    reranker: Reranker | None = None
    """What orders the best of the ranking, whatever the mode."""
    where: ColumnElement[bool] | None = None
    """Only documents that this condition holds for; see `indexer.filters`."""
    depth: int = DEPTH
    """Chunks taken from each arm. Twice as many as there are passages to find, where that is more."""

    def matches(self, view: View, question: str, vector: Vectors | None) -> bool:
        """Tell whether anything matches a question at all: a word, a name, or a passage nearer in meaning than noise.

        One arm alone ranks what it ranks. Cosines between two languages are low in any case, so that a question in
        another language than English is given what is nearest.
        """
        if self.mode in ("words", "dense") or vector is None or language_of(question) not in ("", "en"):
            return True
        if view.has_a_word(question, self.where):
            return True
        nearest = view.dense(vector, 1, self.where)
        return any(hit.score >= LEAST_COSINE for hit in nearest) or bool(view.named(question, [], self.where).chunks)

    def find(
        self, view: View, question: str, vector: Vectors | None, k: int, *, explain: bool = False
    ) -> list[Passage]:
        """Return the `k` best chunks as passages, best first, near-duplicates collapsed into the best of them.

        With `explain`, each passage also says which words of the question matched.
        """
        arms = self._arms(view, question, vector, max(self.depth, 2 * k))
        kept = _apart(view, self._ranking(view, question, arms), k)
        dense = {hit.chunk_id: hit.score for hit in arms.dense}
        scores = scores_of(view, self.mode, question, vector, [chunk.id for chunk, _ in kept], dense)
        return _passages(view, arms, kept, scores, question if explain else "")

    def read(
        self,
        view: View,
        question: str,
        vector: Vectors | None,
        k: int,
        *,
        explain: bool = False,
        leave_out: Callable[[Passage], bool] | None = None,
    ) -> list[Passage]:
        """Return the `k` passages of `find` as they are read: those of one document that touch become one.

        Those that `leave_out` is true of make room for others, from among the first three times `k`.
        """
        found = self.find(view, question, vector, k if leave_out is None else 3 * k, explain=explain)
        if leave_out is not None:
            found = [passage for passage in found if not leave_out(passage)][:k]
        return _joined(view, found)

    def ranking(self, view: View, question: str, vector: Vectors | None, arms: Arms | None = None) -> list[Hit]:
        """Return all hits, best first, near-duplicates and all.

        `arms` are what the modes "words" and "dense" found for the same question; then they are not asked again.
        """
        return self._ranking(view, question, self._arms(view, question, vector, self.depth, arms))

    def _arms(self, view: View, question: str, vector: Vectors | None, depth: int, asked: Arms | None = None) -> Arms:
        """Return what the arms that `mode` needs find, `depth` chunks each; those `asked` already are taken over."""
        if asked is None:
            words = view.words(question, depth, self.where) if self.mode != "dense" else []
            dense = view.dense(vector, depth, self.where) if self.mode != "words" and vector is not None else []
            asked = Arms(words, dense)
        if self.mode == "feedback" and vector is not None:
            return self._with_feedback(view, vector, asked, depth)
        return asked

    def _with_feedback(self, view: View, vector: Vectors, found: Arms, depth: int) -> Arms:
        """Return the arms with the dense one asked again, for what the question and the best passages have in common.

        Pseudo-relevance feedback: the question's unit vector q becomes (1 - b) q + b m, of length one, with m the mean
        of the vectors of the best passages of the fused ranking (Rocchio 1971; for dense vectors Li et al. 2022,
        https://arxiv.org/abs/2108.11044, who take the best of the dense arm alone). It finds more of a topic that many
        passages are about, and is no help where one passage holds the answer: so `ask` does not use it.
        """
        best = [hit.chunk_id for hit in fusion.standard_scores([found.words, found.dense])[:FEEDBACK_PASSAGES]]
        vectors = view.vectors(best)
        if not vectors:
            return found
        import numpy as np

        mean = np.mean([vectors[chunk] for chunk in best], axis=0)
        moved = (1 - FEEDBACK_SHARE) * vector + FEEDBACK_SHARE * mean
        moved /= max(float(np.linalg.norm(moved)), 1e-12)
        return Arms(found.words, view.dense(moved.astype(np.float32), depth, self.where))

    def _ranking(self, view: View, question: str, arms: Arms) -> list[Hit]:
        if self.mode == "words":
            ranking = list(arms.words)
        elif self.mode == "dense":
            ranking = list(arms.dense)
        elif self.mode == "feedback":  # whose dense hits are near to what was asked for, and not to the question
            ranking = fusion.standard_scores([arms.words, arms.dense])
        else:
            ranking = fusion.hybrid(arms.words, arms.dense)
        if self.reranker is not None:
            ranking = reranked(view, question, ranking, self.reranker)
        if self.mode in ("words", "dense"):
            return ranking
        named = view.named(question, [hit.chunk_id for hit in ranking], self.where)
        return fusion.with_names(ranking, named.chunks, named.alone)


def _apart(view: View, ranking: Sequence[Hit], k: int) -> list[tuple[StoredChunk, list[str]]]:
    """Return the `k` best chunks of `ranking`, each with the sources of those that are nearly the same as it."""
    kept: list[tuple[StoredChunk, list[str]]] = []
    for start in range(0, len(ranking), 2 * k + 8):
        for chunk in view.chunks([hit.chunk_id for hit in ranking[start : start + 2 * k + 8]]):
            twin = next((other for other in kept if _alike(other[0], chunk)), None)
            if twin is not None:
                if chunk.source != twin[0].source and chunk.source not in twin[1]:
                    twin[1].append(chunk.source)
            elif len(kept) < k:
                kept.append((chunk, []))
        if len(kept) == k:
            break
    return kept


def _passages(
    view: View, arms: Arms, kept: Sequence[tuple[StoredChunk, list[str]]], scores: Sequence[float], question: str
) -> list[Passage]:
    """Return chunks as passages; with a `question`, each also says which of its words matched."""
    words = {hit.chunk_id: (rank, hit.score) for rank, hit in enumerate(arms.words, 1)}
    dense = {hit.chunk_id: (rank, hit.score) for rank, hit in enumerate(arms.dense, 1)}
    nowhere = (None, None)
    matched = view.matched_words(question, [chunk.id for chunk, _ in kept]) if question else {}
    found = []
    for (chunk, twins), score in zip(kept, scores, strict=True):
        in_words, in_dense = words.get(chunk.id, nowhere), dense.get(chunk.id, nowhere)
        origin = Origin(in_words[0], in_words[1], in_dense[0], in_dense[1], tuple(matched.get(chunk.id, ())))
        names = view.page_names(chunk.document_id, [chunk.page])
        found.append(replace(_passage(chunk, score, origin, tuple(twins)), page_names=names))
    return found


def _alike(one: StoredChunk, other: StoredChunk) -> bool:
    return near_duplicates((one.simhash, one.numbers), (other.simhash, other.numbers))


def _passage(chunk: StoredChunk, score: float, origin: Origin, also_in: tuple[str, ...]) -> Passage:
    return Passage(
        source=chunk.source,
        sha256=chunk.sha256,
        title=chunk.title,
        context=chunk.context,
        page=chunk.page,
        line=chunk.line,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        score=score,
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        origin=origin,
        also_in=also_in,
    )


def _joined(view: View, found: Sequence[Passage]) -> list[Passage]:
    """Return the passages as they are read: those of one document that touch or overlap become one.

    It stands in the place of the best of them; so nothing is read twice.
    """
    read: list[Passage] = []
    for passage in (_with_rows_whole(view, each) for each in found):
        touching = [each for each in read if _touch(each, passage)]
        start = min(each.start for each in (passage, *touching))
        end = max(each.end for each in (passage, *touching))
        best = replace(touching[0] if touching else passage, start=start, end=end)
        place = read.index(touching[0]) if touching else len(read)
        read = [each for each in read if each not in touching]
        read.insert(place, best)
    return [_with_text(view, passage) for passage in read]


WHOLE_ROW = 4000
"""Longest row of a table that is read whole, in characters, where a chunk holds a part of it."""
_CELL = re.compile(r"(?:^|; )[^;:\n]{1,80}: ")
_CLOSES = re.compile(r"[^“”]*”(?:; |$)")
"""The end of a cell of many lines, whose beginning is in another chunk."""
_FEW = 3


def _with_rows_whole(view: View, passage: Passage) -> Passage:
    """Return a passage that begins and ends with its first and its last row whole, if it holds rows of a table.

    What a row is about stands in one of its cells, and what is asked for perhaps in another chunk. `text` stays as it
    was.
    """
    start, end = passage.start, passage.end
    lines = passage.text.split("\n")
    if start and (len(_CELL.findall(lines[0])) >= _FEW or _CLOSES.match(lines[0])):
        above = view.part(passage.document_id, max(0, start - WHOLE_ROW), start)[0]
        cut = above.rfind("\n") + 1
        if cut or start <= WHOLE_ROW:
            start -= len(above) - cut
    if len(_CELL.findall(lines[-1])) >= _FEW or lines[-1].rfind(": “") > lines[-1].rfind("”"):
        below = view.part(passage.document_id, end, end + WHOLE_ROW)[0]
        cut = below.find("\n")
        if cut >= 0 or len(below) < WHOLE_ROW:
            end += len(below) if cut < 0 else cut
    return replace(passage, start=start, end=end)


BLANK = 2
"""Characters that a blank line leaves between two chunks that follow each other."""


def _touch(one: Passage, other: Passage) -> bool:
    """Tell passages that follow each other or overlap; not those on two sheets or slides."""
    if one.document_id != other.document_id or on_two(one.source, one.page, other.page):
        return False
    return one.start <= other.end + BLANK and other.start <= one.end + BLANK


def _with_text(view: View, passage: Passage) -> Passage:
    text, sections = view.part(passage.document_id, passage.start, passage.end)
    names = view.page_names(passage.document_id, (part.page for part in sections))
    read = replace(passage, text=text, sections=sections, page_names=names)
    page, line = read.place(0)
    page = passage.page if page is None else page  # a document's fields stand before its first sheet, on none
    return replace(read, page=page, line=line)
