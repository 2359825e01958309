"""Which generator answers: the names of those that come along, and what else may be named instead.

A name becomes a generator when it is chosen; until then nothing of it is imported.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.errors import UsageError, UserError
from indexer.model_files import is_folder
from indexer.types import Progress, silent

if TYPE_CHECKING:
    from indexer.collection import Collection
    from rag.generator import Generator
    from rag.writing.few_shot import FewShot

log = logging.getLogger(__name__)

DEFAULT = "default"
"""Names whichever generator of this program is the best of its own."""
COPYING_MODEL = "footnote-copying"
"""The model type in the config.json of a generator that `footnote train generator` made."""


def open_generator(
    name: str | None, collection: Collection, few_shot: FewShot | None = None, progress: Progress = silent
) -> Generator:
    """Open the generator called `name`; None: the one that the collection's settings name, else the default one.

    A name is one of `NAMES`; the folder of a language model or of a trained generator, or a model's name in the hub's
    cache; the address of a chat endpoint (`http://127.0.0.1:8080/v1#model`); or a class of one's own
    (`package.module:Class`), which is called with the collection. With `few_shot`, it is shown examples; only language
    models of Hugging Face and endpoints can be.
    Raises NotFound when there is no such collection, UsageError or GeneratorError when there is no such generator.
    """
    chosen = name or collection.generator or DEFAULT
    if few_shot is not None and few_shot.count > 0:
        return _shown_examples(chosen, collection, few_shot, progress)
    if chosen in _OWN:
        return _OWN[chosen](collection)
    if "://" in chosen:
        from rag.writing.endpoint_generator import EndpointGenerator

        return EndpointGenerator(chosen)
    if _CLASS.fullmatch(chosen):
        return _made_by(_class_at(chosen), chosen, collection)
    return _from_folder(chosen, collection)


def _shown_examples(name: str, collection: Collection, few_shot: FewShot, progress: Progress) -> Generator:
    if not _is_prompted(name):
        raise UsageError(
            f"The generator {name!r} is shown no examples.",
            "Leave out --few-shot, or give a language model's folder or an endpoint's address.",
        )
    from rag.writing.few_shot import SimilarShots

    shots = SimilarShots(few_shot, collection.encoder, collection.home, progress)
    if "://" in name:
        from rag.writing.endpoint_generator import EndpointGenerator

        return EndpointGenerator(name, shots=shots.of)
    from rag.writing.transformers_generator import TransformersGenerator

    return TransformersGenerator(name, shots=shots.of)


def _is_prompted(name: str) -> bool:
    """Tell whether a generator reads a prompt: a language model of Hugging Face, or one behind an endpoint."""
    if "://" in name:
        return True
    if name in _OWN or _CLASS.fullmatch(name):
        return False
    from rag.copying.folder import is_copying
    from rag.writing.language_model import find_language_model

    return not is_copying(find_language_model(name))


def prepare_generator(collection: Collection, progress: Progress = silent) -> None:
    """Convert the generator that `collection` answers with, where it is one of ours: the first question need not wait.

    What stands in the way is told by the log, and again by whoever asks.
    """
    from rag.copying.folder import is_copying, read_folder

    chosen = collection.generator or DEFAULT
    own = None if chosen in (DEFAULT, "copying") else Path(chosen)
    if own is not None and not is_copying(own):
        return
    from rag.copying.conversion import is_converted
    from rag.copying.generator import make_ready

    try:
        folder = read_folder(own)
        if not is_converted(folder, collection.home, collection.precision):
            progress("preparing the generator, once", 0, 1)
            make_ready(folder, collection.home, collection.precision)
            progress("preparing the generator, once", 1, 1)
    except UserError as error:
        log.warning("%s %s", error.message, error.hint)


def lasting_name(name: str) -> str | None:
    """Return a name as a collection remembers it: a folder absolute, the default as None, so that it may change.

    Raises UsageError or GeneratorError when it names nothing; nothing is loaded or sent to find that out, but for the
    module of a class.
    """
    if name == DEFAULT:
        return None
    if name in _OWN:
        return name
    if "://" in name:
        from rag.writing.endpoint import endpoint_at

        endpoint_at(name)
        return name
    if _CLASS.fullmatch(name):
        _class_at(name)
        return name
    from rag.writing.language_model import find_language_model

    folder = find_language_model(name)
    return str(folder) if is_folder(name) else name


def _quoting(collection: Collection) -> Generator:
    from rag.quoting.generator import QuotingGenerator

    return QuotingGenerator(collection)


def _copying(collection: Collection) -> Generator:
    return _answering(None, collection)


def _answering(folder: Path | None, collection: Collection) -> Generator:
    """Open the generator that answers in every form; its reader is the network in `folder` (None: the shipped one)."""
    from rag.answering.generator import AnsweringGenerator
    from rag.copying.generator import open_copying

    return AnsweringGenerator(open_copying(folder, collection.home, precision=collection.precision), collection)


_OWN: Mapping[str, Callable[[Collection], Generator]] = {DEFAULT: _copying, "copying": _copying, "quoting": _quoting}
NAMES = tuple(_OWN)
"""The generators that come along, by name."""
_CLASS = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")


def _class_at(name: str) -> Callable[[Collection], Any]:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except ImportError as error:
        raise UsageError(
            f"There is no module {module!r} to take a generator from: {error}.",
            "Install its package, or put its folder into the variable PYTHONPATH.",
        ) from error
    except AttributeError as error:
        raise UsageError(f"The module {module!r} has no {attribute!r}.", "Give it as package.module:Class.") from error
    if not callable(found):
        raise UsageError(f"{name} is no class of a generator.", "Give one as package.module:Class.")
    made: Callable[[Collection], Any] = found
    return made


def _made_by(made: Callable[[Collection], Any], name: str, collection: Collection) -> Generator:
    generator: Generator = made(collection)
    missing = [part for part in ("name", "generate", "threshold") if not hasattr(generator, part)]
    if missing:
        raise UsageError(
            f"{name} is no generator: it has no {', '.join(missing)}.", "What one needs stands in docs/python.md."
        )
    return generator


def _from_folder(name: str, collection: Collection) -> Generator:
    from indexer.model_files import json_object_or_empty
    from rag.writing.language_model import find_language_model

    folder = find_language_model(name)
    if json_object_or_empty(folder / "config.json").get("model_type") == COPYING_MODEL:
        return _answering(folder, collection)
    from rag.writing.transformers_generator import TransformersGenerator

    return TransformersGenerator(name)
