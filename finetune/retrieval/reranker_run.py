"""One training run of a reranker: model, device, precision, steps. Where torch begins."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from logging import ERROR
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from finetune.device import attention_on, device_of, has_bf16, joined
from finetune.training import WEIGHTS, train
from indexer.errors import UsageError
from indexer.model_files import TOKENIZER, keep_offline
from indexer.types import Progress
from rag.copying.folder import is_copying, read_folder, tokenizer_file
from rag.reranking.cross_encoder import pair_tokenizer

if TYPE_CHECKING:
    from finetune.retrieval.reranker import Group, Options

_NEW = ("classifier", "bert.pooler")
"""Parameters that neither encoder nor generator brings, or not trained."""


class RerankerRun:
    """A reranker about to be trained on planned groups; under torchrun each process takes every n-th of them."""

    def __init__(self, begun_with: Path, groups: Sequence[Group], options: Options) -> None:
        self._begun_with, self._groups, self._options = begun_with, groups, options
        self._device = device_of(options.device)
        self._rank, self._world = joined(self._device)
        self._model = cross_encoder(begun_with, options.seed, attention_on(self._device))
        self._tokenizer = pair_tokenizer(_tokenizer_folder(begun_with) / TOKENIZER, options.max_tokens)
        self._pad = int(self._model.config.pad_token_id or 0)
        self.precision = "bf16" if has_bf16(self._device) else "fp32"
        self._model.to(self._device, torch.bfloat16 if self.precision == "bf16" else torch.float32)
        self._model.train()
        self.parameters = sum(p.numel() for p in self._model.parameters() if p.requires_grad)

    def seconds_a_step(self, steps: int = 2) -> float:
        """Measure how long a step takes, on the first ones; nothing is learned."""
        chosen = [number % len(self._groups) for number in range(steps + 1)]
        self._loss(chosen[0]).backward()  # type: ignore[no-untyped-call]
        started = time.perf_counter()
        for number in chosen[1:]:
            self._loss(number).backward()  # type: ignore[no-untyped-call]
        self._model.zero_grad()
        return (time.perf_counter() - started) / steps / self._world

    def train(
        self,
        work: Path,
        validate: Callable[[], Mapping[str, float]],
        identity: Mapping[str, Any],
        progress: Progress,
    ) -> Path:
        """Train, or go on; return the folder of the best weights."""
        return train(
            self._model,
            lambda step: self._loss(step * self._world + self._rank),
            len(self._groups) // self._world,
            work,
            schedule=self._options.schedule,
            keeping=self._options.keeping,
            is_new=lambda name: name.startswith(_NEW),
            validate=validate,
            better="ndcg@10",
            identity={**identity, "processes": self._world, "precision": self.precision},
            progress=progress,
        )

    def save(self, checkpoint: Path, folder: Path) -> None:
        """Write a checkpoint's weights as a model folder, in full precision; the model has them from then on."""
        learnt = load_file(checkpoint / WEIGHTS)
        whole = cross_encoder(self._begun_with, self._options.seed)
        with torch.no_grad():
            for model in (whole, self._model):
                for name, parameter in model.named_parameters():
                    parameter.copy_(learnt[name])
        whole.save_pretrained(folder)
        tokenizer = _tokenizer_folder(self._begun_with)
        for name in (TOKENIZER, "tokenizer_config.json"):
            if (tokenizer / name).is_file():
                shutil.copyfile(tokenizer / name, folder / name)

    @torch.no_grad()
    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return a score for each text, in order."""
        self._model.eval()
        found: list[float] = self._logits([(question, text) for text in texts]).tolist()
        self._model.train()
        return found

    def _loss(self, number: int) -> Tensor:
        """Return the cross-entropy of the right passage among each question's own, the mean over the group."""
        group = self._groups[number]
        logits = self._logits([(question, text) for question, texts in group for text in texts])
        scores = logits.view(len(group), -1)  # (q, 1 + negatives)
        return nn.functional.cross_entropy(scores, torch.zeros(len(group), dtype=torch.long, device=scores.device))

    def _logits(self, pairs: list[tuple[str, str]]) -> Tensor:
        encoded = self._tokenizer.encode_batch(pairs)
        length = max(len(each.ids) for each in encoded)
        ids = torch.full((len(pairs), length), self._pad)
        types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
        for row, each in enumerate(encoded):
            ids[row, : len(each.ids)] = torch.tensor(each.ids)
            types[row, : len(each.ids)] = torch.tensor(each.type_ids)
            mask[row, : len(each.ids)] = 1
        found = self._model(
            input_ids=ids.to(self._device),
            token_type_ids=types.to(self._device),
            attention_mask=mask.to(self._device),
        )
        logits: Tensor = found.logits[:, 0].float()
        return logits


def _tokenizer_folder(begun_with: Path) -> Path:
    return tokenizer_file(read_folder(begun_with)).parent if is_copying(begun_with) else begun_with


def cross_encoder(folder: Path, seed: int, attention: str | None = None) -> Any:
    """Load a model that gives one score a pair: a reranker, or the layers of an encoder or a generator with a new head.

    Without dropout: a run that is gone on with comes to the same bytes.
    """
    keep_offline()
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    told = logging.get_verbosity()
    bars: Any = logging  # its functions are only half typed
    bars.disable_progress_bar()
    torch.manual_seed(seed)
    if is_copying(folder):
        return _reading(folder, attention)
    logging.set_verbosity(ERROR)  # that an encoder brings no head is known
    try:
        return AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=1,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation=attention,
        ).float()
    finally:
        logging.set_verbosity(told)


def _reading(folder: Path, attention: str | None) -> Any:
    """Return the layers of a copying generator, which read question and passage in the same layout, with a new head."""
    from transformers import BertForSequenceClassification

    from rag.copying.model import CopyingModel

    generator = CopyingModel.from_pretrained(folder)
    if not generator.has_types:
        raise UsageError(f"The generator in {folder} is an MPNet.", "Begin with one that is a BERT, or leave it out.")
    reader: Any = generator.encoder
    without = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    reader.config.update({"num_labels": 1, "_attn_implementation": attention or "sdpa", **without})
    model: Any = BertForSequenceClassification(reader.config)
    model.bert.load_state_dict(reader.state_dict(), strict=False)  # all but the pooler
    return model
