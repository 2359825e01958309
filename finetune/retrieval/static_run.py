"""One run of learning a static encoder's table. Where torch begins."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from finetune.training import WEIGHTS, train
from indexer.encoders.model_folder import inspect_model_folder
from indexer.types import Progress, Vectors

if TYPE_CHECKING:
    from finetune.retrieval.static import Options, Texts


class StaticRun:
    """A table about to be learnt."""

    def __init__(self, table: Vectors, learn: Texts, watch: Texts, options: Options) -> None:
        self._model = nn.EmbeddingBag.from_pretrained(torch.from_numpy(table.copy()), freeze=False, mode="mean")
        self._learn, self._watch, self._options = learn, watch, options
        chance = random.Random(options.seed)
        per_pass = max(1, len(learn.tokens) // options.batch_size)
        self.steps = options.steps or max(1, round(options.epochs * per_pass))
        """Optimizer steps of the whole run."""
        self._batches: list[list[int]] = []
        while len(self._batches) < self.steps:
            order = [place for place, tokens in enumerate(learn.tokens) if tokens]
            chance.shuffle(order)
            size = options.batch_size
            self._batches += [order[first : first + size] for first in range(0, max(1, len(order) - size + 1), size)]

    def seconds_a_step(self) -> float:
        """Measure how long a step takes; nothing is learned."""
        started = time.perf_counter()
        self._loss(0).backward()  # type: ignore[no-untyped-call]
        self._model.zero_grad()
        return time.perf_counter() - started

    def train(self, work: Path, identity: Mapping[str, Any], progress: Progress) -> None:
        """Learn, or go on learning; the model then has the last weights."""
        last = train(
            self._model,
            self._loss,
            self.steps,
            work,
            schedule=self._options.schedule,
            keeping=self._options.keeping,
            validate=self.scores,
            identity=identity,
            progress=progress,
        )
        with torch.no_grad():
            self._model.weight.copy_(load_file(last / WEIGHTS)["weight"])

    def scores(self) -> dict[str, float]:
        """Return the mean cosine to the vectors of held-out texts, and the share of ten neighbours that agree."""
        with torch.no_grad():
            mine = self._embedded(self._watch.tokens).numpy()
        wanted = self._watch.vectors
        near = [_nearest(vectors, min(10, len(wanted) - 1)) for vectors in (mine, wanted)]
        shared = [len(set(one) & set(other)) / max(1, len(one)) for one, other in zip(*near, strict=True)]
        return {"cosine": float(np.sum(mine * wanted, axis=1).mean()), "neighbours": 100 * float(np.mean(shared))}

    def save(self, tokenizer: Path, folder: Path) -> None:
        """Write the table as a sentence-transformers folder."""
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
        from tokenizers import Tokenizer

        whole = Tokenizer.from_file(str(tokenizer))
        whole.no_truncation()  # the encoder's own is cut to what the encoder reads, and a table reads everything
        embedding = StaticEmbedding(whole, self._model.weight.detach().clone())
        model = SentenceTransformer(modules=[embedding, Normalize()], device="cpu")
        model.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
        inspect_model_folder(folder)  # what is left there can be indexed with

    def _loss(self, step: int) -> Tensor:
        rows = self._batches[step]
        found = self._embedded([self._learn.tokens[row] for row in rows])
        wanted = torch.from_numpy(self._learn.vectors[rows])
        return 1 - (found * wanted).sum(dim=1).mean()

    def _embedded(self, tokens: Sequence[Sequence[int]]) -> Tensor:
        flat = torch.tensor([each for text in tokens for each in text], dtype=torch.long)
        offsets = torch.tensor(np.cumsum([0, *(len(text) for text in tokens[:-1])]), dtype=torch.long)
        found: Tensor = nn.functional.normalize(self._model(flat, offsets), dim=1)
        return found


def _nearest(vectors: Vectors, count: int) -> list[list[int]]:
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2.0)
    found: list[list[int]] = np.argsort(-cosines, axis=1, kind="stable")[:, :count].tolist()
    return found
