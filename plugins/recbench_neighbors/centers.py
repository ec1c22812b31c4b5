"""What a rating is compared with before neighbours are averaged: nothing, the row's mean, or offsets of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Center: TypeAlias = Literal["none", "mean", "baseline"]

EPOCHS = 10
REG_ITEM = 10.0
REG_USER = 15.0
"""Surprise's settings for the baselines inside KNNBaseline."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Centers:
    """A level for each pair: level + row's part + column's part.

    Attributes:
        level: a number for all.
        row: (n_rows,) float64.
        column: (n_columns,) float64.
        otherwise: what to predict where no neighbour says anything is this, plus the two parts.
    """

    level: float
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    otherwise: float

    def of(self, rows: NDArray[np.integer], columns: NDArray[np.integer]) -> NDArray[np.float64]:
        """(m,) levels of pairs."""
        levels: NDArray[np.float64] = self.level + self.row[rows] + self.column[columns]
        return levels


def centers(ratings: csr_matrix, center: Center, *, rows_are_users: bool) -> Centers:
    """Find the levels of `ratings` (n_rows, n_columns)."""
    n_rows, n_columns = ratings.shape
    mean = float(ratings.data.mean()) if ratings.nnz else 0.0
    row, column = np.zeros(n_rows), np.zeros(n_columns)
    if center == "none":
        return Centers(level=0.0, row=row, column=column, otherwise=mean)
    owner = np.repeat(np.arange(n_rows), np.diff(ratings.indptr))
    rest = ratings.data - mean
    if center == "mean":
        row = _shrunken(rest, owner, n_rows, 0.0)
    else:
        row, column = _offsets(rest, owner, ratings.indices, (n_rows, n_columns), rows_are_users=rows_are_users)
    return Centers(level=mean, row=row, column=column, otherwise=mean)


def _offsets(
    rest: NDArray[np.float64],
    row: NDArray[np.integer],
    column: NDArray[np.integer],
    shape: tuple[int, int],
    *,
    rows_are_users: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Regularised offsets of rows and columns by alternating least squares, items first.

    Source: Koren, Factor in the Neighbors, TKDD 2010, section 2.1, in the order of Surprise.
    """
    user, item = (row, column) if rows_are_users else (column, row)
    n_users, n_items = shape if rows_are_users else shape[::-1]
    of_user = np.zeros(n_users)
    of_item = np.zeros(n_items)
    for _ in range(EPOCHS):
        of_item = _shrunken(rest - of_user[user], item, n_items, REG_ITEM)
        of_user = _shrunken(rest - of_item[item], user, n_users, REG_USER)
    return (of_user, of_item) if rows_are_users else (of_item, of_user)


def _shrunken(
    values: NDArray[np.float64], group: NDArray[np.integer], n_groups: int, damping: float
) -> NDArray[np.float64]:
    """(n_groups,) sum of each group's values / (their number + damping); 0 for a group without any."""
    sums = np.bincount(group, weights=values, minlength=n_groups)
    weight = np.bincount(group, minlength=n_groups) + damping
    means = np.zeros(n_groups)
    np.divide(sums, weight, out=means, where=weight > 0)
    return means
