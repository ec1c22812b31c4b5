"""Linear item-based rankers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recbench_linear.slim
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from published_data import assert_is_as_published, recall_and_map, table32
from recbench_linear import recbench_algorithms
from recbench_linear.ease import Ease
from recbench_linear.largest import keep_largest, keep_largest_of_columns, row_blocks
from recbench_linear.slim import Slim
from recbench_linear.walks import P3Alpha, RP3Beta
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge
from worlds import checkerboard, fitted, from_pairs, hit_share, noise_world, popularity_world, ranked, scores_of

from recbench.data import Dataset

RANKERS = [Ease, Slim, P3Alpha, RP3Beta]
FIGURE = re.compile(r"[-+]?\d+\.\d+")


def random_pairs(seed: int, *, n_users: int = 25, n_items: int = 12, density: float = 0.4) -> Dataset:
    rng = np.random.default_rng(seed)
    return from_pairs(*np.nonzero(rng.random((n_users, n_items)) < density), n_users=n_users, n_items=n_items)


def weights_of(algorithm: Any, data: Dataset) -> Any:
    """(n_items, n_items) weights, seen from outside: each new user of a crowd has one item."""
    algorithm.fit(data, seed=0)
    items = np.arange(data.n_items)
    scores = algorithm.score_new(from_pairs(items, items))
    popularity = np.bincount(data.interactions.item, minlength=data.n_items)
    return np.where((scores == popularity).all(axis=1, keepdims=True), 0.0, scores)


def test_names_are_offered_and_no_seed_changes_anything() -> None:
    offered = list(recbench_algorithms())
    assert [algorithm.name for algorithm in offered] == ["ease", "slim", "p3alpha", "rp3beta"]
    assert all(algorithm.deterministic and algorithm.summary and algorithm.reference for algorithm in offered)


@given(seed=st.integers(0, 10_000), l2=st.sampled_from([0.5, 3.0, 40.0]))
@settings(max_examples=20, deadline=None)
def test_ease_is_a_ridge_regression_of_each_item_on_all_others_up_to_the_diagonal(seed: int, l2: float) -> None:
    data = random_pairs(seed)
    ones = data.user_item("one").toarray()
    found = weights_of(Ease(l2=l2), data)
    for item in range(data.n_items):
        others = np.arange(data.n_items) != item
        ridge = Ridge(alpha=l2, fit_intercept=False).fit(ones[:, others], ones[:, item])
        assert found[others, item] == pytest.approx(ridge.coef_, abs=1e-8)
        assert found[item, item] == 0.0


@pytest.mark.parametrize("l1_ratio", [0.0001, 0.1, 0.5])
def test_slim_is_at_the_optimum_of_its_objective(l1_ratio: float) -> None:
    data, alpha = random_pairs(1), 0.02
    ones = data.user_item("one").toarray()
    found = weights_of(Slim(alpha=alpha, l1_ratio=l1_ratio, sweeps=10_000, tolerance=1e-10), data)
    slope = ones.T @ (ones @ found - ones) / data.n_users + alpha * (l1_ratio + (1.0 - l1_ratio) * found)
    off = ~np.eye(data.n_items, dtype=bool)
    assert (found >= 0.0).all()
    assert (np.diag(found) == 0.0).all()
    assert slope[off & (found > 0.0)] == pytest.approx(0.0, abs=1e-6)
    assert (slope[off & (found == 0.0)] >= -1e-6).all()


def test_slim_finds_the_same_over_interactions_as_over_co_occurrences(monkeypatch: pytest.MonkeyPatch) -> None:
    data = random_pairs(6, n_users=60, n_items=30, density=0.2)
    found = []
    for many in (0, 1000):
        monkeypatch.setattr(recbench_linear.slim, "MANY", many)
        found.append(weights_of(Slim(alpha=0.01, l1_ratio=0.2), data))
    assert found[0].any()
    assert found[0] == pytest.approx(found[1], abs=1e-12)


def test_slim_keeps_the_largest_weights_of_the_item_to_score() -> None:
    data = random_pairs(2)
    full, cut = (weights_of(Slim(alpha=0.001, l1_ratio=0.01, k=k), data) for k in (12, 3))
    for item in range(data.n_items):
        least = np.sort(full[:, item])[-3]
        assert cut[:, item].tolist() == np.where(full[:, item] >= least, full[:, item], 0.0).tolist()


@given(seed=st.integers(0, 10_000), k=st.integers(1, 12), normalize=st.booleans())
@settings(max_examples=30, deadline=None)
def test_walks_have_the_weights_of_their_formula(seed: int, k: int, normalize: bool) -> None:
    data, alpha, beta = random_pairs(seed), 0.7, 0.4
    assume(not has_blurred_cut(data, alpha, beta, k, normalize=normalize))
    found = weights_of(RP3Beta(alpha=alpha, beta=beta, k=k, normalize=normalize), data)
    assert found == pytest.approx(walked(data, alpha, beta, k, normalize=normalize), abs=1e-12)


def test_p3alpha_is_rp3beta_without_beta() -> None:
    data = random_pairs(3)
    one, other = P3Alpha(alpha=0.9, k=4), RP3Beta(alpha=0.9, beta=0.0, k=4)
    assert (weights_of(one, data) == weights_of(other, data)).all()


def walked(data: Dataset, alpha: float, beta: float, k: int, *, normalize: bool) -> Any:
    """The weights of RP3beta, walk by walk. Ties at a cut go to the lower index."""
    return np.array([cut(column, k) for column in rows_cut(walks(data, alpha, beta), k, normalize=normalize).T]).T


def walks(data: Dataset, alpha: float, beta: float) -> Any:
    """All weights, before any cut."""
    has = data.user_item("one").toarray() > 0
    n, users_of, items_of = data.n_items, has.sum(axis=0), has.sum(axis=1)
    weights = np.zeros((n, n))
    for j, i in np.ndindex(n, n):
        if i != j:
            for v in np.flatnonzero(has[:, j] & has[:, i]):
                weights[j, i] += users_of[j] ** -alpha * items_of[v] ** -alpha * users_of[i] ** -beta
    return weights


def rows_cut(weights: Any, k: int, *, normalize: bool) -> Any:
    """The k largest of each row, as shares of their sum where asked."""
    kept = np.array([cut(row, k) for row in weights])
    return kept / np.where(kept.any(axis=1), kept.sum(axis=1), 1.0)[:, None] if normalize else kept


def has_blurred_cut(data: Dataset, alpha: float, beta: float, k: int, *, normalize: bool) -> bool:
    """Whether a cut falls between weights that differ at most in the last digits, where the order of a sum decides."""
    whole = walks(data, alpha, beta)
    ordered = [-np.sort(-part) for part in (*whole, *rows_cut(whole, k, normalize=normalize).T)]
    return any(k < len(part) and part[k] > 0 and part[k - 1] - part[k] < 1e-9 for part in ordered)


def cut(values: Any, k: int) -> Any:
    """The k largest, at 12 digits, since a sum in another order has others at the end."""
    kept = np.argsort(-values.round(12), kind="stable")[:k]
    return np.where(np.isin(np.arange(len(values)), kept), values, 0.0)


def test_the_largest_of_a_row_are_kept_and_ties_go_to_the_lower_column() -> None:
    block = np.array([[1.0, 3.0, 2.0, 2.0], [0.0, 5.0, 0.0, 0.0]])
    assert keep_largest(block, 2).toarray().tolist() == [[0.0, 3.0, 2.0, 0.0], [0.0, 5.0, 0.0, 0.0]]
    assert keep_largest(block, 9).toarray().tolist() == block.tolist()
    assert keep_largest(block, 2).nnz == 3


def test_the_largest_of_a_column_are_kept() -> None:
    matrix = csr_matrix(np.array([[1.0, 3.0], [2.0, 4.0], [0.0, 5.0]]))
    assert keep_largest_of_columns(matrix, 1).toarray().tolist() == [[0.0, 0.0], [2.0, 0.0], [0.0, 5.0]]


def test_blocks_cover_all_rows_once() -> None:
    blocks = list(row_blocks(5000, 1 << 12))
    assert len(blocks) > 1
    assert (blocks[0].start, blocks[-1].stop) == (0, 5000)
    assert all(one.stop == other.start for one, other in pairwise(blocks))


@pytest.mark.parametrize("make", RANKERS)
@pytest.mark.parametrize("implicit", [False, True])
def test_a_checkerboard_is_ranked_own_colour_first(make: Any, implicit: bool) -> None:
    assert hit_share(make(), checkerboard(implicit=implicit)) > 0.95


@pytest.mark.parametrize("make", RANKERS)
def test_nobody_does_better_than_chance_on_noise(make: Any) -> None:
    world = noise_world()
    assert abs(hit_share(make(), world) - world.chance) < 0.12


@pytest.mark.parametrize(("make", "least"), [(Ease, 0.8), (Slim, 0.6), (P3Alpha, 0.6), (RP3Beta, 0.5)])
def test_what_is_popular_is_found_where_nothing_else_is(make: Any, least: float) -> None:
    assert hit_share(make(), popularity_world()) > least


@pytest.mark.parametrize("make", RANKERS)
def test_positives_alone_are_learned_from(make: Any) -> None:
    data = checkerboard().train
    rows = data.interactions
    liked = data.with_interactions(rows.take(rows.rating >= 4))
    one, other = make(), make()
    one.fit(data, seed=0)
    other.fit(liked, seed=0)
    assert (one.score(np.arange(60)) == other.score(np.arange(60))).all()


@pytest.mark.parametrize("make", RANKERS)
def test_scores_do_not_depend_on_who_is_asked_for_together(make: Any) -> None:
    made = fitted(make(), checkerboard())
    users = np.array([5, 59, 5, 0])
    assert (made.score(users) == made.score(np.arange(60))[users]).all()
    assert made.score(np.empty(0, dtype=np.int64)).shape == (0, 40)


@pytest.mark.parametrize("make", RANKERS)
def test_the_same_is_learned_whatever_users_and_items_are_called(make: Any) -> None:
    data = checkerboard().train
    rng = np.random.default_rng(0)
    user_place, item_place = rng.permutation(60), rng.permutation(40)
    rows = data.interactions
    moved = data.with_interactions(
        replace(rows, user=user_place[rows.user].astype(np.int32), item=item_place[rows.item].astype(np.int32))
    )
    settings = {Slim: {"sweeps": 5000, "tolerance": 1e-12}}.get(make, {})
    one, other = make(**settings), make(**settings)
    one.fit(data, seed=0)
    other.fit(moved, seed=0)
    found = other.score(user_place)[:, item_place]
    assert found == pytest.approx(one.score(np.arange(60)), abs=1e-6)


@pytest.mark.parametrize("make", RANKERS)
def test_who_has_no_history_gets_what_is_popular(make: Any) -> None:
    world = checkerboard()
    made = make()
    made.fit(replace(world.train, user_ids=np.append(world.train.user_ids, ["new"])), seed=0)
    counts = np.bincount(world.train.positives().item, minlength=40)
    assert made.score(np.array([60]))[0].tolist() == counts.tolist()
    assert made.explain(60, np.array([3])) == [f"{counts[3]} users have it; what this user has tells nothing"]


@pytest.mark.parametrize("make", RANKERS)
def test_what_nobody_has_scores_0(make: Any) -> None:
    data = from_pairs([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], n_items=3)
    made = make()
    made.fit(data, seed=0)
    assert (made.score(np.arange(3))[:, 2] == 0.0).all()


@pytest.mark.parametrize("make", RANKERS)
def test_data_without_interactions_can_be_fitted(make: Any) -> None:
    made = make()
    made.fit(from_pairs([], [], n_users=2, n_items=3), seed=0)
    assert made.score(np.array([0, 1])).tolist() == [[0.0] * 3] * 2
    made.fit(from_pairs([], [], n_users=0, n_items=0), seed=0)
    assert made.score(np.empty(0, dtype=np.int64)).shape == (0, 0)


@pytest.mark.parametrize("make", RANKERS)
def test_new_users_are_scored_like_old_ones_with_their_history(make: Any) -> None:
    world = checkerboard()
    made = fitted(make(), world)
    assert (made.score_new(world.train) == scores_of(made, world)).all()
    newcomers = checkerboard(seed=0)
    lists = ranked(made.score_new(newcomers.train), newcomers)
    assert np.take_along_axis(newcomers.likes, lists.astype(np.int64), axis=1).mean() > 0.95


@pytest.mark.parametrize("make", RANKERS)
def test_the_figures_of_an_explanation_add_up_to_the_score(make: Any) -> None:
    made = fitted(make(), checkerboard())
    scores = made.score(np.array([4]))[0]
    sentences = made.explain(4, np.arange(40))
    assert sum("=" in sentence for sentence in sentences) > 10
    for score, sentence in zip(scores, sentences, strict=True):
        total, *parts = (float(figure) for figure in FIGURE.findall(sentence))
        assert total == pytest.approx(score, abs=1e-4)
        assert sum(parts) == pytest.approx(total, abs=1e-9)


def test_an_explanation_names_the_users_own_items() -> None:
    made = RP3Beta(alpha=1.0, beta=0.0, k=3, normalize=False)
    made.fit(from_pairs([0, 1, 1], [0, 0, 1], n_items=3), seed=0)
    assert made.explain(0, np.array([1, 2])) == [
        "0.2500 = 0.2500 (item i0)",
        "0.0000: nothing the user has tells anything of it",
    ]


@pytest.mark.parametrize("make", RANKERS)
def test_training_data_and_weights_are_left_as_they_were(make: Any) -> None:
    world = checkerboard()
    before = world.train.interactions.rating.copy()
    made = fitted(make(), world)
    first = made.score(np.arange(60))
    kept = first.copy()
    first[:] = -1.0
    assert (made.score(np.arange(60)) == kept).all()
    assert (world.train.interactions.rating == before).all()


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (Ease, {"l2": 0.0}, "l2 must be above 0, not 0.0"),
        (Slim, {"alpha": 0.0}, "alpha must be above 0, not 0.0"),
        (Slim, {"l1_ratio": 1.5}, "l1_ratio must be between 0 and 1, not 1.5"),
        (Slim, {"k": 0}, "k and sweeps must be 1 or more, not 0 and 100"),
        (P3Alpha, {"alpha": -1.0}, "alpha must be 0 or more, not -1.0"),
        (P3Alpha, {"k": 0}, "k must be 1 or more, not 0"),
        (RP3Beta, {"beta": float("nan")}, "beta must be 0 or more, not nan"),
    ],
)
def test_impossible_parameters_are_refused(make: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make(**parameters)


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize(
    ("label", "made"),
    [
        ("ease", Ease(l2=292.0)),
        ("slim", Slim(alpha=0.0371, l1_ratio=7.37e-5, k=747)),
        ("p3alpha", P3Alpha(alpha=1.0075, k=332, normalize=True)),
        ("rp3beta", RP3Beta(alpha=0.7551, beta=0.5412, k=537, normalize=False)),
    ],
)
def test_ranking_has_the_figures_of_table_32(label: str, made: Any, shared_data: Callable[[str], Path]) -> None:
    found = recall_and_map(made, table32(shared_data("spectralcf-ml-1m")))
    assert_is_as_published(found, "table32", label)
