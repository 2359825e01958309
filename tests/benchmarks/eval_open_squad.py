"""Open SQuAD: 2,000 dev questions put to a collection of all paragraphs of train and dev, end to end.

    python -m tests.benchmarks.eval_open_squad [DATA] [--home DIR] [--generator FOLDER] [--limit N] [--out ROWS.jsonl]

DATA holds squad/train-v1.1.json.gz, squad/dev-v1.1.json.gz and squad/open-2000.txt. The collection is built once under
--home. `em` and `f1` are of the best answer whatever its confidence; at the default threshold a refusal counts as
wrong. "holds" is the share of questions for which a passage that was read holds a gold answer, "gold paragraph" that
for which the one they were asked about is among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import click

from indexer.collection import Collection
from indexer.sync import Given
from rag import metrics
from rag.engine import Engine
from rag.types import Passage
from tests.benchmarks import reporting
from tests.benchmarks.answering import Asked, Forced, ask, open_generator
from tests.benchmarks.given import Question, limited, lines_of, paragraphs, squad

FILES = ("squad/train-v1.1.json.gz", "squad/dev-v1.1.json.gz")


@click.command()
@reporting.data_argument
@reporting.shared_options
def main(
    data: Path, home: str | None, generator: str | None, limit: int | None, **output: Unpack[reporting.Output]
) -> None:
    """Measure `ask` on open SQuAD."""
    ids = set(lines_of(data, "squad/open-2000.txt"))
    questions = limited([each for each in squad(data, FILES[1]) if each.id in ids], limit)
    texts = paragraphs(data, FILES)
    collection = Collection("open-squad", home)
    built = collection.add([Given(key, text, title) for text, (key, title) in texts.items()])
    forced = Forced(open_generator(generator, collection))
    engine = Engine(collection, forced)
    engine.ask(questions[0].question)  # what is loaded at first use is not measured
    sources = {text: key for text, (key, _) in texts.items()}
    asked = [_asked(engine, forced, each, sources[each.context]) for each in reporting.counted(questions, "asking")]
    scores = {
        **reporting.answer_scores(asked),
        "holds": reporting.mean(each.more["holds"] for each in asked),
        "gold paragraph": reporting.mean(each.more["gold_rank"] is not None for each in asked),
        "points": reporting.points_score(asked),
        **reporting.confidence_scores(asked, forced.generator.threshold(0.1)),
    }
    facts = {
        "generator": forced.name,
        "paragraphs": built.added + built.changed + built.unchanged,
        "latency_ms": reporting.latencies(asked),
    }
    reporting.report("open SQuAD", asked, scores, facts, **output)
    if not output["as_json"]:
        reporting.show_reliability(asked)


def _asked(engine: Engine, forced: Forced, question: Question, gold: str) -> Asked:
    asked, answer = ask(engine, forced, question)
    more = {
        "holds": any(metrics.holds(passage.text, question.answers) for passage in answer.passages),
        "gold_source": gold,
        "gold_rank": _rank(answer.passages, gold),
        "passages": [{"source": passage.source, "text": passage.text} for passage in answer.passages],
    }
    return replace(asked, more=more)


def _rank(passages: Sequence[Passage], gold: str) -> int | None:
    """Return the place, from 1, of the passage that was read from the paragraph `gold` or says nearly the same."""
    return next((rank for rank, each in enumerate(passages, 1) if gold in (each.source, *each.also_in)), None)


if __name__ == "__main__":
    main()
