import json
from pathlib import Path

import pytest

from finetune.questions import Question
from finetune.recalibration import check_questions, copied, generator_of
from indexer.collection import Collection
from indexer.errors import UsageError
from rag.copying.folder import CONFIDENCE, read_folder
from tests.worlds import collection_of


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return collection_of(tmp_path)


def test_a_copy_is_the_same_generator_with_another_confidence(tmp_path: Path) -> None:
    shipped = read_folder()
    confidence = {**shipped.confidence, "retrieved": {**shipped.confidence["retrieved"], "threshold": 0.123}}
    found = read_folder(copied(shipped, confidence, tmp_path / "copy"))
    assert found.fingerprint == shipped.fingerprint  # so nothing is converted again
    assert found.confidence["retrieved"]["threshold"] == 0.123
    assert found.confidence["given"] == shipped.confidence["given"]
    assert json.loads((found.path / CONFIDENCE).read_text()) == confidence


def test_the_generator_is_the_one_that_the_collection_answers_with(collection: Collection, tmp_path: Path) -> None:
    assert generator_of(collection).path == read_folder().path
    own = copied(read_folder(), read_folder().confidence, tmp_path / "own")
    collection.choose_generator(str(own))
    assert generator_of(collection).path == own
    collection.choose_generator("quoting")
    with pytest.raises(UsageError, match="answers by quoting, which is no copying generator"):
        generator_of(collection)


def test_too_few_answers_to_fit_on_are_told() -> None:
    asked = [Question(str(n), "Why?", "", "So.", ("So",) if n < 99 else (), "d") for n in range(200)]
    with pytest.raises(UsageError, match="Only 99 held-out questions have answers; 100 are needed"):
        check_questions(asked)
