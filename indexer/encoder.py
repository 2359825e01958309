"""Encoders: text to unit vectors. What an encoder promises, and the two doors through which one is opened.

`open_encoder` is for indexing: it finds a model folder, fingerprints its weights and converts them once.
`open_converted` is for questions: it opens what was converted and never imports torch. What runs inside is in
`indexer.encoders`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from indexer import storage
from indexer.encoders.converted import (
    CONVERTING,
    MODEL,
    TOKENIZER,
    Receipt,
    check_files,
    converted_folder,
    read_receipt,
)
from indexer.encoders.fingerprint import fingerprint_of
from indexer.encoders.model_folder import DEFAULT_NAME, find_model_folder, inspect_model_folder
from indexer.encoders.precision import lacks, wanted
from indexer.errors import EncoderError
from indexer.model_files import is_folder
from indexer.types import Progress, Vectors, silent

logger = logging.getLogger(__name__)


class Encoder(Protocol):
    """Turns text into unit vectors; the dot product of two of them is their similarity.

    One encoder may be used from many threads at once. It does not survive a fork: open it in the child, or start
    workers with "spawn".
    """

    @property
    def name(self) -> str:
        """The name or folder that was asked for."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 over every file and setting that decides what a vector is, in hexadecimal."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens of a passage that are read, without the special ones and without the prompt; the rest is cut off."""
        ...

    def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """Return one unit row per text: float32, shape (len(texts), dim), in the order given.

        Texts longer than `max_tokens` are cut at the end. An empty list gives shape (0, dim).
        Raises EncoderError when one text alone does not fit into memory, InvalidVectors when the model's output is
        not finite.
        """
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row per question, as `embed_passages` does, with the model's prompt for questions."""
        ...

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters [start, end) of each token: nothing cut off, no special ones, linear time."""
        ...


def open_encoder(name: str | None, home: Path, progress: Progress = silent, precision: str | None = None) -> Encoder:
    """Open the encoder called `name`, converting its weights under `home` on first use.

    `name` is a sentence-transformers folder, or a name known on this machine; None is all-MiniLM-L6-v2. The larger
    all-mpnet-base-v2 is known where it is installed in parts. Nothing is downloaded. A model that cannot be converted
    faithfully runs through sentence-transformers itself, more slowly.
    `precision` is the one to run in ("fp32", "bf16", "int8", "auto"); None: what FOOTNOTE_PRECISION says, else the one
    that was measured to be fastest.
    Raises EncoderError when there is no such model, or its folder holds what must not be loaded.
    """
    asked = name or DEFAULT_NAME
    if is_folder(asked):
        asked = str(Path(asked).expanduser().absolute())  # the collection remembers it, and is used from other folders
    model = inspect_model_folder(find_model_folder(asked, home))
    fingerprint = fingerprint_of(model, home)
    name_of_precision = wanted(precision)
    try:
        receipt = read_receipt(fingerprint, home)
        check_files(receipt, home)
        if lacks(converted_folder(fingerprint, home), name_of_precision):
            raise EncoderError("It was converted without eight bits.")
    except EncoderError as absent:
        from indexer.encoders.conversion import convert

        logger.info("Converting encoder %s. %s", asked, absent.message)
        progress("converting the encoder, once", 0, 1)  # some 15 seconds in which nothing else would be seen
        with storage.in_turn(home / CONVERTING):
            if not _is_sound(fingerprint, home, name_of_precision):  # another process may have converted it meanwhile
                convert(model, fingerprint, asked, home, precision)
        progress("converting the encoder, once", 1, 1)
        receipt = read_receipt(fingerprint, home)
    if receipt.settings.runs_through != "torch":
        return _open(receipt, home, asked, precision=precision)
    from indexer.encoders.torch_encoder import TorchEncoder

    return TorchEncoder(model.path, receipt.settings, asked)


def _is_sound(fingerprint: str, home: Path, precision: str) -> bool:
    try:
        check_files(read_receipt(fingerprint, home), home)
    except EncoderError:
        return False
    return not lacks(converted_folder(fingerprint, home), precision)


def open_converted(fingerprint: str, home: Path, precision: str | None = None) -> Encoder:
    """Open the converted encoder with this fingerprint, without torch; `precision` as in `open_encoder`.

    Only a model that could not be converted is opened where it came from, through sentence-transformers. Raises
    EncoderError when the encoder is not under `home`, or when a file is not what its receipt says.
    """
    receipt = read_receipt(fingerprint, home)
    settings = receipt.settings
    if settings.runs_through == "torch":
        encoder = open_encoder(settings.name, home, precision=precision)
        if encoder.fingerprint != fingerprint:
            raise EncoderError(
                f"The encoder in {settings.name} is another one now than the collection was indexed with.",
                f"Bring its files back, or run: footnote index --rebuild --encoder {settings.name}",
            )
        return encoder
    if settings.runs_through == "static":
        check_files(receipt, home)
        return _open(receipt, home, settings.name)
    check_files(receipt, home, (MODEL, TOKENIZER))  # small, and read by parsers; the weights are hashed when needed
    return _open(receipt, home, settings.name, lambda: check_files(receipt, home), precision)


def stored_name(name: str, fingerprint: str, home: Path) -> str:
    """Return how the encoder is named on this machine that a collection names so.

    The name in a collection may be a stranger's word (of an export file), and is no path to read a model from: a folder
    counts where it was opened for this home before. Raises EncoderError for any other.
    """
    try:
        return read_receipt(fingerprint, home).settings.name
    except EncoderError as absent:
        if not Path(name).expanduser().is_dir():
            return name
        raise EncoderError(
            f"The collection was indexed with the encoder in {name}, which was never opened here.",
            hint=f"If you trust that folder, name it: footnote index PATH --encoder {name}",
        ) from absent


def _open(
    receipt: Receipt,
    home: Path,
    name: str,
    check: Callable[[], None] = lambda: None,
    precision: str | None = None,
) -> Encoder:
    if receipt.settings.runs_through == "static":
        from indexer.encoders.static_encoder import StaticEncoder

        return StaticEncoder(converted_folder(receipt.settings.fingerprint, home), receipt.settings, name)
    from indexer.encoders.openvino_encoder import OpenVinoEncoder

    folder = converted_folder(receipt.settings.fingerprint, home)
    return OpenVinoEncoder(folder, receipt.settings, name, check, precision)
