"""The options that several rungs have: one name, one meaning, one default where one default suits them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from indexer.completing import complete_collection
from indexer.errors import UsageError
from indexer.screen import Command

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

TOKENIZER = click.option(
    "--tokenizer", metavar="FOLDER|FILE", help="A tokenizer made by train tokenizer, or a tokenizer.json."
)
ARCH = click.option(
    "--arch", type=click.Choice(["gpt", "llama", "bert", "t5", "copy"]), default="llama", show_default=True,
    help="How the model is built, and with that what it learns to predict.",
)  # fmt: skip
DEPTH = click.option(
    "--depth", default=6, show_default=True, type=click.IntRange(1, 48),
    help="Layers; width, heads, rate and batch follow from it.",
)  # fmt: skip
MARGIN = click.option(
    "--margin", default=0.95, show_default=True, type=click.FloatRange(0, 1, min_open=True),
    help="Share of the right passage's cosine above which a passage is no negative.",
)  # fmt: skip
STEPS = click.option("--steps", type=click.IntRange(1), help="Optimizer steps, rather than passes.")
DEVICE = click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Read the data, measure the speed, say how long it will take, and stop."
)
RESUME = click.option("--resume", is_flag=True, help="Go on with the run in --out; an error where there is none.")


def collection(default: str | None = "default", help: str = "The collection to use.") -> Callable[[Command], Command]:
    """Make the option that names a collection, given as `name`."""
    return click.option(
        "--collection",
        "-c",
        "name",
        default=default,
        show_default=default is not None,
        metavar="NAME",
        help=help,
        shell_complete=complete_collection,
    )


def held_out(default: float) -> Callable[[Command], Command]:
    """Make the option for what is kept apart."""
    return click.option(
        "--held-out", default=default, show_default=True, type=click.FloatRange(0.01, 0.5), metavar="SHARE",
        help="Questions kept apart, whole documents, for choosing the weights and for train promote.",
    )  # fmt: skip


def out(help: str = "Where the model goes; a run that was interrupted goes on there.") -> Callable[[Command], Command]:
    """Make the option that says where the result goes."""
    return click.option("--out", type=FOLDER, required=True, metavar="FOLDER", help=help)


def epochs(default: float = 1.0) -> Callable[[Command], Command]:
    """Make the option for passes over the data."""
    return click.option(
        "--epochs", default=default, show_default=True, type=click.FloatRange(0, min_open=True),
        help="Passes over the data; parts of one are allowed.",
    )  # fmt: skip


def batch_size(default: int | None, help: str, metavar: str = "ROWS") -> Callable[[Command], Command]:
    """Make the option for what is learnt in one step."""
    return click.option(
        "--batch-size", default=default, show_default=default is not None, type=click.IntRange(1), metavar=metavar,
        help=help,
    )  # fmt: skip


def lr(default: str) -> Callable[[Command], Command]:
    """Make the option for the learning rate; the default is only told, None is given."""
    return click.option(
        "--lr", type=click.FloatRange(0, 1, min_open=True), help=f"Learning rate.  [default: {default}]"
    )


def seed(default: int = 11) -> Callable[[Command], Command]:
    """Make the option for the seed."""
    return click.option(
        "--seed", default=default, show_default=True,
        help="Same input, same seed, same result. What is held out does not depend on it.",
    )  # fmt: skip


def vocab_size(default: int) -> Callable[[Command], Command]:
    """Make the option for the size of the vocabulary."""
    return click.option(
        "--vocab-size", default=default, show_default=True, type=click.IntRange(260, 1_000_000),
        help="Tokens in the vocabulary, special ones and single bytes among them.",
    )  # fmt: skip


def require_run(folder: Path, resume: bool) -> None:
    """Raise UsageError where --resume was given and `folder` holds no checkpoint (`training/last`) to go on from."""
    if resume and not (folder / "training" / "last").exists():
        raise UsageError(f"There is no interrupted run in {folder}.", "Leave out --resume to begin one.")
