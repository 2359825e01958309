"""The model card of a copying generator: its held-out scores, and what its confidences were fitted on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from finetune.card import Card, Source, table, write_card
from rag.copying.folder import CONFIDENCE, WEIGHTS, file_hash

if TYPE_CHECKING:
    from finetune.copying.generator import Estimate, Options


def write_generator_card(
    folder: Path, sources: Sequence[Source], options: Options, estimate: Estimate, scores: Mapping[str, float]
) -> None:
    """Write README.md into a copying generator's folder, whose confidence is fitted already."""
    fitted = json.loads((folder / CONFIDENCE).read_text())
    confidence = "\n".join(
        f"| {kind} | {model['fitted_on']['questions']} | {model['fitted_on']['right']} "
        f"| {model['fitted_on']['brier']:.3f} | {model['threshold']:.3f} |"
        for kind, model in fitted.items()
    )
    summary = f"""It reads passages with a question and answers with spans of them, or refuses. {estimate.parameters:,}
trained parameters, {estimate.examples:,} examples, {estimate.steps:,} steps, computed in {estimate.precision}. Its
frozen embeddings are those of the encoder that it began with, which are not in this folder. A share of
{options.held_out:g} of the questions, whole documents, was held out for what follows. No test set was used."""
    headings = "| passages | questions | answered right | Brier score | default threshold |\n|---|---|---|---|---|"
    card = Card(
        "A copying generator",
        summary,
        sources,
        asdict(options),
        {
            "Held-out questions, right passage given, in per cent": table(scores),
            "Confidence, fitted on other held-out questions": f"{headings}\n{confidence}",
        },
        parent=f"{options.base}, weights `{file_hash(Path(options.base) / WEIGHTS)}`" if options.base else "",
        front={"pipeline_tag": "question-answering", "base_model": "sentence-transformers/all-MiniLM-L6-v2"},
    )
    write_card(folder, card)
