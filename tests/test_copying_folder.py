"""A copying generator's folder: what is checked before anything is loaded, and what its fingerprint covers."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import GeneratorError
from rag.copying.conversion import check_files, is_converted
from rag.copying.folder import (
    CHECKED,
    GeneratorDamaged,
    base_encoder,
    check_weights,
    file_hash,
    is_copying,
    read_folder,
    tokenizer_file,
    write_sums,
)  # fmt: skip
from tests.small_encoder import write_json

CONFIG = {"model_type": "footnote-copying", "embeddings": "", "span_tokens": 6}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a model folder whose weights nobody will load."""
    path = tmp_path / "model"
    path.mkdir()
    write_json(path / "config.json", CONFIG)
    write_json(path / "confidence.json", {"given": {"threshold": 0.5}})
    (path / "tokenizer.json").write_text("{}")
    (path / "model.safetensors").write_bytes(b"weights")
    write_sums(path)
    return path


def test_without_a_tokenizer_of_its_own_it_reads_with_its_encoder(folder: Path) -> None:
    assert tokenizer_file(read_folder(folder)) == folder / "tokenizer.json"
    (folder / "tokenizer.json").unlink()
    write_sums(folder)
    assert tokenizer_file(read_folder(folder)) == base_encoder() / "tokenizer.json"


def test_a_sound_folder_is_read_and_its_weights_are_checked(folder: Path) -> None:
    found = read_folder(folder)
    assert found.config == CONFIG
    assert found.confidence == {"given": {"threshold": 0.5}}
    assert set(found.sums) == set(CHECKED)
    check_weights(found)
    assert is_copying(folder)


def test_the_sums_are_in_the_form_of_sha256sum(folder: Path) -> None:
    line = (folder / "SHA256SUMS").read_text().splitlines()[1]
    assert line == f"{hashlib.sha256(b'weights').hexdigest()}  model.safetensors"


def edited(name: str, content: object) -> Callable[[Path], None]:
    """Change a file and make the sums fit again, as one who means it would."""

    def edit(folder: Path) -> None:
        write_json(folder / name, content)
        write_sums(folder)

    return edit


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (lambda f: shutil.rmtree(f), "does not open"),
    "no sums": (lambda f: (f / "SHA256SUMS").unlink(), "does not open: .*SHA256SUMS"),
    "empty sums": (lambda f: (f / "SHA256SUMS").write_text(""), r"file config\.json .* is damaged"),
    "sums that are no text": (lambda f: (f / "SHA256SUMS").write_bytes(b"\xff"), "does not open"),
    "no config": (lambda f: (f / "config.json").unlink(), r"does not open: .*config\.json"),
    "a changed config": (lambda f: write_json(f / "config.json", {}), r"file config\.json .* is damaged"),
    "a changed confidence": (lambda f: write_json(f / "confidence.json", {}), r"file confidence\.json .* is damaged"),
    "a changed tokenizer": (lambda f: (f / "tokenizer.json").write_text("{ }"), r"file tokenizer\.json .* is damaged"),
    "another model": (edited("config.json", {"model_type": "bert"}), "does not hold a copying generator"),
    "no object": (edited("config.json", 5), "does not open"),
    "a list": (edited("confidence.json", [1]), "does not open"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_refused_with_its_name(damage: str, folder: Path) -> None:
    spoil, said = DAMAGES[damage]
    spoil(folder)
    with pytest.raises(GeneratorDamaged, match=said) as caught:
        read_folder(folder)
    assert str(folder) in caught.value.message
    assert "train it again" in caught.value.hint
    assert isinstance(caught.value, GeneratorError)


def test_damaged_weights_are_found_when_they_are_needed(folder: Path) -> None:
    found = read_folder(folder)
    (folder / "model.safetensors").write_bytes(b"weightz")
    with pytest.raises(GeneratorDamaged, match=r"model\.safetensors of the generator .* is damaged: its SHA-256 is"):
        check_weights(found)
    (folder / "model.safetensors").unlink()
    with pytest.raises(GeneratorDamaged, match="cannot be read"):
        check_weights(read_folder(folder))


def test_a_folder_is_known_by_its_config(folder: Path, tmp_path: Path) -> None:
    assert not is_copying(tmp_path)
    assert not is_copying(tmp_path / "gone")
    for content in ("{", "[]", "5", '{"model_type": "bert"}'):
        (folder / "config.json").write_text(content)
        assert not is_copying(folder)


CHANGES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "weights": (lambda f: (f / "model.safetensors").write_bytes(b"more"), True),
    "tokenizer": (lambda f: (f / "tokenizer.json").write_text("{ }"), True),
    "sizes": (lambda f: write_json(f / "config.json", {**CONFIG, "span_tokens": 7}), True),
    "encoder": (lambda f: write_json(f / "config.json", {**CONFIG, "embeddings": "a" * 64}), True),
    "confidence": (lambda f: write_json(f / "confidence.json", {}), False),
    "card": (lambda f: (f / "README.md").write_text("# A model"), False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_fingerprint_changes_with_whatever_is_converted(change: str, folder: Path) -> None:
    before = read_folder(folder).fingerprint
    assert len(before) == 64
    edit, changes = CHANGES[change]
    edit(folder)
    write_sums(folder)
    assert (read_folder(folder).fingerprint != before) == changes


def test_the_fingerprint_does_not_change_with_the_place(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    assert read_folder(other).fingerprint == read_folder(folder).fingerprint


# What is converted


@pytest.mark.parametrize(
    "receipt", ["{", "[]", "5", "{}", '{"format": 0}', '{"format": 1}', '{"format": 1, "files": 5}']
)
def test_a_receipt_that_makes_no_sense_is_no_conversion(receipt: str, folder: Path, tmp_path: Path) -> None:
    found = read_folder(folder)
    place = tmp_path / "home" / "generators" / found.fingerprint
    assert not is_converted(found, tmp_path / "home")
    place.mkdir(parents=True)
    (place / "receipt.json").write_text(receipt)
    assert not (is_converted(found, tmp_path / "home") and check_files(place))


def test_converted_files_are_compared_with_the_receipt(folder: Path, tmp_path: Path) -> None:
    found = read_folder(folder)
    place = tmp_path / "home" / "generators" / found.fingerprint
    (place / "reader").mkdir(parents=True)
    (place / "reader" / "model.xml").write_text("<net/>")
    files = {"reader/model.xml": file_hash(place / "reader" / "model.xml")}
    (place / "receipt.json").write_text(json.dumps({"format": 1, "files": files}))
    assert is_converted(found, tmp_path / "home")
    assert check_files(place)
    (place / "reader" / "model.xml").write_text("<net />")
    assert not check_files(place)
    (place / "reader" / "model.xml").unlink()
    assert not check_files(place)
