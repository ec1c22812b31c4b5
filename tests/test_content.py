"""Recommending by features."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from recbench_content import recbench_algorithms
from recbench_content.content import Content
from recbench_content.features import Weights, features_of
from worlds import (
    World,
    checkerboard,
    feature_world,
    fitted,
    from_pairs,
    hit_share,
    noise_world,
    popularity_world,
    ranked,
    scores_of,
)

from recbench.api import Categories, Column, Dataset, Numbers, Tags, Texts

EVEN = Weights(tags=1.0, numbers=1.0, words=1.0)
FIGURE = re.compile(r"[-+]?\d+\.\d{4}(?!\d)")


def pure() -> Content:
    return Content(popularity=0.0)


def with_items(data: Dataset, **columns: Column) -> Dataset:
    return replace(data, items=columns)


def cosine(a: Any, b: Any) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_content_wins_where_only_features_carry_signal() -> None:
    world = feature_world()
    assert hit_share(Content(), world) == 1.0
    assert hit_share(pure(), world) == 1.0
    assert world.chance < 0.3


def test_items_that_nobody_has_are_ranked_by_their_features() -> None:
    world = feature_world()
    cold = ~world.seen.any(axis=0)
    for make in (Content, pure):
        scores = np.where(cold, scores_of(fitted(make(), world), world), -np.inf)
        lists = ranked(scores, world)
        assert cold[lists].all()
        assert np.take_along_axis(world.likes, lists.astype(np.int64), axis=1).all()


@pytest.mark.parametrize("kind", ["genres", "title"])
def test_one_column_is_enough(kind: str) -> None:
    world = feature_world()
    train = with_items(world.train, **{kind: world.train.items[kind]})
    assert hit_share(Content(), replace(world, train=train)) == 1.0


def test_without_features_the_order_is_that_of_popularity() -> None:
    world = popularity_world()
    for algorithm in (Content(), pure()):
        scores = scores_of(fitted(algorithm, world), world)
        counts = np.bincount(world.train.interactions.item, minlength=50)
        assert (np.argsort(-scores[0], kind="stable") == np.argsort(-counts, kind="stable")).all()


def test_nobody_does_better_than_chance_on_noise() -> None:
    world = noise_world()
    assert abs(hit_share(Content(), world) - world.chance) < 0.12


def test_scores_equal_cosines_in_plain_loops() -> None:
    world = featured_checkerboard()
    x = features_of(world.train, replace(EVEN, words=0.5), 20).matrix.toarray()
    mean = x[world.train.interactions.item].mean(axis=0)
    ratings = world.train.user_item("rating").toarray()
    overall = float(world.train.interactions.rating.mean(dtype=np.float64))
    points = np.maximum(world.train.user_item("rating", positives_only=True).toarray() - 1, 0).sum(axis=0) / 4
    scores = scores_of(fitted(Content(popularity=2.0, contrast=1.5), world), world)
    for user in range(0, 60, 7):
        own = np.flatnonzero(ratings[user])
        level = (ratings[user].sum() + 5 * overall) / (len(own) + 5)
        weights = [1 + 1.5 * (ratings[user, i] - level) / 4 for i in own]
        unit = [(x[i] - mean) / np.linalg.norm(x[i] - mean) for i in own]
        profile = sum(w * y for w, y in zip(weights, unit, strict=True))
        for item in range(40):
            popular = 2.0 * np.log1p(points[item]) / np.log1p(points.max())
            assert scores[user, item] == pytest.approx(cosine(profile, x[item] - mean) + popular)


def test_low_ratings_turn_the_profile_away() -> None:
    genres = Tags(starts=np.arange(7), codes=np.array([0, 0, 0, 1, 1, 1], dtype=np.int32), names=("A", "B"))
    data = with_items(from_pairs([0, 0, 1, 1], [0, 3, 0, 3], [5, 1, 1, 5], n_items=6), genres=genres)
    algorithm = Content(popularity=0.0, contrast=4.0)
    algorithm.fit(data, seed=0)
    scores = algorithm.score(np.array([0, 1]))
    assert scores[0, 1] > 0 > scores[0, 4]
    assert scores[1, 4] > 0 > scores[1, 1]


def test_features_are_of_length_1_and_unknown_ones_are_left_out() -> None:
    columns: dict[str, Column] = {
        "country": Categories(codes=np.array([0, -1, -1], dtype=np.int32), names=("fr",)),
        "genres": Tags(starts=np.array([0, 2, 3, 3]), codes=np.array([0, 1, 1], dtype=np.int32), names=("A", "B")),
        "title": Texts(values=np.array(["The war", "the end", ""])),
        "year": Numbers(values=np.array([1990.0, 2000.0, np.nan])),
    }
    found = features_of(with_items(from_pairs([0], [2]), **columns), EVEN, 2)
    assert found.names == (
        "country fr",
        "genres A",
        "genres B",
        "title 'the'",
        "year near 1990",
        "year near 2000",
    )
    assert np.linalg.norm(found.matrix.toarray(), axis=1) == pytest.approx([1.0, 1.0, 0.0])


def test_a_number_is_shared_between_the_anchors_round_it() -> None:
    year = Numbers(values=np.array([1990.0, 2010.0, 1995.0]))
    found = features_of(with_items(from_pairs([0], [2]), year=year), EVEN, 2).matrix.toarray()
    assert found[2] == pytest.approx(np.array([0.75, 0.25]) / np.hypot(0.75, 0.25))


def test_rare_tags_count_for_more() -> None:
    genres = Tags(starts=np.array([0, 2, 3, 4]), codes=np.array([0, 1, 1, 1], dtype=np.int32), names=("rare", "common"))
    rare, common = features_of(with_items(from_pairs([0], [2]), genres=genres), EVEN, 2).matrix.toarray()[0]
    assert rare / common == pytest.approx(1 + np.log(3))


@pytest.mark.parametrize("left_out", ["tags", "numbers", "words"])
def test_a_weight_of_0_leaves_columns_out(left_out: str) -> None:
    names = features_of(feature_world().train, replace(EVEN, **{left_out: 0.0}), 5).names
    column = {"tags": "genres", "numbers": "year", "words": "title"}[left_out]
    assert not any(name.startswith(column) for name in names)
    assert names


def test_users_and_items_of_whom_nothing_is_known_are_served() -> None:
    year = Numbers(values=np.array([1990.0, np.nan, 2000.0, np.nan]))
    data = with_items(from_pairs([0, 0, 1], [0, 2, 1], [5, 3, 4], n_users=3, n_items=4), year=year)
    for algorithm in (Content(), pure()):
        algorithm.fit(data, seed=0)
        scores = algorithm.score(np.array([0, 1, 2]))
        assert np.isfinite(scores).all()
        assert (scores[1] == scores[2]).all()
        assert scores[2, 0] > scores[2, 3]


def test_empty_data_is_served() -> None:
    algorithm = Content()
    algorithm.fit(with_items(from_pairs([], [], n_users=2, n_items=2), year=Numbers(values=np.full(2, np.nan))), seed=0)
    assert algorithm.score(np.array([0, 1])).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert algorithm.explain(0, np.array([1])) == ["0.0000 from the 0.0 points of item i1"]


def test_somebody_new_is_served_like_their_twin() -> None:
    world = featured_checkerboard()
    algorithm = fitted(Content(), world)
    assert np.allclose(algorithm.score_new(world.train), algorithm.score(np.arange(60)))


def test_scores_do_not_depend_on_the_block() -> None:
    world = feature_world()
    algorithm = fitted(Content(), world)
    users = np.array([7, 3, 7, 0])
    assert np.allclose(algorithm.score(users), scores_of(algorithm, world)[users], atol=1e-12)


@pytest.mark.parametrize("make", [Content, pure])
def test_the_figures_of_an_explanation_add_up(make: Callable[[], Content]) -> None:
    world = feature_world()
    algorithm = fitted(make(), world)
    for item, sentence in enumerate(algorithm.explain(2, np.arange(60))):
        total, *parts = (float(figure) for figure in FIGURE.findall(sentence))
        assert total == pytest.approx(algorithm.score(np.array([2]))[0, item], abs=1e-4)
        assert sum(parts) == pytest.approx(total, abs=1e-9)


def test_an_explanation_names_the_genre_that_the_user_keeps_to() -> None:
    world = feature_world()
    item = int(np.flatnonzero(world.likes[2] & ~world.seen[2])[0])
    genres = world.train.items["genres"]
    assert isinstance(genres, Tags)
    assert f"genres {genres.names[genres.codes[item]]}" in fitted(Content(), world).explain(2, np.array([item]))[0]


def test_both_presets_are_offered() -> None:
    offered = {algorithm.name: dict(algorithm.parameters) for algorithm in recbench_algorithms()}
    assert offered == {"content": {}, "content-pure": {"popularity": 0.0}}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"popularity": -1.0}, "popularity must be 0 or more, not -1.0"),
        ({"contrast": float("nan")}, "contrast must be 0 or more, not nan"),
        ({"words": -0.5}, "words must be 0 or more, not -0.5"),
        ({"anchors": 1}, "anchors must be at least 2, not 1"),
    ],
)
def test_impossible_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Content(**parameters)


def featured_checkerboard() -> World:
    """A checkerboard with strays, whose items have features that say little."""
    world = checkerboard(stray=0.3)
    rng = np.random.default_rng(1)
    columns: dict[str, Column] = {
        "genres": Tags(starts=np.arange(0, 82, 2), codes=rng.integers(0, 5, 80).astype(np.int32), names=tuple("ABCDE")),
        "title": Texts(values=np.array([f"word{rng.integers(9)} word{rng.integers(9)}" for _ in range(40)])),
        "year": Numbers(values=rng.integers(1950, 2020, 40).astype(float)),
    }
    return replace(world, train=with_items(world.train, **columns))
