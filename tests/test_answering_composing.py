"""What is shown beside the sentence that answers."""

from __future__ import annotations

import pytest

from rag.answering.composing import passages, sentence
from rag.generator import Copied
from tests.seen import chances_of, document, evidence, quotes, shown_text

READ = document("The mill was built in 1840. The weir has three gates. Wait for the letter.")


@pytest.mark.parametrize(
    ("best", "beside"),
    [
        (0.95, []),  # certain: alone
        (0.8, []),
        (0.5, ["The weir has three gates."]),
        (0.2, ["The weir has three gates.", "Wait for the letter."]),
    ],
)
def test_the_surer_the_sentence_the_less_is_shown_beside_it(best: float, beside: list[str]) -> None:
    """ "Wait for the letter." stood under "See also" of an answer that had 84 %."""
    seen = evidence("When was the mill built?", READ)
    shown = sentence(seen, *chances_of(seen, {"The mill": best, "The weir": 0.1, "Wait": 0.03}))
    assert quotes(list(shown.also), seen.passages) == beside


def test_a_span_in_a_tag_gives_way_to_the_whole_sentence() -> None:
    seen = evidence(
        "What holds the mill?",
        document('<span class="note">Oak beams hold the mill</span>\n\nThe weir has three gates.'),
        spans={"span class": 3.0},
        form="fact",
    )
    shown = sentence(seen, *chances_of(seen, {"<span": 0.9}))
    assert shown.chosen[0].span is not None
    assert quotes([each for each in shown.pieces if isinstance(each, Copied)], seen.passages) != ["span class"]


def test_a_list_is_not_parted_from_what_introduces_it() -> None:
    """A run that ended with "such as:", or began behind it, said half."""
    items = "- the wheel\n- the sluice\n- the stones"
    text = f"{'The millers look after the mill in turn. ' * 9}\n\nEach of them cleans three things:\n\n{items}"
    seen = evidence("How is the mill cleaned?", document(text, (items, "paragraph")))
    shown = passages(seen, *chances_of(seen, {"- the sluice": 0.3, "- the wheel": 0.2}))
    assert shown_text(shown, seen.passages) == f"Each of them cleans three things:\n{items}"
