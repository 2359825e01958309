import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from finetune.copying.confidence import fit, retrieved_cases
from finetune.promotion import kind_of, promote, rollback
from finetune.promotion_record import history, state_of
from finetune.questions import Question
from finetune.trials import Remembering, retrieval_set
from indexer.collection import Collection
from indexer.errors import NotFound, UsageError
from indexer.sync import Given, copy_documents
from rag.copying.folder import read_folder
from rag.copying.generator import open_copying
from rag.engine import Engine
from rag.reranking.reranker import open_reranker
from tests.small_reranker import write_small_reranker
from tests.small_static import write_small_static
from tests.worlds import CountingEncoder, WordEncoder, collection_of

THINGS = [f"thing{n}" for n in range(40)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of all collections here, so that each model is converted once, with the models in it."""
    home = tmp_path_factory.mktemp("home")
    write_small_static(home / "base")
    write_small_static(home / "other", seed=5)
    write_small_reranker(home / "reranker")
    return home


@pytest.fixture
def collection(models: Path, request: pytest.FixtureRequest) -> Collection:
    """Return a collection by a small random static encoder: a document for each thing."""
    made = Collection(f"c-{request.node.name[:50]}", models, str(models / "base"))
    made.add([Given(thing, f"The cat sat on a mat beside {thing}.", thing) for thing in THINGS])
    return made


def questions(file: Path, count: int = 40) -> Path:
    rows = [{"question": f"Where is {thing}?", "context": "-", "document": thing, "id": thing} for thing in THINGS]
    file.write_text("\n".join(map(json.dumps, rows[:count])))
    return file


def test_what_a_folder_holds_is_told_by_its_files(tmp_path: Path) -> None:
    assert kind_of(write_small_static(tmp_path / "encoder")) == "encoder"
    assert kind_of(write_small_reranker(tmp_path / "reranker")) == "reranker"
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UsageError, match="holds no encoder, reranker or generator"):
        kind_of(tmp_path / "nothing")


def test_an_encoder_that_is_not_better_changes_nothing_unless_it_is_forced(
    collection: Collection, models: Path, tmp_path: Path
) -> None:
    other = models / "other"
    asked = questions(tmp_path / "questions.jsonl")
    before = state_of(collection)
    tried = promote(other, collection, questions=asked, alpha=1e-9)  # below the least p of so few questions
    assert tried.comparison.n == 40
    assert not tried.promoted
    assert state_of(collection) == before
    assert history(collection) == []
    forced = promote(other, collection, questions=asked, force=True)
    assert forced.promoted
    assert state_of(collection) == forced.after
    assert state_of(collection).fingerprint != before.fingerprint
    assert len(collection.documents()) == 40

    entry = rollback(collection)
    assert state_of(collection).fingerprint == before.fingerprint
    assert [each.kind for each in history(collection)] == ["encoder", "rollback"]
    assert entry.after == before
    with pytest.raises(NotFound, match="Nothing that was promoted stands"):
        rollback(collection)


def test_a_reranker_is_tried_in_the_collection_itself(collection: Collection, models: Path, tmp_path: Path) -> None:
    folder = models / "reranker"
    done = promote(folder, collection, questions=questions(tmp_path / "questions.jsonl"), force=True)
    assert done.kind == "reranker"
    assert collection.reranker == str(folder)
    rollback(collection)
    assert collection.reranker is None


def test_the_confidence_is_fitted_to_the_new_search_and_goes_back_with_it(
    collection: Collection, models: Path, tmp_path: Path
) -> None:
    """Of a third of the questions, the gold answer is none that the passages give: so there is something to fit."""
    asked = [("What sat on a mat beside {}?", "the cat"), ("What did the cat sit on beside {}?", "a mat"),
             ("Who sang beside {}?", "a dog")]  # fmt: skip
    rows = [
        {"id": f"{n}-{thing}", "question": question.format(thing), "answers": [answer],
         "context": f"The cat sat on a mat beside {thing}.", "document": thing}
        for n, (question, answer) in enumerate(asked) for thing in THINGS
    ]  # fmt: skip
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    run = write_small_static(tmp_path / "run", seed=7)
    done = promote(run, collection, questions=file, force=True, recalibrate=True)
    assert collection.generator == done.after.generator == str(run / "training" / "recalibrated")
    fitted, shipped = read_folder(Path(collection.generator)), read_folder()
    assert fitted.fingerprint == shipped.fingerprint
    assert fitted.confidence["retrieved"] != shipped.confidence["retrieved"]
    assert fitted.confidence["given"] == shipped.confidence["given"]
    assert "recalibrated" in Engine(collection).ask("What sat on a mat beside thing7?").generator
    rollback(collection)
    assert collection.generator is None


def test_the_confidence_is_fitted_on_passages_in_the_order_of_the_promoted_reranker(
    collection: Collection, models: Path, tmp_path: Path
) -> None:
    """It was once fitted on the order of the search alone, which nobody is answered from after the promotion."""
    asked = [
        Question(f"{what} {thing}", f"{what} {thing}?", "", f"The cat sat on a mat beside {thing}.", (answer,), thing)
        for what, answer in (
            ("What sat on a mat beside", "the cat"),
            ("Who sang beside", "a dog"),
            ("What did the cat sit on beside", "a mat"),
        )
        for thing in THINGS
    ]
    rows = [
        {
            "id": each.id,
            "question": each.text,
            "answers": each.answers,
            "context": each.passage,
            "document": each.document,
        }
        for each in asked
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    run = Path(shutil.copytree(models / "reranker", tmp_path / "run"))
    promote(run, collection, questions=file, force=True, recalibrate=True)

    opened = open_reranker(str(run), collection)
    generator = open_copying(read_folder().path, collection.home)
    searched, reordered = list(retrieved_cases(collection, asked)), list(retrieved_cases(collection, asked, opened))
    read = Engine(collection).read_many([each.question for each in reordered])
    kept = [number for number, each in enumerate(reordered) if each.answers]  # of the others the answer is taken away
    assert [tuple(reordered[n].passages) for n in kept] == [read[n].passages for n in kept]
    assert [reordered[n].passages for n in kept] != [searched[n].passages for n in kept]
    fitted = read_folder(Path(collection.generator or "")).confidence["retrieved"]
    assert fitted == fit(generator, reordered)
    assert fitted != fit(generator, searched)


def test_a_dry_run_switches_nothing(collection: Collection, models: Path, tmp_path: Path) -> None:
    folder = models / "reranker"
    asked = questions(tmp_path / "questions.jsonl")
    done = promote(folder, collection, questions=asked, force=True, dry_run=True)
    assert not done.promoted
    assert collection.reranker is None


def test_too_few_questions_on_the_collections_documents_are_told(
    collection: Collection, models: Path, tmp_path: Path
) -> None:
    asked = questions(tmp_path / "questions.jsonl", 5)
    with pytest.raises(UsageError, match="Only 5 of 5 held-out questions are about documents of collection 'c"):
        promote(models / "reranker", collection, questions=asked)


def test_a_question_that_names_no_document_is_placed_by_its_passage(tmp_path: Path) -> None:
    world = collection_of(tmp_path)
    chunk = world.document_chunks("bees.txt")[0]
    asked = [Question(str(n), f"How many bees {n}?", "", f" {chunk.text} ", (), "elsewhere") for n in range(20)]
    found = retrieval_set(world, asked, 1000)
    assert {source for grades in found.judgements.values() for source in grades} == {chunk.source}


def test_a_copy_holds_the_same_documents_by_another_encoder(tmp_path: Path) -> None:
    world = collection_of(tmp_path)
    other = Collection("copy", tmp_path / "elsewhere", WordEncoder(salt="other"))
    copy_documents(world, other)
    assert [(each.source, each.sha256) for each in other.documents()] == [
        (each.source, each.sha256) for each in world.documents()
    ]
    assert other.made.fingerprint != world.made.fingerprint
    assert copy_documents(world, other).unchanged == len(world.documents())


def test_a_text_is_embedded_once() -> None:
    counting = CountingEncoder()
    remembering = Remembering(counting)
    texts: Sequence[str] = ["one two", "three", "one two"]
    first = remembering.embed_passages(texts)
    assert np.array_equal(first, WordEncoder().embed_passages(texts))
    assert np.array_equal(remembering.embed_passages(texts), first)
    assert len(counting.read) == 3
    assert remembering.embed_passages([]).shape == (0, counting.dim)
