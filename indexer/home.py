"""Where things lie on disk: the home folder, its collections and its converted encoders.

HOME/collections/NAME/CURRENT           the name of the epoch that counts
HOME/collections/NAME/LOCK              the writer's lock
HOME/collections/NAME/epoch-N/truth.db  the truth
HOME/collections/NAME/epoch-N/segments/ the FAISS cache
HOME/encoders/FINGERPRINT/              an encoder, converted for the processor
HOME/models/NAME/                       an encoder that was installed in parts, put together
HOME/uploads/NAME/                      what was uploaded to the service, under generated names
HOME/history.jsonl                      the questions that were asked on the command line, for their owner alone
HOME/config.toml                        options that are not to be typed each time
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from indexer.arguments import path_of
from indexer.errors import UsageError

DEFAULT_COLLECTION = "default"
HISTORY = "history.jsonl"
"""The file of the home folder that holds the questions asked, one JSON object a line, with its `collection`."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def home_folder(given: str | os.PathLike[str] | None = None) -> Path:
    """Return the home folder: the one given, else FOOTNOTE_HOME, else the platform's folder for data."""
    folder = given or os.environ.get("FOOTNOTE_HOME")
    if folder:
        return path_of("home", folder, 'home="~/footnote"').expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("footnote", appauthor=False))


def collection_folder(home: Path, name: str) -> Path:
    """Return the folder of collection `name`. Raises UsageError for a name that is no plain file name."""
    if not isinstance(name, str):
        raise UsageError(
            f"The name of a collection must be a text, not {name!r:.80}.",
            'For example: Collection("papers"). Its documents are given to sync: Collection("papers").sync("~/papers")',
        )
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a collection.",
            "A name has up to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit.",
        )
    return home / "collections" / name


def uploads_folder(home: Path, name: str) -> Path:
    """Return the folder of what was uploaded to collection `name`. Raises UsageError for a name that is none."""
    return home / "uploads" / collection_folder(home, name).name


def collection_names(home: Path) -> list[str]:
    """Return the names of all collections under `home`, sorted."""
    root = home / "collections"
    if not root.is_dir():
        return []
    return sorted(
        folder.name for folder in root.iterdir() if _NAME.fullmatch(folder.name) and (folder / "CURRENT").is_file()
    )
