"""The rows that features are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench.api import Dataset

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratings:
    """Ratings with the days they were given on.

    Attributes:
        user: (n,) int64.
        item: (n,) int64.
        rating: (n,) float64.
        days: (n,) float64 days before the last rating of train, 0 or less; None where the data has no times.
        share: which part of train these rows are. Counts are divided by it, so that they mean the same for a part
            and for all of train.
    """

    user: IntArray
    item: IntArray
    rating: FloatArray
    days: FloatArray | None
    n_users: int
    n_items: int
    share: float = 1.0

    @classmethod
    def of(cls, train: Dataset) -> Ratings:
        """All ratings of train."""
        rows = train.interactions
        has_times = rows.time is not None and len(rows) > 0
        return cls(
            user=rows.user.astype(np.int64),
            item=rows.item.astype(np.int64),
            rating=rows.rating.astype(np.float64),
            days=(rows.time - rows.time.max()) / SECONDS_A_DAY if has_times and rows.time is not None else None,
            n_users=train.n_users,
            n_items=train.n_items,
        )

    def __len__(self) -> int:
        return len(self.rating)

    def take(self, rows: BoolArray) -> Ratings:
        """The ratings that `rows` marks."""
        return Ratings(
            user=self.user[rows],
            item=self.item[rows],
            rating=self.rating[rows],
            days=None if self.days is None else self.days[rows],
            n_users=self.n_users,
            n_items=self.n_items,
            share=self.share * float(rows.mean()),
        )

    def matrix(self, values: FloatArray) -> csr_matrix:
        """(n_users, n_items) CSR with a value for each rating."""
        matrix = csr_matrix((values, (self.user, self.item)), shape=(self.n_users, self.n_items))
        matrix.sort_indices()
        return matrix


def shrunken_mean(values: FloatArray, group: IntArray, n_groups: int, damping: float) -> FloatArray:
    """Sum of each group's values / (their number + damping); 0 for a group without any: -> (n_groups,)."""
    weight = np.bincount(group, minlength=n_groups) + damping
    means = np.zeros(n_groups)
    np.divide(np.bincount(group, weights=values, minlength=n_groups), weight, out=means, where=weight > 0)
    return means
