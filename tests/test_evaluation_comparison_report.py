from pathlib import Path

from rag.evaluation.comparing import Comparison, compare_answers, compare_rankings
from rag.evaluation.comparison_report import EXAMPLES, comparison_page, write_comparison
from tests.evaluation_rows import ranked, row
from tests.pages import Node, parsed

EVIL = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'"


def compared(n: int = 30, lost: int = 12) -> Comparison:
    before = [row(f"q{i:02}", said="Paris", question=f"Question {i}?") for i in range(n)]
    after = [row(f"q{i:02}", said="330" if i < lost else "Paris", question=f"Question {i}?") for i in range(n)]
    return compare_answers(before, after)


def tables(page: Node) -> dict[str, list[list[str]]]:
    return {
        next(each.all("caption")).text: [
            [cell.text for cell in line.children if isinstance(cell, Node)]
            for body in each.all("tbody")
            for line in body.all("tr")
        ]
        for each in page.all("table")
    }


def test_the_verdict_comes_first_with_the_numbers_it_hangs_on() -> None:
    page = parsed(comparison_page(compared(), "one", "other"))
    first = next(page.all("section"))
    assert next(first.all("strong")).text == "The second run is worse."
    assert "f1 -40.0 points" in first.text
    assert next(page.all("title")).text == "one and other compared"


def test_each_measure_stands_before_and_after() -> None:
    measures = tables(parsed(comparison_page(compared(), "one", "other")))["Each measure, before and after"]
    em = measures[0]
    assert em[1:4] == ["100.0 %", "60.0 %", "-40.0"]
    assert em[6] == "worse"
    answered = next(line for line in measures if line[0].startswith("answered"))
    assert answered[6] == "neither"


def test_flips_are_counted_and_the_first_of_them_shown() -> None:
    page = parsed(comparison_page(compared(), "one", "other"))
    counts = tables(page)["How many were right before, and are now"]
    assert counts == [["Right before", "18", "12"], ["Wrong before", "0", "0"]]
    assert [each.text for each in page.all("h3")] == [f"Question {i}?" for i in range(EXAMPLES)]
    assert "And 2 more." in page.text
    first = next(page.all("article"))
    assert [each.text for each in first.all("dd")] == ["Paris ", "Paris", "330", "q00"]


def test_a_run_compared_with_itself_shows_no_difference_and_no_flips() -> None:
    page = parsed(comparison_page(compared(lost=0), "one", "one"))
    assert "No difference is shown." in page.text
    assert not list(page.all("article"))


def test_two_arms_of_a_search_are_shown_as_well() -> None:
    words = [ranked(f"q{i}", ["no", "gold"], {"gold": 1}) for i in range(9)]
    dense = [ranked(f"q{i}", ["gold", "no"], {"gold": 1}) for i in range(9)]
    page = parsed(comparison_page(compare_rankings(words, dense), "words", "dense"))
    assert "The second run is better." in page.text


def test_what_was_asked_and_said_is_text() -> None:
    before = [row(EVIL, [EVIL], EVIL, question=EVIL, passages=[])]
    after = [row(EVIL, [EVIL], "330", question=EVIL, passages=[])]
    page = parsed(comparison_page(compare_answers(before, after), EVIL, EVIL))
    assert not {each.name for each in page.all()} & {"script", "img"}
    assert [each.text for each in page.all("h3")] == [EVIL]


def test_it_is_written_to_a_file(tmp_path: Path) -> None:
    write_comparison(compared(), "one", "other", tmp_path / "diff.html")
    assert (tmp_path / "diff.html").read_text(encoding="utf-8") == comparison_page(compared(), "one", "other")
