"""Small worlds whose right answer is known, to see whether an algorithm finds it.

Each maker gives a `World`: what to train on and what is true. Positions in the tables are shuffled, so that an
index says nothing. `hit_share(algorithm, world)` fits and ranks; compare it with `world.chance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import (
    BoolArray,
    Categories,
    Column,
    Dataset,
    FloatArray,
    Int32Array,
    Int64Array,
    Interactions,
    Numbers,
    Tags,
    Texts,
)

DAY = 86_400
LEAST_LIKED = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """A training set and the truth behind it.

    Attributes:
        train: what an algorithm may see.
        likes: (n_users, n_items) bool, what each user would like, the items seen in train included.
        order: (n_items,) float64, how attractive each item is to everybody, or None where that depends on the user.
    """

    train: Dataset
    likes: BoolArray
    order: FloatArray | None = None

    @property
    def seen(self) -> BoolArray:
        """(n_users, n_items) bool, what each user has in train."""
        seen = np.zeros(self.likes.shape, dtype=np.bool_)
        seen[self.train.interactions.user, self.train.interactions.item] = True
        return seen

    @property
    def chance(self) -> float:
        """The share of liked ones among unseen items, averaged over users: what guessing gives."""
        unseen = ~self.seen
        return float(np.mean((self.likes & unseen).sum(1) / np.maximum(unseen.sum(1), 1)))


def checkerboard(
    n_users: int = 60,
    n_items: int = 40,
    *,
    colours: int = 2,
    density: float = 0.4,
    stray: float = 0.1,
    implicit: bool = False,
    seed: int = 0,
) -> World:
    """Users and items have colours, and users like the items of their own.

    A user has `density` of the items of the own colour, rated 4 or 5, and `density * stray` of the others, rated 1
    or 2. With `implicit` there are no ratings, and no strays.
    """
    rng = np.random.default_rng(seed)
    user_colour = rng.permutation(np.arange(n_users) % colours)
    item_colour = rng.permutation(np.arange(n_items) % colours)
    likes = user_colour[:, None] == item_colour[None, :]
    has = rng.random(likes.shape) < np.where(likes, density, 0.0 if implicit else density * stray)
    rating = np.where(likes, 4, 1) + rng.integers(0, 2, likes.shape)
    train = _dataset("checkerboard", has, rng, rating=None if implicit else rating)
    return World(train=train, likes=likes)


def popularity_world(n_users: int = 200, n_items: int = 50, *, length: int = 8, seed: int = 0) -> World:
    """Only popularity carries signal: users draw their items independently, the popular ones more often.

    `likes`: the ten most attractive items, for everybody. `order`: how attractive each item is.
    """
    rng = np.random.default_rng(seed)
    weight = rng.permutation(1.0 / np.arange(1, n_items + 1))
    has = _draw(rng, np.broadcast_to(weight, (n_users, n_items)), length)
    likes = np.broadcast_to(weight >= np.sort(weight)[-10], (n_users, n_items)).copy()
    return World(train=_dataset("popularity", has, rng), likes=likes, order=weight)


def noise_world(n_users: int = 100, n_items: int = 60, *, length: int = 10, seed: int = 0) -> World:
    """Nothing carries signal: seen, liked and rated are independent draws. No algorithm does better than chance."""
    rng = np.random.default_rng(seed)
    has = _draw(rng, np.ones((n_users, n_items)), length)
    rating = rng.integers(1, 6, (n_users, n_items))
    likes = rng.random((n_users, n_items)) < 0.3
    return World(train=_dataset("noise", has, rng, rating=rating), likes=likes)


def feature_world(n_users: int = 40, *, genres: int = 4, length: int = 8, unseen: int = 80, seed: int = 0) -> World:
    """Only features carry signal: nobody shares an item with anybody, but each user keeps to one genre.

    Items have "genres" (Tags), "title" (a word of the genre and a word of its own) and "year"; users have
    "favourite" (Categories). `unseen` more items, spread over the genres, have no interaction at all.
    """
    rng = np.random.default_rng(seed)
    n_items = n_users * length + unseen
    favourite = rng.permutation(np.arange(n_users) % genres)
    genre = np.concatenate([np.repeat(favourite, length), np.arange(unseen) % genres])
    owner = np.concatenate([np.repeat(np.arange(n_users), length), np.full(unseen, -1)])
    place = rng.permutation(n_items)
    genre, owner = genre[place], owner[place]
    names = tuple(f"genre{g}" for g in range(genres))
    items: dict[str, Column] = {
        "genres": Tags(starts=np.arange(n_items + 1), codes=genre.astype(np.int32), names=names),
        "title": Texts(values=np.array([f"{names[g]} word{i}" for i, g in enumerate(genre)])),
        "year": Numbers(values=rng.integers(1950, 2020, n_items).astype(float)),
    }
    users: dict[str, Column] = {"favourite": Categories(codes=favourite.astype(np.int32), names=names)}
    has = owner[None, :] == np.arange(n_users)[:, None]
    likes = favourite[:, None] == genre[None, :]
    return World(train=_dataset("features", has, rng, users=users, items=items), likes=likes)


def time_world(n_users: int = 120, n_items: int = 60, *, length: int = 10, seed: int = 0) -> World:
    """Only time carries signal: what everybody took long ago is not what everybody takes now.

    Three quarters of the interactions are with the old half of the catalogue, 400 to 100 days before the end; the
    rest are with the new half, in the last 20 days. `likes`: the new half.
    """
    rng = np.random.default_rng(seed)
    new = rng.permutation(np.arange(n_items) % 2).astype(bool)
    has = _draw(rng, np.broadcast_to(np.where(new, 1.0, 3.0), (n_users, n_items)), length)
    days_ago = np.where(new, rng.uniform(0, 20, has.shape), rng.uniform(100, 400, has.shape))
    time = (1_600_000_000 - days_ago * DAY).astype(np.int64)
    likes = np.broadcast_to(new, has.shape).copy()
    return World(train=_dataset("time", has, rng, time=time), likes=likes)


def sequence_world(n_users: int = 150, *, clusters: int = 5, size: int = 12, steps: int = 9, seed: int = 0) -> World:
    """Only order carries signal: after an item of cluster c a user takes one of cluster c + 1, and so on round.

    Every user starts anywhere, so all clusters are equally popular. `likes`: the cluster that comes next.
    """
    rng = np.random.default_rng(seed)
    n_items = clusters * size
    cluster = rng.permutation(np.arange(n_items) % clusters)
    has = np.zeros((n_users, n_items), dtype=np.bool_)
    time = np.zeros(has.shape, dtype=np.int64)
    following = np.empty(n_users, dtype=np.int64)
    for user in range(n_users):
        start = rng.integers(clusters)
        for step in range(steps):
            choice = np.flatnonzero((cluster == (start + step) % clusters) & ~has[user])
            item = rng.choice(choice)
            has[user, item] = True
            time[user, item] = 1_600_000_000 + step * DAY
        following[user] = (start + steps) % clusters
    return World(train=_dataset("sequence", has, rng, time=time), likes=following[:, None] == cluster[None, :])


def fitted(algorithm: Any, world: World, *, seed: int = 0) -> Any:
    """`algorithm` after `fit` on the world's training set."""
    algorithm.fit(world.train, seed=seed)
    return algorithm


def ranked(scores: NDArray[Any], world: World, *, k: int = 5, seed: int = 0) -> Int32Array:
    """(n_users, k) best unseen items by `scores` (n_users, n_items), ties by lot; all users must have k unseen ones."""
    values = np.array(scores, dtype=np.float64)
    values[world.seen | np.isnan(values)] = -np.inf
    lots = np.random.default_rng(seed).random(values.shape)
    return np.lexsort((lots, -values), axis=1)[:, :k].astype(np.int32)


def hit_share(algorithm: Any, world: World, *, k: int = 5, seed: int = 0) -> float:
    """Fit `algorithm`, rank unseen items for all users, and give the share of liked ones among the first k."""
    lists = ranked(scores_of(fitted(algorithm, world, seed=seed), world), world, k=k, seed=seed)
    return float(np.mean(np.take_along_axis(world.likes, lists.astype(np.int64), axis=1)))


def scores_of(algorithm: Any, world: World) -> NDArray[Any]:
    """(n_users, n_items) scores of a fitted algorithm, by `score` or else by `predict`, as the harness does."""
    n_users, n_items = world.likes.shape
    users = np.arange(n_users, dtype=np.int64)
    if hasattr(algorithm, "score"):
        return np.asarray(algorithm.score(users))
    pairs = np.repeat(users, n_items), np.tile(np.arange(n_items, dtype=np.int64), n_users)
    return np.asarray(algorithm.predict(*pairs)).reshape(n_users, n_items)


def from_pairs(
    user: Any,
    item: Any,
    rating: Any = None,
    *,
    n_users: int | None = None,
    n_items: int | None = None,
    time: Any = None,
) -> Dataset:
    """A data set of the given pairs; ratings on a scale of 1 to 5, or none at all."""
    user, item = np.asarray(user, dtype=np.int32), np.asarray(item, dtype=np.int32)
    ratings = np.ones(len(user), dtype=np.float32) if rating is None else np.asarray(rating, dtype=np.float32)
    return Dataset(
        name="pairs",
        interactions=Interactions(user=user, item=item, rating=ratings, time=time),
        user_ids=_ids("u", int(user.max(initial=-1)) + 1 if n_users is None else n_users),
        item_ids=_ids("i", int(item.max(initial=-1)) + 1 if n_items is None else n_items),
        scale=None if rating is None else (1.0, 5.0),
    )


def _dataset(
    name: str,
    has: BoolArray,
    rng: np.random.Generator,
    *,
    rating: NDArray[np.integer] | None = None,
    time: Int64Array | None = None,
    users: dict[str, Column] | None = None,
    items: dict[str, Column] | None = None,
) -> Dataset:
    """The cells of `has` as interactions, in an order that says nothing."""
    user, item = np.nonzero(has)
    order = rng.permutation(len(user))
    user, item = user[order], item[order]
    rows = Interactions(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        rating=(np.ones(has.shape) if rating is None else rating)[user, item].astype(np.float32),
        time=None if time is None else time[user, item],
    )
    return Dataset(
        name=name,
        interactions=rows,
        user_ids=_ids("u", has.shape[0]),
        item_ids=_ids("i", has.shape[1]),
        users=users or {},
        items=items or {},
        scale=None if rating is None else (1.0, 5.0),
        positive_at_least=None if rating is None else LEAST_LIKED,
    )


def _draw(rng: np.random.Generator, weight: FloatArray, length: int) -> BoolArray:
    """(n_users, n_items) bool: `length` items a user without replacement, with chances by `weight` (Gumbel's trick)."""
    keys = np.log(weight) + rng.gumbel(size=weight.shape)
    has = np.zeros(weight.shape, dtype=np.bool_)
    np.put_along_axis(has, np.argsort(-keys, axis=1)[:, :length], True, axis=1)
    return has


def _ids(letter: str, n: int) -> NDArray[np.str_]:
    return np.array([f"{letter}{i}" for i in range(n)], dtype=np.str_)
