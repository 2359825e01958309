"""The precision of vectors: recorded beside each, told, carried along, and kept apart where it makes a difference."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from indexer.collection import Collection
from indexer.doctor import examine
from indexer.encoders.converted import converted_folder
from indexer.encoders.precision import FILE, VARIABLE, Precision, keep
from indexer.errors import EncoderMismatch, ImportRefused, UsageError
from indexer.glance import glance
from indexer.precisions import likeness_in, together, why_apart
from indexer.sync import Given
from indexer.transfer import export_collection, import_collection
from indexer.writer import write
from rag.engine import Engine
from tests.test_transfer import changed_line, members_of, rewritten
from tests.worlds import PASSAGES, WordEncoder, collection_of, make_older, write_folder

ALIKE = {"bf16": (1.0, 0.999), "int8": (0.997, 0.99)}
"""Likeness to single precision, mean and least, of a model that keeps it."""


@dataclass(frozen=True)
class Rounding(WordEncoder):
    """An encoder that tells in which precision it runs."""

    precision: str = "fp32"


@pytest.fixture(autouse=True)
def _nothing_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def measured(home: Path, usual: str, likeness: Mapping[str, tuple[float, float]] = ALIKE) -> None:
    """Make `home` a machine on which the encoder was measured to be fastest in the precision `usual`."""
    folder = converted_folder(WordEncoder().fingerprint, home)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).unlink(missing_ok=True)
    keep(folder, Precision(usual, "fp32", {usual: 100.0}, likeness))


def world(home: Path, precision: str, name: str = "world") -> Collection:
    return Collection(name, home, encoder=Rounding(precision=precision))


def detail(collection: Collection) -> tuple[bool, str]:
    return next((each.healthy, each.detail) for each in examine(collection) if each.check == "precision")


def stored(collection: Collection, table: str) -> list[str]:
    with sqlite3.connect(collection.database) as connection:
        found = connection.execute(f"SELECT precision FROM {table} ORDER BY 1").fetchall()
    connection.close()
    return [row[0] for row in found]


@pytest.mark.parametrize(
    ("names", "likeness", "why"),
    [
        ([], {}, ""),
        (["int8"], {}, ""),
        (["int8", "int8", ""], {}, ""),
        (["fp32", "int8"], ALIKE, ""),
        (["bf16", "fp32", "int8"], ALIKE, ""),
        (["bf16", "int8"], {"int8": (0.997, 0.99)}, "how like bf16 is to fp32 was not measured"),
        (["fp32", "int8"], {"int8": (0.995, 0.98)}, ""),
        (["fp32", "int8"], {"int8": (0.9949, 0.98)}, "cosine of int8 to fp32 is 0.995 on average"),
        (["bf16", "int8"], {**ALIKE, "int8": (0.999, 0.9799)}, "0.980 at least"),
    ],
)
def test_vectors_live_together_while_each_precision_is_like_the_single_one(
    names: list[str], likeness: Mapping[str, tuple[float, float]], why: str
) -> None:
    found = why_apart(names, likeness)
    assert why in found
    assert bool(found) == bool(why)


def test_of_two_measurements_the_lesser_counts() -> None:
    assert together({"int8": (0.99, 0.95), "bf16": (1.0, 1.0)}, {"int8": (0.98, 0.96)}) == {
        "int8": (0.98, 0.95),
        "bf16": (1.0, 1.0),
    }


def test_each_vector_is_recorded_with_its_precision(tmp_path: Path) -> None:
    measured(tmp_path, "int8")
    world(tmp_path, "int8").add([Given("a", "A pump."), Given("b", "A hive.")])
    one = world(tmp_path, "fp32")
    one.add([Given("c", "A pump."), Given("d", "Green tea.")])  # the first has a vector already: it stays what it was
    assert stored(one, "vectors") == ["fp32", "int8", "int8", "int8"]
    assert one.status().precisions == ["fp32", "int8"]
    assert (one.document_precisions("c"), one.document_precisions("d")) == (["int8"], ["fp32"])
    with write(one, purpose="test") as writer:
        writer.publish(all_of_it=True)
    assert stored(one, "segments") == ["fp32,int8"]
    seen = glance(tmp_path, "world")
    assert seen is not None
    assert seen.precisions == ("fp32", "int8")
    assert detail(one) == (True, "vectors made in fp32 and int8 (cosine to fp32 0.9970, at least 0.9900)")
    one.remove(["d"])
    one.add([Given(f"more {n}", f"Text number {n}.") for n in range(3)])
    assert one.status().precisions == ["fp32", "int8"]


def test_vectors_that_differ_too_much_are_not_mixed(tmp_path: Path) -> None:
    measured(tmp_path, "fp32", {"int8": (0.97, 0.91)})
    one = world(tmp_path, "fp32")
    one.add([Given("a", "A pump.")])
    eight = world(tmp_path, "int8")
    with pytest.raises(EncoderMismatch, match="holds vectors in fp32, and the encoder runs in int8 here") as refused:
        eight.add([Given("b", "A hive.")])
    assert "--precision fp32" in refused.value.hint
    assert "footnote index --rebuild --collection world --precision int8" in refused.value.hint
    assert one.status().precisions == ["fp32"]
    assert detail(one)[0]
    eight.sync([], rebuild=True)  # beside, and then switched
    assert world(tmp_path, "int8").status().precisions == ["int8"]
    assert stored(eight, "vectors") == ["int8"]


def test_a_question_in_a_precision_too_different_is_told_by_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(tmp_path, "fp32", {"int8": (0.97, 0.91)})
    one = world(tmp_path, "fp32")
    one.add([Given("a", "A pump.")])
    assert detail(one) == (True, "vectors made in fp32")
    monkeypatch.setenv(VARIABLE, "int8")
    healthy, found = detail(one)
    assert not healthy
    assert found.startswith("vectors in fp32, and questions in int8: the cosine of int8 to fp32 is 0.970")
    assert "footnote index PATH --rebuild" in found


def test_an_encoder_that_does_not_tell_is_mixed_as_ever(tmp_path: Path) -> None:
    one = collection_of(tmp_path)
    one.add([Given("a", "A pump.")])
    assert one.status().precisions == [""]
    assert detail(one) == (True, "vectors made in an unknown precision")


def test_vectors_of_an_older_version_are_taken_for_what_is_fastest_here(tmp_path: Path) -> None:
    """They were made before the precision was recorded, by the same program on, most likely, the same machine."""
    measured(tmp_path, "bf16", {})
    one = world(tmp_path, "bf16")
    one.add([Given(name, text) for name, text in PASSAGES.items()])
    with write(one, purpose="test") as writer:
        writer.publish(all_of_it=True)
    one.close()
    make_older(one.database, "0003")
    opened = world(tmp_path, "bf16")
    assert opened.status().precisions == ["bf16"]
    assert stored(opened, "segments") == [""]
    assert all(each.healthy for each in examine(opened))
    opened.add([Given("a", "A hoist.")])
    assert stored(opened, "vectors") == ["", "", "", "", "bf16"]
    with pytest.raises(EncoderMismatch, match="holds vectors in bf16, and the encoder runs in int8"):
        world(tmp_path, "int8").add([Given("b", "A hive.")])


def test_a_repaired_vector_is_recorded_with_the_precision_of_now(tmp_path: Path) -> None:
    measured(tmp_path, "int8")
    one = world(tmp_path, "int8")
    one.add([Given("a", "A pump."), Given("b", "A hive.")])
    with sqlite3.connect(one.database) as connection:
        connection.execute("DELETE FROM vectors WHERE chunk_id = 1")
    connection.close()
    assert examine(world(tmp_path, "fp32"), repair=True)
    assert stored(one, "vectors") == ["fp32", "int8"]


def test_an_export_takes_precision_and_likeness_along(tmp_path: Path) -> None:
    """The machine that it comes to may never have measured that precision."""
    here, there = tmp_path / "here", tmp_path / "there"
    measured(here, "int8")
    measured(there, "bf16", {"bf16": (1.0, 0.999)})
    world(here, "int8").add([Given("a", "A pump."), Given("b", "A hive.")])
    export_collection(world(here, "int8"), tmp_path / "all.footnote")
    copy = world(there, "bf16", "copy")
    import_collection(tmp_path / "all.footnote", copy)
    assert copy.status().precisions == ["int8"]
    copy.add([Given("c", "Green tea.")])
    assert copy.status().precisions == ["bf16", "int8"]
    with copy.reading() as connection:
        assert likeness_in(connection) == {"int8": (0.997, 0.99), "bf16": (1.0, 0.999)}
    assert detail(copy)[0]


def test_an_import_whose_vectors_differ_too_much_is_told_and_not_mixed(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    measured(here, "int8", {"int8": (0.97, 0.91)})
    measured(there, "bf16", {"bf16": (1.0, 0.999)})
    world(here, "int8").add([Given("a", "A pump.")])
    export_collection(world(here, "int8"), tmp_path / "all.footnote")
    copy = world(there, "bf16", "copy")
    import_collection(tmp_path / "all.footnote", copy)
    assert not detail(copy)[0]
    with pytest.raises(EncoderMismatch, match=r"cosine of int8 to fp32 is 0\.970 on average"):
        copy.add([Given("c", "Green tea.")])


def test_an_export_says_what_an_older_version_did_not_record(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    measured(here, "bf16")
    measured(there, "int8")
    collection_of(here)  # whose encoder does not tell
    export_collection(Collection("world", here), tmp_path / "all.footnote")
    copy = world(there, "int8", "copy")
    import_collection(tmp_path / "all.footnote", copy)
    assert copy.status().precisions == ["bf16"]


def test_an_export_of_an_older_version_is_imported(tmp_path: Path) -> None:
    measured(tmp_path, "bf16")
    export_collection(collection_of(tmp_path), tmp_path / "all.footnote")
    members = members_of(tmp_path / "all.footnote")
    for line in range(4):
        members = changed_line(members, "chunks.jsonl", lambda row: row.pop("precision"), line)
    copy = world(tmp_path, "bf16", "copy")
    import_collection(rewritten(tmp_path / "all.footnote", members), copy)
    assert stored(copy, "vectors") == [""] * 4
    assert copy.status().precisions == ["bf16"]


@pytest.mark.parametrize("value", ["int4", 8, None, ["fp32"]])
def test_a_precision_that_there_is_not_is_refused(tmp_path: Path, value: object) -> None:
    export_collection(collection_of(tmp_path), tmp_path / "all.footnote")
    members = changed_line(
        members_of(tmp_path / "all.footnote"), "chunks.jsonl", lambda row: row.update(precision=value)
    )
    with pytest.raises(ImportRefused, match="not a chunk"):
        import_collection(rewritten(tmp_path / "all.footnote", members), world(tmp_path, "fp32", "copy"))


@pytest.mark.parametrize(
    "likeness", [{"int4": [1, 1]}, {"int8": [1]}, {"int8": [9, 1]}, {"int8": "ab"}, [], {"int8": 1}]
)
def test_a_likeness_that_cannot_be_is_refused(tmp_path: Path, likeness: object) -> None:
    import json

    export_collection(collection_of(tmp_path), tmp_path / "all.footnote")
    members = members_of(tmp_path / "all.footnote")
    manifest = json.loads(members["manifest.json"]) | {"likeness": likeness}
    members |= {"manifest.json": json.dumps(manifest).encode()}
    with pytest.raises(ImportRefused, match="manifest does not hold what it should"):
        import_collection(rewritten(tmp_path / "all.footnote", members), world(tmp_path, "fp32", "copy"))


def test_a_collection_is_asked_for_no_precision_that_there_is_not(tmp_path: Path) -> None:
    assert Collection("world", tmp_path, precision="auto").precision == "auto"
    with pytest.raises(UsageError, match="no precision 'int4'"):
        Collection("world", tmp_path, precision="int4")


# Asked for on the command line


def run(*arguments: str, **environment: str | None) -> Result:
    return CliRunner().invoke(cli.footnote, list(arguments), env=environment, prog_name="footnote")


def test_a_precision_is_asked_for_as_an_option_a_variable_or_a_setting(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = str(write_folder(tmp_path / "files"))
    for number, (arguments, variable, file) in enumerate(
        [
            (("--precision", "fp32"), None, ""),
            (("--precision", "FP32"), "bf16", ""),
            ((), "fp32", ""),
            ((), "f32", ""),
            ((), None, 'precision = "fp32"\n'),
            ((), None, '[index]\nprecision = "fp32"\n'),
        ]
    ):
        (home / "config.toml").write_text(file)
        done = run("index", files, *arguments, "-c", f"c{number}", FOOTNOTE_PRECISION=variable)
        assert done.exit_code == 0, done.output
        assert Collection(f"c{number}", home).status().precisions == ["fp32"], number
        assert os.environ.get(VARIABLE) is None  # it is that of the command alone
    assert Collection("c0", home).encoder.dim == 384
    assert Collection("c0", home, precision="fp32").encoder.precision == "fp32"  # type: ignore[attr-defined]
    monkeypatch.setenv(VARIABLE, "int4")
    assert Collection("c0", home, precision="fp32").encoder.precision == "fp32"  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"no precision 'int4'\. FOOTNOTE_PRECISION asks for it"):
        _ = Collection("c0", home).encoder


def test_encoder_and_reader_run_in_the_precision_that_is_asked_for(home: Path) -> None:
    collection = Collection("one", home, precision="fp32")
    collection.add([Given("a", "The pump was replaced in May 2021.")])
    engine = Engine(collection)
    assert engine.generator.precision == "fp32"  # type: ignore[attr-defined]
    assert engine.ask("When was the pump replaced?").text == "May 2021"


@pytest.mark.parametrize("command", [["search", "tea"], ["ask", "tea"], ["index", "."], ["doctor"], ["eval", "all"]])
def test_a_precision_that_there_is_not_is_told_at_once(tmp_path: Path, command: list[str]) -> None:
    refused = run(*command, "--precision", "int4", "--home", str(tmp_path))
    assert refused.exit_code == 2
    assert "There is no precision 'int4'." in refused.stderr
    assert "auto, fp32, bf16, int8" in refused.stderr


def test_the_old_meaning_of_the_option_is_told(tmp_path: Path) -> None:
    """`eval qa --precision 0.9` was the share of right answers at which coverage is measured."""
    refused = run("eval", "qa", str(tmp_path), "--precision", "0.8", "--home", str(tmp_path))
    assert refused.exit_code == 2
    assert "There is no precision '0.8'." in refused.stderr
    assert "--at-precision 0.8" in refused.stderr
