"""Brings questions and claims that people judged by a text into the form that `train generator` reads.

    python -m finetune.verdict_sets DATA_FOLDER --out FOLDER

writes one file of JSON lines for each set, with `"yes_no": true`: the answer is "yes", "no", or, where the text says
neither, none. A quarter of the passages of BoolQ and of CondaQA is kept apart in `test-*.jsonl`.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from finetune.polarity import ANSWER_WORD, ASKS_WHETHER
from finetune.reading_sets import Row, json_rows
from finetune.splitting import place
from indexer import storage
from indexer.plurals import counted
from rag.question import stems

TESTED = 0.25
"""Share of the passages that nothing is learnt from."""
TURNED = 0.7
"""Share of the claims that are asked as questions, of those that can be."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question or claim, the text it is judged by, and "yes", "no" or ""."""

    group: str
    question: str
    title: str
    context: str
    verdict: str


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Files of one kind, and how a row is taken apart."""

    name: str
    files: tuple[str, ...]
    read: Callable[[Row], Iterator[Judged]]
    strangers: float
    """For so many of its questions there is one more, beside the most similar text of another group: neither."""
    tested: bool = False


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
@click.option("--seed", default=11, show_default=True)
def main(data: Path, out: Path, seed: int) -> None:
    """Write the judged sets of DATA (see ../shared/data) as JSON lines that `train generator` reads."""
    out.mkdir(parents=True, exist_ok=True)
    for each in SETS:
        chance = random.Random(seed)
        rows = [row for file in each.files for line in json_rows(data / file) for row in each.read(line)]
        tested = [row for row in rows if each.tested and place(row.group) < TESTED]
        learnt = [row for row in rows if not (each.tested and place(row.group) < TESTED)]
        learnt = [_turned(row, chance) for row in learnt]
        learnt += [row for row in strangers(learnt) if chance.random() < each.strangers]
        _write(out / f"{each.name}.jsonl", each.name, learnt)
        if tested:
            _write(out / f"test-{each.name}.jsonl", f"test-{each.name}", tested)


def _question(row: Row) -> Iterator[Judged]:
    if row["kind"] == "yesno":
        context = row.get("context") or "\n".join(passage["text"] for passage in row["passages"])
        group = str(row.get("group") or row["title"] or context)
        yield Judged(group, row["question"].rstrip(" ?") + "?", row["title"], context, "".join(row["answers"]))


def _claim(row: Row) -> Iterator[Judged]:
    claim = row.get("claim") or row["hypothesis"]
    context = row.get("premise") or " ".join(row["evidence"])
    group = str(row.get("group") or row.get("title") or row.get("premise") or context)
    yield Judged(group, claim, row.get("title", ""), context, _CLAIMED[row["label"]])


_CLAIMED = {"supported": "yes", "refuted": "no", "entailment": "yes", "contradiction": "no", "neutral": ""}


def _answered(row: Row) -> Iterator[Judged]:
    """Yield a frequent question whose answer begins with Yes or No, without that word."""
    match = ANSWER_WORD.match(row["answer"])
    if match and ASKS_WHETHER.match(row["question"]):
        yield Judged(row["entity"], row["question"], row["entity"], match[2], match[1].lower())


SETS = (
    JudgedSet("boolq", ("yesno/boolq.jsonl.gz",), _question, 0.5, tested=True),
    JudgedSet("condaqa", ("yesno/condaqa.jsonl.gz",), _question, 0.15, tested=True),
    JudgedSet("rules", ("yesno/or_sharc.jsonl.gz",), _question, 0.15),
    JudgedSet("facts", ("yesno/strategyqa.jsonl.gz",), _question, 0.3),
    JudgedSet("frequent", ("questions/dstc9_faq.jsonl.gz",), _answered, 1.0),
    JudgedSet("claims", ("support/fm2.jsonl.gz", "support/fever_symmetric.jsonl.gz"), _claim, 0.2),
    JudgedSet("entailment", ("support/cad_nli.jsonl.gz", "support/snli.jsonl.gz"), _claim, 0.0),
)


def strangers(rows: Sequence[Judged]) -> Iterator[Judged]:
    """Yield each question beside the text of another group that shares most of its rarer words: it says neither."""
    texts = list({row.context: row for row in rows}.values())
    holding: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(texts):
        for stem in stems(row.context):
            holding[stem].append(number)
    for row in rows:
        votes: Counter[int] = Counter()
        for stem in sorted(stems(row.question)):
            if len(holding[stem]) < len(texts) / 20:
                votes.update(number for number in holding[stem] if texts[number].group != row.group)
        if votes:
            other = texts[min(votes, key=lambda number: (-votes[number], number))]
            yield replace(row, title=other.title, context=other.context, verdict="")


def _turned(row: Judged, chance: random.Random) -> Judged:
    """Return a claim as a question ("The men are outside." as "Are the men outside?"), mostly, where that is easy."""
    match = None if row.question.endswith("?") else _CLAIM.match(row.question.strip())
    if match is None or chance.random() >= TURNED:
        return row
    subject, verb, rest = (part.strip() for part in match.groups())
    first = subject.split()[0]
    if first in _LOWERED:
        subject = first.lower() + subject[len(first) :]
    return replace(row, question=f"{verb.capitalize()} {subject} {rest.rstrip(' .!')}?")


_CLAIM = re.compile(r"((?:\S+\s+){1,6}?)(is|are|was|were|can|could|will|would|should|must)\s+(\S.*)", re.DOTALL)
_LOWERED = ("A", "An", "The", "He", "She", "They", "It", "There", "This", "That", "These", "Those", "Some")


def _write(file: Path, name: str, rows: Sequence[Judged]) -> None:
    lines = [
        json.dumps(
            {
                "id": f"{name}-{number}", "question": row.question, "title": row.title, "context": row.context,
                "document": row.group, "answers": [row.verdict] if row.verdict else [],
                "answerable": bool(row.verdict), "yes_no": True,
            },
            ensure_ascii=False,
        )
        for number, row in enumerate(rows)
    ]  # fmt: skip
    storage.write_file(file, ("\n".join(lines) + "\n").encode())
    click.echo(f"{file}: {counted(len(rows), 'question')}, {dict(Counter(row.verdict or 'neither' for row in rows))}")


if __name__ == "__main__":
    main()
