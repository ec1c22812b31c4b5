"""The baselines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published_data import assert_is_as_published, official_fold, recall_and_map, rmse_and_mae, surprise_folds, table32
from recbench_baselines import recbench_algorithms
from recbench_baselines.chance import Random
from recbench_baselines.offsets import Bias, GlobalMean, ItemMean, Offsets, UserMean
from recbench_baselines.popularity import Popularity, RecentPopularity
from worlds import (
    DAY,
    checkerboard,
    fitted,
    from_pairs,
    hit_share,
    noise_world,
    popularity_world,
    scores_of,
    time_world,
)

RATERS = [GlobalMean, UserMean, ItemMean, Bias, Random]
RANKERS = [Random, Popularity, RecentPopularity, ItemMean, Bias]
ALL = [*RANKERS, GlobalMean, UserMean]
FIGURE = re.compile(r"[-+]?\d+\.\d+")


def test_every_baseline_is_marked_and_only_random_takes_a_seed() -> None:
    offered = list(recbench_algorithms())
    assert all(algorithm.baseline for algorithm in offered)
    assert [algorithm.name for algorithm in offered if not algorithm.deterministic] == ["random"]


def test_popularity_counts_positives_only() -> None:
    data = from_pairs([0, 1, 2, 0], [0, 0, 0, 1], [1, 2, 5, 5])
    counted = Popularity()
    counted.fit(replace(data, positive_at_least=4.0), seed=0)
    assert counted.score(np.array([0])).tolist() == [[1.0, 1.0]]


def test_popularity_wins_where_only_popularity_carries_signal() -> None:
    world = popularity_world()
    assert hit_share(Popularity(), world) > 0.9
    assert hit_share(Random(), world) < 0.3


def test_recent_popularity_wins_where_only_time_carries_signal() -> None:
    world = time_world()
    assert hit_share(RecentPopularity(days=30), world) == 1.0
    assert hit_share(Popularity(), world) < world.chance


def test_recent_popularity_without_times_is_popularity() -> None:
    world = popularity_world()
    scores = [scores_of(fitted(make(), world), world) for make in (Popularity, RecentPopularity)]
    assert (np.argsort(-scores[0][0], kind="stable") == np.argsort(-scores[1][0], kind="stable")).all()


def test_recent_popularity_counts_from_the_last_time_in_train() -> None:
    time = np.array([0, 5 * DAY, 10 * DAY])
    data = from_pairs([0, 1, 2], [0, 1, 2], time=time)
    recent = RecentPopularity(days=5)
    recent.fit(data, seed=0)
    assert np.floor(recent.score(np.array([0]))).tolist() == [[0.0, 0.0, 1.0]]


def test_random_does_not_depend_on_the_block() -> None:
    world = checkerboard()
    algorithm = fitted(Random(), world, seed=3)
    users, items = np.array([7, 3, 7, 0]), np.array([1, 1, 2, 0])
    assert (algorithm.score(users) == algorithm.score(np.arange(60))[users]).all()
    alone = [algorithm.predict(users[[place]], items[[place]])[0] for place in range(4)]
    assert algorithm.predict(users, items).tolist() == alone


def test_random_differs_by_seed_and_repeats_with_it() -> None:
    world = checkerboard()
    first, again, other = (scores_of(fitted(Random(), world, seed=seed), world) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).mean() > 0.99


def test_random_draws_ratings_with_the_mean_and_the_spread_of_train() -> None:
    rng = np.random.default_rng(0)
    data = from_pairs(np.repeat(np.arange(50), 40), np.tile(np.arange(40), 50), rng.uniform(2.5, 3.5, 2000))
    algorithm = Random()
    algorithm.fit(data, seed=0)
    drawn = algorithm.predict(*(column.astype(np.int64) for column in (data.interactions.user, data.interactions.item)))
    assert drawn.mean() == pytest.approx(3.0, abs=0.02)
    assert drawn.std() == pytest.approx(data.interactions.rating.std(), abs=0.02)


def test_means_are_means() -> None:
    data = from_pairs([0, 0, 1], [0, 1, 0], [2, 4, 3], n_users=3, n_items=3)
    pairs = np.array([0, 1, 2]), np.array([0, 1, 2])
    for make, expected in ((GlobalMean, [3, 3, 3]), (UserMean, [3, 3, 3]), (ItemMean, [2.5, 4, 3])):
        algorithm = make()
        algorithm.fit(data, seed=0)
        assert algorithm.predict(*pairs).tolist() == expected


def test_damping_adds_ratings_at_the_mean_of_all() -> None:
    data = from_pairs([0, 0, 1], [0, 1, 0], [2, 4, 3])
    damped = ItemMean(damping=1.0)
    damped.fit(data, seed=0)
    assert damped.score(np.array([0])).tolist() == [[(2 + 3 + 3) / 3, (4 + 3) / 2]]


def test_bias_equals_alternating_least_squares_in_plain_loops() -> None:
    world = checkerboard(12, 9)
    rows = world.train.interactions
    mean = rows.rating.mean(dtype=np.float64)
    of_user, of_item = np.zeros(12), np.zeros(9)
    for _ in range(4):
        for item in range(9):
            rest = [
                r - mean - of_user[u] for u, i, r in zip(rows.user, rows.item, rows.rating, strict=True) if i == item
            ]
            of_item[item] = sum(rest) / (3.0 + len(rest))
        for user in range(12):
            rest = [
                r - mean - of_item[i] for u, i, r in zip(rows.user, rows.item, rows.rating, strict=True) if u == user
            ]
            of_user[user] = sum(rest) / (2.0 + len(rest))
    found = fitted(Bias(epochs=4, reg_item=3.0, reg_user=2.0), world)
    assert np.allclose(scores_of(found, world), mean + of_user[:, None] + of_item)


@pytest.mark.parametrize("make", [GlobalMean, UserMean, ItemMean, Bias])
def test_scores_are_predictions(make: Callable[[], Offsets]) -> None:
    world = checkerboard()
    algorithm = fitted(make(), world)
    users, items = np.arange(40), np.arange(40)
    assert np.allclose(algorithm.predict(users, items), algorithm.score(users)[np.arange(40), items], atol=1e-12)


@pytest.mark.parametrize("make", ALL)
def test_nobody_does_better_than_chance_on_noise(make: Callable[[], Any]) -> None:
    world = noise_world()
    assert abs(hit_share(make(), world) - world.chance) < 0.12


@pytest.mark.parametrize("make", ALL)
def test_users_and_items_without_interactions_get_finite_values(make: Callable[[], Any]) -> None:
    data = from_pairs([0, 1], [0, 1], [5, 3], n_users=4, n_items=5)
    algorithm = make()
    algorithm.fit(data, seed=0)
    scores = algorithm.score(np.array([3, 0]))
    assert scores.shape == (2, 5)
    assert np.isfinite(scores).all()
    if hasattr(algorithm, "predict"):
        assert np.isfinite(algorithm.predict(np.array([3, 0]), np.array([4, 4]))).all()


@pytest.mark.parametrize("make", RATERS)
def test_implicit_data_is_predicted_as_1(make: Callable[[], Any]) -> None:
    algorithm = make()
    algorithm.fit(from_pairs([0, 1], [0, 1]), seed=0)
    assert algorithm.predict(np.array([0, 1]), np.array([1, 0])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("make", ALL)
def test_new_users_get_scores(make: Callable[[], Any]) -> None:
    algorithm = fitted(make(), checkerboard())
    scores = algorithm.score_new(from_pairs([0, 1, 2], [0, 1, 2], n_items=40))
    assert scores.shape == (3, 40)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("make", [GlobalMean, UserMean, ItemMean, Bias])
def test_the_figures_of_an_explanation_add_up(make: Callable[[], Offsets]) -> None:
    algorithm = fitted(make(), checkerboard())
    for item, sentence in enumerate(algorithm.explain(2, np.arange(10))):
        total, mean, user, rest = (float(figure) for figure in FIGURE.findall(sentence))
        assert total == pytest.approx(algorithm.score(np.array([2]))[0, item], abs=1e-3)
        assert mean + user + rest == pytest.approx(total, abs=1e-9)


def test_recent_popularity_explains_with_both_counts() -> None:
    algorithm = RecentPopularity(days=5)
    algorithm.fit(from_pairs([0, 1, 2], [0, 1, 1], time=np.array([0, 5 * DAY, 10 * DAY])), seed=0)
    sentence = "1.6667 = 1 users in the last 5 days + 0.6667 for ties, from 2 users ever"
    assert algorithm.explain(0, np.array([1])) == [sentence]


def test_popularity_explains_with_its_count() -> None:
    world = popularity_world()
    algorithm = fitted(Popularity(), world)
    count = int(algorithm.score(np.array([0]))[0, 7])
    assert algorithm.explain(0, np.array([7])) == [f"{count} users have it"]


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (Bias, {"epochs": 0}, "epochs must be at least 1, not 0"),
        (Bias, {"reg_user": -1.0}, "reg_user must be 0 or more, not -1.0"),
        (ItemMean, {"damping": float("nan")}, "damping must be 0 or more, not nan"),
        (RecentPopularity, {"days": 0}, "days must be above 0, not 0"),
    ],
)
def test_impossible_parameters_are_refused(make: Callable[..., Any], parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make(**parameters)


@pytest.mark.golden
def test_bias_has_the_figures_of_surprise(shared_data: Callable[[str], Path]) -> None:
    found = np.mean([rmse_and_mae(Bias(), fold) for fold in surprise_folds(shared_data("ml-100k"))], axis=0)
    assert_is_as_published(found, "surprise", "bias")


@pytest.mark.golden
def test_random_has_the_figures_of_surprise(shared_data: Callable[[str], Path]) -> None:
    found = np.mean([rmse_and_mae(Random(), fold) for fold in surprise_folds(shared_data("ml-100k"))], axis=0)
    assert_is_as_published(found, "surprise", "random")


@pytest.mark.golden
def test_user_mean_has_the_figures_of_mymedialite(shared_data: Callable[[str], Path]) -> None:
    found = rmse_and_mae(UserMean(), official_fold(shared_data("ml-100k"), "u1"))
    assert_is_as_published(found, "mymedialite", "user-mean")


@pytest.mark.golden
def test_popularity_has_the_figures_of_table_32(shared_data: Callable[[str], Path]) -> None:
    found = recall_and_map(Popularity(), table32(shared_data("spectralcf-ml-1m")))
    assert_is_as_published(found, "table32", "popularity")
