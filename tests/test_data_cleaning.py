"""Remnants of markup, boilerplate and personal data: what is taken out, and what must stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.data.boilerplate import RepeatedLines, unframed, without_navigation
from finetune.data.markup import CHARACTERS, MARKUP
from finetune.data.masks import MASKS
from finetune.data.records import EXAMPLES, Changes, Part, Record, Step


def cleaned(text: str, *steps: Step) -> tuple[str, dict[str, int]]:
    """Return a text after the steps, and how often what was changed."""
    changes = Changes()
    record = Record("a", (Part(text),))
    return record.changed(steps, changes.noting(record)).text, dict(changes.counts)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Tea &amp; milk &lt; cream.", "Tea & milk < cream."),
        ("A wide&amp;nbsp;gap.", "A wide\u00a0gap."),
        ("It is <b>hot</b>.<br/>Very <a href='x'>hot</a>.", "It is hot.\nVery hot."),
        ("Before<!-- a note\nof two lines --> after.", "Before after."),
        ("<script>var a = '<b>';</script>Text.", "Text."),
        ("It is [b]bold[/b] and [url=http://a.b]there[/url].", "It is bold and there."),
        ("The town[edit] is old.[citation needed]", "The town is old."),
    ],
)
def test_remnants_of_markup_go(text: str, clean: str) -> None:
    assert cleaned(text, *MARKUP)[0] == clean


@pytest.mark.parametrize(
    "text",
    [
        "Where a < b and c > d.",
        "Write `<b>` for bold and `&amp;` for an ampersand.",
        "The list<int> of the vector<T>.",
        "The first is a[i], the next [1].",
        "Use {{ name }} in a template, and [[x]] in a list.",
        "AT&T; R&D; see https://a.org/?a=1&b=2",
        "It's 'quoted', and ''twice''.",
    ],
)
def test_what_only_looks_like_markup_stays(text: str) -> None:
    assert cleaned(text, *MARKUP) == (text, {})


def test_wiki_marks_go_from_a_wiki_text() -> None:
    text = "== Tea ==\n'''Tea''' is a [[drink]] of [[Camellia|leaves]].{{cn}} [[File:Tea.jpg|thumb]]"
    assert cleaned(text, *MARKUP)[0] == "Tea\nTea is a drink of leaves. "


def test_special_characters_become_plain_ones() -> None:
    text = "An of\ufb01ce\u00a0of\u2009ours\ufffd.  \n\n\n\nNext."
    clean, counts = cleaned(text, *CHARACTERS)
    assert clean == "An office of ours.\n\nNext."
    assert counts == {
        "odd spaces": 2, "ligatures": 1, "undecodable characters": 1, "spaces at line ends": 1, "blank lines": 1
    }  # fmt: skip


@given(st.text(alphabet="ab <>&;/br[]=\n`'{}|nbspam\u00a0\ufb01", max_size=80))
def test_cleaning_twice_is_cleaning_once_for_characters(text: str) -> None:
    once = cleaned(text, *CHARACTERS)[0]
    assert cleaned(once, *CHARACTERS)[0] == once


def test_a_ligature_that_is_spoken_of_stays() -> None:
    assert (
        cleaned('It differs, as "\ufb01" does; \ufb01nd it.', *CHARACTERS)[0]
        == 'It differs, as "\ufb01" does; find it.'
    )


def test_code_is_left_alone() -> None:
    record = Record("a", (Part("Say <b>so</b>: "), Part("x = '<b>&amp;</b>'", code=True)))
    changes = Changes()
    assert record.changed(MARKUP, changes.noting(record)).text == "Say so: x = '<b>&amp;</b>'"
    assert changes.counts == {"tags": 2}


def test_examples_show_what_stood_around_and_are_limited() -> None:
    changes = Changes()
    record = Record("a", (Part("".join(f"line {n}\u00a0here\n" for n in range(30))),))
    record.changed(CHARACTERS, changes.noting(record))
    assert changes.counts["odd spaces"] == 30
    assert len(changes.examples["odd spaces"]) == EXAMPLES
    assert changes.examples["odd spaces"][0] == ("a", "line 0\u00a0here", "line 0 here")


# Boilerplate


def test_the_licence_frame_of_a_book_goes() -> None:
    book = (
        "Produced by someone.\n*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***\n\nEmma Woodhouse, handsome.\n\n"
        "*** END OF THE PROJECT GUTENBERG EBOOK EMMA ***\nThe licence."
    )
    assert cleaned(book, unframed) == ("Emma Woodhouse, handsome.", {"licence frames": 2})
    assert cleaned("They speak of Project Gutenberg.\n", unframed) == ("They speak of Project Gutenberg.\n", {})


def test_navigation_goes_and_sentences_about_it_stay() -> None:
    text = "Skip to content\nWe advertise cookies.\n© 2020 Us. All rights reserved.\nBack to top"
    assert cleaned(text, without_navigation)[0] == "We advertise cookies."


def lines_of(documents: list[str]) -> RepeatedLines:
    lines = RepeatedLines()
    for number, text in enumerate(documents):
        lines.count(Record(str(number), (Part(text),)))
    return lines


def test_lines_that_many_documents_have_go_whatever_their_numbers() -> None:
    documents = [
        f"Tea number {n} is green.\nPage {n} of the yearly report\nOwn words about {'abcdefgh'[n]}." for n in range(8)
    ]
    step = lines_of(documents).removing(0.5)
    assert cleaned(documents[3], step) == (
        "Own words about d.",
        {"repeated lines": 2},
    )  # fmt: skip  "Tea number 3 is green" is the same line, too


def test_a_line_of_few_documents_a_heading_and_a_label_stay() -> None:
    often = "# How to make the tea\nIn short:\n"
    documents = [often + f"Words of their own, {word}." for word in "abcdefgh"]
    documents[0] += "\nFour documents say the same."
    for number in range(4):
        documents[number] += "\nFour documents say this here."
    step = lines_of(documents).removing(0.1)
    assert cleaned(documents[0], step) == (documents[0], {})


# Masks


@pytest.mark.parametrize(
    ("mask", "text", "masked"),
    [
        ("mail", "Write to ann.lee+a@post.example.org, please.", "Write to [mail], please."),
        ("phone", "Ring +49 (30) 123 456-78 today.", "Ring [phone] today."),
        ("phone", "Ring 0044 20 7946 0018.", "Ring [phone]."),
        ("phone", "Ring (212) 555-0143 or 212-555-0144.", "Ring [phone] or [phone]."),
        ("phone", "Tel.: 030 1234567", "Tel.: [phone]"),
        ("key", "AKIAIOSFODNN7EXAMPLE is one.", "[key] is one."),
        ("key", "api_key = 'a1b2c3d4e5f6'", "api_key = '[key]'"),
        ("key", "Authorization: Bearer abcdefghij0123456789xyz", "Authorization: Bearer [key]"),
        ("key", "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "[key]"),
        ("key", "ghp_" + "a1B2" * 9, "[key]"),
    ],
)
def test_personal_data_is_masked(mask: str, text: str, masked: str) -> None:
    clean, counts = cleaned(text, MASKS[mask])
    assert clean == masked
    assert list(counts) == [f"{mask} masked"]


@pytest.mark.parametrize(
    "text",
    [
        "In 1999-2004 the 12,345,678 readers of ISBN 978-3-16-148410-0 rose by 3.141592653 at 192.168.100.200.",
        "On 2024-01-15 10:30:45 it cost 1 234 567 and weighed 10 000 000 kg.",
        "The @decorator, user@host and a@b are no addresses.",
        "The password: must be long. The token = sk-learn-and-other-packages, task-oriented-dialogue-system-two.",
        "call 3 of 12 (see 4.5)",
    ],
)
def test_numbers_and_words_are_not_masked(text: str) -> None:
    assert cleaned(text, *MASKS.values()) == (text, {})


def test_the_report_does_not_tell_what_was_masked() -> None:
    changes = Changes()
    record = Record("a", (Part("Write to ann.lee@post.example.org now."),))
    record.changed([MASKS["mail"]], changes.noting(record))
    assert changes.examples["mail masked"] == [("a", "Write to an… now.", "Write to [mail] now.")]
