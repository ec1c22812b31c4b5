"""Trees on features of user, item and pair, and stacking."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from published_data import Fold, rmse_and_mae, surprise_folds
from recbench_baselines.offsets import Bias
from recbench_baselines.popularity import Popularity
from recbench_ensembles import recbench_algorithms
from recbench_ensembles.alike import Alike
from recbench_ensembles.components import joined
from recbench_ensembles.factors import Product
from recbench_ensembles.features import Features, Table, out_of_fold
from recbench_ensembles.heldout import Lists, standings
from recbench_ensembles.levels import Levels, Recency
from recbench_ensembles.meta import Linear, Trees, ranking_weights
from recbench_ensembles.paths import contributions
from recbench_ensembles.ratings import Ratings
from recbench_ensembles.shortlist import Shortlist, standardised
from recbench_ensembles.stacking import Stacking
from recbench_ensembles.tables import Tables, Tastes
from recbench_ensembles.trees import Bagging, Boosting, RandomForest
from recbench_linear.ease import Ease
from recbench_neighbors.neighbors import Neighbors
from sklearn.ensemble import HistGradientBoostingRegressor
from worlds import DAY, World, checkerboard, from_pairs, noise_world, ranked

from recbench.data import BoolArray, Categories, Column, Dataset, FloatArray, Interactions, Numbers, Tags

TREES: list[Callable[..., Any]] = [Boosting, RandomForest, Bagging]
SUM = re.compile(r"(-?\d+\.\d{4}) = (-?\d+\.\d{4} \(.*?\)(?: [-+]\d+\.\d{4} \(.*?\))*)")
TERM = re.compile(r"([-+]?\d+\.\d{4}) \(")


class Flat:
    """A first stage that finds all items equal."""

    def fit(self, train: Dataset, *, seed: int) -> None:
        self._n_items = train.n_items

    def score(self, users: NDArray[np.int64]) -> FloatArray:
        return np.zeros((len(users), self._n_items))


class Lots(Flat):
    """Ranks and rates by lot."""

    def score(self, users: NDArray[np.int64]) -> FloatArray:
        return np.stack([np.random.default_rng(user).random(self._n_items) for user in users])

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> FloatArray:
        return 1.0 + 4.0 * self.score(users)[np.arange(len(users)), items]


class Silent(Flat):
    """Cannot say anything about odd users, and never recommends even items."""

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> FloatArray:
        return np.where(users % 2, np.nan, 3.0)

    def score(self, users: NDArray[np.int64]) -> FloatArray:
        return np.broadcast_to(np.where(np.arange(self._n_items) % 2, 1.0, -np.inf), (len(users), self._n_items))


class Witness(Flat):
    """Remembers how many rows it was fitted to, and what else it was given."""

    fits: list[int]

    def fit(self, train: Dataset, *, seed: int, validation: Dataset, build: Callable[..., Any]) -> None:
        super().fit(train, seed=seed)
        assert not len(validation.interactions)
        self.fits.append(len(train.interactions))


PARTS: dict[str, Callable[[], Any]] = {
    "flat": Flat,
    "lots": Lots,
    "silent": Silent,
    "bias": Bias,
    "popularity": Popularity,
    "ease": Ease,
    "item-cosine": lambda: Neighbors(side="item", similarity="cosine", k=20),
    "item-pearson": lambda: Neighbors(side="item", similarity="pearson", over="corated", shrink=10.0, k=20),
}


def build(name: str, **parameters: Any) -> Any:
    assert not parameters
    return PARTS[name]()


def fitted(algorithm: Any, train: Dataset, *, seed: int = 0) -> Any:
    algorithm.fit(train, seed=seed, build=build)
    return algorithm


def taste_world(
    n_users: int = 60, n_items: int = 900, *, genres: int = 3, seed: int = 0
) -> tuple[Dataset, Fold, BoolArray]:
    """Ratings follow the user's favourite genre alone, and an item has one rater or two: only features tell.

    Gives the whole, the fold to learn from and to predict, and (n_users, n_items) what users like.
    """
    rng = np.random.default_rng(seed)
    genre = rng.integers(0, genres, n_items).astype(np.int32)
    favourite = rng.integers(0, genres, n_users)
    user = rng.integers(0, n_users, 2 * n_items)
    pairs = np.unique(np.stack([user, np.tile(np.arange(n_items), 2)]), axis=1)
    user, item = pairs[:, rng.permutation(pairs.shape[1])].astype(np.int32)
    likes = favourite[:, None] == genre[None, :]
    rating = np.where(likes[user, item], 5.0, 2.0) + rng.integers(-1, 1, len(user)) * 0.5
    tags = Tags(starts=np.arange(n_items + 1), codes=genre, names=tuple("abcdef"[:genres]))
    everything = replace(from_pairs(user, item, rating, n_users=n_users, n_items=n_items), items={"genres": tags})
    rows = everything.interactions
    test = np.arange(len(rows)) % 5 == 0
    fold = Fold(train=everything.with_interactions(rows.take(~test)), test=rows.take(test))
    return everything, fold, likes


def noise(*, seed: int = 0) -> Dataset:
    """Ratings by lot, with tables that say nothing either."""
    rng = np.random.default_rng(seed)
    train = noise_world(150, 80, length=30, seed=seed).train
    tags = Tags(starts=np.arange(81), codes=rng.integers(0, 4, 80).astype(np.int32), names=("a", "b", "c", "d"))
    group = Categories(codes=rng.integers(-1, 3, 150).astype(np.int32), names=("x", "y", "z"))
    age = Numbers(values=np.where(rng.random(150) < 0.1, np.nan, rng.uniform(10, 80, 150)))
    return replace(train, items={"genres": tags}, users={"group": group, "age": age})


def naive(train: Dataset, seed: int = 0) -> Table:
    """The mistake: features of training rows from statistics that have seen those rows."""
    ratings = Ratings.of(train)
    features = Features(ratings, Tables.of(train), np.random.default_rng(seed))
    pairs = ratings.user, ratings.item
    return Table(features=features.matrix(*pairs), bias=features.bias(*pairs), rating=ratings.rating)


def honest(train: Dataset, seed: int = 0) -> Table:
    return out_of_fold(Ratings.of(train), Tables.of(train), folds=5, rng=np.random.default_rng(seed))


def r2_on_the_other_half(table: Table) -> float:
    """Train trees on the residuals of half the rows: which part of the others' variance do they explain?"""
    first = np.random.default_rng(1).random(len(table.rating)) < 0.5
    model = HistGradientBoostingRegressor(max_iter=40, min_samples_leaf=40, random_state=0, early_stopping=False)
    model.fit(table.features[first], table.residuals[first])
    rest = table.rating[~first] - table.bias[~first] - model.predict(table.features[~first])
    return float(1.0 - rest.var() / table.rating[~first].var())


# Nothing leaks


@pytest.mark.parametrize("seed", [0, 1])
def test_features_of_noise_explain_nothing_and_naive_ones_seem_to(seed: int) -> None:
    train = noise(seed=seed)
    assert r2_on_the_other_half(honest(train, seed)) < 0.02
    assert r2_on_the_other_half(naive(train, seed)) > 0.1


@pytest.mark.parametrize("seed", [0, 1])
def test_no_feature_of_noise_goes_with_the_target(seed: int) -> None:
    train = noise(seed=seed)
    with np.errstate(invalid="ignore"):  # a column may be constant
        honestly, naively = (
            np.nan_to_num(np.corrcoef(table.features.T, table.rating)[-1, :-1])
            for table in (honest(train, seed), naive(train, seed))
        )
    assert np.abs(honestly).max() < 0.1
    assert np.abs(naively).max() > 0.3


def test_a_linear_fit_to_features_of_noise_has_an_r2_near_0_on_its_own_training_rows() -> None:
    found = []
    for table in (honest(noise()), naive(noise())):
        design = np.column_stack([np.ones(len(table.rating)), table.features])
        rest = table.residuals - design @ np.linalg.lstsq(design, table.residuals)[0]
        found.append(1.0 - rest.var() / table.rating.var())
    assert found[0] < 0.02 < 0.2 < found[1]


def test_features_of_a_row_do_not_depend_on_its_rating() -> None:
    train = noise()
    rows = train.interactions
    changed = rows.rating.copy()
    changed[7] = 6.0 - changed[7]
    other = train.with_interactions(replace(rows, rating=changed))
    before, after = honest(train), honest(other)
    assert (before.features[7] == after.features[7]).all()
    assert before.bias[7] == after.bias[7]
    assert (before.features != after.features).any()


# What the features are


def test_offsets_are_those_of_bias() -> None:
    train = checkerboard().train
    bias = Bias()
    bias.fit(train, seed=0)
    users, items = np.arange(40), np.arange(40)
    assert np.allclose(Levels(Ratings.of(train)).bias(users, items), bias.predict(users, items), atol=1e-9)


def test_counts_of_a_part_mean_the_same_as_counts_of_all() -> None:
    ratings = Ratings.of(noise_world(100, 60, length=40).train)
    half = ratings.take(np.arange(len(ratings)) % 2 == 0)
    users, items = np.arange(60), np.arange(60)
    name = Levels.names.index("ratings of the item")
    whole, part = (Levels(each).columns(users, items)[name] for each in (ratings, half))
    assert np.allclose(whole, part, atol=0.4)
    assert abs((whole - part).mean()) < 0.02


def test_similar_items_and_users_speak_as_in_plain_loops() -> None:
    ratings = Ratings.of(noise_world(14, 9, length=6).train)
    rest = np.random.default_rng(3).normal(size=len(ratings))
    cells = {(u, i): r for u, i, r in zip(ratings.user.tolist(), ratings.item.tolist(), rest.tolist(), strict=True)}

    def weight(one: list[float], other: list[float]) -> float:
        n, xy = len(one), float(np.dot(one, other))
        alike = n / (n + 50) * xy / (np.sqrt(np.dot(one, one) * np.dot(other, other)) + 1e-9) if n else 0.0
        return max(alike, 0.0) ** 2

    def between(a: int, b: int, *, items: bool) -> float:
        at = (lambda k, x: (k, x)) if items else (lambda k, x: (x, k))
        shared = [k for k in range(14) if at(k, a) in cells and at(k, b) in cells]
        return weight([cells[at(k, a)] for k in shared], [cells[at(k, b)] for k in shared])

    users, items = np.repeat(np.arange(14), 9), np.tile(np.arange(9), 14)
    by_item, known, by_user = Alike(ratings, rest).columns(users, items)
    for row, (u, i) in enumerate(zip(users.tolist(), items.tolist(), strict=True)):
        own = [(between(i, j, items=True), cells[u, j]) for j in range(9) if j != i and (u, j) in cells]
        raters = [(between(u, v, items=False), cells[v, i]) for v in range(14) if v != u and (v, i) in cells]
        assert by_item[row] == pytest.approx(sum(w * r for w, r in own) / (sum(w for w, _ in own) + 0.02), abs=1e-5)
        assert known[row] == pytest.approx(np.log(sum(w for w, _ in own) + 0.02), abs=1e-5)
        assert by_user[row] == pytest.approx(
            sum(w * r for w, r in raters) / (sum(w for w, _ in raters) + 0.02), abs=1e-5
        )


def test_tastes_are_as_in_plain_loops() -> None:
    train = noise()
    ratings = Ratings.of(train)
    rest = np.random.default_rng(3).normal(size=len(ratings))
    tables = Tables.of(train)
    taste, group = Tastes(ratings, rest, tables).columns(np.array([4, 9]), np.array([11, 30]))
    codes = tables.groups["group"]
    for place, (u, i) in enumerate([(4, 11), (9, 30)]):
        alike = (ratings.user == u) & (tables.tags[ratings.item] @ tables.tags[i] > 0)
        assert taste[place] == pytest.approx(rest[alike].sum() / (alike.sum() + 5.0))
        peers = (ratings.item == i) & (codes[ratings.user] == codes[u])
        expected = rest[peers].sum() / (peers.sum() + 10.0) if codes[u] >= 0 else 0.0
        assert group[place] == pytest.approx(expected)


def test_recency_tells_when_users_and_items_were_rated() -> None:
    data = from_pairs([0, 0, 1], [0, 1, 1], [3, 4, 5], n_users=3, time=np.array([0, 4, 10]) * DAY)
    columns = Recency(Ratings.of(data)).columns(np.array([0, 2]), np.array([1, 1]))
    assert [column.tolist() for column in columns] == [[6, 0], [-8, 0], [6, 6], [-3, -3], [-5, 3]]


def test_without_times_there_is_no_recency() -> None:
    recency = Recency(Ratings.of(from_pairs([0, 1], [0, 1], [3, 4])))
    assert recency.names == ()
    assert recency.columns(np.array([0]), np.array([0])) == []


def test_the_product_of_factors_finds_a_planted_one_whatever_it_starts_from() -> None:
    rng = np.random.default_rng(0)
    planted = rng.normal(size=(80, 2)) @ rng.normal(size=(60, 2)).T
    has = rng.random(planted.shape) < 0.5
    user, item = np.nonzero(has)
    ratings = Ratings.of(from_pairs(user, item, np.ones(len(user)), n_users=80, n_items=60))
    values = planted[user, item] + rng.normal(scale=0.1, size=len(user))
    missing = np.nonzero(~has)
    first, again = (Product(ratings, values, np.random.default_rng(seed)).columns(*missing)[0] for seed in (0, 1))
    assert np.corrcoef(first, planted[missing])[0, 1] > 0.95
    assert np.corrcoef(first, again)[0, 1] > 0.999


def test_unknown_numbers_are_the_mean_and_unknown_groups_think_nothing() -> None:
    train = noise()
    tables = Tables.of(train)
    ages = train.users["age"]
    assert isinstance(ages, Numbers)
    unknown = np.isnan(ages.values)
    assert unknown.any()
    assert (tables.user["user's age"][unknown] == np.nanmean(ages.values)).all()
    stranger = int(np.flatnonzero(tables.groups["group"] == -1)[0])
    ratings = Ratings.of(train)
    tastes = Tastes(ratings, np.ones(len(ratings)), tables)
    assert tastes.columns(np.full(80, stranger), np.arange(80))[1].tolist() == [0.0] * 80


def test_every_column_has_a_name_of_its_own() -> None:
    features = Features(Ratings.of(noise()), Tables.of(noise()), np.random.default_rng(0))
    assert len(set(features.names)) == len(features.names)
    assert features.matrix(np.array([0]), np.array([0])).shape == (1, len(features.names))


# The shortlist


def test_the_list_has_the_best_of_what_the_user_does_not_have() -> None:
    world = checkerboard()
    lots = Lots()
    lots.fit(world.train, seed=0)
    listed = Shortlist(lots, world.train, size=7, rng=np.random.default_rng(0)).of(np.arange(60))
    scores = lots.score(np.arange(60))
    for user in range(60):
        items = listed.item[listed.row == user]
        fresh = np.where(world.seen[user], -np.inf, scores[user])
        best = np.argsort(-fresh)[:7]
        assert set(best) <= set(items.tolist())
        others = sorted(set(items.tolist()) - set(best.tolist()))
        assert world.seen[user, others].all()
        assert (scores[user, others] >= fresh[best].min()).all()


def test_equal_items_are_listed_by_popularity() -> None:
    train = from_pairs([0, 1, 2, 0, 1, 3], [0, 0, 0, 1, 1, 2], n_users=5, n_items=6)
    flat = Flat()
    flat.fit(train, seed=0)
    listed = Shortlist(flat, train, size=2, rng=np.random.default_rng(0)).of(np.array([4]))
    assert listed.item.tolist() == [0, 1]
    assert listed.standing.tolist() == [0.0, 0.0]


def test_what_the_first_stage_never_recommends_is_on_no_list() -> None:
    algorithm = fitted(Boosting(first_stage="silent"), checkerboard().train)
    scores = algorithm.score(np.arange(60))
    assert np.isneginf(scores[:, ::2]).all()
    assert np.isfinite(scores[:, 1::2]).all()


def test_standings_are_distances_from_the_mean_in_standard_deviations() -> None:
    row = np.array([0, 0, 0, 2, 2])
    values = np.array([1.0, 2.0, 6.0, 5.0, 5.0])
    assert standardised(values, row, 3).tolist() == pytest.approx([*((values[:3] - 3.0) / values[:3].std()), 0.0, 0.0])


# The trees


@pytest.mark.parametrize("make", TREES)
def test_trees_win_where_only_features_carry_signal(make: Callable[..., Any]) -> None:
    _, fold, likes = taste_world()
    algorithm = make(first_stage="flat", leaf_size=5)
    algorithm_error = rmse_and_mae(_Built(algorithm), fold)[0]
    assert algorithm_error < 0.8 < 1.2 < rmse_and_mae(Bias(), fold)[0]
    assert rmse_and_mae(PARTS["item-cosine"](), fold)[0] > 1.2
    world = World(train=fold.train, likes=likes)
    lists = ranked(algorithm.score(np.arange(60)), world, k=10)
    assert np.take_along_axis(likes, lists.astype(np.int64), axis=1).mean() > 0.8
    assert world.chance < 0.4


@pytest.mark.parametrize("make", TREES)
def test_trees_find_the_colours_of_a_checkerboard(make: Callable[..., Any]) -> None:
    world = checkerboard()
    lists = ranked(fitted(make(leaf_size=5), world.train).score(np.arange(60)), world)
    assert np.take_along_axis(world.likes, lists.astype(np.int64), axis=1).mean() > 0.95


@pytest.mark.parametrize("make", TREES)
def test_trees_of_noise_predict_about_the_bias(make: Callable[..., Any]) -> None:
    train = noise()
    algorithm = fitted(make(first_stage="flat"), train)
    users, items = np.repeat(np.arange(150), 80), np.tile(np.arange(80), 150)
    bias = fitted_bias(train).predict(users, items)
    assert np.std(algorithm.predict(users, items) - bias) < 0.5 * train.interactions.rating.std()


@pytest.mark.parametrize("make", TREES)
def test_a_prediction_does_not_depend_on_its_company(make: Callable[..., Any]) -> None:
    train = noise()
    algorithm = fitted(make(shortlist=20), train)
    users, items = np.array([7, 3, 7, 0]), np.array([1, 1, 2, 0])
    alone = [algorithm.predict(users[[place]], items[[place]])[0] for place in range(4)]
    assert algorithm.predict(users, items).tolist() == pytest.approx(alone, abs=1e-9)
    everybody = algorithm.score(np.arange(150))
    assert np.allclose(algorithm.score(users), everybody[users], atol=1e-9)


@pytest.mark.parametrize("make", TREES)
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(make: Callable[..., Any]) -> None:
    train = noise()
    users, items = np.arange(80), np.arange(80)
    first, again, other = (fitted(make(), train, seed=seed).predict(users, items) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert (first != other).mean() > 0.9


@pytest.mark.parametrize("make", [*TREES, Stacking])
def test_users_and_items_without_ratings_get_finite_values(make: Callable[..., Any]) -> None:
    data = from_pairs([0, 1, 0, 2], [0, 1, 1, 0], [5, 3, 4, 4], n_users=5, n_items=6)
    algorithm = make() if make is not Stacking else Stacking(of=["bias", "ease"])
    fitted(algorithm, data)
    assert np.isfinite(algorithm.predict(np.array([4, 0]), np.array([5, 5]))).all()
    assert np.isfinite(algorithm.score(np.array([4, 0]))).any(axis=1).all()


@pytest.mark.parametrize("make", TREES)
def test_cold_users_and_items_get_finite_values_from_grown_trees(make: Callable[..., Any]) -> None:
    train = noise()
    rows = train.interactions
    cold = train.with_interactions(rows.take((rows.user > 5) & (rows.item > 5)))
    algorithm = fitted(make(), cold)
    assert np.isfinite(algorithm.predict(np.arange(10), np.arange(10))).all()


@pytest.mark.parametrize("make", TREES)
def test_implicit_data_is_predicted_as_1_and_ranked_by_the_first_stage(make: Callable[..., Any]) -> None:
    world = checkerboard(implicit=True)
    algorithm = fitted(make(), world.train)
    assert algorithm.predict(np.arange(40), np.arange(40)) == pytest.approx(np.ones(40))
    ease = Ease()
    ease.fit(world.train, seed=0)
    first, second = (ranked(each.score(np.arange(60)), world) for each in (algorithm, ease))
    assert (first == second).mean() > 0.95


@pytest.mark.parametrize("make", TREES)
def test_paths_add_up_to_what_the_trees_say(make: Callable[..., Any]) -> None:
    table = honest(noise())
    algorithm = make()
    algorithm._model = algorithm._grown(table, 0)
    start, trees = algorithm._trees()
    root, added = contributions(trees, table.features)
    assert np.allclose(start + root + added.sum(axis=1), algorithm._model.predict(table.features), atol=1e-9)
    assert np.abs(added).max() > 0.05


@pytest.mark.parametrize("make", TREES)
def test_the_figures_of_a_trees_explanation_add_up(make: Callable[..., Any]) -> None:
    algorithm = fitted(make(shortlist=12, leaf_size=5), checkerboard().train)
    sentences = algorithm.explain(2, np.arange(40))
    scores = algorithm.score(np.array([2]))[0]
    ratings = algorithm.predict(np.full(40, 2), np.arange(40))
    for sentence, score, rating in zip(sentences, scores, ratings, strict=True):
        sums = sums_of(sentence)
        if np.isinf(score):
            assert sentence.startswith("never recommended: not among the 12 best items of ease; predicted rating ")
        else:
            assert sums.pop(0) == pytest.approx(score, abs=1e-4)
        assert sums == [pytest.approx(rating, abs=1e-4)]
    assert 12 <= np.isfinite(scores).sum() < 40


@pytest.mark.parametrize("make", TREES)
def test_with_hardly_any_ratings_the_prediction_is_the_bias(make: Callable[..., Any]) -> None:
    data = from_pairs([0, 1, 0], [0, 1, 1], [5, 3, 4])
    algorithm = fitted(make(), data)
    assert algorithm.predict(np.array([0]), np.array([0])) == pytest.approx(
        fitted_bias(data).predict(np.array([0]), np.array([0]))
    )
    assert sums_of(algorithm.explain(0, np.array([0]))[0])


# Stacking


def test_what_foretells_ratings_gets_the_weight() -> None:
    _, fold, _ = taste_world()
    algorithm = fitted(Stacking(of=["bias", "lots"]), fold.train)
    assert algorithm._model.weights[1] < 0.1 < algorithm._model.weights[0]


def test_a_stack_is_about_as_good_as_its_best_part() -> None:
    train = checkerboard(120, 80).train
    rows = train.interactions
    test = np.arange(len(rows)) % 5 == 0
    fold = Fold(train=train.with_interactions(rows.take(~test)), test=rows.take(test))
    names = ["bias", "item-cosine", "lots"]
    best = min(rmse_and_mae(PARTS[name](), fold)[0] for name in names)
    for meta in ("linear", "tree"):
        assert rmse_and_mae(_Built(Stacking(of=names, meta=meta)), fold)[0] < best + 0.03


@pytest.mark.parametrize("of", [["lots", "ease"], ["ease", "lots"]])
def test_ranking_weights_find_who_ranks_well(of: list[str]) -> None:
    world = checkerboard()
    algorithm = fitted(Stacking(of=of), world.train)
    lists = ranked(algorithm.score(np.arange(60)), world)
    assert np.take_along_axis(world.likes, lists.astype(np.int64), axis=1).mean() > 0.95


def test_ranking_weights_are_where_no_neighbour_does_better() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.2
    positive[::20] = True
    lists = Lists(
        standings=rng.normal(size=(200, 2)) + positive[:, None] * [1.0, 0.3],
        starts=np.arange(0, 200, 20),
        is_positive=positive,
    )

    def loss(weights: FloatArray) -> float:
        total = 0.0
        for start in range(0, 200, 20):
            scores = lists.standings[start : start + 20] @ weights
            mine = positive[start : start + 20]
            total += np.log(np.exp(scores).sum()) - scores[mine].mean()
        return total / 10 + 0.01 * float(weights @ weights)

    found = ranking_weights([lists], 2, reg=0.01)
    assert (found >= 0).all()
    assert all(
        loss(found) <= loss(np.maximum(found + step, 0.0)) + 1e-9 for step in rng.normal(scale=0.05, size=(50, 2))
    )


def test_without_anything_to_learn_from_all_rank_alike() -> None:
    empty = Lists(
        standings=np.empty((0, 3)), starts=np.empty(0, dtype=np.int64), is_positive=np.empty(0, dtype=np.bool_)
    )
    assert ranking_weights([empty], 3, reg=0.1).tolist() == pytest.approx([1 / 3] * 3)


def test_linear_weights_are_least_squares_where_none_is_below_0() -> None:
    rng = np.random.default_rng(0)
    predictions = rng.normal(size=(500, 2))
    rating = 3.0 + predictions @ [0.3, 0.6] + rng.normal(scale=0.1, size=500)
    model = Linear(predictions, rating, reg=0.0)
    design = np.column_stack([np.ones(500), predictions])
    assert np.allclose(model.predict(predictions), design @ np.linalg.lstsq(design, rating)[0], atol=1e-6)


def test_no_linear_weight_is_below_0() -> None:
    rng = np.random.default_rng(0)
    predictions = rng.normal(size=(500, 2))
    assert Linear(predictions, predictions @ [1.0, -0.5], reg=0.0).weights.tolist() == pytest.approx(
        [1.0, 0.0], abs=0.05
    )


def test_a_tree_learns_whom_to_trust_when() -> None:
    rng = np.random.default_rng(0)
    predictions = rng.uniform(1, 5, size=(4000, 2))
    rating = np.maximum(predictions[:, 0], predictions[:, 1])
    errors = [
        np.std(rating - model.predict(predictions))
        for model in (Linear(predictions, rating, reg=0.001), Trees(predictions, rating, seed=0))
    ]
    assert errors[1] < 0.5 * errors[0]


def test_components_are_fitted_without_the_validation_part_then_with_it() -> None:
    train = checkerboard().train
    rows = train.interactions
    held_out = np.arange(len(rows)) % 10 == 0
    rest, validation = (train.with_interactions(rows.take(mask)) for mask in (~held_out, held_out))
    Witness.fits = []
    Stacking(of=["witness"]).fit(rest, seed=0, validation=validation, build=lambda name: Witness())
    assert Witness.fits == [len(rest.interactions), len(rows)]


def test_without_a_validation_part_folds_of_train_are_held_out() -> None:
    train = checkerboard().train
    Witness.fits = []
    Stacking(of=["witness"], folds=4).fit(train, seed=0, build=lambda name: Witness())
    n = len(train.interactions)
    assert Witness.fits == [pytest.approx(0.75 * n, abs=1)] * 4 + [n]


def test_what_one_cannot_say_is_what_the_others_say() -> None:
    train = checkerboard().train
    algorithm = fitted(Stacking(of=["bias", "silent"]), train)
    assert np.isfinite(algorithm.predict(np.arange(40), np.arange(40))).all()
    assert (fitted(Stacking(of=["silent"]), train).predict(np.arange(4), np.arange(4)) > 0).all()


def test_what_all_never_recommend_is_never_recommended() -> None:
    train = checkerboard().train
    alone, joint = (fitted(Stacking(of=of), train).score(np.arange(60)) for of in (["silent"], ["silent", "ease"]))
    assert np.isneginf(alone[:, ::2]).all()
    assert np.isfinite(joint).all()


def test_rankers_alone_predict_the_mean() -> None:
    train = checkerboard().train
    algorithm = fitted(Stacking(of=["ease", "popularity"]), train)
    assert algorithm.predict(np.arange(3), np.arange(3)) == pytest.approx(train.interactions.rating.mean(), abs=1e-6)


def test_the_place_of_never_is_that_of_the_lowest() -> None:
    found = standings(np.array([[1.0, 3.0, -np.inf, np.nan], [2.0, 2.0, 2.0, 2.0], [-np.inf] * 4]))
    assert found.tolist() == [[-1.0, 1.0, -1.0, -1.0], [0.0] * 4, [0.0] * 4]


@pytest.mark.parametrize("meta", ["linear", "tree"])
def test_the_figures_of_a_stacks_explanation_add_up(meta: Any) -> None:
    train = checkerboard(120, 80).train
    algorithm = fitted(Stacking(of=["bias", "item-cosine", "ease", "popularity", "lots", "silent"], meta=meta), train)
    scores = algorithm.score(np.array([2]))[0]
    ratings = algorithm.predict(np.full(40, 2), np.arange(40))
    for item, sentence in enumerate(algorithm.explain(2, np.arange(40))):
        assert sums_of(sentence) == [pytest.approx(scores[item], abs=1e-4), pytest.approx(ratings[item], abs=1e-4)]


def test_a_stack_does_not_depend_on_the_block() -> None:
    train = checkerboard().train
    algorithm = fitted(Stacking(of=["bias", "ease", "popularity"]), train)
    users = np.array([7, 3, 7])
    assert np.allclose(algorithm.score(users), algorithm.score(np.arange(60))[users], atol=1e-9)


def test_rows_join_in_order() -> None:
    rows = Interactions(
        user=np.array([0, 1], dtype=np.int32),
        item=np.array([1, 0], dtype=np.int32),
        rating=np.ones(2, dtype=np.float32),
        time=np.array([5, 6]),
    )
    both = joined(rows, rows.take(np.array([1])))
    assert both.user.tolist() == [0, 1, 1]
    assert both.time is not None
    assert both.time.tolist() == [5, 6, 6]
    assert joined(rows, replace(rows, time=None)).time is None


# What is offered


def test_what_may_be_built_is_named_in_parameters_and_needs_no_framework() -> None:
    offered = {algorithm.name: algorithm for algorithm in recbench_algorithms()}
    assert sorted(offered) == ["bagging", "boosting", "random-forest", "stacking"]
    for algorithm in offered.values():
        assert set(algorithm.components) <= set(algorithm.parameters)
        assert not algorithm.requires
        assert not algorithm.deterministic


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (Boosting, {"trees": 0}, "trees must be 1 or more, not 0"),
        (Boosting, {"rate": 0.0}, "rate must be above 0, not 0.0"),
        (Boosting, {"leaves": 1}, "leaves must be 2 or more, not 1"),
        (Boosting, {"folds": 1}, "folds must be 2 or more, not 1"),
        (RandomForest, {"sample": 1.5}, "sample must be above 0 and at most 1, not 1.5"),
        (RandomForest, {"shortlist": 0}, "shortlist must be 1 or more, not 0"),
        (Bagging, {"weight": float("nan")}, "weight must be 0 or more, not nan"),
        (Stacking, {"of": []}, "of must name at least one algorithm, each once, not []"),
        (Stacking, {"of": ["bias", "bias"]}, "of must name at least one algorithm, each once, not ['bias', 'bias']"),
        (Stacking, {"meta": "forest"}, "meta must be 'linear' or 'tree', not 'forest'"),
    ],
)
def test_impossible_parameters_are_refused(make: Callable[..., Any], parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make(**parameters)


# Published figures


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "most"), [(Boosting, 0.9), (RandomForest, 0.91), (Bagging, 0.91)], ids=["boosting", "forest", "bagging"]
)
def test_trees_reach_their_figures_on_surprises_folds(
    make: Callable[..., Any], most: float, shared_data: Callable[[str], Path]
) -> None:
    folder = shared_data("ml-100k")
    found = [rmse_and_mae(_Built(make(first_stage="popularity")), fold)[0] for fold in with_tables(folder)]
    assert np.mean(found) <= most


@pytest.mark.golden
@pytest.mark.slow
def test_naive_statistics_cost_a_lot_on_surprises_folds(shared_data: Callable[[str], Path]) -> None:
    fold = with_tables(shared_data("ml-100k"))[0]
    algorithm = fitted(Boosting(first_stage="popularity"), fold.train)
    users, items = fold.test.user.astype(np.int64), fold.test.item.astype(np.int64)
    errors = [_rmse(algorithm.predict(users, items), fold)]
    algorithm._model = algorithm._grown(naive(fold.train), 0)
    errors.append(_rmse(algorithm.predict(users, items), fold))
    assert errors[1] > errors[0] + 0.04


@pytest.mark.golden
@pytest.mark.slow
def test_a_stack_beats_its_parts_on_surprises_folds(shared_data: Callable[[str], Path]) -> None:
    fold = next(iter(surprise_folds(shared_data("ml-100k"))))
    names = ["bias", "item-cosine", "item-pearson"]
    parts = [rmse_and_mae(PARTS[name](), fold)[0] for name in names]
    assert rmse_and_mae(_Built(Stacking(of=names)), fold)[0] < min(parts) - 0.002


class _Built:
    """An algorithm whose `fit` needs no `build`, for the measures of published figures."""

    def __init__(self, algorithm: Any) -> None:
        self._algorithm = algorithm

    def fit(self, train: Dataset, *, seed: int) -> None:
        self._algorithm.fit(train, seed=seed, build=build)

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> Any:
        return self._algorithm.predict(users, items)


def with_tables(folder: Path) -> list[Fold]:
    """Surprise's folds, with the genres of the films and who the users are."""
    lines = [line.split("|") for line in (folder / "u.item").read_text(encoding="latin-1").splitlines()]
    genres = np.array([line[5:24] for line in lines]) == "1"
    starts = np.concatenate([[0], np.cumsum(genres.sum(axis=1))])
    names = tuple(f"genre {number}" for number in range(19))
    items: dict[str, Column] = {
        "genres": Tags(starts=starts, codes=np.nonzero(genres)[1].astype(np.int32), names=names)
    }
    people = np.array([line.split("|")[1:4] for line in (folder / "u.user").read_text().splitlines()])
    users: dict[str, Column] = {"age": Numbers(values=people[:, 0].astype(np.float64))}
    for place, name in enumerate(("gender", "occupation"), start=1):
        values, codes = np.unique(people[:, place], return_inverse=True)
        users[name] = Categories(codes=codes.astype(np.int32), names=tuple(values.tolist()))
    return [
        Fold(train=replace(fold.train, items=items, users=users), test=fold.test) for fold in surprise_folds(folder)
    ]


def fitted_bias(train: Dataset) -> Bias:
    bias = Bias()
    bias.fit(train, seed=0)
    return bias


def sums_of(sentence: str) -> list[float]:
    """The totals in a sentence, after checking that what stands behind each adds up to it."""
    totals = []
    for total, terms in SUM.findall(sentence):
        assert sum(map(float, TERM.findall(terms))) == pytest.approx(float(total), abs=1e-9)
        totals.append(float(total))
    return totals


def _rmse(predicted: FloatArray, fold: Fold) -> float:
    return float(np.sqrt(np.mean((np.clip(predicted, 1.0, 5.0) - fold.test.rating) ** 2)))
