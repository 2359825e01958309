"""Answers on a terminal: each outcome, and each form of an answer."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from indexer.types import BlockKind
from rag.engine import cited
from rag.generator import Copied, Draft, Written
from rag.showing import show_answer, show_passage
from rag.types import Answer, Form, Outcome, Passage
from tests.answers import passage

BEES = "Bees dance.\n\nA hive holds up to sixty thousand bees. They sleep in winter."
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def copied(text: str, part: str, read: int = 0, **more: Any) -> Copied:
    start = text.index(part)
    return Copied(read, start, start + len(part), **more)


def joining(text: str, *evidence: Copied) -> Written:
    return Written(text, True, evidence)


def answer(
    text: str,
    *pieces: Copied | Written,
    form: Form = "fact",
    outcome: Outcome = "answer",
    also: Sequence[Copied] = (),
    blocks: Sequence[tuple[str, BlockKind]] = (),
    others: Sequence[Passage] = (),
    **more: Any,
) -> Answer:
    """Return an answer made of pieces of `text`, as the engine makes it of a draft."""
    passages = (passage(text, *blocks), *others)
    made = cited(Draft(pieces, 0.6, also=tuple(also)), passages)
    return Answer(
        "How many bees?", made.text, outcome, 0.6, made.citations, passages, "copying", "world", 3,
        unsupported=made.unsupported, copied=made.copied, written=made.written, form=form, **more,
    )  # fmt: skip


def shown(given: Answer, colours: bool = False, width: int = 100) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=colours, highlight=False, emoji=False, _environ={})
    show_answer(console, given, explain=False)
    return file.getvalue()


def lines(given: Answer) -> list[str]:
    return shown(given).rstrip("\n").split("\n")


def test_a_fact_is_read_in_its_sentence_with_the_words_in_bold() -> None:
    fact = answer(BEES, copied(BEES, "sixty thousand"))
    assert fact.text == "sixty thousand"
    assert lines(fact) == [
        "A hive holds up to sixty thousand bees. [1]",
        "confidence 60%, by the copying generator",
        "",
        "[1] Source, /files/source.md, line 1",
    ]
    assert shown(fact, colours=True).startswith(f"A hive holds up to {BOLD}sixty thousand{PLAIN} bees.")


def test_a_fact_in_a_long_sentence_is_shown_with_what_surrounds_it() -> None:
    text = "alpha " * 80 + "the hive holds sixty bees " + "omega " * 80 + "."
    first = lines(answer(text, copied(text, "sixty")))[0]
    assert first.startswith("… alpha")
    whole = " ".join(lines(answer(text, copied(text, "sixty"))))
    assert "the hive holds sixty bees omega" in whole
    assert len(whole) < 480


def test_the_words_of_two_places_are_read_in_two_sentences() -> None:
    two = answer(BEES, copied(BEES, "dance"), joining(" and "), copied(BEES, "winter"))
    assert lines(two)[:2] == ["Bees dance. [1]", "They sleep in winter. [2]"]


def test_yes_or_no_stands_before_its_sentence() -> None:
    sentence = "They sleep in winter."
    whole = answer(BEES, joining("Yes. "), copied(BEES, sentence), form="yes-no")
    assert lines(whole)[0] == "Yes. They sleep in winter. [1]"
    assert shown(whole, colours=True).startswith(f"{BOLD}Yes. {PLAIN}They sleep")
    bare = answer(BEES, joining("No.", copied(BEES, sentence)), form="yes-no")
    assert lines(bare)[:2] == ["No. [1]", "They sleep in winter. [1]"]


def test_yes_of_which_nobody_is_sure_is_not_said() -> None:
    pieces = (joining("Yes. "), copied(BEES, "They sleep in winter."))
    unsure = answer(BEES, *pieces, form="yes-no", outcome="unsure")
    assert lines(unsure)[:2] == ["Not sure. The closest is:", "They sleep in winter. [1]"]
    assert "Yes" not in shown(unsure)


def test_a_list_is_read_line_by_line_and_numbered_once() -> None:
    text = "Bring:\n\n- a towel\n- a lamp\n- soap\n"
    items = [copied(text, item) for item in ("Bring:", "- a towel", "- a lamp", "- soap")]
    pieces = [part for item in items for part in (item, joining("\n"))][:-1]
    listed = lines(answer(text, *pieces, form="list"))
    assert listed[:4] == ["Bring: [1]", "- a towel [2]", "- a lamp [3]", "- soap [4]"]
    whole = answer(text, copied(text, text.strip(), verbatim=True), form="list")
    assert lines(whole)[:5] == ["Bring:", "", "- a towel", "- a lamp", "- soap [1]"]


def test_code_stays_code_and_keeps_its_line_ends() -> None:
    code = "def double(x):\n    long = '" + "x" * 120 + "'\n    return 2 * x"
    text = f"To double a number:\n\n{code}\n"
    whole = answer(text, copied(text, text.strip(), verbatim=True), form="steps", blocks=[(code, "code")])
    assert [whole.text[start:end] for start, end in whole.code] == [code]
    assert lines(whole)[:7] == ["To double a number:", "", *code.split("\n"), "[1]", lines(whole)[6]]
    flat = answer(text, copied(text, code), form="steps", blocks=[(code, "code")])
    assert flat.code == ()


def test_quotes_that_are_compared_are_named_by_their_document() -> None:
    other = replace(passage("Wasps eat meat."), source="/files/wasps.md", title="Wasps")
    pieces = (
        joining("Source: "), copied(BEES, "Bees dance."), joining("\nWasps: "), copied(other.text, other.text, 1),
    )  # fmt: skip
    compared = answer(BEES, *pieces, form="comparison", others=[other])
    assert lines(compared)[:2] == ["Source: Bees dance. [1]", "Wasps: Wasps eat meat. [2]"]


def test_a_count_tells_how_many_documents_were_looked_at() -> None:
    counted = answer(BEES, copied(BEES, "Bees dance."), form="count", documents=1075)
    assert "confidence 60%, by the copying generator; looked at 1,075 documents" in shown(counted)


def test_quotes_beside_the_answer_stand_under_see_also() -> None:
    given = answer(BEES, copied(BEES, "sixty thousand"), also=[copied(BEES, "They sleep in winter.")])
    assert lines(given)[5:] == ["See also", "[2] Source, /files/source.md, line 1", "    They sleep in winter."]


def test_how_the_question_was_read_stands_first_and_notes_below() -> None:
    given = answer(BEES, copied(BEES, "sixty"), read_as="How many bees in a hive?", notes=("Read by its words only.",))
    assert lines(given)[0] == "read as: How many bees in a hive?"
    assert lines(given)[3] == "Read by its words only."


def test_the_closest_evidence_is_no_answer_and_what_comes_after_it_is_shown() -> None:
    other = replace(passage("Ants count steps.\n\n# Others\n\nBees are many."), source="/files/ants.md", title="Ants")
    unsure = answer(BEES, copied(BEES, "sixty thousand"), outcome="unsure", others=[other], meant="How many beers?")
    told = lines(unsure)
    assert told[:4] == [
        "Not sure. The closest is:",
        "A hive holds up to sixty thousand bees. [1]",
        "confidence 60%: too little to call it an answer",
        "Did you mean: How many beers?",
    ]
    after = told[told.index("The passages after it:") :]
    assert after[1].startswith("1. Ants")
    assert after[3] == "   … Bees are many."
    assert "2. " not in "\n".join(after)  # the passage that was quoted is not shown again


def test_nothing_is_told_with_the_nearest_sentences() -> None:
    nothing = answer(BEES, outcome="none", meant="How many beers?", notes=("Read by its words only.",))
    assert lines(nothing) == [
        "Nothing in these documents bears on this.",
        "Did you mean: How many beers?",
        "Read by its words only.",
        "confidence in the best answer 60%. The nearest passages:",
        "",
        "1. Source  1.000",
        "   /files/source.md, line 1",
        "   Bees dance. A hive holds up to sixty thousand bees. …",
    ]


@pytest.mark.parametrize("width", [30, 60, 200])
def test_a_passage_shows_the_sentence_that_fits_with_the_words_in_bold(width: int) -> None:
    text = "Coffee is served. " * 40 + "A hive holds many bees. Then they sleep."
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, highlight=False, _environ={})
    show_passage(console, 1, passage(text), "How many bees in a hive?")
    assert f"{BOLD}hive{PLAIN} holds" in file.getvalue().replace("\n   ", " ")
    assert "Coffee" not in file.getvalue()


# Documents in Markdown


def test_marks_of_markdown_are_not_shown_on_a_terminal() -> None:
    """Quotes were shown with their `**`, backticks, `#` and the addresses of links, which are for the machine."""
    text = "# Limits\n\nThe **limit** is `512` KB, see [the *guide*](docs/guide.md)."
    fact = answer(text, copied(text, "512"))
    assert lines(fact)[0] == "The limit is 512 KB, see the guide. [1]"
    assert f"The limit is {BOLD}512{PLAIN} KB" in shown(fact, colours=True)
    assert fact.citations[0].quote == "The **limit** is `512` KB, see [the *guide*](docs/guide.md)."  # to the byte
    stored = "512"
    assert text[fact.citations[0].start :].startswith("The **limit**")
    assert fact.text == stored


def test_a_table_of_markdown_is_shown_by_its_cells() -> None:
    text = "| Name | Age |\n|------|-----|\n| **Ada** | 36 |"
    table = answer(text, copied(text, text, verbatim=True), form="list")
    assert [line.rstrip() for line in lines(table)[:2]] == ["Name | Age", "Ada | 36 [1]"]
    assert table.text == text


def test_code_and_other_formats_keep_every_sign() -> None:
    code = "def f(**more):\n    return `x`"
    text = f"Write:\n\n{code}"
    block = answer(text, copied(text, code, verbatim=True), form="steps", blocks=[(code, "code")])
    assert lines(block)[:2] == code.split("\n")
    text = "The **limit** is `512` KB."
    other = answer(text, copied(text, "512"))
    plain_text = replace(other, citations=tuple(replace(each, source="/files/a.txt") for each in other.citations))
    assert lines(plain_text)[0] == "The **limit** is `512` KB. [1]"


def test_a_passage_of_markdown_is_shown_without_marks() -> None:
    console = Console(file=io.StringIO(), width=100, highlight=False, emoji=False, _environ={})
    show_passage(console, 1, passage("The **limit** of `files` is [512](a.md) KB."), "limit of files")
    assert isinstance(console.file, io.StringIO)
    assert "The limit of files is 512 KB." in console.file.getvalue()
