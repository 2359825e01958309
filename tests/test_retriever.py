import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.collection import Collection
from indexer.errors import NotFound, UsageError
from indexer.sync import Given
from indexer.types import Progress, Vectors, silent
from rag import Engine, Passage, fusion, retriever
from rag.generator import Copied, Draft
from rag.quoting.generator import QuotingGenerator
from rag.reranking.reranker import NONE, Reranker
from rag.retriever import Arms, Retriever
from tests.worlds import PASSAGES, WordEncoder, article, collection_of, make_older


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(collection_of(tmp_path_factory.mktemp("world")))


def names(found: list[Passage]) -> list[str]:
    return [Path(passage.source).name for passage in found]


def test_the_passage_with_the_questions_words_comes_first(world: Engine) -> None:
    assert names(world.search("How many bees live in a hive?"))[0] == "bees.txt"
    assert names(world.search("when does the library open"))[0] == "library.md"


def test_no_more_than_k_are_returned_and_best_first(world: Engine) -> None:
    found = world.search("green tea and the library", k=2)
    assert len(found) == 2
    assert found[0].score >= found[1].score


def test_words_alone_finds_only_what_shares_a_word(world: Engine) -> None:
    assert names(world.search("boiling tea", mode="words")) == ["tea.md"]
    assert world.search("zeppelin", mode="words") == []


def test_meaning_alone_ranks_everything_by_cosine(world: Engine) -> None:
    found = world.search("boiling tea", mode="dense")
    assert len(found) == 4
    assert [passage.score for passage in found] == sorted((p.score for p in found), reverse=True)
    assert all(passage.score == passage.origin.dense_score for passage in found)
    assert all(passage.origin.words_rank is None for passage in found)


def test_an_explained_passage_names_its_ranks_and_its_matching_words(world: Engine) -> None:
    best = world.search("steeped green tea", explain=True)[0]
    assert best.origin.words_rank == 1
    assert best.origin.dense_rank == 1
    assert best.origin.words_score is not None
    assert best.origin.words_score > 0
    assert best.origin.matched == ("green", "steeped", "tea")


def test_unexplained_passages_say_nothing_of_matches(world: Engine) -> None:
    assert world.search("green tea")[0].origin.matched == ()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["source=bees.txt"], {"bees.txt"}),
        (["source=*/deep/*"], {"tea.md"}),
        (["format=markdown"], {"pump.md", "library.md", "tea.md"}),
        (["format=markdown", "source!=*tea*"], {"pump.md", "library.md"}),
        (["modified>=2024"], set()),
        (["modified<2024"], {"pump.md", "library.md", "tea.md", "bees.txt"}),
        (["title=Ada"], set()),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_filters_hold_in_both_arms(world: Engine, mode: retriever.Mode, filters: list[str], expected: set[str]) -> None:
    assert set(names(world.search("the tea and the bees in the library", mode=mode, filters=filters))) == expected


def test_filters_hold_on_metadata(tmp_path: Path) -> None:
    collection = Collection("texts", tmp_path, WordEncoder())
    collection.add(
        [
            Given("a", "Tea is hot.", metadata={"author": "Ada", "year": 1950, "draft": True}),
            Given("b", "Tea is cold.", metadata={"author": "Mary", "year": 2001, "draft": False}),
        ]
    )
    engine = Engine(collection)
    for filters in (["author=Ada"], ["year<2000"], ["draft=true"], ["author!=Mary"], ["author=A?a"]):
        assert [passage.source for passage in engine.search("tea", filters=filters)] == ["a"], filters


def test_a_malformed_filter_is_refused_with_an_example(world: Engine) -> None:
    with pytest.raises(UsageError, match="'tea' is not of the form key=value"):
        world.search("tea", filters=["tea"])


def test_near_duplicates_collapse_into_the_best_and_name_their_sources(tmp_path: Path) -> None:
    text = article("harbours", 1)
    passages = {"one.md": text, "two.md": text.upper(), "three.md": text, "other.md": article("fjords", 1)}
    engine = Engine(collection_of(tmp_path, passages))
    found = engine.search("harbours paragraph 0", k=4)
    assert len(found) == 2
    assert Path(found[0].source).name not in [Path(twin).name for twin in found[0].also_in]
    assert {Path(s).name for s in (found[0].source, *found[0].also_in)} == {"one.md", "two.md", "three.md"}
    assert found[1].also_in == ()


def test_passages_that_differ_in_a_figure_are_no_duplicates(tmp_path: Path) -> None:
    text = article("harbours", 1)
    passages = {"may.md": text + "\nIt cost 40 crowns.\n", "june.md": text + "\nIt cost 45 crowns.\n"}
    engine = Engine(collection_of(tmp_path, passages))
    assert len(engine.search("harbours paragraph 0 cost")) == 2


def test_collapsing_does_not_eat_up_the_results(tmp_path: Path) -> None:
    """Twenty copies of one text rank before everything else: what comes after them is still found."""
    copies = {f"copy{number}.md": article("harbours", 1) for number in range(20)}
    engine = Engine(collection_of(tmp_path, {**copies, "other.md": article("fjords", 1)}))
    assert len(engine.search("harbours paragraph 0", k=2)) == 2


# Feedback


def test_feedback_asks_the_dense_arm_for_what_question_and_best_passages_share(tmp_path: Path) -> None:
    engine = Engine(collection_of(tmp_path, {f"{name}.md": article(name, 4) for name in ("harbours", "fjords")}))
    query = "harbours paragraph 2"
    vector = engine.collection.encoder.embed_queries([query])[0]
    with engine.collection.view() as view:
        best = [hit.chunk_id for hit in Retriever().ranking(view, query, vector)[:3]]
        known = view.vectors(best)
        moved = 0.6 * vector + 0.4 * np.mean([known[chunk] for chunk in best], axis=0)
        expected = view.dense((moved / np.linalg.norm(moved)).astype(np.float32), retriever.DEPTH)
        plain = view.dense(vector, retriever.DEPTH)
        words = view.words(query, retriever.DEPTH)
        fed = Retriever("feedback").find(view, query, vector, retriever.DEPTH)
        again = Retriever("feedback").ranking(view, query, vector, Arms(words, plain))
    by_dense = sorted(fed, key=lambda passage: passage.origin.dense_rank or 0)
    assert [passage.chunk_id for passage in by_dense] == [hit.chunk_id for hit in expected]
    assert [passage.origin.dense_score for passage in by_dense] == pytest.approx([hit.score for hit in expected])
    assert [hit.chunk_id for hit in expected] != [hit.chunk_id for hit in plain]
    by_words = sorted((each for each in fed if each.origin.words_rank), key=lambda each: each.origin.words_rank or 0)
    assert [each.chunk_id for each in by_words] == [hit.chunk_id for hit in words]
    assert [each.chunk_id for each in fed] == [hit.chunk_id for hit in again]


def test_feedback_on_nothing_finds_nothing(tmp_path: Path) -> None:
    collection = Collection("empty", tmp_path, WordEncoder())
    collection.add([])
    assert Engine(collection).search("Is there anything?", mode="feedback") == []


# One way through


@dataclass(frozen=True)
class Favouring:
    """A reranker that puts the passages with these numbers first, in their order, and the others behind them."""

    numbers: tuple[int, ...]
    depth: int = 1000
    weight: float = 1.0
    name: str = "favouring"

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        return [self.score(text) for text in texts]

    def score(self, text: str) -> float:
        places = [place for place, number in enumerate(self.numbers) if f"paragraph {number} " in text]
        return -float(min(places, default=len(self.numbers)))


@pytest.mark.parametrize("reranker", [NONE, Favouring((5, 9, 2))], ids=["search", "reranked"])
@pytest.mark.parametrize("k", [1, 3, 60])
def test_ask_reads_in_the_order_that_search_shows(
    tmp_path: Path, quoting_model: Path, reranker: Reranker | str, k: int
) -> None:
    """It searched less deep than `search` did for many passages: with another depth the arms fuse otherwise."""
    collection = collection_of(tmp_path, {f"{n}.md": f"Harbour paragraph {n} of {n * 7}.\n" for n in range(130)})
    engine = Engine(collection, QuotingGenerator(collection, quoting_model), reranker)
    question = "Which harbour paragraph 3 of 21?"
    found = engine.search(question, k)
    (reading,) = engine.read_many([question], k)
    assert [each.source for each in reading.passages] == [each.source for each in found]
    assert [each.score for each in reading.passages] == [each.score for each in found]
    assert names(found)[0] == ("3.md" if reranker == NONE else "5.md")
    assert len(found) == k


def test_evaluation_ranks_as_search_shows_whether_the_arms_are_asked_again_or_not(world: Engine) -> None:
    question = "green tea in the library"
    vector = world.collection.encoder.embed_queries([question])[0]
    with world.collection.view() as view:
        arms = Arms(view.words(question, 100), view.dense(vector, 100))
        for mode in ("words", "dense", "hybrid", "feedback"):
            one = Retriever(mode).ranking(view, question, vector)
            assert one == Retriever(mode).ranking(view, question, vector, arms)
            assert [each.chunk_id for each in world.search(question, mode=mode)] == [hit.chunk_id for hit in one]


def test_what_is_left_out_makes_room_for_others(world: Engine) -> None:
    question = "green tea in the library"
    vector = world.collection.encoder.embed_queries([question])[0]
    with world.collection.view() as view:
        whole = Retriever().read(view, question, vector, 3)
        rest = Retriever().read(view, question, vector, 2, leave_out=lambda each: each.source == whole[0].source)
    assert rest == whole[1:]


# Joined for reading


def read(engine: Engine, question: str, k: int) -> tuple[list[Passage], list[Passage]]:
    """Return the passages found and the same as they are read."""
    with engine.collection.view() as view:
        vector = engine.collection.encoder.embed_queries([question])[0]
        return Retriever().find(view, question, vector, k), Retriever().read(view, question, vector, k)


def test_neighbours_become_one_passage_in_the_place_of_the_better(tmp_path: Path) -> None:
    engine = Engine(collection_of(tmp_path, {"a.md": article("harbours", 6), "b.md": article("fjords", 6)}))
    found, joined = read(engine, "harbours paragraph 2 paragraph 3 fjords paragraph 0", k=5)
    assert len(joined) < len(found)
    assert joined[0].source == found[0].source
    assert joined[0].score == found[0].score


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 11), min_size=1, max_size=8, unique=True))
def test_nothing_is_read_twice_nor_beyond_what_was_found(
    tmp_path_factory: pytest.TempPathFactory, chosen: list[int]
) -> None:
    engine = long_documents(tmp_path_factory)
    order = Favouring(tuple(chosen))
    vector = engine.collection.encoder.embed_queries(["amber"])[0]
    with engine.collection.view() as view:
        searched = Retriever("dense", order)
        every = searched.find(view, "amber", vector, 100)
        found = [passage for passage in every if order.score(passage.text) > -len(chosen)]
        joined = searched.read(
            view, "amber", vector, 100, leave_out=lambda each: order.score(each.text) == -len(chosen)
        )
    for one in joined:
        document = engine.collection.document(one.source)
        assert document.text[one.start : one.end] == one.text
        of_it = [passage for passage in found if passage.source == one.source]
        inside = [passage for passage in of_it if one.start <= passage.start and passage.end <= one.end]
        assert inside
        assert one.start == min(passage.start for passage in inside)
        assert one.end == max(passage.end for passage in inside)
        for other in joined:
            if other is not one and other.source == one.source:
                assert other.end < one.start or one.end < other.start
    for passage in found:
        assert any(p.source == passage.source and p.start <= passage.start and passage.end <= p.end for p in joined)


_LONG: list[Engine] = []


def long_documents(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Return one world for all examples: two documents of many chunks."""
    if not _LONG:
        passages = {"a.md": article("harbours", 12), "b.md": article("fjords", 9)}
        _LONG.append(Engine(collection_of(tmp_path_factory.mktemp("long"), passages)))
    return _LONG[0]


def test_lines_are_those_of_the_source_wherever_a_passage_begins(tmp_path: Path) -> None:
    engine = Engine(collection_of(tmp_path, {"a.md": article("harbours", 8)}))
    lines = article("harbours", 8).split("\n")
    _, joined = read(engine, "harbours paragraph 5", k=1)
    passage = joined[0]
    place = passage.text.index("harbours paragraph")
    _, line = passage.place(place)
    assert line is not None
    assert lines[line - 1].startswith(passage.text[place:].split("\n")[0][:30])


# Hostile questions (faults H1 to H3)


@pytest.mark.parametrize("question", ["", "   ", "\n\t", "?!...", "🙂🙂", "\x00", "\x00\x01\x02", "\ud800", "--"])
def test_a_question_without_a_word_is_refused(world: Engine, question: str) -> None:
    with pytest.raises(UsageError, match="holds no word"):
        world.search(question)
    with pytest.raises(UsageError, match="holds no word"):
        world.ask(question)


@pytest.mark.parametrize("question", ["a" * 4001, "tea " * 250_000])
def test_a_question_that_is_too_long_is_refused_with_the_limit(world: Engine, question: str) -> None:
    with pytest.raises(UsageError, match="at most 4,000 are read"):
        world.search(question)


@pytest.mark.parametrize(
    "question",
    [
        'green "tea', "tea*", "NEAR(tea green)", "text:tea", "-tea", "^tea", "tea AND", "OR tea", "NOT tea", "(tea",
        "tea'; DROP TABLE words; --", "{text}: tea", 'tea" OR "x', "tea\x00green", "tea + green", "%tea_",
        "\x1b[31m tea",
        "téa tea", "tea\ud800", "[tea]", "a:b:tea", "tea -- /* */",
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["hybrid", "words", "feedback"])
def test_query_syntax_is_ordinary_text(world: Engine, mode: retriever.Mode, question: str) -> None:
    assert names(world.search(question, mode=mode, explain=True))[0] == "tea.md"


def test_thousands_of_words_are_a_question_like_another(world: Engine) -> None:
    assert names(world.search("tea " * 1000))[0] == "tea.md"
    assert world.search("".join(chr(0x4E00 + n) for n in range(4000))) != []


def test_a_word_in_a_script_without_spaces_is_found(tmp_path: Path) -> None:
    engine = Engine(collection_of(tmp_path, {"zh.txt": "日本的首都是东京。\n", "en.txt": "Tea is hot.\n"}))
    assert names(engine.search("首都", mode="words")) == ["zh.txt"]


def test_an_empty_collection_finds_nothing_and_answers_nothing(tmp_path: Path, quoting_model: Path) -> None:
    collection = Collection("empty", tmp_path, WordEncoder())
    collection.add([])
    engine = Engine(collection, QuotingGenerator(collection, quoting_model))
    assert engine.search("Is there anything?") == []
    answer = engine.ask("Is there anything?")
    assert (answer.answered, answer.text, answer.citations, answer.passages) == (False, "", (), ())


def test_a_score_means_the_same_in_every_collection(world: Engine, tmp_path: Path) -> None:
    """It was a standard score: how far a passage stood out among what the same search found."""
    texts = {f"other{n}.md": article(f"topic{n}", 2) for n in range(12)} | {"deep/tea.md": PASSAGES["deep/tea.md"]}
    other = Engine(collection_of(tmp_path, texts))
    question = "steeped green tea"
    here, there = (
        next(found for found in engine.search(question, 40, explain=True) if found.source.endswith("tea.md"))
        for engine in (world, other)
    )
    assert here.origin.dense_score == pytest.approx(there.origin.dense_score, abs=1e-6)
    assert here.score == pytest.approx(there.score, abs=1e-6)
    assert here.score == pytest.approx(0.7 * (here.origin.dense_score or 0) + 0.3 * 3 / 3, abs=1e-6)
    assert here.origin.words_score != pytest.approx(there.origin.words_score)


def test_what_hardly_fits_has_a_small_score_however_small_the_collection(tmp_path: Path) -> None:
    """The best of two poor passages stood out as far as the best of many good ones, and came first when merged."""
    small = Engine(collection_of(tmp_path / "small", {"a.md": "The green door is shut.", "b.md": "Rain fell all day."}))
    large = Engine(
        collection_of(tmp_path / "large", {f"t{n}.md": f"Green tea is steeped for {n} minutes." for n in range(1, 30)})
    )
    question = "How is green tea steeped?"
    merged = sorted((*small.search(question), *large.search(question)), key=lambda each: -each.score)
    assert [Path(each.source).name for each in merged[-2:]] == ["a.md", "b.md"]


@pytest.mark.parametrize("mode", ["hybrid", "feedback", "words", "dense"])
def test_scores_lie_between_0_and_1_and_fall_with_the_rank(world: Engine, mode: retriever.Mode) -> None:
    scores = [found.score for found in world.search("green tea in the library of the hive", k=10, mode=mode)]
    assert scores
    assert scores == sorted(scores, reverse=True)
    assert all((-1 if mode == "dense" else 0) <= score <= 1.000001 for score in scores)  # a cosine may be negative


def test_the_score_of_a_search_by_words_is_the_share_of_them(tmp_path: Path) -> None:
    engine = Engine(collection_of(tmp_path, {"a.md": "Green tea, steeped.", "b.md": "Green doors.", "c.md": "Rain."}))
    found = engine.search("steeping green green teas", mode="words")
    assert [(Path(each.source).name, round(each.score, 6)) for each in found] == [
        ("a.md", 1.0),
        ("b.md", round(1 / 3, 6)),
    ]


def test_what_is_named_scores_no_less_than_what_stands_below_it(tmp_path: Path) -> None:
    texts = {"tides.md": "Water rises twice.", "b.md": "The tides rise by the tides' own rules, as tides do."}
    found = Engine(collection_of(tmp_path, texts)).search("tides.md")
    assert Path(found[0].source).name == "tides.md"
    assert found[0].score >= found[1].score > 0


def test_a_collection_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no collection 'papers'"):
        Engine(Collection("papers", tmp_path)).search("tea")


NAMED = {
    "release-v2.3.1.md": "# Release v2.3.1\n\nVersion v2.3.1 mends a crash on empty folders.\n",
    "release-v2.3.10.md": "# Release v2.3.10\n\nVersion v2.3.10 is faster on large folders.\n",
    "release-v3.2.1.md": "# Release v3.2.1\n\nVersion v3.2.1 reads old folders, as 2.3 and 1.1 did; 2.3.1.4 did not.\n",
    "parts/hinge.txt": "The hinge of the aft hatch is part AX-4410-B. It lies on shelf 11.\n",
    "parts/bracket.txt": "The bracket of the fore hatch is part AX-4410-C. It lies on shelf 14 of room B.\n",
    "parts/latch.txt": "The latch of the galley door is part AX-4401-B. It lies on shelf 12.\n",
    "harbour.py": 'def allocateBerth(ship):\n    """Give a ship its place."""\n    return free_places.pop()\n',
    "price2022.md": "---\ntitle: Fees of the ferry\nauthor: Ada Holm\n---\nA day ticket costs 8 crowns.\n",
    "price2023.md": "---\ntitle: New fees of the ferry\nauthor: Bo Lind\n---\nA day ticket costs 9 crowns.\n",
    "letter.md": "Ada Holm wrote of the fees of the ferry. Ada Holm wrote again. The fees are the fees of the ferry.\n",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(collection_of(tmp_path_factory.mktemp("named"), NAMED))


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("2.3.1", "release-v2.3.1.md"), ("v2.3.10", "release-v2.3.10.md"),
        ("what is new in 3.2.1?", "release-v3.2.1.md"),
        ("AX-4410-B", "hinge.txt"), ("AX4410-B", "hinge.txt"), ("ax4410c", "bracket.txt"), ("AX 4401 B", "latch.txt"),
        ("Where does AX-4401-B lie?", "latch.txt"), ("allocateBerth", "harbour.py"), ("berth", "harbour.py"),
        ("free_places", "harbour.py"),
        ("price2022", "price2022.md"), ("price 2023", "price2023.md"), ("price2023.md", "price2023.md"),
        ("fees of the ferry", "price2022.md"), ("Ada Holm", "price2022.md"), ("letter", "letter.md"),
    ],
)  # fmt: skip
def test_what_is_typed_by_its_name_comes_first(named: Engine, query: str, first: str) -> None:
    assert names(named.search(query))[0] == first


def test_a_name_is_looked_for_only_in_what_the_filters_allow(named: Engine) -> None:
    assert names(named.search("AX-4410-B", filters=["source!=*hinge.txt"]))[0] != "hinge.txt"


def test_what_many_documents_are_called_singles_none_of_them_out(tmp_path: Path) -> None:
    collection = Collection("many", tmp_path, encoder=WordEncoder())
    collection.add([Given(f"{number}.txt", f"Page {number} of form F7.") for number in range(101)])
    with collection.view() as view:
        assert view.named("Where is F7?", []).chunks == {}
        assert len(view.named("Where is F7, and 7.txt?", []).chunks) == 1


@pytest.mark.parametrize("world_of", ["world", "named"])
@pytest.mark.parametrize(
    "question", ["How many bees live in a hive?", "which hatch has a hinge", "When did a ticket cost 8 crowns in 2022?"]
)
def test_a_question_that_names_nothing_is_ranked_by_the_arms_alone(
    world_of: str, question: str, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(world_of)
    vector = engine.collection.encoder.embed_queries([question])[0]
    with engine.collection.view() as view:
        arms = Arms(view.words(question, 100), view.dense(vector, 100))
        assert Retriever().ranking(view, question, vector) == fusion.hybrid(arms.words, arms.dense)


def test_a_collection_of_an_older_version_learns_its_names_when_it_is_opened(tmp_path: Path) -> None:
    collection = collection_of(tmp_path, NAMED)
    with sqlite3.connect(collection.database) as older:
        now = older.execute("SELECT * FROM names ORDER BY form, document_id, chunk_id").fetchall()
        inside = older.execute("SELECT bigrams FROM chunks ORDER BY id").fetchall()
    older.close()
    make_older(collection.database, "0001")
    assert names(Engine(Collection("world", tmp_path, encoder=WordEncoder())).search("AX4410B"))[0] == "hinge.txt"
    with sqlite3.connect(collection.database) as migrated:
        assert migrated.execute("SELECT * FROM names ORDER BY form, document_id, chunk_id").fetchall() == now
        assert migrated.execute("SELECT bigrams FROM chunks ORDER BY id").fetchall() == inside
        migrated.execute("INSERT INTO words(words, rank) VALUES ('integrity-check', 1)")
    migrated.close()


def test_names_go_with_their_documents(tmp_path: Path) -> None:
    collection = collection_of(tmp_path, NAMED)
    collection.remove([str(tmp_path / "files" / name) for name in NAMED])
    with sqlite3.connect(collection.database) as database:
        assert database.execute("SELECT count(*) FROM names").fetchone() == (0,)
    database.close()


@dataclass(frozen=True)
class FarEncoder(WordEncoder):
    """Finds every passage equally far from a question: `cosine` is that of all of them."""

    cosine: float = 0.0

    def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        rows[:, 0] = 1.0
        return rows

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        rows[:, 0], rows[:, 1] = self.cosine, (1 - self.cosine**2) ** 0.5
        return rows


@pytest.mark.parametrize("mode", ["hybrid", "feedback"])
def test_a_search_that_matches_nothing_finds_nothing(tmp_path: Path, mode: retriever.Mode) -> None:
    engine = Engine(collection_of(tmp_path, NAMED, encoder=FarEncoder(cosine=retriever.LEAST_COSINE - 0.01)))
    assert engine.search("xylophone flugelhorn", mode=mode) == []
    assert len(engine.search("xylophone flugelhorn", mode="dense")) > 0  # what is nearest all the same
    assert names(engine.search("xylophone hinge", mode=mode))[0] == "hinge.txt"  # a word of it is there
    assert names(engine.search("AX4410B", mode=mode))[0] == "hinge.txt"  # it is a name
    assert len(engine.search("Wo ist das Xylophon und wer hat es?", mode=mode)) > 0  # another language


def test_what_is_near_in_meaning_is_found_without_a_common_word(tmp_path: Path) -> None:
    engine = Engine(collection_of(tmp_path, NAMED, encoder=FarEncoder(cosine=retriever.LEAST_COSINE + 0.01)))
    assert len(engine.search("xylophone flugelhorn")) > 0


def test_a_question_that_matches_nothing_has_no_answer(tmp_path: Path) -> None:
    class Sure:
        name = "sure"

        def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
            return Draft((Copied(0, 0, 3),), 0.99)

        def threshold(self, max_error: float | None) -> float:
            return 0.5

    engine = Engine(collection_of(tmp_path, encoder=FarEncoder(cosine=0.1)), Sure())
    assert engine.ask("Does the xylophone have bees?").outcome == "answer"
    refused = engine.ask("Xylophone flugelhorn?")
    assert (refused.outcome, refused.text) == ("none", "")
    assert refused.passages  # the nearest are shown beneath it


def test_of_a_wide_row_the_whole_is_read(tmp_path: Path) -> None:
    """What a row is about stands in one chunk, what is asked for in another."""
    fields = "; ".join(f"field {n} of it: value number {n}" for n in range(60))
    rows = [f"Country: {name}; {fields}; Currency: {money}" for name, money in (("Aland", "Taler"), ("Bor", "Mark"))]
    collection = Collection("rows", tmp_path, encoder=WordEncoder())
    collection.add([Given("countries.csv", "\n".join(rows))])
    with collection.view() as view:
        question, vector = "currency of Aland", collection.encoder.embed_queries(["currency of Aland"])[0]
        found = Retriever().find(view, question, vector, 3)
        read = Retriever().read(view, question, vector, 3)
    assert not any("Aland" in passage.text and "Taler" in passage.text for passage in found)
    assert any("Aland" in passage.text and "Taler" in passage.text for passage in read)
    assert all(passage.text.split("\n")[0] in rows and passage.text.split("\n")[-1] in rows for passage in read)
    spans = [(passage.start, passage.end) for passage in read]
    assert len(set(spans)) == len(spans)


def test_a_cell_that_was_cut_is_read_with_its_row(tmp_path: Path) -> None:
    """The end of a long cell was read as a row of its own, "why; point: 39", and asked for by that name."""
    cell = " ".join(f"Sentence {number} of it tells why the berth waits; point: {number}." for number in range(30))
    text = f'ID,Rationale,Owner\nR-1,"{cell}\n\n- so said the harbourmaster",Mira\nR-2,Short,Jon\n'
    engine = Engine(collection_of(tmp_path, {"requirements.csv": text}))
    with engine.collection.view() as view:
        found = Retriever("words").read(view, "harbourmaster", None, 1)
    assert found[0].text.startswith("ID: R-1; Rationale: “Sentence 0 ")
    assert "harbourmaster”; Owner: Mira" in found[0].text
    assert found[0].context.endswith("ID: R-1")
