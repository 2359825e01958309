"""The commands that look after a collection: remove, status, show, doctor, export, import.

Thin: what they do is the other files', loaded when it is needed. Their screen is lent by the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.completing import complete_source
from indexer.plurals import counted
from indexer.screen import Screen, common, in_collection, in_precision, near, opened, plain, shortened, show_wrapped

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 20
"""Sources that a report names, with a reason or a note each."""


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", shell_complete=complete_source)
@in_collection
@common
@click.pass_obj
def remove(screen: Screen, sources: tuple[str, ...], name: str, home: str | None, as_json: bool) -> None:
    """Remove documents from a collection; the files themselves are not touched.

    SOURCE is a document, a folder, or a pattern in quotes such as "*.log".
    """
    collection = opened(name, home)
    removed = collection.remove(sources)
    if as_json:
        screen.print_json({"removed": removed, "generation": collection.generation})
        return
    for source in removed:
        screen.console().print(plain(f"removed {near(source)}"), soft_wrap=True)


@click.command()
@click.option("--sources", is_flag=True, help="List every document.")
@in_collection
@common
@click.pass_obj
def status(screen: Screen, sources: bool, name: str, home: str | None, as_json: bool) -> None:
    """Say what a collection holds, how it was made, and what was skipped."""
    collection = opened(name, home)
    found = collection.status()
    listed = collection.documents() if sources else []
    if as_json:
        from dataclasses import asdict

        told = asdict(found)
        if sources:
            told["sources"] = [asdict(entry) for entry in listed]
        screen.print_json(told)
        return
    console = screen.console()
    rows = [
        ("documents", f"{found.documents:,} ({', '.join(f'{n} {kind}' for kind, n in found.formats.items())})"),
        ("passages", f"{found.chunks:,}, of them {counted(found.near_duplicates, 'near-duplicate')}"),
        ("characters", f"{found.characters:,}"),
        ("languages", _counted(found.languages) or "not told"),
        ("repairs", ", ".join(f"{count:,} {kind}" for kind, count in found.repairs.items()) or "none needed"),
        ("encoder", f"{found.made.encoder} ({found.made.dim} dimensions, {found.made.fingerprint[:12]})"),
        ("precision", " and ".join(filter(None, found.precisions)) or "not known"),
        ("generator", found.generator or "the default one"),
        ("reranker", collection.reranker or "none"),
        ("generation", f"{found.generation}"),
        ("cache", f"{counted(found.segments, 'segment')}, {counted(found.unsealed, 'vector')} outside"),
        ("on disk", f"{found.bytes / 1e6:,.1f} MB in {found.folder}"),
    ]
    for key, value in rows:
        console.print(plain(f"{key:>12}  ", "dim") + plain(value), soft_wrap=True)
    show_skips(console, [(skip.source, skip.reason) for skip in found.skipped])
    for entry in listed:
        line = f"{counted(entry.chunks, 'passage'):>15}  {entry.format:10} {near(entry.source)}  {entry.title}"
        console.print(plain(line), soft_wrap=True)


@click.command()
@click.argument("source", shell_complete=complete_source)
@click.option("--text", "only_text", is_flag=True, help="Print the stored text exactly as offsets count it.")
@in_collection
@common
@click.pass_obj
def show(screen: Screen, source: str, only_text: bool, name: str, home: str | None, as_json: bool) -> None:
    """Show a stored document: what is known of it and how it was cut into passages."""
    collection = opened(name, home)
    document = collection.document(source)
    if only_text and not as_json:
        screen.write(document.text.encode())
        return
    pieces = collection.document_chunks(document.source)
    twins = collection.near_duplicates(document.source)
    about: dict[str, Any] = {
        "source": document.source, "sha256": document.sha256, "title": document.title, "format": document.format,
        "characters": len(document.text), "metadata": dict(document.metadata), "notes": list(document.notes),
        "repairs": dict(document.repairs), "precisions": collection.document_precisions(document.source),
    }  # fmt: skip
    if as_json:
        if only_text:
            about["text"] = document.text
        about["chunks"] = [
            {
                "start": c.start,
                "end": c.end,
                "page": c.page,
                "line": c.line,
                "context": c.context,
                "text": c.text,
                "also_in": twins.get(c.id, []),
            }
            for c in pieces
        ]
        screen.print_json(about)
        return
    console = screen.console()
    for key, value in about.items():
        if value or value == 0:
            console.print(plain(f"{key:>12}  ", "dim") + plain(_flat(value)), soft_wrap=True)
    for number, piece in enumerate(pieces, 1):
        place = f"characters {piece.start}-{piece.end}" + (f", page {piece.page}" if piece.page else "")
        console.print(plain(f"\n{number}. {piece.context}  ", "bold") + plain(place, "cyan"), soft_wrap=True)
        for twin in twins.get(piece.id, []):
            console.print(plain(f"   nearly the same in {near(twin)}", "dim"), soft_wrap=True)
        show_wrapped(console, plain(shortened(piece.text, 300)))


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@in_precision
@in_collection
@common
@click.pass_obj
@click.pass_context
def doctor(ctx: click.Context, screen: Screen, repair: bool, name: str, home: str | None, as_json: bool) -> None:
    """Check a collection from end to end, and mend it with --repair. Exits 1 when something is still wrong."""
    from indexer.collection import Collection
    from indexer.doctor import examine

    with screen.progress() as progress:
        findings = examine(Collection(name, home), repair=repair, progress=progress)
    ill = [finding for finding in findings if not finding.healthy and not finding.repaired]
    if as_json:
        rows = [{"check": f.check, "healthy": f.healthy, "detail": f.detail, "repaired": f.repaired} for f in findings]
        screen.print_json({"healthy": not ill, "findings": rows})
    else:
        console = screen.console()
        for f in findings:
            verdict = ("mended", "yellow") if f.repaired else ("ok", "green") if f.healthy else ("wrong", "red")
            console.print(plain(f"{verdict[0]:>8}  ", verdict[1]) + plain(f"{f.check}: {f.detail}"), soft_wrap=True)
        if ill and not repair:
            console.print(f"To mend it, run: footnote doctor --repair --collection {name}")
    ctx.exit(1 if ill else 0)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@in_collection
@common
@click.pass_obj
def export_command(screen: Screen, file: Path, name: str, home: str | None, as_json: bool) -> None:
    """Write a collection into one file: documents, vectors and a manifest."""
    from indexer.transfer import export_collection

    with screen.progress() as progress:
        done = export_collection(opened(name, home), file, progress=progress)
    _show_transfer(screen, "exported", done, file, name, as_json)


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@in_collection
@common
@click.pass_obj
def import_command(screen: Screen, file: Path, name: str, home: str | None, as_json: bool) -> None:
    """Make a new collection from an exported file, after checking all of it."""
    from indexer.collection import Collection
    from indexer.transfer import import_collection

    with screen.progress() as progress:
        done = import_collection(file, Collection(name, home), progress=progress)
    _show_transfer(screen, "imported", done, file, name, as_json)


def _show_transfer(screen: Screen, verb: str, done: Any, file: Path, name: str, as_json: bool) -> None:
    size = file.stat().st_size
    if as_json:
        screen.print_json({"file": str(file), "collection": name, "documents": done.documents, "chunks": done.chunks,
                     "bytes": size})  # fmt: skip
        return
    to = "of" if verb == "exported" else "into"
    what = f"{counted(done.documents, 'document')} and {counted(done.chunks, 'passage')}"
    line = f"{verb} {what} ({size / 1e6:,.1f} MB) {to} {name}"
    screen.console().print(plain(line))


def show_skips(console: Console, skips: Sequence[tuple[str, str]]) -> None:
    """Print what was skipped and why; of many the first."""
    if skips:
        console.print(f"  [yellow]{len(skips)} skipped:[/]", highlight=False)
    for source, reason in skips[:_SHOWN]:
        console.print(plain(f"    {near(source)}: {reason}"), soft_wrap=True)
    if len(skips) > _SHOWN:
        console.print(f"    ... and {len(skips) - _SHOWN} more; all of them with --json", highlight=False)


def show_notes(console: Console, notes: Mapping[str, Sequence[str]]) -> None:
    """Print what was noted while documents were read; of many the first."""
    if notes:
        console.print(f"  [yellow]{len(notes)} read with notes:[/]", highlight=False)
    for source in list(notes)[:_SHOWN]:
        console.print(plain(f"    {near(source)}: {'; '.join(notes[source])}"), soft_wrap=True)
    if len(notes) > _SHOWN:
        console.print(f"    ... and {len(notes) - _SHOWN} more; all of them with --json", highlight=False)


def show_unknown_languages(console: Console, documents: Mapping[str, int]) -> None:
    """Warn of documents in languages that the encoder does not know, given how many there are of each."""
    if documents:
        console.print("  [yellow]in languages that the encoder does not know:[/]", highlight=False)
        why = "they are found by their words, hardly by their meaning; --encoder takes one for these languages"
        console.print(plain(f"    {_counted(documents)}: {why}"), soft_wrap=True)


def _counted(documents: Mapping[str, int]) -> str:
    from indexer.languages import NAMES

    return ", ".join(f"{count:,} in {NAMES.get(language, language)}" for language, count in documents.items())
