"""An export file as a stranger hands it over: opened, measured, and read row by row with every claim checked.

It knows the format and trusts nothing in it; it writes nothing and never extracts a member to disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

import numpy as np

from indexer import storage
from indexer.chunker import passage_text
from indexer.encoders.precision import NAMES
from indexer.errors import ImportRefused, InvalidVectors, NotFound
from indexer.precisions import UNKNOWN
from indexer.types import BlockKind, Chunk, Document, Progress, Scalar, Section, Vectors
from indexer.view import Made
from indexer.writer import Prepared

FORMAT = "footnote-export"
VERSION = 1
MANIFEST = "manifest.json"
DOCUMENTS, CHUNKS, VECTORS = "documents.jsonl", "chunks.jsonl", "vectors.f32"
MEMBERS = (DOCUMENTS, CHUNKS, VECTORS)

MAX_MANIFEST = 100_000
"""Bytes of a manifest."""
MAX_LINE = 512_000_000
"""Bytes of one line: a document of the most characters that a reader takes, all of them escaped or wide."""
MAX_DIM = 65_536
_KINDS = frozenset(get_args(BlockKind))


class Arrival:
    """An open export file. A context manager; raises ImportRefused for whatever is wrong with the file.

    It is NotFound where there is none, and StorageError where it cannot be read.
    """

    def __init__(self, file: Path, destination: Path) -> None:
        self.file, self._destination = file, destination
        try:
            self._archive = zipfile.ZipFile(file)
        except FileNotFoundError as error:
            raise NotFound(f"There is no file {file} to import.", "Make one with: footnote export FILE") from error
        except OSError as error:
            raise storage.unreadable(error, file) from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise self._refused(
                f"it is no export of Footnote, or was cut: it does not open as a zip file ({error})"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._archive.close()

    def verify(self, progress: Progress) -> None:
        """Compare names, sizes and hashes with the manifest, and read from it what is promised."""
        with self._readable():
            self._verify(progress)

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
            raise self._refused(f"it does not read ({error})") from error

    def _verify(self, progress: Progress) -> None:
        infos = {info.filename: info for info in self._archive.infolist()}
        if len(infos) != len(self._archive.infolist()) or set(infos) != {MANIFEST, *MEMBERS}:
            why = "it is no export of Footnote" if MANIFEST not in infos else "it is not as an export is"
            raise self._refused(f"{why}: it must hold {', '.join((MANIFEST, *MEMBERS))}, each once, and nothing else")
        for info in infos.values():
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self._refused(f"{info.filename} is encrypted, or compressed in an unknown way")
        if infos[MANIFEST].file_size > MAX_MANIFEST:
            raise self._refused(f"its manifest has {infos[MANIFEST].file_size:,} bytes")
        manifest = self._json(self._archive.read(MANIFEST), MANIFEST)
        self._read_manifest(manifest)
        sizes = {name: infos[name].file_size for name in MEMBERS}
        room = shutil.disk_usage(next(each for each in self._destination.parents if each.exists())).free
        if sum(sizes.values()) > room:
            raise self._refused(f"it would take {sum(sizes.values()) / 1e6:,.0f} MB; {room / 1e6:,.0f} MB are free")
        for done, name in enumerate(MEMBERS):
            progress("checking", done, len(MEMBERS))
            promised = manifest["members"][name]
            if sizes[name] != promised["bytes"] or self._sha256(name) != promised["sha256"]:
                raise self._refused(f"{name} is damaged: it is not what the manifest describes")
        if sizes[VECTORS] != 4 * self.made.dim * self.chunks:
            raise self._refused(f"{VECTORS} does not hold {self.chunks} vectors of {self.made.dim} numbers")

    def prepared(self, as_bytes: Callable[[Vectors], list[bytes]]) -> Iterator[Prepared]:
        """Yield every document with its chunks and vectors; `as_bytes` checks vectors and gives them as stored."""
        with self._readable():
            yield from self._prepared(as_bytes)

    def _prepared(self, as_bytes: Callable[[Vectors], list[bytes]]) -> Iterator[Prepared]:
        width = 4 * self.made.dim
        sources: set[str] = set()
        pieces = self._chunks()
        waiting = next(pieces, None)  # number of the document, chunk, precision
        with self._archive.open(VECTORS) as vectors:
            for number, values in enumerate(self._lines(DOCUMENTS, self.documents)):
                document, origin, modified = self._document(values)
                if document.source in sources:
                    raise self._refused(f"the document {document.source!r} is in it twice")
                sources.add(document.source)
                mine: list[Chunk] = []
                made_in: list[str] = []
                while waiting is not None and waiting[0] == number:
                    if document.text[waiting[1].start : waiting[1].end] != waiting[1].text:
                        raise self._refused(f"a chunk of {document.source!r} is not the text it stands for")
                    mine.append(waiting[1])
                    made_in.append(waiting[2])
                    waiting = next(pieces, None)
                flat = np.frombuffer(vectors.read(width * len(mine)), dtype="<f4")
                try:
                    rows = as_bytes(flat.reshape(len(mine), self.made.dim).astype(np.float32))
                except (InvalidVectors, ValueError) as error:
                    raise self._refused(f"a vector of {document.source!r} is none: {error}") from error
                digests = [hashlib.sha256(passage_text(each).encode()).digest() for each in mine]
                yield Prepared(document, origin, modified, mine, digests, rows, made_in)
        if waiting is not None:
            raise self._refused(f"a chunk names document {waiting[0]}, out of order or not there")

    def _read_manifest(self, manifest: Any) -> None:
        try:
            if manifest["format"] != FORMAT:
                raise ValueError("not an export of Footnote")
            if manifest["version"] != VERSION:
                raise self._refused(
                    f"it has format version {manifest['version']}; this version of Footnote reads {VERSION}"
                )
            self.made = Made(**manifest["made"])
            self.documents, self.chunks = manifest["counts"]["documents"], manifest["counts"]["chunks"]
            self.likeness = {_precision(name): _cosines(each) for name, each in manifest.get("likeness", {}).items()}
            numbers = (self.made.dim, self.made.max_tokens, self.made.pipeline, self.documents, self.chunks)
            texts = (self.made.encoder, self.made.fingerprint)
            sound = all(_is_count(each) for each in numbers) and all(isinstance(each, str) for each in texts)
            if not sound or not 0 < self.made.dim <= MAX_DIM or set(manifest["members"]) != set(MEMBERS):
                raise ValueError("a value in it cannot be")
            for promised in manifest["members"].values():
                if not _is_count(promised["bytes"]) or not isinstance(promised["sha256"], str):
                    raise ValueError("a member is not described")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._refused(f"its manifest does not hold what it should ({error})") from error

    def _document(self, values: Any) -> tuple[Document, str, str | None]:
        try:
            document = Document(
                source=_text(values["source"]),
                sha256=_text(values["sha256"]),
                title=_text(values["title"]),
                text=_text(values["text"]),
                sections=tuple(_section(each) for each in values["sections"]),
                metadata={_text(key): _scalar(value) for key, value in values["metadata"].items()},
                format=_text(values["format"]),
                notes=tuple(_text(note) for note in values["notes"]),
                repairs={_text(key): _whole(value) for key, value in values["repairs"].items()},
            )
            origin, modified = values["origin"], values["modified"]  # of the origin only its form counts: see below
            if origin not in ("file", "given") or not (modified is None or isinstance(modified, str)):
                raise ValueError(f"origin {origin!r}, modified {modified!r}")
            if not document.source or len(document.sha256) != 64:
                raise ValueError("it has no source or no hash")
            if any(not 0 <= part.start <= part.end <= len(document.text) for part in document.sections):
                raise ValueError("a section lies outside of the text")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._refused(f"a line of {DOCUMENTS} is not a document ({error})") from error
        return document, "given", modified  # its source is a stranger's word, and no path to read or remove

    def _chunks(self) -> Iterator[tuple[int, Chunk, str]]:
        for values in self._lines(CHUNKS, self.chunks):
            try:
                chunk = Chunk(
                    _whole(values["start"]), _whole(values["end"]), _text(values["text"]), _text(values["context"])
                )
                if not chunk.start < chunk.end:
                    raise ValueError(f"from {chunk.start} to {chunk.end}")
                yield _whole(values["document"]), chunk, _precision(values.get("precision", UNKNOWN))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise self._refused(f"a line of {CHUNKS} is not a chunk ({error})") from error

    def _lines(self, name: str, count: int) -> Iterator[Any]:
        found = 0
        with self._archive.open(name) as member:
            while line := member.readline(MAX_LINE):
                if not line.endswith(b"\n"):
                    raise self._refused(f"a line of {name} is cut, or longer than {MAX_LINE:,} bytes")
                found += 1
                yield self._json(line, name)
        if found != count:
            raise self._refused(f"{name} has {found} lines, and the manifest says {count}")

    def _json(self, data: bytes, name: str) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self._refused(f"{name} is not JSON ({error})") from error

    def _sha256(self, name: str) -> str:
        digest = hashlib.sha256()
        with self._archive.open(name) as member:
            while piece := member.read(1 << 20):
                digest.update(piece)
        return digest.hexdigest()

    def _refused(self, why: str) -> ImportRefused:
        return ImportRefused(
            f"{self.file} was not imported: {why}.",
            "Nothing was changed. Make the file anew where it came from: footnote export FILE",
        )


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise TypeError(f"{value!r:.80} is not a text")
    value.encode()  # no lone surrogates: SQLite does not take them
    return value


def _whole(value: Any) -> int:
    if not _is_count(value):
        raise TypeError(f"{value!r:.80} is not a count")
    return int(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62


def _scalar(value: Any) -> Scalar:
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r:.80} is not a text, a number, true or false")
    return value


def _precision(value: Any) -> str:
    if value != UNKNOWN and value not in NAMES:
        raise ValueError(f"{value!r:.80} is no precision")
    return str(value)


def _cosines(value: Any) -> tuple[float, float]:
    mean, least = value
    if not all(isinstance(each, int | float) and -1.001 <= each <= 1.001 for each in (mean, least)):
        raise ValueError(f"{value!r:.80} are no cosines")
    return float(mean), float(least)


def _section(values: Sequence[Any]) -> Section:
    start, end, kind, level, page, line = values
    if kind not in _KINDS:
        raise ValueError(f"a section of kind {kind!r:.80}")
    optional = [None if each is None else _whole(each) for each in (page, line)]
    return Section(_whole(start), _whole(end), kind, _whole(level), *optional)
