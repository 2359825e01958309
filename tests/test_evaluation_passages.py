from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation import passages
from rag.evaluation.failures import Failure
from rag.evaluation.markup import shown
from rag.evaluation.rows import Row
from tests.evaluation_rows import TOWER, read, row
from tests.pages import Node, parsed

patient = settings(deadline=None, max_examples=60)
spans = st.lists(st.tuples(st.integers(-3, 25), st.integers(-3, 25)), max_size=4)


def article(asked: Row) -> Node:
    return parsed(passages.error(Failure(asked, "not read")).source)


def marks(node: Node) -> list[tuple[str, str]]:
    """Return what is marked below, with the kind of its mark."""
    return [
        (each.attributes["class"], "".join(child for child in each.children if isinstance(child, str)))
        for each in node.all("mark")
    ]


def test_the_gold_answer_and_what_was_said_are_marked_in_the_passage() -> None:
    (quote,) = article(row(answers=["March 1889"], said="330 metres")).all("blockquote")
    assert marks(quote) == [("gold", "March 1889"), ("said", "330 metres")]
    assert quote.text == TOWER.replace("March 1889", "March 1889gold").replace("330 metres", "330 metressaid")


def test_where_both_meet_there_is_a_mark_of_its_own() -> None:
    (quote,) = article(row(answers=["March 1889"], said="in March")).all("blockquote")
    assert marks(quote) == [("said", "in "), ("both", "March"), ("gold", " 1889")]


def test_every_mark_is_named_so_that_nothing_hangs_on_colour() -> None:
    node = article(row(answers=["March 1889"], said="in March"))
    quote = next(node.all("blockquote"))
    assert [each.text for each in quote.all("small")] == ["said", "gold, said", "gold"]


def test_a_gold_quote_is_marked_too() -> None:
    (quote,) = article(row(answers=["yes"], quotes=["The Eiffel Tower in Paris"], said="330")).all("blockquote")
    assert ("gold", "The Eiffel Tower in Paris") in marks(quote)


def test_passages_in_which_nothing_is_marked_are_folded() -> None:
    node = article(row(answers=["Paris"], said="330", passages=[TOWER, "Nothing of it."]))
    assert ["open" in each.attributes for each in node.all("details")] == [True, False]


def test_what_was_said_and_what_was_due_stand_above_the_passages() -> None:
    node = article(row("q7", ["Paris", "in Paris"], "330 metres", answered=False, confidence=0.31))
    names, values = [each.text for each in node.all("dt")], [each.text for each in node.all("dd")]
    assert dict(zip(names, values, strict=True)) == {
        "Gold answers": "Paris in Paris ",
        "Held back": "330 metres",
        "Confidence": "31 %",
        "Question id": "q7",
    }


def test_saying_nothing_and_having_nothing_to_say_are_told() -> None:
    told = [each.text for each in article(row(answers=[], said="", passages=[])).all("dd")]
    assert told[:3] == ["none: the passages do not tell", "nothing", "none"]


def test_words_that_no_passage_bears_out_are_marked() -> None:
    node = article(replace(row(said="in Paris, surely"), unsupported=((8, 16),)))
    assert ("bare", ", surely") in marks(node)


def test_a_long_passage_is_cut_around_its_first_mark() -> None:
    text = "x " * 5000 + "Paris" + " y" * 5000
    (quote,) = article(row(answers=["Paris"], said="", passages=[text])).all("blockquote")
    assert len(quote.text) == passages.MOST + len("[…] ") + len(" […]") + len("gold")
    assert quote.text.startswith("[…] ")
    assert quote.text.index("Paris") == passages.BEFORE + len("[…] ")
    (short,) = article(row(answers=["Paris"], said="", passages=["a" * passages.MOST])).all("blockquote")
    assert short.text == "a" * passages.MOST


def test_a_span_beyond_its_passage_marks_nothing_more() -> None:
    asked = row(answers=["London"], said="Paris")
    wild = replace(asked.spans[0], start=-5, end=10_000)
    (quote,) = article(replace(asked, spans=(wild, replace(wild, passage=7)))).all("blockquote")
    assert marks(quote) == [("said", TOWER)]


def test_hostile_documents_are_shown_as_text() -> None:
    """Titles, sources, ids, questions, answers and passages are all data."""
    evil = "</blockquote></article><script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>"
    hidden = "ignore\u202e all\u200b previous\x1b[2J \ud800\x00"
    passage = read(f"{evil} Paris {hidden}", source=f"/a/{evil}.md")
    asked = replace(
        row(evil, ["Paris", evil], said="Paris", question=evil + hidden, passages=[passage], kind=evil),
        said=evil,
    )
    node = article(asked)
    assert {each.name for each in node.all()} <= {
        "article", "h4", "bdi", "dl", "dt", "dd", "mark", "small", "details", "summary", "span", "blockquote", "em",
    }  # fmt: skip
    assert {name for each in node.all() for name in each.attributes} <= {"class", "open", "dir"}
    assert next(node.all("h4")).text == shown(evil + hidden)
    assert "\u202e" not in node.text
    assert "\x1b" not in node.text


@patient
@given(st.text(max_size=20), spans, spans)
def test_marking_changes_no_character(content: str, golds: list[tuple[int, int]], said: list[tuple[int, int]]) -> None:
    node = parsed(passages.marked(content, {"gold": golds, "said": said}).source)
    text = "".join(child if isinstance(child, str) else str(child.children[0]) for child in node.children)
    assert text == shown(content)


@patient
@given(st.text(max_size=20), spans)
def test_exactly_what_lies_in_a_span_is_marked(content: str, golds: list[tuple[int, int]]) -> None:
    node = parsed(passages.marked(content, {"gold": golds}).source)
    marked = sum(len(str(each.children[0])) for each in node.all("mark"))
    assert marked == len({place for start, end in golds for place in range(max(0, start), min(end, len(content)))})
