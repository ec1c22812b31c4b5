"""The rules that say which interactions are held out. Pure, and the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import BoolArray, Int32Array, Int64Array, Interactions, RowArray, counts_of, steps
from recbench.protocols.spec import Kind

WordArray: TypeAlias = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """The interactions that a rule chooses from: those at `rows`, or all. A column is taken when it is asked for."""

    interactions: Interactions
    rows: RowArray | None = None

    def __len__(self) -> int:
        return len(self.interactions) if self.rows is None else len(self.rows)

    @property
    def user(self) -> Int32Array:
        """(n,) int32."""
        return self.interactions.user if self.rows is None else self.interactions.user[self.rows]

    @property
    def item(self) -> Int32Array:
        """(n,) int32."""
        return self.interactions.item if self.rows is None else self.interactions.item[self.rows]

    @property
    def time(self) -> Int64Array:
        """(n,) int64. Only to be asked for where there are times."""
        assert self.interactions.time is not None
        return self.interactions.time if self.rows is None else self.interactions.time[self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How much a rule holds out, and the random numbers it goes by.

    Attributes:
        share: of the users, items or interactions.
        by: whether "holdout" takes the share of each user's interactions, or of all.
        seed: the split's.
        key: sets the draws of one seed apart; () is PCG64(seed) itself.
    """

    share: float
    by: Literal["user", "all"]
    seed: int
    key: tuple[int, ...] = ()

    def words(self, n: int) -> WordArray:
        """n raw words of PCG64: unlike a Generator's permutations they stay the same over versions of NumPy."""
        return self._source().random_raw(n)

    def blocks_of_words(self, n: int) -> Iterator[tuple[slice, WordArray]]:
        """The same words, a block at a time, and which of the n they are."""
        source = self._source()
        for block in steps(n):
            yield block, source.random_raw(min(block.stop, n) - block.start)

    def _source(self) -> np.random.PCG64:
        return np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=self.key))

    def count(self, n: int) -> int:
        """floor(share x n)."""
        share = exactly(self.share)
        return n * share.numerator // share.denominator


Rule: TypeAlias = Callable[[Pool, Draw], BoolArray]
"""Which of a pool's interactions are held out: (n,) bool."""


def exactly(share: float) -> Fraction:
    """The share as the decimal it was written as: in floating point 0.29 x 100 is below 29."""
    return Fraction(share).limit_denominator(1_000_000)


def of_each_user(pool: Pool, draw: Draw) -> BoolArray:
    """floor(share x n) of each user's n interactions, at random."""
    user = pool.user
    counts = counts_of(user, int(user.max(initial=-1)) + 1)
    return _least_of_each(user, draw, counts, _shares(counts, draw.share))


def of_all(pool: Pool, draw: Draw) -> BoolArray:
    """floor(share x n) of all n interactions, at random."""
    return _least(draw.words(len(pool)), draw.count(len(pool)))


def by_choice(pool: Pool, draw: Draw) -> BoolArray:
    """`of_all` or `of_each_user`, as `by` says."""
    return of_all(pool, draw) if draw.by == "all" else of_each_user(pool, draw)


def last_of_each_user(pool: Pool, _draw: Draw) -> BoolArray:
    """Each user's latest interaction, among equal times the last in the file; who has but one keeps it."""
    user, time = pool.user, pool.time
    latest = np.full(int(user.max(initial=-1)) + 1, np.iinfo(np.int64).min)
    np.maximum.at(latest, user, time)
    at = np.flatnonzero(time == latest[user])
    last = np.zeros(len(latest), dtype=np.int64)
    last[user[at]] = at  # where a user comes again, the last assignment stays
    held = np.zeros(len(pool), dtype=np.bool_)
    held[last[np.bincount(user) > 1]] = True
    return held


def latest(pool: Pool, draw: Draw) -> BoolArray:
    """All from one point in time on: of the points that part no equal times, the one whose share is nearest.

    Edges: nothing where all times are equal.
    """
    n, time = len(pool), pool.time
    if n == 0:
        return np.zeros(0, dtype=np.bool_)
    wanted = max(1, draw.count(n))
    point = np.partition(time, n - wanted)[n - wanted]
    cuts = (time >= point, time > point)
    sizes = [int(np.count_nonzero(cut)) for cut in cuts]
    distances = [abs(size - wanted) if 0 < size < n else n for size in sizes]
    held = cuts[int(np.argmin(distances))]
    return held if min(distances) < n else np.zeros(n, dtype=np.bool_)


def whole_users(pool: Pool, draw: Draw) -> BoolArray:
    """All interactions of floor(share x users) users, at random among those who have any."""
    return _whole(pool.user, draw)


def whole_items(pool: Pool, draw: Draw) -> BoolArray:
    """All interactions of floor(share x items) items, at random among those that have any."""
    return _whole(pool.item, draw)


RULES: Mapping[Kind, Rule] = {
    "holdout": by_choice,
    "k-fold": of_all,
    "leave-last-out": last_of_each_user,
    "time": latest,
    "cold-user": whole_users,
    "cold-item": whole_items,
    "provided": by_choice,
}
"""By kind of split. For "k-fold" and "provided" it cuts the validation part only."""


def first_of_each_user(pool: Pool, share: float) -> BoolArray:
    """The first floor(share x n) of each user's n interactions, by time where there are times, else by file order."""
    user = pool.user
    has_times = pool.interactions.time is not None
    order = np.lexsort((pool.time, user)) if has_times else np.argsort(user, kind="stable")
    return _first(user, order, _shares(np.bincount(user), share))


def blocks(n: int, *, folds: int, seed: int, repeat: int) -> Iterator[BoolArray]:
    """The test parts of a k-fold: a random order, cut into blocks of which the first n mod k have one more."""
    words = Draw(share=1, by="all", seed=seed, key=(repeat,) if repeat else ()).words(n)
    before = np.zeros(n, dtype=np.bool_)
    for end in np.cumsum([len(block) for block in np.array_split(words, folds)]):
        within = _least(words, int(end))
        yield within & ~before
        before = within


def blocks_of_surprise(n: int, *, folds: int, seed: int) -> Iterator[BoolArray]:
    """The same in another random order: the test parts of Surprise's `KFold(folds, random_state=seed)`."""
    order = np.arange(n)
    np.random.RandomState(seed).shuffle(order)
    for block in np.array_split(order, folds):
        held = np.zeros(n, dtype=np.bool_)
        held[block] = True
        yield held


def _shares(counts: Int64Array, share: float) -> Int64Array:
    """floor(share x n) for each n of `counts`."""
    fraction = exactly(share)
    return counts * fraction.numerator // fraction.denominator


def _whole(column: Int32Array, draw: Draw) -> BoolArray:
    present = np.flatnonzero(np.bincount(column))
    chosen = _least(draw.words(len(present)), draw.count(len(present)))
    held = np.zeros(int(column.max(initial=-1)) + 1, dtype=np.bool_)
    held[present[chosen]] = True
    return held[column]


def _least(words: WordArray, count: int) -> BoolArray:
    """Which are the `count` least words; among equal ones the first."""
    if count == 0:
        return np.zeros(len(words), dtype=np.bool_)
    greatest = np.partition(words, count - 1)[count - 1]
    held: BoolArray = words < greatest
    held[np.flatnonzero(words == greatest)[: count - np.count_nonzero(held)]] = True
    return held


def _least_of_each(group: Int32Array, draw: Draw, counts: Int64Array, quota: Int64Array) -> BoolArray:
    """Which have the `quota[g]` least words of the `counts[g]` of each group g; among equal ones the first.

    Sorting numbers that have the group above and the word's leading bits below takes a fraction of the time of
    ordering rows by both; they are made twice, so that they need not be kept beside the sorted ones. Where the bits
    that are cut off matter, the rows are ordered after all.
    """
    in_order = np.empty(len(group), dtype=np.uint64)
    for block, keys in _keys(group, draw, len(counts)):
        in_order[block] = keys
    in_order.sort()
    starts = np.cumsum(counts) - counts
    taken = np.flatnonzero(quota)
    greatest = np.zeros(len(quota), dtype=np.uint64)  # of a group without a quota 0, which a key hardly ever is
    greatest[taken] = in_order[starts[taken] + quota[taken] - 1]
    del in_order
    held = np.empty(len(group), dtype=np.bool_)
    for block, keys in _keys(group, draw, len(counts)):
        np.less_equal(keys, greatest[group[block]], out=held[block])
    if np.count_nonzero(held) == quota.sum():
        return held
    return _first(group, np.lexsort((draw.words(len(group)), group)), quota)


def _keys(group: Int32Array, draw: Draw, n_groups: int) -> Iterator[tuple[slice, WordArray]]:
    """Blocks of numbers that have the group in their leading bits and, below, the leading bits of a word."""
    bits = np.uint64(max(1, (n_groups - 1).bit_length()))
    for block, words in draw.blocks_of_words(len(group)):
        words >>= bits
        words |= group[block].astype(np.uint64) << (np.uint64(64) - bits)
        yield block, words


def _first(group: Int32Array, order: RowArray, quota: Int64Array) -> BoolArray:
    """Which rows are the first `quota[g]` of their group g, in an order that has the groups one after the other."""
    counts = np.bincount(group, minlength=len(quota))
    starts = np.cumsum(counts) - counts
    ordered = group[order]
    held = np.zeros(len(group), dtype=np.bool_)
    held[order] = np.arange(len(group)) - starts[ordered] < quota[ordered]
    return held
