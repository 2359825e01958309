"""Converts a cross-encoder to OpenVINO, once: searching then needs no torch.

    home/rerankers/<fingerprint>/  model.xml  model.bin  tokenizer.json  receipt.json

Done by a child process (`python -m rag.reranking.conversion`), so that the memory of torch is given back.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.conversion import linear_layers, save_graph, traced
from indexer.encoders.converted import MODEL, TOKENIZER
from indexer.encoders.precision import Arrays, lacks, wanted
from indexer.errors import UserError
from rag import converting
from rag.converting import check_files as check_files
from rag.reranking.folder import RerankerFolder, read_reranker

FORMAT = 1
"""Raised when the graph's meaning changes: older folders are then converted again."""
FAITHFUL = 0.1
"""Largest difference of a score to the same weights in torch, as a share of the spread of the probe's scores."""
BEGINNING = 8
"""Words of a passage that stand for a question which the rest of it answers, when precisions are compared."""
PROBE = (
    ("When was the pump replaced?", "The pump was replaced on 3 March 2021."),
    ("When was the pump replaced?", "Bees dance to tell each other where flowers stand. " * 20),
    ("What is the capital of Mongolia?", "Ulaanbaatar is the capital and largest city of Mongolia."),
    ("x", "y"),
)


def converted_folder(folder: RerankerFolder, home: Path) -> Path:
    """Return where a reranker's graph lies, whether it is there or not."""
    return home / "rerankers" / folder.fingerprint(home)


def is_converted(folder: RerankerFolder, home: Path, precision: str | None = None) -> bool:
    """Tell whether the graph is there, and can run in `precision`; `check_files` tells whether it is sound."""
    converted = converted_folder(folder, home)
    return converting.is_converted(converted, FORMAT) and not lacks(converted, wanted(precision))


def convert(folder: RerankerFolder, home: Path, precision: str | None = None) -> Path:
    """Convert a reranker in a child process and publish it under `home`.

    `precision` is one that it is to have, beside what is fastest.
    Raises UserError when it cannot be converted, StorageError when the disk refuses.
    """
    return converting.convert_beside(
        folder.path,
        converted_folder(folder, home),
        folder.path / TOKENIZER,
        module="rag.reranking.conversion",
        format=FORMAT,
        what="reranker",
        otherwise="; or search with: --reranker none",
        precision=precision,
    )


def main(folder: Path, built: Path) -> None:
    """Convert the model in `folder` into `built`, and compare what both say of a probe."""
    from indexer.native import bar_telemetry

    bar_telemetry()
    import torch
    from transformers import AutoModelForSequenceClassification

    found = read_reranker(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    model = model.float().eval()
    with torch.no_grad():
        _write_graph(model, built / MODEL)
        _compare(model, found, built)
        _settle_precision(model, found, built)


def _write_graph(model: Any, path: Path) -> None:
    """Trace scoring: ids, types and mask (b, l) to scores (b,)."""
    import torch

    class Scores(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Any, types: Any, mask: Any) -> Any:
            added = ((mask - 1.0) * 30000.0)[:, None, None, :]  # as in indexer.encoders.conversion
            return self.model(input_ids=ids, token_type_ids=types, attention_mask=added).logits[:, 0]  # (b,)

    ids = torch.randint(5, 50, (2, 16), dtype=torch.int32)
    example = {"ids": ids, "types": torch.zeros_like(ids), "mask": torch.ones(2, 16)}
    save_graph(traced(Scores(), example), path)


def _settle_precision(model: Any, folder: RerankerFolder, built: Path) -> None:
    """Keep the precision in which scoring is fastest here, of those that give nearly the same scores."""
    import torch

    from indexer.encoders import precision
    from indexer.encoders.batches import batches
    from indexer.encoders.quantisation import calibration_texts, quantise
    from rag.reranking.cross_encoder import arrays, pair_tokenizer

    tokenizer = pair_tokenizer(built / TOKENIZER, folder.use.max_length)
    texts = calibration_texts()
    questions, passages = [t for t in texts if t.endswith("?")], [t for t in texts if not t.endswith("?")]
    read_first = tokenizer.encode_batch(calibration_pairs(questions, passages[::4]))
    judged = tokenizer.encode_batch(calibration_pairs(questions, passages[2::4]))
    groups = batches([len(pair.ids) for pair in judged], folder.use.max_length)
    feeds = [list(arrays([judged[row] for row in rows], folder.pad_id, folder.use.max_length)) for rows in groups]

    def write(path: Path) -> None:
        def read() -> None:
            for pair in read_first:
                model(input_ids=torch.tensor([pair.ids]), token_type_ids=torch.tensor([pair.type_ids]))

        quantise(model, layers, read)
        _write_graph(model, path)

    layers = linear_layers(model)
    precision.settle(built, feeds, likeness_of_scores, write if layers else None)


def calibration_pairs(questions: Sequence[str], passages: Sequence[str]) -> list[tuple[str, str]]:
    """Return each passage with a question that it does not answer, and its rest with its beginning as a question."""
    pairs = []
    for place, passage in enumerate(passages):
        words = passage.split()
        pairs.append((questions[place % len(questions)], passage))
        pairs.append((" ".join(words[:BEGINNING]), " ".join(words[BEGINNING:])))
    return pairs


def likeness_of_scores(truth: Sequence[Arrays], found: Sequence[Arrays]) -> list[float]:
    """Return for each pair 1 - (difference / spread)^2 / 2, where the spread is the standard deviation of true scores.

    On average that is the correlation of the scores, and with it how alike the orders are that they make; 0.98 at least
    means that no score is off by more than a fifth of the spread.
    """
    one = np.concatenate([np.ravel(outputs[0]) for outputs in truth]).astype(np.float64)
    other = np.concatenate([np.ravel(outputs[0]) for outputs in found]).astype(np.float64)
    spread = max(float(one.std()), 1e-6)
    likes: list[float] = (1 - ((other - one) / spread) ** 2 / 2).tolist()
    return likes


def _compare(model: Any, folder: RerankerFolder, built: Path) -> None:
    """Raise UserError where the converted model scores the probe otherwise than torch does."""
    import torch

    from indexer.encoders.compiled import BLOB
    from rag.reranking.cross_encoder import CrossEncoder, pair_tokenizer

    mine = np.array(CrossEncoder(built, folder.use, folder.pad_id).pair_scores(PROBE))
    (built / BLOB).unlink(missing_ok=True)  # made before the receipt, it would be taken for a part of the model
    tokenizer = pair_tokenizer(folder.path / TOKENIZER, folder.use.max_length)
    theirs = []
    for pair in PROBE:
        encoded = tokenizer.encode(*pair)
        ids, types = torch.tensor([encoded.ids]), torch.tensor([encoded.type_ids])
        theirs.append(float(model(input_ids=ids, token_type_ids=types).logits[0, 0]))
    worst = float(np.abs(mine - np.array(theirs)).max())
    if worst > FAITHFUL * (float(np.std(theirs)) + 1.0):
        raise UserError(f"its scores differ by {worst:.3f} from those of torch")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except UserError as told:
        sys.exit(told.message)
