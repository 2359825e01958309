"""Opening and listing collections, and the law: any order of edits equals a fresh build."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from indexer import segments, storage, sync
from indexer.collection import Collection
from indexer.doctor import examine
from indexer.dump import content_hash
from indexer.errors import Busy, Damaged, NotFound, UsageError
from indexer.home import collection_names
from indexer.sync import Given
from indexer.writer import write
from tests.worlds import WordEncoder, article, collection_of


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    collection = collection_of(tmp_path_factory.mktemp("world"))
    collection.add([Given("note", "A given text about bees.", "Note", {"year": 2020})])
    return collection


def test_what_is_stored_is_listed_by_source(world: Collection) -> None:
    entries = world.documents()
    assert [Path(entry.source).name for entry in entries] == ["bees.txt", "tea.md", "library.md", "pump.md", "note"]
    assert [entry.origin for entry in entries] == ["file"] * 4 + ["given"]
    note = entries[-1]
    assert (note.title, note.characters, note.chunks, note.metadata) == ("Note", 24, 1, {"year": 2020})
    assert entries[0].modified == "2023-11-14T22:13:20+00:00"
    assert note.modified is None


def test_a_document_is_found_by_its_path_or_its_end(world: Collection) -> None:
    whole = world.documents()[1].source
    assert world.resolve(whole) == world.resolve("tea.md") == world.resolve("deep/tea.md") == whole
    with pytest.raises(NotFound, match=r"'ea\.md' is not in collection"):
        world.resolve("ea.md")
    with pytest.raises(NotFound, match="not in collection"):
        world.resolve("%.md")


def test_an_exact_name_wins_over_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = Collection("world", tmp_path, encoder=WordEncoder())
    collection.add(
        [Given("a.md", "one"), Given(str(tmp_path / "a.md"), "two"), Given("x/b.md", "3"), Given("y/b.md", "4")]
    )
    monkeypatch.chdir(tmp_path)
    assert collection.document("a.md").text == "one"
    with pytest.raises(NotFound, match=r"'b.md' names several documents: x/b.md, y/b.md"):
        collection.resolve("b.md")


def test_a_chunk_is_the_slice_of_its_document(world: Collection) -> None:
    for entry in world.documents():
        document = world.document(entry.source)
        for chunk in world.document_chunks(entry.source):
            assert document.text[chunk.start : chunk.end] == chunk.text


def test_the_status_counts_what_is_there(world: Collection) -> None:
    status = world.status()
    assert (status.documents, status.chunks, status.segments, status.unsealed) == (5, 5, 0, 5)
    assert status.formats == {"markdown": 3, "text": 2}
    assert status.bytes == world.database.stat().st_size


def test_a_name_is_a_plain_file_name(tmp_path: Path) -> None:
    for name in ("", ".", "..", "../x", "a/b", "a\\b", "-x", "a\x00", "x" * 65, "a\n"):
        with pytest.raises(UsageError, match="cannot be the name of a collection"):
            Collection(name, tmp_path)
    assert collection_names(tmp_path) == []


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    collection = Collection("nothing", tmp_path / "home")
    assert not collection.exists
    for look in (lambda: collection.documents(), lambda: collection.made, lambda: collection.remove(["x"])):
        with pytest.raises(NotFound, match="There is no collection 'nothing'"):
            look()
    assert not (tmp_path / "home").exists()


def test_a_collection_whose_current_is_lost_is_not_taken_for_none(tmp_path: Path) -> None:
    """Indexing there once made an empty epoch, and removed the one that held everything."""
    collection = Collection("world", tmp_path, encoder=WordEncoder())
    collection.add([Given("a", "text")])
    collection.close()
    (collection.folder / "CURRENT").unlink()
    for attempt in (lambda: collection.documents(), lambda: collection.add([Given("b", "text")])):
        with pytest.raises(Damaged, match="CURRENT is missing, though epoch-000001 is there") as caught:
            attempt()
        assert "doctor --repair" in caught.value.hint
    (collection.folder / "CURRENT").write_text("epoch-000001")
    assert [entry.source for entry in collection.documents()] == ["a"]


def test_a_creation_that_was_killed_before_it_counted_is_made_again(tmp_path: Path) -> None:
    collection = Collection("world", tmp_path, encoder=WordEncoder("other"))
    collection.add([])
    (collection.folder / "CURRENT").unlink()
    again = Collection("world", tmp_path, encoder=WordEncoder())
    with pytest.raises(NotFound, match="no collection"):
        again.documents()
    again.add([Given("b", "text")])
    assert again.made.encoder == "words"


def test_a_collection_may_be_used_again_after_it_was_closed(world: Collection) -> None:
    world.close()
    assert len(world.documents()) == 5
    world.close()


def test_a_view_stays_on_its_state(tmp_path: Path) -> None:
    collection = Collection("world", tmp_path, encoder=WordEncoder())
    collection.add([Given("a", "alpha")])
    folder = collection.epoch()
    with collection.view() as view:
        shutil.copytree(folder, tmp_path / "copy")
        assert (view.count(), view.generation) == (1, 1)
        assert [chunk.text for chunk in view.chunks([1, 99])] == ["alpha"]
        assert list(view.vectors([1, 99])) == [1]
    collection.add([Given("b", "beta")])
    with collection.view() as view:
        assert (view.count(), view.generation) == (2, 2)


def test_a_part_of_a_document_carries_its_sections(world: Collection) -> None:
    with world.view() as view:
        chunk = next(chunk for chunk in view.chunks(list(range(1, 6))) if chunk.source.endswith("pump.md"))
        text, sections = view.part(chunk.document_id, chunk.start + 4, chunk.end)
        whole = world.document("pump.md").text
        assert text == whole[chunk.start + 4 : chunk.end]
        assert sections[0].start == chunk.start + 4


NAMES = st.sampled_from(["a", "b", "c", "d"])
SEEDS = st.integers(0, 5)


class Edits(RuleBasedStateMachine):
    """Edits a collection and a dictionary alike; after each step they hold the same."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.model: dict[str, str] = {}
        self.salt = ""
        self.open()

    @initialize()
    def begin(self) -> None:
        self.collection.add([])

    def open(self) -> None:
        self.collection = Collection("world", self.home, encoder=WordEncoder(self.salt))

    @rule(name=NAMES, seed=SEEDS, size=st.integers(0, 4))
    def put(self, name: str, seed: int, size: int) -> None:
        text = article(f"topic{seed}", size, seed)
        self.collection.add([Given(name, text)])
        self.model[name] = text

    @rule(names=st.lists(NAMES, unique=True))
    def remove(self, names: list[str]) -> None:
        if set(names) <= set(self.model):
            self.collection.remove(names)
            for name in names:
                del self.model[name]
        else:
            with pytest.raises(NotFound, match="is not in collection"):
                self.collection.remove(names)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        if old in self.model and old != new:
            self.model[new] = self.model.pop(old)
            self.collection.add([Given(new, self.model[new])])
            self.collection.remove([old])

    @rule()
    def again(self) -> None:
        report = self.collection.add([Given(*each) for each in self.model.items()])
        assert (report.unchanged, report.chunks_embedded) == (len(self.model), 0)

    @rule()
    def reopen(self) -> None:
        self.collection.close()
        self.open()

    @rule(salt=st.sampled_from(["", "x"]))
    def rebuild(self, salt: str) -> None:
        self.salt = salt
        self.open()
        self.collection.sync([], rebuild=True)

    @rule(all_of_it=st.booleans())
    def publish(self, all_of_it: bool) -> None:
        with write(self.collection, purpose="test") as writer:
            writer.publish(all_of_it=all_of_it)

    @rule(seed=SEEDS)
    def search(self, seed: int) -> None:
        with self.collection.view() as view:
            found = {chunk.source for hit in view.words(f"topic{seed}", 100) for chunk in view.chunks([hit.chunk_id])}
        assert found == {
            name for name, text in self.model.items() if f"topic{seed} " in text or f"topic{seed}\n" in text
        }

    @invariant()
    def equals_the_model(self) -> None:
        if self.collection.exists:
            assert {entry.source for entry in self.collection.documents()} == set(self.model)

    def teardown(self) -> None:
        fresh = Collection("fresh", self.home, encoder=WordEncoder(self.salt))
        fresh.add([Given(*each) for each in sorted(self.model.items())])
        assert content_hash(self.collection) == content_hash(fresh)
        assert [each for each in examine(self.collection) if not each.healthy] == []
        self.collection.close()
        shutil.rmtree(self.home)


@pytest.fixture
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEAL_AT", 4)
    monkeypatch.setattr(sync, "BATCH_CHUNKS", 3)


@pytest.mark.usefixtures("small_sizes")
def test_any_order_of_edits_equals_a_fresh_build() -> None:
    run_state_machine_as_test(Edits, settings=settings(max_examples=12, stateful_step_count=14, deadline=None))


def test_a_deleted_collection_is_gone_and_can_be_made_anew(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    assert collection.documents()
    collection.delete()
    assert not collection.folder.exists()
    assert collection_names(tmp_path) == []
    with pytest.raises(NotFound, match="There is no collection 'world'"):
        collection.delete()
    assert collection_of(tmp_path).status().documents == 4


def test_a_deletion_that_was_killed_leaves_no_collection(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    collection.close()
    collection.folder.rename(collection.folder.with_name(".world.gone.part"))  # as far as a killed one came
    assert collection_names(tmp_path) == []


def test_a_collection_that_is_being_written_is_not_deleted(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    with (
        storage.exclusive_lock(collection.folder / "LOCK", "index"),
        pytest.raises(Busy, match=r"Process \d+ \(index, since .*\) is writing to collection 'world'"),
    ):
        Collection("world", tmp_path).delete()
    assert collection.documents()
