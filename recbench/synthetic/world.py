"""The truth that made-up interactions are drawn from: how active users are, what they like, what items are like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbench.data import Int32Array, Int64Array
from recbench.errors import RecbenchError
from recbench.synthetic.words import Draws

DAY = 86_400
START = 1_262_304_000
"""2010-01-01, in seconds since 1970."""
DAYS = 1826
"""Five years."""

SLOTS = 16
BREADTHS = np.array([[10, 3, 1, 0], [7, 4, 2, 1], [4, 4, 3, 3], [3, 2, 1, 1]], dtype=np.int64)
"""Of 16 things that a user takes, how many are of each of the user's four genres; the rest is whatever is popular."""

MOST_GENRES = 32
STEEPEST = 3
"""Drifts go from -3 to 3, in quarters: at 3 / 4 an item is seven times as wanted at the end as at the beginning."""

_LARGEST_SEED = 2**63


def n_genres(n_items: int) -> int:
    """How many genres so many items have."""
    return min(MOST_GENRES, n_items // 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much to make.

    Raises:
        RecbenchError: it cannot be had.
    """

    users: int
    items: int
    interactions: int
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("users", self.users, 1, 2**31 - 1),
            ("items", self.items, 8, 2**31 - 1),
            ("seed", self.seed, 0, _LARGEST_SEED - 1),
        ):
            if not least <= value <= most:
                raise RecbenchError(f"{name} = {value} cannot be made", fix=f"give a number from {least} to {most}")
        if not self.users <= self.interactions <= self.users * self.most_of_a_user:
            raise RecbenchError(
                f"{self.users} users cannot have {self.interactions} interactions with {self.items} items: each has "
                f"from 1 to {self.most_of_a_user}, a quarter of the catalogue at most",
                fix=f"ask for {self.users} to {self.users * self.most_of_a_user} interactions",
            )

    @property
    def most_of_a_user(self) -> int:
        """Interactions of a user at most."""
        return self.items // 4

    @property
    def genres(self) -> int:
        """How many genres there are."""
        return n_genres(self.items)

    @property
    def name(self) -> str:
        """What to call it."""
        return f"generated-{self.users}-{self.items}-{self.interactions}-{self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Users:
    """Who takes how much of what, and when.

    Attributes:
        activity: (n,) int32 interactions.
        genres: (n, 4) int32 genres, the dearest first.
        breadth: (n,) int32 row of `BREADTHS`.
        first: (n,) int32 seconds from the start of the period to the user's first possible interaction.
        span: (n,) int32 seconds from there to the last possible one.
        leniency: (n,) int32 what the user's ratings have on top, in 256ths of half a star.
    """

    activity: Int32Array
    genres: Int32Array
    breadth: Int32Array
    first: Int32Array
    span: Int32Array
    leniency: Int32Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Items:
    """What items are like.

    Attributes:
        appeal: (n,) int64 how wanted an item is, whatever its genre.
        genres: (n, 2) int32 genres; the first counts twice. Both may be the same.
        drift: (n,) int32 quarters by which it becomes more wanted over the period, or less.
        quality: (n,) int32 what its ratings have on top, in 256ths of half a star.
    """

    appeal: Int64Array
    genres: Int32Array
    drift: Int32Array
    quality: Int32Array


def make_users(size: Size) -> Users:
    """Draw the users."""
    draws, n = Draws(size.seed, "users"), size.users
    activity = _shares(_long_tail(draws.order(n), flat=50), size.interactions, size.most_of_a_user)
    genres = draws.below(size.genres, 4 * n).reshape(n, 4)
    breadth, leniency = draws.below(len(BREADTHS), n), draws.bell(n)
    times = Draws(size.seed, "times")
    # The product of two equal draws: most users come and go within a year, some stay for all five.
    span = DAY + times.below(DAYS, n) * times.below(DAYS, n) // DAYS * DAY
    first = times.below(DAYS * DAY + 1 - span, n)
    return Users(
        activity=activity.astype(np.int32),
        genres=genres.astype(np.int32),
        breadth=breadth.astype(np.int32),
        first=first.astype(np.int32),
        span=span.astype(np.int32),
        leniency=leniency.astype(np.int32),
    )


def make_items(size: Size) -> Items:
    """Draw the items. Each genre is the first one of about as many."""
    draws, n = Draws(size.seed, "items"), size.items
    appeal = _long_tail(draws.order(n), flat=400)
    first = draws.order(n) % size.genres
    second = draws.below(size.genres, n)
    return Items(
        appeal=appeal,
        genres=np.stack([first, second], axis=1).astype(np.int32),
        drift=(draws.below(2 * STEEPEST + 1, n) - STEEPEST).astype(np.int32),
        quality=draws.bell(n).astype(np.int32),
    )


def _long_tail(rank: Int64Array, *, flat: int) -> Int64Array:
    """(n,) weights, each at least 1, that fall with the rank: flat at first, then by 1 / rank, then by its square.

    Formula: 2**40 x / ((rank + n / flat + 1) (rank + x)), with x = n / 3.
    """
    n = len(rank)
    bend = n // 3 + 1
    weights = float(2**40) / (rank + (n // flat + 1)) / (rank + bend) * bend
    return weights.astype(np.int64) + 1


def _shares(weights: Int64Array, total: int, most: int) -> Int64Array:
    """Whole numbers from 1 to `most` that add up to `total`, as far as can be in proportion to `weights`."""
    # A fifth goes to all alike: it keeps the least active from having but one.
    even = max(1, total // (5 * len(weights)))
    ends = np.cumsum(weights, dtype=np.int64)
    rest = total - even * len(weights)
    # In floating point, each step on its own: the same on every machine. The last end is exact.
    cuts = np.floor(ends / float(ends[-1]) * rest).astype(np.int64)
    cuts[-1] = rest
    found = even + np.diff(cuts, prepend=0)
    while (lacking := int(np.maximum(found - most, 0).sum())) > 0:
        np.minimum(found, most, out=found)
        open_ = np.flatnonzero(found < most)
        more, odd = divmod(lacking, len(open_))
        found[open_] += more
        found[open_[:odd]] += 1
    return found
