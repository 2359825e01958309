"""The command `train lm`: options in, a language model's folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from finetune.commands import options as option
from indexer.plurals import counted
from indexer.screen import Screen, common

if TYPE_CHECKING:
    from finetune.language.pretraining import Estimate, Trained


@click.command()
@click.argument(
    "texts", nargs=-1, required=True, metavar="TEXT|FOLDER...", type=click.Path(exists=True, path_type=Path)
)
@option.out()
@option.ARCH
@option.DEPTH
@option.vocab_size(8192)
@option.TOKENIZER
@click.option(
    "--from", "start", metavar="FOLDER|NAME", help="A language model to go on from, or an encoder, which fills masks."
)
@click.option(
    "--context", default=512, show_default=True, type=click.IntRange(16, 1_000_000), metavar="TOKENS",
    help="How many tokens the model reads at once.",
)  # fmt: skip
@option.epochs()
@option.STEPS
@option.batch_size(None, "Rows of --context tokens in one step.  [default: by the depth]")
@option.lr("by the depth")
@click.option(
    "--held-out", default=0.02, show_default=True, type=click.FloatRange(0, 0.5, min_open=True),
    help="Share of the texts that is not learnt from, to measure on.",
)  # fmt: skip
@click.option(
    "--ngram", default=5, show_default=True, type=click.IntRange(0, 8), metavar="TOKENS",
    help="Longest n-gram of the baseline that it is compared with; 0: none.",
)  # fmt: skip
@option.seed()
@option.DEVICE
@option.RESUME
@option.DRY_RUN
@common
@click.pass_obj
def lm(
    screen: Screen, texts: tuple[Path, ...], out: Path, arch: str, depth: int, vocab_size: int, tokenizer: str | None,
    start: str | None, context: int, epochs: float, steps: int | None, batch_size: int | None, lr: float | None,
    held_out: float, ngram: int, seed: int, device: str, resume: bool, dry_run: bool, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Train a language model on texts: the next word (gpt, llama), masked words (bert, copy) or spans (t5).

    TEXT is a file of plain text, or JSON lines with a `text` each; of a FOLDER, all such files are read, as train data
    leaves them. Part of the text is held out; what the model reaches on it is told beside what counted n-grams reach.

    \b
    footnote train lm books/ --arch llama --depth 6 --out models/small
    footnote train lm notes.txt --from models/small --out models/ours
    footnote train lm notes.txt --from all-MiniLM-L6-v2 --context 256 --out models/encoder
    """
    from finetune.language.pretraining import Options, train

    option.require_run(out, resume)
    options = Options(
        arch=arch, depth=depth, vocab_size=vocab_size, tokenizer=tokenizer, start=start,
        context=context, epochs=epochs, steps=steps, batch_tokens=batch_size * context if batch_size else None, lr=lr,
        held_out=held_out, ngram=ngram, seed=seed, device=device,
    )  # fmt: skip
    with screen.progress() as progress:
        trained = train(texts, out, options, dry_run=dry_run, announce=announce, progress=progress)
    if as_json:
        screen.print_json(_json(trained, dry_run))
    elif not dry_run:
        for name, value in trained.scores.items():
            beside = f" (n-grams: {trained.baseline[name]:.3f})" if name in trained.baseline else ""
            click.echo(f"{name.replace('_', ' ')}: {value:.3f}{beside}")
        learnt_from = counted(trained.estimate.documents, "document")
        click.echo(f"{trained.folder}: a language model that learnt from {learnt_from}.")
        if trained.estimate.arch in _NEXT:
            click.echo(f"Go on with: {_NEXT[trained.estimate.arch].format(trained.folder)}")


_TAUGHT, _COPYING = "--base {}", "--encoder {}"
_NEXT = {
    arch: f"footnote train generator QUESTIONS {option} --out FOLDER"
    for arch, option in {"gpt": _TAUGHT, "gpt2": _TAUGHT, "llama": _TAUGHT, "t5": _TAUGHT, "copy": _COPYING}.items()
}
"""What can be made of a model, by architecture."""


def announce(estimate: Estimate) -> None:
    """Say what a run will take."""
    from finetune.resources import duration, size

    click.echo(
        f"{estimate.arch}: {estimate.layers} layers, {estimate.width} wide, "
        f"{estimate.parameters / 1e6:.1f} million parameters in {estimate.precision}, "
        f"{counted(estimate.vocabulary, 'token')} in the vocabulary.\n"
        f"{counted(estimate.documents, 'document')}, {counted(estimate.tokens, 'token')}; "
        f"{counted(estimate.steps, 'step')} of "
        f"{counted(estimate.batch_tokens, 'token')} at {estimate.tokens_a_second:,.0f} tokens/s take about "
        f"{duration(estimate.seconds)}, {size(estimate.memory)} of memory and {size(estimate.disk)} of disk.",
        err=True,
    )


def _json(trained: Trained, dry_run: bool) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "folder": str(trained.folder), "trained": not dry_run, "estimate": asdict(trained.estimate),
        "scores": dict(trained.scores), "baseline": dict(trained.baseline),
    }  # fmt: skip
