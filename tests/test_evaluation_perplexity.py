"""Perplexity of texts: read and checked, scores worked by hand, intervals over documents, a run that goes on."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.errors import NotFound
from rag.evaluation.faults import DataFaults
from rag.evaluation.perplexity import evaluate_perplexity, perplexities
from rag.evaluation.texts import Text, TextRow, read_texts
from tests.parrot import write_parrot

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # transformers' and torch's own, at import
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

# Texts


def test_each_file_is_a_document_as_it_stands(tmp_path: Path) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.md.gz"
    one.write_bytes(b"\xef\xbb\xbfA line.\r\n\n  Another.\n")
    other.write_bytes(gzip.compress("Ärger".encode()))
    found = read_texts([one, other])
    assert found.name == "one.txt and 1 more"
    assert found.texts == (Text(str(one), "A line.\r\n\n  Another.\n"), Text(str(other), "Ärger"))


def test_json_lines_are_a_document_each(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('{"id": "a", "text": "one"}\n{"_id": 7, "text": "two"}\n{"text": "three"}\n')
    found = read_texts([file])
    assert [text.id.removeprefix(f"{file} ") for text in found.texts] == ["a", "7", "line 3"]
    assert [text.text for text in found.texts] == ["one", "two", "three"]
    assert found.name == "texts.jsonl"


def test_the_hash_is_of_all_texts(tmp_path: Path) -> None:
    one, other = tmp_path / "a.txt", tmp_path / "b.txt"
    one.write_text("one")
    other.write_text("two")
    assert len({read_texts(paths).sha256 for paths in ([one], [other], [one, other], [other, one])}) == 4


@pytest.mark.parametrize(
    ("content", "kind", "where"),
    [
        (b'{"id": "a", "text": "x"}\n{"id": "b"}\n', "no text", "line 2"),
        (b'{"id": "a", "text": "x"}\n{"id": "b", "text": 7}\n', "text is no text", "line 2"),
        (b'{"id": "a", "text": "x"}\n{"id": "b", "text": " "}\n', "no text", "line 2"),
        (b'{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n', "id used twice", "line 2"),
        (b'{"id": "a", "text": "x"}\nnone\n', "not JSON", "line 2"),
        (b'{"id": "a", "text": "\\ud800"}\n', "half of a surrogate pair", "line 1"),
        (b"", "no documents", "all files"),
    ],
)
def test_lines_that_are_wrong_are_told_by_their_number(tmp_path: Path, content: bytes, kind: str, where: str) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataFaults, match="has 1 fault") as caught:
        read_texts([file])
    assert [(fault.kind, fault.where) for fault in caught.value.faults] == [(kind, where)]


def test_a_text_file_that_is_wrong_is_told(tmp_path: Path) -> None:
    latin, empty = tmp_path / "latin.txt", tmp_path / "empty.txt"
    latin.write_bytes(b"fine\nna\xefve\n")
    empty.write_text(" \n")
    with pytest.raises(DataFaults, match=r"latin\.txt, line 2: not UTF-8 \(byte 3\)") as caught:
        read_texts([latin, empty])
    assert caught.value.counts == {"not UTF-8": 1, "empty document": 1}


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"There is no file .*nothing\.txt"):
        read_texts([tmp_path / "nothing.txt"])


# Scores


def test_perplexities_are_of_all_tokens_and_bytes_together() -> None:
    # 6 ln 2 nats in 4 tokens and 12 bytes: 2 ** (6 / 4) a token, 2 ** (6 / 12) a byte, half a bit a byte.
    rows = [TextRow("a", 5 * math.log(2), 1, 10), TextRow("b", 1 * math.log(2), 3, 2)]
    scores = perplexities(rows)
    assert scores["perplexity"].value == pytest.approx(2**1.5)
    assert scores["byte_perplexity"].value == pytest.approx(2**0.5)
    assert scores["bits_per_byte"].value == pytest.approx(0.5)
    # Drawn again, it is both, or one of them twice: the ends are what each alone has.
    assert (scores["perplexity"].low, scores["perplexity"].high) == pytest.approx((2 ** (1 / 3), 2**5))


def test_one_document_has_no_interval() -> None:
    score = perplexities([TextRow("a", math.log(2), 1, 4)])["perplexity"]
    assert score.to_json() == {"value": 2.0, "low": None, "high": None}


def test_a_document_of_which_nothing_was_predicted_changes_nothing() -> None:
    rows = [TextRow("a", math.log(2), 1, 4), TextRow("b", 0.0, 0, 0)]
    assert perplexities(rows)["perplexity"].value == pytest.approx(2.0)
    assert perplexities(rows[1:] * 2)["perplexity"].to_json() == {"value": None, "low": None, "high": None}


def test_a_row_is_read_back_as_it_was_written() -> None:
    row = TextRow("a b", 12.3456789, 4, 17, 1)
    assert TextRow.from_json(json.loads(json.dumps(row.to_json()))) == row


# From end to end


def test_a_model_is_measured_on_texts(tmp_path: Path) -> None:
    """After ":" the parrot says ONE and then TWO; all else is as likely as not, among 264 tokens."""
    folder = write_parrot(tmp_path / "parrot", ("ONE", "TWO"), chat=False, reads=16)
    files = [tmp_path / name for name in ("a.txt", "b.txt")]
    files[0].write_text(":ONETWO")
    files[1].write_text("ab")
    seen: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, total: int) -> None:
        seen.append((what, done, total))

    found = evaluate_perplexity(str(folder), read_texts(files), progress=progress)
    said = 9 / math.sqrt(1 + 264e-6)  # its norm adds 1e-6 to the mean square
    told, untold = math.log(math.exp(said) + 263) - said, math.log(264)
    assert found.scores["perplexity"].value == pytest.approx(math.exp((2 * told + 3 * untold) / 5), rel=1e-5)
    assert found.scores["byte_perplexity"].value == pytest.approx(math.exp((2 * told + 3 * untold) / 9), rel=1e-5)
    assert (found.model, found.window, found.stride, found.n) == ("parrot", 16, 8, 2)
    assert seen == [("documents", 0, 2), ("documents", 1, 2), ("documents", 2, 2)]


def test_a_run_that_was_cut_short_goes_on(tmp_path: Path) -> None:
    folder = write_parrot(tmp_path / "parrot", ("ONE", "TWO"), chat=False, reads=16)
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"id": text, "text": text}) + "\n" for text in (":ONE", "ab", "cde")))
    texts = read_texts([file])
    whole = evaluate_perplexity(str(folder), texts)
    kept: list[TextRow] = []
    again = evaluate_perplexity(str(folder), texts, done=whole.rows[:2], keep=kept.extend)
    assert kept == [whole.rows[2]]
    assert (again.rows, again.scores) == (whole.rows, whole.scores)


def test_nothing_heavy_is_loaded_to_read_texts_and_rows() -> None:
    program = (
        "import sys, rag.evaluation.perplexity, rag.evaluation.retrieval, rag.evaluation.data;"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "ir_measures", "openvino", "faiss"} & set(done.stdout.split())
