"""Files of models in Hugging Face layout: where they are on this machine, what must not be loaded, and JSON.

Reads JSON and the first bytes of weight files; imports no model library. Whatever is wrong raises EncoderError.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.errors import EncoderError

TOKENIZER = "tokenizer.json"
ADAPTER = "adapter_config.json"
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
"""Variables that keep the model libraries from the network; they are read when a library is first imported."""
_PICKLED_OR_CODE = frozenset({".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth", ".py"})
_CODE_KEYS = frozenset({"auto_map", "_attn_implementation_internal"})


def keep_offline() -> None:
    """Keep the model libraries from the network; to be called before one of them is imported."""
    os.environ.update(OFFLINE)


def is_folder(name: str) -> bool:
    """Tell whether a name that a person gave is that of a folder; one that no folder can have is none."""
    return os.path.isdir(os.path.expanduser(name))  # noqa: PTH111, PTH112 - pathlib raises for a name that is too long


def in_hub_cache(*names: str) -> Path | None:
    """Return the snapshot folder of the first of these names ("owner/model") that the hub's cache holds, else None."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()
    for name in names:
        if name.count("/") > 1 or not all(part.strip(".") for part in name.split("/")):
            continue
        repository = hub / ("models--" + name.replace("/", "--"))
        reference = repository / "refs" / "main"
        if os.path.isfile(reference):  # noqa: PTH113 - as in `is_folder`
            snapshot = repository / "snapshots" / reference.read_text().strip()
            if snapshot.is_dir():
                return snapshot
    return None


def refuse_pickles_and_code(folder: Path) -> None:
    """Raise EncoderError when a file in `folder` could run code if it were loaded."""
    for entry in sorted(folder.iterdir()):
        if entry.suffix.lower() in _PICKLED_OR_CODE and entry.is_file():
            raise EncoderError(
                f"{entry} can run code when it is loaded (pickle or Python).",
                hint="Only safetensors and JSON are opened. Remove the file if the folder also holds safetensors.",
            )


def refuse_settings_with_code(folder: Path) -> None:
    """Raise EncoderError when a JSON file in `folder` names code of the model's own."""
    for entry in sorted(folder.iterdir()):
        if entry.suffix.lower() == ".json" and entry.name != TOKENIZER and entry.is_file():
            for key in _keys(parsed(entry)):
                if key in _CODE_KEYS:
                    raise EncoderError(
                        f"{entry} holds '{key}', through which a model can bring its own code.",
                        hint="Use a model whose architecture is part of transformers.",
                    )


def refuse_adapters(folder: Path) -> None:
    """Raise EncoderError when `folder` holds an adapter: weights that a library would add to those beside it."""
    if (folder / ADAPTER).is_file():
        raise EncoderError(
            f"{folder} is an adapter to another model: it holds {ADAPTER}.",
            hint="Merge it into its model (merge_and_unload of peft), save that, and give the folder of the result.",
        )


def _keys(value: object) -> Iterator[str]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield from item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def require_tokenizer(folder: Path) -> None:
    """Raise EncoderError when `folder` has no tokenizer.json."""
    if not (folder / TOKENIZER).is_file():
        raise EncoderError(
            f"{folder} has no tokenizer.json.",
            hint="Load and save its tokenizer once with transformers (AutoTokenizer, save_pretrained).",
        )


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the safetensors files of a model. Raises EncoderError when one is missing or cut off."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(json_object(index).get("weight_map", {}).values()))
        paths = tuple(folder / Path(name).name for name in names)
    else:
        paths = (folder / "model.safetensors",)
    for path in paths:
        _check_safetensors(path)
    return paths


def _check_safetensors(path: Path) -> None:
    """Compare the size that the header promises with the size of the file.

    Layout: eight bytes, the header's length; the header in JSON; the data (github.com/huggingface/safetensors).
    """
    hint = "Copy the model again."
    if not path.is_file():
        raise EncoderError(f"{path} is missing.", hint=hint)
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else size
        if length > min(size - 8, 100_000_000):
            raise EncoderError(f"{path} is cut off or not a safetensors file: {size} bytes.", hint=hint)
        try:
            header = json.loads(file.read(length))
            end = max((t["data_offsets"][1] for name, t in header.items() if name != "__metadata__"), default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise EncoderError(f"{path} has no readable safetensors header.", hint=hint) from error
    if 8 + length + end != size:
        raise EncoderError(f"{path} is cut off: {size} bytes, its header promises {8 + length + end}.", hint=hint)


def parsed(path: Path) -> object:
    """Return what a JSON file holds. Raises EncoderError when it does not read as JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(f"{path} does not read as JSON: {error}.", hint="Copy the model again.") from error


def json_object(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds. Raises EncoderError when it holds anything else."""
    found = parsed(path)
    if not isinstance(found, dict):
        raise EncoderError(f"{path} should hold a JSON object.", hint="Copy the model again.")
    return found


def json_object_or_empty(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds, or an empty one when there is no such file."""
    return json_object(path) if path.is_file() else {}
