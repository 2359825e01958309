"""The command `train tokenizer`: texts in, a tokenizer and a report of how it cuts out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finetune.commands import options as option
from indexer.plurals import counted
from indexer.screen import Screen, common


@click.command()
@click.argument(
    "texts", nargs=-1, required=True, metavar="TEXT|FOLDER...", type=click.Path(exists=True, path_type=Path)
)
@option.out("Where the tokenizer goes: a new folder. Nothing is overwritten.")
@click.option("--kind", type=click.Choice(["bpe", "wordpiece", "unigram"]), default="bpe", show_default=True)
@option.vocab_size(8192)
@click.option("--uncased", is_flag=True, help="Forget capitals. Only for wordpiece.")
@click.option("--min-frequency", default=2, show_default=True, type=click.IntRange(1),
              help="How often something must occur to become a token.")  # fmt: skip
@click.option("--show", multiple=True, metavar="WORD", help="Show how this word is cut (repeatable).")
@click.option("--held-out", default=0.05, show_default=True, type=click.FloatRange(0, 0.5, min_open=True),
              help="Share of the texts to measure on.")  # fmt: skip
@option.DRY_RUN
@common
@click.pass_obj
def tokenizer(
    screen: Screen, texts: tuple[Path, ...], out: Path, kind: Any, vocab_size: int, uncased: bool, min_frequency: int,
    show: tuple[str, ...], held_out: float, dry_run: bool, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Learn a tokenizer from texts, and measure how it cuts others, beside the default one.

    TEXT is a file of plain text, or JSON lines with a `text` each; of a FOLDER, all such files, as train data leaves
    them.

    \b
    footnote train tokenizer data/clean --vocab-size 8192 --out models/tokenizer
    """
    from dataclasses import asdict

    from finetune.data.tokenizing import cutting_table, learn, words_table
    from finetune.data.vocabularies import Options

    options = Options(
        kind=kind, vocab_size=vocab_size, cased=not uncased, min_frequency=min_frequency, held_out=held_out
    )
    with screen.progress() as progress:
        found = learn(
            texts, out, options, show=show, dry_run=dry_run,
            announce=lambda line: click.echo(line, err=True), progress=progress,
        )  # fmt: skip
    if as_json:
        screen.print_json({
            "folder": str(found.folder), "written": not dry_run, "vocabulary": found.vocabulary,
            "measured": {name: asdict(each) for name, each in found.cuttings.items()},
            "words": [asdict(each) for each in found.words], "seconds": found.seconds,
        })  # fmt: skip
        return
    click.echo(f"{counted(found.vocabulary, 'token')} in {found.seconds:.1f} s. On held-out texts:\n")
    click.echo(cutting_table(found.cuttings))
    click.echo(f"\n{words_table(found.words)}")
    if not dry_run:
        click.echo(f"\nUse it: footnote train lm TEXT... --tokenizer {found.folder} --out FOLDER")
