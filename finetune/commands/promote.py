"""The commands `train promote` and `train rollback`: what was trained is switched to, or taken back."""

from __future__ import annotations

from pathlib import Path

import click

from finetune.commands import options as option
from indexer.screen import Screen, common

NOT_BETTER = 5
"""Exit code of `train promote` when nothing was switched."""


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(exists=True, file_okay=False, path_type=Path))
@option.collection()
@click.option("--questions", type=option.FILE, metavar="FILE",
              help="Ask these, rather than the run's own held-out questions.")  # fmt: skip
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(20), help="Questions asked, at most.")
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0, 1, min_open=True, max_open=True),
              help="How often a difference may be called one by chance.")  # fmt: skip
@click.option("--force", is_flag=True, help="Switch whatever the comparison says.")
@click.option("--recalibrate", is_flag=True,
              help="Then fit the generator's confidence on the same questions, which must have answers.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Compare only; nothing is switched.")
@common
@click.pass_context
def promote(
    ctx: click.Context, run: Path, name: str, questions: Path | None, limit: int, alpha: float, force: bool,
    recalibrate: bool, dry_run: bool, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Switch a collection to the encoder, reranker or generator in RUN, if it is significantly better.

    It is tried on questions about documents that nothing was learnt from, against what the collection uses now. Exits 0
    when it was switched and 5 when it was not. train rollback takes it back.
    """
    from finetune.promotion import promote as tried
    from indexer.collection import Collection

    screen: Screen = ctx.obj
    with screen.progress() as progress:
        done = tried(
            run, Collection(name, home), questions=questions, force=force, recalibrate=recalibrate, alpha=alpha,
            limit=limit, dry_run=dry_run, progress=progress,
        )  # fmt: skip
    if as_json:
        screen.print_json(done.to_json())
    else:
        measure = done.comparison.deciding[0]
        found = next(each for each in done.comparison.differences if each.measure == measure)
        before, after, moved = found.effect.before, found.effect.after, found.effect.difference
        click.echo(
            f"{measure} on {found.n:,} held-out questions: {100 * before.value:.1f} before, {100 * after.value:.1f} "
            f"with {run} ({100 * moved.value:+.1f}, from {100 * moved.low:+.1f} to {100 * moved.high:+.1f}; "
            f"p = {found.p:.4f})"
        )
        if done.promoted:
            switched = f"{name} now has the {done.kind} {run}."
        elif dry_run:
            switched = f"tried only, {name} stays as it was."
        else:
            switched = f"{name} stays as it was."
        click.echo(f"{done.comparison.verdict}: {switched}")
        if done.promoted and recalibrate:
            click.echo(f"The confidence was fitted on the same questions; it answers with {done.after.generator}.")
    ctx.exit(0 if done.promoted else NOT_BETTER)


@click.command()
@option.collection()
@common
@click.pass_obj
def rollback(screen: Screen, name: str, home: str | None, as_json: bool) -> None:
    """Take back the last promotion of a collection: its encoder, reranker and generator become what they were."""
    from dataclasses import asdict

    from finetune.promotion import rollback as taken_back
    from indexer.collection import Collection

    with screen.progress() as progress:
        entry = taken_back(Collection(name, home), progress=progress)
    if as_json:
        screen.print_json(asdict(entry))
        return
    state = entry.after
    click.echo(
        f"{name}: encoder {state.encoder}, reranker {state.reranker or 'none'}, "
        f"generator {state.generator or 'the default one'}; {entry.run} is no longer in use."
    )
