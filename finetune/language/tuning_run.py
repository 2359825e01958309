"""One run that teaches a language model to answer: instructions in tokens, model, steps, validation and saving."""

from __future__ import annotations

import math
import os
import random
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from finetune.language.instructions import TOGETHER, Instruction, Instructions, Lessons
from finetune.language.learning import Learner
from finetune.language.models import objective_of, open_model, saved_precision
from finetune.language.objectives import IGNORED, Batch
from finetune.language.tokens import open_tokenizer
from finetune.language.tuning import Data, Options, keeping_of, schedule_of
from finetune.questions import Question
from finetune.training import WEIGHTS, train
from indexer.errors import UsageError
from indexer.model_files import keep_offline
from indexer.types import Progress
from rag.writing.language_model import longest_input
from rag.writing.prompt_tokens import PromptTokens
from rag.writing.prompting import INSTRUCTION


class TuningRun:
    """A language model about to be taught; under torchrun each process computes every n-th part of a step."""

    def __init__(self, data: Data, options: Options) -> None:
        self._options = options
        folder = Path(options.base)
        self._objective = objective_of(folder)
        if self._objective == "masked":
            raise UsageError(
                f"{folder} fills masks and writes no text.", "Give a causal or a sequence-to-sequence model to --base."
            )
        self.tokenizer = open_tokenizer(folder, self._objective)
        model = self._opened()
        config = model.config.get_text_config()
        self.layers, self.width, self.vocabulary = config.num_hidden_layers, config.hidden_size, config.vocab_size
        self.model_parameters = sum(each.numel() for each in model.parameters())
        before = options.virtual_tokens if options.method == "prompt" else 0
        self._tokens = PromptTokens(
            self.tokenizer,
            folder.name,
            causal=self._objective == "next",
            reads=longest_input(self.tokenizer, model),
            before=before,
        )
        self._learner = Learner(self._prepared(model), self._objective, options.device)
        self.parameters, self.precision = self._learner.parameters, self._learner.precision
        drawn = self._drawn(data)
        self.examples = len(drawn)
        if not drawn:
            raise UsageError(
                f"{options.epochs} passes over {len(data.learn)} questions are none.", "Give more --epochs, or --steps."
            )
        maker = Instructions(data.learn, self._tokens, options.mixing)
        self._lessons = Lessons(drawn, maker.of, options.batch_size, options.seed)
        self.steps = self._lessons.steps
        self._held = self._watched(data)

    def seconds_a_step(self) -> float:
        """Measure how long a step takes on this machine."""
        near = min(self.steps, TOGETHER)  # what is made together is a fair sample of all
        return self._learner.seconds_a_step(lambda step: self._parts_of(near * (2 * step + 1) // 4))

    def train(self, work: Path, identity: Mapping[str, Any], progress: Progress) -> Path:
        """Train, or go on; return the folder of the best weights."""
        return train(
            self._learner.model,
            lambda step: self._learner.loss(self._parts_of(step)),
            self.steps,
            work,
            schedule=schedule_of(self._options, self.width, self.steps),
            keeping=keeping_of(self._options, self.steps),
            validate=self.measured,
            better="log_likelihood",
            identity={**identity, "processes": self._learner.world, "precision": self.precision},
            progress=progress,
        )

    def measured(self) -> dict[str, float]:
        """Return how likely the right answers to held-out questions are, per token."""
        self._learner.model.eval()
        nats = self._learner.nats(self._held)
        each = nats / max(1, sum(batch.predicted for batch in self._held))
        return {"perplexity": math.exp(min(each, 700.0)), "log_likelihood": -each}

    def save(self, checkpoint: Path, folder: Path) -> None:
        """Write the weights of a checkpoint as a folder that can be asked, and go on with them."""
        model = self._prepared(self._opened())
        model.load_state_dict(load_file(checkpoint / WEIGHTS), strict=False)
        self._learner = Learner(model, self._objective, self._options.device)
        if self._options.method == "prompt":
            base = os.path.relpath(Path(self._options.base).resolve(), folder.resolve())  # the two may move together
            model.peft_config["default"].base_model_name_or_path = base
            model.float().save_pretrained(folder, save_embedding_layers=False)
            return
        whole = self._prepared(self._opened())
        whole.load_state_dict(load_file(checkpoint / WEIGHTS), strict=False)
        if self._options.method == "lora":
            whole = whole.merge_and_unload()
        whole.to(saved_precision(Path(self._options.base))).save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    # The model

    def _opened(self) -> Any:
        model = open_model(Path(self._options.base))
        if len(self.tokenizer) > model.get_input_embeddings().weight.shape[0]:
            model.resize_token_embeddings(len(self.tokenizer))
        return model

    def _prepared(self, model: Any) -> Any:
        """Return the model with what is to be learnt added, and the rest frozen; the same for the same seed."""
        if self._options.method == "all":
            return model
        keep_offline()
        import peft

        library: Any = peft
        torch.manual_seed(self._options.seed)
        task = "CAUSAL_LM" if self._objective == "next" else "SEQ_2_SEQ_LM"
        if self._options.method == "lora":
            config = library.LoraConfig(
                task_type=task,
                r=self._options.rank,
                lora_alpha=2 * self._options.rank,
                lora_dropout=0.0,
                target_modules="all-linear",
            )
            return _wrapped(model, config)
        config = library.PromptTuningConfig(
            task_type=task,
            num_virtual_tokens=self._options.virtual_tokens,
            num_transformer_submodules=1,
            prompt_tuning_init="RANDOM",
        )
        begun = self._first_vectors(model)
        prompted = _wrapped(model, config)
        with torch.no_grad():
            prompted.prompt_encoder["default"].embedding.weight.copy_(begun)
        return prompted

    @torch.no_grad()
    def _first_vectors(self, model: Any) -> torch.Tensor:
        """Return what a soft prompt begins as: the vectors of the instruction's words, over and over."""
        ids = self.tokenizer(INSTRUCTION, add_special_tokens=False).input_ids
        wanted = [ids[place % len(ids)] for place in range(self._options.virtual_tokens)]
        vectors: torch.Tensor = model.get_input_embeddings()(torch.tensor(wanted)).detach().clone()
        return vectors  # (virtual tokens, width)

    # Examples

    def _drawn(self, data: Data) -> list[Question]:
        """Return the questions in the order in which they are learnt, pass after pass.

        Where the steps are given, weights only say which questions are learnt oftener than others: every pass has some.
        """
        chance = random.Random(self._options.seed)
        most = self._options.steps and self._options.steps * self._options.batch_size
        left = math.inf if most else self._options.epochs
        heaviest = max(data.weights[question.id] for question in data.learn)
        whole = min(1.0, heaviest) if most else 1.0
        drawn: list[Question] = []
        while left > 0 and not (most and len(drawn) >= most):
            learnt = []
            for question in data.learn:
                times = data.weights[question.id] / whole * min(1.0, left)
                learnt += [question] * (int(times) + (chance.random() < times % 1.0))
            drawn += chance.sample(learnt, len(learnt))
            left -= 1
        return drawn[:most] if most else drawn

    def _watched(self, data: Data) -> list[Batch]:
        maker = Instructions(data.held, self._tokens, self._options.mixing)
        chance = random.Random(self._options.seed)
        found = [maker.of(question, chance) for question in data.held[: self._options.validation]]
        examples = sorted((each for each in found if each is not None), key=lambda each: each.length)
        return [self._batch(part) for part in self._split(examples)]

    # Batches

    def _parts_of(self, step: int) -> list[Batch]:
        """Return this process's parts of a step: by nothing but the step."""
        learnt = self._lessons.of(step)
        mine = learnt[self._learner.rank :: self._learner.world] or learnt[:1]
        return [self._batch(part) for part in self._split(mine)]

    def _split(self, examples: Sequence[Instruction]) -> list[list[Instruction]]:
        """Return the examples in parts that are computed at once; each has at least one."""
        parts: list[list[Instruction]] = []
        for example in examples:
            longest = max([example.length, *(each.length for each in parts[-1])]) if parts else 0
            if not parts or longest * (len(parts[-1]) + 1) > self._options.together_tokens:
                parts.append([])
            parts[-1].append(example)
        return parts

    def _batch(self, examples: Sequence[Instruction]) -> Batch:
        pad = self.tokenizer.pad_token_id
        if self._objective == "spans":
            return Batch(
                _padded([each.prompt for each in examples], pad),
                _padded([each.answer for each in examples], IGNORED),
                _padded([(1,) * len(each.prompt) for each in examples], 0),
            )
        return Batch(
            _padded([each.prompt + each.answer for each in examples], pad),
            _padded([(IGNORED,) * len(each.prompt) + each.answer for each in examples], IGNORED),
            _padded([(1,) * each.length for each in examples], 0),
        )


def _wrapped(model: Any, config: Any) -> Any:
    import peft

    library: Any = peft
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by an old name
        return library.get_peft_model(model, config, autocast_adapter_dtype=False)


def _padded(rows: Sequence[Sequence[int]], value: int) -> Any:
    """Return rows as one array, filled up on the right: shape (rows, longest)."""
    found = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for place, row in enumerate(rows):
        found[place, : len(row)] = row
    return found
