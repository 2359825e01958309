"""Filters: what a person types, and which documents it keeps; values are never part of the SQL."""

from __future__ import annotations

import sqlite3
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.collection import Collection
from indexer.errors import UsageError
from indexer.filters import parse_filters
from indexer.sync import Given
from tests.worlds import WordEncoder

GIVEN = [
    Given("docs/guide.md", "alpha text", "The guide", {"year": 2019, "lang": "en", "draft": True, "price": 9.5}),
    Given("docs/old/guide.md", "beta text", "Old guide", {"year": 2005, "lang": "de", "date": "2005-03-01"}),
    Given("notes[1].txt", "gamma text", "Notes", {"year": "2019", "lang": "en", "draft": False}),
    Given("100%.txt", "delta text", "100% done", {"date": "2024-05-17"}),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    collection = Collection("world", tmp_path_factory.mktemp("filters"), encoder=WordEncoder())
    collection.add(GIVEN)
    return collection


def kept(world: Collection, *filters: str) -> list[str]:
    with world.view() as view:
        hits = view.words("text", 10, world.filters(filters))
        dense = view.dense(WordEncoder().embed_queries(["text"])[0], 10, world.filters(filters))
        assert {hit.chunk_id for hit in hits} == {hit.chunk_id for hit in dense}  # both arms agree
        return sorted(chunk.text.split()[0] for chunk in view.chunks([hit.chunk_id for hit in hits]))


def test_a_filter_with_many_stars_costs_no_more_than_a_tame_one() -> None:
    """SQLite's GLOB does not try a star again once a later one has failed."""
    with sqlite3.connect(":memory:") as connection:
        begun = time.process_time()
        for pattern in ("*a" * 30 + "*b", "*?a" * 30 + "*b", "*[a]" * 30 + "*b"):
            assert connection.execute("SELECT ? GLOB ?", ("a" * 4000, pattern)).fetchone() == (0,)
        assert time.process_time() - begun < 1
    connection.close()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], ["alpha", "beta", "delta", "gamma"]),
        (["lang=en"], ["alpha", "gamma"]),
        (["lang!=en"], ["beta", "delta"]),
        (["year=2019"], ["alpha", "gamma"]),
        (["year>=2010"], ["alpha", "gamma"]),
        (["year<2010"], ["beta"]),
        (["price>9"], ["alpha"]),
        (["date>=2024"], ["delta"]),
        (["date<2024-05"], ["beta"]),
        (["draft=true"], ["alpha"]),
        (["draft=false"], ["gamma"]),
        (["source=guide.md"], ["alpha", "beta"]),
        (["source=docs/guide.md"], ["alpha"]),
        (["source=*old*"], ["beta"]),
        (["source=notes[1].txt"], ["gamma"]),
        (["source=notes[?].txt"], ["gamma"]),
        (["title=100% done"], ["delta"]),
        (["title=?ld guide"], ["beta"]),
        (["format=text", "lang=de"], ["beta"]),
        (["price!=1"], ["alpha", "beta", "delta", "gamma"]),
        (["date=2024-*"], ["delta"]),
        (["date<2024-05-17T10:00"], ["beta", "delta"]),
        ([" lang = en "], ["alpha", "gamma"]),
        (["lang=' OR 1=1 --"], []),
        (['lang="en"'], []),
    ],
)
def test_filters_keep_what_they_say(world: Collection, filters: list[str], expected: list[str]) -> None:
    assert kept(world, *filters) == expected


@pytest.mark.parametrize("wrong", ["", "lang", "=en", "a b=c", "$.x=1", 'a"b=1', "a;b=1"])
def test_what_is_no_filter_is_told_with_an_example(wrong: str) -> None:
    with pytest.raises(UsageError, match="is not of the form key=value") as caught:
        parse_filters([wrong])
    assert caught.value.hint == "For example: format=markdown, 'source=*/guides/*' or 'date>=2024-01-01'"


KEYS = ("lang", "year", "source", "title", "x-y")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=")


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["lang", "year", "source", "title", "price"]),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    st.text(),
)
def test_no_value_breaks_the_query(world: Collection, key: str, operator: str, value: str) -> None:
    clean = value.encode(errors="ignore").decode()
    with world.view() as view:
        view.words("text", 5, world.filters([f"{key}{operator}{clean}"]))


def test_an_unknown_key_is_told_with_what_may_be_meant(world: Collection) -> None:
    with pytest.raises(UsageError, match="No document has a field 'langg'") as caught:
        world.filters(["langg=en"])
    assert caught.value.hint == "Did you mean: lang?"
    with pytest.raises(UsageError, match="No document has a field 'zzz'") as caught:
        world.filters(["zzz!=en"])
    assert caught.value.hint == "There are: source, title, format, modified, date, draft, lang, price, year."


@pytest.mark.parametrize("wrong", ["date>=yesterday", "date=2024-13-01", "date<2024-02-30", "date>17.5.2024"])
def test_a_date_that_is_none_is_told(world: Collection, wrong: str) -> None:
    with pytest.raises(UsageError, match="is not a date, and the field 'date' holds dates"):
        world.filters([wrong])


def test_how_many_documents_a_filter_keeps_is_told(world: Collection) -> None:
    assert world.match_count(["lang=fr"]) == "0 of 4 documents match lang=fr."
    assert world.match_count(["lang=en", "year>2000"]) == "2 of 4 documents match lang=en and year>2000."


@pytest.mark.parametrize(
    ("filters", "notes"),
    [
        (["lang=En"], ("0 of 4 documents match lang=En.", "Did you mean: en?", "Values of lang: en (2), de (1).")),
        (["lang=fr"], ("0 of 4 documents match lang=fr.", "Values of lang: en (2), de (1).")),
        (["year>3000"], ("0 of 4 documents match year>3000.", "Values of year go from 2005 to 2019.")),
        (["source=gide.md"], ("0 of 4 documents match source=gide.md.", "Did you mean: guide.md?",
                               "Values of source: 100%.txt, guide.md, guide.md, notes[1].txt.")),
        (["draft=perhaps"], ("0 of 4 documents match draft=perhaps.", "Values of draft: false (1), true (1).")),
        (["lang=en", "lang=de"],
         ("0 of 4 documents match lang=en and lang=de.",
          "Each of these filters keeps some documents, and no document passes all of them.")),
        (["lang=en", "year=1999"],
         ("0 of 4 documents match lang=en and year=1999.", "Values of year: 2019 (2), 2005 (1).")),
        (["lang=en"], ("2 of 4 documents match lang=en.",)),
    ],
)  # fmt: skip
def test_filters_that_keep_nothing_are_told_with_the_values_that_there_are(
    world: Collection, filters: list[str], notes: tuple[str, ...]
) -> None:
    """They ended in "Nothing in these documents bears on this", and left one to guess what an author is called."""
    assert world.match_notes(filters) == notes
