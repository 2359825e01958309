"""The commands of the retriever's rungs, from the shell's side: what they say and with which code they end."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from indexer.collection import Collection
from indexer.sync import Given
from tests.small_encoder import write_small_encoder
from tests.small_pairs import write_pairs
from tests.small_static import write_small_static


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.footnote, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with small encoders in it."""
    home = tmp_path_factory.mktemp("home")
    write_small_encoder(home / "base", max_length=48)
    write_small_static(home / "static")
    write_pairs(home / "pairs.jsonl")
    return home


def test_a_dry_run_says_what_training_would_take(models: Path, tmp_path: Path) -> None:
    common = ("--encoder", models / "base", "--held-out", 0.3, "--steps", 3, "--dry-run", "--home", models, "--json")
    for rung in ("encoder", "reranker"):
        found = run("train", rung, models / "pairs.jsonl", "--out", tmp_path / rung, *common)
        assert found.exit_code == 0, found.output
        told = json.loads(found.stdout)
        assert told["trained"] is False
        assert told["estimate"]["steps"] == 3
        assert told["estimate"]["parameters"] > 1000
        assert "3 steps" in found.stderr
        assert not (tmp_path / rung).exists()


def test_going_on_needs_something_to_go_on_from(models: Path, tmp_path: Path) -> None:
    for rung in ("encoder", "reranker"):
        found = run("train", rung, models / "pairs.jsonl", "--out", tmp_path / "out", "--resume")
        assert found.exit_code == 2
        assert "There is no interrupted run" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("encoder", "pairs.jsonl", "--batch-size", "1"), "A batch of one question has nothing to tell it from"),
        (("encoder", "pairs.jsonl", "--dimensions", "many"), "--dimensions many are no numbers"),
        (("static", "--collection", "nothing"), "There is no collection 'nothing'"),
        (("questions", "--collection", "nothing"), "There is no collection 'nothing'"),
        (("questions", "--kinds", "riddle", "--collection", "nothing"), "There is no kind of question called 'riddle'"),
    ],
)
def test_what_cannot_be_is_told(models: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    rung, *rest = (models / each if each.endswith(".jsonl") else each for each in arguments)
    found = run("train", rung, *rest, "--out", tmp_path / "out", "--home", models)
    assert found.exit_code in (1, 2)
    assert message in found.stderr


def test_nothing_to_take_back_is_told(models: Path, tmp_path: Path) -> None:
    Collection("default", models, str(models / "static")).add([Given("a", "The pump in hall two was replaced.")])
    found = run("train", "rollback", "--home", models)
    assert found.exit_code == 1
    assert "Nothing that was promoted stands in collection 'default'" in found.stderr
    found = run("train", "promote", tmp_path, "--home", models)
    assert found.exit_code == 2
    assert "holds no encoder, reranker or generator" in found.stderr
