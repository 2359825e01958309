"""What a shell completes: the names of collections, documents, encoders; and the script that teaches a shell to.

Whoever presses a key cannot be told of errors: where something cannot be read, there is nothing to offer.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path, PurePath

import click
from click.shell_completion import CompletionItem, get_completion_class

from indexer.errors import UserError
from indexer.home import DEFAULT_COLLECTION, collection_names, home_folder

SHELLS = ("bash", "zsh", "fish")
_DEFAULT_ENCODER = "all-MiniLM-L6-v2"
"""As in `encoders.model_folder`, which takes too long to import for a key that was pressed."""


def complete_collection(ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the collections of the home folder that was typed, or of the usual one."""
    return [CompletionItem(name) for name in collection_names(_home(ctx)) if name.startswith(typed)]


def complete_source(ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the documents of the collection: by their whole path, or by the name of the file."""
    from indexer.glance import listed_documents

    sources: list[str] = []
    with contextlib.suppress(UserError):  # a name that is none
        documents = listed_documents(_home(ctx), ctx.params.get("name") or DEFAULT_COLLECTION)
        sources = [each.source for each in documents or ()]
    whole = [each for each in sources if each.startswith(typed)]
    if whole and typed:
        return [CompletionItem(each) for each in whole]
    names = sorted({PurePath(each).name for each in sources})
    return [CompletionItem(name) for name in names if name.startswith(typed)]


def complete_encoder(ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer folders, and the encoders that were used on this machine before."""
    names = {_DEFAULT_ENCODER}
    for receipt in (_home(ctx) / "encoders").glob("*/receipt.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            names.add(str(json.loads(receipt.read_bytes())["settings"]["name"]))
    offered = [CompletionItem(name) for name in sorted(names) if name.startswith(typed)]
    return [CompletionItem(typed, type="dir"), *offered]


def complete_folder(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer folders."""
    return [CompletionItem(typed, type="dir")]


def _home(ctx: click.Context) -> Path:
    return home_folder(ctx.params.get("home"))


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes commands, options, collections and sources in a shell.

    \b
    bash: footnote completion bash > ~/.local/share/bash-completion/completions/footnote
    zsh:  footnote completion zsh > ~/.zfunc/_footnote       (~/.zfunc in fpath)
    fish: footnote completion fish > ~/.config/fish/completions/footnote.fish
    """
    made = get_completion_class(shell)
    assert made is not None  # click has all of SHELLS
    script = made(click.Group(), {}, "footnote", "_FOOTNOTE_COMPLETE")
    click.echo(script.source_template % script.source_vars())
