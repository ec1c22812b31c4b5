"""What similar items of the user, and similar users, say about a pair."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench_ensembles.ratings import FloatArray, IntArray, Ratings

SHRINK = 50.0
"""Shared ratings at which a correlation is halved."""
DAMPING = 0.02
MOST_ROWS = 4000
USERS_AT_ONCE = 512
ROWS_AT_ONCE = 128


class Alike:
    """Means of residuals, weighted by the square of how alike two items, or two users, are.

    w = (n / (n + 50) * sum xy / sqrt(sum xx * sum yy))^2 over the n shared ratings, x and y their residuals; 0 where
    the sum is negative.

    - items: sum over the user's items j of w(i, j) * residual(u, j) / (sum of w + .02), and the logarithm of the sum
      of w, which tells how much is known
    - users: sum over the raters v of i of w(u, v) * residual(v, i) / (sum of w + .02)

    Only the 4,000 items with the most ratings, and as many users, are compared: memory does not grow beyond.
    """

    names = ("similar items of the user", "how many similar items", "similar users")

    def __init__(self, ratings: Ratings, residuals: FloatArray) -> None:
        self._rest = ratings.matrix(residuals).astype(np.float32)
        self._ones = ratings.matrix(np.ones(len(ratings))).astype(np.float32)
        self._items = _busiest(ratings.item, ratings.n_items)
        self._users = _busiest(ratings.user, ratings.n_users)
        self._among_items = _weights(self._rest[:, self._items].T.tocsr(), self._ones[:, self._items].T.tocsr())
        self._among_users = _weights(self._rest[self._users], self._ones[self._users])
        self._place_of_item = _places(self._items, ratings.n_items)
        self._place_of_user = _places(self._users, ratings.n_users)
        self._rest_of_items = self._rest[:, self._items]
        self._ones_of_items = self._ones[:, self._items]
        self._raters_rest = self._rest[self._users].T.tocsr()  # (n_items, users)
        self._raters_ones = self._ones[self._users].T.tocsr()

    def columns(self, users: IntArray, items: IntArray) -> list[FloatArray]:
        """A column a name, (m,) each."""
        found = np.zeros((3, len(users)))
        for block, rows in _by_user(users):
            found[:2, rows] = self._from_items(block, users[rows], items[rows])
            found[2, rows] = self._from_users(block, users[rows], items[rows])
        return list(found)

    def _from_items(self, block: IntArray, users: IntArray, items: IntArray) -> tuple[FloatArray, FloatArray]:
        place, is_known = _looked_up(self._place_of_item, items)
        row = np.searchsorted(block, users)
        total = (self._rest_of_items[block] @ self._among_items)[row, place]
        weight = np.where(is_known, (self._ones_of_items[block] @ self._among_items)[row, place], 0.0)
        mean = np.where(is_known, total, 0.0) / (weight + DAMPING)
        return mean, np.log(weight + DAMPING)

    def _from_users(self, block: IntArray, users: IntArray, items: IntArray) -> FloatArray:
        place, is_known = _looked_up(self._place_of_user, block)
        weights = np.where(is_known[:, None], self._among_users[place], np.float32(0.0)).T
        row = np.searchsorted(block, users)
        total = (self._raters_rest @ weights)[items, row]
        return np.asarray(total / ((self._raters_ones @ weights)[items, row] + DAMPING), dtype=np.float64)


def _weights(rest: csr_matrix, ones: csr_matrix) -> NDArray[np.float32]:
    """(n, n) weights between the rows, 0 on the diagonal."""
    columns, shared_columns = rest.T.tocsr(), ones.T.tocsr()
    squares = (rest.power(2) @ shared_columns).toarray()
    weights = np.empty(squares.shape, dtype=np.float32)
    # A block at a time, so that what is worked on stays in the processor's cache.
    for first in range(0, len(weights), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        alike = (rest[rows] @ columns).toarray(out=weights[rows])
        alike /= np.sqrt(squares[rows] * squares[:, rows].T) + np.float32(1e-9)
        shared = (ones[rows] @ shared_columns).toarray()
        alike *= shared / (shared + np.float32(SHRINK))
        np.maximum(alike, 0.0, out=alike)
        np.square(alike, out=alike)
    np.fill_diagonal(weights, 0.0)
    return weights


def _busiest(group: IntArray, n_groups: int) -> IntArray:
    """The 4,000 that occur most often, ascending; equals by their place in the table."""
    order = np.argsort(-np.bincount(group, minlength=n_groups), kind="stable")
    return np.sort(order[:MOST_ROWS]).astype(np.int64)


def _places(kept: IntArray, n: int) -> IntArray:
    """(n,) where each is among `kept`, -1 for the others."""
    places = np.full(n, -1, dtype=np.int64)
    places[kept] = np.arange(len(kept))
    return places


def _looked_up(places: IntArray, asked: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """The places of those asked for, 0 for those without one, and who has one."""
    found = places[asked]
    return np.maximum(found, 0), found >= 0


def _by_user(users: IntArray) -> Iterator[tuple[IntArray, NDArray[np.intp]]]:
    """Yield (users, ascending, and the rows of `users` that are theirs), some hundred users at a time."""
    distinct, place = np.unique(users, return_inverse=True)
    order = np.argsort(place, kind="stable")
    bounds = np.searchsorted(place[order], np.arange(0, len(distinct) + USERS_AT_ONCE, USERS_AT_ONCE))
    for part, first in enumerate(range(0, len(distinct), USERS_AT_ONCE)):
        yield distinct[first : first + USERS_AT_ONCE], order[bounds[part] : bounds[part + 1]]
