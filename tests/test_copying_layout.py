"""How question and passage become tokens: what is cut, what is never torn, and that offsets lead back to the source."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.encoders.model_folder import DEFAULT_NAME, find_model_folder
from indexer.errors import UsageError, UserError
from indexer.graphemes import inside_graphemes
from rag.copying.layout import Layout, Tokens, Words, token_span, torn
from tests.small_generator import small_tokens

scripts = st.text(
    st.sampled_from("aZ9 .,:'-\n\t[]é\u0301\u0302ıñ東京は年한국हिन्दीกรุ\u200d\u200c❤\ufe0f👍🏽👩🇩🇪مُ３，\u200b\x00")
    | st.characters(exclude_categories=["Cs"]),
    max_size=30,
)
patient = settings(deadline=None, max_examples=60)


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    """The default encoder's tokenizer: it knows pieces of many scripts."""
    return Tokens(find_model_folder(DEFAULT_NAME) / "tokenizer.json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="module")
def small(folder: Path) -> Tokens:
    return small_tokens(folder)


def spans(words: Words, passage: str) -> set[str]:
    """Return every text that may be copied."""
    return {
        passage[words.offsets[first][0] : words.offsets[last][1]]
        for first in range(len(words.ids))
        for last in range(first, len(words.ids))
        if words.opens[first] and words.closes[last] and words.stretches[first] == words.stretches[last]
    }


# Cuts


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("It cost 75,000 pounds", ["It", "cost", "75,000", "pounds"]),
        ("won 3:2, then 1.5", ["won", "3:2", ",", "then", "1.5"]),
        ("In 1920s.", ["In", "1920s", "."]),
        ("12,", ["12", ","]),
        (".5 and 5.", [".", "5", "and", "5", "."]),
        ("don't", ["don", "'", "t"]),
        ("well-known", ["well", "-", "known"]),
        ("m² or H₂O", ["m²", "or", "H₂O"]),
        ("cafe\u0301s e\u0301te\u0301", ["cafe\u0301s", "e\u0301te\u0301"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("مُحَمَّد", ["مُحَمَّد"]),
        ("대한민국의 수도", ["대한민국의", "수도"]),
        ("กรุงเทพ", ["กรุงเทพ"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("東京2020年に", ["東", "京", "2020", "年", "に"]),
        ("３０人", ["３０", "人"]),
        ("ok 👍🏽 ❤\ufe0f", ["ok", "👍🏽", "❤\ufe0f"]),
        ("👩\u200d👧!", ["👩\u200d👧", "!"]),
    ],
)
def test_words_numbers_and_characters_are_not_torn(text: str, whole: list[str]) -> None:
    cuts = [cut for cut in range(len(text) + 1) if not torn(text, cut)]
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    assert [piece for piece in pieces if piece.strip()] == whole


def test_the_ends_of_a_text_tear_nothing() -> None:
    assert not any(torn(text, cut) for text in ("", "ab", "\u0301") for cut in (-1, 0, len(text), len(text) + 1))


@patient
@given(scripts, st.integers(0, 30))
def test_no_cut_goes_through_a_letter_and_its_marks_or_through_a_number(text: str, cut: int) -> None:
    if not 0 < cut < len(text) or torn(text, cut):
        return
    assert unicodedata.category(text[cut])[0] != "M"
    assert not (text[cut - 1].isdigit() and text[cut].isdigit())
    assert not (text[cut - 1].isascii() and text[cut].isascii() and text[cut - 1].isalnum() and text[cut].isalnum())


# Words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cafe\u0301", {"cafe\u0301"}),
        ("une cafe\u0301.", {"une", "cafe\u0301", ".", "une cafe\u0301", "cafe\u0301.", "une cafe\u0301."}),
        ("❤\ufe0f love", {"❤\ufe0f", "love", "❤\ufe0f love"}),
        ("\u0301abc", {"abc"}),
        ("한국은 어디", {"한국은", "어디", "한국은 어디"}),
        ("हिन्दी", {"हिन्दी"}),
        ("İstanbul", {"İstanbul"}),
        ("2020年", {"2020", "年", "2020年"}),
    ],
)
def test_a_word_can_be_copied_with_all_its_marks(tokens: Tokens, text: str, expected: set[str]) -> None:
    """The tokenizer drops accents that stand by themselves: a span once had to end before them, which nothing may."""
    assert spans(tokens.words(text), text) == expected


def test_one_syllable_of_several_tokens_is_one_place_to_begin_and_to_end(tokens: Tokens) -> None:
    words = tokens.words("은 수")  # three and two letters, a token each
    assert words.offsets.tolist() == [[0, 1], [0, 1], [0, 1], [2, 3], [2, 3]]
    assert words.opens.tolist() == [True, False, False, True, False]
    assert words.closes.tolist() == [False, False, True, False, True]


@patient
@given(scripts)
def test_whatever_may_be_copied_is_whole_characters_of_the_source(tokens: Tokens, text: str) -> None:
    words = tokens.words(text)
    offsets = words.offsets
    assert ((offsets[:, 0] >= 0) & (offsets[:, 0] < offsets[:, 1]) & (offsets[:, 1] <= len(text))).all()
    assert (offsets[1:] >= offsets[:-1]).all()
    for first, opens in enumerate(words.opens):
        assert not opens or not torn(text, int(offsets[first][0]))
    for last, closes in enumerate(words.closes):
        assert not closes or not torn(text, int(offsets[last][1]))


@patient
@given(
    st.lists(
        st.sampled_from(["a", "é", "e\u0301\u0302", "1", " ", "한", "हि", "न्", "दी", "年", "❤\ufe0f", "👍🏽", "مُ"])
    )
)
def test_no_copy_begins_or_ends_inside_what_a_reader_sees_as_one_character(tokens: Tokens, parts: list[str]) -> None:
    text = "".join(parts)
    words, inside = tokens.words(text), inside_graphemes(text)
    assert not {int(start) for start in words.offsets[words.opens, 0]} & inside
    assert not {int(end) for end in words.offsets[words.closes, 1]} & inside


@pytest.mark.parametrize(
    ("text", "whole", "never"),
    [
        ("It was dug. Anna paid.", "Anna paid.", "dug. Anna"),
        ("| Kelmouth | 1784 |", "| Kelmouth", "Kelmouth | 1784"),
        ("See [the map](map.md) first", "[the map", "map](map"),
        ("one\n\ntwo", "two", "one\n\ntwo"),
        ("Dr. Voss came", "Dr. Voss came", "Voss. came"),
    ],
)
def test_no_copy_reaches_over_the_end_of_a_sentence_a_cell_or_a_link(
    tokens: Tokens, text: str, whole: str, never: str
) -> None:
    found = spans(tokens.words(text), text)
    assert whole in found
    assert never not in found


def test_special_tokens_in_a_text_are_only_text(small: Tokens) -> None:
    text = "[SEP][PAD] the [MASK]"
    words = small.words(text)
    assert min(words.ids) >= 5  # 0 to 4 are the special ones
    assert [text[start:end] for start, end in words.offsets.tolist()] == [
        "[", "S", "E", "P", "]", "[", "P", "A", "D", "]", "the", "[", "M", "A", "S", "K", "]",
    ]  # fmt: skip
    cls, *asked, sep = small.head("[SEP][CLS]", "")
    assert (cls, sep, len(asked)) == (2, 3, 8)
    assert min(asked) >= 5


def test_only_tokens_that_stand_for_no_text_are_never_written(small: Tokens) -> None:
    assert small.never_written()[:5].all()  # [PAD] [UNK] [CLS] [SEP] [MASK]
    assert not small.never_written()[5:].any()
    assert small.text(small.ids("[")) == "["


def test_the_rest_of_a_word_is_known_from_its_beginning(small: Tokens) -> None:
    sit, rest = small.ids("sing")[0], small.ids("sing")[1:]
    assert not small.continuing()[sit]
    assert len(rest) == 1
    assert small.continuing()[rest].all()
    assert not small.continuing()[small.ids("# ## the cat 5 .")].any()


def test_a_folder_without_a_tokenizer_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tokenizer\.json does not read"):
        Tokens(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=r"tokenizer\.json does not read"):
        Tokens(tmp_path / "tokenizer.json")


# Heads


def test_a_long_question_loses_its_end_and_a_long_context_its_beginning(small: Tokens) -> None:
    a, b, c, d, e, f = small.ids("a b c d e f")
    cls, sep = 2, 3
    assert small.head("a b", "") == [cls, a, b, sep]
    assert small.head("a b", "c d") == [cls, a, b, sep, c, d, sep]
    assert small.head("a b", " ") == [cls, a, b, sep]
    assert small.head("a" * 3 + " b c d e f a b c d", "a b c d e f") == [
        cls, *small.ids("aaa"), b, c, d, e, f, sep, c, d, e, f, sep,
    ]  # fmt: skip


# Windows


@patient
@given(st.integers(0, 200), st.integers(14, 40), st.integers(0, 30), st.integers(0, 8))
def test_windows_cover_every_token_and_neighbours_overlap(
    small: Tokens, folder: Path, count: int, window: int, overlap: int, asked: int
) -> None:
    layout = Layout(question_tokens=8, context_tokens=0, window=window, overlap=overlap)
    tokens = Tokens(folder / "tokenizer.json", layout)
    words = tokens.words("a " * count)
    head = tokens.head("b " * asked, "none of this")
    assert len(head) == asked + 2
    made = tokens.windows(head, words)
    room = window - len(head) - 1
    assert made[0].begin == 0
    assert made[-1].end == len(words.ids) == count
    for each in made:
        assert len(each.ids) == len(each.types) <= window
        assert each.ids == [*head, *words.ids[each.begin : each.end], 3]
        assert each.types == [0] * len(head) + [1] * (each.end - each.begin + 1)
        assert each.first == len(head)
    for one, other in pairwise(made):
        assert one.begin < other.begin
        assert one.end - other.begin >= min(overlap, room - 1)
        assert one.end - one.begin == room


def test_windows_of_a_passage_of_eleven_tokens(small: Tokens, folder: Path) -> None:
    """Room for 40 - 33 - 1 = 6 tokens beside the head; 2 shared: they begin at 0, 4 and 5."""
    tokens = Tokens(folder / "tokenizer.json", Layout(question_tokens=32, context_tokens=0, window=40, overlap=2))
    made = tokens.windows([2] + [9] * 31 + [3], small.words("a b c d e f a b c d e"))
    assert [(window.begin, window.end) for window in made] == [(0, 6), (4, 10), (5, 11)]


def test_an_empty_passage_is_one_window_without_words(small: Tokens) -> None:
    for text in ("", " \n", "\u200b"):
        (window,) = small.windows(small.head("a?", "b"), small.words(text))
        assert (window.begin, window.end, window.ids) == (0, 0, [*small.head("a?", "b"), 3])


def test_a_window_without_room_for_a_passage_is_refused() -> None:
    """[CLS], 8 tokens, [SEP], 4 tokens, [SEP], then at least one token and its [SEP]."""
    assert Layout(question_tokens=8, context_tokens=4, window=17).window == 17
    with pytest.raises(UsageError, match="window of 16 tokens has no room"):
        Layout(question_tokens=8, context_tokens=4, window=16)


# Spans


def test_an_answer_is_widened_to_whole_words(small: Tokens) -> None:
    text = "On 12 March 75,000 cats sat"
    words = small.words(text)

    def copied(part: str) -> str | None:
        at = text.index(part)
        found = token_span(words, at, at + len(part))
        return None if found is None else text[words.offsets[found[0]][0] : words.offsets[found[1]][1]]

    assert copied("12 March") == "12 March"
    assert copied("75") == copied("000") == copied(",") == copied("5,0") == "75,000"
    assert copied("at") == "cats"
    assert copied("arch 75") == "March 75,000"
    assert copied(" cats ") == "cats"
    assert copied(" ") is None
    assert token_span(words, 99, 120) is None
    assert token_span(words, 3, 3) is None


@patient
@given(scripts, st.integers(0, 30), st.integers(1, 30))
def test_a_widened_span_holds_what_was_asked_for_and_is_legal(
    tokens: Tokens, text: str, start: int, length: int
) -> None:
    words = tokens.words(text)
    found = token_span(words, start, start + length)
    inside = [n for n, (a, b) in enumerate(words.offsets.tolist()) if a < start + length and start < b]
    if found is None:
        assert not inside
        return
    first, last = found
    assert first <= inside[0]
    assert inside[-1] <= last
    assert words.opens[first]
    assert words.closes[last]
    assert not words.opens[first + 1 : inside[0] + 1].any()
    assert not words.closes[inside[-1] : last].any()


@patient
@given(scripts)
def test_a_passage_can_always_be_copied_whole(tokens: Tokens, text: str) -> None:
    words = tokens.words(text)
    assert not len(words.ids) or (words.opens[0] and words.closes[-1])
