"""What metrics are given: a block of lists, pairs with predictions, and what is known of items and training data.

None of these is slotted: what is derived is computed when a metric asks for it, and kept for the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recbench.data import BoolArray, Float32Array, FloatArray, Int32Array, Int64Array, Split, Tags, owned, steps

# Users that are looked at together.
_USERS = 1 << 13

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalogue:
    """What metrics may know of the training data and the items.

    Attributes:
        split: the split, with all tables and interactions.
        users: (n,) int64, the evaluated users.
    """

    split: Split
    users: Int64Array

    @property
    def n_items(self) -> int:
        """All items of the data set, those only in test included."""
        return self.split.dataset.n_items

    @cached_property
    def n_train_users(self) -> int:
        """Users with at least one training interaction."""
        has_any = np.zeros(self.split.dataset.n_users, dtype=np.bool_)
        for rows in self._steps():
            has_any[self.split.dataset.interactions.user[rows]] = True
        return int(np.count_nonzero(has_any))

    @cached_property
    def popularity(self) -> Int64Array:
        """(n_items,) int64, training interactions (validation included) of each item."""
        counts = np.zeros(self.n_items, dtype=np.int64)
        for rows in self._steps():
            counts += np.bincount(self.split.dataset.interactions.item[rows], minlength=self.n_items)
        return owned(counts)

    @cached_property
    def popularity_rank(self) -> Int64Array:
        """(n_items,) int64: 1 for the most popular items, 2 for the next lower count, ...; 0 for items not in train."""
        counts = np.unique(self.popularity[self.popularity > 0])
        rank = len(counts) - np.searchsorted(counts, self.popularity)
        return owned(np.where(self.popularity > 0, rank, 0))

    @cached_property
    def profile_popularity(self) -> FloatArray:
        """(n_users,) float64, mean popularity of what a user has in train or history; NaN where that is nothing."""
        n_users, interactions = self.split.dataset.n_users, self.split.dataset.interactions
        total, size = np.zeros(n_users), np.zeros(n_users, dtype=np.int64)
        for rows in self._steps(self.split.history_rows):
            users = interactions.user[rows]
            # Sums of whole numbers below 2**53: exact, so the order they come in makes no difference.
            total += np.bincount(users, weights=self.popularity[interactions.item[rows]], minlength=n_users)
            size += np.bincount(users, minlength=n_users)
        with np.errstate(invalid="ignore"):
            return owned(total / size)

    @cached_property
    def mean_profile_popularity(self) -> float:
        """Mean of `profile_popularity` over the evaluated users that have one; NaN where nobody has."""
        known = self.profile_popularity[self.users]
        known = known[~np.isnan(known)]
        return float(known.mean()) if len(known) else float("nan")

    @cached_property
    def genres(self) -> csr_matrix | None:
        """(n_items, n_genres) CSR of zeros and ones: all columns of tags side by side; None where there are none."""
        from scipy.sparse import csr_matrix, hstack

        columns = [column.matrix() for column in self.split.dataset.items.values() if isinstance(column, Tags)]
        if not columns:
            return None
        matrix = csr_matrix(hstack(columns))
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix

    @cached_property
    def genre_shares(self) -> csr_matrix | None:
        """`genres` with each row divided by its sum: an item's genres in equal shares. Rows without a genre are 0."""
        return None if self.genres is None else _rows_scaled(self.genres, power=1.0)

    @cached_property
    def genre_directions(self) -> csr_matrix | None:
        """`genres` with each row divided by its length, so that products of rows are cosines."""
        return None if self.genres is None else _rows_scaled(self.genres, power=0.5)

    @cached_property
    def profile_genres(self) -> csr_matrix | None:
        """(n_users, n_genres) CSR, mean genre shares over what a user has in train or history.

        Items without a genre take no part, so a row sums to 1; it is 0 where nothing is left.
        """
        from scipy.sparse import csr_matrix, vstack

        if self.genre_shares is None:
            return None
        codes = self._profile_codes()
        n_users, n_items = self.split.dataset.n_users, self.n_items
        starts = np.searchsorted(codes, np.arange(n_users + 1) * n_items)
        totals = []
        for first in range(0, n_users, _USERS):
            ends = starts[first : first + _USERS + 1]
            items = (codes[ends[0] : ends[-1]] % n_items).astype(np.int32)
            block = csr_matrix((np.ones(len(items)), items, ends - ends[0]), shape=(len(ends) - 1, n_items))
            totals.append(block @ self.genre_shares)
        return _rows_scaled(csr_matrix(vstack(totals)), power=1.0)

    def _profile_codes(self) -> Int64Array:
        """(n,) user * n_items + item of what users have in train or history, ascending."""
        interactions = self.split.dataset.interactions
        parts = [
            interactions.user[rows] * np.int64(self.n_items) + interactions.item[rows]
            for rows in self._steps(self.split.history_rows)
        ]
        codes = np.concatenate([np.empty(0, dtype=np.int64), *parts])
        codes.sort()
        return codes

    def _steps(self, *more: Int64Array) -> Iterator[Int64Array]:
        """Rows of train, validation and `more`, a block at a time: no column of a large data set is there twice."""
        for part in (self.split.train_rows, self.split.validation_rows, *more):
            yield from (part[block] for block in steps(len(part)))


def _rows_scaled(matrix: csr_matrix, *, power: float) -> csr_matrix:
    """Each row divided by its sum to the `power`; empty rows stay empty."""
    from scipy.sparse import csr_matrix

    total = np.asarray(matrix.sum(axis=1)).ravel()
    scale = np.repeat(total, np.diff(matrix.indptr)) ** power
    return csr_matrix((matrix.data / scale, matrix.indices, matrix.indptr), shape=matrix.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """The lists of a block of users, cut at k. Only users of the evaluated population are in it.

    Attributes:
        k: the cut-off.
        users: (b,) int64 user indexes.
        lists: (b, k) int32 items, best first, none twice; -1 for an empty place, and empty places come last.
        hits: (b, k) bool, whether the item is relevant.
        in_test: (b, k) bool, whether the item is in the user's test part, relevant or not.
        relevant: (b,) int64, relevant test items of the user; at least 1.
        test_starts: (b + 1,) int64; the user of row r has test items `test_items[test_starts[r]:test_starts[r + 1]]`.
        test_items: int32, ascending within a user.
        test_ratings: float32, their ratings.
        catalogue: what is known of items and training data.
    """

    k: int
    users: Int64Array
    lists: Int32Array
    hits: BoolArray
    in_test: BoolArray
    relevant: Int64Array
    test_starts: Int64Array
    test_items: Int32Array
    test_ratings: Float32Array
    catalogue: Catalogue

    @cached_property
    def lengths(self) -> Int64Array:
        """(b,) int64, how many places of each list are filled."""
        lengths: Int64Array = np.count_nonzero(self.lists >= 0, axis=1)
        return lengths

    @cached_property
    def hit_places(self) -> tuple[Int64Array, Int64Array]:
        """Row and rank (0 is the best place) of every hit, row by row, best first. Hits are few: sum over these."""
        return _places(self.hits)

    @cached_property
    def n_hits(self) -> Int64Array:
        """(b,) int64, how many places of each list are hits."""
        n_hits: Int64Array = np.count_nonzero(self.hits, axis=1)
        return n_hits

    @cached_property
    def hit_orders(self) -> Int64Array:
        """For each of `hit_places`, how many hits its list has down to it: 1 for the first hit, 2 for the second."""
        rows, _ = self.hit_places
        firsts = np.searchsorted(rows, np.arange(len(self.users)))
        orders: Int64Array = np.arange(1, len(rows) + 1) - firsts[rows]
        return orders

    def sum_of_hits(self, values: FloatArray) -> FloatArray:
        """(b,) float64: for each row, the sum of `values`, one for each of `hit_places`."""
        return np.bincount(self.hit_places[0], weights=values, minlength=len(self.users)).astype(np.float64, copy=False)

    @cached_property
    def gains(self) -> FloatArray:
        """(b, k) float64, the test rating of the item where it is in the user's test part, else 0."""
        rows, ranks = _places(self.in_test)
        n_items = np.int64(self.catalogue.n_items)
        known = self._test_rows * n_items + self.test_items
        found = np.searchsorted(known, rows * n_items + self.lists[rows, ranks])
        gains = np.zeros(self.lists.shape)
        gains[rows, ranks] = self.test_ratings[found]
        return gains

    @cached_property
    def ideal_gains(self) -> FloatArray:
        """(b, k) float64, the user's k greatest test ratings, descending, padded with 0."""
        rows = self._test_rows
        order = np.lexsort((-self.test_ratings, rows))
        ranks = np.arange(len(rows)) - self.test_starts[rows]
        listed = ranks < self.k
        gains = np.zeros((len(self.users), self.k))
        gains[rows[listed], ranks[listed]] = self.test_ratings[order[listed]]
        return gains

    @property
    def _test_rows(self) -> Int64Array:
        return np.repeat(np.arange(len(self.users)), np.diff(self.test_starts))


def _places(table: BoolArray) -> tuple[Int64Array, Int64Array]:
    # np.nonzero of a table is ten times slower than that of its one long row.
    rows, ranks = np.divmod(np.flatnonzero(table), max(1, table.shape[1]))
    return rows, ranks


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """The test pairs with what was predicted for them.

    Attributes:
        users: (n,) int32.
        items: (n,) int32.
        rating: (n,) float64.
        prediction: (n,) float64, clipped to the scale; the training mean where the algorithm could not say.
        answered: (n,) bool, whether the algorithm could say.
        scale: least and greatest possible rating.
    """

    users: Int32Array
    items: Int32Array
    rating: FloatArray
    prediction: FloatArray
    answered: BoolArray
    scale: tuple[float, float]
