"""Choosing what answers: by name, by folder, by address, by class, and in a collection's settings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.errors import GeneratorError, NotFound, UsageError
from indexer.transfer import export_collection, import_collection
from indexer.writer import write
from rag.answering.generator import AnsweringGenerator
from rag.copying.generator import CopyingGenerator
from rag.engine import Engine
from rag.generator import Copied, Draft
from rag.generators import NAMES, lasting_name, open_generator
from rag.quoting.generator import QuotingGenerator
from rag.types import Passage
from rag.writing.endpoint_generator import EndpointGenerator
from rag.writing.transformers_generator import TransformersGenerator
from tests.chat_server import quote_first, serving
from tests.conftest import new_home
from tests.parrot import write_parrot
from tests.worlds import WordEncoder, collection_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # transformers' and torch's own, at import
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

TEA = "At what heat is green tea steeped?"


class FirstWord:
    """A stranger's generator: it answers with the first word that it reads."""

    name = "first-word"

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        return Draft((Copied(0, 0, passages[0].text.index(" ")),), 0.5) if passages else Draft((), 0.0)

    def threshold(self, max_error: float | None) -> float:
        return 0.0


class Nothing:
    """What is no generator."""

    def __init__(self, collection: Collection) -> None:
        self.name = collection.name


OWN = f"{__name__}:FirstWord"


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return collection_of(tmp_path)


def test_by_default_it_answers_in_forms_and_copies(tmp_path: Path, converted: Path) -> None:
    collection = collection_of(new_home(tmp_path / "home", converted))
    readers = []
    for name in (None, "default", "copying"):
        generator = open_generator(name, collection)
        assert isinstance(generator, AnsweringGenerator)
        assert generator.name == "copying"
        readers.append(generator.reader)
    assert isinstance(readers[0], CopyingGenerator)
    assert readers[0] is readers[1] is readers[2]  # the network is in memory once
    assert isinstance(open_generator("quoting", collection), QuotingGenerator)
    assert NAMES == ("default", "copying", "quoting")


def test_an_address_names_an_endpoint(collection: Collection) -> None:
    with serving(quote_first) as server:
        generator = open_generator(server.address, collection)
        assert isinstance(generator, EndpointGenerator)
        answer = Engine(collection, server.address).ask(TEA)
    assert answer.generator == "parrot"
    assert "Green tea is steeped at eighty degrees." in answer.text
    assert not answer.unsupported


def test_a_folder_names_a_language_model(collection: Collection, tmp_path: Path) -> None:
    folder = write_parrot(tmp_path / "parrot", ["Green tea is steeped at 80 degrees [1]."])
    assert isinstance(open_generator(str(folder), collection), TransformersGenerator)
    answer = Engine(collection, str(folder)).ask(TEA)
    assert (answer.text, answer.generator) == ("Green tea is steeped at 80 degrees.", "parrot")
    assert [citation.quote for citation in answer.citations] == ["Green tea is steeped at eighty degrees."]


def test_a_class_of_ones_own_is_called_with_the_collection(collection: Collection) -> None:
    generator = open_generator(OWN, collection)
    assert isinstance(generator, FirstWord)
    assert generator.collection is collection
    assert Engine(collection, OWN).ask(TEA).generator == "first-word"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no.such.module:Class", r"no module 'no.such.module' to take a generator from: No module named 'no'"),
        (f"{__name__}:Absent", "has no 'Absent'"),
        (f"{__name__}:TEA", "is no class of a generator"),
        (f"{__name__}:Nothing", "is no generator: it has no generate, threshold"),
    ],
)
def test_a_class_that_is_none_is_refused(collection: Collection, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        open_generator(name, collection)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["nobody/nothing", "/no/such/folder", "qoting"])
def test_what_is_nothing_is_told(collection: Collection, name: str) -> None:
    with pytest.raises(GeneratorError, match=f"There is no generator '{name}' on this machine"):
        open_generator(name, collection)


def test_a_generator_is_opened_once_and_only_when_it_is_asked(collection: Collection) -> None:
    engine = Engine(collection, "http://127.0.0.1:9/v1")
    engine.search("tea")
    assert engine.generator is engine.generator
    assert Engine(collection, "no.such.module:Class").search("tea")


def test_a_share_of_errors_is_refused_before_anything_is_sent(collection: Collection) -> None:
    with serving(quote_first) as server, pytest.raises(UsageError, match="not calibrated"):
        Engine(collection, server.address).ask(TEA, max_error=0.1)
    assert not server.requests


# In the collection's settings


def reopened(collection: Collection) -> Collection:
    return Collection(collection.name, collection.home, WordEncoder())


def test_a_collection_remembers_its_generator(collection: Collection) -> None:
    assert collection.generator is None
    generation = collection.generation
    collection.choose_generator(OWN)
    assert reopened(collection).generator == OWN
    assert reopened(collection).status().generator == OWN
    assert isinstance(open_generator(None, reopened(collection)), FirstWord)
    assert isinstance(open_generator("quoting", reopened(collection)), QuotingGenerator), "a name goes before it"
    assert collection.generation == generation, "its content has not changed"
    collection.choose_generator(None)
    assert reopened(collection).generator is None


def test_a_rebuild_keeps_the_generator(collection: Collection) -> None:
    collection.choose_generator(OWN)
    collection.sync([collection.home / "files"], rebuild=True)
    assert reopened(collection).generator == OWN


def test_a_rebuild_that_is_taken_up_again_takes_the_generator_of_today(collection: Collection) -> None:
    collection.choose_generator(OWN)
    with write(collection, purpose="rebuild", made=collection.made, fresh=True):
        pass  # interrupted: the epoch beside stays
    collection.choose_generator(None)
    collection.sync([collection.home / "files"], rebuild=True)
    assert reopened(collection).generator is None


def test_an_imported_collection_chooses_nothing(collection: Collection, tmp_path: Path) -> None:
    """Else a file from a stranger could decide which address the questions go to."""
    collection.choose_generator("http://models.example.org/v1")
    export_collection(collection, tmp_path / "all.footnote")
    copy = Collection("copy", collection.home, WordEncoder())
    import_collection(tmp_path / "all.footnote", copy)
    assert copy.generator is None


def test_nothing_is_chosen_for_a_collection_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no collection 'none'"):
        Collection("none", tmp_path).choose_generator("quoting")


def test_a_name_that_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    assert lasting_name("default") is None
    assert lasting_name("quoting") == "quoting"
    assert lasting_name("model") == str(tmp_path / "model"), "it is used from other folders"
    assert lasting_name("http://127.0.0.1:8080/v1#m") == "http://127.0.0.1:8080/v1#m"
    assert lasting_name(OWN) == OWN


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nonsense", "no generator 'nonsense'"),
        ("ftp://host", "no address of an endpoint"),
        ("http://user:key@host/v1", "holds more than host, port, path and model"),
        (f"{__name__}:Absent", "has no 'Absent'"),
    ],
)
def test_a_name_of_nothing_does_not_last(name: str, said: str) -> None:
    with pytest.raises((UsageError, GeneratorError), match=said):
        lasting_name(name)


def test_nothing_heavy_is_loaded_by_names_alone() -> None:
    import subprocess

    program = (
        "import sys; from rag.generators import lasting_name, NAMES; lasting_name('quoting'); "
        "lasting_name('http://127.0.0.1:1/v1'); print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "transformers", "sqlalchemy", "numpy", "regex"}
