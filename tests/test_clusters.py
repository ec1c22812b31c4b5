"""Users in groups."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_data import rmse_and_mae, surprise_folds
from recbench_clusters import recbench_algorithms
from recbench_clusters.clusters import Clusters, Hierarchical, KMeans
from recbench_clusters.grouping import assign, groups_of, k_means
from recbench_clusters.ward import ward
from scipy.cluster.hierarchy import fcluster, linkage
from worlds import checkerboard, fitted, from_pairs, hit_share, noise_world, popularity_world, scores_of

BOTH: list[Callable[..., Clusters]] = [KMeans, Hierarchical]
FIGURE = re.compile(r"(?<![\d.])\d+\.\d{4}(?!\d)")


def oracle_case(name: str) -> dict[str, Any]:
    cases = json.loads((Path(__file__).parent / "oracle" / "oracle.json").read_text())
    cases = cases if isinstance(cases, list) else cases["cases"]
    (case,) = (case for case in cases if case["id"] == name)
    return dict(case)


def same_groups(labels: Any, others: Any) -> bool:
    """Whether two labellings put the same points together."""
    pairs = {(int(one), int(other)) for one, other in zip(labels, others, strict=True)}
    return len(pairs) == len(set(labels.tolist())) == len(set(others.tolist()))


def test_the_articles_example_with_centres_of_four_columns() -> None:
    case = oracle_case("article-4")
    points, init = np.array(case["input"]["X"]), np.array(case["input"]["init"])
    found = k_means(points, 2, seed=0, init=init)
    expected = case["expected"]
    assert found.inertia(points) == pytest.approx(expected["inertia"])
    corner = [found.centres[0, 0], found.centres[0, 1], found.centres[1, 0], found.centres[1, 1]]
    assert corner == pytest.approx([expected[key] for key in ("c00", "c01", "c10", "c11")])
    assert assign(points, init).tolist() == found.labels.tolist() == [0, 0, 1, 1]


def test_the_articles_centres_of_two_columns_are_refused() -> None:
    case = oracle_case("article-4")
    points, centres = np.array(case["input"]["X"]), np.array(case["input"]["bad_centres"], dtype=float)
    message = re.escape("centres need as many columns as the points: points are (4, 4), centres (2, 2)")
    with pytest.raises(ValueError, match=message):
        assign(points, centres)
    with pytest.raises(ValueError, match=message):
        k_means(points, 2, seed=0, init=centres)


@given(st.integers(0, 2**32 - 1))
def test_assigning_agrees_with_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, centres = rng.normal(size=(20, 3)), rng.normal(size=(5, 3))
    slow = [min(range(5), key=lambda c: float(np.sum((point - centres[c]) ** 2))) for point in points]
    assert assign(points, centres).tolist() == slow


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 8))
def test_ward_agrees_with_scipy(seed: int, n: int, n_groups: int) -> None:
    points = np.random.default_rng(seed).normal(size=(n, 3))
    labels = ward(points, n_groups)
    assert set(labels.tolist()) == set(range(min(n, n_groups)))
    if n > 1:
        assert same_groups(labels, fcluster(linkage(points, "ward"), n_groups, "maxclust"))


def test_equal_points_are_merged_at_no_cost() -> None:
    points = np.repeat(np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 9.0]]), 7, axis=0)
    assert ward(points, 3).tolist() == np.repeat([0, 1, 2], 7).tolist()


def test_centres_of_groups_are_means() -> None:
    points = np.array([[0.0, 1.0], [2.0, 1.0], [5.0, 5.0]])
    found = groups_of(points, np.array([0, 0, 1]))
    assert found.centres.tolist() == [[1.0, 1.0], [5.0, 5.0]]
    assert found.inertia(points) == 2.0


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize(("features", "stray"), [("ratings", 0.5), ("interactions", 0.1)])
def test_the_checkerboard_is_found(make: Callable[..., Clusters], features: str, stray: float) -> None:
    world = checkerboard(stray=stray)
    assert hit_share(make(n_clusters=2, features=features, factors=2, shrink=1.0), world) > 0.95


@pytest.mark.parametrize("make", BOTH)
def test_the_checkerboard_is_found_without_ratings(make: Callable[..., Clusters]) -> None:
    assert hit_share(make(n_clusters=2, factors=2, shrink=1.0), checkerboard(implicit=True)) > 0.95


@pytest.mark.parametrize("make", BOTH)
def test_ratings_on_the_checkerboard_are_predicted(make: Callable[..., Clusters]) -> None:
    world = checkerboard(stray=0.5)
    algorithm = fitted(make(n_clusters=2, factors=2, damping=1.0), world)
    users, items = np.nonzero(~world.seen)
    high = algorithm.predict(users, items) > 3.0
    assert (high == world.likes[users, items]).mean() > 0.95


@pytest.mark.parametrize("make", BOTH)
def test_only_popularity_is_found_where_there_is_nothing_else(make: Callable[..., Clusters]) -> None:
    assert hit_share(make(), popularity_world()) > 0.8


@pytest.mark.parametrize("make", BOTH)
def test_nobody_does_better_than_chance_on_noise(make: Callable[..., Clusters]) -> None:
    world = noise_world()
    assert abs(hit_share(make(), world) - world.chance) < 0.12


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize("values", ["one", "rating"])
def test_scores_are_shrunken_means_of_the_group(make: Callable[..., Clusters], values: str) -> None:
    world = checkerboard()
    algorithm = fitted(make(n_clusters=3, values=values, shrink=4.0), world)
    ratings = world.train.user_item("rating", positives_only=True).toarray()
    given = (ratings > 0) if values == "one" else np.maximum(ratings - 1, 0) / 4
    mine = algorithm._labels == algorithm._labels[5]
    expected = (given[mine].sum(0) + 4.0 * given.mean(0)) / (mine.sum() + 4.0)
    assert np.allclose(algorithm.score(np.array([5]))[0], expected)


def test_predictions_are_levels_and_shrunken_means_of_the_group() -> None:
    world = checkerboard()
    algorithm = fitted(KMeans(n_clusters=3, damping=2.0), world)
    rows = world.train.interactions
    mine = algorithm._labels[rows.user] == algorithm._labels[5]
    rest = rows.rating - algorithm._level.of(rows.user, rows.item)
    for item in range(40):
        theirs = rest[mine & (rows.item == item)]
        level = algorithm._level.of(np.array([5]), np.array([item]))[0]
        found = algorithm.predict(np.array([5]), np.array([item]))[0]
        assert found == pytest.approx(level + theirs.sum() / (len(theirs) + 2.0))


@pytest.mark.parametrize("make", BOTH)
def test_a_user_without_ratings_gets_the_global_profile(make: Callable[..., Clusters]) -> None:
    data = from_pairs([0, 1, 1, 2], [0, 0, 1, 2], [5, 4, 2, 3], n_users=4, n_items=5)
    algorithm = make(n_clusters=2)
    algorithm.fit(data, seed=0)
    assert algorithm.score(np.array([3]))[0] == pytest.approx(np.array([1 + 3 / 4, 1 / 4, 2 / 4, 0, 0]) / 3)
    level = algorithm._level
    assert algorithm.predict(np.array([3]), np.array([0]))[0] == pytest.approx(level.mean + level.item[0])


@pytest.mark.parametrize("make", BOTH)
def test_data_too_small_for_the_parameters_is_served(make: Callable[..., Clusters]) -> None:
    for data in (
        from_pairs([0], [0], [3], n_users=2, n_items=3),
        from_pairs([], [], [], n_users=2, n_items=3),
        from_pairs([0, 1, 2], [0, 0, 0], [3, 3, 3]),
    ):
        algorithm = make(shrink=0.0)
        algorithm.fit(data, seed=0)
        assert np.isfinite(algorithm.score(np.arange(2))).all()
        assert np.isfinite(algorithm.score_new(data)).all()
        assert np.isfinite(algorithm.predict(np.array([0, 1]), np.array([0, 0]))).all()


@pytest.mark.parametrize("make", BOTH)
def test_somebody_new_joins_the_group_of_their_twin(make: Callable[..., Clusters]) -> None:
    world = checkerboard()
    algorithm = fitted(make(n_clusters=2, factors=2), world)
    assert (algorithm.score_new(world.train) == algorithm.score(np.arange(60))).mean() > 0.9
    nobody = from_pairs([], [], [], n_users=1, n_items=40)
    assert (algorithm.score_new(nobody)[0] == algorithm._means[-1]).all()


@pytest.mark.parametrize("make", BOTH)
def test_scores_do_not_depend_on_the_block(make: Callable[..., Clusters]) -> None:
    world = checkerboard()
    algorithm = fitted(make(), world)
    users = np.array([7, 3, 7, 0])
    assert (algorithm.score(users) == scores_of(algorithm, world)[users]).all()


@pytest.mark.parametrize("make", BOTH)
def test_the_same_seed_gives_the_same_scores(make: Callable[..., Clusters]) -> None:
    world = checkerboard()
    first, again = (scores_of(fitted(make(n_clusters=7), world, seed=4), world) for _ in range(2))
    assert (first == again).all()


def test_what_is_declared_deterministic_ignores_the_seed() -> None:
    world = checkerboard()
    assert [algorithm.name for algorithm in recbench_algorithms() if algorithm.deterministic] == ["hierarchical"]
    for max_points in (30, 5000):
        make = Hierarchical(n_clusters=7, max_points=max_points)
        first, other = (scores_of(fitted(make, world, seed=seed), world) for seed in (1, 2))
        assert (first == other).all()


def test_many_users_are_drawn_from_and_found_all_the_same() -> None:
    world = checkerboard(600, 40, stray=0.5)
    assert hit_share(Hierarchical(n_clusters=2, factors=2, shrink=1.0, max_points=100), world) > 0.95


@pytest.mark.parametrize("make", BOTH)
def test_the_figures_of_an_explanation_add_up(make: Callable[..., Clusters]) -> None:
    world = checkerboard()
    algorithm = fitted(make(n_clusters=3), world)
    for item, sentence in enumerate(algorithm.explain(2, np.arange(40))):
        total, own, everybody = (float(figure) for figure in FIGURE.findall(sentence))
        assert total == pytest.approx(algorithm.score(np.array([2]))[0, item], abs=1e-4)
        assert own + everybody == pytest.approx(total, abs=1e-9)


def test_an_explanation_names_counts() -> None:
    data = from_pairs([0, 1, 1, 2], [0, 0, 1, 2], n_users=4, n_items=3)
    algorithm = KMeans(n_clusters=1, shrink=1.0)
    algorithm.fit(data, seed=0)
    assert algorithm.explain(0, np.array([0])) == [
        "0.6667 = 0.5000 (the 3 users of group 0 give it 2.0) + 0.1667 (all 3 users give item i0 2.0)"
    ]
    nobody = "0.6667: all 3 users give item i0 2.0; nothing is known of this user"
    assert algorithm.explain(3, np.array([0])) == [nobody]


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (KMeans, {"n_clusters": 0}, "n_clusters must be at least 1, not 0"),
        (KMeans, {"factors": 0}, "factors must be at least 1, not 0"),
        (KMeans, {"features": "age"}, "features must be one of 'ratings', 'interactions', not 'age'"),
        (KMeans, {"values": "two"}, "values must be one of 'one', 'rating', not 'two'"),
        (KMeans, {"shrink": -1.0}, "shrink must be 0 or more, not -1.0"),
        (KMeans, {"damping": 0.0}, "damping must be above 0, not 0.0"),
        (Hierarchical, {"max_points": 10}, "max_points must be at least n_clusters, 50, not 10"),
    ],
)
def test_impossible_parameters_are_refused(make: Callable[..., Any], parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make(**parameters)


@pytest.mark.golden
@pytest.mark.parametrize("make", BOTH)
def test_ten_groups_beat_the_offsets_on_the_folds_of_surprise(
    make: Callable[..., Clusters], shared_data: Callable[[str], Path]
) -> None:
    folds = surprise_folds(shared_data("ml-100k"))
    found = np.mean([rmse_and_mae(make(n_clusters=10), fold) for fold in folds], axis=0)
    assert found == pytest.approx([0.936, 0.740], abs=0.003)
