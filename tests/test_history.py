"""The questions that were asked: kept for their owner alone, read back, forgotten; and where one goes on from them."""

import json
import stat
import threading
from dataclasses import replace
from pathlib import Path

from rag.history import FILE, MOST_BYTES, HistoryEntry, clear_history, entry_of, keep, read_history
from rag.types import MAX_HISTORY, Answer, Citation

CITATION = Citation(
    1, "/files/a.pdf", "0" * 64, 3, 10, 20, "A quotation.", None, "Title", "Cover", ((0, 1),), ((0, 9),)
)
ANSWER = Answer("When?", "1921", "answer", 0.7, (CITATION,), (), "copying", "papers", 4)


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    keep(tmp_path, entry_of(ANSWER, ["Who?"]))
    (entry,) = read_history(tmp_path)
    assert (entry.question, entry.after, entry.collection) == ("When?", ("Who?",), "papers")
    assert (entry.outcome, entry.answer) == ("answer", "1921")
    assert entry.citations == (replace(CITATION, marks=(), claims=()),)
    assert entry.time.endswith("+00:00")
    assert entry.thread == ("Who?", "When?")


def test_a_thread_is_no_longer_than_a_conversation(tmp_path: Path) -> None:
    entry = entry_of(ANSWER, [f"Question {number}?" for number in range(MAX_HISTORY)])
    assert len(entry.thread) == MAX_HISTORY
    assert entry.thread[-1] == "When?"


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    keep(tmp_path, entry_of(ANSWER, []))
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    keep(tmp_path, entry_of(ANSWER, []))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_grows_to_a_limit_and_then_loses_what_is_oldest(tmp_path: Path) -> None:
    long = entry_of(replace(ANSWER, text="x" * 200_000), [])
    for number in range(30):
        keep(tmp_path, replace(long, question=f"Question {number}?"))
    assert (tmp_path / FILE).stat().st_size <= MOST_BYTES
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    kept = [entry.question for entry in read_history(tmp_path)]
    assert kept == [f"Question {number}?" for number in range(30 - len(kept), 30)]
    assert 5 < len(kept) < 25


def test_questions_of_several_at_once_are_all_kept_whole(tmp_path: Path) -> None:
    def ask_some(name: str) -> None:
        for number in range(50):
            keep(tmp_path, replace(entry_of(ANSWER, []), question=f"{name} {number}"))

    threads = [threading.Thread(target=ask_some, args=(name,)) for name in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(entry.question for entry in read_history(tmp_path)) == sorted(
        f"{name} {number}" for name in "abcd" for number in range(50)
    )


def test_what_does_not_read_is_passed_over(tmp_path: Path) -> None:
    keep(tmp_path, entry_of(ANSWER, []))
    with (tmp_path / FILE).open("ab") as file:
        for line in (b"nonsense\n", b"[]\n", b'{"question": "Who?"}\n', b"\xff\n", b"[" * 100_000 + b"\n"):
            file.write(line)
        file.write(json.dumps({**entry_of(ANSWER, []).to_json(), "from a later version": 1}).encode() + b"\n")
    assert [entry.question for entry in read_history(tmp_path)] == ["When?"]


def test_forgetting_removes_the_file(tmp_path: Path) -> None:
    assert clear_history(tmp_path) == 0
    keep(tmp_path, entry_of(ANSWER, []))
    keep(tmp_path, entry_of(ANSWER, []))
    assert clear_history(tmp_path) == 2
    assert not (tmp_path / FILE).exists()
    assert read_history(tmp_path) == []


def test_a_long_quotation_is_shortened_and_a_lone_surrogate_kept(tmp_path: Path) -> None:
    long = replace(CITATION, quote="x" * 100_000, title="\ud800")
    keep(tmp_path, entry_of(replace(ANSWER, citations=(long,)), []))
    (entry,) = read_history(tmp_path)
    assert isinstance(entry, HistoryEntry)
    assert (len(entry.citations[0].quote), entry.citations[0].title) == (2_000, "\ud800")
