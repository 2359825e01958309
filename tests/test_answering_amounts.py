"""Amounts: a number answers only where it counts what is asked for, and a difference is not one of its two numbers."""

from __future__ import annotations

import pytest

from rag.answering.amounts import counts_them, is_another_amount, is_calculated, things_counted


@pytest.mark.parametrize(
    ("question", "things"),
    [
        ("How many hives does the orchard have?", {"hiv"}),
        ("How many of the 240 young trees were lost?", {"young", "tr"}),
        ("How many different kinds are there?", {"kind"}),
        ("how many members", {"member"}),
        ("When was the orchard planted?", set()),
        ("How many?", set()),
    ],
)
def test_what_is_to_be_counted_is_read_off_the_question(question: str, things: set[str]) -> None:
    assert things_counted(question) == things


@pytest.mark.parametrize(
    ("expected", "question", "text"),
    [
        (1, "How many hives does the orchard have?", "The orchard has 14 old hives."),
        (1, "How many hives does the orchard have?", "Fourteen hives stand in the orchard."),
        (0, "How many hives does the orchard have?", "hives: 14; trees: 300"),
        (0, "How many hives does the orchard have?", "There are 14."),
        (-1, "How many hives does the orchard have?", "The orchard has 300 trees."),
        (-1, "How many hives does the orchard have?", "The orchard has\n300\ntrees."),
        (-1, "How many hives does the orchard have?", "The orchard has a wall."),
        (0, "How many people work in the orchard?", "The orchard employs 4 gardeners."),
        (-1, "How many people came to the fair?", "fair of 2017; 12 June 2017"),
        (-1, "How many people came to the fair?", "The fair of 2017 was in June."),
        (1, "How many guests came to the fair?", "In June 2017 about 1200 guests came."),
        (1, "How many guests came to the fair?", "1200 guests came to the fair of 2017."),
        (0, "How many guests came to the fair?", "Guests; 1200"),
        (1, "How many days does the harvest last?", "The harvest lasts nine\ndays."),
        (1, "How many days does the harvest last?", "The harvest lasts two weeks."),
        (-1, "How many days does the harvest last?", "The harvest brings in 40 boxes."),
        (0, "Who planted the orchard?", "The orchard has 300 trees."),
    ],
)
def test_a_number_counts_what_stands_beside_it(expected: int, question: str, text: str) -> None:
    assert counts_them(question, text) == expected


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How many years lie between the planting and the first harvest?", "The orchard was planted in 1921."),
        ("How many more hives has the orchard than the garden?", "The orchard has 14 hives."),
        ("How many times as high as the pear is the walnut?", "The pear is 4 m high."),
        ("By how much did the harvest rise?", "In 1931 the harvest was 40 boxes."),
        ("How much longer is the north wall?", "The north wall is 80 m long."),
        ("How long before the harvest must I book?", "The harvest lasts nine days."),
        ("How many days after the frost did the trees bloom?", "On 2 May the trees were in bloom."),
    ],
)
def test_a_difference_is_not_answered_by_one_of_its_numbers(question: str, text: str) -> None:
    assert is_calculated(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How many years lie between the planting and the first harvest?", "The first harvest came ten years later."),
        ("By how much did the harvest rise?", "The harvest rose by 12 per cent."),
        ("How long before the harvest must I book?", "Book at least three weeks in advance."),
        ("How many trees bore more than one kind of apple?", "In 1931 there were 9 such trees."),
        ("How long did the harvest last?", "It took nine days."),
    ],
)
def test_a_difference_that_is_said_answers(question: str, text: str) -> None:
    assert not is_calculated(question, text)


def test_money_is_asked_for_and_a_number_of_something_else_is_none() -> None:
    paid = "How much did the orchard pay for the hives?"
    assert is_another_amount(paid, "The orchard wrote to 38 keepers of bees about the hives.", in_row=False)
    assert not is_another_amount(paid, "The hives came to £640.", in_row=False)
    assert not is_another_amount(paid, "hives; 640", in_row=True)
    assert not is_another_amount("How much honey is there?", "There are 40 kg of honey.", in_row=False)


@pytest.mark.parametrize(
    "question",
    ["How high is the fee?", "How much does the press cost?", "Wie hoch ist die Gebühr?", "Wie teuer ist es?"],
)
def test_a_text_without_a_number_gives_no_amount(question: str) -> None:
    assert is_another_amount(question, "The meeting may set a fee.", in_row=False)
    assert is_another_amount(question, "2. The meeting may set a fee.", in_row=False)
    assert not is_another_amount(question, "2. The fee is £30.", in_row=False)
    assert not is_another_amount("Wie lange ist geöffnet?", "Geöffnet ist jeden Tag bis zwölf Uhr.", in_row=False)
    assert not is_another_amount("How old is the orchard?", "The orchard was planted in 1921.", in_row=False)


def test_what_is_not_counted_may_be_little() -> None:
    assert not is_another_amount("How much support is there for the plan?", "There is little support.", in_row=False)
    assert is_another_amount("How many trees are there?", "There are little trees.", in_row=False)
