"""What is held out: whole documents, and the same ones in every run, whatever its seed and its other data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.card import Source
from finetune.copying import generator
from finetune.language import tuning
from finetune.questions import Question
from finetune.retrieval.pairs import read_pairs
from finetune.splitting import read_split, split_by_document

documents = st.lists(st.sampled_from([f"document {number}" for number in range(12)]), max_size=40)


def question(text: str, document: str) -> Question:
    return Question(id=text, text=text, title="", passage="A cat sat.", answers=("A cat",), document=document)


def written(file: Path, numbers: range) -> Path:
    rows = [
        {"question": f"What sat on {n}.{m}?", "context": f"A cat sat on {n}.", "answers": ["A cat"], "title": f"t{n}"}
        for n in numbers
        for m in range(3)
    ]  # fmt: skip
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def held_titles(questions: list[Question] | tuple[Question, ...]) -> set[str]:
    return {each.title for each in questions}


@settings(deadline=None, max_examples=60)
@given(documents, st.floats(0, 1), st.integers(0, 5))
def test_a_document_stays_on_one_side_whatever_else_is_there(names: list[str], share: float, draw: int) -> None:
    asked = [question(f"{number}?", name) for number, name in enumerate(names)]
    kept, held = split_by_document(asked, share, draw)
    assert sorted(kept + held, key=asked.index) == asked
    assert not {each.document for each in kept} & {each.document for each in held}
    again = split_by_document(asked[::2], share, draw)
    assert again == ([each for each in kept if each in asked[::2]], [each for each in held if each in asked[::2]])


def test_a_larger_share_holds_the_same_documents_and_more() -> None:
    asked = [question(f"{number}?", str(number)) for number in range(1000)]
    held = [{each.id for each in split_by_document(asked, share)[1]} for share in (0.0, 0.1, 0.3, 1.0)]
    assert held[0] < held[1] < held[2] < held[3]
    assert [len(each) for each in held] == [0, pytest.approx(100, abs=30), pytest.approx(300, abs=45), 1000]


def test_another_draw_splits_anew_what_was_held_out() -> None:
    held = split_by_document([question(f"{number}?", str(number)) for number in range(1000)], 0.5)[1]
    kept, other = split_by_document(held, 0.5, draw=2)
    assert 0.4 < len(kept) / len(held) < 0.6
    assert len(kept) + len(other) == len(held)


def test_the_same_documents_of_two_files_are_held_out_and_their_ids_stay_apart(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", range(200))
    (first, first_held), (second, second_held) = (read_split(Source(file), number, 0.2) for number in (0, 1))
    assert held_titles(first_held) == held_titles(second_held)
    assert 20 < len(held_titles(first_held)) < 60
    assert not {each.id for each in first + first_held} & {each.id for each in second + second_held}
    assert read_split(Source(file, held_out=False), 0, 0.2)[1] == []


def test_a_run_that_goes_on_from_another_holds_out_the_same_documents(tmp_path: Path) -> None:
    """With another seed, and another file before: else it would be measured on what the first one learnt."""
    ours = Source(written(tmp_path / "ours.jsonl", range(300)))
    others = Source(written(tmp_path / "others.jsonl", range(1000, 1100)))

    def of(options: generator.Options, *sources: Source) -> set[str]:
        data = generator._read(sources, options)
        return held_titles([*data.validate, *data.calibrate]) & {f"t{n}" for n in range(300)}

    first = of(generator.Options(held_out=0.3, seed=1), ours)
    assert len(first) > 50
    assert of(generator.Options(held_out=0.3, seed=2), others, ours) == first
    assert held_titles(read_pairs([others, ours], 0.3, 3).held) >= first
    taught = tuning.read([others, ours], tuning.Options(base="", held_out=0.3, seed=4))
    assert held_titles(taught.held) >= first
