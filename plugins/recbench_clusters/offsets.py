"""What a rating is compared with before users are: the mean of all and an offset each of user and item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench.api import Interactions

EPOCHS = 10
REG_ITEM = 10.0
REG_USER = 15.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offsets:
    """Regularised offsets: a pair's level is mean + user[u] + item[i].

    Attributes:
        mean: of all ratings.
        user: (n_users,) float64, 0 for a user without ratings.
        item: (n_items,) float64, 0 for an item without ratings.
    """

    mean: float
    user: NDArray[np.float64]
    item: NDArray[np.float64]

    def of(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> NDArray[np.float64]:
        """(m,) levels of pairs."""
        levels: NDArray[np.float64] = self.mean + self.user[users] + self.item[items]
        return levels

    def for_new_users(self, rows: Interactions, n_users: int) -> Offsets:
        """The same items beside other users."""
        user = shrunken_mean(rows.rating - self.mean - self.item[rows.item], rows.user, n_users, REG_USER)
        return Offsets(mean=self.mean, user=user, item=self.item)


def offsets(rows: Interactions, n_users: int, n_items: int) -> Offsets:
    """Fit offsets of items and users in turn, by alternating least squares.

    Source: Koren, Factor in the Neighbors, TKDD 2010, section 2.1; the settings are Surprise's.
    """
    mean = float(rows.rating.mean(dtype=np.float64)) if len(rows) else 0.0
    rest = rows.rating - mean
    user, item = np.zeros(n_users), np.zeros(n_items)
    for _ in range(EPOCHS):
        item = shrunken_mean(rest - user[rows.user], rows.item, n_items, REG_ITEM)
        user = shrunken_mean(rest - item[rows.item], rows.user, n_users, REG_USER)
    return Offsets(mean=mean, user=user, item=item)


def shrunken_mean(
    values: NDArray[np.floating], group: NDArray[np.integer], n_groups: int, damping: float
) -> NDArray[np.float64]:
    """Sum of each group's values / (their number + damping); 0 for a group without any: -> (n_groups,)."""
    sums = np.bincount(group, weights=values, minlength=n_groups)
    weight = np.bincount(group, minlength=n_groups) + damping
    means = np.zeros(n_groups)
    np.divide(sums, weight, out=means, where=weight > 0)
    return means
