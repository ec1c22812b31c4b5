"""Rating predictors by factors, Slope One and co-clustering."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recbench_factors.svd
import recbench_factors.svdpp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from published_data import Fold, assert_is_as_published, rmse_and_mae, surprise_folds
from recbench_factors import recbench_algorithms
from recbench_factors.co_clustering import CoClustering
from recbench_factors.compiled import compiled
from recbench_factors.nmf import RatingNMF
from recbench_factors.slope_one import SlopeOne
from recbench_factors.svd import BiasedMF
from recbench_factors.svdpp import SVDPlusPlus
from scipy.stats import spearmanr
from worlds import checkerboard, fitted, from_pairs

from recbench.data import Dataset

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="needs numba")
BY_DESCENT = [pytest.param(BiasedMF, marks=needs_numba), pytest.param(SVDPlusPlus, marks=needs_numba)]
RATERS = [SlopeOne, CoClustering, RatingNMF, *BY_DESCENT]
SMALL: dict[Any, dict[str, Any]] = {
    SlopeOne: {},
    CoClustering: {"user_clusters": 2, "item_clusters": 2},
    RatingNMF: {"factors": 3},
    BiasedMF: {"factors": 4, "epochs": 80, "rate": 0.02, "reg": 0.05},
    SVDPlusPlus: {"factors": 4, "epochs": 80, "rate": 0.02, "reg": 0.05},
}
FIGURE = re.compile(r"[-+]?\d+\.\d+")


class OrMean:
    """Puts the training mean where an algorithm cannot say, as the harness does."""

    def __init__(self, algorithm: Any) -> None:
        self._algorithm = algorithm

    def fit(self, train: Dataset, *, seed: int) -> None:
        self._mean = train.interactions.rating.mean()
        self._algorithm.fit(train, seed=seed)

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        predicted = self._algorithm.predict(users, items)
        return np.where(np.isnan(predicted), self._mean, predicted)


def small(make: Any) -> Any:
    return make(**SMALL[make])


def random_ratings(seed: int, *, n_users: int = 14, n_items: int = 11) -> Dataset:
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.5)
    order = rng.permutation(len(user))
    rating = rng.integers(1, 6, len(user))
    return from_pairs(user[order], item[order], rating, n_users=n_users, n_items=n_items)


def table_of(data: Dataset) -> Any:
    """(n_users, n_items) ratings, NaN where there is none."""
    table = np.full((data.n_users, data.n_items), np.nan)
    table[data.interactions.user, data.interactions.item] = data.interactions.rating
    return table


def all_pairs(data: Dataset) -> tuple[Any, Any]:
    return np.repeat(np.arange(data.n_users), data.n_items), np.tile(np.arange(data.n_items), data.n_users)


def with_strangers(data: Dataset) -> Dataset:
    """One more user and one more item, without a rating."""
    return replace(data, user_ids=np.append(data.user_ids, ["new"]), item_ids=np.append(data.item_ids, ["new"]))


def test_raters_come_last_and_slope_one_takes_no_seed() -> None:
    offered = list(recbench_algorithms())[4:]
    assert [algorithm.name for algorithm in offered] == ["svd", "svdpp", "nmf", "slope-one", "co-clustering"]
    assert [algorithm.name for algorithm in offered if algorithm.deterministic] == ["slope-one"]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_slope_one_predicts_by_mean_differences(seed: int) -> None:
    data = random_ratings(seed)
    table = table_of(data)
    made = SlopeOne()
    made.fit(data, seed=0)
    found = made.predict(*all_pairs(data)).reshape(table.shape)
    for u, i in np.ndindex(table.shape):
        own = np.flatnonzero(~np.isnan(table[u]))
        if not len(own) or np.isnan(table[:, i]).all():
            assert np.isnan(found[u, i])
            continue
        gaps = [table[:, i] - table[:, j] for j in own]
        means = [np.nanmean(gap) for gap in gaps if not np.isnan(gap).all()]
        expected = table[u, own].mean() + (np.mean(means) if means else 0.0)
        assert found[u, i] == pytest.approx(expected, abs=1e-9)


def test_slope_one_gives_the_example_of_its_paper() -> None:
    # Lemire and Maclachlan, section 1: A rated I 1 and J 1.5, B rated I 2; J is liked .5 more, so B's J is 2.5.
    made = SlopeOne()
    made.fit(from_pairs([0, 0, 1], [0, 1, 0], [1.0, 1.5, 2.0]), seed=0)
    assert made.predict(np.array([1]), np.array([1])).tolist() == [2.5]


@pytest.mark.parametrize("seed", range(5))
def test_co_clustering_moves_users_then_items_to_the_least_error(seed: int) -> None:
    data = random_ratings(seed)
    table = table_of(data)
    made = CoClustering(user_clusters=3, item_clusters=2, epochs=4)
    made.fit(data, seed=seed)
    rng = np.random.default_rng(seed)
    user, item = rng.integers(3, size=14), rng.integers(2, size=11)
    for _ in range(4):
        estimate = estimator(table, user, item)
        user = least([[error(table[u], estimate, u, item, g=g) for g in range(3)] for u in range(14)])
        item = least([[error(table[:, i], estimate, user, i, h=h) for h in range(2)] for i in range(11)])
    estimate = estimator(table, user, item)
    expected = [estimate(user[u], item[i], u, i) for u, i in np.ndindex(table.shape)]
    assert made.predict(*all_pairs(data)) == pytest.approx(np.array(expected), abs=1e-5)


def estimator(table: Any, user: Any, item: Any) -> Callable[[int, int, int, int], float]:
    """Predicts for clusters g and h, user u and item i, by the means of the clusters as they are."""
    mean = np.nanmean(table)

    def of(part: Any) -> float:
        return mean if np.isnan(part).all() else float(np.nanmean(part))

    def estimate(g: int, h: int, u: int, i: int) -> float:
        of_user = np.nanmean(table[u]) - of(table[user == g])
        of_item = np.nanmean(table[:, i]) - of(table[:, item == h])
        return float(of(table[user == g][:, item == h]) + of_user + of_item)

    places = np.ndindex(user.max() + 3, item.max() + 3, *table.shape)
    known = {place: estimate(*place) for place in places if place[0] < 3 and place[1] < 2}
    return lambda g, h, u, i: known[int(g), int(h), int(u), int(i)]


def error(ratings: Any, estimate: Any, user: Any, item: Any, *, g: int | None = None, h: int | None = None) -> float:
    """Squared error of one user's ratings in cluster g, or of one item's in cluster h."""
    places = np.flatnonzero(~np.isnan(ratings))
    if g is not None:
        return float(sum((ratings[i] - estimate(g, item[i], user, i)) ** 2 for i in places))
    return float(sum((ratings[u] - estimate(user[u], h, u, item)) ** 2 for u in places))


def least(errors: list[list[float]]) -> Any:
    """The first cluster with the least error, for each row."""
    return np.argmin(np.round(errors, 9), axis=1)


def test_a_round_of_nmf_is_the_multiplicative_update() -> None:
    data, reg = random_ratings(0), 0.06
    table = table_of(data)
    made = RatingNMF(factors=3, epochs=1, reg=reg)
    made.fit(data, seed=3)
    rng = np.random.default_rng(3)
    reach = 2.0 * np.sqrt(np.nanmean(table) / 3)
    p, q = reach * rng.random((14, 3)), reach * rng.random((11, 3))
    for u in range(14):
        own = np.flatnonzero(~np.isnan(table[u]))
        above = sum(table[u, i] * q[i] for i in own)
        below = sum((p[u] @ q[i]) * q[i] for i in own) + reg * len(own) * p[u]
        assert made._model.user[u] == pytest.approx(p[u] * above / below)
    for i in range(11):
        raters = np.flatnonzero(~np.isnan(table[:, i]))
        above = sum(table[u, i] * p[u] for u in raters)
        below = sum((p[u] @ q[i]) * p[u] for u in raters) + reg * len(raters) * q[i]
        assert made._model.item[i] == pytest.approx(q[i] * above / below)


def test_nmf_starts_on_the_scale_of_the_ratings() -> None:
    data = random_ratings(1)
    rows = data.interactions
    one, other = RatingNMF(factors=3, reg=0.0), RatingNMF(factors=3, reg=0.0)
    one.fit(data, seed=0)
    other.fit(data.with_interactions(replace(rows, rating=rows.rating * np.float32(16))), seed=0)
    assert other.predict(*all_pairs(data)) == pytest.approx(16 * one.predict(*all_pairs(data)), rel=1e-9)


def test_a_step_of_svd_goes_down_the_squared_error() -> None:
    rng = np.random.default_rng(0)
    start = [rng.normal(size=2), rng.normal(size=3), rng.normal(size=(2, 4)), rng.normal(size=(3, 4))]
    mean, rate, reg = 3.0, 1e-3, 0.1

    def loss(b_u: Any, b_i: Any, p: Any, q: Any) -> float:
        wrong = 4.0 - (mean + b_u[1] + b_i[2] + p[1] @ q[2])
        return float(wrong**2 + reg * (b_u[1] ** 2 + b_i[2] ** 2 + (p[1] ** 2 + q[2] ** 2).sum())) / 2

    moved = [part.copy() for part in start]
    row = np.array([1], dtype=np.int32), np.array([2], dtype=np.int32), np.array([4.0])
    recbench_factors.svd.one_epoch(*row, *moved, mean, rate, reg)
    for place, before in enumerate(start):
        for cell in np.ndindex(before.shape):
            nudged = [part.copy() for part in start]
            nudged[place][cell] += 1e-6
            slope = (loss(*nudged) - loss(*start)) / 1e-6
            assert moved[place][cell] - before[cell] == pytest.approx(-rate * slope, abs=1e-8)


def svdpp_start(data: Dataset) -> tuple[Any, list[Any]]:
    """Ratings by user, and parameters to start with."""
    rows = data.interactions
    order = np.argsort(rows.user, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows.user, minlength=data.n_users))])
    rng = np.random.default_rng(0)
    shapes = [(data.n_users,), (data.n_items,), (data.n_users, 3), (data.n_items, 3), (data.n_items, 3)]
    return (starts, rows.item[order], rows.rating[order].astype(float)), [rng.normal(0, 0.3, shape) for shape in shapes]


def test_svdpp_carrying_sums_along_is_svdpp_step_by_step() -> None:
    data = random_ratings(1)
    (starts, item, rating), parts = svdpp_start(data)
    mean, rate, reg = 3.0, 0.03, 0.2
    b_u, b_i, p, q, y = (part.copy() for part in parts)
    for _ in range(3):
        recbench_factors.svdpp.one_epoch(starts, item, rating, *parts, mean, rate, reg)
        for u in range(data.n_users):
            own = item[starts[u] : starts[u + 1]]
            root = np.sqrt(len(own))
            for i, r in zip(own, rating[starts[u] : starts[u + 1]], strict=True):
                implicit = y[own].sum(axis=0) / root
                wrong = r - (mean + b_u[u] + b_i[i] + q[i] @ (p[u] + implicit))
                b_u[u] += rate * (wrong - reg * b_u[u])
                b_i[i] += rate * (wrong - reg * b_i[i])
                p_before, q_before = p[u].copy(), q[i].copy()
                p[u] += rate * (wrong * q_before - reg * p_before)
                q[i] += rate * (wrong * (p_before + implicit) - reg * q_before)
                y[own] += rate * (wrong * q_before / root - reg * y[own])
    for found, expected in zip(parts, (b_u, b_i, p, q, y), strict=True):
        assert found == pytest.approx(expected, abs=1e-10)


@needs_numba
def test_descent_gives_the_same_compiled_and_not() -> None:
    data = random_ratings(2)
    (starts, item, rating), parts = svdpp_start(data)
    user = np.repeat(np.arange(14, dtype=np.int32), np.diff(starts))
    for module, rows, n in (
        (recbench_factors.svd, (user, item, rating), 4),
        (recbench_factors.svdpp, (starts, item, rating), 5),
    ):
        plain, machine = ([part.copy() for part in parts[:n]] for _ in range(2))
        module.one_epoch(*rows, *plain, 3.0, 0.02, 0.1)
        compiled(module.one_epoch, module.SIGNATURE)(*rows, *machine, 3.0, 0.02, 0.1)
        for one, other in zip(plain, machine, strict=True):
            assert one == pytest.approx(other, abs=1e-12)


@pytest.mark.parametrize("make", RATERS[1:])
def test_own_colours_are_predicted_higher(make: Any) -> None:
    world = checkerboard()
    predicted = fitted(small(make), world).predict(*all_pairs(world.train)).reshape(60, 40)
    unseen = ~world.seen
    assert predicted[world.likes & unseen].mean() > predicted[~world.likes & unseen].mean() + 1.0


def test_slope_one_finds_what_users_and_items_add_to_a_rating() -> None:
    rng = np.random.default_rng(0)
    rating = rng.uniform(1, 3, 30)[:, None] + rng.uniform(0, 2, 20)[None, :]
    has = rng.random(rating.shape) < 0.5
    user, item = np.nonzero(has)
    made = SlopeOne()
    made.fit(from_pairs(user, item, rating[has]), seed=0)
    assert made.score(np.arange(30)) == pytest.approx(rating, abs=1e-5)


@pytest.mark.parametrize("make", RATERS)
def test_scores_are_the_predicted_ratings_whoever_is_asked_for_together(make: Any) -> None:
    data = with_strangers(checkerboard().train)
    made = small(make)
    made.fit(data, seed=0)
    predicted = made.predict(*all_pairs(data)).reshape(61, 41)
    users = np.array([5, 60, 5, 0])
    assert made.score(users) == pytest.approx(predicted[users], abs=1e-12, nan_ok=True)
    alone = [made.predict(users[[place]], np.array([7]))[0] for place in range(4)]
    assert alone == pytest.approx(predicted[users, 7], abs=1e-12, nan_ok=True)
    assert made.predict(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)).shape == (0,)


@pytest.mark.parametrize("make", RATERS)
def test_the_same_seed_gives_the_same_bytes(make: Any) -> None:
    one, other = (fitted(small(make), checkerboard(), seed=7).score(np.arange(60)) for _ in range(2))
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("make", [CoClustering, RatingNMF, *BY_DESCENT])
def test_another_seed_gives_other_ratings(make: Any) -> None:
    parameters = {CoClustering: {"user_clusters": 3, "item_clusters": 3, "epochs": 1}}.get(make, SMALL[make])
    one, other = (fitted(make(**parameters), checkerboard(), seed=seed).score(np.arange(60)) for seed in (0, 1))
    assert (one != other).any()


@pytest.mark.parametrize("make", [SlopeOne, RatingNMF])
def test_who_is_not_known_is_not_spoken_of(make: Any) -> None:
    made = small(make)
    made.fit(with_strangers(checkerboard().train), seed=0)
    asked = np.array([60, 0, 60, 0]), np.array([0, 40, 40, 0])
    assert np.isnan(made.predict(*asked)).tolist() == [True, True, True, False]
    assert made.explain(60, np.array([0])) == ["nothing can be said: the user or the item has no rating"]


@pytest.mark.parametrize("make", BY_DESCENT)
def test_strangers_have_no_offset_and_no_factors(make: Any) -> None:
    data = checkerboard().train
    made = small(make)
    made.fit(with_strangers(data), seed=0)
    mean = float(data.interactions.rating.mean(dtype=np.float64))
    assert made.predict(np.array([60]), np.array([40])).tolist() == [mean]
    assert made.predict(np.array([60]), np.array([0])).tolist() == [mean + made._model.item_offset[0]]


def test_co_clustering_gives_strangers_the_mean_of_what_is_known() -> None:
    data = checkerboard().train
    made = CoClustering()
    made.fit(with_strangers(data), seed=0)
    table = table_of(data)
    found = made.predict(np.array([60, 0, 60]), np.array([0, 40, 40]))
    assert found == pytest.approx([np.nanmean(table[:, 0]), np.nanmean(table[0]), np.nanmean(table)])
    assert made.explain(60, np.array([40, 0]))[0].endswith("the mean of the data, since nothing else is known")
    assert made.explain(60, np.array([0]))[0].endswith("the mean of the item, since nothing else is known")
    assert made.explain(0, np.array([40]))[0].endswith("the mean of the user, since nothing else is known")


@pytest.mark.parametrize("make", RATERS)
def test_data_without_interactions_can_be_fitted(make: Any) -> None:
    made = OrMean(small(make))
    made._mean = 0.0
    made._algorithm.fit(from_pairs([], [], [], n_users=2, n_items=3), seed=0)
    assert made.predict(np.array([0]), np.array([2])).tolist() == [0.0]


@pytest.mark.parametrize("make", RATERS)
def test_the_figures_of_an_explanation_add_up_to_the_rating(make: Any) -> None:
    made = fitted(small(make), checkerboard())
    predicted = made.predict(np.full(40, 4), np.arange(40))
    for rating, sentence in zip(predicted, made.explain(4, np.arange(40)), strict=True):
        total, *parts = (float(figure) for figure in FIGURE.findall(sentence))
        assert total == pytest.approx(rating, abs=1e-4)
        assert sum(parts) == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("make", RATERS)
def test_the_last_figure_of_an_explanation_only_takes_what_rounding_leaves(make: Any) -> None:
    made = fitted(small(make), checkerboard())
    for item, sentence in enumerate(made.explain(4, np.arange(40))):
        if make is BiasedMF:
            product = made._model.user[4] @ made._model.item[item]
            assert float(FIGURE.findall(sentence)[-1]) == pytest.approx(product, abs=3e-4)
        assert "nan" not in sentence


@needs_numba
def test_svdpp_rates_new_users_by_what_they_rated() -> None:
    world = checkerboard()
    made = fitted(small(SVDPlusPlus), world)
    scores = made.score_new(world.train)
    unseen = ~world.seen
    assert scores[world.likes & unseen].mean() > scores[~world.likes & unseen].mean() + 0.3


@needs_numba
def test_svd_rates_new_users_much_like_known_ones_with_their_ratings() -> None:
    world = checkerboard()
    made = fitted(small(BiasedMF), world)
    known, new = made.score(np.arange(60)), made.score_new(world.train)
    # .898 for the worst of the 60 users: training moves the items while it learns the users.
    assert min(spearmanr(*pair).statistic for pair in zip(known, new, strict=True)) > 0.87
    assert np.abs(known - new).mean() < 0.1


@needs_numba
def test_svd_rates_a_new_user_without_ratings_by_the_items_alone() -> None:
    data = checkerboard().train
    made = fitted(small(BiasedMF), checkerboard())
    nothing = data.with_interactions(data.interactions.take(np.empty(0, dtype=np.int64)))
    assert made.score_new(nothing)[0] == pytest.approx(made._model.mean + made._model.item_offset)


def test_slope_one_rates_new_users_like_old_ones_with_their_ratings() -> None:
    world = checkerboard()
    made = fitted(SlopeOne(), world)
    assert (made.score_new(world.train) == made.score(np.arange(60))).all()


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (BiasedMF, {"factors": 0}, "factors must be 1 or more, not 0"),
        (BiasedMF, {"spread": -1.0}, "spread must be 0 or more, not -1.0"),
        (SVDPlusPlus, {"rate": 0.0}, "rate must be above 0, not 0.0"),
        (RatingNMF, {"epochs": 0}, "factors and epochs must be 1 or more, not 15 and 0"),
        (RatingNMF, {"reg": -1.0}, "reg must be 0 or more, not -1.0"),
        (CoClustering, {"user_clusters": 0}, "clusters must be 1 or more, not 0 and 3"),
        (CoClustering, {"epochs": -1}, "epochs must be 0 or more, not -1"),
    ],
)
def test_impossible_parameters_are_refused(make: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make(**parameters)


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize(
    ("label", "make"),
    [
        pytest.param("svd", BiasedMF, marks=needs_numba),
        pytest.param("svdpp", SVDPlusPlus, marks=needs_numba),
        ("nmf", RatingNMF),
        ("slope-one", SlopeOne),
        ("co-clustering", CoClustering),
    ],
)
def test_ratings_have_the_figures_of_surprise(label: str, make: Any, shared_data: Callable[[str], Path]) -> None:
    folds: list[Fold] = list(surprise_folds(shared_data("ml-100k")))
    found = np.mean([rmse_and_mae(OrMean(make()), fold) for fold in folds], axis=0)
    assert_is_as_published(found, "surprise", label)
