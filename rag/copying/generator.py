"""The copying generator behind the Generator protocol: reads passages, and answers with spans of them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from indexer import storage
from indexer.encoders.converted import CONVERTING
from indexer.encoders.precision import wanted
from indexer.errors import GeneratorError, UserError
from indexer.types import Progress, silent
from rag.copying import confidence
from rag.copying.conversion import check_files, convert, converted_folder, is_converted
from rag.copying.decoding import Decoded, Part, decode
from rag.copying.folder import TOKENIZER, CopyingFolder, check_weights, read_folder
from rag.copying.layout import Layout, Tokens
from rag.copying.pieces import pieces
from rag.copying.reader import Decoder, Reader
from rag.generator import Copied, Draft, Written
from rag.question import may_ask_twice
from rag.types import Passage

_TOGETHER = 64
"""Questions whose windows are held in memory at once."""


class ConversionDamaged(GeneratorError):
    """A converted file is not what its receipt says."""


class CopyingGenerator:
    """Answers with spans of the passages, and seldom with words of its own. Safe in threads."""

    def __init__(
        self, folder: CopyingFolder, converted: Path, name: str = "copying", precision: str | None = None
    ) -> None:
        """Open what was converted. Raises ConversionDamaged where a file that is read is not what the receipt says."""
        _check(converted, weights=False)
        self._folder = folder
        self._name = name
        config = folder.config
        self._layout = Layout(**config["layout"])
        self._span_tokens, self._max_actions = int(config["span_tokens"]), int(config["max_actions"])
        self._tokens = Tokens(converted / TOKENIZER, self._layout)
        self._reader = Reader(converted, lambda: _check(converted), precision)
        self._pool = ThreadPoolExecutor(self._reader.streams, thread_name_prefix="decode")
        self._decoder = Decoder(converted, lambda: _check(converted), precision) if config["writes"] else None
        self._forbidden = self._tokens.never_written() if config["writes"] else None
        self._continuing = self._tokens.continuing() if config["writes"] else None

    @property
    def name(self) -> str:
        """How it is named in the answer."""
        return self._name

    @property
    def precision(self) -> str:
        """What its reader computes in: "fp32", "bf16" or "int8"."""
        return self._reader.precision

    @property
    def says_yes_no(self) -> bool:
        """Whether it says yes or no to a question that asks whether something is so."""
        return bool(self._folder.config.get("polarity"))

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        """Answer `question`; the draft holds the best answer also where refusing is likelier."""
        return self.generate_many([question], [passages])[0]

    def generate_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        """Answer each question from its own passages; windows alike in length are read together."""
        drafts: list[Draft] = []
        for begin in range(0, len(questions), _TOGETHER):
            part = slice(begin, begin + _TOGETHER)
            drafts += self._together(questions[part], passages[part])
        return drafts

    def threshold(self, max_error: float | None) -> float:
        """Return the least confidence to answer at, measured on questions whose passages retrieval found."""
        return confidence.threshold(self._folder.confidence["retrieved"], max_error)

    def decode_many(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], most_actions: int | None = None
    ) -> list[Decoded]:
        """Return the best answers as actions with their scores, before any confidence; what that is fitted on.

        At most `most_actions` are taken; None: as many as the network was trained for.
        """
        most = self._max_actions if most_actions is None else most_actions
        windows, places = [], []
        for number, (question, given) in enumerate(zip(questions, passages, strict=True)):
            for place, passage in enumerate(given):
                words = self._tokens.words(passage.text)
                head = self._tokens.head(question, passage.context)
                for window in self._tokens.windows(head, words):
                    windows.append(window)
                    places.append((number, place, words))
        found = self._reader.read(windows) if windows else []
        parts: list[list[Part]] = [[] for _ in questions]
        for window, (number, place, words), read in zip(windows, places, found, strict=True):
            parts[number].append(Part(place, window, words, read))
        most_of_each = [most] * len(parts)
        return list(self._pool.map(self._decoded, questions, parts, most_of_each))  # numpy lets go of the lock

    def pieces(self, decoded: Decoded) -> tuple[Copied | Written, ...]:
        """Return the actions as pieces of an answer."""
        return pieces(decoded, self._tokens)

    def _decoded(self, question: str, parts: Sequence[Part], most: int) -> Decoded:
        if not parts:
            return Decoded((), (), -np.inf, 0.0)
        step = self._decoder.step if self._decoder else None
        several = may_ask_twice(question)
        return decode(parts, self._span_tokens, step, most, self._forbidden, self._continuing, several)

    def _together(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        return [
            self._draft(question, decoded, given)
            for question, decoded, given in zip(questions, self.decode_many(questions, passages), passages, strict=True)
        ]

    def _draft(self, question: str, decoded: Decoded, passages: Sequence[Passage]) -> Draft:
        if not decoded.actions:
            return Draft((), 0.0)
        seen = confidence.features(question, decoded, passages)
        kind = "retrieved" if confidence.retrieved(passages) else "given"
        sure = confidence.confidence(self._folder.confidence[kind], seen)
        return Draft(self.pieces(decoded), sure, seen)


_opened: dict[str, CopyingGenerator] = {}
_lock = threading.Lock()


def open_copying(
    path: Path | None, home: Path, progress: Progress = silent, precision: str | None = None
) -> CopyingGenerator:
    """Open the generator in a model folder (None: the shipped one), converting it under `home` on first use.

    `precision` is the one to run in, as `indexer.encoder.open_encoder` takes it. Opened once for each process. Raises
    UserError where the folder is damaged or cannot be converted.
    """
    folder = read_folder(path)
    if not {"retrieved", "given"} <= set(folder.confidence):
        raise UserError(
            f"The generator in {folder.path} has no confidence yet.", "Finish its training: footnote train generator"
        )
    with _lock:
        key = f"{sorted(folder.sums.items())} {home} {wanted(precision)}"
        if key not in _opened:
            name = "copying" if path is None else str(folder.config.get("name") or folder.path.name)
            _opened[key] = _open(folder, home, name, progress, precision)
        return _opened[key]


def _open(folder: CopyingFolder, home: Path, name: str, progress: Progress, precision: str | None) -> CopyingGenerator:
    converted = converted_folder(folder, home)
    if is_converted(folder, home, precision):
        with contextlib.suppress(ConversionDamaged):
            return CopyingGenerator(folder, converted, name, precision)
    check_weights(folder)
    progress("converting the generator, once", 0, 1)
    make_ready(folder, home, precision)
    progress("converting the generator, once", 1, 1)
    return CopyingGenerator(folder, converted, name, precision)


def make_ready(folder: CopyingFolder, home: Path, precision: str | None = None) -> None:
    """Convert a generator under `home`, unless another process does that meanwhile, which is waited for."""
    with storage.in_turn(home / CONVERTING):
        if not (is_converted(folder, home, precision) and check_files(converted_folder(folder, home))):
            convert(folder, home, precision)


def _check(converted: Path, weights: bool = True) -> None:
    if not check_files(converted, weights):
        raise ConversionDamaged(f"The converted generator in {converted} is damaged.", "Ask again: it is made anew.")
