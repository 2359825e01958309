"""The commands `eval ...`: options in, scores out. Thin: what they do is the other files', loaded when it is needed.

Their screen is lent by the command line.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.completing import complete_collection, complete_encoder
from indexer.errors import UsageError
from indexer.home import home_folder
from indexer.screen import Command, Screen, common, in_precision
from rag.command import few_shot_of, max_error_option, shown_examples
from rag.completing import complete_generator
from rag.types import FORMS, Form

if TYPE_CHECKING:
    from rag.evaluation.rows import Row
    from rag.evaluation.runs import RunFolder

WORSE = 1
"""Exit code of `eval diff --fail-if worse` when the second run is."""

Folder = click.Path(file_okay=False, path_type=Path)


def _out(command: Command) -> Command:
    return click.option(
        "--out", type=Folder, metavar="RUN",
        help="Where the run goes; one that was interrupted goes on there. By default a folder under --home.",
    )(command)  # fmt: skip


_RERANKER = click.option("--reranker", metavar="FOLDER|none", help="What orders the best passages found; see ask.")


_LIMIT = click.option("--limit", type=click.IntRange(1), help="Ask only so many, evenly spread.")


@click.command()
@click.argument("data", metavar="DATA")
@click.option("--given", is_flag=True, help="Answer from the passages that the set brings.")
@click.option("--titles/--no-titles", default=True, help="Whether a given passage is read under its title.")
@click.option("--collection", "-c", metavar="NAME", shell_complete=complete_collection,
              help="Answer from this collection.  [default: default]")  # fmt: skip
@click.option("--index-passages", is_flag=True, help="Answer from a collection of the set's own documents or passages.")
@click.option(
    "--also", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Index the passages of this set as well (repeatable).",
)  # fmt: skip
@click.option("--generator", metavar="NAME", shell_complete=complete_generator, help="What answers; see ask.")
@shown_examples
@_RERANKER
@click.option("-k", default=6, show_default=True, type=click.IntRange(1, 100), help="How many passages are read.")
@click.option("--form", type=click.Choice(FORMS), help="Answer in this form; fact: in bare spans, as SQuAD has them.")
@max_error_option("Answer only while at most this share is wrong.")
@click.option(
    "--at-precision", default=0.9, show_default=True, type=click.FloatRange(0, 1, min_open=True), metavar="SHARE",
    help="Share of right answers at which coverage is measured.",
)  # fmt: skip
@click.option("--ids", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="Ask only the questions whose ids are in this file, one a line.")  # fmt: skip
@_LIMIT
@click.option("--batch", default=64, show_default=True, type=click.IntRange(1), help="Questions read together.")
@click.option("--alone", default=100, show_default=True, type=click.IntRange(0),
              help="Questions asked by themselves, to measure the time of one.")  # fmt: skip
@click.option("--rows", is_flag=True, help="Print a JSON line a question as they are done; the scores go to stderr.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.svg",
              help="Draw what the confidence is worth.")  # fmt: skip
@_out
@partial(in_precision, of_share="--at-precision")
@common
@click.pass_obj
def qa(
    screen: Screen, data: str, given: bool, titles: bool, collection: str | None, index_passages: bool,
    also: tuple[Path, ...], generator: str | None, few_shot: int | None, zero_shot: bool, shots: Path | None,
    reranker: str | None, k: int, form: Form | None, max_error: float | None, at_precision: float,
    ids: Path | None, limit: int | None, batch: int,
    alone: int, rows: bool, plot: Path | None, out: Path | None, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Ask the questions of DATA and score the answers, their citations and refusals, and the confidence.

    DATA is a SQuAD file (v1.1, v2.0), JSON lines with question and answers, or a folder in the BEIR layout; "-" reads
    JSON lines or SQuAD from standard input.

    \b
    footnote eval qa dev-v2.0.json.gz --given
    footnote eval qa questions.jsonl --collection papers --out runs/papers
    """
    from rag.evaluation.everything import read_ids
    from rag.evaluation.qa import Options, evaluate
    from rag.evaluation.report import write_report
    from rag.evaluation.rows import to_line

    def print_rows(done: Sequence[Row]) -> None:
        screen.write(b"".join(map(to_line, done)))

    options = Options(
        given=given, titles=titles, k=k, form=form, max_error=max_error, precision=at_precision, limit=limit,
        batch=batch,
        alone=alone,
    )  # fmt: skip
    with _file_of(data) as path, screen.progress() as progress:
        found = evaluate(
            path, options, collection=collection, generator=generator, reranker=reranker,
            few_shot=few_shot_of(few_shot, zero_shot, shots),
            index_passages=index_passages, also=also, ids=read_ids(ids) if ids else None, out=out, home=home,
            keep=print_rows if rows else lambda _: None, progress=progress,
        )  # fmt: skip
        write_report(found.run)
    if plot is not None:
        _draw(found.rows, plot, found.run.path.name)
    _show(screen, found.run, as_json and not rows, err=rows)


@click.command()
@click.argument("data", metavar="DATA", type=click.Path(exists=True, path_type=Path))
@click.option("--collection", "-c", metavar="NAME", shell_complete=complete_collection,
              help="Search this collection, rather than the set's documents.")  # fmt: skip
@click.option("--encoder", metavar="NAME|FOLDER", shell_complete=complete_encoder,
              help="Index the set's documents with this encoder.")  # fmt: skip
@_RERANKER
@_LIMIT
@_out
@in_precision
@common
@click.pass_obj
def retrieval(
    screen: Screen, data: Path, collection: str | None, encoder: str | None, reranker: str | None, limit: int | None,
    out: Path | None, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Search for the queries of DATA by words, by meaning and by both, and score the rankings.

    DATA is a folder in the BEIR layout, or questions that name their gold sources or bring their passages.

    \b
    footnote eval retrieval beir/scifact
    footnote eval retrieval questions.jsonl --collection papers
    """
    from rag.evaluation.recording import record_retrieval
    from rag.evaluation.report import write_report

    with screen.progress() as progress:
        run = record_retrieval(
            data, collection=collection, encoder=encoder, reranker=reranker, limit=limit, out=out, home=home,
            progress=progress,
        )  # fmt: skip
        write_report(run)
    _show(screen, run, as_json)


@click.command()
@click.argument("model", metavar="MODEL")
@click.argument(
    "texts", nargs=-1, required=True, metavar="TEXT...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--window", type=click.IntRange(2), help="Tokens that are read at once.")
@click.option("--stride", type=click.IntRange(1), help="Tokens between two windows.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="By default a GPU where there is one.")
@_out
@common
@click.pass_obj
def perplexity(
    screen: Screen, model: str, texts: tuple[Path, ...], window: int | None, stride: int | None, device: str | None,
    out: Path | None, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Measure how well the language model MODEL predicts texts: files, or JSON lines with a text each."""
    from rag.evaluation.recording import record_perplexity

    with screen.progress() as progress:
        run = record_perplexity(
            model, texts, window=window, stride=stride, device=device, out=out, home=home, progress=progress
        )
    _show(screen, run, as_json)


@click.command("all")
@click.argument("data", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--generator", metavar="NAME", shell_complete=complete_generator, help="What answers; see ask.")
@_LIMIT
@click.option("--only", multiple=True, metavar="NAME", help="Only the evaluations whose name holds this (repeatable).")
@click.option(
    "--out", type=Folder, metavar="FOLDER",
    help="Where the runs go, and table.md; it goes on there. By default runs/all under --home.",
)  # fmt: skip
@in_precision
@common
@click.pass_obj
def everything(
    screen: Screen, data: Path | None, generator: str | None, limit: int | None, only: tuple[str, ...],
    out: Path | None, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Measure all that the README reports: the data sets in the folder DATA, and the handbook's own questions."""
    from rag.evaluation.everything import evaluate_all, parts_of, table
    from rag.evaluation.qa import Options

    parts = [
        part
        for part in parts_of(data, options=Options(limit=limit))
        if not only or any(each.casefold() in part.name.casefold() for each in only)
    ]
    if not parts:
        raise UsageError(f"No evaluation is called {' or '.join(only)}.", "Leave out --only to see their names.")
    with screen.progress() as progress:
        found = evaluate_all(
            parts, out or home_folder(home) / "runs" / "all", generator=generator, home=home,
            tell=lambda line: screen.say(line, err=True), progress=progress,
        )  # fmt: skip
    if as_json:
        screen.print_json(found.to_json())
        return
    screen.say(table(found).rstrip("\n"))


# Looking at runs


@click.command()
@click.argument("run_a", type=Folder)
@click.argument("run_b", type=Folder)
@click.option("--measure", "deciding", multiple=True, metavar="NAME",
              help="What the verdict hangs on (repeatable).  [default: f1, or ndcg@10]")  # fmt: skip
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0, 1, min_open=True, max_open=True),
              help="How often a difference may be called one by chance.")  # fmt: skip
@click.option("--arms", nargs=2, default=("hybrid", "hybrid"),
              type=click.Choice(["words", "dense", "hybrid", "feedback", "reranked"]),
              help="Which arm of either search is compared.  [default: hybrid hybrid]")  # fmt: skip
@click.option("--examples", default=3, show_default=True, type=click.IntRange(0), help="Flips shown of either sort.")
@click.option("--fail-if", type=click.Choice(["worse"]), help=f"Exit {WORSE} when RUN_B is significantly worse.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.html",
              help="Write a page about it.")  # fmt: skip
@common
@click.pass_obj
@click.pass_context
def diff(
    ctx: click.Context, screen: Screen, run_a: Path, run_b: Path, deciding: tuple[str, ...], alpha: float,
    arms: tuple[str, str], examples: int, fail_if: str | None, report: Path | None, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Say whether RUN_B is better or worse than RUN_A, question by question, and how sure that is."""
    from rag.evaluation.comparing import compare_runs
    from rag.evaluation.comparison_report import write_comparison
    from rag.evaluation.runs import RunFolder
    from rag.evaluation.showing import show_comparison

    with screen.progress() as progress:
        found = compare_runs(
            RunFolder.open(run_a), RunFolder.open(run_b), deciding=deciding, alpha=alpha, arms=arms, progress=progress
        )
    if as_json:
        screen.print_json(found.to_json(examples))
    else:
        show_comparison(screen, found, examples)
    if report is not None:
        write_comparison(found, run_a.name, run_b.name, report)
    ctx.exit(WORSE if fail_if and found.verdict == fail_if else 0)


@click.command()
@click.argument("run", type=Folder)
@click.option("--examples", default=3, show_default=True, type=click.IntRange(0), help="Errors shown of each stage.")
@common
@click.pass_obj
def errors(screen: Screen, run: Path, examples: int, home: str | None, as_json: bool) -> None:
    """Say where the answers of RUN go wrong, by stage, by kind of question and by length of the answer."""
    from rag.evaluation.failures import failures
    from rag.evaluation.runs import RunFolder
    from rag.evaluation.showing import show_failures

    found = failures(RunFolder.open(run).rows(), examples)
    if as_json:
        screen.print_json(found.to_json())
        return
    show_failures(screen, found)


# What they share


@contextlib.contextmanager
def _file_of(data: str) -> Iterator[Path]:
    """Give the file to read; what comes by standard input is kept in one until the block ends."""
    if data != "-":
        yield Path(data)
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="footnote-") as folder:
        file = Path(folder) / "stdin.jsonl"
        file.write_bytes(sys.stdin.buffer.read())
        yield file


def _draw(rows: Sequence[Row], file: Path, title: str) -> None:
    from rag.evaluation.judging import RIGHT, confidence_of
    from rag.evaluation.plots import draw_confidence

    sure = [confidence_of(row) for row in rows]
    judged = {name.strip(" ()") or "exact": (sure, [right(row) for row in rows]) for name, right in RIGHT.items()}
    draw_confidence(judged, file, title)


def _show(screen: Screen, run: RunFolder, as_json: bool, err: bool = False) -> None:
    from rag.evaluation.showing import show_run

    if as_json:
        screen.print_json(run.scores)
    else:
        show_run(screen, run, err=err)
