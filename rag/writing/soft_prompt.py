"""Soft prompts: a few vectors, learnt by `footnote train prompt`, that a language model reads before the words.

A folder as peft writes it (adapter_config.json, adapter_model.safetensors), read without peft. Lester et al. 2021,
https://arxiv.org/abs/2104.08691.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import EncoderError, GeneratorError
from indexer.model_files import json_object, json_object_or_empty

CONFIG, VECTORS = "adapter_config.json", "adapter_model.safetensors"
_KIND, _NAME = "PROMPT_TUNING", "prompt_embeddings"


@dataclass(frozen=True, slots=True)
class SoftPrompt:
    """A soft prompt's folder, and that of the model that reads it."""

    folder: Path
    base: Path

    def rows(self, model: Any) -> Any:
        """Return the vectors, shape (n, width), on the model's device and in its precision.

        Raises GeneratorError when they are none for this model.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            found = load_file(self.folder / VECTORS)[_NAME]
        except (OSError, SafetensorError, KeyError) as error:
            raise GeneratorError(f"{self.folder / VECTORS} does not read: {error}.", "Copy it again.") from error
        width = model.get_input_embeddings().weight.shape[1]
        if found.dim() != 2 or found.shape[1] != width or not found.isfinite().all():
            raise GeneratorError(
                f"The soft prompt in {self.folder} does not fit {self.base}, whose vectors have {width} numbers.",
                "Train it again on this model: footnote train prompt",
            )
        return found.to(model.device, model.dtype)


def is_soft_prompt(folder: Path) -> bool:
    """Tell whether a folder holds a soft prompt, and no model of its own."""
    return json_object_or_empty(folder / CONFIG).get("peft_type") == _KIND and not (folder / "config.json").exists()


def read_soft_prompt(folder: Path) -> SoftPrompt:
    """Return the soft prompt in a folder. Raises GeneratorError when its model is not where it was.

    Of the settings, the model's place is all that is used: a path, relative to the folder or absolute.
    """
    try:
        named = json_object(folder / CONFIG).get("base_model_name_or_path")
    except EncoderError as error:
        raise GeneratorError(error.message, error.hint) from error
    base = (folder / str(named or "")).resolve()
    if not named or not base.is_dir():
        raise GeneratorError(
            f"The soft prompt in {folder} is read by the model {named}, which is not there.",
            f"Put the model back, or write its folder into base_model_name_or_path of {folder / CONFIG}.",
        )
    return SoftPrompt(folder, base)
