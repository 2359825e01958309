"""The loss of the copying generator: the negative log-probability of its actions.

At every step one softmax runs over all legal spans of all passages, all tokens of the vocabulary, stopping, and (at the
first step) refusing, whose score is 0. Where several spans are right, their probabilities are added (marginal
likelihood, Clark and Gardner 2018, equation 2). What is said to a question that asks whether something is so is a
softmax over yes, no and neither; the odds of yes are the sum of those of all tokens, since which decides is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from finetune.copying.examples import COPY, NOT_ASKED, REFUSE, STOP, WRITE, Batch
from rag.copying.model import CopyingModel, Read

IMPOSSIBLE = -30000.0


@dataclass(frozen=True, slots=True)
class Steps:
    """Scores at each of s steps, and what is right there."""

    spans: Tensor
    """Shape (g, s, p, t, t): score of the span from one token to another; IMPOSSIBLE where it is not legal."""
    total: Tensor
    """Shape (g, s): log of the sum over everything possible."""
    right: Tensor
    """Shape (g, s): log of the sum over what is right."""
    verdicts: Tensor | None
    """Shape (g, 3): scores of neither, yes and no; None of a model that does not say."""


def loss(model: CopyingModel, batch: Batch, device: str = "cpu") -> Tensor:
    """Return the mean over the examples of the negative log-probability of all their actions. Scalar."""
    steps = scored(model, batch, device)
    kinds = torch.from_numpy(batch.kinds).to(device)
    lost = ((steps.total - steps.right) * (kinds > 0)).sum()
    if steps.verdicts is not None:
        said = torch.from_numpy(batch.verdicts).to(device)
        lost = lost + cross_entropy(steps.verdicts, said, ignore_index=NOT_ASKED, reduction="sum")
    return lost / len(kinds)


def scored(model: CopyingModel, batch: Batch, device: str = "cpu") -> Steps:
    """Score each step of a batch, the right actions before it taken (teacher forcing).

    Raises ValueError where a model that does not write is given more than one span to copy.
    """
    if not model.config.writes and ((batch.kinds == WRITE).any() or (batch.kinds[:, 1:] == COPY).any()):
        raise ValueError("a model that does not write can only copy one span; encode with writes=False")
    arrays: dict[str, Any] = {
        each.name: torch.from_numpy(getattr(batch, each.name)).to(device) for each in fields(batch)[:-1]
    }
    read = model(arrays["ids"], arrays["types"], arrays["mask"])
    groups, passages, length = len(batch.kinds), batch.passages, batch.ids.shape[1]
    legal = _legal(arrays["opens"], arrays["closes"], model.config.span_tokens).view(groups, passages, length, length)
    links = (read.first @ read.last.transpose(1, 2)).float().view(groups, 1, passages, length, length)
    links = links.masked_fill(~legal[:, None], IMPOSSIBLE)
    start, end = read.start.view(groups, 1, passages, length), read.end.view(groups, 1, passages, length)
    kinds, gold = arrays["kinds"], arrays["spans"]
    others = torch.full((*kinds.shape, 1), IMPOSSIBLE, device=device)  # (g, s, ·): whatever is no span
    stop = written = others[..., 0]
    if model.config.writes:
        memory = read.hidden.view(groups, passages * length, -1)
        padding = (1 - arrays["mask"].view(groups, -1)).float() * IMPOSSIBLE
        base = start[..., None] + end[..., None, :] + links  # (g, 1, p, t, t)
        actions = _actions(model, read, arrays, base.detach(), passages)
        first, last, query, stop = model.decoder(actions, memory, padding)
        moved = torch.stack([first @ memory.transpose(1, 2), last @ memory.transpose(1, 2)]).float()  # (2, g, s, p t)
        moved = moved.view(2, groups, -1, passages, length)
        start, end = start + moved[0], end + moved[1]  # (g, s, p, t)
        vocabulary = model.token_scores(query)  # (g, s, v)
        written = vocabulary.gather(-1, arrays["tokens"][..., None])[..., 0]
        others = torch.cat([vocabulary, stop[..., None]], dim=-1)
    spans = start[..., None] + end[..., None, :] + links  # (g, s or 1, p, t, t)
    spans = spans.expand(-1, kinds.shape[1], -1, -1, -1)
    flat = spans.flatten(2)
    refuse = torch.full(kinds.shape, IMPOSSIBLE, device=device)
    refuse[:, 0] = 0.0
    total = torch.stack([flat.logsumexp(-1), others.logsumexp(-1), refuse]).logsumexp(0)
    copied = flat.gather(-1, _flat(gold, length)).masked_fill(gold[..., 0] < 0, IMPOSSIBLE).logsumexp(-1)
    right = torch.zeros_like(total)
    for kind, score in ((COPY, copied), (WRITE, written), (STOP, stop), (REFUSE, refuse)):
        right = torch.where(kinds == kind, score, right)
    if not model.config.writes:  # an answer is one span: nothing is left to decide after it
        right = torch.where(kinds == STOP, total, right)
    return Steps(spans, total, right, _verdicts(read, arrays["inside"], groups))


def _verdicts(read: Read, inside: Tensor, groups: int) -> Tensor | None:
    if read.polarity is None:
        return None
    said = read.polarity.masked_fill(~inside[..., None], IMPOSSIBLE).view(groups, -1, 2).logsumexp(1)  # (g, 2)
    return torch.cat([torch.zeros_like(said[:, :1]), said], dim=1)


def _legal(opens: Tensor, closes: Tensor, span_tokens: int) -> Tensor:
    """Return which spans, (b, t, t), begin and end at words and are not too long."""
    length = opens.shape[1]
    band = torch.ones(length, length, dtype=torch.bool, device=opens.device).triu().tril(span_tokens - 1)
    return opens[:, :, None] & closes[:, None, :] & band


def _flat(gold: Tensor, length: int) -> Tensor:
    """Return where spans (…, 3) stand in an array (p, t, t) laid flat; 0 for none."""
    passage, first, last = gold.clamp(min=0).unbind(-1)
    return (passage * length + first) * length + last


def _actions(model: CopyingModel, read: Read, arrays: dict[str, Any], base: Tensor, passages: int) -> Tensor:
    """Return what the decoder reads: `begin`, then each right action but the last, (g, s, d).

    Of several right spans the likeliest is taken.
    """
    kinds, gold = arrays["kinds"], arrays["spans"]
    groups, steps = kinds.shape
    begin = model.decoder.begin.to(read.hidden.dtype).expand(groups, 1, -1)
    if steps == 1:
        return begin
    length = read.hidden.shape[1]
    scores = base.flatten(2).expand(-1, steps, -1).gather(-1, _flat(gold, length))
    best = scores.masked_fill(gold[..., 0] < 0, 2 * IMPOSSIBLE).argmax(-1)  # (g, s)
    chosen = gold.gather(2, best[..., None, None].expand(-1, -1, 1, 3))[:, :-1, 0].clamp(min=0)  # (g, s - 1, 3)
    row = torch.arange(groups, device=kinds.device)[:, None] * passages + chosen[..., 0]
    copied = model.copied(read.hidden[row, chosen[..., 1]], read.hidden[row, chosen[..., 2]])
    written = model.written(arrays["tokens"][:, :-1])
    before = torch.where((kinds[:, :-1] == COPY)[..., None], copied, written)
    return torch.cat([begin, before.to(begin.dtype)], dim=1)
