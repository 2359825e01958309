"""Models of transformers, made new in the sizes of the dial, or opened to go on from. Where torch begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from finetune.language.architecture import OBJECTIVES, Objective, Sizes
from indexer.errors import EncoderError, GeneratorError, UsageError
from indexer.model_files import (
    json_object_or_empty,
    keep_offline,
    refuse_settings_with_code,
    require_tokenizer,
    weight_files,
)

_FAMILIES: dict[str, tuple[str, str]] = {
    "gpt": ("GPT2Config", "GPT2LMHeadModel"),
    "llama": ("LlamaConfig", "LlamaForCausalLM"),
    "bert": ("BertConfig", "BertForMaskedLM"),
    "t5": ("T5Config", "T5ForConditionalGeneration"),
}
_OPENERS: dict[Objective, str] = {
    "next": "AutoModelForCausalLM", "masked": "AutoModelForMaskedLM", "spans": "AutoModelForSeq2SeqLM",
}  # fmt: skip


def new_model(sizes: Sizes, tokenizer: Any, context: int, seed: int) -> Any:
    """Return a model with weights made by chance, the same for the same seed; it reads `context` tokens."""
    torch.manual_seed(seed)
    return _made(sizes, tokenizer, context)


def count_parameters(sizes: Sizes, tokenizer: Any, context: int) -> int:
    """Return how many parameters such a model has, without making it."""
    with torch.device("meta"):
        return sum(each.numel() for each in _made(sizes, tokenizer, context).parameters())


def layer_matrices(model: Any) -> frozenset[str]:
    """Return the names of the matrices inside the layers: what is multiplied by, without embeddings and the output."""
    from transformers.pytorch_utils import Conv1D

    output = model.get_output_embeddings()
    return frozenset(
        f"{name}.weight"
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not output
    )


def vocabulary_of(tokenizer: Any) -> int:
    """Return the rows of the embedding: the tokens, rounded up to what a matrix product likes."""
    return -(-len(tokenizer) // 64) * 64


def _made(sizes: Sizes, tokenizer: Any, context: int) -> Any:
    library = _library()
    family = "bert" if sizes.arch == "copy" else sizes.arch
    config, model = (getattr(library, name) for name in _FAMILIES[family])
    return model(config(**_settings(sizes, tokenizer, context)))


def _settings(sizes: Sizes, tokenizer: Any, context: int) -> dict[str, Any]:
    common = {
        "vocab_size": vocabulary_of(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "tie_word_embeddings": True,
    }
    match sizes.arch:
        case "gpt":
            own: dict[str, Any] = {
                "n_embd": sizes.width, "n_layer": sizes.depth, "n_head": sizes.heads, "n_inner": sizes.feed_forward,
                "n_positions": context, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
            }  # fmt: skip
        case "llama":
            own = {
                "hidden_size": sizes.width, "num_hidden_layers": sizes.depth, "num_attention_heads": sizes.heads,
                "num_key_value_heads": sizes.heads, "intermediate_size": sizes.feed_forward,
                "max_position_embeddings": context,
            }  # fmt: skip
        case "t5":
            own = {
                "d_model": sizes.width, "d_kv": sizes.width // sizes.heads, "d_ff": sizes.feed_forward,
                "num_layers": sizes.depth - sizes.depth // 2, "num_decoder_layers": sizes.depth // 2,
                "num_heads": sizes.heads, "feed_forward_proj": "gated-gelu", "dropout_rate": 0.0,
                "decoder_start_token_id": tokenizer.pad_token_id, "n_positions": context,
            }  # fmt: skip
        case _:
            own = {
                "hidden_size": sizes.width, "num_hidden_layers": sizes.depth, "num_attention_heads": sizes.heads,
                "intermediate_size": sizes.feed_forward, "max_position_embeddings": context,
                "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
            }  # fmt: skip
    return common | own


def objective_of(folder: Path) -> Objective:
    """Return what the model in `folder` predicts, after checking that it may be loaded.

    Raises GeneratorError for what must not be loaded, UsageError for a model that predicts no words.
    """
    from rag.writing.language_model import kind_of

    if _class_in(folder).endswith("ForMaskedLM") or is_encoder(folder):
        try:
            refuse_settings_with_code(folder)
            weight_files(folder)
            require_tokenizer(folder)
        except EncoderError as error:
            raise GeneratorError(error.message, error.hint) from error
        return "masked"
    return "next" if kind_of(folder) == "causal" else "spans"


def is_encoder(folder: Path) -> bool:
    """Tell whether `folder` holds a BERT that encodes and says nothing, as sentence-transformers keeps them."""
    return _class_in(folder) == "BertModel"


def _class_in(folder: Path) -> str:
    names = json_object_or_empty(folder / "config.json").get("architectures") or [""]
    return str(names[0])


def open_model(folder: Path, seed: int = 0) -> Any:
    """Return the model in `folder`, in full precision, after `objective_of` has checked it.

    Without dropout: a run that is gone on with comes to the same bytes. What an encoder lacks to fill masks is made by
    chance, the same for the same seed.
    """
    library = _library()
    opener = getattr(library, _OPENERS[objective_of(folder)])
    kept = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = library.AutoConfig.from_pretrained(folder, **kept)
        for part in (config, config.get_text_config()):
            for name, value in part.to_dict().items():
                if "drop" in name and isinstance(value, float):
                    setattr(part, name, 0.0)
        torch.manual_seed(seed)
        return opener.from_pretrained(folder, config=config, use_safetensors=True, dtype=torch.float32, **kept)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise UsageError(f"The model in {folder} cannot be loaded: {reason}", "Copy the model again.") from error


def _library() -> Any:
    keep_offline()
    import transformers

    library: Any = transformers  # its functions are only half typed
    library.utils.logging.disable_progress_bar()
    library.utils.logging.set_verbosity_error()
    return library


def is_left_to_right(arch: str) -> bool:
    """Tell whether an architecture reads from left to right, as counted n-grams do."""
    return OBJECTIVES[arch] == "next"


def saved_precision(folder: Path) -> torch.dtype:
    """Return the precision that the weights in `folder` have, by what its settings say; full where they do not."""
    config = json_object_or_empty(folder / "config.json")
    said = config.get("dtype") or config.get("torch_dtype")
    return {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(str(said), torch.float32)
