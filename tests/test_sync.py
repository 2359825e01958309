"""From files to a collection: what costs embedding and what does not, what is removed, kept, skipped and said."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from indexer import sync
from indexer.collection import Collection
from indexer.dump import content_hash
from indexer.errors import EncoderMismatch, NotFound, UsageError
from indexer.sync import Given, sync_given
from indexer.types import Progress, Skip, Vectors, silent
from tests.worlds import PASSAGES, CountingEncoder, WordEncoder, article, write_folder


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "files")


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def world(tmp_path: Path, files: Path, encoder: CountingEncoder) -> Collection:
    collection = Collection("world", tmp_path / "home", encoder=encoder)
    collection.sync([files])
    encoder.read.clear()
    return collection


def sources(collection: Collection, root: Path) -> list[str]:
    return [os.path.relpath(entry.source, root) for entry in collection.documents()]


def found_by_words(collection: Collection, question: str) -> list[str]:
    with collection.view() as view:
        return [Path(view.chunks([hit.chunk_id])[0].source).name for hit in view.words(question, 5)]


def found_by_vectors(collection: Collection, question: str) -> list[str]:
    with collection.view() as view:
        hits = view.dense(WordEncoder().embed_queries([question])[0], 5)
        return [Path(view.chunks([hit.chunk_id])[0].source).name for hit in hits]


def test_a_folder_becomes_documents_and_chunks(tmp_path: Path, files: Path) -> None:
    report = Collection("world", tmp_path / "home", encoder=WordEncoder()).sync([files])
    assert (report.added, report.changed, report.removed, report.unchanged) == (4, 0, 0, 0)
    assert (report.chunks, report.chunks_embedded, report.skipped) == (4, 4, ())


def test_indexing_twice_does_nothing(world: Collection, files: Path, encoder: CountingEncoder) -> None:
    before, generation = world.database.read_bytes(), world.generation
    report = world.sync([files])
    assert (report.added, report.changed, report.removed, report.unchanged) == (0, 0, 0, 4)
    assert encoder.read == []
    assert (world.database.read_bytes(), world.generation) == (before, generation)


def test_indexing_twice_does_nothing_even_when_a_file_is_skipped(world: Collection, files: Path) -> None:
    """Each run once noted its skips anew, and so raised the generation."""
    (files / "image.txt").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    assert len(world.sync([files]).skipped) == 1
    generation = world.generation
    assert len(world.sync([files]).skipped) == 1
    assert world.generation == generation


def test_a_moved_file_embeds_nothing(world: Collection, files: Path, encoder: CountingEncoder) -> None:
    (files / "pump.md").rename(files / "deep" / "machine.md")
    report = world.sync([files])
    assert (report.added, report.removed, report.chunks_embedded) == (1, 1, 0)
    assert encoder.read == []
    assert sources(world, files) == ["bees.txt", "deep/machine.md", "deep/tea.md", "library.md"]
    assert found_by_words(world, "pump") == ["machine.md"]


def test_changing_one_paragraph_embeds_only_the_chunks_that_changed(
    world: Collection, files: Path, encoder: CountingEncoder
) -> None:
    (files / "long.md").write_text(article("kelp", 12))
    world.sync([files])
    chunks = len(world.document_chunks("long.md"))
    encoder.read.clear()
    (files / "long.md").write_text(article("kelp", 12).replace("kelp paragraph 6", "changed paragraph 6"))
    report = world.sync([files])
    assert report.changed == 1
    assert report.chunks == chunks >= 8
    assert 1 <= len(encoder.read) <= 3
    assert any("changed paragraph 6" in text for text in encoder.read)


def test_what_is_removed_is_found_by_neither_arm(world: Collection, files: Path) -> None:
    assert "bees.txt" in found_by_words(world, "bees") + found_by_vectors(world, "bees dance")
    assert world.remove(["bees.txt"]) == [str(files / "bees.txt")]
    assert "bees.txt" not in found_by_words(world, "bees") + found_by_vectors(world, "bees dance")


def test_what_was_changed_is_found_as_it_is_now(world: Collection, files: Path) -> None:
    (files / "bees.txt").write_text("Wasps build with paper.")
    world.sync([files])
    assert found_by_words(world, "hive") == []
    assert found_by_words(world, "wasps") == ["bees.txt"]
    assert found_by_vectors(world, "wasps build with paper")[0] == "bees.txt"


def test_a_removed_name_must_be_there(world: Collection) -> None:
    with pytest.raises(NotFound, match=r"'nothing.md' is not in collection 'world'"):
        world.remove(["pump.md", "nothing.md"])
    assert len(world.documents()) == 4


def test_a_folder_or_a_pattern_names_all_that_is_to_be_removed(world: Collection, files: Path) -> None:
    assert world.remove([str(files / "deep")]) == [str(files / "deep" / "tea.md")]
    assert world.remove(["*.txt"]) == [str(files / "bees.txt")]
    with pytest.raises(NotFound, match=r"'\*\.pdf' is not in collection 'world'"):
        world.remove(["*.pdf"])
    assert len(world.documents()) == 2


def test_a_name_is_the_same_with_its_accents_composed_or_not(world: Collection, files: Path) -> None:
    """macOS stores "é" as two characters; typed as one, the file was not found."""
    stored = files / unicodedata.normalize("NFD", "café.md")
    stored.write_text("Coffee is served at nine.")
    world.sync([files])
    typed = unicodedata.normalize("NFC", "café.md")
    assert world.document(typed).source == str(stored)
    assert world.remove([str(files / typed)]) == [str(stored)]


def test_a_folder_that_was_moved_is_recognised_by_its_content(
    world: Collection, files: Path, encoder: CountingEncoder
) -> None:
    moved = files.parent / "archive"
    files.rename(moved)
    (moved / "bees.txt").write_text("Bees moved out.")
    report = world.sync([moved])
    assert (report.added, report.removed) == (4, 3)
    assert sorted(sources(world, files.parent)) == [
        "archive/bees.txt", "archive/deep/tea.md", "archive/library.md", "archive/pump.md", "files/bees.txt",
    ]  # fmt: skip
    assert len(encoder.read) == 1


def test_a_copy_elsewhere_takes_no_original_away(world: Collection, files: Path) -> None:
    shutil.copytree(files, files.parent / "copy")
    assert world.sync([files.parent / "copy"]).removed == 0
    assert len(world.documents()) == 8


def test_files_that_are_gone_are_pruned_unless_asked_to_keep(world: Collection, files: Path) -> None:
    (files / "bees.txt").unlink()
    assert world.sync([files], prune=False).removed == 0
    assert len(world.documents()) == 4
    assert world.sync([files]).removed == 1
    assert len(world.documents()) == 3


def test_pruning_stays_below_the_folder_that_was_given(world: Collection, files: Path) -> None:
    (files / "bees.txt").unlink()
    (files / "deep" / "tea.md").unlink()
    assert world.sync([files / "deep"]).removed == 1
    assert "bees.txt" in sources(world, files)


def test_a_folder_is_the_same_however_its_path_is_written(
    world: Collection, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`../files` was once compared as it stood, so that nothing under it was ever pruned."""
    (files / "bees.txt").unlink()
    monkeypatch.chdir(files / "deep")
    assert world.sync([Path("..") / ".." / "files"]).removed == 1


def test_documents_below_a_folder_that_cannot_be_listed_are_kept(world: Collection, files: Path) -> None:
    skips = [Skip(str(files / "deep"), "permission denied")]
    known = {str(files / name): "" for name in PASSAGES}
    listed = {str(files / name): files / name for name in PASSAGES if "/" not in name and name != "bees.txt"}
    assert sync._gone(known, listed, skips, [files]) == [str(files / "bees.txt")]


def test_pruning_the_root_folder_works_like_any_other() -> None:
    assert sync._gone({"/a/b": "", "given": ""}, {}, [], [Path("/")]) == ["/a/b"]


def test_a_file_that_cannot_be_read_any_more_is_removed_and_says_why(world: Collection, files: Path) -> None:
    (files / "bees.txt").write_bytes(b"\x7fELF\x02\x01\x01" + b"\x00" * 100)
    report = world.sync([files])
    assert (report.removed, [skip.source for skip in report.skipped]) == (1, [str(files / "bees.txt")])
    assert "binary" in report.skipped[0].reason
    assert [skip.source for skip in world.status().skipped] == [str(files / "bees.txt")]
    (files / "bees.txt").write_text("Readable again.")
    assert world.sync([files]).added == 1
    assert world.status().skipped == []


def test_a_skipped_file_that_is_gone_is_forgotten(world: Collection, files: Path) -> None:
    (files / "x.txt").write_bytes(b"\x00\x01\x02\x03" * 50)
    world.sync([files])
    (files / "x.txt").unlink()
    world.sync([files])
    assert world.status().skipped == []


def test_an_empty_file_is_a_document_without_chunks(world: Collection, files: Path) -> None:
    (files / "empty.txt").write_text(" \n ")
    assert world.sync([files]).added == 1
    assert world.document("empty.txt").notes == ("empty",)
    assert world.sync([files]).unchanged == 5


def test_given_texts_replace_those_of_the_same_id(world: Collection, encoder: CountingEncoder) -> None:
    assert world.add([Given("note", "The first."), Given("other", "Another one.")]).added == 2
    assert world.add([Given("note", "The second."), Given("other", "Another one.")]).changed == 1
    assert world.document("note").text == "The second."
    assert world.add([Given("note", "The second.", title="Now titled")]).changed == 1


def test_of_two_texts_of_one_id_the_later_counts(world: Collection) -> None:
    """Two in one batch once broke the unique constraint."""
    report = world.add([Given("a", "first"), Given("a", "second"), Given("b", "x"), Given("a", "first")])
    assert (report.added, world.document("a").text) == (2, "first")
    assert world.add([Given("a", "second"), Given("a", "first")]).generation > report.generation
    assert world.document("a").text == "first"


def test_files_of_a_folder_do_not_touch_given_texts(world: Collection, files: Path) -> None:
    world.add([Given("note", "A given text.")])
    world.sync([files])
    assert "note" in [entry.source for entry in world.documents()]


def test_a_given_text_is_not_pruned_whatever_its_id_looks_like(world: Collection, files: Path) -> None:
    """A text called like a path below the folder went with the folder's next indexing."""
    name = str(files / "not-a-file.md")
    world.add([Given(name, "A text without a file.")])
    assert world.sync([files]).removed == 0
    world.sync([files], rebuild=True)
    assert name in [entry.source for entry in world.documents()]


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "a\nb", "x" * 1001, "\ud800"])
def test_an_id_must_be_a_name(world: Collection, name: str) -> None:
    with pytest.raises(UsageError, match="id"):
        world.add([Given(name, "text")])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, [1], {"a": 1}])
def test_metadata_must_be_what_a_filter_can_compare(world: Collection, value: object) -> None:
    """NaN is no JSON: one such value once broke every filter of the collection."""
    with pytest.raises(UsageError, match="metadata"):
        world.add([Given("a", "text", metadata={"key": value})])  # type: ignore[dict-item]


def test_a_text_of_anything_at_all_is_stored_clean(world: Collection) -> None:
    world.add([Given("odd", "a\x00b\ud800c\u202ed\ufeffe")])
    assert world.document("odd").text == "abcde"


def test_a_rebuild_gives_what_a_fresh_collection_holds(world: Collection, files: Path, tmp_path: Path) -> None:
    (files / "bees.txt").unlink()
    world.add([Given("note", "A given text.")])
    report = world.sync([files], rebuild=True)
    fresh = Collection("fresh", tmp_path / "other", encoder=WordEncoder())
    fresh.sync([files])
    fresh.add([Given("note", "A given text.")])
    assert content_hash(world) == content_hash(fresh)
    assert report.added == 4
    assert sorted(path.name for path in world.folder.iterdir()) == ["CURRENT", "LOCK", "epoch-000002"]


def test_a_rebuild_without_pruning_keeps_what_is_gone_from_disk(world: Collection, files: Path) -> None:
    shutil.rmtree(files / "deep")
    world.sync([files], rebuild=True, prune=False)
    assert "deep/tea.md" in sources(world, files)
    world.sync([files], rebuild=True)
    assert "deep/tea.md" not in sources(world, files)


def test_a_rebuild_with_another_encoder_embeds_all_anew(world: Collection, files: Path) -> None:
    other = CountingEncoder("other")
    collection = Collection("world", world.home, encoder=other)
    with pytest.raises(EncoderMismatch, match="was indexed with words"):
        collection.sync([files])
    report = collection.sync([files], rebuild=True)
    assert (report.chunks_embedded, len(other.read)) == (4, 4)
    assert world.made.fingerprint == other.fingerprint


def test_an_interrupted_rebuild_is_taken_up_again(world: Collection, files: Path) -> None:
    class Tired(CountingEncoder):
        def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
            if len(self.read) >= 2:
                raise KeyboardInterrupt
            return super().embed_passages(texts)

    before = content_hash(world)
    for name in ("one", "two", "three"):
        (files / f"{name}.md").write_text(article(name, 300))
    world.sync([files])
    with pytest.raises(KeyboardInterrupt):
        Collection("world", world.home, encoder=Tired("other")).sync([files], rebuild=True)
    assert world.made.encoder == "words"
    assert content_hash(world) != before
    rest = CountingEncoder("other")
    total = Collection("world", world.home, encoder=rest).sync([files], rebuild=True)
    assert 0 < len(rest.read) < sum(entry.chunks for entry in world.documents())
    assert total.unchanged >= 1


def test_what_an_interrupted_rebuild_left_does_not_outlive_another_write(world: Collection, files: Path) -> None:
    (world.folder / "epoch-000002").mkdir()
    (world.folder / ".epoch-000003.part").mkdir()
    world.add([Given("note", "text")])
    assert sorted(path.name for path in world.folder.iterdir()) == ["CURRENT", "LOCK", "epoch-000001"]


def test_a_newer_pipeline_reads_everything_again_and_is_settled_only_then(
    world: Collection, files: Path, encoder: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run over one folder once settled the others too, which then stayed as the older version made them."""
    before = sync.PIPELINE
    monkeypatch.setattr(sync, "PIPELINE", before + 1)
    assert world.sync([files / "deep"]).changed == 1
    assert world.made.pipeline == before
    assert world.sync([files]).changed == 4
    assert world.made.pipeline == before + 1
    assert world.sync([files]).unchanged == 4
    assert encoder.read == []  # the same text embeds nothing


def test_each_commit_is_told_once_it_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "BATCH_CHUNKS", 2)
    collection = Collection("world", tmp_path, encoder=WordEncoder())
    told: list[tuple[list[str], int]] = []
    texts = [Given(f"n{number}", f"text number {number}") for number in range(5)]
    sync_given(collection, texts, committed=lambda sources, generation: told.append((list(sources), generation)))
    assert told == [(["n0", "n1"], 1), (["n2", "n3"], 2), (["n4"], 3)]


# How far it is


class Told:
    """Remembers what a progress was told."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []

    def __call__(self, what: str, done: int, total: int) -> None:
        self.steps.append((what, done, total))

    def of(self, what: str) -> list[tuple[int, int]]:
        return [(done, total) for name, done, total in self.steps if name == what]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "BATCH_CHUNKS", 10)


def test_progress_is_told_in_passages_of_an_estimated_total(tmp_path: Path, small_batches: None) -> None:
    """The total was unknown, and with it the time left, all the time that passages were embedded."""
    texts = {f"{number:02}.md": article(f"topic {number}", 12) for number in range(12)}
    files = write_folder(tmp_path / "many", texts)
    told = Told()
    report = Collection("world", tmp_path / "home", encoder=WordEncoder()).sync([files], progress=told)
    steps = told.of("passages")
    assert steps[-1] == (report.chunks, report.chunks)
    assert all(0 <= done <= total for done, total in steps)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    early = [total for done, total in steps if done < report.chunks / 2]
    assert early
    assert all(0.5 * report.chunks < total < 2 * report.chunks for total in early)
    assert told.of("files")[-1] == (12, 12)


def test_unchanged_files_lower_the_estimate(world: Collection, files: Path, small_batches: None) -> None:
    """Of many files that were indexed before and a few new ones, only the new ones' passages are counted."""
    for number in range(20):
        (files / f"old {number:02}.md").write_text(article(f"old {number}", 6))
    world.sync([files])
    for number in range(2):
        (files / f"old {10 * number:02} new.md").write_text(article(f"new {number}", 12))
    told = Told()
    report = world.sync([files], progress=told)
    assert all(total < 6 * report.chunks for _, total in told.of("passages"))
    assert told.of("passages")[-1] == (report.chunks, report.chunks)


def test_texts_that_are_given_are_counted_where_their_number_is_known(tmp_path: Path) -> None:
    texts = [Given(str(number), article(f"topic {number}", 2)) for number in range(3)]
    known, unknown = Told(), Told()
    report = Collection("a", tmp_path, encoder=WordEncoder()).add(texts, progress=known)
    sync_given(Collection("b", tmp_path, encoder=WordEncoder()), iter(texts), progress=unknown)
    assert known.of("texts") == [(1, 3), (2, 3), (3, 3)]
    assert known.of("passages")[-1] == (report.chunks, report.chunks)
    assert unknown.of("texts") == [(1, 0), (2, 0), (3, 0)]
    assert {total for _, total in unknown.of("passages")} == {0}


def test_a_rebuild_counts_what_comes_from_the_old_state_too(world: Collection, files: Path) -> None:
    (files / "bees.txt").unlink()
    told = Told()
    report = world.sync([files], rebuild=True, prune=False, progress=told)
    assert told.of("passages")[-1] == (report.chunks, report.chunks)
    assert report.chunks == 4


# Patterns that match nothing


def test_a_pattern_that_matches_nothing_is_named_and_removes_nothing(world: Collection, files: Path) -> None:
    report = world.sync([files], include=["*.pfd"])
    assert (report.unmatched, report.removed) == (("*.pfd",), 0)
    assert len(world.documents()) == 4
    some = world.sync([files], include=["*.md", "deep/", "*.pfd", "!pump.md", "/bees.txt"])
    assert some.unmatched == ("*.pfd",)
    assert some.removed == 1
    assert world.sync([files]).unmatched == ()
