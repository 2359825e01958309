"""Uploads are called what people call them, in an answer's words as in its footnotes, and the answer still holds."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from indexer.collection import Collection
from rag.engine import cited
from rag.generator import Copied, Draft, Written
from rag.service.documents import Names
from rag.service.renaming import with_upload_names
from rag.service.shapes import answer_json, chat_text
from rag.service.uploads import Uploads, received
from rag.types import Answer, given_passage
from rag.verification import verify, verify_in
from tests.worlds import WordEncoder

FERRY = "The ferry leaves at 7.40."


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _counted(home: Path) -> tuple[Answer, Names, str]:
    """Return a count over one upload, as the generator writes it: by what storage calls the file."""
    uploads, collection = Uploads(home), Collection("world", home, encoder=WordEncoder())
    path = asyncio.run(received(uploads, "world", "ferry times.txt", _once(FERRY.encode())))
    collection.sync([path], prune=False)
    sha256 = collection.document(str(path)).sha256
    read = (replace(given_passage(FERRY, source=str(path)), sha256=sha256),)
    pieces = (
        Written("1 of 4 documents:", True),
        Written(f"\n{path.name}: ", True),
        Copied(0, 0, len(FERRY)),
    )
    made = cited(Draft(pieces, 0.9), read)
    answer = Answer(
        "How many ferries?", made.text, "answer", 0.9, made.citations, read, "copying", "world", 3,
        copied=made.copied, written=made.written, form="count", documents=4, notes=(f"{path.name} was read.",),
    )  # fmt: skip
    collection.close()
    return answer, Names(uploads, "world"), path.name


def test_a_count_names_uploads_as_they_were_called(tmp_path: Path) -> None:
    """A chat client was shown "0123456789abcdef-fedcba9876543210.txt" in a count."""
    answer, names, stored = _counted(tmp_path)
    assert stored in answer.text
    told = with_upload_names(answer, names)
    assert told.text == f"1 of 4 documents:\nferry times.txt: {FERRY}"
    assert told.notes == ("ferry times.txt was read.",)
    (copied,) = told.copied
    assert told.text[copied.start : copied.end] == FERRY
    assert [told.text[start:end] for start, end in told.citations[0].claims] == [FERRY]
    assert "".join(told.text[start:end] for start, end in told.written) == "1 of 4 documents:\nferry times.txt: "
    content = chat_text(told, names)
    assert stored not in content
    assert f"ferry times.txt:** {FERRY}[^1]" in content
    texts = answer_json(answer, names, texts=True)["texts"]
    assert stored not in texts["markdown"] + texts["plain"]
    assert texts["markdown"].startswith("## How many ferries?\n\n")
    assert f"\n[1] ferry times.txt: “{FERRY}”" in texts["plain"]
    assert answer_json(answer, names)["texts"] is None


def test_an_answer_with_the_names_of_uploads_still_holds(tmp_path: Path) -> None:
    answer, names, _ = _counted(tmp_path)
    told = answer_json(answer, names)
    collection = Collection("world", tmp_path, encoder=WordEncoder())
    assert verify_in(collection, told, names.label).holds
    other = {**told, "answer": told["answer"].replace("ferry times", "other times")}
    assert "comes from no quote" in verify_in(collection, other, names.label).reason
    collection.close()
    assert verify(told, tmp_path).holds  # and on the command line
    assert verify({**answer.to_json(), "collection": "../x"}, tmp_path).holds  # as storage calls it, too


def test_copied_words_are_never_renamed(tmp_path: Path) -> None:
    answer, names, stored = _counted(tmp_path)
    quoted = f"See {stored} for that."
    part = (replace(answer.passages[0], text=quoted, end=len(quoted)),)
    made = cited(Draft((Copied(0, 0, len(quoted)),), 0.9), part)
    same = replace(answer, text=made.text, citations=made.citations, copied=made.copied, written=made.written)
    assert with_upload_names(same, names).text == quoted
