"""Comments on the cells of a sheet, each with its cell and its author."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator

from indexer.readers.office import parsed_member

_MAX_COMMENTS = 5_000
_THREAD = "[Threaded comment]"
"""How a comment begins that newer programs keep elsewhere: advice to the reader, then the words after "Comment:"."""


def comments(archive: zipfile.ZipFile, sheet: str) -> Iterator[str]:
    """Yield "Comment on B6 by Ann: paid late" for the comments on the sheet whose member has this path."""
    folder, name = posixpath.split(sheet)
    links = parsed_member(archive, f"{folder}/_rels/{name}.rels")
    for link in links if links is not None else ():
        if not link.get("Type", "").endswith("/comments"):
            continue
        target = link.get("Target", "")
        found = parsed_member(archive, posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/"))
        authors = [author.text or "" for author in found.iterfind(".//{*}author")] if found is not None else []
        places = list(found.iterfind(".//{*}comment"))[:_MAX_COMMENTS] if found is not None else []
        for comment in places:
            text = " ".join("".join(comment.itertext()).split())
            if text.startswith(_THREAD):
                text = text.partition("Comment:")[2].strip()
            number = comment.get("authorId", "")
            author = authors[int(number)] if number.isdigit() and int(number) < len(authors) else ""
            author = "" if author.startswith("tc=") else author.strip()
            text = text.removeprefix(f"{author}:").strip() if author else text
            if text:
                yield f"Comment on {comment.get('ref', '')}{f' by {author}' if author else ''}: {text}"
