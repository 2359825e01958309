"""Which words join what was copied, and which of them say something that nothing proves."""

from __future__ import annotations

import pytest

from rag.joining import concludes, is_joining


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\n",
        ", ",
        "; ",
        ".",
        ": ",
        " / ",
        "…",
        " and ",
        " or ",
        ", and ",
        "Yes. ",
        "No.",
        "3 of 12 documents:",
    ],
)
def test_what_joins(text: str) -> None:
    assert is_joining(text)


@pytest.mark.parametrize(
    "text",
    ["yes", "Yes", "Maybe.", "not", "and not", "3 documents:", "3 of 12 documents", "three of 12 documents:",
     "3 of 12 documents: all", "The mill:", "1", "-"],
)  # fmt: skip
def test_what_says_something_does_not_join(text: str) -> None:
    assert not is_joining(text)


def test_the_name_of_a_cited_document_introduces_what_was_copied_from_it() -> None:
    names = {"The mill", "weir.md"}
    assert is_joining("\nThe mill: ", names)
    assert is_joining("weir.md:", names)
    assert not is_joining("The ferry: ", names)
    assert not is_joining("The mill", names)
    assert not is_joining("The mill: closed", names)


def test_yes_no_and_counts_are_the_generators_own() -> None:
    assert [concludes(text) for text in ("Yes. ", "No.", "3 of 12 documents:\n")] == [True] * 3
    assert [concludes(text) for text in (", ", "", "The mill: ", "yes")] == [False] * 4
