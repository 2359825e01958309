"""The command `train encoder`: options in, a sentence-transformers folder out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from finetune.commands import options as option
from indexer.completing import complete_encoder
from indexer.errors import UsageError
from indexer.home import home_folder
from indexer.screen import Screen, common


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="DATA[:WEIGHT]...")
@option.out()
@option.epochs()
@option.STEPS
@option.batch_size(32, "Questions in one step; each has the passages of the others as wrong ones.", "QUESTIONS")
@option.lr("0.00003")
@click.option("--negatives", default=1, show_default=True, type=click.IntRange(0, 8),
              help="Hard negatives for each question, found by our own search.")  # fmt: skip
@option.MARGIN
@click.option("--cached", type=click.IntRange(1), metavar="TEXTS",
              help="Embed so many texts at once, for batches that do not fit into memory.")  # fmt: skip
@click.option("--dimensions", metavar="N,N", help="Shorter vectors that are to work too (Matryoshka), as 128,256.")
@click.option("--keep", default=0.3, show_default=True, type=click.FloatRange(0, 1, max_open=True),
              help="Share of the weights before that is mixed in again: less is forgotten.")  # fmt: skip
@option.held_out(0.1)
@click.option(
    "--encoder",
    metavar="NAME|FOLDER",
    shell_complete=complete_encoder,
    help="A sentence-transformers model to begin with.",
)
@option.seed()
@option.DEVICE
@option.RESUME
@option.DRY_RUN
@common
@click.pass_obj
def encoder(
    screen: Screen, data: tuple[str, ...], out: Path, epochs: float, steps: int | None, batch_size: int,
    lr: float | None, negatives: int, margin: float, cached: int | None, dimensions: str | None, keep: float,
    held_out: float, encoder: str | None, seed: int, device: str, resume: bool, dry_run: bool, home: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Train the encoder that finds passages by meaning, on questions and the passages that answer them.

    DATA is what train questions makes, a SQuAD-format file, or JSON lines with `question` and `context`; WEIGHT is how
    often each of its questions is learnt in one pass. Try what comes out on held-out questions, and switch to it where
    it is better, with: footnote train promote FOLDER

    \b
    footnote train encoder questions/questions.jsonl --out models/encoder
    """
    from finetune.card import parsed
    from finetune.commands.announcing import announce, show_trained
    from finetune.retrieval.encoder import Options, check, train_encoder

    option.require_run(out, resume)
    options = Options(
        encoder=encoder, epochs=epochs, steps=steps, batch_size=batch_size, cached=cached, negatives=negatives,
        margin=margin, dimensions=_numbers(dimensions), keep=keep, held_out=held_out, seed=seed, device=device,
    )  # fmt: skip
    if lr is not None:
        options = replace(options, schedule=replace(options.schedule, lr=lr, new_lr=lr))
    check(options)
    with screen.progress() as progress:
        trained = train_encoder(
            [parsed(text) for text in data], out, options, home=home_folder(home), dry_run=dry_run, announce=announce,
            progress=progress,
        )  # fmt: skip
    show_trained(screen, trained, as_json, dry_run, f"footnote train promote {out}")


def _numbers(text: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError as error:
        raise UsageError(f"--dimensions {text} are no numbers.", "For example: --dimensions 128,256") from error
