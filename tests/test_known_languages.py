"""Documents and questions in a language that the encoder does not know are told of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from indexer.collection import Collection
from indexer.encoders.known_languages import card_languages, unknown_languages
from indexer.sync import Given
from tests.worlds import WordEncoder

GERMAN = "Die Bibliothek öffnet am Montag um neun, und sie schließt um acht."
ENGLISH = "The library opens on Monday at nine, and it closes at eight."


@pytest.mark.parametrize(
    ("card", "languages"),
    [
        ("---\nlanguage: en\nlicense: mit\n---\n# A model\n", ["en"]),
        ("---\r\nlicense: mit\r\nlanguage:\r\n- en\r\n- de\r\ntags:\r\n- fr\r\n---\r\n", ["en", "de"]),
        ('---\nlanguage:\n  - "multilingual"\n  - pt-BR\n---\n', ["multilingual", "pt-br"]),
        ("---\nlanguage: [en, zh]\n---\n", ["en", "zh"]),
        ("---\nlanguage:\nlicense: mit\n---\n", []),
        ("---\nlicense: mit\n---\nlanguage: en\n", []),
        ("# A model\n\nlanguage: en\n", []),
        ("", []),
    ],
)
def test_a_model_card_names_languages_in_its_front_matter(tmp_path: Path, card: str, languages: list[str]) -> None:
    (tmp_path / "README.md").write_bytes(card.encode())
    assert card_languages(tmp_path) == languages


def test_a_model_without_a_card_names_none(tmp_path: Path) -> None:
    assert card_languages(tmp_path) == []


def write_receipt(home: Path, fingerprint: str, **settings: object) -> None:
    folder = home / "encoders" / fingerprint
    folder.mkdir(parents=True)
    plain = {"fingerprint": fingerprint, "dim": 8, "max_length": 8, "pad_id": 0, "query_prompt": "",
             "passage_prompt": "", "runs_through": "openvino", **settings}  # fmt: skip
    (folder / "receipt.json").write_text(json.dumps({"format": 1, "settings": plain, "files": {}}))


@pytest.mark.parametrize(
    ("settings", "unknown"),
    [
        ({"name": "a", "languages": ["en", "pt-br"]}, ["de"]),
        ({"name": "a", "languages": ["multilingual"]}, []),
        ({"name": "a", "languages": []}, []),
        ({"name": "a"}, []),
        ({"name": "all-MiniLM-L6-v2"}, ["de", "pt"]),  # a receipt of an older version
    ],
)
def test_what_is_unknown_is_what_the_card_does_not_name(
    tmp_path: Path, settings: dict[str, object], unknown: list[str]
) -> None:
    write_receipt(tmp_path, "a" * 64, **settings)
    assert unknown_languages(["de", "en", "pt"], "a" * 64, tmp_path) == unknown
    assert unknown_languages(["de"], "b" * 64, tmp_path) == []  # never converted here


def test_indexing_counts_documents_in_unknown_languages(tmp_path: Path) -> None:
    encoder = WordEncoder()
    write_receipt(tmp_path, encoder.fingerprint, name="words", languages=["en"])
    collection = Collection("both", tmp_path, encoder)
    assert collection.add([Given("en", ENGLISH)]).unknown_languages == {}
    assert collection.add([Given("de", GERMAN)]).unknown_languages == {"de": 1}
    assert collection.add([Given("de", GERMAN)]).unknown_languages == {}  # nothing changed


def test_the_commands_warn_of_a_language_that_the_encoder_does_not_know(home: Path, tmp_path: Path) -> None:
    (tmp_path / "de.txt").write_text(GERMAN)
    (tmp_path / "en.txt").write_text(ENGLISH)
    run = CliRunner().invoke
    indexed = run(cli.footnote, ["index", str(tmp_path / "de.txt"), str(tmp_path / "en.txt")])
    assert "in languages that the encoder does not know:\n    1 in German: they are found by" in indexed.output
    status = run(cli.footnote, ["status"]).output
    assert "1 in German, 1 in English" in status
    german = run(cli.footnote, ["search", "Wann öffnen die Bibliotheken?"])
    assert "de.txt" in german.stdout.split("2. ")[0]
    assert "in German, which the encoder all-MiniLM-L6-v2 does not know" in german.stderr
    assert run(cli.footnote, ["search", "Wann öffnen die Bibliotheken?", "--mode", "words"]).stderr == ""
    assert run(cli.footnote, ["search", "When do the libraries open?"]).stderr == ""
