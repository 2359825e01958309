"""Tokenizers learnt from texts: that they give back what they read, what is measured, and what is written."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

import cli
from finetune.data.fertility import measure, shown_words
from finetune.data.tokenizing import learn
from finetune.data.vocabularies import Kind, Options, trained
from finetune.language.tokens import encoded, open_tokenizer
from indexer.errors import UsageError

THINGS = ("pump", "gasket", "lantern", "archive", "river", "schoolteacher")


def texts(count: int = 60) -> list[str]:
    chance = random.Random(3)
    return [
        " ".join(
            f"The {chance.choice(THINGS)}{chance.choice(' ,;:')} that{chance.choice(' ,')} mended{chance.choice('.!')}"
            for _ in range(8)
        )
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for number, text in enumerate(texts()):
        (folder / f"{number:02}.txt").write_text(text)
    return folder


@pytest.fixture(scope="module", params=["bpe", "wordpiece", "unigram"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return trained(texts(), Options(kind=request.param, vocab_size=400))


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_any_text_is_given_back_as_it_was(kind: Kind) -> None:
    learnt = trained(texts(), Options(kind=kind, vocab_size=400))

    @given(text=st.text(max_size=60))
    def given_back(text: str) -> None:
        assert learnt.decode(learnt.encode(text).ids, skip_special_tokens=False) == text

    given_back()


def test_frequent_words_are_one_token(tokenizer: Any) -> None:
    for word in (*THINGS, "that", "mended"):
        assert len(tokenizer.encode(f" {word}", add_special_tokens=False).ids) == 1


def test_the_same_texts_give_the_same_tokenizer(tokenizer: Any) -> None:
    kinds: dict[str, Kind] = {"BPE": "bpe", "WordPiece": "wordpiece", "Unigram": "unigram"}
    again = trained(texts(), Options(kind=kinds[type(tokenizer.model).__name__], vocab_size=400))
    assert again.to_str() == tokenizer.to_str()


def test_capitals_can_be_forgotten_by_wordpiece() -> None:
    pieces = trained(texts(), Options(kind="wordpiece", vocab_size=300, cased=False)).encode("THE Pump").tokens
    assert pieces == ["the", "pump"]


def test_the_measures_are_those_that_one_counts_by_hand() -> None:
    """Of "ab cd x" the words are 1, 2 and 1 tokens; the x is unknown; 7 bytes in 4 tokens; 4 of 5 characters known."""
    own = Tokenizer(models.WordPiece({"[UNK]": 0, "ab": 1, "c": 2, "##d": 3, "never": 4}, unk_token="[UNK]"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    found = measure(own, ["ab cd x\n\n"])
    assert (found.vocabulary, found.words, found.tokens) == (5, 3, 4)
    assert found.fertility == pytest.approx(4 / 3)
    assert found.whole == pytest.approx(2 / 3)
    assert found.bytes_a_token == pytest.approx(7 / 4)
    assert found.coverage == pytest.approx(4 / 5)
    assert found.given_back == 0.0
    assert found.used == pytest.approx(4 / 5)


def test_words_are_shown_in_pieces_beside_the_default(tokenizer: Any) -> None:
    shown = shown_words(tokenizer, tokenizer, texts(), ["schoolteachers", "zebra"])
    assert [each.word for each in shown[:2]] == ["schoolteachers", "zebra"]
    assert shown[0].own[-2:] == ("schoolteacher", "s")
    assert {"that", "mended"} <= {each.word for each in shown}
    assert all("".join(each.own) == each.word for each in shown if "·" not in each.own)


def test_a_folder_is_left_that_a_language_model_can_be_trained_with(files: Path, tmp_path: Path) -> None:
    found = learn([files], tmp_path / "tokenizer", Options(vocab_size=400))
    assert found.vocabulary <= 400
    assert set(found.cuttings) == {"own", "default"}
    assert found.cuttings["own"].given_back == 1.0
    assert found.cuttings["own"].coverage == 1.0
    opened = open_tokenizer(found.folder, "next")
    assert len(encoded(["The pump was mended."], opened)) > 4
    assert opened.decode(encoded(["The pump."], opened)[:-1]) == "The pump."
    told = json.loads((found.folder / "report.json").read_text())
    assert told["vocabulary"] == found.vocabulary
    card = (found.folder / "README.md").read_text()
    assert "tokens a word (fertility)" in card
    assert "00.txt" in card


def test_special_tokens_in_a_text_are_text(files: Path, tmp_path: Path) -> None:
    found = learn([files], tmp_path / "tokenizer", Options(vocab_size=400))
    opened = open_tokenizer(found.folder, "next")
    ids = encoded(["a <|end|> b"], opened).tolist()
    assert ids.count(opened.eos_token_id) == 1


def test_nothing_is_overwritten_and_a_dry_run_leaves_nothing(files: Path, tmp_path: Path) -> None:
    told: list[str] = []
    learn([files], tmp_path / "tokenizer", Options(vocab_size=300), dry_run=True, announce=told.append)
    assert not list(tmp_path.iterdir())
    assert "60 texts" in told[0]
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "own.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something already"):
        learn([files], tmp_path / "tokenizer")
    with pytest.raises(UsageError, match="bpe keeps capitals"):
        learn([files], tmp_path / "other", Options(cased=False))


def test_the_command_shows_how_words_are_cut(files: Path, tmp_path: Path) -> None:
    arguments = [
        "train",
        "tokenizer",
        str(files),
        "--vocab-size",
        "400",
        "--show",
        "gaskets",
        "--out",
        str(tmp_path / "t"),
    ]
    done = CliRunner().invoke(cli.footnote, arguments)
    assert done.exit_code == 0, done.output
    assert "tokens a word (fertility)" in done.output
    assert "| gaskets | gasket · s |" in done.output
