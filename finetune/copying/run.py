"""One training run of a copying generator: model, device, precision, steps and validation. Where torch begins."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors.torch import load_file
from torch import Tensor

from finetune.copying.examples import NOT_ASKED, Encoded, collate
from finetune.copying.loss import loss, scored
from finetune.device import device_of, has_bf16, joined
from finetune.questions import Question
from finetune.training import WEIGHTS, train
from indexer.errors import UsageError
from indexer.types import Progress
from rag.copying.folder import TOKENIZER, base_encoder, file_hash, read_folder
from rag.copying.model import EMBEDDINGS, MPNET, CopyingConfig, CopyingModel, warm_start
from rag.evaluation import metrics

if TYPE_CHECKING:
    from finetune.copying.generator import Options

ENCODER_SETTINGS = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
    "hidden_act",
    "pad_token_id",
)

_OF_ATTENTION = ("attention.self.dropout", "attention.attn.dropout")
"""The dropout of attention's weights in BERT and in MPNet."""

Watched = Sequence[tuple[Question, Encoded]]


class Run:
    """A model about to be trained on planned batches; under torchrun each process takes every n-th of them."""

    def __init__(self, encoded: Sequence[Encoded], batches: Sequence[Sequence[int]], options: Options) -> None:
        self._encoded, self._options = encoded, options
        self._device = device_of(options.device)
        self._rank, self._world = joined(self._device)
        self._batches = batches[: len(batches) // self._world * self._world]
        self._model = cast(Any, _new_model(options))  # transformers wraps `to` in a decorator without types
        self.precision = "bf16" if has_bf16(self._device) else "fp32"
        if self.precision == "bf16":
            self._model.to(torch.bfloat16)
        self._model.to(self._device)
        _put_out(self._model, options.dropout)
        self._model.train()
        self.parameters = sum(p.numel() for p in self._model.parameters() if p.requires_grad)

    def seconds_a_step(self, steps: int = 3) -> float:
        """Measure how long a step takes, on a few batches of middling length; nothing is learned."""
        middle = sorted(range(len(self._batches)), key=lambda i: self._tokens(self._batches[i]))
        chosen = [middle[len(middle) * (2 * n + 1) // (2 * steps)] for n in range(steps)]
        self._loss(chosen[0]).backward()  # type: ignore[no-untyped-call]
        started = time.perf_counter()
        for number in chosen:
            self._loss(number).backward()  # type: ignore[no-untyped-call]
        self._model.zero_grad()
        return (time.perf_counter() - started) / steps / self._world

    def train(self, work: Path, watched: Watched, identity: Mapping[str, Any], progress: Progress) -> Path:
        """Train, or go on; return the folder of the best weights."""
        return train(
            self._model,
            lambda step: self._loss(step * self._world + self._rank),
            len(self._batches) // self._world,
            work,
            schedule=self._options.schedule,
            keeping=self._options.keeping,
            is_new=lambda name: not name.startswith("encoder."),
            validate=lambda: self._validate(watched),
            better="f1",
            identity={**identity, "processes": self._world, "precision": self.precision},
            progress=progress,
        )

    def save(self, checkpoint: Path, folder: Path) -> None:
        """Write the weights of a checkpoint, mixed with those that are averaged in, as a model folder."""
        model = _new_model(self._options)
        model.load_state_dict(load_file(checkpoint / WEIGHTS), strict=False)
        _mix(model, self._options.average)
        model.save_pretrained(folder)
        if not model.config.embeddings:  # otherwise both come from the encoder's own package
            shutil.copyfile(base_encoder(self._options.encoder) / TOKENIZER, folder / TOKENIZER)

    def _tokens(self, batch: Sequence[int]) -> int:
        return sum(len(window.ids) for i in batch for window in self._encoded[i].windows)

    def _loss(self, number: int) -> Tensor:
        torch.manual_seed(self._options.seed + number)  # what is put out hangs on the batch alone: a run can be resumed
        return loss(self._model, collate([self._encoded[i] for i in self._batches[number]], 0), self._device)

    def _validate(self, watched: Watched, together: int = 16) -> dict[str, float]:
        """Return EM and F1, in per cent, of the best span of each answerable question, and how many would be given."""
        exact, near, given, verdicts = [], [], [], []
        self._model.train(False)
        for first in range(0, len(watched), together):
            part = watched[first : first + together]
            batch = collate([encoded for _, encoded in part], 0)
            found = scored(self._model, batch, self._device)
            best = found.spans[:, 0].flatten(1).max(-1)
            said = [NOT_ASKED] * len(part) if found.verdicts is None else found.verdicts.argmax(-1).tolist()
            for (question, encoded), place, score, verdict in zip(
                part, best.indices.tolist(), best.values.tolist(), said, strict=True
            ):
                if question.yes_no:
                    verdicts.append(verdict == encoded.verdict)
                    continue
                start, end = divmod(place % batch.ids.shape[1] ** 2, batch.ids.shape[1])
                text = _text(question.passage, encoded, start, end)
                given.append((score > 0) == bool(question.answers))
                if question.answers:
                    exact.append(metrics.exact_match(text, question.answers))
                    near.append(metrics.f1(text, question.answers))
        self._model.train()
        return {
            "em": 100 * sum(exact) / max(1, len(exact)),
            "f1": 100 * sum(near) / max(1, len(near)),
            "rightly_given_or_refused": 100 * sum(given) / max(1, len(given)),
            **({"yes_no_or_neither": 100 * sum(verdicts) / len(verdicts)} if verdicts else {}),
        }


def _put_out(model: CopyingModel, share: float) -> None:
    """Have the encoder's layers learn with dropout; attention keeps its weights, to spare time."""
    for name, module in model.encoder.named_modules():
        if isinstance(module, torch.nn.Dropout) and not name.endswith(_OF_ATTENTION):
            module.p = share


def _text(passage: str, encoded: Encoded, start: int, end: int) -> str:
    window, offsets = encoded.windows[0], encoded.words[0].offsets
    first, last = (place - window.first + window.begin for place in (start, end))
    return passage[offsets[first][0] : offsets[last][1]]


def _new_model(options: Options) -> CopyingModel:
    """Return a model with the encoder's weights, or those to go on from; the same seed gives the same new ones."""
    torch.manual_seed(options.seed)
    if options.base is not None:
        return _frozen(
            _with_polarity(CopyingModel.from_pretrained(read_folder(Path(options.base)).path), options), options
        )
    encoder = base_encoder(options.encoder)
    found = json.loads((encoder / "config.json").read_text())
    settings = {name: found[name] for name in ENCODER_SETTINGS if name in found}
    if found.get("model_type") == MPNET:
        settings |= {name: found[name] for name in ("model_type", "relative_attention_num_buckets")}
    weights = encoder / "model.safetensors"
    config = CopyingConfig(
        encoder={**settings, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
        layout={
            name: getattr(options.layout, name) for name in ("question_tokens", "context_tokens", "window", "overlap")
        },
        embeddings=file_hash(weights) if options.frozen_embeddings and options.encoder is None else "",
        span_tokens=options.span_tokens,
        writes=options.writes,
        polarity=options.yes_no,
        decoder_heads=max(1, settings["num_attention_heads"] // 2),
        decoder_width=2 * settings["hidden_size"],
    )
    return _frozen(warm_start(weights, config), options)


def _with_polarity(model: CopyingModel, options: Options) -> CopyingModel:
    """Return a model that learns to say yes and no too, where the data ask for it; what it knows stays."""
    if model.config.polarity or not options.yes_no:
        return model
    config = CopyingConfig.from_dict({**model.config.to_dict(), "polarity": True})
    wider = CopyingModel(config)
    wider.load_state_dict(model.state_dict(), strict=False)
    return wider


def _mix(model: CopyingModel, others: Sequence[tuple[str, float]]) -> None:
    """Replace the weights by an average with those of other generators (Wortsman et al. 2022, "Model soups").

    Raises UsageError where another one has weights of another shape.
    """
    own = model.state_dict()
    kept = 1.0 - sum(share for _, share in others)
    mixed = {name: kept * value for name, value in own.items() if value.is_floating_point()}
    for folder, share in others:
        other = CopyingModel.from_pretrained(read_folder(Path(folder)).path).state_dict()
        fresh = {name: value for name, value in own.items() if name.startswith("polarity.") and name not in other}
        other |= fresh
        if {name: value.shape for name, value in other.items()} != {name: value.shape for name, value in own.items()}:
            raise UsageError(
                f"The generator in {folder} has other sizes than the one that is trained.",
                "Average with one that was trained from the same encoder.",
            )
        for name in mixed:
            mixed[name] += share * other[name]
    model.load_state_dict(mixed, strict=False)


def _frozen(model: CopyingModel, options: Options) -> CopyingModel:
    if options.frozen_embeddings:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not name.startswith(EMBEDDINGS))
    return model
