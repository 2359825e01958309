"""Fitting answers in forms: which units count as right, what is useful, and a small set from end to end."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from finetune.answering import (
    AT_MOST,
    CLOSEST,
    EVERY,
    THRESHOLD,
    Row,
    is_useful,
    main,
    open_set,
    plain,
    read_rows,
    shows,
    unit_labels,
)
from rag.answering.signals import UNIT, able
from rag.answering.weighing import shipped
from rag.generator import Copied, Draft, Written
from tests.conftest import new_home
from tests.seen import document, evidence
from tests.worlds import write_folder

MILL = document("The mill was built in 1911. It grinds rye. Its wheel is of oak.", name="old/mill.md")
WEIR = document("The weir was built in 1911, too.", number=2, name="weir.md")


def row(
    *must: Sequence[str], kind: str = "fact", answerable: bool = True, sources: Sequence[str] = ("mill.md",)
) -> Row:
    return Row("When was the mill built?", kind, answerable, tuple(map(tuple, must)), tuple(sources), ())


# What a row says


def test_rows_are_read_from_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    lines = [
        {"question": "When?", "kind": "fact", "answerable": True, "must": [["1911", "MCMXI"]],
         "evidence": [{"source": "mill.md"}], "previous": ["Which mill?"]},
        {"question": "Who?", "kind": "fact", "answerable": False, "must": []},
    ]  # fmt: skip
    file.write_text("\n\n".join(map(json.dumps, lines)) + "\n")
    assert read_rows(file) == [
        Row("When?", "fact", True, (("1911", "MCMXI"),), ("mill.md",), ("Which mill?",)),
        Row("Who?", "fact", False, (), (), ()),
    ]


def test_only_a_question_for_yes_or_no_has_a_polarity() -> None:
    assert row(["yes"], ["lead"], kind="yesno").polarity == "yes"
    assert row(["yes"], ["lead"], kind="yesno").wanted == (("lead",),)
    assert row(["yes", "allowed"], kind="yesno").polarity == ""
    assert row(["no"]).polarity == ""
    assert row(["no"]).wanted == (("no",),)
    assert row().polarity == ""


def test_texts_are_compared_without_marks_and_commas() -> None:
    assert plain("**75,000**  Men\u00a0and “one” `crown`") == "75000 men and one crown"


def test_a_text_shows_one_of_each_group() -> None:
    assert shows("built in 1911 of oak", [["1911", "MCMXI"], ["Oak", "elm"]])
    assert not shows("built in 1911 of fir", [["1911", "MCMXI"], ["Oak", "elm"]])
    assert shows("anything", [])


# Labels and usefulness


def labelled(asked_row: Row) -> list[str]:
    seen = evidence(asked_row.question, MILL, WEIR)
    units = able(seen)
    return [
        seen.text(each.unit) for each, right in zip(units, unit_labels(asked_row, seen, units), strict=True) if right
    ]


def test_a_unit_of_a_gold_document_that_says_what_is_wanted_is_right() -> None:
    assert labelled(row(["1911"])) == ["The mill was built in 1911."]
    assert labelled(row(["1911"], sources=["mill.md", "weir.md"])) == [
        "The mill was built in 1911.",
        "The weir was built in 1911, too.",
    ]


def test_of_one_thing_a_unit_says_all_and_of_more_than_one_some() -> None:
    assert labelled(row(["1911"], ["oak"])) == []
    assert labelled(row(["1911"], ["oak"], kind="explanation")) == [
        "The mill was built in 1911.",
        "Its wheel is of oak.",
    ]


def test_what_has_no_answer_has_no_right_unit() -> None:
    assert labelled(row(["1911"], answerable=False)) == []
    assert labelled(row(["yes"], kind="yesno")) == []  # it wants no words beside the yes


def useful(asked_row: Row, *pieces: Copied | Written, also: Sequence[Copied] = ()) -> bool:
    seen = evidence(asked_row.question, MILL, WEIR)
    return is_useful(asked_row, Draft(pieces, 0.5, also=tuple(also)), seen)


def test_what_is_shown_is_useful_where_it_says_what_is_wanted() -> None:
    year, rye = Copied(0, 22, 26), Copied(0, 28, 42)
    assert MILL.text[22:26] == "1911"
    assert MILL.text[28:42] == "It grinds rye."
    assert useful(row(["1911"]), year)
    assert not useful(row(["1911"]), rye)
    assert useful(row(["built"]), year)  # the sentence around it is quoted
    assert useful(row(["1911"]), rye, also=[year])  # so is what stands beside it
    assert not useful(row(["1911"], answerable=False), year)
    assert not useful(row(["1911"]))


def test_yes_and_no_are_useful_only_where_they_are_right() -> None:
    sentence = Copied(0, 0, 27)
    asked_row = row(["yes"], ["1911"], kind="yesno")
    assert useful(asked_row, Written("Yes. ", supported=True), sentence)
    assert not useful(asked_row, Written("No. ", supported=True), sentence)
    assert not useful(asked_row, sentence)


@pytest.mark.parametrize(("kind", "most"), [("fact", 500), ("explanation", 1500)])
def test_what_comes_late_is_not_useful(kind: str, most: int) -> None:
    assert most in AT_MOST
    for filler, expected in ((most - 10, True), (most + 10, False)):
        late = document("x" * (filler - 5) + " 1911.", name="mill.md")
        seen = evidence("When?", late)
        draft = Draft((Copied(0, 0, len(late.text)),), 0.5)
        assert is_useful(row(["1911"], kind=kind), draft, seen) is expected


# End to end

PAGES = {
    f"{name}.md": f"# The {name}\n\nAuthor: {author}\n\nThe {name} was built in {year}. It is made of {stuff}. "
    f"A {name} is a thing that {does}.\n"
    for name, author, year, stuff, does in (
        ("mill", "Petra Holm", 1911, "oak", "grinds rye"),
        ("weir", "Jon Berg", 1874, "stone", "holds back water"),
        ("ferry", "Ida Lind", 1950, "iron", "crosses a lake"),
        ("kiln", "Ole Ask", 1802, "brick", "dries malt"),
    )
}


def rows_of(names: Sequence[str]) -> list[Mapping[str, object]]:
    asked_for = [
        ("When was the {0} built?", "fact", 0), ("What is the {0} made of?", "fact", 1),
        ("What is a {0}?", "definition", 2), ("Who is the author of The {0}?", "metadata", 3),
    ]  # fmt: skip
    wanted = {"mill": ("1911", "oak", "rye", "Holm"), "weir": ("1874", "stone", "water", "Berg"),
              "ferry": ("1950", "iron", "lake", "Lind"), "kiln": ("1802", "brick", "malt", "Ask")}  # fmt: skip
    return [
        {"question": question.format(name), "kind": kind, "answerable": True, "must": [[wanted[name][place]]],
         "evidence": [{"source": f"{name}.md"}]}
        for name in names
        for question, kind, place in asked_for
    ]  # fmt: skip


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    """Return two sets, each a file of questions and a folder of documents."""
    made = []
    for names in (("mill", "weir"), ("ferry", "kiln")):
        folder = tmp_path_factory.mktemp("set")
        questions = folder / "questions.jsonl"
        questions.write_text("\n".join(map(json.dumps, rows_of(names))) + "\n")
        made.append((questions, write_folder(folder / "documents", PAGES)))
    return made


@pytest.fixture
def fit_home(tmp_path: Path, converted: Path) -> Path:
    return new_home(tmp_path / "home", converted)


@pytest.mark.slow
def test_every_third_question_is_asked_again_without_its_documents(
    sets: Sequence[tuple[Path, Path]], fit_home: Path
) -> None:
    opened = open_set(*sets[0], fit_home)
    asked = len(rows_of(["mill", "weir"]))
    assert len(opened.rows) == asked + math.ceil(asked / EVERY) == len(opened.evidence)
    for again, seen in zip(opened.rows[asked:], opened.evidence[asked:], strict=True):
        assert not again.answerable
        assert seen.passages
        assert not any(passage.source.endswith(again.sources) for passage in seen.passages)


@pytest.mark.slow
def test_only_the_documents_that_are_named_are_indexed(
    sets: Sequence[tuple[Path, Path]], fit_home: Path, tmp_path: Path
) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_bytes(sets[0][0].read_bytes())
    (tmp_path / "documents.txt").write_text("mill.md\n\nweir.md\n")
    opened = open_set(questions, sets[0][1], fit_home)
    found = opened.collection.documents()
    assert sorted(Path(each.source).name for each in found) == ["mill.md", "weir.md"]


@pytest.mark.slow
def test_a_small_set_is_fitted_from_end_to_end(
    sets: Sequence[tuple[Path, Path]], fit_home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "answering.json"
    options = [str(each) for questions, documents in sets for each in ("--set", questions, documents)]
    done = CliRunner().invoke(main, [*options, "--home", str(fit_home), "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    fitted = json.loads(out.read_text())
    assert (fitted["threshold"], fitted["closest"]) == (THRESHOLD, CLOSEST)
    assert sorted(fitted["units"]) == ["passage", "sentence"]
    for model in fitted["units"].values():
        assert list(model["weights"]) == list(UNIT)
        assert all(map(math.isfinite, (model["bias"], *model["weights"].values())))
        assert 0 < model["right"] < model["units"]
    assert list(fitted["card"]["questions"].values()) == [11, 11]
    models = shipped(out)
    assert 0 <= models.confidence(dict.fromkeys(fitted["shown"]["weights"], 0.0)) <= 1
