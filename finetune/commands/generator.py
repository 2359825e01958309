"""The command `train generator`: options in, a generator's folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from finetune.commands import options as option
from indexer.completing import complete_encoder
from indexer.errors import UsageError
from indexer.home import home_folder
from indexer.plurals import counted
from indexer.screen import Screen, common

if TYPE_CHECKING:
    from finetune.copying.generator import Estimate


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="DATA[:WEIGHT]...")
@option.out()
@option.epochs()
@option.STEPS
@option.batch_size(32, "Paragraphs of 176 tokens in one step, or as many tokens in other pieces.", metavar="PARAGRAPHS")
@option.lr("0.00025")
@click.option("--negatives", default=30_000, show_default=True, help="Questions that hard negatives are looked for.")
@click.option(
    "--edited", default=0.5, show_default=True, type=click.FloatRange(0, 1),
    help="Share of the answerable questions that are asked once more with an edit that leaves them without an answer.",
)  # fmt: skip
@click.option(
    "--dropout", default=0.1, show_default=True, type=click.FloatRange(0, 0.9),
    help="Share of what each layer says that is put out while it learns.",
)  # fmt: skip
@click.option(
    "--held-out",
    default=0.09,
    show_default=True,
    type=click.FloatRange(0.01, 0.5),
    help="Share of the questions, whole documents, kept for choosing and calibrating.",
)
@click.option(
    "--encoder",
    metavar="NAME|FOLDER",
    shell_complete=complete_encoder,
    help="A BERT or MPNet to begin with; by default the encoder built in.",
)
@click.option(
    "--base",
    type=click.Path(file_okay=False, exists=True),
    metavar="FOLDER",
    help="A generator to go on from, or any causal or sequence-to-sequence language model to teach.",
)
@click.option(
    "--lora", is_flag=False, flag_value=16, type=click.IntRange(1, 1024), metavar="RANK",
    help="Of a language model, learn a low-rank change only (LoRA), merged at the end.  [without RANK: 16]",
)  # fmt: skip
@click.option(
    "--average",
    multiple=True,
    metavar="FOLDER:SHARE",
    help="Mix this share of another generator's weights into what was learnt, for example run1:0.3.",
)
@click.option("--licence", "licences", multiple=True, metavar="TEXT", help="Of each DATA, in order; for the card.")
@option.seed()
@option.DEVICE
@option.RESUME
@option.DRY_RUN
@common
@click.pass_obj
def generator(
    screen: Screen, data: tuple[str, ...], out: Path, epochs: float, steps: int | None, batch_size: int,
    lr: float | None, negatives: int, edited: float, dropout: float, held_out: float,
    encoder: str | None, base: str | None, lora: int | None, average: tuple[str, ...],
    licences: tuple[str, ...], seed: int, device: str, resume: bool, dry_run: bool, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Train the generator that answers with spans of the passages, or teach a language model to write answers.

    DATA is a SQuAD-format file or JSON lines with `question`, `context` and `answers`; WEIGHT is how often each of its
    questions is learnt in one pass. Questions are split by document: some documents are held out to choose the best
    weights and to fit the confidence. Use what comes out with: footnote ask --generator FOLDER

    With a language model as --base, the model learns to write the answer and cite its passage; --negatives, --edited,
    --dropout, --encoder and --average then mean nothing.

    \b
    footnote train generator squad.json.gz ours.jsonl:2 --out models/ours
    footnote train generator ours.jsonl --base models/small --lora --out models/small-lora
    """
    from finetune.card import parsed
    from finetune.commands.teaching import teach
    from finetune.copying.generator import Options, train_generator
    from finetune.copying.mixing import Mixture
    from finetune.resources import duration
    from finetune.schedule import Schedule
    from rag.copying.folder import is_copying

    if licences and len(licences) != len(data):
        said = f"{counted(len(licences), 'licence')} for {counted(len(data), 'file')}: that is not one for each."
        raise UsageError(said, "Give one for each, in order.")
    option.require_run(out, resume)
    stated = licences or ("not stated",) * len(data)
    if base is not None and not is_copying(Path(base)):
        if encoder or average:
            raise UsageError(f"{base} is a language model.", "Leave out --encoder and --average.")
        from finetune.language.tuning import Options as TuningOptions

        teach(
            screen, [parsed(text, licence) for text, licence in zip(data, stated, strict=True)], out,
            TuningOptions(
                base=base, method="lora" if lora else "all", rank=lora or 16, epochs=epochs, steps=steps,
                batch_size=batch_size, lr=lr, held_out=held_out, seed=seed, device=device,
            ),
            dry_run, as_json,
        )  # fmt: skip
        return
    if lora:
        raise UsageError("--lora changes a language model.", "Give its folder with --base.")
    options = Options(
        epochs=epochs, steps=steps, batch_tokens=176 * batch_size, held_out=held_out, negatives=negatives,
        encoder=encoder, base=base, average=_shares(average), seed=seed, device=device, dropout=dropout,
        mixture=Mixture(edited=edited),
        schedule=Schedule() if lr is None else Schedule(lr=lr, new_lr=2 * lr),
    )  # fmt: skip

    def announce(estimate: Estimate) -> None:
        click.echo(
            f"{counted(estimate.questions, 'question')}, {counted(estimate.examples, 'example')}, "
            f"{counted(estimate.steps, 'step')}; "
            f"{estimate.parameters / 1e6:.1f} million parameters in {estimate.precision}; "
            f"training takes about {duration(estimate.seconds)}.",
            err=True,
        )

    with screen.progress() as progress:
        trained = train_generator(
            [parsed(text, licence) for text, licence in zip(data, stated, strict=True)], out, options,
            home=home_folder(home), dry_run=dry_run, announce=announce, progress=progress,
        )  # fmt: skip
    if as_json:
        from dataclasses import asdict

        screen.print_json({"folder": str(trained.folder), "trained": not dry_run,
                           "estimate": asdict(trained.estimate), "validation": dict(trained.validation)})  # fmt: skip
    elif not dry_run:
        scores = ", ".join(f"{name} {value:.1f}" for name, value in trained.validation.items())
        click.echo(f"{trained.folder}: {scores} on held-out questions.")
        click.echo(f'Ask with it: footnote ask "..." --generator {trained.folder}')


def _shares(given: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """Return the folders and shares of --average; together they leave something to what was learnt."""
    shares = []
    for text in given:
        folder, _, share = text.rpartition(":")
        try:
            shares.append((folder, float(share)))
        except ValueError:
            shares.append((folder, 0.0))
        if not (Path(folder).is_dir() and 0 < shares[-1][1] < 1):
            raise UsageError(f"--average {text} is no folder with a share between 0 and 1.", "For example: run1:0.3")
    if sum(share for _, share in shares) >= 1:
        raise UsageError("The shares of --average leave nothing to what is learnt.", "Together they are less than 1.")
    return tuple(shares)
