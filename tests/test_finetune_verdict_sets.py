"""What judged questions and claims become, for the trainer of the generator."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from finetune.questions import read_questions
from finetune.splitting import place
from finetune.verdict_sets import SETS, TESTED, Judged, main, strangers

QUESTION = {"kind": "yesno", "title": "Pumps", "question": "is the pump red", "answers": ["yes"]}
ROWS: dict[str, list[dict[str, Any]]] = {
    "yesno/boolq.jsonl.gz": [
        {**QUESTION, "title": f"Pump {n}", "context": f"Pump {n} is red."} for n in range(40)
    ],
    "yesno/condaqa.jsonl.gz": [
        {**QUESTION, "group": 7, "context": "The pump is not red.", "answers": []},
        {**QUESTION, "group": 8, "context": "x", "kind": "extractive", "answers": ["x"]},
    ],
    "yesno/or_sharc.jsonl.gz": [{**QUESTION, "context": "A pump must be red.", "group": "1"}],
    "yesno/strategyqa.jsonl.gz": [{**QUESTION, "passages": [{"text": "Pumps glow."}, {"text": "Glowing is red."}]}],
    "questions/dstc9_faq.jsonl.gz": [
        {"entity": "Inn", "question": "Are pets welcome?", "answer": "No, pets stay outside the inn."},
        {"entity": "Inn", "question": "What of pets?", "answer": "Yes, they are welcome here."},
    ],
    "support/fm2.jsonl.gz": [{"title": "Inn", "claim": "Inns open.", "evidence": ["It shut."], "label": "refuted"}],
    "support/fever_symmetric.jsonl.gz": [{"claim": "Inns burn.", "evidence": ["An inn burnt."], "label": "supported"}],
    "support/cad_nli.jsonl.gz": [{"group": "g", "premise": "Men nap.", "hypothesis": "He eats.", "label": "neutral"}],
    "support/snli.jsonl.gz": [{"premise": "A dog runs.", "hypothesis": "A dog is still.", "label": "contradiction"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, out = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("out")
    for name, rows in ROWS.items():
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    result = CliRunner().invoke(main, [str(data), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return out


def test_the_trainer_reads_what_is_written(made: Path) -> None:
    for each in SETS:
        if each.name != "condaqa":  # both of its passages may be kept for testing
            found = read_questions(made / f"{each.name}.jsonl")
            assert found
            assert all(question.yes_no for question in found)


def test_whole_passages_are_kept_for_testing(made: Path) -> None:
    learnt, tested = ({q.document for q in read_questions(made / f"{name}boolq.jsonl")} for name in ("", "test-"))
    assert learnt | tested == {f"Pump {n}" for n in range(40)}
    assert tested == {name for name in learnt | tested if place(name) < TESTED}


def test_a_yes_or_no_before_an_answer_is_not_shown(made: Path) -> None:
    (own,) = [q for q in read_questions(made / "frequent.jsonl") if q.answers]
    assert (own.passage, own.answers) == ("pets stay outside the inn.", ("no",))


def test_a_claim_that_is_neither_has_no_answer_and_may_be_asked_as_a_question(made: Path) -> None:
    asked = {q.text: q.answers for q in read_questions(made / "entailment.jsonl")}
    assert asked["He eats."] == ()
    assert asked.get("Is a dog still?", asked.get("A dog is still.")) == ("no",)


def test_facts_are_read_together(made: Path) -> None:
    assert {q.passage for q in read_questions(made / "facts.jsonl")} == {"Pumps glow.\nGlowing is red."}


def test_a_stranger_is_the_most_similar_text_of_another_group() -> None:
    rows = [
        Judged("a", "Does the walrus swim?", "", "The walrus swims far.", "yes"),
        Judged("b", "Is tea hot?", "Tea", "A walrus drinks tea.", "no"),
        *(Judged(f"c{n}", "x?", "", f"Word{n} other{n}.", "yes") for n in range(80)),
    ]
    first = next(iter(strangers(rows)))
    assert first == Judged("a", "Does the walrus swim?", "Tea", "A walrus drinks tea.", "")
