"""Tables that are made up, and what is asked of them."""

from __future__ import annotations

import random
import re

from finetune.copying.examples import Copy, Example
from finetune.copying.mixing import Mixture, examples
from finetune.copying.tables import tables
from finetune.questions import Question

MADE = list(tables(600, random.Random(7)))


def text(example: Example) -> str:
    return example.passages[0][1]


def copied(example: Example) -> str:
    (action,) = example.actions
    assert isinstance(action, Copy)
    ((passage, start, end),) = action.spans
    assert passage == 0
    return text(example)[start:end]


def rows(example: Example) -> list[list[str]]:
    """Read a table back as its layouts are defined, headings first."""
    lines = text(example).split("\n")
    if re.match(r"[^|]+: ", lines[0]):
        records = [[part.partition(": ")[::2] for part in line.split("; ")] for line in lines]
        return [[heading for heading, _ in records[0]], *([cell for _, cell in record] for record in records)]
    cells = [line.strip("| ").split(" | ") for line in lines if "|" in line and not line.startswith("|---")]
    return [[cell.strip() for cell in line] for line in cells]


def test_the_answer_is_a_whole_cell() -> None:
    answered = [example for example in MADE if example.actions]
    assert len(answered) > 400
    for example in answered:
        assert copied(example) in [cell for row in rows(example)[1:] for cell in row]


def test_a_cell_stands_in_the_row_that_is_named_or_is_the_name_itself() -> None:
    for example in MADE:
        if example.actions:
            of_it = [row for row in rows(example)[1:] if copied(example) in row]
            assert any(cell in example.question for row in of_it for cell in row if cell != copied(example))


def test_a_quarter_asks_for_what_the_table_does_not_have() -> None:
    refused = [example for example in MADE if not example.actions]
    assert 0.15 < len(refused) / len(MADE) < 0.3
    plain = [(found, e) for e in refused if (found := re.fullmatch(r"What is the (.+) of (.+)\?", e.question))]
    assert len(plain) > 20
    for asked, example in plain:
        headings, *lines = rows(example)
        there = asked[1] in [heading.replace("_", " ") for heading in headings]
        assert not (there and asked[2] in [cell for row in lines for cell in row])


def test_the_same_seed_makes_the_same_tables() -> None:
    assert list(tables(600, random.Random(7))) == MADE
    assert list(tables(600, random.Random(8))) != MADE


def test_a_mixture_adds_them_by_its_share() -> None:
    asked = [Question(str(n), "Where is it?", "", "It is in Bern.", ("Bern",), "d") for n in range(50)]
    made = list(examples(asked, {}, Mixture(0, 0, 0, 0, 0, 0.1), random.Random(1)))
    assert len(made) == 55
    assert all("Bern" not in text(example) for example in made[50:])
