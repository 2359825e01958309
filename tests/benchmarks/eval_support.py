"""How well the lexical measure of support tells right sentences from wrong ones, on questions of SQuAD.

    python -m tests.benchmarks.eval_support SQUAD [--limit N]

A sentence is a question's words with an answer behind them. It is right with the question's own answer, and wrong with
the answer to another question about the same paragraph, be it from the same sentence of it or from another, or when
looked up in another article's paragraph. SQUAD is the training set, train-v1.1.json.gz: the measure was chosen on it.
"""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click

from indexer.sentences import sentences
from rag.evaluation.asking import passage_of
from rag.evaluation.faults import Faults, Source
from rag.evaluation.questions import Asked, placed_questions
from rag.writing.support import Evidence

_ASKING = re.compile(r"\b(?:what|which|who|whom|whose|when|where|why|how|many|much|did|does|do)\b", re.IGNORECASE)
KINDS = ("right", "wrong, of the same sentence", "wrong, of another sentence", "right, another paragraph")


@click.command()
@click.argument("squad", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--limit", type=click.IntRange(1), default=600, show_default=True, help="Paragraphs, evenly spread.")
def main(squad: Path, limit: int) -> None:
    """Print how often each kind of sentence is borne out."""
    faults = Faults(str(squad))  # which are not looked at: SQuAD's training file has some ids twice
    found = _pairs([asked for _, asked in placed_questions(Source(squad, faults), faults)])
    pairs = found[:: max(1, len(found) // limit)]
    borne_out: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for number, (asked, other) in enumerate(pairs):
        (right,), (wrong,) = asked.answers[:1], other.answers[:1]
        together = any(right in asked.passage[a:b] and wrong in asked.passage[a:b] for a, b in sentences(asked.passage))
        borne_out["right"].append(_borne_out(asked, right, asked))
        borne_out[KINDS[1] if together else KINDS[2]].append(_borne_out(asked, wrong, asked))
        borne_out[KINDS[3]].append(_borne_out(asked, right, pairs[number - 1][0]))
    for kind, yes in borne_out.items():
        click.echo(f"{kind:28}{len(yes):6}{100 * statistics.mean(yes):8.1f} % borne out")


def _pairs(questions: Sequence[Asked]) -> list[tuple[Asked, Asked]]:
    """Return the first two questions of each paragraph whose answers have nothing in common."""
    grouped: dict[str, list[Asked]] = defaultdict(list)
    for question in questions:
        grouped[question.passage].append(question)
    pairs = [(one, two) for one, two, *_ in (group for group in grouped.values() if len(group) > 1)]
    return [(one, two) for one, two in pairs if _apart(one, two.answers[0])]


def _apart(asked: Asked, other: str) -> bool:
    own = asked.answers[0]
    return other not in own and own not in other and other.casefold() not in asked.text.casefold()


def _borne_out(asked: Asked, answer: str, told: Asked) -> bool:
    sentence = " ".join(f"It: {_ASKING.sub(' ', asked.text.rstrip('?'))} {answer}".split())
    return bool(Evidence(asked.text, [passage_of(told)]).of(sentence, [0]))


if __name__ == "__main__":
    main()
