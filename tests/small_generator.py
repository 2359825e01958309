"""A small random copying generator, and what reading and stepping with torch gives, for tests. No package's weights."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from indexer.encoders.graph import Floats
from rag.copying.decoding import Part
from rag.copying.folder import write_sums
from rag.copying.layout import Layout, Tokens, Window
from rag.copying.model import CopyingConfig, CopyingModel
from rag.copying.reader import WindowRead
from tests.small_encoder import POSITIONS, write_json, write_small_encoder

LAYOUT = Layout(question_tokens=8, context_tokens=4, window=40, overlap=8)


def small_tokens(folder: Path, layout: Layout = LAYOUT) -> Tokens:
    """Write the small encoder's tokenizer into `folder` and return what lays out with it."""
    return Tokens(write_small_encoder(folder) / "tokenizer.json", layout)


def small_config(
    vocabulary: int,
    *,
    writes: bool = True,
    polarity: bool = False,
    embeddings: str = "",
    layout: Layout = LAYOUT,
    span_tokens: int = 6,
) -> CopyingConfig:
    """Return the sizes of a small generator: two layers, width 32, no dropout."""
    encoder = {
        "vocab_size": vocabulary,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    return CopyingConfig(
        encoder=encoder,
        layout=asdict(layout),
        embeddings=embeddings,
        span_tokens=span_tokens,
        span_rank=4,
        writes=writes,
        polarity=polarity,
        decoder_heads=2,
        decoder_width=48,
        max_actions=4,
    )


def small_model(config: CopyingConfig, seed: int = 0, deviation: float = 0.3) -> CopyingModel:
    """Return a model whose weights are all random, so that no part of it can be left out without a difference."""
    model = CopyingModel(config)
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(deviation * torch.randn(parameter.shape, generator=chance))
    model.train(False)
    return model


def read_window(model: CopyingModel, window: Window) -> WindowRead:
    """Read one window by itself, without padding."""
    with torch.no_grad():
        ids, types = torch.tensor([window.ids]), torch.tensor([window.types])
        read = model(ids, types, torch.ones_like(ids))
    found = (read.hidden, read.start, read.end, read.first, read.last, read.polarity)
    return WindowRead(*(each[0].numpy() for each in found if each is not None))


class TorchStep:
    """The decoder's next step, in torch: `rag.copying.reader.Decoder.step` without a conversion."""

    def __init__(self, model: CopyingModel) -> None:
        self._model = model

    def __call__(
        self, kinds: Sequence[int], firsts: Floats, lasts: Floats, tokens: Sequence[int], memory: Floats
    ) -> tuple[Floats, Floats, Floats, float]:
        model, read = self._model, []
        with torch.no_grad():
            for kind, first, last, token in zip(kinds, firsts, lasts, tokens, strict=True):
                by_kind: dict[int, Any] = {
                    0: lambda: model.decoder.begin,
                    1: lambda first=first, last=last: model.copied(torch.tensor(first), torch.tensor(last)),
                    2: lambda token=token: model.written(torch.tensor(token)),
                }
                read.append(by_kind[kind]())
            start, end, query, stop = model.decoder(
                torch.stack(read)[None], torch.tensor(memory)[None], torch.zeros(1, len(memory))
            )
            scores = model.token_scores(query)
        return start[0, -1].numpy(), end[0, -1].numpy(), scores[0, -1].numpy(), float(stop[0, -1])


def parts_of(model: CopyingModel, tokens: Tokens, question: str, passages: Sequence[tuple[str, str]]) -> list[Part]:
    """Return every window of `passages` (context and text each), read."""
    parts = []
    for number, (context, text) in enumerate(passages):
        words = tokens.words(text)
        for window in tokens.windows(tokens.head(question, context), words):
            parts.append(Part(number, window, words, read_window(model, window)))
    return parts


def write_generator(folder: Path, model: CopyingModel, tokenizer: Path) -> Path:
    """Write a model folder; its confidences are logistic(1) for retrieved passages and logistic(2) for given ones."""
    model.save_pretrained(folder)
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    curve = [{"coverage": 0.5, "threshold": 0.9, "error": 0.1}, {"coverage": 1.0, "threshold": 0.2, "error": 0.4}]
    fitted = {"weights": {"odds": 0.0}, "threshold": 0.6, "risk_coverage": curve}
    write_json(folder / "confidence.json", {"retrieved": {**fitted, "bias": 1.0}, "given": {**fitted, "bias": 2.0}})
    write_sums(folder)
    return folder
