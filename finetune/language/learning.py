"""A language model on its device, and what a batch of tokens costs it: for learning and for measuring.

Knows three ways to predict, and nothing of where the tokens come from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from finetune.device import device_of, has_bf16, joined
from finetune.language.architecture import Objective
from finetune.language.objectives import IGNORED, Batch, Ids


class Learner:
    """A model in the precision that is fastest here; under torchrun, one of several that learn together."""

    def __init__(self, model: Any, objective: Objective, device: str = "auto") -> None:
        self.model, self.objective = model, objective
        self.device = device_of(device)
        self.rank, self.world = joined(self.device)
        self.precision = "bf16" if has_bf16(self.device) else "fp32"
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        for parameter in model.parameters():
            parameter.data = parameter.data.to(dtype)  # and not the buffers: rotary frequencies need all their digits
        model.to(self.device)
        self.parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)

    def loss(self, parts: Sequence[Batch]) -> Tensor:
        """Return the mean of -ln p over all labels of a step, computed part by part.

        The value is that of all parts; of all but the last, the gradients are left in the parameters already.
        """
        total = sum(part.predicted for part in parts)
        done = torch.zeros((), device=self.device)
        for part in parts[:-1]:
            loss = self._nats(part) / total
            loss.backward()  # type: ignore[no-untyped-call]
            done += loss.detach()
        return self._nats(parts[-1]) / total + done

    @torch.no_grad()
    def nats(self, batches: Iterable[Batch]) -> float:
        """Return the sum of -ln p over all labels."""
        return sum(float(self._nats(batch)) for batch in batches)

    def seconds_a_step(self, parts_of: Callable[[int], Sequence[Batch]], steps: int = 2) -> float:
        """Measure how long a step takes; nothing is learned."""
        self.model.train()
        self.loss(parts_of(0)[:1]).backward()  # type: ignore[no-untyped-call]
        started = time.perf_counter()
        for step in range(steps):
            self.loss(parts_of(step)).backward()  # type: ignore[no-untyped-call]
        self.model.zero_grad()
        return (time.perf_counter() - started) / steps

    def _nats(self, batch: Batch) -> Tensor:
        labels = self._tensor(batch.labels)
        given: dict[str, Tensor] = {"input_ids": self._tensor(batch.ids)}
        if batch.attended is not None:
            given["attention_mask"] = self._tensor(batch.attended)
        elif self.objective == "spans":
            given["attention_mask"] = torch.ones_like(given["input_ids"])
        if self.objective == "spans":
            begun = self.model.prepare_decoder_input_ids_from_labels(labels)
            logits = self.model(**given, decoder_input_ids=begun, use_cache=False).logits
        else:
            logits = self.model(**given).logits[:, -labels.shape[1] :]  # a soft prompt stands before the others
        if self.objective == "next":
            logits, labels = logits[:, :-1], labels[:, 1:]
        return cross_entropy(
            logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )  # (rows * tokens, v)

    def _tensor(self, ids: Ids) -> Tensor:
        return torch.from_numpy(ids).to(self.device)
