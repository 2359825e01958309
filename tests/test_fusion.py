import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.types import Hit
from rag.fusion import COMPARED, EVEN, MOST, dense_weight, hybrid, reciprocal_rank, standard_scores, with_names


def arms(min_arms: int = 0) -> st.SearchStrategy[list[list[Hit]]]:
    """Rankings as the arms return them: each chunk once, best first, ties by id; scores without rounding trouble."""
    hits = st.builds(Hit, st.integers(1, 30), st.integers(-50, 50).map(float))
    arm = st.lists(hits, max_size=12, unique_by=lambda hit: hit.chunk_id).map(ranked)
    return st.lists(arm, min_size=min_arms, max_size=3)


def ranked(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))


def ids(hits: list[Hit]) -> list[int]:
    return [hit.chunk_id for hit in hits]


def test_each_arm_counts_in_its_own_deviations() -> None:
    # Words 8, 4, 0: mean 4, deviation sqrt(32 / 3) = 3.266, so z = 1.2247, 0, -1.2247; the worst becomes 0.
    # Dense 0.75, 0.25: mean 0.5, deviation 0.25, so z = 1, -1; the worst becomes 0.
    fused = standard_scores([[Hit(1, 8.0), Hit(2, 4.0), Hit(3, 0.0)], [Hit(2, 0.75), Hit(4, 0.25)]])
    assert ids(fused) == [2, 1, 3, 4]
    assert [hit.score for hit in fused] == pytest.approx([1.2247449 + 2, 2.4494897, 0, 0])


def test_a_hit_never_counts_less_than_half_of_one_that_stands_out() -> None:
    # 1, 0, 0, 0, 0: mean 0.2, deviation 0.4, z = 2 and -0.5: the floor is one deviation below the mean, not the worst.
    fused = standard_scores([[Hit(1, 1.0), Hit(2, 0.0), Hit(3, 0.0), Hit(4, 0.0), Hit(5, 0.0)]])
    assert [hit.score for hit in fused] == pytest.approx([3, 0.5, 0.5, 0.5, 0.5])


def test_hits_that_are_all_alike_count_one_each() -> None:
    assert standard_scores([[Hit(2, 7.0), Hit(5, 7.0)]]) == [Hit(2, 1.0), Hit(5, 1.0)]
    assert standard_scores([[Hit(9, -3.0)]]) == [Hit(9, 1.0)]


def test_nothing_found_is_nothing_fused() -> None:
    assert standard_scores([]) == []
    assert standard_scores([[], []]) == []


def test_ties_are_broken_by_id() -> None:
    assert ids(standard_scores([[Hit(5, 1.0)], [Hit(3, 8.0)], [Hit(4, 2.0)]])) == [3, 4, 5]


@given(arms())
def test_the_order_of_the_arms_makes_no_difference(found: list[list[Hit]]) -> None:
    forward, backward = standard_scores(found), standard_scores(found[::-1])
    assert {hit.chunk_id: pytest.approx(hit.score) for hit in forward} == {hit.chunk_id: hit.score for hit in backward}


@given(arms())
def test_all_that_an_arm_found_is_there_once_and_best_first(found: list[list[Hit]]) -> None:
    fused = standard_scores(found)
    assert sorted(ids(fused)) == sorted({hit.chunk_id for arm in found for hit in arm})
    assert fused == ranked(fused)


@given(arms())
def test_an_arm_that_found_nothing_changes_nothing(found: list[list[Hit]]) -> None:
    assert standard_scores([*found, []]) == standard_scores(found)


@given(arms(1))
def test_one_arm_alone_keeps_its_order(found: list[list[Hit]]) -> None:
    assert ids(standard_scores(found[:1])) == ids(found[0])


@given(arms(1), st.sampled_from([0.25, 0.5, 2.0, 64.0]), st.integers(-100, 100))
def test_neither_the_unit_nor_the_zero_of_an_arms_scores_matters(
    found: list[list[Hit]], unit: float, zero: int
) -> None:
    moved = [[Hit(hit.chunk_id, hit.score * unit + zero) for hit in found[0]], *found[1:]]
    expected = {hit.chunk_id: pytest.approx(hit.score) for hit in standard_scores(found)}
    assert {hit.chunk_id: hit.score for hit in standard_scores(moved)} == expected


def test_fusing_leaves_its_input_as_it_was() -> None:
    found = [[Hit(1, 2.0), Hit(2, 1.0)], [Hit(2, 5.0)]]
    standard_scores(found)
    assert found == [[Hit(1, 2.0), Hit(2, 1.0)], [Hit(2, 5.0)]]


def test_reciprocal_ranks_add_up() -> None:
    fused = reciprocal_rank([[Hit(1, 9.0), Hit(2, 8.0)], [Hit(2, 0.1)]], k=60)
    assert ids(fused) == [2, 1]
    assert [hit.score for hit in fused] == pytest.approx([1 / 62 + 1 / 61, 1 / 61])


def cosines(*scores: float) -> list[Hit]:
    return [Hit(number, score) for number, score in enumerate(scores, 1)]


@pytest.mark.parametrize(
    ("dense", "weight"),
    [
        ([], 0.5),
        (cosines(0.9), 0.5),  # it stands out from nothing
        (cosines(0.7, 0.5, 0.4), 0.5),  # (0.7 - 0.4) / (1 - 0.4) = 0.5
        (cosines(0.76, 0.5, 0.4), 0.65),  # 0.6 of the way, halfway from 0.5 to 0.7
        (cosines(0.82, 0.5, 0.4), 0.8),  # 0.7 of the way
        (cosines(1.0, 0.5, 0.4), 0.8),  # the question itself
        (cosines(0.6, 0.5, -0.4), 0.65),  # what is opposite is no farther than what is unlike: 0.6 of the way from 0
        (cosines(0.94, 0.9, 0.8), 0.8),  # of an encoder that finds all texts alike: 0.7 of the way from 0.8
        (cosines(0.88, 0.9, 0.8), 0.5),  # 0.4 of it
        (cosines(1.0, 1.0, 1.0), 0.5),
    ],
)
def test_the_dense_arm_weighs_more_where_a_passage_says_nearly_what_is_asked(dense: list[Hit], weight: float) -> None:
    assert dense_weight(dense) == pytest.approx(weight)


def test_closeness_does_not_depend_on_how_many_hits_were_taken() -> None:
    hits = cosines(0.76, *(0.4 for _ in range(COMPARED - 1)), *(0.01 for _ in range(300)))
    assert dense_weight(hits) == dense_weight(hits[:COMPARED]) == pytest.approx(0.65)


@given(arms(2))
def test_the_weight_of_the_dense_arm_has_two_ends(found: list[list[Hit]]) -> None:
    assert EVEN <= dense_weight(found[1]) <= MOST


def test_a_passage_that_says_the_same_beats_one_that_shares_its_words() -> None:
    """On short questions filed under others of the same intent, hybrid lost 3 points to its dense arm."""
    words, near = cosines(9.0, 5.0, 4.0, 1.0), [Hit(7, 0.95), Hit(8, 0.5), Hit(9, 0.45), Hit(1, 0.4)]
    assert ids(standard_scores([words, near]))[:2] == [1, 7]
    assert ids(hybrid(words, near))[:2] == [7, 1]
    evenly = {hit.chunk_id: hit.score for hit in standard_scores([words, near])}
    found = {hit.chunk_id: hit.score for hit in hybrid(words, near)}
    assert found[7] == pytest.approx(1.6 * evenly[7])
    assert found[2] == pytest.approx(0.4 * evenly[2])
    far = [Hit(7, 0.6), *near[1:]]
    assert hybrid(words, far) == standard_scores([words, far])


def test_what_is_named_comes_first_and_the_rest_stays_as_it_was() -> None:
    ranking = [Hit(1, 3.0), Hit(2, 2.0), Hit(3, 1.0)]
    assert with_names(ranking, {}, alone=True) == ranking
    found = with_names(ranking, {3: 2, 2: 1, 9: 2}, alone=True)
    assert ids(found) == [3, 9, 2, 1]  # 9 was not found at all, and counts as the worst
    assert [hit.score for hit in found] == [7.0, 7.0, 5.0, 3.0]  # a step is 3 - 1 + 1


def test_a_name_that_is_only_mentioned_raises_by_half_a_deviation() -> None:
    found = with_names([Hit(1, 9.0), Hit(2, 4.0), Hit(3, 1.0)], {3: 2}, alone=False)
    assert [(hit.chunk_id, hit.score) for hit in found] == [(1, 9.0), (2, 4.0), (3, 1.0 + 2 * 0.25)]
