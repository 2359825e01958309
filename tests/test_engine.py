import contextlib
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fpdf import FPDF

from indexer.collection import Collection
from indexer.errors import UsageError
from indexer.view import View
from rag import Answer, Engine, Passage
from rag.engine import said
from rag.generator import Copied, Draft, Written
from rag.quoting.generator import QuotingGenerator
from rag.quoting.quotable import MAX_QUOTE
from tests.answers import passage
from tests.worlds import WordEncoder, article, collection_of, write_folder

QUESTIONS = (
    "How many bees does a hive hold?",
    "When does the library open?",
    "At what heat is green tea steeped?",
    "Where do bees dance?",
    "How long may books be borrowed?",
)


@dataclass(frozen=True)
class Drafting:
    """A generator that drafts what it is told to, and is as sure as it is told."""

    pieces: Sequence[Copied | Written] = ()
    confidence: float = 0.9
    name: str = "drafting"

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        return Draft(tuple(self.pieces), self.confidence)

    def threshold(self, max_error: float | None) -> float:
        return 0.5 if max_error is None else 1 - max_error


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collection_of(tmp_path_factory.mktemp("world"))


@pytest.fixture
def engine(collection: Collection, quoting_model: Path) -> Engine:
    return Engine(collection, QuotingGenerator(collection, quoting_model))


def check_citations(answer: Answer, collection: Collection) -> None:
    """Each citation is the stored text at its place, byte for byte, in order and each once."""
    assert [citation.number for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert len({(c.source, c.start, c.end) for c in answer.citations}) == len(answer.citations)
    for citation in answer.citations:
        document = collection.document(citation.source)
        assert document.text[citation.start : citation.end].encode() == citation.quote.encode()
        assert citation.sha256 == document.sha256
        assert citation.page == document.page_at(citation.start)
        assert citation.line == document.line_at(citation.start)
        assert all(0 <= start < end <= len(citation.quote) for start, end in citation.marks)


def test_an_answer_is_a_quotation_with_its_footnote(engine: Engine) -> None:
    answer = engine.ask("How many bees does a hive hold?")
    assert answer.answered
    assert answer.text == "A hive holds up to sixty thousand bees."
    (citation,) = answer.citations
    assert Path(citation.source).name == "bees.txt"
    assert citation.quote == "A hive holds up to sixty thousand bees."
    assert citation.quote[slice(*citation.marks[0])] == "sixty thousand"
    assert citation.line == 3
    assert answer.generator == "quoting"
    assert answer.collection == "world"
    assert answer.generation == engine.collection.generation


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_quote_is_the_stored_text_at_its_place(engine: Engine, question: str) -> None:
    answer = engine.ask(question, max_error=0.4)
    assert answer.answered
    check_citations(answer, engine.collection)


def test_not_answered_means_no_text_and_no_citations_but_the_nearest_passages(engine: Engine) -> None:
    answer = engine.ask("Who won the football cup?")
    assert (answer.answered, answer.text, answer.citations, answer.unsupported) == (False, "", (), ())
    assert answer.passages
    assert 0 <= answer.confidence < 0.5


@pytest.mark.parametrize("question", [*QUESTIONS, "Is there warm water in the library?", "Who keeps bees?"])
def test_a_smaller_error_never_answers_more(engine: Engine, question: str) -> None:
    answered = [engine.ask(question, max_error=share).answered for share in (0.01, 0.05, 0.1, 0.2, 0.4, 0.9)]
    assert answered == sorted(answered)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 2.0, math.nan, math.inf])
def test_a_share_of_errors_lies_between_none_and_all(engine: Engine, share: float) -> None:
    with pytest.raises(UsageError, match="max_error must lie between 0 and 1"):
        engine.ask("How hot is tea?", max_error=share)


def test_the_same_question_gives_the_same_answer(engine: Engine) -> None:
    one, two = engine.ask(QUESTIONS[0]), engine.ask(QUESTIONS[0])
    assert replace(one, timings_ms={}) == replace(two, timings_ms={})


def test_each_stage_is_timed(engine: Engine) -> None:
    timings = engine.ask(QUESTIONS[0]).timings_ms
    assert list(timings) == ["load", "embed", "retrieve", "open", "generate", "cite"]
    assert all(ms >= 0 for ms in timings.values())


def test_filters_hold_when_asking(engine: Engine) -> None:
    answer = engine.ask("How many bees does a hive hold?", filters=["source=library.md"])
    assert {Path(passage.source).name for passage in answer.passages} == {"library.md"}
    assert not answer.answered


def test_a_filter_that_keeps_nothing_is_told(engine: Engine) -> None:
    answer = engine.ask("How many bees does a hive hold?", filters=["source=nowhere.md"])
    assert (answer.outcome, answer.passages) == ("none", ())
    assert answer.notes == (
        "0 of 4 documents match source=nowhere.md.",
        "Values of source: bees.txt, tea.md, library.md, pump.md.",
    )
    assert answer.refusal == answer.notes[0]
    assert str(answer).startswith("0 of 4 documents match source=nowhere.md.\n\nValues of source: ")


def test_a_line_is_counted_in_the_markdown_as_it_is_on_disk(tmp_path: Path, quoting_model: Path) -> None:
    text = (
        "---\nauthor: Ada\n---\n\n# Log\n\nCalm sea.\n\n## June\n\n- rain\n- a whale was seen near the buoy\n- wind\n"
    )
    collection = collection_of(tmp_path, {"log.md": text})
    answer = Engine(collection, QuotingGenerator(collection, quoting_model)).ask("whale seen near the buoy?")
    (citation,) = answer.citations
    assert "a whale was seen near the buoy" in citation.quote
    assert citation.line is not None
    assert text.split("\n")[citation.line - 1] == "- a whale was seen near the buoy"
    check_citations(answer, collection)


def test_the_page_is_the_one_that_the_quote_stands_on(tmp_path: Path, quoting_model: Path) -> None:
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    for text in ("The anchor weighs two tons.", "The mast is made of spruce.", "The crew has eleven members."):
        pdf.add_page()
        pdf.multi_cell(0, 8, text + "\n\nNothing else of note happened on that day at sea, it is said.")
    write_folder(tmp_path / "files", {})
    (tmp_path / "files").mkdir(exist_ok=True)
    pdf.output(str(tmp_path / "files" / "ship.pdf"))
    collection = Collection("ship", tmp_path, WordEncoder())
    collection.sync([tmp_path / "files"])
    engine = Engine(collection, QuotingGenerator(collection, quoting_model))
    for question, page in (("What does the anchor weigh?", 1), ("mast made of?", 2), ("members of the crew?", 3)):
        (citation,) = engine.ask(question, max_error=0.4).citations
        assert (citation.page, citation.line) == (page, None), citation
        check_citations(engine.ask(question), collection)


def test_a_footnote_from_a_long_table_quotes_its_row(tmp_path: Path, quoting_model: Path) -> None:
    rows = [f"| vessel {number} | {number} tons | berth {number % 7} |" for number in range(400)]
    collection = collection_of(
        tmp_path, {"port.md": "\n".join(["# Port", "", "| a | b | c |", "|---|---|---|", *rows])}
    )
    answer = Engine(collection, QuotingGenerator(collection, quoting_model)).ask(
        "vessel 217 tons berth?", max_error=0.4
    )
    (citation,) = answer.citations
    assert citation.quote == rows[217]
    assert citation.line == 5 + 217


# What the engine makes of a draft


def ask(collection: Collection, *pieces: Copied | Written, confidence: float = 0.9) -> Answer:
    return Engine(collection, Drafting(pieces, confidence)).ask("green tea")


def test_a_copied_span_is_cited_with_the_sentence_around_it_and_marked(collection: Collection) -> None:
    text = ask(collection, Written("x")).passages[0].text
    start = text.index("eighty")
    answer = ask(collection, Copied(0, start, start + len("eighty degrees")))
    assert answer.text == "eighty degrees"
    (citation,) = answer.citations
    assert citation.quote == "Green tea is steeped at eighty degrees."
    assert citation.quote[slice(*citation.marks[0])] == "eighty degrees"
    check_citations(answer, collection)


def test_a_span_over_two_sentences_quotes_both(collection: Collection) -> None:
    text = ask(collection, Written("x")).passages[0].text
    answer = ask(collection, Copied(0, text.index("eighty"), text.index("takes")))
    (citation,) = answer.citations
    assert citation.quote == "Green tea is steeped at eighty degrees. Black tea takes boiling water."
    check_citations(answer, collection)


def test_written_words_count_as_unsupported_unless_borne_out(collection: Collection) -> None:
    text = ask(collection, Written("x")).passages[0].text
    start = text.index("eighty")
    answer = ask(collection, Written("Yes: "), Copied(0, start, start + 6), Written(" of them", supported=True))
    assert answer.text == "Yes: eighty of them"
    assert [answer.text[first:last] for first, last in answer.unsupported] == ["Yes: "]
    assert len(answer.citations) == 1


def test_written_words_that_are_borne_out_cite_what_bears_them_out(collection: Collection) -> None:
    text = ask(collection, Written("x")).passages[0].text
    evidence = (Copied(0, text.index("eighty"), text.index("eighty") + 6), Copied(0, 0, text.index("\n")))
    answer = ask(collection, Written("It wants 80 degrees. ", True, evidence), Written("It is cheap."))
    assert answer.text == "It wants 80 degrees. It is cheap."
    assert [citation.quote for citation in answer.citations] == ["Green tea is steeped at eighty degrees.", "# Tea"]
    for citation in answer.citations:
        assert [answer.text[slice(*claim)] for claim in citation.claims] == ["It wants 80 degrees."]
    assert [answer.text[slice(*span)] for span in answer.unsupported] == ["It is cheap."]
    check_citations(answer, collection)


def test_a_footnote_knows_which_parts_of_the_answer_rest_on_it(collection: Collection) -> None:
    text = ask(collection, Written("x")).passages[0].text
    eighty, boiling = (Copied(0, text.index(word), text.index(word) + len(word)) for word in ("eighty", "boiling"))
    answer = ask(collection, eighty, Written(", not "), boiling, Written(", but "), eighty)
    assert answer.text == "eighty, not boiling, but eighty"
    assert [citation.claims for citation in answer.citations] == [((0, 6), (25, 31)), ((12, 19),)]
    assert [len(citation.marks) for citation in answer.citations] == [1, 1]


def test_two_spans_of_one_sentence_share_a_footnote(collection: Collection) -> None:
    text = ask(collection, Written("x")).passages[0].text
    green, eighty = text.index("Green"), text.index("eighty")
    answer = ask(collection, Copied(0, green, green + 5), Written(" "), Copied(0, eighty, eighty + 6))
    assert answer.text == "Green eighty"
    (citation,) = answer.citations
    assert [citation.quote[slice(*mark)] for mark in citation.marks] == ["Green", "eighty"]


def test_copied_text_is_told_in_one_line(tmp_path: Path) -> None:
    collection = collection_of(tmp_path, {"tea.txt": "Green tea is steeped\n  at eighty\ndegrees.\n"})
    answer = ask(collection, Copied(0, 0, len("Green tea is steeped\n  at eighty\ndegrees.")))
    assert answer.text == "Green tea is steeped at eighty degrees."
    check_citations(answer, collection)


def test_a_draft_says_what_its_pieces_say_one_after_the_other() -> None:
    passages = [passage("Green tea\n  is hot."), passage("Bees dance.")]
    draft = Draft((Copied(1, 0, 4), Written(" drink "), Copied(0, 0, 14)), 0.5)
    assert said(draft, passages) == "Bees drink Green tea is"
    assert said(Draft((), 0.5), passages) == ""


def test_what_is_not_sure_enough_is_refused(collection: Collection) -> None:
    assert ask(collection, Written("x"), confidence=0.5).answered
    assert not ask(collection, Written("x"), confidence=0.49).answered
    assert not ask(collection, confidence=1.0).answered


def test_a_long_span_is_quoted_whole(tmp_path: Path) -> None:
    """What was copied always lies in its footnote, however long its sentence is."""
    text = " ".join(f"green tea {number}" for number in range(300))
    collection = collection_of(tmp_path, {"tea.txt": text})
    length = len(ask(collection, Written("x")).passages[0].text)
    answer = ask(collection, Copied(0, 5, length - 5))
    (citation,) = answer.citations
    assert len(citation.quote) > MAX_QUOTE
    assert answer.text in " ".join(citation.quote.split())
    check_citations(answer, collection)


# Threads


def test_sixteen_threads_ask_one_engine(engine: Engine) -> None:
    expected = {question: engine.ask(question).text for question in QUESTIONS}
    fresh = Engine(Collection(engine.collection.name, engine.collection.home, WordEncoder()), engine.generator)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(fresh.ask, QUESTIONS * 32))
    assert [answer.text for answer in answers] == [expected[question] for question in QUESTIONS * 32]


def test_threads_search_while_the_collection_changes(tmp_path: Path, quoting_model: Path) -> None:
    """Each answer is that of one generation: before the change or after it, never between."""
    collection = collection_of(tmp_path, {"a.md": article("harbours", 4)})
    engine = Engine(collection, QuotingGenerator(collection, quoting_model))
    before = [passage.text for passage in engine.search("harbours paragraph 1")]
    changed = article("harbours", 4, seed=1)

    def search_often(_: int) -> list[list[str]]:
        return [[passage.text for passage in engine.search("harbours paragraph 1")] for _ in range(30)]

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(search_often, number) for number in range(4)]
        write_folder(tmp_path / "files", {"a.md": changed})
        Collection("world", tmp_path, WordEncoder()).sync([tmp_path / "files"])
        seen = [found for each in running for found in each.result()]
    after = [passage.text for passage in engine.search("harbours paragraph 1")]
    assert after != before
    assert all(found in (before, after) for found in seen)


class SwitchingCollection(Collection):
    """A collection that is rebuilt with another encoder just after a question was embedded for it."""

    def __init__(self, home: Path, files: Path) -> None:
        super().__init__("switching", home, WordEncoder())
        self.files = files
        self.views = 0

    @contextlib.contextmanager
    def view(self) -> Iterator[View]:
        self.views += 1
        if self.views == 1:
            self.wanted_encoder = WordEncoder(salt="other", dim=48)
            self.sync([self.files], rebuild=True)
        with super().view() as view:
            yield view


def test_a_question_is_embedded_again_when_a_rebuild_changed_the_encoder(tmp_path: Path) -> None:
    files = write_folder(tmp_path / "files")
    collection = SwitchingCollection(tmp_path / "home", files)
    collection.sync([files])
    found = Engine(collection).search("When does the library open?", 1, mode="dense")
    assert collection.views == 2
    assert found[0].source == str(files / "library.md")
