"""The command `train data`: documents in, a clean data set and a report of what was changed out."""

from __future__ import annotations

from pathlib import Path

import click

from finetune.commands import options as option
from indexer.completing import complete_collection
from indexer.errors import UsageError
from indexer.plurals import counted
from indexer.screen import Screen, common


@click.command()
@click.argument("inputs", nargs=-1, metavar="INPUT...", type=click.Path(path_type=Path))
@option.out("Where the data set goes: a new folder. Nothing is overwritten.")
@click.option(
    "--collection",
    "-c",
    metavar="NAME",
    shell_complete=complete_collection,
    help="The documents of this collection as well.",
)
@click.option("--include", multiple=True, metavar="PATTERN", help="Only files that match (as in .gitignore).")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Not the files that match.")
@click.option("--markup/--no-markup", default=True, show_default=True,
              help="Take out remnants of markup and special characters.")  # fmt: skip
@click.option("--boilerplate", default=0.1, show_default=True, type=click.FloatRange(0, 1), metavar="SHARE",
              help="Take out lines that so large a share of the documents has; 0: none.")  # fmt: skip
@click.option("--mask", "masks", multiple=True, type=click.Choice(["mail", "phone", "key"]),
              help="Mask personal data and secrets (repeatable).")  # fmt: skip
@click.option("--spelling", is_flag=True,
              help="Correct rare misspellings by words that the documents have often.")  # fmt: skip
@click.option(
    "--language", "languages", multiple=True, metavar="CODE", help="Keep texts in this language (repeatable)."
)
@click.option("--quality/--no-quality", default=True, show_default=True,
              help="Leave out what is hardly prose: lists, repetitions, marks.")  # fmt: skip
@click.option("--min-words", default=20, show_default=True, type=click.IntRange(0), help="Words of a text, at least.")
@click.option("--near", default=0.8, show_default=True, type=click.FloatRange(0, 1), metavar="SIMILARITY",
              help="From which a text is a near-duplicate of an earlier one and left out; 0: none is.")  # fmt: skip
@click.option(
    "--dry-run", is_flag=True, help="Look at a sample, say what would be done and how long it takes, and stop."
)
@common
@click.pass_obj
def data(
    screen: Screen, inputs: tuple[Path, ...], out: Path, collection: str | None, include: tuple[str, ...],
    exclude: tuple[str, ...], markup: bool, boilerplate: float, masks: tuple[str, ...], spelling: bool,
    languages: tuple[str, ...], quality: bool, min_words: int, near: float, dry_run: bool, home: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Collect and clean texts to learn from, and report what was changed.

    INPUT are files and folders, read as index reads them; JSON lines with a `text` each are texts of their own.

    \b
    footnote train data ~/documents --mask mail --out data/clean
    """
    from finetune.data.preparing import Options, prepare
    from finetune.data.quality import Bounds
    from indexer.collection import Collection

    if not inputs and collection is None:
        raise UsageError("No file, folder or collection was given.", "For example: footnote train data docs --out data")
    found = Collection(collection, home) if collection is not None else None
    options = Options(
        include=include, exclude=exclude, markup=markup, boilerplate=boilerplate, masks=masks, spelling=spelling,
        languages=languages, quality=Bounds(words=min_words) if quality else None, near=near,
    )  # fmt: skip
    with screen.progress() as progress:
        done = prepare(
            inputs, out, options, collection=found, dry_run=dry_run,
            announce=lambda line: click.echo(line, err=True), progress=progress,
        )  # fmt: skip
    report = done.report
    if as_json:
        screen.print_json({"folder": str(done.folder), "written": not dry_run, **report.to_json()})
        return
    click.echo(
        f"{report.kept:,} of {counted(report.documents, 'text')} kept in {report.seconds:.1f} s: "
        f"{counted(report.words, 'word')}, {counted(report.characters, 'character')}"
    )
    for title, counts in (("left out", report.reasons), ("changed", dict(report.changes.counts.most_common()))):
        if counts:
            click.echo(f"  {title}: " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items()))
    if report.skipped:
        click.echo(f"  skipped: {counted(len(report.skipped), 'file')}; the first: {report.skipped[0].reason}")
    if not dry_run:
        click.echo(f"Read what was changed: {done.folder / 'README.md'} and {done.folder / 'changes.diff'}")
