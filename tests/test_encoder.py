"""Opening encoders: what is refused, what a fingerprint covers, what happens to damaged files, what is imported."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from indexer.encoder import open_converted, open_encoder
from indexer.encoders import conversion
from indexer.encoders.batches import batches, in_halves, padded
from indexer.encoders.converted import converted_folder
from indexer.encoders.fingerprint import DEFAULT_FINGERPRINT, fingerprint_of
from indexer.encoders.model_folder import DEFAULT_NAME, find_model_folder, inspect_model_folder
from indexer.encoders.vectors import checked
from indexer.errors import EncoderError, InvalidVectors
from indexer.types import Vectors
from tests.small_encoder import write_json, write_small_encoder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_encoder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def fingerprint(folder: Path, home: Path) -> str:
    return open_encoder(str(folder), home).fingerprint


def _edit(path: Path, **changes: object) -> None:
    write_json(path, {**json.loads(path.read_bytes()), **changes})


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


DANGERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pickled weights": (lambda f: (f / "pytorch_model.bin").write_bytes(b"x"), "pytorch_model.bin can run code"),
    "a checkpoint": (lambda f: (f / "1_Pooling" / "w.PT").write_bytes(b"x"), "can run code"),
    "python": (lambda f: (f / "modeling.py").write_text(""), "modeling.py can run code"),
    "auto_map": (lambda f: _edit(f / "config.json", auto_map={"AutoModel": "m.M"}), "holds 'auto_map'"),
    "auto_map below": (lambda f: _edit(f / "tokenizer_config.json", a=[{"auto_map": 1}]), "holds 'auto_map'"),
    "attention of its own": (
        lambda f: _edit(f / "config.json", text_config={"_attn_implementation_internal": "x/y"}),
        "holds '_attn_implementation_internal'",
    ),
    "unknown type": (lambda f: _edit(f / "config.json", model_type="mystery"), "type 'mystery'"),
    "own module": (
        lambda f: write_json(f / "modules.json", [{"path": "", "type": "mine.Transformer"}]),
        "module 'mine.Transformer'",
    ),
    "path outside": (
        lambda f: write_json(
            f / "modules.json", [{"path": "../x", "type": "sentence_transformers.models.Transformer"}]
        ),
        "points outside",
    ),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "has no tokenizer.json"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "is missing"),
    "cut-off weights": (lambda f: _cut_off(f / "model.safetensors"), "is cut off"),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), "is cut off"),
    "weights that are text": (lambda f: (f / "model.safetensors").write_text("version https://git-lfs" * 9), "cut off"),
    "an adapter": (lambda f: write_json(f / "adapter_config.json", {}), "is an adapter to another model"),
    "an adapter of a module": (lambda f: write_json(f / "1_Pooling" / "adapter_config.json", {}), "is an adapter"),
    "broken config": (lambda f: (f / "config.json").write_text("{"), "does not read as JSON"),
}


@pytest.mark.parametrize("danger", DANGERS)
def test_a_dangerous_or_broken_folder_is_refused_before_loading(danger: str, tmp_path: Path) -> None:
    model = write_small_encoder(tmp_path / "model")
    spoil, message = DANGERS[danger]
    spoil(model)
    with pytest.raises(EncoderError, match=message):
        open_encoder(str(model), tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_an_unknown_name_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no encoder 'somebody/no-such-model' on this machine"):
        open_encoder("somebody/no-such-model", tmp_path)


def test_a_name_longer_than_any_file_has_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="There is no encoder 'xxx"):
        open_encoder("x" * 5000, tmp_path)


def test_the_default_is_read_as_published() -> None:
    model = inspect_model_folder(find_model_folder(DEFAULT_NAME))
    assert (model.pooling, model.max_length, model.only_torch) == ("mean", 256, "")


@pytest.mark.parametrize(
    "change",
    [
        lambda f: write_small_encoder(f, seed=1),
        lambda f: write_small_encoder(f, pooling="cls"),
        lambda f: write_small_encoder(f, max_length=31),
        lambda f: write_small_encoder(f, prompts={"query": "q: "}),
        lambda f: _edit(f / "tokenizer.json", truncation=None, added_tokens=[]),
        lambda f: _edit(f / "config.json", hidden_act="relu"),
    ],
    ids=["weights", "pooling", "length", "prompts", "tokenizer", "architecture"],
)
def test_the_fingerprint_changes_with_whatever_changes_vectors(
    change: Callable[[Path], object], tmp_path: Path
) -> None:
    model = write_small_encoder(tmp_path / "model")
    before = fingerprint_of(inspect_model_folder(model), tmp_path)
    assert fingerprint_of(inspect_model_folder(model), tmp_path / "other") == before
    change(model)
    assert fingerprint_of(inspect_model_folder(model), tmp_path) != before


def projected(folder: Path, *, scale: float = 1.0, activation: str = "Identity", place: str = "2_Projection") -> Path:
    """Write a small encoder with a Dense module, which sentence-transformers finds by modules.json, not by its name."""
    write_small_encoder(folder)
    kinds = (("Transformer", ""), ("Pooling", "1_Pooling"), ("Dense", place))
    modules = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for kind, path in kinds]
    write_json(folder / "modules.json", modules)
    (folder / place).mkdir(exist_ok=True)
    activated = f"torch.nn.modules.activation.{activation}"
    write_json(
        folder / place / "config.json", {"in_features": 32, "out_features": 32, "activation_function": activated}
    )
    save_file({"linear.weight": scale * np.eye(32, dtype=np.float32)}, folder / place / "model.safetensors")
    return folder


@pytest.mark.parametrize(
    "change",
    [
        lambda f: projected(f, scale=-1.0),
        lambda f: projected(f, activation="Tanh"),
        lambda f: write_json(f / "2_Projection" / "more.json", {"bias": True}),
        lambda f: _edit(f / "tokenizer_config.json", do_lower_case=False),
        lambda f: (f / "vocab.txt").write_text("[PAD]"),
        lambda f: _edit(f / "sentence_bert_config.json", modality_config={"text": {"method": "forward"}}),
        lambda f: write_json(f / "sentence_roberta_config.json", {"max_seq_length": 9}),
        lambda f: _edit(f / "1_Pooling" / "config.json", layer=1),
    ],
    ids=["weights", "activation", "file", "tokenizer", "vocabulary", "settings", "other settings", "pooling"],
)
def test_the_fingerprint_covers_every_file_of_every_module(change: Callable[[Path], object], tmp_path: Path) -> None:
    """Modules outside the expected names and an activation did not count: two encoders with other vectors were one."""
    model = projected(tmp_path / "model")
    before = fingerprint_of(inspect_model_folder(model), tmp_path)
    change(model)
    assert fingerprint_of(inspect_model_folder(model), tmp_path) != before


def test_the_fingerprint_leaves_out_what_is_no_part_of_the_model(tmp_path: Path) -> None:
    one = projected(tmp_path / "one")
    other = projected(tmp_path / "two", place="head")
    (other / "README.md").write_text("A card.")
    (other / "training.svg").write_text("<svg/>")
    assert len({fingerprint_of(inspect_model_folder(model), tmp_path) for model in (one, other)}) == 1


def test_the_fingerprint_of_the_default_is_the_one_that_collections_remember(tmp_path: Path) -> None:
    model = inspect_model_folder(find_model_folder(DEFAULT_NAME))
    remembered = "5ebc982bebcc2e57e7bccafaafb3d62c13cdc6f29eb7c89e604e8574aef178b9"
    assert fingerprint_of(model, tmp_path) == remembered == DEFAULT_FINGERPRINT


def test_the_default_is_converted_without_sentence_transformers_as_with_it() -> None:
    model = inspect_model_folder(find_model_folder(DEFAULT_NAME))
    short, long = conversion._shipped_original(model), conversion._original(model)
    assert short.pad_id == long.pad_id
    assert np.abs(short.truth - long.truth).max() < 1e-5


def test_the_fingerprint_does_not_change_with_a_name_or_place(tmp_path: Path) -> None:
    one, two = write_small_encoder(tmp_path / "one"), write_small_encoder(tmp_path / "two")
    _edit(two / "config.json", _name_or_path="elsewhere", transformers_version="9")
    assert len({fingerprint_of(inspect_model_folder(model), tmp_path) for model in (one, two)}) == 1


def test_weights_are_not_hashed_again_while_the_file_is_the_same(tmp_path: Path) -> None:
    model = inspect_model_folder(write_small_encoder(tmp_path / "model"))
    fingerprint_of(model, tmp_path)
    cache = tmp_path / "encoders" / "fingerprints.json"
    known = json.loads(cache.read_text())
    write_json(cache, {path: [*entry[:-1], "remembered"] for path, entry in known.items()})
    remembered = fingerprint_of(model, tmp_path)
    cache.write_text("not json")
    assert fingerprint_of(model, tmp_path) != remembered


def test_what_was_converted_opens_by_its_fingerprint(folder: Path, home: Path, fingerprint: str) -> None:
    opened, again = open_encoder(str(folder), home), open_converted(fingerprint, home)
    assert again.name == str(folder)
    assert opened.embed_queries(["cat"]).tobytes() == again.embed_queries(["cat"]).tobytes()


def test_the_conversion_leaves_nothing_behind(home: Path, fingerprint: str) -> None:
    assert {path.name for path in (home / "encoders").iterdir()} == {fingerprint, "fingerprints.json"}


def test_a_fingerprint_that_was_not_converted_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="is not converted on this machine") as raised:
        open_converted("0" * 64, tmp_path)
    assert "doctor" in raised.value.hint
    with pytest.raises(EncoderError, match="not the fingerprint"):
        open_converted("../../etc", tmp_path)


@pytest.mark.parametrize("name", ["model.bin", "model.xml", "tokenizer.json", "receipt.json"])
def test_a_damaged_or_missing_file_is_noticed(name: str, home: Path, fingerprint: str, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    path = converted_folder(fingerprint, tmp_path) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))
    path.with_name("compiled.blob").unlink(missing_ok=True)  # else the weights are not needed, and not read
    with pytest.raises(EncoderError, match=r"damaged|receipt"):
        open_converted(fingerprint, tmp_path)
    path.unlink()
    with pytest.raises(EncoderError, match=r"missing|not converted"):
        open_converted(fingerprint, tmp_path)


def test_indexing_mends_a_damaged_encoder(folder: Path, home: Path, fingerprint: str, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    (converted_folder(fingerprint, tmp_path) / "model.bin").write_bytes(b"")
    expected = open_encoder(str(folder), tmp_path).embed_queries(["cat"])
    assert open_converted(fingerprint, tmp_path).embed_queries(["cat"]).tobytes() == expected.tobytes()
    assert {path.name for path in (tmp_path / "encoders").iterdir()} == {fingerprint, "fingerprints.json"}


def test_prompts_are_read_by_the_names_that_sentence_transformers_uses(tmp_path: Path) -> None:
    prompts = {"query": "q: ", "document": "", "corpus": "c: "}
    model = inspect_model_folder(write_small_encoder(tmp_path, prompts=prompts))
    assert (model.query_prompt, model.passage_prompt) == ("q: ", "c: ")


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 5000])
def test_a_damaged_compiled_model_is_made_again(content: bytes, home: Path, fingerprint: str) -> None:
    expected = open_converted(fingerprint, home).embed_queries(["cat"])
    blob = converted_folder(fingerprint, home) / "compiled.blob"
    blob.unlink()
    blob.write_bytes(content)
    assert open_converted(fingerprint, home).embed_queries(["cat"]).tobytes() == expected.tobytes()
    assert blob.stat().st_size > 5000


def test_asking_imports_no_torch_and_no_telemetry(home: Path, fingerprint: str) -> None:
    program = (
        "import sys; from pathlib import Path; from indexer.encoder import open_converted\n"
        "open_converted(sys.argv[1], Path(sys.argv[2])).embed_queries(['cat'])\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'openvino_telemetry', 'openvino.tools.ovc'}\n"
        "sys.exit(', '.join(name for name in heavy if sys.modules.get(name) is not None) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, fingerprint, str(home)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_batches_hold_texts_of_one_padded_length_longest_first() -> None:
    """Lengths are padded to 8, 16, ... and at most 1024 padded tokens go together: 4 texts of 256."""
    found = list(batches([3, 250, 8, 9, 256, 256, 249, 255], 256))
    assert found == [[4, 5, 7, 1], [6], [3], [2, 0]]
    assert list(batches([], 256)) == []
    ids, mask = padded([[5, 6, 7], [8]], 0, 256)
    assert ids.shape == (2, 8)
    assert ids[:, :4].tolist() == [[5, 6, 7, 0], [8, 0, 0, 0]]
    assert mask.sum(axis=1).tolist() == [3, 1]


def test_a_lack_of_memory_halves_the_batch() -> None:
    sizes: list[int] = []

    def run(tokens: Sequence[Sequence[int]]) -> Vectors:
        sizes.append(len(tokens))
        if len(tokens) > 2:
            raise RuntimeError("std::bad_alloc") if len(tokens) == 8 else MemoryError
        return np.array([[row[0]] for row in tokens], dtype=np.float32)

    assert in_halves(run, [[n] for n in range(8)])[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert sizes == [8, 4, 2, 2, 4, 2, 2]


def test_a_text_that_alone_does_not_fit_is_an_error_and_other_faults_are_not_hidden() -> None:
    def full(tokens: Sequence[Sequence[int]]) -> Vectors:
        raise MemoryError

    def wrong(tokens: Sequence[Sequence[int]]) -> Vectors:
        raise RuntimeError("shapes disagree")

    with pytest.raises(EncoderError, match="Not enough memory to embed one text of 2 tokens"):
        in_halves(full, [[1, 2], [3, 4]])
    with pytest.raises(RuntimeError, match="shapes disagree"):
        in_halves(wrong, [[1], [2]])


def test_vectors_that_are_not_finite_unit_rows_do_not_pass() -> None:
    unit = np.eye(3, 4)
    assert checked(unit, 3, 4).dtype == np.float32
    with pytest.raises(InvalidVectors, match=r"shape \(3, 4\); expected \(2, 4\)"):
        checked(unit, 2, 4)
    for value in (np.nan, np.inf, 0.0, 3.0):
        spoiled = unit.copy()
        spoiled[1, 1] = value
        with pytest.raises(InvalidVectors, match="row 1"):
            checked(spoiled, 3, 4)


OPEN = """
import sys
from pathlib import Path
from indexer.encoder import open_encoder
from indexer.encoders import conversion
convert = conversion.convert
def noted(*given):
    print("converted", flush=True)
    return convert(*given)
conversion.convert = noted
open_encoder(sys.argv[1], Path(sys.argv[2]))
"""


def test_two_processes_that_need_a_model_at_once_convert_it_once(folder: Path, tmp_path: Path) -> None:
    """Both converted it, and the second replaced what the first one had opened."""
    command = [sys.executable, "-c", OPEN, str(folder), str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert "".join(printed).count("converted") == 1
