"""What a document is about: its abstract or its first sentences, then what is likest to the question."""

from __future__ import annotations

from indexer.types import BlockKind
from rag.answering.composing import Shown
from rag.answering.overview import overview
from rag.types import Passage
from tests.seen import chances_of, document, evidence, shown_text

LEAD = "This handbook tells how the mill is run from spring to autumn."
STEP = "The sluice is opened by its wheel before the stones are set."
OTHER = document("A weir is a low wall across a river that raises the water.", number=2, name="weir.md", title="Weirs")


def handbook(*parts: str) -> Passage:
    blocks: list[tuple[str, BlockKind]] = [(part, "heading" if part.startswith("#") else "paragraph") for part in parts]
    return document("\n\n".join(parts), *blocks, name="handbook.md", title="The mill handbook")


def shown(*read: Passage, likely: dict[str, float] | None = None) -> tuple[Shown, str]:
    seen = evidence("What is the mill handbook about?", *read)
    found = overview(seen, *chances_of(seen, likely or {"The sluice": 0.4}))
    return found, shown_text(found, seen.passages)


def test_the_abstract_leads_wherever_it_stands() -> None:
    first = "The mill was painted in May by all of its friends."
    _, text = shown(handbook("# The mill handbook", first, "## Summary", LEAD))
    assert text.startswith(LEAD)


def test_without_an_abstract_the_first_sentences_lead() -> None:
    _, text = shown(handbook("# The mill handbook", LEAD, "## Opening", STEP))
    assert text == f"{LEAD}\n\n{STEP}"


def test_links_objectives_and_short_lines_do_not_lead() -> None:
    skipped = ("See https://mill.example/handbook for the newest edition of it.", "Keep it dry.")
    _, text = shown(handbook("# The mill handbook", *skipped, LEAD))
    assert text.startswith(LEAD)


def test_the_document_that_the_question_names_is_told_of_though_another_is_found_first() -> None:
    _, text = shown(OTHER, handbook("# The mill handbook", LEAD))
    assert text == LEAD


def test_nothing_is_shown_twice_and_nothing_of_another_document() -> None:
    """What stood in no one's interest was worth nothing, and a short paragraph a little: the lead came again."""
    _, text = shown(handbook("# The mill handbook", LEAD, "## Opening", STEP), OTHER)
    assert text == f"{LEAD}\n\n{STEP}"


def test_the_headings_are_told_of() -> None:
    found, _ = shown(handbook("# The mill handbook", LEAD, "## Opening", STEP))
    assert found.form == "overview"
    assert found.notes == ("Its headings begin: The mill handbook · Opening",)
    assert shown(handbook("# The mill handbook", LEAD))[0].notes == ()


def test_where_nothing_can_lead_the_likeliest_is_shown() -> None:
    found, text = shown(handbook("# The mill handbook", "Keep it dry.", "Oil it."), likely={"Oil": 0.5})
    assert "Oil it." in text
    assert found.chosen[0].unit.kind == "sentence"


def test_a_line_of_a_letterhead_does_not_lead_and_the_subject_stands_first() -> None:
    head = ("Society of the Old Mill at the Weir, Aune Valley", "SUBJECT: How the mill is run", "FROM:")
    _, text = shown(handbook(*head, LEAD, "## Opening", STEP))
    assert text == f"SUBJECT: How the mill is run\n\n{LEAD}\n\n{STEP}"


def test_references_fields_and_labels_are_not_shown_beside_the_lead() -> None:
    debris = ("Holm, P. (2018). A history of mills and weirs. Aune Press.", "Original release date of it:", "Software")
    likely = dict.fromkeys(debris, 0.5) | {"The sluice": 0.4}
    _, text = shown(handbook("# The mill handbook", LEAD, "## Opening", STEP, *debris), likely=likely)
    assert text == f"{LEAD}\n\n{STEP}"
