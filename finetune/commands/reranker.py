"""The command `train reranker`: options in, a cross-encoder's folder out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from finetune.commands import options as option
from indexer.completing import complete_encoder
from indexer.home import home_folder
from indexer.screen import Screen, common


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="DATA[:WEIGHT]...")
@option.out()
@option.epochs()
@option.STEPS
@option.batch_size(8, "Questions in one step, each with its right passage and its hard negatives.", "QUESTIONS")
@option.lr("0.00003, ten times as much for what is new")
@click.option("--negatives", default=3, show_default=True, type=click.IntRange(1, 15),
              help="Hard negatives for each question, found by our own search.")  # fmt: skip
@option.MARGIN
@click.option("--passages", default=20, show_default=True, type=click.IntRange(2, 100),
              help="Passages that it will order for a question.")  # fmt: skip
@option.held_out(0.1)
@click.option(
    "--encoder",
    metavar="NAME|FOLDER",
    shell_complete=complete_encoder,
    help="The encoder whose search finds the negatives.",
)
@click.option("--base", type=click.Path(file_okay=False, exists=True), metavar="FOLDER",
              help="A reranker, copying generator or encoder to begin with; by default the shipped generator, or the "
                   "encoder where its tokens are others.")  # fmt: skip
@option.seed()
@option.DEVICE
@option.RESUME
@option.DRY_RUN
@common
@click.pass_obj
def reranker(
    screen: Screen, data: tuple[str, ...], out: Path, epochs: float, steps: int | None, batch_size: int,
    lr: float | None, negatives: int, margin: float, passages: int, held_out: float, encoder: str | None,
    base: str | None, seed: int, device: str, resume: bool, dry_run: bool, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Train the reranker, which reads a question with each of the best passages and puts them in order.

    DATA is as for train encoder. Use what comes out with: footnote search QUERY --reranker FOLDER

    \b
    footnote train reranker questions/questions.jsonl --out models/reranker
    """
    from finetune.card import parsed
    from finetune.commands.announcing import announce, show_trained
    from finetune.retrieval.reranker import Options, train_reranker

    option.require_run(out, resume)
    options = Options(
        encoder=encoder, base=base, epochs=epochs, steps=steps, batch_size=batch_size, negatives=negatives,
        margin=margin, depth=passages, held_out=held_out, seed=seed, device=device,
    )  # fmt: skip
    if lr is not None:
        options = replace(options, schedule=replace(options.schedule, lr=lr, new_lr=10 * lr))
    with screen.progress() as progress:
        trained = train_reranker(
            [parsed(text) for text in data], out, options, home=home_folder(home), dry_run=dry_run, announce=announce,
            progress=progress,
        )  # fmt: skip
    show_trained(screen, trained, as_json, dry_run, f'footnote search "..." --reranker {out}')
