"""One training run of an encoder: model, device, precision, steps and validation. Where torch begins."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from finetune.device import attention_on, device_of, has_bf16, joined
from finetune.retrieval.ranking import ndcg
from finetune.training import WEIGHTS, train
from indexer.encoders.model_folder import inspect_model_folder
from indexer.encoders.torch_encoder import load_sentence_transformer
from indexer.errors import UsageError
from indexer.types import Progress

if TYPE_CHECKING:
    from finetune.retrieval.encoder import Bench, Options


class EncoderRun:
    """An encoder about to be trained on planned groups; under torchrun each process takes every n-th of them."""

    def __init__(self, base: Path, groups: Sequence[Sequence[Sequence[str]]], options: Options) -> None:
        self._base, self._groups, self._options = inspect_model_folder(base), groups, options
        self._device = device_of(options.device)
        self._rank, self._world = joined(self._device)
        torch.manual_seed(options.seed)
        self._model = loaded(base, attention_on(self._device))
        self._full_length = self._model.max_seq_length
        self._model.max_seq_length = min(options.max_tokens, self._full_length)
        for module in self._model.modules():  # without chance, a run that is gone on with comes to the same bytes
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        self.precision = "bf16" if has_bf16(self._device) else "fp32"
        self._model.to(self._device)
        if self.precision == "bf16":
            _compute_in_bf16(self._model)
        self._loss_of = _loss_function(self._model, options)
        self.parameters = sum(p.numel() for p in self._model.parameters() if p.requires_grad)

    @property
    def steps(self) -> int:
        """How many steps this process takes."""
        return len(self._groups) // self._world

    def seconds_a_step(self, steps: int = 2) -> float:
        """Measure how long a step takes, on the first ones; nothing is learned."""
        chosen = [number % len(self._groups) for number in range(steps + 1)]
        self._loss(chosen[0]).backward()  # type: ignore[no-untyped-call]
        started = time.perf_counter()
        for number in chosen[1:]:
            self._loss(number).backward()  # type: ignore[no-untyped-call]
        self._model.zero_grad()
        return (time.perf_counter() - started) / steps / self._world

    def train(self, work: Path, bench: Bench, identity: Mapping[str, Any], progress: Progress) -> Path:
        """Train, or go on; return the folder of the best weights."""
        return train(
            self._model,
            lambda step: self._loss(step * self._world + self._rank),
            self.steps,
            work,
            schedule=self._options.schedule,
            keeping=self._options.keeping,
            validate=lambda: {"ndcg@10": self.score(bench)},
            better="ndcg@10",
            identity={**identity, "processes": self._world, "precision": self.precision},
            progress=progress,
        )

    def save(self, checkpoint: Path, folder: Path, bench: Bench) -> float:
        """Write a checkpoint's weights, mixed with those before, as a model folder; return what they score."""
        learnt = load_file(checkpoint / WEIGHTS)
        whole = loaded(self._base.path)
        keep = self._options.keep
        with torch.no_grad():
            for name, parameter in whole.named_parameters():
                if name in learnt:
                    parameter.mul_(keep).add_((1 - keep) * learnt[name].float())
        whole.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
        inspect_model_folder(folder)  # what is left there can be indexed with
        with torch.no_grad():
            for name, parameter in self._model.named_parameters():
                parameter.copy_(whole.get_parameter(name))
        return self.score(bench)

    @torch.no_grad()
    def score(self, bench: Bench) -> float:
        """Return the nDCG@10 of held-out questions, in per cent."""
        self._model.eval()
        questions = self._embedded(bench.questions, self._base.query_prompt)
        passages = self._embedded(bench.passages, self._base.passage_prompt)
        cosines = questions @ passages.T  # (q, p)
        own = cosines[np.arange(len(bench.right)), bench.right]
        ranks = (cosines > own[:, None]).sum(axis=1) + 1
        self._model.train()
        return ndcg([int(rank) for rank in ranks])

    def _embedded(self, texts: Sequence[str], prompt: str, together: int = 32) -> Any:
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found: list[Any] = [None] * len(texts)
        for first in range(0, len(order), together):
            rows = order[first : first + together]
            vectors = self._model(self._features([texts[row] for row in rows], prompt))["sentence_embedding"]
            unit = nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()
            for row, vector in zip(rows, unit, strict=True):
                found[row] = vector
        return np.stack(found)

    def _features(self, texts: Sequence[str], prompt: str) -> dict[str, Any]:
        features = self._model.preprocess([prompt + text for text in texts])
        return {name: each.to(self._device) if isinstance(each, Tensor) else each for name, each in features.items()}

    def _loss(self, number: int) -> Tensor:
        prompts = [self._base.query_prompt] + [self._base.passage_prompt] * (len(self._groups[number]) - 1)
        columns = zip(self._groups[number], prompts, strict=True)
        found: Tensor = self._loss_of([self._features(texts, prompt) for texts, prompt in columns], None)
        return found


def loaded(folder: Path, attention: str | None = None) -> Any:
    """Load a sentence-transformers folder in full precision, after checking it."""
    inspect_model_folder(folder)
    return load_sentence_transformer(folder, attention)


def _compute_in_bf16(model: Any) -> None:
    """Let the model's layers compute in half the bits, and hand over what they made in full precision.

    Pooling, vectors and the loss, which tells cosines of 0.81 and 0.82 apart, are computed in full precision; autocast,
    which goes to and fro between the two within each layer, takes a third longer.
    """
    layers = model[0].to(torch.bfloat16)
    plain = layers.forward

    def forward(*inputs: Any, **named: Any) -> Any:
        found = plain(*inputs, **named)
        for name in ("token_embeddings", "sentence_embedding"):
            if name in found:
                found[name] = found[name].float()
        return found

    layers.forward = forward


def _loss_function(model: Any, options: Options) -> Any:
    from sentence_transformers.sentence_transformer import losses

    loss: Any
    if options.cached is None:
        loss = losses.MultipleNegativesRankingLoss(model, scale=options.scale)
    else:
        loss = losses.CachedMultipleNegativesRankingLoss(model, scale=options.scale, mini_batch_size=options.cached)
    if not options.dimensions:
        return loss
    whole = int(model.get_embedding_dimension())
    if any(not 0 < each < whole for each in options.dimensions):
        raise UsageError(
            f"The encoder's vectors have {whole} numbers; --dimensions are fewer, not {options.dimensions}.",
            "For example: --dimensions 128,256",
        )
    return losses.MatryoshkaLoss(model, loss, [whole, *sorted(options.dimensions, reverse=True)])
