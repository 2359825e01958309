"""The command `train questions`: documents in, questions on them out."""

from __future__ import annotations

from pathlib import Path

import click

from finetune.commands import options as option
from indexer.errors import UsageError
from indexer.home import home_folder
from indexer.plurals import counted
from indexer.screen import Screen, common


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(exists=True))
@option.collection(None, "Ask about the passages of this collection, rather than about files.  [default: default]")
@option.out("Where questions.jsonl, the question maker and the report go.")
@click.option("--kinds", default="question,keywords", show_default=True, metavar="KIND,KIND",
              help="Of: question, keywords, title, sentence.")  # fmt: skip
@click.option("--per-passage", default=2, show_default=True, type=click.IntRange(1, 10),
              help="Questions of each kind for a passage, at most.")  # fmt: skip
@click.option("--limit", default=10_000, show_default=True, type=click.IntRange(1), help="Questions in all, at most.")
@click.option("--learn", multiple=True, type=option.FILE, metavar="FILE",
              help="Questions to learn from how people ask (repeatable); by default SQuAD.")  # fmt: skip
@click.option("--agreement", default=0.8, show_default=True, type=click.FloatRange(0, 1),
              help="Least F1 between what was asked for and what the generator answers.")  # fmt: skip
@click.option("--found-within", default=20, show_default=True, type=click.IntRange(1, 100),
              help="Passages among which the search must find the question's own.")  # fmt: skip
@option.seed()
@option.DRY_RUN
@common
@click.pass_obj
def questions(
    screen: Screen, paths: tuple[str, ...], name: str | None, out: Path, kinds: str, per_passage: int, limit: int,
    learn: tuple[Path, ...], agreement: float, found_within: int, seed: int, dry_run: bool, home: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Make questions from documents alone, and keep those that a round trip bears out.

    A question is kept when the generator, reading the passage, answers with the words that were asked for, and when the
    search finds the passage. The questions are what train encoder and train reranker learn from.

    \b
    footnote train questions --collection papers --out questions
    footnote train questions ~/documents --out questions
    """
    from finetune.resources import duration
    from finetune.retrieval.questions import Options, documents_collection, train_questions
    from indexer.collection import Collection

    if paths and name:
        raise UsageError("Give files or a collection, not both.", "Leave out --collection, or the files.")
    options = Options(
        kinds=tuple(part.strip() for part in kinds.split(",")), per_passage=per_passage, limit=limit,
        agreement=agreement, found_within=found_within, seed=seed,
    )  # fmt: skip

    def announce(passages: int, seconds: float) -> None:
        click.echo(f"{counted(passages, 'passage')} to ask about; that takes about {duration(seconds)}.", err=True)

    with screen.progress() as progress:
        if paths:
            asked = documents_collection(paths, out / "training", home_folder(home), progress)
        else:
            asked = Collection(name or "default", home)
        report = train_questions(
            asked, out, options, learn=learn, dry_run=dry_run, announce=announce, progress=progress
        )
    if as_json:
        screen.print_json({"folder": str(out), "made": not dry_run, "passages": report.passages,
                           "questions": report.kept, "counts": report.counts})  # fmt: skip
    elif not dry_run:
        for kind, counts in report.counts.items():
            told = ", ".join(f"{count:,} {stage}" for stage, count in counts.items())
            click.echo(f"{kind}: {told}")
        click.echo(f"{counted(report.kept, 'question')} in {out / 'questions.jsonl'}")
        click.echo(f"Next: footnote train encoder {out / 'questions.jsonl'} --out FOLDER")
