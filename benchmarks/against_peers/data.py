"""Data to compare on: MovieLens 100K where it is at hand, and a made-up set of the size and shape of MovieLens 1M."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from timing import Data

ASKED = 100_000
N_FACTORS = 8


def like_ml_1m(n_users: int = 6_040, n_items: int = 3_706, n_ratings: int = 1_000_209) -> Data:
    """Ratings whose numbers a user and an item are spread as in MovieLens 1M. The same ones at every call.

    A user has 20 ratings and a log-normal number more; an item's chance is log-normal, too; no pair comes twice.
    """
    rng = np.random.default_rng(0)
    lengths = _lengths(rng, n_users, n_items, n_ratings)
    taste, kind = (rng.normal(0.0, 0.35, (n, N_FACTORS)) for n in (n_users, n_items))
    appeal = rng.normal(0.0, 1.4, n_items)
    level = 3.58 + 0.12 * appeal  # what many see is liked
    users, items, ratings = [], [], []
    for user, length in enumerate(lengths):
        chance = appeal + taste[user] @ kind.T + rng.gumbel(size=n_items)
        # The greatest of weights plus Gumbel noise are a draw without replacement.
        chosen = rng.permutation(np.argpartition(-chance, length)[:length])
        users.append(np.full(length, user))
        items.append(chosen)
        ratings.append(level[chosen] + kind[chosen] @ taste[user] + rng.normal(0.0, 0.9, length))
    order = rng.permutation(n_ratings)
    return _with_asked(
        np.concatenate(users)[order], np.concatenate(items)[order], np.concatenate(ratings)[order], n_users, n_items
    )


def ml_100k(folder: Path) -> Data:
    """MovieLens 100K, from `u.data`."""
    rows = np.loadtxt(folder / "u.data", dtype=np.int64)
    user, item = (np.unique(rows[:, column], return_inverse=True)[1] for column in (0, 1))
    return _with_asked(user, item, rows[:, 2].astype(np.float64), int(user.max()) + 1, int(item.max()) + 1)


def shape(data: Data) -> str:
    """What it is like, in one line."""
    by_user, by_item = np.bincount(data.user), np.bincount(data.item, minlength=data.n_items)
    return (
        f"{data.n_users:,} users x {data.n_items:,} items, {len(data.user):,} ratings;"
        f" a user has {np.median(by_user):.0f} in the median and {by_user.max():,} at most,"
        f" an item {np.median(by_item):.0f} and {by_item.max():,}"
    )


def _lengths(rng: np.random.Generator, n_users: int, n_items: int, n_ratings: int) -> NDArray[np.int64]:
    """(n_users,) numbers of ratings, 20 or more each, `n_ratings` in all."""
    more = rng.lognormal(0.0, 1.1, n_users)
    spare = n_ratings - 20 * n_users
    lengths = 20 + np.minimum((more / more.sum() * spare).astype(np.int64), int(0.6 * n_items))
    left = n_ratings - int(lengths.sum())
    lengths += left // n_users
    lengths[: left % n_users] += 1
    return lengths


def _with_asked(
    user: NDArray[np.int64], item: NDArray[np.int64], level: NDArray[np.float64], n_users: int, n_items: int
) -> Data:
    """Ratings of 1 to 5, and pairs that nobody has rated."""
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, n_users * n_items, 2 * ASKED)
    asked = drawn[~np.isin(drawn, user.astype(np.int64) * n_items + item)][:ASKED]
    return Data(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        rating=np.clip(np.rint(level), 1, 5).astype(np.float32),
        asked_user=(asked // n_items).astype(np.int32),
        asked_item=(asked % n_items).astype(np.int32),
        n_users=n_users,
        n_items=n_items,
    )
