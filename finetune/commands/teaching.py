"""What `train generator --base` and `train prompt` have in common: a language model is taught, and it is told how."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.plurals import counted
from indexer.screen import Screen

if TYPE_CHECKING:
    from finetune.card import Source
    from finetune.language.tuning import Estimate, Options


def teach(screen: Screen, sources: Sequence[Source], out: Path, options: Options, dry_run: bool, as_json: bool) -> None:
    """Teach a language model, and show what came of it."""
    from finetune.language.tuning import tune

    with screen.progress() as progress:
        taught = tune(sources, out, options, dry_run=dry_run, announce=_announce, progress=progress)
    if as_json:
        from dataclasses import asdict

        screen.print_json({"folder": str(taught.folder), "trained": not dry_run, "estimate": asdict(taught.estimate),
                           "validation": dict(taught.validation)})  # fmt: skip
    elif not dry_run:
        scores = ", ".join(f"{name.replace('_', ' ')} {value:.1f}" for name, value in taught.validation.items())
        click.echo(f"{taught.folder}: {scores} on held-out questions.")
        click.echo(f'Ask with it: footnote ask "..." --generator {taught.folder}')


def _announce(estimate: Estimate) -> None:
    from finetune.resources import duration, size

    click.echo(
        f"{counted(estimate.questions, 'question')}, {counted(estimate.examples, 'example')}, "
        f"{counted(estimate.steps, 'step')}; "
        f"{estimate.parameters / 1e6:.2f} of {estimate.model_parameters / 1e6:.1f} million parameters are trained in "
        f"{estimate.precision}; training takes about {duration(estimate.seconds)}, {size(estimate.memory)} of memory "
        f"and {size(estimate.disk)} of disk.",
        err=True,
    )
