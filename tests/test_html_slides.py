"""Slides in web pages: what a script makes of them is read, as it stands on the slides."""

from __future__ import annotations

from indexer.readers import read


def blocks_of(body: str) -> list[tuple[str, str]]:
    data = f"<html><head><title>Tides</title></head><body>{body}</body></html>".encode()
    return [(block.kind, block.text) for block in read("a.html", data).blocks]


def test_markdown_of_reveal_slides_keeps_headings_and_lists_and_notes_are_read() -> None:
    """It was one paragraph, "## How - one - two", and the speaker's notes were lost."""
    slides = (
        '<div class="reveal"><section><h2>Why</h2><p>Water.</p><aside class="notes">Say hello.</aside></section>'
        "<section data-markdown><textarea data-template>\n## How\n- one\n- two\n\nThe moon\npulls.\n</textarea>"
        "</section>"
        '<section data-markdown><script type="text/template">\n# End\n1. last\n</script></section></div>'
    )
    assert blocks_of(slides) == [
        ("heading", "Why"),
        ("paragraph", "Water."),
        ("paragraph", "Notes: Say hello."),
        ("heading", "How"),
        ("paragraph", "- one\n- two"),
        ("paragraph", "The moon pulls."),
        ("heading", "End"),
        ("paragraph", "- last"),
    ]


def test_remark_slides_are_parted_and_their_properties_are_no_text() -> None:
    source = "class: center\n# First\nText one\n---\nname: two\n# Second\n- a\n???\nSpeak up.\n"
    assert blocks_of(f'<textarea id="source">\n{source}</textarea>') == [
        ("heading", "First"),
        ("paragraph", "Text one"),
        ("heading", "Second"),
        ("paragraph", "- a"),
        ("paragraph", "Notes: Speak up."),
    ]


def test_an_ordinary_form_is_no_slide() -> None:
    assert blocks_of("<h1>Form</h1><p>Write here.</p><textarea># no heading</textarea>") == [
        ("heading", "Form"),
        ("paragraph", "Write here."),
        ("paragraph", "# no heading"),
    ]
