"""Tables of reStructuredText, in all the ways they are written."""

from __future__ import annotations

import textwrap

import pytest

from indexer.readers import read

SIMPLE = "=====  =====\nDay    High\n=====  =====\nMon    3.2\n       m\n\nTue    4.1\n=====  =====\n"
GRID = """\
+-----+------+
| Day | High |
+=====+======+
| Mon | 3.2  |
|     | m    |
+-----+------+
| Tue | 4.1  |
+-----+------+
"""
LIST = """\
.. list-table:: Heights
   :header-rows: 1

   * - Day
     - High
   * - Mon
     - 3.2
       m
   * - Tue
     - 4.1
"""
CSV = '.. csv-table:: Heights\n   :header: "Day", "High"\n\n   Mon, "3.2 m"\n   Tue, 4.1\n'
INSIDE = ".. table:: Heights\n   :align: left\n\n" + textwrap.indent(SIMPLE, "   ")
ROWS = "Day | High\nMon | 3.2 m\nTue | 4.1"


@pytest.mark.parametrize("table", [SIMPLE, GRID, LIST, CSV, INSIDE])
def test_each_way_to_write_a_table_gives_its_rows(table: str) -> None:
    """They were paragraphs with all their lines and bars, in which no cell has its column."""
    reading = read("a.rst", f"Tides\n=====\n\nBefore.\n\n{table}\nAfter.\n".encode())
    titles = [("paragraph", "Heights")] * ("::" in table)
    assert [(block.kind, block.text) for block in reading.blocks] == [
        ("heading", "Tides"), ("paragraph", "Before."), *titles, ("table", ROWS), ("paragraph", "After."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "=====  =====\nDay    High\n",  # never ends
        ".. csv-table:: Of another file\n   :file: a.csv\n",
        "+---\n| a",
        "::\n\n    =====  =====\n    Day    High\n    =====  =====\n",  # quoted as it is
    ],
)
def test_what_is_no_table_stays_as_it_is_written(text: str) -> None:
    blocks = read("a.rst", f"Tides\n=====\n\n{text}".encode()).blocks
    assert all(block.kind != "table" for block in blocks)
    assert " ".join(text.split()) == " ".join(" ".join(block.text for block in blocks[1:]).split())


def test_names_for_texts_are_replaced_and_targets_are_no_text() -> None:
    text = "Tides\n=====\n\n.. |town| replace:: Harwich\n.. contents::\n   :depth: 2\n.. _here:\n\n"
    text += "In |town| it rose by |this|.\n"
    assert [block.text for block in read("a.rst", text.encode()).blocks] == ["Tides", "In Harwich it rose by |this|."]


def test_a_row_over_all_columns_of_a_grid_stands_above_the_others() -> None:
    table = "+-----------------+\n| Roles           |\n+------+----------+\n"
    table += "| root | | signs  |\n|      | | others |\n+------+----------+\n"
    reading = read("a.rst", f"Tides\n=====\n\n{table}".encode())
    assert reading.blocks[-1].text == "Roles | Roles\nroot | signs others"
