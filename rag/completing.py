"""What a shell completes on this floor: the names of generators, and folders of others."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from indexer.completing import complete_folder


def complete_generator(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer folders, and the generators that come along."""
    from rag.generators import NAMES

    named = [CompletionItem(name) for name in NAMES if name.startswith(typed)]
    return [*complete_folder(ctx, parameter, typed), *named]
