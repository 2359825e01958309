"""What the rungs of the retriever say: beforehand how long they will take, afterwards what came out."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from finetune.resources import duration, size
from indexer.plurals import counted

if TYPE_CHECKING:
    from finetune.retrieval.encoder import Estimate, Trained
    from indexer.screen import Screen

_BYTES = 16
"""Of memory for a trained parameter: itself, its full-precision copy and two moments; its gradient is among them."""


def announce(estimate: Estimate) -> None:
    """Say what a run will take."""
    click.echo(
        f"{counted(estimate.questions, 'question')} on {counted(estimate.passages, 'passage')}, "
        f"{counted(estimate.steps, 'step')}; "
        f"{estimate.parameters / 1e6:.1f} million parameters in {estimate.precision}, about "
        f"{size(_BYTES * estimate.parameters)} of memory besides the batch; training takes about "
        f"{duration(estimate.seconds)}.",
        err=True,
    )


def show_trained(screen: Screen, trained: Trained, as_json: bool, dry_run: bool, then: str) -> None:
    """Show what came out, and `then` how it is used."""
    if as_json:
        screen.print_json({"folder": str(trained.folder), "trained": not dry_run,
                           "estimate": asdict(trained.estimate), "validation": dict(trained.validation)})  # fmt: skip
    elif not dry_run:
        scores = ", ".join(f"{name} {value:.1f}" for name, value in trained.validation.items())
        click.echo(f"{trained.folder}: nDCG@10 on held-out questions: {scores}.")
        click.echo(f"Next: {then}")
