"""Language models in Hugging Face layout: where they are, what of them must not be loaded, and loading the others.

Any architecture that is part of transformers itself and writes text. Checked first, by reading JSON and the first bytes
of the weights; then loaded from safetensors, without network and without code of the model's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from indexer.errors import EncoderError, GeneratorError
from indexer.model_files import (
    in_hub_cache,
    is_folder,
    json_object,
    keep_offline,
    refuse_adapters,
    refuse_settings_with_code,
    require_tokenizer,
    weight_files,
)

Kind = Literal["causal", "seq2seq"]


def find_language_model(name: str) -> Path:
    """Return the folder of the model called `name`: a folder, or a name in the hub's cache on this machine."""
    found = Path(name).expanduser().resolve() if is_folder(name) else in_hub_cache(name)
    if found is None:
        raise GeneratorError(
            f"There is no generator {name!r} on this machine.",
            "Give quoting, the folder of a language model in Hugging Face layout, the address of an endpoint "
            "(http://127.0.0.1:8080/v1#MODEL), or package.module:Class.",
        )
    return found


def kind_of(folder: Path) -> Kind:
    """Return which kind of language model a folder holds, after checking it without loading it.

    Raises GeneratorError for weights that are pickled, missing or cut off, settings through which a model brings its
    own code, an adapter without its model, a missing tokenizer, and models that write no text.
    """
    try:
        refuse_adapters(folder)
        if not (folder / "config.json").is_file():
            raise EncoderError(f"{folder} is no model folder: it has no config.json.")
        refuse_settings_with_code(folder)
        if not any(folder.glob("*.safetensors*")) and (pickled := sorted(folder.glob("*.bin"))):
            raise EncoderError(
                f"{folder} has its weights only as pickle ({pickled[0].name}), which can run code when it is loaded.",
                "Take the model's safetensors; where you trust it, save_pretrained of transformers writes them.",
            )
        weight_files(folder)
        require_tokenizer(folder)
        return _kind(folder)
    except EncoderError as error:
        raise GeneratorError(error.message, error.hint) from error


def _kind(folder: Path) -> Kind:
    from transformers.models.auto import modeling_auto

    config = json_object(folder / "config.json")
    model_type, architectures = str(config.get("model_type")), config.get("architectures") or ["no architecture"]
    tables: dict[Kind, Any] = {
        "seq2seq": modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
        "causal": modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    }
    for kind, table in tables.items():
        known = table.get(model_type, ())
        if architectures[0] in ((known,) if isinstance(known, str) else known):
            return kind
    raise EncoderError(
        f"{folder} holds a model of type {model_type!r} ({architectures[0]}), which transformers does not write with.",
        "Take a causal or a sequence-to-sequence language model.",
    )


def load(folder: Path, *, causal: bool, device: str | None, most: int) -> tuple[Any, Any]:
    """Return tokenizer and model of a checked folder; it writes greedily, at most `most` tokens.

    On a GPU, by default the first, where there is one. Weights stay in the precision they have, but for float16 on a
    CPU, where it is slower than float32. Raises GeneratorError when the files do not make a whole model.
    """
    keep_offline()
    import torch
    import transformers

    library: Any = transformers  # its functions are only half typed
    library.utils.logging.disable_progress_bar()
    library.utils.logging.set_verbosity_error()
    opened: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = library.AutoTokenizer.from_pretrained(folder, **opened)
        opener = library.AutoModelForCausalLM if causal else library.AutoModelForSeq2SeqLM
        model, report = opener.from_pretrained(
            folder, use_safetensors=True, dtype="auto", output_loading_info=True, **opened
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, AttributeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise GeneratorError(f"The model in {folder} cannot be loaded: {reason}", "Copy the model again.") from error
    missing = sorted(report["missing_keys"]) + sorted(str(each) for each in report["mismatched_keys"])
    if missing:
        raise GeneratorError(
            f"The weights in {folder} lack {missing[0]}"
            + (f" and {len(missing) - 1} more." * (len(missing) > 1) or "."),
            "Copy the model again.",
        )
    if len(tokenizer) > model.get_input_embeddings().weight.shape[0]:
        raise GeneratorError(f"The tokenizer in {folder} has more tokens than its model.", "Copy the model again.")
    model.generation_config = library.GenerationConfig(
        do_sample=False, num_beams=1, max_new_tokens=most, **_special_tokens(model, tokenizer)
    )
    model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if model.device.type == "cpu" and model.dtype == torch.float16:
        model.float()
    return tokenizer, model.eval()


def longest_input(tokenizer: Any, model: Any) -> int | None:
    """Return the most tokens that a model reads, with what it writes where it is causal; None: it does not say."""
    config = model.config.get_text_config()
    told = [getattr(config, key, None) for key in ("max_position_embeddings", "n_positions", "n_ctx")]
    told.append(tokenizer.model_max_length)
    return min((n for n in told if isinstance(n, int) and 0 < n < 1_000_000), default=None)


_KEPT = ("bos", "pad", "eos", "decoder_start", "forced_bos", "forced_eos")


def _special_tokens(model: Any, tokenizer: Any) -> dict[str, Any]:
    """Return all that is kept of the settings that a model generates with by itself."""
    own = {f"{key}_token_id": getattr(model.generation_config, f"{key}_token_id", None) for key in _KEPT}
    if own["eos_token_id"] is None:
        own["eos_token_id"] = tokenizer.eos_token_id
    if own["pad_token_id"] is None:
        ends = own["eos_token_id"]
        own["pad_token_id"] = ends[0] if isinstance(ends, list) else ends
    return own
