"""Answers as Markdown: each outcome, each form, and nothing of a document that becomes markup."""

from dataclasses import replace

from rag.answer_text import answer_markdown, heading
from tests.answers import passage
from tests.test_showing import BEES, answer, copied, joining


def lines(markdown: str) -> list[str]:
    return markdown.rstrip("\n").split("\n")


def test_a_fact_is_read_in_its_sentence_with_the_words_in_bold_and_a_footnote() -> None:
    fact = answer(BEES, copied(BEES, "sixty thousand"))
    assert lines(answer_markdown(fact)) == [
        "A hive holds up to **sixty thousand** bees.[^1]",
        "",
        "*confidence 60%, by the copying generator*",
        "",
        "[^1]: Source, /files/source.md, line 1: “A hive holds up to **sixty thousand** bees.”",
    ]


def test_a_list_stays_a_list_with_its_numbers_behind() -> None:
    text = "Bring:\n\n- a towel\n- a *lamp*\n- soap\n"
    whole = answer(text, copied(text, text.strip(), verbatim=True), form="list")
    assert lines(answer_markdown(whole))[:5] == ["Bring:", "", "- a towel", "- a lamp", "- soap[^1]"]


def test_an_item_alone_has_no_mark_of_its_list() -> None:
    text = "* At least eighteen years old"
    whole = answer(text, copied(text, "eighteen years"))
    assert lines(answer_markdown(whole))[0] == "At least **eighteen years** old[^1]"


def test_code_stands_between_fences_that_it_cannot_close() -> None:
    code = "x = '```'\ny = 2"
    text = f"To set x:\n\n{code}\n"
    steps = answer(text, copied(text, text.strip(), verbatim=True), form="steps", blocks=[(code, "code")])
    told = lines(answer_markdown(steps))
    assert told[:2] == ["To set x:", ""]
    start = told.index("````")
    assert told[start : start + 5] == ["````", "x = '```'", "y = 2", "````", "[^1]"]


def test_yes_or_no_stands_in_bold_before_its_sentence() -> None:
    whole = answer(BEES, joining("Yes. "), copied(BEES, "They sleep in winter."), form="yes-no")
    assert lines(answer_markdown(whole))[0] == "**Yes.** They sleep in winter.[^1]"


def test_what_is_not_sure_says_so_and_what_was_meant() -> None:
    unsure = answer(BEES, copied(BEES, "sixty thousand"), outcome="unsure", meant="How many beers?")
    told = lines(answer_markdown(unsure))
    assert told[:3] == ["*Not sure. The closest is:*", "", "A hive holds up to **sixty thousand** bees.[^1]"]
    assert "Did you mean: *How many beers?*" in told


def test_nothing_is_told_with_the_nearest_sentences() -> None:
    told = lines(answer_markdown(answer(BEES, outcome="none")))
    assert told[0] == "**Nothing in these documents bears on this.**"
    assert told[-1] == "- Source, /files/source.md, line 1: Bees dance. … A hive holds up to sixty thousand bees."


def test_how_it_was_read_and_what_is_noted_is_told() -> None:
    given = answer(BEES, copied(BEES, "sixty"), read_as="How many bees?", notes=("Read by its words only.",))
    assert lines(answer_markdown(given))[0] == "*read as: How many bees?*"
    assert "Read by its words only." in answer_markdown(given)


def test_what_a_document_holds_never_becomes_markup() -> None:
    evil = "The <script>alert(1)</script> [link](http://x) ![i](u) `c` **b** | 7 a_b _c_ \x1b[31m."
    told = answer_markdown(answer(evil, copied(evil, "7")))
    assert "link i `c` b " in told  # of Markdown, code stays code, and the other marks are left out
    for mark in ("<script", "[link]", "![i]", "**b**", " | ", "\x1b"):
        assert mark not in told.replace("\\<", "").replace("\\[", "").replace("\\`", "").replace("\\*", "").replace(
            "\\|", ""
        ), mark
    assert "**7**" in told
    assert "a_b" in told
    assert "a_b c " in told
    of_text = answer(evil, copied(evil, "7"))
    of_text = replace(of_text, citations=tuple(replace(each, source="/files/a.txt") for each in of_text.citations))
    assert r"\`c\` \*\*b\*\* \| **7** a_b \_c\_" in answer_markdown(of_text)  # elsewhere every sign is shown
    assert heading("# <b>\nWhy?") == "## \\# \\<b\\> Why?"


def test_bold_words_hold_no_space_at_their_edge() -> None:
    text = "A hive holds sixty  thousand bees."
    spaced = answer(text, copied(text, " sixty "))
    assert "holds **sixty** " in answer_markdown(spaced)


def test_another_document_is_named_in_bold() -> None:
    other = replace(passage("Wasps eat meat."), source="/files/wasps.md", title="Wasps")
    pieces = (joining("Source: "), copied(BEES, "Bees dance."), joining("\nWasps: "), copied(other.text, other.text, 1))
    compared = answer(BEES, *pieces, form="comparison", others=[other])
    assert lines(answer_markdown(compared))[:2] == [
        "**Source:** Bees dance.[^1]  ",
        "**Wasps:** Wasps eat meat.[^2]",
    ]
