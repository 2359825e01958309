"""The network in its folder: saved in half precision, frozen embeddings from the encoder, damage told plainly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.errors import UserError
from rag.copying.folder import file_hash
from rag.copying.layout import Tokens
from rag.copying.model import EMBEDDINGS, CopyingConfig, CopyingModel, warm_start
from tests.small_encoder import write_json, write_small_encoder
from tests.small_generator import LAYOUT, small_config, small_model

VOCABULARY = 103


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def config(encoder: Path) -> CopyingConfig:
    return small_config(len(Tokens(encoder / "tokenizer.json", LAYOUT).never_written()))


def inputs(seed: int = 0, count: int = 3, length: int = 9) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 60, (count, length), generator=chance)
    types = (torch.arange(length) > 3).long().expand(count, -1)
    return ids, types, torch.ones_like(ids)


def halved(model: CopyingModel) -> CopyingModel:
    """Return the model with its weights as they come back from half precision."""
    model.load_state_dict({name: value.half().float() for name, value in model.state_dict().items()})
    return model


def same(one: CopyingModel, other: CopyingModel) -> None:
    assert set(one.state_dict()) == set(other.state_dict())
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


# Reading


def test_a_reading_has_a_row_for_each_token(config: CopyingConfig) -> None:
    read = small_model(config)(*inputs())
    assert [tuple(each.shape) for each in (read.hidden, read.start, read.end, read.first, read.last)] == [
        (3, 9, 32), (3, 9), (3, 9), (3, 9, 4), (3, 9, 4),
    ]  # fmt: skip


def test_padding_and_neighbours_change_no_reading(config: CopyingConfig) -> None:
    model = small_model(config)
    ids, types, mask = inputs()
    alone = model(ids[1:2], types[1:2], mask[1:2])
    padded_ids = torch.cat([ids, torch.full((3, 6), 7)], dim=1)
    padded_types, padded_mask = (torch.cat([each, torch.zeros(3, 6).long()], dim=1) for each in (types, mask))
    beside = model(padded_ids, padded_types, padded_mask)
    for name in ("hidden", "start", "end", "first", "last"):
        torch.testing.assert_close(getattr(beside, name)[1, :9], getattr(alone, name)[0], atol=1e-5, rtol=1e-5)


def test_what_says_nothing_here_is_taken_off_every_start(config: CopyingConfig) -> None:
    model = small_model(config)
    before = model(*inputs())
    with torch.no_grad():
        model.nothing[2].get_parameter("bias").add_(2.5)
    after = model(*inputs())
    torch.testing.assert_close(after.start, before.start - 2.5)
    assert torch.equal(after.end, before.end)


def test_what_links_the_ends_of_a_span_does_not_grow_with_its_rank(config: CopyingConfig) -> None:
    """Divided by the root of the rank, as attention is; here that is 4."""
    model = small_model(config)
    read = model(*inputs())
    first, last = model.links(read.hidden).chunk(2, dim=-1)
    torch.testing.assert_close(read.first, first / 2)
    assert torch.equal(read.last, last)


def test_the_layout_of_the_configuration_is_the_models(config: CopyingConfig) -> None:
    assert small_model(config).layout == LAYOUT


# Folders


def test_saving_and_opening_keeps_every_weight_to_half_precision(
    config: CopyingConfig, encoder: Path, tmp_path: Path
) -> None:
    model = small_model(config)
    model.save_pretrained(tmp_path / "model")
    saved = load_file(tmp_path / "model" / "model.safetensors")
    assert {value.dtype for value in saved.values()} == {torch.float16}
    opened = CopyingModel.from_pretrained(tmp_path / "model")
    assert {value.dtype for value in opened.state_dict().values()} == {torch.float32}
    assert not opened.training
    same(opened, halved(model))
    assert torch.equal(opened(*inputs()).start, model(*inputs()).start)
    assert opened.config.to_dict() == {**config.to_dict(), "transformers_version": opened.config.transformers_version}


def test_a_model_that_does_not_write_has_no_decoder(encoder: Path, config: CopyingConfig, tmp_path: Path) -> None:
    spans_only = small_config(config.encoder["vocab_size"], writes=False)
    model = small_model(spans_only)
    assert not any(name.startswith("decoder") for name in model.state_dict())
    model.save_pretrained(tmp_path)
    same(CopyingModel.from_pretrained(tmp_path), halved(model))


def test_saving_again_gives_the_same_bytes(config: CopyingConfig, tmp_path: Path) -> None:
    for name in ("one", "two"):
        small_model(config).save_pretrained(tmp_path / name)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_warm_start_has_the_encoders_weights_and_new_ones_by_the_seed(encoder: Path, config: CopyingConfig) -> None:
    def started(seed: int) -> CopyingModel:
        torch.manual_seed(seed)
        return warm_start(encoder / "model.safetensors", config)

    found, model = load_file(encoder / "model.safetensors"), started(1)
    for name, value in found.items():
        assert torch.equal(model.encoder.state_dict()[name], value), name
    same(model, started(1))
    assert not torch.equal(model.spans.weight, started(2).spans.weight)
    assert model.decoder.rarely.item() == -10.0


def test_a_warm_start_from_other_weights_is_refused(encoder: Path, config: CopyingConfig, tmp_path: Path) -> None:
    found = load_file(encoder / "model.safetensors")
    del found["encoder.layer.1.output.dense.bias"]
    save_file(found, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=r"lack 'encoder\.layer\.1\.output\.dense\.bias'"):
        warm_start(tmp_path / "model.safetensors", config)


# Frozen embeddings


@pytest.fixture
def frozen(encoder: Path, config: CopyingConfig, tmp_path: Path) -> tuple[Path, CopyingModel]:
    """Return a saved model that borrows its embeddings, and the model."""
    borrowing = small_config(config.encoder["vocab_size"], embeddings=file_hash(encoder / "model.safetensors"))
    model = warm_start(encoder / "model.safetensors", borrowing)
    model.save_pretrained(tmp_path / "frozen")
    return tmp_path / "frozen", model


def test_frozen_embeddings_are_left_out_and_taken_from_the_encoder(
    frozen: tuple[Path, CopyingModel], encoder: Path
) -> None:
    folder, model = frozen
    assert not any(name.startswith(EMBEDDINGS) for name in load_file(folder / "model.safetensors"))
    opened = CopyingModel.from_pretrained(folder, encoder)
    for name, value in model.state_dict().items():
        expected = value if name.startswith(EMBEDDINGS) else value.half().float()  # borrowed ones lose nothing
        assert torch.equal(opened.state_dict()[name], expected), name


def test_embeddings_of_another_encoder_are_refused(frozen: tuple[Path, CopyingModel], tmp_path: Path) -> None:
    other = write_small_encoder(tmp_path / "other", seed=1)
    with pytest.raises(UserError, match="trained on an encoder whose weights have the SHA-256"):
        CopyingModel.from_pretrained(frozen[0], other)
    (other / "model.safetensors").unlink()
    with pytest.raises(UserError, match="no weights in"):
        CopyingModel.from_pretrained(frozen[0], other)


# Damage


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def edited(name: str, value: torch.Tensor | None) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        tensors.pop(name, None)
        save_file({**tensors, **({} if value is None else {name: value})}, folder / "model.safetensors")

    return edit


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "does not open"),
    "cut-off weights": (lambda f: cut_off(f / "model.safetensors"), "does not open"),
    "weights that are text": (lambda f: (f / "model.safetensors").write_text("version https://"), "does not open"),
    "a tensor too few": (edited("spans.bias", None), r"do not fit its config\.json: spans\.bias"),
    "a tensor too many": (edited("more", torch.zeros(2)), r"do not fit its config\.json: more"),
    "a tensor of another shape": (edited("spans.bias", torch.zeros(3)), "does not open: .*spans.bias"),
    "no configuration": (lambda f: (f / "config.json").unlink(), "does not open"),
    "a broken configuration": (lambda f: (f / "config.json").write_text("{"), "does not open"),
    "no object": (lambda f: (f / "config.json").write_text("[]"), "does not open"),
    "other sizes": (
        lambda f: write_json(f / "config.json", {**json.loads((f / "config.json").read_bytes()), "span_rank": 5}),
        "does not open: .*links",
    ),
}


@pytest.fixture(scope="module")
def sound(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    small_model(small_config(VOCABULARY)).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_an_error_with_its_name(damage: str, sound: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sound, tmp_path / "model"))
    spoil, said = DAMAGES[damage]
    spoil(folder)
    with pytest.raises(UserError, match=rf"(?s){folder}.*{said}|{said}") as caught:
        CopyingModel.from_pretrained(folder)
    assert str(folder) in caught.value.message
    assert caught.value.hint


def test_a_folder_that_is_not_there_is_not_looked_for_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="owner/model does not open"):
        CopyingModel.from_pretrained("owner/model")
