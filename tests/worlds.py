"""Small worlds for tests: an encoder without a model, folders of text, and a collection over both."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.collection import Collection
from indexer.compounds import is_end
from indexer.types import Progress, Vectors, silent

DIM = 32
PASSAGES = {
    "pump.md": "# The pump\n\nThe pump in hall two was replaced in March. It moves 12 litres a minute.\n",
    "library.md": "# The library\n\nThe library opens at nine. Books may be borrowed for four weeks.\n",
    "bees.txt": "Bees dance to tell each other where flowers stand.\n\nA hive holds up to sixty thousand bees.\n",
    "deep/tea.md": "# Tea\n\nGreen tea is steeped at eighty degrees. Black tea takes boiling water.\n",
}


@dataclass(frozen=True)
class WordEncoder:
    """Adds up one signed unit a word, chosen by the word's SHA-256: texts that share words are near each other.

    Another `salt` is another set of weights of the same dimension.
    """

    salt: str = ""
    dim: int = DIM
    max_tokens: int = 60

    @property
    def name(self) -> str:
        return f"words{self.salt}"

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"words {self.salt} {self.dim} {self.max_tokens}".encode()).hexdigest()

    def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", " ".join(text.split()[: self.max_tokens]).lower()):
                digest = hashlib.sha256((self.salt + word).encode()).digest()
                row[int.from_bytes(digest[:4], "big") % self.dim] += 1 if digest[4] % 2 else -1
            length = np.linalg.norm(row)
            row[:] = row / length if length else np.eye(self.dim, dtype=np.float32)[0]
        return rows

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_passages(texts)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\S+", text)]


class CountingEncoder(WordEncoder):
    """Remembers the passages it was given to read."""

    def __init__(self, salt: str = "") -> None:
        super().__init__(salt)
        self.read: list[str]
        object.__setattr__(self, "read", [])

    def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        self.read.extend(texts)
        return super().embed_passages(texts, progress)


def write_folder(folder: Path, passages: Mapping[str, str] = PASSAGES) -> Path:
    """Make `folder` hold these files (name to text), and return it."""
    for name, text in passages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1_700_000_000, 1_700_000_000))  # the date is stored: the same files must give the same dump
    return folder


def article(topic: str, paragraphs: int, seed: int = 0) -> str:
    """Return a text in Markdown of `paragraphs` paragraphs of 45 words, all different and always the same."""
    words = ("amber", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbour", "iris", "juniper", "kelp")
    parts = [f"# About {topic}"]
    for number in range(paragraphs):
        digest = hashlib.sha256(f"{topic} {number} {seed}".encode()).digest()
        chosen = [words[byte % len(words)] + str(byte // len(words)) for byte in (digest + digest[::-1])[:42]]
        parts.append(f"{topic} paragraph {number} " + " ".join(chosen) + ".")
    return "\n\n".join(parts) + "\n"


def collection_of(
    home: Path, passages: Mapping[str, str] = PASSAGES, *, name: str = "world", encoder: WordEncoder | None = None
) -> Collection:
    """Return a collection under `home` that holds these files, which are written to `home/files`."""
    collection = Collection(name, home, encoder=encoder or WordEncoder())
    collection.sync([write_folder(home / "files", passages)])
    return collection


_WORDS_OF_OLD = """
DROP TRIGGER chunks_added; DROP TRIGGER chunks_removed; DROP TRIGGER chunks_changed; DROP TABLE words;
DROP INDEX ix_chunks_language; ALTER TABLE chunks DROP COLUMN language; ALTER TABLE chunks DROP COLUMN stems;
CREATE VIRTUAL TABLE words USING fts5(text, context, bigrams, content='chunks', content_rowid='id',
    tokenize="porter unicode61 remove_diacritics 2");
CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
    INSERT INTO words(rowid, text, context, bigrams) VALUES (new.id, new.text, new.context, new.bigrams); END;
CREATE TRIGGER chunks_removed AFTER DELETE ON chunks BEGIN
    INSERT INTO words(words, rowid, text, context, bigrams)
    VALUES ('delete', old.id, old.text, old.context, old.bigrams); END;
CREATE TRIGGER chunks_changed AFTER UPDATE OF text, context, bigrams ON chunks BEGIN
    INSERT INTO words(words, rowid, text, context, bigrams)
    VALUES ('delete', old.id, old.text, old.context, old.bigrams);
    INSERT INTO words(rowid, text, context, bigrams) VALUES (new.id, new.text, new.context, new.bigrams); END;
INSERT INTO words(words) VALUES ('rebuild');
UPDATE alembic_version SET version_num = '0002';
"""
_VECTORS_OF_OLD = """
ALTER TABLE vectors DROP COLUMN precision; ALTER TABLE segments DROP COLUMN precision;
UPDATE alembic_version SET version_num = '0003';
"""
_NAMES_OF_OLD = """
DROP TABLE names; UPDATE chunks SET bigrams = ''; UPDATE alembic_version SET version_num = '0001';
"""


def make_older(database: Path, revision: str) -> None:
    """Take from a database what migrations later than `revision` ("0001" to "0004") have brought."""
    with sqlite3.connect(database) as connection:
        for chunk, stems in connection.execute("SELECT id, stems FROM chunks").fetchall():
            without = " ".join(each for each in stems.split() if not is_end(each))
            connection.execute("UPDATE chunks SET stems = ? WHERE id = ?", (without, chunk))
        connection.execute("UPDATE alembic_version SET version_num = '0004'")
        connection.commit()
        connection.executescript(_VECTORS_OF_OLD if revision < "0004" else "")
        connection.executescript(_WORDS_OF_OLD if revision < "0003" else "")
        connection.executescript(_NAMES_OF_OLD if revision < "0002" else "")
    connection.close()
