"""The native libraries that threads share: each is opened here, and used once, before any thread gets hold of it.

A binding sets parts of itself up at their first use. Where such a part is a static of C++, two threads can wait for
each other for ever: one holds the guard of the static and waits for the interpreter's lock, the other holds that lock
and waits for the guard (pybind11, "Double locking, deadlocking, GIL"). Knows libraries; knows nothing of models.
"""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_locks = {name: threading.Lock() for name in ("openvino", "faiss", "tokenizers")}
_primed: dict[str, Any] = {}


def openvino() -> Any:
    """Return the module openvino: imported without its converter and its telemetry, its types already converted once.

    `import openvino` imports `openvino.tools.ovc`, which sends an event over the network through `openvino_telemetry`
    as it is imported, and costs a fifth of a second. An entry of None in sys.modules makes an import fail
    (docs.python.org, "The module cache"); openvino is written to do without either. Telemetry stays barred.
    """
    with _locks["openvino"]:
        if "openvino" not in _primed:
            module: Any = _openvino_alone()
            for dtype in (np.uint8, np.int32, np.float32):  # a kept model, and all that graphs read and return
                tensor = module.Tensor(np.zeros(1, dtype=dtype), shared_memory=True)
                tensor.get_element_type().to_dtype()  # the static in question; two threads hung here in 5 of 6 races
                tensor.data.copy()
            _primed["openvino"] = module
        return _primed["openvino"]


def faiss() -> Any:
    """Return the module faiss, after one search in an index of one vector."""
    with _locks["faiss"]:
        if "faiss" not in _primed:
            module: Any = importlib.import_module("faiss")
            index = module.IndexFlatIP(1)
            index.add(np.ones((1, 1), dtype=np.float32))
            index.search(np.ones((1, 1), dtype=np.float32), 1)
            _primed["faiss"] = module
        return _primed["faiss"]


def tokenizer(file: Path) -> Tokenizer:
    """Return the tokenizer in a tokenizer.json, after one text.

    Raises Exception itself for a file that does not read.
    """
    with _locks["tokenizers"]:
        from tokenizers import Tokenizer

        opened = Tokenizer.from_file(str(file))
        _ = opened.encode("a").ids  # its regular expressions are compiled at their first use
        return opened


def bar_telemetry() -> None:
    """Keep openvino_telemetry from being imported in this process; openvino then uses its own empty stand-in."""
    cast(dict[str, Any], sys.modules).setdefault("openvino_telemetry", None)


def _openvino_alone() -> ModuleType:
    bar_telemetry()
    modules = cast(dict[str, Any], sys.modules)
    barred = "openvino" not in modules and "openvino.tools.ovc" not in modules
    if barred:
        modules["openvino.tools.ovc"] = None
    try:
        return importlib.import_module("openvino")
    finally:
        if barred:
            del modules["openvino.tools.ovc"]
