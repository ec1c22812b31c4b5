"""Interactions out of a world, a block of users at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recbench.data import BoolArray, Int32Array, Int64Array
from recbench.synthetic.words import Draws
from recbench.synthetic.world import BREADTHS, DAY, DAYS, SLOTS, START, STEEPEST, Items, Size, Users

# Interactions in a block. Part of what decides the bytes: each block has random words of its own.
BLOCK = 1 << 19

_PERIOD = DAYS * DAY
_FINE = 1 << 16
# After so many rounds, who still lacks something takes whatever there is: the user's genres are nearly used up.
_PATIENCE = 8
_USUAL_RATING = 7 * 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """The interactions of a block of users, by user, then by time.

    Attributes:
        user, item: (n,) int64 indexes.
        rating: (n,) int64 half stars, 1 to 10.
        time: (n,) int64 seconds since 1970.
    """

    user: Int64Array
    item: Int64Array
    rating: Int64Array
    time: Int64Array


class Shelves:
    """Every item on the shelf of each of its genres, and all on one more. What is taken from a shelf goes by appeal."""

    def __init__(self, items: Items, n_genres: int) -> None:
        n = len(items.appeal)
        shelf = np.concatenate([items.genres[:, 0], items.genres[:, 1], np.full(n, n_genres)])
        order = np.argsort(shelf, kind="stable")
        self._item = np.tile(np.arange(n, dtype=np.int32), 3)[order]
        weight = np.concatenate([2 * items.appeal, items.appeal, items.appeal])[order]
        ends = np.cumsum(weight, dtype=np.int64)
        last = np.searchsorted(shelf[order], np.arange(n_genres + 1), side="right")
        self._ends = ends
        self._before = np.concatenate([[0], ends[last - 1]])
        self.n_genres = n_genres

    @property
    def totals(self) -> Int64Array:
        """(n_genres + 1,) the appeal of everything on a shelf."""
        return np.diff(self._before)

    def take(self, shelf: Int64Array, draws: Draws) -> Int32Array:
        """An item of each of these shelves."""
        at = self._before[shelf] + draws.below(self.totals[shelf], len(shelf))
        taken: Int32Array = self._item[np.searchsorted(self._ends, at, side="right")]
        return taken


def draw(size: Size, users: Users, items: Items) -> Iterator[Drawn]:
    """All interactions, block by block. No pair comes twice, and every user has at least one."""
    shelves = Shelves(items, size.genres)
    for block, (first, last) in enumerate(_blocks(users.activity)):
        yield _block(size, users, items, shelves, np.arange(first, last), block)


def _blocks(activity: Int32Array) -> Iterator[tuple[int, int]]:
    """Runs of users with about `BLOCK` interactions each."""
    ends = np.cumsum(activity, dtype=np.int64)
    number = (ends - 1) // BLOCK
    bounds = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(activity)]
    return itertools.pairwise(bounds)


def _block(size: Size, users: Users, items: Items, shelves: Shelves, who: Int64Array, block: int) -> Drawn:
    draws = Draws(size.seed, "interactions", block)
    wanted = users.activity[who].astype(np.int64)
    held = np.empty(0, dtype=np.int64)
    times = np.empty(0, dtype=np.int64)
    patience = _PATIENCE
    while wanted.any():
        user = np.repeat(np.arange(len(who)), np.where(wanted > 0, wanted + wanted // 2 + 4, 0))
        time = users.first[who[user]] + draws.below(users.span[who[user]].astype(np.int64), len(user))
        if patience > 0:
            item = shelves.take(_shelf_of(users, who[user], draws, shelves.n_genres), draws)
            stays = _is_in_season(items.drift[item], time, draws)
            user, item, time = user[stays], item[stays], time[stays]
        else:
            item = draws.below(size.items, len(user)).astype(np.int32)
        codes = user * size.items + item
        fresh = np.flatnonzero(_is_first(codes) & ~_among(codes, held))
        fresh = fresh[_nth(user[fresh]) < wanted[user[fresh]]]
        wanted -= np.bincount(user[fresh], minlength=len(who))
        order = np.argsort(np.concatenate([held, codes[fresh]]), kind="stable")
        held = np.concatenate([held, codes[fresh]])[order]
        times = np.concatenate([times, time[fresh]])[order]
        patience -= 1
    local, item_of = np.divmod(held, size.items)
    order = np.lexsort((item_of, times, local))
    user, item_of = who[local[order]], item_of[order]
    rating = _ratings(users, items, user, item_of, Draws(size.seed, "ratings", block))
    return Drawn(user=user, item=item_of, rating=rating, time=START + times[order])


def _shelf_of(users: Users, user: Int64Array, draws: Draws, n_genres: int) -> Int64Array:
    """Which genre each of these draws is from; `n_genres` for none in particular."""
    slot = draws.below(SLOTS, len(user))
    ends = np.cumsum(BREADTHS, axis=1)
    place = np.zeros(len(user), dtype=np.int64)
    for column in range(ends.shape[1]):
        place += slot >= ends[users.breadth[user], column]
    own = users.genres[user, np.minimum(place, 3)]
    return np.where(place < 4, own, n_genres).astype(np.int64)


def _is_in_season(drift: Int32Array, time: Int64Array, draws: Draws) -> BoolArray:
    """Whether an item is wanted at this time: with a probability proportional to 1 + drift (2 time - 1) / 4."""
    place = (2 * time - _PERIOD) * _FINE // _PERIOD
    chance = 4 * _FINE + drift * place
    kept: BoolArray = draws.below((4 + STEEPEST) * _FINE, len(time)) < chance
    return kept


def _is_first(codes: Int64Array) -> BoolArray:
    """Which of equal codes come first."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    found = np.ones(len(codes), dtype=np.bool_)
    found[order[1:]] = ordered[1:] != ordered[:-1]
    return found


def _among(codes: Int64Array, held: Int64Array) -> BoolArray:
    if not len(held):
        return np.zeros(len(codes), dtype=np.bool_)
    found: BoolArray = held[np.minimum(np.searchsorted(held, codes), len(held) - 1)] == codes
    return found


def _nth(group: Int64Array) -> Int64Array:
    """The how manieth of its group each is; the groups lie one after the other."""
    places = np.arange(len(group))
    starts = np.ones(len(group), dtype=np.bool_)
    starts[1:] = group[1:] != group[:-1]
    return places - np.maximum.accumulate(np.where(starts, places, 0))


def match(users: Users, items: Items, user: Int64Array, item: Int64Array) -> Int64Array:
    """How much an item is of the user's genres: 0 to 48 in all, the first genre of an item counting twice."""
    found = np.zeros(len(user), dtype=np.int64)
    for column in range(4):
        dear = BREADTHS[users.breadth[user], column]
        genre = users.genres[user, column]
        found += dear * (2 * (items.genres[item, 0] == genre) + (items.genres[item, 1] == genre))
    return found


def expected_rating(users: Users, items: Items, user: Int64Array, item: Int64Array) -> Int64Array:
    """What a user would give an item but for chance, in 256ths of half a star, not clipped."""
    return _USUAL_RATING + users.leniency[user] + items.quality[item] + 24 * match(users, items, user, item)


def _ratings(users: Users, items: Items, user: Int64Array, item: Int64Array, draws: Draws) -> Int64Array:
    noisy = expected_rating(users, items, user, item) + (3 * draws.bell(len(user)) >> 1)
    halves: Int64Array = np.clip(noisy >> 8, 1, 10)
    return halves
