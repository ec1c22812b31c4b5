"""Neighbourhood methods."""

from __future__ import annotations

import re
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recbench_neighbors.nearest
import recbench_neighbors.prediction
import recbench_neighbors.similarity
from hypothesis import given, settings
from hypothesis import strategies as st
from published_data import assert_is_as_published, recall_and_map, rmse_and_mae, surprise_folds, table32
from recbench_neighbors import loops, recbench_algorithms
from recbench_neighbors.nearest import largest, nearest
from recbench_neighbors.neighbors import Neighbors
from recbench_neighbors.prediction import mean_of_nearest
from recbench_neighbors.profiles import Weights
from recbench_neighbors.similarity import Measure, Similarity
from scipy.sparse import csr_matrix
from worlds import checkerboard, fitted, from_pairs, hit_share, noise_world, popularity_world, ranked, scores_of

from recbench.data import Dataset

PRESETS: dict[str, dict[str, Any]] = {algorithm.name: dict(algorithm.parameters) for algorithm in recbench_algorithms()}
SURPRISE: dict[str, Any] = {"side": "user", "similarity": "msd", "over": "corated", "k": 40}
OF_SETS = Measure(similarity="jaccard", over="all", shrink=0.0, min_support=1)
FIGURE = re.compile(r"-?\d+\.\d+")


def sparse(table: Any) -> csr_matrix:
    """A table as CSR; NaN is a missing entry, and 0 an entry."""
    table = np.asarray(table, dtype=np.float64)
    rows, columns = np.nonzero(~np.isnan(table))
    return csr_matrix((table[rows, columns], (rows, columns)), shape=table.shape)


def similarities(table: Any, name: Any, over: Any, *, shrink: float = 0.0, min_support: int = 1) -> Any:
    """(n, n) similarities of the rows of `table`, by the code under test."""
    matrix = sparse(table)
    measure = Measure(similarity=name, over=over, shrink=shrink, min_support=min_support)
    found = Similarity(matrix, measure)
    return np.concatenate([block.toarray() for _, block in found.blocks(matrix)])


def naive_similarity(x: Any, y: Any, name: str, over: str, shrink: float, min_support: int) -> float:
    """The similarity of two rows with NaN for missing entries, by the formulas."""
    shared = ~np.isnan(x) & ~np.isnan(y)
    n = int(shared.sum())
    if n < max(min_support, 1):
        return 0.0
    x, y = (x[shared], y[shared]) if over == "corated" else (np.nan_to_num(x), np.nan_to_num(y))
    extra = shrink if over == "all" and name in ("cosine", "jaccard") else 0.0
    factor = 1.0 if extra or not shrink else n / (n + shrink)
    if name == "msd":
        return factor / (1.0 + float(np.mean((x - y) ** 2)))
    if name == "jaccard":
        bottom = float(x @ x + y @ y - x @ y) + extra
        return max(float(x @ y) / bottom, 0.0) if bottom > 0 else 0.0
    if name == "pearson":
        x, y = x - x.mean(), y - y.mean()
    bottom = float(np.sqrt(x @ x) * np.sqrt(y @ y)) + extra
    return factor * max(float(x @ y) / bottom, 0.0) if bottom > 1e-9 else 0.0


def random_table(seed: int, *, n_rows: int = 12, n_columns: int = 9, least: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    table = rng.integers(least, 6, (n_rows, n_columns)).astype(float)
    table[rng.random(table.shape) < 0.5] = np.nan
    return table


def random_ratings(seed: int, *, n_users: int = 14, n_items: int = 11) -> Dataset:
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.5)
    return from_pairs(user, item, rng.uniform(1, 5, len(user)), n_users=n_users, n_items=n_items)


@pytest.mark.parametrize(
    ("name", "over"),
    [(name, over) for over in ("all", "corated") for name in ("cosine", "pearson", "msd")] + [("jaccard", "all")],
)
@given(seed=st.integers(0, 10_000), shrink=st.sampled_from([0.0, 2.5]), min_support=st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_similarities_are_those_of_the_formulas(
    name: str, over: str, seed: int, shrink: float, min_support: int
) -> None:
    table = random_table(seed)
    found = similarities(table, name, over, shrink=shrink, min_support=min_support)
    expected = [[naive_similarity(x, y, name, over, shrink, min_support) for y in table] for x in table]
    assert found == pytest.approx(np.array(expected), abs=1e-9)


def test_the_cosine_of_a_profile_with_itself_is_1() -> None:
    profile = [1, 1, np.nan, 1, np.nan]  # the article's (1, 1, 0, 1, 0)
    for over in ("all", "corated"):
        assert similarities([profile, profile], "cosine", over)[0, 1] == 1.0


def test_a_row_without_variation_correlates_with_nothing() -> None:
    table = [[3.3, 3.3, 3.3], [1.0, 2.0, 3.0], [2.1, 4.2, 6.3]]
    found = similarities(table, "pearson", "corated")
    assert found[0].tolist() == [0.0, 0.0, 0.0]
    assert found[1, 2] == pytest.approx(1.0)


@pytest.mark.parametrize("cells", [1, 7, 60])
def test_blocks_of_any_size_give_the_same(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = random_ratings(1)
    pairs = np.repeat(np.arange(14), 11), np.tile(np.arange(11), 14)
    made = Neighbors(**{**SURPRISE, "k": 3})
    made.fit(data, seed=0)
    scores, predictions = made.score(np.arange(14)), made.predict(*pairs)
    monkeypatch.setattr(recbench_neighbors.similarity, "BLOCK_PAIRS", cells)
    monkeypatch.setattr(recbench_neighbors.prediction, "BLOCK_CELLS", cells)
    made.fit(data, seed=0)
    assert (made.score(np.arange(14)) == scores).all()
    assert made.predict(*pairs) == pytest.approx(predictions, abs=1e-12)


@given(seed=st.integers(0, 10_000), k=st.integers(1, 12))
def test_the_largest_are_kept_and_ties_go_to_the_lower_key(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    values, keys = rng.integers(0, 4, 9).astype(float), rng.permutation(9).astype(np.int32)
    expected = sorted(range(9), key=lambda place: (-values[place], keys[place]))[:k]
    assert sorted(largest(values, keys, k).tolist()) == sorted(expected)


@pytest.mark.parametrize("as_large", [False, True])
@pytest.mark.parametrize("name", ["cosine", "jaccard", "pearson"])
def test_the_nearest_are_those_of_all_pairs_sorted_many_ties_or_not(
    name: Any, as_large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, n = np.random.default_rng(0), 150
    rows = csr_matrix((rng.random((n, 12)) < rng.choice([0.2, 0.5], n)[:, None]).astype(float))
    similarity = Similarity(rows, Measure(similarity=name, over="all", shrink=1.0, min_support=1))
    ((_, block),) = similarity.blocks(rows)
    alike = block.toarray()
    np.fill_diagonal(alike, 0.0)
    if as_large:
        monkeypatch.setattr(recbench_neighbors.nearest, "MANY", 0)
    n_tied = 0
    for k in (1, 2, 7, 100):
        found = nearest(similarity, k)
        for row in range(n):
            order = np.lexsort((np.arange(n), -alike[row]))
            kept = np.sort(order[:k][alike[row, order[:k]] > 0.0])
            n_tied += int(alike[row, order[k - 1]] == alike[row, order[k]])
            assert found[row].indices.tolist() == kept.tolist()
            assert (found[row].data == alike[row, kept]).all()
    assert n_tied > n


def take_loops(monkeypatch: pytest.MonkeyPatch, *, as_code: bool) -> set[str]:
    """Whatever may be done by a loop is done by one from here on, as machine code or as Python; what they did."""
    if as_code:
        pytest.importorskip("numba")
    taken = set()

    def summing(add: Any, numbers: str) -> Any:
        taken.add(add.__name__)
        return loops.summing(add, numbers) if as_code else loops.over_shared(add)

    def averaging() -> Any:
        taken.add("average")
        return loops.averaging() if as_code else loops.average

    for module, name, value in (
        (recbench_neighbors.similarity, "MULTIPLIED_FROM", 0),
        (recbench_neighbors.similarity, "ADDED_FROM", 0),
        (recbench_neighbors.similarity, "summing", summing),
        (recbench_neighbors.prediction, "AVERAGED_FROM", 0),
        (recbench_neighbors.prediction, "averaging", averaging),
    ):
        monkeypatch.setattr(module, name, value)
    return taken


@pytest.mark.parametrize("as_code", [False, True])
@pytest.mark.parametrize(
    ("name", "over", "values", "done"),
    [
        ("cosine", "all", "ones", {"count"}),
        ("jaccard", "all", "ones", {"count"}),
        ("cosine", "all", "floats", {"multiply", "count"}),
        ("pearson", "all", "floats", {"multiply", "count"}),
        ("cosine", "corated", "floats", {"add_up"}),
        ("msd", "corated", "floats", {"add_up"}),
        ("pearson", "corated", "floats", {"add_up_all"}),
    ],
)
def test_loops_find_the_similarities_that_products_of_matrices_do(
    name: Any, over: Any, values: str, done: set[str], as_code: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    table = rng.uniform(0, 5, (30, 40)) if values == "floats" else np.ones((30, 40))
    table[rng.random(table.shape) < 0.6] = np.nan
    table[3] = np.nan  # shares nothing
    found = similarities(table, name, over, shrink=2.0, min_support=2)
    taken = take_loops(monkeypatch, as_code=as_code)
    assert (similarities(table, name, over, shrink=2.0, min_support=2) == found).all()
    assert taken == done


def test_a_loop_is_not_taken_where_it_would_look_at_more_rows_than_there_are_products(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = take_loops(monkeypatch, as_code=False)
    alone = Similarity(csr_matrix(np.eye(30)), OF_SETS)  # 30 products, 900 pairs of rows
    assert nearest(alone, 3).nnz == 0
    assert taken == set()


@pytest.mark.parametrize("as_code", [False, True])
@pytest.mark.parametrize("k", [1, 2, 5, 40])
@pytest.mark.parametrize("with_ties", [True, False])
def test_a_loop_averages_the_same_nearest(
    k: int, with_ties: bool, as_code: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(k)
    has = rng.random((30, 25)) < 0.5
    rows = csr_matrix(has * (1.0 if with_ties else rng.exponential(size=has.shape)))
    similarity = Similarity(rows, OF_SETS if with_ties else replace(OF_SETS, similarity="cosine"))
    assert nearest(similarity, 1).nnz  # decides here that its own sums are made by products
    has[:, 4] = False  # nobody rated it
    values = csr_matrix((rng.normal(size=int(has.sum())), np.nonzero(has.T)), shape=(25, 30))
    rows, columns = np.repeat(np.arange(30), 25), np.tile(np.arange(25), 30)
    found = mean_of_nearest(similarity, values, rows, columns, k)
    taken = take_loops(monkeypatch, as_code=as_code)
    assert mean_of_nearest(similarity, values, rows, columns, k) == pytest.approx(found, abs=1e-12, nan_ok=True)
    assert taken == {"average"}


def test_without_numba_there_is_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    for cached in (loops.summing, loops.averaging):
        cached.cache_clear()
    assert loops.summing(loops.add_up, "float64") is None
    assert loops.averaging() is None
    for cached in (loops.summing, loops.averaging):
        cached.cache_clear()


@pytest.mark.parametrize("side", ["user", "item"])
@pytest.mark.parametrize("kept_by", ["candidate", "neighbor"])
@pytest.mark.parametrize("normalize", [False, True])
def test_ranking_scores_are_sums_over_the_kept_neighbours(side: Any, kept_by: Any, normalize: bool) -> None:
    data, k = random_ratings(5), 3
    has = data.user_item("rating").toarray()
    rows = sparse(np.where(has > 0, has, np.nan) if side == "user" else np.where(has > 0, has, np.nan).T).toarray()
    lengths = np.sqrt((rows**2).sum(1))
    alike = rows @ rows.T / np.outer(lengths, lengths)
    np.fill_diagonal(alike, 0.0)
    kept = np.zeros_like(alike)  # row: whose neighbours they are
    for row in range(len(rows)):
        nearest = np.argsort(-alike[row])[:k]
        kept[row, nearest] = alike[row, nearest]
    of_candidate = kept if kept_by == "candidate" else kept.T  # row: the candidate
    if normalize:
        of_candidate = of_candidate / np.maximum(of_candidate.sum(1, keepdims=True), 1e-12)
    expected = of_candidate @ has if side == "user" else has @ of_candidate.T
    made = Neighbors(side=side, values="rating", k=k, kept_by=kept_by, normalize=normalize)
    made.fit(data, seed=0)
    assert made.score(np.arange(data.n_users)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("side", ["user", "item"])
@pytest.mark.parametrize("center", ["none", "mean"])
def test_predictions_are_means_over_the_nearest_raters(side: Any, center: Any) -> None:
    data, k = random_ratings(3), 4
    dense = data.user_item("rating").toarray()
    table = np.where(dense > 0, dense, np.nan) if side == "user" else np.where(dense > 0, dense, np.nan).T
    alike = similarities(table, "cosine", "corated")
    level = np.nanmean(table, axis=1) if center == "mean" else np.zeros(len(table))
    made = Neighbors(side=side, over="corated", k=k, center=center)
    made.fit(data, seed=0)
    for row, column in np.ndindex(table.shape):
        raters = [v for v in range(len(table)) if not np.isnan(table[v, column]) and v != row]
        near = sorted(((alike[row, v], v) for v in raters), reverse=True)[:k]
        weights = sum(w for w, _ in near)
        expected = level[row] + sum(w * (table[v, column] - level[v]) for w, v in near) / weights
        user, item = (row, column) if side == "user" else (column, row)
        assert made.predict(np.array([user]), np.array([item]))[0] == pytest.approx(expected, abs=1e-9)


def test_what_was_fitted_last_is_what_predictions_are_made_of() -> None:
    users, items = np.repeat(np.arange(14), 11), np.tile(np.arange(11), 14)
    again, once = Neighbors(side="user", k=3), Neighbors(side="user", k=3)
    for seed in (3, 4):
        again.fit(random_ratings(seed), seed=0)
        again.predict(users, items)
    once.fit(random_ratings(4), seed=0)
    assert again.predict(users, items).tolist() == once.predict(users, items).tolist()


def test_neighbours_that_tie_for_the_last_place_share_it() -> None:
    alike = Similarity(sparse([[1, 1], [1, 1], [1, 1], [1, np.nan]]), _cosine())
    values = sparse([[np.nan, 2.0, 6.0, 100.0]])  # rows 1 and 2 are equally near to row 0, row 3 is farther
    assert mean_of_nearest(alike, values, np.array([0]), np.array([0]), 1).tolist() == [4.0]


@pytest.mark.parametrize("name", PRESETS)
def test_predictions_do_not_depend_on_the_order_of_users_and_items(name: str) -> None:
    data = checkerboard().train
    rng = np.random.default_rng(0)
    user_place, item_place = rng.permutation(data.n_users), rng.permutation(data.n_items)
    rows = data.interactions
    moved = data.with_interactions(
        replace(rows, user=user_place[rows.user].astype(np.int32), item=item_place[rows.item].astype(np.int32))
    )
    users, items = np.repeat(np.arange(60), 40), np.tile(np.arange(40), 60)
    one, other = Neighbors(**{**PRESETS[name], "k": 5}), Neighbors(**{**PRESETS[name], "k": 5})
    one.fit(data, seed=0)
    other.fit(moved, seed=0)
    assert other.predict(user_place[users], item_place[items]) == pytest.approx(one.predict(users, items), abs=1e-6)


@pytest.mark.parametrize("name", PRESETS)
def test_results_do_not_depend_on_who_is_asked_for_together(name: str) -> None:
    made = fitted(Neighbors(**PRESETS[name]), checkerboard())
    users = np.array([5, 59, 5, 0])
    assert (made.score(users) == made.score(np.arange(60))[users]).all()
    pairs = np.repeat(np.arange(60), 40), np.tile(np.arange(40), 60)
    alone = [made.predict(users[[place]], users[[place]] % 40)[0] for place in range(4)]
    assert made.predict(*pairs).reshape(60, 40)[users, users % 40] == pytest.approx(alone, abs=1e-12)


@pytest.mark.parametrize("name", PRESETS)
def test_a_checkerboard_is_ranked_own_colour_first(name: str) -> None:
    assert hit_share(Neighbors(**{**PRESETS[name], "shrink": 0.0, "min_support": 2}), checkerboard()) > 0.95


@pytest.mark.parametrize("side", ["user", "item"])
@pytest.mark.parametrize("similarity", ["cosine", "jaccard", "pearson"])
def test_an_implicit_checkerboard_is_ranked_without_a_mistake(side: Any, similarity: Any) -> None:
    world = checkerboard(implicit=True)
    made = fitted(Neighbors(side=side, similarity=similarity), world)
    assert hit_share(made, world) == 1.0
    assert made.predict(np.array([0]), np.array([0])).tolist() == [1.0]


@pytest.mark.parametrize("settings", [SURPRISE, *PRESETS.values()])
def test_own_colours_are_predicted_higher(settings: dict[str, Any]) -> None:
    world = checkerboard()
    made = fitted(Neighbors(**settings), world)
    predicted = made.predict(np.repeat(np.arange(60), 40), np.tile(np.arange(40), 60)).reshape(60, 40)
    unseen = ~world.seen
    assert predicted[world.likes & unseen].mean() > predicted[~world.likes & unseen].mean() + 0.4


@pytest.mark.parametrize("name", PRESETS)
def test_nobody_does_better_than_chance_on_noise(name: str) -> None:
    world = noise_world()
    assert abs(hit_share(Neighbors(**PRESETS[name]), world) - world.chance) < 0.12


@pytest.mark.parametrize("side", ["user", "item"])
def test_what_is_popular_is_found_where_nothing_else_is(side: Any) -> None:
    assert hit_share(Neighbors(side=side), popularity_world()) > 0.6


@pytest.mark.parametrize("name", PRESETS)
def test_who_has_no_history_gets_what_is_popular(name: str) -> None:
    world = checkerboard()
    ids = np.append(world.train.user_ids, ["new"])
    made = Neighbors(**PRESETS[name])
    made.fit(replace(world.train, user_ids=ids), seed=0)
    counts = np.bincount(world.train.positives().item, minlength=40)
    assert made.score(np.array([60]))[0].tolist() == counts.tolist()
    assert np.isfinite(made.predict(np.array([60]), np.array([0]))).all()


@pytest.mark.parametrize("name", PRESETS)
def test_data_without_interactions_can_be_fitted(name: str) -> None:
    empty: list[int] = []
    made = Neighbors(**PRESETS[name])
    made.fit(from_pairs(empty, empty, empty, n_users=2, n_items=3), seed=0)
    assert made.score(np.array([0, 1])).tolist() == [[0.0] * 3] * 2
    assert made.predict(np.array([0]), np.array([2])).tolist() == [0.0]


def test_item_based_new_users_are_scored_like_old_ones_with_their_history() -> None:
    world = checkerboard()
    made = fitted(Neighbors(side="item"), world)
    assert made.score_new(world.train) == pytest.approx(scores_of(made, world), abs=1e-12)


@pytest.mark.parametrize("name", PRESETS)
def test_new_users_get_their_own_colour(name: str) -> None:
    world, newcomers = checkerboard(), checkerboard(seed=0)
    made = fitted(Neighbors(**{**PRESETS[name], "shrink": 0.0, "min_support": 2}), world)
    lists = ranked(made.score_new(newcomers.train), newcomers)
    assert np.take_along_axis(newcomers.likes, lists.astype(np.int64), axis=1).mean() > 0.95


@pytest.mark.parametrize("name", PRESETS)
def test_the_figures_of_an_explanation_add_up_to_the_score(name: str) -> None:
    made = fitted(Neighbors(**PRESETS[name]), checkerboard())
    items = np.arange(40)
    scores = made.score(np.array([4]))[0]
    sentences = made.explain(4, items)
    assert sum("=" in sentence for sentence in sentences) > 10
    for score, sentence in zip(scores, sentences, strict=True):
        total, *parts = (float(figure) for figure in FIGURE.findall(sentence))
        assert total == pytest.approx(score, abs=1e-4)
        assert sum(parts) == pytest.approx(total, abs=1e-9)


def test_an_explanation_names_the_users_own_items() -> None:
    data = from_pairs([0, 1, 1, 2, 2], [0, 0, 1, 0, 1])
    made = Neighbors(side="item")
    made.fit(data, seed=0)
    assert made.explain(0, np.array([1])) == ["0.8165 = 0.8165 (item i0)"]


def test_an_explanation_falls_back_to_popularity_with_the_ranking() -> None:
    made = Neighbors(side="item")
    made.fit(from_pairs([0, 1], [0, 0], n_users=3, n_items=2), seed=0)
    assert made.explain(2, np.array([0])) == ["2 users have it; nothing is known that is like this user's"]


def test_tfidf_weighs_columns_by_how_few_rows_have_them() -> None:
    rows = sparse([[1, 1, np.nan], [1, np.nan, 1], [1, np.nan, np.nan], [1, np.nan, np.nan]])
    weighted = Weights(rows, "tfidf").apply(rows)
    assert weighted.toarray()[0].tolist() == [0.0, np.log(4 / 2), 0.0]


def test_bm25_lets_long_rows_count_for_less() -> None:
    rows = sparse([[1, 1, 1, 1], [1, np.nan, np.nan, np.nan], *[[np.nan] * 4] * 8])
    weighted = Weights(rows, "bm25").apply(rows).toarray()
    length = 4 / 0.5
    expected = np.log(10 / 3) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * length))
    assert weighted[0, 0] == pytest.approx(expected)
    assert weighted[1, 0] > weighted[0, 0]


def test_training_data_is_left_as_it_was() -> None:
    world = checkerboard()
    before = world.train.interactions.rating.copy()
    made = fitted(Neighbors(values="rating", weighting="bm25"), world)
    first = made.score(np.arange(60))
    first[:] = -1.0
    assert (made.score(np.arange(60)) >= 0.0).all()
    assert (world.train.interactions.rating == before).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"side": "users"}, "side must be one of 'user', 'item', not 'users'"),
        ({"similarity": "cos"}, "similarity must be one of 'cosine', 'pearson', 'msd', 'jaccard', not 'cos'"),
        ({"k": 0}, "k must be 1 or more, not 0"),
        ({"shrink": -1}, "shrink must be 0 or more, not -1"),
        ({"over": "corated", "weighting": "tfidf"}, 'need over = "all"'),
        ({"over": "corated", "similarity": "jaccard"}, 'need over = "all"'),
    ],
)
def test_impossible_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Neighbors(**parameters)


@pytest.mark.parametrize("side", ["user", "item"])
def test_memory_does_not_grow_with_the_square_of_the_rows(side: Any) -> None:
    n, per_row = 30_000, 4
    rng = np.random.default_rng(0)
    pairs = np.unique(np.repeat(np.arange(n), per_row) * n + rng.integers(0, n, n * per_row))
    data = from_pairs(pairs // n, pairs % n, rng.integers(1, 6, len(pairs)), n_users=n, n_items=n)
    made = Neighbors(side=side, k=20)
    tracemalloc.start()
    made.fit(data, seed=0)
    made.predict(np.arange(500), np.arange(500))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250e6 < n * n


@pytest.mark.golden
@pytest.mark.parametrize(
    ("label", "center"), [("knn-basic", "none"), ("knn-with-means", "mean"), ("knn-baseline", "baseline")]
)
def test_ratings_have_the_figures_of_surprise(label: str, center: Any, shared_data: Callable[[str], Path]) -> None:
    folds = surprise_folds(shared_data("ml-100k"))
    found = np.mean([rmse_and_mae(Neighbors(**SURPRISE, center=center), fold) for fold in folds], axis=0)
    assert_is_as_published(found, "surprise", label)


# User by user, TF-IDF by the user's length scales whole rows, which the cosine takes out again: no weighting is that.
@pytest.mark.golden
@pytest.mark.parametrize(
    ("label", "parameters"),
    [
        ("user-cosine", {"side": "user", "k": 365, "kept_by": "neighbor"}),
        ("user-jaccard", {"side": "user", "similarity": "jaccard", "k": 337, "kept_by": "neighbor"}),
        ("item-cosine", {"side": "item", "k": 615, "weighting": "tfidf"}),
        ("item-jaccard", {"side": "item", "similarity": "jaccard", "k": 135}),
    ],
)
def test_ranking_has_the_figures_of_table_32(
    label: str, parameters: dict[str, Any], shared_data: Callable[[str], Path]
) -> None:
    found = recall_and_map(Neighbors(**parameters), table32(shared_data("spectralcf-ml-1m")))
    assert_is_as_published(found, "table32", label)


def _cosine() -> Measure:
    return Measure(similarity="cosine", over="all", shrink=0.0, min_support=1)
