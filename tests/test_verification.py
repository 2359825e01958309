import copy
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from indexer.errors import UsageError
from indexer.sync import Given
from indexer.types import Document
from rag import Check, Engine, Verdict, verify
from rag.engine import cited
from rag.generator import Copied, Draft, Written
from rag.quoting.generator import QuotingGenerator
from rag.verification import EARLIER_VERSION, loaded
from tests.worlds import WordEncoder, collection_of

PROVED = "the quotations hold; that they answer the question is not checked"
QUESTION = "How many bees does a hive hold?"


@pytest.fixture
def world(tmp_path: Path) -> Collection:
    return collection_of(tmp_path)


def answer_of(collection: Collection, model: Path, question: str = QUESTION) -> dict[str, Any]:
    """Return an answer as `ask --json` prints it and a program reads it back."""
    answer = Engine(collection, QuotingGenerator(collection, model)).ask(question)
    assert answer.answered
    loaded: dict[str, Any] = json.loads(json.dumps(answer.to_json()))
    return loaded


def reason(answer: dict[str, Any], home: Path) -> str:
    verdict = verify(answer, home)
    (check,) = verdict.checks
    assert not check.holds
    assert not verdict.holds
    return check.reason


def test_a_fresh_answer_holds(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    source = answer["citations"][0]["source"]
    verdict = verify(answer, world.home)
    assert verdict == Verdict((Check(1, source, True, ""),), "", ())
    assert (verdict.holds, verdict.proves) == (True, PROVED)


def test_it_holds_without_the_collection(world: Collection, quoting_model: Path, tmp_path: Path) -> None:
    """Only the source itself is read: an answer can be checked where nothing was ever indexed."""
    answer = answer_of(world, quoting_model)
    assert verify(answer, tmp_path / "nowhere").holds


def test_one_changed_byte_far_from_the_quote_fails(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    path = Path(answer["citations"][0]["source"])
    path.write_bytes(path.read_bytes().replace(b"Bees dance", b"Bees Dance"))
    assert reason(answer, world.home) == "the source has changed since it was indexed; the quote still occurs in it"


def test_a_quotation_beside_the_answer_holds_without_a_claim(world: Collection, quoting_model: Path) -> None:
    """It bears out no part of the answer, and is checked like any other."""
    answer = answer_of(world, quoting_model)
    tea = answer_of(world, quoting_model, "At what heat is green tea steeped?")
    answer["citations"].append({**tea["citations"][0], "number": 2, "claims": []})
    assert verify(answer, world.home).holds
    answer.update(answered=False, outcome="unsure")
    assert verify(answer, world.home).holds
    answer["citations"][1]["quote"] = "Green tea is steeped at ninety degrees."
    assert [check.holds for check in verify(answer, world.home).checks] == [True, False]


def test_a_changed_quote_in_the_source_fails(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    path = Path(answer["citations"][0]["source"])
    path.write_bytes(path.read_bytes().replace(b"sixty", b"forty"))
    assert reason(answer, world.home) == "the source has changed since it was indexed; the quote is no longer in it"


def test_only_the_citation_of_the_changed_source_fails(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    tea = answer_of(world, quoting_model, "At what heat is green tea steeped?")
    answer["citations"].append({**tea["citations"][0], "number": 2})
    Path(answer["citations"][1]["source"]).write_text("Coffee.\n")
    assert [(check.number, check.holds) for check in verify(answer, world.home).checks] == [(1, True), (2, False)]


def test_a_gone_file_is_named(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    Path(answer["citations"][0]["source"]).unlink()
    assert reason(answer, world.home) == "the file is gone"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"quote": "A hive holds up to forty thousand bees."}, "the quote stands nowhere in the source"),
        ({"start": 0, "end": 39}, "the source says 'Bees dance.*the quote stands elsewhere in the source"),
        ({"start": -1}, "the span -1-.* lies outside the text"),
        ({"end": 10**9}, "lies outside the text of"),
        ({"start": 60, "end": 50}, "the span 60-50 lies outside"),
        ({"sha256": "0" * 64}, "the source has changed"),
    ],
)
def test_a_changed_answer_fails(world: Collection, quoting_model: Path, change: dict[str, Any], expected: str) -> None:
    answer = answer_of(world, quoting_model)
    answer["citations"][0].update(change)
    assert re.search(expected, reason(answer, world.home))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/dev/zero", "the file cannot be read: "),
        ("/proc/self/mem", "the file cannot be read: "),
        ("/tmp", "the file cannot be read: "),
        ("/etc/\x00passwd", "the file is gone"),
        ("/" + "x" * 5000, "the file is gone"),
        ("bees.txt", "it has no file, and "),
        ("files/bees.txt", "it has no file, and "),
        ("../bees.txt", "it has no file, and "),
        ("", "it has no file, and "),
    ],
)
def test_a_forged_source_fails_and_nothing_else_happens(
    world: Collection, quoting_model: Path, source: str, expected: str
) -> None:
    answer = answer_of(world, quoting_model)
    answer["citations"][0]["source"] = source
    assert reason(answer, world.home).startswith(expected)


def test_a_pipe_is_not_waited_for(world: Collection, quoting_model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    answer = answer_of(world, quoting_model)
    answer["citations"][0]["source"] = str(tmp_path / "pipe")
    assert reason(answer, world.home).startswith("the file cannot be read: ")


REFUSAL: dict[str, Any] = {"answer": "", "answered": False, "citations": [], "copied": [], "written": []}


@pytest.mark.parametrize("refusal", [REFUSAL, REFUSAL | {"outcome": "none"}, REFUSAL | {"outcome": "unsure"}])
def test_a_refusal_claims_nothing_that_could_fail(tmp_path: Path, refusal: dict[str, Any]) -> None:
    verdict = verify(refusal, tmp_path)
    assert (verdict.holds, verdict.checks) == (True, ())
    assert verdict.proves == "it was not answered, and nothing is claimed"


@pytest.mark.parametrize(
    "answer",
    [{}, [], None, "text", 3, {"citations": []}, REFUSAL | {"citations": None}, REFUSAL | {"citations": {"number": 1}},
     REFUSAL | {"answered": 1}, REFUSAL | {"answer": None}],
)  # fmt: skip
def test_what_is_no_answer_is_refused(answer: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="This is no answer"):
        verify(answer, tmp_path)


GOOD = {"number": 1, "source": "/a", "sha256": "0", "page": None, "start": 0, "end": 1, "quote": "x"}


@pytest.mark.parametrize("name", ["number", "source", "sha256", "start", "end", "quote"])
@pytest.mark.parametrize("value", [None, True, [], {}, 1.5])
def test_a_field_of_a_wrong_type_is_named(tmp_path: Path, name: str, value: Any) -> None:
    citation = copy.deepcopy(GOOD)
    citation[name] = value
    with pytest.raises(UsageError, match=f"as its '{name}'"):
        verify({**REFUSAL, "citations": [citation]}, tmp_path)
    del citation[name]
    with pytest.raises(UsageError, match=f"None as its '{name}'"):
        verify({**REFUSAL, "citations": [citation]}, tmp_path)


@pytest.mark.parametrize("citation", [None, 3, "text", ["number"]])
def test_a_citation_that_is_no_object_is_refused(tmp_path: Path, citation: Any) -> None:
    with pytest.raises(UsageError, match="None as its 'number'"):
        verify({**REFUSAL, "citations": [citation]}, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("copied", {}), ("copied", [3]), ("copied", [{}]), ("written", [[1]]), ("written", [[1, True]]), ("outcome", 1),
     ("written", "ab"), ("unsupported", [[0, 1.5]]), ("generator", None)],
)  # fmt: skip
def test_a_part_of_the_answer_of_a_wrong_type_is_named(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"as its '({name}|start)', where"):
        verify(REFUSAL | {name: value}, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("page", "1"), ("page", True), ("line", []), ("marks", None), ("marks", [[0]]), ("claims", [["0", "1"]])],
)
def test_what_is_shown_beside_a_quote_has_a_type(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"as its '{name}', where"):
        verify({**REFUSAL, "citations": [GOOD | {name: value}]}, tmp_path)


# What is shown beside the quotes, and the answer around them
#
# An answer "held" that was on page 999, quoted nothing, cited nothing, or said something else than its quotes.


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"page": 999}, "the quote stands on no page, not on page 999"),
        ({"line": 4}, "the quote stands in line 3, not in line 4"),
        ({"title": "The Times"}, "the source is called 'bees.txt', not 'The Times'"),
        ({"quote": "", "start": 5, "end": 5}, "it quotes nothing"),
        ({"quote": "\n\n", "start": 50, "end": 52}, "it quotes nothing"),
        ({"marks": [[0, 40]]}, "a mark lies outside the quote of 39 characters"),
        ({"marks": [[-1, 4]]}, "a mark lies outside the quote"),
        ({"marks": [[5, 4]]}, "a mark lies outside the quote"),
        ({"claims": [[0, 40]]}, "it is to bear out a part outside the answer of 39 characters"),
        ({"claims": [[90, 99]]}, "it is to bear out a part outside the answer"),
    ],
)
def test_a_citation_that_shows_something_else_than_its_source_fails(
    world: Collection, quoting_model: Path, change: dict[str, Any], expected: str
) -> None:
    answer = answer_of(world, quoting_model)
    answer["citations"][0].update(change)
    assert expected in reason(answer, world.home)


def test_page_line_and_title_as_the_source_has_them_hold(world: Collection, quoting_model: Path) -> None:
    answer = answer_of(world, quoting_model)
    answer["citations"][0].update(line=3, title="bees.txt", page=None)
    assert verify(answer, world.home).holds


def test_the_page_is_counted_again(tmp_path: Path) -> None:
    collection = Collection("pdf", tmp_path, WordEncoder())
    collection.sync([Path(__file__).parents[1] / "corpora" / "data" / "scanned-documents.pdf"])
    document = collection.document("scanned-documents.pdf")
    second = next(section for section in document.sections if section.page == 2)
    answer = by_hand(document, (second.start, second.end))
    assert verify(answer, tmp_path).holds
    answer["citations"][0]["page"] = 1
    assert reason(answer, tmp_path) == "the quote stands on page 2, not on page 1"


def by_hand(document: Document, *spans: tuple[int, int], joined_by: str = ", ") -> dict[str, Any]:
    """Return an answer that copies these spans of a document, each quoted by a citation of its own."""
    text, citations, copied, written = "", [], [], []
    for number, (start, end) in enumerate(spans, 1):
        if text:
            written.append([len(text), len(text) + len(joined_by)])
            text += joined_by
        quote = document.text[start:end]
        said = " ".join(quote.split())
        citations.append(
            {"number": number, "source": document.source, "sha256": document.sha256, "start": start, "end": end,
             "page": document.page_at(start), "quote": quote, "marks": [[0, len(quote)]],
             "claims": [[len(text), len(text) + len(said)]]}
        )  # fmt: skip
        copied.append({"start": len(text), "end": len(text) + len(said), "citation": number, "quote_start": 0,
                       "quote_end": len(quote)})  # fmt: skip
        text += said
    return {"answer": text, "answered": True, "citations": citations, "copied": copied, "written": written,
            "generator": "copying", "unsupported": []}  # fmt: skip


@pytest.fixture
def pair(world: Collection) -> dict[str, Any]:
    """Return an answer of two quotes, the second over the end of a line."""
    document = world.document("bees.txt")
    return by_hand(document, (0, 4), (document.text.index("A hive"), len(document.text)))


def fault(answer: dict[str, Any], home: Path) -> str:
    """Return what is wrong with an answer whose citations hold."""
    verdict = verify(answer, home)
    assert all(check.holds for check in verdict.checks)
    assert not verdict.holds
    assert verdict.proves == f"the answer does not hold: {verdict.reason}"
    return verdict.reason


def test_an_answer_of_several_quotes_holds(pair: dict[str, Any], world: Collection) -> None:
    assert pair["answer"] == "Bees, A hive holds up to sixty thousand bees."
    assert verify(pair, world.home).proves == PROVED


def test_every_other_text_of_the_answer_fails(pair: dict[str, Any], world: Collection) -> None:
    """`verify` said "holds" of an answer whose text was replaced by "1066"."""
    text = pair["answer"]
    for place in range(0, len(text), 3):
        changed = "x" if text[place] != "x" else "y"
        assert fault({**pair, "answer": text[:place] + changed + text[place + 1 :]}, world.home)
    for other in ("1066", text + " And wasps.", text[:-1], "", " "):
        assert not verify({**pair, "answer": other}, world.home).holds


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"start": -1}, "the copied part -1-4 lies outside of its 45 characters"),
        ({"end": 99}, "the copied part 0-99 lies outside"),
        ({"start": 4}, "the copied part 4-4 lies outside"),
        ({"citation": 3}, "'Bees' is said to be copied from [3], which is not cited"),
        ({"citation": 2}, "it says 'Bees' where the quote of [2] says 'A hi'"),
        ({"quote_end": 5}, "a part is said to be copied from outside the quote of [1]"),
        ({"quote_start": -1}, "a part is said to be copied from outside the quote of [1]"),
        ({"quote_start": 1}, "it says 'Bees' where the quote of [1] says 'ees'"),
        ({"end": 3, "quote_end": 3}, "'s' in it comes from no quote"),
        ({"end": 9}, "in it is said to come from two places"),
    ],
)
def test_a_copied_part_is_the_span_of_its_quote(
    pair: dict[str, Any], world: Collection, change: dict[str, int], expected: str
) -> None:
    pair["copied"][0].update(change)
    assert expected in fault(pair, world.home)


@pytest.mark.parametrize("twice", [[0, 4], [2, 3], [0, 45]])
def test_no_word_has_two_origins(pair: dict[str, Any], world: Collection, twice: list[int]) -> None:
    pair["written"].append(twice)
    assert "is said to come from two places" in fault(pair, world.home)


def test_a_count_of_documents_holds_and_is_told_as_unproved(world: Collection) -> None:
    """Nobody reads all documents again: the quotations are proved, and the number is not."""
    document = world.document("bees.txt")
    answer = by_hand(document, (0, 4), (document.text.index("A hive"), len(document.text)), joined_by=" ")
    for words, unproved in (("3 of 12 documents:", ("3 of 12 documents:",)), ("bees.txt:", ())):
        counted = copy.deepcopy(answer)
        counted["answer"] = f"{words} {answer['answer']}"
        far = len(words) + 1
        counted["written"] = [[0, len(words)], *([start + far, end + far] for start, end in answer["written"])]
        for part in counted["copied"]:
            part["start"], part["end"] = part["start"] + far, part["end"] + far
        for citation in counted["citations"]:
            citation["claims"] = [[start + far, end + far] for start, end in citation["claims"]]
        verdict = verify(counted, world.home)
        assert verdict.holds, verdict.proves
        assert verdict.unproved == unproved


@pytest.mark.parametrize("words", [" 3 documents: ", " all 12 documents: ", " 3 of 12 bees: ", " 3 of 12 documents "])
def test_no_other_count_joins(world: Collection, words: str) -> None:
    document = world.document("bees.txt")
    answer = by_hand(document, (0, 4), (document.text.index("A hive"), len(document.text)), joined_by=words)
    assert fault(answer, world.home) == f"{words!r} in it comes from no quote"


def test_a_generator_that_copies_writes_nothing_but_what_joins(world: Collection) -> None:
    document = world.document("bees.txt")
    spans = ((0, 4), (document.text.index("A hive"), len(document.text)))
    for joining in (", ", "; ", " and ", ": ", " / ", "… ", " "):
        assert verify(by_hand(document, *spans, joined_by=joining), world.home).proves == PROVED
    assert verify(by_hand(document, *spans, joined_by=" bees.txt: "), world.home).proves == PROVED
    for claim in (" never ", ", not ", " 1066 ", " tea.md: "):
        answer = by_hand(document, *spans, joined_by=claim)
        assert fault(answer, world.home) == f"{claim!r} in it comes from no quote"
        verdict = verify({**answer, "generator": "some-model"}, world.home)
        assert verdict.holds
        assert verdict.unproved == (claim.strip(),)
        assert f"; written by the generator and not proved: {claim.strip()!r}; that they" in verdict.proves


@pytest.mark.parametrize("conclusion", ["Yes.", "No."])
def test_a_conclusion_is_never_called_proved(pair: dict[str, Any], world: Collection, conclusion: str) -> None:
    """Nothing can be read again that makes a yes of a no."""
    ahead = len(conclusion) + 1
    pair["answer"] = f"{conclusion} {pair['answer']}"
    for part in pair["copied"]:
        part.update(start=part["start"] + ahead, end=part["end"] + ahead)
    pair["written"] = [[0, len(conclusion)], *([start + ahead, end + ahead] for start, end in pair["written"])]
    verdict = verify(pair, world.home)
    assert verdict.holds
    assert verdict.proves.startswith(f"the quotations hold; written by the generator and not proved: {conclusion!r};")


def test_an_answer_of_an_earlier_version_is_not_called_proved(pair: dict[str, Any], world: Collection) -> None:
    del pair["copied"], pair["written"]
    assert fault(pair, world.home) == EARLIER_VERSION


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"citations": [], "copied": [], "written": []}, "it says that it was answered, and has no citations"),
        ({"answered": False}, "it says that it was not answered, and has text"),
        ({"answered": False, "outcome": "none"}, "it says that it was not answered, and has text"),
        ({"answered": False, "outcome": "sure"}, "it was not answered, and that its outcome is 'sure'"),
        ({"outcome": "unsure"}, "it says that it was answered, and that its outcome is 'unsure'"),
        ({"unsupported": [[0, 99]]}, "a part that is called unsupported lies outside of it"),
        ({"written": [[4, 99]]}, "a part that is called written lies outside of it"),
    ],
)
def test_an_answer_that_contradicts_itself_fails(
    pair: dict[str, Any], world: Collection, change: dict[str, Any], expected: str
) -> None:
    pair.update(change)
    assert expected in fault(pair, world.home)


def test_an_answer_without_text_has_not_answered(pair: dict[str, Any], world: Collection) -> None:
    for citation in pair["citations"]:
        citation["claims"] = []
    assert fault({**pair, "answer": "", "copied": [], "written": []}, world.home).endswith("and has no text")


def test_what_an_unsure_answer_quotes_is_checked_likewise(pair: dict[str, Any], world: Collection) -> None:
    pair.update(answered=False, outcome="unsure")
    assert verify(pair, world.home).proves == PROVED
    pair["citations"][1]["quote"] = "A hive holds up to sixty million bees."
    assert not verify(pair, world.home).holds


def test_two_citations_of_one_number_fail(pair: dict[str, Any], world: Collection) -> None:
    pair["citations"][1]["number"] = 1
    assert fault(pair, world.home) == "two citations have the number 1"


@pytest.mark.parametrize(
    "text",
    ['{"answer": "1066", "answered": true, "citations": [], "answer": ""}', '{"citations": [{"page": 1, "page": 2}]}',
     '[{"a": {"a": 1, "b": 2, "a": 1}}]'],
)  # fmt: skip
def test_a_key_that_is_there_twice_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is in one object twice, so that it says two things"):
        loaded(text.encode())


def test_what_an_engine_makes_of_pieces_holds(world: Collection) -> None:
    """Copied and written pieces, spaces at their edges, twice the same quote, a line end in the middle of a copy."""
    found = Engine(world, "quoting").search("bees hive flowers", 4, mode="words")
    place = next(n for n, passage in enumerate(found) if passage.source.endswith("bees.txt"))
    text = found[place].text
    bees, hive = Copied(place, 0, text.index(" tell")), Copied(place, text.index("stand"), text.index(" up to"))
    pieces = (bees, Written("; "), hive, Written("  ", supported=True), bees, Written("."))
    made = cited(Draft(pieces, 1.0), found)
    assert made.text == "Bees dance to; stand. A hive holds  Bees dance to."
    answer = {
        "answer": made.text, "answered": True, "generator": "copying",
        "citations": [each.to_json() for each in made.citations], "copied": [each.to_json() for each in made.copied],
        "written": [list(span) for span in made.written],
    }  # fmt: skip
    assert verify(answer, world.home).proves == PROVED
    assert [made.text[each.start : each.end] for each in made.copied] == [
        "Bees dance to", "stand. A hive holds", "Bees dance to"
    ]  # fmt: skip


# Texts without a file


@pytest.fixture
def texts(tmp_path: Path) -> Collection:
    collection = Collection("texts", tmp_path, WordEncoder())
    collection.add(
        [Given("bees", "A hive holds sixty thousand bees."), Given("/wiki/tea", "Black tea is boiling hot.")]
    )
    return collection


def test_a_given_text_is_looked_up_in_its_collection(texts: Collection, quoting_model: Path) -> None:
    answer = answer_of(texts, quoting_model)
    assert answer["citations"][0]["source"] == "bees"
    assert verify(answer, texts.home).holds


def test_a_given_text_that_changed_or_went_fails(texts: Collection, quoting_model: Path) -> None:
    answer = answer_of(texts, quoting_model)
    texts.add([Given("bees", "A hive holds forty thousand bees.")])
    assert reason(answer, texts.home).startswith("the source has changed since it was indexed")
    texts.remove(["bees"])
    assert reason(answer, texts.home) == "it has no file, and 'bees' is not in collection 'texts'."


def test_a_given_text_without_its_collection_fails(texts: Collection, quoting_model: Path, tmp_path: Path) -> None:
    answer = answer_of(texts, quoting_model)
    assert reason(answer, tmp_path / "elsewhere").startswith("it has no file, and there is no collection 'texts'")


def test_an_id_that_looks_like_a_path_is_still_an_id(texts: Collection, quoting_model: Path) -> None:
    answer = answer_of(texts, quoting_model, "Is black tea boiling hot?")
    assert answer["citations"][0]["source"] == "/wiki/tea"
    assert verify(answer, texts.home).holds


def test_a_forged_collection_is_no_way_out_of_home(texts: Collection, quoting_model: Path) -> None:
    answer = answer_of(texts, quoting_model)
    answer["collection"] = "../../etc"
    assert "cannot be the name of a collection" in reason(answer, texts.home)
