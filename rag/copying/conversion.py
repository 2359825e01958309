"""Converts a copying generator to OpenVINO, once: asking then needs no torch.

    home/generators/<fingerprint>/  reader/model.xml  decoder/model.xml  tokenizer.json  receipt.json

Done by a child process (`python -m rag.copying.conversion`), so that the memory of torch is given back.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.conversion import linear_layers, save_graph, traced
from indexer.encoders.converted import MODEL
from indexer.encoders.precision import lacks, wanted
from indexer.errors import UserError
from rag import converting
from rag.converting import check_files as check_files
from rag.copying.folder import TOKENIZER, CopyingFolder, check_weights, tokenizer_file

FORMAT = 1
"""Raised when the graphs' meaning changes: older folders are then converted again."""
READER, DECODER = "reader", "decoder"
FAITHFUL = 0.25
"""Largest difference of a score, in nats, to the same weights in torch at full precision."""


def converted_folder(folder: CopyingFolder, home: Path) -> Path:
    """Return where a generator's graphs lie, whether they are there or not."""
    return home / "generators" / folder.fingerprint


def is_converted(folder: CopyingFolder, home: Path, precision: str | None = None) -> bool:
    """Tell whether the graphs are there, and can run in `precision`; `check_files` tells whether they are sound."""
    converted = converted_folder(folder, home)
    return converting.is_converted(converted, FORMAT) and not lacks(converted / READER, wanted(precision))


def convert(folder: CopyingFolder, home: Path, precision: str | None = None) -> Path:
    """Convert a generator in a child process and publish it under `home`: all of it or nothing, receipt last.

    `precision` is one that its reader is to have, beside what is fastest.
    Raises UserError when it cannot be converted, StorageError when the disk refuses.
    """
    check_weights(folder)
    return converting.convert_beside(
        folder.path,
        converted_folder(folder, home),
        tokenizer_file(folder),
        module="rag.copying.conversion",
        format=FORMAT,
        what="generator",
        otherwise="; or ask with: --generator quoting",
        precision=precision,
    )


def main(folder: Path, built: Path) -> None:
    """Convert the model in `folder` into `built`, and compare what both say of a probe."""
    from indexer.native import bar_telemetry

    bar_telemetry()
    import torch

    from rag.copying.model import CopyingModel

    model = CopyingModel.from_pretrained(folder)
    with torch.no_grad():
        _write_reader(model, built / READER)
        if model.config.writes:
            _write_decoder(model, built / DECODER)
        _compare(model, built)
        _settle_precision(model, built)


def _write_reader(model: Any, folder: Path, file: str = MODEL) -> None:
    """Trace reading: ids, types and mask (b, t) to hidden (b, t, d), start and end (b, t), first and last (b, t, r).

    And polarity (b, t, 2), of a model that has it.
    """
    import torch

    class Reader(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Any, types: Any, present: Any) -> Any:
            added = ((present - 1.0) * 30000.0)[:, None, None, :]  # as in indexer.encoders.conversion
            if not self.model.has_types:
                ids = ids + 0 * types  # an input that takes no part would be left out of the graph
            read = self.model(ids, types, added)
            found = (read.hidden, read.start, read.end, read.first, read.last)
            return found if read.polarity is None else (*found, read.polarity)

    ids = torch.randint(5, 50, (2, 16), dtype=torch.int32)
    folder.mkdir(exist_ok=True)
    _save(Reader(), {"ids": ids, "types": torch.zeros_like(ids), "present": torch.ones(2, 16)}, folder / file)


def _write_decoder(model: Any, folder: Path) -> None:
    """Trace one step: the actions so far and all that was read, to queries (d,), token scores (v,) and stop ()."""
    import torch

    class Step(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, kinds: Any, firsts: Any, lasts: Any, tokens: Any, memory: Any) -> Any:
            copied = self.model.copied(firsts, lasts)  # (1, s, d)
            written = self.model.written(tokens)
            begin = self.model.decoder.begin.expand_as(copied)
            kind = kinds[..., None]
            actions = torch.where(kind == 0, begin, torch.where(kind == 1, copied, written))
            padding = torch.zeros_like(memory[:, :, 0])
            start, end, query, stop = self.model.decoder(actions, memory, padding)
            return start[0, -1], end[0, -1], self.model.token_scores(query[:, -1:])[0, 0], stop[0, -1:]

    width = model.encoder.config.hidden_size
    kinds = torch.tensor([[0, 1, 2]], dtype=torch.int32)
    example = {
        "kinds": kinds,
        "firsts": torch.randn(1, 3, width),
        "lasts": torch.randn(1, 3, width),
        "tokens": torch.tensor([[0, 0, 7]], dtype=torch.int32),
        "memory": torch.randn(1, 20, width),
    }
    folder.mkdir()
    _save(Step(), example, folder / MODEL)


def _save(module: Any, example: dict[str, Any], path: Path) -> None:
    save_graph(traced(module, example), path)


def _settle_precision(model: Any, built: Path) -> None:
    """Keep the precision in which reading is fastest here; the decoder computes in what reading leaves as it is."""
    import torch

    from indexer.encoders import precision
    from indexer.encoders.batches import batches
    from indexer.encoders.quantisation import calibration_texts, quantise
    from rag.copying.layout import Tokens
    from rag.copying.reader import arrays

    tokens = Tokens(built / TOKENIZER, model.layout)
    texts = calibration_texts()
    questions = [text for text in texts if text.endswith("?")]
    passages = [text for text in texts if not text.endswith("?")]
    windows = [
        tokens.windows(tokens.head(questions[place % len(questions)], ""), tokens.words(passage))[0]
        for place, passage in enumerate(passages)
    ]
    judged = windows[1::2]
    groups = list(batches([len(window.ids) for window in judged], model.layout.window))
    places = [[judged[row] for row in rows] for rows in groups]

    def likeness(truth: Sequence[precision.Arrays], found: Sequence[precision.Arrays]) -> list[float]:
        """Return the correlation of the scores of a window's places, as starts and as ends."""
        likes = []
        for rows, one, other in zip(places, truth, found, strict=True):
            for row, window in enumerate(rows):
                inside = slice(window.first, len(window.ids) - 1)
                likes += [float(np.corrcoef(one[n][row, inside], other[n][row, inside])[0, 1]) for n in (1, 2)]
        return likes

    def write(path: Path) -> None:
        def read() -> None:
            for window in windows[::2]:
                model(torch.tensor([window.ids]), torch.tensor([window.types]), torch.zeros(1, 1, 1, len(window.ids)))

        layers = [name for name in linear_layers(model) if name.startswith("encoder.")]
        quantise(model, layers, read)
        _write_reader(model, path.parent, path.name)

    feeds = [arrays(rows) for rows in places]
    settled = precision.settle(built / READER, feeds, likeness, write)
    if (built / DECODER).is_dir():
        precision.keep(built / DECODER, precision.Precision(settled.rest, settled.rest))


def _compare(model: Any, built: Path) -> None:
    """Raise UserError where the converted reader scores a probe otherwise than torch does."""
    import torch

    from indexer.encoders.compiled import BLOB
    from rag.copying.layout import Tokens
    from rag.copying.reader import Reader

    tokens = Tokens(built / TOKENIZER, model.layout)
    words = tokens.words("The pump was replaced on 3 March 2021; its flow is 12.5 litres per minute. " * 3)
    window = tokens.windows(tokens.head("When was the pump replaced?", "Maintenance"), words)[0]
    with Reader(built) as reader:
        (found,) = reader.read([window])
    truth = model(torch.tensor([window.ids]), torch.tensor([window.types]), torch.ones(1, len(window.ids)))
    inside = slice(window.first, len(window.ids) - 1)
    worst = max(
        float(np.abs(mine[inside] - theirs[0].numpy()[inside]).max())
        for mine, theirs in ((found.start, truth.start), (found.end, truth.end))
    )
    for blob in built.rglob(BLOB):
        blob.unlink()  # made before the receipt, it would be taken for a part of the model
    scale = float(truth.start.numpy()[0][inside].std()) + 1.0
    if worst > FAITHFUL * scale:
        raise UserError(f"its scores differ by {worst:.3f} from those of torch")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except UserError as told:
        sys.exit(told.message)
