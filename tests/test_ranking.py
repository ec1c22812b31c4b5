"""Lists from scores: order, ties, masking and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from recbench.data import Interactions
from recbench.ranking import InvalidScores, Seen, tie_keys, tie_seed, top_k, top_k_of

ORACLE = Path(__file__).parent / "oracle" / "oracle.json"
MASK = 2**64 - 1
LEVELS = [-np.inf, -1.0, -0.0, 0.0, 0.5, 1.0, np.nan]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
REALS = ["bool", *INTEGERS, "float16", "float32", "float64", "longdouble", ">f8", ">i4"]


def mixed(key: int) -> int:
    """splitmix64's mixing function, as it was published, on plain integers."""
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    key = (key ^ (key >> 27)) * 0x94D049BB133111EB & MASK
    return key ^ (key >> 31)


def plain_key(seed: int, user: int, item: int) -> int:
    state = mixed((seed + (user + 1) * 0x9E3779B97F4A7C15) & MASK)
    return mixed((state + (item + 1) * 0x9E3779B97F4A7C15) & MASK)


def plain_list(scores: dict[int, Any], user: int, k: int, seed: int) -> list[int]:
    """The best k of `scores` (item -> Python number), padded with -1."""
    able = [item for item, score in scores.items() if score > float("-inf")]
    best = sorted(able, key=lambda item: (-scores[item], plain_key(seed, user, item)))[:k]
    return best + [-1] * (k - len(best))


def seen_of(mask: NDArray[np.bool_]) -> Seen:
    user, item = np.nonzero(mask)
    part = Interactions(user=user, item=item, rating=np.ones(len(user)))
    return Seen.of(part, n_users=mask.shape[0], n_items=mask.shape[1])


@st.composite
def tables(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    shape = (draw(st.integers(1, 4)), draw(st.integers(1, 80)))
    levels = draw(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=4))
    scores = draw(npst.arrays(np.float64, shape, elements=st.sampled_from(levels)))
    seen = draw(npst.arrays(np.bool_, shape, elements=st.booleans()))
    return scores, seen, draw(st.integers(1, 12))


@given(tables(), st.integers(0, MASK))
@settings(max_examples=200, deadline=None)
def test_lists_agree_with_a_plain_loop(table: tuple[NDArray[np.float64], NDArray[np.bool_], int], seed: int) -> None:
    scores, seen, k = table
    users = np.arange(len(scores))[::-1]
    ranked = top_k(scores, users=users, k=k, seen=seen_of(seen), seed=seed)
    n_never = 0
    for row, user in enumerate(users.tolist()):
        unseen = {item: scores[row, item] for item in range(scores.shape[1]) if not seen[user, item]}
        n_never += sum(not score > -np.inf for score in unseen.values())
        assert ranked.lists[row].tolist() == plain_list(unseen, user, k, seed)
    assert ranked.n_never == n_never
    assert ranked.lists.dtype == np.int32


@given(npst.arrays(np.float64, (3, 300), elements=st.floats(-10, 10, width=16)), st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_scores_of_many_values_agree_with_a_plain_loop(scores: NDArray[np.float64], k: int) -> None:
    ranked = top_k(scores, users=np.arange(3), k=k, seen=None, seed=5)
    expected = [plain_list(dict(enumerate(row)), user, k, 5) for user, row in enumerate(scores.tolist())]
    assert ranked.lists.tolist() == expected


@pytest.mark.parametrize("order", ["ascending", "descending", "one group of places holds the best"])
def test_the_place_of_the_best_does_not_matter(order: str) -> None:
    scores = np.arange(4000.0)
    if order == "descending":
        scores = scores[::-1]
    if order == "one group of places holds the best":  # groups are every 8 k-th place
        scores = np.where(np.arange(4000) % 40 == 3, scores + 1e6, scores % 7)
    ranked = top_k(scores[None], users=np.array([0]), k=5, seen=None, seed=0)
    assert ranked.lists[0].tolist() == np.argsort(-scores)[:5].tolist()


@given(tables(), st.integers(0, MASK))
@settings(max_examples=100, deadline=None)
def test_lists_among_candidates_agree_with_lists_among_all(
    table: tuple[NDArray[np.float64], NDArray[np.bool_], int], seed: int
) -> None:
    scores, seen, k = table
    users, n_items = np.arange(len(scores)), scores.shape[1]
    shuffled = np.random.default_rng(seed).permuted(
        np.tile(np.arange(n_items, dtype=np.int32), (len(scores), 1)), axis=1
    )
    of_shuffled = np.take_along_axis(scores, shuffled, axis=1)
    padding = np.full((len(scores), 2), -1, dtype=np.int32)
    ranked = top_k_of(
        np.hstack([np.full(padding.shape, np.inf), of_shuffled]),
        np.hstack([padding, shuffled]),
        users=users,
        k=k,
        seen=seen_of(seen),
        seed=seed,
    )
    among_all = top_k(scores, users=users, k=k, seen=seen_of(seen), seed=seed)
    assert ranked.lists.tolist() == among_all.lists.tolist()
    assert ranked.n_never == among_all.n_never


def test_only_candidates_are_listed() -> None:
    candidates = np.array([[4, 2, -1], [0, -1, -1]], dtype=np.int32)
    ranked = top_k_of(
        np.array([[1.0, 2.0, 9.0], [1.0, 9.0, 9.0]]), candidates, users=np.arange(2), k=3, seen=None, seed=0
    )
    assert ranked.lists.tolist() == [[2, 4, -1], [0, -1, -1]]
    assert ranked.n_never == 0


@pytest.mark.parametrize("case", ["ties-1", "ties-2", "ties-3"])
def test_ties_are_fair_on_average_over_fingerprints(case: str) -> None:
    found = next(each for each in json.loads(ORACLE.read_text())["cases"] if each["id"] == case)
    scores, relevant, k = (found["input"][key] for key in ("scores", "relevant", "k"))
    n = 20_000
    hits = np.array(
        [
            np.isin(top_k(np.array([scores]), users=np.array([0]), k=k, seen=None, seed=s).lists[0], relevant)
            for s in tie_keys(1, np.arange(n), np.array([0])).tolist()
        ]
    )
    discount = 1 / np.log2(np.arange(k) + 2)
    ndcg = hits @ discount / discount[: len(relevant)].sum()
    assert hits.sum(axis=1).mean() / len(relevant) == pytest.approx(found["expected"]["recall_expected"], abs=0.015)
    assert ndcg.mean() == pytest.approx(found["expected"]["ndcg_expected"], abs=0.015)


def test_a_constant_scorer_ranks_at_chance() -> None:
    n_users, n_items, k = 400, 500, 10
    lists = top_k(
        np.zeros((n_users, n_items)), users=np.arange(n_users), k=k, seen=None, seed=tie_seed("ab" * 32)
    ).lists
    counts = np.bincount(lists.ravel(), minlength=n_items)
    expected = n_users * k / n_items
    # Chi-square with 499 degrees of freedom: its mean is 499 (1 - k/n here), its deviation about 32.
    assert ((counts - expected) ** 2 / expected).sum() == pytest.approx(499 * (1 - k / n_items), abs=130)
    assert len(np.unique(lists[:, 0])) > 200  # users do not share one order


def test_equal_scores_keep_their_order_whatever_the_block() -> None:
    scores = np.random.default_rng(0).integers(0, 3, (50, 400))
    whole = top_k(scores, users=np.arange(50), k=7, seen=None, seed=3).lists
    pieces = [top_k(scores[[u]], users=np.array([u]), k=7, seen=None, seed=3).lists[0] for u in range(50)]
    assert whole.tolist() == np.array(pieces).tolist()


def test_large_tables_are_ranked_in_pieces() -> None:
    scores = np.random.default_rng(0).integers(0, 50, (500, 3000)).astype(np.float32)
    seen = np.random.default_rng(1).random(scores.shape) < 0.1
    users = np.random.default_rng(2).permutation(500)
    ranked = top_k(scores, users=users, k=10, seen=seen_of(seen), seed=3)
    for row in (0, 1, 173, 174, 175, 348, 499):
        alone = top_k(scores[[row]], users=users[[row]], k=10, seen=seen_of(seen), seed=3)
        assert ranked.lists[row].tolist() == alone.lists[0].tolist()


@pytest.mark.parametrize("dtype", REALS)
def test_every_real_type_is_ranked_in_its_own_order(dtype: str) -> None:
    values = np.array([[0, 1, 1, 0, 1, 0, 0]]).astype(dtype)
    if dtype != "bool":
        values[0, 3] = 100
    seen = seen_of(np.array([[False, True, False, False, False, False, False]]))
    expected = plain_list({item: float(v) for item, v in enumerate(values[0]) if item != 1}, 0, 4, 9)
    assert top_k(values, users=np.array([0]), k=4, seen=seen, seed=9).lists[0].tolist() == expected


@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_ends_of_an_integer_type_are_ordinary_scores(dtype: str) -> None:
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    values = np.array([[least, most, most - 1, least, least + 1]], dtype=dtype)
    seen = seen_of(np.array([[True, False, False, False, False]]))
    ranked = top_k(values, users=np.array([0]), k=5, seen=seen, seed=0)
    assert ranked.lists[0].tolist() == [1, 2, 4, 3, -1]
    assert ranked.n_never == 0


@pytest.mark.parametrize("dtype", ["int64", "uint64", "longdouble"])
def test_numbers_beyond_2_to_the_53_keep_their_order(dtype: str) -> None:
    if np.finfo(np.longdouble).nmant < 60 and dtype == "longdouble":
        pytest.skip("long double is no longer than double here")
    values = np.array([[1, 0, 3, 2]]).astype(dtype) + np.array(2**62).astype(dtype)
    assert top_k(values, users=np.array([0]), k=4, seen=None, seed=0).lists[0].tolist() == [2, 3, 0, 1]


def test_read_only_and_broadcast_scores_are_taken_and_left_alone() -> None:
    counts = np.array([3, 1, 2])
    scores = np.broadcast_to(counts, (4, 3))
    seen = seen_of(np.eye(4, 3, dtype=np.bool_))
    assert top_k(scores, users=np.arange(4), k=2, seen=seen, seed=0).lists.tolist() == [[2, 1], [0, 2], [0, 1], [0, 2]]
    assert counts.tolist() == [3, 1, 2]


def test_scores_that_can_be_written_to_are_left_alone() -> None:
    scores = np.array([[np.nan, 1.0, 2.0]])
    top_k(scores, users=np.array([0]), k=2, seen=seen_of(np.array([[False, True, False]])), seed=0)
    np.testing.assert_array_equal(scores, [[np.nan, 1.0, 2.0]])


def test_lists_longer_than_the_catalogue_end_in_empty_places() -> None:
    ranked = top_k(np.array([[1.0, 2.0]]), users=np.array([0]), k=4, seen=None, seed=0)
    assert ranked.lists.tolist() == [[1, 0, -1, -1]]


def test_who_has_seen_everything_gets_an_empty_list() -> None:
    ranked = top_k(
        np.ones((1, 3), dtype=np.int64), users=np.array([0]), k=2, seen=seen_of(np.ones((1, 3), bool)), seed=0
    )
    assert ranked.lists.tolist() == [[-1, -1]]
    assert ranked.n_never == 0


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0)])
def test_no_users_and_no_items_are_no_trouble(shape: tuple[int, int]) -> None:
    ranked = top_k(np.zeros(shape), users=np.arange(shape[0]), k=2, seen=None, seed=0)
    assert ranked.lists.tolist() == [[-1, -1]] * shape[0]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.array([[1.0, np.inf]]), r"scores have \+inf"),
        (np.array([[1.0 + 0j, 2]]), "of type complex128"),
        (np.array([[1, None]]), "of type object"),
        (np.array([["1", "2"]]), "of type <U1"),
        (np.array([[1, 2]], dtype="timedelta64[s]"), "of type timedelta64"),
        (np.array([1.0, 2.0]), r"shape \(2,\); expected 1 rows"),
        (np.zeros((2, 2)), r"shape \(2, 2\); expected 1 rows"),
    ],
)
def test_what_cannot_be_ranked_is_refused(scores: NDArray[Any], message: str) -> None:
    with pytest.raises(InvalidScores, match=message):
        top_k(scores, users=np.array([0]), k=1, seen=None, seed=0)


def test_infinity_is_refused_even_where_it_would_be_masked() -> None:
    with pytest.raises(InvalidScores, match="inf"):
        top_k(np.array([[np.inf, 1.0]]), users=np.array([0]), k=1, seen=seen_of(np.array([[True, False]])), seed=0)


def test_candidates_of_another_shape_are_refused() -> None:
    with pytest.raises(InvalidScores, match=r"candidates \(1, 3\)"):
        top_k_of(np.zeros((1, 2)), np.zeros((1, 3), np.int32), users=np.array([0]), k=1, seen=None, seed=0)


def test_the_order_among_ties_never_changes() -> None:
    keys = tie_keys(
        tie_seed("0123456789abcdef" * 4), np.array([0, 0, 1, 7, 2**31 - 2]), np.array([0, 1, 0, 3, 2**31 - 2])
    )
    assert tie_seed("0123456789abcdef" * 4) == 0x0123456789ABCDEF
    assert keys.tolist() == [
        152146917109625782,
        5299960857982258656,
        8621658173919334292,
        5973009765217058691,
        11456647993900225899,
    ]


@given(st.integers(0, MASK), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_keys_agree_with_plain_integers(seed: int, user: int, item: int) -> None:
    for dtype in (np.int32, np.int64):
        assert tie_keys(seed, np.array([user], dtype), np.array([item], dtype)).tolist() == [
            plain_key(seed, user, item)
        ]


def test_keys_of_one_user_are_distinct_and_even() -> None:
    keys = tie_keys(12, np.array([3]), np.arange(100_000))
    assert len(np.unique(keys)) == 100_000
    assert (keys / 2.0**64).mean() == pytest.approx(0.5, abs=0.005)
    assert abs(np.corrcoef(keys[:-1] / 2.0**64, keys[1:] / 2.0**64)[0, 1]) < 0.02


def test_seen_gathers_all_parts_once_and_in_order() -> None:
    first = Interactions(user=np.array([2, 0, 2]), item=np.array([3, 1, 0]), rating=np.ones(3))
    second = Interactions(user=np.array([2, 1]), item=np.array([3, 4]), rating=np.ones(2))
    seen = Seen.of(first, second, n_users=4, n_items=5)
    assert seen.starts.tolist() == [0, 1, 2, 4, 4]
    assert seen.items.tolist() == [1, 4, 0, 3]
    starts, items = seen.among(np.array([2, 3, 0, 2]))
    assert starts.tolist() == [0, 2, 2, 3, 5]
    assert items.tolist() == [0, 3, 1, 0, 3]


def test_seen_may_be_empty() -> None:
    seen = Seen.of(n_users=2, n_items=3)
    assert seen.starts.tolist() == [0, 0, 0]
    assert top_k(np.zeros((2, 3)), users=np.arange(2), k=3, seen=seen, seed=0).lists.min() == 0
    candidates = np.zeros((2, 1), np.int32)
    assert top_k_of(np.zeros((2, 1)), candidates, users=np.arange(2), k=1, seen=seen, seed=0).lists.tolist() == [
        [0],
        [0],
    ]
