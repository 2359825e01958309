"""Converts a checked model folder to OpenVINO: same weights, pooling and normalisation inside the graph.

The work is done by a child process (`python -m indexer.encoders.conversion`), so that the memory of torch is given back
before indexing begins.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.child import PATIENCE, last_line, run_module
from indexer.encoders.compiled import BLOB
from indexer.encoders.converted import MODEL, TOKENIZER, Settings, publish
from indexer.encoders.fingerprint import DEFAULT_FINGERPRINT
from indexer.encoders.known_languages import card_languages
from indexer.encoders.model_folder import STATIC, ModelFolder, inspect_model_folder
from indexer.encoders.precision import Arrays
from indexer.errors import EncoderError, StorageError
from indexer.native import bar_telemetry

logger = logging.getLogger(__name__)

FAITHFUL = 0.999
"""Least cosine to sentence-transformers on every probe sentence."""
_NUMBER = re.compile(r"\blayers?\.(\d+)\.")
SHIPPED = "shipped"
"""Tells the child that it converts the default encoder."""
PROBES = (
    "What is the capital of Mongolia?",
    "The pump was replaced on 3 March 2021; its flow is 12.5 litres per minute at 40 °C.",
    "Réunion à 14 h : décision reportée. 東京は日本の首都です。",
    "x",
    "A long passage, which is cut where the model stops reading. " * 60,
)


def convert(model: ModelFolder, fingerprint: str, name: str, home: Path, precision: str | None = None) -> Settings:
    """Convert a model in a child process, publish it under `home` and return its settings.

    `precision` is one that it is to have, beside what is fastest.
    Where the conversion fails or is not faithful, what is published says that the model runs through torch, and why.
    Raises EncoderError when sentence-transformers cannot load the model either, StorageError when the disk refuses.
    """
    parent = home / "encoders"
    built = parent / f".{fingerprint}.{secrets.token_hex(4)}.tmp"
    try:
        built.mkdir(parents=True)
        if model.modules[0] == STATIC:
            return _take_table(model, fingerprint, name, built, home)
        report = _run_child(model.path, built, precision, fingerprint == DEFAULT_FINGERPRINT)
        settings = Settings(
            fingerprint=fingerprint,
            name=name,
            dim=report["dim"],
            max_length=model.max_length,
            pad_id=report["pad_id"],
            query_prompt=model.query_prompt,
            passage_prompt=model.passage_prompt,
            runs_through="torch" if report["reason"] else "openvino",
            reason=report["reason"],
            cosine=report["cosine"],
            languages=card_languages(model.path),
        )
        if settings.reason:
            logger.warning("Encoder %s runs through torch: %s.", name, settings.reason)
        if report.get("note"):
            logger.warning("Encoder %s: %s.", name, report["note"])
        publish(built, settings, home)
    except OSError as error:
        raise StorageError(
            f"The converted encoder could not be written under {parent}: {error}.",
            hint="Free some space, or use another home.",
        ) from error
    finally:
        shutil.rmtree(built, ignore_errors=True)
    return settings


def _take_table(model: ModelFolder, fingerprint: str, name: str, built: Path, home: Path) -> Settings:
    """Publish the table of a static encoder, which needs no conversion."""
    from indexer.encoders.static_encoder import TABLE, write_table

    dim = write_table(model.weights[0], built / TABLE)
    shutil.copyfile(model.transformer / "tokenizer.json", built / TOKENIZER)
    languages = card_languages(model.path)
    settings = Settings(fingerprint, name, dim, model.max_length, 0, "", "", "static", cosine=1.0, languages=languages)
    publish(built, settings, home)
    return settings


def _run_child(folder: Path, built: Path, precision: str | None, shipped: bool) -> dict[str, Any]:
    """Run `main` in a new process without a shell, and return its report."""
    try:
        told = (SHIPPED,) if shipped else ()
        done = run_module("indexer.encoders.conversion", folder, built, *told, precision=precision)
    except subprocess.TimeoutExpired as error:
        raise EncoderError(f"Converting {folder} took longer than {PATIENCE} seconds.") from error
    try:
        report: dict[str, Any] = json.loads(last_line(done.stdout))
    except ValueError as error:
        reason = last_line(done.stderr) or f"the child ended with {done.returncode}"
        raise EncoderError(
            f"The model in {folder} could not be loaded: {reason}",
            hint="Check that sentence-transformers opens this folder, and that there is memory enough.",
        ) from error
    return report


def main(folder: Path, built: Path, shipped: bool = False) -> Iterator[dict[str, Any]]:
    """Convert the model in `folder` into `built`, and yield the report of how it compares with the original.

    The original is what sentence-transformers makes of the folder. For the encoder that is `shipped` it is the same
    network alone, since sentence-transformers takes twice as long to import; tests compare the two.
    The first report stands where the conversion ends the process, as it does for some kinds of model; the last counts.
    """
    model = inspect_model_folder(folder)
    shutil.copyfile(model.transformer / "tokenizer.json", built / TOKENIZER)
    original = _shipped_original(model) if shipped else _original(model)
    report = {"dim": int(original.truth.shape[1]), "pad_id": original.pad_id, "cosine": 0.0}
    yield {**report, "reason": model.only_torch or "converting it ended the process"}
    if model.only_torch:
        return
    try:
        _write_graph(model, original.transformer, built / MODEL)
        cosine = _faithfulness(model, report, built, original.truth)
    except Exception as error:  # whatever goes wrong in a conversion, the model still runs through torch
        yield {**report, "reason": f"it could not be converted ({type(error).__name__}: {str(error)[:200]})"}
        return
    reason = "" if cosine >= FAITHFUL else f"its converted form has cosine {cosine:.5f} to the original"
    yield {**report, "cosine": cosine, "reason": reason}
    if not reason:
        try:
            _settle_precision(model, original, built)
        except Exception as error:  # the model runs all the same, in the precision that the processor names
            note = f"the precision was not measured ({type(error).__name__}: {str(error)[:200]})"
            yield {**report, "cosine": cosine, "reason": reason, "note": note}


@dataclass(frozen=True, slots=True)
class _Original:
    """What a conversion is made of and compared with."""

    transformer: Any
    truth: Any
    """The vectors of the probes, shape (probes, dim)."""
    pad_id: int


def _original(model: ModelFolder) -> _Original:
    from indexer.encoders.torch_encoder import load_sentence_transformer

    reference = load_sentence_transformer(model.path)
    reference.max_seq_length = model.max_length
    truth = reference.encode(list(PROBES), prompt="", batch_size=1, normalize_embeddings=True, show_progress_bar=False)
    transformer = None if model.only_torch else reference[0].auto_model.eval()
    return _Original(transformer, truth, int(reference.tokenizer.pad_token_id or 0))


def _shipped_original(model: ModelFolder) -> _Original:
    """Return the default encoder by transformers and tokenizers alone."""
    import torch
    from transformers import AutoModel
    from transformers.utils import logging as bars

    from indexer.encoders.tokens import PassageTokenizer

    bars.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformer = AutoModel.from_pretrained(
        model.transformer, local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    transformer = transformer.float().eval()
    network = _network(model, transformer)
    with torch.no_grad():
        tokens = PassageTokenizer(model.transformer / "tokenizer.json", model.max_length).ids(list(PROBES))
        rows = [network(torch.tensor([ids]), torch.ones(1, len(ids)))[0].numpy() for ids in tokens]
    return _Original(transformer, np.array(rows), int(transformer.config.pad_token_id or 0))


def _network(model: ModelFolder, transformer: Any) -> Any:
    """Return transformer, pooling and normalisation as one module: ids and mask (b, l) to unit rows (b, dim).

    The mask is not called so: where a model has a value called `mask` of its own, as RoBERTa and MPNet have among their
    positions, OpenVINO takes that for the input, and does not convert.
    """
    import torch

    pooling = model.pooling

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, ids: Any, present: Any) -> Any:
            # The additive mask is made once here: (b, 1, 1, l) is passed on by transformers as it is, and is cheaper
            # than the (b, 1, l, l) that it makes from a mask of two dimensions.
            added = ((present - 1.0) * 30000.0)[:, None, None, :]
            hidden = self.transformer(input_ids=ids, attention_mask=added)[0]  # (b, l, dim)
            if pooling == "cls":
                pooled = hidden[:, 0]
            elif pooling == "max":
                pooled = (hidden + ((present - 1.0) * 30000.0)[:, :, None]).max(dim=1).values
            else:
                pooled = (hidden * present[:, :, None]).sum(dim=1) / present.sum(dim=1, keepdim=True)
            return torch.nn.functional.normalize(pooled, dim=-1)  # (b, dim)

    return Graph()


def _write_graph(model: ModelFolder, transformer: Any, path: Path) -> None:
    """Trace transformer, pooling and normalisation into one graph."""
    import torch

    ids = torch.randint(5, 50, (2, 16), dtype=torch.int32)
    save_graph(traced(_network(model, transformer), {"ids": ids, "present": torch.ones(2, 16)}), path)


def traced(module: Any, example: Mapping[str, Any]) -> Any:
    """Return the graph of a module, whose inputs are called as in `example`, in the order of its forward method.

    Traced here rather than by OpenVINO, which traces twice to compare; the caller compares what comes out anyway.
    """
    import torch

    bar_telemetry()
    from openvino.tools.ovc import convert_model

    with torch.no_grad(), warnings.catch_warnings(action="ignore"):  # of the shapes in the example, which stay free
        script = torch.jit.trace(module.eval(), tuple(example.values()), strict=False, check_trace=False)  # type: ignore[no-untyped-call]
        return convert_model(script, example_input=dict(example))


def save_graph(graph: Any, path: Path) -> None:
    """Write a graph with weights of sixteen bits, or of the eight that they were rounded to."""
    import openvino
    from openvino._offline_transformations import compress_quantize_weights_transformation

    compress_quantize_weights_transformation(graph)
    openvino.save_model(graph, str(path), compress_to_fp16=True)


def _settle_precision(model: ModelFolder, original: _Original, built: Path) -> None:
    """Keep the precision that is fastest here; every other calibration text is what it is timed and judged on."""
    import torch

    from indexer.encoders import precision
    from indexer.encoders.batches import batches, padded
    from indexer.encoders.quantisation import calibration_texts, quantise
    from indexer.encoders.tokens import PassageTokenizer

    texts = calibration_texts()
    tokens = PassageTokenizer(built / TOKENIZER, model.max_length).ids(texts)
    judged = tokens[1::2]
    groups = batches([len(ids) for ids in judged], model.max_length)
    feeds = [list(padded([judged[row] for row in rows], original.pad_id, model.max_length)) for rows in groups]
    transformer = original.transformer
    layers = _robust_layers(transformer)

    def write(path: Path) -> None:
        def read() -> None:
            for ids in tokens[::2]:
                transformer(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)))

        quantise(transformer, layers, read)
        _write_graph(model, transformer, path)

    precision.settle(built, feeds, _cosines, write if layers else None)


def linear_layers(model: Any) -> list[str]:
    """Return the names of the linear layers in the repeated layers of a transformer, without embeddings and head."""
    import torch

    return [
        name for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear) and _NUMBER.search(name)
    ]


def _robust_layers(transformer: Any) -> list[str]:
    """Return the linear layers of an encoder that may have eight bits: nearly all.

    Not so the matrix that closes the feed-forward block in the first third of the layers: half of what is lost of
    a vector in eight bits is lost there, and in those of the other layers next to nothing.
    """
    names = linear_layers(transformer)
    numbers = {name: int(_NUMBER.findall(name)[-1]) for name in names}
    first = (max(numbers.values(), default=0) + 1) // 3
    layers = {name: transformer.get_submodule(name) for name in names}
    return [name for name in names if numbers[name] >= first or layers[name].in_features <= layers[name].out_features]


def _cosines(truth: Sequence[Arrays], found: Sequence[Arrays]) -> list[float]:
    pairs = zip(truth, found, strict=True)
    return [float(cosine) for one, other in pairs for cosine in np.sum(one[0] * other[0], axis=1)]


def _faithfulness(model: ModelFolder, report: dict[str, Any], built: Path, truth: Any) -> float:
    """Return the smallest cosine between the converted model and `truth` over the probes."""
    from indexer.encoders.openvino_encoder import OpenVinoEncoder

    settings = Settings("", "", report["dim"], model.max_length, report["pad_id"], "", "", "openvino")
    found = OpenVinoEncoder(built, settings, "").embed_queries(PROBES)
    (built / BLOB).unlink(missing_ok=True)  # made before the receipt, it would be taken for a part of the model
    return float(np.min(np.sum(found * truth, axis=1)))


if __name__ == "__main__":
    for found in main(Path(sys.argv[1]), Path(sys.argv[2]), shipped=SHIPPED in sys.argv[3:]):
        sys.stdout.write("\n" + json.dumps(found) + "\n")
        sys.stdout.flush()
