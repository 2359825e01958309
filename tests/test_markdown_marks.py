"""Marks of Markdown: where they stand, and that nothing else is taken for one."""

import itertools

import pytest

from rag.markdown_marks import code_spans, has_marks, left, marks, unmarked


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("The limit is **512 KB** for *small* files.", "The limit is 512 KB for small files."),
        ("***Both*** and __strong__ and _weak_ and ~~old~~.", "Both and strong and weak and old."),
        ("Run `make **all**` twice.", "Run make **all** twice."),
        ("Type:\n```sh\ngo --in\n```", "Type:\ngo --in\n"),
        ("``a ` b`` holds a tick.", "a ` b holds a tick."),
        ("## Setup ##\nDo this.", "Setup\nDo this."),
        ("See [the guide](docs/guide.md) and [it][1].", "See the guide and it."),
        ('See [a](https://x.org/b_(c) "title") now.', "See a now."),
        ("![A plan](plan.png) of the house", "A plan of the house"),
        ("<https://x.org/a_b_c> is there", "https://x.org/a_b_c is there"),
        ("> quoted\n> twice", "quoted\ntwice"),
        ("| Name | Age |\n|------|:---:|\n| Ada | 36 |", "Name | Age\nAda | 36"),
        (r"2 \* 3 \_x\_", "2 * 3 _x_"),
        ("See :ref:`the guide <guide>`, ``make`` and `it <https://x.org>`_.", "See the guide, make and it."),
        ("A :class:`~rag.Engine` and `Other`__ things", "A rag.Engine and Other things"),
        ("**cut at the end", "cut at the end"),
        ("the begin** was cut", "the begin was cut"),
        ("**Note:** stop.", "Note: stop."),
        # what is no mark
        ("2 * 3 * 4 and 2 ** 3", "2 * 3 * 4 and 2 ** 3"),
        ("max_tokens and snake_case_names", "max_tokens and snake_case_names"),
        ("# is a sign, #1 is a number", "is a sign, #1 is a number"),
        ("a | b", "a | b"),
        ("x[0] (see below) [1]", "x[0] (see below) [1]"),
        ("- one\n* two\n1. three", "- one\n* two\n1. three"),
        ("C# and F#", "C# and F#"),
        ("it costs ~5 to ~7", "it costs ~5 to ~7"),
        ("", ""),
    ],
)
def test_a_text_is_read_without_its_marks(text: str, read: str) -> None:
    assert unmarked(text, "notes.md") == read
    assert unmarked(text, "notes.txt") == text
    found = marks(text)
    assert found == sorted(found)
    assert all(start < end for start, end in found)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found))


def test_code_keeps_its_ticks_where_that_is_wanted() -> None:
    text = "Run `a *b*` and **c**"
    assert code_spans(text) == [(4, 11)]
    assert "".join(text[start:end] for start, end in left(0, len(text), marks(text, code=False))) == "Run `a *b*` and c"


def test_only_files_in_markdown_or_restructuredtext_have_marks() -> None:
    assert [name for name in ("a.md", "A.MD", "b.markdown", "c.txt", "d.py", "md", "e.rst") if has_marks(name)] == [
        "a.md", "A.MD", "b.markdown", "e.rst",
    ]  # fmt: skip


def test_what_is_left_of_a_part() -> None:
    assert left(0, 10, [(2, 4), (8, 12)]) == [(0, 2), (4, 8)]
    assert left(3, 6, [(2, 4), (8, 12)]) == [(4, 6)]
    assert left(2, 4, [(2, 4)]) == []
    assert left(0, 3, []) == [(0, 3)]
