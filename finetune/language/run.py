"""One training run of a language model: tokenizer, windows, model, steps and validation."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file
from torch import Tensor

from finetune.language.architecture import Objective, sizes
from finetune.language.corpus import Corpus
from finetune.language.kneser_ney import KneserNey
from finetune.language.learning import Learner
from finetune.language.models import is_encoder, layer_matrices, new_model, open_model, vocabulary_of
from finetune.language.objectives import Batch, Ids, masked_words, next_words, spans_taken_out
from finetune.language.pretraining import Options, begun_with, keeping_of, objective_of, schedule_of
from finetune.language.samples import samples
from finetune.language.tokens import encoded, learn_tokenizer, open_tokenizer, sentinels
from finetune.language.windows import Stream, Windows, in_order
from finetune.training import WEIGHTS, leads, train
from indexer import storage
from indexer.errors import UsageError
from indexer.types import Progress

SHORTEST = 8
"""Tokens of a held-out window below which it is not measured."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Texts as tokens, and the tokenizer that made them."""

    objective: Objective
    tokenizer: Any
    learn: Stream
    held: Stream
    held_bytes: int
    """UTF-8 bytes of the held-out text that `held` stands for."""


def prepared(corpus: Corpus, options: Options, progress: Progress) -> Prepared:
    """Open or learn the tokenizer, and turn the texts into tokens; of the held-out ones, what is measured at most."""
    objective = objective_of(options)
    if options.tokenizer and options.start:
        raise UsageError(
            "A model that is gone on from has its own tokenizer.",
            "Leave out --tokenizer, or begin anew without --from.",
        )
    if options.start:
        tokenizer = open_tokenizer(begun_with(options.start), objective)
    elif options.tokenizer:
        tokenizer = open_tokenizer(Path(options.tokenizer), objective)
    else:
        tokenizer = learn_tokenizer(corpus.learn, objective, options.vocab_size, progress)
    tokenizer.model_max_length = options.context
    held = _shortened(corpus.held, 4 * options.final_tokens)
    return Prepared(
        objective,
        tokenizer,
        encoded(corpus.learn, tokenizer, progress),
        encoded(held, tokenizer, progress),
        sum(len(text.encode(errors="surrogatepass")) for text in held),
    )


class Run:
    """A language model about to be trained; under torchrun each process computes every n-th part of a step."""

    def __init__(self, ready: Prepared, options: Options) -> None:
        self._ready, self._options = ready, options
        self.objective, self.tokenizer = ready.objective, ready.tokenizer
        dial = sizes(options.arch, options.depth)
        self._learner = Learner(_model(ready, options), ready.objective, options.device)
        config = self._learner.model.config.get_text_config()
        self.arch = options.arch
        if options.start is not None:
            self.arch = "copy" if is_encoder(begun_with(options.start)) else str(config.model_type)
        self.layers = config.num_hidden_layers + getattr(config, "num_decoder_layers", 0)
        self.width = config.hidden_size
        self.vocabulary, self.parameters = config.vocab_size, self._learner.parameters
        self.precision, self.tokens = self._learner.precision, len(ready.learn)
        self._windows = Windows(ready.learn, self._content, options.seed)
        self._parts, self._rows = _parts(
            options.batch_tokens or dial.batch_tokens, options.together_tokens, options.context, self._learner.world
        )
        self.part_tokens = self._rows * options.context
        self.batch_tokens = self._parts * self.part_tokens
        self.steps = options.steps or max(1, round(options.epochs * self._windows.count / (self._parts * self._rows)))
        self._schedule = schedule_of(options, dial.lr, self.steps)
        self._held = [row for row in in_order(ready.held, self._content) if len(row) > SHORTEST]
        self._step = 0
        if not self._held:
            raise UsageError(
                f"There are only {len(ready.held)} held-out tokens to measure on.",
                "Give more text, or a larger --held-out.",
            )

    @property
    def _content(self) -> int:
        """Tokens of text in a window; around masked text stand two others."""
        return self._options.context - (2 if self.objective == "masked" else 0)

    def seconds_a_step(self) -> float:
        """Measure how long a step takes on this machine."""
        return self._learner.seconds_a_step(self._parts_of)

    def train(self, work: Path, identity: Mapping[str, Any], progress: Progress) -> Path:
        """Train, or go on; return the folder of the best weights."""
        return train(
            self._learner.model,
            self._loss,
            self.steps,
            work,
            schedule=self._schedule,
            keeping=keeping_of(self._options, self.steps, self.batch_tokens),
            muon=layer_matrices(self._learner.model),
            validate=lambda: self._validated(work),
            better="log_likelihood",
            identity={**identity, "processes": self._learner.world, "precision": self.precision},
            progress=progress,
        )

    def baseline(self, file: Path, progress: Progress) -> dict[str, float]:
        """Return what counted n-grams reach on the same held-out tokens; kept in `file` for when a run goes on."""
        if self.objective != "next" or not self._options.ngram:
            return {}
        if not file.exists():
            counted = KneserNey(
                self._ready.learn[: self._options.ngram_tokens], self._options.ngram, self.vocabulary, progress
            )
            found = counted.log_probabilities(self._ready.held)
            predicted = 1 + sum(len(row) - 1 for row in self._held)  # the same tokens that the model is measured on
            nats = -float(found[1:predicted].sum())
            storage.write_file(file, json.dumps(self._scores(nats, predicted - 1)).encode())
        scores: dict[str, float] = json.loads(file.read_text())
        return scores

    def measured(self, tokens: int | None = None) -> dict[str, float]:
        """Return the scores on the held-out text, on so many tokens of it, evenly spread; None: on all."""
        batches = [self._batch(rows, number) for number, rows in enumerate(self._measured_rows(tokens))]
        self._learner.model.eval()
        nats, predicted = self._learner.nats(batches), sum(batch.predicted for batch in batches)
        if self.objective != "next":
            return {"perplexity": _exp(nats / predicted), "log_likelihood": -nats / predicted}
        return self._scores(nats, predicted)

    def samples(self) -> list[str]:
        """Return what the model says now."""
        self._learner.model.eval()
        return samples(self._learner.model, self.tokenizer, self.objective, self._held, self._options.seed)

    def save(self, checkpoint: Path, folder: Path) -> None:
        """Write the weights of a checkpoint as a model folder, in full precision, and go on with them."""
        model = _model(self._ready, self._options)
        model.load_state_dict(load_file(checkpoint / WEIGHTS), strict=False)
        if self.arch == "copy":
            from finetune.language.encoder_folder import save_encoder

            save_encoder(model, self.tokenizer, folder)
        else:
            model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        self._learner = Learner(model, self.objective, self._options.device)

    # Batches

    def _loss(self, step: int) -> Tensor:
        self._step = step + 1
        return self._learner.loss(self._parts_of(step))

    def _parts_of(self, step: int) -> list[Batch]:
        """Return this process's parts of a step: by nothing but the step."""
        first = step * self._parts
        mine = range(first + self._learner.rank, first + self._parts, self._learner.world)
        return [self._batch(self._windows.rows(part * self._rows, self._rows), part) for part in mine]

    def _batch(self, rows: Ids, number: int) -> Batch:
        if self.objective == "next":
            return next_words(rows)
        chance, tokenizer = np.random.default_rng((self._options.seed, 1, number)), self.tokenizer
        if self.objective == "spans":
            return spans_taken_out(rows, chance, sentinels(tokenizer), tokenizer.eos_token_id)
        ends = [np.full((len(rows), 1), mark) for mark in (tokenizer.cls_token_id, tokenizer.sep_token_id)]
        whole = np.concatenate([ends[0], rows, ends[1]], axis=1)
        return masked_words(whole, chance, tokenizer.mask_token_id, len(tokenizer), tokenizer.all_special_ids)

    # Validation

    def _validated(self, work: Path) -> dict[str, float]:
        scores = self.measured(self._options.validation_tokens)
        if leads():
            said = "\n\n".join(self.samples())
            storage.make_folder(work / "samples")
            storage.write_file(work / "samples" / f"{self._step:07d}.txt", said.encode(errors="replace"))
        return scores

    def _measured_rows(self, tokens: int | None) -> list[Ids]:
        """Return held-out windows, stacked where they are of one length."""
        held = self._held
        count = len(held) if tokens is None else min(len(held), max(1, tokens // self._content))
        chosen = [held[len(held) * number // count] for number in range(count)]
        whole = [row for row in chosen if len(row) == self._content]
        stacked = [np.stack(whole[first : first + self._rows]) for first in range(0, len(whole), self._rows)]
        return stacked + [row[None] for row in chosen if len(row) < self._content]

    def _scores(self, nats: float, predicted: int) -> dict[str, float]:
        """Return scores of left-to-right prediction; bytes are those of the held-out text, shared out by tokens."""
        size = self._ready.held_bytes * predicted / max(1, len(self._ready.held))
        return {
            "perplexity": _exp(nats / predicted),
            "byte_perplexity": _exp(nats / size),
            "bits_per_byte": nats / size / math.log(2),
            "log_likelihood": -nats / predicted,
        }


def _exp(nats: float) -> float:
    return math.exp(min(nats, 700.0))  # a model that has gone astray has a perplexity all the same


def _model(ready: Prepared, options: Options) -> Any:
    if options.start is None:
        return new_model(sizes(options.arch, options.depth), ready.tokenizer, options.context, options.seed)
    model = open_model(begun_with(options.start), options.seed)
    if len(ready.tokenizer) > model.get_input_embeddings().weight.shape[0]:
        model.resize_token_embeddings(vocabulary_of(ready.tokenizer))
    return model


def _parts(batch: int, together: int, context: int, processes: int) -> tuple[int, int]:
    """Return in how many parts a step is computed, a multiple of the processes, and the rows of each."""
    rows = max(1, batch // context)
    parts = -(-rows // max(1, together // context))
    parts = -(-parts // processes) * processes
    return parts, -(-rows // parts)


def _shortened(texts: Sequence[str], characters: int) -> list[str]:
    """Return the beginnings of texts, as many characters in all; every text keeps the same share."""
    total = sum(map(len, texts))
    if total <= characters:
        return list(texts)
    return [text[: max(1, len(text) * characters // total)] for text in texts]
