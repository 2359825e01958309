"""The commands for whole collections: list, delete, rename; and `ls`, which lists collections or documents.

Thin, and quick: a list is read at a glance, and only what is not as it should be is opened for good.
"""

from __future__ import annotations

from typing import Any

import click

from indexer.commands import Commands
from indexer.completing import complete_collection
from indexer.errors import UsageError, UserError
from indexer.glance import Glance, glance, listed_documents
from indexer.home import collection_names, home_folder
from indexer.plurals import counted
from indexer.screen import Screen, common, near, opened


@click.group(cls=Commands, invoke_without_command=True)
@common
@click.pass_obj
@click.pass_context
def collections(ctx: click.Context, screen: Screen, home: str | None, as_json: bool) -> None:
    """List the collections; delete one, or give it another name."""
    if ctx.invoked_subcommand is None:
        _list_collections(screen, home, as_json)


def _list_collections(screen: Screen, home: str | None, as_json: bool) -> None:
    found: list[Glance] = []
    broken: list[dict[str, str]] = []
    for name in collection_names(home_folder(home)):
        try:
            found.append(glance(home_folder(home), name) or _opened_wide(name, home))
        except UserError as error:
            broken.append({"name": name, "error": error.message, "hint": error.hint})
    if as_json:
        rows = [
            {"name": each.name, "documents": each.documents, "chunks": each.chunks, "generation": each.generation,
             "encoder": each.encoder, "bytes": each.bytes, "precisions": list(each.precisions)} for each in found
        ]  # fmt: skip
        screen.print_json({"collections": rows, "broken": broken})
        return
    for each in found:
        made_in = " and ".join(filter(None, each.precisions))
        screen.say(f"{each.name}: {_holds(each)}, {each.bytes / 1e6:,.1f} MB{f', {made_in}' if made_in else ''}")
    for entry in broken:
        screen.say(f"{entry['name']}: {entry['error']}")
    if not found and not broken:
        screen.say(f"No collections in {home_folder(home)}. Make one with: footnote index PATH")


def _opened_wide(name: str, home: str | None) -> Glance:
    """Return what a collection holds that cannot be read at a glance. Raises what is wrong with it."""
    from indexer.collection import Collection

    status = Collection(name, home).status()
    made = status.made.encoder, status.bytes, tuple(status.precisions)
    return Glance(name, status.documents, status.chunks, status.generation, *made)


def _holds(each: Glance) -> str:
    return f"{counted(each.documents, 'document')}, {counted(each.chunks, 'passage')}"


@collections.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=complete_collection)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@common
@click.pass_obj
@click.pass_context
def delete(
    ctx: click.Context, screen: Screen, names: tuple[str, ...], yes: bool, home: str | None, as_json: bool
) -> None:
    """Delete collections; the files that they were made of are not touched.

    Copies of files that were uploaded to the service are deleted with them.
    """
    from indexer.upkeep import delete_collection

    home, as_json = _inherited(ctx, home, as_json)
    going = [opened(name, home) for name in dict.fromkeys(names)]
    for each in going:
        if not yes and not _is_meant(screen, each.name, home):
            screen.say(f"{each.name} stays.", err=True)
            continue
        delete_collection(each)
        if not as_json:
            screen.say(f"deleted {each.name}")
    if as_json:
        screen.print_json({"deleted": [each.name for each in going if not each.folder.exists()]})


def _is_meant(screen: Screen, name: str, home: str | None) -> bool:
    import sys

    if not sys.stdin.isatty():
        raise UsageError(f"Nobody can be asked whether {name!r} is to be deleted.", "If it is meant, add --yes.")
    held = glance(home_folder(home), name)
    holds = f" with {_holds(held)}" if held is not None else ""
    return screen.confirm(f"Delete {name}{holds}? The files that it was made of stay.")


@collections.command()
@click.argument("name", metavar="NAME", shell_complete=complete_collection)
@click.argument("new", metavar="NEW")
@common
@click.pass_obj
@click.pass_context
def rename(ctx: click.Context, screen: Screen, name: str, new: str, home: str | None, as_json: bool) -> None:
    """Give a collection another name; nothing else of it changes."""
    from indexer.upkeep import rename_collection

    home, as_json = _inherited(ctx, home, as_json)
    rename_collection(opened(name, home), new)
    if as_json:
        screen.print_json({"renamed": name, "collection": new})
    else:
        screen.say(f"{name} is called {new} now")


def _inherited(ctx: click.Context, home: str | None, as_json: bool) -> tuple[str | None, bool]:
    """Return the options with those that stood before the command's name: `collections --home DIR delete NAME`."""
    above: dict[str, Any] = ctx.parent.params if ctx.parent is not None else {}
    return home or above.get("home"), as_json or bool(above.get("as_json"))


@click.command()
@click.argument("name", metavar="[COLLECTION]", required=False, shell_complete=complete_collection)
@common
@click.pass_obj
def ls(screen: Screen, name: str | None, home: str | None, as_json: bool) -> None:
    """List the collections; of COLLECTION, its documents."""
    if name is None:
        _list_collections(screen, home, as_json)
        return
    found = listed_documents(home_folder(home), name)
    if found is None:
        from indexer.glance import ListedDocument

        entries = opened(name, home).documents()
        found = [ListedDocument(each.source, each.title, each.format, each.chunks) for each in entries]
    if as_json:
        rows = [
            {"source": each.source, "title": each.title, "format": each.format, "chunks": each.chunks}
            for each in found
        ]  # fmt: skip
        screen.print_json({"collection": name, "documents": rows})
        return
    for each in found:
        screen.say(f"{counted(each.chunks, 'passage'):>15}  {near(each.source)}")
    if not found:
        screen.say(f"{name} holds no documents. Add some with: footnote index PATH --collection {name}")
