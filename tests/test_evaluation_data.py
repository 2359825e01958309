"""Data sets on disk: the BEIR layout, files of questions as retrieval sets, and each kind of fault of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import NotFound, UsageError
from indexer.sync import Given
from rag.evaluation.data import Asked, DataFaults, documents, read_passages, read_questions, read_retrieval_set

DOCUMENTS = [
    {"_id": "d1", "title": "Harbour", "text": "The harbour was built in 1840."},
    {"_id": "d2", "title": None, "text": "Anna Holm designed it."},
    {"_id": "d3", "text": ""},
]
QUERIES = [
    {"_id": "q1", "text": "When was it built?", "answers": ["1840"]},
    {"_id": "q2", "text": "Who designed it?", "answers": ["Anna Holm"]},
    {"_id": "q3", "text": "Never judged", "answers": ["no"]},
]
HEAD = "query-id\tcorpus-id\tscore"
UNNAMEABLE, NO_JUDGEMENT = "id that cannot name a document", "not query, document and a whole number between tabs"
QRELS = [HEAD, "q2\td2\t2", "q1\td1\t1", "q1\td3\t0"]


def write_beir(
    folder: Path, corpus: Sequence[Any] = DOCUMENTS, queries: Sequence[Any] = QUERIES, qrels: Sequence[str] = QRELS
) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in corpus))
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    (folder / "qrels" / "test.tsv").write_text("".join(f"{line}\n" for line in qrels))
    return folder


def write_lines(file: Path, *rows: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def faults_of(path: Path, read: Callable[[Path], object] = read_retrieval_set) -> DataFaults:
    with pytest.raises(DataFaults, match=r"has .* fault") as caught:
        read(path)
    return caught.value


# The BEIR layout


def test_a_beir_folder_is_read_with_the_queries_that_are_judged_in_their_order(tmp_path: Path) -> None:
    found = read_retrieval_set(write_beir(tmp_path / "port"))
    assert (found.name, found.corpus) == ("port", tmp_path / "port" / "corpus.jsonl")
    assert list(found.queries.items()) == [("q1", "When was it built?"), ("q2", "Who designed it?")]
    assert found.judgements == {"q1": {"d1": 1, "d3": 0}, "q2": {"d2": 2}}


def test_the_documents_of_a_beir_folder_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    found = documents(read_retrieval_set(write_beir(tmp_path / "port")))
    assert next(found) == Given("d1", "The harbour was built in 1840.", "Harbour")
    assert list(found) == [Given("d2", "Anna Holm designed it.", ""), Given("d3", "", "")]


def test_documents_that_changed_since_they_were_checked_are_told(tmp_path: Path) -> None:
    found = read_retrieval_set(write_beir(tmp_path / "port"))
    write_lines(tmp_path / "port" / "corpus.jsonl", DOCUMENTS[0])
    with pytest.raises(DataFaults, match="the whole file: changed since it was checked"):
        list(documents(found))


def test_the_files_may_be_gzipped_and_the_hash_stays(tmp_path: Path) -> None:
    plain = read_retrieval_set(write_beir(tmp_path / "a"))
    folder = write_beir(tmp_path / "b")
    for name in ("corpus.jsonl", "queries.jsonl"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()
    packed = read_retrieval_set(folder)
    assert packed.sha256 == plain.sha256
    assert packed.corpus_sha256 == plain.corpus_sha256
    assert list(documents(packed)) == list(documents(plain))


def test_the_hash_tells_documents_queries_and_judgements_apart(tmp_path: Path) -> None:
    sets = [
        read_retrieval_set(write_beir(tmp_path / "a")),
        read_retrieval_set(write_beir(tmp_path / "b", corpus=DOCUMENTS[::-1])),
        read_retrieval_set(write_beir(tmp_path / "c", queries=QUERIES[::-1])),
        read_retrieval_set(write_beir(tmp_path / "d", qrels=[*QRELS[:-1]])),
    ]
    assert len({each.sha256 for each in sets}) == 4
    assert len({each.corpus_sha256 for each in sets}) == 2


def test_judgements_may_stand_without_a_line_of_names(tmp_path: Path) -> None:
    found = read_retrieval_set(write_beir(tmp_path / "port", qrels=QRELS[1:]))
    assert found.judgements == {"q1": {"d1": 1, "d3": 0}, "q2": {"d2": 2}}


def test_judgements_of_another_split_do_when_they_are_the_only_ones(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "port")
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    assert set(read_retrieval_set(folder).judgements) == {"q1", "q2"}


def test_of_several_splits_none_is_chosen_but_test(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "port")
    (folder / "qrels" / "train.tsv").write_text(f"{HEAD}\nq3\td1\t1\n")
    assert set(read_retrieval_set(folder).judgements) == {"q1", "q2"}
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    assert str(faults_of(folder).faults[0]) == "qrels: several files of judgements (dev.tsv, train.tsv)"


def test_the_queries_of_a_beir_folder_with_answers_are_questions_with_gold_sources(tmp_path: Path) -> None:
    found = read_questions(write_beir(tmp_path / "port"))
    assert found.name == "port"
    assert found.questions == (
        Asked("q1", "When was it built?", ("1840",), sources=("d1",)),  # d3 is judged, and not relevant
        Asked("q2", "Who designed it?", ("Anna Holm",), sources=("d2",)),
        Asked("q3", "Never judged", ("no",)),
    )


@pytest.mark.parametrize(
    ("changes", "kind", "where"),
    [
        ({"corpus": [*DOCUMENTS, {"title": "x", "text": "y"}]}, "no _id", "corpus.jsonl, line 4"),
        ({"corpus": [*DOCUMENTS, {"_id": "d4", "title": "x"}]}, "no text", "corpus.jsonl, line 4"),
        ({"corpus": [*DOCUMENTS, {"_id": "d4", "text": 7}]}, "text is no text", "corpus.jsonl, line 4"),
        ({"corpus": [*DOCUMENTS, {"_id": "d4", "text": "", "title": 7}]}, "title is no text", "corpus.jsonl, line 4"),
        ({"corpus": [*DOCUMENTS, DOCUMENTS[0]]}, "id used twice", "corpus.jsonl, line 4"),
        ({"corpus": [*DOCUMENTS, "d4"]}, "not a JSON object", "corpus.jsonl, line 4"),
        ({"corpus": [*DOCUMENTS, {"_id": "d\n4", "text": ""}]}, UNNAMEABLE, "corpus.jsonl, line 4"),
        ({"corpus": [*DOCUMENTS, {"_id": "d" * 1001, "text": ""}]}, UNNAMEABLE, "corpus.jsonl, line 4"),
        ({"queries": [*QUERIES, {"_id": "q4"}]}, "no text", "queries.jsonl, line 4"),
        ({"queries": [*QUERIES, {"_id": "q4", "text": "?"}]}, "question without a word", "queries.jsonl, line 4"),
        ({"queries": [*QUERIES, {"text": "Who?"}]}, "no _id", "queries.jsonl, line 4"),
        ({"queries": [*QUERIES, QUERIES[0]]}, "query id used twice", "queries.jsonl, line 4"),
        ({"qrels": [*QRELS, "q4\td1\t1"]}, "judgement of an unknown query", "qrels/test.tsv, line 5"),
        ({"qrels": [*QRELS, "q1\td4\t1"]}, "judgement of an unknown document", "qrels/test.tsv, line 5"),
        ({"qrels": [*QRELS, "q1\td1\t2"]}, "judged twice", "qrels/test.tsv, line 5"),
        ({"qrels": [HEAD]}, "no judgements", "test.tsv"),
        ({"qrels": [*QRELS, "q1 d2 1"]}, NO_JUDGEMENT, "qrels/test.tsv, line 5"),
        ({"qrels": [*QRELS, "q1\td2\t1.5"]}, NO_JUDGEMENT, "qrels/test.tsv, line 5"),
        ({"qrels": ["q1\td2\tgood"]}, NO_JUDGEMENT, "qrels/test.tsv, line 1"),
    ],
)  # fmt: skip
def test_a_beir_file_that_is_wrong_is_told_by_file_and_line(
    tmp_path: Path, changes: dict[str, Any], kind: str, where: str
) -> None:
    found = faults_of(write_beir(tmp_path / "port", **changes))
    assert (found.faults[0].kind, found.faults[0].where) == (kind, where)
    assert found.counts[kind] == 1


def test_a_document_with_a_fault_is_not_unknown_as_well(tmp_path: Path) -> None:
    broken = [{"_id": "d1", "title": "Harbour"}, *DOCUMENTS[1:]]
    assert faults_of(write_beir(tmp_path / "port", corpus=broken)).counts == {"no text": 1}


def test_faults_of_all_files_are_counted_together(tmp_path: Path) -> None:
    unknown = [*QRELS, *(f"q1\tx{number}\t1" for number in range(20))]
    found = faults_of(write_beir(tmp_path / "port", corpus=[*DOCUMENTS, {"_id": "d4"}], qrels=unknown))
    assert found.counts == {"judgement of an unknown document": 20, "no text": 1}


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_of_a_beir_folder_is_named(tmp_path: Path, name: str) -> None:
    folder = write_beir(tmp_path / "port")
    (folder / name).unlink()
    assert str(faults_of(folder).faults[0]) == f"{name}: missing file (of the BEIR layout)"


# Files of questions


def test_a_file_of_questions_is_named_and_hashed(tmp_path: Path) -> None:
    row = {"id": "1", "question": "Who?", "answers": ["Anna"]}
    found = read_questions(write_lines(tmp_path / "mine.v2.jsonl", row))
    assert (found.name, found.questions) == ("mine.v2", (Asked("1", "Who?", ("Anna",)),))
    # SHA-256 of the line above and its line end, by sha256sum.
    assert found.sha256 == "30960b19eaefc0e810e94af204ebe3b0dc7aef1e030181d5716ed257ce56e002"


@pytest.mark.parametrize("read", [read_questions, read_retrieval_set, read_passages])
def test_a_path_that_is_not_there_is_told(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(NotFound, match=r"There is no .*nothing\.json"):
        read(tmp_path / "nothing.json")


def test_questions_with_gold_sources_are_searched_for_in_the_folder_of_their_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "port.md").write_text("Anna Holm designed it.")
    rows = [
        {"id": "1", "question": "Who?", "answers": ["Anna"], "evidence": [{"source": "deep/port.md", "quote": "Anna"}]},
        {"id": "2", "question": "Why?", "answers": [], "answerable": False, "evidence": []},
    ]
    file = write_lines(tmp_path / "questions.jsonl", *rows)
    found = read_retrieval_set(file)
    assert (found.corpus, found.questions) == (tmp_path, file)
    assert found.queries == {"1": "Who?"}
    assert found.judgements == {"1": {"deep/port.md": 1}}
    with pytest.raises(UsageError, match="questions has its documents in no file"):
        next(documents(found))


def test_gold_sources_need_no_answers(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "q.jsonl", {"id": "1", "question": "Who?", "sources": ["elsewhere.md"]})
    found = read_retrieval_set(file)
    assert (found.corpus, found.judgements) == (None, {"1": {"elsewhere.md": 1}})


def test_a_gold_source_that_is_no_file_is_told_where_others_are(tmp_path: Path) -> None:
    (tmp_path / "port.md").write_text("x")
    rows = [{"id": str(n), "question": "Who?", "sources": [name]} for n, name in enumerate(["port.md", "prot.md"])]
    found = faults_of(write_lines(tmp_path / "q.jsonl", *rows))
    assert [str(fault) for fault in found.faults] == ["question 1: gold source that is no file (prot.md)"]


def test_questions_with_passages_are_searched_for_among_all_passages(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "question": "Who?", "answers": ["Anna"], "context": "Anna did.", "title": "Deeds"},
        {"id": "2", "question": "When?", "answers": ["1840"], "context": "In 1840."},
        {"id": "3", "question": "Who again?", "answers": ["Anna"], "context": "Anna did."},
        {"id": "4", "question": "Why?", "answers": [], "answerable": False, "context": "In 1841."},
    ]
    found = read_retrieval_set(write_lines(tmp_path / "set.jsonl", *rows))
    assert found.judgements == {"1": {"set/00000": 1}, "2": {"set/00001": 1}, "3": {"set/00000": 1}}
    assert list(documents(found)) == [
        Given("set/00000", "Anna did.", "Deeds"),
        Given("set/00001", "In 1840."),
        Given("set/00002", "In 1841."),
    ]


def test_questions_that_are_paired_with_passages_alone_are_all_asked(tmp_path: Path) -> None:
    rows = [{"id": n, "question": f"What is {n}?", "answers": [], "context": f"It is {n}."} for n in "ab"]
    assert list(read_retrieval_set(write_lines(tmp_path / "pairs.jsonl", *rows)).queries) == ["a", "b"]


def test_questions_that_say_nothing_of_documents_cannot_be_searched_for(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "q.jsonl", {"id": "1", "question": "Who?", "answers": ["Anna"]})
    with pytest.raises(UsageError, match=r"No question of .* says which document answers it") as caught:
        read_retrieval_set(file)
    assert "BEIR layout" in caught.value.hint


def test_passages_alone_may_come_from_a_file_that_has_ids_twice(tmp_path: Path) -> None:
    rows = [{"id": "1", "question": f"Who {n}?", "answers": ["Anna"], "context": f"Anna {n}"} for n in range(2)]
    file = write_lines(tmp_path / "train.jsonl", *rows)
    assert faults_of(file, read_questions).counts == {"id used twice": 1}
    found = read_passages(file)
    assert (found.queries, found.corpus) == ({}, file)
    assert [each.text for each in documents(found)] == ["Anna 0", "Anna 1"]


def test_passages_need_to_be_there(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "q.jsonl", {"id": "1", "question": "Who?", "answers": ["Anna"]})
    assert faults_of(file, read_passages).counts == {"no passages": 1}
