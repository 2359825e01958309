"""Brings sets for reading, each in a form of its own, into the one that `train generator` reads.

    python -m finetune.reading_sets DATA_FOLDER --out FOLDER

writes one file of JSON lines for each set: questions that people made unanswerable (Rajpurkar, Jia and Liang 2018) with
their paragraphs, stories, questions about a time, web search, tables laid out as the readers of documents do, questions
that whole sentences answer, and lists of frequent questions with their answers.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from indexer import storage
from indexer.plurals import counted

Row = Mapping[str, Any]

TABLE_CHARACTERS = 1400
"""About the length of a passage; of a longer table, rows around the answer are shown."""


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
@click.option("--seed", default=11, show_default=True)
def main(data: Path, out: Path, seed: int) -> None:
    """Write the reading sets of DATA (see ../shared/data) as JSON lines that `train generator` reads."""
    out.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    made: dict[str, Callable[[], Iterator[Row]]] = {
        "unanswerable": lambda: unanswerable(data),
        "stories": lambda: extractive(json_rows(data / "reading" / "fairytaleqa.jsonl.gz")),
        "times": lambda: extractive(json_rows(data / "reading" / "timeqa.jsonl.gz")),
        "web": lambda: extractive(json_rows(data / "reading" / "nq_web.jsonl.gz")),
        "tables": lambda: tables(json_rows(data / "tables" / "wikitablequestions.jsonl.gz"), chance),
        "sections": lambda: sections(json_rows(data / "reading" / "selqa.jsonl.gz")),
        "answer_lists": lambda: answer_lists(json_rows(data / "questions" / "dstc9_faq.jsonl.gz"), chance),
        "reports": lambda: reports(json_rows(data / "tables" / "tatqa.jsonl.gz")),
    }
    for name, rows in made.items():
        lines = [json.dumps(row, ensure_ascii=False) for row in rows()]
        storage.write_file(out / f"{name}.jsonl", ("\n".join(lines) + "\n").encode())
        click.echo(f"{out / name}.jsonl: {counted(len(lines), 'question')}")


def unanswerable(data: Path) -> Iterator[Row]:
    """Yield the unanswerable questions of SQuAD 2.0 with the paragraph of SQuAD 1.1 that each was asked about.

    They are split by the same names as the articles of that file, so that no article is on both sides.
    """
    articles = json.loads(gzip.decompress((data / "squad" / "train-v1.1.json.gz").read_bytes()))["data"]
    paragraphs = [(article["title"], each["context"]) for article in articles for each in article["paragraphs"]]
    for row in json_rows(data / "unanswerable" / "squad2_train.jsonl.gz"):
        title, context = paragraphs[row["paragraph"]]
        shown = title.replace("_", " ")
        yield {
            "id": row["id"], "title": shown, "document": f"article {shown}", "context": context,
            "question": row["question"], "answers": [], "answerable": False,
        }  # fmt: skip


def extractive(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the questions whose answers stand in their passage word for word, and those that have none."""
    for row in rows:
        if row["kind"] == "extractive" or not row["answerable"]:
            yield {name: row[name] for name in ("id", "title", "context", "question", "answers", "answerable")}


def tables(rows: Iterator[Row], chance: random.Random, absent: float = 0.2) -> Iterator[Row]:
    """Yield the questions that one cell answers; of a share `absent`, once more, of rows that do not hold the answer.

    The rows beside an answer are those that a passage of a longer table would hold. Without the answer, only what names
    its row by another cell is asked: which row is the last, or the largest, any part of a table seems to answer.
    """
    for row in rows:
        if row["kind"] != "table-cell" or len(row["answers"]) != 1:
            continue
        header, *body = [[" ".join(cell.split()) for cell in line] for line in row["table"]]
        answer = " ".join(row["answers"][0].split())
        holding = [number for number, line in enumerate(body) if answer in line]
        if not holding or len(header) < 2:
            continue
        layout = chance.choice((_bars, _records))
        shown = _around(header, body, chance.choice(holding), layout)
        common = {"title": row["title"], "document": row["group"], "question": row["question"]}
        yield {**common, "id": row["id"], "context": layout(header, shown), "answers": [answer], "answerable": True}
        others = [line for line in body if answer not in line]
        its_row = {cell.lower() for line in body if answer in line for cell in line if len(cell) > 3} - {answer.lower()}
        named = any(cell in row["question"].lower() for cell in its_row)
        if len(others) > 2 and named and chance.random() < absent:
            left = _around(header, others, chance.randrange(len(others)), layout)
            if answer not in layout(header, left):
                yield {**common, "id": f"{row['id']}-absent", "context": layout(header, left), "answers": [],
                       "answerable": False}  # fmt: skip


def reports(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the questions on financial reports that one span of one paragraph answers."""
    for row in rows:
        if len(row["answers"]) != 1 or "computed" in row["kind"] or "derived" in row["kind"]:
            continue
        holding = [passage["text"] for passage in row["passages"] if row["answers"][0] in passage["text"]]
        if len(holding) == 1:
            yield {"id": row["id"], "title": "", "document": str(row["group"]), "context": holding[0],
                   "question": row["question"], "answers": row["answers"], "answerable": True}  # fmt: skip


def sections(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the questions that whole sentences of a section answer, with those sentences as answers."""
    for row in rows:
        answers = [part for sentence in row["evidence"] for part in spans_of(sentence)]
        yield {"id": row["id"], "title": row["title"], "context": row["context"], "question": row["question"],
               "answers": answers, "answerable": True}  # fmt: skip


def answer_lists(rows: Iterator[Row], chance: random.Random, together: int = 6) -> Iterator[Row]:
    """Yield frequent questions with some answers of the same house, laid out as lists of questions and answers."""
    houses: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        houses.setdefault((row["domain"], row["entity"] or ""), []).append(row)
    for (domain, house), entries in houses.items():
        for entry in entries:
            others = chance.sample(entries, min(together, len(entries)))
            shown = list({each["answer"]: each for each in (entry, *others)}.values())
            chance.shuffle(shown)
            layout = chance.choice(("Q: {question}\nA: {answer}", "{question}\n{answer}", "{answer}", "{answer}"))
            yield {"id": entry["id"], "title": house, "document": f"{domain} {house}",
                   "context": "\n\n".join(layout.format(**each) for each in shown), "question": entry["question"],
                   "answers": spans_of(entry["answer"]), "answerable": True}  # fmt: skip


def spans_of(sentence: str, most: int = 18) -> list[str]:
    """Return a sentence, or its beginning and its end where it is longer than what the reader copies at once."""
    words = list(re.finditer(r"\S+", sentence))
    if len(words) <= most:
        return [sentence]
    return [sentence[: words[most - 1].end()], sentence[words[-most].start() :]]


Layout = Callable[[Sequence[str], Sequence[Sequence[str]]], str]


def _around(header: Sequence[str], body: list[list[str]], at: int, layout: Layout) -> list[list[str]]:
    """Return as many rows around one as a passage has room for."""
    first, last, room = at, at + 1, True
    while room:
        room = False
        for above, below in ((1, 0), (0, 1)):
            wider = max(0, first - above), min(len(body), last + below)
            if wider != (first, last) and len(layout(header, body[slice(*wider)])) <= TABLE_CHARACTERS:
                (first, last), room = wider, True
    return body[first:last]


def _bars(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _records(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    return "\n".join(
        "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(header, line, strict=False) if cell)
        for line in body
    )


def json_rows(file: Path) -> Iterator[Row]:
    """Yield the rows of gzipped JSON lines."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


if __name__ == "__main__":
    main()
