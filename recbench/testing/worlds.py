"""Small worlds that algorithms are held against. The same on every machine; an index in them says nothing."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import (
    BoolArray,
    Column,
    Dataset,
    FloatArray,
    Int64Array,
    Interactions,
    Numbers,
    RowArray,
    Tags,
    Texts,
    owned,
    take_rows,
)

_DAY = 86_400
_YEAR = 365 * _DAY
_END = 1_700_000_000
_SCALE = (1.0, 5.0)
_LIKED = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """A training set, and what is true behind it.

    Attributes:
        likes: (n_users, n_items) bool, what each user would like.
    """

    name: str
    train: Dataset
    likes: BoolArray

    @property
    def seen(self) -> BoolArray:
        """(n_users, n_items) bool."""
        seen = np.zeros(self.likes.shape, dtype=np.bool_)
        seen[self.train.interactions.user, self.train.interactions.item] = True
        return seen


@functools.cache
def checkerboard() -> World:
    """Small enough to be fitted many times: 60 users, 40 items."""
    return _checkerboard("checkerboard", n_users=60, n_items=40, density=0.45)


@functools.cache
def large_checkerboard() -> World:
    """Large enough for those who trust nothing that few users say: 600 users, 60 items."""
    return _checkerboard("large checkerboard", n_users=600, n_items=60, density=0.3)


@functools.cache
def noise() -> World:
    """Who has what, how it is rated and what would be liked are independent draws: nobody can do better than chance."""
    rng = np.random.Generator(np.random.PCG64(2))
    shape = (80, 40)
    has, rating, likes = rng.random(shape) < 0.3, rng.uniform(1, 5, shape), rng.random(shape) < 0.4
    return World(name="noise", train=_dataset("noise", has, rating, rng.integers(0, 2, 40), rng), likes=likes)


@functools.cache
def crowd(n_users: int, n_items: int, *, length: int) -> Dataset:
    """Many users with `length` random items each, to see what grows with what."""
    rng = np.random.Generator(np.random.PCG64(3))
    user = np.repeat(np.arange(n_users), length)
    # A run of items from a random place on: distinct within a user, and no users x items to draw them from.
    item = (np.repeat(rng.integers(0, n_items, n_users), length) + 7 * np.tile(np.arange(length), n_users)) % n_items
    rating, time = rng.uniform(1, 5, len(user)), rng.integers(_END - _YEAR, _END, len(user))
    rows = _rows(user, item, rating, time)
    return _around(f"crowd of {n_users}", rows, n_users, n_items, rng.integers(0, 2, n_items), rng)


def without_users(data: Dataset, users: list[int]) -> Dataset:
    """The same tables, and no interaction of `users`."""
    return data.with_interactions(data.interactions.take(~np.isin(data.interactions.user, users)))


def without_items(data: Dataset, items: list[int]) -> Dataset:
    """The same tables, and no interaction with `items`."""
    return data.with_interactions(data.interactions.take(~np.isin(data.interactions.item, items)))


def with_short_history(data: Dataset, user: int) -> Dataset:
    """The same, but `user` has one interaction."""
    mine = np.flatnonzero(data.interactions.user == user)
    return data.with_interactions(data.interactions.take(np.delete(np.arange(len(data.interactions)), mine[1:])))


def with_everything(data: Dataset, user: int) -> Dataset:
    """The same, but `user` has every item."""
    rows = data.interactions
    lacking = np.setdiff1d(np.arange(data.n_items), rows.item[rows.user == user])
    assert rows.time is not None
    more = _rows(
        np.concatenate([rows.user, np.full(len(lacking), user)]),
        np.concatenate([rows.item, lacking]),
        np.concatenate([rows.rating, np.linspace(1, 5, len(lacking))]),
        np.concatenate([rows.time, np.full(len(lacking), _END)]),
    )
    return data.with_interactions(more)


def with_equal_ratings(data: Dataset) -> Dataset:
    """The same, but every rating is a 4."""
    rows = data.interactions
    return data.with_interactions(replace(rows, rating=owned(np.full(len(rows), _LIKED, np.float32))))


def without_ratings(data: Dataset) -> Dataset:
    """The same as implicit feedback: every rating 1, and no scale."""
    rows = data.interactions
    ones = replace(rows, rating=owned(np.ones(len(rows), np.float32)))
    return replace(data, interactions=ones, scale=None, positive_at_least=None)


def without_times_or_features(data: Dataset) -> Dataset:
    """The same with nothing but users, items and ratings."""
    return replace(data, interactions=replace(data.interactions, time=None), users={}, items={})


def first(data: Dataset, *, n_users: int, n_items: int) -> Dataset:
    """The corner of the first users and items."""
    rows = data.interactions
    corner = rows.take((rows.user < n_users) & (rows.item < n_items))
    return replace(
        data,
        interactions=corner,
        user_ids=owned(data.user_ids[:n_users].copy()),
        item_ids=owned(data.item_ids[:n_items].copy()),
        items={name: take_rows(column, np.arange(n_items)) for name, column in data.items.items()},
    )


def relabelled(data: Dataset, users: RowArray, items: RowArray) -> Dataset:
    """The same world in another order: new user u is old user `users[u]`; likewise items; the rows are reversed."""
    rows = data.interactions
    assert rows.time is not None
    user, item = np.argsort(users)[rows.user], np.argsort(items)[rows.item]
    moved = _rows(user[::-1], item[::-1], rows.rating[::-1], rows.time[::-1])
    return replace(
        data,
        interactions=moved,
        user_ids=owned(data.user_ids[users]),
        item_ids=owned(data.item_ids[items]),
        items={name: take_rows(column, items) for name, column in data.items.items()},
    )


def _checkerboard(name: str, *, n_users: int, n_items: int, density: float) -> World:
    """Users and items have one of two colours, and users like the items of their own; the items' genre says it, too."""
    rng = np.random.Generator(np.random.PCG64(1))
    user_colour, item_colour = rng.permutation(np.arange(n_users) % 2), rng.permutation(np.arange(n_items) % 2)
    likes = user_colour[:, None] == item_colour[None, :]
    has = rng.random(likes.shape) < np.where(likes, density, density / 8)
    rating = np.where(likes, rng.uniform(4, 5, likes.shape), rng.uniform(1, 2.5, likes.shape))
    return World(name=name, train=_dataset(name, has, rating, item_colour, rng), likes=likes)


def _dataset(name: str, has: BoolArray, rating: FloatArray, colour: Int64Array, rng: np.random.Generator) -> Dataset:
    """The cells of `has` as interactions, in an order that says nothing, at times all of which differ."""
    user, item = np.nonzero(has)
    order = rng.permutation(len(user))
    user, item = user[order], item[order]
    time = _END - rng.permutation(np.linspace(0, _YEAR, len(user)).astype(np.int64))
    rows = _rows(user, item, rating[user, item], time)
    return _around(name, rows, has.shape[0], has.shape[1], colour, rng)


def _rows(user: NDArray[Any], item: NDArray[Any], rating: NDArray[Any], time: NDArray[Any]) -> Interactions:
    return Interactions(
        user=user.astype(np.int32), item=item.astype(np.int32), rating=rating.astype(np.float32), time=time
    )


def _around(
    name: str, rows: Interactions, n_users: int, n_items: int, colour: Int64Array, rng: np.random.Generator
) -> Dataset:
    """A data set with genres, titles and years of the items around the rows."""
    items: dict[str, Column] = {
        "genres": Tags(starts=np.arange(n_items + 1), codes=colour.astype(np.int32), names=("white", "black")),
        "title": Texts(values=np.array([f"{('white', 'black')[c]} word{i}" for i, c in enumerate(colour)])),
        "year": Numbers(values=rng.integers(1950, 2020, n_items).astype(np.float64)),
    }
    return Dataset(
        name=name,
        interactions=rows,
        user_ids=np.array([f"u{i}" for i in range(n_users)]),
        item_ids=np.array([f"i{i}" for i in range(n_items)]),
        items=items,
        scale=_SCALE,
        positive_at_least=_LIKED,
    )
