"""Trains the copying generator in several ways, each for the same short time, and prints what each scores.

    python -m tests.benchmarks.ablate_generator [DATA] --out FOLDER --steps 200 [--only NAME ...] [--encoder FOLDER]

DATA is the data folder (default ../shared/data; skipped where it is absent). All ways see the same held-out documents;
the scores are EM and F1 on held-out questions of the training sets, never of a test set. What was done is kept in
FOLDER: an interrupted run goes on. --encoder is one that was pre-trained further (train lm --from all-MiniLM-L6-v2).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from finetune.card import Source
from finetune.copying.generator import Options, train_weights
from finetune.copying.mixing import Mixture
from finetune.schedule import Keeping, Schedule
from rag.copying.layout import Layout

PLAIN = Mixture(titled=0.5, competing=0.0, missing=0.0, edited=0.0, two_part=0.0, tables=0.0)
SQUAD, OTHERS = (
    ("squad/train-v1.1.json.gz",),
    ("qed/train.jsonl.gz", "qamr/questions.jsonl.gz", "qa_zre/questions.jsonl.gz"),
)


def ways(steps: int, encoder: str | None) -> dict[str, tuple[Options, tuple[str, ...]]]:
    """Return what is compared: options and data sets by name."""
    keeping = Keeping(save_every=max(1, steps // 2), validate_every=steps, log_every=20)
    mixed = Options(steps=steps, keeping=keeping, schedule=Schedule(warmup=min(100, steps // 5), decay=0.9))
    plain, rate = replace(mixed, mixture=PLAIN), mixed.schedule
    further = {"an encoder pre-trained further": (replace(plain, encoder=encoder), SQUAD)} if encoder else {}
    return {
        "answerable questions only": (plain, SQUAD),
        **further,
        "trained embeddings": (replace(plain, frozen_embeddings=False), SQUAD),
        "one span, no decoder": (replace(plain, writes=False), SQUAD),
        "window of 256": (replace(plain, layout=Layout(window=256, overlap=96)), SQUAD),
        "rate 1.5e-4": (replace(plain, schedule=replace(rate, lr=1.5e-4, new_lr=3e-4)), SQUAD),
        "rate 5e-4": (replace(plain, schedule=replace(rate, lr=5e-4, new_lr=1e-3)), SQUAD),
        "batches of 16, twice the steps": (
            replace(plain, batch_tokens=plain.batch_tokens // 2, steps=2 * steps),
            SQUAD,
        ),
        "all sorts": (mixed, SQUAD),
        "all sorts but edited questions": (replace(mixed, mixture=replace(mixed.mixture, edited=0.0)), SQUAD),
        "all sorts but competing passages": (replace(mixed, mixture=replace(mixed.mixture, competing=0.0)), SQUAD),
        "all sorts, all data sets": (mixed, SQUAD + OTHERS),
    }


@click.command()
@click.argument("data", default="../shared/data", type=click.Path(file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--steps", default=200, show_default=True)
@click.option("--encoder", help="One that was pre-trained further, to begin with.")
@click.option("--only", multiple=True, help="Only these ways (repeatable).")
def main(data: Path, out: Path, steps: int, encoder: str | None, only: tuple[str, ...]) -> None:
    """Train in several ways and print a table."""
    if not (data / SQUAD[0]).is_file():
        click.echo(f"skipped: {data / SQUAD[0]} is not there. Give the data folder as the first argument.", err=True)
        return
    print("| way | EM | F1 | rightly given or refused | seconds a step |\n|---|---|---|---|---|")
    for name, (options, files) in ways(steps, encoder).items():
        if only and name not in only:
            continue
        sources = [Source(data / file, 1.0 if number == 0 else 0.25) for number, file in enumerate(files)]
        work, passages = out / name.replace(" ", "-").replace(",", ""), out / f"passages-{len(files)}"
        done = train_weights(sources, work, options, passages=passages)
        scores = done.validation
        seconds = done.estimate.seconds / max(1, done.estimate.steps)
        cells = [name, *(f"{scores[each]:.1f}" for each in ("em", "f1", "rightly_given_or_refused")), f"{seconds:.2f}"]
        print("| " + " | ".join(cells) + " |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
