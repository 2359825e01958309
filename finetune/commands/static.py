"""The command `train static`: a collection in, a static encoder's folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from finetune.commands import options as option
from indexer.plurals import counted
from indexer.screen import Screen, common

if TYPE_CHECKING:
    from finetune.retrieval.static import Estimate


@click.command()
@option.collection()
@option.out()
@click.option("--dimensions", default=256, show_default=True, type=click.IntRange(2), help="Numbers in a vector.")
@click.option("--sentences", default=5000, show_default=True, type=click.IntRange(0),
              help="Sentences learnt from besides the passages; they are embedded first.")  # fmt: skip
@option.epochs(3.0)
@option.STEPS
@option.batch_size(256, "Texts in one step.", "TEXTS")
@option.seed()
@option.RESUME
@option.DRY_RUN
@common
@click.pass_obj
def static(
    screen: Screen, name: str, out: Path, dimensions: int, sentences: int, epochs: float, steps: int | None,
    batch_size: int, seed: int, resume: bool, dry_run: bool, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Distil a static encoder from a collection: some hundred times as fast as its encoder, and not as good.

    For collections too large to embed otherwise. Use what comes out with: footnote index PATH --encoder FOLDER
    """
    from finetune.resources import duration
    from finetune.retrieval.static import Options, train_static
    from indexer.collection import Collection

    option.require_run(out, resume)
    options = Options(
        dimensions=dimensions, sentences=sentences, epochs=epochs, steps=steps, batch_size=batch_size, seed=seed
    )

    def announce(estimate: Estimate) -> None:
        click.echo(
            f"{counted(estimate.texts, 'text')}, {counted(estimate.steps, 'step')}; "
            f"{estimate.parameters / 1e6:.1f} million numbers; "
            f"learning takes about {duration(estimate.seconds)}.",
            err=True,
        )

    with screen.progress() as progress:
        done = train_static(Collection(name, home), out, options, dry_run=dry_run, announce=announce, progress=progress)
    if as_json:
        from dataclasses import asdict

        screen.print_json({"folder": str(out), "trained": not dry_run, "estimate": asdict(done.estimate),
                           "scores": dict(done.scores)})  # fmt: skip
    elif not dry_run:
        click.echo(
            f"{out}: cosine {done.scores['cosine']:.3f} to the encoder's vectors of held-out passages, "
            f"{done.scores['neighbours']:.0f}% of their ten nearest are the same."
        )
        click.echo(f"Index with it: footnote index PATH --encoder {out} --collection NAME")
