import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.markup import Html, element, named, page, shown, style, table, text, together
from tests.pages import parsed

patient = settings(deadline=None, max_examples=60)
anything = st.text(st.characters(codec=None, exclude_categories=[]))


def test_a_string_becomes_text_and_only_html_is_markup() -> None:
    made = element("p", "1 < 2 & <b>", element("b", "so"), title='say "no"')
    assert made == Html('<p title="say &quot;no&quot;">1 &lt; 2 &amp; &lt;b&gt;<b>so</b></p>')


def test_attributes_are_named_as_html_names_them() -> None:
    assert element("td", class_="number", aria_label="x").source == '<td class="number" aria-label="x"></td>'
    assert element("rect", x=1.25, y=3, width=10.0).source == '<rect x="1.2" y="3" width="10"></rect>'


def test_what_has_no_content_is_not_closed() -> None:
    assert element("meta", charset="utf-8").source == '<meta charset="utf-8">'


def test_characters_without_a_glyph_are_seen_and_not_obeyed() -> None:
    assert shown("a\x1b[31mb\x00c\u202ed\u200be\ud800f") == "a\ufffd[31mb\ufffdc\ufffdd\ufffde\ufffdf"
    assert shown("a\tb\nc\u00a0d\re") == "a\tb\nc d e"
    assert text("naïve 首都 🐝").source == "naïve 首都 🐝"


@patient
@given(anything, anything)
def test_no_text_whatever_becomes_markup(content: str, value: str) -> None:
    made = element("p", content, title=value)
    (node,) = parsed(made.source).children
    assert not isinstance(node, str)
    assert (node.name, node.text, set(node.attributes)) == ("p", shown(content), {"title"})
    assert node.attributes["title"] == shown(value)
    made.source.encode()  # and it can be written


def test_a_style_sheet_cannot_end_its_element() -> None:
    assert style("p { margin: 0 }").source == "<style>p { margin: 0 }</style>"
    with pytest.raises(ValueError, match="holds '<'"):
        style("</style><script>")


def test_a_page_says_what_it_is_and_in_what_language() -> None:
    assert page(element("body", "x")) == '<!doctype html>\n<html lang="en"><body>x</body></html>\n'


def test_a_table_names_itself_its_columns_and_its_rows() -> None:
    made = parsed(table("Scores", ("Score", "Value"), [["em", "1 %"], ["f1", "2 %"]], ("", "number")).source)
    (scroll,) = made.all(class_="scroll")
    assert scroll.attributes == {"class": "scroll", "role": "region", "aria-label": "Scores", "tabindex": "0"}
    assert [each.text for each in made.all("caption")] == ["Scores"]
    assert [(each.text, each.attributes["scope"]) for each in made.all("th")] == [
        ("Score", "col"),
        ("Value", "col"),
        ("em", "row"),
        ("f1", "row"),
    ]
    assert [each.attributes["class"] for each in made.all("td")] == ["number", "number"]


def test_a_row_that_does_not_fit_its_columns_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"zip\(\)"):
        table("x", ("a", "b"), [["only one"]])


def test_long_names_may_be_broken_at_their_signs() -> None:
    assert named("answer_recall").source == "answer_<wbr>recall<wbr>"
    assert parsed(named("a@b", "of <all>").source).text == "a@bof <all>"
    assert together([named("<i>"), "x"]).source == "&lt;i&gt;<wbr>x"
