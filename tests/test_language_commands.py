"""The commands of language models, from the shell's side, and few-shot prompting through `ask` and `eval qa`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from indexer.collection import Collection
from indexer.errors import UsageError
from rag.evaluation.qa import Options, evaluate
from rag.generators import open_generator
from rag.writing.endpoint_generator import EndpointGenerator
from rag.writing.few_shot import FewShot
from rag.writing.transformers_generator import TransformersGenerator
from tests.answers import passage
from tests.parrot import write_parrot
from tests.worlds import collection_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # transformers', torch's and peft's own
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
SAYS = ("The archive was", " opened in 1921 [1].")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.footnote, [str(each) for each in arguments])


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number}.txt").write_text(f"The archive of hall {number} was opened in {1900 + number}.\n" * 6)
    return folder


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    rows = [
        {"id": str(n), "question": f"When was hall {n} opened?", "context": f"Hall {n} was opened in {1900 + n}.",
         "answers": [str(1900 + n)], "title": f"Hall {n}"}
        for n in range(30)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def parrot(tmp_path: Path) -> Path:
    return write_parrot(tmp_path / "parrot", SAYS, chat=False, reads=8000)


def test_a_model_is_trained_and_told_beside_counted_n_grams(texts: Path, tmp_path: Path) -> None:
    small = ("--depth", 1, "--context", 32, "--vocab-size", 300, "--steps", 2, "--batch-size", 2, "--device", "cpu")
    tried = run("train", "lm", texts, "--out", tmp_path / "lm", *small, "--dry-run", "--json")
    assert tried.exit_code == 0, tried.output
    assert json.loads(tried.stdout)["estimate"]["batch_tokens"] == 64
    assert "1 layers, 64 wide" in tried.stderr
    assert not (tmp_path / "lm").exists()
    done = run("train", "lm", texts, "--out", tmp_path / "lm", *small)
    assert done.exit_code == 0, done.output
    assert "bits per byte: " in done.stdout
    assert "(n-grams: " in done.stdout
    refused = run("train", "lm", texts, "--out", tmp_path / "other", *small, "--resume")
    assert refused.exit_code == 2
    assert "There is no interrupted run" in refused.stderr


def test_a_language_model_is_taught_by_the_same_command(parrot: Path, questions: Path, tmp_path: Path) -> None:
    small = ("--steps", 1, "--batch-size", 2, "--held-out", 0.3, "--device", "cpu", "--dry-run", "--json")
    lora = run("train", "generator", questions, "--base", parrot, "--lora", "--out", tmp_path / "out", *small)
    assert lora.exit_code == 0, lora.output
    estimate = json.loads(lora.stdout)["estimate"]
    assert 0 < estimate["parameters"] < estimate["model_parameters"]
    soft = run("train", "prompt", questions, "--base", parrot, "--tokens", 5, "--out", tmp_path / "out", *small)
    assert json.loads(soft.stdout)["estimate"]["parameters"] == 5 * 264
    mixed = run("train", "generator", questions, "--base", parrot, "--encoder", "x", "--out", tmp_path / "out")
    assert mixed.exit_code == 2
    assert "is a language model" in mixed.stderr
    bare = run("train", "generator", questions, "--lora", "8", "--out", tmp_path / "out")
    assert "--lora changes a language model" in bare.stderr


# Few-shot


def test_a_generator_is_shown_the_most_similar_questions(parrot: Path, questions: Path, tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    generator = open_generator(str(parrot), collection, FewShot(2, questions))
    assert isinstance(generator, TransformersGenerator)
    text = generator.prompt("When was hall 7 opened again?", [passage("Hall 7 is shut.")]).text
    assert text.count("Example:") == 2
    assert "Question: When was hall 7 opened?\nAnswer: 1907 [1]\n\nNow the passages" in text
    assert "Example:" not in open_generator(str(parrot), collection).prompt("Why?", [passage("So.")]).text  # type: ignore[attr-defined]
    assert isinstance(open_generator("http://127.0.0.1:1/v1#m", collection, FewShot(2, questions)), EndpointGenerator)
    for name in ("quoting", "default", "a:B"):
        with pytest.raises(UsageError, match="is shown no examples"):
            open_generator(name, collection, FewShot(2, questions))


def test_an_evaluation_with_examples_is_another_run(parrot: Path, questions: Path, home: Path) -> None:
    options = Options(given=True, limit=2, alone=0)
    plain = evaluate(questions, options, generator=str(parrot), home=home)
    shown = evaluate(questions, options, generator=str(parrot), few_shot=FewShot(1, questions), home=home)
    assert plain.run.path != shown.run.path
    assert shown.run.manifest["generator"]["few_shot"]["count"] == 1
    assert "few_shot" not in plain.run.manifest["generator"]
    assert Collection("evaluation-given", home).exists
