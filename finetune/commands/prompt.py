"""The command `train prompt`: options in, a soft prompt's folder out."""

from __future__ import annotations

from pathlib import Path

import click

from finetune.commands import options as option
from indexer.screen import Screen, common


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="DATA[:WEIGHT]...")
@click.option(
    "--base", type=click.Path(file_okay=False, exists=True), required=True, metavar="FOLDER",
    help="The causal or sequence-to-sequence language model that is to read the prompt.",
)  # fmt: skip
@option.out("Where the soft prompt goes; a run that was interrupted goes on there.")
@click.option(
    "--tokens", default=32, show_default=True, type=click.IntRange(1, 1000),
    help="Vectors of the prompt; they take as much of what the model reads.",
)  # fmt: skip
@option.epochs()
@option.STEPS
@option.batch_size(16, "Questions in one step.", metavar="QUESTIONS")
@option.lr("0.01")
@click.option(
    "--held-out", default=0.09, show_default=True, type=click.FloatRange(0.01, 0.5),
    help="Share of the questions, whole documents, that is not learnt from.",
)  # fmt: skip
@option.seed()
@option.DEVICE
@option.RESUME
@option.DRY_RUN
@common
@click.pass_obj
def prompt(
    screen: Screen, data: tuple[str, ...], base: str, out: Path, tokens: int, epochs: float, steps: int | None,
    batch_size: int, lr: float | None, held_out: float, seed: int, device: str, resume: bool, dry_run: bool,
    home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Learn a soft prompt: a few vectors that a language model reads before the words, and that make it answer.

    DATA is a SQuAD-format file or JSON lines with `question`, `context` and `answers`. The model itself stays as it is,
    where it is; what comes out is small and names it. Use it with: footnote ask --generator FOLDER

    \b
    footnote train prompt ours.jsonl --base models/small --out models/small-prompt
    """
    from finetune.card import parsed
    from finetune.commands.teaching import teach
    from finetune.language.tuning import Options

    option.require_run(out, resume)
    options = Options(
        base=base, method="prompt", virtual_tokens=tokens, epochs=epochs, steps=steps, batch_size=batch_size, lr=lr,
        held_out=held_out, seed=seed, device=device,
    )  # fmt: skip
    teach(screen, [parsed(text) for text in data], out, options, dry_run, as_json)
